//! An engine and a host made of plain data, and a moment that never changes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use jiff::ToSpan as _;
use parking_lot::Mutex;
use pcount::{
    config::{SourceConfig, SourceSpec},
    count::replay::Paths,
    engine::{
        Answer, Control, EngineApi, EngineError, Reply, SourceCommand,
        commands::{Pause, Preview as Watch, SetLines},
    },
    geometry::BBox,
    internals::{
        audit::sample::{Sample, crossed},
        edit::KeepLogin,
        evidence::{Facts, Marked, Marks, PathPoint, Pixels},
        host::{
            ConfigPlace, Drawn, Host, ProbedSource, Settings,
            crossings::{self, CrossingDetails, NewJudgment, Strip},
            history::ReportQuery,
        },
        ledger::{
            chart::{Column, Width},
            local_time::LocalTime,
            report::{Gap, LineReport, PeakHour, PeriodCounts, Report, SourceReport, Step},
        },
        logging::{Level, LogLine, RecentLogs},
        metrics::stages::{STAGES, StageTime},
        tui::format::Moment,
    },
    model::{
        self, Direction, EngineSnapshot, Event, EventKind, Judgment, LineCounts, Minute, Opening, Preview,
        Reason, ShownTrack, SourceId, SourceKind, SourceSnapshot, SourceState, StateKind, Strategy, Total,
        WorkerSnapshot,
    },
    track::{Track, TrackUpdate},
};

/// 2026-03-14 12:34:56 UTC.
const WALL: i64 = 1_773_491_696;

/// When the engine is looked at first.
pub const TAKEN: model::Moment = model::Moment::new(Duration::from_secs(3_723));

pub fn moment() -> Moment {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    // Far enough from the start of the clock that ages can be subtracted.
    let mono = *START.get_or_init(|| Instant::now() + Duration::from_secs(1_000_000));
    let wall = jiff::Timestamp::from_second(WALL).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    Moment { mono, wall }
}

pub fn later(by: Duration) -> Moment {
    let now = moment();
    Moment { mono: now.mono + by, wall: now.wall.checked_add(by).unwrap() }
}

pub fn ago(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(WALL as u64 - seconds)
}

pub fn source(id: &str, alias: &str, state: SourceState) -> SourceSnapshot {
    let mut source = SourceSnapshot::new(id);
    source.id = id.into();
    source.alias = alias.into();
    source.location = None;
    source.kind = SourceKind::Camera;
    source.source = format!("rtsp://10.0.0.17/{id}");
    source.priority = 0;
    source.fps = if state == SourceState::Running { 25.3 } else { 0.0 };
    source.last_frame = (state == SourceState::Running).then(|| TAKEN - Duration::from_millis(40));
    source.state = state;
    source.declared_fps = Some(25.0);
    source.detect_fps = 8.0;
    source.size = Some((1920, 1080));
    source.substream = Some((640, 360));
    source.frames = 12_345;
    source.frames_total = None;
    source.dropped = 0;
    source.total_detections = 40_000;
    source.total_in = 0;
    source.total_out = 0;
    source.threshold = None;
    source.lines = vec![LineCounts { name: "door".into(), total_in: 0, total_out: 0 }];
    source.zones = Vec::new();
    source.suppressed = BTreeMap::new();
    source.visible = 2;
    source.latency = Duration::from_millis(72);
    source.last_error = None;
    source.errors = 0;
    source.reconnects = 0;
    source.detector = "motion".into();
    source
}

/// Closed by its schedule over the weekend.
pub fn closed() -> SourceState {
    let at = "2026-03-16T08:00:00Z".parse().unwrap();
    SourceState::Closed { opens: Some(Opening { at, shown: "Mon 08:00".into() }) }
}

pub fn counted(mut source: SourceSnapshot, total_in: u64, total_out: u64) -> SourceSnapshot {
    source.total_in = total_in;
    source.total_out = total_out;
    source.lines[0].total_in = total_in;
    source.lines[0].total_out = total_out;
    source
}

pub fn at(mut source: SourceSnapshot, location: &str) -> SourceSnapshot {
    source.location = Some(location.into());
    source
}

