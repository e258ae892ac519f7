//! MQTT with a real broker, Mosquitto, and its client: topics, connections that break, commands, encryption.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "mqtt/areas.rs"]
mod areas;
#[path = "mqtt/broker.rs"]
mod broker;
#[path = "mqtt/commands.rs"]
mod commands;
#[path = "mqtt/encrypted.rs"]
mod encrypted;
#[path = "support/require.rs"]
mod require;
#[path = "mqtt/restarts.rs"]
mod restarts;
#[allow(dead_code, reason = "each test binary uses its part")]
#[path = "api/server.rs"]
mod server;
#[path = "support/tls.rs"]
mod tls;
#[path = "mqtt/topics.rs"]
mod topics;
