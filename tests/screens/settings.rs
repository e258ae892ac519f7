//! Settings of a source changed on the dashboard: typed, saved, taken back; and the mark where file and program part.

use std::time::Duration;

use insta::assert_snapshot;

use super::{fake, stage::Stage};

fn stage() -> Stage {
    Stage::new(fake::mixed()).configured()
}

fn saved(stage: &mut Stage, count: usize) -> Vec<String> {
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while stage.host.saved.lock().len() < count {
        assert!(std::time::Instant::now() < end, "saved: {:?}", stage.host.saved.lock());
        std::thread::yield_now();
    }
    stage.host.saved.lock().clone()
}

#[test]
fn looks_of_the_settings() {
    let mut stage = stage();
    stage.keys(",<tab><tab>9");
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        assert_snapshot!(format!("settings_{width}x{height}"), stage.picture(width, height));
    }
}

#[test]
fn settings_are_saved_and_the_change_can_be_undone() {
    let mut stage = stage();
    stage.keys(",<ctrl-u>Gate<tab>Hall<tab><ctrl-u>25<enter>");
    let written = saved(&mut stage, 1);
    assert!(
        written[0].starts_with("settings camera_01 ") && written[0].contains("alias: \"Gate\""),
        "{written:?}"
    );
    assert!(
        written[0].contains("location: Some(\"Hall") && written[0].contains("threshold: Some(25)"),
        "{written:?}"
    );
    stage.wait_for("'u' undoes it");
    assert!(stage.session.ui.dialog.is_none());
    stage.keys("u");
    let written = saved(&mut stage, 2);
    assert!(!written[1].contains("Gate") && !written[1].contains("Some(25)"), "{written:?}");
    stage.wait_for("the last change is undone");
    stage.keys("u");
    assert!(stage.said().contains("nothing to undo"));
}

#[test]
fn what_cannot_be_saved_stays_in_the_dialog_with_the_reason() {
    let mut stage = stage();
    stage.host.full.store(true, std::sync::atomic::Ordering::SeqCst);
    stage.keys(",Gate<enter>");
    stage.wait_for("no space left on device");
    assert!(stage.session.ui.dialog.is_some());
}

#[test]
fn what_file_and_program_say_differently_is_marked() {
    let mut stage = stage();
    assert!(!stage.text(120, 40).contains("FILE DIFFERS"));
    *stage.host.differs.lock() = vec!["new: Gate".into()];
    stage.pass(Duration::from_secs(11));
    stage.wait_for("FILE DIFFERS (:reload)");
    stage.host.differs.lock().clear();
    let end = std::time::Instant::now() + Duration::from_mins(1);
    let mut passed = 22;
    while stage.text(120, 40).contains("FILE DIFFERS") {
        assert!(std::time::Instant::now() < end);
        stage.pass(Duration::from_secs(passed));
        passed += 1;
    }
}
