//! The strip of a crossing: its pictures side by side or one of them alone, with line, path and boxes.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use ratatui::layout::Rect;

use super::picture::Overlay;
use crate::{
    count::replay::TrackPath,
    evidence::{Marks, Pixels},
    geometry::{BBox, Point},
    host::crossings::Strip,
    model::{LineConfig, Moment, Preview, ShownTrack, TrackId},
    tui::canvas::Canvas,
};

/// Between two pictures, in their sides.
const GAP: f32 = 0.02;

/// Side of what is shown of a picture when it is the person alone.
const NEAR: f32 = 0.5;

/// Which pictures of a strip are drawn, and how much of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    /// Numbers of the pictures, from 0.
    pub numbers: Vec<usize>,
    /// Whether only the person is shown.
    pub near: bool,
}

impl View {
    /// Width over height.
    #[must_use]
    pub fn aspect(&self) -> f32 {
        let count = self.numbers.len().max(1) as f32;
        count + (count - 1.0) * GAP
    }
}

/// A part of a picture, in its sides.
#[derive(Debug, Clone, Copy)]
struct Part {
    left: f32,
    top: f32,
    side: f32,
}

/// Draws what `view` shows of the strip of `track` into the middle of `area`.
pub fn draw(strip: &Strip, track: TrackId, view: &View, area: Rect, canvas: &mut Canvas) {
    let Some((preview, lines, trails)) = compose(strip, track, view) else { return };
    let overlay = Overlay { lines: &lines, trails: &trails, ..Overlay::default() };
    canvas.picture(&preview, overlay, area);
}

/// One picture of all that `view` shows, with lines and paths; `None` where there is nothing.
fn compose(strip: &Strip, track: TrackId, view: &View) -> Option<(Preview, Vec<LineConfig>, Vec<TrackPath>)> {
    let shown: Vec<(usize, &Pixels)> =
        view.numbers.iter().filter_map(|number| Some((*number, strip.pictures.get(*number)?))).collect();
    let (_, first) = shown.first()?;
    let side = if view.near { (first.size.1 as f32 * NEAR) as u32 } else { first.size.1 }.max(1);
    let gap = (side as f32 * GAP).round() as u32;
    let width = shown.len() as u32 * (side + gap) - gap;
    let mut rgb = vec![24; (width * side * 3) as usize];
    let (mut tracks, mut lines, mut trails) = (Vec::new(), Vec::new(), Vec::new());
    for (column, (number, pixels)) in shown.iter().enumerate() {
        let part = part(strip.marks.as_ref(), *number, track, view.near);
        let begin = column as u32 * (side + gap);
        copy(pixels, part, side, (begin, width), &mut rgb);
        if let Some(marks) = &strip.marks {
            let offset = begin as f32 / side as f32;
            tracks.extend(bodies(marks, *number, track, part, offset));
            lines.extend(line(marks, part, offset, width as f32 / side as f32));
            let points = marks.path_until(*number).into_iter().map(|point| part.place(point));
            let points =
                points.filter(|point| is_in(*point)).map(|point| Point::new(point.x + offset, point.y));
            trails.push(TrackPath { id: track, points: points.collect() });
        }
    }
    // What is drawn is told apart by when it was taken.
    let mut name = DefaultHasher::new();
    (view, strip.key, track).hash(&mut name);
    let taken = Moment::new(Duration::from_nanos(name.finish()));
    Some((Preview { size: (width, side), rgb, tracks, taken }, lines, trails))
}

impl Part {
    /// Where a point of the picture is in this part, in sides of the part.
    fn place(self, point: Point) -> Point {
        Point::new((point.x - self.left) / self.side, (point.y - self.top) / self.side)
    }
}

fn is_in(point: Point) -> bool {
    (0.0..=1.0).contains(&point.x) && (0.0..=1.0).contains(&point.y)
}

/// What is shown of the picture of this number.
fn part(marks: Option<&Marks>, number: usize, track: TrackId, near: bool) -> Part {
    if !near {
        return Part { left: 0.0, top: 0.0, side: 1.0 };
    }
    let body = marks.and_then(|marks| marks.body(number, track)).map(|body| body.center());
    let middle = body.or_else(|| marks?.path_until(number).last().copied()).unwrap_or(Point::new(0.5, 0.5));
    let begin = |middle: f32| (middle - NEAR / 2.0).clamp(0.0, 1.0 - NEAR);
    Part { left: begin(middle.x), top: begin(middle.y), side: NEAR }
}

/// Copies a part into a picture `width` pixels wide, from the column `begin` on.
fn copy(pixels: &Pixels, part: Part, side: u32, (begin, width): (u32, u32), rgb: &mut [u8]) {
    let start = |share: f32, length: u32| ((share * length as f32) as u32).min(length.saturating_sub(side));
    let (left, top) = (start(part.left, pixels.size.0), start(part.top, pixels.size.1));
    for row in 0..side {
        let from = (((top + row) * pixels.size.0 + left) * 3) as usize;
        let to = ((row * width + begin) * 3) as usize;
        let bytes = (side * 3) as usize;
        if let (Some(from), Some(to)) = (pixels.rgb.get(from..from + bytes), rgb.get_mut(to..to + bytes)) {
            to.copy_from_slice(from);
        }
    }
}

