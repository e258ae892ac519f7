//! What is asked of a source while its detector is at work: nobody waits for it, and nothing counted is lost or counted
//! twice.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use pcount::{
    config::{DetectorChoice, ParallelConfig, SourceConfig},
    engine::{Control, Engine, EngineApi, EngineError, EngineOptions, Reply},
    internals::{
        detect::{DetectError, Detector, Model, ModelInfo},
        source::{Frame, Opener},
    },
    model::{Detection, Direction, EventKind, LineConfig, SourceId, SourceKind, SourceState, Strategy},
};
use support::{Record, Scripted, Walk, White, World, source, world};

/// Nothing here takes so long; what does hangs.
const HANGS: Duration = Duration::from_mins(1);

/// Stops at one frame of one detector until it is let go on.
struct Gated {
    white: Arc<White>,
    at: u64,
    entered: Sender<()>,
    go: Receiver<()>,
    runs: Arc<AtomicUsize>,
}

struct GatedDetector {
    white: Box<dyn Detector>,
    at: u64,
    entered: Sender<()>,
    go: Receiver<()>,
    runs: Arc<AtomicUsize>,
}

impl Model for Gated {
    fn info(&self) -> &ModelInfo {
        self.white.info()
    }
    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        self.white.working_size(width, height)
    }
    fn detector(&self) -> Box<dyn Detector> {
        Box::new(GatedDetector {
            white: self.white.detector(),
            at: self.at,
            entered: self.entered.clone(),
            go: self.go.clone(),
            runs: Arc::clone(&self.runs),
        })
    }
}

impl Detector for GatedDetector {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let found = self.white.detect(frame);
        if frame.index >= self.at {
            self.entered.try_send(()).ok();
            // Until the test drops the other end.
            self.go.recv().ok();
            self.runs.fetch_add(1, Ordering::SeqCst);
        }
        found
    }
}

/// A world with one source, whose detector stands still in its frame `at`.
struct Still {
    world: World,
    go: Option<Sender<()>>,
    /// Detection runs that have ended since.
    runs: Arc<AtomicUsize>,
}

fn still(kind: SourceKind, at: u64) -> Still {
    let (entered, enters) = bounded(1);
    let (go, goes) = bounded(0);
    let runs = Arc::<AtomicUsize>::default();
    let (record, loaded) = (Record::default(), Arc::<AtomicUsize>::default());
    let opener = Scripted::new(move |_, _| {
        Ok(if kind == SourceKind::Video { Walk::file(240, 60) } else { Walk::camera(60) })
    });
    let mut options = EngineOptions::new(ParallelConfig {
        worker_count: 2,
        max_workers: 2,
        detector: DetectorChoice::Motion,
        ..ParallelConfig::default()
    });
    options.world().opener = Arc::clone(&opener) as Arc<dyn Opener>;
    options.sinks = vec![Box::new(record.clone())];
    let model = Gated { white: White::new(&loaded), at, entered, go: goes, runs: Arc::clone(&runs) };
    let model: Arc<dyn Model> = Arc::new(model);
    options.world().load_model = Box::new(move |_| Ok(Arc::clone(&model)));
    let world = World { engine: Engine::new(options).unwrap(), record, opener, loaded };
    world.engine.add_source(source("one", kind)).unwrap();
    world.engine.start().unwrap();
    enters.recv_timeout(HANGS).unwrap();
    Still { world, go: Some(go), runs }
}

