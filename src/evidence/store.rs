//! Strips on disk: a file of SQLite for each day (UTC), in a folder for its owner alone, bounded by age and by size.
//!
//! A size is kept before strips are written, not after: what has no room makes the oldest strips go first. A file that is
//! damaged is set aside under a name of the same day, so that it goes with that day.

mod bounds;
mod day;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::civil::Date;

pub use self::bounds::{Bounds, Deleted, Stretch};
pub(super) use self::day::{MARKED, check_version, connect, is_empty, version};
use self::{
    bounds::Due,
    day::{Day, room},
};
use super::{
    EvidenceError, FOLDER,
    strip::{Strip, day_of},
};
use crate::{files, model::SourceId};

/// A file of the folder.
struct DayFile {
    day: Date,
    path: PathBuf,
    bytes: u64,
    /// Set aside.
    damaged: bool,
}

/// The files of one folder. What it does blocks for the disk.
pub struct Store {
    folder: PathBuf,
    bounds: Bounds,
    /// The file that was written last.
    open: Option<(Date, Day)>,
    /// Bytes of the pictures of sources with a bound of their own, as far as they are known.
    used: BTreeMap<SourceId, u64>,
}

impl Store {
    /// The store in the folder `evidence` of `output`. Nothing is made or opened yet.
    #[must_use]
    pub fn new(output: &Path, bounds: Bounds) -> Self {
        Self { folder: output.join(FOLDER), bounds, open: None, used: BTreeMap::new() }
    }

    /// Writes `strips`; the oldest go where there would be too many.
    ///
    /// # Errors
    /// When the disk refuses. Nothing or a part of it is then written; the next call begins afresh.
    pub fn add(&mut self, strips: &[Strip], now: SystemTime) -> Result<(), EvidenceError> {
        let written = self.try_add(strips);
        if let Err(error) = &written {
            if let Some((_, day)) = self.open.take().filter(|_| error.is_damage()) {
                let path = day.path().to_owned();
                drop(day);
                let aside = files::set_aside(&path, now).map_err(|error| EvidenceError::io(&path, &error))?;
                tracing::warn!("{error}; it was set aside as '{}'", aside.display());
                return self.try_add(strips);
            }
            self.used.clear();
        }
        written
    }

    fn try_add(&mut self, strips: &[Strip]) -> Result<(), EvidenceError> {
        make_folder(&self.folder)?;
        self.make_room(strips.iter().map(|strip| room(strip.bytes() as u64)).sum())?;
        let mut days: Vec<Date> = strips.iter().map(|strip| day_of(strip.facts.wall)).collect();
        days.dedup();
        for date in days {
            let of_day = || strips.iter().filter(move |strip| day_of(strip.facts.wall) == date);
            self.day(date)?.add(of_day())?;
        }
        // What the pages of the tables take beside is more than was thought now and then.
        self.make_room(0)?;
        self.keep_sources(strips)
    }

    /// The file of this day, opened.
    fn day(&mut self, date: Date) -> Result<&Day, EvidenceError> {
        if self.open.as_ref().is_some_and(|(open, day)| *open != date || !day.is_there()) {
            self.open = None;
        }
        let day = if let Some((_, day)) = self.open.take() {
            day
        } else {
            let path = self.folder.join(format!("{date}.sqlite"));
            match Day::open(&path) {
                Err(error) if error.is_damage() => {
                    let aside = files::set_aside(&path, now_of(date));
                    let aside = aside.map_err(|error| EvidenceError::io(&path, &error))?;
                    tracing::warn!("{error}; it was set aside as '{}'", aside.display());
                    Day::open(&path)?
                }
                opened => opened?,
            }
        };
        Ok(&self.open.insert((date, day)).1)
    }

    /// Deletes the oldest strips until `bytes` more have room.
    fn make_room(&mut self, bytes: u64) -> Result<(), EvidenceError> {
        let Some(size) = self.bounds.size else { return Ok(()) };
        loop {
            let found = find(&self.folder)?;
            let excess = (found.iter().map(|file| file.bytes).sum::<u64>() + bytes).saturating_sub(size);
            let (Some(oldest), true) = (found.first(), excess > 0) else { return Ok(()) };
            self.used.clear();
            let is_open = self.open.as_ref().is_some_and(|(_, day)| day.path() == oldest.path);
            let is_whole = oldest.damaged || oldest.bytes <= excess;
            if !is_open && is_whole {
                remove(&oldest.path)?;
                continue;
            }
            // A little more, so that it is not done with every strip.
            let excess = excess + more(size);
            let (strips, _) = if is_open {
                self.day(oldest.day)?.drop_oldest(None, excess)?
            } else {
                Day::open(&oldest.path)?.drop_oldest(None, excess)?
            };
            if strips == 0 {
                if is_open {
                    return Ok(());
                }
                remove(&oldest.path)?;
            }
        }
    }

