//! The capture loop against scripted sources and a clock that moves by itself.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use super::*;
use crate::{
    clock::ManualClock,
    config::{Cadence, RetryConfig, SourceSpec},
    source::{Frame, Interrupt, image::FrameImage, resume::Stand},
};

struct Script<F: Fn(usize) -> Result<Box<dyn FrameSource>, SourceError> + Send + Sync> {
    opened: AtomicUsize,
    open: F,
}

impl<F: Fn(usize) -> Result<Box<dyn FrameSource>, SourceError> + Send + Sync> Opener for Script<F> {
    fn open(&self, _: &SourceConfig, _: &Interrupt) -> Result<Box<dyn FrameSource>, SourceError> {
        (self.open)(self.opened.fetch_add(1, Ordering::SeqCst))
    }
}

/// A live source whose every frame takes this long on the manual clock, until it breaks off.
struct Steady {
    clock: Arc<ManualClock>,
    every: Duration,
    left: usize,
    time: f64,
}

impl FrameSource for Steady {
    fn info(&self) -> StreamInfo {
        StreamInfo { size: (64, 48), fps: None, live: true, frames: None }
    }
    fn grab(&mut self) -> Result<bool, SourceError> {
        self.clock.advance(self.every);
        self.time += self.every.as_secs_f64();
        self.left -= 1;
        if self.left == 0 { Err(SourceError::Broken("unplugged".into())) } else { Ok(true) }
    }
    fn time(&self) -> f64 {
        self.time
    }
    fn retrieve(&mut self, _: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        Ok(Frame {
            picture: FrameImage::ready(opencv::core::Mat::default()),
            index: 0,
            time: self.time,
            captured: self.clock.now(),
            stream_size: (64, 48),
            last: self.is_last(),
        })
    }
}

/// A file of so many frames at 25 a second.
struct Film {
    grabbed: u64,
    frames: u64,
}

impl FrameSource for Film {
    fn info(&self) -> StreamInfo {
        StreamInfo { size: (64, 48), fps: Some(25.0), live: false, frames: Some(self.frames) }
    }
    fn grab(&mut self) -> Result<bool, SourceError> {
        self.grabbed += 1;
        Ok(self.grabbed <= self.frames)
    }
    fn time(&self) -> f64 {
        (self.grabbed - 1) as f64 / 25.0
    }
    fn is_last(&self) -> bool {
        self.grabbed == self.frames
    }
    fn retrieve(&mut self, _: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        Ok(Frame {
            picture: FrameImage::ready(opencv::core::Mat::default()),
            index: self.grabbed - 1,
            time: self.time(),
            captured: Instant::now(),
            stream_size: (64, 48),
            last: self.is_last(),
        })
    }
}

/// What was delivered and not taken.
#[derive(Default)]
struct Delivered {
    frame: Option<Frame>,
    notices: Vec<Notice>,
    /// Frames that were replaced.
    lost: usize,
}

/// Writes down what it is told and keeps what it is given, as an inbox does.
#[derive(Default, Clone)]
struct Recorder {
    said: Arc<Mutex<Vec<String>>>,
    delivered: Arc<Mutex<Delivered>>,
    /// Seconds that it wants between frames.
    interval: f64,
}

impl Host for Recorder {
    fn reading(&mut self, reading: Reading, error: Option<&SourceError>) {
        let word = format!("{reading:?}");
        let word = word.split(' ').next().unwrap();
        let error = error.map(|error| format!(": {error}")).unwrap_or_default();
        self.said.lock().push(format!("{word}{error}"));
    }
    fn opened(&mut self, _: &StreamInfo, _: Option<String>) {}
    fn short_sessions(&mut self, count: u32) {
        self.said.lock().push(format!("{count} short sessions"));
    }
    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        (width, height)
    }
    fn interval(&mut self, _: u64, _: bool) -> f64 {
        self.interval
    }
    fn skipped(&mut self, _: u64) {}
    fn replace(&mut self, frame: Frame) {
        let mut delivered = self.delivered.lock();
        let old = delivered.frame.replace(frame);
        delivered.lost += usize::from(old.is_some());
    }
    fn put(&mut self, frame: Frame) {
        while self.delivered.lock().frame.is_some() {
            std::thread::yield_now();
        }
        self.delivered.lock().frame = Some(frame);
    }
    fn waiting_since(&mut self) -> Option<Instant> {
        self.delivered.lock().frame.as_ref().map(|frame| frame.captured)
    }
    fn renew(&mut self, frame: Frame) {
        self.delivered.lock().frame = Some(frame);
    }
    fn notify(&mut self, notice: Notice) {
        self.delivered.lock().notices.push(notice);
    }
}

