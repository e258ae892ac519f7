//! Making a strip: five pictures of the place where the line was crossed, and what is to be drawn over them.

use std::sync::Arc;

use opencv::{
    core::{CV_8UC3, Mat, MatTrait as _, MatTraitConst as _, Rect, Scalar, Size},
    imgproc,
};

use super::{
    blur,
    marks::{Marked, Marks, PathPoint},
    ring::RingFrame,
    strip::{Facts, GAP, SIDE},
};
use crate::{
    geometry::{BBox, Point},
    model::LineConfig,
};

/// Side of the place that is shown, in heights of the person.
const AROUND: f32 = 3.0;

/// Smallest side of it, in frame heights: below, pixels would only get larger.
const SMALLEST: f32 = 0.35;

/// A crossing and the pictures that show it, in memory.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What happened.
    pub facts: Facts,
    /// The line that was crossed.
    pub line: LineConfig,
    /// Whether heads are blurred.
    pub blur: bool,
    /// The pictures of the strip, in order.
    pub shots: Vec<Arc<RingFrame>>,
    /// Where the person was, by time, in frame heights.
    pub path: Vec<(f64, BBox)>,
}

/// The part of the frame that is shown, in frame heights.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    left: f32,
    top: f32,
    side: f32,
}

impl Scene {
    /// The strip, in 8-bit BGR, without strokes.
    ///
    /// # Errors
    /// When OpenCV refuses.
    pub fn draw(&self) -> opencv::Result<Mat> {
        let count = self.shots.len() as i32;
        let width = count * (SIDE + GAP) - GAP;
        let mut strip = Mat::new_rows_cols_with_default(SIDE, width.max(1), CV_8UC3, Scalar::all(20.0))?;
        let window = self.window();
        for (number, shot) in self.shots.iter().enumerate() {
            let mut picture = shot.picture.bgr()?;
            if self.blur {
                for body in self.bodies(number) {
                    blur::blur(&mut picture, &blur::head(&body))?;
                }
            }
            let tile = cut_out(&picture, window)?;
            let place = Rect::new(number as i32 * (SIDE + GAP), 0, SIDE, SIDE);
            tile.copy_to(&mut strip.roi_mut(place)?)?;
        }
        Ok(strip)
    }

    /// Everybody who is in the picture of this number: the tracked ones, and those tracked only in the picture
    /// before or after it, about where they were there. Who is tracked from the second picture on was there in the first.
    fn bodies(&self, number: usize) -> Vec<BBox> {
        let people = |number: usize| self.shots.get(number).map_or(&[][..], |shot| &shot.people);
        let here = people(number);
        let mut bodies: Vec<BBox> = here.iter().map(|(_, body)| *body).collect();
        let around = number.checked_sub(1).map_or(&[][..], people).iter().chain(people(number + 1));
        for (track, body) in around {
            if !here.iter().any(|(known, _)| known == track) {
                bodies.push(body.grown(0.15 * body.h));
            }
        }
        bodies
    }

    /// Where the person was at `time`, in frame heights.
    fn at(&self, time: f64) -> Option<BBox> {
        let after = self.path.iter().position(|(at, _)| *at >= time);
        let (before, after) = match after {
            Some(0) => return self.path.first().map(|(_, body)| *body),
            Some(after) => (self.path[after - 1], self.path[after]),
            None => return self.path.last().map(|(_, body)| *body),
        };
        let share = ((time - before.0) / (after.0 - before.0).max(1e-6)) as f32;
        let mix = |a: f32, b: f32| a + (b - a) * share;
        let (a, b) = (before.1, after.1);
        Some(BBox::new(mix(a.x, b.x), mix(a.y, b.y), mix(a.w, b.w), mix(a.h, b.h)))
    }

    /// The same place in all pictures, around the person at the moment of the crossing.
    fn window(&self) -> Window {
        let aspect = self.shots.first().map_or(1.0, |shot| shot.picture.aspect());
        let largest = aspect.min(1.0);
        let (middle, side) = if let Some(body) = self.at(self.facts.time) {
            (body.center(), (AROUND * body.h).max(SMALLEST))
        } else {
            let [a, b] = [self.line.a, self.line.b];
            (Point::new(f32::midpoint(a[0], b[0]) * aspect, f32::midpoint(a[1], b[1])), 1.0)
        };
        let side = if side.is_finite() { side.min(largest) } else { largest };
        let begin = |middle: f32, length: f32| (middle - side / 2.0).clamp(0.0, (length - side).max(0.0));
        Window { left: begin(middle.x, aspect), top: begin(middle.y, 1.0), side }
    }