    /// Deletes the oldest strips of sources that have more than they may.
    fn keep_sources(&mut self, strips: &[Strip]) -> Result<(), EvidenceError> {
        let bounded: Vec<(SourceId, u64)> = self
            .bounds
            .sources
            .iter()
            .filter_map(|(source, (_, size))| Some((source.clone(), (*size)?)))
            .filter(|(source, _)| strips.iter().any(|strip| strip.facts.source == *source))
            .collect();
        for (source, size) in bounded {
            let new: u64 = strips
                .iter()
                .filter(|strip| strip.facts.source == source)
                .map(|strip| strip.bytes() as u64)
                .sum();
            let used = match self.used.get(&source) {
                Some(used) => used + new,
                None => self.each_day(|day| day.bytes_of(&source))?.into_iter().sum(),
            };
            let mut excess = used.saturating_sub(size);
            if excess > 0 {
                excess += more(size);
                let mut gone = 0;
                self.each_day(|day| {
                    if gone < excess {
                        gone += day.drop_oldest(Some(&source), excess - gone)?.1;
                    }
                    Ok(())
                })?;
                self.used.insert(source, used.saturating_sub(gone));
            } else {
                self.used.insert(source, used);
            }
        }
        Ok(())
    }

    /// `work` on every whole file, the oldest first.
    fn each_day<T>(
        &mut self,
        mut work: impl FnMut(&Day) -> Result<T, EvidenceError>,
    ) -> Result<Vec<T>, EvidenceError> {
        let found = find(&self.folder)?;
        let whole = found.iter().filter(|file| !file.damaged);
        whole
            .map(|file| match &self.open {
                Some((_, day)) if day.path() == file.path => work(day),
                _ => work(&Day::open(&file.path)?),
            })
            .collect()
    }

    /// Deletes what is older than it may be at `now` (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// When the disk refuses; the next call goes on.
    pub fn expire(&mut self, now: i64) -> Result<(), EvidenceError> {
        let before = |keep: Duration| now.saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        let sources = self.bounds.sources.iter();
        let due = Due {
            now,
            before: self.bounds.keep.map(before),
            sources: sources.map(|(source, (keep, _))| (source.clone(), before(*keep))).collect(),
        };
        self.used.clear();
        let oldest_kept = due.sources.iter().map(|(_, before)| *before).chain(due.before).min();
        for DayFile { day, path, damaged, .. } in find(&self.folder)? {
            let is_open = self.open.as_ref().is_some_and(|(_, open)| open.path() == path);
            // Nobody can tell any more what is in it.
            if damaged && oldest_kept.is_some_and(|before| day < day_of(before)) {
                remove(&path)?;
            }
            if damaged {
                continue;
            }
            let left = match &self.open {
                Some((_, open)) if is_open => open.expire(&due)?,
                _ => Day::open(&path)?.expire(&due)?,
            };
            if left == 0 && day < day_of(now) {
                self.open = self.open.take().filter(|_| !is_open);
                remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Deletes the strips of a stretch of time under `output` so that nothing of them can be read from the files, also while
/// a program writes there, and gives the room back. Damaged files of those days are deleted whole.
///
/// # Errors
/// When a file cannot be written. What was deleted by then stays deleted.
pub fn delete(output: &Path, stretch: &Stretch) -> Result<Deleted, EvidenceError> {
    let mut deleted = Deleted::default();
    for file in find(&output.join(FOLDER))? {
        if file.day < day_of(stretch.since) || file.day > day_of(stretch.until) {
            continue;
        }
        if file.damaged {
            day::overwrite(&file.path).map_err(|error| EvidenceError::io(&file.path, &error))?;
            remove(&file.path)?;
            deleted.damaged += 1;
            continue;
        }
        let (strips, bytes) = Day::open(&file.path)?.delete(stretch)?;
        (deleted.strips, deleted.bytes) = (deleted.strips + strips, deleted.bytes + bytes);
    }
    Ok(deleted)
}

/// The whole files under `output` with their days, the oldest first; none where there is no folder.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn days(output: &Path) -> Result<Vec<(Date, PathBuf)>, EvidenceError> {
    let found = find(&output.join(FOLDER))?;
    Ok(found.into_iter().filter(|file| !file.damaged).map(|file| (file.day, file.path)).collect())
}

/// The files of the store, the oldest first.
fn find(folder: &Path) -> Result<Vec<DayFile>, EvidenceError> {
    let io = |error: io::Error| EvidenceError::io(folder, &error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io)?;
        let name = entry.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".sqlite")) else { continue };
        // What was set aside has the time behind the day.
        let (day, aside) = stem.split_once('.').map_or((stem, false), |(day, _)| (day, true));
        let (Ok(day), Ok(meta)) = (day.parse::<Date>(), entry.metadata()) else { continue };
        if meta.is_file() {
            found.push(DayFile { day, path: entry.path(), bytes: meta.len(), damaged: aside });
        }
    }
    found.sort_by(|a, b| (a.day, &a.path).cmp(&(b.day, &b.path)));
    Ok(found)
}

/// What is deleted beyond what must be, of a store of this size: rarely and not for long.
fn more(size: u64) -> u64 {
    const MOST: u64 = 16 << 20;
    (size / 16).min(MOST)
}

fn make_folder(folder: &Path) -> Result<(), EvidenceError> {
    files::make_private_folder(folder).map(drop).map_err(|error| EvidenceError::io(folder, &error))
}

fn remove(path: &Path) -> Result<(), EvidenceError> {
    for path in [path.to_owned(), path.with_extension("sqlite-journal")] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(EvidenceError::io(&path, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The begin of a day, for the name of a file that is set aside.
fn now_of(day: Date) -> SystemTime {
    day.to_zoned(jiff::tz::TimeZone::UTC).map_or(SystemTime::UNIX_EPOCH, |moment| moment.timestamp().into())
}

#[cfg(test)]
mod tests;
