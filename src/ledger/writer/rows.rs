//! Rows, totals and sessions as SQL.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use rusqlite::{Connection, params};

use super::watching::Watch;
use crate::{
    ledger::{
        areas,
        fleet::{Outgoing, write_outgoing},
        schedules::{self, Hours},
        webhooks,
    },
    model::{AreaEvent, Direction, Event, Scene, SourceId},
};

/// A row that waits for its commit.
pub enum PendingRow {
    Crossing {
        source: SourceId,
        sequence: u64,
        line: String,
        direction: Direction,
        wall: i64,
        mono: i64,
        source_time: f64,
        track: u64,
        confidence: f32,
    },
    Reset {
        source: SourceId,
        sequence: u64,
        wall: i64,
    },
    /// What is known of a source's scene, from this wall time on.
    Scene {
        source: SourceId,
        wall: i64,
        scene: Box<Scene>,
    },
    /// The opening hours of a source from now on.
    Schedule(SourceId, Hours),
    /// Something happened to an area.
    Area {
        area: String,
        sequence: u64,
        wall: i64,
        event: Box<AreaEvent>,
    },
    /// A change of state or a reached limit, for webhooks.
    Noted {
        event: Arc<Event>,
        sequence: u64,
        wall: i64,
    },
    /// Something that a fleet is to know.
    Outgoing(Box<Outgoing>),
    /// A source was watched from its first frame to its last.
    Watch(SourceId, Watch),
    /// The wall clock was set, so long after the session began.
    Jump {
        mono: i64,
        before: i64,
        after: i64,
    },
}

/// Notes that a session of these sources (`config` is their fingerprint) began at this wall time; gives its number.
pub fn begin_session(connection: &Connection, begun: i64, config: &str) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO sessions (started_ms, last_seen_ms, version, config) VALUES (?1, ?1, ?2, ?3)",
        params![begun, env!("CARGO_PKG_VERSION"), config],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Whether the file holds this session, begun at this wall time.
pub fn has_session(connection: &Connection, session: i64, begun: i64) -> rusqlite::Result<bool> {
    connection
        .prepare("SELECT 1 FROM sessions WHERE id = ?1 AND started_ms = ?2")?
        .exists(params![session, begun])
}

/// Rows that are there already stay as they are: a commit whose success could not be confirmed (the disk
/// failed after the last byte) is made again.
pub fn write_rows(change: &Connection, session: i64, rows: &VecDeque<PendingRow>) -> rusqlite::Result<()> {
    let mut crossing = change
        .prepare_cached("INSERT OR IGNORE INTO crossings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    for row in rows {
        match row {
            PendingRow::Crossing {
                source,
                sequence,
                line,
                direction,
                wall,
                mono,
                source_time,
                track,
                confidence,
            } => {
                let direction = if *direction == Direction::In { 1 } else { -1 };
                // SQLite has no NaN: it would be taken for a missing value and refused.
                let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
                crossing.execute(params![
                    session,
                    &**source,
                    *sequence as i64,
                    line,
                    direction,
                    wall,
                    mono,
                    finite(*source_time),
                    *track as i64,
                    finite(f64::from(*confidence)),
                ])?;
            }
            PendingRow::Reset { source, sequence, wall } => {
                write_reset(change, session, source, *sequence as i64, *wall)?;
            }
            PendingRow::Scene { source, wall, scene } => write_scene(change, source, *wall, scene)?,
            PendingRow::Schedule(source, hours) => schedules::write(change, source, hours)?,
            PendingRow::Area { area, sequence, wall, event } => {
                areas::write_event(change, (session, sequence.cast_signed()), *wall, area, event)?;
            }
            PendingRow::Noted { event, sequence, wall } => {
                webhooks::write_noted(change, (session, sequence.cast_signed()), *wall, event)?;
            }
            PendingRow::Outgoing(outgoing) => write_outgoing(change, session, outgoing)?,
            PendingRow::Watch(source, watch) => write_watch(change, session, source, *watch)?,
            PendingRow::Jump { mono, before, after } => write_jump(change, session, *mono, *before, *after)?,
        }
    }
    Ok(())
}

