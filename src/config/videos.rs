//! The videos of a folder or of a pattern, and what is passed over there.

use std::{
    ffi::OsStr,
    fs::{self, File, FileType},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern};

use super::text::printable;

pub(super) mod kind;

/// More files and folders than this of one pattern are a slip such as `/**/*`, which would read the whole disk.
const MOST_WALKED: usize = 10_000;

/// Names of one kind in a sentence; the others are counted.
const MOST_NAMED: usize = 30;

/// A hidden file matches only a pattern that names its dot.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: true,
};

/// What a folder or a pattern holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct VideoMatches {
    /// The videos, sorted by name.
    pub files: Vec<PathBuf>,
    /// What is passed over and why, each a sentence; nothing of it is a secret of ours.
    pub remarks: Vec<String>,
}

/// The videos directly in `path`, which the user wrote as `written`. None of a folder that cannot be read, which may
/// be otherwise in a while.
pub(super) fn folder(path: &Path, written: &str) -> VideoMatches {
    let mut walk = Walk { most: usize::MAX, ..Walk::default() };
    match walk.read(path) {
        Ok(Ok(entries)) => entries.into_iter().for_each(|(file, _)| walk.take(file, Trust::Judge)),
        Ok(Err(error)) => walk.pass(path, &format!("cannot be read: {error}")),
        Err(_) => {}
    }
    walk.finish(written)
}

/// The videos that fit the pattern `written`, which is relative to `base` unless it is absolute.
///
/// # Errors
/// When it is no pattern, or fits more than can be meant.
pub(super) fn pattern(written: &str, base: &Path) -> Result<VideoMatches, String> {
    pattern_within(written, base, MOST_WALKED)
}

fn pattern_within(written: &str, base: &Path, most: usize) -> Result<VideoMatches, String> {
    let root = if written.starts_with('/') { Path::new("/") } else { base };
    let mut parts = Vec::new();
    for part in written.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let part = PatternSegment::new(part).map_err(|error| {
            format!("'{written}' is no pattern ({}); a literal [ is written [[]", error.msg)
        })?;
        if !(matches!(part, PatternSegment::Anything)
            && matches!(parts.last(), Some(PatternSegment::Anything)))
        {
            parts.push(part);
        }
    }
    if matches!(parts.last(), Some(PatternSegment::Anything)) {
        parts.push(PatternSegment::Fits(Pattern::new("*").map_err(|error| error.msg.to_owned())?));
    }
    // Who writes '*.xyz' means those files, whatever they are.
    let ending = written.rsplit('/').next().and_then(|last| last.rsplit_once('.')).map(|(_, ending)| ending);
    let trust = match ending {
        Some(ending) if !ending.is_empty() && ending.chars().all(char::is_alphanumeric) => Trust::Take,
        _ => Trust::Judge,
    };
    let mut walk = Walk { most, written: written.to_owned(), ..Walk::default() };
    walk.go(root, &parts, trust)?;
    Ok(walk.finish(written))
}

/// Whether a file is taken for what it seems to be.
#[derive(Clone, Copy, PartialEq)]
enum Trust {
    Judge,
    Take,
}

/// One part of a pattern, between slashes.
enum PatternSegment {
    /// `**`: any number of folders.
    Anything,
    Fits(Pattern),
    Named(String),
}

impl PatternSegment {
    fn new(part: &str) -> Result<Self, glob::PatternError> {
        Ok(match part {
            "**" => Self::Anything,
            _ if part.contains(['*', '?', '[']) => Self::Fits(Pattern::new(part)?),
            _ => Self::Named(part.to_owned()),
        })
    }
}

/// What is in a folder, each with its own kind where that is known.
type Entries = Vec<(PathBuf, Option<FileType>)>;

#[derive(Default)]
struct Walk {
    written: String,
    most: usize,
    walked: usize,
    files: Vec<PathBuf>,
    passed: Vec<String>,
    passed_count: usize,
    folders: Vec<String>,
    folder_count: usize,
}