    /// What is to be drawn over the strip. People who are nowhere in it are left out.
    #[must_use]
    pub fn marks(&self) -> Marks {
        let window = self.window();
        let aspect = self.shots.first().map_or(1.0, |shot| shot.picture.aspect());
        let since = |time: f64| {
            let seconds = time - self.facts.time;
            if seconds.is_finite() { (seconds * 1e3).round() / 1e3 } else { 0.0 }
        };
        let marked = |shot: &Arc<RingFrame>| Marked {
            time: since(shot.time),
            people: shot
                .people
                .iter()
                .filter_map(|(track, body)| Some((*track, window.place(body)?)))
                .collect(),
        };
        let step = |(time, body): &(f64, BBox)| {
            let at = window.share(self.line.anchor.of(body));
            PathPoint { time: since(*time), at }
        };
        Marks {
            line: [self.line.a, self.line.b].map(|[x, y]| window.share(Point::new(x * aspect, y))),
            pictures: self.shots.iter().map(marked).collect(),
            path: self.path.iter().map(step).filter(|step| step.at.iter().all(|at| at.abs() < 3.0)).collect(),
        }
    }
}

impl Window {
    /// Where a point of the frame is in a picture of the strip, in its sides; to a thousandth, far less than a pixel.
    fn share(self, point: Point) -> [f32; 2] {
        let at = |length: f32, begin: f32| {
            let share = ((length - begin) / self.side.max(1e-6) * 1e3).round() / 1e3;
            if share.is_finite() { share.clamp(-99.0, 99.0) } else { -99.0 }
        };
        [at(point.x, self.left), at(point.y, self.top)]
    }

    /// The box of a person there: left, top, width, height. `None` where nothing of it is in the picture.
    fn place(self, body: &BBox) -> Option<[f32; 4]> {
        let [left, top] = self.share(Point::new(body.x, body.y));
        let [right, bottom] = self.share(Point::new(body.right(), body.bottom()));
        let to_thousandths = |length: f32| (length * 1e3).round() / 1e3;
        let is_in = left < 1.0 && top < 1.0 && right > 0.0 && bottom > 0.0;
        is_in.then(|| [left, top, to_thousandths(right - left), to_thousandths(bottom - top)])
    }
}

/// The window of a picture, as a picture of the strip.
fn cut_out(picture: &Mat, window: Window) -> opencv::Result<Mat> {
    let rows = picture.rows() as f32;
    let side = ((window.side * rows).round() as i32).clamp(1, picture.rows().min(picture.cols()));
    let begin = |length: f32, most: i32| ((length * rows).round() as i32).clamp(0, most - side);
    let rect = Rect::new(begin(window.left, picture.cols()), begin(window.top, picture.rows()), side, side);
    let mut tile = Mat::default();
    let way = if side > SIDE { imgproc::INTER_AREA } else { imgproc::INTER_CUBIC };
    imgproc::resize(&picture.roi(rect)?, &mut tile, Size::new(SIDE, SIDE), 0.0, 0.0, way)?;
    Ok(tile)
}

#[cfg(test)]
mod tests {
    use opencv::core::{MatTraitConstManual as _, Point as Pixel, Vec3b};

    use super::*;
    use crate::{
        evidence::{
            marks::{COUNTED, LINE, SUPPRESSED},
            small::Small,
        },
        geometry::Anchor,
        model::{Direction, Reason},
    };

    /// Five pictures of stripes, in which person 7 walks down over the middle and person 8, from the third picture on,
    /// stands at the left.
    fn scene(blur: bool) -> Scene {
        let mut frame = Mat::new_rows_cols_with_default(180, 320, CV_8UC3, Scalar::all(30.0)).unwrap();
        for column in (0..320).step_by(4) {
            let to = Pixel::new(column, 179);
            imgproc::line(&mut frame, Pixel::new(column, 0), to, Scalar::all(220.0), 1, imgproc::LINE_8, 0)
                .unwrap();
        }
        let picture = Small::of(&frame, None).unwrap();
        let walker = |number: usize| BBox::new(0.85, 0.15 + 0.1 * number as f32, 0.12, 0.3);
        let time = |number: usize| number as f64 * 0.45;
        let shots = (0..5).map(|number| {
            let mut people = vec![(7, walker(number))];
            people.extend((number >= 2).then_some((8, BBox::new(0.6, 0.4, 0.12, 0.3))));
            Arc::new(RingFrame { time: time(number), picture: picture.clone(), people })
        });
        Scene {
            facts: Facts {
                source: "gate".into(),
                line: "line_1".into(),
                direction: Direction::In,
                reason: None,
                confidence: None,
                track: 7,
                wall: 0,
                time: 0.9,
            },
            line: LineConfig { anchor: Anchor::Center, ..LineConfig::default() },
            blur,
            shots: shots.collect(),
            path: (0..5).map(|number| (time(number), walker(number))).collect(),
        }
    }

