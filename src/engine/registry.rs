//! Which sources there are, and what is asked of them.

use std::sync::{Arc, atomic::Ordering};

use super::{
    Command, Control, Engine, EngineError, Outcome,
    reply::Answer,
    runtime::{Begun, SourceRuntime},
};
use crate::{
    config::{self, SourceConfig},
    model::{Event, EventKind, SourceId, SourceKind, Strategy},
};

/// The sources.
#[derive(Default)]
pub struct Registry {
    /// In the order they were added.
    pub sources: Vec<Arc<SourceRuntime>>,
    /// Removed, and not through with what they were asked.
    pub leaving: Vec<Leaving>,
}

/// A source that is being removed.
pub struct Leaving {
    source: Arc<SourceRuntime>,
    /// Whether one of the same id is added after it.
    has_successor: bool,
}

impl Registry {
    /// The source with this id.
    pub fn find(&self, id: &str) -> Option<Arc<SourceRuntime>> {
        self.sources.iter().find(|source| &*source.id == id).cloned()
    }

    /// All sources, those that are being removed too.
    pub fn all(&self) -> Vec<Arc<SourceRuntime>> {
        self.leaving.iter().map(|leaving| &leaving.source).chain(&self.sources).cloned().collect()
    }
}

impl Engine {
    /// Does what is asked, or has it done later; `after` is the removed source that it had to wait for.
    pub(super) fn act(&self, control: Control, answer: Answer, after: Option<&Arc<SourceRuntime>>) {
        let Some((control, answer)) = self.put_off(control, answer, after) else { return };
        match control {
            Control::Pause(id) => self.ask(&id, answer, |_| Command::Pause(true)),
            Control::Resume(id) => self.ask(&id, answer, |_| Command::Pause(false)),
            Control::PauseAll(paused) => {
                for source in self.sources().iter().filter(|source| !source.cell.load().state.is_over()) {
                    source.ask(Command::Pause(paused), answer.share());
                }
                answer.give(Ok(()));
            }
            Control::Restart(id) => self.ask(&id, answer, |_| Command::Restart),
            Control::ResetCounts(id) => self.ask(&id, answer, |_| Command::Reset),
            Control::SetLines(id, lines, zones) => self.ask(&id, answer, |source| {
                Command::Lines(Arc::new(SourceConfig { lines, zones, ..(*source.config()).clone() }))
            }),
            Control::Remove(id) => match self.source(&id) {
                Some(source) => self.remove(&source, answer),
                None => answer.give(Err(EngineError::UnknownSource(id))),
            },
            Control::Add(config) => {
                let outcome = self.add(*config);
                if let Err(error) = &outcome {
                    tracing::error!("{error}");
                }
                answer.give(outcome);
            }
            Control::SetWorkers(workers) => {
                let workers = self.inner.core.scheduler.set_limit(workers);
                tracing::info!("{workers} workers");
                answer.give(Ok(()));
            }
            Control::Preview(id, wanted) => {
                let source = self.source(&id);
                if let Some(source) = &source {
                    source.preview_wanted.store(wanted, Ordering::Relaxed);
                    if !wanted {
                        source.preview.store(None);
                    }
                }
                answer.give(source.map(|_| ()).ok_or(EngineError::UnknownSource(id)));
            }
        }
        self.inner.core.generation.fetch_add(1, Ordering::Release);
    }

    fn ask(&self, id: &SourceId, answer: Answer, command: impl FnOnce(&SourceRuntime) -> Command) {
        match self.source(id) {
            Some(source) => source.ask(command(&source), answer),
            None => answer.give(Err(EngineError::UnknownSource(id.clone()))),
        }
    }

