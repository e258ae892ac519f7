//! Questions to one node of a fleet.

use std::{sync::Arc, time::Duration};

use super::errors::as_client_error;
use crate::{
    config,
    fleet::{Asker, Asking},
    protocol::{PREFIX, ask::Question},
    remote::carrier::{ClientError, Request, Response},
};

/// A node that runs answers within this time.
const ANSWER: Duration = Duration::from_secs(4);

/// Asks one node.
#[derive(Clone)]
pub struct NodeAsking {
    asker: Arc<Asker>,
    name: String,
}

impl NodeAsking {
    /// The node called `name`.
    pub fn new(asker: Arc<Asker>, name: &str) -> Self {
        Self { asker, name: name.to_owned() }
    }

    /// Refuses to send a password where others can read it.
    fn check(&self, body: &[u8]) -> Result<(), ClientError> {
        let text = String::from_utf8_lossy(body);
        if self.asker.is_encrypted() || config::redact(&text) == text {
            return Ok(());
        }
        Err(ClientError::NotReached(format!(
            "this holds a password, and the connection to {} is not encrypted; connect with tls://, or name the login with \
             'credentials' ({{ \"env\": .. }} or {{ \"file\": .. }}, resolved on the node)",
            self.asker.server()
        )))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Why there is none.
    pub fn exchange(&self, request: &Request<'_>, patience: Duration) -> Result<Response, ClientError> {
        let is_order = !only_looks(request);
        if is_order {
            self.check(&request.body)?;
        }
        let path = format!("{PREFIX}{}", request.path);
        let method = if request.is_post { "POST" } else { "GET" };
        let asking = Asking { method, path: &path, body: &request.body, is_order };
        let answer = self.asker.ask(&self.name, &asking, patience);
        let answer = answer.map_err(|error| as_client_error(&error, patience))?;
        Ok(Response { status: answer.status, body: answer.body })
    }

    /// Whether nobody answers under its name.
    pub fn has_ended(&self) -> bool {
        let request = Request { is_post: false, path: "/version", body: Vec::new() };
        matches!(self.exchange(&request, ANSWER), Err(ClientError::NotReached(_)))
    }
}

/// Whether a question may be sent where one may only look.
fn only_looks(request: &Request<'_>) -> bool {
    !request.is_post
        || (request.path == "/ask"
            && serde_json::from_slice::<Question>(&request.body).is_ok_and(|question| question.only_reads()))
}