pub fn retrying(id: &str, alias: &str) -> SourceSnapshot {
    let at = TAKEN + Duration::from_millis(3_200);
    let mut source = source(id, alias, SourceState::Retrying { attempt: 3, at });
    source.last_error = Some("cannot connect: no route to host 10.0.0.17".into());
    source.errors = 3;
    source.reconnects = 2;
    source.lines = Vec::new();
    source
}

/// One source of each kind that a day brings.
pub fn mixed() -> Vec<SourceSnapshot> {
    let mut over = counted(source("camera_01", "Main Entrance", SourceState::Running), 1412, 1401);
    over.threshold = Some(10);
    let mut near = counted(source("camera_02", "Side Exit", SourceState::Running), 29, 21);
    near.threshold = Some(10);
    near.suppressed = BTreeMap::from([(Reason::UTurn, 2)]);
    let mut video = counted(source("video_01", "Test Video", SourceState::Running), 3, 5);
    video.kind = SourceKind::Video;
    video.source = "videos/test_1.mp4".into();
    video.frames_total = Some(20_000);
    video.fps = 62.4;
    let mut done = counted(source("video_02", "Yesterday", SourceState::Completed), 20, 18);
    done.kind = SourceKind::Video;
    done.fps = 118.7;
    let mut failed = source("camera_05", "入口カメラ", SourceState::Failed { next: None });
    failed.last_error = Some("the camera refuses the user name or password".into());
    failed.errors = 5;
    vec![
        at(over, "Building A"),
        at(near, "Building A"),
        at(retrying("camera_03", "Car Park"), "Outside"),
        at(source("camera_04", "Roof", SourceState::Paused), "Outside"),
        at(failed, "Outside"),
        video,
        done,
        source("camera_06", "Loading Dock", SourceState::Connecting),
    ]
}

pub fn events() -> Vec<Arc<Event>> {
    // Numbered in their order.
    let event = |seconds, source: &str, kind| {
        let mut event = Event::new(ago(seconds), source, kind);
        event.number = 100 - seconds;
        Arc::new(event)
    };
    let crossing = |direction, track| EventKind::Crossing {
        line: "door".into(),
        direction,
        track,
        time: 1.0,
        confidence: 0.9,
    };
    vec![
        event(50, "camera_02", crossing(Direction::In, 17)),
        event(41, "camera_01", EventKind::Threshold { zone: None, over: true, current: 10, limit: 10 }),
        event(
            33,
            "camera_03",
            EventKind::State { state: StateKind::Retrying, error: Some("no route to host".into()) },
        ),
        event(
            20,
            "camera_02",
            EventKind::Suppressed {
                line: "door".into(),
                direction: Direction::In,
                track: 18,
                reason: Reason::UTurn,
                time: 2.0,
            },
        ),
        event(6, "camera_01", crossing(Direction::In, 211)),
        event(2, "camera_01", crossing(Direction::Out, 208)),
    ]
}

pub fn snapshot(sources: Vec<SourceSnapshot>) -> EngineSnapshot {
    let worker = |number, source: Option<&str>, frames, busy| WorkerSnapshot {
        number,
        enabled: number <= 3,
        source: source.map(Into::into),
        frames,
        busy,
        cpu: busy * 0.9,
        looks: frames / 3,
        errors: u64::from(number == 2),
        restarts: 0,
    };
    EngineSnapshot {
        workers: vec![
            worker(1, Some("camera_01"), 52_310, 0.82),
            worker(2, sources.get(1).map(|s| &*s.id), 48_100, 0.41),
            worker(3, None, 120, 0.0),
            worker(4, None, 0, 0.0),
        ],
        sources: sources.into_iter().map(Arc::new).collect(),
        worker_count: 3,
        max_workers: 4,
        queue_pending: 1,
        queue: vec!["video_01".into()],
        strategy: Strategy::Shared,
        detector: "rtmdet_nano_person (onnxruntime 1.32)".into(),
        problems: Vec::new(),
        notices: Vec::new(),
        acknowledged: Arc::default(),
        areas: Arc::default(),
        nodes: Arc::default(),
        events: Arc::new(events()),
        events_lost: 0,
        log_lines_lost: 0,
        cpu: 1.62,
        rss: 412_345_678,
        memory_limit: None,
        taken: TAKEN,
        generation: 1,
    }
}

