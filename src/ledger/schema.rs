//! The tables and their versions.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    LedgerError,
    clock_check::{JUMP, Memory},
};

/// Each step takes a ledger one version further; `user_version` counts the steps taken.
const MIGRATIONS: [&str; 11] = [
    "
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        started_ms INTEGER NOT NULL,
        last_seen_ms INTEGER NOT NULL,
        ended_ms INTEGER,
        version TEXT NOT NULL,
        config TEXT NOT NULL
    ) STRICT;
    CREATE TABLE crossings (
        session INTEGER NOT NULL REFERENCES sessions (id),
        source TEXT NOT NULL,
        seq INTEGER NOT NULL,
        line TEXT NOT NULL,
        direction INTEGER NOT NULL CHECK (direction IN (1, -1)),
        wall_ms INTEGER NOT NULL,
        mono_ms INTEGER NOT NULL,
        source_time REAL NOT NULL,
        track INTEGER NOT NULL,
        confidence REAL NOT NULL,
        PRIMARY KEY (session, source, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX crossings_by_time ON crossings (wall_ms);
    CREATE TABLE resets (
        session INTEGER NOT NULL REFERENCES sessions (id),
        source TEXT NOT NULL,
        seq INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE watches (
        session INTEGER NOT NULL REFERENCES sessions (id),
        source TEXT NOT NULL,
        from_ms INTEGER NOT NULL,
        to_ms INTEGER NOT NULL,
        PRIMARY KEY (session, source, from_ms)
    ) STRICT, WITHOUT ROWID;
    ",
    // Totals of their own: read at once however long the ledger, and kept when old crossings are removed.
    "
    CREATE TABLE totals (
        source TEXT NOT NULL,
        line TEXT NOT NULL,
        total_in INTEGER NOT NULL,
        total_out INTEGER NOT NULL,
        PRIMARY KEY (source, line)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO totals
        SELECT source, line, SUM(direction = 1), SUM(direction = -1) FROM crossings
        WHERE NOT EXISTS (
            SELECT 1 FROM resets
            WHERE resets.source = crossings.source
              AND (resets.session, resets.seq) > (crossings.session, crossings.seq))
        GROUP BY source, line;
    ",
    // Sums by the quarter of an hour, so that reports take no longer with the years: kept by triggers, in the
    // transaction of the crossing. `occupancy` holds what a quarter does to the occupancy: `net` since its begin or
    // its last reset, `before` the highest of that before its first reset (-2^40 where there is none), `after` the
    // highest since. `summing` says
    // which older crossings have not been summed yet; the writer sees to them in small steps, the latest first.
    "
    CREATE TABLE quarters (
        source TEXT NOT NULL,
        line TEXT NOT NULL,
        quarter INTEGER NOT NULL,
        total_in INTEGER NOT NULL,
        total_out INTEGER NOT NULL,
        PRIMARY KEY (source, line, quarter)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE occupancy (
        source TEXT NOT NULL,
        quarter INTEGER NOT NULL,
        reset INTEGER NOT NULL,
        net INTEGER NOT NULL,
        before INTEGER NOT NULL,
        after INTEGER NOT NULL,
        PRIMARY KEY (source, quarter)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER crossing_summed AFTER INSERT ON crossings BEGIN
        INSERT INTO quarters VALUES
            (NEW.source, NEW.line, NEW.wall_ms / 900000, NEW.direction = 1, NEW.direction = -1)
            ON CONFLICT DO UPDATE SET
                total_in = total_in + excluded.total_in, total_out = total_out + excluded.total_out;
        INSERT INTO occupancy VALUES
            (NEW.source, NEW.wall_ms / 900000, 0, NEW.direction, MAX(NEW.direction, 0), 0)
            ON CONFLICT DO UPDATE SET
                net = net + NEW.direction,
                before = IIF(reset, before, MAX(before, net + NEW.direction)),
                after = IIF(reset, MAX(after, net + NEW.direction), 0);
    END;
    CREATE TRIGGER reset_summed AFTER INSERT ON resets BEGIN
        INSERT INTO occupancy VALUES (NEW.source, NEW.wall_ms / 900000, 1, 0, -1099511627776, 0)
            ON CONFLICT DO UPDATE SET reset = 1, net = 0;
    END;
    CREATE TABLE summing (session INTEGER NOT NULL, source TEXT NOT NULL, seq INTEGER NOT NULL) STRICT;
    INSERT INTO summing SELECT MAX(id) + 1, '', 0 FROM sessions
        WHERE EXISTS (SELECT 1 FROM crossings) OR EXISTS (SELECT 1 FROM resets) HAVING MAX(id) IS NOT NULL;
    CREATE INDEX watches_by_source ON watches (source, to_ms);
    CREATE INDEX resets_by_source ON resets (source, wall_ms);
    CREATE TABLE jumps (
        session INTEGER NOT NULL,
        mono_ms INTEGER NOT NULL,
        before_ms INTEGER NOT NULL,
        after_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE clock (
        boot TEXT NOT NULL,
        offset_ms INTEGER NOT NULL,
        ran_ms INTEGER NOT NULL,
        cleaned_ms INTEGER,
        seen_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE salvage (aside TEXT NOT NULL, page INTEGER NOT NULL) STRICT;
    ",
    // What is known of the scenes of cameras, as JSON. Lost with a damaged file: it is learned again.
    "
    CREATE TABLE scenes (
        source TEXT NOT NULL PRIMARY KEY,
        wall_ms INTEGER NOT NULL,
        scene TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    ",
    // Stretches of time whose pictures a user has deleted, so that what is missing has a reason.
    "
    CREATE TABLE evidence_deletions (
        wall_ms INTEGER NOT NULL,
        from_ms INTEGER NOT NULL,
        to_ms INTEGER NOT NULL,
        source TEXT,
        strips INTEGER NOT NULL,
        who TEXT NOT NULL
    ) STRICT;
    ",
    // What people said of single crossings. Nothing is changed afterwards: the last word on a crossing holds.
    "
    CREATE TABLE judgments (
        judged_ms INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL,
        source TEXT NOT NULL,
        line TEXT NOT NULL,
        track INTEGER NOT NULL,
        direction INTEGER NOT NULL CHECK (direction IN (1, -1)),
        reason TEXT,
        verdict TEXT NOT NULL,
        weight REAL,
        who TEXT NOT NULL
    ) STRICT;
    CREATE INDEX judgments_by_time ON judgments (wall_ms);
    ",
    // What people did with the program, and when.
    "
    CREATE TABLE actions (
        wall_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        came_from TEXT NOT NULL,
        source TEXT,
        what TEXT NOT NULL,
        detail TEXT
    ) STRICT;
    ",
    // Opening hours of sources: each row holds from its time on. Empty is always.
    "
    CREATE TABLE schedules (
        from_ms INTEGER NOT NULL,
        source TEXT NOT NULL,
        schedule TEXT NOT NULL,
        timezone TEXT NOT NULL
    ) STRICT;
    CREATE INDEX schedules_by_source ON schedules (source);
    ",
    // How many are inside of areas: since the last correction, and the corrections themselves. Sums by the quarter of an
    // hour are kept by triggers, in the transaction of the crossing. A line of an area that is named itself is not taken for one of
    // all (`*`).
    "
    CREATE TABLE areas (
        area TEXT NOT NULL PRIMARY KEY,
        base INTEGER NOT NULL,
        total_in INTEGER NOT NULL,
        total_out INTEGER NOT NULL,
        known_ms INTEGER NOT NULL,
        corrected_ms INTEGER
    ) STRICT;
    CREATE TABLE area_lines (
        area TEXT NOT NULL,
        source TEXT NOT NULL,
        line TEXT NOT NULL,
        sign INTEGER NOT NULL CHECK (sign IN (1, -1)),
        PRIMARY KEY (source, line, area)
    ) STRICT;
    CREATE TABLE area_quarters (
        quarter INTEGER NOT NULL,
        area TEXT NOT NULL,
        total_in INTEGER NOT NULL,
        total_out INTEGER NOT NULL,
        high INTEGER NOT NULL,
        high_ms INTEGER NOT NULL,
        PRIMARY KEY (area, quarter)
    ) STRICT;
    CREATE TABLE corrections (
        session INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL,
        area TEXT NOT NULL,
        before INTEGER NOT NULL,
        after INTEGER NOT NULL,
        total_in INTEGER NOT NULL,
        total_out INTEGER NOT NULL,
        reason TEXT NOT NULL,
        who TEXT NOT NULL,
        PRIMARY KEY (session, seq, area)
    ) STRICT;
    CREATE INDEX corrections_by_area ON corrections (area, session, seq);
    CREATE TRIGGER crossing_in_area AFTER INSERT ON crossings
    WHEN EXISTS (SELECT 1 FROM area_lines WHERE source = NEW.source AND line IN (NEW.line, '*'))
    BEGIN
        UPDATE areas SET total_in = total_in + (NEW.direction * own.sign = 1),
            total_out = total_out + (NEW.direction * own.sign = -1)
        FROM (SELECT area AS name, sign FROM area_lines AS l WHERE source = NEW.source AND (line = NEW.line
            OR line = '*' AND NOT EXISTS (SELECT 1 FROM area_lines AS e WHERE e.area = l.area
                AND e.source = NEW.source AND e.line = NEW.line))) AS own
        WHERE areas.area = own.name;
        INSERT INTO area_quarters SELECT NEW.wall_ms / 900000, areas.area, NEW.direction * l.sign = 1,
                NEW.direction * l.sign = -1, base + areas.total_in - areas.total_out
                    + (NEW.direction * l.sign = -1), NEW.wall_ms
            FROM area_lines AS l JOIN areas ON areas.area = l.area
            WHERE l.source = NEW.source AND (l.line = NEW.line
                OR l.line = '*' AND NOT EXISTS (SELECT 1 FROM area_lines AS e WHERE e.area = l.area
                    AND e.source = NEW.source AND e.line = NEW.line))
            ON CONFLICT DO UPDATE SET
                total_in = total_in + excluded.total_in, total_out = total_out + excluded.total_out,
                high_ms = IIF(excluded.high > high, excluded.high_ms, high_ms),
                high = MAX(high, excluded.high);
    END;
    CREATE TRIGGER area_corrected AFTER INSERT ON corrections BEGIN
        UPDATE areas SET base = NEW.after, total_in = 0, total_out = 0, corrected_ms = NEW.wall_ms
            WHERE area = NEW.area;
        INSERT INTO area_quarters VALUES
            (NEW.wall_ms / 900000, NEW.area, 0, 0, MAX(NEW.before, NEW.after), NEW.wall_ms)
            ON CONFLICT DO UPDATE SET
                high_ms = IIF(excluded.high > high, excluded.high_ms, high_ms),
                high = MAX(high, excluded.high);
    END;
    ",
    // How far webhooks have come, and what only they want to know. A webhook begins behind (`session`, `seq`); `salt` makes the
    // ids of its messages its own. What is removed before it was delivered is counted by a trigger. Lost with a damaged file:
    // webhooks begin anew.
    "
    CREATE TABLE webhooks (
        name TEXT NOT NULL PRIMARY KEY,
        salt TEXT NOT NULL,
        session INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        crossings INTEGER NOT NULL,
        skipped INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE webhook_positions (
        webhook TEXT NOT NULL,
        subject TEXT NOT NULL,
        session INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (webhook, subject)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE webhook_events (
        session INTEGER NOT NULL,
        source TEXT NOT NULL,
        seq INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (session, source, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER crossing_skipped AFTER DELETE ON crossings BEGIN
        UPDATE webhooks SET skipped = skipped + 1
        WHERE crossings AND (webhooks.session, webhooks.seq) < (OLD.session, OLD.seq)
            AND NOT EXISTS (SELECT 1 FROM webhook_positions AS p WHERE p.webhook = webhooks.name
                AND p.subject = 'source/' || OLD.source AND (p.session, p.seq) >= (OLD.session, OLD.seq));
    END;
    ",
    // A fleet. In the ledger of a node: by which lease a source was counted (from `seq` of `session` on; `node` is empty), and
    // what is still to be sent. In a collected ledger: the leases of all nodes (`offset_ms` corrects the clock of the node),
    // where each crossing or reset that came is counted, and crossings that are not counted, with the reason.
    "
    CREATE TABLE leases (
        id INTEGER PRIMARY KEY,
        node TEXT NOT NULL,
        source TEXT NOT NULL,
        revision INTEGER NOT NULL,
        delivery INTEGER NOT NULL,
        began_ms INTEGER NOT NULL,
        ended_ms INTEGER,
        offset_ms INTEGER NOT NULL,
        session INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        UNIQUE (node, source, revision, delivery, began_ms)
    ) STRICT;
    CREATE TABLE fleet_outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL,
        revision INTEGER NOT NULL,
        delivery INTEGER NOT NULL,
        began_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        seq INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL,
        offset_ms INTEGER,
        detail TEXT NOT NULL,
        UNIQUE (source, revision, delivery, began_ms, kind, seq)
    ) STRICT;
    CREATE TABLE collecting (name TEXT NOT NULL, started_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE collected (
        lease INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        session INTEGER,
        seq INTEGER,
        PRIMARY KEY (lease, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE uncounted (
        lease INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL,
        line TEXT NOT NULL,
        direction INTEGER NOT NULL CHECK (direction IN (1, -1)),
        track INTEGER NOT NULL,
        confidence REAL NOT NULL,
        source_time REAL NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (lease, sequence)
    ) STRICT, WITHOUT ROWID;
    ",
];

/// The newest version.
pub const KNOWN: i64 = MIGRATIONS.len() as i64;

/// The first version with totals of their own.
pub const TOTALS: i64 = 2;

/// The first version with sums.
pub const SUMMED: i64 = 3;

/// The first version with scenes.
pub const SCENES: i64 = 4;

/// The first version that notes what was deleted of the evidence.
pub const DELETIONS: i64 = 5;

/// The first version that notes what people said of crossings.
pub const JUDGED: i64 = 6;

/// The first version that notes what people did with the program.
pub const ACTIONS: i64 = 7;

/// The first version that notes opening hours.
pub const SCHEDULES: i64 = 8;

/// The first version with areas.
pub const AREAS: i64 = 9;

/// Takes a ledger back to before [`AREAS`].
#[cfg(test)]
pub const WITHOUT_AREAS: &str = "DROP TABLE leases; DROP TABLE fleet_outbox; DROP TABLE collecting; \
    DROP TABLE collected; DROP TABLE uncounted; DROP TRIGGER crossing_skipped; DROP TABLE webhooks; DROP TABLE webhook_positions; \
    DROP TABLE webhook_events; DROP TRIGGER crossing_in_area; DROP TRIGGER area_corrected; \
    DROP TABLE areas; DROP TABLE area_lines; DROP TABLE area_quarters; DROP TABLE corrections";

/// Tables by the version that brought them.
const TABLES: [(i64, &str); 28] = [
    (1, "sessions"),
    (1, "crossings"),
    (1, "resets"),
    (1, "watches"),
    (2, "totals"),
    (3, "quarters"),
    (3, "occupancy"),
    (3, "summing"),
    (3, "jumps"),
    (3, "clock"),
    (3, "salvage"),
    (4, "scenes"),
    (5, "evidence_deletions"),
    (6, "judgments"),
    (7, "actions"),
    (8, "schedules"),
    (9, "areas"),
    (9, "area_lines"),
    (9, "area_quarters"),
    (9, "corrections"),
    (10, "webhooks"),
    (10, "webhook_positions"),
    (10, "webhook_events"),
    (11, "leases"),
    (11, "fleet_outbox"),
    (11, "collecting"),
    (11, "collected"),
    (11, "uncounted"),
];

/// The version of an open file: 0 where it is empty. Reads no more than its first pages.
///
/// # Errors
/// When it is of a newer version, another program's, not readable, or lacks a table.
pub fn version(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let said: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sql)?;
    if !(0..=KNOWN).contains(&said) {
        return Err(LedgerError::Newer { path: path.display().to_string(), found: said, known: KNOWN });
    }
    let mut tables =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").map_err(sql)?;
    let tables = tables.query_map([], |row| row.get(0)).map_err(sql)?;
    let tables: Vec<String> = tables.collect::<Result<_, _>>().map_err(sql)?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    if said == 0 && !tables.is_empty() && !has("crossings") {
        return Err(LedgerError::Foreign { path: path.display().to_string() });
    }
    // A ledger that was written out as SQL and read in again has lost its number.
    let number =
        || (1..=KNOWN).rev().find(|version| TABLES.iter().all(|(of, name)| of > version || has(name)));
    let found = if said == 0 && !tables.is_empty() { number().unwrap_or(1) } else { said };
    match TABLES.iter().find(|(of, name)| *of <= found && !has(name)) {
        Some((_, missing)) => Err(LedgerError::damaged(path, format!("its table '{missing}' is missing"))),
        None => Ok(found),
    }
}

/// Brings an open file from the version `found` to the newest, whole or not at all. Blocks for longer the more
/// watches there are, but not for crossings.
pub fn migrate(connection: &mut Connection, path: &Path, found: i64) -> Result<(), LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    if found == KNOWN {
        return Ok(());
    }
    let change = connection.transaction().map_err(sql)?;
    for (version, step) in (1..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(0)) {
        change.execute_batch(step).map_err(sql)?;
        if version == SUMMED {
            let memory = clock_of_sessions(&change).map_err(sql)?;
            memory.map_or(Ok(()), |memory| write_clock(&change, &memory)).map_err(sql)?;
        }
    }
    // In one transaction: a program that is killed between two steps leaves a ledger that the version before still opens.
    change.pragma_update(None, "user_version", KNOWN).map_err(sql)?;
    change.commit().map_err(sql)
}

/// What the sessions of an older ledger tell of the clock: how long they ran since it was last found set back.
fn clock_of_sessions(connection: &Connection) -> rusqlite::Result<Option<Memory>> {
    let mut sessions = connection.prepare("SELECT started_ms, last_seen_ms FROM sessions ORDER BY id")?;
    let mut sessions = sessions.query([])?;
    let mut memory: Option<Memory> = None;
    while let Some(session) = sessions.next()? {
        let (started, seen): (i64, i64) = (session.get(0)?, session.get(1)?);
        let before = memory.filter(|before| started >= before.seen - JUMP && seen >= started);
        let ran = before.map_or(0, |before| before.ran) + (seen - started).max(0);
        memory = Some(Memory { ran, seen, ..Memory::default() });
    }
    Ok(memory)
}

/// What the ledger remembers of the clock.
pub fn read_clock(connection: &Connection) -> rusqlite::Result<Option<Memory>> {
    let memory = |row: &rusqlite::Row<'_>| {
        let (boot, offset, ran) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Memory { boot, offset, ran, cleaned: row.get(3)?, seen: row.get(4)? })
    };
    connection
        .query_row("SELECT boot, offset_ms, ran_ms, cleaned_ms, seen_ms FROM clock", [], memory)
        .optional()
}

/// Replaces what the ledger remembers of the clock.
pub fn write_clock(change: &Connection, memory: &Memory) -> rusqlite::Result<()> {
    change.prepare_cached("DELETE FROM clock")?.execute([])?;
    change.prepare_cached("INSERT INTO clock VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        memory.boot,
        memory.offset,
        memory.ran,
        memory.cleaned,
        memory.seen
    ])?;
    Ok(())
}
