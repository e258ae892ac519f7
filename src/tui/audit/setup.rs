//! What an audit is begun with.

use std::{path::PathBuf, time::Duration};

use crate::{
    audit::{
        tap::Tap,
        truth::{Truth, WatchedSource},
    },
    model::LineConfig,
};

/// The end waits at most this long for a camera that hangs in native code.
pub(super) const STOP_TIMEOUT: Duration = Duration::from_millis(900);

/// Keeps what a person saw; says where, or why it could not.
pub type Save<'a> = dyn Fn(&Truth) -> Result<String, String> + 'a;

/// What is audited, and how.
pub struct Setup<'a> {
    /// Name of the source for people.
    pub name: String,
    /// What it is, for the file of the taps.
    pub place: WatchedSource,
    /// The lines, at least one.
    pub lines: Vec<LineConfig>,
    /// Times the source's own speed.
    pub speed: u32,
    /// Furthest that a tap and a count may lie apart, in seconds.
    pub tolerance: f64,
    /// What was tapped in an earlier part of the audit.
    pub taps: Vec<Tap>,
    /// Seconds until which it was watched then.
    pub watched: Option<f64>,
    /// Where taps go when they are to be kept.
    pub file: PathBuf,
    /// Whether they are to be kept without being asked for.
    pub keeps: bool,
    /// Keeps them.
    pub save: &'a Save<'a>,
}
