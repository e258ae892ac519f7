//! The list of outputs, which the engine feeds.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    Health,
    running::{Running, Wait},
};
use crate::{
    clock::Clock,
    engine::Sink,
    model::{Event, TaskResult},
};

/// Time that what one output passes on to another has at least to get there.
const PASSED_ON: Duration = Duration::from_millis(250);

/// Where an output of the list gets its events from. Results come from the engine in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// From the engine.
    Engine,
    /// From another output, once that has kept them: it is emptied and closed after those.
    Output,
}

/// The list of outputs. Cheap to clone: clones are the same list.
#[derive(Clone)]
pub struct Outputs {
    list: Arc<Mutex<List>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct List {
    outputs: Vec<(Arc<Running>, Feed)>,
    /// Of the latest event.
    number: u64,
}

impl Outputs {
    /// An empty list, whose timeouts go by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { list: Arc::default(), clock }
    }

    /// Adds an output, at any time: it hears of what comes after.
    pub fn add(&self, output: Arc<Running>, feed: Feed) {
        let mut list = self.list.lock();
        output.begin_after(list.number);
        list.outputs.push((output, feed));
    }

    /// What the engine feeds.
    #[must_use]
    pub fn sink(&self) -> Box<dyn Sink> {
        Box::new(self.clone())
    }

    /// State of the outputs, in the order of the list: of those that store counts all of it, of the others their notices.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        let of = |output: &Running| {
            let health = output.health();
            if output.keeps() { health } else { Health { notices: health.notices, ..Health::default() } }
        };
        self.list.lock().outputs.iter().map(|(output, _)| of(output)).collect()
    }

    /// What would be missing if the program ended now, as sentences.
    #[must_use]
    pub fn unkept(&self) -> Vec<String> {
        self.list.lock().outputs.iter().filter_map(|(output, _)| output.unkept()).collect()
    }

    /// Waits until everything given so far was handed on; `false` when that failed or `timeout` passed first.
    pub fn sync(&self, timeout: Duration) -> bool {
        self.each(timeout, Running::begin_sync)
    }

    /// Closes all of them, at once; waits at most `timeout`. What could not be closed is said in the log.
    pub fn close(&self, timeout: Duration) {
        self.each(timeout, Running::begin_close);
    }

    /// Asks something of all outputs at once and waits for the answers, first of those that the engine feeds.
    fn each(&self, timeout: Duration, ask: fn(&Running, Duration) -> Wait) -> bool {
        let outputs = self.list.lock().outputs.clone();
        let mut deadline = self.clock.now() + timeout;
        let left = |deadline: Instant| deadline.saturating_duration_since(self.clock.now());
        let mut all = true;
        for of in [Feed::Engine, Feed::Output] {
            let asked = outputs.iter().filter(|(_, feed)| *feed == of);
            let waits: Vec<_> = asked.map(|(output, _)| (output, ask(output, left(deadline)))).collect();
            for (output, wait) in waits {
                all &= output.wait(wait, left(deadline));
            }
            deadline = deadline.max(self.clock.now() + PASSED_ON);
        }
        all
    }
}

impl Sink for Outputs {
    fn result(&mut self, result: &Arc<TaskResult>) {
        for (output, _) in &self.list.lock().outputs {
            output.result(result);
        }
    }

    fn event(&mut self, event: &Arc<Event>) {
        let mut list = self.list.lock();
        list.number = event.number;
        for (output, _) in list.outputs.iter().filter(|(_, feed)| *feed == Feed::Engine) {
            output.event(event);
        }
    }
}
