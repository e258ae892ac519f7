//! `config migrate`: a configuration of an earlier version in the words of this one.

use std::{
    io::{self, Write as _},
    path::Path,
};

use super::{
    configuration,
    failure::{DONE, Failure},
};
use crate::{
    cli::{ConfigArgs, ConfigCommand},
    config::{
        Overrides,
        edit::{ConfigFile, Rename},
        is_stream,
    },
    tui::keymap::RENAMED,
};

/// Where the names of commands stand.
const KEYS: [&str; 2] = ["tui", "keys"];

/// Does what is asked.
pub fn run(args: &ConfigArgs) -> Result<u8, Failure> {
    let ConfigCommand::Migrate { file, dry_run } = &args.command;
    migrate(file, *dry_run)
}

fn migrate(path: &Path, is_dry_run: bool) -> Result<u8, Failure> {
    if is_stream(path) {
        return Err(Failure::Usage(format!(
            "'{}' is no file that can be changed; name the file itself",
            path.display()
        )));
    }
    configuration::load(path, &Overrides::default())?;
    let file = ConfigFile::new(path);
    let mut out = io::stdout().lock();
    let (renames, saved) = if is_dry_run {
        (file.keys_to_rename(&KEYS, RENAMED)?, None)
    } else {
        match file.rename_keys(&KEYS, RENAMED)? {
            Some((saved, renames)) => (renames, Some(saved)),
            None => (Vec::new(), None),
        }
    };
    let name = path.display();
    for Rename { line, old, new } in &renames {
        let became = match &new[..] {
            [] => "removed, because what it became is there".to_owned(),
            new => format!("now {}", new.iter().map(|new| format!("'{new}'")).collect::<Vec<_>>().join(", ")),
        };
        writeln!(out, "{name}:{line}: tui.keys: '{old}': {became}")?;
    }
    match (&saved, &renames[..]) {
        (Some(saved), _) => writeln!(out, "{name}: written; as it was: {}", saved.original.display())?,
        (None, []) => writeln!(out, "{name}: nothing to change")?,
        (None, _) => writeln!(out, "{name}: not written (--dry-run)")?,
    }
    Ok(DONE)
}
