//! A chart of bars as SVG: in above the axis, out below it. Places are shares of the width, so that its letters keep
//! their size on a phone.

use maud::{Markup, html};

use super::bars::{Bar, Bars};
use crate::ledger::{local_time::LocalTime, report::Step, text::percent};

/// Height of one direction, of the row with the times, and above the highest bar, in pixels.
const HALF: f64 = 110.0;
const TIMES: f64 = 24.0;
const TOP: f64 = 10.0;
/// From here on a bar is not shown as watched in part.
const WHOLE: f64 = 0.95;

/// The chart, which `title` and `description` tell to those who do not see it.
pub fn chart(bars: &Bars, title: &str, description: &str) -> Markup {
    let (height, zero) = (2.0 * HALF + TIMES + 2.0 * TOP, TOP + HALF);
    let step = grid(bars.highest());
    let top = (bars.highest().max(1).div_ceil(step) * step) as f64;
    let y = |count: f64| zero - count / top * HALF;
    let lines: Vec<u64> = (1..).map(|line| line * step).take_while(|line| *line as f64 <= top).collect();
    let width = 100.0 / bars.all.len().max(1) as f64;
    let marks = marks(bars);
    html! {
        div.chart {
            svg.scale width="3.2rem" height=(height) aria-hidden="true" {
                text x="100%" dx="-6" y=(zero + 4.0) { "0" }
                @for line in &lines {
                    text x="100%" dx="-6" y=(y(*line as f64) + 4.0) { (short(*line)) }
                    text x="100%" dx="-6" y=(y(-(*line as f64)) + 4.0) { (short(*line)) }
                }
            }
            svg.bars width="100%" height=(height) role="img" aria-labelledby="chart-title chart-text" {
                title id="chart-title" { (title) }
                desc id="chart-text" { (description) }
                defs {
                    pattern id="gap" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        rect.ground width="7" height="7" {}
                        rect.stripe width="2.5" height="7" {}
                    }
                }
                @for (at, bar) in bars.all.iter().enumerate().filter(|(_, bar)| bar.watched < WHOLE && !bar.is_closed()) {
                    rect class=(if bar.watched > 0.0 { "part" } else { "gap" }) x=(share(at, width))
                        y=(TOP) width=(format!("{width:.4}%")) height=(2.0 * HALF) {}
                }
                @for line in &lines {
                    line.grid x1="0" x2="100%" y1=(y(*line as f64)) y2=(y(*line as f64)) {}
                    line.grid x1="0" x2="100%" y1=(y(-(*line as f64))) y2=(y(-(*line as f64))) {}
                }
                @for (at, bar) in bars.all.iter().enumerate() {
                    (column(bar, bars.by, at as f64 * width, width, &y))
                }
                line.zero x1="0" x2="100%" y1=(zero) y2=(zero) {}
                @for (at, text, is_minor) in &marks {
                    line.tick x1=(share(*at, width)) x2=(share(*at, width)) y1=(height - TIMES) y2=(height - TIMES + 5.0) {}
                    text.minor[*is_minor] x=(share(*at, width)) dx="2" y=(height - 5.0) { (text) }
                }
            }
        }
    }
}

/// A bar, with its counts for those who point at it.
fn column(bar: &Bar, by: Step, left: f64, width: f64, y: &impl Fn(f64) -> f64) -> Markup {
    let (x, wide) = (format!("{:.3}%", left + width * 0.1), format!("{:.3}%", width * 0.8));
    let (up, down) = (y(bar.total_in as f64), y(-(bar.total_out as f64)));
    html! {
        g {
            title { (moment(&bar.from, by)) ": " (counted(bar)) }
            rect.slot x=(format!("{left:.3}%")) y=(TOP) width=(format!("{width:.3}%")) height=(2.0 * HALF) {}
            @if bar.total_in > 0 {
                rect.in x=(x) y=(format!("{up:.1}")) width=(wide) height=(format!("{:.1}", y(0.0) - up)) {}
            }
            @if bar.total_out > 0 {
                rect.out x=(x) y=(format!("{:.1}", y(0.0))) width=(wide) height=(format!("{:.1}", down - y(0.0))) {}
            }
        }
    }
}

/// What a bar says, in words.
fn counted(bar: &Bar) -> String {
    match bar.watched {
        _ if bar.is_closed() => "closed".into(),
        0.0 if bar.total_in + bar.total_out == 0 => "not watched".into(),
        WHOLE.. => format!("{} in, {} out", bar.total_in, bar.total_out),
        part => format!("{} in, {} out, watched {}", bar.total_in, bar.total_out, percent(part)),
    }
}

/// The begin of a bar or row.
pub fn moment(time: &LocalTime, by: Step) -> String {
    time.shown(if by == Step::Day { "%a %-d %b" } else { "%a %-d %b %H:%M" })
}

fn share(at: usize, width: f64) -> String {
    format!("{:.3}%", at as f64 * width)
}

/// Distance of the lines of the grid: two to four of them, at round counts.
fn grid(highest: u64) -> u64 {
    let least = highest.div_ceil(4).max(1);
    let round = (0..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    round.into_iter().find(|step| *step >= least).unwrap_or(least)
}

/// `12`, `3.5k`: the scale has little room.
fn short(count: u64) -> String {
    if count < 10_000 { count.to_string() } else { format!("{}k", count as f64 / 1000.0) }
}

/// Which bars have their time below them, and whether it is left out on narrow pages.
fn marks(bars: &Bars) -> Vec<(usize, String, bool)> {
    /// More than these do not fit beside one another.
    const MOST: usize = 12;
    let is_days = bars.by == Step::Day;
    let time = |at: usize, format: &str| bars.all[at].from.shown(format);
    let all: Vec<usize> = (0..bars.all.len()).collect();
    let at_hours = |hours: usize| -> Vec<usize> {
        let is_there = |at: &&usize| {
            time(**at, "%M") == "00"
                && time(**at, "%H").parse().is_ok_and(|hour: usize| hour.is_multiple_of(hours))
        };
        all.iter().filter(is_there).copied().collect()
    };
    let chosen = if is_days {
        all.iter().copied().step_by(all.len().div_ceil(MOST).max(1)).collect()
    } else {
        [1, 2, 3, 6, 12, 24].into_iter().map(at_hours).find(|found| found.len() <= MOST).unwrap_or_default()
    };
    let text = |at: usize| match (is_days, time(at, "%H:%M")) {
        (true, _) => time(at, "%-d %b"),
        // A day begins: its name says more than its hour.
        (false, hour) if hour == "00:00" && at > 0 => time(at, "%a %-d"),
        (false, hour) => hour,
    };
    // The last ones reach beyond the end: always, or where the page is narrow.
    let right = |at: usize| at as f64 / all.len() as f64;
    let is_minor = |index: usize, at: usize| chosen.len() > MOST / 2 && index % 2 == 1 || right(at) > 0.82;
    let shown = chosen.iter().enumerate().filter(|(_, at)| right(**at) <= 0.95);
    shown.map(|(index, at)| (*at, text(*at), is_minor(index, *at))).collect()
}