/// The boxes of a picture, cut where it ends.
fn bodies(marks: &Marks, number: usize, track: TrackId, part: Part, offset: f32) -> Vec<ShownTrack> {
    let people = marks.pictures.get(number).map_or(&[][..], |picture| &picture.people);
    let shown = people.iter().filter_map(|(id, [x, y, w, h])| {
        let (from, to) = (part.place(Point::new(*x, *y)), part.place(Point::new(x + w, y + h)));
        let cut = |value: f32| value.clamp(0.0, 1.0);
        let (left, top, right, bottom) = (cut(from.x), cut(from.y), cut(to.x), cut(to.y));
        (right > left && bottom > top).then(|| ShownTrack {
            id: *id,
            bbox: BBox::new(left + offset, top, right - left, bottom - top),
            confirmed: true,
            seen: *id == track,
        })
    });
    let mut shown: Vec<ShownTrack> = shown.collect();
    // Drawn last, over the others.
    shown.sort_by_key(|body| body.seen);
    shown
}

/// The line as far as it is in the part, in a picture `width` sides wide; after Y.-D. Liang and B. Barsky, "A new concept and
/// method for line clipping", ACM Transactions on Graphics 3 (1984), 1-22.
fn line(marks: &Marks, part: Part, offset: f32, width: f32) -> Option<LineConfig> {
    let [a, b] = marks.line.map(|[x, y]| part.place(Point::new(x, y)));
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let (mut from, mut to) = (0.0_f32, 1.0_f32);
    for (step, room) in [(-dx, a.x), (dx, 1.0 - a.x), (-dy, a.y), (dy, 1.0 - a.y)] {
        if step == 0.0 && room < 0.0 {
            return None;
        }
        let at = room / step;
        if step < 0.0 {
            from = from.max(at);
        } else if step > 0.0 {
            to = to.min(at);
        }
    }
    let end = |share: f32| [(a.x + dx * share + offset) / width, a.y + dy * share];
    (from < to).then(|| LineConfig { a: end(from), b: end(to), ..LineConfig::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Marked, PathPoint};

    fn strip() -> Strip {
        let pixels = |shade: u8| Pixels { size: (40, 40), rgb: vec![shade; 40 * 40 * 3] };
        let picture = |time: f64, x: f32| Marked {
            time,
            people: vec![(7, [x, 0.3, 0.2, 0.4]), (8, [-0.5, 0.9, 1.0, 0.4])],
        };
        Strip {
            key: "2026-03-14-1".parse().unwrap(),
            blurred: true,
            pictures: (0..5).map(|number| pixels(number * 50)).collect(),
            marks: Some(Marks {
                line: [[0.5, -1.0], [0.5, 3.0]],
                pictures: (0..5).map(|at| picture(f64::from(at) - 2.0, 0.2 + 0.1 * at as f32)).collect(),
                path: (0..5)
                    .map(|at| PathPoint { time: f64::from(at) - 2.0, at: [0.3 + 0.1 * at as f32, 0.5] })
                    .collect(),
            }),
        }
    }

    #[test]
    fn side_by_side_each_picture_has_its_own_line_path_and_boxes() {
        let view = View { numbers: (0..5).collect(), near: false };
        let (preview, lines, trails) = compose(&strip(), 7, &view).unwrap();
        assert_eq!(preview.size, (5 * 40 + 4, 40));
        assert!((view.aspect() - 204.0 / 40.0).abs() < 0.1);
        assert_eq!((preview.tracks.len(), lines.len(), trails.len()), (10, 5, 5));
        for (number, line) in lines.iter().enumerate() {
            let middle = (number as f32 * 41.0 + 20.0) / 204.0;
            assert!((line.a[0] - middle).abs() < 1e-4 && (line.b[0] - middle).abs() < 1e-4, "{line:?}");
            assert!(line.a[1].abs() < 1e-4 && (line.b[1] - 1.0).abs() < 1e-4, "cut where the picture ends");
            assert_eq!(trails[number].points.len(), number + 1, "as far as they had come");
        }
        let own: Vec<f32> =
            preview.tracks.iter().filter(|track| track.seen).map(|track| track.bbox.x).collect();
        assert!((own[1] - own[0] - 1.1 - 0.025).abs() < 1e-3, "{own:?}");
        let cut = preview.tracks.iter().find(|track| !track.seen).unwrap().bbox;
        assert!((cut.x, cut.right()) == (0.0, 0.5) && cut.bottom() <= 1.0, "{cut:?}");
        let shade = |x: usize| preview.rgb[(20 * 204 + x) * 3];
        assert_eq!([shade(5), shade(40), shade(46), shade(200)], [0, 24, 50, 200]);
    }

    #[test]
    fn the_person_alone_is_shown_from_near_and_lines_beyond_are_left_out() {
        let view = View { numbers: vec![4], near: true };
        let (preview, lines, _) = compose(&strip(), 7, &view).unwrap();
        assert_eq!(preview.size, (20, 20));
        let own = preview.tracks.iter().find(|track| track.seen).unwrap().bbox;
        assert!((own.center().x - 0.5).abs() < 0.11 && (own.h - 0.8).abs() < 1e-4, "{own:?}");
        assert_eq!(lines.len(), 1);
        let far = Strip {
            marks: Some(Marks { line: [[0.0, 0.0], [1.0, 0.0]], ..strip().marks.unwrap() }),
            ..strip()
        };
        assert_eq!(compose(&far, 7, &view).unwrap().1, []);
    }

    #[test]
    fn whatever_is_in_the_files_something_is_drawn() {
        let view = View { numbers: (0..5).collect(), near: true };
        let bare = Strip { marks: None, ..strip() };
        assert_eq!(compose(&bare, 7, &view).unwrap().0.tracks, []);
        assert!(compose(&Strip { pictures: Vec::new(), ..bare.clone() }, 7, &view).is_none());
        let odd = Pixels { size: (3, 1), rgb: vec![9; 2] };
        assert!(compose(&Strip { pictures: vec![odd; 5], ..strip() }, 99, &view).is_some());
    }
}
