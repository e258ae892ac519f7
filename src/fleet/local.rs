//! What a node knows of itself without its sources: which process it is, what it cannot count, whether it asks for more.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use super::handover::Ended;
use crate::{clock::passed, engine::EngineApi, model::SourceId};

/// So often a source that a node cannot count is offered again after this time.
const SOON_AGAIN: (u32, Duration) = (3, Duration::from_secs(1));

/// Then nobody else can count it either, it seems: it is offered again after so long.
const LATER_AGAIN: Duration = Duration::from_secs(30);

/// Up to so much later, each time another part of it: two nodes that each refuse what the other could count would otherwise pause
/// at the same moments, and ask at the same moments, for the source that they refused before.
const SPREAD: Duration = Duration::from_secs(2);

/// For so long others have the first go at it.
const OTHERS_FIRST: Duration = Duration::from_secs(2);

/// A question for sources that is asked this long before may still be open when the source is offered again.
const STILL_OPEN: Duration = Duration::from_secs(1);

/// A node that cannot count many sources does not pause for each of them: it would never take the others.
const MOST_PAUSES: usize = 3;

/// What was not tried again for this long is counted elsewhere, or is no source of the fleet any more.
const FORGOTTEN: Duration = Duration::from_mins(10);

/// Why a node cannot count a source.
struct Refusal {
    why: String,
    /// Which version of the source.
    revision: u64,
    /// How often that version was offered.
    tries: u32,
    at: Duration,
}

/// When a node asks for no sources, because others have the first go at what it refused. Times are those of [`passed`].
#[derive(Default)]
struct Pauses(Vec<Range<Duration>>);

impl Pauses {
    /// The server offers a source at `offered` that was refused at `now`.
    fn add(&mut self, now: Duration, offered: Duration) {
        self.0.retain(|pause| now < pause.end);
        if self.0.len() < MOST_PAUSES {
            self.0.push(offered.saturating_sub(STILL_OPEN)..offered + OTHERS_FIRST);
        }
    }

    fn is_pausing(&self, now: Duration) -> bool {
        self.0.iter().any(|pause| pause.contains(&now))
    }
}

/// After how long the server may offer a source again that was refused `tries` times; `draw` is any number.
fn offered_after(tries: u32, draw: u64) -> Duration {
    let least = if tries > SOON_AGAIN.0 { LATER_AGAIN } else { SOON_AGAIN.1 };
    least + SPREAD.mul_f64((draw % 1_000) as f64 / 1_000.0)
}

/// What a node knows of itself.
pub struct Local {
    instance: String,
    pub engine: Arc<dyn EngineApi>,
    problems: Mutex<BTreeMap<SourceId, Refusal>>,
    pauses: Mutex<Pauses>,
    /// Until then the server may answer a question for sources.
    asks_until: Mutex<Duration>,
    pub has_left: AtomicBool,
    /// Versions of sources that nobody counts any more.
    pub ended: Ended,
}

impl Local {
    pub fn new(instance: String, engine: Arc<dyn EngineApi>) -> Self {
        Self {
            instance,
            engine,
            problems: Mutex::default(),
            pauses: Mutex::default(),
            asks_until: Mutex::default(),
            has_left: AtomicBool::new(false),
            ended: Ended::default(),
        }
    }

    /// Which process it is.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Whether `instance` is this process.
    pub fn is_me(&self, instance: &str) -> bool {
        self.instance == instance
    }

    /// Notes that it cannot count this version of source `id`, and why. Gives after how long the server may offer it again: others
    /// have the first go then.
    pub fn refuse(&self, id: &SourceId, revision: u64, why: &str) -> Duration {
        let mut problems = self.problems.lock();
        let before = problems.get(id).filter(|before| before.revision == revision);
        if before.is_none_or(|before| before.why != why) {
            tracing::error!(camera = %id, "Fleet: it cannot be counted here: {why}");
        }
        let tries = before.map_or(0, |before| before.tries) + 1;
        let now = passed();
        problems.insert(id.clone(), Refusal { why: why.to_owned(), revision, tries, at: now });
        let after = offered_after(tries, RandomState::new().hash_one(tries));
        self.pauses.lock().add(now, now + after);
        after
    }

    /// A node has source `id` by a lease of `revision`.
    pub fn is_taken(&self, id: &str, revision: u64) {
        let mut problems = self.problems.lock();
        if problems.get(id).is_some_and(|refusal| refusal.revision < revision) {
            problems.remove(id);
        }
    }

    /// Source `id` is counted here, or was.
    pub fn accept(&self, id: &SourceId) {
        self.problems.lock().remove(id);
    }

    /// Whether others have the first go at a source that it refused.
    pub fn is_pausing(&self) -> bool {
        self.pauses.lock().is_pausing(passed())
    }

    /// Asks the server for sources, for at most `time`.
    pub fn asks_for(&self, time: Duration) {
        *self.asks_until.lock() = passed() + time;
    }

    /// Whether the server may still give it what it gives back.
    pub fn is_asking(&self) -> bool {
        passed() < *self.asks_until.lock() && !self.has_left.load(Ordering::SeqCst)
    }

    /// What it could not count, each with the reason.
    pub fn refused(&self) -> Vec<String> {
        let mut problems = self.problems.lock();
        problems.retain(|_, refusal| passed().saturating_sub(refusal.at) < FORGOTTEN);
        problems.iter().map(|(id, refusal)| format!("{id}: {}", refusal.why)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_node_does_not_ask_while_a_source_that_it_refused_is_offered_to_others_and_asks_in_between() {
        let mut pauses = Pauses::default();
        pauses.add(at(100), at(130));
        assert!(!pauses.is_pausing(at(128)), "others are to be had in the meantime");
        assert!(pauses.is_pausing(at(129)), "the server would answer a question that is open");
        assert!(pauses.is_pausing(at(131)));
        assert!(!pauses.is_pausing(at(132)), "nobody else wants it");
        pauses.add(at(133), at(163));
        assert!(pauses.is_pausing(at(163)) && pauses.0.len() == 1, "what is over is forgotten");
    }

    #[test]
    fn a_node_that_can_count_few_of_many_sources_still_asks_for_them() {
        let mut pauses = Pauses::default();
        for second in 0..30 {
            pauses.add(at(second), at(second + 30));
        }
        let asks = (30..60).filter(|&second| !pauses.is_pausing(at(second))).count();
        assert!(asks > 20, "it asks in {asks} of 30 seconds");
    }

    #[test]
    fn a_source_is_offered_again_soon_at_first_then_later_and_not_always_after_the_same_time() {
        assert_eq!(offered_after(1, 0), SOON_AGAIN.1);
        assert_eq!(offered_after(SOON_AGAIN.0, 5_500), SOON_AGAIN.1 + SPREAD / 2);
        assert_eq!(offered_after(SOON_AGAIN.0 + 1, 0), LATER_AGAIN);
    }
}
