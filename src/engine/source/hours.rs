//! Opening hours: what the schedule of a source asks of it now.

use std::sync::Arc;

use jiff::Timestamp;

use super::{actor::Actor, around::Around, lifecycle::Event, lifecycle::Lifecycle};
use crate::{
    config::{Schedule, Stretch, shown_opening},
    engine::{error::EngineError, reply::Outcome},
    evidence::millis,
    model::{EventKind, Opening, SourceKind, SourceState},
    source::capture::Notice,
};

impl Actor {
    /// Whether the source is open now, and until when that holds. A clock that was set is no matter: the answer is for what it
    /// shows now.
    fn stretch(&mut self) -> Stretch {
        let now = millis(self.shared.core.clock.wall());
        if let Some(stretch) = self.hours.stretch.filter(|stretch| stretch.holds_at(now)) {
            return stretch;
        }
        let stretch = self.stretch_at(now);
        self.hours.stretch = Some(stretch);
        stretch
    }

    /// The same at `now`, in milliseconds since the Unix epoch, worked out.
    fn stretch_at(&self, now: i64) -> Stretch {
        match (&self.shared.config.load().schedule, self.kind) {
            (Some(schedule), SourceKind::Camera) => schedule.at(now, &self.shared.core.timezone),
            _ => Stretch::ALWAYS,
        }
    }

    /// Until when it is closed, where it is; the time is missing where no opening is in sight.
    fn closed_until(&mut self) -> Option<Option<i64>> {
        let stretch = self.stretch();
        (!stretch.is_open).then_some(Some(stretch.until).filter(|until| *until < i64::MAX))
    }

    /// Begins the source, unless it is closed.
    pub(super) fn begin_in_hours(&mut self, around: &dyn Around) {
        self.tell_schedule(false);
        let event = self.closed_until().map_or(Event::Start, Event::Closed);
        self.go_in_hours(around, event);
    }

    /// Opens or closes the source where it is time. What was decoded before it closes is counted first.
    pub(super) fn keep_hours(&mut self, around: &dyn Around) {
        let is_closed = matches!(self.life, Lifecycle::Closed(_));
        match self.closed_until() {
            None if is_closed => {
                tracing::info!(camera = %self.shared.id, "Open by its schedule");
                self.go_in_hours(around, Event::Opened);
            }
            None => {}
            Some(until) if !self.life.has_thread() => self.go_in_hours(around, Event::Closed(until)),
            Some(_) if !self.hours.is_closing => {
                self.hours.is_closing = true;
                self.run.control.stop();
                // Behind the frame that waits.
                around.notify(&self.run, Notice::Closed);
            }
            Some(_) => {}
        }
    }

    /// All that came before the source is to be closed has been counted.
    pub(super) fn close_by_schedule(&mut self, around: &dyn Around) {
        // Where the clock was set meanwhile the next tick opens it again.
        let until = self.closed_until().flatten();
        self.go_in_hours(around, Event::Closed(until));
    }

    fn go_in_hours(&mut self, around: &dyn Around, event: Event) {
        let has_begun = self.life != Lifecycle::New;
        if self.go(around, event, None) && matches!(self.life, Lifecycle::Closed(_)) {
            self.hours.is_closing = false;
            if has_begun {
                self.report();
            }
        }
    }

    /// The state of a source that is closed until then.
    pub(super) fn closed_state(&self, until: Option<i64>) -> SourceState {
        let core = &self.shared.core;
        let now = Timestamp::try_from(core.clock.wall()).unwrap_or_default();
        let opens = until
            .and_then(|until| Timestamp::from_millisecond(until).ok())
            .map(|at| Opening { at, shown: shown_opening(at, now, &core.timezone) });
        SourceState::Closed { opens }
    }

    /// Refuses to reconnect what is closed.
    ///
    /// # Errors
    /// Where it is closed.
    pub(super) fn refuse_while_closed(&self) -> Outcome {
        let stretch = self.stretch_at(millis(self.shared.core.clock.wall()));
        if stretch.is_open {
            return Ok(());
        }
        let until = Some(stretch.until).filter(|until| *until < i64::MAX);
        let SourceState::Closed { opens } = self.closed_state(until) else { return Ok(()) };
        let until = opens.map_or_else(String::new, |opens| format!(" until {}", opens.shown));
        Err(EngineError::Closed(self.shared.id.clone(), until))
    }

    /// Gives it other hours, from now on.
    pub(super) fn set_schedule(&mut self, around: &dyn Around, schedule: Option<Schedule>) {
        let config = self.shared.config.load_full();
        self.shared.config.store(Arc::new(crate::config::SourceConfig { schedule, ..(*config).clone() }));
        self.hours.stretch = None;
        self.tell_schedule(true);
        if self.life != Lifecycle::New {
            self.keep_hours(around);
        }
    }

    /// Tells everybody the hours; of none only where there were some before.
    fn tell_schedule(&self, changed: bool) {
        let schedule = self.shared.config.load().schedule.as_ref().map(ToString::to_string);
        if self.kind == SourceKind::Camera && (changed || schedule.is_some()) {
            let timezone = self.shared.core.timezone.iana_name().unwrap_or_default().to_owned();
            self.emit(EventKind::Schedule { schedule, timezone });
        }
    }
}
