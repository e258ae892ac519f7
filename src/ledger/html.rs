//! A report as one HTML page that can be sent as it is: charts as SVG, light and dark, nothing loaded and nothing run.

mod areas;
mod bars;
mod compare;
mod number;
mod svg;

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::compare::earlier;
use self::{
    bars::{Bars, busiest_day},
    compare::{Camera, Compared, change},
    number::{count, grouped},
};
use super::{
    local_time::LocalTime,
    report::{Gap, PeakHour, Report, SourceReport},
    text::{interval, minutes, percent, seconds},
};
use crate::logging::line::clean;

const STYLE: &str = include_str!("html/style.css");
/// Even if a name slips through unescaped, the browser loads and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// What is on a page.
pub struct Page<'a> {
    /// The counts.
    pub report: &'a Report,
    /// Those of the time before ([`earlier`]), where they are known.
    pub before: Option<&'a Report>,
    /// Where the cameras are, where it is one place.
    pub place: Option<&'a str>,
    /// How the source of an id is called.
    pub name: &'a dyn Fn(&str) -> String,
    /// What there is to know before the counts are used.
    pub notices: &'a [String],
}

/// The page, ending with a line feed.
#[must_use]
pub fn page(page: &Page<'_>) -> String {
    let report = page.report;
    let camera = |now| named(page, now);
    let (cameras, unknown): (Vec<_>, Vec<_>) = report.sources.iter().map(camera).partition(Camera::is_known);
    let title = match page.place {
        Some(place) => format!("People counted, {}", clean(place)),
        None => "People counted".to_owned(),
    };
    let other = page.before.map(|before| compare::name(report, before));
    let other = other.as_deref();
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) ", " (period(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { bdi { (title) } }
                        p.period { (period(report)) }
                        p.quiet { (about(report, page.before, other)) }
                    }
                    @for notice in page.notices { p.notice { (clean(notice)) } }
                    (figures(page, &cameras, other))
                    (doubtful(&cameras))
                    (over_time(report, &cameras))
                    (areas::by_area(report))
                    (by_camera(&cameras, other))
                    (remarks(report, &unknown))
                }
            }
        }
    };
    markup.into_string() + "\n"
}

fn named<'a>(page: &Page<'a>, now: &'a SourceReport) -> Camera<'a> {
    Camera::new(clean(&(page.name)(&now.camera_id)), now, page.before)
}

/// `Mon 2 Mar 2026 to Sun 8 Mar 2026`, with the hours where these are not whole days.
fn period(report: &Report) -> String {
    let (since, until) = (&report.since, &report.until);
    let is_midnight = |time: &LocalTime| time.shown("%T") == "00:00:00";
    if is_midnight(since) && is_midnight(until) {
        let last = until.zoned().yesterday().map_or_else(|_| until.clone(), LocalTime::from);
        let [first, last] = [since, &last].map(|day| day.shown("%a %-d %b %Y"));
        return if first == last { first } else { format!("{first} to {last}") };
    }
    let [since, until] = [since, until].map(|time| time.shown("%a %-d %b %Y, %H:%M"));
    format!("{since} to {until}")
}

fn about(report: &Report, before: Option<&Report>, other: Option<&str>) -> String {
    let zone = report.since.zone();
    match (before, other) {
        (Some(before), Some(other)) => {
            format!("Time zone {zone}. Compared with {other}: {}.", period(before))
        }
        _ => format!("Time zone {zone}."),
    }
}

fn net(number: i64) -> Markup {
    let sign = match number {
        ..0 => "\u{2212}",
        0 => "",
        _ => "+",
    };
    html! { data value=(number) { (sign) (grouped(number.unsigned_abs())) } }
}

