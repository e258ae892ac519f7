//! Where something moves in a picture: cheap enough to be asked before every inference.
//!
//! The picture is reduced to a thumbnail of grey cells and compared with a slowly following background. A
//! change of light moves all cells alike and is taken out; what is left in a few cells is somebody.

use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Rect, Size},
    imgproc,
};

use crate::geometry::{BBox, Point};

/// Cells across, about. A person of 30 px in a picture of 416 px, the smallest that detectors find, covers
/// about seven by three cells.
const CELLS_ACROSS: i32 = 96;

/// Grey levels by which a cell must differ from the background. The noise of a camera at night, averaged
/// over the dozen pixels in a cell, stays below a third of this.
const CHANGE: f32 = 8.0;

/// Changed cells that make a movement: one may be a defect or a blinking lamp.
const CELLS: usize = 2;

/// Seconds in which the background follows to 63 %. Longer than a step, so that slow movement adds up;
/// short enough that a parked car is background soon.
const FOLLOW: f32 = 3.0;

/// The change of light is the median over every this many cells: hundreds of them, which is plenty.
const LIGHT_SAMPLE: usize = 7;

/// Watches the pictures of one source.
#[derive(Default)]
pub struct Gate {
    background: Vec<f32>,
    motion: Motion,
    light: Vec<f32>,
    grey: Mat,
    small: Mat,
    cells: Mat,
    last_time: f64,
}

/// Where the last picture differed from the background.
#[derive(Debug, Default)]
pub struct Motion {
    /// Row by row; empty when the picture could not be compared, which counts as movement everywhere.
    changed: Vec<bool>,
    columns: usize,
    /// Side of a cell, in frame heights.
    cell: f32,
    count: usize,
}

impl Motion {
    /// Whether anything moves at all.
    #[must_use]
    pub fn any(&self) -> bool {
        self.changed.is_empty() || self.count >= CELLS
    }

    /// Whether anything moves inside `area` (frame heights).
    #[must_use]
    pub fn within(&self, area: &BBox) -> bool {
        self.changed.is_empty()
            || self.count >= CELLS
                && self.moving().filter(|point| contains(area, *point)).take(CELLS).count() == CELLS
    }

    /// Whether anything moves that none of `areas` explains and for which `wanted` holds.
    pub fn unexplained(&self, areas: &[BBox], wanted: impl Fn(Point) -> bool) -> bool {
        let free = |point: &Point| wanted(*point) && !areas.iter().any(|area| contains(area, *point));
        self.changed.is_empty()
            || self.count >= CELLS && self.moving().filter(free).take(CELLS).count() == CELLS
    }

    /// The box around all movement that none of `areas` explains; `None` where movement is everywhere or nowhere.
    pub fn extent(&self, areas: &[BBox]) -> Option<BBox> {
        let free = self.moving().filter(|point| !areas.iter().any(|area| contains(area, *point)));
        free.map(|point| BBox::new(point.x, point.y, 0.0, 0.0).grown(self.cell / 2.0))
            .reduce(|all, cell| all.union(&cell))
    }

    /// Movement wherever `moves` says so, on a grid of square cells.
    #[cfg(test)]
    pub fn painted(columns: usize, rows: usize, moves: impl Fn(Point) -> bool) -> Self {
        let cell = 1.0 / rows as f32;
        let middle =
            |index: usize| Point::new((index % columns) as f32 * cell, (index / columns) as f32 * cell);
        let changed: Vec<bool> = (0..columns * rows).map(|index| moves(middle(index))).collect();
        let count = changed.iter().filter(|changed| **changed).count();
        Self { changed, columns, cell, count }
    }

    /// Middles of the changed cells.
    fn moving(&self) -> impl Iterator<Item = Point> + '_ {
        let changed = self.changed.iter().enumerate().filter(|(_, changed)| **changed);
        changed.map(|(index, _)| {
            let (row, column) = (index / self.columns, index % self.columns);
            Point::new((column as f32 + 0.5) * self.cell, (row as f32 + 0.5) * self.cell)
        })
    }
}

pub(super) fn contains(area: &BBox, point: Point) -> bool {
    (area.x..=area.right()).contains(&point.x) && (area.y..=area.bottom()).contains(&point.y)
}

