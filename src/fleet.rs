//! Many machines as one: sources are leased tasks on `JetStream` of NATS, and each is counted by one node at a time.
//!
//! The work queue `PCOUNT_SOURCES` holds one message for each source of the fleet. A *node* pulls as many as it has room for and
//! tells the server every second that it still counts each of them; it acknowledges none. Where a node dies, the server gives its
//! sources to others. A message goes only when an *operator* removes or changes the source.
//!
//! **Two nodes never count one source.** The server gives a source away [`term::ACK_WAIT`] after it last heard of its holder. The
//! holder gives it up [`term::TERM`] after it last *asked* the server and was answered, which is earlier, on a clock that goes on
//! while the program is stopped and the machine sleeps. The engine asks the lease itself before each frame and each crossing, so that
//! nothing is counted between the moment at which the program goes on and the one at which the node notices.
//!
//! **What was counted** is sent out of the ledger of its node, on the thread `fleet-outbox`, and collected into one ledger.
//!
//! **Threads.** A node has a thread of its own, `fleet`, with a runtime of that one thread. Nothing of it is started where there is no
//! fleet. The engine is only asked what never waits.
//!
//! | module | is for |
//! | --- | --- |
//! | `names` | streams, subjects and keys on the server |
//! | `term` | how long a lease lasts |
//! | `versions` | whether a node's sources stand in the fleet as it has them |
//! | `capacity` | how many sources a machine has room for |
//! | `record` | what travels: sources, what nodes say of themselves |
//! | `plan` | what makes the fleet's sources those of a file |
//! | `broker` | the server: connecting, the streams, sources in them |
//! | `login`, `refusal` | who a program is to the server; what the server refuses, in words |
//! | `seal` | sources that only those with the key of the fleet can read |
//! | `refused` | goes on while no server runs at all, where that is wanted |
//! | `replicas` | on how many servers the streams lie |
//! | `handover` | which version of a source has ended for the next one to begin |
//! | `claim` | one node for each name |
//! | `local` | what a node knows of itself without its sources |
//! | `state` | what the tasks of a node share |
//! | `balance` | hands a source to another node when there is too much to do |
//! | `events`, `outbox` | what was counted on its way to the server, out of the ledger of its node |
//! | `collect` | reads what all nodes have counted |
//! | `node` | pulls sources; `hold` renews the lease of each, `answer` says what is asked |
//! | `operator` | what the `fleet` command does |
//! | `editing` | a source with a change that was made on a dashboard, as its node writes it; `saving` stores it |
//! | `service` | what the API of a node is asked over NATS; `serving` answers it, `asker` asks for it |

mod answer;
mod asker;
mod balance;
mod broker;
mod capacity;
mod claim;
mod collect;
mod editing;
mod events;
mod handover;
mod hold;
mod local;
mod login;
mod names;
mod node;
mod operator;
mod outbox;
mod plan;
mod record;
mod refusal;
mod refused;
mod replicas;
mod saving;
mod seal;
mod service;
mod serving;
mod state;
mod term;
mod versions;

use std::{path::PathBuf, time::Duration};

pub use self::{
    asker::{AskError, Asker, Asking, Rounds},
    collect::{Batch, Collector},
    login::{check_login, make_user, write_secret},
    node::Node,
    operator::{Operator, Removed},
    outbox::NodeLedger,
    plan::Plan,
    record::{HandedOver, HeldSource, KnownNode, NodeRecord, SourceRow},
    saving::SaveError,
    seal::{FleetKey, make_key},
    service::{ApiAnswer, Question, Service},
    state::NodeOptions,
};
use crate::config::ServerUrl;

/// How to reach the server of a fleet.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its addresses.
    pub url: ServerUrl,
    /// File of NATS credentials.
    pub credentials: Option<PathBuf>,
    /// PEM file of certificates that are trusted besides the system's.
    pub ca: Option<PathBuf>,
}

/// Why something of a fleet cannot be done: what, where, how to fix it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FleetError {
    /// The server does not answer, or refuses the connection.
    #[error("the NATS server {server} cannot be used: {problem}")]
    Server {
        /// Its addresses.
        server: String,
        /// What was wrong, and what helps.
        problem: String,
    },
    /// What stands on the server is not what a fleet needs.
    #[error("{0}")]
    Stream(String),
    /// Another node has this name.
    #[error("a node named '{name}' runs already ({by}); give this one another name with --node")]
    NameTaken {
        /// The name.
        name: String,
        /// Which process it is.
        by: String,
    },
    /// Something that was asked for is refused.
    #[error("{0}")]
    Refused(String),
    /// The system refuses a thread.
    #[error("the system refuses a thread for the fleet: {0}")]
    Thread(String),
}

/// An answer of the server comes within this time.
const ANSWER: Duration = Duration::from_secs(2);
