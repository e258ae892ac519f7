//! Making a [`Config`] of a file, of sources named on the command line, and of what overrides them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Address, Config, ConfigErrors, DetectorChoice, EngineChoice, LogLevel, Problem, SourceConfig, SourceSpec,
    defaults, env,
    json::{self, Node},
    problem::is_settled,
    section::Report,
    source_spec::{self, Named},
    tree_secrets, validate,
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

impl Config {
    /// Reads and checks the file at `path`, then applies `overrides`.
    ///
    /// # Errors
    /// Every problem of the file at once. A missing video is none: it is a warning and later a state.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        let file = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| {
            let fix = if error.kind() == std::io::ErrorKind::NotFound {
                "; name another file with --config"
            } else {
                ""
            };
            let message = format!("the configuration cannot be read: {error}{fix}");
            let problem = Problem::new(&file, None, "", &message);
            if is_settled(&error) { problem } else { problem.that_may_heal() }
        })?;
        let mut config = Self::from_bytes(&bytes, path, overrides)?;
        if config.holds_secret && validate::readable_by_all(path) {
            config.warnings.push(format!(
                "{file}: holds a password and can be read by every user of this machine; run chmod 600 {file}, \
                 or keep the password elsewhere with 'credentials'"
            ));
        }
        if validate::writable_by(path, 0o002) {
            config.warnings.push(format!(
                "{file}: can be changed by every user of this machine, who could have it count and send passwords \
                 where they want; run chmod o-w {file}, and the same for its folder"
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
        let lookup = |name: &str| std::env::var(name).ok();
        let mut config = Self::parse(bytes, &path.display().to_string(), base, &lookup)?;
        config.path = Some(path.to_owned());
        config.apply(overrides)
    }

    /// A configuration of the sources named, defaults for everything else.
    ///
    /// # Errors
    /// Every source string that cannot be read.
    pub fn from_sources(sources: &[String], overrides: &Overrides) -> Result<Self, ConfigErrors> {
        let mut config = Self::default();
        let mut taken = BTreeSet::new();
        let mut problems = Vec::new();
        for written in sources {
            match sources_named(written, &taken) {
                Ok(sources) => {
                    taken.extend(sources.iter().map(|source| source.id.to_string()));
                    config.sources.extend(sources);
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
            parallel.result_output = output.clone();
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

    fn parse(bytes: &[u8], file: &str, base: &Path, lookup: env::Lookup<'_>) -> Result<Self, ConfigErrors> {
        let root = read_tree(bytes, file)?;
        let report = Report::new(file, base, lookup);
        tree_secrets::teach(&root, &report.known);
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

fn read_tree(bytes: &[u8], file: &str) -> Result<Node, ConfigErrors> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let place = json::place_of(&bytes[..error.valid_up_to()]);
        Problem::new(file, Some(place), "", "this is not UTF-8; save the file in that encoding")
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
    pub fn from_source_string(text: &str, taken_ids: &BTreeSet<String>) -> Result<Self, String> {
        let printable = |problem: String| super::text::printable(&problem);
        let mut sources = sources_named(text, taken_ids).map_err(printable)?;
        match (sources.pop(), sources.len()) {
            (Some(source), 0) => Ok(source),
            (_, others) => {
                let text = Address(text);
                Err(printable(format!("'{text}' names {} videos; add them one by one", others + 1)))
            }
        }
    }
}

/// The sources that `text` names; at least one.
fn sources_named(text: &str, taken_ids: &BTreeSet<String>) -> Result<Vec<SourceConfig>, String> {
    let lookup = |name: &str| std::env::var(name).ok();
    let expanded = env::expand(text, &lookup)?;
    let specs = match source_spec::parse(&expanded, Path::new(""), &lookup)? {
        Named::One(spec) => vec![spec],
        Named::Several(files) if files.is_empty() => {
            return Err(format!("'{}' holds no video", Address(text)));
        }
        Named::Several(files) => files.into_iter().map(SourceSpec::File).collect(),
    };
    let mut taken = taken_ids.clone();
    Ok(specs
        .into_iter()
        .map(|spec| {
            let id = source_spec::derive_id(&spec, &taken);
            taken.insert(id.clone());
            let kind = spec.natural_kind();
            SourceConfig::new(id, kind, spec)
        })
        .collect())
}

#[cfg(test)]
mod tests;
