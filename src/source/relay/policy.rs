//! Which servers a source may use: which certificates it trusts, which redirects it follows, and which server gets the password.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::OnceLock,
    time::Instant,
};

use url::Url;

use super::link::Connection;
use crate::{
    config::{Credentials, TlsConfig},
    source::{
        SourceError,
        network::{addresses, auth, connect_where, default_port, host, tls::Trust},
    },
};

/// Most times that one request may be sent on.
pub const MOST_REDIRECTS: usize = 5;

/// Where a source leads, and by which rules.
pub struct AccessPolicy {
    /// The address as it may be shown.
    pub shown: Url,
    /// The address as the server wants it, without user name and password.
    pub asked: Url,
    credentials: Option<Credentials>,
    tls: TlsConfig,
    own: OnceLock<Trust>,
    system: OnceLock<Trust>,
}

impl AccessPolicy {
    pub fn new(shown: &Url, asked: Url, credentials: Option<&Credentials>, tls: &TlsConfig) -> Self {
        Self {
            shown: shown.clone(),
            asked,
            credentials: credentials.cloned(),
            tls: tls.clone(),
            own: OnceLock::new(),
            system: OnceLock::new(),
        }
    }

    /// Connects to the server of `target` without telling it anything but the name of its host. Blocks up to
    /// `deadline`, after that never.
    ///
    /// # Errors
    /// When it does not answer, or is not proven to be the one that was meant.
    pub fn dial(&self, target: &Url, deadline: Instant) -> Result<Connection, SourceError> {
        // Before connecting: a file of certificates that is not there is no server's fault.
        let trust = is_encrypted(target).then(|| self.trust(target)).transpose()?;
        let own = target.host_str() == self.asked.host_str();
        let stream = connect_where(target, deadline, |found| own || self.may_lead_to(found))?;
        let broken = |error| SourceError::Unreachable(format!("'{}': {error}", host(target)));
        stream.set_nodelay(true).map_err(broken)?;
        let connection = match trust {
            Some(trust) => Connection::Tls(Box::new(trust.connect(stream, target, deadline)?)),
            None => Connection::Plain(stream),
        };
        connection.socket().set_nonblocking(true).map_err(broken)?;
        Ok(connection)
    }

    /// Whether a server of the source may send it to the machine at `found`: not to this one, nor to those that answer
    /// on a link alone, as the services do that give cloud machines their credentials, unless it is there itself. One on
    /// this machine may lead to this machine and not to the link.
    fn may_lead_to(&self, found: IpAddr) -> bool {
        let near = nearness(found);
        near == Near::No || addresses(&self.asked).any(|own| nearness(own) == near)
    }

    /// The settings of a source are about its own host; others are judged as the system does.
    fn trust(&self, target: &Url) -> Result<&Trust, SourceError> {
        let own = target.host_str() == self.asked.host_str();
        let (cell, tls) =
            if own { (&self.own, self.tls.clone()) } else { (&self.system, TlsConfig::default()) };
        if let Some(trust) = cell.get() {
            Ok(trust)
        } else {
            let trust = Trust::new(&tls)?;
            Ok(cell.get_or_init(|| trust))
        }
    }

    /// User name and password for `target`; `None` for any but the host, port and scheme they were given for.
    pub fn credentials(&self, target: &Url) -> Option<&Credentials> {
        self.credentials.as_ref().filter(|_| origin(target) == origin(&self.asked))
    }

    /// The answer to a server that refuses the user name or password, or to one that was told none of them.
    pub fn unauthorized(&self, target: &Url, challenges: &[String]) -> SourceError {
        if let (Some(_), Some(asked)) = (self.credentials(target), auth::unanswerable(challenges)) {
            return SourceError::Unreachable(format!(
                "'{}' asks for {asked}, which cannot be answered; switch the camera to Digest with MD5 or to Basic",
                self.shown
            ));
        }
        match self.credentials {
            Some(_) if origin(target) != origin(&self.asked) => SourceError::Unreachable(format!(
                "'{}' redirects to '{}', which asks for a user name and password; they are sent only to the \
                 configured host: write that address into the configuration if it is the camera's",
                self.shown,
                place(target)
            )),
            _ => SourceError::Auth,
        }
    }

