//! Totals and sums of the collected ledger where a crossing joins, moves or goes.

use rusqlite::{Connection, params};

use super::belief::{Ruling, before};
use crate::ledger::sums::quarter_of;

/// Adds `by` crossings in direction `sign` (1 or -1) to the totals of a line.
pub fn add_total(change: &Connection, source: &str, line: &str, sign: i64, by: i64) -> rusqlite::Result<()> {
    let (total_in, total_out) = (by * i64::from(sign == 1), by * i64::from(sign == -1));
    change
        .prepare_cached(
            "INSERT INTO totals VALUES (?1, ?2, MAX(?3, 0), MAX(?4, 0)) ON CONFLICT DO UPDATE SET \
             total_in = MAX(total_in + ?3, 0), total_out = MAX(total_out + ?4, 0)",
        )?
        .execute(params![source, line, total_in, total_out])
        .map(drop)
}

/// A crossing that is counted.
struct Crossing {
    session: i64,
    seq: i64,
    line: String,
    sign: i64,
    wall: i64,
}

/// A later lease of `source` began at `until`: what was counted by the `earlier` ones after that moment moves before it or is
/// counted no more, for `reason`. Gives how many did.
pub fn revise(
    change: &Connection,
    source: &str,
    until: i64,
    earlier: &[i64],
    reason: &str,
) -> rusqlite::Result<u64> {
    let mut revised = 0;
    if earlier.is_empty() {
        return Ok(0);
    }
    for crossing in since(change, source, until)? {
        for lease in earlier {
            let at = params![lease, crossing.session, crossing.seq];
            if !change
                .prepare_cached("SELECT 1 FROM collected WHERE lease = ?1 AND session = ?2 AND seq = ?3")?
                .exists(at)?
            {
                continue;
            }
            match before(until, crossing.wall) {
                Ruling::Counts(wall) => shift(change, source, &crossing, wall)?,
                Ruling::Superseded => remove(change, source, &crossing, *lease, reason)?,
            }
            revised += 1;
            break;
        }
    }
    Ok(revised)
}

