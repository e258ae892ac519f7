//! What is examined: the configuration, and the engine that counts by it.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::veil::Veil;
use crate::{
    api,
    clock::Clock,
    config::{self, Config, ConfigErrors, DetectorChoice, Overrides, SourceSpec},
    model::EngineSnapshot,
    protocol::Version,
    remote::Client,
};

/// An engine answers within this time.
const ANSWER: Duration = Duration::from_secs(3);

/// What is to be examined, and how.
#[derive(Clone)]
pub struct Options {
    /// File of the configuration.
    pub config: Option<PathBuf>,
    /// Another folder of results.
    pub output: Option<PathBuf>,
    /// Whether cameras are opened and servers reached.
    pub connects: bool,
    /// Whether addresses, names of hosts and paths are shown.
    pub shows_addresses: bool,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

/// An engine that answers for the output folder.
pub struct Running {
    /// What it says of itself, or why that is not known.
    pub version: Result<Version, String>,
    /// What it shows, or why that is not known.
    pub snapshot: Result<EngineSnapshot, String>,
}

/// What is examined.
pub struct Site {
    /// As it was asked for.
    pub options: Options,
    /// What the configuration says; what can be understood of it where it has problems.
    pub config: Config,
    /// Every problem of the configuration.
    pub problems: Option<ConfigErrors>,
    /// Whether there is an output folder to speak of: one that was named, or that is there.
    pub has_output: bool,
    /// The engine that counts into it.
    pub running: Option<Running>,
    /// What is hidden.
    pub veil: Veil,
}

impl Site {
    /// Reads the configuration and asks the engine. Waits for the disk, and some seconds for the engine.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let overrides = Overrides { output: options.output.clone(), ..Overrides::default() };
        let loaded = match &options.config {
            Some(path) => Config::load(path, &overrides),
            None => Config::from_sources::<OsString>(&[], &overrides),
        };
        let (config, problems) = match loaded {
            Ok(config) => (config, None),
            Err(errors) => {
                let path = options.config.as_deref();
                let known = path.and_then(|path| Config::in_spite_of_problems(path, &overrides));
                (known.unwrap_or_default(), Some(errors))
            }
        };
        config.sources.iter().for_each(|source| source.source.teach(config::known()));
        if let Some(login) = config.parallel.mqtt.as_ref().and_then(|mqtt| mqtt.credentials.as_ref()) {
            config::known().learn_login(login);
        }
        let output = &config.parallel.result_output;
        let is_named = options.config.is_some() && config.path.is_some() || config.piped.is_some();
        let has_output = is_named || options.output.is_some() || output.exists();
        let running = if has_output { api::find(output).map(|socket| Running::ask(&socket)) } else { None };
        let veil = Veil::new(options.shows_addresses, names(&config, &options));
        Self { options, config, problems, has_output, running, veil }
    }

    /// Whether the configuration can be gone by: nothing is sent to addresses that are half understood.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.problems.is_none()
    }

    /// Detectors that the sources use, each once, the program's own first.
    #[must_use]
    pub fn detectors(&self) -> Vec<DetectorChoice> {
        let mut found = vec![self.config.parallel.detector.clone()];
        let own = self.config.sources.iter().filter(|source| source.enabled);
        for choice in own.filter_map(|source| source.detector.as_ref()) {
            if !found.contains(choice) {
                found.push(choice.clone());
            }
        }
        found
    }
}

impl Running {
    fn ask(socket: &Path) -> Self {
        let client = match Client::new(socket) {
            Ok(client) => client,
            Err(error) => return Self { version: Err(error.to_string()), snapshot: Err(error.to_string()) },
        };
        Self {
            version: client.get("/version", ANSWER).map_err(|error| error.to_string()),
            snapshot: client.snapshot(0, ANSWER).map_err(|error| error.to_string()),
        }
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.version.as_ref().ok().map(|version| version.pid)
    }
}

/// Names of hosts, users and folders that the configuration and the machine tell.
fn names(config: &Config, options: &Options) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let settings = &config.parallel;
    for source in &config.sources {
        match &source.source {
            SourceSpec::Url { address, credentials, .. } => {
                names.extend(address.host_str().map(str::to_owned));
                names.extend(credentials.as_ref().map(|login| login.user.clone()));
            }
            SourceSpec::File(path) | SourceSpec::Device(path) => {
                names.insert(path.display().to_string());
            }
            _ => {}
        }
    }
    if let Some(mqtt) = &settings.mqtt {
        names.insert(mqtt.host.clone());
        names.extend(mqtt.credentials.as_ref().map(|login| login.user.clone()));
    }
    for webhook in &settings.webhooks {
        names.extend(url::Url::parse(&webhook.place).ok().and_then(|url| Some(url.host_str()?.to_owned())));
    }
    if let Some(fleet) = &settings.fleet {
        names.extend(fleet.url.hosts(0).map(|(host, _)| host));
        names.extend(fleet.node.clone());
        names.extend(fleet.site.clone());
    }
    let paths = [Some(&settings.result_output), Some(&settings.log_dir), options.config.as_ref()];
    names.extend(paths.into_iter().flatten().map(|path| path.display().to_string()));
    let kernel = |name: &str| fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).ok();
    names.extend(kernel("hostname").map(|name| name.trim().to_owned()));
    names.extend(["HOME", "USER", "LOGNAME", "SUDO_USER"].iter().filter_map(|name| std::env::var(name).ok()));
    names
}
