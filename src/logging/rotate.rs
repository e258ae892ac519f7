//! A log file that is set aside when it grows too big or too old: `x.log` becomes `x.log.1`, that one
//! `x.log.2`, and so on. `tracing-appender` itself rotates by time only.
//!
//! Others may rotate it too (logrotate), or delete it: before lines are written the open file is compared with its
//! name. Files with such names that were not set aside here (`ours`) are neither renamed nor removed.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::owned::Ours;
use crate::files;

/// Highest number of a set-aside file: beyond it something else is wrong.
const MAX_NUMBER: usize = 10_000;

/// Bytes of lines that wait before they are written without being asked for.
const MAX_PENDING: usize = 64 << 10;

/// After a rotation that failed the file grows for this long before the next attempt.
const RETRY: Duration = Duration::from_mins(1);

/// When a file is set aside and when a set-aside file is removed.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes beyond which a file does not grow.
    pub max_bytes: u64,
    /// Files kept beside the one being written.
    pub max_files: usize,
    /// Age from which a file is set aside.
    pub max_age: Duration,
    /// Age of its last line from which a set-aside file is removed.
    pub keep_for: Duration,
}

/// One log file.
#[derive(Debug)]
pub struct RotatingFile {
    folder: PathBuf,
    stem: String,
    path: PathBuf,
    limits: Limits,
    file: File,
    /// Bytes in the file, as far as we wrote them.
    size: u64,
    /// Whole lines that [`Self::flush`] will write.
    pending: Vec<u8>,
    born: Option<SystemTime>,
    /// When a rotation failed.
    refused: Option<SystemTime>,
}

impl RotatingFile {
    /// Opens the log `path` (`FOLDER/STEM.log`) for appending; makes the folder when it is missing. When another
    /// program has a log of that name, ours is another: see [`Self::path`].
    ///
    /// # Errors
    /// When it is a link or no file, or the operating system refuses.
    pub fn open(path: impl AsRef<Path>, limits: Limits) -> io::Result<Self> {
        let path = path.as_ref();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        files::make_folder(folder)?;
        let wanted = path.file_stem().unwrap_or_default().to_string_lossy();
        let path = Ours::of(folder).place(&wanted);
        let (file, size, born) = open(&path)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = folder.to_owned();
        Ok(Self { folder, stem, path, limits, file, size, pending: Vec::new(), born, refused: None })
    }

    /// Adds `line` and a line feed, which [`Self::flush`] writes, setting the file aside first when `line` would take
    /// it over a limit.
    ///
    /// # Errors
    /// When lines that wait cannot be written; they go on waiting.
    pub fn write_line(&mut self, line: &[u8], now: SystemTime) -> io::Result<()> {
        let size = self.size + self.pending.len() as u64;
        let too_big = size > 0 && size + line.len() as u64 + 1 > self.limits.max_bytes;
        let born = *self.born.get_or_insert(now);
        let too_old = size > 0 && now.duration_since(born).is_ok_and(|age| age >= self.limits.max_age);
        let refused =
            self.refused.and_then(|at| now.duration_since(at).ok()).is_some_and(|since| since < RETRY);
        if (too_big || too_old) && !refused {
            self.flush()?;
            // A file that cannot be set aside grows; its lines matter more than its size.
            self.refused = self.rotate().is_err().then_some(now);
            if self.refused.is_none() {
                self.born = Some(now);
            }
        }
        self.pending.extend_from_slice(line);
        self.pending.push(b'\n');
        if self.pending.len() < MAX_PENDING { Ok(()) } else { self.flush() }
    }

    /// Hands the lines that wait to the operating system: all of them, or none.
    ///
    /// # Errors
    /// When the disk is full, or the file cannot be opened again; the lines wait on.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.stay()?;
        self.write()?;
        if files::is_deleted(&self.file) {
            // Since it was checked, and the lines with it.
            self.stay()?;
            self.write()?;
        }
        self.size += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.pending);
        // Half of the lines would be there twice with the next attempt.
        if written.is_err() && self.file.metadata().is_ok_and(|file| file.len() > self.size) {
            let _ = self.file.set_len(self.size);
        }
        written.map_err(|error| files::named(&self.path, &error))
    }

    /// Sees to it that the open file is the one that has the name, and that its size is known.
    fn stay(&mut self) -> io::Result<()> {
        if !files::is_at(&self.file, &self.path) {
            files::make_folder(&self.folder)?;
            (self.file, self.size, self.born) = open(&self.path)?;
        }
        // Others append to it, or empty it after they have copied it.
        self.size = self.file.metadata()?.len();
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        // Somebody else may have set it aside since.
        if files::is_at(&self.file, &self.path) {
            let mut ours = Ours::of(&self.folder);
            ours.note(&self.stem, &self.path)?;
            if self.limits.max_files == 0 {
                fs::remove_file(&self.path)?;
            } else {
                self.shift(&ours)?;
            }
        }
        (self.file, self.size, self.born) = open(&self.path)?;
        Ok(())
    }

    /// Moves the files that were set aside on by one, over the numbers that are free or ours. The oldest goes.
    fn shift(&self, ours: &Ours) -> io::Result<()> {
        let free = |number: &usize| {
            let path = numbered(&self.path, *number);
            fs::symlink_metadata(&path).is_err() || ours.has(&self.stem, &path)
        };
        let numbers: Vec<_> = (1..=MAX_NUMBER).filter(free).take(self.limits.max_files).collect();
        let place = |number: &usize| numbered(&self.path, *number);
        if let Some(oldest) = numbers.last().filter(|_| numbers.len() == self.limits.max_files) {
            match fs::remove_file(place(oldest)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for pair in numbers.windows(2).rev() {
            match files::rename_new(&place(&pair[0]), &place(&pair[1])) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let first = numbers.first().ok_or(io::ErrorKind::AlreadyExists)?;
        files::rename_new(&self.path, &place(first))
    }
}

/// The open file, its length and its birth, where the file system tells.
fn open(path: &Path) -> io::Result<(File, u64, Option<SystemTime>)> {
    let file = files::append(path, files::SHARED).map_err(|error| files::named(path, &error))?;
    let metadata = file.metadata()?;
    // A file system that keeps no birth time gives the time of the last line: rotation by age then
    // waits for a quiet spell, rotation by size is as ever.
    let born = metadata.created().or_else(|_| metadata.modified()).ok();
    Ok((file, metadata.len(), born))
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Removes set-aside logs of `dir` that are beyond their number or their age. What cannot be removed stays: the next
/// start tries again.
///
/// Ages are measured from the latest set-aside file, not from `now`: a clock that is wrong by a year makes all of
/// them old, but not older than each other.
pub fn remove_old(dir: &Path, limits: &Limits, now: SystemTime) {
    if files::make_folder(dir).is_err() {
        return;
    }
    let ours = Ours::of(dir);
    let asides = ours.asides();
    let modified = |path: &Path| fs::symlink_metadata(path).and_then(|file| file.modified()).ok();
    let latest = asides.iter().filter_map(|(_, _, path)| modified(path)).max();
    let now = latest.map_or(now, |latest| latest.min(now));
    let mut before = (String::new(), 0);
    for (stem, _, path) in asides {
        before = if before.0 == stem { (stem, before.1 + 1) } else { (stem, 1) };
        let too_old = modified(&path)
            .is_some_and(|modified| now.duration_since(modified).is_ok_and(|age| age > limits.keep_for));
        if before.1 > limits.max_files || too_old {
            let _ = fs::remove_file(path);
        }
    }
    let _ = ours.tidy();
}

#[cfg(test)]
mod tests;
