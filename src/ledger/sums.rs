//! Sums by the quarter of an hour, and bringing the crossings of an older ledger into them.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension as _, params};

/// Length of a quarter of an hour in milliseconds.
pub const QUARTER: i64 = 900_000;

/// The quarter that a moment lies in, as the triggers of the ledger have it.
#[must_use]
pub fn quarter_of(moment: i64) -> i64 {
    moment / QUARTER
}

/// Far below everything that can be counted.
pub const NONE: i64 = -(1 << 40);

/// What a time does to the occupancy of a source, for any occupancy at its begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Whether it was set to zero in it.
    pub reset: bool,
    /// In minus out since the begin or the last reset.
    pub net: i64,
    /// Highest `net` before the first reset, or [`NONE`] where nothing happened before it.
    pub before: i64,
    /// Highest occupancy since the first reset.
    pub after: i64,
}

impl Default for Flow {
    /// Nothing.
    fn default() -> Self {
        Self { reset: false, net: 0, before: NONE, after: 0 }
    }
}

impl Flow {
    /// A reset.
    pub const RESET: Self = Self { reset: true, net: 0, before: NONE, after: 0 };

    /// A crossing: 1 for in, -1 for out.
    #[must_use]
    pub fn crossing(direction: i64) -> Self {
        Self { reset: false, net: direction, before: direction.max(0), after: 0 }
    }

    /// This time and then another.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let (upto, since) = (self.net + next.before, next.after);
        Self {
            reset: self.reset || next.reset,
            net: if next.reset { next.net } else { self.net + next.net },
            before: if self.reset { self.before } else { self.before.max(upto) },
            after: match (self.reset, next.reset) {
                (true, true) => self.after.max(upto).max(since),
                (true, false) => self.after.max(upto),
                (false, _) => since,
            },
        }
    }

    /// Occupancy at the end, and the highest round its crossings and resets, from `occupancy` at its begin.
    #[must_use]
    pub fn apply(self, occupancy: i64) -> (i64, i64) {
        let peak = if self.before > NONE / 2 { occupancy + self.before } else { i64::MIN };
        if self.reset { (self.net, peak.max(self.after)) } else { (occupancy + self.net, peak) }
    }
}

/// Up to which crossing (session, source, sequence; not that one) an older ledger has not been summed yet.
pub type Cursor = (i64, String, i64);

/// Where summing stands; `None` when all is summed.
pub fn cursor(connection: &Connection) -> rusqlite::Result<Option<Cursor>> {
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    connection.query_row("SELECT session, source, seq FROM summing", [], row).optional()
}

/// How many crossings have not been summed yet.
pub fn left(connection: &Connection) -> rusqlite::Result<u64> {
    let Some(from) = cursor(connection)? else { return Ok(0) };
    let counted: i64 = connection.query_row(
        "SELECT COUNT(*) FROM crossings WHERE (session, source, seq) < (?1, ?2, ?3)",
        params![from.0, from.1, from.2],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(counted).unwrap_or(0))
}

/// What crossings of one step add up to.
#[derive(Default)]
struct Step {
    counts: HashMap<(String, String, i64), (i64, i64)>,
    flows: BTreeMap<(String, i64), Flow>,
}

impl Step {
    fn crossing(&mut self, source: &str, line: String, direction: i64, wall: i64) {
        let quarter = quarter_of(wall);
        let counts = self.counts.entry((source.to_owned(), line, quarter)).or_default();
        (counts.0, counts.1) = (counts.0 + i64::from(direction > 0), counts.1 + i64::from(direction < 0));
        self.earlier(source, quarter, Flow::crossing(direction));
    }

    /// What came before everything of that quarter so far.
    fn earlier(&mut self, source: &str, quarter: i64, flow: Flow) {
        let flows = self.flows.entry((source.to_owned(), quarter)).or_default();
        *flows = flow.then(*flows);
    }

    fn write(self, change: &Connection) -> rusqlite::Result<()> {
        let mut counts = change.prepare_cached(
            "INSERT INTO quarters VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
             total_in = total_in + excluded.total_in, total_out = total_out + excluded.total_out",
        )?;
        for ((source, line, quarter), (total_in, total_out)) in self.counts {
            counts.execute(params![source, line, quarter, total_in, total_out])?;
        }
        for ((source, quarter), flow) in self.flows {
            let later = read_flow(change, &source, quarter)?.unwrap_or_default();
            write_flow(change, &source, quarter, flow.then(later))?;
        }
        Ok(())
    }
}

fn read_flow(connection: &Connection, source: &str, quarter: i64) -> rusqlite::Result<Option<Flow>> {
    connection
        .prepare_cached("SELECT reset, net, before, after FROM occupancy WHERE source = ?1 AND quarter = ?2")?
        .query_row(params![source, quarter], |row| flow_at(row, 0))
        .optional()
}

