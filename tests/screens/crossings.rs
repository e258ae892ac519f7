//! Crossings looked at and judged: from the events, a source, an alert and the history, one by one and at random.

use std::time::Duration;

use insta::assert_snapshot;
use pcount::{
    config::Theme,
    internals::tui::{
        graphics::{Graphics, Kind},
        theme::Palette,
    },
    model::{Reason, Verdict},
};

use super::{
    fake::{self, crossing},
    looks::at_all_sizes,
    stage::Stage,
};

/// With strips of the crossings that the events tell of, and of some of this morning.
fn stage() -> Stage {
    let stage = Stage::new(fake::mixed());
    let mut crossings: Vec<_> = (1..=8)
        .map(|track| crossing(track, 4_000 - track, (track % 4 == 0).then_some(Reason::UTurn)))
        .collect();
    crossings.extend([crossing(211, 6, None), crossing(208, 2, None)]);
    *stage.host.crossings.lock() = crossings;
    stage
}

fn verdicts(stage: &Stage) -> Vec<(u64, Verdict, bool)> {
    let judged = stage.host.judged.lock();
    judged.iter().map(|it| (it.crossed.track, it.verdict, it.weight.is_some())).collect()
}

#[test]
fn enter_on_an_event_shows_its_strip_and_facts_and_a_key_judges_it() {
    let mut stage = stage();
    stage.keys("<tab><tab><up><enter>");
    stage.wait_for("2026-03-14-17");
    let text = stage.text(120, 40);
    for fact in
        ["Crossing 3 of 4: events", "in, counted", "0.90", "door", "Main Entrance", "#211", "on the line"]
    {
        assert!(text.contains(fact), "{fact}\n{text}");
    }
    assert!(text.contains("y right, n wrong, b wrong way (went out)"), "{text}");
    stage.keys("n");
    stage.wait_for("wrong: it did not happen,");
    assert!(stage.text(120, 40).contains("by anna on 2026-03-14 12:34:56"));
    assert_eq!(stage.said(), "saved in the ledger: wrong");
    stage.keys("b");
    stage.wait_for("both wrong: it went");
    assert_eq!(verdicts(&stage), [(211, Verdict::Wrong, false), (211, Verdict::OtherWay, false)]);
    // The one before, of another source, has no strip.
    stage.keys("<up>");
    stage.wait_for("none is kept");
    assert!(stage.text(80, 24).contains("in, not counted: turned back"));
    stage.keys("q");
    assert!(stage.text(120, 40).contains("Events"));
}

#[test]
fn the_cursor_stays_with_its_event_while_others_happen() {
    let mut stage = stage();
    stage.keys("<tab><tab><up><up>");
    let cursor = |stage: &mut Stage| {
        let text = stage.text(120, 40);
        text.split_once("▸12:").map(|(_, rest)| rest.lines().next().unwrap_or_default().to_owned()).unwrap()
    };
    let before = cursor(&mut stage);
    assert!(before.contains("#18"), "{before}");
    stage.engine.change(|snapshot| {
        let mut events = (*snapshot.events).clone();
        let mut newer = (*events[events.len() - 1]).clone();
        newer.number += 1;
        events.push(std::sync::Arc::new(newer));
        events.remove(0);
        snapshot.events = std::sync::Arc::new(events);
    });
    stage.pass(Duration::from_secs(1));
    assert_eq!(cursor(&mut stage), before);
    stage.keys("G");
    assert!(cursor(&mut stage).contains("#208"));
}

#[test]
fn the_same_picture_is_reached_from_source_alert_and_history() {
    let mut stage = stage();
    // Of the selected source, the newest.
    stage.keys("i");
    stage.wait_for("Crossing 10 of 10: Main Entrance (camera_01), the last 24 hours");
    stage.wait_for("#208");
    stage.keys("q");
    // What reached the limit: the alert is of 41 seconds ago, the last crossing before it of this morning.
    stage.keys("!i");
    stage.wait_for("#8");
    assert!(stage.text(80, 24).contains("Crossing 8 of 10"), "{}", stage.text(80, 24));
    stage.keys("q");
    // From the events of the source's own screen.
    stage.keys("<enter>3<enter>");
    stage.wait_for("#208");
    stage.keys("qq");
    // From the history, of the hour and of the whole day.
    stage.keys("H");
    stage.wait_for("Today");
    stage.keys("i");
    stage.wait_for("Crossing 10 of 10: all sources, Today");
    stage.keys("q<tab>");
    stage.keys("i");
    stage.wait_for("the hour from");
    stage.wait_for("no snapshots");
    let asked = stage.host.asked.lock().clone().unwrap();
    assert_eq!(asked.until - asked.since, 3_600_000);
    stage.keys("q-<enter>");
    stage.wait_for("the quarter of an hour from");
}

