//! What must hold of counts whatever the scene: mirrored, reversed, enlarged and thinned-out scenes.

use pcount::{
    config::{SourceConfig, SourceSpec},
    count::{self, CountEvent},
    geometry::{Anchor, BBox},
    model::{Detection, Direction, LineConfig, SourceKind},
    track,
};
use proptest::prelude::*;

const ASPECT: f32 = 1.5;

/// A person who walks from one point to another and stands still at both ends.
#[derive(Debug, Clone)]
struct Walk {
    height: f32,
    from: (f32, f32),
    to: (f32, f32),
    start: f64,
    /// In body heights per second.
    speed: f32,
}

impl Walk {
    fn duration(&self) -> f64 {
        let way = (self.to.0 - self.from.0).hypot(self.to.1 - self.from.1);
        f64::from(way / (self.speed * self.height))
    }

    /// The box at `time`; seen for a second before and after the walk.
    fn at(&self, time: f64) -> Option<BBox> {
        let share = (time - self.start) / self.duration().max(1e-3);
        let seen = time >= self.start - 1.0 && time <= self.start + self.duration() + 1.0;
        let share = share.clamp(0.0, 1.0) as f32;
        let x = self.from.0 + (self.to.0 - self.from.0) * share;
        let y = self.from.1 + (self.to.1 - self.from.1) * share;
        let width = 0.4 * self.height;
        seen.then(|| BBox::new(x - width / 2.0, y - self.height, width, self.height))
    }
}

/// A line through the middle, at any angle, longer than the picture, and people who keep out of each
/// other's way (each has a lane of time of their own) and start and end well off the line.
fn scene() -> impl Strategy<Value = (LineConfig, Vec<Walk>)> {
    let walk = (0.08_f32..0.3, -0.6_f32..0.6, -0.6_f32..0.6, any::<bool>(), 0.4_f32..1.2, 0.8_f32..1.5);
    (0.0_f32..std::f32::consts::TAU, prop::collection::vec(walk, 1..4)).prop_map(|(angle, walks)| {
        let (sin, cos) = angle.sin_cos();
        let end = |sign: f32| [0.5 + sign * 2.0 * cos / ASPECT, 0.5 + sign * 2.0 * sin];
        let line = LineConfig { name: "L".into(), a: end(-1.0), b: end(1.0), anchor: Anchor::Center };
        let mut start = 1.0;
        let walks = walks
            .into_iter()
            .map(|(height, along, along_to, far, depth, speed)| {
                // Depth in body heights on either side; the centre is half a height above the feet.
                let at = |along: f32, depth: f32| {
                    let x = ASPECT / 2.0 + along * cos * 0.3 - depth * sin;
                    let y = 0.5 + along * sin * 0.3 + depth * cos;
                    (x, y + height / 2.0)
                };
                let side = if far { depth } else { -depth };
                let to = if speed > 1.1 { side } else { -side };
                let walk = Walk {
                    height,
                    from: at(along, side * height),
                    to: at(along_to, to * height),
                    start,
                    speed,
                };
                start += walk.duration() + 6.0;
                walk
            })
            .collect();
        (line, walks)
    })
}

fn count(line: &LineConfig, rate: f64, boxes: &dyn Fn(f64) -> Vec<BBox>, end: f64) -> (u64, u64) {
    let mut source = SourceConfig::new("scene", SourceKind::Video, SourceSpec::Demo(String::new()));
    source.lines = vec![line.clone()];
    let mut tracker = track::tracker_for(&source, ASPECT, 0.4, &track::TrackParams::DEFAULT);
    let mut counter = count::counter_for(&source, ASPECT, &count::CountParams::DEFAULT);
    let mut totals = (0, 0);
    for step in 0..(end * rate) as u64 {
        let time = step as f64 / rate;
        let found: Vec<Detection> =
            boxes(time).into_iter().map(|bbox| Detection { bbox, score: 0.8 }).collect();
        for event in counter.update(time, &tracker.update(time, &found)) {
            if let CountEvent::Crossing(crossing) = event {
                match crossing.direction {
                    Direction::In => totals.0 += 1,
                    Direction::Out => totals.1 += 1,
                }
            }
        }
    }
    totals
}