    /// Where `location`, said by the server of `from`, leads. User names and passwords in it are dropped.
    ///
    /// # Errors
    /// When it leads out of what is safe.
    pub fn follow(&self, from: &Url, location: &str) -> Result<Url, SourceError> {
        let mut to = from.join(location).map_err(|_| {
            SourceError::Unreachable(format!("'{}' redirects to an invalid address", self.shown))
        })?;
        let refused = |why: &str| {
            Err(SourceError::Unreachable(format!(
                "'{}' redirects to '{}', {why}; write that address into the configuration if it is right",
                self.shown,
                place(&to)
            )))
        };
        if family(&to) != family(from) || to.host_str().is_none_or(str::is_empty) {
            return refused("which has another scheme");
        }
        if is_encrypted(from) && !is_encrypted(&to) {
            return refused("from an encrypted address to one that is not");
        }
        // Neither can fail on an address with a host.
        let _ = to.set_username("");
        let _ = to.set_password(None);
        to.set_fragment(None);
        Ok(to)
    }

    /// What is said of a server that sends on, but not where, or when nobody has asked.
    pub fn nowhere(&self) -> SourceError {
        SourceError::Unreachable(format!("'{}' redirects in a way that cannot be followed", self.shown))
    }

    /// What is said of a server that sends on and on.
    pub fn circle(&self) -> SourceError {
        SourceError::Unreachable(format!(
            "'{}' redirects more than {MOST_REDIRECTS} times in a row; write the last address into the \
             configuration",
            self.shown
        ))
    }
}

/// Scheme, host and port: all that may be shown of an address that was not configured.
pub fn place(address: &Url) -> String {
    if address.has_host() {
        format!("{}://{}", address.scheme(), host(address))
    } else {
        format!("{}:", address.scheme())
    }
}

/// Which server credentials are for.
pub fn origin(address: &Url) -> (String, String, u16) {
    let port = address.port_or_known_default().unwrap_or_else(|| default_port(address.scheme()));
    let host = address.host_str().unwrap_or_default().to_ascii_lowercase();
    (address.scheme().to_owned(), host, port)
}

/// Where an address is (RFC 6890).
#[derive(Debug, PartialEq, Eq)]
enum Near {
    No,
    /// On this machine.
    Here,
    /// On its link, or where cloud services answer over IPv6.
    Link,
}

fn nearness(address: IpAddr) -> Near {
    const CLOUD: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let (is_here, is_link) = match address.to_canonical() {
        IpAddr::V4(address) => (address.is_loopback() || address.is_unspecified(), address.is_link_local()),
        IpAddr::V6(address) => (
            address.is_loopback() || address.is_unspecified(),
            address.is_unicast_link_local() || address == CLOUD,
        ),
    };
    match (is_here, is_link) {
        (true, _) => Near::Here,
        (_, true) => Near::Link,
        _ => Near::No,
    }
}

pub fn is_encrypted(address: &Url) -> bool {
    matches!(address.scheme(), "https" | "rtsps")
}

