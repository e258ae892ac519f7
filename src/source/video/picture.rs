//! Pictures made fit for the detector: 8-bit BGR at working size.

use opencv::{
    core::{CV_8U, Mat, MatTraitConst as _, Rect, Size},
    imgproc,
};

/// `full` as 8-bit BGR of `size`, never enlarged. A picture that needs no reduction is taken, not copied,
/// which leaves `full` empty.
pub fn reduce(full: &mut Mat, size: (u32, u32)) -> opencv::Result<Mat> {
    if let Some(bgr) = to_bgr(full)? {
        *full = bgr;
    }
    let width = (size.0 as i32).clamp(1, full.cols());
    let height = (size.1 as i32).clamp(1, full.rows());
    if (width, height) == (full.cols(), full.rows()) {
        return Ok(std::mem::take(full));
    }
    // Averaging squares of four is fast and loses nothing; what is left is less than a halving, which
    // interpolation does without passing over pixels.
    let mut halved: Option<Mat> = None;
    loop {
        let last = halved.as_ref().unwrap_or(full);
        if last.cols() < 2 * width || last.rows() < 2 * height {
            break;
        }
        let (columns, rows) = (last.cols() / 2, last.rows() / 2);
        let mut half = Mat::default();
        let even = last.roi(Rect::new(0, 0, columns * 2, rows * 2))?;
        imgproc::resize(&even, &mut half, Size::new(columns, rows), 0.0, 0.0, imgproc::INTER_AREA)?;
        drop(even);
        halved = Some(half);
    }
    if let Some(exact) = halved.take_if(|half| (half.cols(), half.rows()) == (width, height)) {
        return Ok(exact);
    }
    let mut image = Mat::default();
    let last = halved.as_ref().unwrap_or(full);
    imgproc::resize(last, &mut image, Size::new(width, height), 0.0, 0.0, imgproc::INTER_LINEAR)?;
    Ok(image)
}

/// `picture` converted to 8-bit BGR; `None` when it is that already.
fn to_bgr(picture: &Mat) -> opencv::Result<Option<Mat>> {
    let mut current = None;
    if picture.depth() != CV_8U {
        let mut shallow = Mat::default();
        // Deeper pictures use their full range, as cameras with 10, 12 or 16 bits deliver them.
        picture.convert_to(&mut shallow, CV_8U, 1.0 / 256.0, 0.0)?;
        current = Some(shallow);
    }
    let conversion = match picture.channels() {
        3 => return Ok(current),
        1 => imgproc::COLOR_GRAY2BGR,
        4 => imgproc::COLOR_BGRA2BGR,
        other => {
            return Err(opencv::Error::new(
                opencv::core::StsUnsupportedFormat,
                format!("pictures of {other} channels are not supported"),
            ));
        }
    };
    let mut bgr = Mat::default();
    imgproc::cvt_color_def(current.as_ref().unwrap_or(picture), &mut bgr, conversion)?;
    Ok(Some(bgr))
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC1, CV_8UC3, CV_16UC1, Scalar};

    use super::*;

    #[test]
    fn pictures_are_reduced_never_enlarged() {
        let full =
            |cols, rows| Mat::new_rows_cols_with_default(rows, cols, CV_8UC3, Scalar::all(7.0)).unwrap();
        let size = |mat: Mat| (mat.cols(), mat.rows());
        assert_eq!(size(reduce(&mut full(64, 48), (32, 24)).unwrap()), (32, 24));
        assert_eq!(size(reduce(&mut full(64, 48), (640, 480)).unwrap()), (64, 48));
        assert_eq!(size(reduce(&mut full(64, 48), (0, 0)).unwrap()), (1, 1));
    }

    #[test]
    fn grey_and_deep_pictures_become_bgr() {
        let grey = Mat::new_rows_cols_with_default(4, 4, CV_8UC1, Scalar::all(9.0)).unwrap();
        assert_eq!(to_bgr(&grey).unwrap().unwrap().typ(), CV_8UC3);
        let deep = Mat::new_rows_cols_with_default(4, 4, CV_16UC1, Scalar::all(25600.0)).unwrap();
        let bgr = to_bgr(&deep).unwrap().unwrap();
        assert_eq!(bgr.typ(), CV_8UC3);
        assert_eq!(bgr.at_2d::<opencv::core::Vec3b>(0, 0).unwrap()[0], 100);
    }
}
