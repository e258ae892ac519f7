//! What is read, and when it is open.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn shown(millis: i64) -> String {
    Timestamp::from_millisecond(millis).unwrap().to_string()
}

/// Edges from `from` on, as long as `count` says.
fn edges(text: &str, from: &str, zone: &TimeZone, count: usize) -> Vec<(bool, String)> {
    let (schedule, mut now, mut found) = (schedule(text), at(from), Vec::new());
    for _ in 0..count {
        let stretch = schedule.at(now, zone);
        assert!(stretch.holds_at(now) && stretch.from <= now, "{stretch:?}");
        now = stretch.until;
        found.push((!stretch.is_open, shown(now)));
    }
    found
}

#[test]
fn a_week_opens_and_closes_as_it_is_written() {
    let found = edges("Mon-Fri 08:00-20:00", "2026-12-04T12:00:00Z", &TimeZone::UTC, 3);
    let expected =
        [(false, "2026-12-04T20:00:00Z"), (true, "2026-12-07T08:00:00Z"), (false, "2026-12-07T20:00:00Z")];
    assert_eq!(found, expected.map(|(open, at)| (open, at.to_owned())));
}

#[test]
fn every_way_to_write_the_same_hours_means_the_same() {
    let same = [
        "Fri-Mon 09:00-17:00",
        "fri-MON 9:00-17:00",
        "Friday,sat,SUN,Mon 09:00-17:00;",
        " Fri - Mon   09:00 - 17:00 ",
        "Fri,Sat 09:00-12:00,12:00-17:00; Sun-Mon 09:00-17:00",
    ];
    let first = schedule(same[0]);
    let (from, to) = (at("2026-12-01T00:00:00Z"), at("2026-12-20T00:00:00Z"));
    for text in same {
        assert_eq!(
            schedule(text).closed(from, to, &TimeZone::UTC),
            first.closed(from, to, &TimeZone::UTC),
            "{text}"
        );
    }
    assert_eq!(schedule("daily 08:00-20:00").hours, schedule("08:00-20:00").hours);
}

#[test]
fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    let bar = schedule("Sat 20:00-02:00");
    for (moment, is_open) in [
        ("2026-12-05T19:59:59Z", false),
        ("2026-12-05T20:00:00Z", true),
        ("2026-12-06T01:59:59Z", true),
        ("2026-12-06T02:00:00Z", false),
        ("2026-12-06T20:00:00Z", false),
        ("2026-12-05T01:00:00Z", false),
    ] {
        assert_eq!(bar.at(at(moment), &TimeZone::UTC).is_open, is_open, "{moment}");
    }
}

#[test]
fn what_is_open_at_all_hours_has_no_end_in_sight() {
    let all = schedule("daily 00:00-24:00").at(at("2026-12-05T12:00:00Z"), &TimeZone::UTC);
    assert!(all.is_open && all.until == i64::MAX);
    let most = schedule("daily 00:00-23:59").at(at("2026-12-05T12:00:00Z"), &TimeZone::UTC);
    assert_eq!((most.is_open, shown(most.until)), (true, "2026-12-05T23:59:00Z".to_owned()));
}

#[test]
fn on_the_days_on_which_clocks_are_changed_the_hours_are_those_of_the_clock() {
    let berlin = zone("Europe/Berlin");
    let day = |text: &str, day: Date| {
        let from = day.to_zoned(berlin.clone()).unwrap().timestamp().as_millisecond();
        let to = day.tomorrow().unwrap().to_zoned(berlin.clone()).unwrap().timestamp().as_millisecond();
        let closed: i64 = schedule(text).closed(from, to, &berlin).iter().map(|(from, to)| to - from).sum();
        (to - from - closed) / 60_000
    };
    let (spring, autumn) = (date(2026, 3, 29), date(2026, 10, 25));
    assert_eq!(day("daily 00:00-24:00", spring), 23 * 60);
    assert_eq!(day("daily 00:00-24:00", autumn), 25 * 60);
    assert_eq!(day("daily 08:00-20:00", spring), 12 * 60);
    assert_eq!(day("daily 01:00-06:00", spring), 4 * 60);
    assert_eq!(day("daily 01:00-06:00", autumn), 6 * 60);
    // A time that is left out begins with what comes after it; one that comes twice is open both times.
    assert_eq!(day("daily 02:30-06:00", spring), 3 * 60);
    assert_eq!(day("daily 02:10-02:50", spring), 0);
    assert_eq!(day("daily 02:00-02:30", autumn), 90);
    assert_eq!(day("Sat 22:00-02:30", spring), 2 * 60);
}

#[test]
fn a_zone_with_an_odd_offset_has_hours_of_its_own() {
    let found = edges("Mon-Fri 08:00-20:00", "2026-12-07T00:00:00Z", &zone("Asia/Kathmandu"), 2);
    assert_eq!(found, [(true, "2026-12-07T02:15:00Z".into()), (false, "2026-12-07T14:15:00Z".into())]);
}

