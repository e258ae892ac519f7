//! Video files through the real opener: what opens, what is refused and how it is said.
//!
//! The clips are written by the tests themselves, with OpenCV or, where that cannot, with the program ffmpeg.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
mod clips;
#[path = "support/config.rs"]
mod config;
#[path = "support/require.rs"]
mod require;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clips::{write_clip, write_walk};
use opencv::core::MatTraitConst as _;
use pcount::{
    config::{Hwaccel, SourceSpec},
    internals::source::{FrameSource, Interrupt, Opener, SourceError, SystemOpener},
    model::SourceKind,
};

fn open(path: &Path, kind: SourceKind) -> Result<Box<dyn FrameSource>, SourceError> {
    SystemOpener::default()
        .open(&config::source(kind, SourceSpec::File(path.to_owned())), &Interrupt::default())
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
        assert_eq!((source.is_last(), frame.last), (index == 29, index == 29), "frame {index}");
        assert_eq!((frame.picture.size().0, frame.picture.size().1), (32, 24));
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
        (write("text.mp4", b"this is not a video\n"), "is no video"),
        (write("cut.mp4", &bytes[..bytes.len() / 2]), "is cut short"),
        (write("noise.mp4", &(0..5000u32).map(|n| ((n * 7919) >> 3) as u8).collect::<Vec<_>>()), "no video"),
        (write("sound.wav", &wav()), "holds sound but no video"),
        (write("archive.mp4", b"PK\x03\x04\x14\0\0\0\x08\0"), "is no video"),
    ];
    for (path, expected) in cases {
        let error = refusal(&path);
        let text = error.to_string();
        assert!(text.contains(expected), "{}: {text}", path.display());
        assert!(text.contains(&format!("'{}'", path.display())), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(matches!(error, SourceError::Unsupported(_)), expected != "not found", "{text}");
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
fn h264_with_full_color_in_avi_decodes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.avi");
    // As some recorders write it: full color and pictures out of order, in a container that has no times.
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-frames:v", "75"])
        .args(["-c:v", "libx264", "-pix_fmt", "yuv444p", "-bf", "2"])
        .arg(&path)
        .output();
    let Ok(made) = made else { return require::skip("ffmpeg", "there is no program 'ffmpeg'") };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut source = open(&path, SourceKind::Video).unwrap();
    let mut frames = 0;
    let mut last = -1.0;
    while source.grab().unwrap() {
        let frame = source.retrieve(&|_, _| (320, 240)).unwrap();
        assert!(frame.time > last);
        last = frame.time;
        frames += 1;
    }
    assert_eq!(frames, 75);
}

/// Plays to the end; the number of frames and what was said.
fn play(source: &mut dyn FrameSource) -> (usize, Vec<String>) {
    let (mut frames, mut said, mut last) = (0, Vec::new(), -1.0);
    loop {
        let more = source.grab().unwrap();
        said.extend(source.remark());
        if !more {
            return (frames, said);
        }
        assert!(source.time() > last, "time stands still or runs backwards at frame {frames}");
        last = source.time();
        frames += 1;
    }
}

#[test]
fn files_that_grow_vanish_or_end_early_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.avi");
    let whole = || write_clip(&path, "MJPG", 25.0, (64, 48), 50);

    whole();
    assert_eq!(play(open(&path, SourceKind::Video).unwrap().as_mut()), (50, Vec::new()));

    let mut source = open(&path, SourceKind::Video).unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, [bytes.as_slice(), &[0; 512]].concat()).unwrap();
    let (frames, said) = play(source.as_mut());
    assert!(frames >= 50 && said.len() == 1, "{frames} {said:?}");
    assert!(said[0].contains("still being written") && said[0].contains("clip.avi"), "{said:?}");

    whole();
    let mut source = open(&path, SourceKind::Video).unwrap();
    fs::remove_file(&path).unwrap();
    let (_, said) = play(source.as_mut());
    assert!(said.len() == 1 && said[0].contains("was removed"), "{said:?}");

    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let (frames, said) = play(open(&path, SourceKind::Video).unwrap().as_mut());
    assert!(
        frames < 50 && said.last().is_some_and(|last| last.contains("of 50 frames")),
        "{frames} {said:?}"
    );
}

