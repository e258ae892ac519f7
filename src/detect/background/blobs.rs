//! Which blobs are people, and how many. Pure: a mask and rectangles in, rectangles out.

use std::collections::VecDeque;

/// A connected area of the mask, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// Left edge.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
    /// Pixels that belong to it.
    pub area: usize,
}

impl Blob {
    fn ratio(&self) -> f32 {
        self.width as f32 / self.height.max(1) as f32
    }

    fn fill(&self) -> f32 {
        self.area as f32 / (self.width * self.height).max(1) as f32
    }

    fn touches_edge(&self, (width, height): (usize, usize)) -> bool {
        self.x == 0 || self.y == 0 || self.x + self.width >= width || self.y + self.height >= height
    }
}

/// Smallest and largest height of a person, in frame heights.
const HEIGHT: (f32, f32) = (0.07, 0.95);
/// Smallest share of its rectangle that a body fills.
const MIN_FILL: f32 = 0.25;
/// Width over height of an upright walking body, until the scene has shown its own.
const UPRIGHT: f32 = 0.42;
/// Bodies this much wider than usual are several people beside each other.
const WIDE: f32 = 1.7;
/// Shapes remembered to know what is usual here.
const REMEMBERED: usize = 200;
/// Levels of the frame, from top to bottom, in which the usual height is known apart: people farther away
/// stand higher in the frame and are smaller.
const LEVELS: usize = 6;
/// Heights known at a level before they judge others.
const ENOUGH: usize = 20;
/// A blob below this part of the usual height is a piece of somebody.
const PIECE: f32 = 0.5;

/// The latest of some measure, for its median.
#[derive(Debug, Clone, Default)]
struct Usual(VecDeque<f32>);