impl Walk {
    /// What is in a folder, sorted, each with its own kind: links are not followed.
    fn read(&mut self, folder: &Path) -> Result<io::Result<Entries>, String> {
        let read = match fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }) {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        let mut entries = Vec::new();
        for entry in read {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Ok(Err(error)),
            };
            self.walked += 1;
            if self.walked > self.most {
                return Err(format!(
                    "'{}' fits more than {} files and folders; write a narrower pattern",
                    self.written, self.most
                ));
            }
            entries.push((folder.join(entry.file_name()), entry.file_type().ok()));
        }
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Ok(entries))
    }

    fn go(&mut self, at: &Path, parts: &[PatternSegment], trust: Trust) -> Result<(), String> {
        let Some((part, rest)) = parts.split_first() else {
            if at.symlink_metadata().is_ok() {
                self.take(at.to_owned(), trust);
            }
            return Ok(());
        };
        if let PatternSegment::Named(name) = part {
            return self.go(&at.join(name), rest, trust);
        }
        let entries = match self.read(at)? {
            Ok(entries) => entries,
            Err(error) => {
                if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
                    self.pass(at, &format!("cannot be read: {error}"));
                }
                return Ok(());
            }
        };
        match part {
            PatternSegment::Anything => {
                self.go(at, rest, trust)?;
                for (path, kind) in entries {
                    if is_hidden(&path) {
                        continue;
                    }
                    if kind.is_some_and(|kind| kind.is_dir()) {
                        self.go(&path, parts, trust)?;
                    } else if kind.is_some_and(|kind| kind.is_symlink()) && path.is_dir() {
                        self.pass(&path, "a link to a folder");
                    }
                }
            }
            PatternSegment::Fits(pattern) => {
                for (path, _) in entries {
                    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
                    // Bytes that are no text stand for a character each.
                    if pattern.matches_with(&name, OPTIONS)
                        && !(rest.is_empty() && path.is_dir() && self.is_deep())
                    {
                        self.go(&path, rest, trust)?;
                    }
                }
            }
            PatternSegment::Named(_) => {}
        }
        Ok(())
    }

    /// Whether folders are read anyway.
    fn is_deep(&self) -> bool {
        self.written.split('/').any(|part| part == "**")
    }

    /// Takes a file that is a video; notes what is none.
    fn take(&mut self, path: PathBuf, trust: Trust) {
        match fs::metadata(&path) {
            Ok(file) if file.is_dir() => {
                if !is_hidden(&path) {
                    self.folder_count += 1;
                    if self.folders.len() < MOST_NAMED {
                        self.folders.push(shown(&path));
                    }
                }
            }
            Ok(file) if file.is_file() => {
                if trust == Trust::Take {
                    self.files.push(path);
                    return;
                }
                match kind::of(&path, || head(&path)) {
                    kind::Kind::Video => self.files.push(path),
                    kind::Kind::Passed(why) => self.pass(&path, why),
                    kind::Kind::Unmentioned => {}
                }
            }
            Ok(_) => self.pass(&path, "no regular file"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.pass(&path, "a link to nothing"),
            Err(error) => self.pass(&path, &format!("cannot be read: {error}")),
        }
    }

    fn pass(&mut self, path: &Path, why: &str) {
        self.passed_count += 1;
        if self.passed.len() < MOST_NAMED {
            self.passed.push(format!("{} ({why})", shown(path)));
        }
    }

    fn finish(mut self, written: &str) -> VideoMatches {
        self.files.sort();
        self.files.dedup();
        let mut remarks = Vec::new();
        if self.passed_count > 0 {
            remarks.push(format!("'{written}': skipped: {}", list(&self.passed, self.passed_count)));
        }
        if self.folder_count > 0 {
            let parent = written.trim_end_matches('/');
            let deeper = match parent.rsplit_once('/') {
                Some((parent, last)) if last.contains(['*', '?', '[']) => format!("{parent}/**/{last}"),
                None if parent.contains(['*', '?', '[']) => format!("**/{parent}"),
                _ => format!("{parent}/**"),
            };
            remarks.push(format!(
                "'{written}': folders in it are not read: {}; write '{deeper}' to read them as well",
                list(&self.folders, self.folder_count)
            ));
        }
        VideoMatches { files: self.files, remarks }
    }
}

fn list(names: &[String], count: usize) -> String {
    let more = count - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// The name of a file for a sentence.
fn shown(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    format!("'{}'", printable(&name.to_string_lossy()))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The first bytes of a file.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(kind::HEAD).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests;
