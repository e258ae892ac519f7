//! Removing old crossings: only by a reliable clock, never much at once without a word, and in steps so small
//! that no commit waits for one.

use rusqlite::{Connection, params};

use crate::ledger::{
    clock_check::Steadiness,
    sums::{self, Flow, NONE, QUARTER},
};

/// Most crossings removed in one step.
const STEP: i64 = 1000;

/// How often old crossings are removed, in milliseconds of running.
const EVERY: i64 = 3_600_000;

/// What is older than this was not stamped by a clock that was right (2020, in milliseconds since the Unix epoch).
const PLAUSIBLE: i64 = 1_577_836_800_000;

/// Crossings that go now: older than `before`, no more than `left`.
struct Job {
    before: i64,
    left: i64,
    /// What lies before was checked already.
    from: i64,
}

/// Keeps a ledger no longer than it should be.
pub struct Retention {
    keep: i64,
    job: Option<Job>,
    last: Option<i64>,
    /// Said that much goes.
    warned: bool,
}

/// What a step of it came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// There is nothing to do now.
    Idle,
    /// There is more.
    More,
    /// There is more, and the user must know.
    Warn(String),
}

impl Retention {
    /// Crossings go when they are older than `keep` milliseconds.
    pub fn new(keep: i64) -> Self {
        Self { keep, job: None, last: None, warned: false }
    }

    /// Does a step, in a transaction of its own. `wall`: the time, in milliseconds.
    pub fn step(
        &mut self,
        connection: &mut Connection,
        clock: &mut Steadiness,
        wall: i64,
    ) -> rusqlite::Result<Step> {
        if !clock.is_steady() {
            self.job = None;
            return Ok(Step::Idle);
        }
        let Some(job) = &mut self.job else {
            let is_due =
                |last: Option<i64>| last.is_none_or(|last| clock.ran() - last >= EVERY || clock.ran() < last);
            return if is_due(self.last.max(clock.cleaned())) {
                self.plan(connection, clock, wall)
            } else {
                Ok(Step::Idle)
            };
        };
        let change = connection.transaction()?;
        let removed = remove(&change, job)?;
        job.left -= removed;
        let is_over = removed == 0 || job.left <= 0;
        if is_over {
            // Up to there all crossings are gone.
            let upto = if removed == 0 { job.before } else { job.from };
            remove_sums(&change, sums::quarter_of(upto))?;
            change.execute("DELETE FROM watches WHERE to_ms < ?1", [upto])?;
            change.execute("DELETE FROM webhook_events WHERE wall_ms < ?1", [upto])?;
        }
        change.commit()?;
        if is_over {
            self.job = None;
        }
        Ok(Step::More)
    }

    /// Finds how much there is to remove.
    fn plan(&mut self, connection: &Connection, clock: &mut Steadiness, wall: i64) -> rusqlite::Result<Step> {
        let before = sums::quarter_of(wall.saturating_sub(self.keep)) * QUARTER;
        self.last = Some(clock.ran());
        // As long as older crossings have no sums it is not known how many there are.
        if sums::cursor(connection)?.is_some() {
            return Ok(Step::Idle);
        }
        let (all, old): (i64, i64) = connection.query_row(
            "SELECT COALESCE(SUM(total_in + total_out), 0), \
             COALESCE(SUM(IIF(quarter < ?1 AND quarter >= ?2, total_in + total_out, 0)), 0) FROM quarters",
            params![before / QUARTER, PLAUSIBLE / QUARTER],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if old == 0 {
            return Ok(Step::Idle);
        }
        let much = old > all / 10;
        let left = if much { (all / 10).max(STEP) } else { i64::MAX };
        // What a clock set wrong has stamped is checked again each time.
        self.job = Some(Job { before, left, from: PLAUSIBLE });
        clock.clean();
        if !much || std::mem::replace(&mut self.warned, true) {
            return Ok(Step::More);
        }
        let day = jiff::Timestamp::from_millisecond(before).unwrap_or_default().strftime("%Y-%m-%d");
        Ok(Step::Warn(format!(
            "'ledger_retention' removes {old} of {all} crossings from the ledger, those before {day}, at most a tenth \
             of all in an hour; a longer 'ledger_retention' keeps them"
        )))
    }
}

/// Removes the next crossings. How old one is follows from its stamp and from how the clock was set later in the same
/// session. What was counted in a session that began with a clock behind the session before goes when a later
/// session is old.
fn remove(change: &Connection, job: &mut Job) -> rusqlite::Result<i64> {
    let mut due = change.prepare_cached(
        "SELECT session, source, seq, wall_ms FROM crossings AS c WHERE wall_ms >= ?1 AND wall_ms < ?2 \
         AND wall_ms + COALESCE((SELECT SUM(after_ms - before_ms) FROM jumps \
             WHERE jumps.session = c.session AND jumps.mono_ms > c.mono_ms), 0) < ?2 \
         AND (NOT EXISTS (SELECT 1 FROM jumps WHERE jumps.session = c.session AND jumps.mono_ms <= 0 \
                 AND after_ms < before_ms) \
             OR EXISTS (SELECT 1 FROM sessions WHERE id > c.session AND last_seen_ms < ?2 AND last_seen_ms > ?4)) \
         ORDER BY wall_ms LIMIT ?3",
    )?;
    let mut remove =
        change.prepare_cached("DELETE FROM crossings WHERE (session, source, seq) = (?1, ?2, ?3)")?;
    let most = job.left.min(STEP);
    let due: Vec<(i64, String, i64, i64)> = due
        .query_map(params![job.from, job.before, most, PLAUSIBLE], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    for (session, source, sequence, wall) in &due {
        remove.execute(params![session, source, sequence])?;
        job.from = *wall;
    }
    Ok(due.len() as i64)
}

/// Removes the sums of before `quarter`. What all of it did to the occupancy stays, as one step.
fn remove_sums(change: &Connection, quarter: i64) -> rusqlite::Result<()> {
    let mut flows = change.prepare(
        "SELECT source, reset, net, before, after FROM occupancy WHERE quarter < ?1 ORDER BY source, quarter",
    )?;
    let mut folded: Vec<(String, Flow)> = Vec::new();
    let mut rows = flows.query([quarter])?;
    while let Some(row) = rows.next()? {
        let (source, flow): (String, Flow) = (row.get(0)?, sums::flow_at(row, 1)?);
        match folded.last_mut().filter(|(last, _)| *last == source) {
            Some((_, sum)) => *sum = sum.then(flow),
            None => folded.push((source, flow)),
        }
    }
    change.execute("DELETE FROM occupancy WHERE quarter < ?1", [quarter])?;
    change.execute(
        "DELETE FROM quarters WHERE quarter < ?1 AND quarter >= ?2",
        [quarter, PLAUSIBLE / QUARTER],
    )?;
    change.execute(
        "DELETE FROM area_quarters WHERE quarter < ?1 AND quarter >= ?2",
        [quarter, PLAUSIBLE / QUARTER],
    )?;
    for (source, Flow { reset, net, .. }) in folded {
        // How high it was in between is gone with the rest.
        let high = net.max(0);
        let (before, after) = if reset { (NONE, high) } else { (high, 0) };
        sums::write_flow(change, &source, quarter - 1, Flow { reset, net, before, after })?;
    }
    Ok(())
}
