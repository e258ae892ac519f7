//! Actions in the line editor.

use std::sync::Arc;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{Effect, Screen, Tone, UiState};
use crate::{
    config::SourceConfig,
    engine::Control,
    geometry::Anchor,
    host::{ConfigPlace, Drawn},
    model::{SourceId, SourceKind, SourceState},
    tui::{
        action::Action,
        editor::{Editor, Elsewhere, Replayed, STEP, STRIDE, TURN},
        text_input::TextInput,
    },
};

impl UiState {
    /// Opens the editor on the lines of the selected source.
    pub(super) fn edit_lines(&mut self) -> Vec<Effect> {
        let id = match self.subject() {
            Ok(id) => id,
            Err(reason) => return self.refuse(reason),
        };
        let Some(config) = self.extras.config.as_ref().filter(|config| config.id == id) else {
            return self.refuse(format!("the configuration of '{id}' is not known yet; try again"));
        };
        self.editor = Some(Editor::new(id, config.lines.clone(), config.zones.clone()));
        self.open(Screen::Editor)
    }

    /// The settings of the selected source as they are by now. Lines that somebody else has changed meanwhile are taken into
    /// the editor, but where something is drawn already.
    pub fn config_known(&mut self, config: Option<Arc<SourceConfig>>) {
        if config == self.extras.config {
            return;
        }
        let drawn = config.as_ref().map(|config| {
            let drawn = Drawn { lines: config.lines.clone(), zones: config.zones.clone() };
            (config.id.clone(), drawn)
        });
        self.extras.config = config;
        self.touch();
        let Some((id, drawn)) = drawn else { return };
        let Some(editor) = self.editor.as_mut().filter(|editor| editor.source == id) else { return };
        match editor.changed_elsewhere(drawn) {
            Elsewhere::No => {}
            Elsewhere::Taken => {
                self.say("these lines were changed elsewhere meanwhile; here they are", Tone::Done)
            }
            Elsewhere::Against => self.say(
                "these lines were changed elsewhere meanwhile: Enter replaces those, q twice takes them",
                Tone::Refused,
            ),
        }
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
                return Some(self.refuse("it touches the edge; Tab takes one end"));
            }
            return Some(Vec::new());
        }
        match action {
            Action::NextPanel => editor.next_grip(false),
            Action::PreviousPanel => editor.next_grip(true),
            Action::Turn => editor.turn(TURN, aspect),
            Action::TurnBack => editor.turn(-TURN, aspect),
            Action::Add => editor.add(),
            Action::AddZone => {
                editor.add_zone();
                self.say("a zone: Tab takes its corners, + and - add and remove one", Tone::Done);
            }
            Action::Undo => {
                if !editor.undo() {
                    return Some(self.refuse("nothing to take back"));
                }
            }
            Action::More => {
                if let Err(problem) = editor.add_corner() {
                    return Some(self.refuse(problem));
                }
            }
            Action::Fewer => {
                if let Err(problem) = editor.remove_corner() {
                    return Some(self.refuse(problem));
                }
            }
            Action::Preview => {
                editor.walked_hidden = !editor.walked_hidden;
                let words = if editor.walked_hidden { "hidden" } else { "shown as dots" };
                self.say(format!("where people walked is {words}"), Tone::Done);
            }
            Action::Flip => {
                if let Err(problem) = editor.flip() {
                    return Some(self.refuse(problem));
                }
                self.say("in and out are swapped; the arrow points to the in side", Tone::Done);
            }
            Action::Remove => {
                if let Err(problem) = editor.remove() {
                    return Some(self.refuse(problem));
                }
            }
            Action::Rename => {
                let name = editor.name().to_string();
                editor.naming = Some(TextInput::new(&name));
            }
            Action::LinePoint => {
                let what = match editor.next_anchor() {
                    Anchor::Foot => "the feet count",
                    Anchor::Head => "the head counts",
                    Anchor::Center => "the middle of the body counts",
                };
                self.say(what, Tone::Done);
            }
            Action::Enter => return Some(self.use_and_save()),
            Action::Quit | Action::Back | Action::EditLines => {
                let problem = if editor.is_changed() {
                    "not saved: Enter uses and saves, again throws the changes away"
                } else if self.unsaved.contains(&editor.source) {
                    "counts until the program ends but is not saved: Enter tries again, again leaves it so"
                } else {
                    ""
                };
                if !problem.is_empty() && !leaving {
                    editor.leaving = true;
                    return Some(self.refuse(problem));
                }
                self.editor = None;
                self.close();
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// What is drawn counts from now on and is written into the configuration file; what could not be written is
    /// tried again.
    fn use_and_save(&mut self) -> Vec<Effect> {
        let Some(editor) = self.editor.as_mut() else { return Vec::new() };
        let (source, drawn) = (editor.source.clone(), editor.drawn().clone());
        let is_changed = editor.is_changed();
        if !is_changed && !self.unsaved.contains(&source) {
            if !std::mem::take(&mut editor.is_new) {
                return self.refuse("nothing was changed; q goes back");
            }
            self.editor = None;
            self.close();
            self.say("it counts at the line across the middle; 'E' draws others", Tone::Done);
            return Vec::new();
        }
        editor.is_new = false;
        let mut effects = Vec::new();
        let mut counts = "counts from now on";
        if is_changed {
            editor.applied();
            self.show_drawn(&source, &drawn);
            effects.push(Effect::Control(Control::set_lines(
                source.clone(),
                drawn.lines.clone(),
                drawn.zones.clone(),
            )));
            // Nobody would cross these lines any more.
            if self.has_ended(&source) {
                effects.push(Effect::Control(Control::restart(source.clone())));
                self.recounted = Some(source.clone());
                counts = "the video had ended: it is counted again from its start, with these lines";
            }
        }
        let words = match &self.config_place {
            ConfigPlace::File(_) => {
                effects.push(Effect::SaveLines(source, drawn));
                format!("{counts}; saving")
            }
            ConfigPlace::CouldBe(file) => {
                format!("{counts}, for this run; 'w' writes a configuration file, '{file}'")
            }
            ConfigPlace::Nowhere => format!("{counts}, for this run"),
        };
        self.say(words, Tone::Done);
        effects
    }

    /// Whether `source` is a video that was read to its end.
    fn has_ended(&self, source: &SourceId) -> bool {
        self.snapshot.sources.iter().any(|shown| {
            shown.id == *source && shown.kind == SourceKind::Video && shown.state == SourceState::Completed
        })
    }

    /// The picture shows the new lines at once, not with the next look at the configuration.
    fn show_drawn(&mut self, source: &SourceId, drawn: &Drawn) {
        if let Some(config) = self.extras.config.as_mut().filter(|config| config.id == *source) {
            let config = Arc::make_mut(config);
            (config.lines, config.zones) = (drawn.lines.clone(), drawn.zones.clone());
        }
    }

    /// What the edited lines would have counted.
    pub fn lines_replayed(&mut self, source: &SourceId, replayed: Replayed) {
        if let Some(editor) = self.editor.as_mut().filter(|editor| editor.source == *source) {
            editor.replayed = Some(replayed);
            self.changed = true;
        }
    }

    /// The mouse on the picture: takes hold, drags, lets go.
    pub(super) fn edit_mouse(&mut self, event: MouseEvent) {
        let area = self.picture_area;
        let Some(editor) = self.editor.as_mut().filter(|_| area.width > 0 && area.height > 0) else { return };
        let share = |at: u16, first: u16, size: u16| {
            ((f32::from(at) + 0.5 - f32::from(first)) / f32::from(size)).clamp(0.0, 1.0)
        };
        let at = (share(event.column, area.x, area.width), share(event.row, area.y, area.height));
        let cell = (1.0 / f32::from(area.width), 1.0 / f32::from(area.height));
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                editor.leaving = false;
                if !editor.grab(at, (cell.0 * 2.0, cell.1)) {
                    self.say("no line or zone there; drag one by an end or by its middle", Tone::Refused);
                }
            }
            MouseEventKind::Drag(MouseButton::Left) if editor.dragging => editor.drag(at),
            MouseEventKind::Up(MouseButton::Left) => editor.dragging = false,
            _ => {}
        }
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
