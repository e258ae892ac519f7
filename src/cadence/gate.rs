//! Where something moves in a frame: cheap enough to be asked before every inference.
//!
//! The frame is reduced to a thumbnail of gray cells and compared with a slowly following background. A
//! change of light moves all cells alike and is taken out; what is left in a few cells is somebody. What a detection run
//! has covered already, such as the trail of a walker or a parked car, is still motion but nothing new.

use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Rect, Size},
    imgproc,
};

use super::{
    CadenceParams,
    motion::{Motion, is_in_one, middle},
};
use crate::{geometry::BBox, source::image::FrameImage};

/// Seconds in which an older brightness loses 63 % of its weight.
const LIGHT_MEMORY: f32 = 60.0;

/// Watches the frames of one source.
pub struct MotionGate {
    params: CadenceParams,
    background: Vec<f32>,
    /// The background, without passers-by: it follows what changes by so many levels a second only, however large the change.
    empty: Vec<f32>,
    /// What each cell showed, without the change of light, when a detection run last covered it.
    seen: Vec<f32>,
    motion: Motion,
    light: Vec<f32>,
    gray: Mat,
    small: Mat,
    cells: Mat,
    last_time: f64,
    last_light: f32,
    /// Brightness of the frames, on average.
    mean: Option<f32>,
}

impl Default for MotionGate {
    fn default() -> Self {
        Self::new(CadenceParams::DEFAULT)
    }
}

impl MotionGate {
    /// Before the first frame.
    #[must_use]
    pub fn new(params: CadenceParams) -> Self {
        Self {
            params,
            background: Vec::new(),
            empty: Vec::new(),
            seen: Vec::new(),
            motion: Motion::unknown(&params),
            light: Vec::new(),
            gray: Mat::default(),
            small: Mat::default(),
            cells: Mat::default(),
            last_time: 0.0,
            last_light: 0.0,
            mean: None,
        }
    }

    /// Where the frame at `time` seconds differs from the ones before. One that cannot be read counts
    /// as motion everywhere: the detector will say what is wrong with it.
    pub fn observe(&mut self, picture: &FrameImage, time: f64) -> &Motion {
        let elapsed = (time - self.last_time).max(0.0) as f32;
        self.last_time = time;
        if self.reduce(picture).is_err() {
            self.motion.changed.clear();
        } else {
            self.compare(elapsed);
        }
        &self.motion
    }

    /// What [`Self::observe`] said last.
    #[must_use]
    pub fn motion(&self) -> &Motion {
        &self.motion
    }

    /// Mean brightness (0..=255) of the frames of the last minute or so; `None` before the first.
    #[must_use]
    pub const fn light(&self) -> Option<f32> {
        self.mean
    }

    /// A detection run covered the last frame, or these `parts` of it (frame heights): what is there is nothing new.
    pub fn detected(&mut self, parts: Option<&[BBox]>) {
        let Self { seen, motion, cells, last_light, .. } = self;
        let Ok(cells) = cells.data_bytes() else { return };
        seen.resize(cells.len(), f32::INFINITY);
        for (index, (cell, seen)) in cells.iter().zip(seen).enumerate() {
            let point = middle(index, motion.columns, motion.cell);
            if parts.is_none_or(|parts| is_in_one(parts, point)) {
                *seen = f32::from(*cell) - *last_light;
            }
        }
    }

    fn compare(&mut self, elapsed: f32) {
        let Self { params, background, empty, seen, motion, light, last_light, mean, cells, .. } = self;
        let Ok(cells) = cells.data_bytes() else { return motion.changed.clear() };
        let now = cells.iter().map(|cell| u32::from(*cell)).sum::<u32>() as f32 / cells.len().max(1) as f32;
        let mean = mean.get_or_insert(now);
        *mean += (now - *mean) * (1.0 - (-elapsed / LIGHT_MEMORY).exp());
        if background.len() != cells.len() {
            *background = cells.iter().map(|cell| f32::from(*cell)).collect();
            empty.clone_from(background);
            seen.clear();
            seen.resize(cells.len(), f32::INFINITY);
            motion.bodies.clear();
            return motion.changed.clear();
        }
        light.clear();
        light.extend(
            cells
                .iter()
                .zip(&*background)
                .step_by(params.gate_light_step)
                .map(|(cell, old)| f32::from(*cell) - old),
        );
        *last_light = median(light);
        let follow = 1.0 - (-elapsed / params.gate_memory).exp();
        motion.changed.clear();
        motion.new.clear();
        motion.bodies.clear();
        let step = params.gate_empty_rate * elapsed.min(1.0);
        for (cell, empty) in cells.iter().zip(&mut *empty) {
            let difference = f32::from(*cell) - *empty;
            motion.bodies.push((difference - *last_light).abs() > params.gate_change);
            *empty += difference.clamp(-step, step);
        }
        let bodies = motion.bodies.iter().filter(|body| **body).count() as f32;
        if bodies > params.gate_flood * cells.len() as f32 {
            // Another frame, as when a camera changes to infrared: it tells of nobody.
            motion.bodies.clear();
            empty.clear();
            empty.extend(cells.iter().map(|cell| f32::from(*cell) - *last_light));
        }
        for ((cell, old), seen) in cells.iter().zip(background).zip(seen) {
            let (now, difference) = (f32::from(*cell), f32::from(*cell) - *old);
            let changed = (difference - *last_light).abs() > params.gate_change;
            motion.changed.push(changed);
            // What no run covered yet (infinite) is new.
            motion.new.push(changed && (now - *last_light - *seen).abs() > params.gate_new_change);
            *old += follow * difference;
        }
        motion.count = motion.changed.iter().filter(|changed| **changed).count();
    }

