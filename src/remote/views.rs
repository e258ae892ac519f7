//! What screens show beside the snapshot, fetched while it is asked for.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use serde::de::DeserializeOwned;

use super::{carrier::ClientError, client::Client, link::Link};
use crate::{
    config::SourceConfig,
    count::replay::Paths,
    engine::commands::SetLines,
    logging::RecentLogs,
    metrics::stages::StageTime,
    model::{Event, Minute, Preview, SourceId},
    protocol::{
        Lines,
        ask::{Answer, ConfigState, Question},
        image::PreviewJson,
    },
};

/// What nobody has asked for for this long is not fetched any more.
const ASKED: Duration = Duration::from_secs(4);

/// An answer must come within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// After a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// Threads that fetch: the first frame of a source may take its time.
const THREADS: usize = 2;

/// What can be shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum View {
    /// The settings of all sources.
    Configs,
    /// The settings of a source.
    Config(SourceId),
    /// Minutes of all sources.
    History,
    /// The latest events of a source.
    Events(SourceId),
    /// CPU time of a source by stage.
    Stages(SourceId),
    /// The tracks of a source.
    Paths(SourceId),
    /// The latest frame of a source.
    Preview(SourceId),
    /// The latest lines of the log.
    Logs,
    /// Where sources and lines are saved.
    Place,
}

impl View {
    /// How often it is fetched.
    fn every(&self) -> Duration {
        Duration::from_millis(match self {
            Self::Place => 30_000,
            Self::Configs => 10_000,
            Self::Stages(_) => 2_000,
            Self::History => 5_000,
            Self::Events(_) | Self::Logs => 500,
            Self::Config(_) | Self::Paths(_) | Self::Preview(_) => 900,
        })
    }
}

/// When a view was asked for, and when it is fetched again.
struct FetchSchedule {
    asked: Instant,
    due: Instant,
    is_on: bool,
}

/// What is known.
#[derive(Default)]
pub struct ViewCache {
    /// Of which run of the engine, see [`Link::run_number`].
    run: u64,
    /// Rises with every order that changes lines, when it is given and when it is answered: settings that were asked for
    /// before are old.
    orders: u64,
    pub configs: HashMap<SourceId, Arc<SourceConfig>>,
    pub history: HashMap<SourceId, BTreeMap<i64, Minute>>,
    pub events: HashMap<SourceId, Vec<Arc<Event>>>,
    pub stages: HashMap<SourceId, Vec<StageTime>>,
    pub paths: HashMap<SourceId, Paths>,
    pub previews: HashMap<SourceId, Arc<Preview>>,
    pub place: Option<ConfigState>,
    /// What a reload would change, as it was shown last.
    pub shown: Option<Vec<String>>,
    /// The run that the lines of the log are of.
    log_run: u64,
}

impl ViewCache {
    /// Lets go of what is of another run of the engine; its minutes and its log are in the past of this one.
    fn begin(&mut self, run: u64) {
        if self.run == run {
            return;
        }
        let (history, log_run) = (std::mem::take(&mut self.history), self.log_run);
        let (configs, orders) = (std::mem::take(&mut self.configs), self.orders);
        *self = Self { run, orders, configs, history, log_run, ..Self::default() };
    }
}

#[derive(Default)]
struct Inner {
    known: ViewCache,
    turns: HashMap<View, FetchSchedule>,
    ended: bool,
}

/// The views of an engine.
pub struct Views {
    client: Client,
    link: Arc<Link>,
    logs: Arc<RecentLogs>,
    inner: Mutex<Inner>,
    wanted: Condvar,
}

