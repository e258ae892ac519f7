//! A hint for cameras that send far more pixels than the detector uses: decoding costs by the pixel, and most cameras have
//! a second, smaller stream.

/// Long side, in pixels, that is enough for detectors whose input nobody configured: they are given 416, and half as much
/// again where people are small.
const ENOUGH: u32 = 640;

/// How many times longer than enough a stream's side must be to be worth a word: decoding a quarter of the pixels.
const WORTHWHILE: u32 = 2;

/// Size (width, height) of the smaller stream that would do for one of `size`, if a detector is given frames of at most
/// `input`; `None` where `size` is not much more than that.
#[must_use]
pub fn substream_for(size: (u32, u32), input: (u32, u32)) -> Option<(u32, u32)> {
    let long = size.0.max(size.1);
    let enough = ENOUGH.max(input.0).max(input.1);
    // Codecs want even sides.
    let side =
        |pixels: u32| (f64::from(pixels) * f64::from(enough) / f64::from(long) / 2.0).round() as u32 * 2;
    (long >= WORTHWHILE * enough).then(|| (side(size.0), side(size.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_streams_far_larger_than_what_is_looked_at_have_a_substream_that_would_do() {
        let usual = (416, 234);
        for (size, substream) in [
            ((1920, 1080), Some((640, 360))),
            ((3840, 2160), Some((640, 360))),
            ((1280, 960), Some((640, 480))),
            ((1080, 1920), Some((360, 640))),
            ((960, 544), None),
            ((0, 0), None),
        ] {
            assert_eq!(substream_for(size, usual), substream, "{size:?}");
        }
        assert_eq!(
            substream_for((1920, 1080), (960, 540)),
            Some((960, 540)),
            "a larger input was configured"
        );
        assert_eq!(substream_for((1920, 1080), (1280, 720)), None);
    }
}
