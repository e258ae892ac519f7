//! Which of the video streams of an input is read.

use crate::native::ffmpeg::{Input, VideoStream};

/// Long side, in pixels, that is enough for the detectors; of several sizes of the same video the smallest that has it is
/// read.
const ENOUGH: u32 = 640;

/// The stream that is read.
#[derive(Debug, PartialEq)]
pub struct Choice {
    pub stream: VideoStream,
    /// What is said where there was a choice.
    pub remark: Option<String>,
}

/// The video stream of `input` to read: number `wanted`, where that is given.
///
/// # Errors
/// Why there is none, as the end of a sentence that begins with the name.
pub fn video(input: &Input, wanted: Option<usize>) -> Result<Choice, String> {
    let format = input.format();
    let is_same_in_sizes = format.starts_with("hls") || format.starts_with("dash");
    choose(input.videos(), input.streams(), wanted, is_same_in_sizes)
}

fn choose(
    videos: Vec<VideoStream>,
    streams: usize,
    wanted: Option<usize>,
    is_same_in_sizes: bool,
) -> Result<Choice, String> {
    if let Some(wanted) = wanted {
        let listed = list(&videos);
        let found = videos.into_iter().find(|video| video.index == wanted);
        return found.map(|stream| Choice { stream, remark: None }).ok_or_else(|| {
            if listed.is_empty() {
                "holds no video".to_owned()
            } else {
                format!("has no video stream {wanted}; there is {listed}")
            }
        });
    }
    let is_still = |video: &VideoStream| video.is_cover || video.frames == Some(1);
    let moving: Vec<_> = videos.iter().filter(|video| !is_still(video)).cloned().collect();
    let candidates = if moving.is_empty() { videos } else { moving };
    let long = |video: &VideoStream| video.size.0.max(video.size.1);
    let enough = |video: &&VideoStream| long(video) >= ENOUGH;
    let best = if is_same_in_sizes {
        candidates
            .iter()
            .filter(enough)
            .min_by_key(|video| (long(video), video.index))
            .or_else(|| candidates.iter().max_by_key(|video| (long(video), std::cmp::Reverse(video.index))))
    } else {
        candidates.iter().max_by_key(|video| (video.is_default, long(video), std::cmp::Reverse(video.index)))
    };
    let Some(best) = best else {
        return Err(match streams {
            0 => "holds no video".to_owned(),
            _ => "holds sound but no video".to_owned(),
        });
    };
    let others: Vec<_> = candidates.iter().filter(|video| video.index != best.index).cloned().collect();
    let remark = (!others.is_empty()).then(|| {
        format!(
            "has {} videos; {} is read, not {}; \"stream\": {} would read that one",
            candidates.len(),
            list(std::slice::from_ref(best)),
            list(&others),
            others[0].index
        )
    });
    Ok(Choice { stream: best.clone(), remark })
}

fn list(videos: &[VideoStream]) -> String {
    let one = |video: &VideoStream| {
        format!("stream {} ({}, {}x{})", video.index, video.codec, video.size.0, video.size.1)
    };
    videos.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(index: usize, size: (u32, u32)) -> VideoStream {
        VideoStream {
            index,
            codec: "h264".into(),
            size,
            pixel_aspect: 1.0,
            fps: 25.0,
            frames: None,
            seconds: None,
            bitrate: 0,
            time_base: 0.001,
            is_default: false,
            is_cover: false,
            matrix: None,
        }
    }

    fn chosen(videos: &[VideoStream], is_same: bool) -> usize {
        choose(videos.to_vec(), videos.len(), None, is_same).unwrap().stream.index
    }

    #[test]
    fn the_default_video_is_read_and_never_a_picture_beside_it() {
        let cover = VideoStream { is_cover: true, is_default: true, ..stream(0, (3000, 3000)) };
        let still = VideoStream { frames: Some(1), is_default: true, ..stream(1, (4000, 3000)) };
        let (small, large) = (stream(2, (640, 360)), stream(3, (1920, 1080)));
        assert_eq!(chosen(&[cover.clone(), still.clone(), small.clone(), large.clone()], false), 3);
        let preferred = VideoStream { is_default: true, ..small };
        assert_eq!(chosen(&[cover.clone(), preferred, large], false), 2);
        assert_eq!(chosen(std::slice::from_ref(&cover), false), 0, "where there is nothing else");
        assert_eq!(chosen(&[still], false), 1);
    }

    #[test]
    fn of_several_sizes_the_smallest_that_is_enough_is_read() {
        let sizes = [(416, 234), (1920, 1080), (640, 360), (1280, 720)];
        let variants: Vec<_> = sizes.iter().enumerate().map(|(index, size)| stream(index, *size)).collect();
        assert_eq!(chosen(&variants, true), 2);
        assert_eq!(chosen(&variants[..1], true), 0);
        assert_eq!(chosen(&[stream(0, (320, 180)), stream(1, (480, 270))], true), 1);
    }

    #[test]
    fn a_choice_is_said_and_a_wish_is_heeded() {
        let videos = vec![stream(0, (1280, 720)), stream(2, (640, 360))];
        let choice = choose(videos.clone(), 3, None, false).unwrap();
        assert_eq!(
            choice.remark.as_deref(),
            Some(
                "has 2 videos; stream 0 (h264, 1280x720) is read, not stream 2 (h264, 640x360); \"stream\": 2 would \
                 read that one"
            )
        );
        let choice = choose(videos.clone(), 3, Some(2), false).unwrap();
        assert_eq!((choice.stream.index, choice.remark), (2, None));
        let refused = choose(videos, 3, Some(1), false).unwrap_err();
        assert_eq!(
            refused,
            "has no video stream 1; there is stream 0 (h264, 1280x720), stream 2 (h264, 640x360)"
        );
        assert_eq!(choose(Vec::new(), 1, None, false).unwrap_err(), "holds sound but no video");
    }
}
