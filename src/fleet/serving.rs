//! A node answers over NATS what its API answers over HTTP. What asks says who it is, and the server's permissions say who may ask
//! what: to look, `pcount.node.NAME.read` and `pcount.nodes.read`; to change something, `pcount.node.NAME.order`.
//!
//! A question has its address in headers and its body as payload. An answer comes in as many parts as the server's longest message
//! asks for, each with its number and how many there are. Nothing is sent that was not asked for.

use std::sync::Arc;

use async_nats::{HeaderMap, Message, Subject};
use hyper::body::Bytes;
use tokio::sync::Semaphore;

use super::{
    broker::Broker,
    service::{ApiAnswer, Question, header},
    state::Shared,
};

/// Questions that are being answered at a time; one more is refused.
const AT_ONCE: usize = 64;

/// What headers and protocol take of the longest message, in bytes.
const OVERHEAD: usize = 4 << 10;

/// Longest name of a user, in characters.
const USER: usize = 64;

/// By which subject a question came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Of all nodes; the answer leads with what the node says of itself, a line of JSON.
    OfAll,
    /// Of this node, to look.
    Read,
    /// Of this node, also to change something.
    Order,
}

/// Answers questions, each in a task of its own.
pub struct Serving {
    shared: Arc<Shared>,
    broker: Broker,
    room: Arc<Semaphore>,
}

impl Serving {
    pub fn new(shared: &Arc<Shared>, broker: &Broker) -> Self {
        Self { shared: Arc::clone(shared), broker: broker.clone(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Answers what came by a subject of this kind.
    pub fn answer(&self, asked: Message, access: Access) {
        let Some(reply) = asked.reply.clone() else { return };
        let (shared, broker) = (Arc::clone(&self.shared), self.broker.clone());
        let permit = Arc::clone(&self.room).try_acquire_owned();
        tokio::spawn(async move {
            let answer = match (&permit, &shared.options.service) {
                (Err(_), _) => refused(503, "the node answers too many questions already; try again"),
                (Ok(_), None) => refused(503, "the node does not serve its API"),
                (Ok(_), Some(service)) => service(question(&asked, access)).await,
            };
            let lead = (access == Access::OfAll).then(|| {
                let mut lead = serde_json::to_vec(&shared.record()).unwrap_or_default();
                lead.push(b'\n');
                lead
            });
            let body = match lead {
                Some(mut lead) => {
                    lead.extend_from_slice(&answer.body);
                    lead.into()
                }
                None => answer.body,
            };
            send(&broker, &reply, (answer.status, shared.local.instance()), &body).await;
            drop(permit);
        });
    }
}

fn question(asked: &Message, access: Access) -> Question {
    let headers = asked.headers.as_ref();
    let header = |name: &str| headers.and_then(|headers| headers.get(name)).map(ToString::to_string);
    let user = header(header::USER).unwrap_or_default();
    let user: String = user.chars().filter(|c| !c.is_control()).take(USER).collect();
    Question {
        method: header(header::METHOD).unwrap_or_else(|| "GET".into()),
        path: header(header::PATH).unwrap_or_default(),
        user: if user.trim().is_empty() { "somebody".into() } else { user },
        may_order: access == Access::Order,
        body: asked.payload.clone(),
    }
}

fn refused(status: u16, sentence: &str) -> ApiAnswer {
    ApiAnswer { status, body: serde_json::json!({ "error": sentence }).to_string().into() }
}

/// Sends an answer in parts that the server takes.
async fn send(broker: &Broker, reply: &Subject, (status, instance): (u16, &str), body: &Bytes) {
    let most = broker.client.server_info().max_payload.saturating_sub(OVERHEAD).max(OVERHEAD);
    let parts = body.len().div_ceil(most).max(1);
    for part in 0..parts {
        let mut headers = HeaderMap::new();
        headers.insert(header::STATUS, status.to_string());
        headers.insert(header::INSTANCE, instance);
        headers.insert(header::PART, format!("{}/{parts}", part + 1));
        let piece = body.slice(part * most..body.len().min((part + 1) * most));
        // Where the server is away nobody waits for it any more.
        if broker.client.publish_with_headers(reply.clone(), headers, piece).await.is_err() {
            return;
        }
    }
}
