//! The part of a picture that a look covers. Pure: boxes and sizes in, pixels out.
//!
//! A network's cost grows with the area of its input. Where only one person is due, or only one corner moves, a part of the
//! picture shows them as well as the whole one does. Nobody who is followed may be cut by its edge: half a person is
//! found as a smaller one.

use crate::{detect::Detection, geometry::BBox};

/// Sides of the network's input are multiples of this.
const STRIDE: u32 = 32;

/// A part that costs more than this share of the whole picture is not worth its edges.
const MOST: f32 = 0.6;

/// Boxes that end this near to an edge, in pixels of the input, may be cut by it.
const EDGE: f32 = 3.0;

/// Somebody who would be cut is taken in with this much around him, in body heights.
const MARGIN: f32 = 0.1;

/// A rectangle of a picture that is reduced to `whole` (width, height).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Left and top edge in pixels of the reduced picture.
    pub corner: (u32, u32),
    /// Width and height in pixels of the reduced picture: that of the network's input, as long as there is enough of
    /// the picture.
    pub size: (u32, u32),
    /// Width and height of the reduced picture.
    pub whole: (u32, u32),
}

impl Part {
    /// The part of a picture reduced to `whole` that shows `area` (frame heights) and cuts none of `people`; `None` where
    /// that would be most of it.
    #[must_use]
    pub fn around(area: &BBox, people: &[BBox], whole: (u32, u32)) -> Option<Self> {
        let picture = BBox::new(0.0, 0.0, whole.0 as f32 / whole.1.max(1) as f32, 1.0);
        let mut area = *area;
        // Each round takes in one more person at least.
        for _ in 0..=people.len() {
            let part = Self::holding(&area, whole)?;
            let shown = part.area();
            let Some(cut) = people.iter().find(|person| is_cut(person, &shown, &picture)) else {
                return Some(part);
            };
            area = area.union(&cut.grown(MARGIN * cut.h));
        }
        None
    }

    fn holding(area: &BBox, whole: (u32, u32)) -> Option<Self> {
        let scale = whole.1 as f32;
        let side = |from: f32, to: f32, whole: u32| {
            let from = (from * scale).floor().clamp(0.0, whole as f32) as u32;
            let to = (to * scale).ceil().clamp(0.0, whole as f32) as u32;
            let size = (to.max(from + 1) - from).next_multiple_of(STRIDE).min(whole);
            let middle = (from + to) / 2;
            (middle.saturating_sub(size / 2).min(whole - size), size)
        };
        let (left, width) = side(area.x, area.right(), whole.0);
        let (top, height) = side(area.y, area.bottom(), whole.1);
        let cost = |(w, h): (u32, u32)| w.next_multiple_of(STRIDE) as f32 * h.next_multiple_of(STRIDE) as f32;
        let part = Self { corner: (left, top), size: (width, height), whole };
        (cost(part.size) <= MOST * cost(whole)).then_some(part)
    }

    /// What it shows, in frame heights.
    #[must_use]
    pub fn area(&self) -> BBox {
        let unit = 1.0 / self.whole.1 as f32;
        let [x, y, w, h] = [self.corner.0, self.corner.1, self.size.0, self.size.1].map(|v| v as f32 * unit);
        BBox::new(x, y, w, h)
    }

    /// Left, top, width and height of the same rectangle in a picture of `size`.
    #[must_use]
    pub fn within(&self, size: (u32, u32)) -> (u32, u32, u32, u32) {
        let edge = |at: u32, whole: u32, size: u32| {
            (u64::from(at) * u64::from(size) / u64::from(whole.max(1))).min(u64::from(size)) as u32
        };
        let (left, top) =
            (edge(self.corner.0, self.whole.0, size.0), edge(self.corner.1, self.whole.1, size.1));
        let right = edge(self.corner.0 + self.size.0, self.whole.0, size.0).max(left + 1);
        let bottom = edge(self.corner.1 + self.size.1, self.whole.1, size.1).max(top + 1);
        (left, top, right - left, bottom - top)
    }