/// Transport stream `bytes` without its video packets before this share of them, and without what announces it.
fn joined_late(bytes: &[u8], share: f64) -> Vec<u8> {
    const PACKET: usize = 188;
    let is_video = |packet: &[u8]| (u16::from(packet[1] & 0x1F) << 8 | u16::from(packet[2])) == 256;
    let all = bytes.chunks_exact(PACKET).filter(|packet| is_video(packet)).count();
    let mut seen = 0;
    let mut late = Vec::new();
    for packet in bytes.chunks_exact(PACKET) {
        seen += usize::from(is_video(packet));
        if !is_video(packet) || seen as f64 > share * all as f64 {
            late.extend_from_slice(packet);
        }
    }
    late
}

#[test]
fn pictures_before_the_first_key_frame_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.ts");
    write_walk(&path, "mp4v", 25.0, (320, 240), 60);
    let mut whole = open(&path, SourceKind::Video).unwrap();
    // 90000 frames a second are what OpenCV makes of this container.
    assert!(whole.info().fps.is_none_or(|fps| fps <= 1000.0), "{:?}", whole.info());
    assert!(whole.info().frames.is_none_or(|frames| frames <= 70), "{:?}", whole.info());
    let (frames, said) = play(whole.as_mut());
    assert!(frames >= 58 && said.is_empty(), "{frames} {said:?}");

    let bytes = fs::read(&path).unwrap();
    fs::write(&path, joined_late(&bytes, 0.25)).unwrap();
    let mut late = open(&path, SourceKind::Video).unwrap();
    assert!(late.grab().unwrap());
    let first = late.retrieve(&|w, h| (w, h)).unwrap();
    let corner = first.picture.bgr().unwrap().at_2d::<opencv::core::Vec3b>(2, 2).unwrap()[0];
    assert!(corner.abs_diff(60) < 20, "the wall is {corner}, not 60");
    let said = late.remark();
    let (frames, more) = play(late.as_mut());
    assert!((30..60).contains(&frames) && more.is_empty(), "{frames} {more:?}");
    println!("{frames} of 60 frames; {said:?}");
}

#[test]
fn time_goes_on_where_the_stamps_of_a_recording_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.ts");
    write_clip(&path, "mpg2", 25.0, (64, 48), 50);
    let one = fs::read(&path).unwrap();
    fs::write(&path, [one.as_slice(), &one].concat()).unwrap();
    let mut source = open(&path, SourceKind::Video).unwrap();
    let (frames, _) = play(source.as_mut());
    assert!((96..=100).contains(&frames), "{frames}");
    assert!((3.5..=4.5).contains(&source.time()), "{} s", source.time());
}

#[test]
fn pictures_of_a_recording_that_changes_its_size_come_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two, sizes.ts");
    let written = |size| {
        write_clip(&path, "mpg2", 25.0, size, 50);
        fs::read(&path).unwrap()
    };
    let (small, large) = (written((64, 48)), written((160, 120)));
    fs::write(&path, [small.as_slice(), &large].concat()).unwrap();
    let mut source = open(&path, SourceKind::Video).unwrap();
    let mut sizes = Vec::new();
    while source.grab().unwrap() {
        let frame = source.retrieve(&|width, height| (width, height)).unwrap();
        let bgr = frame.picture.bgr().unwrap();
        assert_eq!((bgr.cols() as u32, bgr.rows() as u32), frame.stream_size);
        sizes.push(frame.stream_size);
    }
    assert!(sizes.len() >= 96, "{}", sizes.len());
    assert_eq!((sizes[10], sizes[90]), ((64, 48), (160, 120)));
}

