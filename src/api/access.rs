//! Who may ask what.
//!
//! | comes by | may |
//! | --- | --- |
//! | the socket, as its owner or root | everything |
//! | TCP, with a token | everything |
//! | TCP on loopback, without one | look (GET) |
//! | TCP elsewhere, without one | nothing |

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority},
    response::Response,
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::{net::UnixStream, sync::Mutex};

use super::{UserAndOrigin, answer::told};
use crate::{config::known, native::process};

/// A wrong token is answered no sooner than this after the wrong one before.
const SLOW: Duration = Duration::from_millis(500);

/// Shortest token, in characters: 16 random ones of 64 are 96 bits.
const SHORTEST: usize = 16;

/// Longest file of tokens, in bytes.
const MOST_BYTES: u64 = 64 << 10;

/// What a request is counted as, in its extensions.
#[derive(Debug, Clone)]
pub struct Caller(pub Option<UserAndOrigin>);

/// The other side of a connection.
#[derive(Debug, Clone)]
pub enum Peer {
    /// A process of this user on this machine, or of root, by the name of its user.
    Owner(String),
    /// A process of somebody else, who got at the socket all the same.
    Stranger,
    /// Over TCP.
    Network(IpAddr),
}

impl Peer {
    /// Who is behind a connection to the socket.
    pub fn of_socket(stream: &UnixStream) -> Self {
        let own = rustix::process::geteuid().as_raw();
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == own || peer.uid() == 0 => {
                Self::Owner(process::user_numbered(peer.uid()))
            }
            _ => Self::Stranger,
        }
    }
}

/// Tokens by which others than the owner may do more than look: a line each, `NAME:TOKEN` or `TOKEN`.
#[derive(Default)]
pub struct Tokens(Vec<(String, [u8; 32])>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Tokens {
    /// Those of the file at `path`. From now on nothing shows them.
    ///
    /// # Errors
    /// When it cannot be read, others than its owner can, or a token is too short to be safe, in a sentence without it.
    pub fn read(path: &Path) -> io::Result<Self> {
        let name = path.display();
        let say = |kind, what: String| io::Error::new(kind, format!("'{name}' {what}"));
        let found = fs::metadata(path).map_err(|error| {
            say(error.kind(), format!("cannot be read: {error}; 'http.token_file' names it"))
        })?;
        if found.permissions().mode() & 0o077 != 0 {
            return Err(say(
                io::ErrorKind::PermissionDenied,
                format!("holds tokens and can be read by others; run chmod 600 {name}"),
            ));
        }
        if found.len() > MOST_BYTES {
            return Err(say(io::ErrorKind::InvalidData, "is too large for a file of tokens".into()));
        }
        let text = fs::read_to_string(path)
            .map_err(|error| say(error.kind(), format!("cannot be read: {error}")))?;
        let mut tokens = Vec::new();
        for (number, line) in
            (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        {
            let (name, token) = line.trim().split_once(':').unwrap_or(("token", line.trim()));
            if token.chars().count() < SHORTEST {
                return Err(say(
                    io::ErrorKind::InvalidData,
                    format!(
                        "has a token in line {number} that is too short; write {SHORTEST} characters or more, such as 'openssl rand -base64 24' makes"
                    ),
                ));
            }
            known().learn(token);
            tokens.push((name.to_owned(), Sha256::digest(token).into()));
        }
        if tokens.is_empty() {
            return Err(say(io::ErrorKind::InvalidData, "holds no token; write one as NAME:TOKEN".into()));
        }
        Ok(Self(tokens))
    }

    /// The name of a token. Takes as long whether it is right, nearly right or wrong.
    fn name(&self, token: &str) -> Option<&str> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        self.0.iter().fold(
            None,
            |found, (name, known)| if known.ct_eq(&digest).into() { Some(&**name) } else { found },
        )
    }
}

/// Decides who may ask what.
pub struct Access {
    tokens: Tokens,
    is_loopback: bool,
    /// Held by the wrong token that is being answered.
    wrong: Mutex<()>,
}

impl Access {
    /// By these tokens, on this address of TCP.
    pub fn new(tokens: Tokens, tcp: Option<SocketAddr>) -> Self {
        Self {
            tokens,
            is_loopback: tcp.is_some_and(|address| address.ip().is_loopback()),
            wrong: Mutex::default(),
        }
    }

    /// Who asks, if they may.
    ///
    /// # Errors
    /// The answer to one who may not.
    pub async fn check(
        &self,
        peer: &Peer,
        method: &Method,
        address: &Uri,
        headers: &HeaderMap,
    ) -> Result<Caller, Response> {
        let from = match peer {
            Peer::Owner(name) => {
                return Ok(Caller(Some(UserAndOrigin { name: name.clone(), from: "socket" })));
            }
            Peer::Stranger => {
                return Err(told(StatusCode::FORBIDDEN, "only the user that runs the engine may use it"));
            }
            Peer::Network(from) => from,
        };
        if let Some(given) = headers.get(header::AUTHORIZATION) {
            let token = given.to_str().ok().and_then(|text| text.split_once(' '));
            let token = token
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| token.trim());
            if let Some(name) = token.and_then(|token| self.tokens.name(token)) {
                return Ok(Caller(Some(UserAndOrigin { name: name.to_owned(), from: "http" })));
            }
            let _turn = self.wrong.lock().await;
            tokio::time::sleep(SLOW).await;
            tracing::warn!("A wrong token was sent to the API by {from}");
            return Err(unauthorized("this token is unknown"));
        }
        if !self.is_loopback {
            return Err(unauthorized("a token is needed: send 'Authorization: Bearer TOKEN'"));
        }
        if method != Method::GET && method != Method::HEAD {
            return Err(unauthorized(
                "without a token the API is read-only: send 'Authorization: Bearer TOKEN'",
            ));
        }
        if !is_local(address, headers) {
            return Err(told(
                StatusCode::FORBIDDEN,
                "without a token the API is read-only, for programs on this machine and not for web pages",
            ));
        }
        Ok(Caller(None))
    }
}

