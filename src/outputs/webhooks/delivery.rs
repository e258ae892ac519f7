//! The thread of a webhook: reads what is next out of the ledger, sends it, and notes what was accepted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;

use super::{
    backoff::Backoff,
    http::{Caller, Outcome},
    message::Message,
    options::WebhookOptions,
    sign::SigningKey,
    state::{Outage, WebhookState},
};
use crate::{
    config::{WebhookConfig, WebhookEvent},
    ledger::{
        LedgerError,
        webhooks::{Undelivered, WebhookBook},
    },
    native::disk::Disk,
};

/// How often it looks for what is new.
const POLL: Duration = Duration::from_millis(250);

/// Wait between two batches, which bounds how fast a server is caught up with.
const BREATH: Duration = Duration::from_millis(50);

/// Most events of one source, and of all, that are held at once.
const BATCH: (usize, usize) = (16, 64);

/// How often what is behind is counted.
const COUNT: Duration = Duration::from_secs(10);

/// Longest wait for the ledger to begin.
const PATIENCE: Duration = Duration::from_secs(1);

/// Delivers the events of one webhook.
pub struct Delivery {
    webhook: WebhookConfig,
    options: WebhookOptions,
    disk: Disk,
    state: Arc<Mutex<WebhookState>>,
    /// `None` until the secret was read.
    caller: Option<Caller>,
    /// Of the server as a whole.
    backoff: Backoff,
    /// Of sources of which the server has refused an event.
    held: BTreeMap<String, Backoff>,
    /// All sessions before have been told.
    first_session: i64,
    /// How far the ledger was when it was last read.
    seen: Option<u64>,
    counted: Option<Instant>,
    random: u32,
}

impl Delivery {
    /// The deliveries of `webhook`; what it reads and writes is done on `disk`.
    pub fn new(
        webhook: WebhookConfig,
        options: WebhookOptions,
        disk: Disk,
        state: Arc<Mutex<WebhookState>>,
    ) -> Self {
        // Jitter only: that two programs do not ask at once.
        let random = std::process::id() ^ u32::try_from(webhook.name.len()).unwrap_or(1).rotate_left(16) | 1;
        Self {
            webhook,
            options,
            disk,
            state,
            caller: None,
            backoff: Backoff::default(),
            held: BTreeMap::new(),
            first_session: 0,
            seen: None,
            counted: None,
            random,
        }
    }

