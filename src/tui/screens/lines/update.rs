//! What keys do in the line editor.

use std::sync::Arc;

use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::{
    draw,
    editor::{Elsewhere, Replayed, STEP, STRIDE, TURN},
    state::State,
};
use crate::{
    config::SourceConfig,
    engine::Control,
    geometry::Anchor,
    host::{ConfigPlace, Drawn},
    model::{SourceId, SourceKind, SourceState},
    tui::{
        action::Action,
        canvas::Canvas,
        context::{Context, Tone},
        drawn::Geometry,
        effect::{Effect, Go, HostWork},
        keymap::Key,
        screen::{Hint, Needs, Screen},
        text_input::TextInput,
    },
};

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::SaveLines, "use and save"),
            (Action::NextPanel, "next end"),
            (Action::Flip, ""),
            (Action::Turn, ""),
            (Action::Rename, ""),
            (Action::AddLine, ""),
            (Action::AddZone, ""),
            (Action::RemoveShape, ""),
            (Action::Undo, ""),
            (Action::LinePoint, ""),
            (Action::AddIgnored, ""),
        ]
    }

    fn subject(&self, context: &Context) -> Result<SourceId, String> {
        match &self.editor {
            Some(editor) => Ok(editor.source.clone()),
            None => context.listing.selected().cloned().ok_or_else(|| context.why_empty()),
        }
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        self.edit(action, context)
    }

    fn typed(&mut self, key: Key, _action: Option<Action>, context: &mut Context) -> Option<Vec<Effect>> {
        let editor = self.editor.as_mut()?;
        let input = editor.naming.as_mut()?;
        match key.plain() {
            Some(KeyCode::Enter) => {
                let name = input.text().to_string();
                match editor.rename(&name) {
                    Ok(()) => editor.naming = None,
                    Err(problem) => context.say(problem, Tone::Refused),
                }
            }
            Some(KeyCode::Esc) => editor.naming = None,
            _ => {
                input.key(key);
            }
        }
        Some(Vec::new())
    }

    fn end_typing(&mut self) -> bool {
        self.editor.as_mut().is_some_and(|editor| editor.naming.take().is_some())
    }

    fn paste(&mut self, text: &str) -> bool {
        let input = self.editor.as_mut().and_then(|editor| editor.naming.as_mut());
        input.map(|input| input.insert(text)).is_some()
    }

    fn mouse(&mut self, event: MouseEvent, context: &mut Context) -> Option<Vec<Effect>> {
        self.grip(event, context);
        Some(Vec::new())
    }

    fn close(&mut self) {
        self.editor = None;
    }

    fn needs(&self, _context: &Context) -> Needs {
        let source = self.editor.as_ref().map(|editor| editor.source.clone());
        Needs {
            previews: source.into_iter().collect(),
            // Lines are drawn on what is there now, also while the other screens are frozen.
            previews_while_frozen: true,
            paths: true,
            ..Needs::default()
        }
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }
}

impl State {
    /// The settings of the selected source as they are by now. Lines that somebody else has changed meanwhile are taken into
    /// the editor, but where something is drawn already.
    pub fn config_known(&mut self, config: Option<Arc<SourceConfig>>, context: &mut Context) {
        if config == context.fetched.config {
            return;
        }
        let drawn = config.as_ref().map(|config| (config.id.clone(), config.drawn()));
        context.fetched.config = config;
        context.touch();
        let Some((id, drawn)) = drawn else { return };
        let Some(editor) = self.editor.as_mut().filter(|editor| editor.source == id) else { return };
        match editor.changed_elsewhere(drawn) {
            Elsewhere::No => {}
            Elsewhere::Taken => {
                context.say("these lines were changed elsewhere meanwhile; here they are", Tone::Done);
            }
            Elsewhere::Against => context.say(
                "these lines were changed elsewhere meanwhile: Enter replaces those, q twice takes them",
                Tone::Refused,
            ),
        }
    }

