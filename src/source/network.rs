//! Why a network camera cannot be opened: FFmpeg behind OpenCV keeps the reason to itself, so the server
//! is asked once more, by a short RTSP or HTTP conversation of our own.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use url::Url;

use super::SourceError;
use crate::config::Credentials;

mod auth;

/// Longest head of an answer that is read.
const MAX_HEAD: usize = 64 * 1024;

/// A server and what is wanted of it.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The address as it may be shown.
    pub shown: &'a Url,
    /// The address as the server wants it, which may hold secrets in path and query; without user name and
    /// password.
    pub asked: &'a Url,
    /// User name and password, when given.
    pub credentials: Option<&'a Credentials>,
}

/// Asks a server why it gives no video. `None` when it seems willing to.
///
/// Blocks up to about `timeout` (the resolver of host names has its own). Encrypted schemes are only
/// connected to.
#[must_use]
pub fn diagnose(target: Target<'_>, timeout: Duration) -> Option<SourceError> {
    let deadline = Instant::now() + timeout;
    let answer = match ask(target, None, deadline) {
        Ok(Some(answer)) => answer,
        Ok(None) => return None,
        Err(error) => return Some(error),
    };
    let Some(credentials) = target.credentials.filter(|_| answer.status == 401) else {
        return meaning(target.shown, &answer);
    };
    // A second question, with the credentials, tells a wrong password from a wrong path.
    let request = auth::Request { method: method(target.asked), uri: &request_uri(target.asked) };
    let header = auth::authorization(&answer.challenges, &request, credentials);
    if let Some(asked) = auth::unanswerable(&answer.challenges) {
        return Some(SourceError::Unreachable(format!(
            "'{}' asks for {asked}, which cannot be answered; switch the camera to Digest with MD5 or to Basic",
            target.shown
        )));
    }
    match ask(target, header.as_deref(), deadline) {
        Ok(answer) => answer.and_then(|answer| meaning(target.shown, &answer)),
        Err(error) => Some(error),
    }
}

/// The parts of an answer that tell its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: u16,
    reason: String,
    /// Values of the `WWW-Authenticate` headers.
    challenges: Vec<String>,
}

/// What an answer says about the stream; `None` when nothing is wrong.
fn meaning(address: &Url, answer: &Answer) -> Option<SourceError> {
    let said = format!("{} {}", answer.status, answer.reason);
    match answer.status {
        0..=399 => None,
        401 | 403 | 407 => Some(SourceError::Auth),
        404 | 410 => Some(SourceError::NoSuchStream(format!("'{address}' ({})", said.trim()))),
        // RTSP's "Not Enough Bandwidth" is what cameras say when all their sessions are taken.
        453 => Some(SourceError::Unreachable(format!(
            "'{address}' takes no more viewers ({}); close one, or raise the camera's limit",
            said.trim()
        ))),
        _ => Some(SourceError::Unreachable(format!("'{address}' answers '{}'", said.trim()))),
    }
}

/// Puts the question; `Ok(None)` when the connection is encrypted and so says nothing to us.
fn ask(
    target: Target<'_>,
    authorization: Option<&str>,
    deadline: Instant,
) -> Result<Option<Answer>, SourceError> {
    let address = target.shown;
    let mut stream = connect(address, deadline)?;
    if matches!(address.scheme(), "https" | "rtsps") {
        return Ok(None);
    }
    let head = converse(&mut stream, &question(target.asked, authorization), deadline)
        .map_err(|error| silence(address, &error))?;
    parse(&head).map(Some).ok_or_else(|| {
        SourceError::NoVideo(format!(
            "'{address}' answers, but not in the language of {}; check scheme and port",
            address.scheme()
        ))
    })
}

fn default_port(scheme: &str) -> u16 {
    match scheme {
        "rtsp" => 554,
        "rtsps" => 322,
        "https" => 443,
        _ => 80,
    }
}

/// Host and port, as shown.
fn host(address: &Url) -> String {
    let port = address.port_or_known_default().unwrap_or_else(|| default_port(address.scheme()));
    format!("{}:{port}", address.host_str().unwrap_or_default())
}

fn connect(address: &Url, deadline: Instant) -> Result<TcpStream, SourceError> {
    let host = host(address);
    let candidates = host.to_socket_addrs().map_err(|_| {
        SourceError::Unreachable(format!(
            "the host name in '{host}' is not known; check it for a typing error"
        ))
    })?;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for candidate in candidates {
        match TcpStream::connect_timeout(&candidate, remaining(deadline)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
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
fn silence(address: &Url, error: &io::Error) -> SourceError {
    let host = host(address);
    SourceError::Unreachable(match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            format!("'{host}' accepts the connection but does not answer")
        }
        _ => format!("'{host}' breaks off the connection"),
    })
}

/// Time left; never zero, which the socket functions refuse.
fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

fn method(address: &Url) -> &'static str {
    if address.scheme().starts_with("rtsp") { "DESCRIBE" } else { "GET" }
}