    /// Delivers until the other end of `stopped` is dropped.
    pub fn run(mut self, stopped: &Receiver<()>) {
        let mut wait = Duration::ZERO;
        // What was counted belongs to the session that begins with the first commit, and a new webhook to that session.
        let mut has_begun = false;
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            has_begun = has_begun || self.options.ledger.sync(PATIENCE);
            wait = if has_begun { self.step(stopped) } else { POLL };
        }
    }

    /// Delivers what can be delivered now; gives how long there is nothing to do.
    fn step(&mut self, stopped: &Receiver<()>) -> Duration {
        let now = self.options.clock.now();
        let is_gone = self.state.lock().is_gone;
        if is_gone || self.backoff.holds(now) {
            self.count(now);
            return POLL;
        }
        if let Err(problem) = self.prepare() {
            self.fail(now, None, problem);
            return POLL;
        }
        let durable = self.options.ledger.durable();
        let is_due = self.held.values().any(|held| !held.holds(now));
        if self.seen == Some(durable) && !is_due {
            return POLL;
        }
        match self.deliver(now, stopped) {
            Ok(true) => BREATH,
            Ok(false) => {
                // Nothing was left when it was read.
                self.seen = Some(durable);
                self.count(now);
                POLL
            }
            Err(error) => {
                self.fail(now, None, format!("the ledger cannot be read: {error}"));
                POLL
            }
        }
    }

    /// Reads the secret, where that is not done.
    fn prepare(&mut self) -> Result<(), String> {
        if self.caller.is_none() {
            let webhook = &self.webhook;
            self.caller = Some(self.disk.run(|| Caller::new(webhook, SigningKey::read(webhook)?))?);
        }
        Ok(())
    }

    /// Sends the next events; whether there may be more.
    fn deliver(&mut self, now: Instant, stopped: &Receiver<()>) -> Result<bool, LedgerError> {
        let held: BTreeSet<String> = self
            .held
            .iter()
            .filter(|(_, held)| held.holds(now))
            .map(|(subject, _)| subject.clone())
            .collect();
        let (name, events) = (self.webhook.name.clone(), self.webhook.events.clone());
        let path = self.options.path.clone();
        let from = self.first_session;
        let (mut book, salt, (found, first), skipped) = self.disk.run(|| {
            let book = WebhookBook::open(&path)?;
            let salt = book.register(&name, events.contains(&WebhookEvent::Crossing))?;
            let next = book.next(&name, &events, &held, from, BATCH)?;
            let skipped = book.skipped(&name)?;
            Ok::<_, LedgerError>((book, salt, next, skipped))
        })?;
        self.first_session = first;
        self.state.lock().skipped = skipped;
        let more = !found.is_empty();
        for event in found {
            if stopped.try_recv() == Err(crossbeam_channel::TryRecvError::Disconnected) {
                return Ok(false);
            }
            // The order of a source: nothing passes what was refused.
            if self.held.get(&event.subject).is_some_and(|held| held.holds(self.options.clock.now())) {
                continue;
            }
            if !self.send(&event, &salt) {
                continue;
            }
            self.disk.run(|| book.delivered(&name, &event))?;
            if self.backoff.holds(self.options.clock.now()) {
                break;
            }
        }
        Ok(more)
    }

    /// Sends one event; whether it was accepted.
    fn send(&mut self, event: &Undelivered, salt: &str) -> bool {
        let now = self.options.clock.now();
        if self.backoff.holds(now) {
            return false;
        }
        let Some(caller) = &self.caller else { return false };
        let message = Message::new(event, salt, |source| (self.options.labels)(source));
        let wall = self.wall();
        let outcome = caller.send(&message, wall.div_euclid(1000));
        let now = self.options.clock.now();
        match outcome {
            Outcome::Accepted(_) => {
                self.held.remove(&event.subject);
                self.succeed();
                return true;
            }
            Outcome::Refused(410, _) => {
                let mut state = self.state.lock();
                (state.is_gone, state.failed) = (true, state.failed + 1);
                drop(state);
                self.backoff.fail(now, None, 0);
                tracing::error!(
                    "Webhook '{}' is stopped: '{}' says that it is gone for ever (410)",
                    self.webhook.name,
                    self.webhook.place
                );
            }
            // What is wrong with one event may not be with those of other sources.
            Outcome::Refused(status, asked)
                if (400..500).contains(&status) && !matches!(status, 408 | 429) =>
            {
                let random = self.random();
                let held = self.held.entry(event.subject.clone()).or_default();
                let next = held.fail(now, asked, random);
                self.outage(next, format!("'{}' answers {status}", self.webhook.place));
                // A secret that was changed is read again.
                self.caller = None;
                if let Err(problem) = self.prepare() {
                    self.fail(now, None, problem);
                }
            }
            Outcome::Refused(status, asked) => {
                self.fail(now, asked, format!("'{}' answers {status}", self.webhook.place));
            }
            Outcome::Unanswered(problem) => {
                self.fail(now, None, format!("'{}': {problem}", self.webhook.place));
            }
        }
        false
    }

    fn succeed(&mut self) {
        self.backoff = Backoff::default();
        let wall = self.wall();
        let mut state = self.state.lock();
        state.accepted += 1;
        state.last_success = Some(wall);
        state.pending = state.pending.saturating_sub(1);
        // Only where no source is refused.
        if self.held.is_empty() && state.outage.take().is_some() {
            tracing::info!("Webhook '{}': '{}' accepts events again", self.webhook.name, self.webhook.place);
        }
    }

    /// Notes that the server as a whole is left alone for a while, or for as long as it `asked`.
    fn fail(&mut self, now: Instant, asked: Option<Duration>, problem: String) {
        let random = self.random();
        let next = self.backoff.fail(now, asked, random);
        self.outage(next, problem);
    }

    /// Notes why there is a next attempt; an outage is in the log once.
    fn outage(&mut self, next: Instant, problem: String) {
        let wall = self.wall();
        let mut state = self.state.lock();
        state.failed += 1;
        let since = state.outage.as_ref().map(|outage| outage.since);
        if since.is_none() {
            tracing::warn!("Webhook '{}': {problem}; it is tried again until it works", self.webhook.name);
        }
        state.outage = Some(Outage { since: since.unwrap_or(wall), problem, next });
    }

    /// Counts what is behind, from time to time while something is.
    fn count(&mut self, now: Instant) {
        let state = self.state.lock();
        let is_behind = state.outage.is_some() || state.is_gone;
        drop(state);
        if !is_behind {
            self.state.lock().pending = 0;
            self.counted = None;
            return;
        }
        if self.counted.is_some_and(|counted| now.saturating_duration_since(counted) < COUNT) {
            return;
        }
        self.counted = Some(now);
        let (webhook, path, from) = (&self.webhook, &self.options.path, self.first_session);
        let count = self.disk.run(|| {
            WebhookBook::open(path).and_then(|book| book.count(&webhook.name, &webhook.events, from))
        });
        if let Ok(count) = count {
            self.state.lock().pending = count;
        }
    }

    fn wall(&self) -> i64 {
        jiff::Timestamp::try_from(self.options.clock.wall()).map_or(0, jiff::Timestamp::as_millisecond)
    }

    /// A number for jitter (xorshift).
    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}