/// The big numbers.
fn figures(page: &Page<'_>, cameras: &[Camera<'_>], other: Option<&str>) -> Markup {
    let report = page.report;
    let coverage = |of: &dyn Fn(&Camera<'_>) -> f64| {
        if cameras.is_empty() { 0.0 } else { cameras.iter().map(of).sum::<f64>() / cameras.len() as f64 }
    };
    let (watched, watched_before) =
        (coverage(&|camera| camera.now.coverage), coverage(&|camera| camera.watched_before));
    let compared = Compared::of(cameras);
    let is_all = compared.cameras == cameras.len();
    let of =
        if is_all { String::new() } else { format!(" ({} of {} cameras)", compared.cameras, cameras.len()) };
    let against = |text: &dyn Fn(&str) -> String| {
        other.map(|other| {
            if compared.cameras == 0 { no_comparison(watched, watched_before, other) } else { text(other) }
        })
    };
    let changed = |now: u64, before: u64| {
        against(&|other| format!("{}; {other} {}{of}", change(now, before), grouped(before)))
    };
    let difference = compared.before.0 as i64 - compared.before.1 as i64;
    let net_before = against(&|other| format!("{other} {}{of}", signed(difference)));
    let peak = |peak: Option<&PeakHour>, before: Option<PeakHour>| {
        // The busiest hour of fewer cameras is another one.
        let before = before.filter(|_| is_all);
        peak.and_then(|_| {
            against(&|other| match &before {
                Some(before) => format!("{other} {}", grouped(before.total_in + before.total_out)),
                None if is_all => format!("{other} nobody crossed"),
                None => format!("no comparison: not every camera was watched {other}"),
            })
        })
    };
    let hour = report.peak_hour.as_ref();
    let hour_before = peak(hour, page.before.and_then(|before| before.peak_hour.clone()));
    // A day that ends at midnight is one day.
    let last = report.until.timestamp() - Duration::from_millis(1);
    let is_days = report.since.date() != last.to_zoned(report.since.zoned().time_zone().clone()).date();
    let day = busiest_day(report).filter(|_| is_days);
    let day_before = peak(day.as_ref(), page.before.and_then(busiest_day));
    html! {
        section.figures aria-label="Totals" {
            (figure("In", "in", &count(report.total.total_in), changed(compared.now.0, compared.before.0)))
            (figure("Out", "out", &count(report.total.total_out), changed(compared.now.1, compared.before.1)))
            (figure("Net", "", &net(report.total.net), net_before))
            (busiest("Busiest hour", hour, "%a %-d %b %H:%M", hour_before))
            @if is_days { (busiest("Busiest day", day.as_ref(), "%a %-d %b", day_before)) }
            (figure("Watched", "", &html! { (percent(watched)) }, other.map(|other| format!("{other} {}", percent(watched_before)))))
        }
    }
}

