//! Where people went since the last detection run, without a network: points on them are found again in the next frame.
//!
//! The scheme is the "median flow" of Kalal et al., "Forward-Backward Error: Automatic Detection of Tracking
//! Failures" (ICPR 2010): a grid of points in each box is followed by the pyramidal method of Lucas and Kanade,
//! forth and back; points that do not come back are dropped, and the box moves by the median of the others. It
//! says so when it fails, and costs a small part of a detection run.

use opencv::{
    core::{
        BORDER_CONSTANT, BORDER_REFLECT_101, Mat, MatTraitConst as _, Point2f, Size, TermCriteria,
        TermCriteria_EPS, TermCriteria_MAX_ITER, Vector,
    },
    video,
};

use super::{CadenceParams, gate::median};
use crate::geometry::BBox;

/// Follows the people of one source from frame to frame.
pub struct OpticalFlow {
    params: CadenceParams,
    before: Mat,
    /// Halvings and slopes of `before`, where somebody was followed into it; else empty.
    pyramid: Vector<Mat>,
}

impl OpticalFlow {
    /// Before the first frame.
    #[must_use]
    pub fn new(params: CadenceParams) -> Self {
        Self { params, before: Mat::default(), pyramid: Vector::new() }
    }

    /// Where each of `boxes`, seen in the frame before this one, is now, in frame heights; `None` for those that
    /// were lost. `gray`: the frame, 8-bit, of any size that does not change.
    pub fn follow(&mut self, gray: &Mat, boxes: &[BBox]) -> Vec<Option<BBox>> {
        let (moved, pyramid) =
            self.moved(gray, boxes).unwrap_or_else(|_| (vec![None; boxes.len()], Vector::new()));
        self.remember(gray);
        self.pyramid = pyramid;
        moved
    }

    /// The frame that the next one is compared with.
    fn remember(&mut self, gray: &Mat) {
        if gray.copy_to(&mut self.before).is_err() {
            self.before = Mat::default();
        }
        self.pyramid.clear();
    }

    /// Where everybody is, and the frame's pyramid if anybody could be sought.
    fn moved(&mut self, gray: &Mat, boxes: &[BBox]) -> opencv::Result<(Vec<Option<BBox>>, Vector<Mat>)> {
        let params = self.params;
        let side = gray.rows() as f32;
        let hidden = |one: &BBox, other: &BBox| {
            one.intersection(other) > params.flow_occluded * one.area().min(other.area())
        };
        let visible: Vec<bool> = (0..boxes.len())
            .map(|i| {
                let others = boxes.iter().enumerate().filter(|(other, _)| *other != i);
                boxes[i].h * side >= params.flow_smallest
                    && !others.into_iter().any(|(_, other)| hidden(&boxes[i], other))
            })
            .collect();
        if !visible.contains(&true) || self.before.size()? != gray.size()? {
            return Ok((vec![None; boxes.len()], Vector::new()));
        }
        if self.pyramid.is_empty() {
            self.pyramid = pyramid(&self.before, &params)?;
        }
        let now = pyramid(gray, &params)?;
        let clear = boxes.iter().zip(&visible).filter_map(|(bbox, visible)| visible.then_some(bbox));
        let from: Vector<Point2f> = clear.flat_map(|bbox| grid(bbox, side, &params)).collect();
        let (to, found) = flow(&self.pyramid, &now, &from, &params)?;
        let (back, found_back) = flow(&now, &self.pyramid, &to, &params)?;
        let mut ways = Vec::with_capacity(from.len());
        for i in 0..from.len() {
            let (a, b, c) = (from.get(i)?, to.get(i)?, back.get(i)?);
            let returned =
                found.get(i)? != 0 && found_back.get(i)? != 0 && (a - c).norm() <= params.flow_return;
            ways.push(returned.then_some((b.x - a.x, b.y - a.y)));
        }
        let mut ways = ways.chunks(params.flow_columns * params.flow_rows);
        let moved = boxes
            .iter()
            .zip(visible)
            .map(|(bbox, visible)| {
                let (x, y) =
                    visible.then(|| ways.next()).flatten().and_then(|ways| common_way(ways, &params))?;
                Some(BBox { x: bbox.x + x / side, y: bbox.y + y / side, ..*bbox })
            })
            .collect();
        Ok((moved, now))
    }
}

/// What the method makes of a frame before it seeks points; each frame is used four times, forth and back to the one
/// before and to the one after.
fn pyramid(gray: &Mat, params: &CadenceParams) -> opencv::Result<Vector<Mat>> {
    let mut pyramid = Vector::new();
    let (border, slopes_border) = (BORDER_REFLECT_101, BORDER_CONSTANT);
    let window = Size::new(params.flow_window, params.flow_window);
    video::build_optical_flow_pyramid(
        gray,
        &mut pyramid,
        window,
        params.flow_halvings,
        true,
        border,
        slopes_border,
        false,
    )?;
    Ok(pyramid)
}

/// The way that the points of a box went, in pixels, when enough of them were found and went alike.
fn common_way(ways: &[Option<(f32, f32)>], params: &CadenceParams) -> Option<(f32, f32)> {
    let found: Vec<_> = ways.iter().flatten().copied().collect();
    if (found.len() as f32) < params.flow_found * ways.len() as f32 {
        return None;
    }
    let middle = |part: fn(&(f32, f32)) -> f32| median(&mut found.iter().map(part).collect::<Vec<_>>());
    let (x, y) = (middle(|way| way.0), middle(|way| way.1));
    let limit = params.flow_alike.max(params.flow_alike_share * x.hypot(y));
    let alike = found.iter().filter(|way| (way.0 - x).hypot(way.1 - y) <= limit).count();
    (2 * alike >= found.len()).then_some((x, y))
}

