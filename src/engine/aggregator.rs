//! The result handler: one thread that takes what the workers report and passes it on, in order, to the
//! results by source, the recent events, and every sink (CSV, ledger, JSON lines, logs).

mod outbox;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

pub use self::outbox::Outbox;
use self::outbox::{OutboxItem, Taken};
use super::{
    areas::{Areas, ShownAreas},
    counters::Counters,
    error::EngineError,
    heartbeat::Rounds,
    subscription::Subscribers,
};
use crate::{
    metrics::stages::{Stage, timed},
    model::{CorrectionReason, Event, MOST_INSIDE, SourceId, TaskResult},
};

/// Events kept for the screens, of all sources together and of each.
const RECENT: usize = 200;

/// How often the thread checks whether it is to end.
const LOOK: Duration = Duration::from_millis(250);

/// Takes results and events; called by the engine's result handler only, one call at a time, so it may wait for a disk.
/// While it waits, reports wait too. A panic ends the handler: nothing is passed on any more, which the snapshot tells as a
/// problem.
pub trait Sink: Send {
    /// A source reported: once a second, at crossings, at changes of state and at its end, in order within a source.
    fn result(&mut self, result: &Arc<TaskResult>);
    /// Something happened. Crossings come here exactly once, in order within a source; a number that is left out is that
    /// of an event which was lost.
    fn event(&mut self, event: &Arc<Event>);
}

/// What the handler keeps for everybody to read.
#[derive(Default)]
pub struct Collected {
    latest: Mutex<BTreeMap<String, Arc<TaskResult>>>,
    recent: ArcSwap<Vec<Arc<Event>>>,
    pub(super) subscribers: Subscribers,
    pub(super) counters: Arc<Counters>,
    /// The latest events of each source, oldest first.
    own: Mutex<BTreeMap<SourceId, VecDeque<Arc<Event>>>>,
    /// The areas as they are now.
    pub(super) areas: Arc<ShownAreas>,
}

impl Collected {
    /// The latest result of each source, by id.
    pub fn results(&self) -> Vec<TaskResult> {
        self.latest.lock().values().map(|result| TaskResult::clone(result)).collect()
    }

    /// The latest result of one source.
    pub fn result(&self, source: &str) -> Option<TaskResult> {
        self.latest.lock().get(source).map(|result| TaskResult::clone(result))
    }

    /// The latest events, oldest first.
    pub fn recent(&self) -> Arc<Vec<Arc<Event>>> {
        self.recent.load_full()
    }

    /// The latest events of one source, oldest first, however many others have had since.
    pub fn recent_of(&self, source: &str) -> Vec<Arc<Event>> {
        self.own.lock().get(source).map(|events| events.iter().cloned().collect()).unwrap_or_default()
    }

    fn remember(&self, event: &Arc<Event>) {
        self.subscribers.pass_on(event);
        let mut own = self.own.lock();
        let events = own.entry(event.source.clone()).or_default();
        if events.len() == RECENT {
            events.pop_front();
        }
        events.push_back(Arc::clone(event));
        drop(own);
        let recent = self.recent.load();
        let skip = (recent.len() + 1).saturating_sub(RECENT);
        let events = recent.iter().skip(skip).chain([event]).cloned().collect();
        self.recent.store(Arc::new(events));
    }
}

/// The thread's side.
pub struct Aggregator {
    outbox: Arc<Outbox>,
    collected: Arc<Collected>,
    sinks: Vec<Box<dyn Sink>>,
    rounds: Arc<Rounds>,
    areas: Areas,
}

impl Aggregator {
    /// An aggregator, which counts its rounds in `rounds` and people in `areas`, and what the rest of the engine needs of it.
    pub fn new(
        sinks: Vec<Box<dyn Sink>>,
        rounds: Arc<Rounds>,
        areas: Areas,
    ) -> (Self, Arc<Outbox>, Arc<Collected>) {
        let outbox = Arc::<Outbox>::default();
        let collected = Arc::new(Collected { areas: areas.shown(), ..Collected::default() });
        let (out, all) = (Arc::clone(&outbox), Arc::clone(&collected));
        let this = Self { outbox: out, collected: all, sinks, rounds, areas };
        (this, outbox, collected)
    }

    /// Handles reports until `stopped` says so and nothing is left.
    pub fn run(mut self, stopped: &dyn Fn() -> bool) {
        loop {
            self.rounds.results_turn();
            let due = self.areas.tick();
            self.pass_on_made(due);
            match self.outbox.take(LOOK) {
                Taken::OutboxItem(report) => self.handle(report),
                Taken::Nothing if stopped() => break,
                Taken::Nothing => {}
            }
        }
    }

    fn handle(&mut self, report: OutboxItem) {
        match report {
            OutboxItem::Result(result) => {
                let result = Arc::<TaskResult>::from(result);
                timed(Stage::Record, || self.sinks.iter_mut().for_each(|sink| sink.result(&result)));
                self.collected.latest.lock().insert(result.camera_id.clone(), result);
            }
            OutboxItem::Event(event) => {
                let made = self.areas.event(&event);
                self.pass_on(&event.into());
                self.pass_on_made(made);
            }
            OutboxItem::Areas(areas) => {
                let made = self.areas.set(areas);
                self.pass_on_made(made);
            }
            OutboxItem::SetArea { area, inside, who, answer } => {
                let inside = inside.min(MOST_INSIDE).cast_signed();
                match self.areas.correct(&area, inside, CorrectionReason::Person, who) {
                    Some(made) => {
                        self.pass_on_made(made);
                        answer.give(Ok(()));
                    }
                    None => answer.give(Err(EngineError::UnknownArea(area))),
                }
            }
            OutboxItem::Forget(source) => drop(self.collected.latest.lock().remove(&*source)),
            // Who waited may have lost patience.
            OutboxItem::Sync(done) => drop(done.send(())),
        }
    }

