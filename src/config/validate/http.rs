//! What the configuration says of the API over TCP.

use std::net::SocketAddr;

use crate::config::{
    HttpConfig,
    keys::{HTTP, HttpKeys},
    section::Field,
};

/// An address to listen on, with tokens where others than this machine can reach it.
pub(super) fn http(field: &Field<'_>) -> Option<HttpConfig> {
    let section = field.section::<HttpKeys>()?;
    let listen = section.required(&HTTP.listen).and_then(|field| address(&field));
    let token_file = section.read(&HTTP.token_file);
    let listen = listen?;
    if !listen.ip().is_loopback() {
        if token_file.is_none() {
            field.problem(&format!(
                "other machines can reach '{listen}', which therefore needs tokens; name a 'token_file', or \
                 listen on 127.0.0.1"
            ));
            return None;
        }
        field.warning(&format!(
            "tokens and counts cross the network to '{listen}' unencrypted; put a proxy with TLS before it, or forward the port with ssh"
        ));
    }
    Some(HttpConfig { listen, token_file })
}

fn address(field: &Field<'_>) -> Option<SocketAddr> {
    let text = field.text()?;
    text.parse().ok().or_else(|| field.expected("an address and a port, such as \"127.0.0.1:9178\""))
}