/// Which cameras the totals cannot be relied upon for.
fn doubtful(cameras: &[Camera<'_>]) -> Markup {
    let doubtful: Vec<_> = cameras.iter().filter(|camera| camera.now.doubt.is_some()).collect();
    html! {
        @if !doubtful.is_empty() {
            p.notice { "Not to be relied upon in it: " (names(&doubtful)) "." }
        }
    }
}

fn names(cameras: &[&Camera<'_>]) -> Markup {
    html! { @for (at, camera) in cameras.iter().enumerate() { @if at > 0 { ", " } bdi { (camera.name) } } }
}

fn signed(number: i64) -> String {
    format!("{}{}", if number < 0 { "\u{2212}" } else { "+" }, grouped(number.unsigned_abs()))
}

fn figure(name: &str, class: &str, value: &Markup, below: Option<String>) -> Markup {
    html! {
        div class={ "figure " (class) } {
            h2 { (name) }
            p.value { (value) }
            @if let Some(below) = below { p.quiet { (below) } }
        }
    }
}

fn busiest(name: &str, peak: Option<&PeakHour>, format: &str, before: Option<String>) -> Markup {
    html! {
        div.figure {
            h2 { (name) }
            @if let Some(peak) = peak {
                p.value.long { (peak.start.shown(format)) }
                p { (grouped(peak.total_in + peak.total_out)) " crossings" }
            } @else {
                p.value { "\u{2013}" }
            }
            @if let Some(before) = before { p.quiet { (before) } }
        }
    }
}

/// Why nothing is compared.
fn no_comparison(now: f64, before: f64, other: &str) -> String {
    match (now, before) {
        (_, 0.0) => format!("no comparison: {other} was not watched"),
        (..0.5, 0.5..) => format!("no comparison: this time was watched {}", percent(now)),
        _ => format!("no comparison: {other} was watched {}", percent(before)),
    }
}

/// The chart, and the same as a table.
fn over_time(report: &Report, cameras: &[Camera<'_>]) -> Markup {
    let sources: Vec<&SourceReport> = cameras.iter().map(|camera| camera.now).collect();
    let bars = Bars::new(report, &sources);
    let each = bars.each();
    let title = format!("In and out by {each}");
    let gaps = bars.all.iter().filter(|bar| bar.watched == 0.0 && !bar.is_closed()).count();
    let description = format!(
        "{} bars, in upward and out downward, at most {} in one direction; {gaps} without anybody watching. The table \
         below has the same numbers.",
        bars.all.len(),
        bars.highest()
    );
    html! {
        section {
            h2 { "By " (each) }
            figure {
                (svg::chart(&bars, &title, &description))
                figcaption {
                    span.key.in { "in" } " " span.key.out { "out" } " "
                    span.key.gap { "not watched" } " " span.key.part { "watched in part" }
                }
            }
            details {
                summary { "The same numbers as a table" }
                div.scroll {
                    table.numbers {
                        thead { tr { th scope="col" { "From" } th scope="col" { "In" } th scope="col" { "Out" } th scope="col" { "Watched" } } }
                        tbody {
                            @for bar in &bars.all {
                                tr {
                                    th scope="row" { (svg::moment(&bar.from, bars.by)) }
                                    @if bar.is_closed() {
                                        td colspan="3" { "closed" }
                                    } @else if bar.watched == 0.0 && bar.total_in + bar.total_out == 0 {
                                        td colspan="3" { "not watched" }
                                    } @else {
                                        td { (count(bar.total_in)) } td { (count(bar.total_out)) } td { (percent(bar.watched)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn by_camera(cameras: &[Camera<'_>], other: Option<&str>) -> Markup {
    html! {
        section {
            h2 { "By camera and line" }
            @if cameras.is_empty() { p { "No camera was watched in this time." } } @else {
                div.scroll {
                    table.numbers.cameras {
                        thead { tr {
                            th scope="col" { "Camera, line" } th scope="col" { "In" } th scope="col" { "Out" }
                            th scope="col" { "Net" } th scope="col" { "Watched" }
                        } }
                        @for camera in cameras { (one_camera(camera, cameras, other)) }
                    }
                }
            }
        }
    }
}

fn one_camera(camera: &Camera<'_>, all: &[Camera<'_>], other: Option<&str>) -> Markup {
    let now = camera.now;
    let before = camera.before.map(|before| (before.total_in, before.total_out));
    let is_audited = all.iter().any(|camera| camera.now.audit.is_some());
    let notes = notes(camera, is_audited, other);
    html! {
        tbody {
            tr.camera data-source=(now.camera_id) {
                th scope="rowgroup" { bdi { (camera.name) } @if now.doubt.is_some() { " " span.doubt { "doubtful" } } }
                (cells((now.total_in, now.total_out), before))
                td { (percent(now.coverage)) @if other.is_some() { small { "was " (percent(camera.watched_before)) } } }
            }
            @if !notes.0.is_empty() { tr.notes { td colspan="5" { (notes) } } }
            @for line in camera.lines() {
                tr.line { th scope="row" { bdi { (clean(line.name)) } } (cells(line.now, line.before)) td {} }
            }
        }
    }
}

/// What there is to know of the counts of a camera.
fn notes(camera: &Camera<'_>, is_audited: bool, other: Option<&str>) -> Markup {
    let now = camera.now;
    html! {
        @if let Some(doubt) = now.doubt {
            p.doubt { "Not to be relied upon: " (doubt.words()) "; " (doubt.expected()) "." }
        }
        @if let (None, Some(other)) = (camera.before, other) {
            p { (capital(&no_comparison(now.coverage, camera.watched_before, other))) "." }
        }
        @if let Some(audit) = &now.audit {
            p { "Audited " (minutes(&audit.time)) ": recall " (interval(audit.recall)) ", precision " (interval(audit.precision)) "." }
        } @else if is_audited {
            p { "Never audited." }
        }
        (gaps(&now.gaps))
    }
}

/// In, out and net, each with what became of it.
fn cells((total_in, total_out): (u64, u64), before: Option<(u64, u64)>) -> Markup {
    let difference = |(total_in, total_out): (u64, u64)| total_in as i64 - total_out as i64;
    html! {
        td { (count(total_in)) @if let Some(before) = before { small { (change(total_in, before.0)) } } }
        td { (count(total_out)) @if let Some(before) = before { small { (change(total_out, before.1)) } } }
        td { (net(difference((total_in, total_out)))) @if let Some(before) = before { small { "was " (signed(difference(before))) } } }
    }
}

fn gaps(gaps: &[Gap]) -> Markup {
    let text = |gap: &Gap| format!("not watching from {} to {}", seconds(&gap.from), seconds(&gap.to));
    html! {
        @match gaps {
            [] => {}
            [gap] => p { (capital(&text(gap))) "." }
            _ => details {
                summary { "Not watching " (gaps.len()) " times" }
                ul { @for gap in gaps { li { (text(gap)) } } }
            }
        }
    }
}

/// What the report has to say besides.
fn remarks(report: &Report, unknown: &[Camera<'_>]) -> Markup {
    html! {
        @if !report.drifts.is_empty() || !report.clock_changes.is_empty() || !unknown.is_empty() {
            section {
                h2 { "Remarks" }
                ul {
                    @for drift in &report.drifts {
                        li {
                            bdi { (clean(&drift.place)) } ", " (drift.day.shown("%Y-%m-%d")) ": " (drift.total_in) " in and "
                            (drift.total_out) " out differ by " (format!("{:.0}", drift.share * 100.0))
                            " %; everybody who goes in comes out, so one of the two is wrong."
                        }
                    }
                    @for change in &report.clock_changes {
                        li { "The clock was set from " (seconds(&change.from)) " to " (seconds(&change.to)) ": times near these are not certain." }
                    }
                    @if !unknown.is_empty() {
                        li {
                            "Neither watched nor counted in this time: "
                            (names(&unknown.iter().collect::<Vec<_>>())) "."
                        }
                    }
                }
            }
        }
    }
}

/// As the begin of a sentence.
fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
