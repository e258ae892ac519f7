//! Heads made unrecognizable.

use opencv::{
    core::{Mat, MatTrait as _, MatTraitConst as _, Rect, Size},
    imgproc,
};

use crate::geometry::BBox;

/// Cells across a box: a head has two of them, and nothing of a face is left.
const CELLS: i32 = 4;

/// Where the head of somebody in the box is at most, in frame heights. Of a standing person it is the upper third; where the
/// box is wide, as of somebody near, sitting or seen from above, it is more of it, up to the whole.
#[must_use]
pub fn head(body: &BBox) -> BBox {
    let height = (0.3 * body.h).max(0.75 * body.w).min(body.h);
    // A box that sits a little too low or beside leaves no head outside.
    let (above, beside) = (0.12 * body.h, 0.15 * body.w);
    BBox::new(body.x - beside, body.y - above, body.w + 2.0 * beside, height + above)
}

/// Blurs `area` (frame heights) of a picture (8-bit BGR) beyond recognition.
///
/// # Errors
/// When OpenCV refuses.
pub fn blur(picture: &mut Mat, area: &BBox) -> opencv::Result<()> {
    let (columns, rows) = (picture.cols(), picture.rows());
    let scale = rows as f32;
    let pixel = |length: f32, most: i32| (length * scale).clamp(0.0, most as f32) as i32;
    let (left, top) = (pixel(area.x, columns), pixel(area.y, rows));
    let right = pixel(area.right() + 1.0 / scale, columns);
    let bottom = pixel(area.bottom() + 1.0 / scale, rows);
    if right <= left || bottom <= top {
        return Ok(());
    }
    let rect = Rect::new(left, top, right - left, bottom - top);
    let cell = (area.w * scale / CELLS as f32).max(1.0);
    let count = |length: i32| ((length as f32 / cell).round() as i32).clamp(1, CELLS * 4);
    let (mut few, mut back) = (Mat::default(), Mat::default());
    let mut part = picture.roi_mut(rect)?;
    imgproc::resize(
        &part,
        &mut few,
        Size::new(count(rect.width).min(CELLS), count(rect.height)),
        0.0,
        0.0,
        imgproc::INTER_AREA,
    )?;
    imgproc::resize(&few, &mut back, Size::new(rect.width, rect.height), 0.0, 0.0, imgproc::INTER_LINEAR)?;
    back.copy_to(&mut part)
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Scalar, Vec3b};

    use super::*;

    /// Columns of black and white, one pixel each: detail that a face needs.
    fn striped() -> Mat {
        let mut picture = Mat::new_rows_cols_with_default(100, 100, CV_8UC3, Scalar::all(0.0)).unwrap();
        for row in 0..100 {
            for column in (0..100).step_by(2) {
                *picture.at_2d_mut::<Vec3b>(row, column).unwrap() = Vec3b::all(255);
            }
        }
        picture
    }

    fn contrast(picture: &Mat, row: i32, column: i32) -> i32 {
        let value = |column| i32::from(picture.at_2d::<Vec3b>(row, column).unwrap()[0]);
        (value(column) - value(column + 1)).abs()
    }

    #[test]
    fn of_a_head_no_detail_is_left_and_the_body_stays() {
        let mut picture = striped();
        let body = BBox::new(0.4, 0.2, 0.2, 0.6);
        blur(&mut picture, &head(&body)).unwrap();
        for row in 15..38 {
            for column in 38..61 {
                assert!(contrast(&picture, row, column) < 30, "row {row}, column {column}");
            }
        }
        assert_eq!((contrast(&picture, 50, 50), contrast(&picture, 5, 50)), (255, 255));
    }

    #[test]
    fn the_head_of_a_wide_box_is_most_of_it() {
        let near = BBox::new(0.1, 0.1, 0.8, 0.8);
        assert!(head(&near).bottom() >= 0.7);
        let standing = BBox::new(0.1, 0.1, 0.2, 0.6);
        let found = head(&standing);
        assert!(found.y < 0.05 && found.x < 0.1 && (0.25..0.35).contains(&found.bottom()), "{found:?}");
        let flat = BBox::new(0.0, 0.0, 1.0, 0.2);
        assert!(head(&flat).bottom() <= 0.21);
    }

    #[test]
    fn boxes_beyond_the_picture_are_blurred_as_far_as_they_are_in_it() {
        for area in [
            BBox::new(-1.0, -1.0, 5.0, 5.0),
            BBox::new(0.95, 0.95, 1.0, 1.0),
            BBox::new(2.0, 2.0, 1.0, 1.0),
            BBox::new(0.5, 0.5, 0.0, 0.0),
            BBox::new(f32::NAN, 0.0, 1.0, 1.0),
        ] {
            blur(&mut striped(), &area).unwrap();
        }
    }
}
