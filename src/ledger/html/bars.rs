//! The rows of a report as the bars of a chart.

use std::collections::BTreeMap;

use crate::ledger::{
    local_time::LocalTime,
    reader::{Span, millis},
    report::{PeakHour, PeriodCounts, Report, SourceReport, Step, spans},
};

/// More bars than this cannot be told apart on a page.
const MOST: usize = 100;

/// All cameras in one stretch of time.
pub struct Bar {
    /// Begin.
    pub from: LocalTime,
    /// End.
    pub to: LocalTime,
    /// Crossings in.
    pub total_in: u64,
    /// Crossings out.
    pub total_out: u64,
    /// Share of the time that was watched, 0..=1, of all cameras, leaving out when they were closed.
    pub watched: f64,
    /// Share of the time in which opening hours had closed them, 0..=1, of all cameras.
    pub closed: f64,
}

impl Bar {
    /// Whether all cameras were closed all the time, and nobody was counted.
    pub fn is_closed(&self) -> bool {
        self.closed >= 1.0 && self.total_in + self.total_out == 0
    }
}

/// The bars of a chart, and how much time each stands for.
pub struct Bars {
    /// One after the other, without holes.
    pub all: Vec<Bar>,
    /// Time that each covers; with [`Self::days`] for more than one day.
    pub by: Step,
    /// Days in a bar, where it covers days.
    pub days: usize,
}

impl Bars {
    /// What `sources` of `report` counted, by the rows of the report, or by longer times where these are too many.
    pub fn new(report: &Report, sources: &[&SourceReport]) -> Self {
        let zone = report.since.zoned().time_zone();
        let (since, until) = (report.since.timestamp(), report.until.timestamp());
        let coarser = match report.by {
            Step::Quarter => &[Step::Quarter, Step::Hour, Step::Day][..],
            Step::Hour => &[Step::Hour, Step::Day],
            Step::Day => &[Step::Day],
        };
        let cut = |by: &Step| (*by, spans(since, until, *by, zone).unwrap_or_default());
        let tried: Vec<_> = coarser.iter().map(cut).collect();
        let fits = |(_, spans): &&(Step, Vec<Span>)| !spans.is_empty() && spans.len() <= MOST;
        let (by, mut found) =
            tried.iter().find(fits).or(tried.last()).cloned().unwrap_or((Step::Day, Vec::new()));
        let weeks = [1, 7, 28, 91, 364].into_iter();
        let days = weeks.filter(|days| found.len().div_ceil(*days) <= MOST).min().unwrap_or(364);
        let whole = Span { from: millis(since), to: millis(until) };
        let joined =
            |spans: &[Span]| Span { from: spans[0].from, to: spans[spans.len() - 1].to }.intersection(whole);
        found = found.chunks(days).map(joined).collect();
        let mut bars: Vec<Bar> = found
            .iter()
            .map(|span| Bar {
                from: LocalTime::new(span.from, zone),
                to: LocalTime::new(span.to, zone),
                total_in: 0,
                total_out: 0,
                watched: 0.0,
                closed: 0.0,
            })
            .collect();
        for row in sources.iter().flat_map(|source| &source.rows) {
            let start = millis(row.start.timestamp());
            let Some(bar) = bars.get_mut(found.partition_point(|span| span.to <= start)) else { continue };
            bar.total_in += row.total_in;
            bar.total_out += row.total_out;
            bar.watched += row.coverage * (1.0 - row.closed) * length(&row.start, &row.end);
        }
        for part in sources.iter().flat_map(|source| &source.closed_times) {
            let closed = Span { from: millis(part.from.timestamp()), to: millis(part.to.timestamp()) };
            let first = found.partition_point(|span| span.to <= closed.from);
            for (bar, span) in
                bars.iter_mut().zip(&found).skip(first).take_while(|(_, span)| span.from < closed.to)
            {
                bar.closed += span.intersection(closed).length() as f64;
            }
        }
        for bar in &mut bars {
            let all = (length(&bar.from, &bar.to) * sources.len() as f64).max(1.0);
            bar.watched /= (all - bar.closed).max(1.0);
            bar.closed /= all;
        }
        Self { all: bars, by, days }
    }

    /// The time that a bar covers.
    pub fn each(&self) -> String {
        match (self.by, self.days) {
            (Step::Quarter, _) => "quarter of an hour".into(),
            (Step::Hour, _) => "hour".into(),
            (Step::Day, 1) => "day".into(),
            (Step::Day, days) => format!("{days} days"),
        }
    }

    /// Most crossings in one direction.
    pub fn highest(&self) -> u64 {
        self.all.iter().map(|bar| bar.total_in.max(bar.total_out)).max().unwrap_or(0)
    }
}

/// Milliseconds.
fn length(from: &LocalTime, to: &LocalTime) -> f64 {
    (millis(to.timestamp()) - millis(from.timestamp())) as f64
}

/// The day with the most crossings, of equal ones the first; `None` where nobody crossed.
pub fn busiest_day(report: &Report) -> Option<PeakHour> {
    let mut days: BTreeMap<_, (LocalTime, u64, u64)> = BTreeMap::new();
    for PeriodCounts { start, total_in, total_out, .. } in
        report.sources.iter().flat_map(|source| &source.rows)
    {
        let day = days.entry(start.date()).or_insert_with(|| (start.clone(), 0, 0));
        (day.1, day.2) = (day.1 + total_in, day.2 + total_out);
    }
    let (start, total_in, total_out) = days.into_values().rev().max_by_key(|(_, i, o)| i + o)?;
    (total_in + total_out > 0).then_some(PeakHour { start, total_in, total_out })
}
