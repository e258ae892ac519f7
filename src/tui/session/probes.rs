//! Sources being tried out while their text is typed.

use std::{collections::BTreeSet, time::Instant};

use super::{Session, work::Answer};
use crate::{config::SourceConfig, host::ProbedSource};

/// Most sources tried out at once: a camera that does not answer keeps its thread until its open timeout.
const MOST: usize = 3;

impl Session {
    /// Tries out the source being typed, once its text has rested.
    pub(super) fn probe(&mut self, now: Instant) {
        if let Some((number, text)) = self.ui.text_to_probe(now) {
            match SourceConfig::from_source_string(&text, &BTreeSet::new()) {
                Ok(source) => self.probes.waiting = Some((number, source)),
                Err(problem) => self.ui.source_probed(number, Err(problem)),
            }
        }
        if self.probes.running >= MOST {
            return;
        }
        // Of another text by now, or of a dialog that was closed: nobody waits for it.
        let Some((number, source)) =
            self.probes.waiting.take().filter(|(number, _)| self.ui.waits_for_probe(*number))
        else {
            return;
        };
        self.probes.running += 1;
        self.in_background(&format!("probe-{number}"), move |host| {
            // A decoder that panics is an answer, too, and must not keep its place among the tries.
            let probe = std::panic::AssertUnwindSafe(|| host.probe(&source));
            let result =
                std::panic::catch_unwind(probe).unwrap_or_else(|_| Err("the decoder panicked".into()));
            Answer::Probed(number, result)
        });
    }

    pub(super) fn probed(&mut self, number: u64, result: Result<ProbedSource, String>) {
        self.probes.running = self.probes.running.saturating_sub(1);
        self.ui.source_probed(number, result);
    }
}
