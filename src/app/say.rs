//! What the program says on the standard output and the standard error.

use std::io::{self, Write};

use super::failure::{DONE, Failure};
use crate::{
    config::{self, ModelFolders},
    detect,
};

/// To the standard error, without secrets; when that is closed there is nobody to tell.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "pcount-tui: {}", config::redact(text));
}

/// Says which libraries and models are there and not used.
pub(super) fn complain_of_refused(models: &ModelFolders) {
    for refused in detect::refused(models) {
        complain(&format!("warning: {refused}"));
    }
}

pub(super) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(DONE)
}
