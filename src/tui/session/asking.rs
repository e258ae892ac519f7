//! What was asked of the engine, until it is known what became of it.

use super::{
    Session,
    work::{Addition, Answer},
};
use crate::{
    engine::{Control, EngineError},
    host::ConfigPlace,
    tui::context::Tone,
};

impl Session {
    /// Asks the engine for something; what it refuses is said.
    pub(super) fn ask(&mut self, control: Control) {
        self.asked.replies.push(self.engine.send(control));
        self.hear();
    }

    /// Adds a source, which is said, and written into the configuration file, once it is there.
    pub(super) fn add(&mut self, addition: Addition) {
        let reply = self.engine.send(Control::Add(Box::new(addition.source.clone())));
        self.asked.addition = Some((addition, reply));
        self.hear();
        if let Some(problem) = self.is_adding() {
            self.ui.context.say(problem, Tone::Done);
        }
    }

    /// That a source is still being added, in words.
    pub(super) fn is_adding(&self) -> Option<String> {
        let (addition, _) = self.asked.addition.as_ref()?;
        let id = &addition.source.id;
        if self.ui.context.is_attached() {
            return Some(format!("'{id}' is being added"));
        }
        Some(format!("'{id}' is being added, after the detection run of the source that had this id"))
    }

    /// Says what has become of what was asked.
    pub(super) fn hear(&mut self) {
        let ui = &mut self.ui;
        self.asked.replies.retain(|reply| match reply.poll() {
            None => true,
            Some(outcome) => {
                if let Err(error) = outcome {
                    ui.context.say(error.to_string(), Tone::Refused);
                }
                false
            }
        });
        let Some((addition, reply)) = self.asked.addition.take() else { return };
        match reply.poll() {
            None => self.asked.addition = Some((addition, reply)),
            Some(Ok(())) => self.added(addition),
            // It is in the list all the same.
            Some(Err(error @ EngineError::NotOpened { .. })) => {
                self.added(addition);
                self.ui.context.say(format!("added, but {error}"), Tone::Refused);
            }
            Some(Err(error)) => {
                self.given.remove(&*addition.source.id);
                self.ui.source_added(Err(format!("not added: {error}")));
            }
        }
    }

    fn added(&mut self, Addition { source, written, keep }: Addition) {
        self.ui.source_added(Ok(&source));
        if matches!(self.ui.context.config.place, ConfigPlace::File(_)) {
            self.save(move |host| Answer::Written(host.save_source(&source, &written, keep)));
        }
    }
}
