//! `evidence`: pictures of crossings.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{
    evidence::Key,
    model::{Direction, Reason},
};

/// `evidence`.
#[derive(Debug, Clone, Args)]
pub struct EvidenceArgs {
    /// Configuration that names the output folder with the snapshots
    #[arg(short, long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Output folder with the snapshots
    #[arg(short, long, value_name = "DIR", env = "PCOUNT_OUTPUT", hide_env_values = true, global = true)]
    pub output: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: EvidenceCommand,
}

/// `evidence ...`.
#[derive(Debug, Clone, Subcommand)]
pub enum EvidenceCommand {
    /// List the strips of snapshots, the oldest first
    List(EvidenceList),
    /// Write one strip as a JPEG file
    Show(EvidenceShow),
    /// Delete the strips of a stretch of time for good, which the ledger records
    Delete(EvidenceDelete),
}

/// `evidence list`.
#[derive(Debug, Clone, Args)]
pub struct EvidenceList {
    /// From when: how long ago (24h, 7d), a day (2024-01-15) or a moment (2024-01-15T10:00:00Z)
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub since: String,
    /// Until when, in the same forms; now unless told
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only of this camera or video
    #[arg(long, value_name = "ID")]
    pub camera: Option<String>,
    /// Only this direction
    #[arg(long, value_name = "WAY", value_enum)]
    pub direction: Option<DirectionArg>,
    /// Only counted, suppressed, or not counted for one reason: flicker, u-turn, off-segment, unconfirmed or duplicate
    #[arg(long, value_name = "WHICH", value_parser = judged)]
    pub judged: Option<Judged>,
    /// At most this many, the newest ones
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: usize,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `evidence show`.
#[derive(Debug, Clone, Args)]
pub struct EvidenceShow {
    /// Which, by its key in the list
    #[arg(value_name = "KEY")]
    pub key: Key,
    /// File to write, which only you can read (mode 0600)
    #[arg(long, value_name = "FILE.jpg")]
    pub out: PathBuf,
}

/// `evidence delete`.
#[derive(Debug, Clone, Args)]
pub struct EvidenceDelete {
    /// From when: how long ago (24h, 7d), a day (2024-01-15) or a moment (2024-01-15T10:00:00Z)
    #[arg(long, value_name = "TIME")]
    pub since: String,
    /// Until when, in the same forms
    #[arg(long, value_name = "TIME")]
    pub until: String,
    /// Only of this camera or video; of all unless told
    #[arg(long, value_name = "ID")]
    pub camera: Option<String>,
}

/// [`Direction`] as the command line writes it: the library knows no clap.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum DirectionArg {
    /// In.
    In,
    /// Out.
    Out,
}

impl From<DirectionArg> for Direction {
    fn from(way: DirectionArg) -> Self {
        match way {
            DirectionArg::In => Self::In,
            DirectionArg::Out => Self::Out,
        }
    }
}

/// What became of a crossing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It was counted.
    Counted,
    /// It was not, for whatever reason.
    Suppressed,
    /// It was not, for this reason.
    Reason(Reason),
}

fn judged(text: &str) -> Result<Judged, String> {
    match text {
        "counted" => Ok(Judged::Counted),
        "suppressed" => Ok(Judged::Suppressed),
        word => Reason::of_word(word).map(Judged::Reason).ok_or_else(|| {
            "write counted, suppressed, flicker, u-turn, off-segment, unconfirmed or duplicate".to_owned()
        }),
    }
}