    /// `found` in the part, in its heights, as boxes of the whole picture; without those that its edges cut.
    #[must_use]
    pub fn placed(&self, found: Vec<Detection>) -> Vec<Detection> {
        let shown = self.area();
        let edge = EDGE / self.whole.1 as f32;
        let cuts = |detection: &Detection| {
            let bbox = &detection.bbox;
            self.corner.0 > 0 && bbox.x < shown.x + edge
                || self.corner.1 > 0 && bbox.y < shown.y + edge
                || self.corner.0 + self.size.0 < self.whole.0 && bbox.right() > shown.right() - edge
                || self.corner.1 + self.size.1 < self.whole.1 && bbox.bottom() > shown.bottom() - edge
        };
        let placed = found.into_iter().map(|Detection { bbox, score }| {
            let [w, h] = [bbox.w, bbox.h].map(|v| v * shown.h);
            let (x, y) = (shown.x + bbox.x * shown.h, shown.y + bbox.y * shown.h);
            Detection { bbox: BBox::new(x, y, w, h), score }
        });
        placed.filter(|detection| !cuts(detection)).collect()
    }
}

/// Whether `area` shows only some of what `picture` shows of `person`.
fn is_cut(person: &BBox, area: &BBox, picture: &BBox) -> bool {
    let (visible, shown) = (person.intersection(picture), person.intersection(area));
    shown > 0.0 && shown < 0.999 * visible
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: (u32, u32) = (416, 234);

    const PICTURE: BBox = BBox::new(0.0, 0.0, 416.0 / 234.0, 1.0);

    fn person(x: f32, y: f32, height: f32) -> BBox {
        BBox::new(x, y, height / 3.0, height)
    }

    #[test]
    fn a_part_holds_its_area_in_whole_strides() {
        let area = BBox::new(0.5, 0.3, 0.2, 0.4);
        let part = Part::around(&area, &[], WHOLE).unwrap();
        assert_eq!(part.size, (64, 96));
        assert!(!is_cut(&area, &part.area(), &PICTURE), "{part:?}");
        // At the lower right corner of the picture, and beyond it.
        let part = Part::around(&BBox::new(1.7, 0.9, 0.5, 0.5), &[], WHOLE).unwrap();
        assert_eq!((part.corner.0 + part.size.0, part.corner.1 + part.size.1), WHOLE);
    }

    #[test]
    fn a_part_that_is_most_of_the_picture_is_not_worth_it() {
        assert_eq!(Part::around(&BBox::new(0.0, 0.0, 1.2, 1.0), &[], WHOLE), None);
        assert!(Part::around(&BBox::new(0.0, 0.0, 0.9, 1.0), &[], WHOLE).is_some());
    }

    #[test]
    fn nobody_who_is_known_is_cut() {
        let area = BBox::new(0.5, 0.3, 0.2, 0.4);
        // The first stands half in the area, the second half in what the first adds to it.
        let people = [person(0.65, 0.3, 0.3), person(0.77, 0.3, 0.3), person(1.5, 0.3, 0.3)];
        let part = Part::around(&area, &people, WHOLE).unwrap();
        assert!(people.iter().all(|person| !is_cut(person, &part.area(), &PICTURE)), "{part:?}");
        assert!(part.area().right() < 1.5);
        let row: Vec<_> = (0..12).map(|i| person(0.14 * i as f32, 0.05, 0.9)).collect();
        assert_eq!(Part::around(&area, &row, WHOLE), None, "a row of people from edge to edge");
    }

    #[test]
    fn boxes_come_back_to_their_place_and_cut_ones_are_left_out() {
        let part = Part { corner: (104, 0), size: (128, 96), whole: (416, 234) };
        let at = |x: f32, y: f32, w: f32, h: f32| Detection {
            bbox: BBox::new(x / 96.0, y / 96.0, w / 96.0, h / 96.0),
            score: 0.9,
        };
        // The second is cut by the left edge, the third by the lower one, the fourth by the picture's own.
        let found = vec![at(20.0, 10.0, 20.0, 60.0), at(1.0, 10.0, 20.0, 60.0), at(60.0, 40.0, 20.0, 55.0)];
        let placed = part.placed([found, vec![at(60.0, 0.0, 20.0, 55.0)]].concat());
        assert_eq!(placed.len(), 2);
        let bbox = placed[0].bbox;
        assert!((bbox.x - 124.0 / 234.0).abs() < 1e-5 && (bbox.y - 10.0 / 234.0).abs() < 1e-5, "{bbox:?}");
        assert!((bbox.h - 60.0 / 234.0).abs() < 1e-5);
        assert_eq!(part.within((832, 468)), (208, 0, 256, 192));
    }
}
