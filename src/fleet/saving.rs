//! Changes of a fleet's source that are made on a dashboard: stored in the fleet, so that every node has them.

use std::time::Duration;

use async_nats::RequestErrorKind;
use tokio::time::{Instant, sleep, timeout};

use super::{
    FleetError,
    asker::Asker,
    names,
    record::{Edit, Edited, NodeRecord},
};
use crate::config::edit::EntryChange;

/// The node answers within this time.
const ANSWER: Duration = Duration::from_secs(4);

/// The server has listed the sources by then.
const LISTED: Duration = Duration::from_secs(2);

/// A node counts what is stored within this time: the lease of before has run out by then, and the source was opened.
const IN_EFFECT: Duration = Duration::from_secs(15);

/// How long nodes are waited for that are asked what they count, and how often they are.
const NODES: Duration = Duration::from_millis(400);

/// Why the fleet has a source as before, in a sentence without secrets.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The node does not answer: the source may be on its way to another one.
    #[error("node '{0}' does not answer; try again")]
    NoAnswer(String),
    /// It is refused, also when it is asked again.
    #[error("{0}")]
    Refused(String),
}

impl From<String> for SaveError {
    fn from(why: String) -> Self {
        Self::Refused(why)
    }
}

impl Asker {
    /// Changes source `id`, which `node` has, in the fleet, and waits until a node counts it so. Says what became of it.
    ///
    /// # Errors
    /// Why the fleet has it as before.
    pub fn save(&self, node: &str, id: &str, change: &EntryChange) -> Result<String, SaveError> {
        change.check(id)?;
        self.runtime.block_on(async {
            let Edited { refused, revision, message } = self.edited(node, id, change).await?;
            if let Some(why) = refused {
                return Err(SaveError::Refused(why));
            }
            let Some(message) = message else { return Ok("nothing changes: the fleet has it like this already".into()) };
            let subject = names::source(message.site.as_deref(), &message.id);
            let stored = tokio::select! {
                stored = self.broker.store(&message, Some(revision)) => stored.map_err(|error| error.to_string())?,
                // No answer comes to what the server refuses.
                why = self.broker.refusal_of(&subject) => {
                    return Err(SaveError::Refused(format!("the sources of the fleet cannot be changed: {why}")));
                }
            };
            Ok(match self.counted_by(id, stored).await {
                Some(node) => format!("saved in the sources of the fleet; node '{node}' counts by it"),
                None => "saved in the sources of the fleet, and not in effect yet; 'pcount-tui fleet status' shows which node has the source".into(),
            })
        })
    }

    /// Ids of the sources that stand in the fleet.
    ///
    /// # Errors
    /// When the server does not answer, or does not let this user read it.
    pub fn source_ids(&self) -> Result<Vec<String>, FleetError> {
        let late = |_| self.broker.failed("its sources cannot be listed", "no answer");
        self.runtime.block_on(async { timeout(LISTED, self.broker.source_ids()).await.map_err(late)? })
    }

    /// The message of source `id` with `change`, as `node` writes it.
    async fn edited(&self, node: &str, id: &str, change: &EntryChange) -> Result<Edited, SaveError> {
        let edit = Edit { id: id.to_owned(), change: change.clone() };
        let body = serde_json::to_vec(&edit).map_err(|error| error.to_string())?;
        let most = self.broker.client.server_info().max_payload;
        if body.len() > most {
            return Err(SaveError::Refused(format!(
                "this is longer ({} bytes) than a message of the NATS server may be ({most}); raise its 'max_payload'",
                body.len()
            )));
        }
        let subject = names::question(node, names::EDIT);
        let asked = timeout(ANSWER, self.broker.client.request(subject.clone(), body.into()));
        let answer = tokio::select! {
            answer = asked => answer,
            why = self.broker.refusal_of(&subject) => {
                return Err(SaveError::Refused(format!("node '{node}' is not asked: {why}")));
            }
        };
        match answer {
            Ok(Ok(answer)) => serde_json::from_slice(&answer.payload)
                .map_err(|error| format!("the answer of node '{node}' is not understood: {error}").into()),
            Ok(Err(error))
                if !matches!(error.kind(), RequestErrorKind::NoResponders | RequestErrorKind::TimedOut) =>
            {
                Err(SaveError::Refused(format!("node '{node}' cannot be asked: {error}")))
            }
            Ok(Err(_)) | Err(_) => Err(SaveError::NoAnswer(node.to_owned())),
        }
    }

    /// The node that counts source `id` in this version of it or a later one; `None` where none does in time.
    async fn counted_by(&self, id: &str, revision: u64) -> Option<String> {
        let end = Instant::now() + IN_EFFECT;
        let counts = |node: &NodeRecord| {
            let mut held = node.sources.iter();
            held.any(|held| held.id == id && held.epoch.revision >= revision && held.is_counted)
        };
        while Instant::now() < end {
            let asked = Instant::now();
            let nodes = self.broker.ask_all(usize::MAX, NODES).await.unwrap_or_default();
            if let Some(node) = nodes.into_iter().find(counts) {
                return Some(node.node);
            }
            sleep((asked + NODES).saturating_duration_since(Instant::now())).await;
        }
        None
    }
}
