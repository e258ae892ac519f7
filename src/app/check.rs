//! `pcount-tui check`: every problem of a configuration at once, and with `--probe` what each source sends.

use std::io::{self, Write};

use super::{DONE, Failure, NO_SOURCE};
use crate::{
    cli::CheckArgs,
    config::{Config, DetectorChoice, Overrides, SourceConfig},
    source::{probe_source, substream_for},
    tui::keymap::Keymap,
};

/// Checks, and prints what was found.
pub fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let config = Config::load(&args.config, &Overrides::default())
        .map_err(|errors| Failure::Usage(format!("the configuration has problems\n{errors}")))?;
    let mut out = io::stdout().lock();
    for warning in &config.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    for problem in Keymap::new(&config.tui.keys).1 {
        writeln!(out, "warning: {}: {problem}", args.config.display())?;
    }
    let disabled = config.sources.iter().filter(|source| !source.enabled).count();
    writeln!(
        out,
        "{}: valid, {} sources ({disabled} disabled)",
        args.config.display(),
        config.sources.len()
    )?;
    if args.probe { probe(&config.sources, &config.parallel.detector, &mut out) } else { Ok(DONE) }
}

/// Opens every enabled source, all at the same time: one that does not answer holds up nobody.
fn probe(sources: &[SourceConfig], detector: &DetectorChoice, out: &mut dyn Write) -> Result<u8, Failure> {
    let enabled: Vec<&SourceConfig> = sources.iter().filter(|source| source.enabled).collect();
    let found: Vec<_> = std::thread::scope(|scope| {
        let probes: Vec<_> = enabled.iter().map(|source| scope.spawn(|| probe_source(source))).collect();
        probes.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let mut usable = 0;
    for (source, found) in enabled.iter().zip(found) {
        match found {
            Ok(Ok((stream, _))) => {
                usable += 1;
                writeln!(out, "ok      {}: {stream}", source.id)?;
                let detector = source.detector.as_ref().unwrap_or(detector);
                let substream = substream_for(stream.info.size, detector.input().unwrap_or_default());
                if let Some((width, height)) = substream.filter(|_| source.may_have_substream()) {
                    writeln!(
                        out,
                        "hint    {}: a substream of {width}x{height} would do and cost less to decode",
                        source.id
                    )?;
                }
            }
            Ok(Err(error)) => writeln!(out, "failed  {}: {error}", source.id)?,
            Err(_) => writeln!(out, "failed  {}: the decoder panicked", source.id)?,
        }
    }
    Ok(if usable == enabled.len() { DONE } else { NO_SOURCE })
}
