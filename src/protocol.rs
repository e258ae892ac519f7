//! What travels between an engine and clients in another process: addresses, questions, answers. HTTP and JSON,
//! on a Unix socket in the output folder; see the document of [`crate::api`], which is made of these types.

pub mod ask;
pub mod image;
pub mod order;
pub mod socket;
mod webhook;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::webhook::{WebhookStatus, WebhookTest};
use crate::{
    logging::LogLine,
    model::{EngineSnapshot, SourceState},
};

/// Begin of every address of this version of the API.
pub const PREFIX: &str = "/api/v1";

/// Rises with what an older program could not understand.
pub const VERSION: u32 = 1;

/// Longest body of a request, in bytes.
pub const MOST_BODY: usize = 256 << 10;

/// `text` as a part of an address.
#[must_use]
pub fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Which program answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// Its version.
    pub program: String,
    /// The version of the API that it speaks.
    pub api: u32,
    /// Number of its process.
    pub pid: u32,
    /// Output folder of the engine.
    pub output: String,
}

/// Why something was refused, in one sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// The sentence.
    pub error: String,
}

/// What was done, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// The sentence.
    pub said: String,
}

/// Whether counts are safe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// Whether they are.
    pub ready: bool,
    /// Why not, a sentence each.
    pub reasons: Vec<String>,
}

impl Readiness {
    /// As an engine shows itself.
    #[must_use]
    pub fn of(snapshot: &EngineSnapshot) -> Self {
        let mut reasons = snapshot.problems.clone();
        // What its opening hours have closed is not watched on purpose: no monitor has to be woken at night.
        let is_wanted =
            |state: &SourceState| !state.is_over() && !matches!(state, SourceState::Closed { .. });
        let mut wanted =
            snapshot.sources.iter().map(|source| &source.state).filter(|state| is_wanted(state)).peekable();
        if wanted.peek().is_some() && !wanted.any(|state| *state == SourceState::Running) {
            reasons.push("no source is running".into());
        }
        Self { ready: reasons.is_empty(), reasons }
    }
}

/// Lines of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// The oldest first.
    pub lines: Vec<LogLine>,
    /// Lines written since the start of the program.
    pub written: u64,
}

/// What a changed configuration file would change or has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reloaded {
    /// Whether it was done; otherwise it was only worked out.
    pub done: bool,
    /// The differences, a sentence each.
    pub changes: Vec<String>,
    /// What was done, in one sentence.
    pub said: Option<String>,
}
