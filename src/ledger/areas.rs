//! Areas in the ledger: the number inside of each, its corrections, and sums by the quarter of an hour.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use crate::model::{AreaEvent, AreaLine, AreaRecord, CorrectionReason, Direction, Drift};

/// A correction of the number inside an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// When, in milliseconds since the Unix epoch.
    pub wall: i64,
    /// Of which area.
    pub area: String,
    /// What the number was.
    pub before: i64,
    /// What it is.
    pub after: i64,
    /// People who entered since the correction before.
    pub total_in: u64,
    /// People who left since the correction before.
    pub total_out: u64,
    /// Why.
    pub reason: CorrectionReason,
    /// Name of the user; empty where the program did it.
    pub who: String,
    /// Whether the area had none before: then the number before was not known, and nothing is told of drift.
    pub is_first: bool,
}

/// What an area counted within a quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaQuarter {
    /// The area.
    pub area: String,
    /// When the quarter begins, in milliseconds since the Unix epoch.
    pub from: i64,
    /// People who entered.
    pub total_in: u64,
    /// People who left.
    pub total_out: u64,
    /// The highest number inside.
    pub high: i64,
    /// When that was, in milliseconds since the Unix epoch.
    pub high_at: i64,
}

/// The numbers inside, as they are to be written: kept like totals, so that they go on in a new file.
#[derive(Default)]
pub struct AreaBook {
    areas: BTreeMap<String, AreaRecord>,
    changed: BTreeSet<String>,
}

impl AreaBook {
    /// What is known of each area.
    pub fn records(&self) -> Vec<AreaRecord> {
        self.areas.values().cloned().collect()
    }

    /// Goes on from what a file holds, on top of what was counted before it could be opened.
    pub fn resume(&mut self, records: Vec<AreaRecord>) {
        for record in records {
            match self.areas.get_mut(&record.name) {
                Some(own) => {
                    // A correction since then is the better number.
                    if own.corrected.is_none() {
                        own.base += record.base;
                        own.total_in += record.total_in;
                        own.total_out += record.total_out;
                        (own.corrected, own.known) = (record.corrected, record.known);
                    }
                }
                None => drop(self.areas.insert(record.name.clone(), record)),
            }
        }
    }

    /// Counts a crossing.
    pub fn crossing(&mut self, source: &str, line: &str, direction: Direction) {
        for (name, area) in &mut self.areas {
            let Some(of) = AreaLine::find(&area.lines, source, line) else { continue };
            match of.seen(direction) {
                Direction::In => area.total_in += 1,
                Direction::Out => area.total_out += 1,
            }
            self.changed.insert(name.clone());
        }
    }

    /// Takes over what happened to an area at this wall time.
    pub fn event(&mut self, name: &str, wall: i64, event: &AreaEvent) {
        let new = || AreaRecord { name: name.to_owned(), known: wall, ..AreaRecord::default() };
        match event {
            AreaEvent::Lines { lines } => {
                self.areas.entry(name.to_owned()).or_insert_with(new).lines.clone_from(lines);
            }
            AreaEvent::Corrected { after, .. } => {
                let area = self.areas.entry(name.to_owned()).or_insert_with(new);
                (area.base, area.total_in, area.total_out) = (*after, 0, 0);
                area.corrected = Some(wall);
            }
            AreaEvent::Threshold { .. } => return,
        }
        self.changed.insert(name.to_owned());
    }

    /// Writes the numbers that have changed, or all of them: after the rows of the same commit.
    pub fn write(&self, change: &Connection, all: bool) -> rusqlite::Result<()> {
        for area in self.areas.values().filter(|area| all || self.changed.contains(&area.name)) {
            change.prepare_cached("INSERT OR REPLACE INTO areas VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
                params![
                    area.name,
                    area.base,
                    area.total_in.cast_signed(),
                    area.total_out.cast_signed(),
                    area.known,
                    area.corrected,
                ],
            )?;
            if all {
                write_lines(change, &area.name, &area.lines)?;
            }
        }
        Ok(())
    }

    /// What has changed is written.
    pub fn written(&mut self) {
        self.changed.clear();
    }
}

/// From now on these lines lead into the area.
pub fn write_lines(change: &Connection, area: &str, lines: &[AreaLine]) -> rusqlite::Result<()> {
    change.prepare_cached("DELETE FROM area_lines WHERE area = ?1")?.execute([area])?;
    let mut insert = change.prepare_cached("INSERT INTO area_lines VALUES (?1, ?2, ?3, ?4)")?;
    for AreaLine { source, line, turned } in lines {
        let sign = if *turned { -1 } else { 1 };
        insert.execute(params![area, &**source, line.as_deref().unwrap_or("*"), sign])?;
    }
    Ok(())
}

/// Notes what happened to an area. What is there already stays as it is.
pub fn write_event(
    change: &Connection,
    (session, sequence): (i64, i64),
    wall: i64,
    area: &str,
    event: &AreaEvent,
) -> rusqlite::Result<()> {
    match event {
        AreaEvent::Lines { lines } => {
            change
                .prepare_cached("INSERT OR IGNORE INTO areas VALUES (?1, 0, 0, 0, ?2, NULL)")?
                .execute(params![area, wall])?;
            write_lines(change, area, lines)
        }
        AreaEvent::Corrected { before, after, total_in, total_out, reason, who } => {
            let correction = Correction {
                wall,
                area: area.to_owned(),
                before: *before,
                after: *after,
                total_in: *total_in,
                total_out: *total_out,
                reason: *reason,
                who: who.clone(),
                is_first: false,
            };
            write_correction(change, (session, sequence), &correction)
        }
        AreaEvent::Threshold { .. } => Ok(()),
    }
}

