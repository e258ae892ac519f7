//! Opening hours in the engine: cameras close and open by the clock, and nothing is lost at the edges.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "support/service.rs"]
mod service;
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use pcount::{
    config::{DetectorChoice, ParallelConfig, SourceConfig},
    engine::{Control, Engine, EngineApi, EngineError, EngineOptions},
    internals::{
        clock::{Clock, SystemClock},
        detect::Model,
        source::{Opener, SourceError},
    },
    model::{EventKind, SourceKind, SourceState, StateKind},
};
use serde_json::{Value, json};
use service::{Service, camera, config, until, write};
use support::{Record, Scripted, Walk, White, World, source};

const LONG: Duration = Duration::from_secs(30);

/// Noon on a Friday.
const OPEN: &str = "2026-12-04T12:00:00Z";

/// Friday night.
const CLOSED: &str = "2026-12-04T20:00:00Z";

/// The next Monday.
const AGAIN: &str = "2026-12-07T08:00:00Z";

/// A wall clock that stands where a test has put it; time goes on as it does.
struct Wall(Mutex<SystemTime>);

impl Wall {
    fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(moment(text))))
    }

    fn set(&self, text: &str) {
        *self.0.lock() = moment(text);
    }
}

impl Clock for Wall {
    fn now(&self) -> Instant {
        SystemClock.now()
    }
    fn wall(&self) -> SystemTime {
        *self.0.lock()
    }
    fn uptime(&self) -> Duration {
        SystemClock.uptime()
    }
    fn wait(&self, timeout: Duration, wait: &mut dyn FnMut(Duration)) {
        wait(timeout);
    }
}

fn moment(text: &str) -> SystemTime {
    text.parse::<Timestamp>().unwrap().into()
}

fn shop(id: &str) -> SourceConfig {
    let schedule = Some("Mon-Fri 08:00-20:00".parse().unwrap());
    SourceConfig { schedule, ..source(id, SourceKind::Camera) }
}

fn world(
    wall: &Arc<Wall>,
    open: impl Fn(&str, usize) -> Result<Walk, SourceError> + Send + Sync + 'static,
) -> World {
    let settings = ParallelConfig {
        worker_count: 2,
        max_workers: 2,
        detector: DetectorChoice::Motion,
        timezone: jiff::tz::TimeZone::UTC,
        ..ParallelConfig::default()
    };
    let (record, opener, loaded) = (Record::default(), Scripted::new(open), Arc::new(AtomicUsize::new(0)));
    let mut options = EngineOptions::new(settings);
    options.world().clock = Arc::clone(wall) as Arc<dyn Clock>;
    options.world().opener = Arc::clone(&opener) as Arc<dyn Opener>;
    let count = Arc::clone(&loaded);
    options.world().load_model = Box::new(move |_| Ok(White::new(&count) as Arc<dyn Model>));
    options.sinks = vec![Box::new(record.clone())];
    World { engine: Engine::new(options).unwrap(), record, opener, loaded }
}

fn is(world: &World, id: &str, state: StateKind) -> bool {
    world.state(id).kind() == state
}

#[test]
fn a_camera_that_is_closed_at_the_start_is_not_connected_and_opens_by_itself() {
    let wall = Wall::at(CLOSED);
    let world = world(&wall, |_, _| Ok(Walk::camera(20)));
    world.engine.add_source(shop("shop")).unwrap();
    world.engine.add_source(source("always", SourceKind::Camera)).unwrap();
    world.engine.start().unwrap();
    world.until("frames of the other", |world| world.source("always").frames > 20);
    let SourceState::Closed { opens: Some(opens) } = world.state("shop") else {
        panic!("{:?}", world.state("shop"))
    };
    assert_eq!((opens.at.to_string().as_str(), opens.shown.as_str()), (AGAIN, "Mon 08:00"));
    assert_eq!(world.opener.attempts("shop"), 0);
    assert!(!world.engine.is_over(), "it opens again");
    let refused = world.engine.send(Control::restart("shop".into())).wait(LONG).unwrap().unwrap_err();
    assert!(matches!(refused, EngineError::Closed(..)), "{refused}");
    assert!(refused.to_string().contains("closed by its schedule until Mon 08:00"), "{refused}");
    wall.set(AGAIN);
    world.until("its frames", |world| world.source("shop").frames > 0);
    assert_eq!(world.opener.attempts("shop"), 1);
    world.engine.stop(LONG);
}

