//! Reading strips, while they are written or not.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};

use super::{
    EvidenceError, Marks,
    image::StripImage,
    store::{MARKED, check_version, connect, days, is_empty, version},
    strip::{Facts, Key, day_of},
};
use crate::model::{Direction, Reason, SourceId, TrackId};

/// Which strips to list. The default is all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Only of this source.
    pub source: Option<SourceId>,
    /// Only over the line of this name.
    pub line: Option<String>,
    /// From this moment on, in milliseconds since the Unix epoch.
    pub since: i64,
    /// Up to but without this moment.
    pub until: i64,
    /// Only this direction.
    pub direction: Option<Direction>,
    /// Only those counted (`Some(None)`), or not counted for this reason.
    pub reason: Option<Option<Reason>>,
    /// Only those not counted, for whatever reason.
    pub suppressed: bool,
    /// At most this many, the newest ones.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            source: None,
            line: None,
            since: i64::MIN,
            until: i64::MAX,
            direction: None,
            reason: None,
            suppressed: false,
            limit: usize::MAX,
        }
    }
}

/// A strip without its picture.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStrip {
    /// Where it lies.
    pub key: Key,
    /// What it shows.
    pub facts: Facts,
    /// Whether heads are blurred in it.
    pub blurred: bool,
    /// Bytes of its pictures and of what is drawn over them.
    pub bytes: u64,
}

/// Reads the strips of an output folder. Cheap: files are opened for each question, which blocks for the disk.
#[derive(Debug, Clone)]
pub struct Reader {
    output: PathBuf,
}

const COLUMNS: &str =
    "id, wall_ms, source, line, direction, reason, confidence, track, source_time, blurred, bytes";

impl Reader {
    /// A reader of the strips under the output folder `output`; there need be none.
    #[must_use]
    pub fn new(output: &Path) -> Self {
        Self { output: output.to_owned() }
    }

    /// The strips that `query` asks for, the oldest first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn list(&self, query: &Query) -> Result<Vec<StoredStrip>, EvidenceError> {
        let mut found = Vec::new();
        for (day, path) in days(&self.output)?.into_iter().rev() {
            let left = query.limit - found.len();
            if left == 0 || day < day_of(query.since) {
                break;
            }
            let Some(connection) = open(&path)? else { continue };
            found.extend(
                list(&connection, day, query, left).map_err(|error| EvidenceError::sql(&path, &error))?,
            );
        }
        found.reverse();
        Ok(found)
    }

    /// The strip of the event of this source, line and track at this wall time (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// When the file of that day cannot be read.
    pub fn find(
        &self,
        source: &str,
        line: &str,
        track: TrackId,
        wall: i64,
    ) -> Result<Option<StoredStrip>, EvidenceError> {
        let query = Query {
            source: Some(source.into()),
            since: wall,
            until: wall.saturating_add(1),
            ..Query::default()
        };
        let found = self.list(&query)?;
        Ok(found.into_iter().find(|entry| entry.facts.line == line && entry.facts.track == track))
    }

    /// The strip of this key; `None` where it is gone.
    ///
    /// # Errors
    /// When the file of that day cannot be read.
    pub fn entry(&self, key: Key) -> Result<Option<StoredStrip>, EvidenceError> {
        let Some(connection) = self.day(key)? else { return Ok(None) };
        let select = format!("SELECT {COLUMNS} FROM strips WHERE id = ?1");
        let found = connection.0.query_row(&select, [key.number], |row| entry(row, key.day)).optional();
        found.map_err(|error| EvidenceError::sql(&connection.1, &error))
    }

    /// The file of a strip and its path, where it is there.
    fn day(&self, key: Key) -> Result<Option<(Connection, PathBuf)>, EvidenceError> {
        let found = days(&self.output)?.into_iter().find(|(day, _)| *day == key.day);
        let Some((_, path)) = found else { return Ok(None) };
        Ok(open(&path)?.map(|connection| (connection, path)))
    }

    /// The pictures of a strip; `None` where they are gone.
    ///
    /// # Errors
    /// When the file of that day cannot be read.
    pub fn picture(&self, key: Key) -> Result<Option<StripImage>, EvidenceError> {
        let Some((connection, path)) = self.day(key)? else { return Ok(None) };
        let read = || {
            let marks = if version(&connection)? < MARKED { "NULL" } else { "marks" };
            let select = format!("SELECT jpeg, {marks} FROM strips WHERE id = ?1");
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?));
            connection.query_row(&select, [key.number], row).optional()
        };
        let found: Option<(Vec<u8>, Option<String>)> =
            read().map_err(|error| EvidenceError::sql(&path, &error))?;
        let marks = |json: String| serde_json::from_str::<Marks>(&json).ok();
        Ok(found.map(|(jpeg, json)| StripImage { jpeg, marks: json.and_then(marks) }))
    }
}

/// The file of a day; `None` where it has just been deleted, or holds nothing yet.
fn open(path: &Path) -> Result<Option<Connection>, EvidenceError> {
    // What a killed program has left half written is rolled back by the next process that opens the file, which must be able to write.
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .or_else(|_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY));
    let connection = match connection {
        Err(_) if !path.exists() => return Ok(None),
        connection => connection?,
    };
    if is_empty(&connection).map_err(|error| EvidenceError::sql(path, &error))? {
        return Ok(None);
    }
    check_version(&connection, path)?;
    Ok(Some(connection))
}

fn list(
    connection: &Connection,
    day: jiff::civil::Date,
    query: &Query,
    most: usize,
) -> rusqlite::Result<Vec<StoredStrip>> {
    let mut select = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM strips WHERE wall_ms >= ?1 AND wall_ms < ?2 AND (?3 IS NULL OR source = ?3) \
         AND (?4 IS NULL OR direction = ?4) AND (?5 IS NULL OR COALESCE(reason, '') = ?5) \
         AND (NOT ?7 OR reason IS NOT NULL) AND (?8 IS NULL OR line = ?8) ORDER BY wall_ms DESC, id DESC LIMIT ?6"
    ))?;
    let direction = query.direction.map(|direction| if direction == Direction::In { 1 } else { -1 });
    let reason = query.reason.map(|reason| reason.map(Reason::word).unwrap_or_default());
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = select.query_map(
        params![
            query.since,
            query.until,
            query.source.as_deref(),
            direction,
            reason,
            limit,
            query.suppressed,
            query.line
        ],
        |row| entry(row, day),
    )?;
    rows.collect()
}

/// The entry of a row of [`COLUMNS`].
fn entry(row: &Row<'_>, day: jiff::civil::Date) -> rusqlite::Result<StoredStrip> {
    Ok(StoredStrip {
        key: Key { day, number: row.get(0)? },
        facts: Facts {
            wall: row.get(1)?,
            source: row.get::<_, String>(2)?.into(),
            line: row.get(3)?,
            direction: if row.get::<_, i64>(4)? == 1 { Direction::In } else { Direction::Out },
            reason: row.get::<_, Option<String>>(5)?.and_then(|word| Reason::of_word(&word)),
            confidence: row.get::<_, Option<f64>>(6)?.map(|score| score as f32),
            track: row.get::<_, i64>(7)?.cast_unsigned(),
            time: row.get(8)?,
        },
        blurred: row.get(9)?,
        bytes: row.get::<_, i64>(10)?.unsigned_abs(),
    })
}