#[test]
fn what_is_wrong_is_said_with_how_to_write_it() {
    for (text, said) in [
        ("", "there are no hours in it"),
        (" ; ", "there are no hours in it"),
        ("Mon-Fri", "'Mon-Fri' is not one or more days"),
        ("Mo-Fr 08:00-20:00", "'Mo' is no day"),
        ("Mon-Fri 08:00", "'08:00' is no time; write days"),
        ("Mon-Fri 8-20", "'8' is no time; write one from 00:00"),
        ("Mon 08:00-25:00", "'25:00' is no time"),
        ("Mon 08:60-20:00", "'08:60' is no time"),
        ("Mon 24:00-02:00", "begins with the end of a day"),
        ("Mon 08:00-08:00", "for whole days write 00:00-24:00"),
        ("Mon 08:00-24:01", "'24:01' is no time"),
        ("Mon 08:00-20:00 Tue", "is not one or more days"),
        ("always; Mon 08:00-20:00", "'always' is not one or more days"),
    ] {
        let problem = text.parse::<Schedule>().unwrap_err();
        assert!(problem.contains(said), "{text}: {problem}");
    }
}

#[test]
fn an_opening_is_shown_with_its_day_where_that_is_another() {
    let now = "2026-12-04T21:00:00Z".parse().unwrap();
    let shown = |text: &str| shown_opening(text.parse().unwrap(), now, &TimeZone::UTC);
    assert_eq!(shown("2026-12-04T22:00:00Z"), "22:00");
    assert_eq!(shown("2026-12-05T08:00:00Z"), "Sat 08:00");
    assert_eq!(shown("2026-12-07T08:00:00Z"), "Mon 08:00");
    assert_eq!(shown("2026-12-14T08:00:00Z"), "Mon 2026-12-14 08:00");
}

fn some_schedule() -> impl Strategy<Value = String> {
    let time = 0..1440_u16;
    let part = (1..128_u8, time.clone(), 1..1440_u16).prop_map(|(days, from, length)| {
        let names: Vec<&str> = DAYS
            .iter()
            .enumerate()
            .filter(|(day, _)| days & (1 << day) != 0)
            .map(|(_, (short, _))| *short)
            .collect();
        let to = (from + length) % 1440;
        format!("{} {:02}:{:02}-{:02}:{:02}", names.join(","), from / 60, from % 60, to / 60, to % 60)
    });
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("; "))
}

proptest! {
    #[test]
    fn any_moment_is_open_as_the_clock_and_the_weekday_say(text in some_schedule(), minute in 0..100_000_i64) {
        let schedule = schedule(&text);
        let millis = at("2026-11-30T00:00:00Z") + minute * 60_000;
        let local = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(millis).unwrap());
        let of_day = (i64::from(local.hour()) * 60 + i64::from(local.minute())) as u16;
        let stretch = schedule.at(millis, &TimeZone::UTC);
        prop_assert_eq!(stretch.is_open, plainly_open(&schedule, local.weekday(), of_day));
        prop_assert!(stretch.holds_at(millis));
        if stretch.until < i64::MAX {
            prop_assert_eq!(schedule.at(stretch.until - 1, &TimeZone::UTC).is_open, stretch.is_open);
            prop_assert_ne!(schedule.at(stretch.until, &TimeZone::UTC).is_open, stretch.is_open);
        }
    }

    #[test]
    fn closed_times_are_exactly_those_that_are_not_open(text in some_schedule(), zone in 0..3_usize, hour in 0..9000_i64) {
        let schedule = schedule(&text);
        let zone = [TimeZone::UTC, zone_of("Europe/Berlin"), zone_of("Asia/Kathmandu")][zone].clone();
        let from = at("2026-01-01T00:30:00Z") + hour * 3_600_000;
        let to = from + 10 * 86_400_000;
        let closed = schedule.closed(from, to, &zone);
        for millis in (from..to).step_by(1_740_000) {
            let is_closed = closed.iter().any(|(from, to)| (*from..*to).contains(&millis));
            prop_assert_eq!(is_closed, !schedule.at(millis, &zone).is_open);
        }
    }

    #[test]
    fn what_is_shown_is_read_again_as_the_same(text in some_schedule()) {
        let schedule = schedule(&text);
        prop_assert_eq!(schedule.to_string().parse::<Schedule>().unwrap(), schedule);
    }

    #[test]
    fn no_text_at_all_is_too_much_for_the_reader(text in ".{0,60}") {
        drop(text.parse::<Schedule>());
    }
}

fn zone_of(name: &str) -> TimeZone {
    zone(name)
}

#[test]
fn what_holds_now_says_nothing_of_times_at_which_it_was_open() {
    let monday = schedule("Mon 08:00-20:00");
    let friday = monday.at(at("2026-12-04T12:00:00Z"), &TimeZone::UTC);
    assert!(!friday.is_open);
    assert!(!friday.holds_at(at("2026-11-30T12:00:00Z")), "a clock that is set back to Monday: it is open");
    assert!(friday.holds_at(at("2026-12-06T12:00:00Z")));
}