#[test]
fn who_crosses_before_it_closes_is_counted_and_counts_go_on_when_it_opens() {
    let wall = Wall::at(OPEN);
    let world = world(&wall, |_, _| Ok(Walk::camera(20)));
    world.engine.add_source(shop("shop")).unwrap();
    world.engine.start().unwrap();
    world.until("some crossings", |world| world.source("shop").total_in > 1);
    wall.set(CLOSED);
    world.until("its end", |world| is(world, "shop", StateKind::Closed));
    assert!(world.engine.sync(LONG));
    let closed = world.source("shop");
    assert_eq!(world.record.crossings("shop") as u64, closed.total_in + closed.total_out);
    assert_eq!((closed.visible, closed.fps, closed.last_error.clone()), (0, 0.0, None));
    let results = world.record.results.lock().clone();
    assert_eq!(results.last().unwrap().total_in, closed.total_in, "the last result has all of them");
    wall.set(AGAIN);
    world.until("more crossings", |world| world.source("shop").total_in > closed.total_in);
    let counted = world.source("shop");
    assert!(counted.frames > closed.frames && counted.total_in > closed.total_in);
    assert!(world.engine.stop(LONG) == 0);
    let states: Vec<_> = world
        .record
        .events
        .lock()
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::State { state, .. } => Some(*state),
            EventKind::Schedule { schedule, timezone } => {
                assert_eq!((schedule.as_deref(), timezone.as_str()), (Some("Mon-Fri 08:00-20:00"), "UTC"));
                None
            }
            _ => None,
        })
        .collect();
    let [connecting, running] = [StateKind::Connecting, StateKind::Running];
    assert_eq!(states, [connecting, running, StateKind::Closed, connecting, running]);
}

#[test]
fn a_camera_that_is_down_is_left_alone_while_it_is_closed_and_is_no_alert() {
    let wall = Wall::at(OPEN);
    let world = world(&wall, |_, _| Err(SourceError::Unreachable("refused".into())));
    world.engine.add_source(shop("shop")).unwrap();
    world.engine.start().unwrap();
    world.until("three attempts", |world| world.opener.attempts("shop") > 2);
    wall.set(CLOSED);
    world.until("its end", |world| is(world, "shop", StateKind::Closed));
    let attempts = world.opener.attempts("shop");
    let shown = world.source("shop");
    assert_eq!(pcount::model::AlertKind::of(&shown).count(), 0);
    assert_eq!(shown.last_error, None);
    // Longer than its longest delay, several times.
    let generation = world.engine.snapshot().generation;
    world.until("some ticks", |world| world.engine.snapshot().generation > generation + 4);
    assert_eq!(world.opener.attempts("shop"), attempts);
    wall.set(AGAIN);
    world.until("another attempt", |world| world.opener.attempts("shop") > attempts);
    world.engine.stop(LONG);
}

#[test]
fn a_pause_outlives_the_hours_and_what_is_closed_is_paused_only_with_all() {
    let wall = Wall::at(OPEN);
    let world = world(&wall, |_, _| Ok(Walk::camera(20)));
    for id in ["before", "while"] {
        world.engine.add_source(shop(id)).unwrap();
    }
    world.engine.start().unwrap();
    world.until("frames", |world| ["before", "while"].iter().all(|id| world.source(id).frames > 0));
    world.engine.send(Control::pause("before".into())).wait(LONG).unwrap().unwrap();
    world.until("its pause", |world| is(world, "before", StateKind::Paused));
    wall.set(CLOSED);
    world.until("the end", |world| ["before", "while"].iter().all(|id| is(world, id, StateKind::Closed)));
    let refused = world.engine.send(Control::pause("while".into())).wait(LONG).unwrap().unwrap_err();
    let said = refused.to_string();
    assert!(said.starts_with("'while' is closed by its schedule until Mon 08:00"), "{said}");
    world.engine.send(Control::PauseAll(true)).wait(LONG).unwrap().unwrap();
    let opened = ["before", "while"].map(|id| world.opener.attempts(id));
    wall.set(AGAIN);
    world.until("the pause", |world| ["before", "while"].iter().all(|id| is(world, id, StateKind::Paused)));
    assert_eq!(["before", "while"].map(|id| world.opener.attempts(id)), opened, "nothing was connected");
    for id in ["before", "while"] {
        world.engine.send(Control::resume(id.into())).wait(LONG).unwrap().unwrap();
    }
    world.until("frames", |world| ["before", "while"].iter().all(|id| is(world, id, StateKind::Running)));
    world.engine.stop(LONG);
}

