//! What is asked for by MQTT: `pause`, `resume` and `reset` of a camera.

use std::{collections::BTreeSet, sync::Arc};

use super::topics::Topics;
use crate::{
    config::{printable, redact},
    engine::{Control, EngineApi, Reply},
    model::SourceId,
};

/// Refused messages that are told apart in the log; of more nothing is said.
const DIFFERENT: usize = 64;

/// Commands that may wait for the engine; more are refused.
const WAITING: usize = 64;

/// Characters of a message that the log shows.
const SHOWN: usize = 40;

/// Takes commands.
pub(super) struct Commands {
    topics: Topics,
    engine: Arc<dyn EngineApi>,
    refused: BTreeSet<String>,
    /// A command is noted when its reply is heard.
    asked: Vec<Reply>,
}

impl Commands {
    /// Commands below `topics` are asked of `engine`.
    pub fn new(topics: Topics, engine: Arc<dyn EngineApi>) -> Self {
        Self { topics, engine, refused: BTreeSet::new(), asked: Vec::new() }
    }

    /// Does what a message asks for. A retained one is old: the broker tells it again over each connection, and it would be
    /// done each time.
    pub fn take(&mut self, topic: &str, payload: &[u8], is_retained: bool) {
        let Some(id) = self.topics.told(topic) else { return };
        let text = String::from_utf8_lossy(payload);
        if is_retained {
            return self.refuse(&id, &text, "it is retained, and so may be old; publish it without retain");
        }
        let source = SourceId::from(id.as_str());
        if !self.engine.snapshot().sources.iter().any(|known| known.id == source) {
            return self.refuse(&id, &text, "there is no such source");
        }
        let control = match text.trim() {
            "pause" => Control::pause(source),
            "resume" => Control::resume(source),
            "reset" => Control::reset_counts(source),
            _ => return self.refuse(&id, &text, "write pause, resume or reset"),
        };
        if self.asked.len() < WAITING {
            self.asked.push(self.engine.send(control));
        } else {
            self.refuse(&id, &text, "too many commands wait; send fewer");
        }
    }

    /// Hears what became of commands. Never waits.
    pub fn settle(&mut self) {
        self.asked.retain(|reply| reply.poll().is_none());
    }

    fn refuse(&mut self, id: &str, text: &str, why: &str) {
        let shown: String = printable(&redact(text)).chars().take(SHOWN).collect();
        let sentence = format!("MQTT: '{shown}' for '{}' is not done: {why}", printable(&redact(id)));
        if self.refused.len() < DIFFERENT && self.refused.insert(sentence.clone()) {
            tracing::warn!("{sentence}");
        }
    }
}
