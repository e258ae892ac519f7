//! One RTSP session between FFmpeg and a camera.
//!
//! FFmpeg 5.1 verifies no certificate of a camera, follows a camera's redirections without end and with the password,
//! and takes descriptions of any size. So it talks to this side alone, which knows the camera's address and password.

use std::{
    fmt::Write as _,
    io,
    net::TcpStream,
    time::{Duration, Instant},
};

use url::Url;

use super::{
    link::{self, Link, Side},
    notes::Notes,
    policy::{AccessPolicy, MOST_REDIRECTS, is_encrypted},
};
use crate::source::{
    SourceError,
    network::{
        self, auth,
        message::{self, Item, Message},
    },
};

/// Largest body of an answer; a camera's description has a few kilobytes.
const MAX_BODY: usize = 1 << 20;

/// The camera has no such way of sending: FFmpeg tries another one, which may be right.
const UNSUPPORTED_TRANSPORT: u16 = 461;

/// A request that waits for its answer.
struct Pending {
    head: Message,
    body: Vec<u8>,
    /// Whether it was sent once more to answer a challenge of its own: the next refusal counts.
    renewed: bool,
}

struct Session<'a> {
    policy: &'a AccessPolicy,
    notes: &'a Notes,
    /// What FFmpeg takes for the camera's address.
    local: &'a str,
    target: Url,
    link: Link<'a>,
    deadline: Instant,
    pending: Option<Pending>,
    challenges: Vec<String>,
    /// Requests that answered the challenge.
    count: u32,
    redirects: usize,
    streaming: bool,
}

/// Serves one connection of FFmpeg, until either side hangs up.
///
/// # Errors
/// When there is no connection to the camera that may be used, with the reason.
pub fn serve(
    client: &TcpStream,
    policy: &AccessPolicy,
    notes: &Notes,
    local: &str,
    timeout: Duration,
) -> Result<(), SourceError> {
    let Ok(mut from_client) = link::question(client) else { return Ok(()) };
    let asked = Message::parse(&from_client);
    if !asked.request().is_some_and(|(_, target)| target.starts_with(local)) {
        return Ok(());
    }
    let deadline = Instant::now() + timeout;
    let server = policy.dial(&policy.asked, deadline)?;
    if client.set_nonblocking(true).is_err() {
        return Ok(());
    }
    let mut session = Session {
        policy,
        notes,
        local,
        target: policy.asked.clone(),
        link: Link::new(client, server),
        deadline,
        pending: None,
        challenges: Vec::new(),
        count: 0,
        redirects: 0,
        streaming: false,
    };
    let mut from_server = Vec::new();
    session.take_from_client(&mut from_client);
    loop {
        let ended = match session.link.exchange(&mut from_client, &mut from_server) {
            Ok(ended) => ended,
            Err(error) => return session.broken(&error),
        };
        session.take_from_client(&mut from_client);
        session.take_from_server(&mut from_server)?;
        match ended {
            Some(Side::Client) => {
                session.link.finish(Side::Server);
                return Ok(());
            }
            Some(Side::Server) => {
                session.link.finish(Side::Client);
                return session.broken(&io::ErrorKind::UnexpectedEof.into());
            }
            None => {}
        }
    }
}

fn is_redirect(status: u16) -> bool {
    (300..400).contains(&status)
}

