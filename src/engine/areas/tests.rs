use std::time::SystemTime;

use super::*;
use crate::clock::ManualClock;

/// Areas whose clock is moved by hand.
struct World {
    clock: Arc<ManualClock>,
    areas: Areas,
}

fn config(name: &str, lines: &[&str]) -> AreaConfig {
    AreaConfig {
        name: name.into(),
        lines: lines.iter().filter_map(|line| AreaLine::parse(line)).collect(),
        threshold: None,
        reset: None,
        capacity: None,
    }
}

fn hall(reset: &str) -> AreaConfig {
    AreaConfig { reset: Some(reset.parse().unwrap()), ..config("hall", &["gate/door"]) }
}

impl World {
    fn at(wall: &str, zone: &str, records: Vec<AreaRecord>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let zone = TimeZone::get(zone).unwrap();
        let areas = Areas::new(Arc::<ManualClock>::clone(&clock), zone, records, Arc::default());
        let world = Self { clock, areas };
        world.set_wall(wall);
        world
    }

    fn set_wall(&self, wall: &str) {
        self.clock.set_wall(SystemTime::from(wall.parse::<Timestamp>().unwrap()));
    }

    fn cross(&mut self, source: &str, line: &str, direction: Direction) -> Vec<Event> {
        let (line, time) = (line.to_owned(), 0.0);
        let kind = EventKind::Crossing { line, direction, track: 1, time, confidence: 1.0 };
        self.areas.event(&Event::new(self.clock.wall(), source, kind))
    }

    fn enter(&mut self, people: usize) -> Vec<Event> {
        (0..people).flat_map(|_| self.cross("gate", "door", Direction::In)).collect()
    }

    fn leave(&mut self, people: usize) -> Vec<Event> {
        (0..people).flat_map(|_| self.cross("gate", "door", Direction::Out)).collect()
    }

    fn inside(&self) -> i64 {
        self.areas.shown().load()[0].inside
    }

    /// How many resets there are within `minutes`, a tick every ten seconds.
    fn resets(&mut self, minutes: u64) -> usize {
        let mut resets = 0;
        for _ in 0..minutes * 6 {
            self.clock.advance(Duration::from_secs(10));
            resets += self.areas.tick().len();
        }
        resets
    }
}

#[test]
fn the_number_inside_is_what_has_entered_minus_what_has_left_by_all_lines() {
    let mut world = World::at("2024-05-01T10:00:00Z", "UTC", Vec::new());
    let lines = ["gate/door", "!gate/back", "yard/*"];
    let events = world.areas.set(vec![config("hall", &lines), config("yard", &["yard/*"])]);
    assert_eq!(events.len(), 2, "the ledger has to know the lines");
    for (source, line, direction) in [
        ("gate", "door", Direction::In),
        ("gate", "back", Direction::Out),
        ("gate", "window", Direction::In),
        ("yard", "any", Direction::In),
        ("yard", "any", Direction::Out),
        ("gate", "back", Direction::In),
    ] {
        world.cross(source, line, direction);
    }
    let shown = world.areas.shown().load_full();
    assert_eq!((shown[0].inside, shown[0].total_in, shown[0].total_out), (1, 3, 2));
    assert_eq!((shown[1].inside, shown[1].total_in, shown[1].total_out), (0, 1, 1));
}

#[test]
fn a_correction_stands_among_the_crossings_and_what_follows_goes_on_from_it() {
    let mut world = World::at("2024-05-01T10:00:00Z", "UTC", Vec::new());
    world.areas.set(vec![config("hall", &["gate/door"])]);
    world.enter(5);
    let made = world.areas.correct("hall", 12, CorrectionReason::Person, "anna".into()).unwrap();
    let [Event { kind: EventKind::Area(AreaEvent::Corrected { before, after, total_in, .. }), .. }] =
        &made[..]
    else {
        panic!("{made:?}")
    };
    assert_eq!((*before, *after, *total_in), (5, 12, 5));
    world.leave(1);
    assert_eq!(world.inside(), 11);
    assert_eq!(world.areas.shown().load()[0].drift, None);
    assert!(world.areas.correct("attic", 1, CorrectionReason::Person, String::new()).is_none());
}

