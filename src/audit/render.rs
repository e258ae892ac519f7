//! The result of an audit as text and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::findings::{Disagreement, Findings, Proportion, Tally, words};

/// Writes the result as a table, the disagreements below it.
///
/// # Errors
/// When `out` cannot be written.
pub fn text(found: &Findings, out: &mut dyn Write) -> io::Result<()> {
    for line in table(found) {
        writeln!(out, "{line}")?;
    }
    for disagreement in &found.disagreements {
        writeln!(out, "{}", sentence(disagreement))?;
    }
    Ok(())
}

/// The table, its heading first, and the sentences about the total below it.
#[must_use]
pub fn table(found: &Findings) -> Vec<String> {
    let width = found.rows.iter().map(|row| row.line.chars().count()).max().unwrap_or(0).max(5);
    let mut lines = vec![format!(
        "{:<width$} {:<3} {:>5} {:>7} {:>5} {:>6} {:>5}  {:<14}  precision",
        "line", "way", "seen", "counted", "right", "missed", "false", "recall (95 %)"
    )];
    let mut row = |line: &str, way: &str, tally: Tally| {
        let (seen, counted, Tally { right, missed, wrong }) = (tally.seen(), tally.counted(), tally);
        let (recall, precision) = (whole(tally.recall()), whole(tally.precision()));
        lines.push(format!(
            "{line:<width$} {way:<3} {seen:>5} {counted:>7} {right:>5} {missed:>6} {wrong:>5}  {recall:<14}  {precision}"
        ));
    };
    for found in &found.rows {
        row(&found.line, found.direction.word(), found.tally);
    }
    row("total", "", found.total());
    lines.push(shares(found.total()));
    lines.push(summary(found));
    lines
}

/// Both shares in a sentence.
#[must_use]
pub fn shares(tally: Tally) -> String {
    format!("recall {}, precision {} (95 % intervals)", percent(tally.recall()), percent(tally.precision()))
}

/// The error of the total, and the tolerance, in a sentence.
#[must_use]
pub fn summary(found: &Findings) -> String {
    let (total, tolerance) = (found.total(), found.tolerance);
    format!(
        "error of the total: {:+} of {} crossings; matched one-to-one within {tolerance} s",
        total.error(),
        total.seen()
    )
}

/// A share with its interval: `90.0 % (59.6-98.2)`; `-` where there is none.
#[must_use]
pub fn percent(share: Option<Proportion>) -> String {
    let Some(Proportion { value, interval: (low, high) }) = share else { return "-".into() };
    let [value, low, high] = [value, low, high].map(|share| share * 100.0);
    format!("{value:.1} % ({low:.1}-{high:.1})")
}

/// A share with its interval in whole percents: `90 % (60-98)`; `-` where there is none.
fn whole(share: Option<Proportion>) -> String {
    let Some(Proportion { value, interval: (low, high) }) = share else { return "-".into() };
    let [value, low, high] = [value, low, high].map(|share| share * 100.0);
    format!("{value:.0} % ({low:.0}-{high:.0})")
}

/// One disagreement, and what the program thought: `0:12.4 door missed in: saw nothing there`.
#[must_use]
pub fn sentence(disagreement: &Disagreement) -> String {
    let (time, line, thought) = (clock(disagreement.time()), disagreement.line(), words(disagreement));
    let (what, direction) = match disagreement {
        Disagreement::Missed(tap, _) => ("missed", tap.direction),
        Disagreement::Wrong(sighting) => ("false", sighting.direction),
    };
    format!("{time} {line} {what} {}: {thought}", direction.word())
}

/// Seconds as on a clock, to a tenth: `0:12.4`, `1:02:03.0`. Rounded down, so that it never shows a time to come.
#[must_use]
pub fn clock(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0 + 1e-6) as u64;
    let (tenth, seconds) = (tenths % 10, tenths / 10);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}.{tenth}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenth}"),
    }
}

/// The result as one JSON object for each row and disagreement.
#[must_use]
pub fn records(scene: &str, found: &Findings) -> Vec<Value> {
    let share = |share: Option<Proportion>| {
        share.map(|share| json!({ "value": share.value, "low": share.interval.0, "high": share.interval.1 }))
    };
    let rows = found.rows.iter().map(|row| {
        let tally = row.tally;
        json!({
            "type": "audit", "scene": scene, "line": row.line, "direction": row.direction,
            "right": tally.right, "missed": tally.missed, "false": tally.wrong, "tolerance": found.tolerance,
            "recall": share(tally.recall()), "precision": share(tally.precision()),
        })
    });
    let disagreements = found.disagreements.iter().map(|disagreement| {
        let (kind, direction) = match disagreement {
            Disagreement::Missed(tap, _) => ("missed", tap.direction),
            Disagreement::Wrong(sighting) => ("false", sighting.direction),
        };
        json!({
            "type": "disagreement", "scene": scene, "kind": kind, "time": disagreement.time(),
            "line": disagreement.line(), "direction": direction, "program": words(disagreement),
        })
    });
    rows.chain(disagreements).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::tap::{Sighting, Tap, Verdict},
        model::Direction,
    };

    #[test]
    fn a_result_as_a_table() {
        let tap = |time: f64, direction| Tap::new(time, "door", direction);
        let counted = |time: f64, direction| Sighting {
            time,
            line: "door".into(),
            direction,
            verdict: Verdict::Counted(0.91),
        };
        let taps = [tap(2.5, Direction::In), tap(3.0, Direction::In), tap(62.0, Direction::Out)];
        let sightings = [counted(2.6, Direction::In), counted(90.0, Direction::In)];
        let found = Findings::new(&["door".into()], &taps, &sightings, 100.0, 2.0);
        let mut out = Vec::new();
        text(&found, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "line  way  seen counted right missed false  recall (95 %)   precision\n\
             door  in      2       2     1      1     1  50 % (9-91)     50 % (9-91)\n\
             door  out     1       0     0      1     0  0 % (0-79)      -\n\
             total         3       2     1      2     1  33 % (6-79)     50 % (9-91)\n\
             recall 33.3 % (6.1-79.2), precision 50.0 % (9.5-90.5) (95 % intervals)\n\
             error of the total: -1 of 3 crossings; matched one-to-one within 2 s\n\
             0:03.0 door missed in: saw nothing there\n\
             1:02.0 door missed out: saw nothing there\n\
             1:30.0 door false in: counted in, confidence 0.91\n"
        );
        assert_eq!(records("a", &found).len(), 5);
    }

    #[test]
    fn times_are_rounded_down() {
        assert_eq!(
            [0.0, 12.49, 12.5, 59.99, 3723.05].map(clock),
            ["0:00.0", "0:12.4", "0:12.5", "0:59.9", "1:02:03.0"]
        );
        assert_eq!(clock(-3.0), "0:00.0");
        assert_eq!(clock(0.3), "0:00.3");
    }
}
