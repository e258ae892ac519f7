//! Adding a source, drawing its line, and what is kept of both.

use std::{sync::atomic::Ordering, time::Duration};

use insta::assert_snapshot;
use pcount::{
    internals::{host::ConfigPlace, tui::screen_id::ScreenId},
    model::SourceState,
};

use super::{
    fake,
    looks::{SIZES, at_all_sizes},
    stage::Stage,
};

fn two() -> Stage {
    Stage::new(vec![
        fake::counted(fake::source("camera_01", "Main Entrance", SourceState::Running), 12, 8),
        fake::counted(fake::source("camera_02", "Side Exit", SourceState::Running), 5, 7),
    ])
}

/// Lets the text in the dialog rest until it is tried out.
fn rest(stage: &mut Stage) {
    stage.tick();
    stage.pass(Duration::from_millis(1300));
}

/// Waits until the host has been told to keep this many things.
fn saved(stage: &mut Stage, count: usize) -> Vec<String> {
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while stage.host.saved.lock().len() < count {
        assert!(std::time::Instant::now() < end, "saved: {:?}", stage.host.saved.lock());
        std::thread::yield_now();
    }
    stage.host.saved.lock().clone()
}

#[test]
fn a_source_is_added_saved_and_its_line_drawn_without_another_key() {
    let mut stage = two().configured();
    stage.keys("a<enter>");
    assert!(stage.text(80, 24).contains("type a source first"));
    stage.keys("demo:lobby?people=6&seed=1<tab>Lobby<enter>");
    let sent = stage.engine.take_sent();
    assert!(sent[0].starts_with("add ") && sent[0].contains("demo:lobby?people=6&seed=1"), "{sent:?}");
    assert_eq!(stage.session.ui.screen(), ScreenId::Lines);
    assert_eq!(&*stage.session.ui.screens.lines.editor.as_ref().unwrap().source, "demo_lobby");
    assert_eq!(saved(&mut stage, 1), ["source demo_lobby 'Lobby' demo:lobby?people=6&seed=1 Beside"]);
    stage.wait_for("saved to 'cams.json'");
    stage.keys("<shift-down><enter>");
    assert!(saved(&mut stage, 2)[1].starts_with("lines demo_lobby"));
    // The engine has it with its next snapshot; then it is the selected one.
    stage.engine.change(|snapshot| {
        let new = fake::source("demo_lobby", "Lobby", SourceState::Running);
        snapshot.sources.push(std::sync::Arc::new(new));
    });
    stage.tick();
    stage.keys("q");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    assert_eq!(&*stage.session.ui.context.selected().unwrap().id, "demo_lobby");
}

#[test]
fn an_id_is_new_to_the_file_the_run_and_what_was_added_a_moment_ago() {
    let mut stage = two().configured();
    *stage.host.taken.lock() = vec!["demo_lobby".into()];
    for wanted in ["demo_lobby_2", "demo_lobby_3"] {
        stage.keys("ademo:lobby<enter>");
        let (sent, added) = (stage.engine.take_sent(), format!("add {wanted} demo:lobby"));
        assert!(sent.contains(&added), "{sent:?}");
        stage.keys("<enter>");
    }
}

#[test]
fn a_name_is_as_long_as_the_configuration_takes_and_no_longer() {
    let mut stage = two().configured();
    let longest = "n".repeat(80);
    stage.keys("ademo:lobby<tab>");
    stage.session.ui.paste(&longest);
    stage.keys("x");
    assert!(stage.text(80, 24).contains("a name has at most 80 characters"));
    stage.session.ui.paste("more");
    stage.keys("<enter>");
    assert_eq!(saved(&mut stage, 1), [format!("source demo_lobby '{longest}' demo:lobby Beside")]);
}

#[test]
fn without_a_file_it_lasts_for_this_run_and_a_file_is_offered() {
    let mut stage = two();
    stage.keys("ademo:lobby");
    assert!(stage.text(80, 24).contains("for this run; 'w' writes a configuration file later"));
    stage.keys("<enter>");
    assert!(stage.said().contains("for this run"), "{}", stage.said());
    assert!(stage.host.saved.lock().is_empty());
    stage.keys("<down><enter>");
    assert!(stage.said().contains("'w' writes a configuration file"), "{}", stage.said());
    stage.keys("w");
    assert!(stage.text(80, 24).contains("'cameras.json', with the sources of this run"));
    stage.keys("y");
    assert_eq!(saved(&mut stage, 1), ["new file with camera_01, camera_02"]);
    *stage.host.place.lock() = ConfigPlace::Nowhere;
    stage.tick();
    stage.keys("w");
    assert_eq!(stage.said(), "no configuration file can be written here");
}

