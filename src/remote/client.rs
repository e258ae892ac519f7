//! Requests over a Unix socket.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, runtime::Runtime};

use crate::{
    native::process,
    protocol::{self, PREFIX, Refused, Version},
};

/// Longest answer that is read, in bytes: snapshots of many hundred sources.
const MOST_ANSWER: usize = 64 << 20;

/// Between the end of its connections and that of its socket an engine takes no longer than this.
const GOING: Duration = Duration::from_secs(2);

/// Idle connections that are kept. The server ends those that are idle for long.
const KEPT: usize = 4;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens.
    #[error("no engine answers at '{socket}' ({problem}); start one with 'pcount-tui serve --config FILE'")]
    NoEngine {
        /// The socket.
        socket: String,
        /// What the system said.
        problem: String,
    },
    /// It is not this user's, and is told nothing.
    #[error(
        "'{socket}' belongs to a program of the user '{user}'; name the socket of your own engine with \
         --output or --socket"
    )]
    Stranger {
        /// The socket.
        socket: String,
        /// The user's name.
        user: String,
    },
    /// It broke off.
    #[error("the engine does not answer: {0}")]
    Silent(String),
    /// It took too long.
    #[error("the engine has not answered for {}", humantime::format_duration(*.0))]
    Late(Duration),
    /// It refuses, for this reason.
    #[error("{0}")]
    Refused(String),
    /// It speaks another version.
    #[error("the engine is pcount-tui {theirs}, which this one ({own}) cannot talk to; use the same version of both", own = env!("CARGO_PKG_VERSION"))]
    Version {
        /// Its version.
        theirs: String,
    },
    /// What it says is not understood.
    #[error("the engine's answer cannot be parsed ({0}); use the same version of both")]
    Strange(String),
}

type Sender = SendRequest<Full<Bytes>>;

struct Inner {
    socket: PathBuf,
    runtime: Runtime,
    idle: Mutex<Vec<Sender>>,
}

/// Asks an engine over its socket. Cheap to clone; every call waits, and may be made by many threads at once.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