    /// The last frame in gray, at half its size where that loses nothing: for optical flow.
    #[must_use]
    pub fn gray(&self) -> &Mat {
        &self.gray
    }

    /// Cells of whole pixels, so that averaging needs no weights; what is left over at the edges is less than
    /// one of them. By halving as far as it goes: there is less to average.
    fn reduce(&mut self, picture: &FrameImage) -> opencv::Result<()> {
        let (width, height) = picture.size();
        let (width, height) = (width as i32, height as i32);
        let side = (width / self.params.gate_columns).clamp(1, height.max(1));
        let cells = Size::new(width / side, height / side);
        let halves = if side % 2 == 0 { 2 } else { 1 };
        let mut left = side / halves;
        let gray = picture.gray(((width / halves) as u32, (height / halves) as u32))?;
        let whole = Rect::new(0, 0, cells.width * left, cells.height * left);
        self.gray = gray.roi(whole)?.try_clone()?;
        let shrink = |from: &Mat, to: &mut Mat, side: i32| {
            let size = Size::new(cells.width * side, cells.height * side);
            imgproc::resize(from, to, size, 0.0, 0.0, imgproc::INTER_AREA)
        };
        if left % 2 == 0 {
            left /= 2;
            shrink(&self.gray, &mut self.small, left)?;
            shrink(&self.small, &mut self.cells, 1)?;
        } else {
            shrink(&self.gray, &mut self.cells, 1)?;
        }
        self.motion.columns = cells.width.max(1) as usize;
        self.motion.cell = side as f32 / height.max(1) as f32;
        Ok(())
    }
}

