//! `ctl logs`: the latest lines of the log, and those that come.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    time::Duration,
};

use super::super::failure::{DONE, Failure};
use crate::{
    config::LogLevel,
    protocol::{Lines, escaped},
    remote::Client,
};

/// The server waits at most 30 s for a line.
const PATIENCE: Duration = Duration::from_secs(40);

/// Which lines.
pub struct Wanted<'a> {
    pub source: Option<&'a str>,
    pub level: Option<LogLevel>,
    pub words: &'a str,
    pub follow: bool,
}

/// Prints them.
pub fn show(client: &Client, wanted: &Wanted<'_>, is_json: bool) -> Result<u8, Failure> {
    let mut filter = format!("&words={}", escaped(wanted.words));
    if let Some(source) = wanted.source {
        let _ = write!(filter, "&source={}", escaped(source));
    }
    if let Some(level) = wanted.level {
        let _ = write!(filter, "&level={}", level.word().to_lowercase());
    }
    let mut out = io::stdout().lock();
    let (mut after, mut wait) = (0, 0);
    loop {
        let path = format!("/logs?after={after}&wait={wait}{filter}");
        let lines: Lines = match client.get(&path, PATIENCE) {
            Ok(lines) => lines,
            Err(_) if wait > 0 && client.has_ended() => return Ok(DONE),
            Err(error) => return Err(error.into()),
        };
        for line in &lines.lines {
            if is_json {
                // As an error of the pipe, which may have been closed.
                serde_json::to_writer(&mut out, line).map_err(io::Error::from)?;
                writeln!(out)?;
            } else {
                writeln!(out, "{}", line.text)?;
            }
        }
        out.flush()?;
        if !wanted.follow {
            return Ok(DONE);
        }
        (after, wait) = (lines.written, 30);
    }
}