pub struct FakeEngine {
    /// How old what it says is, while it does not answer.
    pub age: Mutex<Option<Duration>>,
    /// Lines that were last set, and whose.
    pub drawn: Mutex<Option<(SourceId, Drawn)>>,
    pub snapshot: Mutex<EngineSnapshot>,
    pub sent: Mutex<Vec<String>>,
    pub preview: Mutex<Option<Arc<Preview>>>,
    /// Events of one source that are not among the latest of all.
    pub own: Mutex<Vec<Arc<Event>>>,
    /// What is said to the next thing that is asked.
    pub refusal: Mutex<Option<EngineError>>,
    /// Answers that the test gives, where it wants to.
    pub owed: Mutex<Option<Vec<Answer>>>,
}

impl FakeEngine {
    pub fn new(sources: Vec<SourceSnapshot>) -> Arc<Self> {
        Arc::new(Self {
            drawn: Mutex::default(),
            age: Mutex::default(),
            snapshot: Mutex::new(snapshot(sources)),
            sent: Mutex::default(),
            preview: Mutex::default(),
            own: Mutex::default(),
            refusal: Mutex::default(),
            owed: Mutex::default(),
        })
    }

    pub fn change(&self, change: impl FnOnce(&mut EngineSnapshot)) {
        let mut snapshot = self.snapshot.lock();
        snapshot.generation += 1;
        change(&mut snapshot);
    }

    /// What was asked of the engine, in short, since this was last looked at.
    pub fn take_sent(&self) -> Vec<String> {
        std::mem::take(&mut self.sent.lock())
    }
}

impl EngineApi for FakeEngine {
    fn snapshot(&self) -> EngineSnapshot {
        self.snapshot.lock().clone()
    }

    fn send(&self, control: Control) -> Reply {
        if let Control::Source(id, SourceCommand::SetLines(SetLines { lines, zones, ignore })) = &control {
            let ignore = ignore.clone().unwrap_or_default();
            let drawn = Drawn { lines: lines.clone(), zones: zones.clone(), ignore };
            *self.drawn.lock() = Some((id.clone(), drawn));
        }
        let text = match control {
            Control::Source(id, command) => match command {
                SourceCommand::Pause(Pause(true)) => format!("pause {id}"),
                SourceCommand::Pause(Pause(false)) => format!("resume {id}"),
                SourceCommand::Restart(_) => format!("restart {id}"),
                SourceCommand::ResetCounts(_) => format!("reset {id}"),
                SourceCommand::Preview(Watch(on)) => format!("preview {id} {on}"),
                SourceCommand::SetLines(SetLines { lines, zones, ignore }) => {
                    format!("lines {id} {lines:?} zones {zones:?} ignore {ignore:?}")
                }
            },
            Control::PauseAll(on) => format!("pause all {on}"),
            Control::Remove(id) => format!("remove {id}"),
            Control::Add(source) => format!("add {} {}", source.id, source.source),
            Control::SetWorkers(count) => format!("workers {count}"),
            Control::SetArea { area, inside, who } => format!("area {area} set {inside} by {who}"),
            Control::Acknowledge { source, kind, who } => {
                format!("acknowledge {} of {source} by {who}", kind.word())
            }
        };
        self.sent.lock().push(text);
        if let Some(owed) = &mut *self.owed.lock() {
            let (answer, reply) = Answer::new();
            owed.push(answer);
            return reply;
        }
        Reply::new(self.refusal.lock().take().map_or(Ok(()), Err))
    }

    fn preview(&self, _: &str) -> Option<Arc<Preview>> {
        self.preview.lock().clone()
    }

