//! The dashboard on an engine of another program: what its header, footer and help say, and lines drawn in two places.

use std::time::Duration;

use insta::assert_snapshot;
use pcount::{
    config::Theme,
    internals::{
        host::Drawn,
        tui::{effect::TerminalWork, theme::Palette},
    },
    model::LineConfig,
};

use super::{fake, stage::Stage};

const SIZES: [(u16, u16); 2] = [(60, 16), (120, 40)];

fn attached(mut stage: Stage) -> Stage {
    stage.session.ui.context.keymap.is_attached = true;
    stage
}

fn lose(stage: &mut Stage, age: u64) {
    *stage.engine.age.lock() = Some(Duration::from_secs(age));
    stage.engine.change(|snapshot| {
        snapshot.problems.insert(0, "no connection; asked again in 4 s: no engine answers".into());
    });
    stage.tick();
}

#[test]
fn it_says_that_it_is_attached_and_how_old_it_is_when_the_engine_does_not_answer() {
    for (name, palette) in [("attached", Palette::Ansi256), ("attached_no_color", Palette::None)] {
        let mut stage = attached(Stage::new(fake::mixed())).colors(palette, Theme::Dark);
        for (width, height) in SIZES {
            assert_snapshot!(format!("{name}_{width}x{height}"), stage.picture(width, height));
        }
        lose(&mut stage, 12);
        for (width, height) in SIZES {
            assert_snapshot!(format!("{name}_old_{width}x{height}"), stage.picture(width, height));
        }
    }
}

#[test]
fn the_mark_of_old_values_is_the_last_to_give_way_on_a_narrow_screen() {
    for age in [12, 5_000, 500_000] {
        for read_only in [false, true] {
            let stage = if read_only { Stage::read_only(fake::mixed()) } else { Stage::new(fake::mixed()) };
            let mut stage = attached(stage);
            lose(&mut stage, age);
            let text = stage.text(60, 16);
            assert!(text.lines().next().unwrap().contains("OLD, "), "{text}");
            assert!(text.contains("asked again in 4 s"), "{text}");
            stage.keys("f");
            let text = stage.text(60, 16);
            assert!(text.lines().next().unwrap().contains("OLD, "), "{text}");
        }
    }
    let mut stage = attached(Stage::read_only(fake::mixed()));
    let text = stage.text(60, 16);
    assert!(text.lines().next().unwrap().contains("read-only"), "{text}");
}

#[test]
fn q_detaches_at_once_and_no_word_says_that_it_ends_the_counting() {
    let mut stage = attached(Stage::new(fake::mixed()));
    let text = stage.text(120, 40);
    assert!(text.contains("q detach") && !text.contains("quit"), "{text}");
    stage.keys("?");
    stage.keys("/detach<enter>");
    let text = stage.text(120, 40);
    assert!(text.matches("the engine goes on").count() == 3 && !text.contains("quit from"), "{text}");
    stage.keys("<esc>q:quit");
    let text = stage.text(120, 40);
    assert!(text.contains("detach") && !text.contains("quit from"), "{text}");
    stage.keys("<esc>");
    let left = stage.keys("q");
    assert!(matches!(left[..], [TerminalWork::Quit(_)]), "without a question");
    let mut own = Stage::new(fake::mixed());
    assert!(own.text(120, 40).contains("q quit"));
}

/// Lines that run, drawn by somebody else.
fn drawn_elsewhere(stage: &mut Stage, name: &str) {
    let line = LineConfig { name: name.into(), a: [0.1, 0.3], b: [0.9, 0.3], ..LineConfig::default() };
    let id = stage.session.ui.context.selected().unwrap().id.clone();
    *stage.engine.drawn.lock() = Some((id, Drawn { lines: vec![line], ..Drawn::default() }));
    stage.tick();
}

#[test]
fn lines_that_were_changed_elsewhere_are_the_ones_that_are_edited() {
    let mut stage = Stage::new(fake::mixed());
    drawn_elsewhere(&mut stage, "theirs");
    stage.keys("E");
    assert!(stage.text(120, 40).contains("theirs (1 of 1)"), "as of now: {}", stage.text(120, 40));
    drawn_elsewhere(&mut stage, "newer");
    assert!(stage.text(120, 40).contains("newer (1 of 1)"), "{}", stage.text(120, 40));
    assert!(stage.said().contains("changed elsewhere"), "{}", stage.said());
    // What is drawn here stays.
    stage.keys("a");
    drawn_elsewhere(&mut stage, "newest");
    assert!(stage.text(120, 40).contains("(2 of 2)"), "{}", stage.text(120, 40));
    assert!(stage.said().contains("Enter replaces those"), "{}", stage.said());
    stage.keys("qqE");
    assert!(stage.text(120, 40).contains("newest (1 of 1)"), "{}", stage.text(120, 40));
}
