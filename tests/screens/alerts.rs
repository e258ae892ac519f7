//! What is and was wrong, and the room that large terminals have: alerts, the wall of previews, layouts.

use std::time::Duration;

use insta::assert_snapshot;
use pcount::{
    internals::tui::effect::TerminalWork,
    model::{Acknowledgment, AlertKind, SourceState},
};

use super::{fake, stage::Stage};

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 40), (200, 50)];

fn looks(name: &str, stage: &mut Stage) {
    for (width, height) in SIZES {
        assert_snapshot!(format!("{name}_{width}x{height}"), stage.picture(width, height));
    }
}

/// A camera whose error is over.
fn recovered(stage: &mut Stage) {
    stage.engine.change(|snapshot| {
        let source = std::sync::Arc::make_mut(&mut snapshot.sources[2]);
        (source.state, source.last_error) = (SourceState::Running, None);
    });
}

#[test]
fn looks_of_the_alerts() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("!");
    stage.pass(Duration::from_secs(75));
    stage.keys("jc");
    recovered(&mut stage);
    stage.pass(Duration::from_secs(10));
    looks("alerts", &mut stage);
}

#[test]
fn an_alert_is_listed_with_its_course_also_when_it_is_over() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("!j");
    let text = stage.text(120, 40);
    assert!(text.contains("Alerts: 3, 3 not acknowledged"), "{text}");
    stage.keys("c");
    assert!(stage.said().starts_with("'Car Park (camera_03)' acknowledged"), "{}", stage.said());
    assert!(stage.text(120, 40).contains("Alerts: 3, 2 not acknowledged"));
    stage.pass(Duration::from_mins(1));
    recovered(&mut stage);
    stage.tick();
    let text = stage.text(160, 40);
    assert!(text.contains("Alerts: 2, 2 not acknowledged"), "{text}");
    let row = text.lines().find(|line| line.contains("Car Park")).unwrap();
    let who = pcount::internals::native::process::user();
    assert!(row.contains("over at") && row.contains("1m") && row.contains(&who), "{row}");
    stage.keys("G<enter>");
    assert!(stage.text(80, 24).contains("Car Park"), "its source opens");
}

#[test]
fn what_others_have_seen_is_acknowledged_here_with_their_name() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("!");
    stage.engine.change(|snapshot| {
        snapshot.acknowledged = std::sync::Arc::new(vec![Acknowledgment {
            source: "camera_03".into(),
            kind: AlertKind::Down,
            who: "anna".into(),
            wall: 1_773_500_000_000,
        }]);
    });
    stage.tick();
    let text = stage.text(160, 40);
    assert!(text.contains("Alerts: 3, 2 not acknowledged"), "{text}");
    let row = text.lines().find(|line| line.contains("Car Park")).unwrap();
    assert!(row.contains("anna, "), "{row}");
    stage.keys("c");
    let who = pcount::internals::native::process::user();
    let told = stage.engine.take_sent();
    assert!(
        told.iter().any(|it| it.starts_with("acknowledge ") && it.ends_with(&format!(" by {who}"))),
        "{told:?}"
    );
}

#[test]
fn with_three_hundred_cameras_down_the_bar_says_how_many_and_the_screen_lists_them() {
    let ids = (0..300).map(|number| format!("camera_{number:03}"));
    let sources = ids.map(|id| fake::retrying(&id, &id));
    let mut stage = Stage::new(sources.collect());
    assert!(stage.text(80, 24).contains("+297 more"), "{}", stage.text(80, 24));
    stage.keys("!G");
    let text = stage.text(80, 24);
    assert!(text.contains("Alerts: 300") && text.contains("camera_299"), "{text}");
}

#[test]
fn the_bell_rings_once_for_what_is_new() {
    let mut stage = Stage::new(fake::mixed());
    let bells = |stage: &mut Stage| {
        stage.session.take_left().iter().filter(|work| matches!(work, TerminalWork::Bell)).count()
    };
    assert_eq!(bells(&mut stage), 0, "it is off");
    stage.session.ui.set_bell(true);
    assert_eq!((bells(&mut stage), bells(&mut stage)), (1, 0));
    recovered(&mut stage);
    stage.tick();
    assert_eq!(bells(&mut stage), 0, "good news are silent");
}

#[test]
fn looks_of_the_wall() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("V");
    looks("wall", &mut stage);
}

#[test]
fn the_wall_asks_for_the_previews_that_it_shows_and_no_others() {
    let ids = (0..40).map(|number| format!("cam_{number:02}"));
    let sources = ids.map(|id| fake::source(&id, &id, SourceState::Running));
    let mut stage = Stage::new(sources.collect());
    stage.text(80, 24);
    stage.engine.take_sent();
    stage.keys("V");
    assert_eq!(
        stage.engine.take_sent(),
        ["preview cam_00 true", "preview cam_01 true", "preview cam_02 true", "preview cam_03 true"]
    );
    stage.keys("<pgdn>");
    let sent = stage.engine.take_sent();
    assert!(
        sent.contains(&"preview cam_00 false".into()) && sent.contains(&"preview cam_07 true".into()),
        "{sent:?}"
    );
    stage.keys("q");
    let sent = stage.engine.take_sent();
    assert!(sent.iter().all(|sent| sent.ends_with("false")), "{sent:?}");
}

#[test]
fn looks_of_the_layouts() {
    let mut stage = Stage::new(fake::mixed());
    for layout in ["panels", "detail", "table"] {
        stage.keys("t");
        assert_eq!(stage.said(), format!("layout: {layout}"));
        stage.pass(Duration::from_secs(7));
        for (width, height) in [(120, 40), (250, 70)] {
            assert_snapshot!(format!("layout_{layout}_{width}x{height}"), stage.picture(width, height));
        }
    }
}

#[test]
fn the_layout_is_there_again_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.json");
    let mut stage = Stage::new(fake::mixed());
    stage.session.remember_in(file.clone());
    stage.keys("ttt");
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("table")) {
        assert!(std::time::Instant::now() < end, "it is not written");
        std::thread::yield_now();
    }
    let mut stage = Stage::new(fake::mixed());
    stage.session.remember_in(file);
    stage.keys("t");
    assert_eq!(stage.said(), "layout: auto", "the one after the table");
}

#[test]
fn a_maximized_pane_has_all_the_room_and_gives_it_back() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("<enter>3z");
    let text = stage.text(200, 50);
    assert!(!text.contains("Source    "), "{text}");
    stage.keys("z");
    assert!(stage.text(200, 50).contains("In and out by the minute"));
}