#[test]
fn a_wrong_source_keeps_the_dialog_open_and_says_why() {
    let mut stage = two();
    stage.keys("aftp://10.0.0.1/x<enter>");
    assert!(stage.session.ui.dialog.is_some());
    assert!(stage.text(80, 24).contains("'ftp://' is no kind of source"));
    assert_eq!(stage.engine.take_sent(), Vec::<String>::new());
    stage.keys("<esc>");
    assert!(stage.session.ui.dialog.is_none());
}

#[test]
fn a_source_is_tried_out_when_typing_rests_and_its_picture_shows() {
    let mut stage = two();
    stage.keys("ademo:lobby");
    stage.tick();
    stage.pass(Duration::from_millis(500));
    assert!(!stage.text(80, 24).contains("answers"), "still typing");
    stage.pass(Duration::from_secs(1));
    stage.wait_for("it answers: 1280x720, 25 fps");
    assert!(stage.text(80, 24).contains("▀▀▀▀▀▀"), "{}", stage.text(80, 24));
    stage.keys("<ctrl-u>rtsp://10.0.0.9/1");
    assert!(!stage.text(80, 24).contains("answers"), "another text, another answer");
    rest(&mut stage);
    stage.wait_for("cannot connect: rtsp://10.0.0.9/1");
    stage.keys("<enter>");
    assert!(stage.text(80, 24).contains("Enter again adds it all the same"));
    assert!(stage.engine.take_sent().is_empty());
    stage.keys("<enter>");
    assert_eq!(stage.engine.take_sent()[0], "add 10.0.0.9 rtsp://10.0.0.9/1");
}

#[test]
fn an_old_answer_never_stands_for_a_newer_question_and_tries_are_few_and_named() {
    let mut stage = two();
    let slow: Vec<String> = (1..=5).map(|n| format!("rtsp://10.0.0.{n}/1")).collect();
    *stage.host.slow.lock() = slow.clone();
    stage.keys("a");
    for address in &slow {
        stage.keys(&format!("<ctrl-u>{address}"));
        rest(&mut stage);
    }
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while stage.host.probed.lock().len() < 3 {
        assert!(std::time::Instant::now() < end);
        std::thread::yield_now();
    }
    assert_eq!(stage.host.probed.lock().len(), 3, "the fourth and fifth wait");
    // The first ones answer at last: the screen still waits for the fifth.
    stage.host.slow.lock().retain(|address| *address == slow[4]);
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while stage.host.probed.lock().len() < 4 {
        assert!(std::time::Instant::now() < end);
        stage.tick();
        assert!(stage.text(80, 24).contains("trying it out"), "{}", stage.text(80, 24));
    }
    stage.host.slow.lock().clear();
    stage.wait_for("cannot connect: rtsp://10.0.0.5/1");
    let mut names = stage.host.probed.lock().clone();
    names.sort();
    assert_eq!(names, ["probe-1", "probe-2", "probe-3", "probe-5"], "nobody asks for the fourth any more");
}

#[test]
fn a_password_is_never_on_the_screen_and_has_its_place() {
    let mut stage = two().configured();
    stage.keys("artsp://admin:hunter2@10.0.0.9/1");
    for size in SIZES {
        assert!(!stage.text(size.0, size.1).contains("hunter2"));
    }
    let text = stage.text(120, 40);
    assert!(text.contains("user and password in a file beside it that only you can read"), "{text}");
    stage.keys("<tab><tab><right>");
    let text = stage.text(120, 40);
    assert!(text.contains("in 'cams.json', with user and password in the address"), "{text}");
    stage.keys("x");
    assert!(stage.text(120, 40).contains("left and right choose where the login goes"));
    stage.keys("<enter>");
    rest(&mut stage);
    stage.wait_for("cannot connect");
    assert!(stage.engine.take_sent().is_empty(), "it was tried, not added");
    stage.keys("<enter>");
    assert!(!stage.text(120, 40).contains("hunter2"));
    assert!(stage.engine.take_sent().iter().all(|sent| !sent.contains("hunter2")));
    assert!(saved(&mut stage, 1)[0].ends_with("Inside"));
    let mut stage = two();
    stage.keys("ahttp://10.0.0.9/v?user=a&pwd=hunter2");
    assert!(!stage.text(120, 40).contains("hunter2"));
}

#[test]
fn a_password_reaches_nobody_before_the_address_is_complete() {
    for typed in [
        "rtsp://admin:hunter2@10.0.0.9/1",
        "rtsp://admin:1234",
        "rtsp://admin:1234/5",
        "rtsp://admin",
        "rtsp://10.0.0.9:8",
        "http://10.0.0.9/v?pwd=hunt",
        "rtsp://hunter2@10.0.0.9/1",
        "rtsp://${LOGIN}@10.0.0.9/1",
    ] {
        let mut stage = two();
        stage.keys("a");
        stage.session.ui.paste(typed);
        rest(&mut stage);
        stage.pass(Duration::from_mins(1));
        assert!(stage.host.probed.lock().is_empty(), "{typed}");
        let text = stage.text(80, 24);
        assert!(text.contains("try it out") && !text.contains("trying"), "{text}");
    }
    let mut stage = two();
    stage.keys("artsp://admin:hunter2@10.0.0.9/1<enter>");
    stage.tick();
    stage.wait_for("cannot connect");
    assert_eq!(stage.host.probed.lock().len(), 1);
    // Another character makes it another address.
    stage.keys("2");
    rest(&mut stage);
    assert_eq!(stage.host.probed.lock().len(), 1);
}

