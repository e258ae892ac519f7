//! Reports as workbooks: the numbers of the other forms, as numbers and times, and no text that a spreadsheet would run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{io::Cursor, path::Path, process::Command};

use calamine::{Data, DataType as _, Range, Reader as _, Xlsx};
use jiff::{Timestamp, ToSpan as _};
use pcount::{
    internals::{ledger::LedgerOptions, outputs::ledger::Ledger},
    model::{AreaEvent, AreaLine, CorrectionReason, Direction, Event, EventKind},
};
use serde_json::{Value, json};

const MONDAY: &str = "2026-03-09T00:00:00Z";

/// What a spreadsheet would run if it were no text.
const EVIL: &str = "=HYPERLINK(\"http://evil\")";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = json!({
        "parallel_config": { "result_output": "out", "timezone": "Europe/Berlin",
            "areas": [{ "name": "hall", "lines": ["door/*"], "capacity": 120 }] },
        "cameras": [{ "camera_id": "door", "alias": EVIL, "source": "demo:lobby" }],
    });
    std::fs::write(dir.path().join("cams.json"), config.to_string()).unwrap();
    let ledger = Ledger::start(LedgerOptions::new(&dir.path().join("out"))).unwrap();
    let at = |hour: i64| MONDAY.parse::<Timestamp>().unwrap() + hour.hours();
    let area = |event, hour| ledger.record(Event::new(at(hour).into(), "hall", EventKind::Area(event)));
    area(AreaEvent::Lines { lines: vec![AreaLine::parse("door/*").unwrap()] }, 7);
    let mut track = 0;
    let mut cross = |line: &str, hour, direction, count: u64| {
        for _ in 0..count {
            track += 1;
            let kind =
                EventKind::Crossing { line: line.into(), direction, track, time: 0.0, confidence: 0.9 };
            ledger.record(Event::new(at(hour).into(), "door", kind));
        }
    };
    cross("front", 8, Direction::In, 5);
    cross("back", 8, Direction::Out, 2);
    cross("front", 9, Direction::In, 4);
    let (total_in, total_out, who) = (9, 2, "anna".to_owned());
    let reason = CorrectionReason::Person;
    area(AreaEvent::Corrected { before: 7, after: 12, total_in, total_out, reason, who }, 10);
    drop(ledger);
    dir
}

fn report(dir: &Path, format: &str) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(["report", "--config", "cams.json", "--since", "2026-03-09", "--until", "2026-03-10"])
        .args(["--by", "hour", "--format", format])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn rows(range: &Range<Data>) -> Vec<Vec<Data>> {
    range.rows().skip(1).map(<[Data]>::to_vec).collect()
}

/// `2024-05-01T10:00:00`, of a cell that is a time.
fn shown(cell: &Data) -> String {
    let (year, month, day, hour, minute, second, _) = cell.get_datetime().unwrap().to_ymd_hms_milli();
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[test]
fn a_workbook_has_the_numbers_of_the_other_forms_as_numbers_and_times_and_no_formula() {
    let dir = folder();
    let mut book = Xlsx::new(Cursor::new(report(dir.path(), "xlsx"))).unwrap();
    assert_eq!(book.sheet_names(), ["Totals", "Counts", "Areas", "Corrections", "Notes"]);
    let whole: Value = serde_json::from_slice(&report(dir.path(), "json")).unwrap();
    let source = &whole["sources"][0];

    let counts = rows(&book.worksheet_range("Counts").unwrap());
    let told = source["rows"].as_array().unwrap();
    assert_eq!((counts.len(), told.len()), (2, 2));
    for (row, told) in counts.iter().zip(told) {
        assert_eq!(row[0].as_string().unwrap(), format!("{EVIL} (door)"));
        let start = shown(&row[1]);
        assert_eq!(start, told["start"].as_str().unwrap()[..19], "as the clock on the wall shows it");
        let numbers: Vec<f64> = row[2..8].iter().map(|cell| cell.as_f64().unwrap()).collect();
        let keys = ["in", "out", "net", "occupancy", "peak_occupancy", "coverage"];
        let wanted: Vec<f64> = keys.iter().map(|key| told[*key].as_f64().unwrap()).collect();
        assert_eq!(numbers, wanted);
    }
    assert!(book.worksheet_formula("Counts").unwrap().is_empty(), "text that looks like one is text");

    let totals = rows(&book.worksheet_range("Totals").unwrap());
    let line =
        |row: &[Data]| (row[1].as_string().unwrap(), row[2].as_f64().unwrap(), row[3].as_f64().unwrap());
    let totals: Vec<_> = totals.iter().map(|row| line(row)).collect();
    let wanted = [("all", 9.0, 2.0), ("back", 0.0, 2.0), ("front", 9.0, 0.0), ("all", 9.0, 2.0)];
    assert_eq!(totals, wanted.map(|(name, total_in, total_out)| (name.to_owned(), total_in, total_out)));

    let areas = rows(&book.worksheet_range("Areas").unwrap());
    assert_eq!((areas.len(), areas[0][5].as_f64()), (3, Some(120.0)));
    assert_eq!(areas[0][2].as_f64(), Some(5.0));
    let corrections = rows(&book.worksheet_range("Corrections").unwrap());
    assert_eq!(corrections.len(), 1);
    assert_eq!((corrections[0][4].as_f64(), corrections[0][5].as_f64()), (Some(7.0), Some(12.0)));
    assert_eq!(corrections[0][3].as_string().unwrap(), "anna");

    let notes = rows(&book.worksheet_range("Notes").unwrap());
    let notes: Vec<_> = notes.iter().map(|row| row[1].as_string().unwrap()).collect();
    assert_eq!(notes[0], "2026-03-09 00:00 to 2026-03-10 00:00");
    assert!(
        notes[1].starts_with("Europe/Berlin") && notes.iter().any(|note| note == "drift: unknown"),
        "{notes:?}"
    );
}
