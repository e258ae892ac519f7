//! `serve`.

use std::path::PathBuf;

use clap::Args;

use super::{
    counting::CountingArgs,
    fleet::{name, server},
};
use crate::config::ServerUrl;

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
    /// NATS server of the fleet that it is a node of.
    #[arg(long, value_name = "URL", value_parser = server, help_heading = "Fleet",
          help = "Be a node of the fleet on this NATS server, nats://HOST:4222 or tls://HOST:4222; several of a cluster separated by commas")]
    pub nats: Option<ServerUrl>,
    /// Name of this node; the host's when not given
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = "Fleet")]
    pub node: Option<String>,
    /// Where this node is: it takes the sources of this site, and those without one
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = "Fleet")]
    pub site: Option<String>,
    /// How to count.
    #[command(flatten)]
    pub counting: CountingArgs,
}
