//! Reading the configuration, also where it can be read only once.

use std::path::Path;

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

/// Says on the standard error what is worth telling and stops nothing.
pub fn warn(config: &Config) {
    for warning in &config.warnings {
        complain(&format!("warning: {warning}"));
    }
}