/// Makes `out` of `arguments` with the program `ffmpeg`.
fn ffmpeg(arguments: &[&str], out: &Path) {
    let made =
        std::process::Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).arg(out).status();
    assert!(made.unwrap().success(), "{arguments:?}");
}

/// Blue, green and red of a point of `frame`, given as shares of its sides.
fn color(frame: &pcount::internals::source::Frame, (x, y): (f32, f32)) -> [u8; 3] {
    let (width, height) = frame.picture.size();
    let at = |share: f32, side: u32| (share * side as f32) as i32;
    let pixel =
        *frame.picture.bgr().unwrap().at_2d::<opencv::core::Vec3b>(at(y, height), at(x, width)).unwrap();
    pixel.0
}

fn first(path: &Path) -> pcount::internals::source::Frame {
    let mut source = open(path, SourceKind::Video).unwrap();
    assert!(source.grab().unwrap());
    source.retrieve(&|width, height| (width, height)).unwrap()
}

/// A dark picture of 128x64 whose left upper quarter is red, for half a second.
const QUARTER: &str = "color=c=black:s=128x64:r=10:d=0.5,drawbox=w=64:h=32:c=red:t=fill";

#[test]
fn pictures_stand_as_a_player_shows_them() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.mp4");
    ffmpeg(&["-f", "lavfi", "-i", QUARTER, "-c:v", "mpeg4", "-q:v", "2"], &whole);
    // Degrees that FFmpeg turns the stored picture clockwise to show it, and where its red quarter is then.
    for (degrees, red, size) in [
        (0, (0.25, 0.25), (128, 64)),
        (90, (0.75, 0.25), (64, 128)),
        (180, (0.75, 0.75), (128, 64)),
        (270, (0.25, 0.75), (64, 128)),
    ] {
        let path = folder.path().join(format!("{degrees}.mp4"));
        let rotate = format!("rotate={}", (360 - degrees) % 360);
        ffmpeg(&["-i", whole.to_str().unwrap(), "-c", "copy", "-metadata:s:v", &rotate], &path);
        let frame = first(&path);
        assert_eq!(frame.stream_size, size, "{degrees}");
        assert_eq!(open(&path, SourceKind::Video).unwrap().info().size, size, "{degrees}");
        let [blue, green, is_red] = color(&frame, red);
        assert!(is_red > 150 && blue < 90 && green < 90, "{degrees}: {:?}", color(&frame, red));
        let gray = frame.picture.gray(frame.picture.size()).unwrap();
        let at = |(x, y): (f32, f32)| {
            *gray.at_2d::<u8>((y * size.1 as f32) as i32, (x * size.0 as f32) as i32).unwrap()
        };
        assert!(at(red) > at((1.0 - red.0, 1.0 - red.1)) + 30, "{degrees}: luma is turned as well");
    }
}

#[test]
fn pixels_that_are_no_squares_are_shown_wide() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.mp4");
    let narrow = "color=c=white:s=64x64:r=10:d=0.5,setsar=2/1";
    ffmpeg(&["-f", "lavfi", "-i", narrow, "-c:v", "mpeg4"], &path);
    let frame = first(&path);
    assert_eq!((frame.stream_size, frame.picture.size()), ((128, 64), (128, 64)));
    assert_eq!(frame.picture.bgr().unwrap().cols(), 128);
}