    /// What is asked of an id whose source is still being removed waits for that: the next source of this id goes on
    /// from its counts.
    fn put_off(
        &self,
        control: Control,
        answer: Answer,
        after: Option<&Arc<SourceRuntime>>,
    ) -> Option<(Control, Answer)> {
        let Some(id) = source_of(&control) else { return Some((control, answer)) };
        let mut registry = self.inner.registry.write();
        let is_next = |leaving: &&mut Leaving| {
            leaving.source.id == *id && after.is_none_or(|after| !Arc::ptr_eq(after, &leaving.source))
        };
        let is_addition = matches!(control, Control::Add(_));
        let Some(leaving) =
            registry.leaving.iter_mut().find(is_next).filter(|leaving| is_addition || leaving.has_successor)
        else {
            return Some((control, answer));
        };
        match &control {
            _ if !leaving.source.has_room() => {
                answer.give(Err(EngineError::Busy(id.clone())));
                return None;
            }
            Control::Add(config) if leaving.has_successor => {
                answer.give(Err(EngineError::DuplicateId(config.id.clone())));
                return None;
            }
            Control::Add(_) => leaving.has_successor = true,
            Control::Remove(_) => leaving.has_successor = false,
            _ => {}
        }
        let source = Arc::clone(&leaving.source);
        let (engine, former) = (self.clone(), Arc::clone(&source));
        let then = move || {
            engine.act(control, answer, Some(&former));
            engine.retire(&former);
        };
        // While the registry is held: a source that is through with everything is retired in one piece.
        source.enqueue(Command::Then(Box::new(then)), None);
        drop(registry);
        source.obey_all();
        None
    }

    fn remove(&self, source: &Arc<SourceRuntime>, answer: Answer) {
        // First: of what comes after its end nothing must be counted.
        self.inner.core.places.forget(source);
        source.dismiss();
        {
            let mut registry = self.inner.registry.write();
            let Some(place) = registry.sources.iter().position(|known| Arc::ptr_eq(known, source)) else {
                answer.give(Err(EngineError::UnknownSource(source.id.clone())));
                return;
            };
            registry.sources.remove(place);
            registry.leaving.push(Leaving { source: Arc::clone(source), has_successor: false });
            let (engine, former) = (self.clone(), Arc::clone(source));
            source.enqueue(Command::Remove, Some(answer));
            source.enqueue(Command::Then(Box::new(move || engine.retire(&former))), None);
        }
        source.obey_all();
    }

    /// Forgets a source that was removed, once it is through with everything.
    fn retire(&self, source: &Arc<SourceRuntime>) {
        let mut registry = self.inner.registry.write();
        if !source.is_asked() {
            registry.leaving.retain(|leaving| !Arc::ptr_eq(&leaving.source, source));
        }
    }

    fn add(&self, config: SourceConfig) -> Outcome {
        config::check_id(&config.id).map_err(EngineError::Source)?;
        let inner = &self.inner;
        let mut registry = inner.registry.write();
        // Under the lock: the end of the engine finds every source that was let in.
        if inner.ending.load(Ordering::SeqCst) {
            return Err(EngineError::Ended);
        }
        if registry.sources.iter().any(|known| known.id == config.id) {
            return Err(EngineError::DuplicateId(config.id));
        }
        let mut counts = {
            let mut restored = inner.core.restored.lock();
            let known = restored.iter().position(|(id, _)| *id == config.id);
            known.map(|index| restored.swap_remove(index).1).unwrap_or_default()
        };
        if config.kind == SourceKind::Video && !counts.is_empty() {
            // A file is counted again by every run, also when it was removed and comes again.
            counts.clear();
            let (wall, source) = (inner.core.clock.wall(), config.id.clone());
            inner.core.outbox.event(Event::new(wall, source, EventKind::Reset));
        }
        let enabled = config.enabled;
        let number = inner.numbers.fetch_add(1, Ordering::SeqCst);
        let source = SourceRuntime::new(number, config, &counts, Arc::clone(&inner.core));
        registry.sources.push(Arc::clone(&source));
        let count = registry.sources.len();
        drop(registry);
        if inner.settings.strategy == Strategy::Dedicated {
            inner.core.scheduler.set_limit(count.max(inner.core.scheduler.limit()));
        }
        inner.core.generation.fetch_add(1, Ordering::Release);
        let begins = enabled && inner.started.load(Ordering::SeqCst);
        source.opened(if begins { source.open() } else { Begun::Yes })
    }
}

/// The source that something is asked of.
fn source_of(control: &Control) -> Option<&SourceId> {
    match control {
        Control::Pause(id)
        | Control::Resume(id)
        | Control::Restart(id)
        | Control::ResetCounts(id)
        | Control::Remove(id)
        | Control::Preview(id, _)
        | Control::SetLines(id, ..) => Some(id),
        Control::Add(config) => Some(&config.id),
        Control::PauseAll(_) | Control::SetWorkers(_) => None,
    }
}
