//! How long a lease lasts.
//!
//! All times are those of one clock that goes on while the program is stopped and while the machine sleeps.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The server gives a source to another node when it has not heard of its holder for this long.
pub const ACK_WAIT: Duration = Duration::from_secs(5);

/// A holder gives a source up this long after it last asked the server and was answered. The rest of [`ACK_WAIT`] is for stopping.
pub const TERM: Duration = Duration::from_secs(4);

/// How often a holder asks.
pub const RENEWAL: Duration = Duration::from_secs(1);

/// With less than this left a source is not given back any more, for the server may act on it when somebody else has the source
/// already: the lease runs out instead.
const LEAST_TO_GIVE_BACK: Duration = Duration::from_secs(2);

/// The term of one lease. Once it is over it never begins again.
#[derive(Debug)]
pub struct Term {
    /// When it ends, in milliseconds of the clock; 0 when it is over for good.
    end: AtomicU64,
    /// When it ends by what the server has answered. After that no answer renews it: it may be about somebody else's lease.
    answered: AtomicU64,
}

impl Term {
    /// A term of a lease that was asked for at `asked`, by a request that the server cannot have acted upon before.
    #[must_use]
    pub fn begin(asked: Duration) -> Self {
        let end = milliseconds(asked + TERM);
        Self { end: AtomicU64::new(end), answered: AtomicU64::new(end) }
    }

    /// Whether it lasts at `now`.
    #[must_use]
    pub fn lasts(&self, now: Duration) -> bool {
        milliseconds(now) < self.end.load(Ordering::SeqCst)
    }

    /// What is left of it at `now`.
    #[must_use]
    pub fn left(&self, now: Duration) -> Duration {
        Duration::from_millis(self.end.load(Ordering::SeqCst).saturating_sub(milliseconds(now)))
    }

    /// The server has answered by `now` what it was asked at `asked`. Whether the lease goes on: an answer that comes when the term
    /// is over may be about a lease that another node has by then.
    #[must_use]
    pub fn renew(&self, asked: Duration, now: Duration) -> bool {
        if !self.lasts(now) {
            self.end();
        }
        let end = milliseconds(asked + TERM);
        let renewed = self.answered.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |old| {
            (milliseconds(now) < old).then(|| old.max(end))
        });
        renewed.is_ok() && self.prolong(end, now)
    }

    /// No server ran at some moment after `asked`, which is known by `now`. Goes on until a term after that, whatever was answered:
    /// nobody was given the source by then.
    pub fn extend(&self, asked: Duration, now: Duration) {
        self.prolong(milliseconds(asked + TERM), now);
    }

    fn prolong(&self, end: u64, now: Duration) -> bool {
        let longer = self.end.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |old| {
            (milliseconds(now) < old).then(|| old.max(end))
        });
        longer.is_ok()
    }

    /// Whether an answer that comes at `now` would renew it.
    #[must_use]
    pub fn is_answered(&self, now: Duration) -> bool {
        self.lasts(now) && milliseconds(now) < self.answered.load(Ordering::SeqCst)
    }

    /// Ends it for good.
    pub fn end(&self) {
        self.end.store(0, Ordering::SeqCst);
        self.answered.store(0, Ordering::SeqCst);
    }

    /// Whether there is time at `now` to give the source back.
    #[must_use]
    pub fn can_give_back(&self, now: Duration) -> bool {
        let end = self.answered.load(Ordering::SeqCst);
        self.lasts(now) && end >= milliseconds(now + LEAST_TO_GIVE_BACK)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(1_000.0 + seconds)
    }

    #[test]
    fn a_term_counts_from_the_question_and_not_from_the_answer() {
        let term = Term::begin(at(0.0));
        assert!(term.lasts(at(3.9)) && !term.lasts(at(4.0)));
        assert!(term.renew(at(1.0), at(3.5)));
        assert!(term.lasts(at(4.9)) && !term.lasts(at(5.0)));
        // An answer to an earlier question takes nothing back.
        assert!(term.renew(at(0.5), at(3.6)));
        assert!(term.lasts(at(4.9)));
    }

    #[test]
    fn an_answer_that_comes_after_the_end_renews_nothing_and_nothing_does_afterwards() {
        let term = Term::begin(at(0.0));
        // A program that was stopped for a minute between its question and the answer.
        assert!(!term.renew(at(3.9), at(64.0)));
        assert!(!term.lasts(at(1.0)), "whatever the clock says: it is over");
        assert!(!term.renew(at(65.0), at(65.1)));
        let term = Term::begin(at(0.0));
        assert!(!term.renew(at(3.9), at(4.1)), "the server may have given it away by then");
    }

    #[test]
    fn a_term_that_went_on_because_no_server_ran_is_renewed_by_no_answer_and_runs_out() {
        let term = Term::begin(at(0.0));
        term.extend(at(1.0), at(1.1));
        assert!(term.renew(at(2.0), at(2.1)), "the server was back at once");
        term.extend(at(5.0), at(5.1));
        assert!(term.lasts(at(8.9)) && term.is_answered(at(5.9)) && !term.is_answered(at(6.0)));
        assert!(!term.can_give_back(at(6.0)), "somebody else may have it");
        assert!(!term.renew(at(7.0), at(7.1)), "the server may have given it away when it came up");
        assert!(term.lasts(at(8.9)) && !term.lasts(at(9.0)));
        term.extend(at(9.1), at(9.2));
        assert!(!term.lasts(at(9.2)), "once it is over it never begins again");
    }

    #[test]
    fn a_holder_stops_before_the_server_gives_its_source_away() {
        assert!(TERM + RENEWAL / 2 < ACK_WAIT && RENEWAL * 3 < TERM);
        let term = Term::begin(at(0.0));
        assert!(term.can_give_back(at(1.9)) && !term.can_give_back(at(2.1)));
        term.end();
        assert!(!term.can_give_back(at(0.1)) && term.left(at(0.1)).is_zero());
    }
}
