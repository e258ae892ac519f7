//! The latest snapshot of the engine, fetched while a dashboard shows it, and the state of the connection.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::{carrier::ClientError, client::Client};
use crate::{model::EngineSnapshot, protocol::Version};

/// A snapshot is asked for no sooner than this after the one before: as often as the screens show one.
const PACE: Duration = Duration::from_millis(200);

/// The dashboard is taken as gone after this long.
const LOOKED: Duration = Duration::from_secs(3);

/// Something newer is waited for this long; then it is asked whether the engine answers at all.
const PATIENCE: Duration = Duration::from_secs(4);

/// One that answers says who it is within this time, also on a machine with too much to do.
const PULSE: Duration = Duration::from_secs(4);

/// The first answer must come within this time.
pub const FIRST: Duration = Duration::from_secs(10);

/// First and longest pause before the next attempt.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

struct EngineState {
    snapshot: Arc<EngineSnapshot>,
    /// When it came.
    at: Instant,
    version: Version,
    lost: Option<Lost>,
    looked: Instant,
    ended: bool,
    /// Rises with every other engine that answers.
    runs: u64,
}

/// A connection that is gone.
struct Lost {
    why: String,
    /// When it is tried again; `None` while it is being tried.
    next: Option<Instant>,
}

/// The connection to an engine.
pub struct Link {
    client: Client,
    known: Mutex<EngineState>,
    changed: Condvar,
}

impl Link {
    /// Begins with the snapshot `first`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(client: Client, first: EngineSnapshot, version: Version) -> Result<Arc<Self>, ClientError> {
        let now = Instant::now();
        let known = EngineState {
            snapshot: Arc::new(first),
            at: now,
            version,
            lost: None,
            looked: now,
            ended: false,
            runs: 0,
        };
        let link = Arc::new(Self { client, known: Mutex::new(known), changed: Condvar::new() });
        let thread = Arc::clone(&link);
        std::thread::Builder::new()
            .name("remote-link".into())
            .spawn(move || thread.run())
            .map_err(|error| ClientError::Silent(error.to_string()))?;
        Ok(link)
    }

    /// What is known, with what is to be said of the connection.
    pub fn snapshot(&self) -> EngineSnapshot {
        let mut known = self.known.lock();
        known.looked = Instant::now();
        self.changed.notify_all();
        let mut snapshot = EngineSnapshot::clone(&known.snapshot);
        if let Some(lost) = &known.lost {
            let left = lost.next.map(|next| next.saturating_duration_since(Instant::now()));
            let next = match left {
                Some(left) => format!("reconnecting in {} s", left.as_secs() + 1),
                None => "reconnecting now".into(),
            };
            let age = known.at.elapsed();
            // Ages and countdowns go on.
            snapshot.taken = snapshot.taken + age;
            // What may be cut off comes last.
            let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
            snapshot
                .problems
                .insert(0, format!("no connection; {next}; all of this is {age} old: {}", lost.why));
        }
        if known.version.program != env!("CARGO_PKG_VERSION") {
            let (theirs, own) = (&known.version.program, env!("CARGO_PKG_VERSION"));
            snapshot.notices.push(format!("the engine is pcount-tui {theirs}, this dashboard {own}"));
        }
        snapshot
    }

    /// How old what is shown is, where the engine does not answer.
    pub fn age(&self) -> Option<Duration> {
        let known = self.known.lock();
        known.lost.as_ref().map(|_| known.at.elapsed())
    }

    /// Which engine answers: another number after it was started again.
    pub fn run_number(&self) -> u64 {
        self.known.lock().runs
    }

    /// Ends the thread.
    pub fn end(&self) {
        self.known.lock().ended = true;
        self.changed.notify_all();
    }

    fn run(&self) {
        let mut pause = RETRY.0;
        while let Some(after) = self.wait_for_look() {
            let begun = Instant::now();
            match self.fetch(after) {
                Ok(news) => {
                    pause = RETRY.0;
                    self.take(news);
                    std::thread::sleep(PACE.saturating_sub(begun.elapsed()));
                }
                Err(error) => {
                    let next = Instant::now() + pause;
                    pause = (pause * 2).min(RETRY.1);
                    let mut known = self.known.lock();
                    known.lost = Some(Lost { why: error.to_string(), next: Some(next) });
                    while !known.ended && Instant::now() < next {
                        let _ = self.changed.wait_until(&mut known, next);
                    }
                    if let Some(lost) = &mut known.lost {
                        lost.next = None;
                    }
                }
            }
        }
    }

    /// Waits until a dashboard asks; returns the generation that is known, 0 after a break. `None` at the end.
    fn wait_for_look(&self) -> Option<u64> {
        let mut known = self.known.lock();
        while !known.ended && known.looked.elapsed() > LOOKED {
            self.changed.wait(&mut known);
        }
        let generation = if known.lost.is_some() { 0 } else { known.snapshot.generation };
        (!known.ended).then_some(generation)
    }

    fn take(&self, Received { snapshot, version }: Received) {
        let mut known = self.known.lock();
        known.at = Instant::now();
        known.lost = None;
        if let Some(snapshot) = snapshot {
            known.snapshot = Arc::new(snapshot);
        }
        if let Some(version) = version {
            known.runs += u64::from(version.pid != known.version.pid);
            known.version = version;
        }
    }

    /// What is newer than the generation `after`; everything, and who answers, after a break.
    fn fetch(&self, after: u64) -> Result<Received, ClientError> {
        if after > 0 {
            match self.client.snapshot(after, PATIENCE) {
                Ok(snapshot) => return Ok(Received { snapshot: Some(snapshot), version: None }),
                // Nothing has changed, or it hangs.
                Err(ClientError::Late(_)) => {}
                Err(error) => return Err(error),
            }
            let version = self.client.version(PULSE)?;
            if version.pid == self.known.lock().version.pid {
                return Ok(Received { snapshot: None, version: None });
            }
        }
        let version = self.client.version(PULSE)?;
        let snapshot = self.client.snapshot(0, FIRST)?;
        Ok(Received { snapshot: Some(snapshot), version: Some(version) })
    }
}

/// What came.
struct Received {
    /// `None` where nothing has changed.
    snapshot: Option<EngineSnapshot>,
    /// The program, where another one may answer.
    version: Option<Version>,
}