    /// Difference between neighbors in a row of a picture of the strip, on average, around a point of the frame.
    fn detail(strip: &Mat, scene: &Scene, number: i32, at: Point) -> f32 {
        let [x, y] = scene.window().share(at).map(|share| (share * SIDE as f32).round() as i32);
        let left = number * (SIDE + GAP);
        let value = |column: i32| i32::from(strip.at_2d::<Vec3b>(y, left + column).unwrap()[0]);
        let steps: i32 = (x - 8..x + 8).map(|column| (value(column) - value(column + 1)).abs()).sum();
        steps as f32 / 16.0
    }

    #[test]
    fn a_strip_has_five_pictures_with_line_path_and_box() {
        let counted = scene(false);
        let drawn = |scene: &Scene| {
            let mut strip = scene.draw().unwrap();
            let Facts { track, reason, .. } = scene.facts;
            scene.marks().draw(&mut strip, track, reason.is_none()).unwrap();
            strip
        };
        let strip = drawn(&counted);
        assert_eq!((strip.cols(), strip.rows()), (5 * SIDE + 4 * GAP, SIDE));
        let close = |color: [f64; 3], pixel: &Vec3b| {
            (0..3).all(|channel| (f64::from(pixel[channel]) - color[channel]).abs() < 40.0)
        };
        let has = |strip: &Mat, number: i32, color: [f64; 3]| {
            let tile = strip.roi(Rect::new(number * (SIDE + GAP), 0, SIDE, SIDE)).unwrap();
            let tile = tile.try_clone().unwrap();
            tile.data_typed::<Vec3b>().unwrap().iter().filter(|pixel| close(color, pixel)).count()
        };
        for number in 0..5 {
            assert!(has(&strip, number, LINE) > 50, "the line in picture {number}");
            assert!(has(&strip, number, COUNTED) > 100, "the box in picture {number}");
        }
        let mut not_counted = scene(false);
        not_counted.facts.reason = Some(Reason::UTurn);
        let strip = drawn(&not_counted);
        assert!(has(&strip, 2, SUPPRESSED) > 100 && has(&strip, 2, COUNTED) == 0);
    }

    #[test]
    fn heads_of_everybody_are_blurred_also_just_before_they_are_tracked() {
        let (sharp, blurred) = (scene(false), scene(true));
        let (clear, strip) = (sharp.draw().unwrap(), blurred.draw().unwrap());
        let own_head = |number: usize| Point::new(0.91, 0.19 + 0.1 * number as f32);
        let other_head = Point::new(0.66, 0.44);
        for number in 0..5 {
            let found = detail(&strip, &blurred, number as i32, own_head(number));
            assert!(detail(&clear, &sharp, number as i32, own_head(number)) > 15.0);
            assert!(found < 12.0, "the head of who crosses, in picture {number}: {found}");
        }
        for number in 1..5 {
            let found = detail(&strip, &blurred, number, other_head);
            assert!(found < 12.0, "the head of another person, in picture {number}: {found}");
        }
        assert!(
            detail(&strip, &blurred, 0, Point::new(0.66, 0.2)) > 15.0,
            "where nobody is, all is as it was"
        );
    }

    #[test]
    fn whatever_is_known_of_a_crossing_its_strip_can_be_drawn() {
        let mut odd = scene(true);
        odd.path.clear();
        odd.facts.track = 99;
        assert!(odd.draw().is_ok(), "nobody knows where they were");
        odd.path = vec![(0.9, BBox::new(f32::NAN, 0.0, 9.0, f32::INFINITY))];
        let mut strip = odd.draw().unwrap();
        assert!(odd.marks().draw(&mut strip, 99, true).is_ok());
        odd.shots.truncate(1);
        odd.facts.time = f64::NAN;
        assert!(odd.draw().is_ok());
        odd.shots.clear();
        assert!(odd.draw().is_ok() && serde_json::to_string(&odd.marks()).is_ok());
    }
}
