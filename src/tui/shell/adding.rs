//! Adding sources, and keeping what was changed in the configuration file.

use std::{sync::Arc, time::Instant};

use super::Shell;
use crate::{
    config::SourceConfig,
    host::{ConfigPlace, Drawn, ProbedSource},
    model::{SourceId, name_of},
    tui::{
        action::Action,
        context::Tone,
        dialogs::Dialog,
        effect::{Effect, Go, HostWork, Question, SettingsChange},
        screen_id::ScreenId,
        screens::lines::editor::Editor,
        text::clean,
    },
};

impl Shell {
    /// The engine has been given the new source, or the text was wrong. On to its lines.
    pub fn source_added(&mut self, result: Result<&SourceConfig, String>) {
        self.context.touch();
        match result {
            Ok(source) => {
                // What trying it out has shown is there to draw on at once, and of a short video forever.
                if let Some(Dialog::AddSource(dialog)) = self.dialog.take()
                    && let Some(picture) = dialog.picture()
                {
                    self.context.fetched.previews.insert(source.id.clone(), picture);
                }
                // It would not be seen there.
                self.context.view.thaw();
                self.context.listing.await_source(source.id.clone());
                let how = match &self.context.config.place {
                    ConfigPlace::File(_) => String::new(),
                    _ => " for this run".into(),
                };
                self.context.say(
                    format!(
                        "'{}' is added{how}: now its line, Enter when it is right",
                        clean(&name_of(&source.alias, &source.id))
                    ),
                    Tone::Done,
                );
                let mut editor = Editor::new(source.id.clone(), source.drawn());
                editor.is_new = true;
                self.screens.lines.editor = Some(editor);
                self.screens.open(ScreenId::Lines);
            }
            Err(problem) => {
                if let Some(Dialog::AddSource(dialog)) = &mut self.dialog {
                    dialog.problem = Some(problem);
                } else {
                    self.context.say(problem, Tone::Refused);
                }
            }
        }
    }

    /// Shows what the configuration file would change, to be taken over or not.
    pub fn reload_worked_out(&mut self, found: Result<Vec<String>, String>) {
        self.context.touch();
        let found = match found {
            Ok(found) => found.iter().map(|sentence| clean(sentence)).collect::<Vec<_>>(),
            Err(problems) => {
                let logs = self.context.keymap.keys_text(Action::AllLogs);
                let mut lines = problems.lines();
                let first = clean(lines.next().unwrap_or_default());
                let more = lines.count();
                let rest =
                    if more > 0 { format!("; {more} more in the log ({logs})") } else { String::new() };
                return self.context.say(format!("nothing is changed: {first}{rest}"), Tone::Refused);
            }
        };
        let is_only_later = found.iter().all(|sentence| sentence.starts_with("with the next start"));
        match found.first() {
            None => self.context.say("the configuration file says what runs already", Tone::Done),
            Some(later) if is_only_later => self.context.say(later.clone(), Tone::Done),
            // Something else is being asked: the answer belongs to that.
            Some(_) if self.dialog.is_some() => {
                self.context.say(
                    "the configuration file has changed; ask again when this is answered",
                    Tone::Refused,
                );
            }
            Some(_) => {
                let title = "Take over what has changed in the file?";
                self.dialog = Some(Dialog::confirm(Question {
                    title: title.into(),
                    lines: found,
                    done: "being taken over".into(),
                    effects: vec![HostWork::Reload.into()],
                    ..Question::default()
                }));
            }
        }
    }

    /// Says in the dialog what speaks against the source in it.
    pub fn source_doubted(&mut self, doubt: &str) {
        if let Some(Dialog::AddSource(dialog)) = &mut self.dialog {
            dialog.warn(doubt);
            self.context.touch();
        }
    }