#[test]
fn a_clock_that_is_set_opens_and_closes_at_once_in_either_direction() {
    let wall = Wall::at(OPEN);
    let world = world(&wall, |_, _| Ok(Walk::camera(20)));
    world.engine.add_source(shop("shop")).unwrap();
    world.engine.start().unwrap();
    for (text, state) in [
        (OPEN, StateKind::Running),
        ("2027-05-08T12:00:00Z", StateKind::Closed),
        ("2019-01-01T09:00:00Z", StateKind::Running),
        ("1970-01-03T09:00:00Z", StateKind::Closed),
        (OPEN, StateKind::Running),
    ] {
        wall.set(text);
        world.until(text, |world| is(world, "shop", state));
    }
    world.engine.send(Control::Remove("shop".into())).wait(LONG).unwrap().unwrap();
    world.engine.stop(LONG);
}

#[test]
fn videos_and_disabled_cameras_have_no_hours_and_closed_ones_can_be_removed() {
    let wall = Wall::at(CLOSED);
    let world = world(&wall, |_, _| Ok(Walk::file(60, 60)));
    let video = SourceConfig { schedule: shop("x").schedule, ..source("video", SourceKind::Video) };
    world.engine.add_source(video).unwrap();
    world.engine.add_source(SourceConfig { enabled: false, ..shop("off") }).unwrap();
    world.engine.add_source(shop("shop")).unwrap();
    world.engine.start().unwrap();
    world.until("its end", |world| is(world, "video", StateKind::Completed));
    assert_eq!(world.state("off"), SourceState::Disabled);
    world.engine.send(Control::Remove("shop".into())).wait(LONG).unwrap().unwrap();
    world.until_over();
    assert_eq!(world.loaded.load(Ordering::SeqCst), 1);
    world.engine.stop(LONG);
}

/// `HH:MM` of a moment in the time zone of [`config`].
fn clock(at: Timestamp) -> String {
    at.in_tz("Asia/Kathmandu").unwrap().strftime("%H:%M").to_string()
}

/// What `/readyz` answers.
fn ready(service: &Service) -> String {
    use std::io::{Read as _, Write as _};

    let mut stream = std::os::unix::net::UnixStream::connect(service.socket()).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_running_program_closes_a_camera_at_its_time_is_well_meanwhile_and_opens_it_with_other_hours() {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::now();
    // The next minute that leaves time for a crossing.
    let minutes = if now.as_second() % 60 > 40 { 2 } else { 1 };
    let ends = Timestamp::from_second((now.as_second() / 60 + minutes) * 60).unwrap();
    let begins = now.checked_sub(jiff::SignedDuration::from_hours(2)).unwrap();
    let mut door = camera("door");
    door["schedule"] = json!(format!("daily {}-{}", clock(begins), clock(ends)));
    let mut settings = config(&[door]);
    let service = Service::start(dir.path(), &settings);
    let shown = |service: &Service| service.snapshot()["sources"][0].clone();
    let state = |service: &Service| shown(service)["state"]["state"].as_str().unwrap().to_owned();
    until("a crossing", || (shown(&service)["total_in"].as_u64().unwrap() > 0).then_some(()));
    until("the closing time", || (state(&service) == "Closed").then_some(()));
    assert!(ready(&service).starts_with("HTTP/1.1 200"), "what is closed on purpose wakes nobody");
    let closed = shown(&service);
    let opens = closed["state"]["opens"]["shown"].as_str().unwrap().to_owned();
    assert!(opens.ends_with(&clock(begins)), "{opens}");
    let counted =
        |source: &Value| source["total_in"].as_u64().unwrap() + source["total_out"].as_u64().unwrap();
    let refused = service.ctl(&["restart", "door"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("'door' is closed by its schedule until"), "{said}");
    let log = std::fs::read_to_string(dir.path().join("out/logs/door.log")).unwrap();
    assert_eq!(log.matches("Closed by its schedule until").count(), 1, "{log}");
    let of_ledger = || {
        let report = std::process::Command::new(service::PROGRAM)
            .args(["report", "--config", "cams.json", "--since", "1h", "--format", "json"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&report.stdout).unwrap()
    };
    until("the ledger", || {
        let total = &of_ledger()["total"];
        let sum = total["in"].as_u64()? + total["out"].as_u64()?;
        (sum == counted(&closed)).then_some(())
    });
    // Nobody is counted while it is closed.
    assert_eq!(counted(&shown(&service)), counted(&closed));

    settings["cameras"][0]["schedule"] = json!("always");
    write(dir.path(), &settings.to_string());
    service.told(&["reload"]);
    until("more crossings", || (counted(&shown(&service)) > counted(&closed)).then_some(()));
    assert_eq!(state(&service), "Running");
}
