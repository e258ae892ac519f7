//! Opening the file, for the first time or again, and what the user should know of it.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{
    MOST_NOTICES, Writer,
    background::{Background, salvaged},
    rows::{PendingRow, has_session, read_scenes, read_totals},
};
use crate::{
    ledger::{LedgerError, Reader, areas::read_records, clock_check::Jump, open, salvage::Salvage, schema},
    model::{LineCounts, SourceId},
};

impl Writer {
    /// The first opening: reads the totals. What is to be written, this run's session first, waits for the
    /// thread, so that nobody waits for a slow disk. A disk that refuses is noted, not an error; the totals are then
    /// read, if they can be, without writing.
    pub fn open(&mut self) {
        if let Err(error) = self.connect() {
            self.fail(&error, true);
            if let Ok(reader) = Reader::open(&self.options.path)
                && let Ok(totals) = reader.totals()
            {
                let of = |line: LineCounts| (line.name, (line.total_in, line.total_out));
                let of = |(source, lines): (SourceId, Vec<LineCounts>)| {
                    (source, lines.into_iter().map(of).collect())
                };
                self.totals = totals.into_iter().map(of).collect();
                self.has_totals = true;
                if let Ok(areas) = reader.areas() {
                    self.areas.resume(areas);
                    self.has_areas = true;
                }
            }
        }
        let forgotten: Vec<_> = if self.options.fresh {
            self.totals.keys().cloned().collect()
        } else {
            self.options.reset.iter().filter(|id| self.totals.contains_key(*id)).cloned().collect()
        };
        for source in forgotten {
            self.reset(source, 0, self.begun.wall);
        }
    }

    /// Opens the file, setting it aside when it is damaged.
    pub(super) fn connect(&mut self) -> Result<(), LedgerError> {
        let path = self.options.path.clone();
        let mut connection = match open::open(&path) {
            Err(error) if error.is_damage() => {
                let aside = self.set_aside(&error)?;
                let mut connection = open::open(&path)?;
                self.salvage(&mut connection, &aside, 0)?;
                connection
            }
            other => other?,
        };
        let sql = |error: rusqlite::Error| LedgerError::sql(&path, &error);
        // The file may have been replaced since we last saw it.
        if let Some(session) = self.session
            && !has_session(&connection, session, self.begun.wall).map_err(sql)?
        {
            self.session = None;
        }
        if !self.has_totals {
            let was_opened = self.taken > 0 || self.shared.status.lock().problem.is_some();
            self.add_totals(&connection, was_opened).map_err(sql)?;
            self.scenes = read_scenes(&connection).map_err(sql)?;
            self.schedules.learn(&connection).map_err(sql)?;
        }
        if !std::mem::replace(&mut self.has_areas, true) {
            self.areas.resume(read_records(&connection).map_err(sql)?);
        }
        if !std::mem::replace(&mut self.has_clock, true)
            && let Some(memory) = schema::read_clock(&connection).map_err(sql)?
            && let Some(jump) = self.clock.resume(&memory, self.begun)
        {
            self.jumped(jump);
        }
        self.background.look(&mut connection, &path)?;
        self.inode = fs::metadata(&path).ok().map(|file| file.ino());
        self.write_all_totals = true;
        self.write_all_watches = true;
        self.connection = Some(connection);
        Ok(())
    }

    /// What was counted before the file could be opened goes on top of what it holds. A file that takes the place of
    /// another takes over our totals instead.
    fn add_totals(&mut self, connection: &Connection, is_late: bool) -> rusqlite::Result<()> {
        let noted = read_totals(connection)?;
        self.has_totals = true;
        if is_late && !noted.is_empty() {
            self.tell(format!(
                "The totals in ledger '{}' could not be read at the start: the counts shown began at zero; \
                 the ledger continues its own, and the next start shows them",
                self.options.path.display()
            ));
        }
        for (source, line, total_in, total_out) in noted {
            let counts = self.totals.entry(source).or_default().entry(line).or_default();
            (counts.0, counts.1) = (counts.0 + total_in, counts.1 + total_out);
        }
        Ok(())
    }

    /// Sets a damaged file aside. The session begins again in the new one; the totals are carried over.
    fn set_aside(&mut self, error: &LedgerError) -> Result<PathBuf, LedgerError> {
        self.connection = None;
        let aside = open::set_aside(&self.options.path, self.options.clock.wall())?;
        self.tell(format!("{error}: it was damaged, and was set aside as '{}'", aside.display()));
        self.session = None;
        Ok(aside)
    }

    /// Brings what a damaged file still holds into the new one: at once as far as that goes fast, else beside counting.
    fn salvage(&mut self, connection: &mut Connection, aside: &Path, page: u32) -> Result<(), LedgerError> {
        let sql = |error: rusqlite::Error| LedgerError::sql(aside, &error);
        let mut salvage = Salvage::begin(connection, aside, page)?;
        let is_over = Background::salvage_at_once(
            connection,
            &mut salvage,
            self.begun.wall,
            self.options.clock.as_ref(),
        )?;
        if !self.has_totals {
            self.totals = salvage.totals(connection).map_err(sql)?;
            self.has_totals = true;
        }
        if is_over {
            self.tell(salvaged(&salvage));
        } else {
            self.background.salvage_later(salvage);
        }
        Ok(())
    }

    /// What the user should know.
    pub(super) fn tell(&self, notice: String) {
        tracing::warn!("{notice}");
        let mut status = self.shared.status.lock();
        status.notices.push(notice);
        if status.notices.len() > MOST_NOTICES {
            status.notices.remove(0);
        }
    }

    pub(super) fn jumped(&mut self, jump: Jump) {
        let stamp = |moment: i64| {
            let moment = jiff::Timestamp::from_millisecond(moment).unwrap_or_default();
            moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let hint = if self.options.retention.is_some() {
            "; no old crossings are removed until the clock has been steady for a day"
        } else {
            ""
        };
        self.tell(format!("The clock was set from {} to {}{hint}", stamp(jump.before), stamp(jump.after)));
        let mono = jump.uptime - self.begun.uptime;
        self.push(PendingRow::Jump { mono, before: jump.before, after: jump.after });
    }

    pub(super) fn restart(&mut self, error: &LedgerError) -> Result<(), LedgerError> {
        let aside = self.set_aside(error)?;
        let mut connection = open::open(&self.options.path)?;
        self.salvage(&mut connection, &aside, 0)
    }
}
