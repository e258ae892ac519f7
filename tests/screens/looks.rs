//! Snapshots.

use std::time::Duration;

use insta::assert_snapshot;
use pcount::{
    config::Theme,
    internals::tui::theme::Palette,
    model::{Overload, SourceState},
};

use super::{fake, stage::Stage};

pub const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 40), (200, 50)];

pub fn at_all_sizes(name: &str, mut stage: Stage) {
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
fn stalled_and_short_of_memory() {
    let mut stalled = fake::source("camera_01", "Main Entrance", SourceState::Stalled);
    stalled.last_error = Some("no frame for 20s".into());
    let mut waiting = fake::source("camera_02", "Side Exit", SourceState::Queued);
    waiting.last_error = Some("closed: the memory limit of 512 MiB is reached; waits for room".into());
    let mut rare = fake::source("camera_03", "Car Park", SourceState::Running);
    (rare.rate_share, rare.frame_share) = (0.2, 0.4);
    rare.throttled_by = Some(Overload::Memory);
    let mut stage = Stage::new(vec![stalled, waiting, rare]);
    stage.engine.change(|snapshot| {
        snapshot.memory_limit = Some(512 << 20);
        snapshot.rss = 530 << 20;
    });
    stage.tick();
    at_all_sizes("short_of_memory", stage);
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
    for (width, height) in SIZES {
        assert_snapshot!(format!("filtered_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("/");
    at_all_sizes("filter_typed", stage);
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
    at_all_sizes("marked_and_sorted", stage);
}

#[test]
fn acknowledged() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("c");
    stage.pass(Duration::from_secs(10));
    at_all_sizes("acknowledged", stage);
}

#[test]
fn counts_that_cannot_be_relied_upon() {
    let mut stage = Stage::new(fake::mixed());
    let scene = serde_json::json!({
        "doubt": "crowded", "heights": [0.14, 0.32], "scale": 2.0, "learnt": {},
    });
    stage.engine.change(|snapshot| {
        let source = std::sync::Arc::make_mut(&mut snapshot.sources[0]);
        source.scene = Some(serde_json::from_value(scene.clone()).unwrap());
    });
    stage.pass(Duration::from_secs(1));
    for (width, height) in SIZES {
        assert_snapshot!(format!("doubtful_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("<enter>");
    at_all_sizes("doubtful_detail", stage);
}

#[test]
fn notices_and_losses() {
    let mut stage = Stage::new(vec![fake::source("camera_01", "Door", SourceState::Running)]);
    stage.engine.change(|snapshot| {
        snapshot.notices = vec!["ONNX Runtime was not found; OpenCV runs the model".into()];
        snapshot.events_lost = 3;
        snapshot.log_lines_lost = 1200;
        let source = std::sync::Arc::make_mut(&mut snapshot.sources[0]);
        (source.rate_share, source.fps, source.dropped) = (0.62, 9.1, 345);
    });
    stage.pass(Duration::from_secs(1));
    at_all_sizes("notices_and_losses", stage);
}

#[test]
fn a_full_disk_stands_first_and_on_every_screen() {
    let mut stage = Stage::new(fake::mixed());
    stage.engine.change(|snapshot| {
        snapshot.problems = vec![
            "ledger 'out/ledger.sqlite': database or disk is full; crossings wait in memory, make room on the disk or \
             mend its rights"
                .into(),
        ];
    });
    stage.pass(Duration::from_secs(1));
    at_all_sizes("full_disk", stage);
    let mut stage = Stage::new(fake::mixed());
    stage.engine.change(|snapshot| snapshot.problems = vec!["the disk is full".into()]);
    stage.keys("cL");
    stage.pass(Duration::from_secs(1));
    assert!(stage.text(80, 24).lines().next().unwrap().contains("the disk is full"));
}

#[test]
fn alerts_show_on_every_screen_until_they_are_seen() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("L");
    assert!(
        stage
            .text(80, 24)
            .lines()
            .next()
            .unwrap()
            .contains("Main Entrance (camera_01): over its limit, 11 of 10")
    );
    at_all_sizes("logs_with_alerts", stage);
    let mut stage = Stage::new(fake::mixed());
    stage.keys("cL");
    assert!(!stage.text(80, 24).contains("over its limit"));
}

#[test]
fn read_only() {
    let mut stage = Stage::read_only(fake::mixed());
    stage.keys("p");
    at_all_sizes("read_only", stage);
}

#[test]
fn history() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("cH");
    stage.wait_for("All sources");
    stage.pass(Duration::from_secs(10));
    for (width, height) in SIZES {
        assert_snapshot!(format!("history_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("j<tab>jj");
    for (width, height) in SIZES {
        assert_snapshot!(format!("history_of_a_source_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("<tab>+<left>");
    stage.wait_for("Last week");
    stage.wait_for("Mon 2 Mar");
    stage.pass(Duration::from_secs(10));
    for (width, height) in SIZES {
        assert_snapshot!(format!("history_of_a_week_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("+<left>");
    stage.wait_for("disk I/O error");
    stage.pass(Duration::from_secs(10));
    at_all_sizes("history_unreadable", stage);
}

#[test]
fn workers() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("cWj");
    stage.pass(Duration::from_secs(10));
    at_all_sizes("workers_screen", stage);
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
    for (width, height) in SIZES {
        assert_snapshot!(format!("logs_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("/no !fps<enter>-");
    stage.pass(Duration::from_secs(10));
    for (width, height) in SIZES {
        assert_snapshot!(format!("logs_searched_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("/nowhere<enter>");
    at_all_sizes("logs_found_nothing", stage);
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
    for (width, height) in SIZES {
        assert_snapshot!(format!("preview_{width}x{height}"), stage.picture(width, height));
    }
    at_all_sizes("preview_ascii", stage.colors(Palette::None, Theme::Mono).ascii());
}

#[test]
fn detail() {
    let mut stage = Stage::new(fake::mixed());
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("cj<enter>");
    stage.wait_for("by the minute, last");
    stage.wait_for("most");
    stage.pass(Duration::from_secs(10));
    for (width, height) in SIZES {
        assert_snapshot!(format!("detail_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("v");
    for (width, height) in SIZES {
        assert_snapshot!(format!("detail_without_picture_{width}x{height}"), stage.picture(width, height));
    }
    for (key, name) in [("3", "events"), ("4", "chart"), ("5", "times"), ("6", "log"), ("7", "config")] {
        stage.keys(key);
        for (width, height) in [(60, 16), (80, 24), (120, 40)] {
            assert_snapshot!(format!("detail_{name}_{width}x{height}"), stage.picture(width, height));
        }
    }
    stage.keys("4++");
    stage.wait_for("by the hour");
    stage.wait_for("most");
    stage.pass(Duration::from_secs(10));
    at_all_sizes("detail_by_hour", stage);
}

#[test]
fn line_editor() {
    let mut stage = Stage::new(fake::mixed());
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("jE");
    stage.tick();
    stage.keys("<tab><shift-up>");
    stage.wait_for("in 2, out 0");
    for (width, height) in SIZES {
        assert_snapshot!(format!("line_editor_{width}x{height}"), stage.picture(width, height));
    }
    stage.wait_for("with this");
    stage.keys("n");
    for (width, height) in SIZES {
        assert_snapshot!(format!("line_editor_name_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("<esc>z<tab><tab><right>+");
    stage.wait_for("at most");
    stage.pass(Duration::from_secs(7));
    at_all_sizes("zone_editor", stage);
}

/// Waits until the editor says what an ignored region would have changed.
fn worked_out(stage: &mut Stage) {
    stage.wait_for("(all lines)");
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while stage.text(120, 40).contains("(working)") {
        assert!(std::time::Instant::now() < end, "it is never worked out");
        std::thread::yield_now();
        stage.tick();
    }
}

#[test]
fn ignored_regions_are_hatched_in_the_editor_on_the_source_and_on_the_wall() {
    let mut stage = Stage::new(fake::mixed());
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("jEI<tab><shift-left>");
    worked_out(&mut stage);
    stage.pass(Duration::from_secs(7));
    for (width, height) in SIZES {
        assert_snapshot!(format!("ignored_editor_{width}x{height}"), stage.picture(width, height));
    }
    stage.keys("<enter>q");
    stage.tick();
    stage.keys("<enter>1z");
    stage.tick();
    stage.pass(Duration::from_secs(7));
    assert_snapshot!("ignored_detail_80x24", stage.picture(80, 24));
    stage.keys("qV");
    stage.tick();
    stage.pass(Duration::from_secs(7));
    assert_snapshot!("ignored_wall_80x24", stage.picture(80, 24));
    let mut stage = Stage::new(fake::mixed()).colors(Palette::None, Theme::Dark).ascii();
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("jEI");
    worked_out(&mut stage);
    stage.pass(Duration::from_secs(7));
    assert_snapshot!("ignored_ascii_80x24", stage.picture(80, 24));
}

#[test]
fn detail_of_trouble() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("jj<enter>v");
    stage.wait_for("by the minute, last");
    at_all_sizes("detail_of_trouble", stage);
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
    for (width, height) in SIZES {
        assert_snapshot!(format!("no_color_ascii_{width}x{height}"), stage.picture(width, height));
    }
    let text = stage.text(120, 40).replace("入口カメラ", "");
    assert!(text.is_ascii(), "{text}");
    for (name, keys, ready) in [
        ("detail", "cj<enter>v4", "by the minute, last"),
        ("history", "cH", "All sources"),
        ("workers", "cWj", "Log of worker"),
        ("logs", "cL/no<enter>", "no route"),
    ] {
        let mut stage = Stage::new(fake::mixed()).colors(Palette::None, Theme::Dark).ascii();
        stage.keys(keys);
        stage.wait_for(ready);
        stage.pass(Duration::from_secs(10));
        for (width, height) in SIZES {
            assert_snapshot!(format!("no_color_{name}_{width}x{height}"), stage.picture(width, height));
        }
    }
    at_all_sizes("ansi16", Stage::new(fake::mixed()).colors(Palette::Ansi16, Theme::Dark));
    at_all_sizes("color_blind", Stage::new(fake::mixed()).colors(Palette::True, Theme::ColorBlind));
    at_all_sizes("light", Stage::new(fake::mixed()).colors(Palette::True, Theme::Light));
}

#[test]
fn areas_have_rows_of_their_own_and_an_alert() {
    let mut stage = Stage::new(fake::mixed()).with_areas();
    let text = stage.text(120, 40);
    assert!(text.contains("Area hall: 112 of 120 inside, threshold 100"), "{text}");
    assert!(text.contains("A corrects"), "{text}");
    let narrow = stage.text(80, 24);
    assert!(narrow.contains(" since "), "{narrow}");
    at_all_sizes("areas", stage);
}

#[test]
fn the_number_inside_an_area_is_corrected_in_a_dialog() {
    let mut stage = Stage::new(fake::mixed()).with_areas();
    stage.keys("A");
    assert!(stage.text(60, 16).contains("about 3 too many per 100 entries"));
    stage.keys("1x");
    at_all_sizes("correct_area", stage);
}
