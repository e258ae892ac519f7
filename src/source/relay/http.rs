//! One HTTP request of FFmpeg, sent on to the server it is for.
//!
//! FFmpeg 5.1 verifies no certificate of what a playlist names, follows redirections from encrypted to plain, and
//! would write passwords into its messages. So it asks this side, which knows the camera's address and password.

use std::{
    io::{self, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use url::Url;

use super::{
    body::{self, MAX_PLAYLIST, Reply},
    link::{self, Link, Side},
    notes::Notes,
    playlist,
    policy::{AccessPolicy, MOST_REDIRECTS, origin, place},
};
use crate::source::{
    SourceError,
    network::{self, auth, message::Message, tls::Timed},
};

/// Servers that one source may lead to.
const MOST_SERVERS: usize = 64;

/// Cookies that one source may have.
const MOST_COOKIES: usize = 64;

/// Name of the source's own address.
const ENTRY: &str = "stream";

/// Name of what is refused.
const REFUSED: &str = "refused";

/// Fields of a request that are this side's own business.
const OWN: [&str; 8] = [
    "host",
    "connection",
    "authorization",
    "cookie",
    "user-agent",
    "accept-encoding",
    "proxy-authorization",
    "referer",
];

type Origin = (String, String, u16);

/// What the requests of one source have in common.
pub struct Exchange {
    policy: AccessPolicy,
    /// What all addresses of this relay begin with: `http://127.0.0.1:PORT/TOKEN/`.
    base: String,
    /// Servers that addresses in playlists name, by their number.
    servers: Mutex<Vec<Url>>,
    /// Where the source's own address led to in the end.
    entry: Mutex<Url>,
    challenges: Mutex<(Vec<String>, u32)>,
    cookies: Mutex<Vec<(Origin, String, String)>>,
}

impl Exchange {
    pub fn new(policy: AccessPolicy, base: String) -> Self {
        let entry = Mutex::new(policy.asked.clone());
        Self {
            policy,
            base,
            servers: Mutex::default(),
            entry,
            challenges: Mutex::default(),
            cookies: Mutex::default(),
        }
    }

    /// What FFmpeg is to open. It ends like the source's own address, by which FFmpeg knows some formats.
    pub fn address(&self) -> String {
        let path = std::path::Path::new(self.policy.asked.path());
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let plain =
            (1..=5).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if plain { format!("{}{ENTRY}.{ending}", self.base) } else { format!("{}{ENTRY}", self.base) }
    }

    /// What FFmpeg asks for by `path`; `None` for a client that this relay does not serve.
    fn target(&self, path: &str) -> Option<Url> {
        let prefix = &self.base[self.base.find("//")? + 2..];
        let rest = path.strip_prefix(&prefix[prefix.find('/')?..])?;
        if rest == REFUSED {
            return None;
        }
        if format!("{}{rest}", self.base) == self.address() {
            return Some(self.policy.asked.clone());
        }
        let Some(numbered) = rest.strip_prefix('@') else {
            return self.entry.lock().join(rest).ok();
        };
        let (number, rest) = numbered.split_once('/')?;
        let server = self.servers.lock().get(number.parse::<usize>().ok()?)?.clone();
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let mut to = server;
        to.set_path(&format!("/{path}"));
        to.set_query(query);
        Some(to)
    }

    /// The address of this relay that stands for `address` in a playlist of `from`.
    fn stand_in(&self, from: &Url, address: &str, notes: &Notes) -> String {
        let refused = || format!("{}{REFUSED}", self.base);
        let to = match self.policy.follow(from, address) {
            Ok(to) => to,
            Err(error) => {
                notes.failed(error);
                return refused();
            }
        };
        let mut servers = self.servers.lock();
        let known = servers.iter().position(|server| origin(server) == origin(&to));
        let number = known.unwrap_or(servers.len());
        if number >= MOST_SERVERS {
            return refused();
        }
        if known.is_none() {
            let mut server = to.clone();
            server.set_path("");
            server.set_query(None);
            servers.push(server);
        }
        format!("{}@{number}{}", self.base, &to[url::Position::BeforePath..])
    }

    fn authorization(&self, target: &Url) -> Option<String> {
        let credentials = self.policy.credentials(target)?;
        let mut challenges = self.challenges.lock();
        challenges.1 += 1;
        let request = auth::Request { method: "GET", uri: &uri(target), count: challenges.1 };
        auth::authorization(&challenges.0, &request, credentials)
    }

    fn cookies(&self, target: &Url) -> Option<String> {
        let (to, cookies) = (origin(target), self.cookies.lock());
        let pairs: Vec<_> = cookies
            .iter()
            .filter(|(from, ..)| *from == to)
            .map(|(_, name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn keep_cookies(&self, target: &Url, answer: &Message) {
        let mut cookies = self.cookies.lock();
        for cookie in answer.all("set-cookie") {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let Some((name, value)) = pair.map(|(name, value)| (name.trim(), value.trim())) else { continue };
            let from = origin(target);
            cookies.retain(|(known, other, _)| *known != from || other != name);
            if cookies.len() < MOST_COOKIES {
                cookies.push((from, name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Puts FFmpeg's request to `target`, follows where it leads, and gives the answer with what came of its body.
    fn ask(
        &self,
        request: &Message,
        mut target: Url,
        notes: &Notes,
        deadline: Instant,
    ) -> Result<Reply, SourceError> {
        let (mut redirects, mut renewed) = (0, false);
        loop {
            let mut server = self.policy.dial(&target, deadline)?;
            let mut head = Message { start: format!("GET {} HTTP/1.1", uri(&target)), ..request.clone() }
                .without(&OWN)
                .with("Host", &host_field(&target))
                .with("User-Agent", concat!("pcount-tui/", env!("CARGO_PKG_VERSION")))
                .with("Connection", "close");
            for (name, value) in
                [("Cookie", self.cookies(&target)), ("Authorization", self.authorization(&target))]
            {
                if let Some(value) = value {
                    head = head.with(name, &value);
                }
            }
            notes.asked();
            let silent = |error: io::Error| network::silence(&self.policy.shown, &error);
            server.send(&head.bytes(), deadline).map_err(silent)?;
            let mut rest = Vec::new();
            let (message, answer, body) = loop {
                let (head, body) = body::receive_head(&mut server, rest, deadline).map_err(silent)?;
                let message = Message::parse(&head);
                match message.answer() {
                    None => return Err(network::another_language(&self.policy.shown)),
                    // The answer comes after it.
                    Some(answer) if answer.status < 200 => rest = body,
                    Some(answer) => break (message, answer, body),
                }
            };
            notes.answered();
            self.keep_cookies(&target, &message);
            match (answer.status, message.get("location")) {
                (301 | 302 | 303 | 307 | 308, Some(location)) => {
                    redirects += 1;
                    if redirects > MOST_REDIRECTS {
                        return Err(self.policy.circle());
                    }
                    (target, renewed) = (self.policy.follow(&target, location)?, false);
                }
                (401, _) if !renewed && self.policy.credentials(&target).is_some() => {
                    let challenges = message.all("www-authenticate").map(str::to_owned).collect();
                    *self.challenges.lock() = (challenges, 0);
                    renewed = true;
                }
                (401, _) => {
                    notes.failed(self.policy.unauthorized(&target, &self.challenges.lock().0));
                    return Ok(Reply { message, body, server, target });
                }
                _ => {
                    if let Some(error) = network::meaning(&self.policy.shown, &answer) {
                        notes.failed(error);
                    }
                    return Ok(Reply { message, body, server, target });
                }
            }
        }
    }
}

/// Serves one connection of FFmpeg, until either side hangs up.
///
/// # Errors
/// When there is no answer that may be used, with the reason.
pub fn serve(
    client: &TcpStream,
    exchange: &Exchange,
    notes: &Notes,
    timeout: Duration,
) -> Result<(), SourceError> {
    let Ok(question) = link::question(client) else { return Ok(()) };
    let request = Message::parse(&question);
    let Some(("GET", path)) = request.request() else { return Ok(()) };
    let Some(target) = exchange.target(path) else { return Ok(()) };
    let is_entry = target == exchange.policy.asked;
    let deadline = Instant::now() + timeout;
    let mut reply = exchange.ask(&request, target, notes, deadline)?;
    if is_entry {
        *exchange.entry.lock() = reply.target.clone();
    }
    let silent = |error: io::Error| network::silence(&exchange.policy.shown, &error);
    let chunked =
        reply.message.get("transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked"));
    if body::begins_playlist(&mut reply, chunked, deadline).map_err(silent)? {
        let text = body::playlist(reply.body, &mut reply.server, chunked, deadline)
            .map_err(silent)?
            .ok_or_else(|| {
                SourceError::Broken(format!(
                    "'{}' names a playlist of more than {MAX_PLAYLIST} bytes at '{}'",
                    exchange.policy.shown,
                    place(&reply.target)
                ))
            })?;
        let text = playlist::rewrite(&text, |address| exchange.stand_in(&reply.target, address, notes));
        let head = Message { start: "HTTP/1.1 200 OK".into(), fields: Vec::new() }
            .with("Content-Type", "application/vnd.apple.mpegurl")
            .with("Content-Length", &text.len().to_string())
            .with("Connection", "close");
        let mut timed = Timed { stream: client, deadline };
        // FFmpeg may have closed the connection, which is no error.
        let _ = timed.write_all(&head.bytes()).and_then(|()| timed.write_all(text.as_bytes()));
        return Ok(());
    }
    let head =
        reply.message.without(&["connection", "keep-alive", "set-cookie", "www-authenticate", "location"]);
    if client.set_nonblocking(true).is_ok() {
        let mut link = Link::new(client, reply.server);
        link.tell_client(&head.with("Connection", "close").bytes());
        link.tell_client(&reply.body);
        carry(link);
    }
    Ok(())
}

/// The rest of a body, as it comes.
fn carry(mut link: Link<'_>) {
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    loop {
        let ended = link.exchange(&mut from_client, &mut from_server);
        link.tell_client(&from_server);
        from_server.clear();
        from_client.clear();
        match ended {
            Ok(None) => {}
            Ok(Some(Side::Server)) => return link.finish(Side::Client),
            Ok(Some(Side::Client)) | Err(_) => return,
        }
    }
}

/// Path and query.
fn uri(target: &Url) -> String {
    target[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
}

/// Host, with the port where it is not the usual one.
fn host_field(target: &Url) -> String {
    let host = target.host_str().unwrap_or_default();
    target.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsConfig;

    fn exchange(address: &str) -> Exchange {
        let url = Url::parse(address).unwrap();
        let policy = AccessPolicy::new(&url, url.clone(), None, &TlsConfig::default());
        Exchange::new(policy, "http://127.0.0.1:1/abc/".into())
    }

    fn path(local: &str) -> &str {
        local.strip_prefix("http://127.0.0.1:1").unwrap()
    }

    #[test]
    fn local_addresses_show_nothing_of_the_source_and_lead_to_it() {
        let one = exchange("https://cam/secret/live.m3u8?token=t0p");
        assert_eq!(one.address(), "http://127.0.0.1:1/abc/stream.m3u8");
        assert_eq!(
            one.target("/abc/stream.m3u8").unwrap().as_str(),
            "https://cam/secret/live.m3u8?token=t0p"
        );
        assert_eq!(one.target("/abd/stream.m3u8"), None);
        assert_eq!(one.target("/abc/@0/x"), None);
        assert_eq!(exchange("http://cam").address(), "http://127.0.0.1:1/abc/stream");
    }

    #[test]
    fn addresses_in_a_playlist_lead_to_their_servers_or_nowhere() {
        let (one, notes) = (exchange("https://cam/a/live.m3u8"), Notes::default());
        let from = Url::parse("https://cam/b/list.m3u8").unwrap();
        for (address, to) in [
            ("seg.ts?x=1", Some("https://cam/b/seg.ts?x=1")),
            ("/seg.ts", Some("https://cam/seg.ts")),
            ("https://cdn:8443//twice/seg.ts", Some("https://cdn:8443//twice/seg.ts")),
            ("http://cam/seg.ts", None),
            ("file:///etc/passwd", None),
            ("rtp://cam:5000", None),
        ] {
            let local = one.stand_in(&from, address, &notes);
            assert!(local.starts_with("http://127.0.0.1:1/abc/"), "{local}");
            assert_eq!(one.target(path(&local)).as_ref().map(Url::as_str), to, "{address}");
        }
        assert!(notes.failure(&from).is_some());
    }
}
