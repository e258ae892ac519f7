//! The engine as front ends use it: a snapshot of everything, and what can be asked of it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crossbeam_channel::SendError;

use super::{
    Control, Engine, EngineApi, EngineError, Metrics, Reply,
    coordinator::source_of,
    load::WorkerLoad,
    order::Order,
    source::{
        Command,
        commands::{SetDrawn, SetLabels, SetSchedule},
    },
};
use crate::{
    config::{AreaConfig, SourceConfig},
    count::replay::Paths,
    metrics::stages::StageTime,
    model::{EngineSnapshot, Event, Health, Minute, Preview, SourceId, SourceSnapshot, WorkerSnapshot},
};

impl Engine {
    /// Gives the source of the same id the names and limits of `wanted` while it goes on: its alias, its location, its
    /// threshold and those of its zones.
    pub(crate) fn set_labels(&self, wanted: &SourceConfig) -> Reply {
        self.ask(&wanted.id, Command::Asked(Box::new(SetLabels::of(wanted))))
    }

    /// Gives the source of the same id what is drawn on the frame of `wanted` and how tall people are there, while it goes on;
    /// counts of lines that keep their name are kept.
    pub(crate) fn set_drawn(&self, wanted: &SourceConfig) -> Reply {
        self.ask(&wanted.id, Command::Asked(Box::new(SetDrawn::of(wanted))))
    }

    /// Gives the source of the same id the opening hours of `wanted`: one that stays open goes on without a gap.
    pub(crate) fn set_schedule(&self, wanted: &SourceConfig) -> Reply {
        self.ask(&wanted.id, Command::Asked(Box::new(SetSchedule(wanted.schedule.clone()))))
    }

    /// From now on these are the areas; the numbers of those that stay go on. Waits until they are in
    /// effect, or for a second where the result handler is behind.
    pub(crate) fn set_areas(&self, areas: Vec<AreaConfig>) {
        self.inner.core.outbox.areas(areas);
        self.inner.core.outbox.sync(Duration::from_secs(1));
    }

    fn ask(&self, id: &SourceId, command: Command) -> Reply {
        let (answer, reply) = self.answer();
        match self.source(id) {
            Some(source) => source.post(command, Some(answer)),
            None => answer.give(Err(EngineError::UnknownSource(id.clone()))),
        }
        reply
    }
}

impl EngineApi for Engine {
    fn snapshot(&self) -> EngineSnapshot {
        let inner = &self.inner;
        // First: what changes meanwhile makes the snapshot newer than it says, and the next one is not taken for it.
        let generation = inner.core.generation.load(Ordering::Acquire);
        let (scheduler, roster) = (&inner.core.scheduler, inner.roster.load());
        let at_work = |number: usize| Some(roster.numbered(number.checked_sub(1)?)?.id.clone());
        let limit = scheduler.limit();
        let usage = inner.core.usage.load();
        let loads = usage.loads.iter().copied().chain(std::iter::repeat(WorkerLoad::default()));
        let workers = scheduler
            .workers()
            .iter()
            .zip(loads)
            .enumerate()
            .map(|(index, (worker, load))| WorkerSnapshot {
                number: index + 1,
                enabled: index < limit,
                source: at_work(worker.source.load(Ordering::Relaxed)),
                frames: worker.done.load(Ordering::Relaxed),
                busy: load.busy.share,
                cpu: load.cpu.share,
                looks: worker.detection_runs.load(Ordering::Relaxed),
                errors: worker.errors.load(Ordering::Relaxed),
                restarts: worker.restarts.load(Ordering::Relaxed),
            })
            .collect();
        let queue = scheduler.waiting();
        let Health { mut problems, mut notices, lost } =
            inner.health.as_ref().map(|ask| ask()).unwrap_or_default();
        if !inner.ending.load(Ordering::SeqCst) {
            problems.extend(inner.core.outbox.problem().map(str::to_owned));
        }
        notices.extend(inner.core.models.notices());
        let areas = inner.collected.areas.load_full();
        let sources: Vec<Arc<SourceSnapshot>> =
            roster.sources.iter().map(|source| source.cell.load()).collect();
        notices.extend(areas.iter().flat_map(|area| area.missing(&sources)));
        EngineSnapshot {
            sources,
            workers,
            worker_count: limit,
            max_workers: inner.settings.max_workers,
            queue_pending: queue.len() + inner.core.waiting_files.load(Ordering::Relaxed),
            queue,
            strategy: inner.settings.strategy,
            detector: inner.core.models.names(),
            problems,
            notices,
            acknowledged: inner.core.acknowledged.load_full(),
            areas,
            nodes: Arc::default(),
            events: inner.collected.recent(),
            events_lost: lost + inner.core.outbox.lost(),
            log_lines_lost: inner.log_lines_lost.as_ref().map_or(0, |lost| lost()),
            cpu: usage.cpu,
            rss: usage.rss,
            memory_limit: inner.settings.memory_limit,
            taken: inner.core.moment(inner.core.clock.now()),
            generation,
        }
    }

    fn send(&self, control: Control) -> Reply {
        let (answer, reply) = self.answer();
        let sent = self.inner.orders.send(Order::Ask(control, answer));
        if let Err(SendError(Order::Ask(control, answer))) = sent {
            let unknown = source_of(&control).filter(|id| self.source(id).is_none());
            answer.give(Err(match (&control, unknown) {
                (Control::Add(_), _) | (_, None) => EngineError::Ended,
                (_, Some(id)) => EngineError::UnknownSource(id.clone()),
            }));
        }
        reply
    }

    fn preview(&self, source: &str) -> Option<Arc<Preview>> {
        self.source(source)?.preview.load_full()
    }

    fn events(&self, source: &str) -> Vec<Arc<Event>> {
        self.inner.collected.recent_of(source)
    }

    fn history(&self, source: &str) -> Vec<Minute> {
        self.source(source).map(|source| source.history.lock().minutes()).unwrap_or_default()
    }

    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>> {
        Some(self.source(source)?.config.load_full())
    }

    fn paths(&self, source: &str) -> Option<Paths> {
        Some(self.source(source)?.paths.lock().clone())
    }

    fn stage_times(&self, source: &str) -> Vec<StageTime> {
        self.source(source).map(|source| source.stages.spent()).unwrap_or_default()
    }

    fn metrics(&self) -> Metrics {
        let core = &self.inner.core;
        let busy = core.scheduler.workers().iter().map(|worker| worker.busy.load(Ordering::Relaxed));
        let (detectors, engines) = core.models.in_use();
        Metrics {
            sources: core.counters.read(),
            workers_busy: busy.map(Duration::from_nanos).collect(),
            detection: core.detection.read(),
            frame_age: core.frame_ages.read(),
            detectors,
            engines,
        }
    }
}
