//! Which fleet this program is a node of.

use std::path::PathBuf;

use url::Url;

/// A fleet on a NATS server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetConfig {
    /// Addresses of the server, or of several of a cluster: `nats://HOST:PORT` or `tls://HOST:PORT`.
    pub url: ServerUrl,
    /// Name of this node; the host's where there is none.
    pub node: Option<String>,
    /// Where this node is; `None` takes only sources that every node can reach.
    pub site: Option<String>,
    /// File of NATS credentials (`.creds`), or with the key of a user.
    pub credentials: Option<PathBuf>,
    /// PEM file of certificates that are trusted besides the system's.
    pub ca: Option<PathBuf>,
    /// File with the key of the fleet, where its sources are sealed.
    pub key_file: Option<PathBuf>,
    /// How many sources it takes from the fleet; `None` is as many as the machine has room for.
    pub room: Option<usize>,
    /// Whether it counts on for as long as connections to the server are refused.
    pub count_while_refused: bool,
}

/// Addresses of the servers of one fleet, without a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(Vec<Url>);

impl ServerUrl {
    /// Reads one address, or several separated by commas.
    ///
    /// # Errors
    /// One sentence without its subject and without the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut urls = Vec::new();
        for part in text.split(',').map(str::trim) {
            let url = Url::parse(part)
                .ok()
                .filter(|url| {
                    matches!(url.scheme(), "nats" | "tls")
                        && url.host_str().is_some_and(|host| !host.is_empty())
                })
                .ok_or("is no address of a NATS server; write nats://HOST:4222, or tls://HOST:4222")?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err(
                    "holds a login; name a file of NATS credentials with 'credentials' instead".into()
                );
            }
            urls.push(url);
        }
        Ok(Self(urls))
    }

    /// Each address as text.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Url::as_str)
    }

    /// Host and port of each, `port` where none is named.
    pub fn hosts(&self, port: u16) -> impl Iterator<Item = (String, u16)> {
        self.0.iter().map(move |url| {
            // Brackets around an address of IPv6 belong to the form of the text.
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
            (host.to_owned(), url.port().unwrap_or(port))
        })
    }

    /// Whether every connection has to be encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.iter().all(|url| url.scheme() == "tls")
    }
}

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.addresses().collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_server_holds_no_login() {
        let parsed = ServerUrl::parse("tls://a.example:4222, tls://b.example:4222").unwrap();
        assert!(parsed.is_tls());
        assert_eq!(parsed.addresses().count(), 2);
        assert!(!ServerUrl::parse("nats://127.0.0.1:4222").unwrap().is_tls());
        for (text, reason) in [
            ("nats://admin:hunter2@host:4222", "holds a login"),
            ("nats://token@host:4222", "holds a login"),
            ("http://host", "no address"),
            ("host:4222", "no address"),
            ("", "no address"),
        ] {
            let said = ServerUrl::parse(text).unwrap_err();
            assert!(said.contains(reason) && !said.contains("hunter2"), "{text}: {said}");
        }
    }
}
