//! How tall people are where: a plane over the places of their feet.
//!
//! On a floor seen in perspective, the height of people in the frame is a linear function of where their feet are (Hoiem,
//! Efros and Hebert, "Putting objects in perspective", CVPR 2006, for a camera held upright; the tilt of a camera adds the
//! term along the other axis). Weighted least squares; what fits badly weighs little (weights of Cauchy's distribution).

use super::CalibrationParams;
use crate::geometry::Point;

/// Variance of places, in squared frame heights, below which a slope is not told from noise.
const LEAST_VARIANCE: f64 = 1e-3;

/// Least spread of heights, in frame heights.
const LEAST_SPREAD: f64 = 0.005;

/// Nobody is taller, in frame heights.
const TALLEST: f64 = 100.0;

/// Spreads around the mean place within which most people were seen.
const MOST: f64 = 1.5;

/// Weighted sums over all sightings of (x, y, height), in frame heights.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    weight: f64,
    first: [f64; 3],
    /// Of xx, xy, yy, xh, yh, hh.
    second: [f64; 6],
}

/// Heights of people by the place of their feet.
#[derive(Debug, Clone, Default)]
pub struct Heights {
    sums: Sums,
    plane: Option<Plane>,
}

/// What the sums say.
#[derive(Debug, Clone, Copy)]
struct Plane {
    /// Mean place and height.
    mean: [f64; 3],
    /// Change of the height along both axes.
    slope: [f64; 2],
    /// Inverse covariance of the places: of xx, xy, yy.
    inverse: [f64; 3],
    /// Spread of the heights around the plane, in frame heights.
    spread: f64,
}

impl Plane {
    fn height(&self, x: f64, y: f64) -> f64 {
        self.mean[2] + self.slope[0] * (x - self.mean[0]) + self.slope[1] * (y - self.mean[1])
    }

    /// How far a place is from where people were seen, in spreads of these places.
    fn distance(&self, x: f64, y: f64) -> f64 {
        let (dx, dy) = (x - self.mean[0], y - self.mean[1]);
        let [xx, xy, yy] = self.inverse;
        (xx * dx * dx + 2.0 * xy * dx * dy + yy * dy * dy).max(0.0).sqrt()
    }
}

impl Heights {
    /// Before anybody was seen.
    #[must_use]
    pub const fn new() -> Self {
        Self { sums: Sums { weight: 0.0, first: [0.0; 3], second: [0.0; 6] }, plane: None }
    }

    /// What was learned, as numbers to go on from.
    #[must_use]
    pub fn sums(&self) -> Vec<f64> {
        let Sums { weight, first, second } = self.sums;
        [weight].into_iter().chain(first).chain(second).collect()
    }

    /// Goes on from [`Self::sums`]; `None` where these are no such numbers.
    #[must_use]
    pub fn from_sums(numbers: &[f64]) -> Option<Self> {
        let [weight, x, y, h, second @ ..] = numbers else { return None };
        let usable = *weight > 0.0 && numbers.iter().all(|number| number.is_finite());
        let sums = Sums { weight: *weight, first: [*x, *y, *h], second: second.try_into().ok()? };
        usable.then(|| Self { sums, plane: sums.plane() })
    }

    /// The least and the greatest usual height where most people were seen; `None` where heights are not known.
    #[must_use]
    pub fn range(&self, params: &CalibrationParams) -> Option<(f32, f32)> {
        let Plane { mean: [x, y, _], inverse: [xx, xy, yy], .. } = self.plane?;
        let determinant = xx * yy - xy * xy;
        let reach = MOST * (xx / determinant).max(0.0).sqrt();
        let at = |y: f64| self.at(Point::new(x as f32, y as f32), params).map(|(height, _)| height);
        let (a, b) = (at(y - reach)?, at((y + reach).min(1.0))?);
        Some((a.min(b), a.max(b)))
    }

    /// Takes somebody of this `height` with the feet at `foot`, in frame heights.
    pub fn learn(&mut self, foot: Point, height: f32, params: &CalibrationParams) {
        let (x, y, h) = (f64::from(foot.x), f64::from(foot.y), f64::from(height));
        let weight = self.plane.map_or(1.0, |plane| {
            let off = (h - plane.height(x, y)) / (2.0 * plane.spread.max(0.05 * h));
            1.0 / (1.0 + off * off)
        });
        let sums = &mut self.sums;
        let keep = 1.0 - 1.0 / f64::from(params.height_window);
        sums.weight = sums.weight * keep + weight;
        for (sum, value) in sums.first.iter_mut().zip([x, y, h]) {
            *sum = *sum * keep + weight * value;
        }
        for (sum, value) in sums.second.iter_mut().zip([x * x, x * y, y * y, x * h, y * h, h * h]) {
            *sum = *sum * keep + weight * value;
        }
        self.plane = self.sums.plane();
    }

    /// The usual height of somebody with the feet at `foot`, and how sure it is (0..=1); `None` where it is not known.
    #[must_use]
    pub fn at(&self, foot: Point, params: &CalibrationParams) -> Option<(f32, f32)> {
        let plane = self.plane.filter(|_| self.sums.weight >= f64::from(params.height_sightings))?;
        let (x, y) = (f64::from(foot.x), f64::from(foot.y));
        let height = plane.height(x, y);
        let follows = plane.spread <= f64::from(params.height_vague) * height;
        if !(height > LEAST_SPREAD && height < TALLEST && follows) {
            return None;
        }
        let known = (1.0 + f64::from(params.height_far) - plane.distance(x, y)).clamp(0.0, 1.0);
        (known > 0.0).then_some((height as f32, known as f32))
    }
}

