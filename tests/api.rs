//! The API of a real service, over its socket and over TCP: what it answers, which requests it refuses, and what no client can do to it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "api/access.rs"]
mod access;
#[path = "api/answers.rs"]
mod answers;
#[path = "api/conformance.rs"]
mod conformance;
#[path = "api/events.rs"]
mod events;
#[path = "api/hostile.rs"]
mod hostile;
#[path = "api/passwords.rs"]
mod passwords;
#[path = "support/require.rs"]
mod require;
#[path = "api/server.rs"]
mod server;
#[path = "api/settings.rs"]
mod settings;
#[path = "api/socket.rs"]
mod socket;
