//! Holds still what never stands still: rates, load, workers and the list of crossings.
//!
//! A figure that changes with every look cannot be read, and over a slow line each change costs bytes. Counts,
//! states, errors, limits and everything about alerts pass at once; what is held is shown with the next second,
//! and a rate or a load that has hardly moved stays for a few seconds more.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::format::Moment;
use crate::model::{EngineSnapshot, EventKind, SourceId, SourceSnapshot};

/// Longest time for which a rate or a load that has hardly moved is shown as it was.
const LONGEST: Duration = Duration::from_secs(5);

/// A change of more than this share is shown with the next second.
const HARDLY: f32 = 0.1;

/// What is remembered between two looks at the engine.
#[derive(Debug, Clone, Default)]
pub struct Calm {
    second: Option<i64>,
    rates: HashMap<SourceId, Instant>,
    load: Option<Instant>,
}

impl Calm {
    /// `new` with everything held that may stay as it is in `old`, which is on the screen.
    #[must_use]
    pub fn settled(
        &mut self,
        old: &EngineSnapshot,
        mut new: EngineSnapshot,
        moment: &Moment,
    ) -> EngineSnapshot {
        let second = moment.wall.timestamp().as_second();
        let is_new_second = self.second.replace(second) != Some(second);
        let same_workers = old.worker_count == new.worker_count && old.workers.len() == new.workers.len();
        if !is_new_second && same_workers {
            new.workers.clone_from(&old.workers);
            new.queue_pending = old.queue_pending;
            new.queue.clone_from(&old.queue);
        }
        if !is_new_second && only_crossings(old, &new) {
            new.events = Arc::clone(&old.events);
        }
        self.settle_load(old, &mut new, moment.mono, is_new_second);
        let there: HashSet<SourceId> = new.sources.iter().map(|source| source.id.clone()).collect();
        self.rates.retain(|id, _| there.contains(id));
        for (index, source) in new.sources.iter_mut().enumerate() {
            let before = old.sources.get(index).filter(|before| before.id == source.id);
            let Some(before) = before.filter(|before| before.state == source.state) else {
                self.rates.remove(&source.id);
                continue;
            };
            if Arc::ptr_eq(before, source) {
                continue;
            }
            let since = *self.rates.entry(source.id.clone()).or_insert(moment.mono);
            let is_held = moment.mono.saturating_duration_since(since) < LONGEST
                && hardly_differs(before.fps, source.fps)
                && hardly_differs(before.detect_fps, source.detect_fps);
            if is_new_second && !is_held {
                self.rates.insert(source.id.clone(), moment.mono);
            }
            settle(source, before, is_new_second, is_held);
        }
        new
    }

    fn settle_load(
        &mut self,
        old: &EngineSnapshot,
        new: &mut EngineSnapshot,
        now: Instant,
        is_new_second: bool,
    ) {
        let since = *self.load.get_or_insert(now);
        let is_held = now.saturating_duration_since(since) < LONGEST
            && hardly_differs(old.cpu, new.cpu)
            && hardly_differs(old.rss as f32, new.rss as f32);
        if is_held || !is_new_second {
            (new.cpu, new.rss) = (old.cpu, old.rss);
        } else {
            self.load = Some(now);
        }
    }
}

fn settle(source: &mut Arc<SourceSnapshot>, before: &SourceSnapshot, is_new_second: bool, is_held: bool) {
    if is_new_second && !is_held {
        return;
    }
    let source = Arc::make_mut(source);
    (source.fps, source.detect_fps) = (before.fps, before.detect_fps);
    source.latency = before.latency;
    if !is_new_second {
        source.visible = before.visible;
        source.dropped = before.dropped;
        source.frames = before.frames;
    }
}

fn hardly_differs(before: f32, now: f32) -> bool {
    (now - before).abs() <= HARDLY * before.abs().max(1.0)
}

/// Whether nothing has happened since `old` but crossings, which the counts show as well.
fn only_crossings(old: &EngineSnapshot, new: &EngineSnapshot) -> bool {
    let last = old.events.last();
    let fresh = new.events.iter().rev().take_while(|event| Some(*event) != last);
    fresh
        .map(|event| &event.kind)
        .all(|kind| matches!(kind, EventKind::Crossing { .. } | EventKind::Suppressed { .. }))
}

/// Whether something has happened between two snapshots that should be seen at once.
#[must_use]
pub fn is_news(old: &EngineSnapshot, new: &EngineSnapshot) -> bool {
    let outline = |snapshot: &EngineSnapshot| {
        (
            snapshot.worker_count,
            snapshot.events_lost,
            snapshot.problems.iter().chain(&snapshot.notices).cloned().collect::<Vec<_>>(),
            snapshot.events.last().cloned(),
        )
    };
    let is_same = |(old, new): (&Arc<SourceSnapshot>, &Arc<SourceSnapshot>)| {
        let counts = |source: &SourceSnapshot| (source.total_in, source.total_out, source.over_threshold());
        Arc::ptr_eq(old, new)
            || (old.id == new.id
                && old.state == new.state
                && old.last_error == new.last_error
                && counts(old) == counts(new))
    };
    old.generation != new.generation
        && (old.sources.len() != new.sources.len()
            || !old.sources.iter().zip(&new.sources).all(is_same)
            || outline(old) != outline(new))
}
