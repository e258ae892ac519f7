//! Drawing a strip: five pictures of the place where the line was crossed, with line, path and boxes.

use std::sync::Arc;

use opencv::{
    core::{CV_8UC3, Mat, MatTrait as _, MatTraitConst as _, Point as Pixel, Rect, Scalar, Size, Vector},
    imgcodecs, imgproc,
    prelude::VectorToVec as _,
};

use super::{blur, ring::Shot, strip::Facts};
use crate::{
    geometry::{BBox, Point},
    model::{LineConfig, TrackId},
};

/// Width and height of each picture of a strip, in pixels.
pub const SIDE: i32 = 160;

/// Between two pictures, in pixels.
const GAP: i32 = 2;

/// Side of the place that is shown, in heights of the person.
const AROUND: f32 = 3.0;

/// Smallest side of it, in frame heights: below, pixels would only get larger.
const SMALLEST: f32 = 0.35;

const QUALITY: i32 = 80;

/// Colors in BGR: the line, a counted crossing, one not counted, other people.
const LINE: [f64; 3] = [0.0, 215.0, 255.0];
const COUNTED: [f64; 3] = [80.0, 220.0, 80.0];
const SUPPRESSED: [f64; 3] = [60.0, 120.0, 255.0];
const OTHERS: [f64; 3] = [170.0, 170.0, 170.0];

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
    pub shots: Vec<Arc<Shot>>,
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
    /// The strip, as JPEG.
    ///
    /// # Errors
    /// When OpenCV refuses.
    pub fn encode(&self) -> opencv::Result<Vec<u8>> {
        let mut jpeg = Vector::new();
        let quality = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, QUALITY]);
        imgcodecs::imencode(".jpg", &self.draw()?, &mut jpeg, &quality)?;
        Ok(jpeg.to_vec())
    }

    /// The strip, in 8-bit BGR.
    fn draw(&self) -> opencv::Result<Mat> {
        let count = self.shots.len() as i32;
        let width = count * (SIDE + GAP) - GAP;
        let mut strip = Mat::new_rows_cols_with_default(SIDE, width.max(1), CV_8UC3, Scalar::all(20.0))?;
        let window = self.window();
        for (number, shot) in (0..).zip(&self.shots) {
            let mut picture = shot.picture.bgr()?;
            if self.blur {
                for body in self.bodies(shot) {
                    blur::blur(&mut picture, &blur::head(&body))?;
                }
            }
            let mut tile = cut_out(&picture, window)?;
            self.mark(&mut tile, shot, window)?;
            tile.copy_to(&mut strip.roi_mut(Rect::new(number * (SIDE + GAP), 0, SIDE, SIDE))?)?;
        }
        Ok(strip)
    }

    /// Everybody who is in a picture: those who were tracked, and those who were so only in the others, where they were
    /// nearest in time and a little around it. Who is tracked from the second picture on was there in the first.
    fn bodies(&self, shot: &Shot) -> Vec<BBox> {
        let mut bodies: Vec<BBox> = shot.people.iter().map(|(_, body)| *body).collect();
        let mut known: Vec<TrackId> = shot.people.iter().map(|(track, _)| *track).collect();
        let mut others: Vec<&Arc<Shot>> = self.shots.iter().collect();
        others.sort_by(|a, b| (a.time - shot.time).abs().total_cmp(&(b.time - shot.time).abs()));
        for (track, body) in others.iter().flat_map(|other| &other.people) {
            if !known.contains(track) {
                known.push(*track);
                bodies.push(body.grown(0.25 * body.h));
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
        let (middle, side) = match self.at(self.facts.time) {
            Some(body) => (body.center(), (AROUND * body.h).max(SMALLEST)),
            None => {
                let [a, b] = [self.line.a, self.line.b];
                (Point::new((a[0] + b[0]) / 2.0 * aspect, (a[1] + b[1]) / 2.0), 1.0)
            }
        };
        let side = if side.is_finite() { side.min(largest) } else { largest };
        let begin = |middle: f32, length: f32| (middle - side / 2.0).clamp(0.0, (length - side).max(0.0));
        Window { left: begin(middle.x, aspect), top: begin(middle.y, 1.0), side }
    }

    fn mark(&self, tile: &mut Mat, shot: &Shot, window: Window) -> opencv::Result<()> {
        let own = if self.facts.reason.is_some() { SUPPRESSED } else { COUNTED };
        let aspect = shot.picture.aspect();
        let [a, b] = [self.line.a, self.line.b].map(|end| Point::new(end[0] * aspect, end[1]));
        line(tile, window.pixel(a), window.pixel(b), LINE)?;
        self.mark_inside(tile, (a, b), window)?;
        for (track, body) in &shot.people {
            if *track != self.facts.track {
                frame(tile, body, window, OTHERS, 1)?;
            }
        }
        let anchor = |body: &BBox| window.pixel(self.line.anchor.of(body));
        let so_far: Vec<&BBox> =
            self.path.iter().filter(|(at, _)| *at <= shot.time + 1e-6).map(|(_, body)| body).collect();
        for pair in so_far.windows(2) {
            line(tile, anchor(pair[0]), anchor(pair[1]), own)?;
        }
        let body = shot.people.iter().find(|(track, _)| *track == self.facts.track).map(|(_, body)| body);
        if let Some(body) = body {
            frame(tile, body, window, own, 2)?;
            imgproc::circle(tile, anchor(body), 3, scalar(own), imgproc::FILLED, imgproc::LINE_AA, 0)?;
        }
        Ok(())
    }

    /// A short arrow from the line to the side that is *in*, beside the place where it was crossed.
    fn mark_inside(&self, tile: &mut Mat, (a, b): (Point, Point), window: Window) -> opencv::Result<()> {
        let length = a.distance(b).max(1e-6);
        let along = Point::new((b.x - a.x) / length, (b.y - a.y) / length);
        let place = self.at(self.facts.time).map_or(a, |body| self.line.anchor.of(&body));
        let far = (place.x - a.x) * along.x + (place.y - a.y) * along.y;
        // Beside the person, on the side where there is more of the line.
        let aside = if far > length / 2.0 { -0.35 } else { 0.35 } * window.side;
        let far = (far + aside).clamp(0.0, length);
        let foot = Point::new(a.x + along.x * far, a.y + along.y * far);
        let reach = 0.09 * window.side;
        let tip = Point::new(foot.x - along.y * reach, foot.y + along.x * reach);
        let (foot, tip) = (window.pixel(foot), window.pixel(tip));
        imgproc::arrowed_line(tile, foot, tip, scalar(LINE), 1, imgproc::LINE_AA, 0, 0.4)
    }
}

impl Window {
    /// Where a point of the frame is in a picture of the strip.
    fn pixel(self, point: Point) -> Pixel {
        let scale = SIDE as f32 / self.side;
        let at = |length: f32| length.clamp(-10_000.0, 10_000.0).round() as i32;
        Pixel::new(at((point.x - self.left) * scale), at((point.y - self.top) * scale))
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

fn scalar([blue, green, red]: [f64; 3]) -> Scalar {
    Scalar::new(blue, green, red, 0.0)
}

fn line(tile: &mut Mat, from: Pixel, to: Pixel, color: [f64; 3]) -> opencv::Result<()> {
    imgproc::line(tile, from, to, scalar(color), 1, imgproc::LINE_AA, 0)
}

fn frame(tile: &mut Mat, body: &BBox, window: Window, color: [f64; 3], thickness: i32) -> opencv::Result<()> {
    let (from, to) =
        (window.pixel(Point::new(body.x, body.y)), window.pixel(Point::new(body.right(), body.bottom())));
    imgproc::rectangle_points(tile, from, to, scalar(color), thickness, imgproc::LINE_8, 0)
}
