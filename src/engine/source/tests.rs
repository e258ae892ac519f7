//! One source, with the worker's part played by the test.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use opencv::core::{CV_8UC3, Mat, Scalar};
use parking_lot::Mutex;

use super::{
    Command, Source,
    around::Around,
    commands::{ResetCounts, Restart, SourceCommand},
    inbox::Call,
    run::Run,
};
use crate::{
    clock::{Clock, ManualClock},
    config::{ParallelConfig, SourceConfig, SourceSpec},
    detect::{DetectError, Detector, Model, ModelInfo},
    engine::{
        Answer, Control, Engine, EngineApi as _, EngineError, EngineOptions, aggregator::Sink,
        pool::scheduler::Unit as _,
    },
    model::{
        Detection, Direction, Event, EventKind, SourceKind, SourceSnapshot, StateKind, TaskResult, copies,
    },
    source::{Frame, capture::Notice, image::FrameImage},
};

/// Longest that anything takes which is sure to come.
const PATIENCE: Duration = Duration::from_mins(1);

struct Blind(ModelInfo);

impl Model for Blind {
    fn info(&self) -> &ModelInfo {
        &self.0
    }
    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        (width, height)
    }
    fn detector(&self) -> Box<dyn Detector> {
        Box::new(SeesNobody)
    }
}

struct SeesNobody;

impl Detector for SeesNobody {
    fn detect(&mut self, _: &Frame) -> Result<Vec<Detection>, DetectError> {
        Ok(Vec::new())
    }
}

fn options() -> EngineOptions {
    let settings = ParallelConfig { worker_count: 1, max_workers: 1, ..ParallelConfig::default() };
    let info = ModelInfo { name: "blind".into(), engine: "test".into(), confidence: 0.5, note: None };
    let model: Arc<dyn Model> = Arc::new(Blind(info));
    let mut options = EngineOptions::new(settings);
    options.world.load_model = Box::new(move |_| Ok(Arc::clone(&model)));
    options
}

fn camera(id: &str) -> SourceConfig {
    let mut config = SourceConfig::new(id, SourceKind::Camera, SourceSpec::Demo("lobby".into()));
    config.cadence = crate::config::Cadence::SkipFrames(0);
    config
}

fn frame(index: u64) -> Frame {
    Frame {
        picture: FrameImage::ready(
            Mat::new_rows_cols_with_default(48, 64, CV_8UC3, Scalar::all(0.0)).unwrap(),
        ),
        index,
        time: index as f64 / 10.0,
        captured: Instant::now(),
        stream_size: (64, 48),
        last: false,
    }
}

/// An engine that is not started, and its only source.
fn engine_with(options: EngineOptions) -> (Engine, Arc<Source>) {
    let engine = Engine::new(options).unwrap();
    engine.add_source(camera("camera")).unwrap();
    let source = engine.source("camera").unwrap();
    source.inbox.admit(Some(Arc::default()));
    (engine, source)
}

fn work(source: &Arc<Source>, index: u64) {
    assert_eq!(source.inbox.replace(&source.inbox.admitted(), frame(index)), (Call::Worker, false));
    Arc::clone(source).run(1);
}

#[test]
fn a_frame_costs_one_copy_of_what_is_shown() {
    let (engine, source) = engine_with(options());
    // The first one is told of with its size and its model.
    work(&source, 0);
    let copies = copies::during(|| (1..=10).for_each(|index| work(&source, index)));
    assert_eq!((copies, source.cell.load().frames), (10, 11));
    engine.stop(Duration::ZERO);
}

#[test]
fn a_snapshot_never_says_that_it_is_newer_than_what_it_holds() {
    let changing: Arc<Mutex<Option<Arc<Source>>>> = Arc::default();
    let mut options = options();
    // Asked while a snapshot is gathered: what changes in the middle of it.
    let changed = Arc::clone(&changing);
    options.log_lines_lost = Some(Arc::new(move || {
        if let Some(source) = &*changed.lock() {
            let mut shown = SourceSnapshot::clone(&source.cell.load());
            shown.total_in += 1;
            source.cell.publish(&shown);
        }
        0
    }));
    let (engine, source) = engine_with(options);
    *changing.lock() = Some(Arc::clone(&source));
    let torn = engine.snapshot();
    *changing.lock() = None;
    let after = engine.snapshot();
    assert_ne!(torn.sources[0].total_in, after.sources[0].total_in, "it has changed in the middle");
    assert!(torn.generation < after.generation, "{} and {}", torn.generation, after.generation);
    engine.stop(Duration::ZERO);
}

fn emit(source: &Source, kind: EventKind) {
    source.core.outbox.event(Event::new(source.core.clock.wall(), source.id.clone(), kind));
}

/// Says when it is given an event, and takes it when it is let.
struct Slow(mpsc::Sender<()>, mpsc::Receiver<()>, Arc<Mutex<usize>>);

impl Sink for Slow {
    fn result(&mut self, _: &Arc<TaskResult>) {}
    fn event(&mut self, event: &Arc<Event>) {
        self.0.send(()).ok();
        self.1.recv().ok();
        *self.2.lock() += usize::from(matches!(event.kind, EventKind::Crossing { .. }));
    }
}

