//! Answers out of a ledger: counts by quarter of an hour, hour or day, occupancy, the busiest hour, and how
//! much of the time anybody watched.

pub mod areas;

use std::collections::BTreeMap;

use jiff::{RoundMode, SignedDuration, Timestamp, Unit, Zoned, ZonedRound, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::areas::AreaReport;
use super::{
    LedgerError,
    local_time::LocalTime,
    reader::{Reader, Span, flows::Sums, millis},
    schedules::minus,
};
use crate::{
    clock::Clock,
    model::{Doubt, SourceId},
};

/// Most rows a source may have in one report: ten years of days, four months of hours.
const MAX_ROWS: usize = 10_000;

/// Length of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum, Deserialize, JsonSchema)]
pub enum Step {
    /// A quarter of an hour.
    #[value(name = "15m")]
    #[serde(rename = "15m")]
    Quarter,
    /// An hour.
    #[serde(rename = "hour")]
    Hour,
    /// A day of the calendar.
    #[serde(rename = "day")]
    Day,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Query {
    /// Begin; moved back to the begin of its row.
    pub since: Timestamp,
    /// End.
    pub until: Timestamp,
    /// Time that a row covers.
    pub by: Step,
    /// Time zone of days and hours.
    pub timezone: TimeZone,
    /// Only this source.
    pub source: Option<SourceId>,
}

/// The answer, with times in the time zone that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Begin.
    pub since: LocalTime,
    /// End.
    pub until: LocalTime,
    /// Time that a row covers.
    pub by: Step,
    /// Each source.
    pub sources: Vec<SourceReport>,
    /// All sources together.
    pub total: crate::model::Total,
    /// The hour with the most crossings of all sources together.
    pub peak_hour: Option<PeakHour>,
    /// Each area; none where one source alone is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<AreaReport>,
    /// Days on which in and out of a closed place part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drifts: Vec<Drift>,
    /// When the clock was set; what was counted then may be filed under another time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock_changes: Vec<ClockChange>,
}

/// The clock of the machine was set by more than a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockChange {
    /// What it would have shown.
    pub from: LocalTime,
    /// What it showed.
    pub to: LocalTime,
}

/// One source over the whole time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceReport {
    /// The source.
    pub camera_id: String,
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// In minus out.
    pub net: i64,
    /// Each line over which somebody walked, by name.
    pub lines: Vec<LineReport>,
    /// Why these counts cannot be relied upon, where they cannot, as of the last run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// What its last audit has found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
    /// In minus out since the last reset, at the end.
    pub occupancy: i64,
    /// The hour with the most crossings.
    pub peak_hour: Option<PeakHour>,
    /// Share of the time in which the source was watched, 0..=1: of the time in which it was open, where it has opening hours.
    pub coverage: f64,
    /// Share of the time in which its opening hours had closed it, 0..=1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub closed: f64,
    /// When its opening hours had closed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed_times: Vec<Gap>,
    /// When it was not watched and not closed.
    pub gaps: Vec<Gap>,
    /// Rows in which it was watched or counted, and days on which it was closed; the others are in the gaps.
    pub rows: Vec<PeriodCounts>,
}

/// What an audit of a source has found, of all lines that were watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// When it ended.
    pub time: LocalTime,
    /// Seconds that were watched.
    pub watched: f64,
    /// Crossings that a person saw and the program counted.
    pub right: u64,
    /// Crossings that a person saw and the program did not count.
    pub missed: u64,
    /// Counts to which no crossing belongs.
    #[serde(rename = "false")]
    pub wrong: u64,
    /// Share of the crossings that were counted, and its 95 % interval; `None` where there was no crossing.
    pub recall: Option<Share>,
    /// Share of the counts that were right, and its 95 % interval; `None` where nothing was counted.
    pub precision: Option<Share>,
}

/// A share that was observed, 0..=1, and the interval in which it lies with 95 % certainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// As observed.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// A day on which the in and out of a closed place part, though the people who go in come out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The place: a location, or the id of a source.
    pub place: String,
    /// Begin of the day.
    pub day: LocalTime,
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// The difference, as a share (0..=1) of the larger one.
    pub share: f64,
}

/// One line of a source over the whole time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineReport {
    /// Its name.
    pub line: String,
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// In and out in each of [`SourceReport::rows`].
    #[serde(skip)]
    pub rows: Vec<(u64, u64)>,
}

/// For what is left out of JSON where there are no opening hours.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    clippy::float_cmp,
    reason = "as serde calls it; it is exactly zero or is not"
)]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl PeriodCounts {
    /// Whether opening hours had closed it all the time, and nobody was counted.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed >= 1.0 && self.total_in + self.total_out == 0
    }
}

/// The busiest hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeakHour {
    /// Its begin.
    pub start: LocalTime,
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
}

