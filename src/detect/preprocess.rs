//! From a frame of any size to the input of a network.

use opencv::{
    core::{self, Mat, MatTraitConst, MatTraitConstManual, Rect, Scalar, Size, Vector},
    imgproc,
};

use super::formats::{PAD, Profile, STRIDE};

/// Longest width of the input when the configuration names none: the width at which RTMDet-nano found most on
/// fixed cameras; 640 found no more at twice the cost.
const DEFAULT_WIDTH: u32 = 416;

/// Times the default width and height that a frame may have without being reduced: for people who are small in it.
pub const MOST_ENLARGED: f32 = 3.0;

/// Pixels of the frame in the input when the configuration names none: 416 wide at 4:3. Bounds the cost of
/// square and upright frames, whose height would otherwise run away with the width fixed.
const DEFAULT_PIXELS: u32 = DEFAULT_WIDTH * 312;

/// How the input size follows from the frame's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputRule {
    /// The network takes one size only.
    Exactly(u32, u32),
    /// The smallest input that holds the frame fitted into this (width, height).
    Within(u32, u32),
    /// The smallest input that holds the frame, reduced to the default size where it is more than [`MOST_ENLARGED`]
    /// times as large.
    Default,
}

/// Where a frame lies in the input: from the left top corner, `content` wide and high; the rest is border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    /// Width and height of the network input.
    pub(super) input: (u32, u32),
    /// Width and height of the frame in it.
    pub(super) content: (u32, u32),
}

/// `size` scaled by the largest factor that keeps it within `bound`, aspect kept; at least 1 x 1.
fn fitted(size: (u32, u32), bound: (u32, u32)) -> (u32, u32) {
    let ((w, h), (bw, bh)) =
        ((u64::from(size.0), u64::from(size.1)), (u64::from(bound.0), u64::from(bound.1)));
    // Rounded to nearest in whole numbers, so that fitting twice gives the same.
    let part = |a: u64, b: u64, c: u64| ((2 * a * b + c) / (2 * c)).max(1) as u32;
    if w * bh >= h * bw {
        (bound.0, part(bw, h, w).min(bound.1))
    } else {
        (part(bh, w, h).min(bound.0), bound.1)
    }
}

/// `size` reduced to the default size, aspect kept, where it is larger.
fn reduced(size: (u32, u32)) -> (u32, u32) {
    let (w, h) = size;
    if u64::from(w) * 3 >= u64::from(h) * 4 {
        return if w > DEFAULT_WIDTH { fitted(size, (DEFAULT_WIDTH, DEFAULT_WIDTH)) } else { size };
    }
    // Without its last row and column, since reducing rounded to whole pixels.
    if u64::from(w - 1) * u64::from(h - 1) <= u64::from(DEFAULT_PIXELS) {
        return size;
    }
    let bound = (f64::from(DEFAULT_PIXELS) * f64::from(h) / f64::from(w)).sqrt() as u32;
    fitted(size, (u32::MAX / 4, bound))
}

fn round_up(size: (u32, u32)) -> (u32, u32) {
    (size.0.next_multiple_of(STRIDE), size.1.next_multiple_of(STRIDE))
}

impl InputRule {
    /// Where a frame of `size` goes.
    pub(super) fn place(self, size: (u32, u32), profile: &Profile) -> Placement {
        let size = (size.0.max(1), size.1.max(1));
        match self {
            Self::Exactly(w, h) if profile.stretch => Placement { input: (w, h), content: (w, h) },
            Self::Exactly(w, h) => Placement { input: (w, h), content: fitted(size, (w, h)) },
            Self::Within(w, h) => {
                let content = fitted(size, (w, h));
                Placement { input: round_up(content), content }
            }
            Self::Default => {
                let usual = reduced(size);
                let enlarged = |side: u32| (side as f32 * MOST_ENLARGED).round() as u32;
                let fits = size.0 <= enlarged(usual.0) && size.1 <= enlarged(usual.1);
                let content = if fits { size } else { usual };
                Placement { input: round_up(content), content }
            }
        }
    }