    /// Does what an action means in the editor; `None` when it means there what it means everywhere.
    fn edit(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let editor = self.editor.as_mut()?;
        let preview = context.fetched.previews.get(&editor.source);
        let aspect =
            preview.map_or(16.0 / 9.0, |preview| preview.size.0.max(1) as f32 / preview.size.1.max(1) as f32);
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
                return Some(context.refuse("at the frame's edge; Tab selects one end"));
            }
            return Some(Vec::new());
        }
        match action {
            Action::NextPanel => editor.next_grip(false),
            Action::PreviousPanel => editor.next_grip(true),
            Action::Turn => editor.turn(TURN, aspect),
            Action::TurnBack => editor.turn(-TURN, aspect),
            Action::AddLine => editor.add(),
            Action::AddZone => {
                editor.add_zone();
                context.say("a zone: Tab takes its corners, + and - add and remove one", Tone::Done);
            }
            Action::AddIgnored => {
                editor.add_ignored();
                context.say("ignored: Tab takes its corners, + and - add and remove one", Tone::Done);
            }
            Action::Undo => {
                if !editor.undo() {
                    return Some(context.refuse("nothing to take back"));
                }
            }
            Action::AddCorner => {
                if let Err(problem) = editor.add_corner() {
                    return Some(context.refuse(problem));
                }
            }
            Action::RemoveCorner => {
                if let Err(problem) = editor.remove_corner() {
                    return Some(context.refuse(problem));
                }
            }
            Action::Walked => {
                editor.walked_hidden = !editor.walked_hidden;
                let words = if editor.walked_hidden { "hidden" } else { "shown as dots" };
                context.say(format!("where people walked is {words}"), Tone::Done);
            }
            Action::Flip => {
                if let Err(problem) = editor.flip() {
                    return Some(context.refuse(problem));
                }
                context.say("in and out are swapped; the arrow points to the in side", Tone::Done);
            }
            Action::RemoveShape => {
                if let Err(problem) = editor.remove() {
                    return Some(context.refuse(problem));
                }
            }
            Action::Rename => {
                if let Err(problem) = editor.can_be_named() {
                    return Some(context.refuse(problem));
                }
                let name = editor.name().to_string();
                editor.naming = Some(TextInput::new(&name));
            }
            Action::LinePoint => {
                let what = match editor.next_anchor() {
                    Ok(Anchor::Foot) => "the feet count",
                    Ok(Anchor::Head) => "the head counts",
                    Ok(Anchor::Center) => "the middle of the body counts",
                    Err(problem) => return Some(context.refuse(problem)),
                };
                context.say(what, Tone::Done);
            }
            Action::SaveLines => return Some(self.use_and_save(context)),
            Action::Quit | Action::Back | Action::EditLines => {
                let problem = if editor.is_changed() {
                    "not saved: Enter uses and saves, again throws the changes away"
                } else if context.is_unsaved(&editor.source) {
                    "counts until the program ends but is not saved: Enter tries again, again leaves it so"
                } else {
                    ""
                };
                if !problem.is_empty() && !leaving {
                    editor.leaving = true;
                    return Some(context.refuse(problem));
                }
                return Some(vec![Go::Back.into()]);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// What is drawn counts from now on and is written into the configuration file; what could not be written is
    /// tried again.
    fn use_and_save(&mut self, context: &mut Context) -> Vec<Effect> {
        let Some(editor) = self.editor.as_mut() else { return Vec::new() };
        let (source, drawn) = (editor.source.clone(), editor.drawn().clone());
        let is_changed = editor.is_changed();
        if !is_changed && !context.is_unsaved(&source) {
            if !std::mem::take(&mut editor.is_new) {
                return context.refuse("nothing was changed; q goes back");
            }
            context.say("it counts at the line across the middle; 'E' draws others", Tone::Done);
            return vec![Go::Back.into()];
        }
        editor.is_new = false;
        // Where saving was refused, Enter replaces whatever is there.
        let before = (!context.is_unsaved(&source)).then(|| editor.as_it_runs().clone());
        let mut effects = Vec::new();
        let mut counts = "counts from now on";
        if is_changed {
            editor.applied();
            show_drawn(&source, &drawn, context);
            effects.push(Control::set_drawn(source.clone(), drawn.clone()).into());
            // Nobody would cross these lines any more.
            if has_ended(&source, context) {
                effects.push(Control::restart(source.clone()).into());
                context.config.recounted = Some(source.clone());
                counts = "the video had ended: it is counted again from its start, with these lines";
            }
        }
        let words = match &context.config.place {
            ConfigPlace::File(_) | ConfigPlace::Fleet => {
                effects.push(HostWork::SaveLines { source, drawn, before }.into());
                format!("{counts}; saving")
            }
            ConfigPlace::CouldBe(file) => {
                format!("{counts}, for this run; 'w' writes a configuration file, '{file}'")
            }
            ConfigPlace::Nowhere => format!("{counts}, for this run"),
        };
        context.say(words, Tone::Done);
        effects
    }

    /// What the edited lines would have counted.
    pub fn replayed(&mut self, source: &SourceId, replayed: Replayed, context: &mut Context) {
        if let Some(editor) = self.editor.as_mut().filter(|editor| editor.source == *source) {
            editor.replayed = Some(replayed);
            context.touch();
        }
    }

    /// The mouse on the picture: takes hold, drags, lets go.
    fn grip(&mut self, event: MouseEvent, context: &mut Context) {
        let area = context.geometry.picture;
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
                    context.say(
                        "nothing is drawn there; drag a line or an area by an end or by its middle",
                        Tone::Refused,
                    );
                }
            }
            MouseEventKind::Drag(MouseButton::Left) if editor.dragging => editor.drag(at),
            MouseEventKind::Up(MouseButton::Left) => editor.dragging = false,
            _ => {}
        }
    }
}

/// Whether `source` is a video that was read to its end.
fn has_ended(source: &SourceId, context: &Context) -> bool {
    context.view.latest().sources.iter().any(|shown| {
        shown.id == *source && shown.kind == SourceKind::Video && shown.state == SourceState::Completed
    })
}

/// The preview shows the new lines at once, not only once the engine says so.
fn show_drawn(source: &SourceId, drawn: &Drawn, context: &mut Context) {
    if let Some(config) = context.fetched.config.as_mut().filter(|config| config.id == *source) {
        Arc::make_mut(config).set_drawn(drawn.clone());
    }
}
