//! A fleet asked over its NATS server: one node as if by its socket, or all nodes as if they were one engine.
//!
//! | module | is for |
//! | --- | --- |
//! | `asking` | questions to one node; `node` is it as if by its socket |
//! | `merge` | snapshots of many nodes as one; which node holds what |
//! | `whole` | all nodes: rounds of questions, and which node a question goes to |
//! | `saving` | changes of a source that stand in the fleet, also while it goes from one node to another |
//! | `together` | answers of several nodes as one |
//! | `events` | events of one node, or of all |
//! | `errors` | why there is no answer |

mod asking;
mod errors;
mod events;
mod merge;
mod node;
mod saving;
mod together;
mod whole;

use std::sync::Arc;

use self::{node::NodeCarrier, whole::WholeFleet};
use super::client::Client;
use crate::{
    fleet::{Asker, FleetError, Server},
    native::process,
};

/// The server of a fleet, to ask its nodes on behalf of the user of this process.
pub struct FleetServer {
    asker: Arc<Asker>,
}

impl FleetServer {
    /// Connects to `server`. With `stays` a connection that breaks is made again.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn connect(server: Server, stays: bool) -> Result<Self, FleetError> {
        Ok(Self { asker: Arc::new(Asker::connect(server, &process::user(), stays)?) })
    }

    /// The node called `name`.
    #[must_use]
    pub fn node(&self, name: &str) -> Client {
        Client::over(NodeCarrier::new(Arc::clone(&self.asker), name))
    }

    /// All nodes as one.
    #[must_use]
    pub fn all(&self) -> Client {
        Client::over(WholeFleet::new(Arc::clone(&self.asker)))
    }
}
