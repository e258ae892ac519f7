//! What moves, and what the network sees: each finds people that the other alone does not. Pure.
//!
//! A network doubts people from above, in the dark or far away, and draws them as tall as those it was trained on. What differs
//! from the background moves about, but may be a car or a shadow. A low-confidence box full of movement that nobody explains is
//! somebody; and of two boxes around the same movement, the one that it fills is the better one.

use super::CalibrationParams;
use crate::{geometry::BBox, model::Detection};

/// Share of a box that must lie in another one to be taken for the same person, drawn smaller.
const INSIDE: f32 = 0.8;

/// Such a box is lower than this share of the other's height, and at least this share of its width.
const LOWER: f32 = 0.8;
const WIDE: f32 = 0.6;

/// Share of a box that moves below which all of it stands still.
const STILL: f32 = 0.05;

/// How much of `a` lies in `b` or the other way round, as a share of the smaller one.
pub fn common(a: &BBox, b: &BBox) -> f32 {
    a.intersection(b) / a.area().min(b.area()).max(f32::MIN_POSITIVE)
}

fn logit(chance: f32) -> f32 {
    let chance = chance.clamp(0.001, 0.999);
    (chance / (1.0 - chance)).ln()
}

/// Changes the chances of `detections`, of which the share `moving` (0..=1) of each shows movement, high-confidence from a chance of
/// `confidence` on. The boxes of low-confidence people confirmed by motion.
pub fn join(
    detections: &mut [Detection],
    moving: &[f32],
    confidence: f32,
    params: &CalibrationParams,
) -> Vec<BBox> {
    if moving.iter().all(|share| *share < STILL) {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..detections.len().min(moving.len())).collect();
    order.sort_by(|a, b| detections[*b].score.total_cmp(&detections[*a].score));
    let least = logit(confidence) - params.moving_doubt;
    order.retain(|index| logit(detections[*index].score) >= least);
    let trusted = order.iter().take_while(|index| detections[**index].score >= confidence).count();
    shrink(detections, moving, &order, trusted, params);
    let (mut people, doubtful) = (order[..trusted].to_vec(), &order[trusted..]);
    for &index in doubtful {
        let is_free =
            |other: &usize| common(&detections[index].bbox, &detections[*other].bbox) < params.moving_apart;
        if moving[index] >= params.moving_share && people.iter().all(is_free) {
            let odds = (logit(detections[index].score) + params.moving_odds).exp();
            detections[index].score = odds / (1.0 + odds);
            people.push(index);
        }
    }
    people[trusted..].iter().map(|index| detections[*index].bbox).collect()
}

/// Takes as high-confidence, in place of each of the first `trusted` boxes in `order`, the ones of greater chance before the others, a
/// lower one within it that holds the same movement and is much fuller of it.
fn shrink(
    detections: &mut [Detection],
    moving: &[f32],
    order: &[usize],
    trusted: usize,
    params: &CalibrationParams,
) {
    let mut used = vec![false; order.len()];
    for large in 0..trusted {
        if used[large] || moving[order[large]] < STILL {
            continue;
        }
        let (whole, movement) = (detections[order[large]].bbox, moving[order[large]]);
        let is_better = |place: &usize| {
            let (part, fuller) = (detections[order[*place]].bbox, moving[order[*place]]);
            part.h <= LOWER * whole.h
                && part.w >= WIDE * whole.w
                && part.intersection(&whole) >= INSIDE * part.area()
                && fuller * part.area() >= params.moving_kept * movement * whole.area()
                && fuller - movement >= params.moving_fuller
        };
        let Some(small) = (large + 1..order.len()).filter(|place| !used[*place]).find(is_better) else {
            continue;
        };
        (used[large], used[small]) = (true, true);
        let (a, b) = (order[large], order[small]);
        (detections[a].bbox, detections[b].bbox) = (detections[b].bbox, detections[a].bbox);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: CalibrationParams = CalibrationParams::DEFAULT;
    const CONFIDENCE: f32 = 0.4;

    /// A person of half the frame's height at this place.
    fn person(x: f32) -> BBox {
        BBox::new(x, 0.3, 0.2, 0.5)
    }

    /// Detections with these scores and shares of movement, after they were joined.
    fn joined(found: &[(BBox, f32, f32)]) -> Vec<Detection> {
        let mut detections: Vec<Detection> =
            found.iter().map(|(bbox, score, _)| Detection { bbox: *bbox, score: *score }).collect();
        let moving: Vec<f32> = found.iter().map(|(_, _, moving)| *moving).collect();
        join(&mut detections, &moving, CONFIDENCE, &PARAMS);
        detections
    }

    fn scores(found: &[(BBox, f32, f32)]) -> Vec<f32> {
        joined(found).iter().map(|found| found.score).collect()
    }

    #[test]
    fn a_low_confidence_box_full_of_motion_is_a_person_sooner() {
        assert!(scores(&[(person(0.2), 0.3, 0.7)])[0] >= CONFIDENCE);
        assert_eq!(scores(&[(person(0.2), 0.3, 0.0)]), [0.3], "nothing moves there");
        assert_eq!(scores(&[(person(0.2), 0.3, 0.2)]), [0.3], "something else moves there");
        assert_eq!(scores(&[(person(0.2), 0.05, 1.0)]), [0.05], "a car, a shadow");
        assert_eq!(scores(&[(person(0.2), 0.8, 1.0)]), [0.8], "it is sure anyway");
    }

    #[test]
    fn movement_is_explained_once() {
        let (sure, part) = (person(0.2), BBox::new(0.22, 0.5, 0.18, 0.3));
        assert_eq!(scores(&[(sure, 0.7, 0.7), (part, 0.3, 0.9)]), [0.7, 0.3], "their legs");
        let twice = scores(&[(part, 0.28, 0.9), (sure, 0.3, 0.7)]);
        assert!(twice[0] == 0.28 && twice[1] >= CONFIDENCE, "{twice:?}");
        let beside = scores(&[(sure, 0.7, 0.7), (person(0.5), 0.3, 0.7)]);
        assert!(beside[1] >= CONFIDENCE, "{beside:?}");
    }

    #[test]
    fn of_two_boxes_around_the_same_movement_the_fuller_one_is_trusted() {
        // From above: a body as high as wide, and one as tall as people are elsewhere.
        let (tall, body) = (BBox::new(0.2, 0.0, 0.4, 1.0), BBox::new(0.2, 0.2, 0.4, 0.4));
        let trusted = |tall_moves: f32, body_moves: f32| {
            let found = joined(&[(body, 0.2, body_moves), (tall, 0.6, tall_moves)]);
            found.into_iter().find(|found| found.score == 0.6).map(|found| found.bbox)
        };
        assert_eq!(trusted(0.36, 0.85), Some(body));
        assert_eq!(trusted(0.8, 0.85), Some(tall), "all of it moves");
        assert_eq!(trusted(0.5, 0.75), Some(tall), "much moves besides");
        assert_eq!(trusted(0.0, 0.0), Some(tall), "they stand");
    }
}
