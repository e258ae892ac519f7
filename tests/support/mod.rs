//! A world for the engine without a camera, a model file or a sleep: pictures carry the truth in their
//! pixels and a scripted detector reads it back.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use opencv::{
    core::{CV_8UC3, Mat, MatTrait, MatTraitConst, Scalar},
    imgproc,
};
use parking_lot::Mutex;
use pcount::{
    config::{Cadence, DetectorChoice, ParallelConfig, SourceConfig, SourceSpec},
    engine::{Engine, EngineApi, EngineOptions, Sink},
    geometry::BBox,
    internals::{
        detect::{DetectError, Detector, Model, ModelInfo},
        source::{Frame, FrameSource, Interrupt, Opener, SourceError, StreamInfo, image::FrameImage},
    },
    model::{
        Detection, Event, EventKind, LineConfig, SourceKind, SourceSnapshot, SourceState, Strategy,
        TaskResult,
    },
};

pub const WIDTH: i32 = 64;
pub const HEIGHT: i32 = 48;
pub const FPS: f64 = 10.0;

/// A white square that walks down and up over the middle, once each way in `period` frames.
pub struct Walk {
    pub frames: u64,
    pub period: u64,
    pub live: bool,
    pub break_at: Option<u64>,
    pub panic_at: Option<u64>,
    /// Size in pixels that it says it has.
    pub declared: (u32, u32),
    next: u64,
}

impl Walk {
    pub fn file(frames: u64, period: u64) -> Self {
        Self {
            frames,
            period,
            live: false,
            break_at: None,
            panic_at: None,
            declared: (WIDTH as u32, HEIGHT as u32),
            next: 0,
        }
    }

    pub fn camera(period: u64) -> Self {
        Self { frames: u64::MAX, live: true, ..Self::file(0, period) }
    }

    fn top(&self, index: u64) -> i32 {
        let phase = index % self.period;
        let half = self.period / 2;
        let way = if phase < half { phase } else { self.period - phase };
        2 + (way as f64 / half as f64 * f64::from(HEIGHT - 16)) as i32
    }
}

impl FrameSource for Walk {
    fn info(&self) -> StreamInfo {
        StreamInfo {
            size: self.declared,
            fps: Some(FPS),
            live: self.live,
            frames: (!self.live).then_some(self.frames),
        }
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        if self.break_at == Some(self.next) {
            return Err(SourceError::Broken("unplugged".into()));
        }
        if self.live {
            // A camera paces its reader.
            std::thread::sleep(Duration::from_millis(5));
        }
        if self.next >= self.frames {
            return Ok(false);
        }
        self.next += 1;
        Ok(true)
    }

    fn time(&self) -> f64 {
        (self.next - 1) as f64 / FPS
    }

    fn retrieve(&mut self, _: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        let index = self.next - 1;
        let mut image = Mat::new_rows_cols_with_default(HEIGHT, WIDTH, CV_8UC3, Scalar::all(0.0)).unwrap();
        let square = opencv::core::Rect::new(28, self.top(index), 6, 12);
        imgproc::rectangle(&mut image, square, Scalar::all(255.0), imgproc::FILLED, imgproc::LINE_8, 0)
            .unwrap();
        if self.panic_at == Some(index) {
            *image.at_2d_mut::<opencv::core::Vec3b>(0, 0).unwrap() = [9, 9, 9].into();
        }
        Ok(Frame {
            picture: FrameImage::ready(image),
            index,
            time: self.time(),
            captured: Instant::now(),
            stream_size: (WIDTH as u32, HEIGHT as u32),
            last: false,
        })
    }
}

/// Decides by the id and the number of the attempt, from 0.
pub type Open = dyn Fn(&str, usize) -> Result<Walk, SourceError> + Send + Sync;

/// Opens what the test says.
pub struct Scripted {
    pub open: Box<Open>,
    pub attempts: Mutex<std::collections::HashMap<String, usize>>,
}

impl Scripted {
    pub fn new(open: impl Fn(&str, usize) -> Result<Walk, SourceError> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { open: Box::new(open), attempts: Mutex::default() })
    }

    pub fn attempts(&self, id: &str) -> usize {
        self.attempts.lock().get(id).copied().unwrap_or(0)
    }
}

impl Opener for Scripted {
    fn open(&self, source: &SourceConfig, _: &Interrupt) -> Result<Box<dyn FrameSource>, SourceError> {
        let attempt = {
            let mut attempts = self.attempts.lock();
            let attempt = attempts.entry(source.id.to_string()).or_default();
            *attempt += 1;
            *attempt - 1
        };
        (self.open)(&source.id, attempt).map(|walk| Box::new(walk) as Box<dyn FrameSource>)
    }
}

