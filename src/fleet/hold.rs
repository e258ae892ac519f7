//! One source of the fleet on this node: from the moment at which the server gives it until it is given up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{AckKind, Message};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    FleetError,
    broker::Broker,
    local::Local,
    names,
    record::{HeldSource, SourceMessage, Taken},
    term::{ACK_WAIT, Term},
    versions::{Contents, Versions},
};
use crate::{
    clock::passed,
    config::SourceConfig,
    engine::{Control, EngineApi, EngineError, Reply},
    model::{EngineSnapshot, Epoch, Lease, SourceId},
};

/// The engine has added or removed a source by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is asked whether it has.
const POLL: Duration = Duration::from_millis(20);

/// A holder that runs has heard by then that another takes its source.
const HEARD: Duration = Duration::from_millis(100);

/// A source that is to be given back is checked again after so long.
const SOON: Duration = Duration::from_millis(200);

/// A source that the engine does not take is offered to others, and to this one again, after so long.
const REFUSED: Duration = Duration::from_secs(30);

/// What cannot be counted on this node.
#[derive(Debug, Clone)]
pub struct Unusable {
    /// When the server may offer it again.
    pub offered_after: Duration,
}

/// A source as the server gives it.
pub struct Given {
    pub id: SourceId,
    pub epoch: Epoch,
    /// The site that can reach it.
    pub site: Option<String>,
    /// The version that was in its place before.
    pub replaced: Option<u64>,
    /// Its message; none where that is not understood.
    pub message: Option<SourceMessage>,
}

/// A source that a node has.
pub struct Held {
    pub id: SourceId,
    pub epoch: Epoch,
    /// The version that was in its place before.
    replaced: Option<u64>,
    /// Its message as the fleet has it; none where that is not understood.
    pub message: Option<SourceMessage>,
    /// The site that can reach it.
    pub site: Option<String>,
    since: i64,
    begun: Duration,
    term: Arc<Term>,
    /// Whether the engine has it.
    counted: AtomicBool,
    /// Asked to give it back.
    release: AtomicBool,
    /// Whether a later version waits for this one to end.
    is_replaced: AtomicBool,
    /// Whether nothing of it is done here any more.
    over: AtomicBool,
    /// What the stream held when it held this version of the source.
    stood_in: Mutex<Option<Contents>>,
    /// When the server may offer it again, once the engine has refused it.
    offered_after: Mutex<Option<Duration>>,
    wake: Notify,
}

/// Why a source is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// Another node may have it by now: the lease was not renewed in time, or a later one is counted.
    Lost,
    /// It was removed from the fleet, or changed.
    Gone,
    /// It is for another node.
    Released,
    /// The engine does not take it, or has lost it by another command.
    Refused,
}

/// What a renewal has shown.
enum Renewal {
    Done,
    Gone,
    Unanswered,
}

