//! The dashboard: the terminal front end on a running engine.

use std::{
    io::{self, Write as _},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;

use super::{
    acting::Acting,
    counting::{Parts, engine, finish, start},
    failure::{Failure, NO_THREAD},
    keep::Keeper,
    past::Past,
    reload::Reloader,
    signals::StopSignal,
};
use crate::{
    cli::RunArgs,
    clock::SystemClock,
    config::{self, Config, SourceConfig, edit::KeepLogin},
    engine::{EngineApi, preview},
    evidence::Facts,
    headless::{self, outlet::Outlet},
    ledger::{
        chart::{Column, Width},
        report::Report,
    },
    logging::{NativeOutput, RecentLogs},
    model::{Action, Judgment, SourceId},
    native::{disk::Disk, process},
    outputs::{Running, status::Status},
    source::{SystemOpener, probe_source},
    tui::{
        self, Exit, TuiOptions,
        crossings::{self, Known, Said},
        editor::Drawn,
        history::Asked,
        host::{ConfigPlace, Found, Host},
    },
};

/// An export that is asked for waits this long for the disk.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Shows the dashboard until the user quits or a signal comes.
pub fn run(args: &RunArgs, config: &Config, stop: &StopSignal, parts: &Parts) -> Result<u8, Failure> {
    let engine = engine(config, parts, false)?;
    let acting = Acting::new(Arc::new(engine.clone()), parts.actions.clone(), process::user(), "dashboard");
    let acting = Arc::new(acting);
    let host = Arc::new(DashboardHost {
        csv: Arc::clone(&parts.written.csv),
        past: parts.written.ledger.as_ref().map(|ledger| Past {
            ledger: Arc::clone(ledger),
            folder: config.parallel.result_output.clone(),
            timezone: config.parallel.timezone.clone(),
        }),
        recent: parts.logs.recent(),
        keeper: Keeper::new(config.path.clone(), config.piped.clone()),
        reloader: Reloader::start(config, args.counting.overrides(), &engine, &parts.logs)
            .context(NO_THREAD)?,
        results: config.parallel.result_output.display().to_string(),
        acting: Arc::clone(&acting),
    });
    let native = parts.logs.native_output()?;
    let options = TuiOptions {
        color: args.color,
        graphics: args.graphics,
        config: config.tui.clone(),
        ascii: args.ascii,
        read_only: args.read_only,
        mouse: false,
        tick: args.tick.unwrap_or(tui::DEFAULT_TICK),
        native_log: native.as_ref().and_then(NativeOutput::path),
        stop: Arc::clone(&stop.number),
        timezone: config.parallel.timezone.clone(),
    };
    let api: Arc<dyn EngineApi> = Arc::clone(&acting) as _;
    // With many sources the first screen would have to share the processor with all that they load.
    let exit = tui::run(api, host, &options, || start(&engine, config, parts));
    if let Ok(Exit::Signal(signal)) = exit {
        // Ctrl-C is a key while the terminal is raw, and does not arrive as a signal.
        let _ = stop.number.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
    }
    if matches!(exit, Ok(Exit::Quit | Exit::QuitKeepTable)) {
        acting.note(Action::STOPPED, None);
    }
    let (snapshot, code) = finish(&engine, parts);
    if let Exit::QuitKeepTable = exit? {
        let mut out = Outlet::start(&io::stdout(), Arc::new(SystemClock))?;
        out.write_all(headless::text::dashboard(&Status::from(&snapshot)).as_bytes())?;
        out.flush()?;
        out.close(parts.ending.left(0.5));
    }
    drop(native);
    parts.logs.close(parts.ending.left(0.8));
    parts.ending.leave(code, false)
}

/// What the screens may ask of this program.
struct DashboardHost {
    csv: Arc<Running>,
    past: Option<Past>,
    recent: Arc<RecentLogs>,
    keeper: Keeper,
    reloader: Option<Arc<Reloader>>,
    results: String,
    acting: Arc<Acting>,
}

impl DashboardHost {
    fn reloader(&self) -> Result<&Reloader, String> {
        let none = "there is no configuration file that could be read again";
        self.reloader.as_deref().ok_or_else(|| none.to_owned())
    }

    fn past(&self) -> Result<&Past, String> {
        self.past.as_ref().ok_or_else(|| {
            "past counts are not kept: 'ledger' is false in the configuration; set it to true".into()
        })
    }
}

/// Runs `work` where a disk that does not answer keeps nothing from ending the program.
fn on_disk<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    Disk::start("disk-screen").map_err(|error| format!("{NO_THREAD}: {error}"))?.run(work)
}

