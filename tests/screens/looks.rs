//! Snapshots.

use std::time::Duration;

use insta::assert_snapshot;
use pcount::{config::Theme, store::SourceState, tui::theme::Palette};

use super::{fake, stage::Stage};

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 40), (200, 50)];

fn at_all_sizes(name: &str, mut stage: Stage) {
    for (width, height) in SIZES {
        assert_snapshot!(format!("{name}_{width}x{height}"), stage.picture(width, height));
    }
}

#[test]
fn live() {
    at_all_sizes("live", Stage::new(fake::mixed()));
}

#[test]
fn empty() {
    at_all_sizes("empty", Stage::new(Vec::new()));
}

#[test]
fn connecting() {
    let sources =
        (1..=3).map(|n| fake::source(&format!("camera_0{n}"), &format!("Door {n}"), SourceState::Connecting));
    at_all_sizes("connecting", Stage::new(sources.collect()));
}

#[test]
fn retrying_counts_down() {
    let mut stage = Stage::new(vec![fake::retrying("camera_03", "Car Park")]);
    assert!(stage.text(80, 24).contains("Retrying 4s"));
    stage.pass(Duration::from_secs(2));
    assert!(stage.text(80, 24).contains("Retrying 2s"), "{}", stage.text(80, 24));
    at_all_sizes("retrying", stage);
}

#[test]
fn paused() {
    let sources =
        (1..=2).map(|n| fake::source(&format!("camera_0{n}"), &format!("Door {n}"), SourceState::Paused));
    at_all_sizes("paused", Stage::new(sources.collect()));
}

#[test]
fn frozen() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("f");
    stage.engine.change(|snapshot| snapshot.queue_pending = 77);
    stage.pass(Duration::from_secs(61));
    at_all_sizes("frozen", stage);
}

#[test]
fn filtered() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("/building !side<enter>");
    assert_snapshot!("filtered_80x24", stage.picture(80, 24));
    stage.keys("/");
    assert_snapshot!("filter_typed_80x24", stage.picture(80, 24));
}

#[test]
fn filtered_to_nothing() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("/nowhere<enter>");
    at_all_sizes("filtered_to_nothing", stage);
}

#[test]
fn marked_and_sorted() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("o2  ");
    stage.pass(Duration::from_secs(10));
    assert_snapshot!("marked_and_sorted_120x40", stage.picture(120, 40));
}

#[test]
fn acknowledged() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("c");
    stage.pass(Duration::from_secs(10));
    assert_snapshot!("acknowledged_80x24", stage.picture(80, 24));
}

#[test]
fn notices_and_losses() {
    let mut stage = Stage::new(vec![fake::source("camera_01", "Door", SourceState::Running)]);
    stage.engine.change(|snapshot| {
        snapshot.notices = vec!["ONNX Runtime was not found; OpenCV runs the model".into()];
        snapshot.events_lost = 3;
        snapshot.log_lines_lost = 1200;
    });
    stage.tick();
    assert_snapshot!("notices_and_losses_120x40", stage.picture(120, 40));
}

#[test]
fn dialogs() {
    for (name, keys) in [
        ("confirm_reset", "R"),
        ("confirm_remove", "jd"),
        ("confirm_quit", "q"),
        ("add_source", "artsp://admin:secret@10.0.0.9/1"),
        ("add_source_wrong", "anowhere.mp4<enter>"),
        ("palette", ":sort"),
    ] {
        let mut stage = Stage::new(fake::mixed());
        stage.keys(keys);
        for (width, height) in SIZES {
            assert_snapshot!(format!("{name}_{width}x{height}"), stage.picture(width, height));
        }
    }
}

#[test]
fn help() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("?");
    at_all_sizes("help", stage);
}

#[test]
fn logs() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("L");
    at_all_sizes("logs", stage);
}

#[test]
fn panels_of_the_narrow_screen() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("<tab>");
    assert_snapshot!("workers_60x16", stage.picture(60, 16));
    stage.keys("<tab>");
    assert_snapshot!("events_60x16", stage.picture(60, 16));
}

#[test]
fn preview() {
    let mut stage = Stage::new(fake::mixed());
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("jv");
    stage.tick();
    assert_snapshot!("preview_120x40", stage.text(120, 40));
    assert_snapshot!("preview_80x24", stage.text(80, 24));
    let mut stage = stage.colors(Palette::None, Theme::Mono).ascii();
    assert_snapshot!("preview_ascii_80x24", stage.text(80, 24));
}

#[test]
fn detail() {
    let mut stage = Stage::new(fake::mixed());
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("j<enter>");
    stage.tick();
    for (width, height) in SIZES {
        assert_snapshot!(format!("detail_{width}x{height}"), stage.text(width, height));
    }
    stage.keys("v");
    at_all_sizes("detail_without_picture", stage);
}

#[test]
fn line_editor() {
    let mut stage = Stage::new(fake::mixed());
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("jE");
    stage.tick();
    stage.keys("<tab><shift-up>");
    for (width, height) in SIZES {
        assert_snapshot!(format!("line_editor_{width}x{height}"), stage.text(width, height));
    }
    stage.keys("n");
    assert_snapshot!("line_editor_name_80x24", stage.text(80, 24));
}

#[test]
fn detail_of_trouble() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("jj<enter>v");
    assert_snapshot!("detail_of_trouble_80x24", stage.picture(80, 24));
}

#[test]
fn too_small_says_so_and_follows_the_size() {
    let mut stage = Stage::new(fake::mixed());
    assert_snapshot!("too_small_48x12", stage.picture(48, 12));
    assert!(stage.text(59, 30).contains("too small: 59x30"));
}

#[test]
fn palettes_and_twins() {
    let mut stage = Stage::new(fake::mixed()).colors(Palette::None, Theme::Dark).ascii();
    assert_snapshot!("no_color_ascii_120x40", stage.picture(120, 40));
    let text = stage.text(120, 40).replace("入口カメラ", "");
    assert!(text.is_ascii(), "{text}");
    let mut stage = Stage::new(fake::mixed()).colors(Palette::Ansi16, Theme::Dark);
    assert_snapshot!("ansi16_80x24", stage.picture(80, 24));
    let mut stage = Stage::new(fake::mixed()).colors(Palette::True, Theme::ColorBlind);
    assert_snapshot!("color_blind_80x24", stage.picture(80, 24));
    let mut stage = Stage::new(fake::mixed()).colors(Palette::True, Theme::Light);
    assert_snapshot!("light_80x24", stage.picture(80, 24));
}
