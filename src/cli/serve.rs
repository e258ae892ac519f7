//! `serve`, and what it has in common with counting in the foreground.

use std::path::PathBuf;

use clap::Args;

use super::{DetectionArgs, workers};
use crate::config::{LogLevel, Overrides};

/// How to count, with whichever front end.
#[derive(Debug, Clone, Default, Args)]
pub struct CountingArgs {
    /// Workers at start
    #[arg(short, long, value_name = "N", env = "PCOUNT_WORKERS", hide_env_values = true,
          value_parser = workers)]
    pub workers: Option<usize>,
    /// Folder for results, logs and the ledger
    #[arg(short, long, value_name = "DIR", env = "PCOUNT_OUTPUT", hide_env_values = true)]
    pub output: Option<PathBuf>,
    /// Least severe level written to the logs: error, warn, info or debug
    #[arg(long, value_name = "LEVEL", env = "PCOUNT_LOG_LEVEL", hide_env_values = true,
          value_parser = LogLevel::parse_cli)]
    pub log_level: Option<LogLevel>,
    /// Which detector, and what runs it.
    #[command(flatten)]
    pub detection: DetectionArgs,
    /// Start all totals at zero instead of going on from the ledger
    #[arg(long)]
    pub fresh: bool,
}

impl CountingArgs {
    /// What stands above the configuration file.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides {
            workers: self.workers,
            output: self.output.clone(),
            log_level: self.log_level,
            detector: self.detection.detector.clone(),
            engine: self.detection.engine,
        }
    }
}

/// `serve`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "SIGTERM and SIGINT stop it with everything kept, SIGHUP reads the configuration file again. \
                        A unit for systemd (Type=notify) is in the README."
)]
pub struct ServeArgs {
    /// Configuration file (JSON); - is the standard input
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// How to count.
    #[command(flatten)]
    pub counting: CountingArgs,
}