#[test]
fn a_restored_area_goes_on_and_says_its_lines_only_where_they_are_others() {
    let lines: Vec<_> = AreaLine::parse("gate/door").into_iter().collect();
    let record = AreaRecord {
        name: "hall".into(),
        base: 12,
        total_in: 5,
        total_out: 2,
        known: 7,
        lines,
        ..AreaRecord::default()
    };
    let mut world = World::at("2024-05-01T10:00:00Z", "UTC", vec![record.clone()]);
    assert!(world.areas.set(vec![config("hall", &["gate/door"])]).is_empty());
    assert_eq!(world.inside(), 15);
    let joins = world.areas.set(vec![config("hall", &["gate/door", "yard/*"])]);
    assert_eq!((joins.len(), world.inside()), (1, 15), "a line that joins counts from now on");
    let gone = world.areas.set(Vec::new());
    assert!(matches!(&gone[0].kind, EventKind::Area(AreaEvent::Lines { lines }) if lines.is_empty()));
    world.enter(3);
    world.areas.set(vec![config("hall", &["gate/door"])]);
    assert_eq!(world.inside(), 15, "it goes on when it comes back");
}

#[test]
fn at_its_quiet_hour_an_area_is_reset_once_when_nobody_has_crossed_for_a_minute() {
    let mut world = World::at("2024-05-01T03:58:00Z", "UTC", Vec::new());
    world.areas.set(vec![hall("04:00")]);
    world.enter(3);
    assert_eq!(world.resets(1), 0, "before the hour");
    world.clock.advance(Duration::from_secs(70));
    world.enter(1);
    assert!(world.areas.tick().is_empty(), "somebody crosses");
    assert_eq!((world.resets(2), world.inside()), (1, 0));
    world.enter(2);
    assert_eq!((world.resets(23 * 60), world.inside()), (0, 2), "not before the next night");
    assert_eq!(world.resets(2 * 60), 1);
}

#[test]
fn where_people_cross_all_night_an_area_is_reset_half_an_hour_later() {
    let mut world = World::at("2024-05-01T03:59:00Z", "UTC", Vec::new());
    world.areas.set(vec![hall("04:00")]);
    let mut minutes = 0;
    loop {
        world.enter(1);
        world.clock.advance(Duration::from_secs(30));
        minutes += 1;
        if !world.areas.tick().is_empty() {
            break;
        }
        assert!(minutes < 200, "never");
    }
    assert_eq!(minutes, 2 * 31);
}

#[test]
fn a_night_in_which_the_program_did_not_run_is_made_up_for_at_the_start() {
    let at = |wall: &str| wall.parse::<Timestamp>().unwrap().as_millisecond();
    let record = AreaRecord {
        name: "hall".into(),
        base: 40,
        known: at("2024-04-01T00:00:00Z"),
        corrected: Some(at("2024-04-30T04:01:00Z")),
        reset: Some(at("2024-04-30T04:01:00Z")),
        ..AreaRecord::default()
    };
    let mut world = World::at("2024-05-01T09:00:00Z", "UTC", vec![record]);
    world.areas.set(vec![hall("04:00")]);
    assert_eq!((world.areas.tick().len(), world.inside()), (1, 0));
}

#[test]
fn an_area_that_is_new_or_gets_a_quiet_hour_is_not_reset_for_an_hour_that_has_passed() {
    let mut world = World::at("2024-05-01T09:00:00Z", "UTC", Vec::new());
    world.areas.set(vec![config("hall", &["gate/door"])]);
    world.enter(2);
    world.clock.advance(Duration::from_hours(24));
    world.areas.set(vec![hall("04:00")]);
    assert_eq!((world.resets(60), world.inside()), (0, 2));
}

#[test]
fn a_clock_that_is_set_back_over_the_quiet_hour_resets_no_area_twice() {
    let mut world = World::at("2024-05-01T03:59:00Z", "UTC", Vec::new());
    world.areas.set(vec![hall("04:00")]);
    assert_eq!(world.resets(3), 1);
    world.set_wall("2024-05-01T03:30:00Z");
    world.enter(2);
    assert_eq!((world.resets(60), world.inside()), (0, 2));
    assert_eq!(world.resets(24 * 60), 1, "the next night");
}

#[test]
fn a_reset_by_a_clock_that_was_years_ahead_does_not_keep_later_nights_from_theirs() {
    let mut world = World::at("2034-05-01T03:59:00Z", "UTC", Vec::new());
    world.areas.set(vec![hall("04:00")]);
    assert_eq!(world.resets(3), 1);
    world.set_wall("2024-05-01T12:00:00Z");
    world.enter(2);
    assert_eq!((world.resets(120), world.inside()), (0, 2), "people who came since are inside");
    assert_eq!(world.resets(22 * 60), 1, "the next night");
    assert_eq!(world.resets(24 * 60), 1);
}

