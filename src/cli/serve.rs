//! `serve`.

use std::path::PathBuf;

use clap::Args;

use super::counting::CountingArgs;

/// `serve`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "SIGTERM and SIGINT shut it down cleanly, SIGHUP reloads the configuration file. A unit \
         for systemd (Type=notify) is in docs/running.md."
)]
pub struct ServeArgs {
    /// Configuration file (JSON); - is the standard input
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// How to count.
    #[command(flatten)]
    pub counting: CountingArgs,
}