#[test]
fn every_depth_sampling_and_range_shows_the_same_gray() {
    let folder = tempfile::tempdir().unwrap();
    for (format, coder) in [
        ("yuv420p", ["ffv1"].as_slice()),
        ("yuvj420p", &["mjpeg", "-q:v", "2"]),
        ("yuv422p", &["ffv1"]),
        ("yuv444p", &["ffv1"]),
        ("yuv420p10le", &["ffv1"]),
        ("yuv422p10le", &["ffv1"]),
        ("gray", &["ffv1"]),
        ("bgr0", &["ffv1"]),
        ("rgb24", &["png"]),
        // Odd and even lines are of two moments.
        ("yuv420p", &["mpeg2video", "-q:v", "2", "-flags", "+ilme+ildct", "-top", "1"]),
    ] {
        let path = folder.path().join("gray.mkv");
        let mut arguments =
            vec!["-f", "lavfi", "-i", "color=c=0x808080:s=64x48:r=10:d=0.5", "-pix_fmt", format];
        arguments.push("-c:v");
        arguments.extend(coder);
        ffmpeg(&arguments, &path);
        let frame = first(&path);
        let [blue, green, red] = color(&frame, (0.5, 0.5));
        let luma = *frame.picture.gray((32, 24)).unwrap().at_2d::<u8>(12, 16).unwrap();
        for value in [blue, green, red, luma] {
            assert!(value.abs_diff(128) <= 3, "{format}: {blue} {green} {red}, luma {luma}");
        }
    }
}

#[test]
fn a_picture_beside_the_video_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let [video, cover, both] = ["video.mp4", "cover.png", "both.mp4"].map(|name| folder.path().join(name));
    write_walk(&video, "mp4v", 25.0, (320, 240), 30);
    ffmpeg(&["-f", "lavfi", "-i", "color=c=white:s=640x480:r=1:d=1", "-frames:v", "1"], &cover);
    let [video, cover] = [&video, &cover].map(|path: &PathBuf| path.to_str().unwrap());
    ffmpeg(
        &[
            "-i",
            cover,
            "-i",
            video,
            "-map",
            "0",
            "-map",
            "1",
            "-c",
            "copy",
            "-disposition:v:0",
            "attached_pic",
        ],
        &both,
    );
    let mut source = open(&both, SourceKind::Video).unwrap();
    assert_eq!(source.info().size, (320, 240));
    assert_eq!(play(source.as_mut()), (30, Vec::new()));
}

#[test]
fn of_two_videos_one_is_chosen_which_is_said_and_another_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let [small, large, both] = ["small.mkv", "large.mkv", "both.mkv"].map(|name| folder.path().join(name));
    write_clip(&small, "mpg2", 25.0, (64, 48), 20);
    write_clip(&large, "mpg2", 25.0, (128, 96), 20);
    let [one, other] = [&small, &large].map(|path: &PathBuf| path.to_str().unwrap());
    ffmpeg(&["-i", one, "-i", other, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "0"], &both);
    let mut source = open(&both, SourceKind::Video).unwrap();
    assert_eq!(source.info().size, (128, 96));
    assert!(source.grab().unwrap());
    let said = source.remark().unwrap();
    assert!(said.contains("has 2 videos") && said.contains("\"stream\": 0"), "{said}");

    let mut config = config::source(SourceKind::Video, SourceSpec::File(both.clone()));
    config.stream = Some(0);
    let mut source = SystemOpener::default().open(&config, &Interrupt::default()).unwrap();
    assert_eq!(source.info().size, (64, 48));
    assert!(source.grab().unwrap() && source.remark().is_none());
    config.stream = Some(7);
    let error = SystemOpener::default().open(&config, &Interrupt::default()).err().unwrap().to_string();
    assert!(error.contains("has no video stream 7"), "{error}");
}

#[test]
fn what_a_device_does_not_decode_the_processor_does_which_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.avi");
    // No device knows this codec.
    write_clip(&path, "FFV1", 25.0, (64, 48), 20);
    let mut config = config::source(SourceKind::Video, SourceSpec::File(path));
    config.hwaccel = Some(Hwaccel::Vaapi);
    let mut source = SystemOpener::default().open(&config, &Interrupt::default()).unwrap();
    let (frames, said) = play(source.as_mut());
    assert_eq!((frames, said.len()), (20, 1), "{said:?}");
    assert!(said[0].contains("clip.avi' is decoded without 'vaapi': "), "{said:?}");
}

