//! `doctor`.

use std::path::PathBuf;

use clap::Args;

/// `doctor`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Nothing is changed, and an engine that runs is not disturbed: its sources are asked of it instead of opened. The \
         page holds no passwords, and without --show-addresses no addresses, paths and names of hosts and users either; the ids \
         of sources are in it. Exit codes: 0 nothing fails, 1 something does, 2 wrong usage."
)]
pub struct DoctorArgs {
    /// Configuration file (JSON); - is the standard input. Without one the machine alone is examined
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Another folder for results than the configuration names
    #[arg(short, long, value_name = "DIR", env = "PCOUNT_OUTPUT", hide_env_values = true)]
    pub output: Option<PathBuf>,
    /// Open no camera and no video, and connect to no server
    #[arg(long)]
    pub no_connect: bool,
    /// Show addresses, names of hosts and paths; passwords stay hidden
    #[arg(long)]
    pub show_addresses: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
