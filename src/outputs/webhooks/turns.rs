//! Whose event is sent next: one of a source at a time, in their order, and each source for itself. Pure.
//!
//! A message that is lost holds up its own source for a while and no other. Only when several fail in a row, with none accepted
//! between them, is it the server that is down: then it is asked again by one message at a time.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use super::backoff::Backoff;
use crate::ledger::webhooks::Undelivered;

/// Failures in a row after which it is the server that fails, not a message.
const DOUBT: u32 = 3;

/// The first wait after a lost message: most are connections that were closed at that moment.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Events that wait to be sent, and who has to wait.
#[derive(Default)]
pub struct Turns {
    queued: BTreeMap<String, VecDeque<Undelivered>>,
    under_way: BTreeSet<String>,
    held: BTreeMap<String, Held>,
    /// Of the server as a whole.
    server: Backoff,
    /// Without an answer between them.
    failures_in_a_row: u32,
    /// Whose turn was last.
    last: String,
}

/// A source of which an event was not accepted.
#[derive(Default)]
struct Held {
    backoff: Backoff,
    failures: u32,
    /// The server has refused this event: others may be accepted.
    is_refused: bool,
}

impl Held {
    /// Whether it is more than a message that was lost on its way.
    fn is_outage(&self) -> bool {
        self.is_refused || self.failures >= DOUBT
    }
}

impl Turns {
    /// Whose events need not be read now: they are here, or must wait.
    pub fn taken(&self, now: Instant) -> BTreeSet<String> {
        let held = self.held.iter().filter(|(_, held)| held.backoff.holds(now)).map(|(subject, _)| subject);
        self.queued.keys().chain(&self.under_way).chain(held).cloned().collect()
    }

    /// Events that wait here.
    pub fn waiting(&self) -> usize {
        self.queued.values().map(VecDeque::len).sum()
    }

    /// Whether nothing waits here and nothing is being sent.
    pub fn is_empty(&self) -> bool {
        self.queued.is_empty() && self.under_way.is_empty()
    }

    /// Whether the wait of a source is over and its event is still in the ledger alone.
    pub fn is_due(&self, now: Instant) -> bool {
        let here = |subject| self.queued.contains_key(subject) || self.under_way.contains(subject);
        self.held.iter().any(|(subject, held)| !held.backoff.holds(now) && !here(subject))
    }

    /// Whether the server is left alone.
    pub fn is_left_alone(&self, now: Instant) -> bool {
        self.server.holds(now)
    }

    /// Whether something is more than a message that was lost on its way.
    pub fn is_outage(&self) -> bool {
        self.server.has_failed() || self.held.values().any(Held::is_outage)
    }

    /// Takes events that were read, in the order of their sources, of which none was [taken](Self::taken).
    pub fn add(&mut self, events: Vec<Undelivered>) {
        for event in events {
            self.queued.entry(event.subject.clone()).or_default().push_back(event);
        }
    }

    /// The next event to send, of the source whose turn it is.
    pub fn next(&mut self, now: Instant) -> Option<Undelivered> {
        let is_trial = self.server.has_failed();
        if self.server.holds(now) || (is_trial && !self.under_way.is_empty()) {
            return None;
        }
        let may = |subject: &&String| {
            !self.under_way.contains(*subject)
                && !self.held.get(*subject).is_some_and(|held| held.backoff.holds(now))
        };
        let subject = self.queued.keys().filter(may).find(|subject| **subject > self.last);
        let subject = subject.or_else(|| self.queued.keys().find(may))?.clone();
        let queue = self.queued.get_mut(&subject)?;
        let event = queue.pop_front();
        if queue.is_empty() {
            self.queued.remove(&subject);
        }
        self.under_way.insert(subject.clone());
        self.last = subject;
        event
    }

    /// The event of `subject` was accepted.
    pub fn accepted(&mut self, subject: &str) {
        self.under_way.remove(subject);
        self.held.remove(subject);
        self.answers();
    }

    /// The event of `subject` was lost on its way, or the server failed over it. Gives the next attempt, where the server as a whole
    /// or this source has failed for some time.
    pub fn lost(&mut self, subject: &str, now: Instant, random: u32) -> Option<Instant> {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let held = self.held.entry(subject.to_owned()).or_default();
        held.failures = held.failures.saturating_add(1);
        let next = if held.failures == 1 {
            held.backoff.begin(now + AT_ONCE)
        } else {
            held.backoff.fail(now, None, random)
        };
        let is_outage = held.is_outage();
        self.put_back(subject);
        if self.failures_in_a_row >= DOUBT {
            return Some(self.leave_alone(now, None, random));
        }
        is_outage.then_some(next)
    }

    /// The server has refused the event of `subject`, and may have `asked` for a wait. Gives the next attempt.
    pub fn refused(&mut self, subject: &str, now: Instant, asked: Option<Duration>, random: u32) -> Instant {
        self.answers();
        let held = self.held.entry(subject.to_owned()).or_default();
        held.is_refused = true;
        let next = held.backoff.fail(now, asked, random);
        self.put_back(subject);
        next
    }

    /// The server wants to be left alone with all of them. Gives the next attempt.
    pub fn turned_away(
        &mut self,
        subject: &str,
        now: Instant,
        asked: Option<Duration>,
        random: u32,
    ) -> Instant {
        self.put_back(subject);
        self.leave_alone(now, asked, random)
    }

    /// Nothing can be sent for a while. Gives the next attempt.
    pub fn leave_alone(&mut self, now: Instant, asked: Option<Duration>, random: u32) -> Instant {
        match self.server.until {
            // Messages that were on their way together fail together: that is one failure.
            Some(until) if now < until && asked.is_none_or(|asked| now + asked <= until) => until,
            _ => self.server.fail(now, asked, random),
        }
    }

    /// What is next of `subject` is read again.
    pub fn put_back(&mut self, subject: &str) {
        self.under_way.remove(subject);
        self.queued.remove(subject);
    }

    /// The server is there. What was lost while it was not need not wait longer.
    fn answers(&mut self) {
        self.failures_in_a_row = 0;
        if self.server.has_failed() {
            self.server = Backoff::default();
            self.held.retain(|_, held| held.is_refused);
        }
    }
}

#[cfg(test)]
mod tests;
