//! What stands between FFmpeg and a network camera: a listener on this machine's own address that FFmpeg opens in the
//! camera's place, and that talks to the camera.
//!
//! FFmpeg 5.1 has no options for what is needed here: `rtsps` verifies no certificate (`rtsp.c` passes no option on to `tls`), neither does what a playlist names
//! (`ffio_copy_url_options`), and redirections of RTSP are followed without end and with the password. So every
//! connection that leaves this machine is made here: encrypted ones are verified before anything is sent, user name and
//! password go to the host they were given for, and FFmpeg knows neither them nor the camera's address. This file and
//! its folder can go when FFmpeg passes its options on and asks before it follows.
//!
//! An address of a relay holds a random word, so that nobody else on this machine finds the stream behind it.

mod body;
mod http;
mod link;
mod notes;
mod playlist;
mod policy;
mod rtsp;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rustls::crypto;
use url::Url;

use self::{notes::Notes, policy::AccessPolicy};
use super::{SourceError, refusal};
use crate::config::{Credentials, TlsConfig};

/// Connections that FFmpeg may have to one source at once; it needs a few for a playlist.
const MOST_CONNECTIONS: usize = 16;

/// Share of FFmpeg's patience after which this side gives up: it knows what it waits for, FFmpeg does not.
const PATIENCE: f64 = 0.9;

/// Before it is tried again to accept a connection when the system refuses.
const PAUSE: Duration = Duration::from_millis(50);

/// What a source is opened by.
pub struct Relay {
    address: String,
    shown: Url,
    shared: Arc<Shared>,
}

struct Shared {
    listener: TcpListener,
    notes: Notes,
    talk: Talk,
    timeout: Duration,
    connections: AtomicUsize,
    closing: AtomicBool,
}

enum Talk {
    Rtsp { policy: Box<AccessPolicy>, local: String },
    Http(Box<http::Exchange>),
}

/// A source as it is reached over the network.
pub struct Destination<'a> {
    /// The address as it may be shown.
    pub shown: &'a Url,
    /// The address as the server wants it, which may hold secrets in path and query; without user name and password.
    pub asked: &'a Url,
    /// User name and password, when given.
    pub credentials: Option<&'a Credentials>,
    /// Which certificates it trusts.
    pub tls: &'a TlsConfig,
}

impl Relay {
    /// Listens for FFmpeg. Nothing is sent to the camera before FFmpeg asks. Connecting and the first answer may take
    /// `timeout`.
    ///
    /// # Errors
    /// When the system refuses a socket or a thread.
    pub fn start(to: &Destination<'_>, timeout: Duration) -> Result<Self, SourceError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| refused(&error))?;
        let own = listener.local_addr().map_err(|error| refused(&error))?;
        let word = random_word().ok_or_else(|| refused(&io::Error::other("it has no random numbers")))?;
        let policy = AccessPolicy::new(to.shown, to.asked.clone(), to.credentials, to.tls);
        let (address, talk) = if to.asked.scheme().starts_with("rtsp") {
            let local = format!("rtsp://{own}/{word}");
            (local.clone(), Talk::Rtsp { policy: Box::new(policy), local })
        } else {
            let exchange = http::Exchange::new(policy, format!("http://{own}/{word}/"));
            (exchange.address(), Talk::Http(Box::new(exchange)))
        };
        let shared = Arc::new(Shared {
            listener,
            notes: Notes::default(),
            talk,
            timeout: timeout.mul_f64(PATIENCE),
            connections: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
        });
        let relay = Self { address, shown: to.shown.clone(), shared };
        let shared = Arc::clone(&relay.shared);
        thread::Builder::new()
            .name("relay".into())
            .spawn(move || accept(&shared))
            .map_err(|error| refusal::thread(&error))?;
        Ok(relay)
    }

    /// What FFmpeg is to open.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Why FFmpeg could not open it, as far as it was seen on the way.
    pub fn failure(&self) -> Option<SourceError> {
        self.shared.notes.failure(&self.shown)
    }
}

impl Drop for Relay {
    /// Takes no more connections; those that are open end with FFmpeg's side.
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = rustix::net::shutdown(&self.shared.listener, rustix::net::Shutdown::Both);
    }
}

fn accept(shared: &Arc<Shared>) {
    loop {
        let accepted = shared.listener.accept();
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        match accepted {
            Ok((client, from)) => serve(shared, client, from),
            // Too many open files, mostly: it passes, or it is why the source does not open.
            Err(error) => {
                if let Some(why) = refusal::of(&error) {
                    shared.notes.failed(why);
                }
                thread::sleep(PAUSE);
            }
        }
    }
}

fn serve(shared: &Arc<Shared>, client: TcpStream, from: SocketAddr) {
    if !from.ip().is_loopback() || shared.connections.load(Ordering::SeqCst) >= MOST_CONNECTIONS {
        return;
    }
    shared.connections.fetch_add(1, Ordering::SeqCst);
    let own = Arc::clone(shared);
    let started = thread::Builder::new().name("relay".into()).spawn(move || {
        let _ = client.set_nodelay(true);
        let served = match &own.talk {
            Talk::Rtsp { policy, local } => rtsp::serve(&client, policy, &own.notes, local, own.timeout),
            Talk::Http(exchange) => http::serve(&client, exchange, &own.notes, own.timeout),
        };
        // Noted before the connection closes, at which FFmpeg gives up.
        if let Err(error) = served {
            own.notes.failed(error);
        }
        own.connections.fetch_sub(1, Ordering::SeqCst);
    });
    if let Err(error) = started {
        shared.connections.fetch_sub(1, Ordering::SeqCst);
        shared.notes.failed(refusal::thread(&error));
    }
}

/// A socket of this machine's own, or its random numbers, that the system does not give.
fn refused(error: &io::Error) -> SourceError {
    refusal::of(error).unwrap_or_else(|| {
        SourceError::System(format!("the system refuses the program a connection to itself ({error})"))
    })
}

/// 128 bits that nobody can guess, in hexadecimal.
fn random_word() -> Option<String> {
    let mut bytes = [0; 16];
    crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
