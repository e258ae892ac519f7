//! `attach` and `ctl`: what is asked of an engine that runs already.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{
    dashboard::DashboardArgs,
    fleet::{name, server},
};
use crate::config::ServerUrl;

/// Which running engine. Without any of these, the one of the default output folder.
#[derive(Debug, Clone, Default, Args)]
pub struct EngineArgs {
    /// Configuration file that the engine was started with
    #[arg(short, long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Output folder of the engine
    #[arg(short, long, value_name = "DIR", env = "PCOUNT_OUTPUT", hide_env_values = true, global = true)]
    pub output: Option<PathBuf>,
    /// Socket of the engine, if it is elsewhere
    #[arg(long, value_name = "PATH", global = true, conflicts_with_all = ["config", "output"])]
    pub socket: Option<PathBuf>,
    /// A fleet in its place.
    #[command(flatten)]
    pub fleet: OfFleet,
}

/// Which fleet, or which node of it.
#[derive(Debug, Clone, Default, Args)]
pub struct OfFleet {
    /// NATS server of the fleet.
    #[arg(long, value_name = "URL", value_parser = server, global = true, conflicts_with = "socket", help_heading = "Fleet",
          help = "All nodes of the fleet on this NATS server, nats://HOST:4222 or tls://HOST:4222; several of a cluster separated by commas")]
    pub nats: Option<ServerUrl>,
    /// Only this node of the fleet
    #[arg(long, value_name = "NAME", value_parser = name, global = true, requires = "nats", help_heading = "Fleet")]
    pub node: Option<String>,
    /// File of NATS credentials (.creds)
    #[arg(long, value_name = "FILE", global = true, requires = "nats", help_heading = "Fleet")]
    pub credentials: Option<PathBuf>,
    /// PEM file of certificates that are trusted besides the system's
    #[arg(long, value_name = "FILE", global = true, requires = "nats", help_heading = "Fleet")]
    pub ca: Option<PathBuf>,
}

/// `attach`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "q detaches; the engine continues. Several dashboards may be attached at once.")]
pub struct AttachArgs {
    /// Which engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Appearance and behavior of the dashboard.
    #[command(flatten)]
    pub dashboard: DashboardArgs,
}

/// `ctl`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit codes: 0 done, 1 refused or no engine answers (with the reason), 2 wrong usage."
)]
pub struct CtlArgs {
    /// Which engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: CtlCommand,
}

/// `ctl ...`.
#[derive(Debug, Clone, Subcommand)]
pub enum CtlCommand {
    /// Print the counts and states of all sources
    Status,
    /// Print what happens from now on, a line each, until the engine ends
    Events {
        /// Only of this source
        #[arg(value_name = "ID")]
        source: Option<String>,
        /// Continue after the event with this id, as --json prints them
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Stop reading sources; their counts stay
    Pause(Sources),
    /// Resume reading sources
    Resume(Sources),
    /// Reconnect sources now; a video is read from its start with its counts at zero
    Restart(Sources),
    /// Reset the counts of sources to zero
    Reset(Sources),
    /// Add a source for this run
    Add {
        /// What to open: an address, a file, a device or a scene (demo:lobby)
        #[arg(value_name = "SOURCE", required_unless_present = "entry")]
        source: Option<String>,
        /// Its id; made from what it opens when not given
        #[arg(long, value_name = "ID", requires = "source")]
        id: Option<String>,
        /// Its name on the dashboard
        #[arg(long, value_name = "NAME", requires = "source")]
        alias: Option<String>,
        /// The source with all its settings, as an entry of the configuration file in JSON; - is the standard input
        #[arg(long, value_name = "JSON", conflicts_with = "source")]
        entry: Option<String>,
        /// Also save it to the configuration file
        #[arg(long)]
        save: bool,
    },
    /// Stop and remove sources until the configuration is reloaded
    Remove {
        /// Their ids
        #[arg(value_name = "ID", required = true)]
        sources: Vec<String>,
        /// Also remove them from the configuration file
        #[arg(long)]
        save: bool,
    },
    /// Set how many workers may run at once, or print it
    Workers {
        /// How many
        #[arg(value_name = "N", allow_negative_numbers = true, value_parser = super::counting::workers)]
        count: Option<usize>,
    },
    /// Print how many are inside each area, or correct the number of one
    Area {
        /// Its name
        #[arg(value_name = "NAME", requires = "what")]
        name: Option<String>,
        /// What to do with it
        #[arg(value_name = "set", value_enum, requires = "inside")]
        what: Option<AreaWord>,
        /// How many are inside now; recorded in the ledger as a correction
        #[arg(value_name = "N", value_parser = clap::value_parser!(u64).range(..=crate::model::MOST_INSIDE))]
        inside: Option<u64>,
    },
    /// Print how webhooks do, or send them a test
    Webhooks {
        /// What to do with them
        #[arg(value_name = "test", value_enum)]
        what: Option<WebhookWord>,
        /// Only with this one
        #[arg(value_name = "NAME", requires = "what")]
        name: Option<String>,
    },
    /// Reload the configuration file
    Reload {
        /// Only print what would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the complete state as JSON
    Snapshot,
    /// Print the latest lines of the log
    Logs {
        /// Only lines about this source
        #[arg(value_name = "ID")]
        source: Option<String>,
        /// Continue with new lines as they come
        #[arg(short, long)]
        follow: bool,
        /// Only lines at least this severe: error, warn, info or debug
        #[arg(long, value_name = "LEVEL", value_parser = crate::config::LogLevel::parse_cli)]
        level: Option<crate::config::LogLevel>,
        /// Only lines with all of these words, and without those that begin with !
        #[arg(long, value_name = "WORDS", default_value = "")]
        words: String,
    },
    /// Print what users did with the engine, with user and time
    Actions {
        /// From when on: how long ago (24h, 7d), a day (2024-01-15) or a moment (2024-01-15T10:00:00Z)
        #[arg(long, value_name = "TIME", default_value = "7d")]
        since: String,
    },
    /// Shut the engine down cleanly; everything counted is saved
    Stop,
}

/// `ctl area NAME ...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AreaWord {
    /// So many people are inside now
    Set,
}

/// `ctl webhooks ...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WebhookWord {
    /// Send a signed test and print the answer
    Test,
}

/// Sources by their ids.
#[derive(Debug, Clone, Args)]
pub struct Sources {
    /// Their ids
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub sources: Vec<String>,
    /// All sources
    #[arg(long, conflicts_with = "sources")]
    pub all: bool,
}