fn camera(max_attempts: u32) -> SourceConfig {
    let mut config = SourceConfig::new("cam", SourceKind::Camera, SourceSpec::Demo("x".into()));
    let (initial, max) = (Duration::from_secs(1), Duration::from_secs(30));
    config.retry = RetryConfig { max_attempts, initial, max, give_up: true };
    config
}

/// What every capture loop has to itself, and the turns it takes.
struct Surroundings {
    control: CaptureControl,
    decode_scheduler: DecodeScheduler,
}

impl Surroundings {
    fn with(decode_scheduler: DecodeScheduler) -> Self {
        Self { control: CaptureControl::default(), decode_scheduler }
    }

    fn capture<'a>(
        &'a self,
        source: &'a SourceConfig,
        opener: &'a dyn Opener,
        clock: &'a dyn Clock,
    ) -> Capture<'a> {
        let Self { control, decode_scheduler } = self;
        Capture { source, opener, control, clock, decode_scheduler }
    }
}

fn run(source: &SourceConfig, opener: &dyn Opener, clock: &ManualClock) -> (Vec<String>, Delivered) {
    let (surroundings, mut host) = (Surroundings::with(DecodeScheduler::new(1)), Recorder::default());
    supervise(&surroundings.capture(source, opener, clock), &mut host);
    (host.said(), std::mem::take(&mut *host.delivered.lock()))
}

impl Recorder {
    fn said(&self) -> Vec<String> {
        self.said.lock().clone()
    }
}

#[test]
fn a_camera_that_never_answers_is_given_up_after_the_last_attempt_with_growing_delays() {
    let clock = ManualClock::default();
    let opener =
        Script { opened: AtomicUsize::new(0), open: |_| Err(SourceError::Unreachable("refused".into())) };
    let (states, delivered) = run(&camera(4), &opener, &clock);
    assert_eq!(opener.opened.load(Ordering::SeqCst), 4);
    assert_eq!(
        states,
        [
            "Connecting",
            "Retrying: cannot connect: refused",
            "Connecting",
            "Retrying: cannot connect: refused",
            "Connecting",
            "Retrying: cannot connect: refused",
            "Connecting",
        ]
    );
    let waited = clock.elapsed().as_secs_f64();
    assert!((5.6..=8.4).contains(&waited), "1 + 2 + 4 s within the jitter, not {waited}");
    assert_eq!(
        delivered.notices.last().cloned(),
        Some(Notice::Ended(Some(SourceError::Unreachable("refused".into()))))
    );
}

/// A camera that refuses until the attempt of this number, from 0, then delivers so many frames a second apart at each
/// opening until it has been opened so often, and then refuses again.
fn troubled(
    clock: &Arc<ManualClock>,
    good: std::ops::Range<usize>,
    frames: usize,
) -> impl Fn(usize) -> Result<Box<dyn FrameSource>, SourceError> + Send + Sync + use<> {
    let clock = clock.clone();
    move |n| {
        if good.contains(&n) {
            let (clock, every) = (clock.clone(), Duration::from_secs(1));
            Ok(Box::new(Steady { clock, every, left: frames + 1, time: 0.0 }) as Box<dyn FrameSource>)
        } else {
            Err(SourceError::Unreachable("refused".into()))
        }
    }
}

#[test]
fn frames_forget_the_failures_before_them_and_the_session_is_no_failure_itself() {
    let clock = Arc::new(ManualClock::default());
    let opener = Script { opened: AtomicUsize::new(0), open: troubled(&clock, 2..3, 4) };
    let (states, _) = run(&camera(3), &opener, &clock);
    // Two failures, a session of four frames, and then the full three attempts.
    assert_eq!(opener.opened.load(Ordering::SeqCst), 6, "{states:?}");
    assert!(states.contains(&"Connecting: stream ended: unplugged".to_owned()), "{states:?}");
    assert!(states.contains(&"Running".to_owned()));
}