/// Notes that the counts of `source` were set to zero.
pub fn write_reset(
    change: &Connection,
    session: i64,
    source: &str,
    sequence: i64,
    wall: i64,
) -> rusqlite::Result<()> {
    change
        .prepare_cached(
            "INSERT INTO resets SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM resets \
             INDEXED BY resets_by_source WHERE source = ?2 AND wall_ms = ?4 AND session = ?1 AND seq = ?3)",
        )?
        .execute(params![session, source, sequence, wall])
        .map(|_| ())
}

/// Notes that the wall clock was set.
pub fn write_jump(
    change: &Connection,
    session: i64,
    mono: i64,
    before: i64,
    after: i64,
) -> rusqlite::Result<()> {
    change
        .prepare_cached(
            "INSERT INTO jumps SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM jumps \
             WHERE session = ?1 AND mono_ms = ?2 AND before_ms = ?3)",
        )?
        .execute(params![session, mono, before, after])
        .map(|_| ())
}

/// Notes that `source` was watched from here to here.
fn write_watch(change: &Connection, session: i64, source: &str, watch: Watch) -> rusqlite::Result<()> {
    change
        .prepare_cached("INSERT OR REPLACE INTO watches VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![session, source, watch.from, watch.to])
        .map(|_| ())
}

/// Notes all watches of these.
pub fn write_watches<'a>(
    change: &Connection,
    session: i64,
    watches: impl Iterator<Item = (&'a SourceId, Watch)>,
) -> rusqlite::Result<()> {
    for (source, watch) in watches {
        write_watch(change, session, source, watch)?;
    }
    Ok(())
}

/// Replaces the totals of `source`.
pub fn write_totals(
    change: &Connection,
    source: &str,
    lines: &BTreeMap<String, (u64, u64)>,
) -> rusqlite::Result<()> {
    change.prepare_cached("DELETE FROM totals WHERE source = ?1")?.execute([source])?;
    let mut insert = change.prepare_cached("INSERT INTO totals VALUES (?1, ?2, ?3, ?4)")?;
    for (line, (total_in, total_out)) in lines {
        insert.execute(params![source, line, *total_in as i64, *total_out as i64])?;
    }
    Ok(())
}

/// Replaces what is known of the scene of `source`.
fn write_scene(change: &Connection, source: &str, wall: i64, scene: &Scene) -> rusqlite::Result<()> {
    // A scene holds nothing that JSON could refuse.
    let text = serde_json::to_string(scene).unwrap_or_default();
    change
        .prepare_cached("INSERT OR REPLACE INTO scenes VALUES (?1, ?2, ?3)")?
        .execute(params![source, wall, text])
        .map(|_| ())
}

/// What is known of the scenes of all sources. What cannot be read is left out: it is learned again.
pub fn read_scenes(connection: &Connection) -> rusqlite::Result<BTreeMap<SourceId, Scene>> {
    let mut query = connection.prepare("SELECT source, scene FROM scenes")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let rows: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
    let known = rows
        .into_iter()
        .filter_map(|(source, text)| Some((SourceId::from(source), serde_json::from_str(&text).ok()?)));
    Ok(known.collect())
}

/// All totals: source, line, in, out.
pub fn read_totals(connection: &Connection) -> rusqlite::Result<Vec<(SourceId, String, u64, u64)>> {
    let mut query = connection.prepare("SELECT source, line, total_in, total_out FROM totals")?;
    let rows = query.query_map([], |row| {
        let count = |index| Ok::<_, rusqlite::Error>(u64::try_from(row.get::<_, i64>(index)?).unwrap_or(0));
        Ok((SourceId::from(row.get::<_, String>(0)?), row.get(1)?, count(2)?, count(3)?))
    })?;
    rows.collect()
}
