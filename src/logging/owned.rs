//! Which files in a folder of logs are this program's. The folder may be one that many programs write to
//! (`/var/log`), so names alone say little: a file `.pcount-tui.logs` keeps the names of the logs that were rotated
//! here, and how the files began that were set aside. Only those are ever removed or renamed.
//!
//! It is read when a log is opened, rotated or cleaned up, which is seldom, and so several programs can share it.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{line, names};
use crate::files;

/// Name of the file, inside the folder.
const NAME: &str = ".pcount-tui.logs";

/// Its first line.
const ABOUT: &str =
    "# Logs of pcount-tui in this folder, and how those began that it has set aside. It removes no others.\n";

/// Longest such file that is read: some 50,000 entries.
const MAX_BYTES: u64 = 4 << 20;

/// Bytes at the beginning of a file that it is known by: a few lines, each with its time.
const BEGINNING: u64 = 512;

/// What is known of one folder.
#[derive(Debug, Default)]
pub struct Ours {
    folder: PathBuf,
    stems: BTreeSet<String>,
    asides: BTreeSet<(String, String)>,
}

impl Ours {
    /// What is known of `folder`: nothing where nothing was written yet, or it cannot be read.
    pub fn of(folder: &Path) -> Self {
        let mut ours = Self { folder: folder.to_owned(), ..Self::default() };
        let text = files::read_start(&folder.join(NAME), MAX_BYTES).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["log", stem] => _ = ours.stems.insert(stem.to_owned()),
                ["aside", stem, beginning] => {
                    _ = ours.asides.insert((stem.to_owned(), beginning.to_owned()));
                }
                _ => {}
            }
        }
        ours
    }

    /// The file that lines of the log `stem` go to. Where another program has a log of that name, ours gets another.
    pub fn place(&self, stem: &str) -> PathBuf {
        let path = |stem: &str| self.folder.join(format!("{stem}.log"));
        if self.stems.contains(stem) || !is_foreign(&path(stem), stem) {
            path(stem)
        } else {
            path(&names::marked(stem))
        }
    }

    /// Takes note that the log `stem`, which is in `path`, is about to be set aside.
    pub fn note(&mut self, stem: &str, path: &Path) -> io::Result<()> {
        let beginning = beginning(path)?;
        let mut new = String::new();
        if self.stems.insert(stem.to_owned()) {
            new = format!("log {stem}\n");
        }
        if self.asides.insert((stem.to_owned(), beginning.clone())) {
            let _ = writeln!(new, "aside {stem} {beginning}");
        }
        if new.is_empty() { Ok(()) } else { self.add(&new) }
    }

    /// Whether `path` is a file of the log `stem` that was set aside here.
    pub fn has(&self, stem: &str, path: &Path) -> bool {
        beginning(path).is_ok_and(|beginning| self.asides.contains(&(stem.to_owned(), beginning)))
    }

    /// The files that were set aside here and are still there, with stem and number, in that order.
    pub fn asides(&self) -> Vec<(String, usize, PathBuf)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some((stem, number)) = name.to_str().and_then(|name| name.rsplit_once(".log.")) else {
                continue;
            };
            let Some(number) = number.parse().ok().filter(|parsed: &usize| parsed.to_string() == number)
            else {
                continue;
            };
            if self.stems.contains(stem) && self.has(stem, &entry.path()) {
                found.push((stem.to_owned(), number, entry.path()));
            }
        }
        found.sort();
        found
    }

    /// Forgets set-aside files that are not there any more.
    pub fn tidy(&self) -> io::Result<()> {
        let there: BTreeSet<_> = self
            .asides()
            .into_iter()
            .filter_map(|(stem, _, path)| Some((stem, beginning(&path).ok()?)))
            .collect();
        if self.asides.iter().all(|aside| there.contains(aside)) {
            return Ok(());
        }
        // Another program may have added to it since.
        let mut now = Self::of(&self.folder);
        now.asides.retain(|aside| there.contains(aside) || !self.asides.contains(aside));
        now.write()
    }

    fn add(&self, lines: &str) -> io::Result<()> {
        let path = self.folder.join(NAME);
        let added = files::append(&path, files::SHARED).and_then(|mut file| {
            let about = if file.metadata()?.len() == 0 { ABOUT } else { "" };
            // In one piece, because others may add at the same moment.
            file.write_all(format!("{about}{lines}").as_bytes())
        });
        // Another user's, from an earlier run, or a link: one of our own takes its place.
        added.or_else(|_| self.write())
    }

    fn write(&self) -> io::Result<()> {
        let mut text = ABOUT.to_owned();
        for stem in &self.stems {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "log {stem}");
        }
        for (stem, beginning) in &self.asides {
            let _ = writeln!(text, "aside {stem} {beginning}");
        }
        let mut draft = files::Draft::new(&self.folder.join(NAME), files::SHARED)?;
        draft.write_all(text.as_bytes())?;
        draft.keep()
    }
}

/// Whether there is something in the file that our log `stem` would not begin with.
fn is_foreign(path: &Path, stem: &str) -> bool {
    let Ok(start) = files::read_start(path, BEGINNING) else { return false };
    stem != names::NATIVE && !start.is_empty() && !line::is_ours(&String::from_utf8_lossy(&start))
}

fn beginning(path: &Path) -> io::Result<String> {
    let start = files::read_start(path, BEGINNING)?;
    Ok(Sha256::digest(start).iter().take(12).map(|byte| format!("{byte:02x}")).collect())
}
