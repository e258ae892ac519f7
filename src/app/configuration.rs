//! Reading the configuration, also where it can be read only once.

use std::{ffi::OsString, path::Path};

use super::{failure::Failure, say::complain};
use crate::config::{Config, ConfigErrors, Overrides, is_stream};

/// The configuration at `path`, which may be a pipe.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Config, Failure> {
    read(path, overrides).map_err(|errors| Failure::config(&errors))
}

fn read(path: &Path, overrides: &Overrides) -> Result<Config, ConfigErrors> {
    if !is_stream(path) {
        return Config::load(path, overrides);
    }
    let bytes = Config::read(path)?;
    Config::from_read(&bytes, path, overrides)
}

/// The configuration at `config`, or the usual one, for a command that reads what a run has written; `output` is another
/// folder of results. What the user should know of it is printed.
pub fn of_results(config: Option<&Path>, output: Option<&Path>) -> Result<Config, Failure> {
    let overrides = Overrides { output: output.map(Path::to_owned), ..Overrides::default() };
    let config = match config {
        Some(path) => load(path, &overrides)?,
        None => {
            Config::from_sources::<OsString>(&[], &overrides).map_err(|errors| Failure::config(&errors))?
        }
    };
    warn(&config);
    Ok(config)
}

/// Says on the standard error what the user should know and what stops nothing.
pub fn warn(config: &Config) {
    for warning in &config.warnings {
        complain(&format!("warning: {warning}"));
    }
}
