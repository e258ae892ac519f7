//! Adding sources, and keeping what was changed in the configuration file.

use std::time::Instant;

use super::{Effect, Screen, Tone, UiState};
use crate::{
    config::SourceConfig,
    host::{ConfigPlace, Drawn, ProbedSource},
    model::{SourceId, name_of},
    tui::{action::Action, dialogs::Dialog, editor::Editor, text::clean},
};

impl UiState {
    pub(super) fn add(&mut self) -> Vec<Effect> {
        self.dialog = Some(Dialog::add_source(self.config_place.clone()));
        vec![Effect::LookAtConfig]
    }

    /// The engine has been given the new source, or the text was wrong. On to its lines.
    pub fn source_added(&mut self, result: Result<&SourceConfig, String>) {
        self.changed = true;
        match result {
            Ok(source) => {
                // What trying it out has shown is there to draw on at once, and of a short video for ever.
                if let Some(Dialog::AddSource(dialog)) = self.dialog.take()
                    && let Some(picture) = dialog.picture()
                {
                    self.extras.preview = Some((source.id.clone(), picture));
                }
                // It would not be seen there.
                self.frozen = None;
                self.arrangement.filter.clear();
                self.awaited = Some(source.id.clone());
                let how = match &self.config_place {
                    ConfigPlace::File(_) => String::new(),
                    _ => " for this run".into(),
                };
                self.say(
                    format!(
                        "'{}' is added{how}: now its line, Enter when it is right",
                        clean(&name_of(&source.alias, &source.id))
                    ),
                    Tone::Done,
                );
                let mut editor = Editor::new(source.id.clone(), source.lines.clone(), source.zones.clone());
                editor.is_new = true;
                self.editor = Some(editor);
                self.open(Screen::Editor);
            }
            Err(problem) => {
                if let Some(Dialog::AddSource(dialog)) = &mut self.dialog {
                    dialog.problem = Some(problem);
                } else {
                    self.say(problem, Tone::Refused);
                }
            }
        }
    }

    /// Shows what the configuration file would change, to be taken over or not.
    pub fn reload_worked_out(&mut self, found: Result<Vec<String>, String>) {
        self.changed = true;
        let found = match found {
            Ok(found) => found.iter().map(|sentence| clean(sentence)).collect::<Vec<_>>(),
            Err(problems) => {
                let logs = self.keymap.keys_text(Action::AllLogs);
                let mut lines = problems.lines();
                let first = clean(lines.next().unwrap_or_default());
                let more = lines.count();
                let rest =
                    if more > 0 { format!("; {more} more in the log ({logs})") } else { String::new() };
                return self.say(format!("nothing is changed: {first}{rest}"), Tone::Refused);
            }
        };
        let is_only_later = found.iter().all(|sentence| sentence.starts_with("with the next start"));
        match found.first() {
            None => self.say("the configuration file says what runs already", Tone::Done),
            Some(later) if is_only_later => self.say(later.clone(), Tone::Done),
            // Something else is being asked: the answer belongs to that.
            Some(_) if self.dialog.is_some() => {
                self.say(
                    "the configuration file has changed; ask again when this is answered",
                    Tone::Refused,
                );
            }
            Some(_) => {
                let title = "Take over what has changed in the file?";
                self.dialog = Some(Dialog::confirm(title, found, "being taken over", vec![Effect::Reload]));
            }
        }
    }

    /// Says in the dialog what speaks against the source in it.
    pub fn source_doubted(&mut self, doubt: &str) {
        if let Some(Dialog::AddSource(dialog)) = &mut self.dialog {
            dialog.warn(doubt);
            self.changed = true;
        }
    }

    /// The text in the dialog that adds a source, once it has rested, with the number of this try.
    pub fn text_to_probe(&mut self, now: Instant) -> Option<(u64, String)> {
        let number = self.probes + 1;
        let Some(Dialog::AddSource(dialog)) = &mut self.dialog else { return None };
        let text = dialog.text_to_probe(now, number)?;
        self.probes = number;
        self.changed = true;
        Some((number, text))
    }

    /// Whether the answer to this try is still waited for.
    #[must_use]
    pub fn waits_for_probe(&self, number: u64) -> bool {
        let Some(Dialog::AddSource(dialog)) = &self.dialog else { return false };
        dialog.probe.as_ref().is_some_and(|probe| probe.number == number && probe.text == dialog.text())
    }

    /// What trying out the source in the dialog has given.
    pub fn source_probed(&mut self, number: u64, result: Result<ProbedSource, String>) {
        if let Some(Dialog::AddSource(dialog)) = &mut self.dialog {
            dialog.probed(number, result);
            self.changed = true;
        }
    }

    /// Whether the lines of a source run and could not be saved.
    #[must_use]
    pub fn is_unsaved(&self, id: &SourceId) -> bool {
        self.unsaved.contains(id)
    }

    /// Lines were written into the configuration file, or could not be.
    pub fn lines_saved(&mut self, source: &SourceId, drawn: &Drawn, result: Result<String, String>) {
        let again = match self.recounted.take_if(|id| id == source) {
            Some(_) => "the video is counted again from its start, with these lines; ",
            None => "",
        };
        match result {
            Ok(where_to) => {
                // Another change may be on its way to the file; then that one decides.
                let is_latest = self
                    .editor
                    .as_ref()
                    .is_none_or(|editor| editor.source != *source || editor.as_it_runs() == drawn);
                if is_latest {
                    self.unsaved.remove(source);
                }
                self.say(format!("{again}{where_to}"), Tone::Done);
            }
            Err(problem) => {
                self.unsaved.insert(source.clone());
                self.say(
                    format!("{again}counts now but is not saved, Enter tries again: {problem}"),
                    Tone::Refused,
                );
            }
        }
    }

    /// The configuration file was written, or could not be.
    pub fn config_written(&mut self, result: Result<String, String>) {
        match result {
            Ok(where_to) => self.say(where_to, Tone::Done),
            Err(problem) => self.say(problem, Tone::Refused),
        }
    }

    pub(super) fn write_config(&mut self) -> Vec<Effect> {
        match self.config_place.clone() {
            ConfigPlace::File(_) => vec![Effect::WriteConfig],
            ConfigPlace::CouldBe(_) if self.snapshot.sources.is_empty() => self.refuse(self.why_empty()),
            ConfigPlace::CouldBe(file) => {
                let lines = vec![
                    format!("'{file}', with the sources of this run and their lines."),
                    "User names and passwords go into files beside it that only you can read.".into(),
                    format!("Next time: pcount-tui --config {file}"),
                ];
                let title = "Write a configuration file?";
                self.dialog = Some(Dialog::confirm(title, lines, "writing", vec![Effect::WriteConfig]));
                Vec::new()
            }
            ConfigPlace::Nowhere => self.refuse("no configuration file can be written here"),
        }
    }
}
