//! Crossings and their strips, read beside the screens while they are shown.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Session, work::Answer};
use crate::{
    audit::sample::crossed,
    host::crossings::{CrossingDetails, CrossingsQuery, NewJudgment},
    model::Crossed,
    tui::screen::Needs,
};

/// A strip that is not there yet is looked for this often ...
const AGAIN: Duration = Duration::from_secs(1);

/// ... until its crossing is this old, in milliseconds.
const LATE: i64 = 10_000;

impl Session {
    /// Begins to read which crossings there are.
    pub(super) fn find_crossings(&mut self, asked: CrossingsQuery) {
        self.in_background("tui-evidence", move |host| {
            let found = host.crossings(&asked);
            Answer::Crossings(Box::new(asked), found)
        });
    }

    /// Begins to write what a person says of a crossing.
    pub(super) fn judge(&mut self, said: NewJudgment) {
        self.in_background("tui-judgment", move |host| Answer::Judged(host.judge(&said)));
    }

    /// Begins to read what is known of the crossing on the screen, where that is not read yet.
    pub(super) fn fetch_crossing(&mut self, needs: &Needs, now: Instant) {
        if !needs.crossing || self.reading_crossing {
            return;
        }
        let Some(facts) = self.ui.screens.crossings.list.chosen() else { return };
        let age = self.ui.context.clock().wall.timestamp().as_millisecond().saturating_sub(facts.wall);
        let is_done = match self.ui.screens.crossings.list.read() {
            None => false,
            Some(Ok(known)) if known.strip.is_none() && age < LATE => {
                self.crossing_again.is_some_and(|again| now < again)
            }
            Some(_) => true,
        };
        if is_done {
            return;
        }
        let facts = facts.clone();
        self.reading_crossing = true;
        self.crossing_again = Some(now + AGAIN);
        self.in_background("tui-evidence", move |host| {
            let known = host.crossing(&facts);
            Answer::Crossing(crossed(&facts), Box::new(known))
        });
    }

    /// Takes what was read of a crossing.
    pub(super) fn crossing_read(&mut self, of: Crossed, known: Result<CrossingDetails, String>) {
        self.reading_crossing = false;
        self.ui.screens.crossings.list.known = Some((of, known.map(Arc::new)));
        self.ui.context.touch();
    }
}