#[test]
fn while_what_is_counted_is_not_taken_frames_wait_and_nothing_counted_is_lost() {
    let (given, gives) = mpsc::channel();
    let (hold, held) = mpsc::channel::<()>();
    let taken = Arc::<Mutex<usize>>::default();
    let mut options = options();
    options.sinks = vec![Box::new(Slow(given, held, Arc::clone(&taken)))];
    let (engine, source) = engine_with(options);
    let cross = |track| {
        let line = "door".into();
        let direction = Direction::In;
        emit(&source, EventKind::Crossing { line, direction, track, time: 0.0, confidence: 1.0 });
    };
    cross(0);
    gives.recv().unwrap();
    let mut put = 1;
    while !source.core.outbox.is_full() {
        cross(put);
        put += 1;
    }
    work(&source, 0);
    assert_eq!(source.cell.load().frames, 0, "the frame waits");
    assert!(source.inbox.has_work());
    let shown = engine.snapshot();
    assert!(
        shown.problems.iter().any(|problem| problem.contains("cannot be written")),
        "{:?}",
        shown.problems
    );
    let refused = engine.send(Control::reset_counts("camera".into())).wait(PATIENCE).unwrap();
    assert!(matches!(refused, Err(EngineError::Backlog)), "a reset that cannot be noted is not made");

    // What may be lost is lost before a crossing is, and said.
    (0..3).for_each(|_| emit(&source, EventKind::State { state: StateKind::Stalled, error: None }));
    assert_eq!(engine.snapshot().events_lost, 2, "of states the latest is kept");

    drop(hold);
    assert!(engine.sync(PATIENCE));
    assert_eq!(*taken.lock() as u64, put);
    assert!(engine.snapshot().problems.is_empty());
    source.go_on();
    let begun = Instant::now();
    while source.cell.load().frames == 0 {
        assert!(begun.elapsed() < PATIENCE, "the frame is still held");
        std::thread::yield_now();
    }
    engine.stop(Duration::from_secs(10));
}

/// Counts the capture threads that an actor asks for, and the notices that it leaves for itself.
#[derive(Default)]
struct Threads(AtomicUsize, AtomicUsize);

impl Around for Threads {
    fn admit(&self, _: Option<Arc<Run>>) {}
    fn read(&self, _: Arc<Run>) -> std::io::Result<()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
    fn dropped(&self) -> u64 {
        0
    }
    fn notify(&self, _: &Arc<Run>, _: Notice) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
    fn close(&self) {}
}

#[test]
fn nothing_of_a_source_begins_after_its_end_and_its_counts_stay() {
    let (engine, source) = engine_with(options());
    let mut actor = source.inbox.take_actor().unwrap();
    let threads = Threads::default();
    let restart = || Command::Asked(SourceCommand::from(Restart).ask());
    for (command, begun) in
        [(Command::Start, 1), (Command::Finish, 1), (Command::Start, 1), (Command::SlotGranted, 1)]
    {
        actor.receive(&threads, command, None);
        assert_eq!(threads.0.load(Ordering::SeqCst), begun);
    }
    for command in [restart(), Command::Asked(SourceCommand::from(ResetCounts).ask())] {
        let (answer, reply) = Answer::new();
        actor.receive(&threads, command, Some(answer));
        assert!(matches!(reply.poll(), Some(Err(EngineError::Ended))));
    }
    actor.receive(&threads, Command::Tick, None);
    assert_eq!(threads.0.load(Ordering::SeqCst), 1);
    engine.stop(Duration::ZERO);
}

#[test]
fn a_source_that_waits_for_a_thread_begins_when_its_time_has_come_and_not_after_its_end() {
    let clock = Arc::new(ManualClock::default());
    let mut options = options();
    options.world().clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let (engine, source) = engine_with(options);
    let mut actor = source.inbox.take_actor().unwrap();
    let threads = Threads::default();
    actor.receive(&threads, Command::Start, None);
    for ended in [false, true] {
        actor.give_up(&threads, "no memory", true);
        if ended {
            actor.receive(&threads, Command::Finish, None);
        }
        clock.advance(Duration::from_hours(1));
        actor.receive(&threads, Command::Tick, None);
        assert_eq!(threads.0.load(Ordering::SeqCst), 2, "ended: {ended}");
    }
    engine.stop(Duration::ZERO);
}

#[test]
fn what_becomes_of_an_addition_is_told() {
    let (engine, _) = engine_with(options());
    let add = |id: &str| engine.send(Control::Add(Box::new(camera(id)))).wait(PATIENCE).unwrap();
    assert!(matches!(add("camera"), Err(EngineError::DuplicateId(id)) if &*id == "camera"));
    assert!(matches!(add("../up"), Err(EngineError::Source(problem)) if problem.contains("'../up'")));
    assert_eq!(engine.snapshot().sources.len(), 1);

    engine.start().unwrap();
    assert!(add("second").is_ok());
    assert_eq!(engine.snapshot().sources.len(), 2);

    engine.stop(Duration::from_secs(10));
    assert!(matches!(add("third"), Err(EngineError::Ended)));
    let gone = engine.send(Control::restart("nobody".into())).wait(PATIENCE).unwrap();
    assert!(matches!(gone, Err(EngineError::UnknownSource(_))));
}

