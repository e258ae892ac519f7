//! One node of a fleet, as if by its socket.

use std::{sync::Arc, time::Duration};

use super::{asking::NodeAsking, events::EventPieces};
use crate::{
    fleet::Asker,
    remote::carrier::{Carrier, ClientError, Pieces, Request, Response},
};

/// Asks one node.
pub struct NodeCarrier(NodeAsking);

impl NodeCarrier {
    /// The node called `name`.
    pub fn new(asker: Arc<Asker>, name: &str) -> Self {
        Self(NodeAsking::new(asker, name))
    }
}

impl Carrier for NodeCarrier {
    fn exchange(&self, request: Request<'_>, patience: Duration) -> Result<Response, ClientError> {
        self.0.exchange(&request, patience)
    }

    fn open(&self, path: &str, _: Duration) -> Result<Box<dyn Pieces>, ClientError> {
        Ok(Box::new(EventPieces::new(self.0.clone(), path)))
    }

    fn has_ended(&self) -> bool {
        self.0.has_ended()
    }
}
