//! Small video files, written by the tests themselves.

use std::path::Path;

use opencv::{
    core::{CV_8UC3, Mat, Scalar, Size},
    prelude::*,
    videoio::{self, VideoWriter},
};

/// Writes `frames` plain frames whose brightness changes from frame to frame; `codec` has four letters.
pub fn write_clip(path: &Path, codec: &str, fps: f64, size: (i32, i32), frames: usize) {
    let letters: Vec<char> = codec.chars().collect();
    let fourcc = VideoWriter::fourcc(letters[0], letters[1], letters[2], letters[3]).unwrap();
    let size = Size::new(size.0, size.1);
    let mut writer =
        VideoWriter::new_with_backend(path, videoio::CAP_FFMPEG, fourcc, fps, size, true).unwrap();
    assert!(writer.is_opened().unwrap(), "this FFmpeg cannot write {codec}");
    for index in 0..frames {
        let grey = Scalar::all((index * 8 % 256) as f64);
        let frame = Mat::new_rows_cols_with_default(size.height, size.width, CV_8UC3, grey).unwrap();
        writer.write(&frame).unwrap();
    }
    writer.release().unwrap();
}