/// Points of `bbox` in a frame `side` pixels high.
fn grid(bbox: &BBox, side: f32, params: &CadenceParams) -> impl Iterator<Item = Point2f> + use<> {
    let (bbox, params) = (*bbox, *params);
    let (columns, rows) = (params.flow_columns, params.flow_rows);
    let at = |index: usize, count: usize, from: f32, to: f32| {
        from + (to - from) * index as f32 / (count - 1) as f32
    };
    (0..columns * rows).map(move |i| {
        let u = at(i % columns, columns, params.flow_left, params.flow_right);
        let v = at(i / columns, rows, params.flow_top, params.flow_bottom);
        Point2f::new((bbox.x + u * bbox.w) * side, (bbox.y + v * bbox.h) * side)
    })
}

/// Where the points of the first frame are in the second, and whether they were found.
fn flow(
    from: &Vector<Mat>,
    to: &Vector<Mat>,
    points: &Vector<Point2f>,
    params: &CadenceParams,
) -> opencv::Result<(Vector<Point2f>, Vector<u8>)> {
    let (mut moved, mut found, mut error) = (Vector::new(), Vector::new(), Vector::<f32>::new());
    let criteria =
        TermCriteria::new(TermCriteria_MAX_ITER + TermCriteria_EPS, params.flow_steps, params.flow_step)?;
    video::calc_optical_flow_pyr_lk(
        from,
        to,
        points,
        &mut moved,
        &mut found,
        &mut error,
        Size::new(params.flow_window, params.flow_window),
        params.flow_halvings,
        criteria,
        0,
        params.flow_texture,
    )?;
    Ok((moved, found))
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC1, MatTrait as _, MatTraitConst as _, Rect, Scalar};

    use super::*;

    /// Side of the frame in pixels.
    const SIDE: i32 = 160;

    /// A patch of blobs, different for each seed: cloth has texture at the scale of the window.
    fn patch(width: i32, height: i32, seed: u64) -> Mat {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut coarse =
            Mat::new_rows_cols_with_default(height / 4, width / 4, CV_8UC1, Scalar::all(0.0)).unwrap();
        for y in 0..coarse.rows() {
            for x in 0..coarse.cols() {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                *coarse.at_2d_mut::<u8>(y, x).unwrap() = (random % 200) as u8 + 20;
            }
        }
        let mut patch = Mat::default();
        let size = Size::new(width, height);
        opencv::imgproc::resize(&coarse, &mut patch, size, 0.0, 0.0, opencv::imgproc::INTER_CUBIC).unwrap();
        patch
    }

    /// A frame with people, 16 x 48 pixels, with their left top corners at `at`; each keeps its clothes.
    fn picture(at: &[(i32, i32)]) -> Mat {
        let mut picture = patch(SIDE, SIDE, 99);
        for (person, (x, y)) in at.iter().enumerate() {
            let mut place = Mat::roi_mut(&mut picture, Rect::new(*x, *y, 16, 48)).unwrap();
            patch(16, 48, person as u64 + 1).copy_to(&mut place).unwrap();
        }
        picture
    }

    fn boxes(at: &[(i32, i32)]) -> Vec<BBox> {
        let side = SIDE as f32;
        at.iter()
            .map(|(x, y)| BBox::new(*x as f32 / side, *y as f32 / side, 16.0 / side, 48.0 / side))
            .collect()
    }

    fn follow(from: &[(i32, i32)], to: &[(i32, i32)]) -> Vec<Option<BBox>> {
        let mut follower = OpticalFlow::new(CadenceParams::DEFAULT);
        follower.remember(&picture(from));
        follower.follow(&picture(to), &boxes(from))
    }

    #[test]
    fn optical_flow_carries_each_person_along_their_own_path() {
        let to = [(26, 40), (97, 74)];
        let found = follow(&[(20, 40), (100, 70)], &to);
        for (found, expected) in found.iter().zip(boxes(&to)) {
            let found = found.expect("followed");
            let pixel = 1.0 / SIDE as f32;
            assert!(
                (found.x - expected.x).abs() < pixel && (found.y - expected.y).abs() < pixel,
                "{found:?}"
            );
            assert_eq!((found.w, found.h), (expected.w, expected.h));
        }
    }

    #[test]
    fn a_person_who_vanishes_is_lost_and_the_others_are_not() {
        let found = follow(&[(20, 40), (100, 70)], &[(22, 40)]);
        assert!(found[0].is_some());
        assert_eq!(found[1], None);
    }

    #[test]
    fn optical_flow_does_not_carry_occluded_or_tiny_people() {
        assert_eq!(follow(&[(50, 40), (53, 42)], &[(50, 40), (53, 42)]), [None, None]);
        let mut follower = OpticalFlow::new(CadenceParams::DEFAULT);
        let still = picture(&[]);
        follower.remember(&still);
        assert_eq!(follower.follow(&still, &[BBox::new(0.5, 0.5, 0.02, 0.05)]), [None]);
    }

    #[test]
    fn optical_flow_needs_a_previous_frame_of_the_same_size() {
        let at = [(20, 40)];
        let mut follower = OpticalFlow::new(CadenceParams::DEFAULT);
        assert_eq!(follower.follow(&picture(&at), &boxes(&at)), [None]);
        let other = patch(80, 80, 5);
        assert_eq!(follower.follow(&other, &boxes(&at)), [None]);
        assert_eq!(follower.follow(&other, &[]), []);
    }
}
