//! Asks nodes for what their API answers. All of it blocks for the server and the nodes.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use async_nats::{HeaderMap, HeaderValue, Message, StatusCode, Subscriber, connection::State};
use futures_util::StreamExt as _;
use hyper::body::Bytes;
use tokio::time::{Instant, timeout_at};

use super::{
    FleetError, Server,
    broker::Broker,
    names,
    record::{KnownNode, NodeRecord},
    service::{ApiAnswer, header},
};

/// Longest answer that is put together, in bytes.
const MOST_ANSWER: usize = 64 << 20;

/// A node is known to the fleet within this time.
const KNOWN: Duration = Duration::from_secs(2);

/// Why a node gives no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AskError {
    /// Nobody answers under this name. Nothing was done.
    #[error("node '{0}' does not answer")]
    NoNode(String),
    /// The server is away or refuses the question. Nothing was done.
    #[error("{0}")]
    NotSent(String),
    /// It took too long; it may have been done.
    #[error("node '{node}' has not answered for {}", humantime::format_duration(*.patience))]
    Late {
        /// Name of the node.
        node: String,
        /// How long it was waited for.
        patience: Duration,
    },
}

/// A question to the API of a node.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The address, with what stands behind the `?`.
    pub path: &'a str,
    /// The body; empty where there is none.
    pub body: &'a [u8],
    /// Whether it may change something.
    pub is_order: bool,
}

/// Somebody who asks the nodes of a fleet. May be used by many threads at once.
pub struct Asker {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) broker: Broker,
    server: Server,
    user: String,
}

impl Asker {
    /// Connects to `server`, to ask on behalf of `user`. With `stays` a connection that breaks is made again in the background.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn connect(server: Server, user: &str, stays: bool) -> Result<Self, FleetError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .enable_all()
            .thread_name("remote-io")
            .build()
            .map_err(|error| FleetError::Thread(error.to_string()))?;
        let broker = runtime.block_on(async {
            // One that is tried for ever tells nothing of what is wrong.
            let first = Broker::connect(&server, "pcount-tui attach", false).await?;
            if stays { Broker::connect(&server, "pcount-tui attach", true).await } else { Ok(first) }
        })?;
        Ok(Self { runtime, broker, server, user: user.to_owned() })
    }

    /// The addresses of the server.
    pub fn server(&self) -> String {
        self.server.url.to_string()
    }

    /// Whether what is sent cannot be read on its way.
    pub fn is_encrypted(&self) -> bool {
        self.broker.is_encrypted(&self.server)
    }

    /// Every node that is remembered, with what it said last. None of them answers yet.
    ///
    /// # Errors
    /// When the server does not answer, or does not let this user read it.
    pub fn known(&self) -> Result<Vec<KnownNode>, FleetError> {
        let late = |_| self.broker.failed("its nodes cannot be listed", "no answer");
        self.runtime.block_on(async { tokio::time::timeout(KNOWN, self.broker.known()).await.map_err(late)? })
    }

    /// The answer of `node`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask(&self, node: &str, asking: &Asking<'_>, patience: Duration) -> Result<ApiAnswer, AskError> {
        let subject = names::question(node, if asking.is_order { names::ORDER } else { names::READ });
        let late = || AskError::Late { node: node.to_owned(), patience };
        self.runtime.block_on(async {
            let end = Instant::now() + patience;
            let mut answers = self.send(subject.clone(), asking).await?;
            let mut parts = Parts::default();
            let mut refused = std::pin::pin!(self.broker.refusal_of(&subject));
            loop {
                let answer = tokio::select! {
                    answer = timeout_at(end, answers.next()) => answer,
                    said = &mut refused => return Err(AskError::NotSent(said)),
                };
                let Ok(Some(message)) = answer else { return Err(late()) };
                if message.status == Some(StatusCode::NO_RESPONDERS) {
                    return Err(AskError::NoNode(node.to_owned()));
                }
                if let Some((status, body)) = parts.take(&message) {
                    return Ok(ApiAnswer { status, body });
                }
            }
        })
    }

    /// Sends a question; its answers come by what is returned.
    async fn send(&self, subject: String, asking: &Asking<'_>) -> Result<Subscriber, AskError> {
        // What waits in this process for a server that is away would be done when nobody expects it any more.
        if self.broker.client.connection_state() != State::Connected {
            return Err(AskError::NotSent(format!("the NATS server {} does not answer", self.server.url)));
        }
        let most = self.broker.client.server_info().max_payload;
        if asking.body.len() > most {
            return Err(AskError::NotSent(format!(
                "this is longer ({} bytes) than a message of the NATS server may be ({most}); raise its 'max_payload'",
                asking.body.len()
            )));
        }
        let failed = |error: &dyn std::fmt::Display| AskError::NotSent(error.to_string());
        let inbox = self.broker.client.new_inbox();
        let answers = self.broker.client.subscribe(inbox.clone()).await.map_err(|error| failed(&error))?;
        let body = Bytes::copy_from_slice(asking.body);
        let sent = self.broker.client.publish_with_reply_and_headers(
            subject,
            inbox,
            headers(asking, &self.user),
            body,
        );
        sent.await.map_err(|error| failed(&error))?;
        Ok(answers)
    }
}

fn headers(asking: &Asking<'_>, user: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let plain = |text: &str| text.replace(['\r', '\n'], " ").parse::<HeaderValue>().ok();
    for (name, text) in [(header::METHOD, asking.method), (header::PATH, asking.path), (header::USER, user)] {
        if let Some(value) = plain(text) {
            headers.insert(name, value);
        }
    }
    headers
}

