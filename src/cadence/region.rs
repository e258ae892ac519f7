//! The regions of interest that a detection run covers. Pure: boxes and sizes in, pixels out.
//!
//! A network's cost grows with the area of its input, and a small input costs little more than its share. Where only some
//! people are due, or only one corner moves, a few small crops of the frame show them as well as the whole one does,
//! each reduced as far as the people in it allow. No person who is tracked may be cut by an edge: half a person is found
//! as a smaller one.

use super::CadenceParams;
use crate::{geometry::BBox, model::Detection};

/// What a detection run must show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Where, in frame heights.
    pub bbox: BBox,
    /// Height of the smallest person there, in frame heights; 0 where that is not known.
    pub smallest: f32,
}

impl Region {
    fn union(&self, other: &Self) -> Self {
        Self { bbox: self.bbox.union(&other.bbox), smallest: self.smallest.min(other.smallest) }
    }
}

/// A frame and what it is reduced to where the height of people is not known, both as width and height in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// The frame.
    pub full: (u32, u32),
    /// What it is reduced to.
    pub reduced: (u32, u32),
}

/// A rectangle of a frame that is reduced to `whole` (width, height).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// Left and top edge in pixels of the reduced frame.
    pub corner: (u32, u32),
    /// Width and height in pixels of the reduced frame: that of the network's input, as long as there is enough of
    /// the frame.
    pub size: (u32, u32),
    /// Width and height of the reduced frame.
    pub whole: (u32, u32),
}

/// Crops that together show all of `regions` and cut none of `people` (frame heights); `None` where they would cost most of
/// what the whole frame does. No two of them show the same.
#[must_use]
pub fn crops_around(
    regions: &[Region],
    people: &[BBox],
    sizes: Sizes,
    params: &CadenceParams,
) -> Option<Vec<Crop>> {
    Cropper { people, sizes, params }.crops(regions)
}

/// What crops are made by.
struct Cropper<'a> {
    people: &'a [BBox],
    sizes: Sizes,
    params: &'a CadenceParams,
}

impl Cropper<'_> {
    fn crops(&self, regions: &[Region]) -> Option<Vec<Crop>> {
        if regions.len() > self.params.region_count {
            return None;
        }
        let mut crops: Vec<(Region, Crop)> = regions.iter().map(|region| self.uncut(*region)).collect();
        while let Some((i, j)) = self.pair_to_join(&crops) {
            let (second, _) = crops.swap_remove(j);
            crops[i] = self.uncut(crops[i].0.union(&second));
        }
        let cost: f32 = crops.iter().map(|(_, crop)| self.cost(crop.size)).sum();
        let most = self.params.region_most * self.cost(self.sizes.reduced);
        (cost <= most).then(|| crops.into_iter().map(|(_, crop)| crop).collect())
    }

    /// The first two that show the same, or that cost no more as one.
    fn pair_to_join(&self, crops: &[(Region, Crop)]) -> Option<(usize, usize)> {
        let worth = |(a, one): &(Region, Crop), (b, other): &(Region, Crop)| {
            let joined = || self.uncut(a.union(b)).1;
            one.area().intersection(&other.area()) > 0.0
                || self.cost(joined().size) <= self.cost(one.size) + self.cost(other.size)
        };
        let others = |i: usize| i + 1..crops.len();
        (0..crops.len()).find_map(|i| others(i).find(|&j| worth(&crops[i], &crops[j])).map(|j| (i, j)))
    }

    /// `region` with every person that its crop would have cut or shown too small, and that crop.
    fn uncut(&self, mut region: Region) -> (Region, Crop) {
        let full = self.sizes.full;
        let frame = BBox::new(0.0, 0.0, full.0 as f32 / full.1.max(1) as f32, 1.0);
        // Each round takes in one more person, or shows one who is in large enough.
        for _ in 0..2 * self.people.len() {
            let shown = self.crop(&region).area();
            let is_harmed = |person: &&BBox| {
                is_cut(person, &shown, &frame)
                    || person.h < region.smallest && person.intersection(&shown) > 0.0
            };
            let Some(harmed) = self.people.iter().find(is_harmed) else { break };
            let around = harmed.grown(self.params.region_margin * harmed.h);
            region = region.union(&Region { bbox: around, smallest: harmed.h });
        }
        (region, self.crop(&region))
    }

    /// What holds `region`, with the sides of the network's input.
    fn crop(&self, region: &Region) -> Crop {
        let (area, whole) = (&region.bbox, self.reduced_for(region.smallest));
        let scale = whole.1 as f32;
        let side = |from: f32, to: f32, whole: u32| {
            let from = (from * scale).floor().clamp(0.0, whole as f32) as u32;
            let to = (to * scale).ceil().clamp(0.0, whole as f32) as u32;
            let size = (to.max(from + 1) - from).next_multiple_of(self.params.input_stride).min(whole);
            let middle = u32::midpoint(from, to);
            (middle.saturating_sub(size / 2).min(whole - size), size)
        };
        let (left, width) = side(area.x, area.right(), whole.0);
        let (top, height) = side(area.y, area.bottom(), whole.1);
        Crop { corner: (left, top), size: (width, height), whole }
    }

    /// The size of the whole frame where it is reduced as far as somebody of this height (frame heights) allows.
    fn reduced_for(&self, height: f32) -> (u32, u32) {
        let Sizes { full, reduced } = self.sizes;
        let scale = self.params.input_person / (height * full.1 as f32);
        let [width, height] = [full.0, full.1].map(|side| ((side as f32 * scale).ceil() as u32).max(1));
        if width < reduced.0 { (width, height) } else { reduced }
    }

    /// What a detection run on a frame of this size costs, in pixels of the input.
    fn cost(&self, (width, height): (u32, u32)) -> f32 {
        let stride = self.params.input_stride;
        (width.next_multiple_of(stride) * height.next_multiple_of(stride)) as f32
            + self.params.region_overhead
    }
}

