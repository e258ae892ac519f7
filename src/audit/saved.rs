//! Results of audits, kept beside the ledger: one JSON object a line, so that nobody who counts is waited for.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::findings::{Findings, Tally};
use crate::files;

/// Name of the file in the folder of the results.
pub const FILE_NAME: &str = "audits.jsonl";

/// Longest file that is read, in bytes: more audits than anybody makes.
const LONGEST: u64 = 64 << 20;

/// The result of one audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audited {
    /// When it ended.
    #[serde(with = "crate::model::rfc3339")]
    pub time: SystemTime,
    /// The source.
    pub camera_id: String,
    /// The lines that were watched.
    pub lines: Vec<String>,
    /// Seconds that were watched, on the source's clock.
    pub watched: f64,
    /// Furthest in seconds that a tap and a count lay apart to be the same crossing.
    pub tolerance: f64,
    /// What was counted of all lines.
    #[serde(flatten)]
    pub tally: Tally,
}

impl Audited {
    /// What was `found` of the source `camera_id` in `watched` seconds that ended at `time`.
    #[must_use]
    pub fn new(time: SystemTime, camera_id: &str, watched: f64, found: &Findings) -> Self {
        let mut lines: Vec<String> = found.rows.iter().map(|row| row.line.clone()).collect();
        lines.dedup();
        let (tolerance, tally) = (found.tolerance, found.total());
        Self { time, camera_id: camera_id.to_owned(), lines, watched, tolerance, tally }
    }
}

/// Where the results of audits are kept in the `folder` of the results.
#[must_use]
pub fn path(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// Adds a result to those in the `folder` of the results, which is made where there is none. Blocks until it is on the disk.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn append(folder: &Path, audited: &Audited) -> io::Result<()> {
    files::make_folder(folder)?;
    let mut file = files::append(&path(folder), files::PRIVATE)?;
    // What a power failure cut off is ended first. One write, so that two who audit at once do not write into each other's line.
    let end = if is_cut(&mut file)? { "\n" } else { "" };
    let line = format!("{end}{}\n", serde_json::to_string(audited)?);
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Whether the last line of `file` has no end.
fn is_cut(file: &mut File) -> io::Result<bool> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last != *b"\n")
}

/// All results in the `folder` of the results, in the order in which they were kept; none where there is no such file. A line
/// that is none, as one that a power failure cut off, is passed over.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read(folder: &Path) -> io::Result<Vec<Audited>> {
    match files::read_start(&path(folder), LONGEST) {
        Ok(content) => {
            let lines = content.split(|byte| *byte == b'\n');
            Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The last audit of `source`; `None` where there is none.
#[must_use]
pub fn last<'a>(audits: &'a [Audited], source: &str) -> Option<&'a Audited> {
    audits.iter().filter(|audited| audited.camera_id == source).max_by_key(|audited| audited.time)
}

/// All audits of each of `sources` by time, with `None` for a source that has none; sources that are only in `audits` stand at
/// the end.
#[must_use]
pub fn by_source<'a>(audits: &'a [Audited], sources: &[String]) -> Vec<(String, Option<&'a Audited>)> {
    let mut names = sources.to_vec();
    for audited in audits {
        if !names.contains(&audited.camera_id) {
            names.push(audited.camera_id.clone());
        }
    }
    let mut rows = Vec::new();
    for name in names {
        let mut of_it: Vec<&Audited> = audits.iter().filter(|audited| audited.camera_id == name).collect();
        of_it.sort_by_key(|audited| audited.time);
        if of_it.is_empty() {
            rows.push((name, None));
        } else {
            rows.extend(of_it.into_iter().map(|audited| (name.clone(), Some(audited))));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

    use super::*;

    fn audited(camera_id: &str, second: u64, right: u64) -> Audited {
        Audited {
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(second),
            camera_id: camera_id.into(),
            lines: vec!["door".into()],
            watched: 600.0,
            tolerance: 2.0,
            tally: Tally { right, missed: 2, wrong: 1 },
        }
    }

    #[test]
    fn results_are_kept_one_after_the_other_and_a_cut_line_costs_that_one() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results");
        assert_eq!(read(&results).unwrap(), []);
        append(&results, &audited("one", 100, 48)).unwrap();
        let file = path(&results);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let whole = fs::read(&file).unwrap();
        fs::write(&file, [&whole[..], b"{\"time\":\"2026-"].concat()).unwrap();
        append(&results, &audited("two", 200, 9)).unwrap();
        assert_eq!(read(&results).unwrap(), [audited("one", 100, 48), audited("two", 200, 9)]);
    }

    #[test]
    fn each_source_has_its_audits_by_time_or_none() {
        let audits = [audited("one", 300, 3), audited("gone", 50, 5), audited("one", 100, 1)];
        let seconds =
            |audited: &Audited| audited.time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(last(&audits, "one").map(seconds), Some(300));
        assert_eq!(last(&audits, "never"), None);
        let sources = ["never".to_owned(), "one".to_owned()];
        let rows = by_source(&audits, &sources);
        let rows: Vec<_> = rows.iter().map(|(name, audited)| (name.as_str(), audited.map(seconds))).collect();
        assert_eq!(rows, [("never", None), ("one", Some(100)), ("one", Some(300)), ("gone", Some(50))]);
    }
}
