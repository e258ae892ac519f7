//! Connections to network cameras, encrypted where their addresses say so, and what the answers of a server mean.

use std::{
    io::{self, Read as _},
    net::{IpAddr, TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use url::Url;

use super::{SourceError, refusal};

pub(in crate::source) mod auth;
pub(in crate::source) mod message;
pub(in crate::source) mod tls;

pub use tls::{Certificate, certificate, client_config};

/// The parts of an answer that tell its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub status: u16,
    pub reason: String,
}

/// What an answer says about the stream; `None` when nothing is wrong.
pub(super) fn meaning(address: &Url, answer: &Answer) -> Option<SourceError> {
    let said = format!("{} {}", answer.status, answer.reason);
    match answer.status {
        0..=399 => None,
        401 | 403 | 407 => Some(SourceError::Auth),
        404 | 410 => Some(SourceError::NoSuchStream(format!("'{address}' ({})", said.trim()))),
        // RTSP's "Not Enough Bandwidth" is what cameras say when all their sessions are taken.
        453 => Some(SourceError::Unreachable(format!(
            "'{address}' accepts no more viewers ({}); close one, or raise the camera's limit",
            said.trim()
        ))),
        _ => Some(SourceError::Unreachable(format!("'{address}' answers '{}'", said.trim()))),
    }
}

pub(super) fn default_port(scheme: &str) -> u16 {
    match scheme {
        "rtsp" => 554,
        "rtsps" => 322,
        "https" => 443,
        _ => 80,
    }
}

/// Host and port, as shown.
pub(super) fn host(address: &Url) -> String {
    let port = address.port_or_known_default().unwrap_or_else(|| default_port(address.scheme()));
    format!("{}:{port}", address.host_str().unwrap_or_default())
}

pub(super) fn connect(address: &Url, deadline: Instant) -> Result<TcpStream, SourceError> {
    connect_where(address, deadline, |_| true)
}

/// Connects to the host of `address`, sends nothing and hangs up. Blocks up to about `timeout`.
///
/// # Errors
/// When it cannot be reached.
pub fn reach(address: &Url, timeout: Duration) -> Result<(), SourceError> {
    connect(address, Instant::now() + timeout).map(drop)
}

/// The first line, of at most `longest` bytes, that the server of `address` says before it is told anything. Blocks up to about twice
/// `timeout`.
///
/// # Errors
/// When it cannot be reached or says nothing.
pub fn greeting(address: &Url, timeout: Duration, longest: u64) -> Result<String, SourceError> {
    let stream = connect(address, Instant::now() + timeout)?;
    let deadline = Instant::now() + timeout;
    let mut line = Vec::new();
    let mut stream = stream.take(longest);
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        let read = stream.get_ref().set_read_timeout(Some(remaining(deadline)));
        match read.and_then(|()| stream.read(&mut byte)) {
            Ok(0) => break,
            Ok(_) => line.extend(byte),
            Err(error) => return Err(silence(address, &error)),
        }
    }
    if line.is_empty() {
        return Err(silence(address, &io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// The addresses of a host; none where its name is not known.
pub(super) fn addresses(address: &Url) -> impl Iterator<Item = IpAddr> {
    host(address).to_socket_addrs().into_iter().flatten().map(|found| found.ip())
}

/// Connects to one of the addresses of the host that are `allowed`.
pub(super) fn connect_where(
    address: &Url,
    deadline: Instant,
    allowed: impl Fn(IpAddr) -> bool,
) -> Result<TcpStream, SourceError> {
    let host = host(address);
    let candidates = host.to_socket_addrs().map_err(|_| {
        SourceError::Unreachable(format!(
            "the host name in '{host}' is not known; check it for a typing error"
        ))
    })?;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for candidate in candidates {
        if !allowed(candidate.ip()) {
            return Err(SourceError::Unreachable(format!(
                "it redirects to '{host}', which is this machine or its local link; a camera elsewhere may \
                 not redirect there"
            )));
        }
        match TcpStream::connect_timeout(&candidate, remaining(deadline)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    if let Some(refused) = refusal::of(&last) {
        return Err(refused);
    }
    Err(SourceError::Unreachable(match last.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("'{host}' refuses the connection; nothing listens on that port")
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => format!("'{host}' does not answer"),
        _ => format!("'{host}': {last}"),
    }))
}

/// A server that was reached and then said nothing useful.
pub(super) fn silence(address: &Url, error: &io::Error) -> SourceError {
    let host = host(address);
    SourceError::Unreachable(match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            format!("'{host}' accepts the connection but does not answer")
        }
        _ => format!("'{host}' breaks off the connection"),
    })
}

/// Time left; never zero, which the socket functions refuse.
pub(super) fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// What answers is no server of the kind that the address names.
pub(super) fn another_language(address: &Url) -> SourceError {
    SourceError::NoVideo(format!(
        "'{address}' answers, but does not speak {}; check scheme and port",
        address.scheme()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn answer(head: &str) -> Option<SourceError> {
        let message = message::Message::parse(head.as_bytes());
        meaning(&url("rtsp://cam/live"), &message.answer().unwrap())
    }

    #[test]
    fn answers_have_their_meaning() {
        assert_eq!(answer("RTSP/1.0 200 OK\r\n\r\n"), None);
        assert_eq!(answer("RTSP/1.0 401 Unauthorized\r\n\r\n"), Some(SourceError::Auth));
        assert_eq!(answer("HTTP/1.1 403 Forbidden\r\n\r\n"), Some(SourceError::Auth));
        assert_eq!(
            answer("RTSP/1.0 404 Not Found\r\n\r\n"),
            Some(SourceError::NoSuchStream("'rtsp://cam/live' (404 Not Found)".into()))
        );
        assert_eq!(
            answer("RTSP/1.0 503\r\n\r\n"),
            Some(SourceError::Unreachable("'rtsp://cam/live' answers '503'".into()))
        );
        let full = answer("RTSP/1.0 453 Not Enough Bandwidth\r\n\r\n").unwrap().to_string();
        assert!(full.contains("accepts no more viewers (453 Not Enough Bandwidth)"), "{full}");
    }
}
