//! Keys: to the open dialog, to the filter being typed, or through the key map to an action.

use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};

use super::{Effect, Screen, Tone, UiState};
use crate::tui::{action::Action, dialogs::Outcome, keymap::Key, text_input::Typed};

impl UiState {
    /// Does what a key means here and now.
    pub fn key(&mut self, key: Key) -> Vec<Effect> {
        self.changed = true;
        let action = self.judging(key).or_else(|| self.keymap.action(key));
        // These work everywhere, whatever is being typed.
        if let Some(action @ (Action::Interrupt | Action::Suspend | Action::Repaint)) = action
            && key.ctrl
        {
            // As in a shell: what is being asked or typed ends, and not the program.
            if action == Action::Interrupt && self.close_prompt() {
                return Vec::new();
            }
            return self.update(action);
        }
        if self.dialog.is_some() {
            return self.dialog_key(key);
        }
        if self.filter_input.is_some() {
            self.filter_key(key);
            return Vec::new();
        }
        if self.editor.as_ref().is_some_and(|editor| editor.naming.is_some()) {
            self.naming_key(key);
            return Vec::new();
        }
        if self.waits_for_report(key, action) {
            return Vec::new();
        }
        match action {
            Some(action) => self.update(action),
            None => {
                let help = self
                    .keymap
                    .keys(Action::Help)
                    .first()
                    .map_or_else(String::new, |help| format!("; '{help}' lists the keys"));
                self.refuse(format!("'{key}' does nothing here{help}"))
            }
        }
    }

    /// Closes the dialog or the text field that takes the keys; `false` when there is none.
    fn close_prompt(&mut self) -> bool {
        if self.dialog.take().is_some() {
            return true;
        }
        if self.filter_input.take().is_some() {
            self.apply_filter(String::new());
            return true;
        }
        self.editor.as_mut().is_some_and(|editor| editor.naming.take().is_some())
    }

    fn dialog_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(dialog) = &mut self.dialog else { return Vec::new() };
        match dialog.key(key) {
            Outcome::Stay => Vec::new(),
            Outcome::Close => {
                self.dialog = None;
                Vec::new()
            }
            Outcome::Done(message, effects) => {
                self.dialog = None;
                if !message.is_empty() {
                    self.say(message, Tone::Done);
                }
                effects
            }
            Outcome::Ask(effect) => vec![effect],
            Outcome::Act(action) => {
                self.dialog = None;
                self.update(action)
            }
        }
    }

    fn filter_key(&mut self, key: Key) {
        let Some(input) = &mut self.filter_input else { return };
        match key.plain() {
            Some(KeyCode::Enter) => self.filter_input = None,
            Some(KeyCode::Esc) => {
                self.filter_input = None;
                self.apply_filter(String::new());
            }
            Some(code @ (KeyCode::Up | KeyCode::Down)) => {
                self.filter_input = None;
                self.update(if code == KeyCode::Up { Action::Up } else { Action::Down });
            }
            _ => {
                if input.key(key) == Typed::Changed {
                    let filter = input.text().to_string();
                    self.apply_filter(filter);
                }
            }
        }
    }

    fn naming_key(&mut self, key: Key) {
        let Some(input) = self.editor.as_mut().and_then(|editor| editor.naming.as_mut()) else { return };
        match key.plain() {
            Some(KeyCode::Enter) => {
                let name = input.text().to_string();
                self.rename_line(&name);
            }
            Some(KeyCode::Esc) => {
                if let Some(editor) = &mut self.editor {
                    editor.naming = None;
                }
            }
            _ => {
                input.key(key);
            }
        }
    }

    /// Takes pasted text to wherever text is being typed.
    pub fn paste(&mut self, text: &str) {
        self.changed = true;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let more = lines.count();
        let text: String = first.chars().filter(|c| !c.is_control()).collect();
        if more > 0 {
            self.say(
                format!("{} lines were pasted; the first is taken, paste the others one by one", more + 1),
                Tone::Refused,
            );
        }
        if let Some(dialog) = &mut self.dialog {
            dialog.paste(&text);
        } else if let Some(input) = self.editor.as_mut().and_then(|editor| editor.naming.as_mut()) {
            input.insert(&text);
        } else if let Some(input) = &mut self.filter_input {
            input.insert(&text);
            let filter = input.text().to_string();
            self.apply_filter(filter);
        } else {
            self.say("nothing here takes text; 'a' adds a source, '/' filters", Tone::Refused);
        }
    }

    /// Does what the mouse did: the wheel moves, a click selects the row under it.
    pub fn mouse_event(&mut self, event: MouseEvent) -> Vec<Effect> {
        // What is behind a dialog stands still: the dialog is about it.
        if self.dialog.is_some() {
            return Vec::new();
        }
        if self.editor.is_some() && *self.screen() == Screen::Editor {
            self.changed = true;
            self.edit_mouse(event);
            return Vec::new();
        }
        match event.kind {
            MouseEventKind::ScrollUp => self.update(Action::Up),
            MouseEventKind::ScrollDown => self.update(Action::Down),
            MouseEventKind::Down(MouseButton::Left) => {
                self.changed = true;
                self.click(event.row);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}