#[test]
fn lines_that_could_not_be_saved_count_and_are_saved_by_another_enter() {
    let mut stage = two().configured();
    stage.host.full.store(true, Ordering::SeqCst);
    stage.keys("E<shift-down><enter>");
    stage.wait_for("NOT SAVED: Enter tries again");
    assert!(stage.said().contains("no space left"), "{}", stage.said());
    assert_eq!(stage.engine.take_sent().iter().filter(|sent| sent.starts_with("lines")).count(), 1);
    stage.keys("q");
    assert!(stage.said().contains("is not saved: Enter tries again"), "{}", stage.said());
    stage.keys("q");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    // Another day, another disk: the same lines are still waiting.
    stage.host.full.store(false, Ordering::SeqCst);
    stage.keys("E<enter>");
    assert!(saved(&mut stage, 1)[0].contains("0.55"), "the lines that run");
    assert!(stage.engine.take_sent().iter().all(|sent| !sent.starts_with("lines")), "they run already");
    stage.wait_for("as it was before: 'cams.json.bak'");
    stage.keys("<enter>");
    assert_eq!(stage.said(), "nothing was changed; q goes back");
    // The line that a new source comes with is all right with one more Enter.
    stage.keys("qademo:lobby<enter><enter>");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    assert!(stage.said().starts_with("it counts at the line across the middle"), "{}", stage.said());
}

#[test]
fn a_message_that_is_too_long_for_one_line_is_not_cut() {
    let mut stage = two();
    let long = "saved to '/etc/pcount/cams.json', its login to '/etc/pcount/cams.logins/gate'; as it was \
                before: '/etc/pcount/cams.json.bak2'";
    stage.session.ui.context.say(long, pcount::internals::tui::context::Tone::Done);
    for (width, height) in SIZES {
        let text = stage.text(width, height);
        let lines: Vec<&str> = text.lines().collect();
        let foot =
            lines[lines.len().saturating_sub(3)..].join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(foot.contains("cams.json.bak2'") && foot.contains("saved to '/etc"), "{text}");
    }
}

#[test]
fn what_is_pasted_goes_to_the_field_with_the_cursor() {
    let mut stage = two();
    stage.keys("a");
    stage.session.ui.paste("  demo:lobby\n");
    stage.keys("<down>");
    stage.session.ui.paste("Front door");
    stage.keys("<up><enter>");
    assert_eq!(stage.engine.take_sent()[0], "add demo_lobby demo:lobby");
    assert!(stage.session.ui.dialog.is_none());
}

#[test]
fn looks_of_the_dialog() {
    let mut stage = Stage::new(fake::mixed()).configured();
    stage.keys("ademo:lobby");
    rest(&mut stage);
    stage.wait_for("it answers");
    for (width, height) in SIZES {
        assert_snapshot!(format!("add_source_answers_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("<ctrl-u>rtsp://admin:secret@10.0.0.9/1<tab>Gate<enter>");
    rest(&mut stage);
    stage.wait_for("cannot connect: rtsp://10.0.0.9/1");
    for (width, height) in SIZES {
        assert_snapshot!(format!("add_source_silent_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("<tab>");
    at_all_sizes("add_source_login", stage);
}

#[test]
fn looks_of_lines_that_are_not_saved() {
    let mut stage = Stage::new(fake::mixed()).configured();
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.host.full.store(true, Ordering::SeqCst);
    stage.keys("jE<shift-down><enter>");
    stage.wait_for("NOT SAVED");
    stage.pass(Duration::from_secs(7));
    stage.wait_for("with this: in 1");
    at_all_sizes("line_editor_not_saved", stage);
}

#[test]
fn looks_of_the_question_about_a_new_file() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("w");
    at_all_sizes("confirm_write_config", stage);
}

#[test]
fn looks_of_the_editor_before_there_is_a_picture() {
    let mut stage = Stage::new(vec![fake::retrying("camera_03", "Car Park")]).configured();
    stage.keys("cE");
    stage.pass(Duration::from_secs(7));
    stage.wait_for("with this: in");
    at_all_sizes("line_editor_no_picture", stage);
}

#[test]
fn looks_of_warnings_in_the_editor() {
    let mut stage = Stage::new(fake::mixed()).configured();
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("jE");
    stage.tick();
    for _ in 0..12 {
        stage.keys("<shift-down>");
    }
    stage.wait_for("too near the lower edge");
    stage.wait_for("with this: in 0");
    at_all_sizes("line_editor_warns", stage);
}
