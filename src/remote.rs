//! An engine in another process, asked over its socket: the dashboard does not know the difference. A fleet is asked in the same
//! way, over its NATS server: [`fleet`] makes one answer of those of its nodes.
//!
//! What the screens ask for at every tick is answered at once with what is known, and fetched again behind it: nothing here waits
//! but the methods of [`Host`](crate::host::Host) that say so. While nobody asks, nothing is fetched. When the engine does not
//! answer, what is known stays, and [`Remote::snapshot`](crate::engine::EngineApi::snapshot) says how old it is and when it is
//! asked again.

mod carrier;
mod client;
mod engine;
mod events;
mod fleet;
mod host;
mod link;
pub mod paths;
mod socket;
mod views;

use std::sync::Arc;

pub use self::{
    carrier::ClientError,
    client::Client,
    events::{EventStream, Happened},
    fleet::FleetServer,
};
use self::{link::Link, views::Views};
use crate::logging::RecentLogs;

/// Lines of the log that are kept.
const LINES: usize = 2_000;

/// An engine in another process. Dropping it ends its threads.
pub struct Remote {
    client: Client,
    link: Arc<Link>,
    views: Arc<Views>,
    logs: Arc<RecentLogs>,
}

impl Remote {
    /// The engine that `client` asks, or all nodes of a fleet as one; waits for the first answer.
    ///
    /// # Errors
    /// When nobody answers, or a program that this one cannot talk to.
    pub fn attach(client: Client) -> Result<Self, ClientError> {
        let version = client.version(link::FIRST)?;
        let first = client.snapshot(0, link::FIRST)?;
        let logs = Arc::new(RecentLogs::new(LINES));
        let link = Link::start(client.clone(), first, version)?;
        let views = Views::start(client.clone(), Arc::clone(&link), Arc::clone(&logs))?;
        Ok(Self { client, link, views, logs })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.link.end();
        self.views.end();
    }
}
