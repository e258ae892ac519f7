//! Why there is no answer.

use std::time::Duration;

use crate::{fleet::AskError, remote::carrier::ClientError};

/// Why a node gave no answer, as of an engine.
pub fn as_client_error(error: &AskError, patience: Duration) -> ClientError {
    match error {
        AskError::NoNode(name) => ClientError::NotReached(format!(
            "node '{name}' does not answer; 'pcount-tui fleet nodes' lists those that do"
        )),
        AskError::NotSent(why) => ClientError::NotReached(why.clone()),
        AskError::Late { .. } => ClientError::Late(patience),
    }
}