/// Finds white pixels; panics at the mark of [`Walk::panic_at`].
pub struct White(ModelInfo, Arc<AtomicUsize>);

impl White {
    pub fn new(loaded: &Arc<AtomicUsize>) -> Arc<Self> {
        loaded.fetch_add(1, Ordering::SeqCst);
        let info = ModelInfo { name: "white".into(), engine: "test".into(), confidence: 0.5, note: None };
        Arc::new(Self(info, Arc::clone(loaded)))
    }
}

impl Model for White {
    fn info(&self) -> &ModelInfo {
        &self.0
    }
    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        (width.min(WIDTH as u32), height.min(HEIGHT as u32))
    }
    fn detector(&self) -> Box<dyn Detector> {
        Box::new(FindWhite)
    }
}

struct FindWhite;

impl Detector for FindWhite {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let at = |x, y| frame.picture.bgr().unwrap().at_2d::<opencv::core::Vec3b>(y, x).unwrap()[0];
        assert!(at(0, 0) != 9, "marked frame");
        let top = (0..HEIGHT).find(|y| at(30, *y) > 128);
        Ok(top
            .map(|top| {
                let unit = 1.0 / HEIGHT as f32;
                Detection {
                    bbox: BBox::new(28.0 * unit, top as f32 * unit, 6.0 * unit, 12.0 * unit),
                    score: 0.9,
                }
            })
            .into_iter()
            .collect())
    }
}

/// Remembers what came.
#[derive(Clone, Default)]
pub struct Record {
    pub results: Arc<Mutex<Vec<TaskResult>>>,
    pub events: Arc<Mutex<Vec<Event>>>,
}

impl Record {
    pub fn crossings(&self, id: &str) -> usize {
        let events = self.events.lock();
        events.iter().filter(|e| &*e.source == id && matches!(e.kind, EventKind::Crossing { .. })).count()
    }
}

impl Sink for Record {
    fn result(&mut self, result: &Arc<TaskResult>) {
        self.results.lock().push(TaskResult::clone(result));
    }
    fn event(&mut self, event: &Arc<Event>) {
        self.events.lock().push(Event::clone(event));
    }
}

pub struct World {
    pub engine: Engine,
    pub record: Record,
    pub opener: Arc<Scripted>,
    pub loaded: Arc<AtomicUsize>,
}

pub fn world(
    workers: usize,
    max_workers: usize,
    strategy: Strategy,
    open: impl Fn(&str, usize) -> Result<Walk, SourceError> + Send + Sync + 'static,
) -> World {
    let settings = ParallelConfig {
        worker_count: workers,
        max_workers,
        strategy,
        max_open_sources: 3,
        detector: DetectorChoice::Motion,
        ..ParallelConfig::default()
    };
    let (record, opener, loaded) = (Record::default(), Scripted::new(open), Arc::new(AtomicUsize::new(0)));
    let mut options = EngineOptions::new(settings);
    options.world().opener = Arc::clone(&opener) as Arc<dyn Opener>;
    let count = Arc::clone(&loaded);
    options.world().load_model = Box::new(move |_| Ok(White::new(&count) as Arc<dyn Model>));
    options.sinks = vec![Box::new(record.clone())];
    World { engine: Engine::new(options).unwrap(), record, opener, loaded }
}

pub fn source(id: &str, kind: SourceKind) -> SourceConfig {
    let mut source = SourceConfig::new(id, kind, SourceSpec::File(Path::new(id).into()));
    source.cadence = Cadence::SkipFrames(0);
    source.lines = vec![LineConfig { name: "middle".into(), ..LineConfig::default() }];
    source.retry.initial = Duration::from_millis(20);
    source.retry.max = Duration::from_millis(50);
    source
}

impl World {
    pub fn source(&self, id: &str) -> Arc<SourceSnapshot> {
        let snapshot = self.engine.snapshot();
        snapshot.sources.iter().find(|s| &*s.id == id).cloned().unwrap_or_else(|| panic!("no source {id}"))
    }

    pub fn state(&self, id: &str) -> SourceState {
        self.source(id).state.clone()
    }

    /// Waits for something that must happen; how long it takes is not what is tested.
    pub fn until(&self, what: &str, condition: impl Fn(&World) -> bool) {
        let begun = Instant::now();
        while !condition(self) {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "{what} did not happen: {:#?}",
                self.engine
                    .snapshot()
                    .sources
                    .iter()
                    .map(|s| (s.id.clone(), s.state.clone(), s.frames, s.last_error.clone()))
                    .collect::<Vec<_>>()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn until_over(&self) {
        self.until("the end of all sources", |world| world.engine.is_over());
        assert!(self.engine.sync(Duration::from_secs(30)));
    }
}
