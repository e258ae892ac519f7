//! What a damaged ledger still holds, brought into a new one: row by row, whichever pages are gone.

mod fleet;
pub(super) mod pages;

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, params};

use self::{
    fleet::FleetRow,
    pages::{Pages, RowLocation, Value},
};
use super::{
    LedgerError, actions,
    areas::{self, Correction},
    clock_check::Memory,
    deletions::{self, Deletion},
    judgments, names, open,
    schedules::{self, Hours},
    schema,
    sums::{self, Flow},
    writer::rows,
};
use crate::model::{Action, CorrectionReason, Crossed, Direction, Judgment, Reason, SourceId, Verdict};

/// Totals by source and line.
pub type Totals = BTreeMap<SourceId, BTreeMap<String, (u64, u64)>>;

/// Pages read in one step; some 20 ms.
pub const STEP: u32 = 64;

/// A row of a ledger.
enum SalvagedRow {
    Session([i64; 3], Option<i64>, [String; 2]),
    Crossing(Box<Crossing>),
    Reset(i64, String, i64, i64),
    Watch(i64, String, i64, i64),
    Total(String, String, i64, i64),
    Quarter((String, String, i64), (i64, i64)),
    Flow((String, i64), Flow),
    Jump([i64; 4]),
    Clock(Memory),
    Deletion(Deletion),
    Judgment(Box<Judgment>),
    Action(Box<Action>),
    Schedule(String, Hours),
    Area((String, [i64; 4]), Option<i64>),
    AreaLine(String, String, String, i64),
    AreaQuarter((i64, String), [i64; 4]),
    Correction((i64, i64), Box<Correction>),
    /// Of a fleet.
    Fleet(FleetRow),
    /// Its sums were not complete.
    Unsummed,
}

struct Crossing {
    session: i64,
    source: String,
    sequence: i64,
    line: String,
    direction: i64,
    wall: i64,
    mono: i64,
    time: f64,
    track: i64,
    confidence: f64,
}

