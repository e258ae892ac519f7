//! Actions in the line editor.

use super::{Effect, Screen, Tone, UiState};
use crate::{
    count::Anchor,
    engine::Control,
    tui::{
        action::Action,
        editor::{Editor, STEP, STRIDE, TURN},
        text_input::TextInput,
    },
};

impl UiState {
    /// Opens the editor on the lines of the selected source.
    pub(super) fn edit_lines(&mut self) -> Vec<Effect> {
        let Some(source) = self.selected() else { return self.refuse(self.why_empty()) };
        let id = source.id.clone();
        let Some(config) = self.extras.config.as_ref().filter(|config| config.id == id) else {
            return self.refuse(format!("the configuration of '{id}' is not known yet; try again"));
        };
        self.editor = Some(Editor::new(id, config.lines.clone()));
        self.open(Screen::Editor)
    }

    /// Does what an action means in the editor; `None` when it means there what it means everywhere.
    pub(super) fn edit(&mut self, action: Action) -> Option<Vec<Effect>> {
        let aspect =
            self.extras.preview.as_ref().map_or(16.0 / 9.0, |(_, picture)| {
                picture.size.0.max(1) as f32 / picture.size.1.max(1) as f32
            });
        let editor = self.editor.as_mut()?;
        let leaving = std::mem::take(&mut editor.leaving);
        let movement = match action {
            Action::Up => Some((0.0, -STEP)),
            Action::Down => Some((0.0, STEP)),
            Action::Left => Some((-STEP, 0.0)),
            Action::Right => Some((STEP, 0.0)),
            Action::FarUp => Some((0.0, -STRIDE)),
            Action::FarDown => Some((0.0, STRIDE)),
            Action::FarLeft => Some((-STRIDE, 0.0)),
            Action::FarRight => Some((STRIDE, 0.0)),
            _ => None,
        };
        if let Some((dx, dy)) = movement {
            if !editor.shift(dx, dy) {
                return Some(self.refuse("the line touches the edge; Tab takes one end"));
            }
            return Some(Vec::new());
        }
        match action {
            Action::NextPanel => editor.next_grip(false),
            Action::PreviousPanel => editor.next_grip(true),
            Action::Turn => editor.turn(TURN, aspect),
            Action::TurnBack => editor.turn(-TURN, aspect),
            Action::Add => editor.add(),
            Action::Flip => {
                editor.flip();
                self.say("in and out are swapped; the arrow points to the in side", Tone::Done);
            }
            Action::Remove => {
                if let Err(problem) = editor.remove() {
                    return Some(self.refuse(problem));
                }
            }
            Action::Rename => {
                let name = editor.line().map(|line| line.name.clone()).unwrap_or_default();
                editor.naming = Some(TextInput::new(&name));
            }
            Action::LinePoint => {
                let what = match editor.next_anchor() {
                    Some(Anchor::Foot) => "the feet must cross",
                    Some(Anchor::Head) => "the head must cross",
                    _ => "the middle of the body must cross",
                };
                self.say(what, Tone::Done);
            }
            Action::Enter => {
                if !editor.is_changed() {
                    return Some(self.refuse("nothing was changed; q goes back"));
                }
                let (source, lines) = (editor.source.clone(), editor.lines().to_vec());
                editor.applied();
                self.say("the new lines count from now on; saving", Tone::Done);
                return Some(vec![
                    Effect::Control(Control::SetLines(source.clone(), lines.clone(), Vec::new())),
                    Effect::SaveLines(source, lines),
                ]);
            }
            Action::Quit | Action::Back | Action::EditLines => {
                if editor.is_changed() && !leaving {
                    editor.leaving = true;
                    return Some(
                        self.refuse("not saved: Enter uses and saves, again throws the changes away"),
                    );
                }
                self.editor = None;
                self.close();
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// The name that was typed.
    pub(super) fn rename_line(&mut self, name: &str) {
        let Some(editor) = &mut self.editor else { return };
        match editor.rename(name) {
            Ok(()) => editor.naming = None,
            Err(problem) => self.say(problem, Tone::Refused),
        }
    }
}
