//! A small server that is told by webhooks, and that verifies what it is told.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What it is told with.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What it does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    Accept,
    Refuse,
    Hang,
    Redirect,
    /// Accepts, and now and then is gone before it says so.
    Forgetful,
    /// Accepts with a body that never ends.
    Endless,
}

/// A message that was accepted.
#[derive(Debug, Clone)]
pub struct Told {
    pub id: String,
    pub is_signed: bool,
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    told: Mutex<Vec<Told>>,
    requests: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
    stop: AtomicBool,
}

pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    behavior: Arc<Mutex<Behavior>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Receiver {
    pub fn start(behavior: Behavior) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut receiver = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::default(),
            behavior: Arc::new(Mutex::new(behavior)),
            thread: None,
        };
        receiver.listen(listener);
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}/people", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn told(&self) -> Vec<Told> {
        self.shared.told.lock().unwrap().clone()
    }

    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    pub fn behave(&self, behavior: Behavior) {
        *self.behavior.lock().unwrap() = behavior;
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
        self.thread.take().unwrap().join().unwrap();
    }

    pub fn revive(&mut self) {
        self.shared.stop.store(false, Ordering::SeqCst);
        let listener = loop {
            if let Ok(listener) = TcpListener::bind(self.address) {
                break listener;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.listen(listener);
    }

    fn listen(&mut self, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let (shared, behavior) = (Arc::clone(&self.shared), Arc::clone(&self.behavior));
        self.thread = Some(std::thread::spawn(move || {
            while !shared.stop.load(Ordering::SeqCst) {
                let Ok((stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                shared.connections.lock().unwrap().push(stream.try_clone().unwrap());
                let (shared, behavior) = (Arc::clone(&shared), Arc::clone(&behavior));
                std::thread::spawn(move || while serve(&stream, &shared, &behavior).is_some() {});
            }
        }));
    }
}

/// Handles one request; nothing when the connection is over.
fn serve(stream: &TcpStream, shared: &Shared, behavior: &Mutex<Behavior>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut headers = std::collections::BTreeMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let behavior = *behavior.lock().unwrap();
    let mut out = stream;
    let body = String::from_utf8(body).ok()?;
    if matches!(behavior, Behavior::Accept | Behavior::Endless | Behavior::Forgetful) {
        let (id, stamp) = (headers.get("webhook-id")?, headers.get("webhook-timestamp")?);
        let is_signed = headers.get("webhook-signature")? == &signature(&format!("{id}.{stamp}.{body}"));
        let told = Told { id: id.clone(), is_signed, body: serde_json::from_str(&body).ok()? };
        shared.told.lock().unwrap().push(told);
    }
    match behavior {
        Behavior::Forgetful if shared.requests.load(Ordering::SeqCst).is_multiple_of(7) => {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            None
        }
        Behavior::Accept | Behavior::Forgetful => out.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok(),
        Behavior::Refuse => out.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno").ok(),
        Behavior::Redirect => out
            .write_all(
                b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/else\r\ncontent-length: 0\r\n\r\n",
            )
            .ok(),
        Behavior::Hang => {
            std::thread::sleep(Duration::from_secs(20));
            None
        }
        Behavior::Endless => {
            out.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
            while out.write_all(&[b'x'; 4096]).is_ok() {}
            None
        }
    }
}

/// HMAC with SHA-256 as RFC 2104 writes it, so that the program's own is not what verifies it.
fn signature(signed: &str) -> String {
    let mut key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    key.resize(64, 0);
    let pad = |with: u8| key.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(signed).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    format!("v1,{}", STANDARD.encode(outer))
}
