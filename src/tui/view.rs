//! What the engine said last, or what it said when the view was frozen.

use std::{sync::Arc, time::Duration};

use super::{
    calm::{Calm, is_news},
    format::Moment,
};
use crate::model::EngineSnapshot;

/// A view that was frozen.
#[derive(Debug, Clone)]
struct Frozen {
    snapshot: Arc<EngineSnapshot>,
    moment: Moment,
}

/// Snapshots and moments.
pub struct View {
    latest: Arc<EngineSnapshot>,
    moment: Moment,
    frozen: Option<Frozen>,
    calm: Calm,
    /// How old what is shown is, where its engine does not answer.
    age: Option<Duration>,
}

impl View {
    /// The view of `snapshot` at `moment`.
    #[must_use]
    pub fn new(snapshot: EngineSnapshot, moment: Moment) -> Self {
        Self { latest: Arc::new(snapshot), moment, frozen: None, calm: Calm::default(), age: None }
    }

    /// Takes a newer snapshot; gives whether something has happened that is shown at once. Rates, ages and the list of
    /// crossings, which never stand still, are shown with the next second (see [`Calm`]).
    pub fn take(&mut self, snapshot: EngineSnapshot) -> bool {
        let snapshot = self.calm.settled(&self.latest, snapshot, &self.moment);
        let is_news = is_news(&self.latest, &snapshot);
        self.latest = Arc::new(snapshot);
        is_news
    }

    /// Moves to another moment; gives whether a second has passed.
    pub fn at(&mut self, moment: Moment) -> bool {
        let is_new_second = moment.wall.second() != self.moment.wall.second();
        self.moment = moment;
        is_new_second
    }

    /// The snapshot on screen: the frozen one or the latest.
    #[must_use]
    pub fn shown(&self) -> &Arc<EngineSnapshot> {
        self.frozen.as_ref().map_or(&self.latest, |frozen| &frozen.snapshot)
    }

    /// The latest snapshot, also while the view is frozen.
    #[must_use]
    pub fn latest(&self) -> &Arc<EngineSnapshot> {
        &self.latest
    }

    /// The moment of the snapshot on screen.
    #[must_use]
    pub fn moment(&self) -> &Moment {
        self.frozen.as_ref().map_or(&self.moment, |frozen| &frozen.moment)
    }

    /// The time on the clock, also while the view is frozen.
    #[must_use]
    pub fn clock(&self) -> &Moment {
        &self.moment
    }

    /// Since when the view is frozen.
    #[must_use]
    pub fn frozen_since(&self) -> Option<&Moment> {
        self.frozen.as_ref().map(|frozen| &frozen.moment)
    }

    /// Freezes the view, or lets it go on; gives whether it is frozen now.
    pub fn toggle_freeze(&mut self) -> bool {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => Some(Frozen { snapshot: Arc::clone(&self.latest), moment: self.moment.clone() }),
        };
        self.frozen.is_some()
    }

    /// Lets the view go on.
    pub fn thaw(&mut self) {
        self.frozen = None;
    }

    /// How old what is shown is, where its engine does not answer.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.age
    }

    /// Notes that age, in whole seconds; gives whether it is another one.
    pub fn set_age(&mut self, age: Option<Duration>) -> bool {
        let age = age.map(|age| Duration::from_secs(age.as_secs()));
        std::mem::replace(&mut self.age, age) != age
    }
}
