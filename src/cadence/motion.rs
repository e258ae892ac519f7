//! Where something moves in a frame. Pure: cells in, boxes out.

use super::CadenceParams;
use crate::geometry::{BBox, Point};

/// Where the last frame differed from the background.
#[derive(Debug)]
pub struct Motion {
    /// Row by row; empty when the frame could not be compared, which counts as movement everywhere.
    pub(super) changed: Vec<bool>,
    /// Where it differed from the background.
    pub(super) bodies: Vec<bool>,
    /// Whether a changed cell shows what no detection run has seen yet.
    pub(super) new: Vec<bool>,
    pub(super) columns: usize,
    /// Side of a cell, in frame heights.
    pub(super) cell: f32,
    pub(super) count: usize,
    /// Changed cells that make a motion.
    least: usize,
    /// Still cells that may lie between two parts of one motion.
    gap: usize,
}

impl Motion {
    /// Of a frame that is compared with none.
    #[must_use]
    pub fn unknown(params: &CadenceParams) -> Self {
        let (least, gap) = (params.gate_cells, params.gate_gap);
        Self {
            changed: Vec::new(),
            bodies: Vec::new(),
            new: Vec::new(),
            columns: 0,
            cell: 0.0,
            count: 0,
            least,
            gap,
        }
    }

    /// Whether anything moves at all.
    #[must_use]
    pub fn any(&self) -> bool {
        self.changed.is_empty() || self.count >= self.least
    }

    /// Whether anything moves inside `area` (frame heights).
    #[must_use]
    pub fn within(&self, area: &BBox) -> bool {
        self.changed.is_empty()
            || self.count >= self.least
                && self.moving().filter(|point| contains(area, *point)).take(self.least).count() == self.least
    }

    /// Share (0..=1) of `area` (frame heights) in which something moves; 0 where the frame could not be compared.
    #[must_use]
    pub fn share(&self, area: &BBox) -> f32 {
        if self.bodies.is_empty() || self.columns == 0 {
            return 0.0;
        }
        let rows = self.bodies.len() / self.columns;
        let cells = |from: f32, to: f32, most: usize| {
            let from = ((from / self.cell).round().max(0.0) as usize).min(most - 1);
            from..((to / self.cell).round().max(0.0) as usize).clamp(from + 1, most)
        };
        let columns = cells(area.x, area.right(), self.columns);
        let inside = cells(area.y, area.bottom(), rows).flat_map(|row| {
            let start = row * self.columns;
            &self.bodies[start + columns.start..start + columns.end]
        });
        let (all, changed) =
            inside.fold((0u32, 0u32), |(all, changed), cell| (all + 1, changed + u32::from(*cell)));
        changed as f32 / all as f32
    }

    /// Whether anything moves that no detection run has seen, that none of `areas` explains and for which `wanted` holds.
    pub fn unexplained(&self, areas: &[BBox], wanted: impl Fn(Point) -> bool) -> bool {
        let free = |point: &Point| wanted(*point) && !is_in_one(areas, *point);
        self.changed.is_empty()
            || self.count >= self.least && self.unseen().filter(free).take(self.least).count() == self.least
    }

    /// Boxes in frame heights around the motion that no detection run has seen and none of `areas` explains, apart from each
    /// other; none where movement is everywhere or nowhere.
    #[must_use]
    pub fn blobs(&self, areas: &[BBox]) -> Vec<BBox> {
        let free = self.unseen().filter(|point| !is_in_one(areas, *point));
        let near = (self.gap as f32 + 0.5) * self.cell;
        let mut blobs: Vec<BBox> = Vec::new();
        for point in free {
            let mut blob = BBox::new(point.x, point.y, 0.0, 0.0).grown(self.cell / 2.0);
            // What it now joins may reach others.
            while let Some(other) = blobs.iter().position(|other| other.intersection(&blob.grown(near)) > 0.0)
            {
                blob = blob.union(&blobs.swap_remove(other));
            }
            blobs.push(blob);
        }
        blobs
    }

