//! Which node the collected ledger believes: for one source and one moment the holder of the last lease that had begun by then.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{Epoch, Outgoing};

/// What an earlier holder says of the first moments after a later lease began is moved before them: a source is handed over
/// within milliseconds, and clocks are known to about a second.
const TOLERANCE: i64 = 2_000;

/// Leases that began further apart than this, in milliseconds, follow each other as they began, whatever their epochs: a server
/// that is killed forgets what it gave away last and gives it again under the same number, and one that is set up again
/// begins at 1. Clocks of nodes are known better.
const FAR: i64 = TOLERANCE;

/// A lease that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its number in the ledger.
    pub id: i64,
    /// The node.
    pub node: String,
    /// Its epoch.
    pub epoch: Epoch,
    /// When it began by the node's clock.
    pub key: i64,
    /// When it began by the server's clock.
    pub began: i64,
}

impl Known {
    /// Whether it comes after `other`, a lease of the same source.
    fn is_later(&self, other: &Self) -> bool {
        if (self.began - other.began).abs() > FAR {
            return self.began > other.began;
        }
        (self.epoch, self.began, self.id) > (other.epoch, other.began, other.id)
    }
}

/// What is thought of a time that a node has named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It counts, at this time.
    Counts(i64),
    /// Another node had the source by then.
    Superseded,
}

/// All leases, by source.
#[derive(Debug, Default)]
pub struct Belief {
    sources: BTreeMap<String, Vec<Known>>,
}

impl Belief {
    /// The leases that a ledger knows.
    pub fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut query = connection.prepare(
            "SELECT id, node, source, revision, delivery, began_ms, offset_ms FROM leases ORDER BY id",
        )?;
        let mut rows = query.query([])?;
        let mut belief = Self::default();
        while let Some(row) = rows.next()? {
            let count = |index| Ok::<_, rusqlite::Error>(row.get::<_, i64>(index)?.cast_unsigned());
            let (key, offset): (i64, i64) = (row.get(5)?, row.get(6)?);
            let epoch = Epoch { revision: count(3)?, delivery: count(4)? };
            let known = Known { id: row.get(0)?, node: row.get(1)?, epoch, key, began: key + offset };
            belief.sources.entry(row.get(2)?).or_default().push(known);
        }
        Ok(belief)
    }

    /// The lease that `event` of `node` belongs to.
    pub fn find(&self, node: &str, event: &Outgoing) -> Option<&Known> {
        // The last ones are asked for most.
        self.sources
            .get(&event.source)?
            .iter()
            .rev()
            .find(|known| known.node == node && known.epoch == event.epoch && known.key == event.began)
    }

    /// Notes a lease; gives the numbers of those of its source that it comes after.
    pub fn add(&mut self, source: &str, new: Known) -> Vec<i64> {
        let all = self.sources.entry(source.to_owned()).or_default();
        let earlier = all.iter().filter(|known| new.is_later(known)).map(|known| known.id).collect();
        all.push(new);
        earlier
    }

    /// When the first lease after this one began.
    pub fn until(&self, source: &str, lease: i64) -> Option<i64> {
        let all = self.sources.get(source)?;
        let own = all.iter().find(|known| known.id == lease)?;
        all.iter().filter(|known| known.is_later(own)).map(|known| known.began).min()
    }

    /// What is thought of this time, as the holder of `lease` has named it.
    pub fn rule(&self, source: &str, lease: i64, wall: i64) -> Ruling {
        self.until(source, lease).map_or(Ruling::Counts(wall), |until| before(until, wall))
    }
}

/// What is thought of a time that is believed up to `until`.
pub fn before(until: i64, wall: i64) -> Ruling {
    if wall < until {
        Ruling::Counts(wall)
    } else if wall < until + TOLERANCE {
        Ruling::Counts(until - 1)
    } else {
        Ruling::Superseded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(id: i64, epoch: (u64, u64), began: i64) -> Known {
        let epoch = Epoch { revision: epoch.0, delivery: epoch.1 };
        Known { id, node: "n".into(), epoch, key: began, began }
    }

    fn belief(leases: &[Known]) -> Belief {
        let mut belief = Belief::default();
        for lease in leases {
            belief.add("gate", lease.clone());
        }
        belief
    }

    #[test]
    fn an_earlier_holder_is_believed_until_the_next_one_began_in_whatever_order_they_become_known() {
        let leases = [
            lease(1, (3, 1), 1_000),
            lease(2, (3, 2), 50_000),
            lease(3, (4, 1), 48_500),
            lease(4, (4, 2), 90_000),
        ];
        let mut turned = leases.clone();
        turned.reverse();
        for belief in [belief(&leases), belief(&turned)] {
            // A greater epoch that began a little before a smaller one, by clocks that differ.
            assert_eq!(belief.until("gate", 1), Some(48_500));
            assert_eq!(belief.until("gate", 2), Some(48_500));
            assert_eq!(belief.until("gate", 3), Some(90_000));
            assert_eq!(belief.until("gate", 4), None);
            assert_eq!(belief.rule("gate", 1, 48_499), Ruling::Counts(48_499));
            assert_eq!(belief.rule("gate", 1, 49_000), Ruling::Counts(48_499), "handed over");
            assert_eq!(belief.rule("gate", 1, 50_500), Ruling::Superseded);
            assert_eq!(belief.rule("gate", 4, i64::MAX), Ruling::Counts(i64::MAX));
        }
    }

    #[test]
    fn epochs_that_begin_again_with_a_new_server_follow_those_of_the_old_one() {
        let belief = belief(&[lease(1, (900, 7), 1_000_000), lease(2, (1, 1), 9_000_000)]);
        assert_eq!(belief.until("gate", 1), Some(9_000_000));
        assert_eq!(belief.until("gate", 2), None);
    }

    #[test]
    fn a_lease_that_is_given_again_under_a_number_of_before_follows_the_one_that_the_server_has_forgotten() {
        let belief = belief(&[lease(1, (3, 1), 1_000), lease(2, (3, 2), 20_000), lease(3, (3, 1), 26_000)]);
        assert_eq!(belief.until("gate", 1), Some(20_000));
        assert_eq!(belief.until("gate", 2), Some(26_000));
        assert_eq!(belief.until("gate", 3), None);
    }

    #[test]
    fn sources_know_nothing_of_each_other() {
        let mut belief = belief(&[lease(1, (3, 1), 1_000)]);
        assert_eq!(belief.add("yard", lease(2, (9, 1), 2_000)), [0; 0]);
        assert_eq!(belief.add("gate", lease(3, (3, 2), 3_000)), [1]);
        assert_eq!(belief.until("yard", 2), None);
    }
}