impl Crop {
    /// What it shows, in frame heights.
    #[must_use]
    pub fn area(&self) -> BBox {
        let unit = 1.0 / self.whole.1 as f32;
        let [x, y, w, h] = [self.corner.0, self.corner.1, self.size.0, self.size.1].map(|v| v as f32 * unit);
        BBox::new(x, y, w, h)
    }

    /// Left, top, width and height of the same rectangle in a frame of `size`.
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

    /// `found` in the crop, in its heights, as boxes of the whole frame; without those that its edges cut.
    #[must_use]
    pub fn placed(&self, found: Vec<Detection>, params: &CadenceParams) -> Vec<Detection> {
        let shown = self.area();
        let edge = params.region_edge / self.whole.1 as f32;
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

    const PARAMS: CadenceParams = CadenceParams::DEFAULT;

    const WHOLE: (u32, u32) = (416, 234);

    const PICTURE: BBox = BBox::new(0.0, 0.0, 416.0 / 234.0, 1.0);

    fn person(x: f32, y: f32, height: f32) -> BBox {
        BBox::new(x, y, height / 3.0, height)
    }

    const SIZES: Sizes = Sizes { full: WHOLE, reduced: WHOLE };

    /// An area in which nobody knows who is.
    fn unknown(bbox: BBox) -> Region {
        Region { bbox, smallest: 0.0 }
    }

    /// What a detection run for `person` must show.
    fn around(person: BBox) -> Region {
        Region { bbox: person.grown(0.5 * person.h), smallest: person.h }
    }

    fn only(areas: &[Region], people: &[BBox]) -> Crop {
        let parts = crops_around(areas, people, SIZES, &PARAMS).unwrap();
        assert_eq!(parts.len(), 1, "{parts:?}");
        parts[0]
    }

    #[test]
    fn a_region_is_covered_in_whole_strides() {
        let area = BBox::new(0.5, 0.3, 0.2, 0.4);
        let part = only(&[unknown(area)], &[]);
        assert_eq!((part.size, part.whole), ((64, 96), WHOLE));
        assert!(!is_cut(&area, &part.area(), &PICTURE), "{part:?}");
        // At the lower right corner of the frame, and beyond it.
        let part = only(&[unknown(BBox::new(1.7, 0.9, 0.5, 0.5))], &[]);
        assert_eq!((part.corner.0 + part.size.0, part.corner.1 + part.size.1), WHOLE);
    }

    #[test]
    fn regions_that_are_most_of_the_frame_are_not_cropped() {
        let parts = |areas: &[Region]| crops_around(areas, &[], SIZES, &PARAMS);
        assert_eq!(parts(&[unknown(BBox::new(0.0, 0.0, 1.4, 1.0))]), None);
        assert!(parts(&[unknown(BBox::new(0.0, 0.0, 0.9, 1.0))]).is_some());
        let corners = [(0.0, 0.0), (1.3, 0.0), (0.0, 0.55), (1.3, 0.55), (0.65, 0.0), (0.65, 0.55)];
        let all = corners.map(|(x, y)| unknown(BBox::new(x, y, 0.47, 0.4)));
        assert_eq!(parts(&all), None);
        assert_eq!(parts(&all[1..3]).map(|parts| parts.len()), Some(2));
        assert_eq!(parts(&[all[0]; PARAMS.region_count + 1]), None);
    }

    #[test]
    fn no_tracked_person_is_cut() {
        let area = unknown(BBox::new(0.5, 0.3, 0.2, 0.4));
        // The first stands half in the area, the second half in what the first adds to it.
        let people = [person(0.65, 0.3, 0.3), person(0.77, 0.3, 0.3), person(1.5, 0.3, 0.3)];
        let part = only(&[area], &people);
        assert!(people.iter().all(|person| !is_cut(person, &part.area(), &PICTURE)), "{part:?}");
        assert!(part.area().right() < 1.5);
        let row: Vec<_> = (0..12).map(|i| person(0.14 * i as f32, 0.05, 0.9)).collect();
        assert_eq!(crops_around(&[area], &row, SIZES, &PARAMS), None, "a row of people from edge to edge");
    }

    #[test]
    fn people_far_apart_have_a_region_each_and_neighbors_share_one() {
        let people = [person(0.2, 0.4, 0.2), person(0.3, 0.4, 0.2), person(1.5, 0.4, 0.2)];
        let parts = crops_around(&people.map(around), &people, SIZES, &PARAMS).unwrap();
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert_eq!(parts[0].area().intersection(&parts[1].area()), 0.0);
        for person in people {
            assert_eq!(parts.iter().filter(|part| !is_out_of(&part.area(), &person)).count(), 1);
        }
    }

    fn is_out_of(area: &BBox, person: &BBox) -> bool {
        area.intersection(person) < 0.99 * person.area()
    }

    #[test]
    fn a_crop_is_reduced_as_far_as_the_smallest_person_in_it_allows() {
        let (tall, small) = (person(0.5, 0.1, 0.8), person(0.55, 0.5, 0.4));
        let height = |part: Crop, person: BBox| person.h * part.whole.1 as f32;
        let alone = only(&[around(tall)], &[tall]);
        assert!((80.0..84.0).contains(&height(alone, tall)), "{alone:?}");
        let both = only(&[around(tall)], &[tall, small]);
        assert!((80.0..84.0).contains(&height(both, small)), "{both:?}");
        // Never more than the full frame would show.
        let reduced = Sizes { full: WHOLE, reduced: (208, 117) };
        assert_eq!(
            crops_around(&[around(small)], &[small], reduced, &PARAMS).map(|parts| parts[0].whole),
            Some((208, 117))
        );
    }

    #[test]
    fn boxes_come_back_to_their_place_and_cut_ones_are_left_out() {
        let part = Crop { corner: (104, 0), size: (128, 96), whole: (416, 234) };
        let at = |x: f32, y: f32, w: f32, h: f32| Detection {
            bbox: BBox::new(x / 96.0, y / 96.0, w / 96.0, h / 96.0),
            score: 0.9,
        };
        // The second is cut by the left edge, the third by the lower one, the fourth by the frame's own.
        let found = vec![at(20.0, 10.0, 20.0, 60.0), at(1.0, 10.0, 20.0, 60.0), at(60.0, 40.0, 20.0, 55.0)];
        let placed = part.placed([found, vec![at(60.0, 0.0, 20.0, 55.0)]].concat(), &PARAMS);
        assert_eq!(placed.len(), 2);
        let bbox = placed[0].bbox;
        assert!((bbox.x - 124.0 / 234.0).abs() < 1e-5 && (bbox.y - 10.0 / 234.0).abs() < 1e-5, "{bbox:?}");
        assert!((bbox.h - 60.0 / 234.0).abs() < 1e-5);
        assert_eq!(part.within((832, 468)), (208, 0, 256, 192));
    }
}
