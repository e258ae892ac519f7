//! Where counts and logs go: folders, disks, the ledger. Nothing is written, and no lock is taken.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

use super::{
    finding::Finding,
    machine::{size, span},
    site::Site,
    veil::Veil,
};
use crate::ledger::{
    self, LedgerError,
    examine::{Examined, Pages, examine, writer},
};

/// Less free space than this, in bytes, is little: images of crossings leave the last 64 MiB to the counts.
const LITTLE: u64 = 256 << 20;

/// A large ledger is read for this long.
const READING: Duration = Duration::from_secs(10);

/// A ledger that was written later than now by more than this tells that the clock was set back.
const AHEAD: Duration = Duration::from_mins(2);

/// The folders of results and logs, and their disks.
pub fn folders(site: &Site) -> Vec<Finding> {
    if !site.has_output {
        return vec![unnamed()];
    }
    let settings = &site.config.parallel;
    let results = folder(&settings.result_output, "--output", &site.veil).about("results");
    let logs = folder(&settings.log_dir, "'log_dir'", &site.veil).about("logs");
    vec![results, logs]
}

fn unnamed() -> Finding {
    Finding::ok("no output folder named; with --config FILE or --output DIR it is checked as well")
}

/// Whether `wanted` can be written to; `option` names another.
fn folder(wanted: &Path, option: &str, veil: &Veil) -> Finding {
    let other = |what: &str| format!("{what}, or name another folder with {option}");
    let shown = veil.path(wanted);
    // The folder itself, or the first one on the way to it that is there.
    let whole = std::path::absolute(wanted).unwrap_or_else(|_| wanted.to_owned());
    let Some(there) = whole.ancestors().find(|folder| fs::symlink_metadata(folder).is_ok()) else {
        return Finding::fail(format!("nothing on the way to {shown} is there"), other("create it"));
    };
    let is_made = there == whole;
    let found = match fs::metadata(there) {
        Ok(found) => found,
        Err(error) => {
            let sentence = format!("{shown} cannot be used: {}", veil.said(&plain(&error)));
            return Finding::fail(sentence, other("give this user the right to enter it"));
        }
    };
    if !found.is_dir() {
        return Finding::fail(
            format!("{shown} is no folder, or leads through a file"),
            other("move that file away"),
        );
    }
    let disk = match statvfs(there) {
        Ok(disk) => disk,
        Err(error) => {
            let sentence = format!("the disk of {shown} does not tell its free space: {error}");
            return Finding::warn(sentence, other("check it"));
        }
    };
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let sentence = format!("the file system of {shown} is mounted for reading only");
        return Finding::fail(sentence, other("mount it for writing"));
    }
    if access(there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let what = if is_made { "write to" } else { "create" };
        let sentence = format!("this user may not {what} {shown}; counts would wait in memory");
        return Finding::fail(sentence, other("give this user the right"));
    }
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free == 0 || disk.f_files > 0 && disk.f_favail == 0 {
        let what = if free == 0 { "space" } else { "room for another file" };
        return Finding::fail(format!("the disk of {shown} has no {what} left"), other("free some"));
    }
    let made = if is_made { "can be written" } else { "is made by the first run" };
    let sentence = format!("{shown} {made}, {} free", size(free));
    if free < LITTLE { Finding::warn(sentence, other("free some space")) } else { Finding::ok(sentence) }
}

/// The words of the system, without a number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// The ledger: whole or not, its version, and the program that writes it.
pub fn ledger(site: &Site) -> Vec<Finding> {
    let settings = &site.config.parallel;
    if !site.has_output {
        return vec![unnamed()];
    }
    if !settings.ledger {
        return vec![Finding::ok("switched off: 'ledger' is false")];
    }
    let path: PathBuf = settings.result_output.join(ledger::FILE_NAME);
    let mut findings = match examine(&path, READING) {
        Ok(examined) => {
            let found = judged(&examined, site.running.is_some(), &site.veil);
            let now = site.options.clock.wall();
            std::iter::once(found).chain(late(examined.seen_ms, now)).collect()
        }
        Err(LedgerError::Missing { .. }) => {
            vec![Finding::ok("none yet; the first run with this output folder makes it")]
        }
        Err(error @ (LedgerError::Newer { .. } | LedgerError::Foreign { .. })) => {
            let sentence =
                format!("{}; until then counts wait in memory", site.veil.said(&error.to_string()));
            return vec![Finding::problem(sentence)];
        }
        Err(error) => vec![Finding::fail(
            site.veil.said(&error.to_string()),
            "copy the output folder, then start the program: it sets a damaged ledger aside and saves what can \
             still be read",
        )],
    };
    findings.extend(owner(&path, site));
    findings
}

