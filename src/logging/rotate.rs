//! A log file that is set aside when it grows too big or too old: `x.log` becomes `x.log.1`, that one
//! `x.log.2`, and so on. `tracing-appender` itself rotates by time only.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

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
    path: PathBuf,
    limits: Limits,
    file: BufWriter<File>,
    size: u64,
    born: SystemTime,
    dirty: bool,
}

impl RotatingFile {
    /// Opens `path` for appending.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn open(path: PathBuf, limits: Limits) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let metadata = file.metadata()?;
        // A file system that keeps no birth time gives the time of the last line: rotation by age then
        // waits for a quiet spell, rotation by size is as ever.
        let born = metadata.created().or_else(|_| metadata.modified()).unwrap_or_else(|_| SystemTime::now());
        Ok(Self { path, limits, size: metadata.len(), born, file: BufWriter::new(file), dirty: false })
    }

    /// Appends `line` and a line feed, setting the file aside first when `line` would take it over a limit.
    ///
    /// # Errors
    /// When the disk is full or the file is gone; the line is then lost.
    pub fn write_line(&mut self, line: &[u8], now: SystemTime) -> io::Result<()> {
        let bytes = line.len() as u64 + 1;
        let too_big = self.size > 0 && self.size + bytes > self.limits.max_bytes;
        let too_old =
            self.size > 0 && now.duration_since(self.born).is_ok_and(|age| age >= self.limits.max_age);
        if too_big || too_old {
            self.rotate(now)?;
        }
        self.dirty = true;
        self.file.write_all(line)?;
        self.file.write_all(b"\n")?;
        self.size += bytes;
        Ok(())
    }

    /// Hands what is buffered to the operating system.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn flush(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.dirty) { self.file.flush() } else { Ok(()) }
    }

    fn rotate(&mut self, now: SystemTime) -> io::Result<()> {
        self.file.flush()?;
        if self.limits.max_files == 0 {
            fs::remove_file(&self.path)?;
        } else {
            for number in (1..self.limits.max_files).rev() {
                let (from, to) = (numbered(&self.path, number), numbered(&self.path, number + 1));
                if from.exists() {
                    fs::rename(from, to)?;
                }
            }
            fs::rename(&self.path, numbered(&self.path, 1))?;
        }
        *self = Self::open(self.path.clone(), self.limits)?;
        self.born = now;
        Ok(())
    }
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Removes set-aside logs (`*.log.N`) of `dir` that are beyond their number or their age. What cannot be
/// removed stays: the next start tries again.
pub fn remove_old(dir: &Path, limits: &Limits, now: SystemTime) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some((stem, number)) = name.to_str().and_then(|name| name.rsplit_once('.')) else { continue };
        let Ok(number) = number.parse::<usize>() else { continue };
        if !stem.ends_with(".log") {
            continue;
        }
        let too_old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > limits.keep_for));
        if number > limits.max_files || too_old {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn limits() -> Limits {
        Limits { max_bytes: 20, max_files: 2, max_age: DAY, keep_for: DAY * 30 }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .expect("folder")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("name"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_full_file_is_set_aside_and_the_oldest_goes() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.log");
        let mut log = RotatingFile::open(path.clone(), limits()).expect("open");
        for n in 0..8 {
            log.write_line(format!("line {n} ..").as_bytes(), SystemTime::now()).expect("write");
        }
        log.flush().expect("flush");
        assert_eq!(names(dir.path()), ["x.log", "x.log.1", "x.log.2"]);
        assert_eq!(fs::read_to_string(&path).expect("read"), "line 6 ..\nline 7 ..\n");
        assert_eq!(fs::read_to_string(dir.path().join("x.log.2")).expect("read"), "line 2 ..\nline 3 ..\n");
    }

    #[test]
    fn an_old_file_is_set_aside_and_a_reopened_one_goes_on() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.log");
        let now = SystemTime::now();
        for text in ["one", "two"] {
            let mut log = RotatingFile::open(path.clone(), limits()).expect("open");
            log.write_line(text.as_bytes(), now).expect("write");
            log.flush().expect("flush");
        }
        assert_eq!(fs::read_to_string(&path).expect("read"), "one\ntwo\n");
        let mut log = RotatingFile::open(path.clone(), limits()).expect("open");
        log.write_line(b"three", now + DAY * 2).expect("write");
        log.flush().expect("flush");
        assert_eq!(fs::read_to_string(&path).expect("read"), "three\n");
    }

    #[test]
    fn a_line_longer_than_the_limit_is_still_written() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.log");
        let mut log = RotatingFile::open(path.clone(), limits()).expect("open");
        log.write_line(&[b'x'; 100], SystemTime::now()).expect("write");
        log.flush().expect("flush");
        assert_eq!(fs::metadata(path).expect("file").len(), 101);
    }

    #[test]
    fn old_and_surplus_files_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().expect("folder");
        for name in ["x.log", "x.log.1", "x.log.9", "notes.9", "x.log.old"] {
            fs::write(dir.path().join(name), "x").expect("write");
        }
        remove_old(dir.path(), &limits(), SystemTime::now());
        assert_eq!(names(dir.path()), ["notes.9", "x.log", "x.log.1", "x.log.old"]);
        remove_old(dir.path(), &limits(), SystemTime::now() + DAY * 31);
        assert_eq!(names(dir.path()), ["notes.9", "x.log", "x.log.old"]);
    }
}
