//! `pcount-tui audit`: a person watches a source and taps a key for every crossing; then the counts are compared with them.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{
    audit_export, configuration,
    ending::Ending,
    failure::{DONE, FAILED, Failure, NO_SOURCE, NO_THREAD},
    native,
    notices::Notices,
    signals::StopSignal,
};
use crate::{
    audit::{
        TOLERANCE, render,
        saved::{self, Audited},
        truth::{Truth, WatchedSource},
        watch::Watching,
    },
    cli::{AuditArgs, AuditCommand},
    config::{self, Config, Overrides, SourceConfig, SourceSpec, edit::same_place},
    logging::{self, LogOptions},
    model::{SourceKind, name_of},
    native::disk::Disk,
    source::stretch::Stretch,
    tui::{
        TuiOptions,
        audit::{Ended, Setup, run as show},
    },
};

/// Watches until the person has seen the result, or a signal comes.
pub fn run(args: &AuditArgs) -> Result<u8, Failure> {
    if let Some(AuditCommand::Export(export)) = &args.command {
        return audit_export::run(export);
    }
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::Usage("an audit needs a terminal: somebody has to watch and to tap".into()));
    }
    let overrides = Overrides {
        detector: args.detection.detector.clone(),
        engine: args.detection.engine,
        ..Overrides::default()
    };
    let (config, source) = choose(args, &overrides)?;
    source.source.teach(config::known());
    let earlier = args.taps.as_deref().map(Truth::read).transpose();
    let earlier = earlier.map_err(|error| Failure::Usage(error.to_string()))?;
    let source = prepared(args, source, earlier.as_ref())?;
    let (file, keeps) = file(args, &source)?;
    let stretch = stretch(args, &source, earlier.as_ref())?;

    let stop = StopSignal::listen().context(NO_THREAD)?;
    let notices = Notices::start().context(NO_THREAD)?;
    let ending = Ending::watch(&stop, &notices).context(NO_THREAD)?;
    native::take_over(&crate::progress::Progress::hidden());
    // The program that counts here all day may write its logs into the folder of the results, and an audit leaves nothing but what
    // it found: lines stay in memory, and what native libraries print is dropped.
    let parallel = &config.parallel;
    let logs = logging::init(&LogOptions {
        level: parallel.log_level,
        timezone: parallel.timezone.clone(),
        ..LogOptions::default()
    })?;
    let options = TuiOptions {
        color: args.color,
        graphics: args.graphics,
        config: config.tui.clone(),
        ascii: args.ascii,
        native_log: Some(PathBuf::from("/dev/null")),
        stop: std::sync::Arc::clone(&stop.number),
        timezone: parallel.timezone.clone(),
        ..TuiOptions::default()
    };
    let tolerance = args.tolerance.map(|tolerance| tolerance.as_secs_f64());
    let tolerance = tolerance.or(earlier.as_ref().map(|truth| truth.tolerance)).unwrap_or(TOLERANCE);
    let setup = Setup {
        name: name_of(&source.alias, &source.id),
        place: WatchedSource::of(&source.source),
        lines: source.lines.clone(),
        speed: args.speed,
        tolerance,
        watched: earlier.as_ref().map(|truth| truth.watched).filter(|watched| watched.is_finite()),
        taps: earlier.map(|truth| truth.taps).unwrap_or_default(),
        keeps,
        save: &|truth| save(truth, &file),
        file: file.clone(),
    };
    let id = source.id.to_string();
    let watching = Watching::start(source, parallel.clone(), stretch)?;
    let ended = show(watching, setup, &options);
    ending.begin();
    logs.close(ending.left(0.5));
    let ended = ended?;
    let result = match (&args.config, &ended.findings) {
        (Some(_), Some(found)) => {
            let audited = Audited::new(std::time::SystemTime::now(), &id, ended.watched, found);
            keep(&audited, &config.parallel.result_output)
        }
        _ => Ok(()),
    };
    let mut code = tell(ended, &notices)?;
    if let Err(problem) = result {
        notices.say_now(&problem);
        code = FAILED;
    }
    ending.leave(stop.code().unwrap_or(code), false)
}

/// Says what came of it, below the screens.
fn tell(ended: Ended, notices: &Notices) -> Result<u8, Failure> {
    let mut code = DONE;
    if let Some(found) = &ended.findings {
        render::text(found, &mut io::stdout().lock())?;
    }
    match ended.kept {
        Some(Ok(text)) => notices.say_now(&text),
        Some(Err(text)) => {
            notices.say_now(&text);
            code = FAILED;
        }
        None => {}
    }
    if let Some(problem) = ended.problem {
        notices.say_now(&problem);
        code = NO_SOURCE;
    }
    // Ctrl-C is a key while the terminal is raw, and does not arrive as a signal.
    Ok(ended.signal.map_or(code, |signal| {
        u8::try_from(signal).map_or(code, |signal| super::failure::SIGNAL.saturating_add(signal))
    }))
}

fn save(truth: &Truth, file: &Path) -> Result<String, String> {
    let disk = Disk::start("disk-audit").map_err(|error| format!("{NO_THREAD}: {error}"))?;
    let (kept, path) = (truth.clone(), file.to_owned());
    disk.run(move || kept.write(&path)).map_err(|error| format!("the taps are not saved: {error}"))?;
    let taps = match truth.taps.len() {
        1 => "1 tap is".into(),
        count => format!("{count} taps are"),
    };
    Ok(format!("{taps} saved in '{}', which 'pcount-tui eval' reads", file.display()))
}

