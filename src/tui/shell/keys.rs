//! Keys: to the open dialog, to the filter being typed, or through the key map to an action.

use crossterm::event::{KeyCode, MouseEvent, MouseEventKind};

use super::Shell;
use crate::tui::{
    action::Action,
    context::Tone,
    dialogs::Outcome,
    effect::{Effect, Outside},
    keymap::Key,
    text_input::Typed,
};

impl Shell {
    /// Does what a key means here and now.
    pub fn key(&mut self, key: Key) -> Vec<Outside> {
        let effects = self.effects_of_key(key);
        self.go(effects)
    }

    fn effects_of_key(&mut self, key: Key) -> Vec<Effect> {
        self.context.touch();
        let action = self.context.keymap.action(key, self.screen());
        // These work everywhere, whatever is being typed.
        if let Some(action @ (Action::Interrupt | Action::Suspend | Action::Repaint)) = action
            && key.ctrl
        {
            // As in a shell: what is being asked or typed ends, and not the program.
            if action == Action::Interrupt && self.close_prompt() {
                return Vec::new();
            }
            return self.effects_of(action);
        }
        if self.dialog.is_some() {
            return self.dialog_key(key);
        }
        if self.filter_input.is_some() {
            return self.filter_key(key);
        }
        if let Some(effects) = self.screens.top_mut().typed(key, action, &mut self.context) {
            return effects;
        }
        let Some(action) = action else { return self.unknown(key) };
        self.effects_of(action)
    }

    /// Says that a key does nothing here, and on which screen it does something.
    fn unknown(&mut self, key: Key) -> Vec<Effect> {
        let elsewhere = self.context.keymap.elsewhere(key);
        if let Some((command, on)) = elsewhere.and_then(|command| Some((command, command.on.first()?))) {
            return self.context.refuse(format!(
                "'{key}' ({}) is for {}; 'q' goes back",
                command.label,
                on.words()
            ));
        }
        let help = self
            .context
            .keymap
            .keys(Action::Help)
            .first()
            .map_or_else(String::new, |help| format!("; '{help}' lists the keys"));
        self.context.refuse(format!("'{key}' does nothing here{help}"))
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
        self.screens.top_mut().end_typing()
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
                    self.context.say(message, Tone::Done);
                }
                effects
            }
            Outcome::Ask(effect) => vec![effect],
            Outcome::Act(action) => {
                self.dialog = None;
                self.effects_of(action)
            }
        }
    }

    fn filter_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(input) = &mut self.filter_input else { return Vec::new() };
        match key.plain() {
            Some(KeyCode::Enter) => self.filter_input = None,
            Some(KeyCode::Esc) => {
                self.filter_input = None;
                self.apply_filter(String::new());
            }
            Some(code @ (KeyCode::Up | KeyCode::Down)) => {
                self.filter_input = None;
                return self.effects_of(if code == KeyCode::Up { Action::Up } else { Action::Down });
            }
            _ => {
                if input.key(key) == Typed::Changed {
                    let filter = input.text().to_string();
                    self.apply_filter(filter);
                }
            }
        }
        Vec::new()
    }

    fn apply_filter(&mut self, filter: String) {
        self.screens.top_mut().set_filter(filter, &mut self.context);
    }

    /// Takes pasted text to where text is being typed.
    pub fn paste(&mut self, text: &str) {
        self.context.touch();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let more = lines.count();
        let text: String = first.chars().filter(|c| !c.is_control()).collect();
        if more > 0 {
            self.context.say(
                format!("{} lines were pasted; the first is taken, paste the others one by one", more + 1),
                Tone::Refused,
            );
        }
        if let Some(dialog) = &mut self.dialog {
            dialog.paste(&text);
        } else if let Some(input) = &mut self.filter_input {
            input.insert(&text);
            let filter = input.text().to_string();
            self.apply_filter(filter);
        } else if !self.screens.top_mut().paste(&text) {
            self.context.say("nothing here takes text; 'a' adds a source, '/' filters", Tone::Refused);
        }
    }

    /// Does what the mouse did: the wheel moves, a click selects the row under it.
    pub fn mouse_event(&mut self, event: MouseEvent) -> Vec<Outside> {
        // What is behind a dialog stands still: the dialog is about it.
        if self.dialog.is_some() {
            return Vec::new();
        }
        self.context.touch();
        let effects = match self.screens.top_mut().mouse(event, &mut self.context) {
            Some(effects) => effects,
            None => match event.kind {
                MouseEventKind::ScrollUp => self.effects_of(Action::Up),
                MouseEventKind::ScrollDown => self.effects_of(Action::Down),
                _ => Vec::new(),
            },
        };
        self.go(effects)
    }
}
