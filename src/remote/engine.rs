//! The engine's own interface.

use std::{sync::Arc, time::Duration};

use super::{ClientError, Remote, paths::from_here, views::View};
use crate::{
    config::SourceConfig,
    count::replay::Paths,
    engine::{Answer, Control, EngineApi, EngineError, Reply, SourceCommand, commands::Preview as Watch},
    metrics::stages::StageTime,
    model::{EngineSnapshot, Event, Minute, Preview},
    protocol::{Done, order::Order},
};

/// The server answers an order within 30 s.
const PATIENCE: Duration = Duration::from_secs(35);

/// What the server says of an order that took effect, and nothing else is to be said.
const DONE: &str = "done";

/// Why an order was not done, or may not have been. The dashboard itself says that a source was not added.
fn not_done(error: &ClientError, is_added: bool) -> String {
    match error {
        ClientError::Refused(why) => why.clone(),
        // Nothing was sent.
        ClientError::NoEngine { .. }
        | ClientError::Stranger { .. }
        | ClientError::NotReached(_)
        | ClientError::Version { .. } => {
            if is_added {
                error.to_string()
            } else {
                format!("not done: {error}")
            }
        }
        error => format!("it is not known whether this was done: {error}"),
    }
}

impl EngineApi for Remote {
    fn snapshot(&self) -> EngineSnapshot {
        self.link.snapshot()
    }

    fn send(&self, control: Control) -> Reply {
        let (answer, reply) = Answer::new();
        if let Control::Source(id, SourceCommand::Preview(Watch(is_wanted))) = &control {
            // Fetching it is what has it made.
            if !is_wanted {
                self.views.known(|known| known.previews.remove(id));
            }
            answer.give(Ok(()));
            return reply;
        }
        let control = match control {
            Control::Add(source) => Control::Add(Box::new(from_here(&source))),
            control => control,
        };
        let added = if let Control::Add(source) = &control { Some(source.id.clone()) } else { None };
        let drawn = match &control {
            Control::Source(id, SourceCommand::SetLines(set)) => {
                self.views.lines_given(id, set);
                Some(id.clone())
            }
            _ => None,
        };
        let Some(order) = Order::of(control) else { return reply };
        let (client, views) = (self.client.clone(), Arc::clone(&self.views));
        let ask = move || {
            let done = client.post::<Done>("/control", Some(&order), PATIENCE);
            if let Some(id) = drawn {
                views.lines_answered(&id);
            }
            answer.give(match done {
                Ok(done) => match (added, &*done.said) {
                    // Anything but the plain word says why it is there but not opened.
                    (Some(id), said) if said != DONE => {
                        let lead = format!("'{id}' cannot be opened at the moment: ");
                        let problem = said.strip_prefix(&*lead).unwrap_or(said).to_owned();
                        Err(EngineError::NotOpened { id, problem })
                    }
                    _ => Ok(()),
                },
                Err(error) => Err(EngineError::Refused(not_done(&error, added.is_some()))),
            });
        };
        if let Err(error) = std::thread::Builder::new().name("remote-order".into()).spawn(ask) {
            return Reply::new(Err(EngineError::Thread(error)));
        }
        reply
    }

    fn preview(&self, source: &str) -> Option<Arc<Preview>> {
        self.views.ask(View::Preview(source.into()), |known| known.previews.get(source).cloned())
    }

    fn history(&self, source: &str) -> Vec<Minute> {
        let minutes = |known: &super::views::ViewCache| {
            known.history.get(source).map(|minutes| minutes.values().copied().collect())
        };
        self.views.ask(View::History, minutes).unwrap_or_default()
    }

    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>> {
        self.views.ask(View::Config(source.into()), |known| known.configs.get(source).cloned())
    }

    fn paths(&self, source: &str) -> Option<Paths> {
        self.views.ask(View::Paths(source.into()), |known| known.paths.get(source).cloned())
    }

    fn events(&self, source: &str) -> Vec<Arc<Event>> {
        let events = |known: &super::views::ViewCache| known.events.get(source).cloned();
        self.views.ask(View::Events(source.into()), events).unwrap_or_default()
    }

    fn stage_times(&self, source: &str) -> Vec<StageTime> {
        let stages = |known: &super::views::ViewCache| known.stages.get(source).cloned();
        self.views.ask(View::Stages(source.into()), stages).unwrap_or_default()
    }

    fn age(&self) -> Option<Duration> {
        self.link.age()
    }
}
