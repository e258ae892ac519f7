//! `doctor`: one page about this machine and this configuration.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    os::fd::AsFd as _,
    sync::Arc,
};

use serde::Serialize;

use super::{
    failure::{DONE, FAILED, Failure},
    long::LongWork,
    native,
};
use crate::{
    cli::DoctorArgs,
    clock::SystemClock,
    doctor::{self, Drawing, Finding, Options, Totals},
    tui::theme::{ColorChoice, Palette},
};

/// Columns of a page that goes to no terminal.
const COLUMNS: u16 = 80;

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    version: &'static str,
    findings: Vec<Finding>,
    totals: Totals,
    /// Whether every check has run.
    complete: bool,
}

/// Exit code 1 when something fails, 128 + n after signal n.
pub fn run(args: &DoctorArgs) -> Result<u8, Failure> {
    let work = LongWork::begin(!args.json)?;
    native::take_over(&work.progress);
    let options = Options {
        config: args.config.clone(),
        output: args.output.clone(),
        connects: !args.no_connect,
        shows_addresses: args.show_addresses,
        clock: Arc::new(SystemClock),
    };
    let drawing = drawing();
    let mut out = io::stdout().lock();
    let mut all = Vec::new();
    let mut tell = |findings: &[Finding]| {
        if args.json {
            all.extend_from_slice(findings);
            return Ok(());
        }
        work.progress.beside(|| {
            out.write_all(drawing.findings(findings).as_bytes())?;
            out.flush()
        })
    };
    let totals = doctor::examine(options, &work.progress, &mut tell)?;
    let complete = work.stopped().is_none();
    work.progress.end();
    if args.json {
        let version = env!("CARGO_PKG_VERSION");
        serde_json::to_writer(&mut out, &Document { version, findings: all, totals, complete })?;
        writeln!(out)?;
    } else {
        out.write_all(drawing.summary(&totals).as_bytes())?;
        if !complete {
            writeln!(out, "cut short")?;
        }
    }
    out.flush()?;
    let code = if totals.fail == 0 { DONE } else { FAILED };
    // A check that was given up may hold a thread in native code or in a disk.
    work.leave(work.stopped().unwrap_or(code))
}

fn drawing() -> Drawing {
    let out = io::stdout();
    let width = doctor::size(out.as_fd()).map(|(columns, _)| columns).filter(|columns| *columns > 0);
    let palette = ColorChoice::Auto.resolve(|name| env::var(name).ok());
    Drawing { width: width.unwrap_or(COLUMNS).into(), colors: out.is_terminal() && palette != Palette::None }
}
