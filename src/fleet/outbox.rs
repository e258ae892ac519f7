//! Sends what stands in the ledger of a node and the server has not confirmed. A thread of its own waits for disk and server, so
//! that no lease does; what waits stays on disk.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::{HeaderMap, connection::State};
use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::sync::{oneshot, watch};

use super::{ANSWER, FleetError, broker::Broker, events::EventMessage, names};
use crate::{
    clock::passed,
    ledger::{
        LedgerError, ServerClock,
        fleet::{Outgoing, outbox::OutboxBook},
    },
    model::{Epoch, SourceId},
    native::disk::Disk,
};

/// Messages that are on their way at a time.
const BATCH: usize = 256;

/// How often it looks whether something is new on disk.
const POLL: Duration = Duration::from_millis(250);

/// Watched times come without a crossing; they are looked for this often.
const AT_LEAST: Duration = Duration::from_secs(5);

/// A server or a disk that refuses is left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Ends of leases that may wait for the disk. More are told by the leases that follow.
const ENDS: usize = 4_096;

/// The ledger of a node.
#[derive(Clone)]
pub struct NodeLedger {
    /// Its file.
    pub path: PathBuf,
    /// How many events are on disk: rises with each commit.
    pub durable: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// What is known of the server's clock, for those who write the ledger.
    pub clock: Arc<ServerClock>,
}

impl fmt::Debug for NodeLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NodeLedger").field(&self.path).finish()
    }
}

/// What others know of the outbox of a node.
#[derive(Default)]
pub struct Unsent(AtomicU64);

impl Unsent {
    /// Messages that were not sent when it was last counted: at the end.
    pub fn left(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A lease that is over: which, and when that was by the node's clock.
pub type End = (SourceId, Epoch, i64);

/// The outbox of a node.
pub struct Outbox {
    stop: watch::Sender<bool>,
    over: oneshot::Receiver<()>,
}

/// Where the ends of leases go; one that does not fit is left out.
pub fn ends() -> (Sender<End>, Receiver<End>) {
    bounded(ENDS)
}

impl Outbox {
    /// Begins to send.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        node: &str,
        ledger: NodeLedger,
        broker: Broker,
        ends: Receiver<End>,
        unsent: Arc<Unsent>,
    ) -> Result<Self, FleetError> {
        let refused = |error: std::io::Error| FleetError::Thread(error.to_string());
        let disk = Disk::start("disk-outbox").map_err(refused)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(refused)?;
        let (stop, stopped) = watch::channel(false);
        let (done, over) = oneshot::channel();
        let sender = OutboxSender {
            node: node.to_owned(),
            ledger,
            broker,
            disk,
            ends,
            unsent,
            has_stream: false,
            seen: None,
            said: None,
        };
        std::thread::Builder::new()
            .name("fleet-outbox".into())
            .spawn(move || {
                runtime.block_on(sender.run(stopped));
                // Nobody waits any more where the program had no time.
                let _ = done.send(());
            })
            .map_err(refused)?;
        Ok(Self { stop, over })
    }

    /// Sends what is left while the server is there, and ends.
    pub async fn finish(self) {
        self.stop.send_replace(true);
        let _ = self.over.await;
    }
}

/// What a step came to.
enum Step {
    /// Nothing is left.
    Done,
    /// There may be more.
    More,
}

/// The thread's side.
struct OutboxSender {
    node: String,
    ledger: NodeLedger,
    broker: Broker,
    disk: Disk,
    ends: Receiver<End>,
    unsent: Arc<Unsent>,
    /// Whether the stream is known to be there.
    has_stream: bool,
    /// How far the ledger was when nothing was left, and when that was.
    seen: Option<(u64, Duration)>,
    /// What was said to be wrong.
    said: Option<String>,
}

impl OutboxSender {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        loop {
            let is_stopping = *stopped.borrow();
            let wait = match self.look(is_stopping).await {
                Ok(Step::More) => continue,
                Ok(Step::Done) => POLL,
                Err(problem) => {
                    self.complain(problem);
                    PAUSE
                }
            };
            if is_stopping {
                return self.count();
            }
            // An end of the sender is one as well.
            let _ = tokio::time::timeout(wait, stopped.wait_for(|stopped| *stopped)).await;
        }
    }