/// What a node says of itself, and its answer.
pub struct OfNode {
    /// What it says of itself.
    pub record: NodeRecord,
    /// Its answer.
    pub answer: ApiAnswer,
}

/// One question to all nodes, again and again. What comes late counts for the next round.
#[derive(Default)]
pub struct Rounds {
    answers: Option<Subscriber>,
    inbox: String,
    parts: BTreeMap<String, Parts>,
}

impl Rounds {
    /// Asks all nodes for what is at `path`, and waits until those of `expected`, by the names of their processes, have answered,
    /// at most for `patience`. Each node that answers comes once, with its latest answer.
    ///
    /// # Errors
    /// When the server is away.
    pub fn ask(
        &mut self,
        asker: &Asker,
        path: &str,
        expected: &HashSet<String>,
        patience: Duration,
    ) -> Result<Vec<OfNode>, AskError> {
        asker.runtime.block_on(self.round(asker, path, expected, patience))
    }

    async fn round(
        &mut self,
        asker: &Asker,
        path: &str,
        expected: &HashSet<String>,
        patience: Duration,
    ) -> Result<Vec<OfNode>, AskError> {
        let failed = |error: &dyn std::fmt::Display| AskError::NotSent(error.to_string());
        let client = &asker.broker.client;
        if client.connection_state() != State::Connected {
            return Err(AskError::NotSent(format!("the NATS server {} does not answer", asker.server.url)));
        }
        if self.answers.is_none() {
            self.inbox = client.new_inbox();
            self.answers = Some(client.subscribe(self.inbox.clone()).await.map_err(|error| failed(&error))?);
        }
        let Some(answers) = &mut self.answers else { return Ok(Vec::new()) };
        let asking = Asking { method: "GET", path, body: &[], is_order: false };
        let sent = client.publish_with_reply_and_headers(
            names::EVERY_NODE_READS,
            self.inbox.clone(),
            headers(&asking, &asker.user),
            Bytes::new(),
        );
        sent.await.map_err(|error| failed(&error))?;
        let end = Instant::now() + patience;
        let mut found: BTreeMap<String, OfNode> = BTreeMap::new();
        let mut missing: HashSet<&str> = expected.iter().map(String::as_str).collect();
        // Where nobody is expected, everybody has the whole time.
        while !missing.is_empty() || expected.is_empty() {
            let Ok(Some(message)) = timeout_at(end, answers.next()).await else { break };
            if message.status == Some(StatusCode::NO_RESPONDERS) {
                break;
            }
            let Some(instance) = text(&message, header::INSTANCE) else { continue };
            let Some((status, body)) = self.parts.entry(instance.clone()).or_default().take(&message) else {
                continue;
            };
            let Some(line) = body.iter().position(|byte| *byte == b'\n') else { continue };
            // A node of a later version that is not understood is passed over.
            let Ok(record) = serde_json::from_slice::<NodeRecord>(&body[..line]) else { continue };
            let answer = ApiAnswer { status, body: body.slice(line + 1..) };
            missing.remove(&*instance);
            found.insert(record.node.clone(), OfNode { record, answer });
        }
        self.parts.retain(|_, parts| !parts.is_empty());
        if found.is_empty()
            && let Some(said) = asker.broker.refused()
        {
            return Err(AskError::NotSent(said));
        }
        Ok(found.into_values().collect())
    }
}

fn text(message: &Message, name: &str) -> Option<String> {
    message.headers.as_ref()?.get(name).map(ToString::to_string)
}

/// The parts of an answer that have come.
#[derive(Default)]
struct Parts {
    come: usize,
    bytes: Vec<u8>,
}

impl Parts {
    fn is_empty(&self) -> bool {
        self.come == 0
    }

    /// Takes the next part; gives status and body with the last one. One that does not follow begins again.
    fn take(&mut self, message: &Message) -> Option<(u16, Bytes)> {
        let (part, parts) = text(message, header::PART)?
            .split_once('/')
            .and_then(|(part, parts)| Some((part.parse::<usize>().ok()?, parts.parse::<usize>().ok()?)))?;
        if part == 1 {
            *self = Self::default();
        }
        if part != self.come + 1 || self.bytes.len() + message.payload.len() > MOST_ANSWER {
            *self = Self::default();
            return None;
        }
        if parts == 1 {
            return Some((text(message, header::STATUS)?.parse().ok()?, message.payload.clone()));
        }
        self.come = part;
        self.bytes.extend_from_slice(&message.payload);
        if part < parts {
            return None;
        }
        let whole = std::mem::take(self);
        Some((text(message, header::STATUS)?.parse().ok()?, whole.bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: usize, of: usize, payload: &'static str) -> Message {
        let mut headers = HeaderMap::new();
        headers.insert(header::PART, format!("{number}/{of}"));
        headers.insert(header::STATUS, "200");
        Message {
            subject: "inbox".into(),
            reply: None,
            payload: payload.into(),
            headers: Some(headers),
            status: None,
            description: None,
            length: 0,
        }
    }

    #[test]
    fn an_answer_is_whole_when_its_last_part_has_come_and_never_with_a_hole() {
        let mut parts = Parts::default();
        assert!(parts.take(&part(1, 3, "a")).is_none());
        assert!(parts.take(&part(2, 3, "b")).is_none());
        assert_eq!(parts.take(&part(3, 3, "c")), Some((200, Bytes::from("abc"))));
        assert!(parts.take(&part(1, 3, "a")).is_none());
        assert!(parts.take(&part(3, 3, "c")).is_none(), "the second one is missing");
        assert_eq!(parts.take(&part(1, 1, "d")), Some((200, Bytes::from("d"))), "the next answer is not");
    }
}
