//! The memory limit is kept: the least important cameras wait while there is no room for them.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use pcount::{
    config::{ParallelConfig, SourceConfig, SourceKind},
    detect::Model,
    engine::{Engine, EngineApi, EngineOptions},
    metrics::resident_bytes,
    source::{Frame, FrameSource, Interrupt, Opener, SourceError, StreamInfo},
    store::SourceState,
};
use support::{Walk, White, source};

/// What each camera holds as long as it is open. Blocks of this size go back to the system when freed.
const WEIGHT: usize = 48 << 20;

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
    let base = resident_bytes();
    let limit = base + 8 * WEIGHT as u64;
    let settings = ParallelConfig {
        worker_count: 2,
        max_workers: 2,
        memory_limit: Some(limit),
        ..ParallelConfig::default()
    };
    let mut options = EngineOptions::new(settings);
    options.opener = Arc::new(OpenHeavy);
    let loaded = Arc::new(AtomicUsize::new(0));
    options.load_model = Box::new(move |_| Ok(White::new(&loaded) as Arc<dyn Model>));
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