#[test]
fn a_flapping_camera_is_opened_at_once_however_often_and_said_to_be_flapping() {
    let clock = Arc::new(ManualClock::default());
    let opener = Script { opened: AtomicUsize::new(0), open: troubled(&clock, 0..40, 4) };
    let (surroundings, mut host) = (Surroundings::with(DecodeScheduler::new(1)), Recorder::default());
    supervise(&surroundings.capture(&camera(4), &opener, &*clock), &mut host);
    assert_eq!(opener.opened.load(Ordering::SeqCst), 44);
    let said = host.said();
    assert!(said.contains(&"40 short sessions".to_owned()), "{said:?}");
    // Forty sessions of five seconds, and three pauses after refusals.
    let pauses = clock.elapsed().as_secs_f64() - 200.0;
    assert!((5.6..=8.4).contains(&pauses), "{pauses} s between the sessions");
}

#[test]
fn a_camera_without_give_up_is_marked_as_failed_and_still_tried_at_the_longest_delay() {
    let clock = Arc::new(ManualClock::default());
    let mut source = camera(3);
    source.retry.give_up = false;
    let surroundings = Surroundings::with(DecodeScheduler::new(1));
    let good = troubled(&clock, 50..51, 4);
    let control = &surroundings.control;
    let opener = Script {
        opened: AtomicUsize::new(0),
        open: |n| {
            if n == 52 {
                control.stop();
            }
            good(n)
        },
    };
    let mut host = Recorder::default();
    supervise(&surroundings.capture(&source, &opener, &*clock), &mut host);
    let states = host.said();
    let failed = states.iter().filter(|state| *state == "Failed: cannot connect: refused").count();
    assert_eq!(failed, 48, "from the third attempt to the fiftieth");
    let connecting = states.iter().filter(|state| *state == "Connecting").count();
    assert_eq!(connecting, 5, "three attempts and, when it had come back, two: marked meanwhile");
    let waited = clock.elapsed().as_secs_f64();
    assert!((48.0 * 24.0..=48.0 * 36.0 + 20.0).contains(&waited), "{waited}");
    assert!(states.contains(&"Running".to_owned()));
    assert!(host.delivered.lock().frame.is_some(), "frames came");
}

#[test]
fn errors_after_a_standstill_of_the_program_are_nobodys_fault() {
    let clock = Arc::new(ManualClock::default());
    clock.awake();
    let opener = Script { opened: AtomicUsize::new(0), open: troubled(&clock, 2..3, 4) };
    let (states, _) = run(&camera(1), &opener, &clock);
    let blamed: Vec<_> = states.iter().filter(|state| state.contains(':')).collect();
    assert!(blamed.is_empty(), "{blamed:?}");
    assert!(clock.elapsed() >= Duration::from_secs(30), "the one attempt that it has comes after that");
    assert!(opener.opened.load(Ordering::SeqCst) > 10);
}

#[test]
fn a_live_frame_that_waits_for_a_worker_is_kept_young_without_being_counted_as_lost() {
    // 25 frames a second of which one a second is wanted; no worker comes.
    let mut source = camera(1);
    source.cadence = Cadence::DetectFps(1.0);
    for (frames, waits_since) in [(2, 0.04), (3, 0.12), (5, 0.12), (6, 0.24), (11, 0.24), (12, 0.48)] {
        let clock = Arc::new(ManualClock::default());
        let shared = clock.clone();
        let open = move |n| {
            if n > 0 {
                return Err(SourceError::Unreachable("gone".into()));
            }
            let (clock, every) = (shared.clone(), Duration::from_millis(40));
            Ok(Box::new(Steady { clock, every, left: frames + 1, time: 0.0 }) as Box<dyn FrameSource>)
        };
        let (_, delivered) = run(&source, &Script { opened: AtomicUsize::new(0), open }, &clock);
        let Some(frame) = delivered.frame else { panic!("no frame after {frames}") };
        assert!((frame.time - waits_since).abs() < 1e-9, "{} after {frames} frames", frame.time);
        assert_eq!(delivered.lost, 0);
    }
}