impl Gate {
    /// Where the picture at `time` seconds differs from the ones before. A picture that cannot be read counts
    /// as movement: the detector will say what is wrong with it.
    pub fn observe(&mut self, image: &Mat, time: f64) -> &Motion {
        let elapsed = (time - self.last_time).max(0.0) as f32;
        self.last_time = time;
        if self.reduce(image).is_err() {
            self.motion.changed.clear();
        } else {
            self.compare(elapsed);
        }
        &self.motion
    }

    /// What [`Self::observe`] said last.
    pub fn motion(&self) -> &Motion {
        &self.motion
    }

    fn compare(&mut self, elapsed: f32) {
        let Self { background, motion, light, cells, .. } = self;
        let Ok(cells) = cells.data_bytes() else { return motion.changed.clear() };
        if background.len() != cells.len() {
            *background = cells.iter().map(|cell| f32::from(*cell)).collect();
            return motion.changed.clear();
        }
        light.clear();
        light.extend(
            cells.iter().zip(&*background).step_by(LIGHT_SAMPLE).map(|(cell, old)| f32::from(*cell) - old),
        );
        let light = median(light);
        let follow = 1.0 - (-elapsed / FOLLOW).exp();
        motion.changed.resize(cells.len(), false);
        motion.count = 0;
        for ((cell, old), changed) in cells.iter().zip(background).zip(&mut motion.changed) {
            let difference = f32::from(*cell) - *old;
            *changed = (difference - light).abs() > CHANGE;
            motion.count += usize::from(*changed);
            *old += follow * difference;
        }
    }

    /// The last picture in grey, at half its size where that loses nothing: for whoever follows points in it.
    pub fn grey(&self) -> &Mat {
        &self.grey
    }

    /// Cells of whole pixels, so that averaging needs no weights; what is left over at the edges is less than
    /// one of them. In grey and by halving as far as it goes: there is less to average.
    fn reduce(&mut self, image: &Mat) -> opencv::Result<()> {
        let size = image.size()?;
        let side = (size.width / CELLS_ACROSS).clamp(1, size.height.max(1));
        let cells = Size::new(size.width / side, size.height / side);
        let whole = image.roi(Rect::new(0, 0, cells.width * side, cells.height * side))?;
        let shrink = |from: &Mat, to: &mut Mat, side: i32| {
            let size = Size::new(cells.width * side, cells.height * side);
            imgproc::resize(from, to, size, 0.0, 0.0, imgproc::INTER_AREA)
        };
        imgproc::cvt_color_def(&whole, &mut self.grey, imgproc::COLOR_BGR2GRAY)?;
        let mut left = side;
        if side % 2 == 0 {
            left /= 2;
            shrink(&self.grey, &mut self.small, left)?;
            std::mem::swap(&mut self.grey, &mut self.small);
        }
        if left % 2 == 0 {
            shrink(&self.grey, &mut self.small, left / 2)?;
            shrink(&self.small, &mut self.cells, 1)?;
        } else {
            shrink(&self.grey, &mut self.cells, 1)?;
        }
        self.motion.columns = cells.width.max(1) as usize;
        self.motion.cell = side as f32 / size.height.max(1) as f32;
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

    /// How many of the pictures, ten a second, show movement. The first has nothing to be compared with.
    fn moved(pictures: impl Iterator<Item = Mat>) -> usize {
        let mut gate = Gate::default();
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
    fn the_smallest_walker_is_seen_at_once_and_where_he_walks() {
        let mut gate = Gate::default();
        for i in 0..50 {
            gate.observe(&picture(i, 90.0, None), i as f64 / 10.0);
        }
        for i in 50..100 {
            let x = (i as i32 - 50) * 6;
            let motion = gate.observe(&picture(i, 90.0, Some(x)), i as f64 / 10.0);
            // In frame heights, 234 px; he leaves a trail, so only what is ahead of him is still.
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
    fn a_picture_of_another_size_counts_as_movement() {
        let mut gate = Gate::default();
        gate.observe(&picture(0, 90.0, None), 0.0);
        let other = Mat::new_rows_cols_with_default(120, 160, CV_8UC3, Scalar::all(90.0)).unwrap();
        assert!(gate.observe(&other, 0.1).any());
        assert!(!gate.observe(&other, 0.2).any());
    }
}
