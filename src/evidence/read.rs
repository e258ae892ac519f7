//! Reading strips, while they are written or not.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::{
    EvidenceError,
    store::{check_version, connect, days, is_empty},
    strip::{Facts, Key, day_of, reason_of, reason_word},
};
use crate::model::{Direction, Reason, SourceId, TrackId};

/// Which strips to list. The default is all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Only of this source.
    pub source: Option<SourceId>,
    /// From this moment on, in milliseconds since the Unix epoch.
    pub since: i64,
    /// Up to but without this moment.
    pub until: i64,
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only those counted (`Some(None)`), or not counted for this reason.
    pub reason: Option<Option<Reason>>,
    /// Only those not counted, for whatever reason.
    pub suppressed: bool,
    /// At most so many, the newest.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            source: None,
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
pub struct Entry {
    /// Where it lies.
    pub key: Key,
    /// What it shows.
    pub facts: Facts,
    /// Whether heads are blurred in it.
    pub blurred: bool,
    /// Bytes of its picture.
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
    pub fn list(&self, query: &Query) -> Result<Vec<Entry>, EvidenceError> {
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
    #[cfg_attr(not(feature = "internals"), expect(dead_code, reason = "no screen asks yet"))]
    pub fn find(
        &self,
        source: &str,
        line: &str,
        track: TrackId,
        wall: i64,
    ) -> Result<Option<Entry>, EvidenceError> {
        let query = Query {
            source: Some(source.into()),
            since: wall,
            until: wall.saturating_add(1),
            ..Query::default()
        };
        let found = self.list(&query)?;
        Ok(found.into_iter().find(|entry| entry.facts.line == line && entry.facts.track == track))
    }

    /// The picture of a strip, as JPEG; `None` where it is gone.
    ///
    /// # Errors
    /// When the file of that day cannot be read.
    pub fn picture(&self, key: Key) -> Result<Option<Vec<u8>>, EvidenceError> {
        let Some((_, path)) = days(&self.output)?.into_iter().find(|(day, _)| *day == key.day) else {
            return Ok(None);
        };
        let Some(connection) = open(&path)? else { return Ok(None) };
        let picture = connection
            .query_row("SELECT jpeg FROM strips WHERE id = ?1", [key.number], |row| row.get(0))
            .optional();
        picture.map_err(|error| EvidenceError::sql(&path, &error))
    }
}

/// The file of a day; `None` where it has just been deleted, or holds nothing yet.
fn open(path: &Path) -> Result<Option<Connection>, EvidenceError> {
    // What a killed program has left half written is undone by whoever opens the file next, who must be able to write.
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
) -> rusqlite::Result<Vec<Entry>> {
    let mut select = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM strips WHERE wall_ms >= ?1 AND wall_ms < ?2 AND (?3 IS NULL OR source = ?3) \
         AND (?4 IS NULL OR direction = ?4) AND (?5 IS NULL OR COALESCE(reason, '') = ?5) \
         AND (NOT ?7 OR reason IS NOT NULL) ORDER BY wall_ms DESC, id DESC LIMIT ?6"
    ))?;
    let direction = query.direction.map(|direction| if direction == Direction::In { 1 } else { -1 });
    let reason = query.reason.map(|reason| reason.map(reason_word).unwrap_or_default());
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = select.query_map(
        params![
            query.since,
            query.until,
            query.source.as_deref(),
            direction,
            reason,
            limit,
            query.suppressed
        ],
        |row| {
            Ok(Entry {
                key: Key { day, number: row.get(0)? },
                facts: Facts {
                    wall: row.get(1)?,
                    source: row.get::<_, String>(2)?.into(),
                    line: row.get(3)?,
                    direction: if row.get::<_, i64>(4)? == 1 { Direction::In } else { Direction::Out },
                    reason: row.get::<_, Option<String>>(5)?.and_then(|word| reason_of(&word)),
                    confidence: row.get::<_, Option<f64>>(6)?.map(|score| score as f32),
                    track: row.get::<_, i64>(7)?.cast_unsigned(),
                    time: row.get(8)?,
                },
                blurred: row.get(9)?,
                bytes: row.get::<_, i64>(10)?.unsigned_abs(),
            })
        },
    )?;
    rows.collect()
}
