//! Which blobs are people, and how many. Pure: a mask and rectangles in, rectangles out.

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

/// What people look like in this scene.
#[derive(Debug, Clone)]
pub struct People {
    /// Width over height of blobs that were whole, oldest first.
    shapes: std::collections::VecDeque<f32>,
}

impl Default for People {
    fn default() -> Self {
        Self { shapes: std::iter::repeat_n(UPRIGHT, REMEMBERED / 4).collect() }
    }
}

impl People {
    /// The people among `blobs` of a `mask` (a byte a pixel, not 0 where something is) of this size (width,
    /// height), each with whether size and shape are plausible.
    pub fn among(&mut self, blobs: &[Blob], mask: &[u8], size: (usize, usize)) -> Vec<(Blob, bool)> {
        let least = HEIGHT.0 * size.1 as f32;
        let most = HEIGHT.1 * size.1 as f32;
        let usual = self.usual_ratio();
        let mut people = Vec::new();
        for blob in blobs {
            if (blob.height as f32) < least || blob.fill() < MIN_FILL {
                continue;
            }
            let whole = !blob.touches_edge(size);
            let count = if whole { (blob.ratio() / (usual * WIDE)).floor().max(0.0) as usize + 1 } else { 1 };
            let plausible = (blob.height as f32) < most && blob.ratio() > usual * 0.35;
            if count > 1 {
                people.extend(divide(blob, count, mask, size.0).into_iter().map(|part| (part, plausible)));
            } else {
                people.push((*blob, plausible));
            }
            if whole && plausible {
                self.remember(blob.ratio());
            }
        }
        people
    }

    fn remember(&mut self, ratio: f32) {
        if self.shapes.len() >= REMEMBERED {
            self.shapes.pop_front();
        }
        self.shapes.push_back(ratio.clamp(0.2, 1.5));
    }

    fn usual_ratio(&self) -> f32 {
        let mut sorted: Vec<f32> = self.shapes.iter().copied().collect();
        let middle = sorted.len() / 2;
        if sorted.is_empty() {
            return UPRIGHT;
        }
        *sorted.select_nth_unstable_by(middle, f32::total_cmp).1
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
    fn a_body_cut_by_the_edge_is_one_person_whatever_its_shape() {
        assert_eq!(found(&[(100, 0, 30, 16)]).len(), 1);
    }
}