/// Times, in milliseconds, of the frames that a source gives whose sleep is allowed and disturbed at random, by `seed`; and
/// how often it gave a key frame asleep.
fn disturbed(path: &Path, seed: u64) -> (Vec<i64>, usize) {
    let mut source = open(path, SourceKind::Video).unwrap();
    let mut state = seed;
    let mut chance = |of: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).is_multiple_of(of)
    };
    let (mut times, mut asleep, mut allowed) = (Vec::new(), 0, true);
    loop {
        if chance(9) {
            allowed = !allowed;
        }
        source.sleep(allowed);
        if !source.grab().unwrap() {
            return (times, asleep);
        }
        let time = (source.time() * 1000.0).round() as i64;
        if source.is_asleep() {
            asleep += 1;
            // Whether it is the first or any other, each may show something.
            source.wake();
        } else {
            times.push(time);
        }
    }
}

#[test]
fn no_frame_is_missing_or_comes_twice_however_a_source_is_woken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let video =
        ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-frames:v", "150", "-pix_fmt", "yuv420p"];
    for out_of_order in ["0", "2"] {
        let coder = ["-c:v", "libx264", "-preset", "veryfast", "-g", "10", "-bf", out_of_order];
        ffmpeg(&[video.as_slice(), &coder].concat(), &path);
        let whole: Vec<i64> = (0..150).map(|n| n * 100).collect();
        let mut slept = 0;
        for seed in 0..40 {
            let (times, asleep) = disturbed(&path, seed);
            assert_eq!(times, whole, "seed {seed}, {out_of_order} frames out of order");
            slept += asleep;
        }
        assert!(slept > 40, "{slept}");
    }
}

#[test]
fn a_damaged_packet_is_one_damaged_frame() {
    const PACKET: usize = 188;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.ts");
    let video =
        ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-frames:v", "60", "-pix_fmt", "yuv420p"];
    ffmpeg(&[video.as_slice(), &["-c:v", "libx264", "-g", "25", "-bf", "0"]].concat(), &path);
    let mut bytes = fs::read(&path).unwrap();
    // One packet of the middle of a picture is lost on the way.
    let is_inner = |packet: &[u8]| (u16::from(packet[1]) << 8 | u16::from(packet[2])) & 0x5FFF == 256;
    let starts: Vec<usize> = (0..bytes.len() / PACKET).map(|n| n * PACKET).collect();
    let inner: Vec<usize> = starts.into_iter().filter(|at| is_inner(&bytes[*at..])).collect();
    let lost = inner[inner.len() * 2 / 3];
    bytes.drain(lost..lost + PACKET);
    fs::write(&path, bytes).unwrap();
    let (frames, said) = play(open(&path, SourceKind::Video).unwrap().as_mut());
    let damaged = said.iter().find(|said| said.contains("damaged")).unwrap();
    assert!(damaged.contains("1 damaged frame was"), "{said:?}");
    assert_eq!(frames, 59);
}

#[test]
fn pieces_that_were_put_together_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.ts");
    let mut whole = Vec::new();
    for piece in 0..4 {
        let video = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-frames:v", "25"];
        let at = format!("{piece}");
        let coder = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "0", "-output_ts_offset", &at];
        ffmpeg(&[video.as_slice(), &coder].concat(), &path);
        // Each counts its packets from 0, as if some were missing between them.
        whole.extend(fs::read(&path).unwrap());
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(play(open(&path, SourceKind::Video).unwrap().as_mut()), (100, Vec::new()));
}

#[test]
fn a_file_that_leads_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.ts");
    write_clip(&secret, "mpg2", 25.0, (64, 48), 20);
    for (name, text) in [
        (
            "list.m3u8",
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
                .into(),
        ),
        ("list.ffconcat", "ffconcat version 1.0\nfile 'tcp://127.0.0.1:9'\n".to_owned()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, SourceError::Unsupported(_)), "{name}: {error}");
    }
}
