//! A fleet as a whole: the real NATS server, nodes as processes of their own, and what happens when one of them fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "fleet/cluster.rs"]
mod cluster;
#[path = "fleet/dashboard.rs"]
mod dashboard;
#[path = "fleet/failures.rs"]
mod failures;
#[path = "fleet/machines.rs"]
mod machines;
#[path = "fleet/many.rs"]
mod many;
#[path = "fleet/network.rs"]
mod network;
#[path = "fleet/odd.rs"]
mod odd;
#[path = "support/preload.rs"]
mod preload;
#[path = "fleet/refused.rs"]
mod refused;
#[path = "support/require.rs"]
mod require;
#[path = "fleet/scale.rs"]
mod scale;
#[path = "fleet/security.rs"]
mod security;
#[path = "fleet/server.rs"]
mod server;
#[path = "support/service.rs"]
mod service;
#[path = "fleet/sharing.rs"]
mod sharing;
#[path = "support/tls.rs"]
mod tls;
#[path = "fleet/users.rs"]
mod users;
#[path = "fleet/wire.rs"]
mod wire;
