//! `fleet`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::{ID_LENGTH, ServerUrl, label};

/// Which fleet.
#[derive(Debug, Clone, Default, Args)]
pub struct ServerArgs {
    /// NATS server of the fleet.
    #[arg(long, value_name = "URL", value_parser = server, global = true,
          help = "NATS server of the fleet, nats://HOST:4222 or tls://HOST:4222; several of a cluster separated by commas")]
    pub nats: Option<ServerUrl>,
    /// File of NATS credentials (.creds), or with a key made by 'fleet user'
    #[arg(long, value_name = "FILE", global = true)]
    pub credentials: Option<PathBuf>,
    /// PEM file of certificates that are trusted besides the system's
    #[arg(long, value_name = "FILE", global = true)]
    pub ca: Option<PathBuf>,
    /// File with the key of the fleet, made by 'fleet key': what is applied is sealed with it, what is exported opened
    #[arg(long, value_name = "FILE", global = true)]
    pub key_file: Option<PathBuf>,
    /// Configuration file whose 'fleet' says the same
    #[arg(short, long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// `fleet`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit codes: 0 done, 1 refused or failed (with the reason), 2 wrong usage. docs/fleet.md goes from nothing to \
                  three nodes."
)]
pub struct FleetArgs {
    /// Which fleet.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: FleetCommand,
}

/// `fleet ...`.
#[derive(Debug, Clone, Subcommand)]
pub enum FleetCommand {
    /// Make the sources of the fleet those of a file; prints first what it adds, changes and removes
    Apply {
        /// File in the form of a configuration: cameras and videos, each with a site if only some nodes can reach it
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only print it
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the sources of the fleet into a file that 'fleet apply' takes, also what was changed on dashboards since the last one
    Export {
        /// Where they go, readable for you alone; must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the sources, and which node has each, since when and by which lease
    Status,
    /// Print the nodes: version, detector, cores, room, sources, site, when each was seen last
    Nodes,
    /// Have a node give its sources to others, one after the other; it takes no more until it is restarted
    Drain {
        /// Name of the node
        #[arg(value_name = "NODE")]
        node: String,
        /// Have it take sources again
        #[arg(long)]
        undo: bool,
    },
    /// Make a key of a user of the NATS server, for --credentials; prints the public half, for the server's configuration
    User {
        /// Where the secret half goes; must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Make a key of the fleet, for the operator and for each node; passwords of cameras are sealed with it
    Key {
        /// Where it goes; must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Remove a source from the fleet
    Remove {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// The address of a server.
pub(super) fn server(text: &str) -> Result<ServerUrl, String> {
    ServerUrl::parse(text)
}

/// The name of a node or a site.
pub(super) fn name(text: &str) -> Result<String, String> {
    label(text, ID_LENGTH)
}
