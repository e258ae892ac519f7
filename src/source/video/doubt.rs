//! Pictures that are not what they seem, told from the picture alone: OpenCV says nothing of them.

use std::{
    hash::{DefaultHasher, Hasher as _},
    ops::Range,
};

use opencv::core::{CV_8UC3, Mat, MatTraitConst as _, MatTraitConstManual as _, Vec3b};

/// What a decoder paints where it lacks the picture that changes refer to: luminance 128, as BGR.
const UNKNOWN: i32 = 130;

/// Share of the picture, and of its middle, that must be unknown for it to be no picture: a video may have wide grey
/// borders.
const GREY_SHARE: f64 = 0.5;

/// Points looked at across and down.
const GRID: (i32, i32) = (32, 24);

/// Whether most of `picture` is what decoders paint before the first key frame.
pub fn is_grey(picture: &Mat) -> bool {
    if picture.typ() != CV_8UC3 {
        return false;
    }
    let is_unknown = |x: i32, y: i32| {
        let pixel = picture.at_2d::<Vec3b>(y * picture.rows() / GRID.1, x * picture.cols() / GRID.0);
        pixel.is_ok_and(|pixel| pixel.0.iter().all(|value| (i32::from(*value) - UNKNOWN).abs() <= 2))
    };
    let mostly_unknown = |columns: Range<i32>, rows: Range<i32>| {
        let all = f64::from(columns.len() as u32 * rows.len() as u32);
        let unknown = rows.map(|y| columns.clone().filter(|&x| is_unknown(x, y)).count()).sum::<usize>();
        unknown as f64 > GREY_SHARE * all
    };
    mostly_unknown(0..GRID.0, 0..GRID.1)
        && mostly_unknown(GRID.0 / 4..GRID.0 * 3 / 4, GRID.1 / 4..GRID.1 * 3 / 4)
}

/// Seconds without any change after which a picture that used to change is in doubt; doubled each time the doubt
/// was unfounded.
const FIRST_PATIENCE: f64 = 5.0;

/// Pictures without any change that are needed as well.
const PICTURES: u32 = 20;

/// Changes after which a part of the picture is known to change.
const CHANGES: u32 = 10;

/// Notices that a picture, or its lower edge, no longer changes by a single bit.
///
/// OpenCV 4.6 goes on with the size that a stream had when it was opened. When the stream grows, it gives the last
/// picture again and again; when it shrinks, what is below the new picture stays as it was. Cameras' pictures have
/// noise: a part of one that has changed and then does not for seconds is a stream that has changed its size.
#[derive(Debug)]
pub struct Standstill {
    /// Of the whole picture, and of its lower edge.
    parts: [Part; 2],
    patience: f64,
}

#[derive(Debug, Default)]
struct Part {
    hash: u64,
    changes: u32,
    same: u32,
    /// Time of the last change.
    changed: f64,
}

impl Default for Standstill {
    fn default() -> Self {
        Self { parts: Default::default(), patience: FIRST_PATIENCE }
    }
}

impl Standstill {
    /// Takes note of the picture at `time` (seconds); `true` when it is in doubt.
    pub fn observe(&mut self, picture: &Mat, time: f64) -> bool {
        let rows = picture.rows();
        let whole = hash(picture, (0..16).map(|part| part * rows / 16));
        let edge = hash(picture, [rows - 1, rows - 1 - rows / 32].into_iter());
        let patience = self.patience;
        let mut in_doubt = false;
        for (part, hash) in self.parts.iter_mut().zip([whole, edge]) {
            if part.hash != hash {
                part.changes = part.changes.saturating_add(1);
                (part.hash, part.same, part.changed) = (hash, 0, time);
            } else {
                part.same = part.same.saturating_add(1);
            }
            in_doubt |= part.changes > CHANGES && part.same >= PICTURES && time - part.changed >= patience;
        }
        in_doubt
    }

    /// The doubt was unfounded: it is raised again only after twice the time.
    pub fn unfounded(&mut self) {
        self.patience *= 2.0;
        self.parts.iter_mut().for_each(|part| (part.changes, part.same) = (0, 0));
    }
}

fn hash(picture: &Mat, rows: impl Iterator<Item = i32>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in rows {
        if let Ok(row) = picture.row(row)
            && let Ok(bytes) = row.data_bytes()
        {
            hasher.write(bytes);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use opencv::{
        core::{Rect, Scalar},
        imgproc,
    };

    use super::*;

    fn plain(value: f64) -> Mat {
        Mat::new_rows_cols_with_default(48, 64, CV_8UC3, Scalar::all(value)).unwrap()
    }

    /// `picture` with another bar across its upper part, or all of it.
    fn moved(mut picture: Mat, step: i32, height: i32) -> Mat {
        let bar = Rect::new(step % 60, 0, 4, height);
        imgproc::rectangle(&mut picture, bar, Scalar::all(200.0), -1, imgproc::LINE_8, 0).unwrap();
        picture
    }

    #[test]
    fn pictures_of_a_decoder_without_a_key_frame_are_told() {
        assert!(is_grey(&plain(130.0)));
        assert!(is_grey(&moved(plain(130.0), 3, 48)), "with something that moves");
        assert!(!is_grey(&plain(120.0)) && !is_grey(&plain(0.0)));
    }

    #[test]
    fn a_picture_between_wide_grey_borders_is_one() {
        let mut picture = plain(130.0);
        let upright = Rect::new(20, 0, 24, 48);
        imgproc::rectangle(&mut picture, upright, Scalar::all(90.0), -1, imgproc::LINE_8, 0).unwrap();
        assert!(!is_grey(&picture));
    }

    /// Seconds from the last change of `frozen` rows to the doubt, at ten pictures a second.
    fn doubt(standstill: &mut Standstill, alive: i32, from: i32) -> Option<f64> {
        (0..4000).find_map(|frame| {
            let picture =
                if frame < from { moved(plain(9.0), frame, 48) } else { moved(plain(9.0), frame, alive) };
            standstill.observe(&picture, f64::from(frame) / 10.0).then(|| f64::from(frame - from) / 10.0)
        })
    }

    #[test]
    fn a_picture_that_stands_still_or_whose_lower_edge_does_is_in_doubt() {
        for (name, alive) in [("only the upper half lives", 24), ("almost nothing", 1)] {
            let seconds = doubt(&mut Standstill::default(), alive, 50).unwrap();
            assert!((FIRST_PATIENCE - 0.2..=FIRST_PATIENCE + 0.2).contains(&seconds), "{name}: {seconds}");
        }
        let mut standstill = Standstill::default();
        assert_eq!(doubt(&mut standstill, 48, 50), None, "it moves");
        assert_eq!(doubt(&mut Standstill::default(), 24, 0), None, "its edge never moved");
    }

    #[test]
    fn an_unfounded_doubt_is_raised_half_as_often() {
        let mut standstill = Standstill::default();
        doubt(&mut standstill, 24, 50).unwrap();
        standstill.unfounded();
        let seconds = doubt(&mut standstill, 24, 50).unwrap();
        assert!((2.0 * FIRST_PATIENCE - 0.2..=2.0 * FIRST_PATIENCE + 0.2).contains(&seconds), "{seconds}");
    }
}