impl Client {
    /// A client of the engine behind `socket`; connects when it is asked.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn new(socket: &Path) -> Result<Self, ClientError> {
        // One thread moves the bytes of all connections.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .enable_io()
            .enable_time()
            .thread_name("remote-io")
            .build()
            .map_err(|error| ClientError::Silent(error.to_string()))?;
        Ok(Self { inner: Arc::new(Inner { socket: socket.to_owned(), runtime, idle: Mutex::default() }) })
    }

    /// Whether the engine has shut down cleanly, which takes its socket along. Waits a moment for that.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let until = Instant::now() + GOING;
        loop {
            if !self.inner.socket.exists() {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(GOING / 20);
        }
    }

    /// The program that answers.
    ///
    /// # Errors
    /// When nobody does, or one that this one cannot talk to.
    pub fn version(&self, patience: Duration) -> Result<Version, ClientError> {
        let version: Version = self.get("/version", patience)?;
        if version.api == protocol::VERSION {
            Ok(version)
        } else {
            Err(ClientError::Version { theirs: version.program })
        }
    }

    /// What is at `path`, below the begin of all addresses.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn get<T: DeserializeOwned>(&self, path: &str, patience: Duration) -> Result<T, ClientError> {
        read(&self.exchange(Method::GET, path, None, patience)?)
    }

    /// The answer to `body` at `path`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let body = body
            .map(serde_json::to_vec)
            .transpose()
            .map_err(|error| ClientError::Strange(error.to_string()))?;
        read(&self.exchange(Method::POST, path, Some(body.unwrap_or_default()), patience)?)
    }

    fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        patience: Duration,
    ) -> Result<Bytes, ClientError> {
        let ask = async {
            let (response, sender) = self.send(method, path, body).await?;
            let is_done = response.status().is_success();
            let bytes = Limited::new(response.into_body(), MOST_ANSWER).collect().await;
            let bytes = bytes.map_err(|error| ClientError::Silent(error.to_string()))?.to_bytes();
            self.keep(sender);
            if is_done {
                return Ok(bytes);
            }
            Err(match serde_json::from_slice::<Refused>(&bytes) {
                Ok(Refused { error }) => ClientError::Refused(error),
                Err(_) => ClientError::Strange(String::from_utf8_lossy(&bytes).chars().take(200).collect()),
            })
        };
        let late = |_| ClientError::Late(patience);
        self.inner.runtime.block_on(async { tokio::time::timeout(patience, ask).await.map_err(late)? })
    }

    /// The body of the answer to a request that has no end, a piece at a time.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn open(&self, path: &str, patience: Duration) -> Result<Stream, ClientError> {
        let late = |_| ClientError::Late(patience);
        let sent =
            async { tokio::time::timeout(patience, self.send(Method::GET, path, None)).await.map_err(late)? };
        let (response, sender) = self.inner.runtime.block_on(sent)?;
        if !response.status().is_success() {
            return Err(ClientError::Refused(format!("status {}", response.status())));
        }
        Ok(Stream { client: self.clone(), body: response.into_body(), _sender: sender })
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.inner.idle.lock();
        if idle.len() < KEPT {
            idle.push(sender);
        }
    }

    /// Sends a request over a connection that is idle, or a new one.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(Response<Incoming>, Sender), ClientError> {
        let bytes = Bytes::from(body.unwrap_or_default());
        let request = || {
            let built = Request::builder()
                .method(method.clone())
                .uri(format!("{PREFIX}{path}"))
                .header(header::HOST, "localhost");
            let built =
                if bytes.is_empty() { built } else { built.header(header::CONTENT_TYPE, "application/json") };
            built.body(Full::new(bytes.clone())).map_err(|error| ClientError::Strange(error.to_string()))
        };
        loop {
            let idle = self.inner.idle.lock().pop();
            let is_used = idle.is_some();
            let mut sender = match idle {
                Some(sender) => sender,
                None => self.connect().await?,
            };
            // One that was closed meanwhile has sent nothing.
            if is_used && sender.ready().await.is_err() {
                continue;
            }
            match sender.send_request(request()?).await {
                Ok(response) => return Ok((response, sender)),
                Err(error) if is_used && error.is_canceled() => {}
                Err(error) if is_used && method == Method::GET && error.is_incomplete_message() => {}
                Err(error) => return Err(ClientError::Silent(error.to_string())),
            }
        }
    }

    async fn connect(&self) -> Result<Sender, ClientError> {
        let socket = &self.inner.socket;
        let refused = |error: io::Error| ClientError::NoEngine {
            socket: socket.display().to_string(),
            problem: match error.kind() {
                io::ErrorKind::NotFound => "there is no socket".into(),
                io::ErrorKind::ConnectionRefused => "it has ended".into(),
                io::ErrorKind::PermissionDenied => "it is another user's".into(),
                _ => error.to_string(),
            },
        };
        let stream = UnixStream::connect(socket).await.map_err(refused)?;
        let theirs = stream.peer_cred().map_err(refused)?.uid();
        if !is_trusted(theirs, rustix::process::geteuid().as_raw()) {
            return Err(ClientError::Stranger {
                socket: socket.display().to_string(),
                user: process::user_numbered(theirs),
            });
        }
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| ClientError::Silent(error.to_string()))?;
        tokio::spawn(async move {
            // Its end is told to the request that is on.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// Whether what this user (`own`) types may be told to a program of the user `theirs`. The system's administrator looks after the
/// engines of others.
fn is_trusted(theirs: u32, own: u32) -> bool {
    theirs == own || theirs == 0 || own == 0
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| ClientError::Strange(error.to_string()))
}

/// An answer that has no end.
pub(super) struct Stream {
    client: Client,
    body: Incoming,
    _sender: Sender,
}

impl Stream {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When it breaks off, or nothing comes for so long.
    pub fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, ClientError> {
        let late = |_| ClientError::Late(patience);
        let body = &mut self.body;
        let next = async { tokio::time::timeout(patience, body.frame()).await.map_err(late) };
        match self.client.inner.runtime.block_on(next)? {
            None => Ok(None),
            Some(Err(error)) => Err(ClientError::Silent(error.to_string())),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_somebody_else_has_put_there_is_told_nothing() {
        assert!(is_trusted(1001, 1001) && is_trusted(0, 1001) && is_trusted(1001, 0));
        assert!(!is_trusted(1002, 1001));
    }
}
