//! Video files through the real opener: what opens, what is refused and how it is said.
//!
//! The clips are written by the tests themselves with OpenCV; a further one uses the shared footage where
//! it is present.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
mod clips;
#[path = "support/config.rs"]
mod config;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clips::write_clip;
use opencv::core::MatTraitConst as _;
use pcount::{
    config::{SourceKind, SourceSpec},
    source::{FrameSource, Opener, SourceError, SystemOpener},
};

fn open(path: &Path, kind: SourceKind) -> Result<Box<dyn FrameSource>, SourceError> {
    SystemOpener.open(&config::source(kind, SourceSpec::File(path.to_owned())))
}

/// The refusal that opening and reading `path` ends in.
fn refusal(path: &Path) -> SourceError {
    match open(path, SourceKind::Video).and_then(|mut source| source.grab()) {
        Ok(_) => panic!("'{}' was accepted", path.display()),
        Err(error) => error,
    }
}

#[test]
fn every_frame_of_a_file_arrives_once_with_its_time_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    write_clip(&path, "mp4v", 10.0, (64, 48), 30);
    let mut source = open(&path, SourceKind::Video).unwrap();
    let info = source.info();
    assert_eq!((info.size, info.live, info.frames), ((64, 48), false, Some(30)));
    assert!((info.fps.unwrap() - 10.0).abs() < 0.01);

    let mut index = 0;
    while source.grab().unwrap() {
        let frame = source.retrieve(&|_, _| (32, 24)).unwrap();
        assert_eq!(frame.index, index);
        assert!((frame.time - index as f64 / 10.0).abs() < 0.002, "frame {index} at {}", frame.time);
        assert_eq!(frame.stream_size, (64, 48));
        assert_eq!((frame.image.cols(), frame.image.rows()), (32, 24));
        assert!((frame.aspect() - 4.0 / 3.0).abs() < 1e-6);
        index += 1;
    }
    assert_eq!(index, 30);
    assert_eq!(source.grab(), Ok(false), "the end stays the end");
}

#[test]
fn frames_that_are_not_retrieved_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.avi");
    write_clip(&path, "MJPG", 25.0, (64, 48), 10);
    let mut source = open(&path, SourceKind::Video).unwrap();
    for _ in 0..5 {
        assert!(source.grab().unwrap());
    }
    assert_eq!(source.retrieve(&|w, h| (w, h)).unwrap().index, 4);
}

#[test]
fn a_file_used_as_a_camera_is_live_and_keeps_its_media_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.avi");
    write_clip(&path, "MJPG", 200.0, (64, 48), 20);
    let mut source = open(&path, SourceKind::Camera).unwrap();
    assert!(source.info().live);
    let started = std::time::Instant::now();
    let mut last = 0.0;
    while source.grab().unwrap() {
        last = source.retrieve(&|w, h| (w, h)).unwrap().time;
    }
    assert!((last - 19.0 / 200.0).abs() < 0.002, "{last}");
    assert!(started.elapsed().as_secs_f64() >= last, "frames came before they were due");
}

#[test]
fn names_that_look_like_protocols_or_hold_odd_letters_open() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a:b.avi", "größe 100%.avi", "-v.avi"] {
        let path = folder.path().join(name);
        write_clip(&folder.path().join("clip.avi"), "MJPG", 25.0, (64, 48), 3);
        fs::rename(folder.path().join("clip.avi"), &path).unwrap();
        assert!(open(&path, SourceKind::Video).unwrap().grab().unwrap(), "{name}");
    }
}

#[test]
fn what_is_no_video_is_refused_in_one_sentence_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let whole = folder.path().join("whole.mp4");
    write_clip(&whole, "mp4v", 25.0, (64, 48), 50);
    let bytes = fs::read(&whole).unwrap();

    let cases = [
        (folder.path().join("missing.mp4"), "not found"),
        (folder.path().to_owned(), "is a directory"),
        (write("empty.mp4", b""), "is empty"),
        (write("text.mp4", b"this is not a video\n"), "is text"),
        (write("cut.mp4", &bytes[..bytes.len() / 2]), "is cut short"),
        (write("noise.mp4", &(0..5000u32).map(|n| ((n * 7919) >> 3) as u8).collect::<Vec<_>>()), "no video"),
        (write("sound.wav", &wav()), "holds sound but no video"),
        (write("archive.mp4", b"PK\x03\x04\x14\0\0\0\x08\0"), "archive"),
    ];
    for (path, expected) in cases {
        let error = refusal(&path);
        let text = error.to_string();
        assert!(text.contains(expected), "{}: {text}", path.display());
        assert!(text.contains(&format!("'{}'", path.display())), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(error.is_permanent(), expected != "not found", "{text}");
    }
}

/// A tenth of a second of silence, 8 kHz, 8 bits, mono.
fn wav() -> Vec<u8> {
    let samples = 800u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + samples).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8000u32.to_le_bytes());
    bytes.extend(8000u32.to_le_bytes());
    bytes.extend(b"\x01\0\x08\0data");
    bytes.extend(samples.to_le_bytes());
    bytes.resize(bytes.len() + samples as usize, 128);
    bytes
}

#[test]
fn a_file_cut_inside_its_pictures_plays_to_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.avi");
    write_clip(&path, "MJPG", 25.0, (64, 48), 50);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let mut source = open(&path, SourceKind::Video).unwrap();
    let mut frames = 0;
    while source.grab().unwrap() {
        frames += 1;
    }
    assert!((10..50).contains(&frames), "{frames}");
}

#[test]
fn h264_with_full_colour_in_avi_decodes_where_the_footage_is_present() {
    let shared = std::env::var_os("PCOUNT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join("footage/overhead_lobby/original_yuv444_h264.avi");
    if !path.exists() {
        println!("skipped: '{}' is not there", path.display());
        return;
    }
    let mut source = open(&path, SourceKind::Video).unwrap();
    let mut frames = 0;
    let mut last = -1.0;
    while source.grab().unwrap() {
        let frame = source.retrieve(&|_, _| (320, 240)).unwrap();
        assert!(frame.time > last);
        last = frame.time;
        frames += 1;
    }
    assert_eq!(frames, 497);
}