/// Which row of ours `values` are, by their number and kinds.
fn classify(place: RowLocation, values: &[Value]) -> Option<SalvagedRow> {
    use Value::{Int, Null, Real, Text};
    let real = |value: &Value| match value {
        Int(value) => Some(*value as f64),
        Real(value) => Some(*value),
        _ => None,
    };
    if let Some(row) = FleetRow::of(place, values) {
        return Some(SalvagedRow::Fleet(row));
    }
    Some(match (place, values) {
        (
            RowLocation::Index,
            [
                Int(session),
                Text(source),
                Int(sequence),
                Text(line),
                Int(direction @ (1 | -1)),
                Int(wall),
                Int(mono),
                time,
                Int(track),
                confidence,
            ],
        ) => SalvagedRow::Crossing(Box::new(Crossing {
            session: *session,
            source: source.clone(),
            sequence: *sequence,
            line: line.clone(),
            direction: *direction,
            wall: *wall,
            mono: *mono,
            time: real(time)?,
            track: *track,
            confidence: real(confidence)?,
        })),
        (RowLocation::Index, [Int(session), Text(source), Int(from), Int(to)]) => {
            SalvagedRow::Watch(*session, source.clone(), *from, *to)
        }
        (RowLocation::Index, [Text(source), Text(line), Int(total_in), Int(total_out)]) => {
            SalvagedRow::Total(source.clone(), line.clone(), *total_in, *total_out)
        }
        (RowLocation::Index, [Text(source), Text(line), Int(quarter), Int(total_in), Int(total_out)]) => {
            SalvagedRow::Quarter((source.clone(), line.clone(), *quarter), (*total_in, *total_out))
        }
        (
            RowLocation::Index,
            [Text(source), Int(quarter), Int(reset @ (0 | 1)), Int(net), Int(before), Int(after)],
        ) => {
            let flow = Flow { reset: *reset == 1, net: *net, before: *before, after: *after };
            SalvagedRow::Flow((source.clone(), *quarter), flow)
        }
        (
            RowLocation::Table(id),
            [Null, Int(started), Int(seen), ended @ (Null | Int(_)), Text(version), Text(config)],
        ) => {
            let ended = if let Int(ended) = ended { Some(*ended) } else { None };
            SalvagedRow::Session([id, *started, *seen], ended, [version.clone(), config.clone()])
        }
        (RowLocation::Table(_), [Int(session), Text(source), Int(sequence), Int(wall)]) => {
            SalvagedRow::Reset(*session, source.clone(), *sequence, *wall)
        }
        (RowLocation::Table(_), [Int(session), Int(mono), Int(before), Int(after)]) => {
            SalvagedRow::Jump([*session, *mono, *before, *after])
        }
        (
            RowLocation::Table(_),
            [Text(boot), Int(offset), Int(ran), cleaned @ (Null | Int(_)), Int(seen)],
        ) => {
            let cleaned = if let Int(cleaned) = cleaned { Some(*cleaned) } else { None };
            SalvagedRow::Clock(Memory {
                boot: boot.clone(),
                offset: *offset,
                ran: *ran,
                cleaned,
                seen: *seen,
            })
        }
        (
            RowLocation::Table(_),
            [Int(wall), Int(from), Int(to), source @ (Null | Text(_)), Int(strips), Text(who)],
        ) => SalvagedRow::Deletion(Deletion {
            wall: *wall,
            from: *from,
            to: *to,
            source: if let Text(source) = source { Some(source.as_str().into()) } else { None },
            strips: strips.unsigned_abs(),
            who: who.clone(),
        }),
        (
            RowLocation::Table(_),
            [
                Int(judged),
                Int(wall),
                Text(source),
                Text(line),
                Int(track),
                Int(direction @ (1 | -1)),
                reason @ (Null | Text(_)),
                Text(verdict),
                weight,
                Text(who),
            ],
        ) => SalvagedRow::Judgment(Box::new(Judgment {
            wall: *judged,
            crossed: Crossed {
                wall: *wall,
                source: source.as_str().into(),
                line: line.clone(),
                track: track.cast_unsigned(),
            },
            direction: if *direction == 1 { Direction::In } else { Direction::Out },
            reason: if let Text(reason) = reason { Reason::of_word(reason) } else { None },
            verdict: Verdict::of_word(verdict)?,
            weight: real(weight),
            who: who.clone(),
        })),
        (
            RowLocation::Table(_),
            [
                Int(wall),
                Text(who),
                Text(from),
                source @ (Null | Text(_)),
                Text(what),
                detail @ (Null | Text(_)),
            ],
        ) => SalvagedRow::Action(Box::new(Action {
            wall: *wall,
            who: who.clone(),
            from: from.clone(),
            source: if let Text(source) = source { Some(source.as_str().into()) } else { None },
            what: what.clone(),
            detail: if let Text(detail) = detail { Some(detail.clone()) } else { None },
        })),
        (RowLocation::Table(_), [Int(from), Text(source), Text(schedule), Text(timezone)]) => {
            let (schedule, timezone) = (schedule.clone(), timezone.clone());
            SalvagedRow::Schedule(source.clone(), Hours { from: *from, schedule, timezone })
        }
        (
            RowLocation::Table(_),
            [Text(area), Int(base), Int(total_in), Int(total_out), Int(known), corrected @ (Null | Int(_))],
        ) => {
            let corrected = if let Int(corrected) = corrected { Some(*corrected) } else { None };
            SalvagedRow::Area((area.clone(), [*base, *total_in, *total_out, *known]), corrected)
        }
        (RowLocation::Table(_), [Text(area), Text(source), Text(line), Int(sign @ (1 | -1))]) => {
            SalvagedRow::AreaLine(area.clone(), source.clone(), line.clone(), *sign)
        }
        (
            RowLocation::Table(_),
            [Int(quarter), Text(area), Int(total_in), Int(total_out), Int(high), Int(at)],
        ) => SalvagedRow::AreaQuarter((*quarter, area.clone()), [*total_in, *total_out, *high, *at]),
        (
            RowLocation::Table(_),
            [
                Int(session),
                Int(sequence),
                Int(wall),
                Text(area),
                Int(before),
                Int(after),
                Int(total_in),
                Int(total_out),
                Text(reason),
                Text(who),
            ],
        ) => SalvagedRow::Correction(
            (*session, *sequence),
            Box::new(Correction {
                wall: *wall,
                area: area.clone(),
                before: *before,
                after: *after,
                total_in: total_in.unsigned_abs(),
                total_out: total_out.unsigned_abs(),
                reason: CorrectionReason::of_word(reason)?,
                who: who.clone(),
                is_first: false,
            }),
        ),
        (RowLocation::Table(_), [Int(_), Text(_), Int(_)]) => SalvagedRow::Unsummed,
        (RowLocation::Table(_), [Text(aside), Int(_)]) if aside.contains(names::ASIDE) => {
            SalvagedRow::Unsummed
        }
        _ => return None,
    })
}