/// `rtsp`, `http`, or empty for what is never opened.
fn family(address: &Url) -> &'static str {
    match address.scheme() {
        "rtsp" | "rtsps" => "rtsp",
        "http" | "https" => "http",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn policy(address: &str) -> AccessPolicy {
        let credentials = Credentials { user: "admin".into(), password: Secret::new("s3cret") };
        AccessPolicy::new(&url(address), url(address), Some(&credentials), &TlsConfig::default())
    }

    #[test]
    fn a_server_sends_nobody_to_the_services_of_this_machine_or_its_link() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let camera = policy("http://192.0.2.7/live.m3u8");
        for near in
            ["127.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1"]
        {
            assert!(!camera.may_lead_to(at(near)), "{near}");
        }
        for elsewhere in ["192.168.1.7", "10.0.0.3", "203.0.113.9", "2001:db8::7"] {
            assert!(camera.may_lead_to(at(elsewhere)), "{elsewhere}");
        }
        let here = policy("http://127.0.0.1/live.m3u8");
        assert!(here.may_lead_to(at("127.0.0.1")), "it is here itself");
        assert!(!here.may_lead_to(at("169.254.169.254")), "and not on the link");
    }

    #[test]
    fn credentials_are_for_one_scheme_host_and_port() {
        let policy = policy("http://cam.lan/a");
        for (address, told) in [
            ("http://CAM.lan:80/b?c", true),
            ("http://cam.lan:8080/a", false),
            ("https://cam.lan/a", false),
            ("http://cam.lan.evil/a", false),
            ("http://192.0.2.1/a", false),
        ] {
            assert_eq!(policy.credentials(&url(address)).is_some(), told, "{address}");
        }
        assert!(
            super::AccessPolicy::credentials(&self::policy("rtsp://cam/a"), &url("rtsp://cam:554/b"))
                .is_some()
        );
        assert!(
            super::AccessPolicy::credentials(&self::policy("rtsp://cam/a"), &url("rtsp://cam:8554/a"))
                .is_none()
        );
    }

    #[test]
    fn a_challenge_that_cannot_be_answered_is_not_a_wrong_password() {
        let (policy, own) = (policy("rtsp://cam/a"), url("rtsp://cam/a"));
        let sha = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256".to_owned();
        let md5 = "Digest realm=\"r\", nonce=\"n\"".to_owned();
        let said = policy.unauthorized(&own, std::slice::from_ref(&sha)).to_string();
        assert!(said.contains("'rtsp://cam/a' asks for Digest SHA-256"), "{said}");
        assert_eq!(policy.unauthorized(&own, &[sha.clone(), md5]), SourceError::Auth);
        let elsewhere = policy.unauthorized(&url("rtsp://other/a"), &[sha]).to_string();
        assert!(elsewhere.contains("redirects to 'rtsp://other:554'"), "{elsewhere}");
    }

    #[test]
    fn redirects_stay_in_their_family_and_never_lose_encryption() {
        for (from, location, to) in [
            ("http://cam/a/b", "c?d=1", Some("http://cam/a/c?d=1")),
            ("http://cam/a/b", "//other/x", Some("http://other/x")),
            ("http://cam/a", "https://cam/a", Some("https://cam/a")),
            ("https://cam/a", "http://cam/a", None),
            ("https://cam/a", "HTTP://cam/a", None),
            ("https://cam/a", "//u:p@other/x#y", Some("https://other/x")),
            ("http://cam/a", "file:///etc/passwd", None),
            ("http://cam/a", "gopher://cam/", None),
            ("http://cam/a", "rtsp://cam/a", None),
            ("rtsp://cam/a", "rtsp://u:p@other/b", Some("rtsp://other/b")),
            ("rtsp://cam/a", "rtsps://cam/a", Some("rtsps://cam/a")),
            ("rtsps://cam/a", "rtsp://cam/a", None),
            ("rtsp://cam/a", "/b", Some("rtsp://cam/b")),
            ("rtsp://cam/a", "satip://cam/b", None),
            ("rtsp://cam/a", "http://[", None),
        ] {
            let got = policy(from).follow(&url(from), location).ok();
            assert_eq!(got.as_ref().map(Url::as_str), to, "{from} to {location}");
        }
        let said =
            policy("https://cam/a").follow(&url("https://cam/a"), "http://u:pw@cam/a?token=t").unwrap_err();
        let said = said.to_string();
        assert!(
            said.contains("'http://cam:80'") && !said.contains("pw") && !said.contains("token"),
            "{said}"
        );
    }
}