    /// Sends the next ones, where there may be some and the server is there.
    async fn look(&mut self, is_stopping: bool) -> Result<Step, String> {
        let durable = (self.ledger.durable)();
        let is_known =
            |(seen, at): (u64, Duration)| seen == durable && passed().saturating_sub(at) < AT_LEAST;
        if !is_stopping && self.ends.is_empty() && self.seen.is_some_and(is_known) {
            return Ok(Step::Done);
        }
        if self.broker.client.connection_state() != State::Connected {
            // The client says that the server is away. What it were given now it would keep in memory.
            return Ok(Step::Done);
        }
        let step = self.send().await?;
        if let Step::Done = step {
            self.seen = Some((durable, passed()));
        }
        if self.said.take().is_some() {
            tracing::info!("Fleet: what was counted is sent again");
        }
        Ok(step)
    }

    async fn send(&mut self) -> Result<Step, String> {
        if !std::mem::replace(&mut self.has_stream, true)
            && let Err(error) = self.broker.events().await
        {
            self.has_stream = false;
            return Err(error.to_string());
        }
        let (path, ends) = (self.ledger.path.clone(), &self.ends);
        let read = self.disk.run(|| {
            let book = OutboxBook::open(&path)?;
            for (source, epoch, wall) in ends.try_iter() {
                book.ended(&source, epoch, wall)?;
            }
            let next = book.next(BATCH)?;
            Ok::<_, LedgerError>((book, next))
        });
        let (mut book, next) = match read {
            Ok(read) => read,
            // The first commit makes it.
            Err(LedgerError::Missing { .. }) => return Ok(Step::Done),
            Err(error) => return Err(error.to_string()),
        };
        if next.is_empty() {
            return Ok(Step::Done);
        }
        let (confirmed, problem) = self.publish(next).await;
        if !confirmed.is_empty() {
            self.disk.run(|| book.confirm(&confirmed)).map_err(|error| error.to_string())?;
        }
        match problem {
            None => Ok(Step::More),
            Some(problem) => {
                // Somebody may have removed it.
                self.has_stream = false;
                Err(problem)
            }
        }
    }

    /// Sends all of them, then waits for what the server says of each. Gives the places of those that it confirms, and why that
    /// is not all.
    async fn publish(&self, all: Vec<(i64, Outgoing)>) -> (Vec<i64>, Option<String>) {
        let (mut sent, mut confirmed) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
        let failed = |error: String| Some(format!("what was counted cannot be sent: {error}"));
        let mut problem = None;
        for (place, event) in all {
            let subject = names::events(&self.node, &event.source);
            let version = env!("CARGO_PKG_VERSION").to_owned();
            let message = EventMessage { node: self.node.clone(), version, event };
            let mut headers = HeaderMap::new();
            headers.insert(async_nats::header::NATS_MESSAGE_ID, message.id().as_str());
            // Nothing in it can be refused by JSON.
            let body = serde_json::to_vec(&message).unwrap_or_default();
            let publish = self.broker.context.publish_with_headers(subject, headers, body.into());
            match tokio::time::timeout(ANSWER, publish).await {
                Ok(Ok(answer)) => sent.push((place, answer)),
                Ok(Err(error)) => problem = failed(error.to_string()),
                Err(_) => problem = failed("the server takes nothing".into()),
            }
            if problem.is_some() {
                break;
            }
        }
        for (place, answer) in sent {
            match answer.await {
                Ok(_) => confirmed.push(place),
                Err(error) => {
                    // The rest is sent again: the server knows what it has.
                    problem = failed(error.to_string());
                    break;
                }
            }
        }
        (confirmed, problem)
    }

    fn complain(&mut self, problem: String) {
        if self.said.is_none() {
            tracing::warn!("Fleet: {problem}; it waits in the ledger and is tried again");
        }
        self.said = Some(problem);
    }

    /// Notes how much is left at the end.
    fn count(&self) {
        let path = self.ledger.path.clone();
        let left = self.disk.run(|| OutboxBook::open(&path).and_then(|book| book.left()));
        self.unsent.0.store(left.unwrap_or(0), Ordering::SeqCst);
    }
}
