//! How to count, whichever front end shows it.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::config::{DetectorChoice, EngineChoice, LogLevel, Overrides, defaults, parse_duration};

/// How to count, whichever front end shows it.
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
    /// Start all totals at zero instead of continuing from the ledger
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

/// Which detector, and what runs it.
#[derive(Debug, Clone, Default, Args)]
pub struct DetectionArgs {
    /// auto, builtin, builtin:WIDTHxHEIGHT, motion, FORMAT:MODEL (pcount, rtmdet, yolox, ssd-prior) or caffe-ssd:PROTOTXT,CAFFEMODEL
    #[arg(short, long, value_name = "DETECTOR", env = "PCOUNT_DETECTOR", hide_env_values = true,
          value_parser = DetectorChoice::parse_cli)]
    pub detector: Option<DetectorChoice>,
    /// What runs the detector: auto, onnxruntime or opencv
    #[arg(long, value_name = "ENGINE", env = "PCOUNT_ENGINE", hide_env_values = true,
          value_parser = EngineChoice::parse_cli)]
    pub engine: Option<EngineChoice>,
}

impl DetectionArgs {
    /// The detector with the engine applied; [`DetectorChoice::Auto`] when none was named.
    #[must_use]
    pub fn choice(&self) -> DetectorChoice {
        let mut choice = self.detector.clone().unwrap_or_default();
        if let Some(engine) = self.engine {
            choice.set_engine(engine);
        }
        choice
    }
}

/// A number of workers.
pub(super) fn workers(text: &str) -> Result<usize, String> {
    whole(text, defaults::WORKERS_LIMIT)
}

/// A whole number from 1 to `most`.
pub(super) fn whole(text: &str, most: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| format!("give a whole number from 1 to {most}"))
}

/// A time that is not nothing.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if duration.is_zero() { Err("must be more than nothing".into()) } else { Ok(duration) }
}