impl Host for DashboardHost {
    fn export(&self) -> Result<String, String> {
        if self.csv.sync(EXPORT_TIMEOUT) {
            Ok(format!("all results are written to '{}'", self.results))
        } else {
            Err(format!("the disk of '{}' does not follow; rows wait in memory", self.results))
        }
    }

    fn probe(&self, source: &SourceConfig) -> Result<Found, String> {
        source.source.teach(config::known());
        let (probe, frame) = probe_source(source, &SystemOpener::default())
            .map_err(|error| source.source.redact(&error.to_string()))?;
        Ok(Found { words: probe.to_string(), picture: preview::of_frame(&frame).map(Arc::new) })
    }

    fn config_place(&self) -> ConfigPlace {
        self.keeper.place()
    }

    fn look_at_config(&self) {
        self.keeper.look();
    }

    fn taken_ids(&self) -> Vec<String> {
        self.keeper.ids()
    }

    fn kept_sources(&self) -> Vec<SourceConfig> {
        self.keeper.known()
    }

    fn hide_secrets(&self, source: &SourceConfig) {
        source.source.teach(config::known());
    }

    fn save_lines(&self, source: &SourceId, drawn: &Drawn) -> Result<String, String> {
        on_disk(|| self.keeper.save_lines(source, &drawn.lines, &drawn.zones))
    }

    fn save_source(&self, source: &SourceConfig, written: &str, keep: KeepLogin) -> Result<String, String> {
        on_disk(|| self.keeper.save_source(source, written, keep))
    }

    fn remove_sources(&self, ids: &[SourceId]) -> Result<String, String> {
        on_disk(|| self.keeper.remove(ids))
    }

    fn write_config(&self, sources: &[Arc<SourceConfig>]) -> Result<String, String> {
        on_disk(|| self.keeper.write(sources))
    }

    fn report(&self, asked: &Asked) -> Result<Report, String> {
        on_disk(|| self.past()?.report(asked, EXPORT_TIMEOUT))
    }

    fn write_report(&self, asked: &Asked) -> Result<String, String> {
        on_disk(|| self.past()?.write(asked, EXPORT_TIMEOUT))
    }

    fn chart(&self, source: &SourceId, width: Width, count: usize) -> Result<Option<Vec<Column>>, String> {
        let Some(past) = &self.past else { return Ok(None) };
        on_disk(|| past.chart(source, width, count).map(Some))
    }

    fn reload_shown(&self) -> Result<Vec<String>, String> {
        let found = on_disk(|| self.reloader()?.difference());
        if let Err(problems) = &found {
            problems.lines().for_each(|problem| tracing::error!("Reload: {problem}"));
        }
        found.map(|found| found.sentences())
    }

    fn reload(&self) -> Result<String, String> {
        let reloader = self.reloader()?;
        let sentences = reloader.shown().ok_or("nothing is waiting to be taken over; ask again")?;
        let done = reloader.apply();
        // Also where the engine refused some of it.
        self.acting.note(Action::RELOADED, Some(sentences.join("; ")));
        done
    }

    fn crossings(&self, asked: &crossings::Asked) -> Result<crossings::Found, String> {
        on_disk(|| self.past()?.crossings(asked))
    }

    fn crossing(&self, facts: &Facts) -> Result<Known, String> {
        on_disk(|| self.past()?.crossing(facts))
    }

    fn judge(&self, said: &Said) -> Result<Judgment, String> {
        on_disk(|| self.past()?.judge(said))
    }

    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        Some(Arc::clone(&self.recent))
    }
}
