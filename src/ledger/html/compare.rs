//! What a report is compared with: the week before, or as many days before as it is long.

use jiff::{ToSpan as _, Unit};

use crate::ledger::{
    LedgerError,
    report::{LineReport, Query, Report, SourceReport},
};

/// Share of a time that must have been watched, so that its counts say something about all of it.
const ENOUGH: f64 = 0.5;

/// The question whose answer `report`, the answer to `query`, is compared with: the same weekdays and hours one week
/// earlier, or for more than a week the days before it.
///
/// # Errors
/// When the calendar does not reach back so far.
pub fn earlier(report: &Report, query: &Query) -> Result<Query, LedgerError> {
    let calendar = |error: jiff::Error| LedgerError::Question(format!("the time to compare with: {error}"));
    let (since, until) = (report.since.zoned(), report.until.zoned());
    let length = since.until((Unit::Day, until)).map_err(calendar)?;
    let days = length.get_days();
    let back = match days {
        // A report begins with the begin of its first row, so 'the last 7 days' are up to one day longer.
        ..8 => 7,
        _ if length.fieldwise() == days.days() => days,
        _ => days + 1,
    };
    let moved = |time: &jiff::Zoned| time.checked_sub(back.days()).map(|time| time.timestamp());
    Ok(Query {
        since: moved(since).map_err(calendar)?,
        until: moved(until).map_err(calendar)?,
        ..query.clone()
    })
}

/// One camera in both times.
pub struct Camera<'a> {
    /// As it is shown.
    pub name: String,
    /// In the time of the report.
    pub now: &'a SourceReport,
    /// Before, where that can be compared.
    pub before: Option<&'a SourceReport>,
    /// Before, as far as it was watched.
    pub watched_before: f64,
}

/// A line of a camera: its counts, and those before.
pub struct Line<'a> {
    /// Its name.
    pub name: &'a str,
    /// In and out.
    pub now: (u64, u64),
    /// The same before, where that can be compared.
    pub before: Option<(u64, u64)>,
}

impl<'a> Camera<'a> {
    /// `now` beside the same camera in the report on the time before.
    pub fn new(name: String, now: &'a SourceReport, before: Option<&'a Report>) -> Self {
        let before = before
            .and_then(|before| before.sources.iter().find(|source| source.camera_id == now.camera_id))
            .filter(|before| before.coverage > 0.0);
        let watched_before = before.map_or(0.0, |before| before.coverage);
        let before = before.filter(|before| before.coverage >= ENOUGH && now.coverage >= ENOUGH);
        Self { name, now, before, watched_before }
    }

    /// Whether there is anything to tell of it.
    pub fn is_known(&self) -> bool {
        self.now.coverage > 0.0 || self.now.total_in + self.now.total_out > 0 || self.watched_before > 0.0
    }

    /// Its lines, those too over which people walked only before.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let before = self.before.map(|before| &before.lines[..]);
        let find = |lines: &[LineReport], name: &str| {
            let found = lines.iter().find(|line| line.line == name);
            found.map_or((0, 0), |line| (line.total_in, line.total_out))
        };
        let gone = before
            .unwrap_or_default()
            .iter()
            .filter(|line| self.now.lines.iter().all(|known| known.line != line.line));
        let line = |line: &'a LineReport| Line {
            name: &line.line,
            now: find(&self.now.lines, &line.line),
            before: before.map(|before| find(before, &line.line)),
        };
        self.now.lines.iter().chain(gone).map(line).collect()
    }
}

/// In and out of the cameras that can be compared.
pub struct Compared {
    /// How many these are.
    pub cameras: usize,
    /// In and out in the time of the report.
    pub now: (u64, u64),
    /// The same before.
    pub before: (u64, u64),
}

impl Compared {
    /// Of all of `cameras`.
    pub fn of(cameras: &[Camera<'_>]) -> Self {
        let none = Self { cameras: 0, now: (0, 0), before: (0, 0) };
        let pairs = cameras.iter().filter_map(|camera| camera.before.map(|before| (camera.now, before)));
        pairs.fold(none, |sum, (now, before)| Self {
            cameras: sum.cameras + 1,
            now: (sum.now.0 + now.total_in, sum.now.1 + now.total_out),
            before: (sum.before.0 + before.total_in, sum.before.1 + before.total_out),
        })
    }
}

/// How much `now` is more or less than `before`, as a text.
pub fn change(now: u64, before: u64) -> String {
    match (now, before) {
        _ if now == before => "\u{b1}0\u{a0}%".into(),
        (_, 0) => "was 0".into(),
        _ => {
            let percent = (now as f64 - before as f64) / before as f64 * 100.0;
            // A minus as wide as the plus.
            format!("{percent:+.0}\u{a0}%").replace('-', "\u{2212}")
        }
    }
}

/// What the other time is called.
pub fn name(report: &Report, before: &Report) -> String {
    let days =
        before.since.zoned().until((Unit::Day, report.since.zoned())).map_or(7, |span| span.get_days());
    if days == 7 { "the week before".into() } else { format!("the {days} days before") }
}
