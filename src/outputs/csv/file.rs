//! One CSV file that grows: appended to when its header is ours, set aside when not, never left with half a
//! row.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{clock::Clock, files};

/// Bytes of rows that wait in memory while the disk refuses: some 80,000 rows.
const MAX_PENDING: usize = 8 << 20;

/// A growing CSV file.
pub struct CsvFile {
    path: PathBuf,
    header: Vec<u8>,
    file: Option<File>,
    /// Length up to which the file holds whole rows.
    whole: u64,
    pending: Vec<u8>,
    /// Rows in `pending`.
    waiting: u64,
    lost: u64,
    parts: Option<(u64, usize)>,
    clock: Arc<dyn Clock>,
}

impl CsvFile {
    #[cfg(test)]
    fn open(path: PathBuf, header: &[&str]) -> io::Result<Self> {
        let mut this = Self::new(path, header, Arc::new(crate::clock::SystemClock));
        this.reopen()?;
        Ok(this)
    }

    /// A file that is opened by [`Self::prepare`] or with the first rows; `clock` tells when it is set aside.
    #[must_use]
    pub fn new(path: PathBuf, header: &[&str], clock: Arc<dyn Clock>) -> Self {
        let header = encode(header);
        Self {
            path,
            header,
            file: None,
            whole: 0,
            pending: Vec::new(),
            waiting: 0,
            lost: 0,
            parts: None,
            clock,
        }
    }

    /// Opens the file for appending, unless it is open. A file with another header is renamed
    /// (`results.20240115-102345.csv`); half a row at its end, left by a crash, is removed.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn prepare(&mut self) -> io::Result<()> {
        if self.file.is_none() { self.reopen() } else { Ok(()) }
    }

    /// Rows that wait in memory.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Sets the file aside when it would grow beyond `max_bytes`, and keeps the latest `parts` of those.
    #[must_use]
    pub fn with_parts(self, max_bytes: u64, parts: usize) -> Self {
        Self { parts: Some((max_bytes, parts)), ..self }
    }

    /// Adds a row in memory; [`Self::flush`] writes it.
    pub fn row(&mut self, cells: &[String]) {
        let row = encode(cells);
        if self.pending.len() + row.len() > MAX_PENDING {
            self.lost += 1;
        } else {
            self.pending.extend(row);
            self.waiting += 1;
        }
    }

    /// Rows given up since the last call because too many waited.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Writes the rows that wait. After an error they go on waiting, and the file ends with a whole row.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        // A file that was deleted, moved or emptied (by logrotate) is begun again, with its header.
        if !self.file.as_ref().is_some_and(|file| self.is_ours(file)) {
            self.reopen()?;
        }
        if let Some((max_bytes, parts)) = self.parts
            && self.whole > self.header.len() as u64
            && self.whole + self.pending.len() as u64 > max_bytes
        {
            self.file = None;
            let aside = files::set_aside(&self.path, self.clock.wall())
                .map_err(|error| files::named(&self.path, &error))?;
            self.remove_parts(parts, &aside);
            self.reopen()?;
        }
        self.write()?;
        if self.file.as_ref().is_some_and(files::is_deleted) {
            // It was deleted since it was checked, and the rows with it.
            self.reopen()?;
            self.write()?;
        }
        self.whole += self.pending.len() as u64;
        self.pending.clear();
        self.waiting = 0;
        Ok(())
    }

    /// Whether the open file still has its name, and ends where we left it.
    fn is_ours(&self, file: &File) -> bool {
        files::is_at(file, &self.path) && file.metadata().is_ok_and(|found| found.len() == self.whole)
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let written = file.write_all(&self.pending);
        if written.is_err() {
            // Half a batch may have been written: the next attempt writes all of it again.
            let _ = cut(file, self.whole);
            self.file = None;
        }
        written.map_err(|error| files::named(&self.path, &error))
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file = None;
        self.begin().map_err(|error| files::named(&self.path, &error))
    }

    fn begin(&mut self) -> io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::make_folder(folder)?;
        }
        let mut file = files::append(&self.path, files::SHARED)?;
        let length = file.metadata()?.len();
        let ours = starts_with(&mut file, &self.header)?;
        if length > 0 && !ours {
            drop(file);
            files::set_aside(&self.path, self.clock.wall())?;
            file = files::append(&self.path, files::SHARED)?;
        }
        if ours {
            self.whole = end_of_rows(&mut file, length)?;
            cut(&file, self.whole)?;
        } else {
            self.whole = 0;
            if let Err(error) = file.write_all(&self.header) {
                let _ = cut(&file, 0);
                return Err(error);
            }
            self.whole = self.header.len() as u64;
        }
        self.file = Some(file);
        Ok(())
    }

    /// Removes all but the latest `keep` of the parts that were set aside, and never `latest`, the one made just now:
    /// their order is that of a clock that may have been wrong. Files with other names or other columns are not ours.
    fn remove_parts(&self, keep: usize, latest: &Path) {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut parts: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|part| part.file_name() != latest.file_name())
            .filter_map(|part| Some((files::time_set_aside(&self.path, &part)?, part)))
            .filter(|(_, part)| {
                files::read_start(part, self.header.len() as u64).is_ok_and(|start| start == self.header)
            })
            .collect();
        parts.sort();
        for (_, part) in parts.iter().rev().skip(keep.saturating_sub(1)) {
            // What cannot be removed stays until the next time.
            let _ = fs::remove_file(part);
        }
    }
}

/// Shortens `file` to `length`; it never gets longer, whatever others have done to it.
fn cut(file: &File, length: u64) -> io::Result<()> {
    if file.metadata()?.len() > length { file.set_len(length) } else { Ok(()) }
}

fn starts_with(file: &mut File, header: &[u8]) -> io::Result<bool> {
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(header.len() as u64).read_to_end(&mut start)?;
    Ok(start == header)
}

/// Position behind the last line feed.
fn end_of_rows(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut block = [0; 4096];
    while end > 0 {
        let size = end.min(block.len() as u64);
        file.seek(SeekFrom::Start(end - size))?;
        let block = &mut block[..size as usize];
        file.read_exact(block)?;
        if let Some(position) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(end - size + position as u64 + 1);
        }
        end -= size;
    }
    Ok(0)
}

fn encode<T: AsRef<[u8]>>(cells: &[T]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests;
