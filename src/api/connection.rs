//! One connection: how long it may take for everything, and how many there may be.

use std::{
    convert::Infallible,
    future::Future as _,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    sync::{Semaphore, watch},
    time::{Sleep, sleep},
};
use tower::ServiceExt as _;

use super::access::{Access, Peer};

/// A request's head must have arrived after this long; so long may a connection be idle as well.
const HEAD: Duration = Duration::from_secs(20);

/// A reader that takes nothing for this long is given up.
const WRITE: Duration = Duration::from_secs(20);

/// Longest head of a request, and what is held of an answer that waits for its reader, in bytes.
const BUFFER: usize = 64 << 10;

/// Most headers of a request.
const MOST_HEADERS: usize = 64;

/// What one too many is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 58\r\nconnection: close\r\n\r\n{\"error\":\"too many connections; close some and try again\"}";

/// The connections of one listener.
pub struct Connections {
    most: u32,
    room: Arc<Semaphore>,
    router: Router,
    access: Arc<Access>,
    ended: watch::Receiver<bool>,
}

impl Connections {
    /// None yet, and at most `most` at a time.
    pub fn new(most: u32, router: &Router, access: &Arc<Access>, ended: watch::Receiver<bool>) -> Self {
        Self {
            most,
            room: Arc::new(Semaphore::new(most as usize)),
            router: router.clone(),
            access: Arc::clone(access),
            ended,
        }
    }

    /// Answers what `peer` asks over `stream`, in a task of its own.
    pub fn take(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            tokio::spawn(async move {
                // Nobody waits for one who does not read.
                let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(FULL)).await;
            });
            return;
        };
        let (router, access, mut ended) = (self.router.clone(), Arc::clone(&self.access), self.ended.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let (router, access, peer) = (router.clone(), Arc::clone(&access), peer.clone());
                async move {
                    let mut request = request.map(Body::new);
                    let (method, address) = (request.method(), request.uri());
                    let response = match access.check(&peer, method, address, request.headers()).await {
                        Ok(caller) => {
                            request.extensions_mut().insert(caller);
                            router.oneshot(request).await?
                        }
                        Err(response) => response,
                    };
                    Ok::<_, Infallible>(response)
                }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(BUFFER)
                .max_headers(MOST_HEADERS)
                .serve_connection(TokioIo::new(Patient::new(stream)), service);
            let mut served = pin!(served);
            let is_closed = tokio::select! {
                // What goes wrong here is the other side's business.
                _ = served.as_mut() => true,
                _ = ended.wait_for(|ended| *ended) => false,
            };
            if !is_closed {
                served.as_mut().graceful_shutdown();
                let _ = served.await;
            }
            drop(permit);
        });
    }

    /// Waits until all of them are closed. To be called when nobody new is taken.
    pub async fn settle(&self) {
        // Closed by nobody.
        let _ = self.room.acquire_many(self.most).await;
    }
}

/// A stream on which writing does not wait for ever.
struct Patient<S> {
    stream: S,
    /// Until when something must be written, while it waits.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    fn new(stream: S) -> Self {
        Self { stream, patience: None }
    }

    /// The outcome of a write, or that it has waited too long.
    fn hold<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.patience = None;
            return outcome;
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(WRITE)));
        ready!(patience.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        pin!(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = pin!(&mut self.stream).poll_write(context, bytes);
        self.hold(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = pin!(&mut self.stream).poll_flush(context);
        self.hold(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = pin!(&mut self.stream).poll_shutdown(context);
        self.hold(context, shut)
    }
}
