//! What the broker should hold, what it was given over this connection, and so what is still to be said. Only the latest
//! value of a topic is kept, so that nothing grows while the broker is away. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A payload.
pub(super) type Payload = Arc<[u8]>;

/// What the broker should hold, by topic.
pub(super) type Wanted = BTreeMap<String, Payload>;

/// Topics with their latest values. What is no longer wanted is cleared by an empty payload, over every connection to come:
/// the broker may have lost that it was cleared.
#[derive(Default)]
pub(super) struct Retained {
    wanted: Wanted,
    /// What was given to the broker since the connection began.
    sent: Wanted,
    due: BTreeSet<String>,
}

impl Retained {
    /// From now on the broker should hold `wanted` and nothing else of what it was given.
    pub fn want(&mut self, wanted: Wanted) {
        let empty: Payload = Arc::new([]);
        for (topic, payload) in &mut self.wanted {
            if !payload.is_empty() && !wanted.contains_key(topic) {
                *payload = Arc::clone(&empty);
                self.due.insert(topic.clone());
            }
        }
        for (topic, payload) in wanted {
            if self.sent.get(&topic) == Some(&payload) {
                self.due.remove(&topic);
            } else {
                self.due.insert(topic.clone());
            }
            self.wanted.insert(topic, payload);
        }
    }

    /// A connection begins, over which nothing was said yet.
    pub fn forget_sent(&mut self) {
        self.sent.clear();
        self.due = self.wanted.keys().cloned().collect();
    }

    /// The topics that begin so are said again.
    pub fn say_again(&mut self, beginning: &str) {
        self.sent.retain(|topic, _| !topic.starts_with(beginning));
        self.due.extend(self.wanted.keys().filter(|topic| topic.starts_with(beginning)).cloned());
    }

    /// What is still to be said, one after the other, for as long as `say` takes it.
    pub fn say(&mut self, mut say: impl FnMut(&str, &Payload) -> bool) {
        while let Some(topic) = self.due.first().cloned() {
            if let Some(payload) = self.wanted.get(&topic) {
                if !say(&topic, payload) {
                    return;
                }
                self.sent.insert(topic.clone(), Arc::clone(payload));
            }
            self.due.remove(&topic);
        }
    }

    /// Whether everything was said.
    pub fn is_said(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(topics: &[(&str, &str)]) -> Wanted {
        topics.iter().map(|(topic, payload)| ((*topic).to_owned(), payload.as_bytes().into())).collect()
    }

    fn said(retained: &mut Retained) -> Vec<(String, String)> {
        let mut all = Vec::new();
        retained.say(|topic, payload| {
            all.push((topic.to_owned(), String::from_utf8_lossy(payload).into_owned()));
            true
        });
        assert!(retained.is_said());
        all
    }

    fn pair(topic: &str, payload: &str) -> (String, String) {
        (topic.to_owned(), payload.to_owned())
    }

    #[test]
    fn only_what_changed_is_said_and_only_its_latest_value() {
        let mut retained = Retained::default();
        retained.want(wanted(&[("a", "1"), ("b", "1")]));
        assert_eq!(said(&mut retained), [pair("a", "1"), pair("b", "1")]);
        retained.want(wanted(&[("a", "1"), ("b", "2")]));
        retained.want(wanted(&[("a", "1"), ("b", "3")]));
        assert_eq!(said(&mut retained), [pair("b", "3")]);
        retained.want(wanted(&[("a", "2"), ("b", "3")]));
        retained.want(wanted(&[("a", "1"), ("b", "3")]));
        assert_eq!(said(&mut retained), [], "it is as it was said");
    }

    #[test]
    fn everything_is_said_again_over_a_new_connection_also_what_is_gone() {
        let mut retained = Retained::default();
        retained.want(wanted(&[("a", "1"), ("b", "1")]));
        said(&mut retained);
        retained.want(wanted(&[("b", "1")]));
        assert_eq!(said(&mut retained), [pair("a", "")]);
        retained.forget_sent();
        assert_eq!(said(&mut retained), [pair("a", ""), pair("b", "1")]);
        retained.want(wanted(&[("a", "2"), ("b", "1")]));
        assert_eq!(said(&mut retained), [pair("a", "2")], "it is back");
    }

    #[test]
    fn what_finds_no_room_is_said_later() {
        let mut retained = Retained::default();
        retained.want(wanted(&[("a", "1"), ("b", "1")]));
        let mut room = 1;
        retained.say(|_, _| std::mem::replace(&mut room, 0) > 0);
        assert!(!retained.is_said());
        retained.want(wanted(&[("a", "1"), ("b", "2")]));
        assert_eq!(said(&mut retained), [pair("b", "2")]);
    }

    #[test]
    fn some_topics_are_said_again_when_somebody_asks() {
        let mut retained = Retained::default();
        retained.want(wanted(&[("home/a", "1"), ("pcount/b", "1")]));
        said(&mut retained);
        retained.say_again("home/");
        assert_eq!(said(&mut retained), [pair("home/a", "1")]);
    }
}
