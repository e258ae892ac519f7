//! Small video files, written by the tests themselves with the program `ffmpeg`.

use std::{
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use opencv::{
    core::{CV_8UC3, Mat, Rect, Scalar},
    imgproc,
    prelude::*,
};

/// Writes `frames` plain frames whose brightness changes from frame to frame; `codec` has four letters.
pub fn write_clip(path: &Path, codec: &str, fps: f64, size: (i32, i32), frames: usize) {
    write(path, codec, fps, size, frames, |index| {
        let gray = Scalar::all((index * 8 % 256) as f64);
        Mat::new_rows_cols_with_default(size.1, size.0, CV_8UC3, gray).unwrap()
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
        config::DemoSpec,
        internals::source::{FrameSource as _, demo::Demo},
        model::{LineConfig, SourceKind},
    };
    let spec: DemoSpec = scene.parse().unwrap();
    let demo = Demo::new(&spec, SourceKind::Video);
    let mut source = demo.source(std::sync::Arc::new(pcount::internals::clock::SystemClock)).unwrap();
    let info = source.info();
    let size = (info.size.0 as i32, info.size.1 as i32);
    write(path, codec, info.fps.unwrap(), size, info.frames.unwrap() as usize, |_| {
        assert!(source.grab().unwrap());
        source.retrieve(&|width, height| (width, height)).unwrap().picture.into_bgr()
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
    let mut clip = Clip::begin(path, codec, fps, size);
    for index in 0..frames {
        clip.write(&frame(index));
    }
    clip.end();
}

/// A file that is being written.
pub struct Clip(Child);

impl Clip {
    /// Begins the file `path`, whose ending names its container; `codec` has four letters.
    pub fn begin(path: &Path, codec: &str, fps: f64, (width, height): (i32, i32)) -> Self {
        let coder = match codec {
            "mp4v" => "mpeg4",
            "MJPG" => "mjpeg",
            "mpg2" => "mpeg2video",
            "FFV1" => "ffv1",
            "H264" => "libx264",
            other => panic!("no coder for '{other}'"),
        };
        let (size, fps) = (format!("{width}x{height}"), fps.to_string());
        let child = Command::new("ffmpeg")
            .args([
                "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", &size, "-r", &fps, "-i",
                "-",
            ])
            .args(["-c:v", coder, "-q:v", "2", "-strict", "unofficial"])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn();
        // 'scripts/setup --tests' installs it.
        Self(child.unwrap_or_else(|error| panic!("the program 'ffmpeg': {error}")))
    }

    /// Appends an 8-bit BGR frame.
    pub fn write(&mut self, frame: &Mat) {
        self.0.stdin.as_mut().unwrap().write_all(frame.data_bytes().unwrap()).unwrap();
    }

    /// Finishes the file.
    pub fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success(), "ffmpeg could not write the clip");
    }
}