    /// The text in the dialog that adds a source, once it has rested, with the number of this try.
    pub fn text_to_probe(&mut self, now: Instant) -> Option<(u64, String)> {
        let number = self.probes + 1;
        let Some(Dialog::AddSource(dialog)) = &mut self.dialog else { return None };
        let text = dialog.text_to_probe(now, number)?;
        self.probes = number;
        self.context.touch();
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
            self.context.touch();
        }
    }

    /// Lines were written into the configuration file, or could not be.
    pub fn lines_saved(&mut self, source: &SourceId, drawn: &Drawn, result: Result<String, String>) {
        let again = match self.context.config.recounted.take_if(|id| id == source) {
            Some(_) => "the video is counted again from its start, with these lines; ",
            None => "",
        };
        match result {
            Ok(where_to) => {
                // Another change may be on its way to the file; then that one decides.
                let is_latest = self
                    .screens
                    .lines
                    .editor
                    .as_ref()
                    .is_none_or(|editor| editor.source != *source || editor.as_it_runs() == drawn);
                if is_latest {
                    self.context.config.unsaved.remove(source);
                }
                self.context.say(format!("{again}{where_to}"), Tone::Done);
            }
            Err(problem) => {
                self.context.config.unsaved.insert(source.clone());
                self.context.say(
                    format!("{again}counts already but could not be saved, Enter tries again: {problem}"),
                    Tone::Refused,
                );
            }
        }
    }

    /// Asks which settings of the source to change.
    pub(super) fn edit_source(&mut self) -> Vec<Effect> {
        let id = match self.subject() {
            Ok(id) => id,
            Err(reason) => return self.context.refuse(reason),
        };
        if !matches!(self.context.config.place, ConfigPlace::File(_) | ConfigPlace::Fleet) {
            return self.context.refuse("settings are saved to a configuration file; 'w' writes one first");
        }
        match self.context.config_of(&id) {
            Some(config) => vec![Go::EditSource(Arc::clone(config)).into()],
            None => self.context.refuse(format!("the configuration of '{id}' is not known yet; try again")),
        }
    }

    /// Takes the last change of settings back.
    pub(super) fn undo_settings(&mut self) -> Vec<Effect> {
        let Some((source, before, after)) = self.context.config.last_change.clone() else {
            return self.context.refuse("no settings were changed here; nothing to undo");
        };
        self.context.say("saving", Tone::Done);
        let change = SettingsChange { source, before: after, after: before, is_undo: true };
        vec![HostWork::SaveSettings(Box::new(change)).into()]
    }

    /// Settings were saved, or could not be.
    pub fn settings_saved(&mut self, change: SettingsChange, result: Result<String, String>) {
        let SettingsChange { source, before, after, is_undo } = change;
        self.context.touch();
        let is_open = matches!(&self.dialog, Some(Dialog::EditSource(dialog)) if *dialog.source() == source);
        match result {
            Ok(where_to) => {
                if is_open {
                    self.dialog = None;
                }
                let name = clean(&self.context.name_of(&source));
                // A login cannot be taken back: it is not known here.
                let can_undo = !is_undo && after.login.is_none();
                let (said, undo) = match (is_undo, can_undo) {
                    (true, _) => ("the last change is undone", ""),
                    (false, true) => ("changed", "; 'u' undoes it"),
                    (false, false) => ("changed", ""),
                };
                self.context.config.last_change = can_undo.then_some((source, before, after));
                self.context.say(format!("'{name}': {said}{undo}; {where_to}"), Tone::Done);
            }
            Err(problem) => match &mut self.dialog {
                Some(Dialog::EditSource(dialog)) if is_open => {
                    dialog.is_saving = false;
                    dialog.problem = Some(problem);
                }
                _ => self.context.say(problem, Tone::Refused),
            },
        }
    }

    /// The configuration file was written, or could not be.
    pub fn config_written(&mut self, result: Result<String, String>) {
        match result {
            Ok(where_to) => self.context.say(where_to, Tone::Done),
            Err(problem) => self.context.say(problem, Tone::Refused),
        }
    }

    pub(super) fn write_config(&mut self) -> Vec<Effect> {
        match self.context.config.place.clone() {
            ConfigPlace::File(_) => vec![HostWork::WriteConfig.into()],
            ConfigPlace::CouldBe(_) if self.context.view.latest().sources.is_empty() => {
                let why = self.context.why_empty();
                self.context.refuse(why)
            }
            ConfigPlace::CouldBe(file) => {
                let lines = vec![
                    format!("'{file}', with the sources of this run and their lines."),
                    "User names and passwords go into files beside it that only you can read.".into(),
                    format!("Next time: pcount-tui --config {file}"),
                ];
                let title = "Write a configuration file?";
                vec![
                    Go::Ask(Question {
                        title: title.into(),
                        lines,
                        done: "writing the configuration".into(),
                        effects: vec![HostWork::WriteConfig.into()],
                        ..Question::default()
                    })
                    .into(),
                ]
            }
            ConfigPlace::Fleet => self.context.refuse(
                "lines and settings are saved in the sources of the fleet; 'pcount-tui fleet export' writes them",
            ),
            ConfigPlace::Nowhere => self.context.refuse("no configuration file can be written here"),
        }
    }
}