fn end_of(walks: &[Walk]) -> f64 {
    walks.iter().map(|walk| walk.start + walk.duration()).fold(0.0, f64::max) + 4.0
}

fn boxes_at(walks: &[Walk], time: f64) -> Vec<BBox> {
    walks.iter().filter_map(|walk| walk.at(time)).collect()
}

/// Positive on the *in* side.
fn depth(line: &LineConfig, (x, y): (f32, f32)) -> f32 {
    let a = (line.a[0] * ASPECT, line.a[1]);
    let b = (line.b[0] * ASPECT, line.b[1]);
    (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn each_walk_is_counted_once_the_right_way_and_in_minus_out_is_the_change_of_the_far_side(
        (line, walks) in scene()
    ) {
        let counted = count(&line, 15.0, &|time| boxes_at(&walks, time), end_of(&walks));
        let (mut expected, mut change) = ((0, 0), 0);
        for walk in &walks {
            let center = |(x, y): (f32, f32)| (x, y - walk.height / 2.0);
            let before = depth(&line, center(walk.from)) > 0.0;
            let after = depth(&line, center(walk.to)) > 0.0;
            change += i64::from(after) - i64::from(before);
            match (before, after) {
                (false, true) => expected.0 += 1,
                (true, false) => expected.1 += 1,
                _ => {}
            }
        }
        prop_assert_eq!(counted, expected);
        prop_assert_eq!(counted.0 as i64 - counted.1 as i64, change);
    }

    #[test]
    fn a_mirrored_scene_mirrors_the_counts((line, walks) in scene()) {
        let end = end_of(&walks);
        let plain = count(&line, 10.0, &|time| boxes_at(&walks, time), end);
        let flipped = LineConfig {
            a: [1.0 - line.a[0], line.a[1]],
            b: [1.0 - line.b[0], line.b[1]],
            ..line.clone()
        };
        let mirror = |bbox: BBox| BBox { x: ASPECT - bbox.x - bbox.w, ..bbox };
        let mirrored =
            count(&flipped, 10.0, &|time| boxes_at(&walks, time).into_iter().map(mirror).collect(), end);
        // Left and right of the walk along the line change places.
        prop_assert_eq!(mirrored, (plain.1, plain.0));
        let backwards = LineConfig { a: line.b, b: line.a, ..line };
        prop_assert_eq!(count(&backwards, 10.0, &|time| boxes_at(&walks, time), end), (plain.1, plain.0));
    }

    #[test]
    fn reversed_time_swaps_in_and_out((line, walks) in scene()) {
        let end = end_of(&walks);
        let plain = count(&line, 10.0, &|time| boxes_at(&walks, time), end);
        let reversed = count(&line, 10.0, &|time| boxes_at(&walks, end - 0.1 - time), end);
        prop_assert_eq!(reversed, (plain.1, plain.0));
    }

    #[test]
    fn half_the_frame_rate_changes_nothing((line, walks) in scene()) {
        let end = end_of(&walks);
        let plain = count(&line, 30.0, &|time| boxes_at(&walks, time), end);
        for rate in [15.0, 7.5, 5.0] {
            prop_assert_eq!(count(&line, rate, &|time| boxes_at(&walks, time), end), plain);
        }
    }

    /// Twice the pixels are the same frame heights, up to the rounding of boxes to whole pixels.
    #[test]
    fn resolution_changes_nothing((line, walks) in scene()) {
        let end = end_of(&walks);
        let rounded = |pixels: f32| {
            let round = move |value: f32| (value * pixels).round() / pixels;
            let boxes = |time: f64| -> Vec<BBox> {
                let whole = |b: BBox| BBox::new(round(b.x), round(b.y), round(b.w), round(b.h));
                boxes_at(&walks, time).into_iter().map(whole).collect()
            };
            count(&line, 10.0, &boxes, end)
        };
        prop_assert_eq!(rounded(360.0), rounded(720.0));
    }
}