fn judged(examined: &Examined, is_written: bool, veil: &Veil) -> Finding {
    let Examined { version, known, bytes, pages, .. } = examined;
    let size = size(*bytes);
    let written = if is_written { ", written by the engine that runs" } else { "" };
    let version = if version == known {
        format!("schema {version}")
    } else {
        format!("schema {version}, which the next run of this program brings to {known}")
    };
    match pages {
        Pages::Whole => Finding::ok(format!("whole, {size}, {version}{written}")),
        Pages::Unchecked => Finding::ok(format!(
            "not read to the end ({size}), nothing wrong in what was read, {version}{written}"
        )),
        Pages::Damaged(problem) => Finding::fail(
            format!("damaged ({}), {size}, {version}", veil.said(problem)),
            "copy the output folder, then restart the program: it sets the damaged ledger aside and saves what \
             can still be read",
        ),
    }
}

/// Whether its last run was seen later than `now`, by the clock of then.
fn late(seen_ms: Option<i64>, now: SystemTime) -> Option<Finding> {
    let seen = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(seen_ms?).ok()?);
    let behind = seen.duration_since(now).ok()?;
    (behind > AHEAD).then(|| {
        Finding::warn(
            format!("its last run was seen {} from now: the clock was wrong then, or is now", span(behind)),
            "set the clock of this machine: crossings are stored with its time",
        )
    })
}

/// Whether this user may write it, and whether a program does that nobody can ask.
fn owner(path: &Path, site: &Site) -> Option<Finding> {
    let file = fs::metadata(path).ok()?;
    if access(path, Access::WRITE_OK).is_err() {
        let whose = if file.uid() == rustix::process::geteuid().as_raw() { "this" } else { "another" };
        return Some(Finding::fail(
            format!("it belongs to {whose} user, and this one may not write it"),
            "run the program as its owner, or give this user the right",
        ));
    }
    let holder = writer(path).filter(|_| site.running.is_none())?;
    Some(Finding::warn(
        format!("process {holder} writes it, and no engine answers for this output folder"),
        "wait until that program has ended, or end it: two cannot count into one folder",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status;

    fn shown() -> Veil {
        Veil::new(true, [])
    }

    #[test]
    fn a_folder_is_judged_without_being_made() {
        let dir = tempfile::tempdir().unwrap();
        let new = dir.path().join("a/b");
        let finding = folder(&new, "--output", &shown());
        assert_eq!(finding.status, Status::Ok);
        assert!(finding.sentence.contains("is made by the first run"), "{}", finding.sentence);
        assert!(!dir.path().join("a").exists());
        assert!(folder(dir.path(), "--output", &shown()).sentence.contains("can be written"));
        fs::write(dir.path().join("file"), "").unwrap();
        for inner in ["file", "file/out"] {
            let finding = folder(&dir.path().join(inner), "--output", &shown());
            assert_eq!(finding.status, Status::Fail, "{}", finding.sentence);
            assert!(finding.fix.unwrap().contains("--output"));
        }
    }

    #[test]
    fn a_run_in_the_future_tells_of_a_wrong_clock() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1000);
        let at = |hours: i64| Some(hours * 3_600_000);
        assert_eq!((late(None, now), late(at(999), now)), (None, None));
        let found = late(at(1005), now).unwrap();
        assert!(found.status == Status::Warn && found.sentence.contains("5 hours from now"), "{found:?}");
    }

    #[test]
    fn what_was_found_in_a_ledger_is_judged() {
        let known = 11;
        let examined = Examined { version: known, known, bytes: 3 << 20, seen_ms: None, pages: Pages::Whole };
        let whole = judged(&examined, true, &shown());
        assert_eq!(whole.sentence, "whole, 3 MiB, schema 11, written by the engine that runs");
        let older = judged(&Examined { version: 9, ..examined.clone() }, false, &shown());
        assert_eq!(older.status, Status::Ok);
        assert!(older.sentence.contains("schema 9, which the next run of this program brings to 11"));
        let pages = Pages::Damaged("row 7 missing".into());
        assert_eq!(judged(&Examined { pages, ..examined }, false, &shown()).status, Status::Fail);
    }
}
