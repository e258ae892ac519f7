//! What has become of what was asked is said, and so is what cannot be read.

use std::time::Duration;

use pcount::{
    engine::EngineError,
    internals::tui::{context::Tone, screen_id::ScreenId},
    model::{SourceSnapshot, SourceState},
};

use super::{fake, stage::Stage};

fn sources() -> Vec<SourceSnapshot> {
    vec![fake::counted(fake::source("camera_01", "Main Entrance", SourceState::Running), 12, 8)]
}

fn one() -> Stage {
    Stage::new(sources())
}

fn not_opened() -> EngineError {
    let problem = "the system refuses more threads; it is tried again in 5 s".into();
    EngineError::NotOpened { id: "demo_lobby".into(), problem }
}

#[test]
fn a_source_that_is_not_added_is_not_said_to_be_and_not_saved() {
    let mut stage = one().configured();
    *stage.engine.refusal.lock() = Some(EngineError::DuplicateId("demo_lobby".into()));
    stage.keys("ademo:lobby<enter>");
    let text = stage.text(120, 40);
    assert!(text.contains("not added: there is a source with the id 'demo_lobby' already"), "{text}");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    assert!(stage.host.saved.lock().is_empty());
    // The dialog is still open, and the id still free.
    stage.keys("<enter>");
    let sent = stage.engine.take_sent();
    assert_eq!(sent, ["add demo_lobby demo:lobby", "add demo_lobby demo:lobby", "preview demo_lobby true"]);
    assert_eq!(stage.session.ui.screen(), ScreenId::Lines);
}

#[test]
fn a_source_that_is_added_but_not_opened_is_said_with_the_reason() {
    let mut stage = one();
    *stage.engine.refusal.lock() = Some(not_opened());
    stage.keys("ademo:lobby<enter>");
    let reason = "the system refuses more threads; it is tried again in 5 s";
    assert_eq!(stage.said(), format!("added, but 'demo_lobby' cannot be opened at the moment: {reason}"));
    assert_eq!(stage.session.ui.context.toast().unwrap().tone, Tone::Refused);
    assert_eq!(stage.session.ui.screen(), ScreenId::Lines, "it is there");
}

#[test]
fn an_addition_that_has_to_wait_is_said_to_and_then_what_came_of_it() {
    for refused in [false, true] {
        let mut stage = one();
        *stage.engine.owed.lock() = Some(Vec::new());
        stage.keys("ademo:lobby<enter>");
        assert!(stage.said().starts_with("'demo_lobby' is being added"), "{}", stage.said());
        stage.keys("<enter>");
        assert_eq!(stage.engine.take_sent(), ["add demo_lobby demo:lobby"], "once");
        assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
        let answer = stage.engine.owed.lock().take().unwrap().pop().unwrap();
        answer.give(if refused { Err(EngineError::Ended) } else { Ok(()) });
        stage.tick();
        if refused {
            assert!(stage.text(120, 40).contains("not added: the engine has ended"));
        } else {
            assert!(stage.said().starts_with("'demo_lobby' is added"), "{}", stage.said());
            assert_eq!(stage.session.ui.screen(), ScreenId::Lines);
        }
    }
}

#[test]
fn what_the_engine_refuses_is_said_also_when_it_is_late() {
    let mut stage = one();
    *stage.engine.refusal.lock() = Some(EngineError::UnknownSource("camera_01".into()));
    stage.keys("r");
    assert_eq!(stage.said(), "there is no source with the id 'camera_01'; it may have been removed");

    *stage.engine.owed.lock() = Some(Vec::new());
    stage.keys("r");
    assert_eq!(stage.said(), "restarting 'Main Entrance (camera_01)'");
    let answers = stage.engine.owed.lock().take().unwrap();
    answers.into_iter().for_each(|answer| answer.give(Err(not_opened())));
    stage.tick();
    assert!(stage.said().contains("cannot be opened at the moment"), "{}", stage.said());
    assert_eq!(stage.session.ui.context.toast().unwrap().tone, Tone::Refused);
}

#[test]
fn charts_that_cannot_be_read_say_so_where_they_are() {
    const WHY: &str = "ledger 'results/ledger.sqlite': disk I/O error";
    let mut stage = one();
    stage.wait_for("Main Entrance");
    *stage.host.unread.lock() = Some(WHY.into());
    stage.keys("<enter>");
    stage.wait_for(&format!("this run only: {WHY}"));
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let text = stage.text(width, height);
        assert!(text.contains("this run only"), "{text}");
    }
    // There it has a pane of its own.
    stage.keys("4");
    let text = stage.text(60, 16);
    assert!(text.contains("this run only"), "{text}");
    // It is said as long as it is so.
    *stage.host.unread.lock() = None;
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while stage.text(80, 24).contains("this run only") {
        assert!(std::time::Instant::now() < end, "{}", stage.text(80, 24));
        stage.pass(Duration::from_secs(6));
        std::thread::yield_now();
    }
}

#[test]
fn the_overview_says_that_the_time_before_this_run_cannot_be_read() {
    let mut stage = Stage::unread(sources(), "ledger 'results/ledger.sqlite': disk I/O error");
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while !stage.said().contains("charts hold this run only, the past cannot be read: ledger") {
        assert!(std::time::Instant::now() < end, "{}", stage.said());
        stage.pass(Duration::from_secs(61));
        std::thread::yield_now();
    }
}