impl Views {
    /// Begins with what every screen needs.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(client: Client, link: Arc<Link>, logs: Arc<RecentLogs>) -> Result<Arc<Self>, ClientError> {
        let views = Arc::new(Self { client, link, logs, inner: Mutex::default(), wanted: Condvar::new() });
        // The screens begin with what is there; what cannot be fetched now is asked for again.
        for view in [View::Configs, View::History, View::Place] {
            let _ = views.fetch(&view);
        }
        for number in 1..=THREADS {
            let thread = Arc::clone(&views);
            std::thread::Builder::new()
                .name(format!("remote-view-{number}"))
                .spawn(move || thread.run())
                .map_err(|error| ClientError::Silent(error.to_string()))?;
        }
        Ok(views)
    }

    /// What is known, with `view` fetched from now on for as long as it is asked for.
    pub fn ask<T>(&self, view: View, found: impl FnOnce(&ViewCache) -> T) -> T {
        let mut inner = self.inner.lock();
        let now = Instant::now();
        inner.turns.entry(view).or_insert(FetchSchedule { asked: now, due: now, is_on: false }).asked = now;
        self.wanted.notify_one();
        found(&inner.known)
    }

    /// What is known. Nothing is fetched for it.
    pub fn known<T>(&self, found: impl FnOnce(&mut ViewCache) -> T) -> T {
        found(&mut self.inner.lock().known)
    }

    /// The lines, zones and ignored regions of a source are being changed to these: what is known has them already.
    pub fn lines_given(&self, id: &SourceId, SetLines { lines, zones, ignore }: &SetLines) {
        self.known(|known| {
            known.orders += 1;
            if let Some(config) = known.configs.get_mut(id) {
                let config = Arc::make_mut(config);
                (config.lines, config.zones) = (lines.clone(), zones.clone());
                if let Some(ignore) = ignore {
                    config.ignore.clone_from(ignore);
                }
            }
        });
    }

    /// The engine has answered that: its settings are what counts.
    pub fn lines_answered(&self, id: &SourceId) {
        self.known(|known| known.orders += 1);
        // What cannot be fetched now is fetched while it is asked for.
        let _ = self.fetch(&View::Config(id.clone()));
    }

    /// Ends the threads.
    pub fn end(&self) {
        self.inner.lock().ended = true;
        self.wanted.notify_all();
    }

    fn run(&self) {
        while let Some(view) = self.next() {
            let pause = match self.fetch(&view) {
                Ok(()) => view.every(),
                // The link says it.
                Err(_) => AGAIN,
            };
            if let Some(turn) = self.inner.lock().turns.get_mut(&view) {
                turn.due = Instant::now() + pause;
                turn.is_on = false;
            }
        }
    }

    /// Waits for the next view that is due; `None` at the end.
    fn next(&self) -> Option<View> {
        let mut inner = self.inner.lock();
        loop {
            if inner.ended {
                return None;
            }
            let now = Instant::now();
            inner.turns.retain(|_, turn| turn.is_on || now.saturating_duration_since(turn.asked) < ASKED);
            let first =
                inner.turns.iter_mut().filter(|(_, turn)| !turn.is_on).min_by_key(|(_, turn)| turn.due);
            match first {
                Some((view, turn)) if turn.due <= now => {
                    turn.is_on = true;
                    return Some(view.clone());
                }
                Some((_, turn)) => {
                    let due = turn.due;
                    let _ = self.wanted.wait_until(&mut inner, due);
                }
                None => self.wanted.wait(&mut inner),
            }
        }
    }

    fn fetch(&self, view: &View) -> Result<(), ClientError> {
        let run = self.link.run_number();
        let orders = self.known(|known| {
            known.begin(run);
            known.orders
        });
        // What was asked of an engine that has gone since is of no use.
        let keep = |put: &mut dyn FnMut(&mut ViewCache)| {
            let now = self.link.run_number();
            self.known(|known| {
                if known.run == run && now == run {
                    put(known);
                }
            });
        };
        match view {
            View::Configs => {
                let found: Vec<SourceConfig> = self.get("/config")?;
                let found: HashMap<_, _> =
                    found.into_iter().map(|config| (config.id.clone(), Arc::new(config))).collect();
                keep(&mut |known| {
                    if known.orders == orders {
                        known.configs.clone_from(&found);
                    }
                });
            }
            View::Config(id) => {
                let config: Arc<SourceConfig> = Arc::new(self.get(&of(id, "config"))?);
                keep(&mut |known| {
                    if known.orders == orders {
                        known.configs.insert(id.clone(), Arc::clone(&config));
                    }
                });
            }
            View::History => {
                // The newest minute of each is not over yet.
                let newest =
                    |minutes: &BTreeMap<i64, Minute>| minutes.last_key_value().map(|(minute, _)| *minute);
                let since = self.known(|known| known.history.values().map(newest).min().flatten());
                let path =
                    since.map_or_else(|| "/history".to_owned(), |since| format!("/history?since={since}"));
                let mut found: HashMap<SourceId, Vec<Minute>> = self.get(&path)?;
                keep(&mut |known| {
                    known.history.retain(|id, _| found.contains_key(id));
                    for (id, minutes) in found.drain() {
                        let minutes = minutes.into_iter().map(|minute| (minute.minute, minute));
                        known.history.entry(id).or_default().extend(minutes);
                    }
                });
            }
            View::Events(id) => {
                let events: Vec<Event> = self.get(&of(id, "events"))?;
                let events: Vec<_> = events.into_iter().map(Arc::new).collect();
                keep(&mut |known| drop(known.events.insert(id.clone(), events.clone())));
            }
            View::Stages(id) => {
                let stages: Vec<StageTime> = self.get(&of(id, "stages"))?;
                keep(&mut |known| drop(known.stages.insert(id.clone(), stages.clone())));
            }
            View::Paths(id) => {
                let last = self.known(|known| known.paths.get(id).and_then(Paths::last));
                let path = of(id, "paths");
                let path = last.map_or_else(|| path.clone(), |last| format!("{path}?after={last}"));
                let mut newer: Paths = self.get(&path)?;
                keep(&mut |known| {
                    known.paths.entry(id.clone()).or_default().join(std::mem::take(&mut newer));
                });
            }
            View::Preview(id) => {
                let shot: PreviewJson = self.get(&of(id, "preview"))?;
                let preview = Arc::new(shot.preview().map_err(ClientError::Strange)?);
                keep(&mut |known| drop(known.previews.insert(id.clone(), Arc::clone(&preview))));
            }
            View::Logs => {
                let after = if self.known(|known| known.log_run == run) { self.logs.written() } else { 0 };
                let lines: Lines = self.get(&format!("/logs?after={after}"))?;
                keep(&mut |known| known.log_run = run);
                self.logs.follow(lines.lines);
            }
            View::Place => self.look().map(drop)?,
        }
        Ok(())
    }

    /// Has the engine look where sources and lines are saved, and what is there.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn look(&self) -> Result<(), ClientError> {
        let answer = self.client.post("/ask", Some(&Question::Place {}), PATIENCE)?;
        let Answer::Place(place) = answer else { return Err(ClientError::Strange("no place".into())) };
        self.known(|known| known.place = Some(place));
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.client.get(path, PATIENCE)
    }
}

/// The address of a part of a source.
fn of(id: &str, part: &str) -> String {
    format!("/sources/{}/{part}", crate::protocol::escaped(id))
}