impl Session<'_> {
    /// The connection ended by itself. That is a reason as long as a question waits.
    fn broken(&self, error: &io::Error) -> Result<(), SourceError> {
        if self.pending.is_some() && !self.streaming {
            return Err(network::silence(&self.policy.shown, error));
        }
        Ok(())
    }

    fn take_from_client(&mut self, bytes: &mut Vec<u8>) {
        let mut done = 0;
        loop {
            match message::next_item(&bytes[done..]) {
                Ok(Item::Message(head, body)) if bytes.len() - done >= head + body => {
                    let whole = &bytes[done..done + head + body];
                    let message = Message::parse(&whole[..head]);
                    if message.request().is_some() {
                        self.ask(message, whole[head..].to_vec());
                    } else {
                        self.link.tell_server(whole);
                    }
                    done += head + body;
                }
                Ok(Item::Media(count)) => {
                    self.link.tell_server(&bytes[done..done + count]);
                    done += count;
                }
                Ok(Item::Blank(count) | Item::Noise(count)) => done += count,
                Ok(Item::Message(..) | Item::Incomplete) | Err(()) => break,
            }
        }
        bytes.drain(..done);
    }

    /// A request of FFmpeg, on its way to the camera.
    fn ask(&mut self, head: Message, body: Vec<u8>) {
        let datagrams = head.get("transport").is_some_and(|transport| !transport.contains("TCP"));
        if datagrams && is_encrypted(&self.target) {
            let number = head.get("cseq").unwrap_or("0");
            let refused =
                format!("RTSP/1.0 {UNSUPPORTED_TRANSPORT} Unsupported Transport\r\nCSeq: {number}\r\n\r\n");
            self.link.tell_client(refused.as_bytes());
            return;
        }
        self.notes.asked();
        let pending = Pending { head, body, renewed: false };
        self.pending = Some(self.send(pending));
    }

    /// Sends a request, in the name of the camera's own address and with what the last challenge asked for.
    fn send(&mut self, pending: Pending) -> Pending {
        let (method, address) = pending.head.request().unwrap_or_default();
        let address = match address.strip_prefix(self.local) {
            Some(rest) => format!("{}{rest}", self.target),
            None => address.to_owned(),
        };
        let credentials = self.policy.credentials(&self.target).filter(|_| !self.challenges.is_empty());
        let authorization = credentials.and_then(|credentials| {
            let request = auth::Request { method, uri: &address, count: self.count + 1 };
            auth::authorization(&self.challenges, &request, credentials)
        });
        let start = format!("{method} {address} RTSP/1.0");
        let mut head = Message { start, ..pending.head.clone() }.without(&["authorization"]);
        if let Some(value) = authorization {
            self.count += 1;
            head = head.with("Authorization", &value);
        }
        self.link.tell_server(&head.bytes());
        self.link.tell_server(&pending.body);
        pending
    }

    fn take_from_server(&mut self, bytes: &mut Vec<u8>) -> Result<(), SourceError> {
        let mut done = 0;
        loop {
            // Nearly all is media, which goes on in one piece.
            let begin = done;
            let mut item = message::next_item(&bytes[done..]);
            while let Ok(Item::Media(count)) = item {
                done += count;
                item = message::next_item(&bytes[done..]);
            }
            self.link.tell_client(&bytes[begin..done]);
            match item {
                Ok(Item::Message(_, body)) if body > MAX_BODY => {
                    return Err(SourceError::Broken(format!(
                        "'{}' answers with {body} bytes where a few thousand are expected; it may be no camera",
                        self.policy.shown
                    )));
                }
                Ok(Item::Message(head, body)) if bytes.len() - done >= head + body => {
                    let whole = &bytes[done..done + head + body];
                    let restarted = self.answer(whole, head)?;
                    if restarted {
                        bytes.clear();
                        return Ok(());
                    }
                    done += head + body;
                }
                // A damaged stream may find its way again; before there is one, this is no camera.
                Ok(Item::Noise(count)) if self.streaming => {
                    self.link.tell_client(&bytes[done..done + count]);
                    done += count;
                }
                Ok(Item::Noise(_)) | Err(()) => return Err(network::another_language(&self.policy.shown)),
                Ok(Item::Blank(count)) => done += count,
                Ok(Item::Message(..) | Item::Incomplete | Item::Media(_)) => break,
            }
        }
        bytes.drain(..done);
        Ok(())
    }

    /// An answer of the camera, or a request. Gives whether the connection is another one now.
    fn answer(&mut self, whole: &[u8], head: usize) -> Result<bool, SourceError> {
        let message = Message::parse(&whole[..head]);
        let body = &whole[head..];
        let Some(answer) = message.answer() else {
            if message.request().is_none() {
                return Err(network::another_language(&self.policy.shown));
            }
            self.tell_client(message, body);
            return Ok(false);
        };
        self.notes.answered();
        let Some(pending) = self.pending.take() else {
            if is_redirect(answer.status) {
                return Err(self.policy.nowhere());
            }
            self.tell_client(message, body);
            return Ok(false);
        };
        if answer.status == 401 {
            self.challenges = message.all("www-authenticate").map(str::to_owned).collect();
            self.count = 0;
            if !pending.renewed && self.policy.credentials(&self.target).is_some() {
                self.pending = Some(self.send(Pending { renewed: true, ..pending }));
                return Ok(false);
            }
            self.notes.failed(self.policy.unauthorized(&self.target, &self.challenges));
            // With a challenge FFmpeg would ask once more, and cameras lock those out who ask too often.
            self.tell_client(message.without(&["www-authenticate"]), body);
            return Ok(false);
        } else if is_redirect(answer.status) {
            // FFmpeg is never told: it would follow by itself.
            let Some(location) = message.get("location").filter(|_| !self.streaming) else {
                return Err(self.policy.nowhere());
            };
            self.redirect(location)?;
            self.pending = Some(self.send(Pending { renewed: false, ..pending }));
            return Ok(true);
        } else if answer.status != UNSUPPORTED_TRANSPORT
            && let Some(error) = network::meaning(&self.policy.shown, &answer)
        {
            self.notes.failed(error);
        }
        let (method, _) = pending.head.request().unwrap_or_default();
        self.streaming |= method == "PLAY" && answer.status == 200;
        let datagrams = (method == "SETUP").then(|| self.with_source(&message)).flatten();
        self.tell_client(datagrams.unwrap_or(message), body);
        Ok(false)
    }

    /// Sends a message to FFmpeg in words that leave no doubt where it ends.
    fn tell_client(&mut self, head: Message, body: &[u8]) {
        let mut head = head.without(&["content-length"]);
        if !body.is_empty() {
            head = head.with("Content-Length", &body.len().to_string());
        }
        self.link.tell_client(&head.bytes());
        self.link.tell_client(body);
    }

    /// Goes on with the server that the camera names.
    fn redirect(&mut self, location: &str) -> Result<(), SourceError> {
        self.redirects += 1;
        if self.redirects > MOST_REDIRECTS {
            return Err(self.policy.circle());
        }
        let target = self.policy.follow(&self.target, location)?;
        let server = self.policy.dial(&target, self.deadline)?;
        self.link.change_server(server);
        (self.target, self.challenges, self.count) = (target, Vec::new(), 0);
        Ok(())
    }

    /// An answer about datagrams with the address they come from, which FFmpeg would take from the connection.
    fn with_source(&self, message: &Message) -> Option<Message> {
        let peer = self.link.server().socket().peer_addr().ok()?.ip().to_canonical();
        let mut message = message.clone();
        let (_, transport) = message.fields.iter_mut().find(|(name, value)| {
            name.eq_ignore_ascii_case("transport")
                && value.contains("server_port=")
                && !value.contains("source=")
        })?;
        let _ = write!(transport, ";source={peer}");
        Some(message)
    }
}