/// The middle one of `values`, which lose their order; 0 when there are none.
pub(super) fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Rect, Scalar, Vec3b};

    use super::*;

    /// Gray noise of +-6 levels with a light of `level` and perhaps somebody 30 px tall at `x`.
    fn picture(seed: u64, level: f64, person: Option<i32>) -> FrameImage {
        let mut image = Mat::new_rows_cols_with_default(234, 416, CV_8UC3, Scalar::all(level)).unwrap();
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        for pixel in opencv::core::MatTraitManual::data_typed_mut::<Vec3b>(&mut image).unwrap() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let noise = (random % 13) as i16 - 6;
            for channel in &mut pixel.0 {
                *channel = (i16::from(*channel) + noise).clamp(0, 255) as u8;
            }
        }
        if let Some(x) = person {
            let body = Rect::new(x, 100, 11, 30);
            imgproc::rectangle(
                &mut image,
                body,
                Scalar::all(level + 40.0),
                imgproc::FILLED,
                imgproc::LINE_8,
                0,
            )
            .unwrap();
        }
        FrameImage::ready(image)
    }

    /// How many of the frames, ten a second, show movement. The first has nothing to be compared with.
    fn moved(pictures: impl Iterator<Item = FrameImage>) -> usize {
        let mut gate = MotionGate::new(CadenceParams::DEFAULT);
        pictures
            .enumerate()
            .skip(1)
            .filter(|(i, picture)| gate.observe(picture, *i as f64 / 10.0).any())
            .count()
            - 1
    }

    #[test]
    fn noise_is_no_movement() {
        assert_eq!(moved((0..200).map(|i| picture(i, 90.0, None))), 0);
    }

    #[test]
    fn light_that_changes_as_a_whole_is_no_movement() {
        assert_eq!(moved((0..200).map(|i| picture(i, 60.0 + i as f64 * 0.5, None))), 0);
    }

    #[test]
    fn the_smallest_walker_is_seen_at_once_and_where_they_walk() {
        let mut gate = acquainted();
        for i in 50..100 {
            let x = (i as i32 - 50) * 6;
            let motion = gate.observe(&picture(i, 90.0, Some(x)), i as f64 / 10.0);
            // In frame heights, 234 px; the person leaves a trail, so only what is ahead of them is still.
            let him = BBox::new(x as f32 / 234.0, 100.0 / 234.0, 11.0 / 234.0, 30.0 / 234.0);
            assert!(motion.within(&him), "picture {i}");
            let ahead = BBox { x: him.right() + 0.03, w: 1.0, ..him };
            assert!(!motion.within(&ahead), "picture {i}");
            let path = BBox::new(0.0, him.y - 0.03, him.right() + 0.03, him.h + 0.06);
            assert!(!motion.unexplained(&[path], |_| true), "picture {i}");
            assert!(motion.unexplained(&[], |point| point.x < him.right()), "picture {i}");
        }
    }

    #[test]
    fn a_passer_by_leaves_no_motion_behind_and_what_stays_becomes_background() {
        let mut gate = acquainted();
        let at = |x: i32| BBox::new(x as f32 / 234.0, 100.0 / 234.0, 11.0 / 234.0, 30.0 / 234.0);
        let mut shares = |i: u64, x: i32, area: BBox| {
            gate.observe(&picture(i, 90.0, Some(x)), i as f64 / 10.0).share(&area)
        };
        for i in 50..100 {
            let x = (i as i32 - 50) * 6;
            assert!(shares(i, x, at(x)) > 0.6, "picture {i}");
            assert!(x < 30 || shares(i, x, at(x - 30)) < 0.1, "picture {i}: half a second behind");
        }
        let stays = |i: u64, share: f32| (share, i);
        let standing: Vec<(f32, u64)> = (100..200).map(|i| stays(i, shares(i, 200, at(200)))).collect();
        assert!(standing[20].0 > 0.6 && standing[99].0 < 0.1, "{standing:?}");
    }

    #[test]
    fn another_picture_shows_no_bodies() {
        let mut gate = acquainted();
        // Darker on one side and lighter on the other than what was there.
        let mut image = Mat::new_rows_cols_with_default(234, 416, CV_8UC3, Scalar::all(90.0)).unwrap();
        for x in 0..104 {
            let (stripe, level) = (Rect::new(4 * x, 0, 4, 234), Scalar::all(2.0 * f64::from(x)));
            imgproc::rectangle(&mut image, stripe, level, imgproc::FILLED, imgproc::LINE_8, 0).unwrap();
        }
        let whole = BBox::new(0.0, 0.0, 1.7, 1.0);
        for i in 50..60 {
            let motion = gate.observe(&FrameImage::ready(image.clone()), f64::from(i) / 10.0);
            assert_eq!(motion.share(&whole), 0.0, "picture {i}");
        }
    }

    /// A gate that knows the frame without anybody.
    fn acquainted() -> MotionGate {
        let mut gate = MotionGate::new(CadenceParams::DEFAULT);
        for i in 0..50 {
            gate.observe(&picture(i, 90.0, None), i as f64 / 10.0);
        }
        gate
    }

    #[test]
    fn motion_that_was_detected_in_needs_no_run_until_it_moves_on() {
        let mut gate = acquainted();
        let mut news = |seed: u64, x: i32, look: Option<&[BBox]>| {
            let motion = gate.observe(&picture(seed, 90.0, Some(x)), seed as f64 / 10.0);
            assert!(motion.any(), "it moves all the same");
            let news = motion.unexplained(&[], |_| true);
            if look.is_some() {
                gate.detected(look);
            }
            news
        };
        let (there, elsewhere) = (BBox::new(0.4, 0.3, 0.3, 0.4), BBox::new(1.0, 0.3, 0.3, 0.4));
        assert!(news(50, 120, Some(&[elsewhere])));
        assert!(news(51, 120, Some(&[there])), "nobody looked there");
        assert!(!news(52, 120, None), "the detector has seen this");
        assert!(news(53, 126, None), "they took a step");
    }

    #[test]
    fn a_picture_of_another_size_counts_as_movement() {
        let mut gate = MotionGate::new(CadenceParams::DEFAULT);
        gate.observe(&picture(0, 90.0, None), 0.0);
        let other =
            FrameImage::ready(Mat::new_rows_cols_with_default(120, 160, CV_8UC3, Scalar::all(90.0)).unwrap());
        assert!(gate.observe(&other, 0.1).any());
        assert!(!gate.observe(&other, 0.2).any());
    }
}