#[test]
fn a_refused_password_is_not_retried_fast() {
    let clock = ManualClock::default();
    let opener = Script { opened: AtomicUsize::new(0), open: |_| Err(SourceError::Auth) };
    let mut source = camera(3);
    let address = url::Url::parse("rtsp://cam/live").unwrap();
    let credentials =
        Some(crate::config::Credentials { user: "u".into(), password: crate::config::Secret("p".into()) });
    source.source = SourceSpec::Url { address, credentials, hidden: None };
    run(&source, &opener, &clock);
    assert!(clock.elapsed() >= Duration::from_secs(45), "{:?}", clock.elapsed());
}

#[test]
fn a_missing_file_fails_at_once_and_says_why() {
    let clock = ManualClock::default();
    let opener = Script { opened: AtomicUsize::new(0), open: |_| Err(SourceError::NotFound("a.mp4".into())) };
    let mut source = camera(0);
    source.kind = SourceKind::Video;
    let (states, _) = run(&source, &opener, &clock);
    assert_eq!(states, ["Connecting"]);
    assert_eq!(opener.opened.load(Ordering::SeqCst), 1);
}

#[test]
fn a_stream_takes_turns_of_decoding_when_it_is_behind_or_others_wait() {
    let clock = ManualClock::default();
    let opener = Script { opened: AtomicUsize::new(0), open: |_| Err(SourceError::Interrupted) };
    let surroundings = Surroundings::with(DecodeScheduler::lasting(1, Duration::from_mins(1)));
    let (source, decode_scheduler) = (camera(1), &surroundings.decode_scheduler);
    let capture = &surroundings.capture(&source, &opener, &clock);
    let in_ = |milliseconds| Some(clock.now() + Duration::from_millis(milliseconds));
    let mut place = QueuePosition::default();
    assert!(take_turn(capture, None, &mut place).is_none(), "nobody knows when its frame comes");
    assert!(take_turn(capture, in_(40), &mut place).is_none(), "nobody waits");
    assert_eq!(clock.elapsed(), Duration::ZERO);
    clock.advance(Duration::from_millis(100));
    let behind = take_turn(capture, Some(clock.now().checked_sub(UNEVEN).unwrap()), &mut place);
    assert!(behind.is_some());
    std::thread::scope(|scope| {
        scope.spawn(|| drop(decode_scheduler.take(&mut QueuePosition::default(), &clock)));
        while !decode_scheduler.are_waited_for() {
            std::thread::yield_now();
        }
        let (soon, late) = (in_(40), in_(10_000));
        let waits_until = |due, milliseconds| {
            let waiting =
                scope.spawn(move || take_turn(capture, due, &mut QueuePosition::default()).is_some());
            while clock.elapsed() < Duration::from_millis(milliseconds) {
                assert!(!waiting.is_finished(), "it has not waited for its frame");
                std::thread::yield_now();
            }
            assert_eq!(clock.elapsed(), Duration::from_millis(milliseconds));
            waiting
        };
        let waiting = [waits_until(soon, 160), waits_until(late, 410)];
        drop(behind);
        assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap()));
    });
}

#[test]
fn the_last_frame_of_a_file_is_delivered_unless_a_rate_was_set() {
    for (cadence, first_and_last) in [(Cadence::Auto, [0, 9]), (Cadence::SkipFrames(4), [0, 5])] {
        let mut source = camera(1);
        (source.kind, source.cadence) = (SourceKind::Video, cadence);
        let open = |_| Ok(Box::new(Film { grabbed: 0, frames: 10 }) as Box<dyn FrameSource>);
        let (opener, clock) = (Script { opened: AtomicUsize::new(0), open }, ManualClock::default());
        let surroundings = Surroundings::with(DecodeScheduler::new(1));
        let capture = surroundings.capture(&source, &opener, &clock);
        let host = Recorder { interval: 1.0, ..Recorder::default() };
        let delivered = std::thread::scope(|scope| {
            let mut told = host.clone();
            let capture = &capture;
            scope.spawn(move || supervise(capture, &mut told));
            let mut delivered = Vec::new();
            loop {
                let mut waiting = host.delivered.lock();
                match waiting.frame.take() {
                    Some(frame) => delivered.push((frame.index, frame.last)),
                    None if !waiting.notices.is_empty() => return delivered,
                    None => std::thread::yield_now(),
                }
            }
        });
        let expected = first_and_last.map(|index| (index, index == 9));
        assert_eq!(delivered, expected, "{cadence:?}");
    }
}

/// Opens nothing until it is interrupted.
struct Deaf(crossbeam_channel::Sender<()>);

