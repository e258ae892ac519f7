//! What the screens say is what is: what is there already, what stays in the file, what will not come, and one name
//! for one thing.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use pcount::{
    config::SourceConfig,
    internals::tui::screen_id::ScreenId,
    model::{AreaSnapshot, Event, EventKind, SourceState, StateKind},
};

use super::{fake, looks::SIZES, stage::Stage};

fn mixed() -> Stage {
    Stage::new(fake::mixed())
}

/// Waits until the host has been told to keep this many things.
fn saved(stage: &Stage, count: usize) -> Vec<String> {
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while stage.host.saved.lock().len() < count {
        assert!(std::time::Instant::now() < end, "saved: {:?}", stage.host.saved.lock());
        std::thread::yield_now();
    }
    stage.host.saved.lock().clone()
}

fn words(text: &str) -> String {
    text.replace(['│', '|'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_source_that_is_there_already_is_said_before_it_is_added() {
    // As the engine of these tests runs 'camera_01'.
    let typed = "demo:street?seed=9";
    for open in ["a", ":add<enter>"] {
        for pasted in [false, true] {
            let mut stage = mixed().configured();
            stage.keys(open);
            if pasted {
                stage.session.ui.paste(&format!("{typed}\nrtsp://10.0.0.9/1\n"));
            } else {
                stage.keys("demo:street?people=6&seed=9");
            }
            stage.keys("<enter>");
            let text = words(&stage.text(80, 24));
            assert!(text.contains("it is there already, as 'camera_01'"), "{text}");
            assert!(text.contains("Enter again adds it all the same"), "{text}");
            assert!(stage.engine.take_sent().is_empty() && stage.host.saved.lock().is_empty());
            stage.keys("<enter>");
            assert!(stage.engine.take_sent()[0].starts_with("add demo_street demo:street"));
        }
    }
}

#[test]
fn a_source_that_stands_in_the_file_and_does_not_run_is_said_too() {
    let mut stage = mixed().configured();
    let kept = SourceConfig::from_source_string("rtsp://10.0.0.9/1", &BTreeSet::new()).unwrap();
    *stage.host.kept.lock() = vec![SourceConfig { alias: "Gate".into(), ..kept }];
    stage.keys("artsp://10.0.0.9:554/1<enter>");
    let text = words(&stage.text(80, 24));
    assert!(text.contains("'cams.json' has it already, as 'Gate (10.0.0.9)'"), "{text}");
    assert!(stage.engine.take_sent().is_empty());
}

#[test]
fn a_path_that_does_not_exist_is_said_before_it_is_added_and_only_once() {
    let mut stage = mixed();
    stage.keys("aon/the/way.mp4<enter>");
    assert!(words(&stage.text(80, 24)).contains("on/the/way.mp4' does not exist; Enter again"));
    assert!(stage.engine.take_sent().is_empty());
    stage.keys("<enter>");
    assert!(stage.engine.take_sent()[0].starts_with("add way "));
    // Another text is another question.
    let mut stage = mixed();
    stage.keys("agone.mp4<enter>4<enter>");
    assert!(words(&stage.text(80, 24)).contains("gone.mp44' does not exist"));
    assert!(stage.engine.take_sent().is_empty());
    // Trying it out has said so already.
    let mut stage = mixed();
    stage.keys("agone.mp4");
    stage.tick();
    stage.pass(Duration::from_millis(1300));
    stage.wait_for("cannot connect");
    stage.keys("<enter><enter>");
    assert!(stage.engine.take_sent()[0].starts_with("add gone "));
}

#[test]
fn removing_offers_the_file_too_where_there_is_one() {
    let mut stage = mixed().configured();
    stage.keys("d");
    for (width, height) in SIZES.into_iter().filter(|(width, height)| *width >= 60 && *height >= 16) {
        let text = words(&stage.text(width, height));
        assert!(text.contains("y remove here f remove from the file, too n no"), "{text}");
        assert!(text.contains("comes back with the next") && text.contains("out of 'cams.json'"), "{text}");
    }
    stage.keys("x");
    assert!(words(&stage.text(60, 16)).contains("press y, f or n"));
    // The preview of the large screen is gone with it.
    stage.tick();
    stage.engine.take_sent();
    stage.keys("y");
    assert_eq!(
        (stage.said().as_str(), stage.engine.take_sent()),
        ("removed here", vec!["remove camera_01".into()])
    );
    stage.keys("  df");
    assert_eq!(stage.engine.take_sent(), ["remove camera_01", "remove camera_02"]);
    assert_eq!(saved(&stage, 1), ["without camera_01, camera_02"]);
    let mut stage = mixed();
    stage.keys("df");
    assert!(stage.session.ui.dialog.is_some(), "{}", stage.said());
    assert!(!stage.text(80, 24).contains("file"));
}

#[test]
fn what_is_added_and_then_removed_reaches_the_file_in_this_order() {
    let mut stage = mixed().configured();
    stage.host.stuck.store(true, Ordering::SeqCst);
    stage.keys("ademo:lobby<enter><enter>");
    stage.engine.change(|snapshot| {
        let new = fake::source("demo_lobby", "demo_lobby", SourceState::Running);
        snapshot.sources.push(std::sync::Arc::new(new));
    });
    stage.tick();
    stage.keys("df");
    assert_eq!(stage.engine.take_sent().last().unwrap(), "remove demo_lobby");
    stage.host.stuck.store(false, Ordering::SeqCst);
    let saved = saved(&stage, 2);
    assert!(saved[0].starts_with("source demo_lobby") && saved[1] == "without demo_lobby", "{saved:?}");
}

#[test]
fn a_video_that_had_ended_is_counted_again_with_its_new_lines() {
    for (row, again) in [("/yesterday<enter>", true), ("/test<enter>", false), ("/side<enter>", false)] {
        let mut stage = mixed().configured();
        stage.keys(&format!("{row}E<shift-down><enter>"));
        let sent = stage.engine.take_sent();
        let lines = sent.iter().position(|sent| sent.starts_with("lines ")).unwrap();
        assert_eq!(sent[lines + 1..].iter().any(|sent| sent == "restart video_02"), again, "{sent:?}");
        stage.wait_for("saved to");
        assert_eq!(stage.said().contains("counted again from its start"), again, "{}", stage.said());
    }
    let mut stage = mixed();
    stage.keys("/yesterday<enter>E<shift-down><enter>");
    assert!(stage.said().contains("it is counted again from its start"), "{}", stage.said());
}

#[test]
fn the_picture_of_the_dialog_is_there_to_draw_on() {
    let mut stage = mixed();
    stage.keys("ademo:lobby");
    stage.tick();
    stage.pass(Duration::from_millis(1300));
    stage.wait_for("it answers");
    stage.keys("<enter>");
    assert_eq!(stage.session.ui.screen(), ScreenId::Lines);
    assert!(stage.text(80, 24).contains("▀▀▀▀▀▀"), "{}", stage.text(80, 24));
}

#[test]
fn the_events_of_a_source_are_its_own_whatever_others_do() {
    let mut stage = mixed();
    let event = |source: &str, state| {
        Arc::new(Event::new(fake::ago(3_000), source, EventKind::State { state, error: None }))
    };
    *stage.engine.own.lock() = vec![event("camera_04", StateKind::Paused)];
    stage.engine.change(|snapshot| {
        snapshot.events = Arc::new((0..200).map(|_| event("camera_01", StateKind::Running)).collect());
    });
    stage.tick();
    stage.keys("/roof<enter><enter>3");
    let text = stage.text(60, 16);
    assert!(text.contains("11:44:56 paused"), "{text}");
    // In a frozen view, what was there when it was frozen.
    stage.keys("f");
    let mut now = (*event("camera_04", StateKind::Connecting)).clone();
    now.wall = fake::ago(0);
    stage.engine.own.lock().push(Arc::new(now));
    stage.pass(Duration::from_secs(2));
    assert!(!stage.text(60, 16).contains(" connecting"), "{}", stage.text(60, 16));
    stage.keys("f");
    stage.tick();
    assert!(stage.text(60, 16).contains(" connecting"), "{}", stage.text(60, 16));
}

#[test]
fn a_picture_that_will_not_come_is_not_waited_for() {
    let at = fake::TAKEN + Duration::from_secs(9);
    for (state, why) in [
        (SourceState::Connecting, "waiting for a frame (connecting)"),
        (SourceState::Running, "waiting for a frame (running)"),
        (SourceState::Queued, "no preview yet: it waits for an open slot"),
        (SourceState::Stalled, "it is connected and sends no frames"),
        (SourceState::Paused, "no preview while it is paused; p resumes it"),
        (SourceState::Completed, "the video has ended; r counts it again"),
        (SourceState::Disabled, "it is disabled; r starts it"),
        (SourceState::Unsupported, "nothing in it can be decoded"),
        (SourceState::Closed { opens: None }, "no preview: it is closed by its schedule"),
        (fake::closed(), "it is closed by its schedule until Mon 08:00"),
        (SourceState::Failed { next: None }, "it has failed; r tries it again"),
        (SourceState::Failed { next: Some(at) }, "it has failed, the next attempt is in 9s"),
        (SourceState::Retrying { attempt: 1, at }, "the connection is lost, the next attempt is in 9s"),
        (SourceState::AuthFailed { at }, "the login is refused, the next attempt is in 9s"),
        (SourceState::NoSuchStream { at }, "there is no such stream, the next attempt is in 9s"),
    ] {
        for keys in ["v", "<enter>1", "E"] {
            let mut stage = Stage::new(vec![fake::source("camera_01", "Gate", state.clone())]);
            stage.keys(keys);
            // What is said of frozen views and the like.
            stage.pass(Duration::ZERO);
            let text = words(&stage.text(200, 50));
            assert!(text.contains(why), "{state:?} {keys}: {text}");
        }
    }
}

#[test]
fn what_is_at_its_limit_is_not_over_it() {
    let mut stage = mixed();
    stage.engine.change(|snapshot| std::sync::Arc::make_mut(&mut snapshot.sources[0]).threshold = Some(11));
    stage.tick();
    let text = stage.text(120, 40);
    assert!(text.contains("Main Entrance (camera_01): at its limit, 11 of 11"), "{text}");
    assert!(text.contains("at its limit: 10 of 10") && !text.contains("over its limit"), "{text}");
}

#[test]
fn a_source_has_one_name_on_every_screen() {
    let name = "Side Exit (camera_02)";
    for (keys, width) in [
        ("", 120),
        ("j<enter>", 60),
        ("jv", 120),
        ("jE", 80),
        ("jl", 60),
        ("L", 120),
        ("jd", 60),
        ("jR", 60),
        ("W", 120),
    ] {
        let mut stage = mixed();
        stage.keys(keys);
        stage.tick();
        let text = stage.text(width, 40);
        assert!(text.contains(name), "{keys}: {text}");
    }
    let mut stage = mixed();
    stage.keys("H");
    stage.wait_for("All sources");
    assert!(stage.text(120, 40).contains("Main Entrance (camera_01)"), "{}", stage.text(120, 40));
    stage.keys("qjp");
    assert_eq!(stage.said(), format!("pausing '{name}'"));
    // Where there is no room the alias gives way, never the id.
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        let text = mixed().text(width, height);
        for id in ["(camera_01)", "(camera_02)", "(camera_03)"] {
            assert!(text.contains(id), "{text}");
        }
    }
}

#[test]
fn a_log_is_searched_by_either_name_of_a_source() {
    for words in ["car park", "camera_03", "camera-03", "park (camera_03)"] {
        let mut stage = mixed();
        stage.keys("L/");
        stage.session.ui.paste(words);
        stage.keys("<enter>");
        let text = stage.text(120, 40);
        assert!(text.contains("no route to host 10.0.0.17"), "{words}: {text}");
        assert!(!text.contains("Starting 8 sources") && !text.contains("FPS=25.3"), "{words}: {text}");
    }
}

#[test]
fn totals_that_differ_from_the_overview_say_why() {
    let mut stage = mixed();
    stage.keys("H");
    stage.wait_for("All sources");
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        if width < 80 {
            stage.keys("<tab>");
        }
        let text = words(&stage.text(width, height));
        assert!(text.contains("the overview has the last run of each video"), "{text}");
        if width < 80 {
            stage.keys("<tab>");
        }
    }
    stage.keys("j");
    let text = words(&stage.text(120, 40));
    assert!(text.contains("the overview counts since the last reset"), "{text}");
    stage.engine.change(|snapshot| {
        std::sync::Arc::make_mut(&mut snapshot.sources[0]).kind = pcount::model::SourceKind::Video;
    });
    stage.tick();
    let text = words(&stage.text(120, 40));
    assert!(text.contains("the overview has its last run; here each run counts"), "{text}");
    // Another day is another matter, and the same sums need no word.
    stage.keys("<left>");
    stage.wait_for("Yesterday");
    stage.wait_for("All sources");
    assert!(!stage.text(120, 40).contains("the overview"), "{}", stage.text(120, 40));
    let same = fake::source("camera_01", "Main Entrance", SourceState::Running);
    let mut stage = Stage::new(vec![fake::counted(same, 567, 306)]);
    stage.keys("H");
    stage.wait_for("All sources");
    stage.keys("j");
    assert!(!stage.text(120, 40).contains("the overview"), "{}", stage.text(120, 40));
}

#[test]
fn columns_of_the_history_never_touch() {
    for scale in ["", "+", "++", "-"] {
        let mut stage = mixed();
        stage.keys(&format!("H{scale}"));
        stage.wait_for("All sources");
        let mut seen = 0;
        for width in 60..=200 {
            for tab in ["<tab>", "<tab>"] {
                stage.keys(tab);
                let text = stage.text(width, 24);
                let head = text.lines().find(|line| line.contains(" Out ")).unwrap();
                for (left, right) in [("Inside", "Peak hour"), ("Net", "Inside"), ("Peak hour", "Watched")] {
                    assert!(!head.contains(&format!("{left}{right}")), "{width}: {head}");
                }
                seen += usize::from(head.contains("Inside") && head.contains("Peak hour"));
                // The hour with its day stands whole, and apart from the number before it.
                let row = text
                    .lines()
                    .find(|line| line.contains("All sources") && !line.contains('─'))
                    .unwrap_or("");
                if let Some(at) =
                    row.find("14 Mar ").filter(|_| head.contains("Peak hour") && !scale.starts_with('-'))
                {
                    assert!(row[..at].ends_with(' ') && row[at..].contains(":00"), "{width}: {row}");
                }
                assert!(!row.contains('…'), "{width}: {row}");
            }
        }
        assert!(seen > 20, "{scale}: {seen}");
    }
}

#[test]
fn keys_pressed_while_the_history_is_read_act_when_it_is_there() {
    let mut stage = mixed();
    stage.host.stuck.store(true, Ordering::SeqCst);
    stage.keys("Hj");
    assert!(stage.said().contains("the keys act when it is there"), "{}", stage.said());
    stage.keys("dn");
    stage.keys("jj<tab>");
    stage.host.stuck.store(false, Ordering::SeqCst);
    stage.wait_for("line gate");
    assert_eq!(stage.session.ui.screens.history.entry, 3);
    assert!(stage.session.ui.screens.history.in_rows && stage.session.ui.dialog.is_none());
    assert_eq!(stage.said(), "");
    // What it asks of the terminal gets there.
    let mut stage = mixed();
    stage.host.stuck.store(true, Ordering::SeqCst);
    assert!(stage.keys("Hjy").is_empty());
    stage.host.stuck.store(false, Ordering::SeqCst);
    stage.wait_for("line gate");
    assert!(matches!(
        &stage.session.take_left()[..],
        [pcount::internals::tui::effect::TerminalWork::Copy(_)]
    ));
    // And nothing holds up the way out.
    let mut stage = mixed();
    stage.host.stuck.store(true, Ordering::SeqCst);
    stage.keys("Hjq");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    stage.host.stuck.store(false, Ordering::SeqCst);
    stage.keys("H");
    stage.wait_for("line gate");
    assert_eq!(stage.session.ui.screens.history.entry, 0, "what was given up is not done later");
}

#[test]
fn workers_that_finish_are_no_more_than_are_on() {
    let mut stage = mixed();
    stage.engine.change(|snapshot| snapshot.worker_count = 1);
    stage.tick();
    assert!(stage.text(80, 24).contains("Workers: 1/1 active"), "{}", stage.text(80, 24));
    stage.keys("W");
    assert!(stage.text(80, 24).contains("1.0 of 1 busy"), "{}", stage.text(80, 24));
}

#[test]
fn a_camera_that_is_closed_says_until_when_and_has_nothing_to_pause_or_to_acknowledge() {
    let shop = fake::counted(fake::source("camera_01", "Shop", fake::closed()), 12, 9);
    let mut stage = Stage::new(vec![shop, fake::source("camera_02", "Gate", SourceState::Running)]);
    for (width, height) in [(80, 24), (120, 40)] {
        let text = words(&stage.text(width, height));
        assert!(text.contains("Closed") && text.contains("closed until Mon 08:00"), "{text}");
        assert!(!text.contains("ALERT"), "{text}");
    }
    insta::assert_snapshot!("closed_120x40", stage.picture(120, 40));
    stage.keys("p");
    assert_eq!(stage.said(), "nothing to pause: 'Shop (camera_01)' is closed by its schedule");
    assert!(stage.engine.take_sent().is_empty());
}

#[test]
fn where_there_is_no_room_for_all_areas_those_over_their_threshold_come_first() {
    let area = |number: usize| AreaSnapshot {
        name: format!("area {number}"),
        inside: 10,
        threshold: Some(5),
        is_over: matches!(number, 17 | 19),
        ..AreaSnapshot::default()
    };
    let mut stage = Stage::new(vec![fake::source("camera_01", "Shop", SourceState::Running)]);
    stage.engine.change(|snapshot| snapshot.areas = Arc::new((1..=20).map(area).collect()));
    stage.tick();
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        let text = words(&stage.text(width, height));
        assert!(text.contains("area 17") && text.contains("area 19"), "{width}x{height}: {text}");
        assert!(!text.contains("area 16"), "{width}x{height}: {text}");
    }
    let text = words(&stage.text(120, 40));
    assert!(text.contains("and 15 more areas: `pcount-tui ctl area`"), "{text}");
    stage.engine.change(|snapshot| {
        snapshot.areas =
            Arc::new((1..=20).map(|number| AreaSnapshot { is_over: number > 10, ..area(number) }).collect());
    });
    stage.tick();
    let text = words(&stage.text(120, 40));
    assert!(text.contains("and 15 more areas, 5 over the threshold"), "{text}");
}

#[test]
fn more_who_left_than_came_are_said_behind_the_number_inside() {
    let mut stage = Stage::new(vec![fake::source("camera_01", "Shop", SourceState::Running)]).with_areas();
    let text = words(&stage.text(120, 40));
    assert!(text.contains("yard 0 inside (counted -2)"), "{text}");
    stage.keys("A<tab>");
    let text = words(&stage.text(120, 40));
    assert!(text.contains("Counted: -2 In: 4 Out: 6"), "{text}");
}
