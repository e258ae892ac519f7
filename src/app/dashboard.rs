//! The dashboard: the terminal front end on a running engine.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::tz::TimeZone;

use super::{
    DONE, Failure,
    keep::Keeper,
    monitor::{Parts, finish, start_engine},
    signals::StopSignal,
};
use crate::{
    cli::RunArgs,
    config::{Config, SourceConfig, edit::KeepLogin},
    engine::{EngineApi, preview},
    export::Exporter,
    headless,
    ledger::{
        self, Ledger, Reader,
        render::{ReportFormat, render},
        report::{Query, Step},
    },
    logging::{NativeOutput, RecentLogs},
    source::{SourceId, probe_source},
    tui::{
        self, Exit, TuiOptions,
        editor::Drawn,
        host::{ConfigPlace, Found, Host, Period},
    },
};

/// An export that is asked for waits this long for the disk.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Shows the dashboard until the user quits or a signal comes.
pub fn run(args: &RunArgs, config: &Config, stop: &StopSignal, parts: &Parts) -> Result<u8, Failure> {
    let engine = start_engine(config, parts, Vec::new())?;
    let host = Arc::new(DashboardHost {
        exporter: Arc::clone(&parts.exporter),
        ledger: parts
            .ledger
            .as_ref()
            .map(|ledger| (Arc::clone(ledger), config.parallel.result_output.join(ledger::FILE_NAME))),
        timezone: config.parallel.timezone.clone(),
        recent: parts.logs.recent(),
        keeper: Keeper::new(config.path.clone()),
        hide: parts.logs.hider(),
        results: config.parallel.result_output.display().to_string(),
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
    ledger: Option<(Arc<Ledger>, PathBuf)>,
    timezone: TimeZone,
    recent: Arc<RecentLogs>,
    keeper: Keeper,
    hide: Arc<dyn Fn(&str) + Send + Sync>,
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

    fn probe(&self, source: &SourceConfig) -> Result<Found, String> {
        let (probe, frame) = probe_source(source).map_err(|error| error.to_string())?;
        Ok(Found { words: probe.to_string(), picture: preview::of_frame(&frame).map(Arc::new) })
    }

    fn config_place(&self) -> ConfigPlace {
        self.keeper.place()
    }

    fn hide_secrets(&self, source: &SourceConfig) {
        source.source.secrets().into_iter().for_each(&*self.hide);
    }

    fn save_lines(&self, source: &SourceId, drawn: &Drawn) -> Result<String, String> {
        self.keeper.save_lines(source, &drawn.lines, &drawn.zones)
    }

    fn save_source(&self, source: &SourceConfig, written: &str, keep: KeepLogin) -> Result<String, String> {
        self.keeper.save_source(source, written, keep)
    }

    fn write_config(&self, sources: &[Arc<SourceConfig>]) -> Result<String, String> {
        self.keeper.write(sources)
    }

    fn report(&self, period: Period) -> Result<String, String> {
        let Some((ledger, path)) = &self.ledger else {
            return Err("no ledger is kept: 'ledger' is false in the configuration".into());
        };
        ledger.sync(EXPORT_TIMEOUT);
        let query = query(period, &jiff::Zoned::now().with_time_zone(self.timezone.clone()))
            .map_err(|error| error.to_string())?;
        let reader = Reader::open(path).map_err(|error| error.to_string())?;
        let report = ledger::report::report(&reader, &query).map_err(|error| error.to_string())?;
        Ok(render(&report, ReportFormat::Table))
    }

    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        Some(Arc::clone(&self.recent))
    }
}

/// What to ask the ledger for a period, as of `now`.
fn query(period: Period, now: &jiff::Zoned) -> Result<Query, jiff::Error> {
    let (first, last, by_day) = period.days();
    // Midnight of the day: not always 24 hours apart.
    let midnight = |days_back: i64| {
        now.checked_sub(jiff::Span::new().try_days(days_back)?)?.start_of_day().map(|day| day.timestamp())
    };
    Ok(Query {
        since: midnight(first)?,
        until: if last < 0 { now.timestamp() } else { midnight(last)? },
        by: if by_day { Step::Day } else { Step::Hour },
        timezone: now.time_zone().clone(),
        source: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yesterday_is_a_day_of_the_calendar_also_when_the_clocks_change() {
        let now: jiff::Zoned = "2026-03-30T09:00:00[Europe/Berlin]".parse().unwrap();
        let yesterday = query(Period::Yesterday, &now).unwrap();
        assert_eq!(yesterday.until.duration_since(yesterday.since).as_hours(), 23);
        let week = query(Period::Week, &now).unwrap();
        assert_eq!(week.until, now.timestamp());
        assert_eq!(
            week.since.to_zoned(now.time_zone().clone()).to_string(),
            "2026-03-24T00:00:00+01:00[Europe/Berlin]"
        );
    }
}