impl Usual {
    fn remember(&mut self, value: f32) {
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// The median, when at least `enough` values are known.
    fn value(&self, enough: usize) -> Option<f32> {
        if self.0.len() < enough.max(1) {
            return None;
        }
        let mut sorted: Vec<f32> = self.0.iter().copied().collect();
        let middle = sorted.len() / 2;
        Some(*sorted.select_nth_unstable_by(middle, f32::total_cmp).1)
    }
}

/// What people look like in this scene.
#[derive(Debug, Clone)]
pub struct People {
    /// Width over height of blobs that were whole.
    shapes: Usual,
    /// Height of blobs that were whole, in pixels, by where their feet were.
    heights: [Usual; LEVELS],
}

impl Default for People {
    fn default() -> Self {
        let shapes = Usual(std::iter::repeat_n(UPRIGHT, REMEMBERED / 4).collect());
        Self { shapes, heights: Default::default() }
    }
}

impl People {
    /// The people among `blobs` of a `mask` (a byte a pixel, not 0 where something is) of this size (width,
    /// height), each with whether size and shape are plausible.
    pub fn among(&mut self, blobs: &[Blob], mask: &[u8], size: (usize, usize)) -> Vec<(Blob, bool)> {
        let least = HEIGHT.0 * size.1 as f32;
        let most = HEIGHT.1 * size.1 as f32;
        let usual = self.shapes.value(1).unwrap_or(UPRIGHT);
        let mut people = Vec::new();
        for blob in blobs {
            let height = blob.height as f32;
            if height < least || blob.fill() < MIN_FILL {
                continue;
            }
            let level = ((blob.y + blob.height) * LEVELS / (size.1 + 1)).min(LEVELS - 1);
            let piece = self.heights[level].value(ENOUGH).is_some_and(|usual| height < usual * PIECE);
            let plausible = height < most && blob.ratio() > usual * 0.35 && !piece;
            if blob.touches_edge(size) {
                people.push((*blob, plausible));
                continue;
            }
            match (blob.ratio() / (usual * WIDE)).floor() as usize + 1 {
                1 => people.push((*blob, plausible)),
                count => {
                    people
                        .extend(divide(blob, count, mask, size.0).into_iter().map(|part| (part, plausible)));
                }
            }
            if plausible {
                self.shapes.remember(blob.ratio().clamp(0.2, 1.5));
                self.heights[level].remember(height);
            }
        }
        people
    }
}

/// Cuts `blob` into `count` parts at the emptiest columns near equal shares, each as high as what it holds.
fn divide(blob: &Blob, count: usize, mask: &[u8], stride: usize) -> Vec<Blob> {
    let column = |x: usize| {
        (blob.y..blob.y + blob.height)
            .filter(|y| mask.get(y * stride + x).is_some_and(|&byte| byte != 0))
            .count()
    };
    let share = blob.width / count;
    let mut cuts = vec![blob.x];
    for index in 1..count {
        let ideal = blob.x + index * share;
        let reach = (share / 3).max(1);
        let cut = (ideal - reach.min(ideal)..=ideal + reach)
            .filter(|&x| x > blob.x && x < blob.x + blob.width)
            .min_by_key(|&x| (column(x), x.abs_diff(ideal)))
            .unwrap_or(ideal);
        cuts.push(cut);
    }
    cuts.push(blob.x + blob.width);
    cuts.windows(2).filter_map(|ends| trim(blob, ends[0], ends[1], mask, stride)).collect()
}

/// The part of `blob` between two columns, without empty rows above and below.
fn trim(blob: &Blob, left: usize, right: usize, mask: &[u8], stride: usize) -> Option<Blob> {
    let row = |y: usize| {
        mask.get(y * stride + left..y * stride + right)
            .map_or(0, |row| row.iter().filter(|&&b| b != 0).count())
    };
    let rows = blob.y..blob.y + blob.height;
    let top = rows.clone().find(|&y| row(y) > 0)?;
    let bottom = rows.rev().find(|&y| row(y) > 0)?;
    Some(Blob {
        x: left,
        y: top,
        width: right - left,
        height: bottom + 1 - top,
        area: (top..=bottom).map(row).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (320, 180);

    /// A mask with filled rectangles (x, y, width, height), and the blob round all of them.
    fn mask(rectangles: &[(usize, usize, usize, usize)]) -> (Vec<u8>, Blob) {
        let mut mask = vec![0; SIZE.0 * SIZE.1];
        for &(x, y, width, height) in rectangles {
            for row in y..y + height {
                mask[row * SIZE.0 + x..row * SIZE.0 + x + width].fill(255);
            }
        }
        let left = rectangles.iter().map(|r| r.0).min().unwrap();
        let top = rectangles.iter().map(|r| r.1).min().unwrap();
        let right = rectangles.iter().map(|r| r.0 + r.2).max().unwrap();
        let bottom = rectangles.iter().map(|r| r.1 + r.3).max().unwrap();
        let area = mask.iter().filter(|&&byte| byte != 0).count();
        (mask, Blob { x: left, y: top, width: right - left, height: bottom - top, area })
    }

    fn found(rectangles: &[(usize, usize, usize, usize)]) -> Vec<(Blob, bool)> {
        let (mask, blob) = mask(rectangles);
        People::default().among(&[blob], &mask, SIZE)
    }

    #[test]
    fn one_upright_body_is_one_person() {
        let people = found(&[(100, 60, 18, 44)]);
        assert_eq!(people.len(), 1);
        assert!(people[0].1);
    }

    #[test]
    fn two_bodies_that_touch_are_divided_where_they_touch() {
        let people = found(&[(100, 60, 18, 44), (118, 80, 3, 4), (121, 64, 20, 46)]);
        let parts: Vec<_> = people.iter().map(|(blob, _)| (blob.x, blob.y, blob.height)).collect();
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert_eq!((parts[0].1, parts[0].2), (60, 44));
        assert!((118..=121).contains(&parts[1].0), "{parts:?}");
        assert_eq!(parts[1].1 + parts[1].2, 110);
    }

    #[test]
    fn specks_and_outlines_are_nobody() {
        assert!(found(&[(100, 60, 5, 8)]).is_empty());
        assert!(found(&[(100, 60, 2, 60), (100, 60, 60, 2)]).is_empty());
    }

    #[test]
    fn where_bodies_look_round_they_are_not_divided() {
        let (mask, blob) = mask(&[(100, 60, 44, 44)]);
        let mut people = People::default();
        assert_eq!(people.among(&[blob], &mask, SIZE).len(), 2, "at first taken for two beside each other");
        for _ in 0..REMEMBERED {
            people.among(&[blob], &mask, SIZE);
        }
        assert_eq!(people.among(&[blob], &mask, SIZE).len(), 1);
    }

    #[test]
    fn pieces_of_people_are_told_from_people_once_the_scene_is_known() {
        let (whole_mask, whole) = mask(&[(100, 60, 18, 44)]);
        let (piece_mask, piece) = mask(&[(200, 84, 10, 20)]);
        let mut people = People::default();
        assert!(people.among(&[piece], &piece_mask, SIZE)[0].1, "it may be somebody far away");
        for _ in 0..ENOUGH * 2 {
            people.among(&[whole], &whole_mask, SIZE);
        }
        assert!(!people.among(&[piece], &piece_mask, SIZE)[0].1);
        let (far_mask, far) = mask(&[(200, 10, 10, 20)]);
        assert!(people.among(&[far], &far_mask, SIZE)[0].1, "farther up nothing is known yet");
    }

    #[test]
    fn a_body_cut_by_the_edge_is_one_person_whatever_its_shape() {
        assert_eq!(found(&[(100, 0, 30, 16)]).len(), 1);
    }
}
