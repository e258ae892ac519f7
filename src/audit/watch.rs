//! The program at work on the source of an audit: it counts as it always does while a person watches.

use std::{sync::Arc, time::Duration};

use super::{reel::Reel, tap::Sighting};
use crate::{
    config::{ParallelConfig, SourceConfig},
    engine::{Engine, EngineApi as _, EngineError, EngineOptions, Subscription},
    model::{SourceKind, SourceSnapshot},
    source::{
        SystemOpener,
        stretch::{Excerpt, Stretch},
    },
};

/// An engine with one source, whose frames go into a [`Reel`] as they are read. Nothing of what it counts is kept.
pub struct Watching {
    engine: Engine,
    events: Subscription,
    kind: SourceKind,
    reel: Arc<Reel>,
    sightings: Vec<Sighting>,
    /// Whether the engine was stopped: nothing more comes.
    closed: bool,
}

impl Watching {
    /// Begins to read `stretch` of `source`. A clip is read no further ahead than the reel allows; a camera is read as it
    /// comes, and does not sleep, because a person watches. Waits at most four seconds.
    ///
    /// # Errors
    /// When the system refuses threads. That the source cannot be opened shows as its [`Self::state`].
    pub fn start(
        source: SourceConfig,
        settings: ParallelConfig,
        stretch: Stretch,
    ) -> Result<Self, EngineError> {
        let reel = Arc::<Reel>::default();
        let mut options = EngineOptions::new(settings);
        let inner = SystemOpener::new(Arc::clone(&options.world.clock));
        let onlooker = Some(Arc::clone(&reel) as _);
        options.world.opener = Arc::new(Excerpt { inner, stretch, onlooker });
        let engine = Engine::new(options)?;
        let (events, kind) = (engine.subscribe(), source.kind);
        engine.add_source(SourceConfig { enabled: true, sleep: false, ..source })?;
        engine.start()?;
        Ok(Self { engine, events, kind, reel, sightings: Vec::new(), closed: false })
    }

    /// The pictures.
    #[must_use]
    pub fn reel(&self) -> &Arc<Reel> {
        &self.reel
    }

    /// Takes what was counted since the last call. Waits for nothing.
    pub fn poll(&mut self) {
        for event in self.events.waiting() {
            if let Some(sighting) = Sighting::of(&event.kind) {
                self.reel.mark(sighting.time);
                self.sightings.push(sighting);
            }
        }
    }

    /// State of the source.
    #[must_use]
    pub fn state(&self) -> Option<Arc<SourceSnapshot>> {
        self.engine.snapshot().sources.into_iter().next()
    }

    /// Whether the source has ended by itself, or after [`Self::end`], and everything is counted.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.closed || self.engine.is_over()
    }

    /// The source is to end with the frame read last. A camera is closed at once, for which it waits at most `timeout`; of a
    /// clip, what was read is counted to its end first: [`Self::is_over`] says when.
    pub fn end(&mut self, timeout: Duration) {
        self.reel.close();
        if self.kind == SourceKind::Camera {
            self.close(timeout);
        }
    }

    /// Ends everything and takes what is still on its way; waits at most `timeout` and half a second.
    pub fn close(&mut self, timeout: Duration) {
        self.reel.close();
        self.engine.stop(timeout);
        self.closed = true;
        self.poll();
    }

    /// All that looked like a crossing so far, in the order in which it was decided.
    #[must_use]
    pub fn sightings(&self) -> &[Sighting] {
        &self.sightings
    }
}

impl Drop for Watching {
    /// The thread that reads may be waiting for a person who has stopped watching.
    fn drop(&mut self) {
        self.reel.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::SourceSpec,
        model::{LineConfig, SourceKind},
    };

    fn counted(stretch: Stretch, until: Option<f64>) -> (Vec<Sighting>, f64) {
        let spec = SourceSpec::Demo("corridor?seconds=12&fps=10&seed=3&people=4".into());
        let mut source = SourceConfig::new("demo", SourceKind::Video, spec);
        source.lines = vec![LineConfig::default()];
        let mut watching = Watching::start(source, ParallelConfig::default(), stretch).unwrap();
        let mut ended = false;
        while !watching.is_over() {
            watching.poll();
            if let Some((_, read)) = watching.reel().span() {
                watching.reel().show(read);
                if !ended && until.is_some_and(|until| read >= until) {
                    ended = true;
                    watching.end(Duration::from_secs(5));
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        watching.close(Duration::from_secs(5));
        let (_, read) = watching.reel().span().unwrap();
        (watching.sightings().to_vec(), read)
    }

    #[test]
    fn a_clip_is_counted_the_same_with_any_observer_and_wherever_it_was_ended() {
        let (all, read) = counted(Stretch::default(), None);
        assert!((read - 11.9).abs() < 1e-9 && all.iter().any(Sighting::is_counted), "{all:?}");
        assert_eq!(counted(Stretch::default(), None), (all, read));
        let (part, read) = counted(Stretch::default(), Some(6.0));
        assert!((6.0..11.0).contains(&read), "{read}");
        assert_eq!(counted(Stretch { to: read, ..Stretch::default() }, None), (part, read));
    }
}