impl Held {
    /// A source that came in answer to a request of `asked`.
    pub fn new(given: Given, asked: Duration) -> Self {
        let Given { id, epoch, site, replaced, message } = given;
        Self {
            id,
            epoch,
            replaced,
            message,
            site,
            begun: passed(),
            since: Timestamp::now().as_millisecond(),
            term: Arc::new(Term::begin(asked)),
            counted: AtomicBool::new(false),
            release: AtomicBool::new(false),
            is_replaced: AtomicBool::new(false),
            over: AtomicBool::new(false),
            stood_in: Mutex::default(),
            offered_after: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// As others see it; `snapshot` is what the engine shows.
    pub fn shown(&self, snapshot: &EngineSnapshot) -> HeldSource {
        let is_counted = self.counted.load(Ordering::SeqCst);
        let state =
            snapshot.sources.iter().find(|source| source.id == self.id).map(|source| source.state.kind());
        HeldSource {
            id: self.id.to_string(),
            epoch: self.epoch,
            since: self.since,
            held_for: i64::try_from(self.age().as_millis()).ok(),
            is_counted,
            state: state.filter(|_| is_counted).map(|kind| kind.word().to_owned()).unwrap_or_default(),
        }
    }

    /// Has it given back as soon as can be.
    pub fn release(&self) {
        self.release.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// A node has it by a lease; `is_other` is another process. A server that has lost what it gave away last, because it was killed,
    /// gives it again under the same number: the later holder is believed.
    pub fn taken_by(&self, taken: &Taken, is_other: bool) {
        if taken.has_ended {
            // It may be what this one waits for.
            self.wake.notify_one();
        } else if taken.waits && taken.epoch.revision > self.epoch.revision {
            self.give_way();
        } else if taken.epoch > self.epoch || (taken.epoch == self.epoch && is_other) {
            self.end();
        }
    }

    /// A later version stands in the fleet, and waits: this one ends cleanly, as soon as can be.
    pub fn give_way(&self) {
        self.is_replaced.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// No server ran at some moment after `asked`: nobody else has been given it by then.
    pub fn extend(&self, asked: Duration) {
        if self.is_counted() {
            self.term.extend(asked, passed());
        }
    }

    /// For how long this node has had it.
    pub fn age(&self) -> Duration {
        passed().saturating_sub(self.begun)
    }

    /// Ends its right to be counted at once.
    pub fn end(&self) {
        self.term.end();
        self.wake.notify_one();
    }

    /// Whether the engine has it.
    pub fn is_counted(&self) -> bool {
        self.counted.load(Ordering::SeqCst)
    }

    /// From now on nothing of it is done here.
    pub fn set_over(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Waits until [`Self::set_over`].
    pub async fn is_over(&self) {
        while !self.over.load(Ordering::SeqCst) {
            tokio::time::sleep(POLL).await;
        }
    }

    /// Counts it for as long as it is this node's.
    pub async fn count(
        &self,
        (broker, versions): (&Broker, &Versions),
        local: &Local,
        message: &Message,
        source: Result<SourceConfig, Unusable>,
    ) -> GivenUp {
        let engine = &*local.engine;
        // Nobody else can count a source that was given before: its holder was silent for long enough. A new version of one may
        // still be counted by a node that does not know of it yet.
        let is_first = self.epoch.delivery == 1;
        let mut source = match source {
            Ok(source) => Some(source),
            Err(unusable) => {
                self.give_back(broker, message, unusable.offered_after).await;
                return GivenUp::Refused;
            }
        };
        let taken = self.taken(local);
        loop {
            // A server that has just come up may not know what it gave away last. Its holder does, for as long as a lease lasts.
            let may_be_counted =
                || !local.ended.has(&self.id, self.replaced, passed(), broker.connected_for());
            let must_wait = || {
                (is_first && self.age() < ACK_WAIT && may_be_counted()) || broker.connected_for() < ACK_WAIT
            };
            let waits = !self.is_counted() && must_wait();
            if waits {
                // Once might be lost with a connection.
                broker.say(names::TAKEN, &Taken { waits: true, ..taken.clone() }).await;
            }
            let is_replaced = self.is_replaced.load(Ordering::SeqCst);
            let renewal =
                if is_replaced { Renewal::Gone } else { self.renew((broker, versions), message).await };
            let reason = match renewal {
                // The answer may have come by a connection that is new.
                Renewal::Done if !self.is_counted() && must_wait() => None,
                Renewal::Done => match source.take() {
                    None => (!self.has_lease(engine)).then_some(GivenUp::Refused),
                    Some(source) => self.begin(broker, local, (source, &taken)).await,
                },
                Renewal::Gone => Some(GivenUp::Gone),
                Renewal::Unanswered => None,
            };
            let reason = if self.term.lasts(passed()) {
                // The server would answer an open question of this node with it.
                let is_released = self.release.load(Ordering::SeqCst) && !local.is_asking();
                reason.or(is_released.then_some(GivenUp::Released))
            } else {
                Some(GivenUp::Lost)
            };
            if let Some(reason) = reason {
                // A source that waited for an earlier holder is not given to one that would not wait.
                let delay = if waits { ACK_WAIT } else { Duration::ZERO };
                self.finish(broker, local, message, (reason, delay)).await;
                return reason;
            }
            let now = passed();
            let pause = if self.release.load(Ordering::SeqCst) { SOON } else { versions.until_next(now) };
            let pause = pause.min(self.term.left(now));
            let _ = tokio::time::timeout(pause, self.wake.notified()).await;
        }
    }

    /// Asks the server to go on, and whether the source is still the same.
    async fn renew(&self, (broker, versions): (&Broker, &Versions), message: &Message) -> Renewal {
        let asked = passed();
        // While the connection is away questions would wait in this process, and arrive when another node has the source.
        if !self.term.is_answered(asked) || !broker.is_connected() {
            return Renewal::Unanswered;
        }
        let Some(reply) = message.reply.clone() else { return Renewal::Gone };
        let goes_on = broker.client.request(reply, AckKind::Progress.into());
        let stands = self.stands(broker, versions, message.subject.as_str(), asked);
        let both = async { tokio::join!(goes_on, stands) };
        let Ok(answers) = tokio::time::timeout(self.term.left(asked), both).await else {
            return Renewal::Unanswered;
        };
        match answers {
            (_, Ok(false)) => Renewal::Gone,
            (Ok(_), Ok(_)) if self.term.renew(asked, passed()) => Renewal::Done,
            _ => Renewal::Unanswered,
        }
    }

    /// Whether the fleet has this version of the source, as of a moment not before `asked`.
    async fn stands(
        &self,
        broker: &Broker,
        versions: &Versions,
        subject: &str,
        asked: Duration,
    ) -> Result<bool, FleetError> {
        let contents = versions.contents(broker, asked).await?;
        if *self.stood_in.lock() == Some(contents) {
            return Ok(true);
        }
        let stands = versions.revision(broker, subject).await? == Some(self.epoch.revision);
        // Asked for after the contents: what has changed since then makes others of them.
        *self.stood_in.lock() = stands.then_some(contents);
        Ok(stands)
    }

    /// Adds it to the engine; gives why that does not work.
    async fn begin(
        &self,
        broker: &Broker,
        local: &Local,
        (mut source, taken): (SourceConfig, &Taken),
    ) -> Option<GivenUp> {
        let term = Arc::clone(&self.term);
        source.lease = Some(Lease::new(self.epoch, Arc::new(move || term.lasts(passed()))));
        source.source.teach(crate::config::known());
        broker.say(names::TAKEN, taken).await;
        // The server reckons by a clock that can be set: where that jumps it gives sources away whose holders run. They hear it here.
        tokio::time::sleep(HEARD).await;
        if !self.term.lasts(passed()) {
            return Some(GivenUp::Lost);
        }
        self.counted.store(true, Ordering::SeqCst);
        match wait(&local.engine.send(Control::Add(Box::new(source))), PATIENCE).await {
            None | Some(Ok(()) | Err(EngineError::NotOpened { .. })) => {
                tracing::info!(camera = %self.id, "Fleet: counted here, epoch {}", self.epoch);
                None
            }
            Some(Err(error)) => {
                self.counted.store(false, Ordering::SeqCst);
                self.offered_after.lock().replace(local.refuse(
                    &self.id,
                    self.epoch.revision,
                    &error.to_string(),
                ));
                Some(GivenUp::Refused)
            }
        }
    }

    /// What others are told of this lease.
    fn taken(&self, local: &Local) -> Taken {
        Taken {
            id: self.id.to_string(),
            epoch: self.epoch,
            instance: local.instance().to_owned(),
            waits: false,
            has_ended: false,
        }
    }

    fn has_lease(&self, engine: &dyn EngineApi) -> bool {
        let source = engine.source_config(&self.id);
        source.is_some_and(|source| source.lease.as_ref().is_some_and(|lease| lease.epoch == self.epoch))
    }

    async fn finish(
        &self,
        broker: &Broker,
        local: &Local,
        message: &Message,
        (reason, delay): (GivenUp, Duration),
    ) {
        let engine = &*local.engine;
        let was_counted = self.is_counted();
        if reason == GivenUp::Lost {
            // From here on the engine counts nothing of it, whatever it takes to remove it.
            self.term.end();
            tracing::warn!(
                camera = %self.id,
                "Fleet: its lease, epoch {}, is over; it is not counted here until the fleet gives it again",
                self.epoch
            );
        }
        if self.is_counted() && self.has_lease(engine) {
            // What the end of its tracks decides is still counted by this lease, if that lasts.
            let patience = if reason == GivenUp::Lost { PATIENCE } else { self.term.left(passed()) };
            let _ = wait(&engine.send(Control::Remove(self.id.clone())), patience).await;
        }
        self.counted.store(false, Ordering::SeqCst);
        match reason {
            GivenUp::Released => self.give_back(broker, message, delay).await,
            GivenUp::Refused => {
                let delay = self.offered_after.lock().unwrap_or(REFUSED);
                self.give_back(broker, message, delay).await;
            }
            GivenUp::Lost | GivenUp::Gone => {}
        }
        self.term.end();
        // Its lease has lasted until here, so that no other of this version did.
        if reason == GivenUp::Gone && was_counted {
            local.ended.note(&self.id, self.epoch.revision, passed());
            let ended = Taken { has_ended: true, ..self.taken(local) };
            broker.say(names::TAKEN, &ended).await;
        }
        if reason != GivenUp::Lost {
            tracing::info!(camera = %self.id, "Fleet: no longer counted here, epoch {}", self.epoch);
        }
    }

    /// Has the server give it to another node, after `delay`.
    async fn give_back(&self, broker: &Broker, message: &Message, delay: Duration) {
        // What waits in this process for a server that is away would arrive when another node has the source.
        let Some(reply) =
            message.reply.clone().filter(|_| broker.is_connected() && self.term.can_give_back(passed()))
        else {
            return;
        };
        let delay = Some(delay).filter(|delay| !delay.is_zero());
        let _ = broker.client.request(reply, AckKind::Nak(delay).into()).await;
        self.term.end();
    }
}

/// The outcome of `reply`, within `patience`.
async fn wait(reply: &Reply, patience: Duration) -> Option<Result<(), EngineError>> {
    let end = tokio::time::Instant::now() + patience;
    while tokio::time::Instant::now() < end {
        if let Some(outcome) = reply.poll() {
            return Some(outcome);
        }
        tokio::time::sleep(POLL).await;
    }
    None
}
