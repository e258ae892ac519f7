//! Which MQTT broker is told, and what.

use std::{net::IpAddr, path::PathBuf};

use super::Credentials;

/// The MQTT broker that is told. `Debug` shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttConfig {
    /// Name or IP address; an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// User name and password, where it wants them.
    pub credentials: Option<Credentials>,
    /// PEM file of the certificates trusted for an encrypted connection, in place of the system's.
    pub ca: Option<PathBuf>,
    /// What every topic begins with; levels that are not empty, without wildcards.
    pub prefix: String,
    /// Whether discovery is published for Home Assistant.
    pub home_assistant: bool,
    /// Whether commands are taken.
    pub commands: bool,
}

impl MqttConfig {
    /// Host and port, as shown: `broker.lan:8883`, `[::1]:1883`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    /// The host as addresses have it: an IPv6 address in brackets.
    #[must_use]
    pub fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// Whether what is sent to it stays on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}
