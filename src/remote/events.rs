//! Events of an engine as they happen.

use std::time::Duration;

use super::{
    carrier::{ClientError, Pieces},
    client::Client,
};
use crate::model::Event;

/// Something comes at least every 15 s, be it a comment.
const PATIENCE: Duration = Duration::from_secs(40);

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// Something happened.
    Event(Box<Event>),
    /// Events are missing, these, in JSON.
    Gap(String),
}

/// Follows the events of an engine.
pub struct EventStream {
    stream: Box<dyn Pieces>,
    /// What has come of a message that is not whole.
    text: Vec<u8>,
    /// The id of the last event.
    last: Option<String>,
}

impl EventStream {
    /// The events from now on, or after the one of the id `last`.
    ///
    /// # Errors
    /// Why there are none.
    pub fn open(client: &Client, last: Option<&str>) -> Result<Self, ClientError> {
        let path = last.map_or_else(
            || "/events".to_owned(),
            |last| format!("/events?after={}", crate::protocol::escaped(last)),
        );
        Ok(Self { stream: client.open(&path, PATIENCE)?, text: Vec::new(), last: last.map(str::to_owned) })
    }

    /// The id of the last event, to go on from.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Waits for the next one; `None` when the engine ends.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub fn next(&mut self) -> Result<Option<Happened>, ClientError> {
        loop {
            if let Some(end) = self.text.windows(2).position(|two| two == b"\n\n") {
                let message: Vec<u8> = self.text.drain(..end + 2).collect();
                if let Some(happened) = self.read(&String::from_utf8_lossy(&message))? {
                    return Ok(Some(happened));
                }
                continue;
            }
            match self.stream.next(PATIENCE)? {
                Some(piece) => self.text.extend_from_slice(&piece),
                None => return Ok(None),
            }
        }
    }

    fn read(&mut self, message: &str) -> Result<Option<Happened>, ClientError> {
        let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        self.last = field("id").map(str::to_owned).or_else(|| self.last.take());
        let Some(data) = field("data") else { return Ok(None) };
        if field("event") == Some("gap") {
            return Ok(Some(Happened::Gap(data.to_owned())));
        }
        let event = serde_json::from_str(data).map_err(|error| ClientError::Strange(error.to_string()))?;
        Ok(Some(Happened::Event(Box::new(event))))
    }
}
