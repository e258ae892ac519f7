//! The engine as front ends use it: a snapshot of everything, and what can be asked of it.

use std::sync::{Arc, atomic::Ordering};

use super::{Control, Engine, EngineApi, Health, runtime::SourceRuntime};
use crate::{
    config::{SourceConfig, SourceKind},
    count::replay::Paths,
    metrics::stages::Spent,
    source::SourceId,
    store::{EngineSnapshot, Event, Minute, Preview, SourceState, WorkerSnapshot},
};

impl Engine {
    fn pause(&self, source: &Arc<SourceRuntime>, paused: bool) {
        let state = source.cell.load().state.clone();
        if state.is_over() {
            return;
        }
        source.run.load().control.pause(paused);
    }

    fn restart(&self, source: &Arc<SourceRuntime>) {
        let (shown, run) = (source.cell.load(), source.run.load_full());
        run.control.pause(false);
        if shown.kind == SourceKind::Video {
            self.inner.core.places.forget(source);
            self.inner.core.give_over(source, run);
            source.rewind();
            self.begin(source);
        } else if shown.state.is_over() || shown.state == SourceState::Queued || source.is_set_back() {
            self.begin(source);
        } else {
            run.control.restart();
        }
    }

    fn remove(&self, source: &Arc<SourceRuntime>) {
        self.inner.sources.write().retain(|known| !Arc::ptr_eq(known, source));
        self.inner.core.places.forget(source);
        source.dismiss();
        source.finish();
        self.inner.core.release_place(source);
        // Counts belong to the id: whoever adds it again goes on from them, as after a restart.
        let lines = source.cell.load().lines.clone();
        self.inner.restored.lock().push((source.id.clone(), lines));
        tracing::info!(camera = %source.id, "Removed");
    }
}

impl EngineApi for Engine {
    fn snapshot(&self) -> EngineSnapshot {
        let inner = &self.inner;
        let scheduler = &inner.core.scheduler;
        let limit = scheduler.limit();
        let loads = inner.loads.lock().clone();
        let workers = scheduler
            .workers()
            .iter()
            .zip(loads)
            .enumerate()
            .map(|(index, (worker, load))| WorkerSnapshot {
                number: index + 1,
                enabled: index < limit,
                source: worker.source.lock().clone(),
                frames: worker.done.load(Ordering::Relaxed),
                busy: load.busy.share,
                cpu: load.cpu.share,
                looks: worker.looks.load(Ordering::Relaxed),
                errors: worker.errors.load(Ordering::Relaxed),
                restarts: worker.restarts.load(Ordering::Relaxed),
            })
            .collect();
        let queue = scheduler.waiting();
        let process = inner.process.lock().latest();
        let Health { problems, mut notices, lost: events_lost } =
            inner.health.as_ref().map(|ask| ask()).unwrap_or_default();
        notices.extend(inner.core.models.notices());
        EngineSnapshot {
            sources: inner.sources.read().iter().map(|source| source.cell.load()).collect(),
            workers,
            worker_count: limit,
            max_workers: inner.settings.max_workers,
            queue_pending: queue.len() + inner.core.places.waiting(),
            queue,
            strategy: inner.settings.strategy,
            detector: inner.core.models.names(),
            problems,
            notices,
            events: inner.collected.recent(),
            events_lost,
            log_lines_lost: inner.log_lines_lost.as_ref().map_or(0, |lost| lost()),
            cpu: process.cpu,
            rss: process.rss,
            memory_limit: inner.settings.memory_limit,
            stuck_threads: inner.core.stuck.load(Ordering::SeqCst),
            uptime: inner.core.clock.now().saturating_duration_since(inner.begun_at),
            generation: inner.core.generation.load(Ordering::Relaxed),
        }
    }

    fn send(&self, control: Control) {
        let with = |id: &SourceId, act: &dyn Fn(&Arc<SourceRuntime>)| {
            if let Some(source) = self.source(id) {
                act(&source);
            }
        };
        match control {
            Control::Pause(id) => with(&id, &|source| self.pause(source, true)),
            Control::Resume(id) => with(&id, &|source| self.pause(source, false)),
            Control::PauseAll(paused) => self.sources().iter().for_each(|source| self.pause(source, paused)),
            Control::Restart(id) => with(&id, &|source| self.restart(source)),
            Control::ResetCounts(id) => with(&id, &|source| source.reset_counts()),
            Control::Remove(id) => with(&id, &|source| self.remove(source)),
            Control::Add(config) => {
                if let Err(error) = self.add_source(*config) {
                    tracing::error!("{error}");
                }
            }
            Control::SetWorkers(workers) => {
                let workers = self.inner.core.scheduler.set_limit(workers);
                tracing::info!("{workers} workers");
            }
            Control::Preview(id, wanted) => with(&id, &|source| {
                source.preview_wanted.store(wanted, Ordering::Relaxed);
                if !wanted {
                    source.preview.store(None);
                }
            }),
            Control::SetLines(id, lines, zones) => {
                with(&id, &|source| source.set_lines(lines.clone(), zones.clone()));
            }
        }
        self.inner.core.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn preview(&self, source: &str) -> Option<Arc<Preview>> {
        self.source(source)?.preview.load_full()
    }

    fn events(&self, source: &str) -> Vec<Event> {
        self.inner.collected.recent_of(source)
    }

    fn history(&self, source: &str) -> Vec<Minute> {
        self.source(source).map(|source| source.history.lock().minutes()).unwrap_or_default()
    }

    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>> {
        Some(self.source(source)?.config())
    }

    fn paths(&self, source: &str) -> Option<Paths> {
        Some(self.source(source)?.paths.lock().clone())
    }

    fn stage_times(&self, source: &str) -> Vec<Spent> {
        self.source(source).map(|source| source.stages.spent()).unwrap_or_default()
    }
}
