//! A way by which requests reach an engine, and why there may be no answer.

use std::time::Duration;

use hyper::body::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{model::EngineSnapshot, protocol::Refused};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens.
    #[error("no engine answers at '{socket}' ({problem}); start one with 'pcount-tui serve --config FILE'")]
    NoEngine {
        /// The socket.
        socket: String,
        /// What the system said.
        problem: String,
    },
    /// It is not this user's, and is told nothing.
    #[error(
        "'{socket}' belongs to a program of the user '{user}'; name the socket of your own engine with \
         --output or --socket"
    )]
    Stranger {
        /// The socket.
        socket: String,
        /// The user's name.
        user: String,
    },
    /// It is a node of a fleet, and nothing reached it.
    #[error("{0}")]
    NotReached(String),
    /// It broke off.
    #[error("the engine does not answer: {0}")]
    Silent(String),
    /// It took too long.
    #[error("the engine has not answered for {}", humantime::format_duration(*.0))]
    Late(Duration),
    /// It refuses, for this reason.
    #[error("{0}")]
    Refused(String),
    /// It speaks another version.
    #[error("the engine is pcount-tui {theirs}, which this one ({own}) cannot talk to; use the same version of both", own = env!("CARGO_PKG_VERSION"))]
    Version {
        /// Its version.
        theirs: String,
    },
    /// What it says is not understood.
    #[error("the engine's answer cannot be parsed ({0}); use the same version of both")]
    Strange(String),
}

/// What is asked of an engine.
pub(super) struct Request<'a> {
    /// Whether it has a body and may change something.
    pub is_post: bool,
    /// Below the begin of all addresses.
    pub path: &'a str,
    /// In JSON; empty where there is none.
    pub body: Vec<u8>,
}

/// What it answers.
pub(super) struct Response {
    /// Status of HTTP.
    pub status: u16,
    pub body: Bytes,
}

impl Response {
    /// `value` as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, ClientError> {
        let body = serde_json::to_vec(value).map_err(|error| ClientError::Strange(error.to_string()))?;
        Ok(Self { status: 200, body: body.into() })
    }

    /// The body, where it is no refusal.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn accepted(self) -> Result<Bytes, ClientError> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(match serde_json::from_slice::<Refused>(&self.body) {
            Ok(Refused { error }) => ClientError::Refused(error),
            Err(_) => ClientError::Strange(String::from_utf8_lossy(&self.body).chars().take(200).collect()),
        })
    }
}

/// A way by which requests reach an engine, or several that answer as one. May be used by many threads at once.
pub(super) trait Carrier: Send + Sync {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Why there is none.
    fn exchange(&self, request: Request<'_>, patience: Duration) -> Result<Response, ClientError>;

    /// The state, as soon as it is newer than of the generation `after`; 0 is now.
    ///
    /// # Errors
    /// Why it is not known.
    fn snapshot(&self, after: u64, patience: Duration) -> Result<EngineSnapshot, ClientError> {
        let path = if after > 0 { format!("/snapshot?after={after}") } else { "/snapshot".to_owned() };
        read(
            &self
                .exchange(Request { is_post: false, path: &path, body: Vec::new() }, patience)?
                .accepted()?,
        )
    }

    /// The answer to a request that has no end.
    ///
    /// # Errors
    /// Why there is none.
    fn open(&self, path: &str, patience: Duration) -> Result<Box<dyn Pieces>, ClientError>;

    /// Whether the engine has shut down cleanly. May wait a moment.
    fn has_ended(&self) -> bool;
}

/// An answer that has no end.
pub(super) trait Pieces: Send {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When it breaks off, or nothing comes for so long.
    fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, ClientError>;
}

pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| ClientError::Strange(error.to_string()))
}