    fn pass_on(&mut self, event: &Arc<Event>) {
        timed(Stage::Record, || self.sinks.iter_mut().for_each(|sink| sink.event(event)));
        self.collected.counters.event(event);
        self.collected.remember(event);
    }

    /// Passes on what the areas have made of something that was reported.
    fn pass_on_made(&mut self, made: Vec<Event>) {
        for event in made {
            let event = Arc::new(self.outbox.numbered(event));
            self.pass_on(&event);
        }
    }
}

impl Drop for Aggregator {
    fn drop(&mut self) {
        self.outbox.close();
        self.collected.subscribers.close();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        time::SystemTime,
    };

    use super::*;
    use crate::model::{Direction, EventKind, StateKind};

    fn no_areas() -> Areas {
        let clock = Arc::new(crate::clock::SystemClock);
        Areas::new(clock, jiff::tz::TimeZone::UTC, Vec::new(), Arc::default())
    }

    #[derive(Default, Clone)]
    struct Tracks(Arc<Mutex<Vec<u64>>>, Arc<Mutex<Vec<u64>>>);

    impl Sink for Tracks {
        fn result(&mut self, _: &Arc<TaskResult>) {}
        fn event(&mut self, event: &Arc<Event>) {
            if let EventKind::Crossing { track, .. } = event.kind {
                self.0.lock().push(track);
                self.1.lock().push(event.number);
            }
        }
    }

    #[test]
    fn ten_thousand_crossings_before_the_handler_even_runs_arrive_once_and_in_order() {
        let seen = Tracks::default();
        let (aggregator, outbox, collected) =
            Aggregator::new(vec![Box::new(seen.clone())], Arc::default(), no_areas());
        for track in 0..10_000 {
            let line = "door".into();
            let direction = Direction::In;
            let kind = EventKind::Crossing { line, direction, track, time: 0.0, confidence: 1.0 };
            outbox.event(Event::new(SystemTime::now(), "cam", kind));
        }
        let handler = std::thread::spawn(move || aggregator.run(&|| true));
        assert!(outbox.sync(Duration::from_secs(30)));
        assert_eq!(*seen.0.lock(), (0..10_000).collect::<Vec<_>>());
        assert_eq!(*seen.1.lock(), (1..=10_000).collect::<Vec<_>>(), "numbers without a gap");
        assert_eq!(collected.recent().len(), RECENT);
        handler.join().unwrap();
    }

    #[test]
    fn a_subscriber_gets_what_comes_after_and_sees_by_the_numbers_what_was_lost() {
        let (aggregator, outbox, collected) = Aggregator::new(Vec::new(), Arc::default(), no_areas());
        let (slow, gone) = (collected.subscribers.add(), collected.subscribers.add());
        drop(gone);
        let event = || Event::new(SystemTime::now(), "cam", EventKind::Reset);
        (0..5_000).for_each(|_| outbox.event(event()));
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let handler = std::thread::spawn(move || aggregator.run(&|| stopped.load(Ordering::SeqCst)));
        assert!(outbox.sync(Duration::from_secs(30)));
        let late = collected.subscribers.add();
        let numbers: Vec<_> = slow.waiting().map(|event| event.number).collect();
        assert_eq!(numbers, (1..=4_096).collect::<Vec<_>>(), "as many as may wait");
        outbox.event(event());
        let next = |subscription: &super::super::Subscription| {
            subscription.next_within(Duration::from_secs(30)).unwrap().number
        };
        assert_eq!((next(&slow), next(&late)), (5_001, 5_001), "904 numbers are left out: so many were lost");
        stop.store(true, Ordering::SeqCst);
        handler.join().unwrap();
        assert!(slow.next_within(Duration::from_secs(30)).is_none(), "the engine has ended");
    }

    #[test]
    fn a_subscription_ends_with_the_engine_also_one_that_came_after_its_end() {
        let (aggregator, outbox, collected) = Aggregator::new(Vec::new(), Arc::default(), no_areas());
        let early = collected.subscribers.add();
        outbox.event(Event::new(SystemTime::now(), "cam", EventKind::Reset));
        aggregator.run(&|| true);
        assert_eq!(early.iter().count(), 1);
        assert_eq!(collected.subscribers.add().iter().count(), 0);
    }

    #[test]
    fn the_events_of_a_quiet_source_are_kept_while_another_has_thousands() {
        let (aggregator, outbox, collected) = Aggregator::new(Vec::new(), Arc::default(), no_areas());
        let event = |source: &str| {
            Event::new(SystemTime::now(), source, EventKind::State { state: StateKind::Running, error: None })
        };
        outbox.event(event("quiet"));
        (0..1_000).for_each(|_| outbox.event(event("busy")));
        let handler = std::thread::spawn(move || aggregator.run(&|| true));
        assert!(outbox.sync(Duration::from_secs(30)));
        assert!(collected.recent().iter().all(|event| &*event.source == "busy"));
        assert_eq!(collected.recent_of("quiet").len(), 1);
        assert_eq!(collected.recent_of("busy").len(), RECENT);
        assert_eq!(collected.recent_of("nobody").len(), 0);
        handler.join().unwrap();
    }
}
