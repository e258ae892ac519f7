//! `collect`.

use std::path::PathBuf;

use clap::Args;

use super::ServerArgs;

/// `collect`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Areas, webhooks and the server are those of --config, where it is given. 'pcount-tui report --output DIR' reads what \
                  is collected, also while this runs.\n\nExit codes: 0 done, 1 refused or failed (with the reason), 2 wrong usage, \
                  130 and 143 ended by SIGINT and SIGTERM: what was not stored is collected by the next run."
)]
pub struct CollectArgs {
    /// Which fleet.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Folder of the collected ledger, which no engine counts into; that of --config unless told
    #[arg(short, long, value_name = "DIR", env = "PCOUNT_OUTPUT", hide_env_values = true)]
    pub output: Option<PathBuf>,
    /// Collect what is there, then stop
    #[arg(long)]
    pub once: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
