//! Every way in which counters are known to fail, as data: `tests/scenarios/*.json`.
//!
//! A scenario draws the boxes that a detector would give of people on known paths, at several detection
//! rates and phases, and says what must be counted. Units are the crate's: frame heights and seconds.

#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

use std::{collections::BTreeMap, path::PathBuf};

use pcount::{
    config::{SourceConfig, SourceSpec},
    count::{self, CountEvent},
    geometry::BBox,
    model::{Detection, Direction, LineConfig, Reason, SourceKind},
    track::{self, TrackUpdate},
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What happens, in words.
    about: String,
    /// Who is known to count this wrongly.
    fails: Vec<String>,
    aspect: f32,
    #[serde(default = "default_rates")]
    rates: Vec<f64>,
    lines: Vec<LineConfig>,
    people: Vec<Person>,
    expect: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    height: f32,
    #[serde(default = "default_score")]
    score: f32,
    /// Foot points (time, x, y), walked in straight lines; seen from the first to the last.
    path: Vec<[f64; 3]>,
    /// Times (from, to) in which nothing of them is seen.
    #[serde(default)]
    occluded: Vec<[f64; 2]>,
    /// Times (from, to) in which the lower part of the box (share of the height) is not seen.
    #[serde(default)]
    feet_occluded: Vec<[f64; 3]>,
    /// Times (from, to) and shift (x, y) of wrong boxes.
    #[serde(default)]
    glitches: Vec<[f64; 4]>,
    /// Times (from, to) in which a second box, of the upper half, is found with this score.
    #[serde(default)]
    doubled: Vec<[f64; 3]>,
    /// Largest error of a box edge, in body heights.
    #[serde(default = "default_jitter")]
    jitter: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    r#in: u64,
    out: u64,
    /// Suppressed events that must be told, by reason.
    #[serde(default)]
    suppressed: BTreeMap<Reason, u64>,
}

fn default_rates() -> Vec<f64> {
    vec![30.0, 15.0, 10.0, 5.0]
}

fn default_score() -> f32 {
    0.8
}

fn default_jitter() -> f32 {
    0.02
}

/// -1..=1, the same on every run.
fn noise(seed: u64) -> f32 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    state = (state ^ (state >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state ^= state >> 29;
    (state % 20_001) as f32 / 10_000.0 - 1.0
}

fn within(ranges: impl IntoIterator<Item = (f64, f64)>, time: f64) -> bool {
    ranges.into_iter().any(|(from, to)| from <= time && time < to)
}

impl Person {
    fn boxes(&self, time: f64, seed: u64, found: &mut Vec<Detection>) {
        let (Some(first), Some(last)) = (self.path.first(), self.path.last()) else { return };
        let outside = time < first[0] || time > last[0];
        if outside || within(self.occluded.iter().map(|[from, to]| (*from, *to)), time) {
            return;
        }
        let Some(step) = self.path.windows(2).find(|step| time <= step[1][0]) else { return };
        let share = (time - step[0][0]) / (step[1][0] - step[0][0]).max(1e-9);
        let at = |axis: usize| (step[0][axis] + (step[1][axis] - step[0][axis]) * share) as f32;
        let (mut x, mut y) = (at(1), at(2));
        for [from, to, dx, dy] in &self.glitches {
            if within([(*from, *to)], time) {
                x += *dx as f32;
                y += *dy as f32;
            }
        }
        let edge = |number: u64| self.jitter * self.height * noise(seed * 8 + number);
        let width = 0.4 * self.height;
        let (left, right) = (x - width / 2.0 + edge(0), x + width / 2.0 + edge(1));
        let (top, mut bottom) = (y - self.height + edge(2), y + edge(3));
        for [from, to, share] in &self.feet_occluded {
            if within([(*from, *to)], time) {
                bottom -= *share as f32 * self.height;
            }
        }
        found.push(Detection { bbox: BBox::from_corners(left, top, right, bottom), score: self.score });
        for [from, to, score] in &self.doubled {
            if within([(*from, *to)], time) {
                let bbox = BBox::from_corners(left, top, right, f32::midpoint(top, bottom));
                found.push(Detection { bbox, score: *score as f32 });
            }
        }
    }
}

/// Counts and suppressed events of each line.
fn play(scenario: &Scenario, rate: f64, phase: f64) -> Vec<(u64, u64, BTreeMap<Reason, u64>)> {
    let mut source = SourceConfig::new("scenario", SourceKind::Video, SourceSpec::Demo(String::new()));
    source.lines.clone_from(&scenario.lines);
    let mut tracker = track::tracker_for(&source, scenario.aspect, 0.4, &track::TrackParams::DEFAULT);
    let mut counter = count::counter_for(&source, scenario.aspect, &count::CountParams::DEFAULT);
    let end = scenario.people.iter().filter_map(|person| person.path.last()).map(|last| last[0]);
    let end = end.fold(0.0, f64::max) + 3.0;
    let mut events = Vec::new();
    let mut index = 0_u64;
    loop {
        let time = (index as f64 + phase) / rate;
        if time > end {
            break;
        }
        let mut found = Vec::new();
        for (number, person) in scenario.people.iter().enumerate() {
            person.boxes(time, index * 64 + number as u64, &mut found);
        }
        events.extend(counter.update(time, &tracker.update(time, &found)));
        index += 1;
    }
    let ended = TrackUpdate { ended: tracker.reset(), ..TrackUpdate::default() };
    events.extend(counter.update(end, &ended));
    let mut totals = vec![(0, 0, BTreeMap::new()); scenario.lines.len()];
    for event in events {
        match event {
            CountEvent::Crossing(crossing) => match crossing.direction {
                Direction::In => totals[crossing.line].0 += 1,
                Direction::Out => totals[crossing.line].1 += 1,
            },
            CountEvent::Suppressed(crossing, reason) => {
                *totals[crossing.line].2.entry(reason).or_default() += 1;
            }
        }
    }
    totals
}

#[test]
fn every_scenario_is_counted_right_at_every_rate_and_phase() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 25, "scenarios are missing: {files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let scenario: Scenario =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(!scenario.about.is_empty() && !scenario.fails.is_empty(), "{}", file.display());
        assert_eq!(scenario.lines.len(), scenario.expect.len(), "{}", file.display());
        for &rate in &scenario.rates {
            for phase in [0.0, 0.37, 0.71] {
                let totals = play(&scenario, rate, phase);
                for ((line, expected), (counted_in, counted_out, suppressed)) in
                    scenario.lines.iter().zip(&scenario.expect).zip(totals)
                {
                    let told =
                        expected.suppressed.iter().all(|(reason, n)| suppressed.get(reason) == Some(n));
                    if (counted_in, counted_out) != (expected.r#in, expected.out) || !told {
                        wrong.push(format!(
                            "{} at {rate}/s, phase {phase}, line {}: {counted_in}/{counted_out} {suppressed:?} \
                             instead of {}/{} {:?}",
                            file.file_stem().unwrap().to_string_lossy(),
                            line.name,
                            expected.r#in,
                            expected.out,
                            expected.suppressed,
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
