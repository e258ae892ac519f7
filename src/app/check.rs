//! `pcount-tui check`: every problem of a configuration at once, and with `--probe` what each source sends.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use crossbeam_channel::RecvTimeoutError;

use super::{
    configuration,
    failure::{DONE, Failure, NO_SOURCE, NO_THREAD},
    long::LongWork,
    native,
};
use crate::{
    cli::CheckArgs,
    config::{self, DetectorChoice, Overrides, SourceConfig, SourceSpec},
    files,
    progress::Unit,
    source::{
        Probe, SourceError,
        network::{Certificate, certificate},
        probe, substream_for,
    },
    tui::keymap::Keymap,
};

/// Sources that are open at the same time: each holds a decoder.
const AT_ONCE: usize = 8;

/// How soon a signal is noticed.
const POLL: Duration = Duration::from_millis(50);

/// Checks, and prints what was found.
pub fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let config = configuration::load(&args.config, &Overrides::default())?;
    config.sources.iter().for_each(|source| source.source.teach(config::known()));
    let mut out = io::stdout().lock();
    for warning in &config.warnings {
        writeln!(out, "warning: {}", config::redact(warning))?;
    }
    for problem in Keymap::new(&config.tui.keys).1 {
        writeln!(out, "warning: {}: {}", args.config.display(), config::redact(&problem))?;
    }
    let disabled = config.sources.iter().filter(|source| !source.enabled).count();
    writeln!(
        out,
        "{}: valid, {} sources ({disabled} disabled)",
        args.config.display(),
        config.sources.len()
    )?;
    if args.probe {
        probe(&config.sources, &config.parallel.detector, args.certificates.as_deref(), &mut out)
    } else {
        Ok(DONE)
    }
}

/// Opens every enabled source, a few at a time, and prints what was found in their order as it becomes known. A signal
/// ends it at once, with what is known by then.
fn probe(
    sources: &[SourceConfig],
    detector: &DetectorChoice,
    folder: Option<&Path>,
    out: &mut dyn Write,
) -> Result<u8, Failure> {
    let work = LongWork::begin(true)?;
    // After that, which keeps the standard error as it is.
    native::take_over(&work.progress);
    let progress = &work.progress;
    let out = &mut progress.writer(out);
    let enabled: Arc<Vec<SourceConfig>> =
        Arc::new(sources.iter().filter(|source| source.enabled).cloned().collect());
    let results = probe::for_each(&enabled, AT_ONCE, outcome).context(NO_THREAD)?;
    let mut found: Vec<Option<ProbeOutcome>> = enabled.iter().map(|_| None).collect();
    let (mut printed, mut usable) = (0, 0);
    progress.begin(Some(enabled.len() as u64), Unit::Each("sources"));
    while printed < enabled.len() && work.stopped().is_none() {
        // The one whose line is waited for.
        progress.name(&enabled[printed].id);
        match results.recv_timeout(POLL) {
            Ok((index, result)) => {
                found[index] = Some(result);
                progress.advance(1);
            }
            Err(RecvTimeoutError::Timeout) => progress.tick(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        while let Some(result) = found.get_mut(printed).and_then(Option::take) {
            usable += usize::from(result.0.is_ok());
            print_found(&enabled[printed], result, detector, folder, out)?;
            printed += 1;
        }
        out.flush()?;
    }
    if let Some(code) = work.stopped() {
        let mut unknown = 0;
        for (source, result) in enabled.iter().zip(&mut found).skip(printed) {
            match result.take() {
                Some(result) => print_found(source, result, detector, folder, out)?,
                None => unknown += 1,
            }
        }
        writeln!(out, "stopped before {unknown} of {} sources were probed", enabled.len())?;
        out.flush()?;
        work.leave(code);
    }
    out.flush()?;
    Ok(work.end(if usable == enabled.len() { DONE } else { NO_SOURCE }))
}

/// What a source sends, or why it is not known.
type ProbeOutcome = (Result<Probe, SourceError>, Option<(Certificate, bool)>);

/// Opens `source`, and gives what was found.
fn outcome(source: &SourceConfig) -> ProbeOutcome {
    (probe::try_out(source), certificate_of(source))
}

fn print_found(
    source: &SourceConfig,
    found: ProbeOutcome,
    detector: &DetectorChoice,
    folder: Option<&Path>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (found, certificate) = found;
    print_stream(source, found, detector, out)?;
    certificate
        .map_or(Ok(()), |(certificate, trusted)| tell_certificate(source, &certificate, trusted, folder, out))
}

fn print_stream(
    source: &SourceConfig,
    found: Result<Probe, SourceError>,
    detector: &DetectorChoice,
    out: &mut dyn Write,
) -> io::Result<()> {
    let stream = match found {
        Ok(stream) => stream,
        Err(error) => {
            return writeln!(out, "failed  {}: {}", source.id, source.source.redact(&error.to_string()));
        }
    };
    writeln!(out, "ok      {}: {stream}", source.id)?;
    let detector = source.detector.as_ref().unwrap_or(detector);
    let substream = substream_for(stream.info.size, detector.input().unwrap_or_default());
    match substream.filter(|_| source.may_have_substream()) {
        Some((width, height)) => writeln!(
            out,
            "hint    {}: a substream of {width}x{height} would do and cost less to decode",
            source.id
        ),
        None => Ok(()),
    }
}

/// What an encrypted camera shows, and whether it is trusted.
fn certificate_of(source: &SourceConfig) -> Option<(Certificate, bool)> {
    let SourceSpec::Url { address, .. } = &source.source else { return None };
    let encrypted = matches!(address.scheme(), "https" | "rtsps");
    // Where there is none, opening the source has said why.
    encrypted.then(|| certificate(address, &source.tls, source.open_timeout).ok()).flatten()
}

/// Says the fingerprint, and saves what is not trusted into `folder`.
fn tell_certificate(
    source: &SourceConfig,
    certificate: &Certificate,
    trusted: bool,
    folder: Option<&Path>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (id, fingerprint) = (&source.id, certificate.fingerprint());
    let judged = if trusted { "trusted" } else { "not trusted" };
    writeln!(out, "tls     {id}: certificate {judged}, SHA-256 {fingerprint}")?;
    let Some(folder) = folder.filter(|_| !trusted) else { return Ok(()) };
    let path = std::path::absolute(folder)?.join(format!("{id}.pem"));
    let saved = fs::create_dir_all(folder)
        .and_then(|()| files::create(&path, certificate.pem().as_bytes(), files::SHARED));
    let shown = path.display();
    match saved {
        Ok(()) => writeln!(
            out,
            "saved   {id}: '{shown}'; if the camera's own page shows that fingerprint, add \"tls\": {{\"ca\": {}}}",
            serde_json::Value::from(shown.to_string())
        ),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            writeln!(out, "kept    {id}: '{shown}' is there already; remove it to save the certificate again")
        }
        Err(error) => writeln!(out, "failed  {id}: '{shown}' cannot be written: {error}"),
    }
}