    /// A busy half hour, a gap, a quiet one.
    fn history(&self, source: &str) -> Vec<Minute> {
        let last = WALL / 60;
        let busy = u32::from(source == "camera_01" || source == "camera_02");
        (0..60)
            .map(|index| Minute {
                minute: last - 59 + index,
                total_in: if index < 30 { busy * (index as u32 % 7) } else { 0 },
                total_out: busy * (index as u32 % 3),
                current: i64::from(busy) * (index % 9),
                watched: !(30..40).contains(&index),
            })
            .collect()
    }

    /// Two people who walk down through the middle, the second not quite to the end.
    fn paths(&self, _: &str) -> Option<Paths> {
        let mut paths = Paths::default();
        let mut walk = |id: u64, from: f64, end: f32| {
            let at = |step: u16| {
                let foot = 0.3 + (end - 0.3) * f32::from(step) / 30.0;
                let bbox = BBox::new(0.8 + id as f32 * 0.1, foot - 0.25, 0.1, 0.25);
                Track { id, bbox, score: 0.9, confirmed: true, seen: true, from_flow: false }
            };
            for step in 0..=30 {
                let update = TrackUpdate { tracks: vec![at(step)], ..TrackUpdate::default() };
                paths.push(64.0 / 36.0, from + f64::from(step) * 0.1, &update);
            }
            let gone = Track { seen: false, ..at(30) };
            paths.push(64.0 / 36.0, from + 4.0, &TrackUpdate { ended: vec![gone], ..TrackUpdate::default() });
        };
        walk(1, 0.0, 0.95);
        walk(2, 200.0, 0.65);
        Some(paths)
    }

    fn events(&self, source: &str) -> Vec<Arc<Event>> {
        let (own, snapshot) = (self.own.lock(), self.snapshot.lock());
        own.iter().chain(snapshot.events.iter()).filter(|event| &*event.source == source).cloned().collect()
    }

    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>> {
        let spec = SourceSpec::Demo(format!("street?seed={}", source.len()));
        let mut config = SourceConfig::new(source, SourceKind::Camera, spec);
        if let Some((_, drawn)) = self.drawn.lock().as_ref().filter(|(id, _)| **id == *source) {
            config.set_drawn(drawn.clone());
        }
        Some(Arc::new(config))
    }

    fn age(&self) -> Option<Duration> {
        *self.age.lock()
    }

    fn stage_times(&self, _: &str) -> Vec<StageTime> {
        let seconds = [12.1, 3.4, 0.8, 2.2, 61.5, 1.9, 0.4, 1.2, 0.0, 0.0];
        let stages = STAGES.into_iter().zip(seconds);
        stages
            .map(|(stage, seconds)| StageTime {
                stage,
                seconds,
                calls: if seconds > 0.0 { 12_345 } else { 0 },
            })
            .collect()
    }
}

/// A picture with a gradient, a dark floor and two people.
pub fn preview() -> Arc<Preview> {
    let (width, height) = (64u32, 36u32);
    let rgb = (0..height)
        .flat_map(|y| {
            (0..width)
                .flat_map(move |x| if y > 24 { [30, 30, 40] } else { [(x * 4) as u8, (y * 7) as u8, 120] })
        })
        .collect();
    let track =
        |id, x, confirmed| ShownTrack { id, bbox: BBox::new(x, 0.3, 0.15, 0.5), confirmed, seen: true };
    Arc::new(Preview {
        size: (width, height),
        rgb,
        tracks: vec![track(1, 0.3, true), track(2, 1.2, true), track(3, 0.8, false)],
        taken: TAKEN,
    })
}

