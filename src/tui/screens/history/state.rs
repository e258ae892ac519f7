//! What the history screen shows: which days, in which steps, of which source or line. Pure.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, ToSpan as _, civil::Date};

use crate::{
    host::history::ReportQuery,
    ledger::{
        local_time::LocalTime,
        report::{Gap, PeakHour, PeriodCounts, Report, Step},
    },
    model::Doubt,
    tui::keymap::Key,
};

/// How long a time is shown, and in which steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// A day by the quarter of an hour.
    Quarters,
    /// A day by the hour.
    #[default]
    Hours,
    /// A week by the day, from Monday.
    Week,
    /// A month by the day.
    Month,
}

impl Scale {
    const ALL: [Self; 4] = [Self::Quarters, Self::Hours, Self::Week, Self::Month];

    /// The scale `steps` longer; `None` beyond the ends.
    #[must_use]
    pub fn stepped(self, steps: isize) -> Option<Self> {
        let now = Self::ALL.iter().position(|scale| *scale == self)?;
        Self::ALL.get(now.checked_add_signed(steps)?).copied()
    }

    /// Length of a row.
    #[must_use]
    pub fn step(self) -> Step {
        match self {
            Self::Quarters => Step::Quarter,
            Self::Hours => Step::Hour,
            Self::Week | Self::Month => Step::Day,
        }
    }

    /// What a row is.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Quarters => "by 15 minutes",
            Self::Hours => "by the hour",
            Self::Week | Self::Month => "by day",
        }
    }

    /// What it shows at a time, in a word.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Quarters | Self::Hours => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// First day shown and the first one after, for the time that `day` lies in.
    #[must_use]
    pub fn window(self, day: Date) -> (Date, Date) {
        let first = match self {
            Self::Quarters | Self::Hours => day,
            Self::Week => day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days()),
            Self::Month => day.first_of_month(),
        };
        let after = match self {
            Self::Quarters | Self::Hours => first.saturating_add(1.day()),
            Self::Week => first.saturating_add(7.days()),
            Self::Month => first.saturating_add(1.month()),
        };
        (first, after)
    }
}

/// What one entry of the list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// All sources together.
    All,
    /// Index into [`Report::sources`].
    Source(usize),
    /// Index into [`Report::sources`], and into its lines.
    Line(usize, usize),
}

/// Counts of one entry over the whole time.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// People in.
    pub total_in: u64,
    /// People out.
    pub total_out: u64,
    /// The busiest hour; none is known of lines.
    pub peak_hour: Option<PeakHour>,
    /// Share of the time that was watched.
    pub coverage: Option<f64>,
    /// In minus out since the last reset, at the end; none is known of lines.
    pub occupancy: Option<i64>,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its begin.
    pub start: LocalTime,
    /// People in.
    pub total_in: u64,
    /// People out.
    pub total_out: u64,
    /// In minus out since the last reset, at the end of the row; none is known of lines.
    pub occupancy: Option<i64>,
    /// Highest occupancy within the row; none is known of lines and of all together.
    pub peak: Option<i64>,
    /// Share of the row that was watched, leaving out when it was closed.
    pub coverage: f64,
    /// Share of the row in which opening hours had closed it.
    pub closed: f64,
}

impl Row {
    /// Whether opening hours had closed it all the time, and nobody was counted.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // The shares of several sources add up to nearly one.
        self.closed > 0.9999 && self.total_in + self.total_out == 0
    }
}

/// The history.
#[derive(Debug, Clone)]
pub struct State {
    /// How long a time.
    pub scale: Scale,
    /// A day within the time shown.
    pub day: Date,
    /// The day that it is.
    pub today: Date,
    /// The latest answer, and to what.
    pub answer: Option<(ReportQuery, Result<Arc<Report>, String>)>,
    /// What the overview had of each source, in and out, when the answer was asked for and when it came.
    pub overview: BTreeMap<String, [(u64, u64); 2]>,
    /// The chosen entry of the list.
    pub entry: usize,
    /// The chosen row of the table.
    pub row: usize,
    /// Whether keys move in the table, not in the list.
    pub in_rows: bool,
    /// Keys pressed while the time shown was still being read: they act once it is there.
    pub waiting: Vec<Key>,
}

