//! Snapshots for many who look: taken and written once for all who ask within a moment.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::body::Bytes;
use parking_lot::Mutex;

use super::Served;

/// A snapshot is as of now for this long.
const FRESH: Duration = Duration::from_millis(100);

/// A snapshot as it is sent.
#[derive(Clone)]
pub struct Taken {
    /// Rises whenever something that is shown has changed, in the health of the outputs too.
    pub generation: u64,
    pub bytes: Bytes,
}

struct Last {
    at: Instant,
    /// The engine's own generation.
    engine: u64,
    problems: Vec<String>,
    notices: Vec<String>,
    taken: Taken,
}

/// The latest snapshot.
pub struct Snapshots {
    served: Arc<dyn Served>,
    last: Mutex<Option<Last>>,
}

impl Snapshots {
    /// None yet.
    pub fn new(served: Arc<dyn Served>) -> Self {
        Self { served, last: Mutex::default() }
    }

    /// The snapshot as of now.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn fresh(&self) -> serde_json::Result<Taken> {
        let mut last = self.last.lock();
        let now = Instant::now();
        if let Some(last) = last.as_ref().filter(|last| now.saturating_duration_since(last.at) < FRESH) {
            return Ok(last.taken.clone());
        }
        let mut snapshot = self.served.engine().snapshot();
        let engine = snapshot.generation;
        if let Some(last) = last.as_mut().filter(|last| {
            last.engine == engine && last.problems == snapshot.problems && last.notices == snapshot.notices
        }) {
            last.at = now;
            return Ok(last.taken.clone());
        }
        let before = last.as_ref().map_or(0, |last| last.taken.generation);
        snapshot.generation = (before + 1).max(engine);
        let taken = Taken { generation: snapshot.generation, bytes: serde_json::to_vec(&snapshot)?.into() };
        let (problems, notices) = (snapshot.problems, snapshot.notices);
        *last = Some(Last { at: now, engine, problems, notices, taken: taken.clone() });
        Ok(taken)
    }
}