/// The flow in four columns from `first` on.
pub fn flow_at(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Flow> {
    let net = row.get(first + 1)?;
    Ok(Flow { reset: row.get(first)?, net, before: row.get(first + 2)?, after: row.get(first + 3)? })
}

/// Replaces the flow of a quarter.
pub fn write_flow(change: &Connection, source: &str, quarter: i64, flow: Flow) -> rusqlite::Result<()> {
    change
        .prepare_cached("INSERT OR REPLACE INTO occupancy VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![source, quarter, flow.reset, flow.net, flow.before, flow.after])
        .map(|_| ())
}

/// Sums the next `most` crossings of an older ledger, in a transaction of its own. Gives how many there were; 0 when
/// all is summed.
pub fn sum_more(connection: &mut Connection, most: usize) -> rusqlite::Result<usize> {
    let change = connection.transaction()?;
    let Some(from) = cursor(&change)? else { return Ok(0) };
    let mut batch: Vec<(Cursor, String, i64, i64)> = Vec::with_capacity(most);
    {
        let mut rows = change.prepare_cached(
            "SELECT session, source, seq, line, direction, wall_ms FROM crossings \
             WHERE (session, source, seq) < (?1, ?2, ?3) ORDER BY session DESC, source DESC, seq DESC LIMIT ?4",
        )?;
        let mut found = rows.query(params![from.0, from.1, from.2, most as i64])?;
        while let Some(row) = found.next()? {
            let at = (row.get(0)?, row.get(1)?, row.get(2)?);
            batch.push((at, row.get(3)?, row.get(4)?, row.get(5)?));
        }
    }
    let count = batch.len();
    let last = batch.last().map_or((i64::MIN, String::new(), i64::MIN), |(at, ..)| at.clone());
    // A reset between two crossings of a source belongs between them.
    let mut resets = resets_between(&change, &from, &last)?.into_iter().peekable();
    let mut step = Step::default();
    for (at, line, direction, wall) in batch {
        while let Some((reset, wall)) = resets.next_if(|(reset, _)| *reset >= at) {
            step.earlier(&reset.1, quarter_of(wall), Flow::RESET);
        }
        step.crossing(&at.1, line, direction, wall);
    }
    for (reset, wall) in resets {
        step.earlier(&reset.1, quarter_of(wall), Flow::RESET);
    }
    step.write(&change)?;
    change.execute("DELETE FROM summing", [])?;
    if count > 0 {
        change.execute("INSERT INTO summing VALUES (?1, ?2, ?3)", params![last.0, last.1, last.2])?;
    }
    change.commit()?;
    Ok(count)
}

/// Resets before `upto` and not before `from`, the latest first, and their wall times.
fn resets_between(
    connection: &Connection,
    upto: &Cursor,
    from: &Cursor,
) -> rusqlite::Result<Vec<(Cursor, i64)>> {
    let mut resets = connection.prepare_cached(
        "SELECT session, source, seq, wall_ms FROM resets WHERE (session, source, seq) < (?1, ?2, ?3) \
         AND (session, source, seq) >= (?4, ?5, ?6) ORDER BY session DESC, source DESC, seq DESC",
    )?;
    let keys = params![upto.0, upto.1, upto.2, from.0, from.1, from.2];
    resets.query_map(keys, |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?)))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by walking through it.
    fn walked(steps: &[Flow], occupancy: i64) -> (i64, i64) {
        let (mut now, mut peak) = (occupancy, i64::MIN);
        for step in steps {
            if step.reset {
                now = 0;
            } else {
                peak = peak.max(now);
                now += step.net;
            }
            peak = peak.max(now);
        }
        (now, peak)
    }

    #[test]
    fn times_put_together_in_any_way_are_the_same_as_walked_through() {
        let mut random = 7_u64;
        let mut below = |limit: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % limit
        };
        for _ in 0..2000 {
            let steps: Vec<Flow> = (0..below(9))
                .map(|_| match below(7) {
                    0 => Flow::RESET,
                    1..4 => Flow::crossing(1),
                    _ => Flow::crossing(-1),
                })
                .collect();
            let (first, second) = steps.split_at(below(steps.len() as u64 + 1) as usize);
            let later = second.iter().rev().fold(Flow::default(), |sum, step| step.then(sum));
            let earlier = first.iter().fold(Flow::default(), |sum, step| sum.then(*step));
            let begin = below(7) as i64 - 3;
            assert_eq!(earlier.then(later).apply(begin), walked(&steps, begin), "{steps:?} from {begin}");
        }
    }
}