#[test]
fn a_random_sample_goes_from_crossing_to_crossing_and_tells_how_right_the_day_is() {
    let mut stage = stage();
    stage.keys("J");
    stage.wait_for("counted: none of 8 judged yet");
    stage.wait_for("2026-03-14-17");
    assert!(stage.text(80, 24).contains("Random sample of 10 crossings: all sources, Saturday 14 March"));
    for number in 0..10 {
        stage.wait_for("2026-03-14-17");
        let judged = number + 1;
        stage.keys(if number == 0 { "n" } else { "y" });
        let end = std::time::Instant::now() + Duration::from_mins(1);
        while stage.host.judged.lock().len() < judged || stage.session.ui.screens.crossings.judging {
            assert!(std::time::Instant::now() < end, "{}", stage.text(80, 24));
            stage.tick();
        }
        stage.tick();
    }
    let text = stage.text(80, 24);
    // 7 of 8 and 2 of 2, all with the weight of one: intervals by hand after Wilson.
    assert!(text.contains("counted: 7 of 8 right, precision 87.5 % (52.9-97.8) (95 % interval)"), "{text}");
    assert!(
        text.contains("not counted: 2 of 2 rightly left out, 100.0 % (34.2-100.0) (95 % interval)"),
        "{text}"
    );
    assert!(text.contains("all of them are judged"), "{text}");
    let mut tracks: Vec<u64> = verdicts(&stage).iter().map(|(track, ..)| *track).collect();
    tracks.sort_unstable();
    assert_eq!(tracks, [1, 2, 3, 4, 5, 6, 7, 8, 208, 211], "each once");
    assert!(verdicts(&stage).iter().all(|(.., is_drawn)| *is_drawn));
}

#[test]
fn what_cannot_be_noted_is_said_and_what_was_not_seen_is_not_judged() {
    let mut stage = stage();
    stage.host.full.store(true, std::sync::atomic::Ordering::SeqCst);
    stage.keys("<tab><tab><enter>");
    stage.wait_for("2026-03-14-17");
    stage.keys("y");
    stage.wait_for("not noted: the disk is full");
    assert!(stage.text(80, 24).contains("not yet"));
    let mut stage = Stage::new(fake::mixed());
    stage.keys("J");
    stage.wait_for("no snapshots of crossings are recorded of this time");
    stage.keys("y");
    assert_eq!(stage.said(), "there is nothing to judge");
    let mut stage = Stage::read_only(fake::mixed());
    stage.keys("<tab><tab><enter>y");
    assert!(stage.said().contains("read-only"), "{}", stage.said());
    assert_eq!(verdicts(&stage), []);
}

#[test]
fn looks_of_a_crossing() {
    let mut stage = stage();
    stage.keys("c<tab><tab><up><enter>");
    stage.wait_for("2026-03-14-17");
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        assert_snapshot!(format!("crossing_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("v+<right>");
    assert_snapshot!("crossing_near_80x24", stage.picture(80, 24));
    stage.keys("v");
    assert_snapshot!("crossing_one_120x40", stage.picture(120, 40));
    at_all_sizes("crossing_ascii", stage.colors(Palette::None, Theme::Mono).ascii());
}

#[test]
fn pixels_are_drawn_where_the_terminal_takes_them() {
    let mut stage = stage();
    stage.session.ui.graphics = Some(Graphics::new(Kind::Iterm2, (8, 16)));
    stage.keys("<tab><tab><up><enter>");
    stage.wait_for("2026-03-14-17");
    let buffer = stage.buffer(80, 24);
    let sent = |buffer: &ratatui::buffer::Buffer| -> Vec<String> {
        let cells = buffer.content().iter().map(|cell| cell.symbol().to_owned());
        cells.filter(|symbol| symbol.contains("\x1b]1337;File=")).collect()
    };
    let first = sent(&buffer);
    assert_eq!(first.len(), 1);
    assert_eq!(sent(&stage.buffer(80, 24)), first, "the same picture is not made twice");
    stage.keys("+");
    assert_ne!(sent(&stage.buffer(80, 24)), first);
}