#[test]
fn the_frame_that_waits_is_counted_before_the_source_closes() {
    let clock = Arc::new(ManualClock::default());
    let at = |text: &str| clock.set_wall(text.parse::<jiff::Timestamp>().unwrap().into());
    at("2026-12-04T12:00:00Z");
    let mut options = options();
    options.settings.timezone = jiff::tz::TimeZone::UTC;
    options.world().clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let (engine, source) = engine_with(options);
    let mut actor = source.inbox.take_actor().unwrap();
    actor.set_schedule(&source, Some("daily 08:00-20:00".parse().unwrap()));
    // Open, with a capture thread whose part is the test's.
    actor.life = super::lifecycle::Lifecycle::Starting;
    actor.run = source.inbox.admitted();
    drop(source.inbox.bring_home(actor, false));
    work(&source, 0);
    assert_eq!(source.inbox.replace(&source.inbox.admitted(), frame(1)), (Call::Worker, false));
    at("2026-12-04T20:00:00Z");
    // Given here, and not posted: the coordinator would be told, and be at the source when the worker comes.
    let mut actor = source.inbox.take_actor().unwrap();
    for _ in 0..3 {
        actor.receive(&source, Command::Tick, None);
    }
    drop(source.inbox.bring_home(actor, false));
    assert!(source.inbox.has_work(), "the frame waits");
    while Arc::clone(&source).run(1) {}
    assert_eq!(source.cell.load().state.kind(), StateKind::Closed);
    assert_eq!(source.cell.load().frames, 2);
    engine.stop(Duration::ZERO);
}

#[test]
fn other_hours_are_in_effect_at_once_and_what_stays_open_is_not_reconnected() {
    let clock = Arc::new(ManualClock::default());
    clock.set_wall("2026-12-04T12:00:00Z".parse::<jiff::Timestamp>().unwrap().into());
    let mut options = options();
    options.settings.timezone = jiff::tz::TimeZone::UTC;
    options.world().clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let (engine, source) = engine_with(options);
    let mut actor = source.inbox.take_actor().unwrap();
    let threads = Threads::default();
    let hours = |text: &str| Some(text.parse().unwrap());
    let shown = || source.cell.load().state.clone();
    actor.receive(&threads, Command::Start, None);
    actor.set_schedule(&threads, hours("daily 08:00-20:00"));
    assert_eq!((threads.0.load(Ordering::SeqCst), shown().kind()), (1, StateKind::Queued));
    actor.set_schedule(&threads, hours("daily 18:00-20:00"));
    actor.receive(&threads, Command::Notice(Notice::Closed), None);
    assert_eq!(shown().kind(), StateKind::Closed);
    actor.set_schedule(&threads, hours("daily 17:00-20:00"));
    let crate::model::SourceState::Closed { opens: Some(opens) } = shown() else { panic!("{:?}", shown()) };
    assert_eq!(opens.shown, "17:00");
    actor.set_schedule(&threads, None);
    assert_eq!(threads.0.load(Ordering::SeqCst), 2, "it is open");
    engine.stop(Duration::ZERO);
}

#[test]
fn a_source_that_ends_while_it_closes_closes_again_the_next_time() {
    let clock = Arc::new(ManualClock::default());
    let at = |text: &str| clock.set_wall(text.parse::<jiff::Timestamp>().unwrap().into());
    let mut options = options();
    options.settings.timezone = jiff::tz::TimeZone::UTC;
    options.world().clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let (engine, source) = engine_with(options);
    let mut actor = source.inbox.take_actor().unwrap();
    let threads = Threads::default();
    actor.set_schedule(&threads, Some("daily 08:00-20:00".parse().unwrap()));
    let restart = |actor: &mut super::actor::Actor| {
        let (answer, reply) = Answer::new();
        actor.receive(&threads, Command::Asked(SourceCommand::from(Restart).ask()), Some(answer));
        reply.poll().unwrap()
    };
    at("2026-12-04T12:00:00Z");
    actor.receive(&threads, Command::Start, None);
    for closings in 1..=2 {
        at("2026-12-04T20:00:00Z");
        // However often it is looked at: it is told once.
        (0..3).for_each(|_| actor.receive(&threads, Command::Tick, None));
        assert_eq!(
            (threads.0.load(Ordering::SeqCst), threads.1.load(Ordering::SeqCst)),
            (closings, closings)
        );
        actor.receive(&threads, Command::Notice(Notice::Ended(None)), None);
        assert_eq!(source.cell.load().state.kind(), StateKind::Completed);
        let refused = restart(&mut actor).unwrap_err();
        assert!(matches!(refused, EngineError::Closed(..)), "{refused}");
        at("2026-12-05T12:00:00Z");
        restart(&mut actor).unwrap();
    }
    engine.stop(Duration::ZERO);
}