/// Crossings of `source` from this time on: few, because leases become known soon.
fn since(change: &Connection, source: &str, from: i64) -> rusqlite::Result<Vec<Crossing>> {
    let mut query = change.prepare_cached(
        "SELECT session, seq, line, direction, wall_ms FROM crossings INDEXED BY crossings_by_time \
         WHERE wall_ms >= ?1 AND source = ?2 ORDER BY session, seq",
    )?;
    let rows = query.query_map(params![from, source], |row| {
        Ok(Crossing {
            session: row.get(0)?,
            seq: row.get(1)?,
            line: row.get(2)?,
            sign: row.get(3)?,
            wall: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// Counts a crossing at another time.
fn shift(change: &Connection, source: &str, crossing: &Crossing, wall: i64) -> rusqlite::Result<()> {
    change
        .prepare_cached("UPDATE crossings SET wall_ms = ?1 WHERE session = ?2 AND source = ?3 AND seq = ?4")?
        .execute(params![wall, crossing.session, source, crossing.seq])?;
    if quarter_of(wall) != quarter_of(crossing.wall) {
        add_quarter(change, source, crossing, crossing.wall, -1)?;
        add_quarter(change, source, crossing, wall, 1)?;
    }
    Ok(())
}

/// Counts a crossing no more.
fn remove(
    change: &Connection,
    source: &str,
    crossing: &Crossing,
    lease: i64,
    reason: &str,
) -> rusqlite::Result<()> {
    let place = params![lease, crossing.session, source, crossing.seq, reason];
    change
        .prepare_cached(
            "INSERT OR IGNORE INTO uncounted SELECT lease, sequence, wall_ms, line, direction, track, confidence, \
             source_time, ?5 FROM crossings AS x JOIN collected AS c ON c.session = x.session AND c.seq = x.seq \
             WHERE c.lease = ?1 AND x.session = ?2 AND x.source = ?3 AND x.seq = ?4",
        )?
        .execute(place)?;
    change
        .prepare_cached(
            "UPDATE collected SET session = NULL, seq = NULL WHERE lease = ?1 AND session = ?2 AND seq = ?3",
        )?
        .execute(params![lease, crossing.session, crossing.seq])?;
    change
        .prepare_cached("DELETE FROM crossings WHERE session = ?1 AND source = ?2 AND seq = ?3")?
        .execute(params![crossing.session, source, crossing.seq])?;
    add_quarter(change, source, crossing, crossing.wall, -1)?;
    // What was reset since then does not hold it any more.
    let is_in_totals = change
        .prepare_cached(
            "SELECT NOT EXISTS (SELECT 1 FROM resets WHERE source = ?1 AND (session, seq) > (?2, ?3))",
        )?
        .query_row(params![source, crossing.session, crossing.seq], |row| row.get::<_, bool>(0))?;
    if is_in_totals {
        add_total(change, source, &crossing.line, crossing.sign, -1)?;
    }
    remove_from_areas(change, source, crossing)
}

fn add_quarter(
    change: &Connection,
    source: &str,
    crossing: &Crossing,
    wall: i64,
    by: i64,
) -> rusqlite::Result<()> {
    let (quarter, sign) = (quarter_of(wall), crossing.sign);
    let (total_in, total_out) = (by * i64::from(sign == 1), by * i64::from(sign == -1));
    change
        .prepare_cached(
            "INSERT INTO quarters VALUES (?1, ?2, ?3, MAX(?4, 0), MAX(?5, 0)) ON CONFLICT DO UPDATE SET \
             total_in = MAX(total_in + ?4, 0), total_out = MAX(total_out + ?5, 0)",
        )?
        .execute(params![source, crossing.line, quarter, total_in, total_out])?;
    // The highest occupancy stays what it was thought to be.
    let net = by * sign;
    change
        .prepare_cached(
            "INSERT INTO occupancy VALUES (?1, ?2, 0, ?3, MAX(?3, 0), 0) ON CONFLICT DO UPDATE SET \
             net = net + ?3, before = IIF(reset, before, MAX(before, net + ?3)), \
             after = IIF(reset, MAX(after, net + ?3), 0)",
        )?
        .execute(params![source, quarter, net])
        .map(drop)
}

/// As the trigger of the ledger adds it.
fn remove_from_areas(change: &Connection, source: &str, crossing: &Crossing) -> rusqlite::Result<()> {
    let own = "(SELECT area AS name, sign FROM area_lines AS l WHERE source = ?1 AND (line = ?2 OR line = '*' AND NOT EXISTS \
         (SELECT 1 FROM area_lines AS e WHERE e.area = l.area AND e.source = ?1 AND e.line = ?2))) AS own";
    change
        .prepare_cached(&format!(
            "UPDATE area_quarters SET total_in = MAX(total_in - (?3 * own.sign = 1), 0), \
             total_out = MAX(total_out - (?3 * own.sign = -1), 0) FROM {own} \
             WHERE area_quarters.area = own.name AND quarter = ?4"
        ))?
        .execute(params![source, crossing.line, crossing.sign, quarter_of(crossing.wall)])?;
    change
        .prepare_cached(&format!(
            "UPDATE areas SET total_in = MAX(total_in - (?3 * own.sign = 1), 0), \
             total_out = MAX(total_out - (?3 * own.sign = -1), 0) FROM {own} \
             WHERE areas.area = own.name AND NOT EXISTS (SELECT 1 FROM corrections AS k WHERE k.area = own.name \
                 AND (k.session, k.seq) > (?4, ?5)) AND known_ms <= ?6"
        ))?
        .execute(params![
            source,
            crossing.line,
            crossing.sign,
            crossing.session,
            crossing.seq,
            crossing.wall
        ])
        .map(drop)
}