impl Default for State {
    fn default() -> Self {
        let day = Date::constant(1970, 1, 1);
        Self {
            scale: Scale::default(),
            day,
            today: day,
            answer: None,
            overview: BTreeMap::new(),
            entry: 0,
            row: 0,
            in_rows: false,
            waiting: Vec::new(),
        }
    }
}

impl State {
    /// What has to be asked for the time shown.
    #[must_use]
    pub fn asked(&self) -> ReportQuery {
        let (first, after) = self.scale.window(self.day);
        ReportQuery { first, after, by: self.scale.step() }
    }

    /// The report, once the time shown has been read.
    #[must_use]
    pub fn report(&self) -> Option<&Result<Arc<Report>, String>> {
        let (asked, answer) = self.answer.as_ref()?;
        (*asked == self.asked()).then_some(answer)
    }

    /// Whether the time shown still goes on.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let (first, after) = self.scale.window(self.day);
        (first..after).contains(&self.today)
    }

    /// The time before (`-1`) or after; `false` when that has not begun yet.
    pub fn step(&mut self, by: i64) -> bool {
        let (first, after) = self.scale.window(self.day);
        let day = if by < 0 { first.saturating_sub(1.day()) } else { after };
        let begins = self.scale.window(day).0;
        if begins > self.today {
            return false;
        }
        // Back from a week or a month, the day meant stays in view when the scale becomes a day.
        self.day = if (begins..self.scale.window(day).1).contains(&self.today) { self.today } else { begins };
        self.row = 0;
        true
    }

    /// The time shown in words: `yesterday, Friday 13 March 2026`.
    #[must_use]
    pub fn title(&self) -> String {
        let (first, after) = self.scale.window(self.day);
        let current = first <= self.today && self.today < after;
        let day_before = self.today.saturating_sub(1.day());
        let last = (first..after).contains(&self.scale.window(self.today).0.saturating_sub(1.day()));
        match self.scale {
            Scale::Quarters | Scale::Hours => {
                let word = match first {
                    day if day == self.today => "Today, ",
                    day if day == day_before => "Yesterday, ",
                    _ => "",
                };
                format!("{word}{}", first.strftime("%A %-d %B %Y"))
            }
            Scale::Week => {
                let word = if current {
                    "This week, "
                } else if last {
                    "Last week, "
                } else {
                    "Week of "
                };
                let end = after.saturating_sub(1.day());
                let from = if first.month() == end.month() { "%-d" } else { "%-d %B" };
                format!("{word}{} to {}", first.strftime(from), end.strftime("%-d %B %Y"))
            }
            Scale::Month => {
                let word = if current {
                    "This month, "
                } else if last {
                    "Last month, "
                } else {
                    ""
                };
                format!("{word}{}", first.strftime("%B %Y"))
            }
        }
    }
}

/// The entries of the list: all together where there are several, each source, and its lines where it has several.
#[must_use]
pub fn entries(report: &Report) -> Vec<Entry> {
    let mut entries = Vec::new();
    if report.sources.len() != 1 {
        entries.push(Entry::All);
    }
    for (index, source) in report.sources.iter().enumerate() {
        entries.push(Entry::Source(index));
        if source.lines.len() > 1 {
            entries.extend((0..source.lines.len()).map(|line| Entry::Line(index, line)));
        }
    }
    entries
}

/// Why the counts of an entry cannot be relied upon, where they cannot; of all sources together, for each of them by its id.
#[must_use]
pub fn doubts(report: &Report, entry: Entry) -> Vec<(Option<&str>, Doubt)> {
    let all = report.sources.iter().enumerate();
    all.filter_map(|(index, source)| match entry {
        Entry::All => Some((Some(source.camera_id.as_str()), source.doubt?)),
        Entry::Source(of) | Entry::Line(of, _) if of == index => Some((None, source.doubt?)),
        _ => None,
    })
    .collect()
}