    /// Size to which the capture thread should reduce a frame of `size`: the one placed without a further
    /// resize, but never larger than the frame and always of its aspect.
    pub(super) fn working_size(self, size: (u32, u32), profile: &Profile) -> (u32, u32) {
        let size = (size.0.max(1), size.1.max(1));
        let wanted = match self {
            // Enough for both sides of the stretched frame.
            Self::Exactly(w, h) if profile.stretch => {
                let wide = fitted(size, (w, u32::MAX / 4));
                if wide.1 >= h { wide } else { fitted(size, (u32::MAX / 4, h)) }
            }
            Self::Default => reduced(size),
            rule => rule.place(size, profile).content,
        };
        if wanted.0 > size.0 || wanted.1 > size.1 { size } else { wanted }
    }
}

/// What a network is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input<'a> {
    /// 1 x 3 x height x width.
    Planes(&'a [f32]),
    /// For each result of a first convolution of 3x3 pixels, two pixels apart, the pixels that it looks at:
    /// 1 x height / 2 x width / 2 x [`WINDOW`]. To gather them costs as much as the conversion to floats, and a network in eight bits
    /// need not convert them back, nor move a convolution over three channels, which is slow in bytes.
    Windows(&'a [u8]),
}

/// Bytes of a window: nine pixels of three, and one that counts for nothing, because ONNX Runtime multiplies bytes by fours.
pub(super) const WINDOW: usize = 28;

/// The buffers of one inference context, kept from frame to frame.
#[derive(Default)]
pub(super) struct Preprocessor {
    resized: Mat,
    /// Blue, green and red of the frame.
    channels: Vector<Mat>,
    /// NCHW, of the size of the placement's input.
    planes: Vec<f32>,
    /// The input, 8-bit BGR, with a row of border above it and a column on the left.
    bordered: Mat,
    windows: Vec<u8>,
    placed: Option<Placement>,
}

impl Preprocessor {
    /// Makes the network input out of `image` (8-bit BGR, any size).
    ///
    /// # Errors
    /// When OpenCV cannot resize the frame or it is not 8-bit BGR.
    pub(super) fn fill(
        &mut self,
        image: &Mat,
        placement: Placement,
        profile: &Profile,
    ) -> opencv::Result<Input<'_>> {
        if profile.windows {
            self.fill_windows(image, placement).map(Input::Windows)
        } else {
            self.fill_planes(image, placement, profile).map(Input::Planes)
        }
    }

    fn fill_planes(
        &mut self,
        image: &Mat,
        placement: Placement,
        profile: &Profile,
    ) -> opencv::Result<&[f32]> {
        let (width, height) = (placement.input.0 as usize, placement.input.1 as usize);
        let plane = width * height;
        let value = |v: f32, c: usize| (v - profile.mean[c]) * profile.scale;
        if self.placed != Some(placement) {
            // The border stays as it is while the placement does.
            self.planes.resize(3 * plane, 0.0);
            for (c, channel) in self.planes.chunks_exact_mut(plane).enumerate() {
                channel.fill(value(PAD, c));
            }
            self.placed = Some(placement);
        }
        let (content_w, content_h) = (placement.content.0 as i32, placement.content.1 as i32);
        let picture = if image.cols() == content_w && image.rows() == content_h {
            image
        } else {
            let size = Size::new(content_w, content_h);
            imgproc::resize(image, &mut self.resized, size, 0.0, 0.0, imgproc::INTER_LINEAR)?;
            &self.resized
        };
        // OpenCV does both with the processor's widest instructions: half the time of a loop over the pixels.
        core::split(picture, &mut self.channels)?;
        let content = Rect::new(0, 0, content_w, content_h);
        for (c, channel) in self.planes.chunks_exact_mut(plane).enumerate() {
            let mut whole = Mat::new_rows_cols_with_data_mut::<f32>(height as i32, width as i32, channel)?;
            let mut place = Mat::roi_mut(&mut whole, content)?;
            let (scale, shift) = (f64::from(profile.scale), f64::from(value(0.0, c)));
            self.channels.get(c)?.convert_to(&mut place, core::CV_32F, scale, shift)?;
        }
        Ok(&self.planes)
    }

    fn fill_windows(&mut self, image: &Mat, placement: Placement) -> opencv::Result<&[u8]> {
        let (width, height) = (placement.input.0 as usize, placement.input.1 as usize);
        if image.typ() != core::CV_8UC3 {
            // It would be copied to a place of its own.
            return Err(opencv::Error::new(core::StsUnsupportedFormat, "the frame is not 8-bit BGR"));
        }
        if self.placed != Some(placement) {
            let (rows, columns) = (height as i32 + 1, width as i32 + 1);
            let gray = Scalar::all(f64::from(PAD));
            self.bordered = Mat::new_rows_cols_with_default(rows, columns, core::CV_8UC3, gray)?;
            self.windows.resize(height / 2 * (width / 2) * WINDOW, 0);
            self.placed = Some(placement);
        }
        let size = Size::new(placement.content.0 as i32, placement.content.1 as i32);
        let mut place = Mat::roi_mut(&mut self.bordered, Rect::new(1, 1, size.width, size.height))?;
        if image.size()? == size {
            image.copy_to(&mut place)?;
        } else {
            imgproc::resize(image, &mut place, size, 0.0, 0.0, imgproc::INTER_LINEAR)?;
        }
        drop(place);
        let pixels = self.bordered.data_bytes()?;
        let row = 3 * (width + 1);
        for (y, windows) in self.windows.chunks_exact_mut(width / 2 * WINDOW).enumerate() {
            let rows = [0, 1, 2].map(|below| &pixels[(2 * y + below) * row..][..row]);
            for (x, window) in windows.chunks_exact_mut(WINDOW).enumerate() {
                for (three, row) in window.chunks_exact_mut(9).zip(rows) {
                    three.copy_from_slice(&row[6 * x..6 * x + 9]);
                }
            }
        }
        Ok(&self.windows)
    }
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Vec3b};
    use proptest::prelude::*;

    use super::*;
    use crate::{config::ModelFormat, detect::formats::profile};

    const FREE: Profile = profile(ModelFormat::Rtmdet);
    const STRETCHED: Profile = profile(ModelFormat::CaffeSsd);

    #[test]
    fn usual_cameras_get_the_documented_input() {
        for (size, content, input) in [
            ((1920, 1080), (416, 234), (416, 256)),
            ((640, 360), (416, 234), (416, 256)),
            ((768, 576), (416, 312), (416, 320)),
            ((384, 288), (384, 288), (384, 288)),
            ((320, 240), (320, 240), (320, 256)),
            ((1080, 1920), (270, 480), (288, 480)),
            ((1000, 1000), (360, 360), (384, 384)),
            ((90, 160), (90, 160), (96, 160)),
        ] {
            let working = InputRule::Default.working_size(size, &FREE);
            assert_eq!(InputRule::Default.place(working, &FREE), Placement { input, content }, "{size:?}");
        }
        // Frames that were made larger on purpose.
        for (size, content, input) in [
            ((832, 468), (832, 468), (832, 480)),
            ((1248, 702), (1248, 702), (1248, 704)),
            ((1920, 1080), (416, 234), (416, 256)),
        ] {
            assert_eq!(InputRule::Default.place(size, &FREE), Placement { input, content }, "{size:?}");
        }
    }

    #[test]
    fn a_configured_input_is_a_frame_to_fit_into() {
        let rule = InputRule::Within(640, 640);
        let wide = rule.place((320, 180), &FREE);
        assert_eq!(wide, Placement { input: (640, 384), content: (640, 360) });
        // The network sees small frames enlarged, but the capture thread does not enlarge them.
        assert_eq!(rule.working_size((320, 180), &FREE), (320, 180));
        assert_eq!(rule.working_size((1920, 1080), &FREE), (640, 360));
    }

    #[test]
    fn a_stretched_input_gets_all_of_both_sides() {
        let rule = InputRule::Exactly(300, 300);
        assert_eq!(rule.working_size((1920, 1080), &STRETCHED), (533, 300));
        assert_eq!(rule.working_size((1080, 1920), &STRETCHED), (300, 533));
        assert_eq!(rule.working_size((200, 100), &STRETCHED), (200, 100));
    }

    proptest! {
        #[test]
        fn working_sizes_are_never_larger_keep_the_aspect_and_need_no_second_resize(
            w in 1u32..5000, h in 1u32..5000,
            rule in prop_oneof![
                Just(InputRule::Default),
                (1u32..20, 1u32..20).prop_map(|(a, b)| InputRule::Within(a * 32, b * 32)),
                (1u32..20, 1u32..20).prop_map(|(a, b)| InputRule::Exactly(a * 32, b * 32)),
            ],
        ) {
            let (ww, wh) = rule.working_size((w, h), &FREE);
            prop_assert!(ww >= 1 && wh >= 1 && ww <= w && wh <= h);
            // Each side is within a pixel of the other side times the aspect.
            let aspect = f64::from(w) / f64::from(h);
            prop_assert!(
                (f64::from(ww) - f64::from(wh) * aspect).abs() <= aspect.max(1.0)
                    || (f64::from(wh) - f64::from(ww) / aspect).abs() <= aspect.recip().max(1.0)
            );
            let placed = rule.place((ww, wh), &FREE);
            prop_assert!(placed.content.0 <= placed.input.0 && placed.content.1 <= placed.input.1);
            prop_assert!(placed.input.0 % 32 == 0 && placed.input.1 % 32 == 0);
            let small = InputRule::Default == rule || (ww, wh) != (w, h);
            if small && w < 30 * h && h < 30 * w {
                let (cw, ch) = placed.content;
                prop_assert!(cw.abs_diff(ww) <= 1 && ch.abs_diff(wh) <= 1, "{:?} then {:?}", (ww, wh), placed);
            }
        }
    }

    #[test]
    fn values_and_border_are_normalised() {
        let mut image = Mat::new_rows_cols_with_default(2, 3, CV_8UC3, Scalar::all(0.0)).unwrap();
        *opencv::core::MatTrait::at_2d_mut::<Vec3b>(&mut image, 1, 2).unwrap() = Vec3b::from([10, 20, 30]);
        let mut pre = Preprocessor::default();
        let placement = Placement { input: (4, 3), content: (3, 2) };
        let input = pre.fill_planes(&image, placement, &STRETCHED).unwrap();
        assert_eq!(input.len(), 36);
        let value = |v: f32| (v - 127.5) * 0.007843;
        let near = |found: f32, wanted: f32| (found - wanted).abs() < 1e-6;
        assert!(
            near(input[6], value(10.0))
                && near(input[12 + 6], value(20.0))
                && near(input[24 + 6], value(30.0))
        );
        assert!(near(input[0], value(0.0)));
        assert_eq!([input[3], input[11], input[35]], [value(114.0); 3], "border on the right and below");

        // Another placement in the same buffers leaves nothing of the first.
        let placement = Placement { input: (2, 2), content: (1, 2) };
        let input = pre.fill_planes(&image, placement, &FREE).unwrap();
        assert_eq!(input.len(), 12);
        assert_eq!(input[1], 114.0 - 103.53);
    }

    #[test]
    fn windows_hold_what_a_first_convolution_looks_at() {
        let (columns, rows) = (6, 3);
        let mut image = Mat::new_rows_cols_with_default(rows, columns, CV_8UC3, Scalar::all(0.0)).unwrap();
        let pixel = |y: i32, x: i32| [0, 1, 2].map(|c| (100 * y + 10 * x + c) as u8);
        for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            *opencv::core::MatTrait::at_2d_mut::<Vec3b>(&mut image, y, x).unwrap() = Vec3b::from(pixel(y, x));
        }
        let mut pre = Preprocessor::default();
        // One after the other, so that something left of another placement would be seen.
        for (input, content) in [((32, 64), (6, 3)), ((8, 4), (6, 3)), ((6, 4), (6, 3))] {
            let placement = Placement { input, content };
            let windows = pre.fill_windows(&image, placement).unwrap();
            let across = input.0 as usize / 2;
            assert_eq!(windows.len(), across * (input.1 as usize / 2) * WINDOW);
            for (at, window) in windows.chunks_exact(WINDOW).enumerate() {
                let (top, left) = (2 * (at / across) as i32 - 1, 2 * (at % across) as i32 - 1);
                for (i, found) in window[..27].chunks_exact(3).enumerate() {
                    let (y, x) = (top + i as i32 / 3, left + i as i32 % 3);
                    let there = (0..rows).contains(&y) && (0..columns).contains(&x);
                    let wanted = if there { pixel(y, x) } else { [PAD as u8; 3] };
                    assert_eq!(found, wanted, "{input:?}: row {y}, column {x}");
                }
            }
        }
        // A frame of another size is brought to the placement's.
        let placement = Placement { input: (6, 4), content: (3, 2) };
        let windows = pre.fill_windows(&image, placement).unwrap();
        assert_ne!(windows[12..15], [PAD as u8; 3]);
        assert_eq!(windows[WINDOW + 15..WINDOW + 18], [PAD as u8; 3], "the fourth column is border");
        let gray = Mat::new_rows_cols_with_default(2, 3, core::CV_8UC1, Scalar::all(0.0)).unwrap();
        assert!(pre.fill_windows(&gray, placement).is_err());
    }
}
