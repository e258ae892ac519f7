//! The leases by which a node counts, and what it notes to be sent: in the transaction of the crossing itself.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, params};

use super::{Outgoing, ServerClock, Told};
use crate::{
    ledger::writer::Watch,
    model::{Epoch, Event, EventKind, SourceId},
};

/// The lease by which each source is counted now.
pub struct Leases {
    clock: Arc<ServerClock>,
    held: BTreeMap<SourceId, (Epoch, i64)>,
    /// Watches that are noted already.
    noted: BTreeMap<SourceId, Watch>,
}

impl Leases {
    /// None yet. The server's clock is that of `clock`.
    pub fn new(clock: Arc<ServerClock>) -> Self {
        Self { clock, held: BTreeMap::new(), noted: BTreeMap::new() }
    }

    /// What is to be sent because of an event, the number `sequence` of this run, at this wall time.
    pub fn event(&mut self, event: &Event, sequence: u64, wall: i64) -> Vec<Outgoing> {
        if matches!(event.kind, EventKind::Area(_)) {
            return Vec::new();
        }
        let Some(epoch) = event.epoch else {
            // It is a source of this machine's own now.
            self.held.remove(&event.source);
            return Vec::new();
        };
        let known = self.held.get(&event.source).filter(|(held, _)| *held == epoch).copied();
        let (_, began) = known.unwrap_or((epoch, wall));
        let outgoing = |told| Outgoing {
            source: event.source.to_string(),
            epoch,
            began,
            sequence: sequence.cast_signed(),
            wall,
            offset: self.clock.offset(),
            told,
        };
        let mut all = Vec::new();
        if known.is_none() {
            all.push(outgoing(Told::Lease));
        }
        match &event.kind {
            EventKind::Crossing { line, direction, track, time, confidence } => {
                let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
                all.push(outgoing(Told::Crossing {
                    line: line.clone(),
                    direction: *direction,
                    track: *track,
                    confidence: finite(f64::from(*confidence)),
                    source_time: finite(*time),
                }));
            }
            EventKind::Reset => all.push(outgoing(Told::Reset)),
            _ => {}
        }
        self.held.insert(event.source.clone(), (epoch, began));
        all
    }

    /// What is to be sent of the watch of a source; nothing for one of this machine's own, or when that is noted.
    pub fn watch(&self, source: &SourceId, watch: Watch) -> Option<Outgoing> {
        if self.noted.get(source) == Some(&watch) {
            return None;
        }
        let (epoch, began) = *self.held.get(source)?;
        let from = watch.from.max(began);
        (from <= watch.to).then(|| Outgoing {
            source: source.to_string(),
            epoch,
            began,
            sequence: from,
            wall: watch.to,
            offset: self.clock.offset(),
            told: Told::Watch { from },
        })
    }

    /// These watches are on disk.
    pub fn noted<'a>(&mut self, watches: impl Iterator<Item = (&'a SourceId, Watch)>) {
        let held = &self.held;
        let leased = watches.filter(|(source, _)| held.contains_key(*source));
        self.noted.extend(leased.map(|(source, watch)| (source.clone(), watch)));
    }
}

/// Notes what is to be sent. Of a watch the last state is enough; all else stays as it is where it is there already.
pub fn write(change: &Connection, session: i64, outgoing: &Outgoing) -> rusqlite::Result<()> {
    let Outgoing { source, epoch, began, sequence, wall, offset, told } = outgoing;
    let (revision, delivery) = (epoch.revision.cast_signed(), epoch.delivery.cast_signed());
    if *told == Told::Lease {
        change
            .prepare_cached(
                "INSERT OR IGNORE INTO leases (node, source, revision, delivery, began_ms, offset_ms, session, seq) \
                 VALUES ('', ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![source, revision, delivery, began, offset.unwrap_or(0), session, sequence])?;
    }
    let conflict = if matches!(told, Told::Watch { .. }) { "REPLACE" } else { "IGNORE" };
    // Nothing in it can be refused by JSON.
    let detail = serde_json::to_string(told).unwrap_or_default();
    change
        .prepare_cached(&format!(
            "INSERT OR {conflict} INTO fleet_outbox \
             (source, revision, delivery, began_ms, kind, seq, wall_ms, offset_ms, detail) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        ))?
        .execute(params![source, revision, delivery, began, told.kind(), sequence, wall, offset, detail])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::model::{Direction, StateKind};

    fn event(kind: EventKind, epoch: Option<Epoch>) -> Event {
        Event { epoch, ..Event::new(SystemTime::UNIX_EPOCH, "gate", kind) }
    }

    fn crossing() -> EventKind {
        let line = "door".to_owned();
        EventKind::Crossing { line, direction: Direction::In, track: 1, time: f64::NAN, confidence: 0.5 }
    }

    #[test]
    fn a_lease_begins_with_the_first_word_of_it_and_own_sources_send_nothing() {
        let first = Some(Epoch { revision: 3, delivery: 1 });
        let second = Some(Epoch { revision: 3, delivery: 2 });
        let clock = Arc::new(ServerClock::default());
        let mut leases = Leases::new(Arc::clone(&clock));
        assert_eq!(leases.event(&event(crossing(), None), 1, 5), []);
        assert_eq!(leases.watch(&"gate".into(), Watch { from: 1, to: 9 }), None);
        let running = EventKind::State { state: StateKind::Running, error: None };
        let kinds = |all: Vec<Outgoing>| all.into_iter().map(|one| one.told.kind()).collect::<Vec<_>>();
        assert_eq!(kinds(leases.event(&event(running.clone(), first), 2, 10)), ["lease"]);
        assert_eq!(kinds(leases.event(&event(running, first), 3, 12)), [""; 0]);
        clock.measured(70);
        let told = leases.event(&event(crossing(), first), 4, 15);
        assert_eq!((told[0].began, told[0].sequence, told[0].wall, told[0].offset), (10, 4, 15, Some(70)));
        assert_eq!(told.len(), 1);
        let watch = leases.watch(&"gate".into(), Watch { from: 1, to: 99 }).unwrap();
        assert_eq!((watch.sequence, watch.wall), (10, 99), "not before the lease");
        leases.noted([(&"gate".into(), Watch { from: 1, to: 99 })].into_iter());
        assert_eq!(leases.watch(&"gate".into(), Watch { from: 1, to: 99 }), None, "noted");
        assert!(leases.watch(&"gate".into(), Watch { from: 1, to: 100 }).is_some());
        assert_eq!(kinds(leases.event(&event(EventKind::Reset, second), 5, 20)), ["lease", "reset"]);
        assert_eq!(
            leases.watch(&"gate".into(), Watch { from: 1, to: 9 }),
            None,
            "it ended before this lease"
        );
    }
}