impl Still {
    /// What `work` gives, and the proof that it did not wait for the detector.
    fn meanwhile<T: Send + 'static>(&self, work: impl FnOnce(&Engine) -> T + Send + 'static) -> T {
        let (done, wait) = bounded(1);
        let engine = self.world.engine.clone();
        std::thread::spawn(move || done.send(work(&engine)));
        let result = wait.recv_timeout(HANGS).expect("it waits for the detector");
        assert_eq!(self.runs.load(Ordering::SeqCst), 0, "the detector stands still");
        result
    }

    fn send(&self, control: Control) -> Reply {
        let reply = self.meanwhile(move |engine| engine.send(control));
        // What the engine has not heard of yet could take effect some frames later.
        self.meanwhile(heard);
        assert!(reply.poll().is_none(), "it takes effect after the detection run");
        reply
    }

    fn release(&mut self) {
        self.go = None;
    }

    /// Crossings of the source since its counts were last reset, by direction, as the sinks have heard of them.
    fn heard(&self) -> (u64, u64) {
        let mut counts = (0, 0);
        for event in self.world.record.events.lock().iter().filter(|event| &*event.source == "one") {
            match &event.kind {
                EventKind::Reset => counts = (0, 0),
                EventKind::Crossing { direction: Direction::In, .. } => counts.0 += 1,
                EventKind::Crossing { direction: Direction::Out, .. } => counts.1 += 1,
                _ => {}
            }
        }
        counts
    }

    fn shown(&self) -> (u64, u64) {
        let shown = self.world.source("one");
        (shown.total_in, shown.total_out)
    }
}

fn one() -> SourceId {
    "one".into()
}

fn line(name: &str) -> Vec<LineConfig> {
    vec![LineConfig { name: name.into(), ..LineConfig::default() }]
}

/// Waits until the engine has heard of everything that was asked before.
fn heard(engine: &Engine) {
    let workers = engine.snapshot().worker_count;
    done(&engine.send(Control::SetWorkers(workers)));
}

fn done(reply: &Reply) {
    reply.wait(HANGS).expect("an answer").unwrap();
}

#[test]
fn a_reset_waits_for_the_detection_run_and_nobody_for_the_reset() {
    let mut still = still(SourceKind::Video, 100);
    let before = still.shown();
    assert_ne!(before, (0, 0));
    let reset = still.send(Control::reset_counts(one()));
    assert_eq!(still.shown(), before);
    still.release();
    done(&reset);
    still.world.until_over();
    assert_eq!(still.world.record.crossings("one"), 8, "each crossing is told once");
    assert_eq!(still.shown(), still.heard());
    assert_eq!(still.shown().0 + still.shown().1, 8 - before.0 - before.1, "no count is lost or double");
    assert_eq!(still.world.engine.stop(HANGS), 0);
}

#[test]
fn commands_are_obeyed_in_the_order_they_were_given() {
    let mut still = still(SourceKind::Video, 100);
    let commands = [
        Control::set_lines(one(), line("first"), Vec::new()),
        Control::reset_counts(one()),
        Control::pause(one()),
        Control::set_lines(one(), line("second"), Vec::new()),
        Control::restart(one()),
        Control::pause(one()),
        Control::resume(one()),
    ];
    let replies = commands.map(|command| still.send(command));
    still.world.until("it is queued: what is restarted is not over", |world| {
        world.state("one") == SourceState::Queued
    });
    still.world.until("the lines that count from the next frame on", |world| {
        world.engine.source_config("one").unwrap().lines[0].name == "second"
    });
    still.release();
    replies.iter().for_each(done);
    still.world.until_over();
    let shown = still.world.source("one");
    assert_eq!((shown.frames, shown.total_in, shown.total_out), (240, 4, 4));
    assert_eq!(shown.lines[0].name, "second");
    assert_eq!(still.shown(), still.heard());
    assert_eq!(still.world.engine.stop(HANGS), 0);
}

#[test]
fn a_source_that_is_removed_and_added_while_its_detector_is_at_work_goes_on_from_its_counts() {
    let mut still = still(SourceKind::Camera, 100);
    let before = still.shown();
    let removal = still.send(Control::Remove(one()));
    still.meanwhile(|engine| {
        heard(engine);
        assert!(engine.snapshot().sources.is_empty());
        assert!(engine.results().is_empty() && engine.result("one").is_none());
    });
    let add = || Control::Add(Box::new(source("one", SourceKind::Camera)));
    let addition = still.send(add());
    let twice = still.meanwhile(move |engine| engine.send(add()).wait(HANGS));
    assert!(matches!(twice, Some(Err(EngineError::DuplicateId(_)))), "{twice:?}");
    let lines = still.send(Control::set_lines(one(), [line("middle"), line("other")].concat(), Vec::new()));
    assert!(!still.world.engine.is_over());
    still.release();
    [&removal, &addition, &lines].into_iter().for_each(done);
    still.world.until("more crossings", |world| {
        let shown = world.source("one");
        shown.total_in + shown.total_out > before.0 + before.1 + 4
    });
    assert_eq!(still.world.source("one").lines.len(), 2);
    assert_eq!(still.world.engine.results().len(), 1);
    assert_eq!(still.world.engine.stop(HANGS), 0);
    let middle = &still.world.source("one").lines;
    assert_eq!(middle[0].name, "middle");
    let heard = still.heard();
    assert_eq!(still.shown(), heard, "the same as everybody has heard of");
}

