//! Making a [`Config`] of a file, of sources named on the command line, and of what overrides them.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use super::{
    Address, Config, ConfigErrors, DetectorChoice, EngineChoice, LogLevel, Problem, Secret, SourceConfig,
    SourceSpec, defaults, env,
    json::{self, Document},
    limits::FILE_LENGTH,
    problem::is_settled,
    section::Diagnostics,
    source_spec::{self, Named},
    timezone, tree_secrets, validate,
};

/// What stands above the file: options of the command line, and environment variables where an option was
/// not given (`PCOUNT_WORKERS`, `PCOUNT_OUTPUT`, `PCOUNT_LOG_LEVEL`, `PCOUNT_DETECTOR`, `PCOUNT_ENGINE`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Workers at start.
    pub workers: Option<usize>,
    /// Folder for results, relative to the current folder; the logs follow it.
    pub output: Option<PathBuf>,
    /// Least severe level written to the logs.
    pub log_level: Option<LogLevel>,
    /// Detector of every source.
    pub detector: Option<DetectorChoice>,
    /// What runs the detectors.
    pub engine: Option<EngineChoice>,
}

/// Where problems of options are said to be.
const COMMAND_LINE: &str = "command line";

/// What `--config` calls the standard input.
const STANDARD_INPUT: &str = "-";

/// Whether a configuration at `path` can be read once only and not be written back: a pipe, the standard input
/// (`-`), or what a shell makes of `<(..)`. Its paths are then relative to the current folder.
#[must_use]
pub fn is_stream(path: &Path) -> bool {
    let is_regular = || path.metadata().is_ok_and(|file| file.is_file() || file.is_dir());
    let is_descriptor = || ["/dev/stdin", "/dev/fd", "/proc"].iter().any(|known| path.starts_with(known));
    path == Path::new(STANDARD_INPUT) || is_descriptor() || (path.exists() && !is_regular())
}