/// What stands in the request line: the whole address in RTSP, path and query in HTTP.
fn request_uri(address: &Url) -> String {
    if address.scheme().starts_with("rtsp") {
        return address.to_string();
    }
    let path = match address.path() {
        "" => "/",
        path => path,
    };
    address.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

fn question(address: &Url, authorization: Option<&str>) -> String {
    let (method, uri) = (method(address), request_uri(address));
    let mut text = if method == "DESCRIBE" {
        format!("{method} {uri} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n")
    } else {
        format!("{method} {uri} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\nConnection: close\r\n", host(address))
    };
    text.push_str(concat!("User-Agent: pcount-tui/", env!("CARGO_PKG_VERSION"), "\r\n"));
    if let Some(value) = authorization {
        text.push_str(&format!("Authorization: {value}\r\n"));
    }
    text.push_str("\r\n");
    text
}

/// Sends `request` and reads the head of the answer.
fn converse(stream: &mut TcpStream, request: &str, deadline: Instant) -> io::Result<Vec<u8>> {
    stream.set_write_timeout(Some(remaining(deadline)))?;
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    let mut piece = [0; 2048];
    while head.len() < MAX_HEAD && !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(remaining(deadline)))?;
        match stream.read(&mut piece)? {
            0 if head.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            0 => break,
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    Ok(head)
}

/// Status line and challenges of an RTSP or HTTP answer.
fn parse(head: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let mut status_line = lines.next()?.splitn(3, ' ');
    let protocol = status_line.next()?;
    if !protocol.starts_with("RTSP/") && !protocol.starts_with("HTTP/") {
        return None;
    }
    let status = status_line.next()?.parse().ok()?;
    let reason =
        status_line.next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect();
    let challenges = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("www-authenticate"))
        .map(|(_, value)| value.trim().to_owned())
        .collect();
    Some(Answer { status, reason, challenges })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn answer(head: &str) -> Option<SourceError> {
        meaning(&url("rtsp://cam/live"), &parse(head.as_bytes()).unwrap())
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
        let full = answer("RTSP/1.0 453 Not Enough Bandwidth\r\n\r\n").unwrap().to_string();
        assert!(full.contains("takes no more viewers (453 Not Enough Bandwidth)"), "{full}");
        assert_eq!(
            answer("RTSP/1.0 503\r\n\r\n"),
            Some(SourceError::Unreachable("'rtsp://cam/live' answers '503'".into()))
        );
    }

    #[test]
    fn what_is_no_rtsp_or_http_answer_is_not_taken_for_one() {
        assert_eq!(parse(b"SSH-2.0-OpenSSH_9.2\r\n"), None);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"RTSP/1.0 abc\r\n"), None);
        assert_eq!(parse(&[0xFF; 64]), None);
    }

    #[test]
    fn challenges_are_found_whatever_the_case_of_their_name() {
        let head = "RTSP/1.0 401 No\r\nCSeq: 1\r\nwww-authenticate: Digest realm=\"a\"\r\nWWW-Authenticate: Basic realm=\"b\"\r\n\r\n";
        assert_eq!(parse(head.as_bytes()).unwrap().challenges, ["Digest realm=\"a\"", "Basic realm=\"b\""]);
    }

    #[test]
    fn the_question_names_the_target_as_its_protocol_wants_it() {
        assert!(
            question(&url("rtsp://cam:8554/a?b=1"), None)
                .starts_with("DESCRIBE rtsp://cam:8554/a?b=1 RTSP/1.0\r\n")
        );
        let http = question(&url("http://cam/v.mjpg?q=1"), Some("Basic eA=="));
        assert!(http.starts_with("GET /v.mjpg?q=1 HTTP/1.1\r\nHost: cam:80\r\n"));
        assert!(http.ends_with("Authorization: Basic eA==\r\n\r\n"));
    }

    #[test]
    fn a_port_that_nobody_listens_on_is_said() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let address = url(&format!("rtsp://127.0.0.1:{port}/live"));
        let target = Target { shown: &address, asked: &address, credentials: None };
        let error = diagnose(target, Duration::from_secs(2));
        assert!(
            matches!(&error, Some(SourceError::Unreachable(text)) if text.contains("refuses the connection")),
            "{error:?}"
        );
    }
}