#[test]
fn a_clock_that_begins_in_the_past_at_power_on_and_is_set_a_little_later_resets_nothing() {
    let at = |wall: &str| wall.parse::<Timestamp>().unwrap().as_millisecond();
    let record = AreaRecord {
        name: "hall".into(),
        base: 40,
        known: at("2024-04-01T00:00:00Z"),
        corrected: Some(at("2024-05-01T04:01:00Z")),
        reset: Some(at("2024-05-01T04:01:00Z")),
        ..AreaRecord::default()
    };
    let mut world = World::at("1970-01-01T12:00:00Z", "UTC", vec![record]);
    world.areas.set(vec![hall("04:00")]);
    assert_eq!(world.resets(10), 0, "the clock is not set yet");
    world.areas.correct("hall", 41, CorrectionReason::Person, String::new());
    world.set_wall("2024-05-01T12:10:00Z");
    assert_eq!((world.resets(60), world.inside()), (0, 41));
    assert_eq!(world.resets(24 * 60), 1, "the next night");
}

#[test]
fn on_days_when_clocks_change_there_is_one_reset() {
    // 02:30 comes twice on the one day in Berlin, and not at all on the other.
    for start in ["2024-10-26T20:00:00Z", "2024-03-30T20:00:00Z"] {
        let mut world = World::at(start, "Europe/Berlin", Vec::new());
        world.areas.set(vec![hall("02:30")]);
        assert_eq!(world.resets(14 * 60), 1, "{start}");
    }
}

#[test]
fn an_alert_ends_only_well_below_the_threshold() {
    let mut world = World::at("2024-05-01T10:00:00Z", "UTC", Vec::new());
    world.areas.set(vec![AreaConfig { threshold: Some(40), ..config("hall", &["gate/door"]) }]);
    assert!(world.enter(39).is_empty());
    let begun = world.enter(1);
    assert!(matches!(&begun[0].kind, EventKind::Area(AreaEvent::Threshold { over: true, inside: 40, .. })));
    assert!(world.leave(2).is_empty() && world.enter(2).is_empty(), "38 are not well below 40");
    assert!(world.areas.shown().load()[0].is_over);
    let over = world.leave(3);
    assert!(matches!(&over[0].kind, EventKind::Area(AreaEvent::Threshold { over: false, inside: 37, .. })));
}

#[test]
fn the_first_correction_tells_nothing_of_drift_because_people_may_have_been_inside_before() {
    for reason in CorrectionReason::ALL {
        let mut world = World::at("2024-05-01T10:00:00Z", "UTC", Vec::new());
        world.areas.set(vec![config("hall", &["gate/door"])]);
        let drift = |world: &World| world.areas.shown().load()[0].drift;
        world.enter(5);
        world.areas.correct("hall", 40, reason, String::new());
        assert_eq!(drift(&world), None);
        world.enter(10);
        world.areas.correct("hall", 49, CorrectionReason::Person, "anna".into());
        assert_eq!(drift(&world), Drift::of([(50, 49, 10)]));
    }
}

#[test]
fn a_quiet_hour_that_is_new_at_a_start_waits_for_its_next_time() {
    let hour = |wall: &str| millis(SystemTime::from(wall.parse::<Timestamp>().unwrap()));
    let known = hour("2024-05-01T02:00:00Z");
    let record = AreaRecord { name: "hall".into(), base: 37, known, ..AreaRecord::default() };
    let mut world = World::at("2024-05-02T10:00:00Z", "UTC", vec![record.clone()]);
    world.areas.set(vec![hall("04:00")]);
    assert_eq!((world.resets(60), world.inside()), (0, 37), "people are inside at ten");
    world.set_wall("2024-05-03T04:00:00Z");
    assert_eq!((world.resets(2), world.inside()), (1, 0));
    // One that has reset it before makes up for the night.
    let reset = Some(hour("2024-05-01T04:01:00Z"));
    let mut world = World::at("2024-05-02T10:00:00Z", "UTC", vec![AreaRecord { reset, ..record }]);
    world.areas.set(vec![hall("04:00")]);
    assert_eq!((world.resets(2), world.inside()), (1, 0));
}

#[test]
fn an_area_that_comes_back_with_a_quiet_hour_that_it_did_not_have_waits_for_its_next_time() {
    let mut world = World::at("2024-05-01T10:00:00Z", "UTC", Vec::new());
    world.areas.set(vec![config("hall", &["gate/door"])]);
    world.enter(5);
    world.areas.set(Vec::new());
    world.set_wall("2024-05-02T10:00:00Z");
    world.areas.set(vec![hall("04:00")]);
    assert_eq!((world.resets(60), world.inside()), (0, 5));
}
