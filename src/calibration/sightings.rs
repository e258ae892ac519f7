//! How well people are seen who walk about in a scene, and what that says of its counts. Pure.
//!
//! Where people hide one another, their boxes overlap and their tracks end in the middle of the frame. Where the network does not
//! know what it sees, tracked people are not found in most detection runs.

use super::CalibrationParams;
use crate::{geometry::BBox, model::Doubt};

/// Somebody who vanishes this near to the edge of the frame may have left it, in body heights.
const NEAR: f32 = 0.15;

/// Share of a box that another one covers where it hides somebody.
const COVERED: f32 = 0.3;

/// Sums over sightings of people who walk, in which older ones have less and less weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sightings {
    found: f64,
    /// They are tracked, and the detection run did not find them.
    not_found: f64,
    /// Occluded by somebody else, of those found.
    covered: f64,
    ended: f64,
    /// Not at the edge of the frame, of those whose tracks ended.
    vanished: f64,
    /// Boxes that look a little like somebody and move, and that are nobody who is tracked.
    strange: f64,
    /// Width over height of these and of those found.
    shapes: f64,
}

impl Sightings {
    /// Somebody who walks is in this box; `others` are the boxes of everybody else.
    pub fn found(&mut self, bbox: &BBox, mut others: impl Iterator<Item = BBox>, params: &CalibrationParams) {
        self.forget(params);
        self.found += 1.0;
        self.shapes += shape(bbox);
        if others.any(|other| other.intersection(bbox) > COVERED * bbox.area()) {
            self.covered += 1.0;
        }
    }

    /// Somebody who walks was not found.
    pub fn not_found(&mut self, params: &CalibrationParams) {
        self.forget(params);
        self.not_found += 1.0;
    }

    /// Something moves in this box and looks a little like somebody, and nobody who is tracked is there.
    pub fn strange(&mut self, bbox: &BBox, params: &CalibrationParams) {
        self.forget(params);
        self.strange += 1.0;
        self.shapes += shape(bbox);
    }

    /// The track of somebody who walked has ended in this box, in a frame of this aspect.
    pub fn ended(&mut self, bbox: &BBox, aspect: f32) {
        self.ended += 1.0;
        let near = NEAR * bbox.h;
        let inside =
            bbox.x > near && bbox.y > near && bbox.right() < aspect - near && bbox.bottom() < 1.0 - near;
        self.vanished += if inside { 1.0 } else { 0.0 };
    }

    fn forget(&mut self, params: &CalibrationParams) {
        let keep = 1.0 - 1.0 / f64::from(params.height_window);
        let Self { found, not_found, covered, ended, vanished, strange, shapes } = self;
        for sum in [found, not_found, covered, ended, vanished, strange, shapes] {
            *sum *= keep;
        }
    }

    /// Why people cannot be counted well here, where they cannot, in a frame of this mean brightness (0..=255; `None`: not
    /// known yet). What was doubted `before` is doubted until it is clearly better.
    #[must_use]
    pub fn doubt(
        &self,
        light: Option<f32>,
        before: Option<Doubt>,
        params: &CalibrationParams,
    ) -> Option<Doubt> {
        let stays = |held: bool| if held { params.doubt_stays } else { 1.0 };
        let unrecognized = self.unrecognized(light, before, params);
        let all = self.found + self.not_found;
        let held = f64::from(stays(before == Some(unrecognized)));
        if self.strange >= held * f64::from(params.doubt_boxes)
            && self.strange >= held * f64::from(params.doubt_strange) * all
        {
            return Some(unrecognized);
        }
        if all < f64::from(params.doubt_sightings) || self.ended < f64::from(params.doubt_walkers) {
            return None;
        }
        if self.not_found >= held * f64::from(params.doubt_not_found) * all {
            return Some(unrecognized);
        }
        let held = f64::from(stays(before == Some(Doubt::Crowded)));
        let is_crowded = self.covered >= held * f64::from(params.doubt_covered) * self.found
            && self.vanished >= held * f64::from(params.doubt_vanished) * self.ended;
        is_crowded.then_some(Doubt::Crowded)
    }

    /// Why people are not recognized, where they are not.
    fn unrecognized(&self, light: Option<f32>, before: Option<Doubt>, params: &CalibrationParams) -> Doubt {
        let held = |doubt| if before == Some(doubt) { params.doubt_stays } else { 1.0 };
        let shape = (self.shapes / (self.found + self.strange).max(1.0)) as f32;
        let steep = held(Doubt::Steep);
        let dark = held(Doubt::Dark);
        if (params.doubt_steep * steep..params.doubt_flat / steep).contains(&shape) {
            Doubt::Steep
        } else if light.map_or(before == Some(Doubt::Dark), |light| light < params.doubt_dark / dark) {
            Doubt::Dark
        } else {
            Doubt::Unrecognized
        }
    }

    /// As numbers to go on from.
    #[must_use]
    pub fn sums(&self) -> Vec<f64> {
        let Self { found, not_found, covered, ended, vanished, strange, shapes } = *self;
        vec![found, not_found, covered, ended, vanished, strange, shapes]
    }

