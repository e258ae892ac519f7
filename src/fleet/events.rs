//! What nodes have counted, on its way through the server: a stream that keeps it until it is old, for every `collect`.

use std::time::Duration;

use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use serde::{Deserialize, Serialize};

use super::{FleetError, broker::Broker, names, replicas};
use crate::ledger::fleet::{Outgoing, Told};

/// Who collects nothing for this long misses what came before.
const KEPT: Duration = Duration::from_hours(24 * 30);

/// The server knows a message that comes twice within this time. Later ones are known by who collects them.
const DUPLICATES: Duration = Duration::from_mins(10);

/// Something that a node has counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventMessage {
    /// Name of the node.
    pub node: String,
    /// Version of its program.
    pub version: String,
    /// What it is.
    pub event: Outgoing,
}

impl EventMessage {
    /// What is the same each time that it is sent, and no other message has.
    pub fn id(&self) -> String {
        let Outgoing { source, epoch, began, sequence, wall, told, .. } = &self.event;
        let id = format!(
            "{}.{}.{epoch}.{began}.{}.{sequence}",
            names::token(&self.node),
            names::token(source),
            told.kind()
        );
        match told {
            // It is sent again each time that it has gone on.
            Told::Watch { .. } => format!("{id}.{wall}"),
            _ => id,
        }
    }
}

impl Broker {
    /// The stream of what nodes have counted, made where it is missing.
    ///
    /// # Errors
    /// When the server has no `JetStream`, or another stream stands there.
    pub async fn events(&self) -> Result<Stream, FleetError> {
        let wanted = stream::Config {
            name: names::EVENTS.into(),
            description: Some("What the nodes of a fleet of pcount-tui have counted".into()),
            subjects: vec![names::ALL_EVENTS.into()],
            retention: RetentionPolicy::Limits,
            // Where the server is full, nodes keep what they have.
            discard: DiscardPolicy::New,
            max_age: KEPT,
            duplicate_window: DUPLICATES,
            storage: StorageType::File,
            num_replicas: 1,
            ..stream::Config::default()
        };
        let found = replicas::get_or_create(&self.context, wanted.clone()).await.map_err(|error| {
            self.failed("there is no JetStream for the counts; start it with 'nats-server -js'", error)
        })?;
        let config = &found.cached_info().config;
        if config.retention == wanted.retention && config.subjects == wanted.subjects {
            return Ok(found);
        }
        Err(FleetError::Stream(format!(
            "the stream '{}' is not that of the counts of a fleet (subjects {:?}, retention by limits); remove it with 'nats stream rm {0}'",
            names::EVENTS,
            wanted.subjects
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Epoch;

    #[test]
    fn messages_that_differ_have_ids_that_differ_and_one_that_is_sent_again_has_the_same() {
        let message = |node: &str, source: &str, began, sequence, wall, told| {
            let epoch = Epoch { revision: 3, delivery: 1 };
            let offset = Some(wall);
            let event = Outgoing { source: source.into(), epoch, began, sequence, wall, offset, told };
            EventMessage { node: node.into(), version: "1".into(), event }.id()
        };
        let reset = message("hall.1", "gate", 5, 7, 9, Told::Reset);
        assert_eq!(reset, "hall=2E1.gate.3.1.5.reset.7");
        assert_eq!(reset, message("hall.1", "gate", 5, 7, 10, Told::Reset), "the clock was set");
        assert_ne!(reset, message("hall", "1.gate", 5, 7, 9, Told::Reset));
        assert_ne!(reset, message("hall.1", "gate", 6, 7, 9, Told::Reset));
        assert_ne!(reset, message("hall.1", "gate", 5, 7, 9, Told::Ended));
        let watch = |to| message("hall.1", "gate", 5, 7, to, Told::Watch { from: 7 });
        assert_ne!(watch(8), watch(9));
    }
}
