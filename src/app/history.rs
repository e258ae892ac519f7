//! What the screens ask of the ledger: history, charts, and files of both.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use parking_lot::Mutex;

use crate::{
    clock::SystemClock,
    files,
    host::history::ReportQuery,
    ledger::{
        self, Reader,
        chart::{Column, Width},
        render,
        report::{Query, Report, Step},
    },
    model::{Action, SourceId},
    outputs::ledger::Ledger,
};

/// Folder of written reports, inside the one of the results.
const REPORTS: &str = "reports";

/// A ledger as the screens read it. Every call may take a while and must not be made where keys are read.
pub struct Past {
    /// The ledger being written.
    ledger: Arc<Ledger>,
    /// The folder it is in.
    pub folder: PathBuf,
    /// Where days begin.
    timezone: TimeZone,
    /// When what was counted was last committed for somebody who reads.
    settled: Mutex<Option<Instant>>,
}

impl Past {
    /// The ledger that is being written into `folder`; days begin as `timezone` says.
    pub fn new(ledger: Arc<Ledger>, folder: PathBuf, timezone: TimeZone) -> Self {
        Self { ledger, folder, timezone, settled: Mutex::default() }
    }

    /// Has what was counted until now committed, at most as often as the ledger does so by itself, however many read.
    fn settle(&self, wait: Duration) {
        let asked = Instant::now();
        let mut settled = self.settled.lock();
        // Another one has waited for the same.
        if settled.is_some_and(|at| at >= asked) {
            return;
        }
        let since = settled.map_or(ledger::BATCH, |at| at.elapsed());
        std::thread::sleep(ledger::BATCH.saturating_sub(since));
        *settled = Some(Instant::now());
        self.ledger.sync(wait);
    }

    /// What is committed: that of half a second ago may not be.
    fn reader(&self) -> Result<Reader, String> {
        Reader::open(&self.folder.join(ledger::FILE_NAME)).map_err(|error| self.because(error.to_string()))
    }

    /// Why nothing can be read: where nothing can be written either, that is the reason.
    fn because(&self, error: String) -> String {
        self.ledger.status().problem.unwrap_or(error)
    }

    /// What was counted in the time asked for.
    ///
    /// # Errors
    /// Why that is not known.
    pub fn report(&self, asked: &ReportQuery, wait: Duration) -> Result<Report, String> {
        let query = query(asked, Timestamp::now(), &self.timezone).map_err(|error| error.to_string())?;
        self.query(&query, wait)
    }

    /// The answer to `query`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn query(&self, query: &Query, wait: Duration) -> Result<Report, String> {
        self.settle(wait);
        let (report, _) = ledger::report::read(&self.folder.join(ledger::FILE_NAME), query, &SystemClock)
            .map_err(|error| self.because(error.to_string()))?;
        Ok(report)
    }

    /// The last columns of a chart.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn chart(&self, source: &SourceId, width: Width, count: usize) -> Result<Vec<Column>, String> {
        let reader = self.reader()?;
        ledger::chart::columns(&reader, source, width, count, Timestamp::now(), &self.timezone)
            .map_err(|error| error.to_string())
    }

    /// What people did, see [`Reader::actions`].
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn actions(&self, since: i64, until: i64, limit: usize) -> Result<Vec<Action>, String> {
        self.reader()?.actions(since, until, limit).map_err(|error| error.to_string())
    }

    /// Writes the report asked for as CSV and as JSON and says where.
    ///
    /// # Errors
    /// Why it could not.
    pub fn write(&self, asked: &ReportQuery, wait: Duration) -> Result<String, String> {
        let report = self.report(asked, wait)?;
        let folder = self.folder.join(REPORTS);
        let write = |path: &Path, text: String| {
            let mut draft = files::Draft::new(path, files::SHARED)?;
            draft.write_all(text.as_bytes())?;
            draft.keep()
        };
        let path = folder.join(file_name(asked));
        let (csv, json) = (path.with_extension("csv"), path.with_extension("json"));
        files::make_folder(&folder)
            .and_then(|_| write(&csv, render::csv(&report)))
            .and_then(|()| write(&json, render::json(&report)))
            .map_err(|error| format!("cannot write to '{}': {error}", folder.display()))?;
        Ok(format!("written to '{}' and '.json'", csv.display()))
    }
}

/// `2026-03-13_by-hour`, or with both days where there are several.
fn file_name(asked: &ReportQuery) -> String {
    let by = match asked.by {
        Step::Quarter => "by-15m",
        Step::Hour => "by-hour",
        Step::Day => "by-day",
    };
    match asked.after.yesterday() {
        Ok(last) if last > asked.first => format!("{}_{last}_{by}", asked.first),
        _ => format!("{}_{by}", asked.first),
    }
}

/// What to ask the ledger, as of `now`: days of the calendar, not always of 24 hours.
fn query(asked: &ReportQuery, now: Timestamp, timezone: &TimeZone) -> Result<Query, jiff::Error> {
    let midnight = |day: Date| day.to_zoned(timezone.clone()).map(|midnight| midnight.timestamp());
    Ok(Query {
        since: midnight(asked.first)?,
        until: midnight(asked.after)?.min(now),
        by: asked.by,
        timezone: timezone.clone(),
        source: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(first: &str, after: &str, by: Step) -> ReportQuery {
        ReportQuery { first: first.parse().unwrap(), after: after.parse().unwrap(), by }
    }

    #[test]
    fn a_day_is_one_of_the_calendar_also_when_the_clocks_change() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let now = "2026-03-30T09:00:00+02:00".parse().unwrap();
        let yesterday = query(&asked("2026-03-29", "2026-03-30", Step::Hour), now, &berlin).unwrap();
        assert_eq!(yesterday.until.duration_since(yesterday.since).as_hours(), 23);
        let week = query(&asked("2026-03-30", "2026-04-06", Step::Day), now, &berlin).unwrap();
        assert_eq!(week.until, now, "what has not happened yet is no gap");
        assert_eq!(week.since, "2026-03-30T00:00:00+02:00".parse().unwrap());
    }

    #[test]
    fn files_are_named_by_their_days() {
        assert_eq!(file_name(&asked("2026-03-29", "2026-03-30", Step::Hour)), "2026-03-29_by-hour");
        assert_eq!(file_name(&asked("2026-03-23", "2026-03-30", Step::Day)), "2026-03-23_2026-03-29_by-day");
    }
}