/// Notes a correction at this place in the order of the crossings.
pub fn write_correction(
    change: &Connection,
    (session, sequence): (i64, i64),
    correction: &Correction,
) -> rusqlite::Result<()> {
    let Correction { wall, area, before, after, total_in, total_out, reason, who, is_first: _ } = correction;
    let (total_in, total_out) = (total_in.cast_signed(), total_out.cast_signed());
    change
        .prepare_cached("INSERT OR IGNORE INTO corrections VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
        .execute(params![
            session,
            sequence,
            wall,
            area,
            before,
            after,
            total_in,
            total_out,
            reason.word(),
            who
        ])
        .map(|_| ())
}

/// All that is known of areas, also of those that are not counted now.
pub fn read_records(connection: &Connection) -> rusqlite::Result<Vec<AreaRecord>> {
    let mut query = connection
        .prepare("SELECT area, base, total_in, total_out, known_ms, corrected_ms FROM areas ORDER BY area")?;
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    let rows = query.query_map([], |row| {
        Ok(AreaRecord {
            name: row.get(0)?,
            base: row.get(1)?,
            total_in: count(row.get(2)?),
            total_out: count(row.get(3)?),
            known: row.get(4)?,
            corrected: row.get(5)?,
            ..AreaRecord::default()
        })
    })?;
    let mut records: Vec<AreaRecord> = rows.collect::<Result<_, _>>()?;
    let mut lines =
        connection.prepare("SELECT source, line, sign FROM area_lines WHERE area = ?1 ORDER BY rowid")?;
    let mut corrections = connection.prepare(
        "SELECT before, after, total_in, wall_ms, reason, (session, seq) = (SELECT session, seq FROM corrections \
         WHERE area = ?1 ORDER BY session, seq LIMIT 1) FROM corrections WHERE area = ?1 \
         ORDER BY session DESC, seq DESC LIMIT ?2",
    )?;
    for record in &mut records {
        let line = |row: &rusqlite::Row<'_>| {
            let (source, line): (String, String) = (row.get(0)?, row.get(1)?);
            let turned = row.get::<_, i64>(2)? < 0;
            Ok(AreaLine { source: source.into(), line: (line != "*").then_some(line), turned })
        };
        record.lines = lines.query_map([&record.name], line)?.collect::<Result<_, _>>()?;
        let correction = |row: &rusqlite::Row<'_>| {
            let drift = (row.get(0)?, row.get(1)?, count(row.get(2)?));
            let (wall, reason, is_first): (i64, String, bool) = (row.get(3)?, row.get(4)?, row.get(5)?);
            Ok((drift, wall, reason, is_first))
        };
        let found = corrections.query_map(params![record.name, Drift::MOST as i64], correction)?;
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let is_reset = |reason: &str| reason == CorrectionReason::Reset.word();
        record.reset = found.iter().find(|(_, _, reason, _)| is_reset(reason)).map(|(_, wall, ..)| *wall);
        let telling = found.into_iter().rev().filter(|(.., is_first)| !is_first);
        record.corrections = telling.map(|(drift, ..)| drift).collect();
    }
    Ok(records)
}

/// Corrections from `from` up to but without `to`, in their order.
pub fn read_corrections(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<Vec<Correction>> {
    let mut query = connection.prepare(
        "SELECT wall_ms, area, before, after, total_in, total_out, reason, who, \
         NOT EXISTS (SELECT 1 FROM corrections AS e WHERE e.area = c.area \
             AND (e.session, e.seq) < (c.session, c.seq)) FROM corrections AS c WHERE wall_ms >= ?1 AND wall_ms < ?2 ORDER BY session, seq",
    )?;
    let rows = query.query_map([from, to], |row| {
        let reason: String = row.get(6)?;
        Ok(Correction {
            wall: row.get(0)?,
            area: row.get(1)?,
            before: row.get(2)?,
            after: row.get(3)?,
            total_in: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
            total_out: u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0),
            reason: CorrectionReason::of_word(&reason).unwrap_or(CorrectionReason::Person),
            who: row.get(7)?,
            is_first: row.get(8)?,
        })
    })?;
    rows.collect()
}

/// Quarters that begin from `from` up to but without `to`, by area and in order.
pub fn read_quarters(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<Vec<AreaQuarter>> {
    let mut query = connection.prepare(
        "SELECT area, quarter * 900000, total_in, total_out, high, high_ms FROM area_quarters \
         WHERE quarter * 900000 >= ?1 AND quarter * 900000 < ?2 ORDER BY area, quarter",
    )?;
    let rows = query.query_map([from, to], |row| {
        Ok(AreaQuarter {
            area: row.get(0)?,
            from: row.get(1)?,
            total_in: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            total_out: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            high: row.get(4)?,
            high_at: row.get(5)?,
        })
    })?;
    rows.collect()
}
