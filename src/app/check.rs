//! `pcount-tui check`: every problem of a configuration at once, and with `--probe` what each source sends.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use super::{DONE, Failure, NO_SOURCE, environment};
use crate::{
    cli::CheckArgs,
    config::{Config, DetectorChoice, Overrides, SourceConfig, SourceSpec},
    files,
    source::{
        network::{Certificate, certificate},
        probe_source, substream_for,
    },
    tui::keymap::Keymap,
};

/// Checks, and prints what was found.
pub fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let config = Config::load(&args.config, &Overrides::default())
        .map_err(|errors| Failure::Usage(format!("the configuration has problems\n{errors}")))?;
    if args.probe {
        environment::set_for(&config);
    }
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
    if args.probe {
        probe(&config.sources, &config.parallel.detector, args.certificates.as_deref(), &mut out)
    } else {
        Ok(DONE)
    }
}

/// Opens every enabled source, all at the same time: one that does not answer holds up nobody.
fn probe(
    sources: &[SourceConfig],
    detector: &DetectorChoice,
    certificates: Option<&Path>,
    out: &mut dyn Write,
) -> Result<u8, Failure> {
    let enabled: Vec<&SourceConfig> = sources.iter().filter(|source| source.enabled).collect();
    let found: Vec<_> = std::thread::scope(|scope| {
        let probes: Vec<_> = enabled
            .iter()
            .map(|source| scope.spawn(|| (probe_source(source), certificate_of(source))))
            .collect();
        probes.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let mut usable = 0;
    for (source, found) in enabled.iter().zip(found) {
        let (found, certificate) = match found {
            Ok((found, certificate)) => (Ok(found), certificate),
            Err(panic) => (Err(panic), None),
        };
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
        if let Some((certificate, trusted)) = certificate {
            tell_certificate(source, &certificate, trusted, certificates, out)?;
        }
    }
    Ok(if usable == enabled.len() { DONE } else { NO_SOURCE })
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
