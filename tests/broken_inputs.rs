//! Hundreds of damaged and mistaken video files, made from seeds, through the real opener: none may crash or
//! hang the program, and each that is refused is refused in one sentence that names it.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
mod clips;
#[path = "support/config.rs"]
mod config;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use clips::write_clip;
use opencv::core::MatTraitConst as _;
use pcount::{
    config::SourceSpec,
    internals::source::{Interrupt, Opener as _, SourceError, SystemOpener},
    model::SourceKind,
};

/// Longer than opening and reading one input may take with the timeouts set here; reaching it is a hang.
const HANG: Duration = Duration::from_mins(1);
/// Frames read of an input that opens.
const FRAMES: usize = 40;
/// Damaged copies of each whole clip.
const COPIES: u64 = 80;

/// SplitMix64, so that a failure's seed makes the same bytes again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }
}

/// One damage, chosen by the seed.
fn damage(whole: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes = whole.to_vec();
    match seed % 6 {
        0 => bytes.truncate(random.below(whole.len())),
        1 => {
            for _ in 0..=random.below(200) {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
        }
        2 => {
            let head = bytes.len().min(512);
            for byte in &mut bytes[..head] {
                if random.below(4) == 0 {
                    *byte = random.below(256) as u8;
                }
            }
        }
        3 => {
            let from = random.below(bytes.len());
            let length = random.below(bytes.len() - from);
            bytes.drain(from..from + length);
        }
        4 => {
            let from = random.below(bytes.len());
            let length = random.below(bytes.len() - from);
            bytes[from..from + length].fill(0);
        }
        _ => {
            let from = random.below(bytes.len());
            let piece = bytes[from..from + random.below(bytes.len() - from)].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, piece);
        }
    }
    bytes
}

/// Files that never were a video.
fn mistakes() -> Vec<(String, Vec<u8>)> {
    let mut random = Random(99);
    let mut noise = |length: usize| (0..length).map(|_| random.below(256) as u8).collect::<Vec<u8>>();
    let with = |head: &[u8], tail: Vec<u8>| [head, &tail].concat();
    let mut mistakes: Vec<(&str, Vec<u8>)> = vec![
        ("empty.mp4", Vec::new()),
        ("text.mp4", b"walkers\n".repeat(50)),
        ("config.mkv", br#"{"cameras": []}"#.to_vec()),
        ("script.avi", b"#!/bin/sh\necho no video\n".to_vec()),
        ("zeros.mp4", vec![0; 4096]),
        ("ones.ts", vec![0xFF; 4096]),
        ("noise.mp4", noise(8192)),
        ("noise.avi", noise(8192)),
        ("noise.ts", noise(8192)),
        ("noise.mkv", noise(8192)),
        ("onebyte.mp4", vec![0x1A]),
        ("zip.mp4", with(b"PK\x03\x04", noise(2000))),
        ("pdf.mp4", with(b"%PDF-1.7\n", noise(2000))),
        ("riff.avi", with(b"RIFF\xFF\xFF\xFF\xFFAVI LIST", noise(4000))),
        ("ebml.mkv", with(b"\x1A\x45\xDF\xA3", noise(4000))),
        ("ftyp.mp4", with(b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2", noise(4000))),
        ("flv.flv", with(b"FLV\x01\x05\0\0\0\x09", noise(4000))),
        ("mpeg.mpg", with(b"\0\0\x01\xBA", noise(4000))),
        ("ogg.ogv", with(b"OggS\0\x02", noise(4000))),
        ("jpeg.jpg", with(b"\xFF\xD8\xFF\xE0\0\x10JFIF\0", noise(4000))),
        ("gif.gif", with(b"GIF89a\xFF\xFF\xFF\xFF\xF7\0\0", noise(4000))),
        ("h264.h264", with(b"\0\0\0\x01\x67", noise(4000))),
    ];
    mistakes.push(("unfinished.mp4", with(b"\0\0\0\x10ftypisom\0\0\0\0\0\x10\0\0mdat", noise(4000))));
    mistakes.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// Opens and reads as the program does. Whatever comes must be sound.
fn play(path: &Path) -> Result<usize, SourceError> {
    let mut config = config::source(SourceKind::Video, SourceSpec::File(path.to_owned()));
    config.open_timeout = Duration::from_secs(5);
    let mut source = SystemOpener::default().open(&config, &Interrupt::default())?;
    let mut last = -1.0;
    for index in 0..FRAMES {
        if !source.grab()? {
            return Ok(index);
        }
        let frame = source.retrieve(&|width, height| (width.min(64), height.min(48)))?;
        assert!(
            !frame.picture.bgr().unwrap().empty()
                && frame.picture.size().0 <= 64
                && frame.picture.size().1 <= 48
        );
        assert!(frame.time.is_finite() && frame.time >= last, "{}: time ran backwards", path.display());
        last = frame.time;
    }
    Ok(FRAMES)
}

#[test]
fn damaged_files_neither_crash_nor_hang_and_are_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = mistakes();
    for (number, (name, codec)) in
        [("clip.mp4", "mp4v"), ("clip.avi", "MJPG"), ("clip.mkv", "mp4v"), ("clip.ts", "mpg2")]
            .into_iter()
            .enumerate()
    {
        let path = folder.path().join(name);
        write_clip(&path, codec, 25.0, (64, 48), 30);
        let whole = fs::read(&path).unwrap();
        assert!(play(&path).unwrap() >= 29, "{name} itself must play");
        for copy in 0..COPIES {
            let seed = number as u64 * 1000 + copy;
            inputs.push((format!("{seed}-{name}"), damage(&whole, seed)));
        }
    }
    assert!(inputs.len() >= 300);

    let (send, results) = mpsc::channel();
    let paths: Vec<PathBuf> = inputs
        .iter()
        .map(|(name, bytes)| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    let played = paths.clone();
    thread::spawn(move || {
        for path in played {
            let result = play(&path);
            if send.send(result).is_err() {
                return;
            }
        }
    });
    let (mut opened, mut refused) = (0, 0);
    for path in &paths {
        // The name is known when this process dies or waits, and so are the bytes.
        let result = results
            .recv_timeout(HANG)
            .unwrap_or_else(|why| panic!("'{}': the reader hangs or has died ({why})", path.display()));
        match result {
            Ok(_) => opened += 1,
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert_eq!(text.lines().count(), 1, "{text}");
                assert!(
                    text.contains(&path.display().to_string()) || matches!(error, SourceError::Stalled(_)),
                    "{text}"
                );
                assert!(text.len() < path.display().to_string().len() + 200, "{text}");
            }
        }
    }
    println!("{} inputs: {opened} played as far as they went, {refused} refused", paths.len());
    assert!(opened > 0 && refused >= mistakes().len() / 2);
}
