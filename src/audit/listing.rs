//! Audits of several sources, for `report --audit`: as a table, CSV or JSON.

use std::{fmt::Write as _, time::SystemTime};

use serde_json::{Value, json};

use super::{
    findings::{Proportion, Tally},
    render::percent,
    saved::Audited,
};
use crate::{files::text_cell, logging::line::clean};

/// Each source with one of its audits; `None` where it has none.
pub type Rows<'a> = [(String, Option<&'a Audited>)];

/// For reading; `time` says a moment in the time zone of the reader. A row for each of `rows`.
#[must_use]
pub fn table(rows: &Rows<'_>, time: &dyn Fn(SystemTime) -> String) -> String {
    let width = rows.iter().map(|(source, _)| clean(source).chars().count()).max().unwrap_or(0).max(6);
    let mut text = format!(
        "{:<width$}  {:<16} {:>8} {:>5} {:>7} {:>5} {:>6} {:>5}  {:<21}  precision\n",
        "source", "audited", "watched", "seen", "counted", "right", "missed", "false", "recall (95 %)"
    );
    for (source, audited) in rows {
        let source = clean(source);
        // Writing to a String cannot fail.
        let _ = match audited {
            None => writeln!(text, "{source:<width$}  never"),
            Some(Audited { time: at, watched, tally, .. }) => writeln!(
                text,
                "{source:<width$}  {:<16} {:>8} {:>5} {:>7} {:>5} {:>6} {:>5}  {:<21}  {}",
                time(*at),
                length(*watched),
                tally.seen(),
                tally.counted(),
                tally.right,
                tally.missed,
                tally.wrong,
                percent(tally.recall()),
                percent(tally.precision())
            ),
        };
    }
    text
}

/// A row for each audit, and one without numbers for a source without.
#[must_use]
pub fn csv(rows: &Rows<'_>, time: &dyn Fn(SystemTime) -> String) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = [
        "camera_id",
        "time",
        "watched",
        "seen",
        "counted",
        "right",
        "missed",
        "false",
        "recall",
        "recall_low",
        "recall_high",
        "precision",
        "precision_low",
        "precision_high",
    ];
    // Writing to memory cannot fail.
    let _ = writer.write_record(header);
    for (source, audited) in rows {
        let mut cells = vec![text_cell(source)];
        if let Some(Audited { time: at, watched, tally, .. }) = audited {
            cells.extend([time(*at), format!("{watched:.1}")]);
            let Tally { right, missed, wrong } = *tally;
            cells
                .extend([tally.seen(), tally.counted(), right, missed, wrong].map(|count| count.to_string()));
            for share in [tally.recall(), tally.precision()] {
                let numbers = share.map(|Proportion { value, interval: (low, high) }| {
                    [value, low, high].map(|n| format!("{n:.4}"))
                });
                cells.extend(numbers.unwrap_or_default());
            }
        }
        cells.resize(header.len(), String::new());
        let _ = writer.write_record(cells);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// One array with an object for each audit, and one with nothing but its id for a source without.
#[must_use]
pub fn json(rows: &Rows<'_>, time: &dyn Fn(SystemTime) -> String) -> String {
    let share = |share: Option<Proportion>| {
        share.map(
            |Proportion { value, interval: (low, high) }| json!({ "value": value, "low": low, "high": high }),
        )
    };
    let of = |(source, audited): &(String, Option<&Audited>)| match audited {
        None => json!({ "camera_id": source, "time": null }),
        Some(Audited { time: at, lines, watched, tolerance, tally, .. }) => json!({
            "camera_id": source, "time": time(*at), "lines": lines, "watched": watched, "tolerance": tolerance,
            "seen": tally.seen(), "counted": tally.counted(), "right": tally.right, "missed": tally.missed,
            "false": tally.wrong, "recall": share(tally.recall()), "precision": share(tally.precision()),
        }),
    };
    Value::Array(rows.iter().map(of).collect()).to_string() + "\n"
}

/// `45 s`, `12 min`.
fn length(seconds: f64) -> String {
    if seconds < 120.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(_: SystemTime) -> String {
        "2026-11-30 14:00".into()
    }

    fn audited() -> Audited {
        Audited {
            time: SystemTime::UNIX_EPOCH,
            camera_id: "door".into(),
            lines: vec!["line_1".into()],
            watched: 600.0,
            tolerance: 2.0,
            tally: Tally { right: 48, missed: 2, wrong: 1 },
        }
    }

    #[test]
    fn each_form_says_the_same_of_a_source_with_and_one_without_an_audit() {
        let audited = audited();
        let rows = [("door".to_owned(), Some(&audited)), ("=yard".to_owned(), None)];
        // Wilson: 48 of 50 and 48 of 49.
        assert_eq!(
            table(&rows, &time),
            "source  audited           watched  seen counted right missed false  recall (95 %)          precision\n\
             door    2026-11-30 14:00   10 min    50      49    48      2     1  96.0 % (86.5-98.9)     98.0 % (89.3-99.6)\n\
             =yard   never\n"
        );
        let csv = csv(&rows, &time);
        assert!(
            csv.contains(
                "\ndoor,2026-11-30 14:00,600.0,50,49,48,2,1,0.9600,0.8654,0.9890,0.9796,0.8931,0.9964\n"
            ),
            "{csv}"
        );
        assert!(csv.ends_with("\n'=yard,,,,,,,,,,,,,\n"), "{csv}");
        let all: Value = serde_json::from_str(&json(&rows, &time)).unwrap();
        assert_eq!((&all[0]["seen"], &all[0]["false"]), (&json!(50), &json!(1)));
        assert_eq!((&all[1]["camera_id"], &all[1]["time"]), (&json!("=yard"), &Value::Null));
    }
}