impl Config {
    /// Reads and checks the file at `path`, then applies `overrides`. Waits for what comes through a pipe.
    ///
    /// # Errors
    /// Every problem of the file at once. A missing video is none: it is a warning and later a state.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        Self::from_read(&Self::read(path)?, path, overrides)
    }

    /// What is at `path`, which may be a pipe or the standard input (`-`). Waits for what comes through a pipe.
    ///
    /// # Errors
    /// When it cannot be read, or is too large for a configuration.
    pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ConfigErrors> {
        let file = name(path);
        let refused = |message: &str| ConfigErrors::from(Problem::new(&file, None, "", message));
        let mut bytes = Vec::new();
        let mut read = |from: &mut dyn io::Read| from.take(FILE_LENGTH + 1).read_to_end(&mut bytes).map(drop);
        let done = if path == Path::new(STANDARD_INPUT) {
            let mut input = io::stdin().lock();
            if input.is_terminal() {
                return Err(refused("it is the terminal; send a configuration through it, or name a file"));
            }
            read(&mut input)
        } else {
            File::open(path).and_then(|mut file| read(&mut file))
        };
        done.map_err(|error| {
            let fix = if error.kind() == io::ErrorKind::NotFound {
                "; name another file with --config"
            } else {
                ""
            };
            let message = format!("the configuration cannot be read: {error}{fix}");
            let problem = Problem::new(&file, None, "", &message);
            ConfigErrors::from(if is_settled(&error) { problem } else { problem.that_may_heal() })
        })?;
        if bytes.len() as u64 > FILE_LENGTH {
            return Err(refused(&format!(
                "this is no configuration: it is larger than {}; name another file with --config",
                super::text::shown_size(FILE_LENGTH)
            )));
        }
        Ok(bytes)
    }

    /// [`Self::load`] of what [`Self::read`] has given.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(crate) fn from_read(bytes: &[u8], path: &Path, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        if is_stream(path) {
            let mut config = Self::parse(bytes, &name(path), Path::new(""), &variable)?;
            config.piped = std::str::from_utf8(bytes).ok().map(Secret::new);
            return config.apply(overrides);
        }
        let mut config = Self::from_bytes(bytes, path, overrides)?;
        if config.holds_secret && validate::readable_by_all(path) {
            config.warnings.push(format!(
                "{0}: holds a password and can be read by every user of this machine; run chmod 600 {0}, \
                 or keep the password elsewhere with 'credentials'",
                path.display()
            ));
        }
        if validate::writable_by(path, 0o002) {
            config.warnings.push(format!(
                "{0}: can be changed by every user of this machine, and a changed file could send passwords \
                 to any address; run chmod o-w {0}, and the same for its folder",
                path.display()
            ));
        }
        Ok(config)
    }

    /// Like [`Self::load`], with the text of the file at hand.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_bytes(bytes: &[u8], path: &Path, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        let base = path.parent().unwrap_or(Path::new(""));
        let mut config = Self::parse(bytes, &path.display().to_string(), base, &variable)?;
        config.path = Some(path.to_owned());
        config.apply(overrides)
    }

    /// What can be understood of the file at `path`, whatever is wrong with the rest: for commands that only search the program
    /// that counts by it. `None` where it cannot be read.
    pub(crate) fn in_spite_of_problems(path: &Path, overrides: &Overrides) -> Option<Self> {
        if is_stream(path) {
            return None;
        }
        let bytes = Self::read(path).ok()?;
        let file = path.display().to_string();
        let tree = read_tree(&bytes, &file).ok()?;
        let report = Diagnostics::new(&file, path.parent().unwrap_or(Path::new("")), &variable);
        tree_secrets::teach(&tree.root, &report.known);
        validate::document(&report, &tree.root).apply(overrides).ok()
    }

    /// A configuration of the sources named, defaults for everything else. A name of a file need not be text.
    ///
    /// # Errors
    /// Every source string that cannot be read.
    pub fn from_sources<S: AsRef<OsStr>>(sources: &[S], overrides: &Overrides) -> Result<Self, ConfigErrors> {
        let mut config = Self::default();
        let mut taken = BTreeSet::new();
        let mut problems = Vec::new();
        for written in sources {
            match sources_named(written.as_ref(), &taken) {
                Ok((sources, remarks)) => {
                    taken.extend(sources.iter().map(|source| source.id.to_string()));
                    config.sources.extend(sources);
                    config.warnings.extend(remarks);
                }
                Err(problem) => problems.push(Problem::new(COMMAND_LINE, None, "", &problem)),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigErrors { problems });
        }
        config.apply(overrides)
    }

    /// Applies what stands above the file.
    fn apply(mut self, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        let parallel = &mut self.parallel;
        if parallel.timezone.is_unknown() {
            let (zone, warning) = timezone::system();
            parallel.timezone = zone;
            self.warnings.extend(warning);
        }
        if let Some(workers) = overrides.workers {
            if workers == 0 || workers > defaults::WORKERS_LIMIT {
                return Err(Problem::new(
                    COMMAND_LINE,
                    None,
                    "",
                    &format!("'{workers}' workers are out of range; give 1 to {}", defaults::WORKERS_LIMIT),
                )
                .into());
            }
            parallel.worker_count = workers;
            // Who asks for more workers at this call means it more than the file's bound.
            parallel.max_workers = parallel.max_workers.max(workers);
        }
        if let Some(output) = &overrides.output {
            if parallel.log_dir == parallel.result_output.join(defaults::LOG_DIR) {
                parallel.log_dir = output.join(defaults::LOG_DIR);
            }
            parallel.result_output.clone_from(output);
        }
        if let Some(level) = overrides.log_level {
            parallel.log_level = level;
        }
        if let Some(detector) = &overrides.detector {
            parallel.detector = detector.clone();
            for source in &mut self.sources {
                source.detector = None;
            }
        }
        if let Some(engine) = overrides.engine {
            parallel.engine = engine;
            let sources = self.sources.iter_mut().filter_map(|source| source.detector.as_mut());
            for choice in sources.chain([&mut parallel.detector]) {
                choice.set_engine(engine);
            }
        }
        Ok(self)
    }

    pub(super) fn parse(
        bytes: &[u8],
        file: &str,
        base: &Path,
        lookup: env::Lookup<'_>,
    ) -> Result<Self, ConfigErrors> {
        let Document { root, comments } = read_tree(bytes, file)?;
        let report = Diagnostics::new(file, base, lookup);
        tree_secrets::teach(&root, &report.known);
        if comments.into_iter().any(tree_secrets::is_in_comment) {
            report.holds_secret();
        }
        let mut config = validate::document(&report, &root);
        config.holds_secret = report.has_secret();
        let (problems, warnings) = report.finish();
        if !problems.is_empty() {
            return Err(ConfigErrors { problems });
        }
        config.warnings = warnings.iter().map(ToString::to_string).collect();
        Ok(config)
    }
}

