//! Reports as HTML pages: the numbers of the other forms, names that are escaped, gaps that are no zeros, the week before.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::{fs, path::Path, process::Command};

use jiff::{Timestamp, ToSpan as _};
use pcount::{
    internals::{
        ledger::{FILE_NAME, LedgerOptions},
        outputs::ledger::Ledger,
    },
    model::{Direction, Event, EventKind},
};

const EVIL: &str = "<script>alert('1')</script> & \"door\" 😀 مدخل";
const MONDAY: &str = "2026-03-09T00:00:00Z";

fn at(days: i64, hours: i64) -> Timestamp {
    MONDAY.parse::<Timestamp>().unwrap() + (days * 24 + hours).hours()
}

/// A folder with a configuration of three cameras and a ledger: `hall` watched in both weeks, `yard` not on Wednesday of
/// the second one and hardly in the first, `old` never.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let camera = |id: &str, alias: &str| serde_json::json!({ "camera_id": id, "alias": alias, "source": "demo:lobby", "location": "Museum <&>" });
    let config = serde_json::json!({
        "parallel_config": { "result_output": "out", "timezone": "UTC" },
        "cameras": [camera("hall", EVIL), camera("yard", "Yard")],
    });
    fs::write(dir.path().join("cams.json"), config.to_string()).unwrap();
    let out = dir.path().join("out");
    let ledger = Ledger::start(LedgerOptions::new(&out)).unwrap();
    let mut track = 0;
    let mut cross = |source: &str, line: &str, time: Timestamp, direction: Direction, count: u64| {
        for second in 0..count {
            track += 1;
            let line = line.into();
            let kind = EventKind::Crossing { line, direction, track, time: 0.0, confidence: 0.9 };
            ledger.record(Event::new((time + (second as i64 * 7).seconds()).into(), source, kind));
        }
    };
    for day in -7..7_i64 {
        for hour in 8..20_i64 {
            let many = (12 - (hour - 13).abs() + day.rem_euclid(7)).unsigned_abs();
            let many = if day < 0 { many / 2 } else { many };
            cross("hall", "north <b>", at(day, hour), Direction::In, many);
            cross("hall", "north <b>", at(day, hour), Direction::Out, many / 2);
            cross("hall", "south", at(day, hour), Direction::Out, many / 3);
            if day != 2 && day >= -1 {
                cross("yard", "gate", at(day, hour), Direction::In, 3);
            }
        }
    }
    cross("hall", "closed", at(-7, 9), Direction::In, 2);
    cross("old", "door", at(-40, 9), Direction::In, 2);
    drop(ledger);
    let sqlite = rusqlite::Connection::open(out.join(FILE_NAME)).unwrap();
    sqlite.execute("DELETE FROM watches", []).unwrap();
    let watches =
        [("hall", at(-7, 0), at(7, 0)), ("yard", at(-1, 0), at(2, 0)), ("yard", at(3, 0), at(7, 0))];
    for (source, from, to) in watches {
        let ends = (source, from.as_millisecond(), to.as_millisecond());
        let insert =
            "INSERT INTO watches (session, source, from_ms, to_ms) SELECT MAX(id), ?1, ?2, ?3 FROM sessions";
        sqlite.execute(insert, ends).unwrap();
    }
    dir
}

fn report(dir: &Path, format: &str, more: &[&str]) -> String {
    let week = ["--since", "2026-03-09", "--until", "2026-03-16"];
    let week = if more.contains(&"--since") { &[][..] } else { &week };
    let output = Command::new(assert_cmd::cargo::cargo_bin("pcount-tui"))
        .current_dir(dir)
        .env_remove("TZ")
        .args(["report", "--config", "cams.json", "--format", format])
        .args(week)
        .args(more)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = text(&output.stdout);
    if format == "html" {
        is_harmless(&page);
    }
    page
}

/// The text between the first `from` and the `to` after it.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}"));
    rest.split_once(to).unwrap().0
}

