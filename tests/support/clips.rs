//! Small video files, written by the tests themselves.

use std::path::Path;

use opencv::{
    core::{CV_8UC3, Mat, Rect, Scalar, Size},
    imgproc,
    prelude::*,
    videoio::{self, VideoWriter},
};

/// Writes `frames` plain frames whose brightness changes from frame to frame; `codec` has four letters.
pub fn write_clip(path: &Path, codec: &str, fps: f64, size: (i32, i32), frames: usize) {
    write(path, codec, fps, size, frames, |index| {
        let grey = Scalar::all((index * 8 % 256) as f64);
        Mat::new_rows_cols_with_default(size.1, size.0, CV_8UC3, grey).unwrap()
    });
}

/// Writes `frames` frames of a box that moves before a dark wall.
#[allow(dead_code, reason = "each test binary uses its part")]
pub fn write_walk(path: &Path, codec: &str, fps: f64, size: (i32, i32), frames: usize) {
    write(path, codec, fps, size, frames, |index| {
        let mut frame = Mat::new_rows_cols_with_default(size.1, size.0, CV_8UC3, Scalar::all(60.0)).unwrap();
        let left = (index as i32 * 2) % (size.0 - 8);
        let white = Rect::new(left, size.1 / 3, 8, size.1 / 3);
        imgproc::rectangle(&mut frame, white, Scalar::all(220.0), -1, imgproc::LINE_8, 0).unwrap();
        frame
    });
}

/// Writes a scene that the program draws itself, whose true counts over the default line it gives.
#[allow(dead_code, reason = "each test binary uses its part")]
pub fn write_demo(path: &Path, codec: &str, scene: &str) -> (u64, u64) {
    use pcount::{
        config::{DemoSpec, LineConfig, SourceKind},
        source::{FrameSource as _, demo::Demo},
    };
    let spec: DemoSpec = scene.parse().unwrap();
    let demo = Demo::new(&spec, SourceKind::Video);
    let mut source = demo.source().unwrap();
    let info = source.info();
    let size = (info.size.0 as i32, info.size.1 as i32);
    write(path, codec, info.fps.unwrap(), size, info.frames.unwrap() as usize, |_| {
        assert!(source.grab().unwrap());
        source.retrieve(&|width, height| (width, height)).unwrap().image
    });
    demo.truth(&[LineConfig::default()], u64::MAX)[0]
}

fn write(
    path: &Path,
    codec: &str,
    fps: f64,
    size: (i32, i32),
    frames: usize,
    mut frame: impl FnMut(usize) -> Mat,
) {
    pcount::native::videoio::load().unwrap();
    let letters: Vec<char> = codec.chars().collect();
    let fourcc = VideoWriter::fourcc(letters[0], letters[1], letters[2], letters[3]).unwrap();
    let size = Size::new(size.0, size.1);
    let mut writer =
        VideoWriter::new_with_backend(path, videoio::CAP_FFMPEG, fourcc, fps, size, true).unwrap();
    assert!(writer.is_opened().unwrap(), "this FFmpeg cannot write {codec}");
    for index in 0..frames {
        writer.write(&frame(index)).unwrap();
    }
    writer.release().unwrap();
}