/// A time in which nobody watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// From.
    pub from: LocalTime,
    /// To.
    pub to: LocalTime,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeriodCounts {
    /// Begin.
    pub start: LocalTime,
    /// End.
    pub end: LocalTime,
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// In minus out.
    pub net: i64,
    /// In minus out since the last reset, at the end of the row.
    pub occupancy: i64,
    /// Highest occupancy within the row.
    pub peak_occupancy: i64,
    /// Share of the row in which the source was watched, 0..=1: of the time in which it was open, where it has opening hours; 1
    /// where it was closed all the time.
    pub coverage: f64,
    /// Share of the row in which its opening hours had closed it, 0..=1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub closed: f64,
}

/// A begin as users write it: how long ago (`7d`, `90m`), a day (`2024-01-15`) or a moment
/// (`2024-01-15T10:00:00+01:00`).
///
/// # Errors
/// When it is none of these.
pub fn parse_moment(text: &str, now: Timestamp, timezone: &TimeZone) -> Result<Timestamp, LedgerError> {
    if let Ok(ago) = humantime::parse_duration(text) {
        let ago = SignedDuration::try_from(ago).ok();
        if let Some(moment) = ago.and_then(|ago| now.checked_sub(ago).ok()) {
            return Ok(moment);
        }
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Ok(zoned) = text.parse::<Date>().and_then(|date| date.to_zoned(timezone.clone())) {
        return Ok(zoned.timestamp());
    }
    Err(LedgerError::Question(format!(
        "'{text}' is no time; write how long ago ('7d', '90m'), a day ('2024-01-15') or a moment \
         ('2024-01-15T10:00:00Z')"
    )))
}

/// Answers `query`.
///
/// # Errors
/// When the ledger cannot be read, knows no such source, or the answer would be too long.
pub fn report(reader: &Reader, query: &Query) -> Result<Report, LedgerError> {
    report_while(reader, query, &mut |_, _| true)
}

/// The same; `goes_on` hears how many sources are read, and of how many, and says whether to go on.
fn report_while(
    reader: &Reader,
    query: &Query,
    goes_on: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Report, LedgerError> {
    let known = reader.sources()?;
    let sources = match &query.source {
        Some(source) if !known.contains(source) => {
            let known: Vec<_> = known.iter().map(|id| format!("'{id}'")).collect();
            return Err(LedgerError::Question(format!(
                "the ledger knows no source '{source}'; it knows {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            )));
        }
        Some(source) => vec![source.clone()],
        None => known,
    };
    let rows = spans(query.since, query.until, query.by, &query.timezone)?;
    let hours = match query.by {
        Step::Hour => rows.clone(),
        _ => spans(query.since, query.until, Step::Hour, &query.timezone).unwrap_or_default(),
    };
    let whole =
        Span { from: rows.first().map_or(millis(query.since), |first| first.from), to: millis(query.until) };
    let mut of_all = vec![(0, 0); hours.len()];
    let scenes = reader.scenes()?;
    let mut answers = Vec::new();
    for source in &sources {
        if !goes_on(answers.len(), sources.len()) {
            break;
        }
        let sums = reader.sums(source, whole)?;
        let of_source = counts(&hours, &sums, None);
        for (all, of_source) in of_all.iter_mut().zip(&of_source) {
            *all = (all.0 + of_source.0, all.1 + of_source.1);
        }
        let peak = peak_hour(&hours, &of_source, &query.timezone);
        let answer = of_one(reader, source, whole, &rows, &sums, query)?;
        let doubt = scenes.get(source).and_then(|scene| scene.doubt);
        answers.push(SourceReport { peak_hour: peak, doubt, ..answer });
    }
    if answers.len() == sources.len() {
        goes_on(answers.len(), sources.len());
    }
    let (total_in, total_out) =
        answers.iter().fold((0, 0), |(i, o), answer| (i + answer.total_in, o + answer.total_out));
    let net = total_in as i64 - total_out as i64;
    Ok(Report {
        since: LocalTime::new(whole.from, &query.timezone),
        until: LocalTime::new(whole.to, &query.timezone),
        by: query.by,
        sources: answers,
        total: crate::model::Total { total_in, total_out, net },
        peak_hour: peak_hour(&hours, &of_all, &query.timezone),
        areas: match query.source {
            None => areas::areas(reader, whole, &rows, &query.timezone)?,
            Some(_) => Vec::new(),
        },
        drifts: Vec::new(),
        clock_changes: reader
            .jumps(whole)?
            .into_iter()
            .map(|(from, to)| ClockChange {
                from: LocalTime::new(from, &query.timezone),
                to: LocalTime::new(to, &query.timezone),
            })
            .collect(),
    })
}

/// Opens the ledger at `path`, answers `query`, and gives what there is to know about the ledger besides. Where the
/// file system has no locks, it is read again, with pauses by `clock`, until nothing was written meanwhile.
///
/// # Errors
/// Those of [`Reader::open`] and [`report`].
pub fn read(
    path: &std::path::Path,
    query: &Query,
    clock: &dyn Clock,
) -> Result<(Report, Option<String>), LedgerError> {
    read_while(path, query, clock, &mut |_, _| true)
}

/// The same; `goes_on` hears how many sources are read, and of how many, and says whether to go on. Where it says no, the
/// report is about the sources read so far.
///
/// # Errors
/// Those of [`read`].
pub fn read_while(
    path: &std::path::Path,
    query: &Query,
    clock: &dyn Clock,
    goes_on: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<(Report, Option<String>), LedgerError> {
    const TRIES: usize = 20;
    for _ in 0..TRIES {
        let reader = Reader::open(path)?;
        let answer = report_while(&reader, query, goes_on);
        if reader.is_consistent() {
            return Ok((answer?, reader.notice().map(str::to_owned)));
        }
        clock.rest(std::time::Duration::from_millis(50));
    }
    Err(LedgerError::Question(format!(
        "ledger '{}': it is being written and its file system has no locks; try again",
        path.display()
    )))
}

/// The report on one source, but for its busiest hour.
fn of_one(
    reader: &Reader,
    source: &SourceId,
    whole: Span,
    spans: &[Span],
    sums: &Sums,
    query: &Query,
) -> Result<SourceReport, LedgerError> {
    let timezone = &query.timezone;
    let closed = reader.closed(source, whole, timezone)?;
    // What was watched at other hours, before they closed, is no more than all.
    let watched = minus(&reader.watched(source, whole)?, &closed);
    let mut rows: Vec<PeriodCounts> = spans
        .iter()
        .map(|span| {
            let seen = span.intersection(whole);
            PeriodCounts {
                start: LocalTime::new(span.from, timezone),
                end: LocalTime::new(seen.to, timezone),
                total_in: 0,
                total_out: 0,
                net: 0,
                occupancy: 0,
                peak_occupancy: i64::MIN,
                coverage: coverage(&watched, &closed, seen),
                closed: share(&closed, seen),
            }
        })
        .collect();
    for (row, (total_in, total_out)) in rows.iter_mut().zip(counts(spans, sums, None)) {
        (row.total_in, row.total_out) = (total_in, total_out);
    }
    let end = occupancy(spans, sums, &mut rows);
    let mut lines = lines(spans, sums);
    let (mut total_in, mut total_out) = (0, 0);
    for row in &mut rows {
        row.net = row.total_in as i64 - row.total_out as i64;
        total_in += row.total_in;
        total_out += row.total_out;
    }
    let is_kept = |row: &PeriodCounts| {
        let was_watched = row.coverage > 0.0 && row.closed < 1.0;
        was_watched || row.total_in + row.total_out > 0 || query.by == Step::Day && row.closed >= 1.0
    };
    for line in &mut lines {
        let mut kept = rows.iter().map(is_kept);
        line.rows.retain(|_| kept.next().unwrap_or(false));
    }
    rows.retain(is_kept);
    Ok(SourceReport {
        camera_id: source.to_string(),
        total_in,
        total_out,
        net: total_in as i64 - total_out as i64,
        lines,
        doubt: None,
        audit: None,
        occupancy: end,
        peak_hour: None,
        coverage: coverage(&watched, &closed, whole),
        closed: share(&closed, whole),
        closed_times: closed.iter().map(|span| gap(*span, timezone)).collect(),
        gaps: gaps(&watched, &closed, whole, timezone),
        rows,
    })
}

/// Fills the occupancies of `rows`, which belong to `spans`; gives the occupancy at the end.
fn occupancy(spans: &[Span], sums: &Sums, rows: &mut [PeriodCounts]) -> i64 {
    let mut flows = sums.flows.iter().peekable();
    let mut current = sums.begin;
    for (row, span) in rows.iter_mut().zip(spans) {
        let begin = current;
        while let Some((_, flow)) = flows.next_if(|(at, _)| *at < span.to) {
            let (end, peak) = flow.apply(current);
            row.peak_occupancy = row.peak_occupancy.max(peak);
            current = end;
        }
        if row.peak_occupancy == i64::MIN {
            row.peak_occupancy = begin;
        }
        row.occupancy = current;
    }
    current
}

/// Index of the span that holds `moment`.
fn index(spans: &[Span], moment: i64) -> usize {
    spans.partition_point(|span| span.to <= moment)
}

/// In and out in each of `spans`, of one line or of all.
fn counts(spans: &[Span], sums: &Sums, of: Option<&str>) -> Vec<(u64, u64)> {
    let mut counts = vec![(0_u64, 0_u64); spans.len()];
    for (_, at, total_in, total_out) in sums.counts.iter().filter(|(line, ..)| of.is_none_or(|of| of == line))
    {
        if let Some(count) = counts.get_mut(index(spans, *at)) {
            *count = (count.0 + total_in, count.1 + total_out);
        }
    }
    counts
}

/// The lines over which somebody walked, by name, with a row for each of `spans`.
fn lines(spans: &[Span], sums: &Sums) -> Vec<LineReport> {
    let mut names: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (line, _, total_in, total_out) in &sums.counts {
        let sum = names.entry(line).or_default();
        *sum = (sum.0 + total_in, sum.1 + total_out);
    }
    let of = |(name, (total_in, total_out)): (&str, (u64, u64))| LineReport {
        line: name.to_owned(),
        total_in,
        total_out,
        rows: counts(spans, sums, Some(name)),
    };
    names.into_iter().map(of).collect()
}

/// The hour with the most crossings; of equal hours the first.
fn peak_hour(hours: &[Span], counts: &[(u64, u64)], timezone: &TimeZone) -> Option<PeakHour> {
    let (hour, &(total_in, total_out)) = hours.iter().zip(counts).rev().max_by_key(|(_, (i, o))| i + o)?;
    (total_in + total_out > 0).then(|| PeakHour {
        start: LocalTime::new(hour.from, timezone),
        total_in,
        total_out,
    })
}

/// Share of `span` that is in `watched`, leaving out what is in `closed`; 1 where all of it is. The parts of both are disjoint
/// and in order.
fn coverage(watched: &[Span], closed: &[Span], span: Span) -> f64 {
    let open = span.length() - within(closed, span);
    if open == 0 && span.length() > 0 { 1.0 } else { part(within(watched, span), open) }
}

/// Share of `span` that is in `spans`, which are disjoint and in order.
fn share(spans: &[Span], span: Span) -> f64 {
    part(within(spans, span), span.length())
}

fn part(some: i64, all: i64) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

/// How much of `span` is in `spans`, which are disjoint and in order.
fn within(spans: &[Span], span: Span) -> i64 {
    let first = spans.partition_point(|part| part.to <= span.from);
    let within = spans[first..].iter().take_while(|part| part.from < span.to);
    within.map(|part| part.intersection(span).length()).sum()
}

fn gap(span: Span, timezone: &TimeZone) -> Gap {
    Gap { from: LocalTime::new(span.from, timezone), to: LocalTime::new(span.to, timezone) }
}

fn gaps(watched: &[Span], closed: &[Span], whole: Span, timezone: &TimeZone) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut from = whole.from;
    for watch in watched.iter().chain([&Span { from: whole.to, to: whole.to }]) {
        if watch.from > from {
            gaps.push(Span { from, to: watch.from });
        }
        from = from.max(watch.to);
    }
    minus(&gaps, closed).into_iter().map(|span| gap(span, timezone)).collect()
}

/// The rows between two moments: whole ones, the first holding `since`.
pub(super) fn spans(
    since: Timestamp,
    until: Timestamp,
    by: Step,
    timezone: &TimeZone,
) -> Result<Vec<Span>, LedgerError> {
    let calendar = |error: jiff::Error| LedgerError::Question(format!("time span: {error}"));
    if until <= since {
        return Err(LedgerError::Question(
            "the report would end before it begins; choose an earlier begin".into(),
        ));
    }
    let since = since.to_zoned(timezone.clone());
    let mut from = match by {
        Step::Day => since.start_of_day().map_err(calendar)?,
        Step::Hour => since.round(trunc(Unit::Hour, 1)).map_err(calendar)?,
        Step::Quarter => since.round(trunc(Unit::Minute, 15)).map_err(calendar)?,
    };
    let mut spans = Vec::new();
    while from.timestamp() < until {
        if spans.len() == MAX_ROWS {
            return Err(LedgerError::Question(format!(
                "the report would have more than {MAX_ROWS} rows; choose longer rows or a later begin"
            )));
        }
        let to = next(&from, by).map_err(calendar)?;
        spans.push(Span { from: millis(from.timestamp()), to: millis(to.timestamp()) });
        from = to;
    }
    Ok(spans)
}

fn trunc(unit: Unit, increment: i64) -> ZonedRound {
    ZonedRound::new().smallest(unit).increment(increment).mode(RoundMode::Trunc)
}

fn next(from: &Zoned, by: Step) -> Result<Zoned, jiff::Error> {
    match by {
        // By the calendar: days have 23 or 25 hours where clocks are changed.
        Step::Day => from.tomorrow()?.start_of_day(),
        Step::Hour => from.checked_add(SignedDuration::from_hours(1)),
        Step::Quarter => from.checked_add(SignedDuration::from_mins(15)),
    }
}
