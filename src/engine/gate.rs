//! Whether anything moves in a picture: cheap enough to be asked before every inference.
//!
//! The picture is reduced to a thumbnail of grey cells and compared with a slowly following background. A
//! change of light moves all cells alike and is taken out; what is left in a few cells is somebody.

use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Size},
    imgproc,
};

/// Cells across. A person of 30 px in a picture of 416 px, the smallest that detectors find, covers about
/// seven by three cells.
const CELLS_ACROSS: i32 = 96;

/// Grey levels by which a cell must differ from the background. The noise of a camera at night, averaged
/// over the dozens of pixels in a cell, stays below a third of this.
const CHANGE: f32 = 8.0;

/// Changed cells that make a movement: one may be a defect or a blinking lamp.
const CELLS: usize = 2;

/// Seconds in which the background follows to 63 %. Longer than a step, so that slow movement adds up;
/// short enough that a parked car is background soon.
const FOLLOW: f32 = 3.0;

/// Seconds for which a movement keeps the gate open.
const HOLD: f64 = 1.0;

/// The gate is open this often even if nothing moves, in seconds: nobody who stands still is missed for
/// longer.
const HEARTBEAT: f64 = 1.0;

/// Watches the pictures of one source.
#[derive(Default)]
pub struct Gate {
    background: Vec<f32>,
    small: Mat,
    grey: Mat,
    last_time: f64,
    open_until: f64,
    next_heartbeat: f64,
}

impl Gate {
    /// Whether the picture at `time` seconds is worth an inference. Must see every picture.
    pub fn open(&mut self, image: &Mat, time: f64) -> bool {
        let moved = self.moved(image, time);
        if moved {
            self.open_until = time + HOLD;
        }
        let heartbeat = time >= self.next_heartbeat;
        let open = heartbeat || time <= self.open_until;
        if open {
            self.next_heartbeat = time + HEARTBEAT;
        }
        open
    }

    /// Whether enough cells differ from the background. A picture that cannot be read counts as movement:
    /// the detector will say what is wrong with it.
    fn moved(&mut self, image: &Mat, time: f64) -> bool {
        let elapsed = (time - self.last_time).max(0.0) as f32;
        self.last_time = time;
        let Ok(cells) = self.reduce(image) else { return true };
        if self.background.len() != cells.len() {
            self.background = cells;
            return true;
        }
        let differences = cells.iter().zip(&self.background).map(|(cell, background)| cell - background);
        let light = median(differences.clone().collect());
        let changed = differences.filter(|difference| (difference - light).abs() > CHANGE).count();
        let follow = 1.0 - (-elapsed / FOLLOW).exp();
        for (background, cell) in self.background.iter_mut().zip(&cells) {
            *background += follow * (cell - *background);
        }
        changed >= CELLS
    }

    fn reduce(&mut self, image: &Mat) -> opencv::Result<Vec<f32>> {
        let size = image.size()?;
        let height = (CELLS_ACROSS * size.height / size.width.max(1)).max(1);
        let cells = Size::new(CELLS_ACROSS.min(size.width), height.min(size.height));
        imgproc::resize(image, &mut self.small, cells, 0.0, 0.0, imgproc::INTER_AREA)?;
        imgproc::cvt_color_def(&self.small, &mut self.grey, imgproc::COLOR_BGR2GRAY)?;
        Ok(self.grey.data_bytes()?.iter().map(|grey| f32::from(*grey)).collect())
    }
}

fn median(mut values: Vec<f32>) -> f32 {
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

    /// Grey noise of +-6 levels with a light of `level` and perhaps somebody 30 px tall at `x`.
    fn picture(seed: u64, level: f64, person: Option<i32>) -> Mat {
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
        image
    }

    fn opened(pictures: impl Iterator<Item = Mat>) -> usize {
        let mut gate = Gate::default();
        pictures.enumerate().filter(|(i, picture)| gate.open(picture, *i as f64 / 10.0)).count()
    }

    #[test]
    fn a_still_noisy_picture_costs_a_heartbeat_a_second() {
        let count = opened((0..200).map(|i| picture(i, 90.0, None)));
        assert!((20..=32).contains(&count), "{count} of 200 pictures in 20 s");
    }

    #[test]
    fn light_that_changes_as_a_whole_is_no_movement() {
        let count = opened((0..200).map(|i| picture(i, 60.0 + i as f64 * 0.5, None)));
        assert!(count <= 32, "{count} of 200 pictures in 20 s");
    }

    #[test]
    fn the_smallest_walker_opens_it_at_once_and_as_long_as_he_walks() {
        let mut gate = Gate::default();
        for i in 0..50 {
            gate.open(&picture(i, 90.0, None), i as f64 / 10.0);
        }
        for i in 50..100 {
            let x = (i as i32 - 50) * 6;
            assert!(gate.open(&picture(i, 90.0, Some(x)), i as f64 / 10.0), "picture {i}");
        }
    }
}