/// Whether a request comes from no page of another site, which a browser may have been led to open here.
fn is_local(address: &Uri, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // A whole address in the request line is what is meant, whatever the header says (RFC 9112, 3.2.2).
    let host = address.authority().map(Authority::as_str).or(host).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    let is_here = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    // A page of another site may load pictures without an origin; browsers say in this header who asks.
    let is_asked_by_a_page = headers.contains_key(header::ORIGIN)
        || headers.get("sec-fetch-site").is_some_and(|site| site != "none" && site != "same-origin");
    is_here && !is_asked_by_a_page
}

fn unauthorized(sentence: &'static str) -> Response {
    let mut response = told(StatusCode::UNAUTHORIZED, sentence);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    fn is_local(headers: &HeaderMap) -> bool {
        super::is_local(&Uri::from_static("/healthz"), headers)
    }

    #[test]
    fn a_page_of_a_browser_is_told_from_a_program_of_this_machine() {
        for host in ["localhost", "localhost:9178", "127.0.0.1:9178", "[::1]:9178", "[::1]"] {
            assert!(is_local(&headers(host, None)), "{host}");
            assert!(!is_local(&headers(host, Some("https://evil.example"))), "{host}");
        }
        for host in ["evil.example", "evil.example:9178", "127.0.0.1.evil.example", "10.0.0.5", ""] {
            assert!(!is_local(&headers(host, None)), "{host}");
        }
    }

    #[test]
    fn tokens_are_read_with_their_names_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        fs::write(&path, "# ours\nalice:0123456789abcdefX\n0123456789abcdefY\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Tokens::read(&path).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let tokens = Tokens::read(&path).unwrap();
        assert_eq!(tokens.name("0123456789abcdefX"), Some("alice"));
        assert_eq!(tokens.name("0123456789abcdefY"), Some("token"));
        assert_eq!(tokens.name("0123456789abcdef"), None);
        assert!(!format!("{tokens:?}").contains("0123"));
        fs::write(&path, "short\n").unwrap();
        let said = Tokens::read(&path).unwrap_err().to_string();
        assert!(said.contains("line 1") && !said.contains("'short'"), "{said}");
        fs::write(&path, "\n").unwrap();
        assert!(Tokens::read(&path).is_err());
        assert!(Tokens::read(&folder.path().join("none")).is_err());
    }
}