/// Keeps the result for reports.
fn keep(audited: &Audited, folder: &Path) -> Result<(), String> {
    let disk = Disk::start("disk-audit").map_err(|error| format!("{NO_THREAD}: {error}"))?;
    let (audited, to) = (audited.clone(), folder.to_owned());
    disk.run(move || saved::append(&to, &audited)).map_err(|error| {
        format!("'{}': {error}; the result is not saved for reports", saved::path(folder).display())
    })
}

/// The configuration, and the source that is meant.
fn choose(args: &AuditArgs, overrides: &Overrides) -> Result<(Config, SourceConfig), Failure> {
    // Without a command there is one: the arguments say so.
    let wanted = args.source.clone().unwrap_or_default();
    let Some(path) = &args.config else {
        let config =
            Config::from_sources(&[&wanted], overrides).map_err(|errors| Failure::config(&errors))?;
        return match &config.sources[..] {
            [source] => {
                let source = source.clone();
                Ok((config, source))
            }
            several => {
                Err(Failure::Usage(format!("it names {} videos; audit them one by one", several.len())))
            }
        };
    };
    let config = configuration::load(path, overrides)?;
    configuration::warn(&config);
    let name = wanted.to_string_lossy();
    let named = config.sources.iter().find(|source| *source.id == *name);
    let meant = named.or_else(|| config.sources.iter().find(|source| source.alias == name));
    let meant = meant.or_else(|| {
        let written = SourceConfig::from_source_string(&wanted, &BTreeSet::new()).ok()?;
        config.sources.iter().find(|source| same_place(&source.source, &written.source))
    });
    if let Some(source) = meant.cloned() {
        Ok((config, source))
    } else {
        let known: Vec<_> = config.sources.iter().map(|source| source.id.to_string()).collect();
        Err(Failure::Usage(format!(
            "'{}' is no source of '{}'; it has {}",
            config::Address(&name),
            path.display(),
            known.join(", ")
        )))
    }
}

/// The source as it is watched: what can be read again is read as a video, of which no frame is lost.
fn prepared(
    args: &AuditArgs,
    mut source: SourceConfig,
    earlier: Option<&Truth>,
) -> Result<SourceConfig, Failure> {
    if matches!(source.source, SourceSpec::File(_) | SourceSpec::Demo(_)) {
        source.kind = SourceKind::Video;
    }
    if let Some(truth) = earlier {
        let file = args.taps.as_deref().unwrap_or(Path::new("")).display();
        let spec = match &truth.place {
            WatchedSource::Video(video) => SourceSpec::File(video.clone()),
            WatchedSource::Demo(scene) => SourceSpec::Demo(scene.clone()),
            WatchedSource::Camera(address) => {
                return Err(Failure::Usage(format!(
                    "'{file}' is an audit of the camera {address}, whose frames are gone, so it cannot be \
                     continued; leave out --taps"
                )));
            }
        };
        if !same_place(&spec, &source.source) {
            return Err(Failure::Usage(format!(
                "'{file}' is an audit of another source, {spec}; name that \
                 source"
            )));
        }
        if args.config.is_none() {
            source.lines.clone_from(&truth.lines);
        }
    }
    if let Some(name) = &args.line {
        let known: Vec<_> = source.lines.iter().map(|line| line.name.clone()).collect();
        source.lines.retain(|line| line.name == *name);
        if source.lines.is_empty() {
            return Err(Failure::Usage(format!("there is no line '{name}'; it has {}", known.join(", "))));
        }
    }
    if let (Some(truth), Some(path)) = (earlier, &args.taps)
        && truth.lines != source.lines
    {
        return Err(Failure::Usage(format!(
            "'{}' was made with other lines; start a new audit without --taps",
            path.display()
        )));
    }
    Ok(source)
}

/// Where taps are kept, and whether that is asked for.
fn file(args: &AuditArgs, source: &SourceConfig) -> Result<(PathBuf, bool), Failure> {
    if let Some(path) = &args.save {
        if path.exists() && args.taps.as_ref() != Some(path) {
            return Err(Failure::Usage(format!(
                "'{0}' is there already; name another file, or continue it: --taps {0}",
                path.display()
            )));
        }
        return Ok((path.clone(), true));
    }
    if let Some(path) = &args.taps {
        return Ok((path.clone(), true));
    }
    let name = |number: u32| match number {
        1 => PathBuf::from(format!("audit-{}.csv", source.id)),
        _ => PathBuf::from(format!("audit-{}-{number}.csv", source.id)),
    };
    Ok(((1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(1)), false))
}

fn stretch(args: &AuditArgs, source: &SourceConfig, earlier: Option<&Truth>) -> Result<Stretch, Failure> {
    if source.kind == SourceKind::Camera && (args.from.is_some() || args.to.is_some()) {
        return Err(Failure::Usage("a camera is watched from now on; leave out --from and --to".into()));
    }
    let before = earlier.and_then(|truth| truth.read).map(|(from, _)| from);
    let from = args.from.map(|from| from.as_secs_f64()).or(before).unwrap_or(f64::NEG_INFINITY);
    let to = args.to.map_or(f64::INFINITY, |to| to.as_secs_f64());
    if from >= to {
        return Err(Failure::Usage("--from must come before --to".into()));
    }
    Ok(Stretch { from, to })
}
