//! The engine as one person uses it: what is asked of it is noted once it is done.

use std::sync::Arc;

use jiff::Timestamp;

use super::actions::Actions;
use crate::{
    config::SourceConfig,
    count::replay::Paths,
    engine::{
        Control, EngineApi, EngineError, Metrics, Outcome, Reply, StageTime,
        commands::{Pause, SetLines, SourceCommand},
    },
    model::{Action, EngineSnapshot, Event, Minute, Preview, SourceId},
};

/// An engine, and on whose behalf it is asked. Passes everything through. Cheap to make.
pub(super) struct Acting {
    engine: Arc<dyn EngineApi>,
    actions: Actions,
    who: String,
    from: &'static str,
}

impl Acting {
    /// `who` asks `engine` by way of `from`: `dashboard`, `socket`, `http`, `nats`, `mqtt` or `signal`.
    pub fn new(engine: Arc<dyn EngineApi>, actions: Actions, who: String, from: &'static str) -> Self {
        Self { engine, actions, who, from }
    }

    /// Notes what was done by other ways than [`EngineApi::send`]: a reload, a stop. `what` is a word of [`Action`].
    pub fn note(&self, what: &str, detail: Option<String>) {
        self.actions.note(self.action(what, None, detail));
    }

    /// The same of one source.
    pub fn note_of(&self, source: &SourceId, what: &str, detail: Option<String>) {
        self.actions.note(self.action(what, Some(source.clone()), detail));
    }

    fn action(&self, what: &str, source: Option<SourceId>, detail: Option<String>) -> Action {
        Action {
            wall: Timestamp::now().as_millisecond(),
            who: self.who.clone(),
            from: self.from.to_owned(),
            source,
            what: what.to_owned(),
            detail,
        }
    }

    /// What `control` does, where that is to be noted.
    fn action_of(&self, control: &Control) -> Option<Action> {
        let (what, source, detail) = match control {
            Control::Source(id, command) => {
                let (what, detail) = match command {
                    SourceCommand::Pause(Pause(true)) => (Action::PAUSED, None),
                    SourceCommand::Pause(Pause(false)) => (Action::RESUMED, None),
                    SourceCommand::Restart(_) => (Action::RESTARTED, None),
                    SourceCommand::ResetCounts(_) => (Action::RESET, None),
                    SourceCommand::SetLines(set) => (Action::LINES, Some(drawn_words(set))),
                    // A read changes nothing.
                    SourceCommand::Preview(_) => return None,
                };
                (what, Some(id.clone()), detail)
            }
            Control::PauseAll(true) => (Action::PAUSED, None, None),
            Control::PauseAll(false) => (Action::RESUMED, None, None),
            Control::Remove(id) => (Action::REMOVED, Some(id.clone()), None),
            Control::Add(source) => (Action::ADDED, Some(source.id.clone()), Some(source.source.to_string())),
            Control::Acknowledge { source, kind, .. } => {
                (Action::ACKNOWLEDGED, Some(source.clone()), Some(kind.word().to_owned()))
            }
            Control::SetArea { area, inside, .. } => {
                (Action::CORRECTED, None, Some(format!("area '{area}' to {inside}")))
            }
            Control::SetWorkers(count) => (Action::WORKERS, None, Some(count.to_string())),
        };
        Some(self.action(what, source, detail))
    }
}

/// The names of what is drawn, and how many regions are ignored.
fn drawn_words(SetLines { lines, zones, ignore }: &SetLines) -> String {
    let names = lines.iter().map(|line| &line.name).chain(zones.iter().map(|zone| &zone.name));
    let ignored = match ignore.as_ref().map_or(0, Vec::len) {
        0 => None,
        1 => Some("1 ignored region".to_owned()),
        count => Some(format!("{count} ignored regions")),
    };
    names.cloned().chain(ignored).collect::<Vec<_>>().join(", ")
}

/// Whether what was asked for took effect: a source that cannot be opened now is there, and is tried again.
fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Ok(()) | Err(EngineError::NotOpened { .. }))
}

impl EngineApi for Acting {
    fn snapshot(&self) -> EngineSnapshot {
        self.engine.snapshot()
    }

