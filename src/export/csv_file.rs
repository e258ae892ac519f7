//! One CSV file that grows: appended to when its header is ours, set aside when not, never left with half a
//! row.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Bytes of rows that wait in memory while the disk refuses: some 80,000 rows.
const MAX_PENDING: usize = 8 << 20;

/// A cell of free text. One that a spreadsheet would take for a formula is led by an apostrophe.
#[must_use]
pub fn text_cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// A growing CSV file.
#[derive(Debug)]
pub struct CsvFile {
    path: PathBuf,
    header: Vec<u8>,
    file: Option<File>,
    /// Length up to which the file holds whole rows.
    whole: u64,
    pending: Vec<u8>,
    lost: u64,
    parts: Option<(u64, usize)>,
}

impl CsvFile {
    /// Opens `path` for appending. A file with another header is renamed (`results.20240115-102345.csv`);
    /// half a row at its end, left by a crash, is removed.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn open(path: PathBuf, header: &[&str]) -> io::Result<Self> {
        let header = encode(header);
        let mut this = Self { path, header, file: None, whole: 0, pending: Vec::new(), lost: 0, parts: None };
        this.reopen()?;
        Ok(this)
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
        if let Some((max_bytes, parts)) = self.parts
            && self.whole > self.header.len() as u64
            && self.whole + self.pending.len() as u64 > max_bytes
        {
            self.file = None;
            set_aside(&self.path)?;
            remove_parts(&self.path, parts);
        }
        // A file that was deleted or moved away under us is begun anew.
        if self.file.is_none() || !self.path.exists() {
            self.reopen()?;
        }
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let written = file.write_all(&self.pending).and_then(|()| file.flush());
        match written {
            Ok(()) => {
                self.whole += self.pending.len() as u64;
                self.pending.clear();
                Ok(())
            }
            Err(error) => {
                // Half a batch may have been written: the next attempt writes all of it again.
                let _ = file.set_len(self.whole);
                self.file = None;
                Err(error)
            }
        }
    }

    fn reopen(&mut self) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&self.path)?;
        let mut start = vec![0; self.header.len()];
        let length = file.metadata()?.len();
        let ours = length >= start.len() as u64 && {
            file.seek(SeekFrom::Start(0))?;
            file.read_exact(&mut start)?;
            start == self.header
        };
        if length > 0 && !ours {
            drop(file);
            set_aside(&self.path)?;
            file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        }
        if ours {
            self.whole = end_of_rows(&mut file, length)?;
            file.set_len(self.whole)?;
        } else {
            self.whole = 0;
            if let Err(error) = file.write_all(&self.header) {
                let _ = file.set_len(0);
                return Err(error);
            }
            self.whole = self.header.len() as u64;
        }
        self.file = Some(file);
        Ok(())
    }
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

/// Renames `results.csv` to `results.<time>.csv`.
fn set_aside(path: &Path) -> io::Result<()> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let aside = (0..1000)
        .map(|number| match number {
            0 => path.with_extension(format!("{stamp}.csv")),
            _ => path.with_extension(format!("{stamp}-{number:03}.csv")),
        })
        .find(|aside| !aside.exists())
        .ok_or(io::ErrorKind::AlreadyExists)?;
    fs::rename(path, aside)
}

/// Removes all but the latest `keep` set-aside parts of `path`. Their names sort by time.
fn remove_parts(path: &Path, keep: usize) {
    let (Some(dir), Some(stem)) = (path.parent(), path.file_stem().and_then(|stem| stem.to_str())) else {
        return;
    };
    let prefix = format!("{stem}.");
    let mut parts: Vec<_> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|part| {
            let name = part.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.strip_prefix(&prefix)
                .and_then(|rest| rest.strip_suffix(".csv"))
                .is_some_and(|stamp| stamp.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
        })
        .collect();
    parts.sort();
    for part in parts.iter().rev().skip(keep) {
        // What cannot be removed stays until the next time.
        let _ = fs::remove_file(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [&str; 2] = ["camera_id", "n"];

    fn rows(file: &mut CsvFile, range: std::ops::Range<usize>) {
        for n in range {
            file.row(&["cam".to_owned(), n.to_string()]);
        }
        file.flush().expect("flush");
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("read")
    }

    fn asides(dir: &Path) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(dir)
            .expect("folder")
            .map(|entry| entry.expect("entry").path())
            .filter(|path| path.file_name().is_some_and(|name| name != "x.csv"))
            .collect();
        paths.sort();
        paths
    }

    #[test]
    fn goes_on_where_it_was_and_mends_half_a_row() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.csv");
        rows(&mut CsvFile::open(path.clone(), &HEADER).expect("open"), 0..2);
        fs::write(&path, format!("{}cam,", read(&path))).expect("write");
        rows(&mut CsvFile::open(path.clone(), &HEADER).expect("open"), 2..3);
        assert_eq!(read(&path), "camera_id,n\ncam,0\ncam,1\ncam,2\n");
    }

    #[test]
    fn a_file_with_another_header_is_set_aside() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.csv");
        fs::write(&path, "somebody,elses\n1,2\n").expect("write");
        rows(&mut CsvFile::open(path.clone(), &HEADER).expect("open"), 0..1);
        assert_eq!(read(&path), "camera_id,n\ncam,0\n");
        let asides = asides(dir.path());
        assert_eq!(asides.len(), 1);
        assert_eq!(read(&asides[0]), "somebody,elses\n1,2\n");
    }

    #[test]
    fn grows_in_parts_and_keeps_the_latest() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.csv");
        let mut file = CsvFile::open(path.clone(), &HEADER).expect("open").with_parts(30, 2);
        for n in 0..20 {
            rows(&mut file, n..n + 1);
        }
        assert!(read(&path).starts_with("camera_id,n\n") && read(&path).ends_with("cam,19\n"));
        assert_eq!(asides(dir.path()).len(), 2);
    }

    #[test]
    fn rows_wait_while_the_disk_refuses_and_are_written_once() {
        let dir = tempfile::tempdir().expect("folder");
        let folder = dir.path().join("results");
        fs::create_dir(&folder).expect("folder");
        let path = folder.join("x.csv");
        let mut file = CsvFile::open(path.clone(), &HEADER).expect("open");
        rows(&mut file, 0..1);
        fs::rename(&folder, dir.path().join("away")).expect("rename");
        file.row(&["cam".to_owned(), "1".to_owned()]);
        assert!(file.flush().is_err());
        fs::rename(dir.path().join("away"), &folder).expect("rename");
        rows(&mut file, 2..3);
        assert_eq!(read(&path), "camera_id,n\ncam,0\ncam,1\ncam,2\n");
    }

    #[test]
    fn too_many_waiting_rows_are_counted() {
        let dir = tempfile::tempdir().expect("folder");
        let mut file = CsvFile::open(dir.path().join("x.csv"), &HEADER).expect("open");
        let big = "x".repeat(1 << 20);
        for _ in 0..10 {
            file.row(&[big.clone(), String::new()]);
        }
        assert_eq!(file.take_lost(), 3);
        assert_eq!(file.take_lost(), 0);
    }

    #[test]
    fn text_is_no_formula_and_odd_text_survives_a_reader() {
        assert_eq!(text_cell("=1+1"), "'=1+1");
        assert_eq!(text_cell("Eingang"), "Eingang");
        let cells = ["a,b", "say \"hi\"", "two\nlines", ""];
        let encoded = encode(&cells);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(encoded.as_slice());
        let record = reader.records().next().expect("a record").expect("readable");
        assert_eq!(record.iter().collect::<Vec<_>>(), cells);
    }
}