/// A damaged ledger on its way into a new one.
pub struct Salvage {
    aside: PathBuf,
    pages: Pages,
    /// The next page; after the last one come the uncertain ones.
    next: u32,
    sessions: HashSet<i64>,
    quarters: BTreeMap<(String, String, i64), (i64, i64)>,
    flows: BTreeMap<(String, i64), Flow>,
    /// Totals as they were noted, and whether that is all of them.
    totals: Totals,
    has_all_totals: bool,
    has_sums: bool,
    /// Crossings brought over so far.
    pub crossings: u64,
}

impl Salvage {
    /// Brings everything but crossings from the file `aside` into the empty ledger `connection`, in one transaction,
    /// and leaves room for the numbers of its sessions. Goes on before page `next` where an earlier run has ended.
    pub fn begin(connection: &mut Connection, aside: &Path, next: u32) -> Result<Self, LedgerError> {
        let sql = |error: rusqlite::Error| LedgerError::sql(aside, &error);
        let pages = Pages::open(aside).map_err(|error| LedgerError::io(aside, &error))?;
        let noted = noted_totals(aside);
        let mut this = Self {
            aside: aside.to_owned(),
            next: next.max(1),
            sessions: HashSet::new(),
            quarters: BTreeMap::new(),
            flows: BTreeMap::new(),
            has_all_totals: noted.is_some(),
            has_sums: true,
            totals: noted.unwrap_or_default(),
            crossings: 0,
            pages,
        };
        let (mut found, mut last) = (Vec::new(), 0);
        for page in 1..=this.pages.count {
            this.pages.rows(page, &mut |place, values| match classify(place, &values) {
                Some(SalvagedRow::Crossing(crossing)) => last = last.max(crossing.session),
                Some(SalvagedRow::Session(session, ended, words)) => {
                    last = last.max(session[0]);
                    found.push(SalvagedRow::Session(session, ended, words));
                }
                Some(other) => found.push(other),
                None => {}
            });
        }
        for at in &this.pages.uncertain {
            this.pages.uncertain_rows(*at, &mut |place, values| {
                if let Some(SalvagedRow::Crossing(crossing)) = classify(place, &values) {
                    last = last.max(crossing.session);
                }
            });
        }
        let change = connection.transaction().map_err(sql)?;
        // Sessions first: the others refer to them.
        // Numbers of areas come last: corrections change them.
        found.sort_by_key(|found| match found {
            SalvagedRow::Session(..) => 0,
            SalvagedRow::Correction(..) => 1,
            _ => 2,
        });
        for found in found {
            this.note(&change, found).map_err(sql)?;
        }
        // The next session of the new ledger comes after all of the old one.
        change.execute("DELETE FROM sqlite_sequence WHERE name = 'sessions'", []).map_err(sql)?;
        change.execute("INSERT INTO sqlite_sequence VALUES ('sessions', ?1)", [last]).map_err(sql)?;
        change.execute("DELETE FROM salvage", []).map_err(sql)?;
        let name = aside.file_name().unwrap_or_default().to_string_lossy();
        change.execute("INSERT INTO salvage VALUES (?1, ?2)", params![name, this.next]).map_err(sql)?;
        change.commit().map_err(sql)?;
        Ok(this)
    }