#[test]
fn nothing_that_a_front_end_asks_for_waits_for_the_detector() {
    let mut still = still(SourceKind::Camera, 30);
    for at_once in [
        Control::pause(one()),
        Control::resume(one()),
        Control::preview(one(), true),
        Control::SetWorkers(1),
        Control::PauseAll(true),
        Control::PauseAll(false),
        Control::restart(one()),
        Control::Add(Box::new(source("two", SourceKind::Camera))),
        Control::pause("two".into()),
    ] {
        let outcome = still.meanwhile(move |engine| engine.send(at_once).wait(HANGS));
        assert!(matches!(outcome, Some(Ok(()))), "{outcome:?}");
    }
    still.meanwhile(|engine| {
        assert_eq!(engine.snapshot().sources.len(), 2);
        drop((engine.preview("one"), engine.history("one"), engine.paths("one"), engine.stage_times("one")));
        drop((engine.source_config("one"), engine.results(), engine.result("one"), engine.tasks()));
        assert!(!engine.is_over());
    });
    // More than can wait is refused, in words.
    let replies: Vec<Reply> =
        still.meanwhile(|engine| (0..1100).map(|_| engine.send(Control::reset_counts(one()))).collect());
    still.meanwhile(heard);
    let refused = replies.iter().filter_map(Reply::poll).collect::<Vec<_>>();
    assert_eq!(refused.len(), 1100 - 1024);
    assert!(refused.iter().all(|outcome| matches!(outcome, Err(EngineError::Busy(_)))), "{refused:?}");
    still.release();
    assert_eq!(still.world.engine.stop(HANGS), 0);
}

#[test]
fn an_end_does_not_wait_for_a_detection_run_that_does_not_end() {
    let mut still = still(SourceKind::Camera, 100);
    let shown = still.shown();
    still.meanwhile(|engine| engine.stop(Duration::from_millis(50)));
    let last = still.world.record.results.lock().last().cloned().unwrap();
    assert_eq!((last.total_in, last.total_out), shown, "what was shown is the final result");
    still.release();
}

#[test]
fn results_are_of_sources_that_are_there() {
    let world = world(1, 1, Strategy::Shared, |_, _| Ok(Walk::file(60, 60)));
    for id in ["one", "two"] {
        world.engine.add_source(source(id, SourceKind::Video)).unwrap();
    }
    world.engine.start().unwrap();
    world.until_over();
    let ids = || world.engine.results().iter().map(|result| result.camera_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(), ["one", "two"]);
    done(&world.engine.send(Control::Remove(one())));
    assert_eq!(ids(), ["two"]);
    assert!(world.engine.result("one").is_none());
    world.engine.add_source(SourceConfig { enabled: false, ..source("one", SourceKind::Video) }).unwrap();
    assert!(world.engine.sync(HANGS));
    assert_eq!(ids(), ["two"], "another source of the same id has not reported yet");
    assert_eq!(world.engine.stop(HANGS), 0);
}

#[test]
fn replies_can_be_awaited_by_another_thread() {
    let mut still = still(SourceKind::Video, 50);
    let reset = still.send(Control::reset_counts(one()));
    let (told, tells) = unbounded();
    let waiter = std::thread::spawn(move || told.send(reset.wait(HANGS)).unwrap());
    assert!(tells.try_recv().is_err());
    still.release();
    assert!(matches!(tells.recv_timeout(HANGS), Ok(Some(Ok(())))));
    waiter.join().unwrap();
    still.world.engine.stop(HANGS);
}
