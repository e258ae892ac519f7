//! The dashboard: the terminal front end on a running engine.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    DONE, Failure,
    monitor::{Parts, finish, start_engine},
    signals::StopSignal,
};
use crate::{
    cli::RunArgs,
    config::{self, Config, LineConfig, SourceConfig},
    engine::EngineApi,
    export::Exporter,
    headless,
    logging::RecentLogs,
    source::{SourceId, probe_source},
    tui::{self, Exit, TuiOptions, host::Host},
};

/// File in the log folder that receives what native libraries write to standard error.
const NATIVE_LOG: &str = "native-stderr.log";

/// An export that is asked for waits this long for the disk.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Shows the dashboard until the user quits or a signal comes.
pub fn run(args: &RunArgs, config: &Config, stop: &StopSignal, parts: &Parts) -> Result<u8, Failure> {
    let engine = start_engine(config, parts, Vec::new())?;
    let host = Arc::new(DashboardHost {
        exporter: Arc::clone(&parts.exporter),
        recent: parts.logs.recent(),
        config: config.path.clone(),
        results: config.parallel.result_output.display().to_string(),
    });
    let options = TuiOptions {
        color: args.color,
        config: config.tui.clone(),
        ascii: args.ascii,
        read_only: args.read_only,
        mouse: false,
        tick: args.tick.unwrap_or(tui::DEFAULT_TICK),
        native_log: Some(config.parallel.log_dir.join(NATIVE_LOG)),
        stop: Arc::clone(&stop.number),
        timezone: config.parallel.timezone.clone(),
    };
    let api: Arc<dyn EngineApi> = Arc::new(engine.clone());
    let exit = tui::run(api, host, &options);
    let (snapshot, code) = finish(&engine, parts);
    match exit? {
        Exit::Quit => Ok(code),
        Exit::QuitKeepTable => {
            io::stdout().lock().write_all(headless::text::dashboard(&snapshot).as_bytes())?;
            Ok(code)
        }
        Exit::Signal(signal) => {
            // Ctrl-C is a key while the terminal is raw, and does not arrive as a signal.
            let _ = stop.number.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
            Ok(DONE)
        }
    }
}

/// What the screens may ask of this program.
struct DashboardHost {
    exporter: Arc<Exporter>,
    recent: Arc<RecentLogs>,
    config: Option<PathBuf>,
    results: String,
}

impl Host for DashboardHost {
    fn export(&self) -> Result<String, String> {
        if self.exporter.sync(EXPORT_TIMEOUT) {
            Ok(format!("all results are written to '{}'", self.results))
        } else {
            Err(format!("the disk of '{}' does not follow; rows wait in memory", self.results))
        }
    }

    fn probe(&self, source: &SourceConfig) -> Result<String, String> {
        probe_source(source).map(|found| found.to_string()).map_err(|error| error.to_string())
    }

    fn save_lines(&self, source: &SourceId, lines: &[LineConfig]) -> Result<String, String> {
        let Some(path) = &self.config else {
            return Err(
                "used until the end, not saved: there is no configuration file; start with '--config FILE'"
                    .into(),
            );
        };
        config::edit::save_lines(path, source, lines)
            .map(|backup| format!("saved to '{}'; as it was: '{}'", path.display(), backup.display()))
            .map_err(|error| format!("used until the end, not saved: {error}"))
    }

    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        Some(Arc::clone(&self.recent))
    }
}