    fn note(&mut self, change: &Connection, found: SalvagedRow) -> rusqlite::Result<()> {
        match found {
            SalvagedRow::Session([id, started, seen], ended, [version, config]) => {
                let values = params![id, started, seen, ended, version, config];
                change
                    .prepare_cached("INSERT OR IGNORE INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(values)?;
                self.sessions.insert(id);
            }
            SalvagedRow::Crossing(crossing) => self.crossing(change, &crossing)?,
            SalvagedRow::Reset(session, source, sequence, wall) => {
                self.needs_session(change, session, wall)?;
                rows::write_reset(change, session, &source, sequence, wall)?;
            }
            SalvagedRow::Watch(session, source, from, to) => {
                self.needs_session(change, session, from)?;
                change
                    .prepare_cached(
                        "INSERT INTO watches VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET \
                         to_ms = MAX(to_ms, excluded.to_ms)",
                    )?
                    .execute(params![session, source, from, to])?;
            }
            SalvagedRow::Total(source, line, total_in, total_out) if !self.has_all_totals => {
                let count = |count: i64| u64::try_from(count).unwrap_or(0);
                let lines = self.totals.entry(source.into()).or_default();
                lines.insert(line, (count(total_in), count(total_out)));
            }
            SalvagedRow::Total(..) => {}
            SalvagedRow::Quarter(at, (total_in, total_out)) => {
                let sum = self.quarters.entry(at).or_default();
                *sum = (sum.0.max(total_in), sum.1.max(total_out));
            }
            SalvagedRow::Flow(at, flow) => {
                self.flows.insert(at, flow);
            }
            SalvagedRow::Jump([session, mono, before, after]) => {
                rows::write_jump(change, session, mono, before, after)?;
            }
            SalvagedRow::Clock(memory) => schema::write_clock(change, &memory)?,
            SalvagedRow::Deletion(deletion) => deletions::write(change, &deletion)?,
            SalvagedRow::Judgment(judgment) => judgments::write(change, &judgment)?,
            SalvagedRow::Action(action) => actions::write(change, &action)?,
            SalvagedRow::Schedule(source, hours) => schedules::write(change, &source, &hours)?,
            SalvagedRow::Area((area, [base, total_in, total_out, known]), corrected) => {
                change
                    .prepare_cached("INSERT OR REPLACE INTO areas VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![area, base, total_in, total_out, known, corrected])?;
            }
            SalvagedRow::AreaLine(area, source, line, sign) => {
                change
                    .prepare_cached("INSERT OR REPLACE INTO area_lines VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![area, source, line, sign])?;
            }
            SalvagedRow::AreaQuarter((quarter, area), [total_in, total_out, high, at]) => {
                change
                    .prepare_cached("INSERT OR REPLACE INTO area_quarters VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![quarter, area, total_in, total_out, high, at])?;
            }
            SalvagedRow::Fleet(row) => row.write(change)?,
            SalvagedRow::Correction(at, correction) => areas::write_correction(change, at, &correction)?,
            SalvagedRow::Unsummed => self.has_sums = false,
        }
        Ok(())
    }

    /// Rows refer to their session, which may be lost.
    fn needs_session(&mut self, change: &Connection, session: i64, wall: i64) -> rusqlite::Result<()> {
        if self.sessions.insert(session) {
            change
                .prepare_cached("INSERT OR IGNORE INTO sessions VALUES (?1, ?2, ?2, NULL, '', '')")?
                .execute([session, wall])?;
        }
        Ok(())
    }

    fn crossing(&mut self, change: &Connection, found: &Crossing) -> rusqlite::Result<()> {
        self.needs_session(change, found.session, found.wall)?;
        let new = change
            .prepare_cached(
                "INSERT OR IGNORE INTO crossings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                found.session,
                found.source,
                found.sequence,
                found.line,
                found.direction,
                found.wall,
                found.mono,
                found.time,
                found.track,
                found.confidence,
            ])?;
        self.crossings += new as u64;
        Ok(())
    }

    /// Brings the crossings of the next [`STEP`] pages over, in one transaction. `false` when there are no more: then
    /// the old sums are taken where they are higher, because the rows of some are lost, up to `upto`, a moment from
    /// which on there are new ones.
    pub fn step(&mut self, connection: &mut Connection, upto: i64) -> Result<bool, LedgerError> {
        let path = self.aside.clone();
        let sql = |error: rusqlite::Error| LedgerError::sql(&path, &error);
        let change = connection.transaction().map_err(sql)?;
        let mut found = Vec::new();
        let mut take = |place, values: Vec<Value>| {
            if let Some(SalvagedRow::Crossing(crossing)) = classify(place, &values) {
                found.push(crossing);
            }
        };
        let more = self.next <= self.pages.count;
        if more {
            let last = self.next.saturating_add(STEP - 1).min(self.pages.count);
            (self.next..=last).for_each(|page| self.pages.rows(page, &mut take));
            self.next = last + 1;
        } else {
            self.pages.uncertain.iter().for_each(|at| self.pages.uncertain_rows(*at, &mut take));
        }
        // The numbers of areas have been brought over as they were: no line leads into one while crossings follow. No id of
        // a source holds a slash.
        change.execute("UPDATE area_lines SET source = '/' || source", []).map_err(sql)?;
        for crossing in found {
            self.crossing(&change, &crossing).map_err(sql)?;
        }
        change.execute("UPDATE area_lines SET source = substr(source, 2)", []).map_err(sql)?;
        change.execute("UPDATE salvage SET page = ?1", [self.next]).map_err(sql)?;
        if !more {
            if self.has_sums {
                self.take_sums(&change, sums::quarter_of(upto)).map_err(sql)?;
            }
            change.execute("DELETE FROM salvage", []).map_err(sql)?;
        }
        change.commit().map_err(sql)?;
        Ok(more)
    }

    fn take_sums(&mut self, change: &Connection, upto: i64) -> rusqlite::Result<()> {
        let mut higher = change.prepare_cached(
            "INSERT INTO quarters VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
             total_in = MAX(total_in, excluded.total_in), total_out = MAX(total_out, excluded.total_out)",
        )?;
        for ((source, line, quarter), (total_in, total_out)) in std::mem::take(&mut self.quarters) {
            if quarter < upto {
                higher.execute(params![source, line, quarter, total_in, total_out])?;
            }
        }
        for ((source, quarter), flow) in std::mem::take(&mut self.flows) {
            if quarter < upto {
                sums::write_flow(change, &source, quarter, flow)?;
            }
        }
        Ok(())
    }

    /// The totals to go on from: as they were noted, else as many as the crossings brought over so far add up to since the last
    /// reset, where that is more.
    pub fn totals(&self, connection: &Connection) -> rusqlite::Result<Totals> {
        let mut totals = Totals::new();
        if !self.has_all_totals || self.pages.is_log_damaged {
            let mut counted = connection.prepare(
                "SELECT source, line, SUM(direction = 1), SUM(direction = -1) FROM crossings \
                 WHERE NOT EXISTS (SELECT 1 FROM resets WHERE resets.source = crossings.source \
                 AND (resets.session, resets.seq) > (crossings.session, crossings.seq)) GROUP BY source, line",
            )?;
            let mut counted = counted.query([])?;
            while let Some(row) = counted.next()? {
                let source = SourceId::from(row.get::<_, String>(0)?);
                let counts: (i64, i64) = (row.get(2)?, row.get(3)?);
                let counts = (counts.0.unsigned_abs(), counts.1.unsigned_abs());
                totals.entry(source).or_default().insert(row.get(1)?, counts);
            }
        }
        for (source, lines) in &self.totals {
            let known = totals.entry(source.clone()).or_default();
            for (line, (total_in, total_out)) in lines {
                // Of both, one lacks the rows that are lost, or the last ones.
                let counts = known.entry(line.clone()).or_default();
                *counts = (counts.0.max(*total_in), counts.1.max(*total_out));
            }
        }
        Ok(totals)
    }
}

/// The totals of the file at `path`, if all of them can be read.
fn noted_totals(path: &Path) -> Option<Totals> {
    let (connection, _) = open::open_read_only(path).ok()?;
    let mut totals = Totals::new();
    for (source, line, total_in, total_out) in rows::read_totals(&connection).ok()? {
        totals.entry(source).or_default().insert(line, (total_in, total_out));
    }
    Some(totals)
}

/// Reads what the damaged file at `path` still holds into a ledger in memory, and says how much that is.
pub fn into_memory(path: &Path) -> Result<(Connection, String), LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let mut connection = Connection::open_in_memory().map_err(sql)?;
    schema::migrate(&mut connection, path, 0)?;
    let mut salvage = Salvage::begin(&mut connection, path, 0)?;
    while salvage.step(&mut connection, i64::MAX)? {}
    let totals = salvage.totals(&connection).map_err(sql)?;
    for (source, lines) in &totals {
        rows::write_totals(&connection, source, lines).map_err(sql)?;
    }
    Ok((connection, format!("{} crossings", salvage.crossings)))
}
