//! The engine over HTTP: on a Unix socket that only its owner can use, and, where it is configured, on TCP.
//!
//! Nothing here can hold up counting: requests are answered by one thread of their own, which copies what the engine shows;
//! what may wait (for a disk, for a camera) is done on a few more. Everything is bounded: connections, headers, bodies, the time
//! in which a request must have arrived and an answer must be read, events that wait for a reader.

mod access;
mod acts;
mod answer;
mod connection;
mod document;
mod door;
mod events;
mod listen;
mod logs;
mod metrics;
mod previews;
mod queries;
mod questions;
mod reads;
mod routes;
mod served;
mod snapshots;
mod state;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use self::document::document;
use self::{access::Access, listen::Listeners, state::State};
pub use self::{
    access::Tokens,
    door::{Door, DoorRequest},
    listen::find,
    served::{LedgerState, Served, UserAndOrigin},
};

/// Threads for what may wait; more requests of that kind wait for one of them.
const WAITING_THREADS: usize = state::LOOKING + state::ACTING;

/// Where to listen.
#[derive(Debug)]
pub struct Options {
    /// The folder of the results, in which the socket is made.
    pub output: PathBuf,
    /// An address of TCP besides.
    pub tcp: Option<std::net::SocketAddr>,
    /// Who may do more than look, over TCP.
    pub tokens: Tokens,
}

/// A server. Dropping it ends it.
pub struct Api {
    socket: Option<PathBuf>,
    tcp: Option<std::net::SocketAddr>,
    door: Door,
    end: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Api {
    /// Begins to listen, and to answer.
    ///
    /// # Errors
    /// When neither socket nor address can be used, in a sentence, or the system refuses a thread.
    pub fn start(options: Options, served: Arc<dyn Served>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(WAITING_THREADS)
            .thread_name("api-waiting")
            .build()?;
        let listeners = {
            let _inside = runtime.enter();
            Listeners::bind(&options.output, options.tcp)?
        };
        let (socket, tcp) = (listeners.socket().map(Path::to_owned), listeners.tcp());
        let (end, ended) = watch::channel(false);
        let (door, keeper) = Door::new();
        let access = Arc::new(Access::new(options.tokens, tcp));
        let thread = std::thread::Builder::new().name("api".into()).spawn(move || {
            runtime.block_on(async {
                let state = State::start(served, document(), ended.clone());
                let router = routes::router(state);
                tokio::spawn(keeper.serve(router.clone()));
                listeners.serve(&router, &access, ended).await;
            });
            // What waits for a disk is not waited for.
            runtime.shutdown_timeout(Duration::ZERO);
        })?;
        Ok(Self { socket, tcp, door, end, thread: Some(thread) })
    }

    /// The socket, where there is one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// Where requests are handed in that come by another way.
    #[must_use]
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// The address of TCP, with the port that was chosen.
    #[must_use]
    pub fn tcp(&self) -> Option<std::net::SocketAddr> {
        self.tcp
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.end.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("The thread of the API panicked");
        }
    }
}