impl Opener for Deaf {
    fn open(&self, _: &SourceConfig, interrupt: &Interrupt) -> Result<Box<dyn FrameSource>, SourceError> {
        self.0.send(()).unwrap();
        while !interrupt.is_set() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(SourceError::Interrupted)
    }
}

#[test]
fn what_waits_in_an_opening_gives_up_when_the_source_is_restarted_paused_or_stopped() {
    let (begun, beginnings) = crossbeam_channel::unbounded();
    let (surroundings, host, clock) =
        (Surroundings::with(DecodeScheduler::new(1)), Recorder::default(), ManualClock::default());
    let (source, opener) = (camera(1), Deaf(begun));
    let capture = surroundings.capture(&source, &opener, &clock);
    let control = &surroundings.control;
    std::thread::scope(|scope| {
        let mut told = host.clone();
        let capture = &capture;
        scope.spawn(move || supervise(capture, &mut told));
        beginnings.recv().unwrap();
        control.restart();
        beginnings.recv().unwrap();
        control.pause(true);
        while host.said.lock().last().is_none_or(|state| state != "Paused") {
            std::thread::yield_now();
        }
        control.pause(false);
        beginnings.recv().unwrap();
        // Taken back before the thread has heard of it.
        control.pause(true);
        std::thread::sleep(Duration::from_millis(20));
        control.pause(false);
        beginnings.recv().unwrap();
        control.stop();
    });
    let mut said = host.said();
    said.retain(|state| state != "Paused");
    let nobody_is_blamed = ["Connecting", "0 short sessions", "Connecting", "Connecting", "Connecting"];
    assert_eq!(said, nobody_is_blamed);
}

#[test]
fn a_recording_stays_open_while_it_is_paused() {
    let control = CaptureControl::default();
    control.pause_closes(false);
    control.pause(true);
    assert!(!control.interrupt().is_set());
    control.restart();
    assert!(control.interrupt().is_set());
}

/// Gives a frame with each of its stamps and breaks off, and notes what it is told of earlier sessions.
struct Stamped<'a> {
    steady: Steady,
    stamps: std::vec::IntoIter<f64>,
    stand: Stand,
    given: f64,
    resumed: &'a Mutex<Vec<Option<StreamPosition>>>,
}

impl FrameSource for Stamped<'_> {
    fn info(&self) -> StreamInfo {
        self.steady.info()
    }
    fn grab(&mut self) -> Result<bool, SourceError> {
        self.given = self.stamps.next().ok_or(SourceError::Broken("unplugged".into()))?;
        self.stand.note(self.given, self.given);
        self.steady.grab()
    }
    fn seen(&self) -> Option<StreamPosition> {
        self.stand.seen(self.given)
    }
    fn resume(&mut self, seen: StreamPosition) {
        *self.resumed.lock().last_mut().unwrap() = Some(seen);
    }
    fn time(&self) -> f64 {
        self.steady.time()
    }
    fn retrieve(&mut self, size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        self.steady.retrieve(size)
    }
}

#[test]
fn each_session_is_told_where_the_last_one_stood_that_gave_frames() {
    static RESUMED: Mutex<Vec<Option<StreamPosition>>> = Mutex::new(Vec::new());
    let clock = Arc::new(ManualClock::default());
    let open = |n: usize| {
        let stamps = [vec![1.0, 2.0], Vec::new(), vec![3.0]].get(n).cloned();
        let stamps = stamps.ok_or(SourceError::Unreachable("gone".into()))?.into_iter();
        RESUMED.lock().push(None);
        let steady = Steady { clock: clock.clone(), every: Duration::from_secs(1), left: 99, time: 0.0 };
        let (stand, given, resumed) = (Stand::default(), f64::NEG_INFINITY, &RESUMED);
        Ok(Box::new(Stamped { steady, stamps, stand, given, resumed }) as Box<dyn FrameSource>)
    };
    let opener = Script { opened: AtomicUsize::new(0), open };
    run(&camera(2), &opener, &clock);
    let mut stand = Stand::default();
    [1.0, 2.0].iter().for_each(|stamp| stand.note(*stamp, *stamp));
    let after_two = stand.seen(2.0);
    assert_eq!(*RESUMED.lock(), [None, after_two, after_two]);
}