    /// Movement wherever `moves` says so, on a grid of square cells.
    #[cfg(test)]
    pub fn painted(columns: usize, rows: usize, moves: impl Fn(Point) -> bool) -> Self {
        let cell = 1.0 / rows as f32;
        let middle =
            |index: usize| Point::new((index % columns) as f32 * cell, (index / columns) as f32 * cell);
        let changed: Vec<bool> = (0..columns * rows).map(|index| moves(middle(index))).collect();
        let count = changed.iter().filter(|changed| **changed).count();
        Self {
            new: changed.clone(),
            bodies: changed.clone(),
            changed,
            columns,
            cell,
            count,
            ..Self::unknown(&CadenceParams::DEFAULT)
        }
    }

    /// Middles of the changed cells.
    fn moving(&self) -> impl Iterator<Item = Point> + '_ {
        self.middles(&self.changed)
    }

    /// Middles of the changed cells that show what no detection run has seen yet.
    fn unseen(&self) -> impl Iterator<Item = Point> + '_ {
        self.middles(&self.new)
    }

    fn middles<'a>(&'a self, cells: &'a [bool]) -> impl Iterator<Item = Point> + 'a {
        let set = cells.iter().enumerate().filter(|(_, set)| **set);
        set.map(|(index, _)| middle(index, self.columns, self.cell))
    }
}

/// The middle of a cell.
pub(super) fn middle(index: usize, columns: usize, cell: f32) -> Point {
    let (row, column) = (index / columns, index % columns);
    Point::new((column as f32 + 0.5) * cell, (row as f32 + 0.5) * cell)
}

fn contains(area: &BBox, point: Point) -> bool {
    (area.x..=area.right()).contains(&point.x) && (area.y..=area.bottom()).contains(&point.y)
}

/// Whether one of `areas` contains the point.
pub(crate) fn is_in_one(areas: &[BBox], point: Point) -> bool {
    areas.iter().any(|area| contains(area, point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_an_area_that_moves_is_that_of_its_cells() {
        let body = BBox::new(0.4, 0.2, 0.2, 0.4);
        let motion = Motion::painted(160, 100, |point| contains(&body, point));
        let near = |area: BBox, share: f32| {
            let found = motion.share(&area);
            assert!((found - share).abs() < 0.1, "{area:?}: {found} for {share}");
        };
        near(body, 1.0);
        near(BBox { h: 0.8, ..body }, 0.5);
        near(BBox::new(1.0, 0.2, 0.2, 0.4), 0.0);
        near(BBox::new(-0.5, -0.5, 3.0, 3.0), 0.05);
        for outside in [BBox::new(5.0, 5.0, 1.0, 1.0), BBox::new(-5.0, -5.0, 1.0, 1.0)] {
            near(outside, 0.0);
        }
        assert_eq!(Motion::unknown(&CadenceParams::DEFAULT).share(&body), 0.0);
    }

    #[test]
    fn movements_in_two_places_are_two_blobs() {
        let at = |x: f32, y: f32| BBox::new(x, y, 0.1, 0.2);
        let (one, other) = (at(0.2, 0.3), at(0.9, 0.5));
        // The first in two halves with a gap of two cells.
        let (upper, lower) = (BBox { h: 0.09, ..one }, BBox { y: 0.41, h: 0.09, ..one });
        let motion =
            Motion::painted(160, 100, |point| [upper, lower, other].iter().any(|area| contains(area, point)));
        let mut blobs = motion.blobs(&[]);
        blobs.sort_by(|a, b| a.x.total_cmp(&b.x));
        assert_eq!(blobs.len(), 2, "{blobs:?}");
        assert!(blobs[0].iou(&one) > 0.7 && blobs[1].iou(&other) > 0.8, "{blobs:?}");
        assert_eq!(motion.blobs(&[other.grown(0.02)]).len(), 1, "one is explained");
    }
}
