//! Requests over a Unix socket.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request as HttpRequest, Response as HttpResponse,
    body::{Bytes, Incoming},
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{net::UnixStream, runtime::Runtime};

use super::carrier::{Carrier, ClientError, Pieces, Request, Response};
use crate::{native::process, protocol::PREFIX};

/// Longest answer that is read, in bytes: snapshots of many hundred sources.
const MOST_ANSWER: usize = 64 << 20;

/// Between the end of its connections and that of its socket an engine takes no longer than this.
const GOING: Duration = Duration::from_secs(2);

/// Idle connections that are kept. The server ends those that are idle for long.
const KEPT: usize = 4;

type Sender = SendRequest<Full<Bytes>>;

struct Inner {
    socket: PathBuf,
    runtime: Runtime,
    idle: Mutex<Vec<Sender>>,
}

/// The engine behind a socket.
#[derive(Clone)]
pub(super) struct SocketCarrier {
    inner: Arc<Inner>,
}

impl SocketCarrier {
    /// The engine behind `socket`; connects when it is asked.
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
        body: Vec<u8>,
    ) -> Result<(HttpResponse<Incoming>, Sender), ClientError> {
        let bytes = Bytes::from(body);
        let request = || {
            let built = HttpRequest::builder()
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

impl Carrier for SocketCarrier {
    fn exchange(&self, request: Request<'_>, patience: Duration) -> Result<Response, ClientError> {
        let ask = async {
            let method = if request.is_post { Method::POST } else { Method::GET };
            let (response, sender) = self.send(method, request.path, request.body).await?;
            let status = response.status().as_u16();
            let bytes = Limited::new(response.into_body(), MOST_ANSWER).collect().await;
            let body = bytes.map_err(|error| ClientError::Silent(error.to_string()))?.to_bytes();
            self.keep(sender);
            Ok(Response { status, body })
        };
        let late = |_| ClientError::Late(patience);
        self.inner.runtime.block_on(async { tokio::time::timeout(patience, ask).await.map_err(late)? })
    }

    fn open(&self, path: &str, patience: Duration) -> Result<Box<dyn Pieces>, ClientError> {
        let late = |_| ClientError::Late(patience);
        let sent = async {
            tokio::time::timeout(patience, self.send(Method::GET, path, Vec::new())).await.map_err(late)?
        };
        let (response, sender) = self.inner.runtime.block_on(sent)?;
        if !response.status().is_success() {
            return Err(ClientError::Refused(format!("status {}", response.status())));
        }
        Ok(Box::new(Stream { carrier: self.clone(), body: response.into_body(), _sender: sender }))
    }

    fn has_ended(&self) -> bool {
        let until = Instant::now() + GOING;
        loop {
            // A clean shutdown takes the socket along.
            if !self.inner.socket.exists() {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(GOING / 20);
        }
    }
}

/// An answer that has no end.
struct Stream {
    carrier: SocketCarrier,
    body: Incoming,
    _sender: Sender,
}

impl Pieces for Stream {
    fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, ClientError> {
        let late = |_| ClientError::Late(patience);
        let body = &mut self.body;
        let next = async { tokio::time::timeout(patience, body.frame()).await.map_err(late) };
        match self.carrier.inner.runtime.block_on(next)? {
            None => Ok(None),
            Some(Err(error)) => Err(ClientError::Silent(error.to_string())),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
        }
    }
}

/// Whether what this user (`own`) types may be told to a program of the user `theirs`. The system's administrator looks after the
/// engines of others.
fn is_trusted(theirs: u32, own: u32) -> bool {
    theirs == own || theirs == 0 || own == 0
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
