//! Memory: the limit is kept, the least important cameras wait while there is no room for them; and a video takes no more
//! of it the longer it is read.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::{
    process::Command,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use pcount::{
    config::{ParallelConfig, SourceConfig, SourceSpec},
    engine::{Engine, EngineApi, EngineOptions},
    internals::{
        detect::Model,
        metrics::resident_bytes,
        source::{Frame, FrameSource, Interrupt, Opener, SourceError, StreamInfo, SystemOpener},
    },
    model::{SourceKind, SourceState},
};
use support::{Walk, White, source};

/// What each camera holds as long as it is open. Blocks of this size go back to the system when freed.
const WEIGHT: usize = 48 << 20;

/// The memory of the process is looked at by one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

struct Heavy(Walk, Vec<u8>);

impl FrameSource for Heavy {
    fn info(&self) -> StreamInfo {
        self.0.info()
    }
    fn grab(&mut self) -> Result<bool, SourceError> {
        // A decoder takes its memory with the first pictures, not at once.
        if self.1.len() < WEIGHT {
            self.1.extend(std::iter::repeat_n(1, WEIGHT / 64));
        }
        self.0.grab()
    }
    fn time(&self) -> f64 {
        self.0.time()
    }
    fn retrieve(&mut self, size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        self.0.retrieve(size)
    }
}

struct OpenHeavy;

impl Opener for OpenHeavy {
    fn open(&self, _: &SourceConfig, _: &Interrupt) -> Result<Box<dyn FrameSource>, SourceError> {
        Ok(Box::new(Heavy(Walk::camera(40), Vec::with_capacity(WEIGHT))))
    }
}

#[test]
fn a_memory_limit_is_kept_at_the_cost_of_the_least_important_cameras() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let base = resident_bytes();
    let limit = base + 8 * WEIGHT as u64;
    let settings = ParallelConfig {
        worker_count: 2,
        max_workers: 2,
        memory_limit: Some(limit),
        ..ParallelConfig::default()
    };
    let mut options = EngineOptions::new(settings);
    options.world().opener = Arc::new(OpenHeavy);
    let loaded = Arc::new(AtomicUsize::new(0));
    options.world().load_model = Box::new(move |_| Ok(White::new(&loaded) as Arc<dyn Model>));
    let engine = Engine::new(options).unwrap();
    engine.start().unwrap();
    let mut most = 0;
    let mut watch = |seconds: u64| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(seconds) {
            most = most.max(resident_bytes());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    // One after the other, as a user adds them; twelve would need half as much again as is allowed.
    for number in 0..12 {
        let mut camera = source(&format!("camera_{number:02}"), SourceKind::Camera);
        camera.priority = if number == 0 { 9 } else { 0 };
        engine.add_source(camera).unwrap();
        watch(1);
    }
    watch(4);
    let sources = engine.snapshot().sources;
    let running = sources.iter().filter(|s| s.state == SourceState::Running).count();
    let waiting: Vec<_> = sources.iter().filter(|s| s.state == SourceState::Queued).collect();
    println!(
        "limit {} MiB above the base, most {} MiB, {running} run, {} wait",
        (limit - base) >> 20,
        (most - base) >> 20,
        waiting.len()
    );
    assert!(most <= limit, "{most} is more than {limit}");
    assert!(running >= 4, "{running} run");
    assert!(!waiting.is_empty());
    assert_eq!(sources[0].state, SourceState::Running, "the important one goes on");
    for source in waiting {
        assert!(source.last_error.as_ref().unwrap().contains("memory limit"), "{source:?}");
    }
    engine.stop(Duration::from_secs(10));
}

#[test]
fn reading_on_takes_no_more_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.avi");
    // Packets of 113 KiB, 110 MiB in all.
    let written = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-frames:v", "1000"])
        .args(["-c:v", "rawvideo", "-pix_fmt", "yuv420p"])
        .arg(&path)
        .status();
    assert!(written.unwrap().success());
    for kind in [SourceKind::Video, SourceKind::Camera] {
        let mut config = source("long", kind);
        config.source = SourceSpec::File(path.clone());
        let mut video = SystemOpener::default().open(&config, &Interrupt::default()).unwrap();
        let (mut frames, mut base) = (0_u64, 0);
        // Files that are played as cameras keep their pace.
        let enough = if kind == SourceKind::Video { u64::MAX } else { 150 };
        while frames < enough && video.grab().unwrap() {
            if frames.is_multiple_of(4) {
                video.retrieve(&|_, _| (160, 120)).unwrap().picture.bgr().unwrap();
            }
            frames += 1;
            if frames == 50 {
                base = resident_bytes();
            }
        }
        let grown = resident_bytes().saturating_sub(base);
        // What was read would be ten times that.
        assert!(grown < (frames - 50) * 11_000, "{kind:?}: {} KiB in {frames} frames", grown >> 10);
    }
}