    /// Goes on from [`Self::sums`]; `None` where these are no such numbers.
    #[must_use]
    pub fn from_sums(numbers: &[f64]) -> Option<Self> {
        let [found, not_found, covered, ended, vanished, strange, shapes] = *numbers else { return None };
        let usable = numbers.iter().all(|number| number.is_finite() && *number >= 0.0);
        usable.then_some(Self { found, not_found, covered, ended, vanished, strange, shapes })
    }
}

/// Width over height.
fn shape(bbox: &BBox) -> f64 {
    f64::from(bbox.w) / f64::from(bbox.h).max(1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: CalibrationParams = CalibrationParams::DEFAULT;
    const ASPECT: f32 = 1.5;
    const LIGHT: f32 = 120.0;

    fn person(x: f32) -> BBox {
        BBox::new(x, 0.4, 0.1, 0.3)
    }

    /// A hundred sightings: so many were not found, so many of the others covered; ten tracks, so many of which vanished.
    fn doubt(not_found: usize, covered: usize, vanished: usize) -> Option<Doubt> {
        let mut sightings = Sightings::default();
        for index in 0..100 {
            if index < not_found {
                sightings.not_found(&PARAMS);
            } else {
                let beside = if index < not_found + covered { 0.55 } else { 0.9 };
                sightings.found(&person(0.5), [person(beside)].into_iter(), &PARAMS);
            }
        }
        for index in 0..10 {
            sightings.ended(&person(if index < vanished { 0.7 } else { 1.39 }), ASPECT);
        }
        assert_eq!(Sightings::from_sums(&sightings.sums()), Some(sightings));
        sightings.doubt(Some(LIGHT), None, &PARAMS)
    }

    #[test]
    fn counts_are_doubted_where_people_are_rarely_found_or_hide_one_another_and_vanish() {
        assert_eq!(doubt(30, 10, 2), None);
        assert_eq!(doubt(80, 0, 2), Some(Doubt::Unrecognized));
        assert_eq!(doubt(30, 50, 8), Some(Doubt::Crowded));
        assert_eq!(doubt(30, 50, 2), None, "close to the camera they are large, and leave the picture");
        assert_eq!(doubt(30, 10, 8), None, "behind doors");
    }

    /// So many boxes of this shape that look a little like somebody, and ten times somebody who was found.
    fn strange(boxes: usize, shape: f32, light: f32) -> Option<Doubt> {
        let mut sightings = Sightings::default();
        for _ in 0..boxes {
            sightings.strange(&BBox::new(0.5, 0.4, 0.3 * shape, 0.3), &PARAMS);
        }
        for _ in 0..10 {
            sightings.found(&BBox::new(0.5, 0.4, 0.3 * shape, 0.3), std::iter::empty(), &PARAMS);
        }
        sightings.doubt(Some(light), None, &PARAMS)
    }

    #[test]
    fn counts_are_doubted_where_much_moves_that_is_hardly_recognized_and_it_is_said_why() {
        assert_eq!(strange(120, 0.4, LIGHT), None);
        assert_eq!(strange(180, 0.4, LIGHT), Some(Doubt::Unrecognized));
        assert_eq!(strange(180, 0.4, 30.0), Some(Doubt::Dark));
        assert_eq!(strange(180, 1.0, LIGHT), Some(Doubt::Steep));
        assert_eq!(strange(180, 1.0, 30.0), Some(Doubt::Steep), "a lamp would not help");
        assert_eq!(strange(180, 1.8, LIGHT), Some(Doubt::Unrecognized), "a car, a bird");
    }

    #[test]
    fn what_is_doubted_once_is_doubted_until_it_is_clearly_better() {
        let doubt = |boxes: usize, people: usize, light: Option<f32>, before: Option<Doubt>| {
            let mut sightings = Sightings::default();
            let bbox = person(0.5);
            (0..boxes).for_each(|_| sightings.strange(&bbox, &PARAMS));
            (0..people).for_each(|_| sightings.found(&bbox, std::iter::empty(), &PARAMS));
            sightings.doubt(light, before, &PARAMS)
        };
        let (dark, unrecognized) = (Some(Doubt::Dark), Some(Doubt::Unrecognized));
        assert_eq!(doubt(200, 55, Some(LIGHT), None), None);
        assert_eq!(doubt(200, 45, Some(LIGHT), None), unrecognized);
        assert_eq!(doubt(200, 80, Some(LIGHT), unrecognized), unrecognized);
        assert_eq!(doubt(200, 150, Some(LIGHT), unrecognized), None);
        assert_eq!(doubt(200, 40, Some(60.0), None), unrecognized);
        assert_eq!(doubt(200, 40, Some(60.0), dark), dark, "one lamp more");
        assert_eq!(doubt(200, 40, None, dark), dark, "nothing is known of the light yet");
        assert_eq!(doubt(200, 40, Some(LIGHT), dark), unrecognized);
    }

    #[test]
    fn nothing_is_said_before_enough_was_seen() {
        let mut sightings = Sightings::default();
        for _ in 0..20 {
            sightings.not_found(&PARAMS);
        }
        assert_eq!(sightings.doubt(Some(LIGHT), None, &PARAMS), None);
        for wrong in [vec![], vec![1.0; 5], vec![-1.0; 7], vec![f64::INFINITY; 7]] {
            assert_eq!(Sightings::from_sums(&wrong), None);
        }
    }
}