/// The value of an environment variable.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A configuration in messages.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) { "standard input".into() } else { path.display().to_string() }
}

pub(super) fn read_tree<'a>(bytes: &'a [u8], file: &str) -> Result<Document<'a>, ConfigErrors> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let place = json::place_of(&bytes[..error.valid_up_to()]);
        let message = if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            "this is UTF-16; save the file as UTF-8"
        } else {
            "this is not UTF-8; save the file in that encoding"
        };
        Problem::new(file, Some(place), "", message)
    })?;
    json::parse(text).map_err(|error| {
        Problem::new(file, Some(error.place), "", &format!("not valid JSON: {}", error.message)).into()
    })
}

impl SourceConfig {
    /// The one source that `text` names, with an id that is not in `taken_ids` and defaults for the rest.
    ///
    /// Paths are relative to the current folder.
    ///
    /// # Errors
    /// One sentence without secrets; also when `text` names a folder or a pattern that does not hold exactly
    /// one video.
    pub fn from_source_string(
        text: &(impl AsRef<OsStr> + ?Sized),
        taken_ids: &BTreeSet<String>,
    ) -> Result<Self, String> {
        let text = text.as_ref();
        let printable = |problem: String| super::text::printable(&problem);
        let (mut sources, _) = sources_named(text, taken_ids).map_err(printable)?;
        match (sources.pop(), sources.len()) {
            (Some(source), 0) => Ok(source),
            (_, others) => {
                let text = text.to_string_lossy();
                Err(printable(format!(
                    "'{}' names {} videos; add them one by one",
                    Address(&text),
                    others + 1
                )))
            }
        }
    }
}

impl SourceConfig {
    /// The one source that `entry` describes, with the keys of an entry of `cameras` or `videos`. Paths are relative to `/`.
    ///
    /// # Errors
    /// Everything that is wrong with it, in one line without secrets.
    pub(crate) fn from_entry(entry: &serde_json::Map<String, serde_json::Value>) -> Result<Self, String> {
        Self::from_entry_in(entry, Path::new("/"))
    }

    /// [`Self::from_entry`] with paths relative to `base`.
    pub(super) fn from_entry_in(
        entry: &serde_json::Map<String, serde_json::Value>,
        base: &Path,
    ) -> Result<Self, String> {
        let list = if entry.contains_key("video_id") { "videos" } else { "cameras" };
        let text = serde_json::json!({ list: [entry] }).to_string();
        let found = Config::parse(text.as_bytes(), "the entry", base, &variable);
        let mut sources = found
            .map_err(|errors| {
                let said: Vec<String> = errors.problems.iter().map(Problem::in_entry).collect();
                said.join("; ")
            })?
            .sources;
        match (sources.pop(), sources.len()) {
            (Some(source), 0) => Ok(source),
            (_, others) => Err(format!("the entry names {} videos; add them one by one", others + 1)),
        }
    }
}

/// The sources that `written` names, at least one, and what is passed over there.
fn sources_named(
    written: &OsStr,
    taken_ids: &BTreeSet<String>,
) -> Result<(Vec<SourceConfig>, Vec<String>), String> {
    let named = if source_spec::is_file_name(written) {
        source_spec::named_exactly(PathBuf::from(written))
    } else {
        let text = written.to_str().unwrap_or_default();
        source_spec::parse(&env::expand(text, &variable)?, Path::new(""), &variable)?
    };
    let (specs, remarks) = match named {
        Named::One(spec) => (vec![spec], Vec::new()),
        Named::Several(found) if found.files.is_empty() => {
            let nothing = format!("'{}' holds no video", Address(&written.to_string_lossy()));
            return Err([&[nothing], &found.remarks[..]].concat().join("; "));
        }
        Named::Several(found) => (found.files.into_iter().map(SourceSpec::File).collect(), found.remarks),
    };
    let mut taken = taken_ids.clone();
    let sources = specs
        .into_iter()
        .map(|spec| {
            let id = source_spec::derive_id(&spec, &taken);
            taken.insert(id.clone());
            let kind = spec.natural_kind();
            SourceConfig::new(id, kind, spec)
        })
        .collect();
    Ok((sources, remarks))
}

#[cfg(test)]
mod tests;
