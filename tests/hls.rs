//! A live HLS camera: pieces of a second, listed as they are made, that is interrupted or restarts.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
mod clips;
#[path = "support/http_server.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod http_server;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use http_server::{Answer, serve};
use opencv::core::MatTraitConst as _;
use parking_lot::Mutex;
use pcount::{
    config::SourceConfig,
    internals::source::{FrameSource, Interrupt, Opener as _, SystemOpener, resume::StreamPosition},
};

/// Frames a second and in a piece.
const FRAMES: usize = 10;

/// Pieces that the list names.
const LISTED: usize = 5;

/// The camera, and when it began to list its pieces.
struct Camera {
    address: String,
    began: Arc<Mutex<Instant>>,
}

impl Camera {
    /// One that has listed this many pieces already. Its frames are as bright as their numbers say, see [`number`].
    fn start(folder: &Path, listed: u64) -> Self {
        let clip = folder.join("clip.avi");
        clips::write_clip(&clip, "FFV1", 10.0, (64, 48), 40 * FRAMES);
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&clip)
            .args(["-c:v", "libx264", "-pix_fmt", "yuv420p", "-qp", "10", "-bf", "0", "-g", "10"])
            .args(["-sc_threshold", "0", "-f", "segment", "-segment_time", "1", "-segment_format", "mpegts"])
            .arg(folder.join("%d.ts"))
            .status();
        assert!(made.unwrap().success());
        let began = Arc::new(Mutex::new(Instant::now().checked_sub(Duration::from_secs(listed)).unwrap()));
        let (folder, since) = (folder.to_owned(), Arc::clone(&began));
        let make = move |path: &str| {
            if path != "/list.m3u8" {
                return std::fs::read(folder.join(path.trim_start_matches('/'))).ok();
            }
            let there = since.lock().elapsed().as_secs() as usize;
            let first = there.saturating_sub(LISTED);
            let mut list = format!(
                "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
            );
            for piece in first..there {
                let _ = writeln!(list, "#EXTINF:1.0,\n{piece}.ts");
            }
            Some(list.into_bytes())
        };
        let port = serve(Answer::Made(Arc::new(make)));
        Self { address: format!("http://127.0.0.1:{port}/list.m3u8"), began }
    }

    fn open(&self, seen: Option<StreamPosition>) -> Box<dyn FrameSource> {
        let config = SourceConfig::from_source_string(&self.address, &BTreeSet::new()).unwrap();
        let mut source = SystemOpener::default().open(&config, &Interrupt::default()).unwrap();
        seen.into_iter().for_each(|seen| source.resume(seen));
        source
    }
}

/// Number, from 0 to 31, of the frame grabbed last.
fn number(source: &mut dyn FrameSource) -> usize {
    let frame = source.retrieve(&|width, height| (width, height)).unwrap();
    let bright = frame.picture.bgr().unwrap().at_2d::<opencv::core::Vec3b>(24, 32).unwrap()[1];
    (usize::from(bright) + 4) / 8 % 32
}

/// Numbers of the next so many frames.
fn numbers(source: &mut dyn FrameSource, count: usize) -> Vec<usize> {
    (0..count)
        .map(|_| {
            assert!(source.grab().unwrap());
            number(source)
        })
        .collect()
}

fn are_consecutive(numbers: &[usize]) -> bool {
    numbers.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 32)
}

#[test]
fn what_was_seen_before_an_interruption_is_not_seen_again_and_nothing_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let camera = Camera::start(folder.path(), 6);
    let mut source = camera.open(None);
    // Three pieces that are there, and two that are waited for.
    let mut seen = numbers(source.as_mut(), 5 * FRAMES + 5);
    let mut stood = source.seen();
    drop(source);
    for pause in [200, 1500] {
        std::thread::sleep(Duration::from_millis(pause));
        let mut source = camera.open(stood);
        seen.extend(numbers(source.as_mut(), 2 * FRAMES));
        stood = source.seen();
    }
    assert!(are_consecutive(&seen), "{seen:?}");
}

#[test]
fn of_a_camera_that_starts_anew_no_frame_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let camera = Camera::start(folder.path(), 3);
    let mut source = camera.open(None);
    let seen = numbers(source.as_mut(), 5 * FRAMES);
    assert!(seen[0] == 0 && are_consecutive(&seen), "{seen:?}");
    let stood = source.seen();
    drop(source);
    *camera.began.lock() = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
    let seen = numbers(camera.open(stood).as_mut(), 3 * FRAMES);
    assert!(seen[0] == 0 && are_consecutive(&seen), "{seen:?}");
}
