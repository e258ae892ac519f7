//! Every screen at every size, with names and errors as nasty as they come.

use pcount::{
    internals::tui::theme::Palette,
    model::{SourceSnapshot, SourceState},
};
use proptest::prelude::*;
use rayon::prelude::*;

use super::{fake, stage::Stage};

const SCREENS: [&str; 36] = [
    "V",
    "V/x",
    "!",
    "!j",
    "<enter>z",
    "<enter>3z<pgup>",
    "W",
    "H<tab>",
    "H+",
    "<enter>2",
    "<enter>3",
    "<enter>4+",
    "<enter>5",
    "<enter>6",
    "<enter>7<pgdn>",
    "L/no<enter><right>",
    "<enter>",
    "<enter>v+",
    "Et",
    "H",
    "",
    "v",
    "?",
    "L",
    "l",
    "a",
    "d",
    "R",
    "q",
    ":",
    ":zzz",
    "/x",
    "f",
    "<tab>",
    "<tab><tab>",
    "o2  c",
];

fn nasty(text: &str, number: u64) -> Vec<SourceSnapshot> {
    let mut sources = fake::mixed();
    for (index, source) in sources.iter_mut().enumerate() {
        source.alias = format!("{text}{index}");
        source.last_error = Some(format!("{text} {text}"));
        source.location = Some(text.to_string());
        source.total_in = number;
        source.fps = if number.is_multiple_of(2) { f32::NAN } else { number as f32 };
        source.threshold = Some(number as i64);
        source.frames_total = Some(number);
    }
    sources
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_nothing_dangerous_is_drawn(
        width in 1u16..=200,
        height in 1u16..=60,
        text in "\\PC{0,60}|[\\x00-\\x1f\\x7f\u{202e}\u{200b}\u{1f468}\u{200d}入\u{0301}]{0,20}",
        number in prop_oneof![Just(0u64), Just(1u64 << 53), 0u64..2_000_000],
        screen in 0..SCREENS.len(),
        plain: bool,
    ) {
        let mut stage = Stage::new(nasty(&text, number));
        if plain {
            stage = stage.colors(Palette::None, pcount::config::Theme::Mono).ascii();
        }
        *stage.engine.preview.lock() = Some(fake::preview());
        stage.keys(SCREENS[screen]);
        stage.tick();
        let buffer = stage.buffer(width, height);
        for cell in buffer.content() {
            prop_assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
        }
    }
}

#[test]
fn every_screen_at_every_size() {
    SCREENS.par_iter().for_each(|screen| {
        let mut stage = Stage::new(fake::mixed());
        *stage.engine.preview.lock() = Some(fake::preview());
        stage.keys(screen);
        stage.tick();
        for width in (1..=200).step_by(7) {
            // Every height where rows are few; of the others each third, which ones depends on the width.
            for height in (1..=60).filter(|height| *height <= 24 || (width + height) % 3 == 0) {
                stage.buffer(width, height);
            }
        }
    });
}

#[test]
fn no_text_runs_into_its_neighbour() {
    let mut sources = fake::mixed();
    sources[0].alias =
        "a very long name that would never fit into its column of the table at any size".into();
    sources[0].total_in = 999_999;
    sources[0].total_out = 123_456;
    sources[1].state = SourceState::NoSuchStream { at: fake::TAKEN + std::time::Duration::from_hours(25) };
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        let mut stage = Stage::new(sources.clone());
        let text = stage.text(width, height);
        let row = text.lines().find(|line| line.contains("999999")).unwrap_or_else(|| panic!("{text}"));
        let words: Vec<&str> = row.split_whitespace().collect();
        let rate = if width >= 100 { "25.3/25" } else { "25.3" };
        // Where it is narrow, the name goes before the rate.
        let rate = (width >= 80).then_some(rate);
        for word in rate.into_iter().chain(["999999", "123456", "876543"]) {
            assert!(words.contains(&word), "{word} at {width}x{height}: {row}");
        }
    }
}
