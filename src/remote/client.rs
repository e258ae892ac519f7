//! Asks an engine, whichever way requests reach it.

use std::{path::Path, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    carrier::{Carrier, ClientError, Pieces, Request, read},
    socket::SocketCarrier,
};
use crate::{
    model::EngineSnapshot,
    protocol::{self, Version},
};

/// Asks an engine. Cheap to clone; every call waits, and may be made by many threads at once.
#[derive(Clone)]
pub struct Client {
    carrier: Arc<dyn Carrier>,
}

impl Client {
    /// A client of the engine behind `socket`; connects when it is asked.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn new(socket: &Path) -> Result<Self, ClientError> {
        Ok(Self::over(SocketCarrier::new(socket)?))
    }

    /// A client of what is behind `carrier`.
    pub(super) fn over(carrier: impl Carrier + 'static) -> Self {
        Self { carrier: Arc::new(carrier) }
    }

    /// Whether the engine has shut down cleanly. Waits a moment for that.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.carrier.has_ended()
    }

    /// The program that answers.
    ///
    /// # Errors
    /// When nobody does, or one that this one cannot talk to.
    pub fn version(&self, patience: Duration) -> Result<Version, ClientError> {
        let version: Version = self.get("/version", patience)?;
        if version.api == protocol::VERSION {
            Ok(version)
        } else {
            Err(ClientError::Version { theirs: version.program })
        }
    }

    /// The state, as soon as it is newer than of the generation `after`; 0 is now.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn snapshot(&self, after: u64, patience: Duration) -> Result<EngineSnapshot, ClientError> {
        self.carrier.snapshot(after, patience)
    }

    /// What is at `path`, below the begin of all addresses.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn get<T: DeserializeOwned>(&self, path: &str, patience: Duration) -> Result<T, ClientError> {
        let request = Request { is_post: false, path, body: Vec::new() };
        read(&self.carrier.exchange(request, patience)?.accepted()?)
    }

    /// The answer to `body` at `path`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let body = body
            .map(serde_json::to_vec)
            .transpose()
            .map_err(|error| ClientError::Strange(error.to_string()))?;
        let request = Request { is_post: true, path, body: body.unwrap_or_default() };
        read(&self.carrier.exchange(request, patience)?.accepted()?)
    }

    /// The body of the answer to a request that has no end, a piece at a time.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn open(&self, path: &str, patience: Duration) -> Result<Box<dyn Pieces>, ClientError> {
        self.carrier.open(path, patience)
    }
}
