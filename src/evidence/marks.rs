//! What is drawn over the pictures of a strip, kept beside them: so a screen draws it as sharp as it can, and what is taken
//! out for training is a picture without strokes.

use opencv::{
    core::{Mat, MatTrait as _, MatTraitConst as _, Point as Pixel, Rect, Scalar},
    imgproc,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::strip::{GAP, SIDE};
use crate::{
    geometry::{BBox, Point},
    model::TrackId,
};

/// Colors in BGR: the line, a counted crossing, one not counted, other people.
pub(super) const LINE: [f64; 3] = [0.0, 215.0, 255.0];
pub(super) const COUNTED: [f64; 3] = [80.0, 220.0, 80.0];
pub(super) const SUPPRESSED: [f64; 3] = [60.0, 120.0, 255.0];
const OTHERS: [f64; 3] = [240.0, 240.0, 240.0];

/// What is drawn over the pictures of a strip. All places are in sides of a picture, from its upper left corner; what lies
/// outside of 0..=1 is not in the picture.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Marks {
    /// The line from a to b; *in* is on the right-hand side.
    pub line: [[f32; 2]; 2],
    /// What is marked in each picture, in their order.
    pub pictures: Vec<Marked>,
    /// Where the point of the body that must cross the line was, by time.
    pub path: Vec<PathPoint>,
}

/// What is marked in one picture.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Marked {
    /// When it was taken, in seconds from the crossing.
    pub time: f64,
    /// Everybody who is tracked in it: number of the track, left, top, width, height.
    pub people: Vec<(TrackId, [f32; 4])>,
}

/// A place of a path. Serialized as time, x, y.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "(f64, f32, f32)", into = "(f64, f32, f32)")]
pub struct PathPoint {
    /// In seconds from the crossing.
    pub time: f64,
    /// Where.
    pub at: [f32; 2],
}

impl From<(f64, f32, f32)> for PathPoint {
    fn from((time, x, y): (f64, f32, f32)) -> Self {
        Self { time, at: [x, y] }
    }
}

impl From<PathPoint> for (f64, f32, f32) {
    fn from(PathPoint { time, at: [x, y] }: PathPoint) -> Self {
        (time, x, y)
    }
}

impl Marks {
    /// The box of this track in the picture of this number, if it was tracked there.
    #[must_use]
    pub fn body(&self, number: usize, track: TrackId) -> Option<BBox> {
        let people = &self.pictures.get(number)?.people;
        people.iter().find(|(id, _)| *id == track).map(|(_, [x, y, w, h])| BBox::new(*x, *y, *w, *h))
    }

    /// The path until the moment of the picture of this number.
    #[must_use]
    pub fn path_until(&self, number: usize) -> Vec<Point> {
        let until = self.pictures.get(number).map_or(f64::NEG_INFINITY, |picture| picture.time);
        let so_far = self.path.iter().filter(|step| step.time <= until + 1e-6);
        so_far.map(|step| Point::new(step.at[0], step.at[1])).collect()
    }

    /// Draws all over `strip` (8-bit BGR): the crossing of `track`, counted or not.
    ///
    /// # Errors
    /// When OpenCV refuses, as for a strip that is too small for its pictures.
    pub fn draw(&self, strip: &mut Mat, track: TrackId, counted: bool) -> opencv::Result<()> {
        let own = if counted { COUNTED } else { SUPPRESSED };
        for number in 0..self.pictures.len() {
            let place = Rect::new(number as i32 * (SIDE + GAP), 0, SIDE, SIDE);
            let mut tile = strip.roi(place)?.try_clone()?;
            self.draw_one(&mut tile, number, track, own)?;
            tile.copy_to(&mut strip.roi_mut(place)?)?;
        }
        Ok(())
    }

    fn draw_one(&self, tile: &mut Mat, number: usize, track: TrackId, own: [f64; 3]) -> opencv::Result<()> {
        let [a, b] = self.line.map(|[x, y]| Point::new(x, y));
        line(tile, a, b, LINE)?;
        self.draw_inside(tile, (a, b))?;
        let people = self.pictures.get(number).map_or(&[][..], |picture| &picture.people);
        for (_, body) in people.iter().filter(|(id, _)| *id != track) {
            frame(tile, body, OTHERS, 1)?;
        }
        let path = self.path_until(number);
        for pair in path.windows(2) {
            line(tile, pair[0], pair[1], own)?;
        }
        if let Some((_, body)) = people.iter().find(|(id, _)| *id == track) {
            frame(tile, body, own, 2)?;
            if let Some(at) = path.last() {
                imgproc::circle(tile, pixel(*at), 3, scalar(own), imgproc::FILLED, imgproc::LINE_AA, 0)?;
            }
        }
        Ok(())
    }

    /// A short arrow from the line to the side that is *in*, beside the place where it was crossed.
    fn draw_inside(&self, tile: &mut Mat, (a, b): (Point, Point)) -> opencv::Result<()> {
        let length = a.distance(b).max(1e-6);
        let along = Point::new((b.x - a.x) / length, (b.y - a.y) / length);
        let order = |x: &&PathPoint, y: &&PathPoint| x.time.abs().total_cmp(&y.time.abs());
        let place = self.path.iter().min_by(order).map_or(a, |step| Point::new(step.at[0], step.at[1]));
        let far = (place.x - a.x) * along.x + (place.y - a.y) * along.y;
        // Beside the person, on the side where there is more of the line.
        let aside = if far > length / 2.0 { -0.35 } else { 0.35 };
        let far = (far + aside).clamp(0.0, length);
        let foot = Point::new(a.x + along.x * far, a.y + along.y * far);
        let tip = Point::new(foot.x - along.y * 0.09, foot.y + along.x * 0.09);
        imgproc::arrowed_line(tile, pixel(foot), pixel(tip), scalar(LINE), 1, imgproc::LINE_AA, 0, 0.4)
    }
}

fn pixel(point: Point) -> Pixel {
    let at = |length: f32| (length * SIDE as f32).clamp(-10_000.0, 10_000.0).round() as i32;
    Pixel::new(at(point.x), at(point.y))
}

fn scalar([blue, green, red]: [f64; 3]) -> Scalar {
    Scalar::new(blue, green, red, 0.0)
}

fn line(tile: &mut Mat, from: Point, to: Point, color: [f64; 3]) -> opencv::Result<()> {
    imgproc::line(tile, pixel(from), pixel(to), scalar(color), 1, imgproc::LINE_AA, 0)
}

fn frame(tile: &mut Mat, [x, y, w, h]: &[f32; 4], color: [f64; 3], thickness: i32) -> opencv::Result<()> {
    let (from, to) = (pixel(Point::new(*x, *y)), pixel(Point::new(x + w, y + h)));
    imgproc::rectangle_points(tile, from, to, scalar(color), thickness, imgproc::LINE_8, 0)
}
