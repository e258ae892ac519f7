//! What happened to a source in a time: out of the sums, and crossing by crossing where these do not reach.

use std::collections::BTreeMap;

use rusqlite::params;

use super::{LONG, Reader, Span, Summed};
use crate::ledger::{
    LedgerError,
    sums::{self, Flow, QUARTER},
};

/// What happened to one source in a time: by the quarter of an hour, or by the crossing at its ends.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Sums {
    /// Occupancy at the begin.
    pub begin: i64,
    /// Line, moment in the quarter, in and out; in no order.
    pub counts: Vec<(String, i64, u64, u64)>,
    /// Moments in their quarters, and what these do to the occupancy; in the order of the moments.
    pub flows: Vec<(i64, Flow)>,
}

impl Reader {
    /// Crossings and resets of one source in `span`, in the order they were counted: line, moment, 1 or -1, or 0 for
    /// a reset. With `late`, only what has not been summed yet.
    pub(super) fn steps(
        &self,
        source: &str,
        span: Span,
        late: bool,
    ) -> Result<Vec<(String, i64, i64)>, LedgerError> {
        let before = match (&self.sums, late) {
            (Summed::All, true) => return Ok(Vec::new()),
            (Summed::From(cursor), true) => cursor.clone(),
            _ => (i64::MAX, String::new(), 0),
        };
        // By the index where little is wanted; one after the other is faster from some weeks on.
        let upto = Span { to: span.to.min(self.newest()?), ..span };
        let wall = if upto.length() < LONG { "wall_ms" } else { "+wall_ms" };
        let query = format!(
            "SELECT session, seq, line, wall_ms, direction FROM crossings WHERE source = ?1 AND {wall} >= ?2 \
             AND {wall} < ?3 AND (session, source, seq) < (?4, ?5, ?6) UNION ALL \
             SELECT session, seq, '', wall_ms, 0 FROM resets WHERE source = ?1 AND wall_ms >= ?2 AND wall_ms < ?3 \
             AND (session, source, seq) < (?4, ?5, ?6) ORDER BY 1, 2"
        );
        self.rows(&query, params![source, span.from, span.to, before.0, before.1, before.2], |row| {
            Ok((row.get(2)?, row.get(3)?, row.get(4)?))
        })
    }

    /// When the latest crossing was counted.
    fn newest(&self) -> Result<i64, LedgerError> {
        let newest =
            self.rows("SELECT MAX(wall_ms) FROM crossings", [], |row| row.get::<_, Option<i64>>(0))?;
        Ok(newest.into_iter().flatten().next().unwrap_or(0))
    }

    /// In minus out of one source at `moment`.
    pub(super) fn occupancy(&self, source: &str, moment: i64) -> Result<i64, LedgerError> {
        let first = sums::quarter_of(moment);
        let begin = first * QUARTER;
        let one = |query: &str, parameters: &[&dyn rusqlite::ToSql]| -> Result<Option<i64>, LedgerError> {
            Ok(self.rows(query, parameters, |row| row.get(0))?.pop().flatten())
        };
        let was_reset = "SELECT 1 FROM resets WHERE source = ?1 AND wall_ms >= ?2 LIMIT 1";
        let mut occupancy = if one(was_reset, &[&source, &moment])?.is_none() {
            // From now back, which is exact also where older crossings are gone.
            let now = "SELECT SUM(total_in - total_out) FROM totals WHERE source = ?1";
            let mut occupancy = one(now, &[&source])?.unwrap_or(0);
            if self.sums != Summed::Nothing {
                let since = "SELECT SUM(net) FROM occupancy WHERE source = ?1 AND quarter >= ?2";
                occupancy -= one(since, &[&source, &first])?.unwrap_or(0);
            }
            let rest = Span { from: begin, to: i64::MAX };
            occupancy - self.steps(source, rest, true)?.iter().map(|step| step.2).sum::<i64>()
        } else if self.sums == Summed::All {
            let reset = "SELECT MAX(quarter) FROM occupancy WHERE source = ?1 AND quarter < ?2 AND reset";
            let reset = one(reset, &[&source, &first])?.unwrap_or(i64::MIN);
            let since = "SELECT SUM(net) FROM occupancy WHERE source = ?1 AND quarter >= ?2 AND quarter < ?3";
            one(since, &[&source, &reset, &first])?.unwrap_or(0)
        } else {
            let all = self.steps(source, Span { from: i64::MIN, to: begin }, false)?;
            all.iter().fold(0, |now, step| if step.2 == 0 { 0 } else { now + step.2 })
        };
        for (_, _, direction) in self.steps(source, Span { from: begin, to: moment }, false)? {
            occupancy = if direction == 0 { 0 } else { occupancy + direction };
        }
        Ok(occupancy)
    }

