//! What front ends see of an engine, and what an engine needs of the world.

use std::{sync::Arc, time::Duration};

use super::{
    aggregator::Sink,
    counters::Metrics,
    pool::models::LoadModel,
    reply::Reply,
    source::commands::{Pause, Preview as Watch, ResetCounts, Restart, SetLines, SourceCommand},
};
use crate::{
    clock::{Clock, SystemClock},
    config::{ParallelConfig, SourceConfig},
    count::replay::Paths,
    evidence::Evidence,
    metrics::stages::StageTime,
    model::{
        AreaRecord, Drawn, EngineSnapshot, Event, Health, LineConfig, LineCounts, Minute, Preview, Scene,
        SourceId, ZoneConfig,
    },
    source::{Opener, SystemOpener},
};

/// What a front end can ask of the engine, where a source is added by its configuration.
pub type Control = crate::model::Control<SourceConfig, SourceCommand>;

impl Control {
    /// Stop reading a source; its counts stay.
    #[must_use]
    pub fn pause(id: SourceId) -> Self {
        Self::Source(id, Pause(true).into())
    }

    /// Go on reading.
    #[must_use]
    pub fn resume(id: SourceId) -> Self {
        Self::Source(id, Pause(false).into())
    }

    /// Reconnect now: ends a countdown, re-reads a file from its start with its counts at zero.
    #[must_use]
    pub fn restart(id: SourceId) -> Self {
        Self::Source(id, Restart.into())
    }

    /// Reset the counts of a source.
    #[must_use]
    pub fn reset_counts(id: SourceId) -> Self {
        Self::Source(id, ResetCounts.into())
    }

    /// Ask for previews of a source, or stop it.
    #[must_use]
    pub fn preview(id: SourceId, wanted: bool) -> Self {
        Self::Source(id, Watch(wanted).into())
    }

    /// Replace the counting lines and zones of a source; counts of lines that keep their name are kept, and so are ignored
    /// regions.
    #[must_use]
    pub fn set_lines(id: SourceId, lines: Vec<LineConfig>, zones: Vec<ZoneConfig>) -> Self {
        Self::Source(id, SetLines { lines, zones, ignore: None }.into())
    }

    /// Replace the counting lines, zones and ignored regions of a source; counts of lines that keep their name are kept.
    #[must_use]
    pub fn set_drawn(id: SourceId, drawn: Drawn) -> Self {
        let Drawn { lines, zones, ignore } = drawn;
        Self::Source(id, SetLines { lines, zones, ignore: Some(ignore) }.into())
    }
}

/// What a front end needs of an engine; the real one offers it, and so can a stand-in for tests of a front end. Nothing of
/// it waits, and all of it may be called by many threads at once. Of a source that is not there it tells nothing.
pub trait EngineApi: Send + Sync {
    /// Everything that is shown, gathered without waiting.
    fn snapshot(&self) -> EngineSnapshot;
    /// Asks for something; never blocks. The reply tells what becomes of it and may be dropped.
    fn send(&self, control: Control) -> Reply;
    /// The latest preview, if one was asked for with [`Control::preview`] and has been made.
    fn preview(&self, source: &str) -> Option<Arc<Preview>>;
    /// Minutes of history, oldest first, without holes (gaps are minutes that were not watched).
    fn history(&self, source: &str) -> Vec<Minute>;
    /// Configuration of a source as it runs now.
    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>>;
    /// The tracks of the last ten minutes, as of now; a copy.
    fn paths(&self, source: &str) -> Option<Paths> {
        let _ = source;
        None
    }
    /// The latest events of one source, oldest first, at most a few hundred.
    fn events(&self, source: &str) -> Vec<Arc<Event>> {
        self.snapshot().events.iter().filter(|event| &*event.source == source).cloned().collect()
    }
    /// How old all of this is, where it comes from an engine in another process that does not answer.
    fn age(&self) -> Option<Duration> {
        None
    }
    /// CPU time by stage of one source since it was added, in the order of a frame.
    fn stage_times(&self, source: &str) -> Vec<StageTime> {
        let _ = source;
        Vec::new()
    }
    /// What was counted and measured since the engine began; nothing where the engine is in another process.
    fn metrics(&self) -> Metrics {
        Metrics::default()
    }
}

/// Tells the [`Health`] of the sinks. Called by every [`EngineApi::snapshot`], on the thread of its caller, so it must not
/// wait.
pub type AskHealth = dyn Fn() -> Health + Send + Sync;

/// What an engine is made of: its settings, and who hears of what it counts.
pub struct EngineOptions {
    pub(super) settings: ParallelConfig,
    /// Who hears of results and events, in this order.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Counts to go on from, by source: what was counted before a restart of the program. They are given to the first
    /// camera of this id that is added; videos begin at zero.
    pub restored: Vec<(SourceId, Vec<LineCounts>)>,
    /// What is known of the scenes of these sources, for the first camera of this id that is added: a video is counted the same
    /// every time.
    pub scenes: Vec<(SourceId, Scene)>,
    /// What is known of areas from before a restart of the program: those of [`ParallelConfig::areas`] that have a name of
    /// these go on from there.
    pub areas: Vec<AreaRecord>,
    /// Takes snapshots of crossings, where they are kept.
    pub(crate) evidence: Option<Evidence>,
    /// Reports the state of the sinks, to be shown with the engine's own problems.
    pub health: Option<Arc<AskHealth>>,
    /// How many log lines were lost so far, when somebody knows.
    pub(crate) log_lines_lost: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    pub(crate) world: World,
}

/// What tests replace.
pub struct World {
    /// Opens sources.
    pub opener: Arc<dyn Opener>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Loads detection models.
    pub load_model: Box<LoadModel>,
}

impl EngineOptions {
    /// An engine with these settings, without sinks. Of the settings it uses workers, strategy, detector, models, memory
    /// limit, open slots, history and hardware decoding; logs and outputs are the program's.
    #[must_use]
    pub fn new(settings: ParallelConfig) -> Self {
        let (models, contexts, engine) = (settings.models.clone(), settings.max_workers, settings.engine);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self {
            settings,
            sinks: Vec::new(),
            restored: Vec::new(),
            scenes: Vec::new(),
            areas: Vec::new(),
            evidence: None,
            health: None,
            log_lines_lost: None,
            world: World {
                opener: Arc::new(SystemOpener::new(Arc::clone(&clock))),
                clock,
                load_model: Box::new(move |choice| crate::detect::load(choice, &models, contexts, engine)),
            },
        }
    }

    /// What tests replace.
    #[cfg(feature = "internals")]
    #[doc(hidden)]
    pub fn world(&mut self) -> &mut World {
        &mut self.world
    }
}
