//! Collects what all nodes have counted: reads it from the server, and says what is stored. All of it blocks for the server.

use std::time::Duration;

use async_nats::jetstream::{
    Message,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use futures_util::StreamExt as _;

use super::{ANSWER, FleetError, Server, broker::Broker, events::EventMessage, names};
use crate::ledger::fleet::collected;

/// Messages that are stored at a time.
const BATCH: usize = 500;

/// What was given out and is not said to be stored comes again after this time.
const ACK_WAIT: Duration = Duration::from_secs(10);

/// Messages that may be given out and not be stored yet.
const MOST_OPEN: i64 = 2_000;

/// Reads what nodes have counted, for one collected ledger.
pub struct Collector {
    runtime: tokio::runtime::Runtime,
    broker: Broker,
    name: String,
    consumer: Option<PullConsumer>,
}

/// Messages of the server, which come again unless [`Collector::confirm`] is told that they are stored.
pub struct Batch {
    /// What they say.
    pub messages: Vec<collected::Message>,
    received: Vec<Message>,
}

/// What the server still has for a collected ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Messages that were not given out.
    pub waiting: u64,
    /// Messages that were given out, perhaps to an earlier run, and are not said to be stored.
    pub open: usize,
}

impl Left {
    /// Whether nothing is.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self.waiting == 0 && self.open == 0
    }
}

impl Collector {
    /// Connects to `server` for the ledger of this name. With `keeps_trying` a server that is away is no error.
    ///
    /// # Errors
    /// When a file cannot be used, or the server cannot be reached.
    pub fn connect(server: &Server, name: &str, keeps_trying: bool) -> Result<Self, FleetError> {
        // The connection lives on while the disk is waited for.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("fleet")
            .enable_all()
            .build()
            .map_err(|error| FleetError::Thread(error.to_string()))?;
        let broker = runtime.block_on(Broker::connect(server, "pcount-tui collect", keeps_trying))?;
        Ok(Self { runtime, broker, name: format!("collect-{name}"), consumer: None })
    }

    /// The next messages, none where there are none now. Waits a few seconds for the server at most.
    ///
    /// # Errors
    /// When the server does not answer, or a message is not understood: then it stays on the server.
    pub fn next(&mut self) -> Result<Batch, FleetError> {
        let consumer = self.consumer()?;
        let read = async {
            let mut received = Vec::new();
            let mut batch =
                consumer.fetch().max_messages(BATCH).messages().await.map_err(|e| e.to_string())?;
            while let Some(message) = batch.next().await {
                received.push(message.map_err(|error| error.to_string())?);
            }
            Ok::<_, String>(received)
        };
        let read = self.runtime.block_on(async { tokio::time::timeout(ANSWER * 2, read).await });
        let received = match read {
            Ok(Ok(received)) => received,
            // What was given out comes again.
            Ok(Err(error)) => return Err(self.lost(&error)),
            Err(_) => return Err(self.lost("no answer")),
        };
        let messages = received.iter().map(understand).collect::<Result<_, _>>()?;
        Ok(Batch { messages, received })
    }

    /// The messages of `batch` are stored. Where the server does not hear of it they come again.
    pub fn confirm(&mut self, batch: Batch) {
        let client = self.broker.client.clone();
        let confirm = async move {
            for message in batch.received {
                let _ = message.ack().await;
            }
            let _ = client.flush().await;
        };
        let _ = self.runtime.block_on(async { tokio::time::timeout(ANSWER, confirm).await });
    }

    /// What the server still has.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn left(&mut self) -> Result<Left, FleetError> {
        let consumer = self.consumer()?;
        match self.runtime.block_on(consumer.get_info()) {
            Ok(info) => Ok(Left { waiting: info.num_pending, open: info.num_ack_pending }),
            Err(error) => Err(self.lost(&error.to_string())),
        }
    }

    fn lost(&mut self, problem: &str) -> FleetError {
        self.consumer = None;
        self.broker.failed("what was counted cannot be read", problem)
    }

    /// What the server knows this ledger by, made where it is missing.
    fn consumer(&mut self) -> Result<PullConsumer, FleetError> {
        if let Some(consumer) = &self.consumer {
            return Ok(consumer.clone());
        }
        let wanted = pull::Config {
            durable_name: Some(self.name.clone()),
            description: Some("A collected ledger of pcount-tui".into()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_deliver: -1,
            max_ack_pending: MOST_OPEN,
            ..pull::Config::default()
        };
        let made = self.runtime.block_on(async {
            let stream = self.broker.events().await?;
            let made = stream.get_or_create_consumer(&self.name, wanted).await;
            made.map_err(|error| self.broker.failed(&format!("its consumer '{}'", self.name), error))
        })?;
        self.consumer = Some(made.clone());
        Ok(made)
    }
}

fn understand(message: &Message) -> Result<collected::Message, FleetError> {
    let read: Result<EventMessage, _> = serde_json::from_slice(&message.payload);
    let read = read.map_err(|error| {
        let number = message.info().map_or(0, |info| info.stream_sequence);
        FleetError::Stream(format!(
            "message {number} of the stream '{}' is not understood ({error}); update this program to the version of the nodes, or \
             remove the message with 'nats stream rmm {} {number}'",
            names::EVENTS,
            names::EVENTS
        ))
    })?;
    Ok(collected::Message { node: read.node, event: read.event })
}
