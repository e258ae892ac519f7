//! `config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `config`.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// `config ...`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Write today's names in the place of those of earlier versions; the rest of the file stays as it is, comments included
    #[command(
        after_help = "The file as it was is kept beside it, with .bak behind its name. Exit codes: 0 done or nothing to do, 1 it \
                      cannot be written, 2 it cannot be read."
    )]
    Migrate {
        /// Configuration file (JSON)
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only print what would be changed
        #[arg(long)]
        dry_run: bool,
    },
}