/// Two sources, the first with two lines and a gap in the morning.
fn report(asked: &ReportQuery) -> Report {
    let row = |start: LocalTime, total_in: u64, total_out: u64, occupancy: i64, coverage: f64| PeriodCounts {
        end: start.clone(),
        start,
        total_in,
        total_out,
        net: total_in as i64 - total_out as i64,
        occupancy,
        peak_occupancy: occupancy + 3,
        coverage,
        closed: 0.0,
    };
    let at = |day: jiff::civil::Date, hour: i8, minute: i8, second: i8| {
        LocalTime::from(day.at(hour, minute, second, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap())
    };
    let starts: Vec<LocalTime> = match asked.by {
        Step::Day => (0..7)
            .map(|day| asked.first.saturating_add(day.days()))
            .filter(|day| *day < asked.after && *day <= moment().wall.date())
            .map(|day| at(day, 0, 0, 0))
            .collect(),
        step => (0..12)
            .map(|n| if step == Step::Hour { (n + 1, 0) } else { (6 + n / 4, n % 4 * 15) })
            .map(|(hour, minute)| at(asked.first, hour, minute, 0))
            .collect(),
    };
    let busy = |n: usize| (n * n % 37) as u64 * 3;
    let rows = |with: u64| -> Vec<PeriodCounts> {
        let rows = starts.iter().enumerate();
        rows.map(|(n, start)| {
            let share = if n == 2 { 0.4 } else { 1.0 };
            row(start.clone(), busy(n) + with, busy(n + 1) / 2, n as i64 % 5, share)
        })
        .collect()
    };
    let source = |id: &str, rows: Vec<PeriodCounts>| {
        let total_in = rows.iter().map(|row| row.total_in).sum::<u64>();
        let total_out = rows.iter().map(|row| row.total_out).sum::<u64>();
        let peak = rows.iter().max_by_key(|row| row.total_in + row.total_out);
        SourceReport {
            doubt: None,
            audit: None,
            camera_id: id.into(),
            total_in,
            total_out,
            net: total_in as i64 - total_out as i64,
            lines: vec![],
            occupancy: 2,
            peak_hour: peak.map(|row| PeakHour {
                start: row.start.clone(),
                total_in: row.total_in,
                total_out: row.total_out,
            }),
            coverage: 1.0,
            closed: 0.0,
            closed_times: Vec::new(),
            gaps: Vec::new(),
            rows,
        }
    };
    let mut first = source("camera_01", rows(4));
    first.coverage = 0.953;
    first.gaps = vec![Gap { from: at(asked.first, 3, 10, 0), to: at(asked.first, 3, 46, 20) }];
    first.lines = ["door", "gate"]
        .into_iter()
        .enumerate()
        .map(|(n, name)| {
            let share = |count: u64| if n == 0 { count / 3 } else { count - count / 3 };
            let rows: Vec<(u64, u64)> =
                first.rows.iter().map(|row| (share(row.total_in), share(row.total_out))).collect();
            let (total_in, total_out) = rows.iter().fold((0, 0), |(i, o), row| (i + row.0, o + row.1));
            LineReport { line: name.into(), total_in, total_out, rows }
        })
        .collect();
    let sources = vec![first, source("camera_02", rows(0))];
    let (total_in, total_out) =
        sources.iter().fold((0, 0), |(i, o), source| (i + source.total_in, o + source.total_out));
    Report {
        since: at(asked.first, 0, 0, 0),
        until: at(asked.after, 0, 0, 0),
        by: asked.by,
        peak_hour: sources[0].peak_hour.clone(),
        sources,
        total: Total { total_in, total_out, net: total_in as i64 - total_out as i64 },
        areas: Vec::new(),
        drifts: Vec::new(),
        clock_changes: Vec::new(),
    }
}

pub struct FakeHost {
    pub logs: Arc<RecentLogs>,
    pub place: Mutex<ConfigPlace>,
    /// Whether the disk is full.
    pub full: AtomicBool,
    /// What was saved.
    pub saved: Mutex<Vec<String>>,
    /// What the configuration file would change.
    pub differs: Mutex<Vec<String>>,
    /// Ids that the configuration file has.
    pub taken: Mutex<Vec<String>>,
    /// Addresses whose probes answer only when they leave this list.
    pub slow: Mutex<Vec<String>>,
    /// Names of the threads that probed.
    pub probed: Mutex<Vec<String>>,
    /// Sources that the configuration file has.
    pub kept: Mutex<Vec<SourceConfig>>,
    /// Whether the disk does not answer.
    pub stuck: AtomicBool,
    /// Why charts cannot be read.
    pub unread: Mutex<Option<String>>,
    /// Crossings with strips.
    pub crossings: Mutex<Vec<Facts>>,
    /// What was said of crossings.
    pub judged: Mutex<Vec<Judgment>>,
    /// What was asked for last of crossings.
    pub asked: Mutex<Option<crossings::CrossingsQuery>>,
}

/// A strip of somebody who walks down over a line.
pub fn strip() -> Strip {
    let shade = |x: usize, y: usize| [(x * 3 / 2) as u8, (y * 3 / 2) as u8, 90];
    let rgb: Vec<u8> = (0..160 * 160).flat_map(|at| shade(at % 160, at / 160)).collect();
    let body = |at: usize| [0.4, 0.2 + 0.1 * at as f32, 0.14, 0.33];
    let time = |at: usize| (at as f64 - 2.0) * 0.45;
    let marked = |at| Marked { time: time(at), people: vec![(211, body(at)), (9, [0.8, 0.1, 0.12, 0.3])] };
    let step = |at| PathPoint { time: time(at), at: [0.47, 0.365 + 0.1 * at as f32] };
    Strip {
        key: "2026-03-14-17".parse().unwrap(),
        blurred: true,
        pictures: vec![Pixels { size: (160, 160), rgb }; 5],
        marks: Some(Marks {
            line: [[-1.0, 0.6], [2.0, 0.6]],
            pictures: (0..5).map(marked).collect(),
            path: (0..5).map(step).collect(),
        }),
    }
}

/// A crossing of today.
pub fn crossing(track: u64, seconds: u64, reason: Option<Reason>) -> Facts {
    Facts {
        source: "camera_01".into(),
        line: "door".into(),
        direction: Direction::In,
        reason,
        confidence: Some(0.5 + (track % 5) as f32 / 10.0),
        track,
        wall: (WALL - seconds as i64) * 1000,
        time: 1.0,
    }
}

impl FakeHost {
    pub fn new() -> Arc<Self> {
        let logs = Arc::new(RecentLogs::new(100));
        let lines = [
            (Level::Info, "ENGINE", None, "Starting 8 sources with 3 workers"),
            (Level::Info, "CAMERA-01", Some("camera_01"), "Frame processed: FPS=25.3"),
            (Level::Warn, "CAMERA-03", Some("camera_03"), "cannot connect: no route to host 10.0.0.17"),
            (Level::Error, "CAMERA-05", Some("camera_05"), "the camera refuses the user name or password"),
            (Level::Debug, "CAMERA-01", Some("camera_01"), "Person detected: ID=1, direction=IN"),
            (Level::Info, "WORKER-02", Some("camera_02"), "Starting camera_02"),
        ];
        for (level, label, camera, message) in lines {
            logs.push(LogLine {
                number: 0,
                wall: ago(5),
                level,
                label: label.into(),
                camera: camera.map(Into::into),
                worker: (label == "WORKER-02").then_some(2),
                message: message.into(),
                text: format!("[2026-03-14 12:34:51] [{label}] [{}] {message}", level.word()),
            });
        }
        Arc::new(Self {
            logs,
            place: Mutex::new(ConfigPlace::CouldBe("cameras.json".into())),
            full: AtomicBool::new(false),
            saved: Mutex::default(),
            differs: Mutex::default(),
            taken: Mutex::default(),
            slow: Mutex::default(),
            probed: Mutex::default(),
            kept: Mutex::default(),
            stuck: AtomicBool::new(false),
            unread: Mutex::default(),
            crossings: Mutex::default(),
            judged: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    /// Until the disk answers.
    fn wait(&self) {
        while self.stuck.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

impl FakeHost {
    fn save(&self, what: String) -> Result<String, String> {
        self.wait();
        if self.full.load(Ordering::SeqCst) {
            return Err("'cams.json': no space left on device".into());
        }
        self.saved.lock().push(what);
        Ok("saved to 'cams.json'; as it was before: 'cams.json.bak'".into())
    }
}

impl Host for FakeHost {
    fn export(&self) -> Result<String, String> {
        Ok("written to 'results/2026-03-14'".into())
    }

    fn probe(&self, source: &SourceConfig) -> Result<ProbedSource, String> {
        let text = source.source.to_string();
        self.probed.lock().push(std::thread::current().name().unwrap_or_default().to_string());
        while self.slow.lock().contains(&text) {
            std::thread::yield_now();
        }
        if text.starts_with("demo:") {
            Ok(ProbedSource { words: "1280x720, 25 fps".into(), picture: Some(preview()) })
        } else {
            Err(format!("cannot connect: {text}"))
        }
    }

    fn config_place(&self) -> ConfigPlace {
        self.place.lock().clone()
    }

    fn taken_ids(&self) -> Vec<String> {
        self.taken.lock().clone()
    }

    fn save_lines(&self, source: &SourceId, drawn: &Drawn, _: Option<&Drawn>) -> Result<String, String> {
        let Drawn { lines, zones, ignore } = drawn;
        self.save(format!("lines {source} {lines:?} zones {zones:?} ignore {ignore:?}"))
    }

    fn save_settings(&self, source: &SourceId, _: &Settings, after: &Settings) -> Result<String, String> {
        self.save(format!("settings {source} {after:?}"))
    }

    fn file_changes(&self) -> Result<Vec<String>, String> {
        Ok(self.differs.lock().clone())
    }

    fn save_source(&self, source: &SourceConfig, written: &str, keep: KeepLogin) -> Result<String, String> {
        self.save(format!("source {} '{}' {written} {keep:?}", source.id, source.alias))
    }

    fn saved_sources(&self) -> Vec<SourceConfig> {
        self.kept.lock().clone()
    }

    fn remove_sources(&self, ids: &[SourceId]) -> Result<String, String> {
        self.save(format!("without {}", ids.join(", ")))
    }

    fn write_config(&self, sources: &[Arc<SourceConfig>]) -> Result<String, String> {
        let ids: Vec<&str> = sources.iter().map(|source| &*source.id).collect();
        self.save(format!("new file with {}", ids.join(", ")))
    }

    fn report(&self, asked: &ReportQuery) -> Result<Report, String> {
        self.wait();
        if asked.first.month() == 2 {
            return Err("the ledger 'results/ledger.sqlite' cannot be read: disk I/O error".into());
        }
        Ok(report(asked))
    }

    fn write_report(&self, asked: &ReportQuery) -> Result<String, String> {
        Ok(format!("written to 'results/reports/{}.csv' and '.json'", asked.first))
    }

    fn crossings(&self, asked: &crossings::CrossingsQuery) -> Result<crossings::CrossingsAnswer, String> {
        self.wait();
        *self.asked.lock() = Some(asked.clone());
        let mut found = self.crossings.lock().clone();
        found.retain(|facts| {
            asked.source.as_ref().is_none_or(|source| *source == facts.source)
                && (asked.since..asked.until).contains(&facts.wall)
        });
        Ok(if asked.at_random {
            crossings::CrossingsAnswer::AtRandom(Sample::draw(found, &self.judged.lock()))
        } else {
            crossings::CrossingsAnswer::InTime(found)
        })
    }

    fn crossing(&self, facts: &Facts) -> Result<CrossingDetails, String> {
        self.wait();
        let has_strip = self.crossings.lock().iter().any(|kept| kept.track == facts.track);
        let wanted = crossed(facts);
        let judgment = self.judged.lock().iter().rfind(|judgment| judgment.crossed == wanted).cloned();
        Ok(CrossingDetails { facts: facts.clone(), strip: has_strip.then(strip), judgment })
    }

    fn judge(&self, said: &NewJudgment) -> Result<Judgment, String> {
        self.wait();
        if self.full.load(Ordering::SeqCst) {
            return Err("not noted: the disk is full".into());
        }
        let judgment = Judgment {
            wall: WALL * 1000,
            crossed: crossed(&said.facts),
            direction: said.facts.direction,
            reason: said.facts.reason,
            verdict: said.verdict,
            weight: said.weight,
            who: "anna".into(),
        };
        self.judged.lock().push(judgment.clone());
        Ok(judgment)
    }

    fn chart(&self, _: &SourceId, _: Width, _: usize) -> Result<Option<Vec<Column>>, String> {
        self.unread.lock().clone().map_or(Ok(None), Err)
    }

    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        Some(Arc::clone(&self.logs))
    }
}
