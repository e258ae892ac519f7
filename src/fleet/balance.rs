//! A node that has too much to do hands a source to one that has room.
//!
//! One at a time, and only when the overload lasts: what a source that has just come costs shows after a while, and so does what one
//! less has helped. For a while after it has handed one over a node has no room at all, so that its sources do not wander to and fro
//! between nodes that are all short of it.

use std::{sync::Arc, time::Duration};

use super::{
    broker::Broker,
    capacity::overload,
    hold::Held,
    record::{HandedOver, NodeRecord},
    state::Shared,
};
use crate::{
    clock::passed,
    model::{EngineSnapshot, SourceKind, SourceState},
};

/// How often the load is checked.
const LOOK: Duration = Duration::from_secs(2);

/// An overload that lasts for so long is not over by itself.
const LASTING: Duration = Duration::from_secs(10);

/// A source that came later than this ago stays.
const SETTLED: Duration = Duration::from_secs(20);

/// Time between two sources that are handed over.
const PAUSE: Duration = Duration::from_secs(30);

/// Other nodes say within this time what room they have.
const ANSWERS: Duration = Duration::from_millis(700);

/// When a source may be handed over.
#[derive(Debug, Default)]
struct Patience {
    overloaded: Option<Duration>,
    handed_over: Option<Duration>,
}

impl Patience {
    /// Whether it is time, at `now`.
    fn is_over(&mut self, is_overloaded: bool, now: Duration) -> bool {
        if !is_overloaded {
            self.overloaded = None;
            return false;
        }
        let since = *self.overloaded.get_or_insert(now);
        let long_ago = |at: Duration, time| now.saturating_sub(at) >= time;
        long_ago(since, LASTING) && self.handed_over.is_none_or(|at| long_ago(at, PAUSE))
    }
}

/// A source that may be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    id: String,
    site: Option<String>,
    /// Whether the engine counts it at all at present.
    runs: bool,
    priority: i32,
    /// For how long this node has had it.
    held: Duration,
}

/// The source to hand over, and the node that takes it: what does not run goes first, then what is least important, then what came
/// last.
fn choice(candidates: &[Candidate], others: &[NodeRecord]) -> Option<(String, String)> {
    let mut settled: Vec<&Candidate> =
        candidates.iter().filter(|candidate| candidate.held >= SETTLED).collect();
    settled.sort_by_key(|candidate| (candidate.runs, candidate.priority, candidate.held));
    settled.into_iter().find_map(|candidate| {
        let taker = others.iter().find(|other| {
            other.room > 0 && other.reaches(candidate.site.as_deref()) && !other.refuses(&candidate.id)
        })?;
        Some((candidate.id.clone(), taker.node.clone()))
    })
}

/// Hands sources over until it is aborted.
pub async fn run(shared: Arc<Shared>, broker: Broker) {
    let mut patience = Patience::default();
    let mut beat = tokio::time::interval(LOOK);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let snapshot = shared.local.engine.snapshot();
        let overload = overload(&snapshot);
        if !patience.is_over(overload.is_some(), passed()) {
            continue;
        }
        let Some(reason) = overload else { continue };
        let candidates = candidates(&shared, &snapshot);
        if candidates.iter().all(|candidate| candidate.held < SETTLED) {
            continue;
        }
        let Ok(nodes) = broker.ask_all(usize::MAX, ANSWERS).await else { continue };
        let others: Vec<NodeRecord> =
            nodes.into_iter().filter(|node| !shared.local.is_me(&node.instance)).collect();
        let Some((id, taker)) = choice(&candidates, &others) else { continue };
        tracing::warn!(
            camera = %id,
            "Fleet: this node hands it over, because it has too much to do ({reason}) and '{taker}' has room"
        );
        let at = passed();
        patience.handed_over = Some(at);
        shared.has_no_room_after(HandedOver { id: id.clone(), reason: reason.to_owned(), ago: 0 }, at);
        if let Err(gone) = shared.release(&id) {
            tracing::debug!("Fleet: {gone}");
        }
    }
}

fn candidates(shared: &Shared, snapshot: &EngineSnapshot) -> Vec<Candidate> {
    let held: Vec<Arc<Held>> =
        shared.held.lock().values().filter(|held| held.is_counted()).cloned().collect();
    let candidate = |held: Arc<Held>| {
        let source = snapshot.sources.iter().find(|source| source.id == held.id)?;
        // A video would be counted from its start again.
        (source.kind == SourceKind::Camera).then(|| Candidate {
            id: held.id.to_string(),
            site: held.site.clone(),
            runs: !matches!(source.state, SourceState::Queued),
            priority: source.priority,
            held: held.age(),
        })
    };
    held.into_iter().filter_map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000 + seconds)
    }

    #[test]
    fn only_an_overload_that_lasts_moves_a_source_and_not_one_after_the_other() {
        let mut patience = Patience::default();
        assert!(!patience.is_over(true, at(0)) && !patience.is_over(true, at(9)));
        assert!(!patience.is_over(false, at(9)), "it was over by itself");
        assert!(!patience.is_over(true, at(11)) && !patience.is_over(true, at(20)));
        assert!(patience.is_over(true, at(21)));
        patience.handed_over = Some(at(21));
        assert!(!patience.is_over(true, at(40)), "whether it has helped is not seen yet");
        assert!(patience.is_over(true, at(51)));
    }

    fn candidate(id: &str, runs: bool, priority: i32, held: u64) -> Candidate {
        Candidate { id: id.into(), site: None, runs, priority, held: Duration::from_secs(held) }
    }

    fn node(name: &str, room: usize) -> NodeRecord {
        NodeRecord { node: name.into(), room, ..NodeRecord::default() }
    }

    #[test]
    fn what_is_least_missed_goes_and_what_has_just_come_stays() {
        let taker = [node("full", 0), node("free", 2)];
        let all = [
            candidate("old", true, 0, 500),
            candidate("young", true, 0, 50),
            candidate("new", true, 0, 5),
            candidate("important", true, 1, 50),
        ];
        assert_eq!(choice(&all, &taker), Some(("young".into(), "free".into())));
        let waiting = [&all[..], &[candidate("waiting", false, 9, 100)]].concat();
        assert_eq!(choice(&waiting, &taker).unwrap().0, "waiting");
        assert_eq!(choice(&all[2..3], &taker), None);
        assert_eq!(choice(&all, &taker[..1]), None, "nobody has room");
    }

    #[test]
    fn a_source_goes_to_a_node_that_reaches_it_and_has_not_refused_it() {
        let far = Candidate { site: Some("north".into()), ..candidate("far", true, 0, 50) };
        let near = candidate("near", true, 0, 60);
        let mut free = node("free", 2);
        assert_eq!(choice(&[far.clone(), near.clone()], &[free.clone()]).unwrap().0, "near");
        free.problems.push("near: its password is not here".into());
        assert_eq!(choice(&[far.clone(), near.clone()], &[free.clone()]), None);
        free.site = Some("north".into());
        assert_eq!(choice(&[far, near], &[free]).unwrap().0, "far");
    }
}
