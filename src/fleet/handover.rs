//! Which version of a source has ended for the next one to begin.
//!
//! A new version of a source may still be counted by a node that does not know of it yet, so its first holder waits until every lease
//! of before is over. It needs not wait where the holder of the version that it has replaced says that it has ended: while that lease
//! lasted, no other one did. Which version it has replaced the server itself has checked when it stored the new one.

use std::{collections::HashMap, time::Duration};

use async_nats::{HeaderMap, header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE};
use parking_lot::Mutex;

/// What has ended is remembered for this long; then the wait is over anyway for a node that has room.
const REMEMBERED: Duration = Duration::from_secs(30);

/// The version that the message of these headers has replaced; `None` where there was none, or nobody has checked it.
#[must_use]
pub fn replaced(headers: Option<&HeaderMap>) -> Option<u64> {
    let said = headers?.get(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE)?;
    said.as_str().parse().ok().filter(|revision| *revision > 0)
}

/// Versions of sources whose last holders have said that they have ended.
#[derive(Default)]
pub struct Ended(Mutex<HashMap<String, (u64, Duration)>>);

impl Ended {
    /// The holder of this version of source `id` has ended, at `now`.
    pub fn note(&self, id: &str, revision: u64, now: Duration) {
        let mut all = self.0.lock();
        all.retain(|_, (_, then)| now.saturating_sub(*then) < REMEMBERED);
        let there = all.entry(id.to_owned()).or_insert((revision, now));
        if there.0 <= revision {
            *there = (revision, now);
        }
    }

    /// Whether the version that source `id` had before is counted by nobody any more. A server that was restarted, `connected_for` ago
    /// at least, may have forgotten the new version and given the old one away again: what was said before that is not believed.
    #[must_use]
    pub fn has(&self, id: &str, replaced: Option<u64>, now: Duration, connected_for: Duration) -> bool {
        let Some(revision) = replaced else { return false };
        self.0.lock().get(id).is_some_and(|(ended, then)| {
            let age = now.saturating_sub(*then);
            *ended == revision && age < REMEMBERED && age <= connected_for
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_new_version_needs_not_wait_where_the_holder_of_the_one_that_it_replaced_has_ended() {
        let ended = Ended::default();
        ended.note("gate", 7, at(100));
        let is_free = |id: &str, replaced, now| ended.has(id, replaced, at(now), at(60));
        assert!(is_free("gate", Some(7), 101));
        assert!(!is_free("gate", Some(6), 101) && !is_free("gate", Some(8), 101), "another version");
        assert!(!is_free("yard", Some(7), 101) && !is_free("gate", None, 101));
        assert!(!is_free("gate", Some(7), 131), "it is forgotten");
        ended.note("gate", 6, at(102));
        assert!(is_free("gate", Some(7), 103), "what comes late says nothing new");
    }

    #[test]
    fn what_was_said_before_a_server_came_back_is_not_believed() {
        let ended = Ended::default();
        ended.note("gate", 7, at(100));
        assert!(!ended.has("gate", Some(7), at(110), at(9)));
        assert!(ended.has("gate", Some(7), at(110), at(10)));
    }

    #[test]
    fn a_message_says_which_one_it_has_replaced() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, text);
            replaced(Some(&headers))
        };
        assert_eq!([of("12"), of("0"), of("x"), replaced(None)], [Some(12), None, None, None]);
    }
}
