//! What is sent of an event: its id and its body.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    ledger::webhooks::{Undelivered, UndeliveredKind},
    model::{Direction, SourceId},
};

/// A message before it is signed.
pub struct Message {
    /// The same for an event at every attempt.
    pub id: String,
    /// JSON.
    pub body: String,
}

impl Message {
    /// A message that tells nothing, at `wall` in milliseconds since the Unix epoch.
    pub fn test(wall: i64) -> Self {
        let timestamp = Timestamp::from_millisecond(wall).unwrap_or_default();
        let body = json!({ "type": "test", "timestamp": timestamp, "data": {} });
        Self { id: format!("msg_test_{wall}"), body: body.to_string() }
    }

    /// What is sent of `event`. `salt` belongs to the webhook in this ledger; `labels` tells alias and location of a source.
    pub fn new(
        event: &Undelivered,
        salt: &str,
        labels: impl FnOnce(&SourceId) -> Option<(String, Option<String>)>,
    ) -> Self {
        let (session, sequence) = event.at;
        let hash = Sha256::digest(format!("{salt} {session} {sequence} {}", event.subject));
        let id = hash.iter().take(16).fold("msg_".to_owned(), |id, byte| format!("{id}{byte:02x}"));
        let (kind, name) = event.subject.split_once('/').unwrap_or_default();
        let mut data = if kind == "area" {
            json!({ "area": name })
        } else {
            let (alias, location) = labels(&name.into()).unwrap_or_else(|| (name.to_owned(), None));
            json!({ "source": name, "alias": alias, "location": location })
        };
        let (kind, more) = match &event.what {
            UndeliveredKind::Crossing { line, direction, track, confidence, source_time } => (
                "crossing",
                json!({
                    "line": line,
                    "direction": if *direction == Direction::In { "in" } else { "out" },
                    "track": track,
                    "confidence": confidence,
                    "source_time": source_time,
                }),
            ),
            UndeliveredKind::Reset => ("reset", Value::Null),
            UndeliveredKind::Noted(kind, detail) => {
                (kind.as_str(), serde_json::from_str(detail).unwrap_or_default())
            }
            UndeliveredKind::Correction { before, after, reason, who } => {
                ("correction", json!({ "before": before, "after": after, "reason": reason, "who": who }))
            }
        };
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more);
        }
        data["session"] = session.into();
        data["sequence"] = sequence.into();
        let timestamp = Timestamp::from_millisecond(event.wall).unwrap_or_default();
        Self { id, body: json!({ "type": kind, "timestamp": timestamp, "data": data }).to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing(sequence: i64) -> Undelivered {
        Undelivered {
            subject: "source/gate".into(),
            at: (3, sequence),
            wall: 1_700_000_000_123,
            what: UndeliveredKind::Crossing {
                line: "door".into(),
                direction: Direction::Out,
                track: 9,
                confidence: 0.5,
                source_time: 1.25,
            },
        }
    }

    #[test]
    fn a_crossing_is_told_with_all_that_the_ledger_knows() {
        let message = Message::new(&crossing(7), "salt", |_| Some(("Gate".into(), Some("Yard".into()))));
        assert_eq!(
            serde_json::from_str::<Value>(&message.body).unwrap(),
            json!({ "type": "crossing", "timestamp": "2023-11-14T22:13:20.123Z", "data": {
                "source": "gate", "alias": "Gate", "location": "Yard", "line": "door", "direction": "out", "track": 9,
                "confidence": 0.5, "source_time": 1.25, "session": 3, "sequence": 7 } })
        );
    }

    #[test]
    fn an_event_has_one_id_and_no_other_has_the_same() {
        let id = |sequence, salt| Message::new(&crossing(sequence), salt, |_| None).id;
        assert_eq!(id(7, "salt"), id(7, "salt"));
        assert_ne!(id(7, "salt"), id(8, "salt"));
        assert_ne!(id(7, "salt"), id(7, "another"));
    }
}