    /// What happened to one source in `span`: its whole quarters of an hour out of the sums, the rest crossing by
    /// crossing.
    pub(in crate::ledger) fn sums(&self, source: &str, span: Span) -> Result<Sums, LedgerError> {
        let mut sums = Sums { begin: self.occupancy(source, span.from)?, ..Sums::default() };
        let (first, last) = (sums::quarter_of(span.from + QUARTER - 1), sums::quarter_of(span.to));
        let whole = Span { from: first * QUARTER, to: last.max(first) * QUARTER }.intersection(span);
        let mut flows: BTreeMap<i64, Flow> = BTreeMap::new();
        let mut counts: BTreeMap<(String, i64), (u64, u64)> = BTreeMap::new();
        let mut walk = |steps: Vec<(String, i64, i64)>, summed: bool| {
            let mut late: BTreeMap<i64, Flow> = BTreeMap::new();
            for (line, wall, direction) in steps {
                let at = (sums::quarter_of(wall) * QUARTER).max(span.from);
                let flow = late.entry(at).or_default();
                *flow = flow.then(if direction == 0 { Flow::RESET } else { Flow::crossing(direction) });
                if direction != 0 {
                    let count = counts.entry((line, at)).or_default();
                    *(if direction > 0 { &mut count.0 } else { &mut count.1 }) += 1;
                }
            }
            for (at, flow) in late {
                let known = flows.entry(at).or_default();
                // What has not been summed yet came before what has.
                *known = if summed { known.then(flow) } else { flow.then(*known) };
            }
        };
        if whole.length() == 0 {
            walk(self.steps(source, span, false)?, true);
        } else {
            walk(self.steps(source, Span { to: whole.from, ..span }, false)?, true);
            walk(self.steps(source, Span { from: whole.to, ..span }, false)?, true);
            walk(self.steps(source, whole, true)?, false);
        }
        if self.sums != Summed::Nothing && whole.length() > 0 {
            let parameters = params![source, whole.from / QUARTER, whole.to / QUARTER];
            let summed = "SELECT quarter, reset, net, before, after FROM occupancy \
                          WHERE source = ?1 AND quarter >= ?2 AND quarter < ?3";
            for (quarter, flow) in
                self.rows(summed, parameters, |row| Ok((row.get::<_, i64>(0)?, sums::flow_at(row, 1)?)))?
            {
                let known = flows.entry(quarter * QUARTER).or_default();
                *known = known.then(flow);
            }
            let lines = self.lines(source)?;
            let summed = "SELECT quarter, total_in, total_out FROM quarters \
                          WHERE source = ?1 AND line = ?2 AND quarter >= ?3 AND quarter < ?4";
            for line in lines {
                let parameters = params![source, line, whole.from / QUARTER, whole.to / QUARTER];
                let found: Vec<(i64, i64, i64)> =
                    self.rows(summed, parameters, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                let of = |(quarter, i, o): (i64, i64, i64)| {
                    (line.clone(), quarter * QUARTER, i.unsigned_abs(), o.unsigned_abs())
                };
                sums.counts.extend(found.into_iter().map(of));
            }
        }
        sums.counts.extend(counts.into_iter().map(|((line, at), (i, o))| (line, at, i, o)));
        sums.flows = flows.into_iter().collect();
        Ok(sums)
    }

    /// Names of the lines of which there are sums.
    fn lines(&self, source: &str) -> Result<Vec<String>, LedgerError> {
        self.rows(
            "WITH RECURSIVE hop(line) AS (SELECT MIN(line) FROM quarters WHERE source = ?1 UNION ALL \
             SELECT (SELECT MIN(line) FROM quarters WHERE source = ?1 AND line > hop.line) FROM hop \
             WHERE hop.line IS NOT NULL) SELECT line FROM hop WHERE line IS NOT NULL",
            [source],
            |row| row.get(0),
        )
    }
}