    fn send(&self, control: Control) -> Reply {
        let action = self.action_of(&control);
        let control = match control {
            // Whatever name came with it.
            Control::Acknowledge { source, kind, .. } => {
                Control::Acknowledge { source, kind, who: self.who.clone() }
            }
            Control::SetArea { area, inside, .. } => Control::SetArea { area, inside, who: self.who.clone() },
            other => other,
        };
        let reply = self.engine.send(control);
        let Some(action) = action else { return reply };
        let actions = self.actions.clone();
        reply.then(move |outcome| {
            if is_done(outcome) {
                actions.note(action);
            }
        })
    }

    fn preview(&self, source: &str) -> Option<Arc<Preview>> {
        self.engine.preview(source)
    }

    fn history(&self, source: &str) -> Vec<Minute> {
        self.engine.history(source)
    }

    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>> {
        self.engine.source_config(source)
    }

    fn paths(&self, source: &str) -> Option<Paths> {
        self.engine.paths(source)
    }

    fn events(&self, source: &str) -> Vec<Arc<Event>> {
        self.engine.events(source)
    }

    fn stage_times(&self, source: &str) -> Vec<StageTime> {
        self.engine.stage_times(source)
    }

    fn metrics(&self) -> Metrics {
        self.engine.metrics()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;
    use crate::{
        config::ParallelConfig,
        engine::{Engine, EngineOptions},
        ledger::{FILE_NAME, LedgerOptions, Reader},
        model::{AlertKind, LineConfig, SourceKind},
        outputs::ledger::Ledger,
    };

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn what_took_effect_is_noted_with_who_and_from_where_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::start(LedgerOptions::new(dir.path())).unwrap();
        assert!(ledger.sync(LONG));
        let path = dir.path().join(FILE_NAME);
        let actions = Actions::start(Some(path.clone())).unwrap();
        let engine = Engine::new(EngineOptions::new(ParallelConfig::default())).unwrap();
        let acting = Acting::new(Arc::new(engine.clone()), actions.clone(), "anna".into(), "socket");
        let ask = |control: Control| acting.send(control).wait(LONG).unwrap().is_ok();
        let mut gate = SourceConfig::from_source_string("demo:corridor?people=1", &BTreeSet::new()).unwrap();
        gate.id = "gate".into();
        // Reached with nobody there.
        gate.threshold = Some(0);
        assert_eq!(gate.kind, SourceKind::Camera);
        assert!(ask(Control::Add(Box::new(gate))));
        assert!(ask(Control::pause("gate".into())));
        assert!(!ask(Control::pause("yard".into())), "there is none");
        assert!(ask(Control::preview("gate".into(), true)));
        assert!(ask(Control::resume("gate".into())));
        let door = LineConfig { name: "door".into(), ..LineConfig::default() };
        assert!(ask(Control::set_lines("gate".into(), vec![door], Vec::new())));
        assert!(ask(Control::reset_counts("gate".into())));
        assert!(ask(Control::PauseAll(true)));
        assert!(ask(Control::SetWorkers(1)));
        let seen = |source: &str| {
            let who = "somebody else".to_owned();
            ask(Control::Acknowledge { source: source.into(), kind: AlertKind::Limit, who })
        };
        assert!(seen("gate") && !seen("yard"));
        assert!(ask(Control::Remove("gate".into())));
        acting.note_of(&"gate".into(), Action::SETTINGS, Some("alias, credentials".into()));
        acting.note(Action::RELOADED, Some("new: yard".into()));
        assert!(actions.sync(LONG));
        engine.stop(LONG);
        let found = Reader::open(&path).unwrap().actions(0, i64::MAX, 99).unwrap();
        let now = Timestamp::now().as_millisecond();
        assert!(found.iter().all(|it| it.who == "anna" && it.from == "socket" && it.wall <= now));
        let done: Vec<_> = found
            .iter()
            .map(|it| (it.what.as_str(), it.source.as_deref().unwrap_or("-"), it.detail.as_deref()))
            .collect();
        let gate = "gate";
        assert_eq!(
            done,
            [
                ("added", gate, Some("demo:corridor?people=1")),
                ("paused", gate, None),
                ("resumed", gate, None),
                ("lines", gate, Some("door")),
                ("reset", gate, None),
                ("paused", "-", None),
                ("workers", "-", Some("1")),
                ("acknowledged", gate, Some("limit")),
                ("removed", gate, None),
                ("settings", gate, Some("alias, credentials")),
                ("reloaded", "-", Some("new: yard")),
            ]
        );
        drop(ledger);
    }
}