/// Counts of an entry over the whole time.
#[must_use]
pub fn totals(report: &Report, entry: Entry) -> Totals {
    let nothing = Totals { total_in: 0, total_out: 0, peak_hour: None, coverage: None, occupancy: None };
    match entry {
        Entry::All => Totals {
            total_in: report.total.total_in,
            total_out: report.total.total_out,
            peak_hour: report.peak_hour.clone(),
            coverage: (!report.sources.is_empty()).then(|| {
                report.sources.iter().map(|source| source.coverage).sum::<f64>() / report.sources.len() as f64
            }),
            occupancy: Some(report.sources.iter().map(|source| source.occupancy).sum()),
        },
        Entry::Source(index) => report.sources.get(index).map_or(nothing, |source| Totals {
            total_in: source.total_in,
            total_out: source.total_out,
            peak_hour: source.peak_hour.clone(),
            coverage: Some(source.coverage),
            occupancy: Some(source.occupancy),
        }),
        Entry::Line(index, line) => {
            report.sources.get(index).and_then(|source| source.lines.get(line)).map_or(
                nothing.clone(),
                |line| Totals { total_in: line.total_in, total_out: line.total_out, ..nothing },
            )
        }
    }
}

/// When an entry was not watched; nothing for all together, whose sources have gaps of their own.
#[must_use]
pub fn gaps(report: &Report, entry: Entry) -> &[Gap] {
    match entry {
        Entry::All => &[],
        Entry::Source(index) | Entry::Line(index, _) => {
            report.sources.get(index).map_or(&[][..], |source| &source.gaps)
        }
    }
}

/// The rows of an entry, in order.
#[must_use]
pub fn rows(report: &Report, entry: Entry) -> Vec<Row> {
    match entry {
        Entry::All => all_rows(report),
        Entry::Source(index) => report.sources.get(index).map_or_else(Vec::new, |source| {
            let row = |row: &PeriodCounts| Row {
                start: row.start.clone(),
                total_in: row.total_in,
                total_out: row.total_out,
                occupancy: Some(row.occupancy),
                peak: Some(row.peak_occupancy),
                coverage: row.coverage,
                closed: row.closed,
            };
            source.rows.iter().map(row).collect()
        }),
        Entry::Line(index, line) => {
            let Some(source) = report.sources.get(index) else { return Vec::new() };
            let Some(line) = source.lines.get(line) else { return Vec::new() };
            let row = |(row, &(total_in, total_out)): (&PeriodCounts, &(u64, u64))| Row {
                start: row.start.clone(),
                total_in,
                total_out,
                occupancy: None,
                peak: None,
                coverage: row.coverage,
                closed: row.closed,
            };
            source.rows.iter().zip(&line.rows).map(row).collect()
        }
    }
}

