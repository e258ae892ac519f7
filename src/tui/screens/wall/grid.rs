//! Where the previews of a wall go. Pure.

use ratatui::layout::Rect;

/// Least size of a preview with its caption, in columns and rows; two columns are as wide as a row is high.
const LEAST: (u16, u16) = (30, 10);

/// Most previews at a time: the engine makes each of them once a second.
pub const MOST: usize = 24;

/// Rows and columns of previews.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    columns: usize,
    rows: usize,
}

impl Grid {
    /// The grid for `count` previews in an area of `width` and `height`: as large as they can be, never below [`LEAST`]. What has
    /// no place is on another page.
    #[must_use]
    pub fn of(count: usize, width: u16, height: u16) -> Self {
        let most_columns = usize::from(width / LEAST.0).max(1);
        let most_rows = usize::from(height / LEAST.1).max(1);
        let count = count.clamp(1, (most_columns * most_rows).min(MOST));
        let mut best = (0.0, Self { columns: 1, rows: 1 });
        for columns in 1..=most_columns.min(count) {
            let rows = count.div_ceil(columns);
            if rows > most_rows {
                continue;
            }
            // How wide a picture of 16 to 9 is drawn in a tile, with a row for its caption.
            let (wide, high) = (f32::from(width) / columns as f32, f32::from(height) / rows as f32 - 1.0);
            let drawn = wide.min(high * 2.0 * 16.0 / 9.0);
            if drawn > best.0 {
                best = (drawn, Self { columns, rows });
            }
        }
        best.1
    }

    /// How many previews it shows at a time.
    #[must_use]
    pub fn page(self) -> usize {
        (self.columns * self.rows).min(MOST)
    }

    /// How many stand beside each other.
    #[must_use]
    pub fn columns(self) -> usize {
        self.columns
    }

    /// Where the preview of this place on the page goes.
    #[must_use]
    pub fn tile(self, place: usize, area: Rect) -> Rect {
        let (column, row) = (place % self.columns, place / self.columns);
        let cut = |at: usize, of: usize, length: u16| (at * usize::from(length) / of) as u16;
        let (left, right) =
            (cut(column, self.columns, area.width), cut(column + 1, self.columns, area.width));
        let (top, bottom) = (cut(row, self.rows, area.height), cut(row + 1, self.rows, area.height));
        let gap = u16::from(column + 1 < self.columns);
        Rect {
            x: area.x + left,
            y: area.y + top,
            width: (right - left).saturating_sub(gap),
            height: bottom - top,
        }
        .intersection(area)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_previews_are_large_and_many_are_on_pages() {
        let of = |count, width, height| {
            let grid = Grid::of(count, width, height);
            (grid.columns, grid.rows)
        };
        assert_eq!(of(1, 200, 48), (1, 1));
        assert_eq!(of(4, 200, 48), (2, 2));
        assert_eq!(of(16, 200, 48), (4, 4));
        assert_eq!(Grid::of(300, 200, 48).page(), MOST);
        assert_eq!(of(9, 60, 14), (2, 1), "a small terminal shows two at a time");
    }

    proptest! {
        #[test]
        fn tiles_stay_inside_and_never_overlap(count in 1usize..400, width in 60u16..260, height in 13u16..90) {
            let area = Rect::new(0, 1, width, height);
            let grid = Grid::of(count, width, height);
            let tiles: Vec<Rect> = (0..grid.page()).map(|place| grid.tile(place, area)).collect();
            for (i, tile) in tiles.iter().enumerate() {
                prop_assert!(tile.width >= LEAST.0 - 1 && tile.height >= LEAST.1, "{:?}", tile);
                prop_assert_eq!(tile.intersection(area).area(), tile.area());
                for other in &tiles[i + 1..] {
                    prop_assert_eq!(tile.intersection(*other).area(), 0);
                }
            }
        }
    }
}