/// The counts in a part of a page.
fn counts(part: &str) -> Vec<i64> {
    part.split("<data value=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0.parse().unwrap())
        .collect()
}

/// Every element is closed by its own end, and nothing on the page is loaded or run.
fn is_harmless(page: &str) {
    let lower = page.to_lowercase();
    for bad in ["<script", "http:", "https:", " src=", " href=", " onload", "@import", "javascript:"] {
        assert!(!lower.contains(bad), "{bad}");
    }
    let mut open: Vec<&str> = Vec::new();
    let (_, page) = page.split_once("<!DOCTYPE html>").unwrap();
    for part in page.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>') || open.last() == Some(&"style") || tag == "style", "{part}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(tag.matches(" class=\"").count() < 2, "{tag}");
        let name = tag.split(' ').next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{open:?}"),
            None if name == "meta" => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_page_has_the_numbers_of_the_json_report() {
    let dir = folder();
    for by in ["15m", "hour", "day"] {
        let json: serde_json::Value =
            serde_json::from_str(&report(dir.path(), "json", &["--by", by])).unwrap();
        let page = report(dir.path(), "html", &["--by", by]);
        let numbers = |value: &serde_json::Value| ["in", "out"].map(|key| value[key].as_i64().unwrap());
        let [total_in, total_out] = numbers(&json["total"]);
        let figures = between(&page, "<section class=\"figures\"", "</section>");
        assert_eq!(counts(figures), [total_in, total_out, json["total"]["net"].as_i64().unwrap()]);
        for (id, index) in [("hall", 0), ("yard", 2)] {
            let source = &json["sources"][index];
            assert_eq!(source["camera_id"], id);
            let rows = between(&page, &format!("data-source=\"{id}\""), "</tbody>");
            let [i, o] = numbers(source);
            let mut expected = vec![i, o, i - o];
            for line in source["lines"].as_array().unwrap() {
                let [i, o] = numbers(line);
                expected.extend([i, o, i - o]);
            }
            let rows = counts(rows);
            assert_eq!(rows[..expected.len()], expected, "{id} by {by}");
        }
        let bars = counts(between(&page, "The same numbers as a table", "</table>"));
        let sum = |first: usize| bars.iter().skip(first).step_by(2).sum::<i64>();
        assert_eq!((sum(0), sum(1)), (total_in, total_out), "the bars by {by}");
        assert_eq!(
            page.matches("<rect class=\"slot\"").count(),
            7,
            "a week in quarters or hours is too many bars"
        );
        let peak = between(&page, "Busiest hour", "</div>");
        let peak_json = numbers(&json["peak_hour"]);
        assert!(peak.contains(&format!("{} crossings", peak_json[0] + peak_json[1])), "{peak}");
        let watched = between(&page, "data-source=\"yard\"", "</tr>");
        assert!(watched.contains("85.7 %"), "{watched}");
    }
    let day = report(dir.path(), "html", &["--since", "2026-03-10", "--until", "2026-03-11"]);
    assert_eq!(day.matches("<rect class=\"slot\"").count(), 24);
    assert!(
        day.contains("In and out by hour")
            && day.contains("Tue 10 Mar 2026<")
            && !day.contains("Busiest day")
    );
    let long = report(dir.path(), "html", &["--since", "2025-03-10", "--until", "2026-03-16", "--by", "day"]);
    assert_eq!(long.matches("<rect class=\"slot\"").count(), 53, "a year is shown in weeks");
}

#[test]
fn names_of_users_are_text() {
    let dir = folder();
    let page = report(dir.path(), "html", &[]);
    assert!(
        page.contains("&lt;script&gt;alert('1')&lt;/script&gt; &amp; &quot;door&quot; 😀 مدخل"),
        "{page}"
    );
    assert!(
        page.contains("<bdi>north &lt;b&gt;</bdi>")
            && page.contains("<bdi>People counted, Museum &lt;&amp;&gt;</bdi>")
    );
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn what_was_not_watched_is_no_zero() {
    let dir = folder();
    let page = report(dir.path(), "html", &["--source", "yard", "--by", "day"]);
    assert_eq!(page.matches("<rect class=\"gap\"").count(), 1);
    let row = between(&page, "Wed 11 Mar</th>", "</tr>");
    assert!(row.contains("not watched") && counts(row).is_empty(), "{row}");
    assert!(page.contains("Not watching from 2026-03-11 00:00:00 to 2026-03-12 00:00:00"), "{page}");
    let both = report(dir.path(), "html", &["--by", "day"]);
    assert_eq!(
        (both.matches("<rect class=\"gap\"").count(), both.matches("<rect class=\"part\"").count()),
        (0, 1)
    );
    assert!(between(&both, "Neither watched nor counted in this time: ", "</li>").contains("old"));
}

#[test]
fn a_week_is_compared_with_the_week_before_where_that_was_watched() {
    let dir = folder();
    let page = report(dir.path(), "html", &[]);
    let earlier: serde_json::Value = serde_json::from_str(&report(
        dir.path(),
        "json",
        &["--since", "2026-03-02", "--until", "2026-03-09"],
    ))
    .unwrap();
    let json: serde_json::Value = serde_json::from_str(&report(dir.path(), "json", &[])).unwrap();
    let counted = |report: &serde_json::Value| report["sources"][0]["in"].as_f64().unwrap();
    let change = format!("+{:.0}\u{a0}%", (counted(&json) / counted(&earlier) - 1.0) * 100.0);
    let hall = between(&page, "data-source=\"hall\"", "</tr>");
    assert!(hall.contains(&change), "{change}: {hall}");
    let figures = between(&page, "<section class=\"figures\"", "</section>");
    let before = format!("{change}; the week before {} (1 of 2 cameras)", counted(&earlier));
    assert!(figures.contains(&before), "{before}: {figures}");
    assert!(page.contains("Compared with the week before: Mon 2 Mar 2026 to Sun 8 Mar 2026."));
    let yard = between(&page, "data-source=\"yard\"", "</tbody>");
    assert!(yard.contains("No comparison: the week before was watched 14.2 %."), "{yard}");
    let closed = between(&page, "<bdi>closed</bdi>", "</tr>");
    assert_eq!(counts(closed), [0, 0, 0], "a line over which nobody walks any more is said");

    let first = report(dir.path(), "html", &["--since", "2026-03-02", "--until", "2026-03-09"]);
    assert!(
        between(&first, "Totals", "</section>").contains("no comparison: the week before was not watched")
    );
    let month = report(dir.path(), "html", &["--since", "2026-03-02", "--until", "2026-03-16"]);
    assert!(
        month.contains("Compared with the 14 days before: Mon 16 Feb 2026 to Sun 1 Mar 2026."),
        "{month}"
    );
}

#[test]
fn audits_are_no_page_and_no_workbook() {
    let dir = folder();
    for format in ["html", "xlsx"] {
        let output = Command::new(assert_cmd::cargo::cargo_bin("pcount-tui"))
            .current_dir(dir.path())
            .args(["report", "--config", "cams.json", "--audit", "--format", format])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("'--format {format}' is for counts")), "{said}");
    }
}
