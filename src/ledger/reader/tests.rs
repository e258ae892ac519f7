use jiff::tz::TimeZone;

use super::*;
use crate::{
    clock::SystemClock,
    ledger::report::{Query, Report, Step, report},
};

/// 2023-11-14, 22:00 UTC.
const BEGIN: i64 = 1_700_000_000_000 - 800_000;

/// A ledger without sums: four days of crossings of two sources, with resets, and a clock that was once set back.
fn without_sums(path: &Path) -> Connection {
    let mut connection = open::open(path).expect("open");
    let mut random = 3_u64;
    let mut below = |limit: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((random >> 33) % limit) as i64
    };
    let change = connection.transaction().expect("begin");
    change.execute_batch("DROP TRIGGER crossing_summed; DROP TRIGGER reset_summed").expect("dropped");
    for session in 1..=3 {
        change.execute("INSERT INTO sessions VALUES (?1, 0, 0, NULL, '', '')", [session]).expect("session");
        for source in ["a", "b"] {
            let mut wall = BEGIN + (session - 1) * 30 * 3_600_000 - i64::from(session == 3) * 3_600_000;
            for sequence in 1..=400 {
                wall += below(600_000);
                if below(60) == 0 {
                    let values = params![session, source, sequence, wall];
                    change.execute("INSERT INTO resets VALUES (?1, ?2, ?3, ?4)", values).expect("reset");
                    continue;
                }
                let (line, direction) =
                    (["door", "gate"][below(2) as usize], if below(5) < 3 { 1 } else { -1 });
                change
                    .execute(
                        "INSERT INTO crossings VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0)",
                        params![session, source, sequence, line, direction, wall],
                    )
                    .expect("crossing");
            }
        }
    }
    change
        .execute_batch(
            "INSERT INTO totals SELECT source, line, SUM(direction = 1), SUM(direction = -1) FROM crossings \
             WHERE NOT EXISTS (SELECT 1 FROM resets WHERE resets.source = crossings.source \
             AND (resets.session, resets.seq) > (crossings.session, crossings.seq)) GROUP BY source, line; \
             INSERT INTO summing VALUES (4, '', 0)",
        )
        .expect("totals");
    change.commit().expect("commit");
    connection
}

fn reports(path: &Path) -> Vec<(Report, Vec<Minute>)> {
    let reader = Reader::open(path).expect("a reader");
    let hours = |hours: i64, minutes: i64| {
        Timestamp::from_millisecond(BEGIN + hours * 3_600_000 + minutes * 60_000).expect("a time")
    };
    let spans = [
        (hours(-1, 0), hours(100, 0)),
        (hours(20, 0), hours(40, 7)),
        (hours(31, 0), hours(31, 5)),
        (hours(50, 11), hours(70, 41)),
    ];
    let mut all = Vec::new();
    for (since, until) in spans {
        for by in [Step::Quarter, Step::Hour, Step::Day] {
            let query = Query { since, until, by, timezone: TimeZone::UTC, source: None };
            let minutes = Span { from: millis(since) + 60_000, to: millis(until) };
            let minutes = reader.minutes("a", minutes).expect("minutes");
            all.push((report(&reader, &query).expect("a report"), minutes));
        }
    }
    all
}

#[test]
fn reports_are_the_same_before_while_and_after_older_crossings_are_summed() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("ledger.sqlite");
    let mut connection = without_sums(&path);
    let before = reports(&path);
    let counted = before[0].0.total.total_in + before[0].0.total.total_out;
    assert!(counted > 2000, "{counted}");
    assert!(before[0].0.sources[0].rows.iter().any(|row| row.peak_occupancy > row.occupancy));
    while sums::sum_more(&mut connection, 700).expect("summed") > 0 {
        assert_eq!(reports(&path), before, "while it is summed");
    }
    assert!(Reader::open(&path).expect("a reader").is_summed());
    assert_eq!(reports(&path), before, "all summed");
}

#[test]
fn summing_that_is_stopped_goes_on_later_and_a_stopped_report_is_about_the_sources_read() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("ledger.sqlite");
    let connection = without_sums(&path);
    let all = sums::left(&connection).expect("left");
    assert!(all > 2000, "{all}");
    drop(connection);
    let at = |hours: i64| Timestamp::from_millisecond(BEGIN + hours * 3_600_000).expect("a time");
    let query = Query { since: at(0), until: at(400), by: Step::Hour, timezone: TimeZone::UTC, source: None };
    let sum_up = |goes_on: bool| {
        let mut heard = Vec::new();
        crate::ledger::sum_up(&path, &query, &SystemClock, &mut |done, of| {
            heard.push((done, of));
            goes_on
        });
        heard
    };
    assert_eq!(sum_up(false), [(0, all)]);
    assert!(!Reader::open(&path).expect("a reader").is_summed());
    assert_eq!(sum_up(true), [(0, all), (all, all)]);
    assert!(Reader::open(&path).expect("a reader").is_summed());

    let mut heard = Vec::new();
    let mut read = |most: usize| {
        heard.clear();
        let (report, _) = crate::ledger::report::read_while(&path, &query, &SystemClock, &mut |done, of| {
            heard.push((done, of));
            done < most
        })
        .expect("a report");
        let names: Vec<_> = report.sources.iter().map(|source| source.camera_id.clone()).collect();
        let sum = report.sources.iter().map(|source| source.total_in).sum::<u64>();
        assert_eq!(report.total.total_in, sum, "the total is that of what was read");
        (names.concat(), heard.clone())
    };
    assert_eq!(read(0), (String::new(), vec![(0, 2)]));
    assert_eq!(read(1), ("a".to_owned(), vec![(0, 2), (1, 2)]));
    assert_eq!(read(9), ("ab".to_owned(), vec![(0, 2), (1, 2), (2, 2)]));
}