fn all_rows(report: &Report) -> Vec<Row> {
    let count = report.sources.len().max(1) as f64;
    // Shares of the sources, added up: those watched of all the time, and those closed.
    let mut rows: BTreeMap<Timestamp, Row> = BTreeMap::new();
    for row in report.sources.iter().flat_map(|source| &source.rows) {
        let sum = rows.entry(row.start.timestamp()).or_insert_with(|| Row {
            start: row.start.clone(),
            total_in: 0,
            total_out: 0,
            occupancy: Some(0),
            peak: None,
            coverage: 0.0,
            closed: report.sources.iter().map(|source| closed(&source.closed_times, row)).sum(),
        });
        sum.total_in += row.total_in;
        sum.total_out += row.total_out;
        sum.occupancy = sum.occupancy.map(|occupancy| occupancy + row.occupancy);
        sum.coverage += row.coverage * (1.0 - row.closed);
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    for row in &mut rows {
        let open = count - row.closed;
        row.coverage = if open > 1e-9 { (row.coverage / open).min(1.0) } else { 1.0 };
        row.closed /= count;
    }
    rows
}

/// Share of `row` that is in these times.
fn closed(times: &[Gap], row: &PeriodCounts) -> f64 {
    let (from, to) = (row.start.timestamp(), row.end.timestamp());
    let length = to.duration_since(from).as_secs_f64();
    let common = |gap: &Gap| {
        let (from, to) = (gap.from.timestamp().max(from), gap.to.timestamp().min(to));
        to.duration_since(from).as_secs_f64().max(0.0)
    };
    if length > 0.0 { times.iter().map(common).sum::<f64>() / length } else { 0.0 }
}

/// A table as text with tabs, for the clipboard.
#[must_use]
pub fn as_text(title: &str, rows: &[Row]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{title}\nstart\tin\tout\tnet\toccupancy\twatched\n");
    for row in rows {
        let net = row.total_in as i64 - row.total_out as i64;
        let occupancy = row.occupancy.map(|occupancy| occupancy.to_string()).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{net:+}\t{occupancy}\t{:.0} %",
            row.start,
            row.total_in,
            row.total_out,
            (row.coverage * 100.0).floor()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(scale: Scale, day: &str) -> State {
        let today: Date = "2026-03-14".parse().unwrap();
        State { scale, day: day.parse().unwrap(), today, ..State::default() }
    }

    #[test]
    fn time_is_told_as_people_tell_it() {
        assert_eq!(at(Scale::Hours, "2026-03-14").title(), "Today, Saturday 14 March 2026");
        assert_eq!(at(Scale::Quarters, "2026-03-13").title(), "Yesterday, Friday 13 March 2026");
        assert_eq!(at(Scale::Week, "2026-03-14").title(), "This week, 9 to 15 March 2026");
        assert_eq!(at(Scale::Week, "2026-03-08").title(), "Last week, 2 to 8 March 2026");
        assert_eq!(at(Scale::Week, "2026-02-24").title(), "Week of 23 February to 1 March 2026");
        assert_eq!(at(Scale::Month, "2026-02-24").title(), "Last month, February 2026");
        assert_eq!(at(Scale::Month, "2025-12-24").title(), "December 2025");
    }

    #[test]
    fn the_future_is_not_shown_and_the_past_has_no_end() {
        let mut history = at(Scale::Hours, "2026-03-14");
        assert!(!history.step(1));
        assert!(history.step(-1));
        assert_eq!(history.title(), "Yesterday, Friday 13 March 2026");
        assert!(history.step(1) && history.is_current());
        let mut history = at(Scale::Week, "2026-03-14");
        assert!(history.step(-1));
        assert_eq!(history.asked().first.to_string(), "2026-03-02");
        assert!(history.step(1));
        assert_eq!(history.day, history.today, "back in this week, today is meant");
        let mut history = at(Scale::Month, "2026-03-14");
        assert!(history.step(-1) && history.step(-1));
        assert_eq!(history.asked().after.to_string(), "2026-02-01");
    }

    #[test]
    fn an_hour_is_watched_whole_where_every_source_that_is_open_is_watched() {
        let (from, to, end) =
            ("2026-03-14T08:00:00+00:00", "2026-03-14T09:00:00+00:00", "2026-03-14T10:00:00+00:00");
        let row = |start: &str, end: &str| {
            serde_json::json!({ "start": start, "end": end, "in": 0, "out": 0, "net": 0, "occupancy": 0,
                                "peak_occupancy": 0, "coverage": 1.0 })
        };
        let source = |id: &str, rows: &[serde_json::Value], closed: &[serde_json::Value]| {
            serde_json::json!({ "camera_id": id, "in": 0, "out": 0, "net": 0, "lines": [], "occupancy": 0,
                                "peak_hour": null, "coverage": 1.0, "closed": 0.5, "closed_times": closed,
                                "gaps": [], "rows": rows })
        };
        let closed = serde_json::json!({ "from": to, "to": end });
        let sources = [
            source("street", &[row(from, to), row(to, end)], &[]),
            source("shop", &[row(from, to)], &[closed]),
        ];
        let total = serde_json::json!({ "in": 0, "out": 0, "net": 0 });
        let report = serde_json::json!({ "since": from, "until": end, "by": "hour", "sources": sources,
                                         "total": total, "peak_hour": null });
        let rows = all_rows(&serde_json::from_value(report).unwrap());
        let shares: Vec<_> = rows.iter().map(|row| (row.coverage, row.closed)).collect();
        assert_eq!(shares, [(1.0, 0.0), (1.0, 0.5)]);
    }
}