impl Sums {
    fn plane(&self) -> Option<Plane> {
        let weight = (self.weight > 0.0).then_some(self.weight)?;
        let mean = self.first.map(|sum| sum / weight);
        let [x, y, h] = mean;
        let [xx, xy, yy, xh, yh, hh] = self.second.map(|sum| sum / weight);
        let (xx, xy, yy) = (xx - x * x + LEAST_VARIANCE, xy - x * y, yy - y * y + LEAST_VARIANCE);
        let (xh, yh, hh) = (xh - x * h, yh - y * h, hh - h * h);
        let determinant = xx * yy - xy * xy;
        let inverse = [yy, -xy, xx].map(|value| value / determinant);
        let slope = [inverse[0] * xh + inverse[1] * yh, inverse[1] * xh + inverse[2] * yh];
        let left = hh - slope[0] * xh - slope[1] * yh;
        let spread = left.max(0.0).sqrt().max(LEAST_SPREAD);
        determinant.is_normal().then_some(Plane { mean, slope, inverse, spread })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARAMS: CalibrationParams = CalibrationParams::DEFAULT;

    /// Heights of people whose feet are all over the lower half of the frame, `height` tall there.
    fn learned(people: usize, height: impl Fn(usize, Point) -> f32) -> Heights {
        let mut heights = Heights::new();
        for i in 0..people {
            let foot = Point::new((i * 7 % 10) as f32 / 8.0, 0.5 + (i * 3 % 10) as f32 / 20.0);
            heights.learn(foot, height(i, foot), &PARAMS);
        }
        heights
    }

    fn at(heights: &Heights, x: f32, y: f32) -> Option<(f32, f32)> {
        heights.at(Point::new(x, y), &PARAMS)
    }

    #[test]
    fn heights_follow_the_floor() {
        let heights = learned(100, |_, foot| 0.5 * foot.y - 0.05 * foot.x);
        for (x, y) in [(0.2, 0.6), (1.0, 0.9)] {
            let (height, known) = at(&heights, x, y).unwrap();
            assert!((height - (0.5 * y - 0.05 * x)).abs() < 0.02 && known == 1.0, "{height} {known}");
        }
        assert_eq!(at(&learned(20, |_, _| 0.3), 0.5, 0.7), None, "too few were seen");
        assert_eq!(at(&heights, 0.5, -2.0), None, "nobody was there");
    }

    #[test]
    fn a_few_who_are_sitting_or_two_in_a_box_do_not_move_it() {
        let heights = learned(300, |i, foot| 0.5 * foot.y * [1.0, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.9][i % 8]);
        let (height, _) = at(&heights, 0.6, 0.75).unwrap();
        assert!((height / 0.375 - 1.0).abs() < 0.12, "{height}");
    }

    #[test]
    fn where_heights_do_not_follow_from_the_place_they_tell_nothing() {
        assert_eq!(at(&learned(300, |i, _| 0.05 + 0.1 * (i * 5 % 7) as f32), 0.6, 0.75), None);
    }

    #[test]
    fn a_camera_that_is_turned_is_learned_again() {
        let params = CalibrationParams { height_window: 200.0, ..PARAMS };
        let mut heights = learned(2000, |_, _| 0.2);
        for i in 0..3000 {
            heights.learn(Point::new((i * 7 % 10) as f32 / 8.0, 0.7), 0.3, &params);
        }
        let (height, _) = at(&heights, 0.6, 0.7).unwrap();
        assert!((height - 0.3).abs() < 0.02, "{height}");
    }

    #[test]
    fn what_was_learned_can_be_kept() {
        let heights = learned(100, |_, foot| 0.5 * foot.y);
        let again = Heights::from_sums(&heights.sums()).unwrap();
        assert_eq!(at(&again, 0.6, 0.75), at(&heights, 0.6, 0.75));
        let (least, most) = heights.range(&PARAMS).unwrap();
        assert!((0.2..0.32).contains(&least) && (0.4..0.52).contains(&most), "{least} {most}");
        for wrong in [vec![], vec![1.0; 9], vec![1.0; 11], vec![0.0; 10], vec![f64::NAN; 10]] {
            assert!(Heights::from_sums(&wrong).is_none(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_was_kept_heights_are_numbers(
            numbers in prop::collection::vec(prop_oneof![any::<f64>(), -10.0..10.0], 10),
            (x, y) in (-1.0f32..3.0, -1.0f32..2.0),
        ) {
            let Some(heights) = Heights::from_sums(&numbers) else { return Ok(()) };
            let known = [at(&heights, x, y).map(|(height, _)| height), heights.range(&PARAMS).map(|(least, _)| least)];
            prop_assert!(known.into_iter().flatten().all(|height| height.is_finite() && height > 0.0));
        }

        #[test]
        fn whatever_is_learnt_heights_are_numbers(
            people in prop::collection::vec((0.0f32..2.0, 0.0f32..1.0, 0.0f32..2.0), 0..200),
            (x, y) in (-1.0f32..3.0, -1.0f32..2.0),
        ) {
            let mut heights = Heights::new();
            for (x, y, height) in people {
                heights.learn(Point::new(x, y), height, &PARAMS);
            }
            if let Some((height, known)) = at(&heights, x, y) {
                prop_assert!(height.is_finite() && height > 0.0 && known > 0.0 && known <= 1.0);
            }
        }
    }
}
