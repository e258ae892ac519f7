//! The thread of a webhook: reads what is next out of the ledger, has it sent, and notes what was accepted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, select};
use parking_lot::Mutex;

use super::{
    http::{Caller, Outcome},
    message::Message,
    options::WebhookOptions,
    senders::{Answer, Senders},
    sign::SigningKey,
    state::{Outage, WebhookState},
    turns::Turns,
};
use crate::{
    config::{WebhookConfig, WebhookEvent},
    ledger::{LedgerError, webhooks::WebhookBook},
    native::disk::Disk,
};

/// How often it looks for what is new.
const POLL: Duration = Duration::from_millis(250);

/// Shortest time between two reads of the ledger.
const BREATH: Duration = Duration::from_millis(50);

/// Most events of one source, and of all, that are read at once.
const BATCH: (usize, usize) = (16, 64);

/// How often what is behind is counted.
const COUNT: Duration = Duration::from_secs(10);

/// How often what all webhooks have been told is removed, and how old it is at least, in milliseconds: a webhook that is taken out
/// of the configuration for some weeks finds it.
const TIDY: (Duration, i64) = (Duration::from_hours(1), 30 * 86_400_000);

/// Longest wait for the ledger to begin.
const PATIENCE: Duration = Duration::from_secs(1);

/// Delivers the events of one webhook.
pub struct Delivery {
    webhook: WebhookConfig,
    options: WebhookOptions,
    disk: Disk,
    state: Arc<Mutex<WebhookState>>,
    /// `None` until the secret was read.
    caller: Option<Arc<Caller>>,
    senders: Senders,
    turns: Turns,
    /// The ledger as it was last opened, and the salt of this webhook in it.
    book: Option<(WebhookBook, String)>,
    /// All sessions before have been told.
    first_session: i64,
    /// How far the ledger was when nothing was left in it.
    seen: Option<u64>,
    read: Option<Instant>,
    /// Whether there was more in the ledger than could be read at once.
    is_behind: bool,
    counted: Option<Instant>,
    tidied: Option<Instant>,
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
            senders: Senders::new(),
            turns: Turns::default(),
            book: None,
            first_session: 0,
            seen: None,
            read: None,
            is_behind: false,
            counted: None,
            tidied: None,
            random,
        }
    }

    /// Delivers until the other end of `stopped` is dropped.
    pub fn run(mut self, stopped: &Receiver<()>) {
        let mut wait = Duration::ZERO;
        // What was counted belongs to the session that begins with the first commit, and a new webhook to that session.
        let mut has_begun = false;
        let answers = self.senders.answers.clone();
        loop {
            let mut found = Vec::new();
            select! {
                recv(stopped) -> _ => return,
                recv(answers) -> answer => found.extend(answer),
                default(wait) => {}
            }
            found.extend(answers.try_iter());
            if !found.is_empty() {
                self.take(found);
            }
            has_begun = has_begun || self.options.ledger.sync(PATIENCE);
            wait = if has_begun { self.step() } else { POLL };
        }
    }

    /// Reads and sends what can be sent now; gives how long there is nothing to do, unless there is an answer before.
    fn step(&mut self) -> Duration {
        let now = self.options.clock.now();
        if self.state.lock().is_gone || self.turns.is_left_alone(now) {
            self.count(now);
            return POLL;
        }
        if let Err(problem) = self.prepare() {
            self.fail(now, problem);
            return POLL;
        }
        let durable = self.options.ledger.durable();
        let may_read = self.read.is_none_or(|read| now.saturating_duration_since(read) >= BREATH);
        let is_wanted = self.seen != Some(durable) || self.turns.is_due(now);
        let mut wait = POLL;
        if is_wanted && self.turns.waiting() < BATCH.1 {
            wait = BREATH;
            if may_read {
                self.read = Some(now);
                match self.read(now) {
                    Ok(0) => {
                        wait = POLL;
                        if self.turns.is_empty() {
                            self.seen = Some(durable);
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        self.fail(now, format!("the ledger cannot be read: {error}"));
                        return POLL;
                    }
                }
            }
        }
        self.send(now);
        self.count(now);
        self.tidy(now);
        wait
    }

    /// Removes what was kept for webhooks alone and is old.
    fn tidy(&mut self, now: Instant) {
        if self.tidied.is_some_and(|tidied| now.saturating_duration_since(tidied) < TIDY.0) {
            return;
        }
        self.tidied = Some(now);
        let (before, webhooks) = (self.wall().saturating_sub(TIDY.1), &self.options.webhooks);
        let Some((book, _)) = &mut self.book else { return };
        if let Err(error) = self.disk.run(|| book.tidy(webhooks, before)) {
            // It is not needed for anything, and is tried again.
            tracing::debug!("Webhook '{}': old events stay in the ledger: {error}", self.webhook.name);
        }
    }

    /// Reads the secret, where that is not done.
    fn prepare(&mut self) -> Result<(), String> {
        if self.caller.is_none() {
            let webhook = &self.webhook;
            let caller = self.disk.run(|| Caller::new(webhook, SigningKey::read(webhook)?))?;
            self.caller = Some(Arc::new(caller));
        }
        Ok(())
    }

    /// Reads what is next in the ledger; gives how many there are.
    fn read(&mut self, now: Instant) -> Result<usize, LedgerError> {
        let taken = self.turns.taken(now);
        let (name, events) = (&self.webhook.name, &self.webhook.events);
        let (path, from) = (&self.options.path, self.first_session);
        let (book, salt, (found, first), skipped) = self.disk.run(|| {
            // Opened each time: a ledger that was damaged is another file.
            let book = WebhookBook::open(path)?;
            let salt = book.register(name, events.contains(&WebhookEvent::Crossing))?;
            let next = book.next(name, events, &taken, from, BATCH)?;
            let skipped = book.skipped(name)?;
            Ok::<_, LedgerError>((book, salt, next, skipped))
        })?;
        self.book = Some((book, salt));
        self.first_session = first;
        self.state.lock().skipped = skipped;
        let count = found.len();
        self.is_behind = count >= BATCH.1 || (self.is_behind && count > 0);
        self.turns.add(found);
        Ok(count)
    }

    /// Sends as much as can be on its way at once.
    fn send(&mut self, now: Instant) {
        while self.senders.are_free() {
            let (Some(caller), Some((_, salt))) = (&self.caller, &self.book) else { return };
            let (caller, salt) = (Arc::clone(caller), salt.clone());
            let Some(event) = self.turns.next(now) else { return };
            let message = Message::new(&event, &salt, |source| (self.options.labels)(source));
            let (subject, timestamp) = (event.subject.clone(), self.wall().div_euclid(1000));
            if let Err(problem) = self.senders.send(event, message, caller, timestamp) {
                self.turns.put_back(&subject);
                self.fail(now, problem);
                return;
            }
        }
    }

    /// Takes what became of events.
    fn take(&mut self, answers: Vec<Answer>) {
        let (accepted, others): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(_, outcome)| matches!(outcome, Outcome::Accepted(_)));
        (0..accepted.len() + others.len()).for_each(|_| self.senders.is_answered());
        let now = self.options.clock.now();
        let events: Vec<_> = accepted.into_iter().map(|(event, _)| event).collect();
        if !events.is_empty() {
            // Before the next of their sources is sent, so that a crash repeats the last one alone.
            let (name, book) = (&self.webhook.name, &mut self.book);
            let noted = self.disk.run(|| match book {
                Some((book, _)) => book.delivered(name, &events),
                None => Ok(()),
            });
            match noted {
                Ok(()) => events.iter().for_each(|event| self.succeed(&event.subject)),
                Err(error) => {
                    events.iter().for_each(|event| self.turns.put_back(&event.subject));
                    self.fail(now, format!("the ledger cannot be written: {error}"));
                }
            }
        }
        for (event, outcome) in others {
            self.not_accepted(&event.subject, outcome, now);
        }
    }

    fn not_accepted(&mut self, subject: &str, outcome: Outcome, now: Instant) {
        let (place, random) = (self.webhook.place.clone(), self.random());
        self.state.lock().failed += 1;
        match outcome {
            Outcome::Accepted(_) => {}
            Outcome::Refused(410, _) => {
                self.turns.put_back(subject);
                self.state.lock().is_gone = true;
                let name = &self.webhook.name;
                tracing::error!("Webhook '{name}' is stopped: '{place}' says that it is gone for ever (410)");
            }
            Outcome::Refused(status, asked) => {
                let problem = format!("'{place}' answers {status}");
                match status {
                    // It asks to be left alone, whatever the event.
                    429 => {
                        let next = self.turns.turned_away(subject, now, asked, random);
                        self.outage(next, problem);
                    }
                    _ if asked.is_some() && !(400..500).contains(&status) => {
                        let next = self.turns.turned_away(subject, now, asked, random);
                        self.outage(next, problem);
                    }
                    // What is wrong with one event may not be with those of other sources.
                    400..500 if status != 408 => {
                        let next = self.turns.refused(subject, now, asked, random);
                        self.outage(next, problem);
                        // A secret that was changed is read again.
                        self.caller = None;
                    }
                    _ => self.lost(subject, now, problem),
                }
            }
            Outcome::Unanswered(problem) => self.lost(subject, now, format!("'{place}': {problem}")),
        }
    }

    fn lost(&mut self, subject: &str, now: Instant, problem: String) {
        let random = self.random();
        if let Some(next) = self.turns.lost(subject, now, random) {
            self.outage(next, problem);
        }
    }

    fn succeed(&mut self, subject: &str) {
        self.turns.accepted(subject);
        let wall = self.wall();
        let mut state = self.state.lock();
        state.accepted += 1;
        state.last_success = Some(wall);
        state.pending = state.pending.saturating_sub(1);
        // Only where no source is refused.
        if !self.turns.is_outage() && state.outage.take().is_some() {
            tracing::info!("Webhook '{}': '{}' accepts events again", self.webhook.name, self.webhook.place);
        }
    }

    /// Notes that nothing can be sent for a while.
    fn fail(&mut self, now: Instant, problem: String) {
        let random = self.random();
        self.state.lock().failed += 1;
        let next = self.turns.leave_alone(now, None, random);
        self.outage(next, problem);
    }

    /// Notes why there is a next attempt; an outage is in the log once.
    fn outage(&mut self, next: Instant, problem: String) {
        let wall = self.wall();
        let mut state = self.state.lock();
        let since = state.outage.as_ref().map(|outage| outage.since);
        if since.is_none() {
            tracing::warn!("Webhook '{}': {problem}; it is tried again until it works", self.webhook.name);
        }
        state.outage = Some(Outage { since: since.unwrap_or(wall), problem, next });
    }

    /// Counts what is behind, from time to time while something is.
    fn count(&mut self, now: Instant) {
        let state = self.state.lock();
        let is_behind = self.is_behind || state.outage.is_some() || state.is_gone;
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
