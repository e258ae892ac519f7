//! The shell around the screens: which of them are open, the dialog over them, the filter being typed. Keys go through it to the
//! screen on top; what they ask for and it can do itself, it does; the rest is returned as [`Outside`] work.

use super::{
    alerts::AlertKey,
    context::Context,
    dialogs::Dialog,
    effect::{Effect, Go, HostWork, Outside, TerminalWork},
    format::Moment,
    graphics::Graphics,
    keymap::Keymap,
    screen_id::ScreenId,
    screens::{Screens, help},
    text_input::TextInput,
};
use crate::model::EngineSnapshot;

mod act;
mod adding;
mod draw;
mod keys;
mod update;

/// The screens and what is around them.
pub struct Shell {
    /// What all screens share.
    pub context: Context,
    /// The screens, each with its state, and which are open.
    pub screens: Screens,
    /// Open dialog, over everything.
    pub dialog: Option<Dialog>,
    /// Filter being typed.
    pub filter_input: Option<TextInput>,
    /// Pixels for pictures, where the terminal can show them.
    pub graphics: Option<Graphics>,
    mouse: bool,
    /// Number of the last source that was tried out.
    probes: u64,
    /// Alerts that the bell has been rung for, where it is on.
    bell: Option<Vec<AlertKey>>,
}

impl Shell {
    /// The overview of `snapshot`.
    #[must_use]
    pub fn new(snapshot: EngineSnapshot, moment: Moment, keymap: Keymap, read_only: bool) -> Self {
        Self {
            context: Context::new(snapshot, moment, keymap, read_only),
            screens: Screens::default(),
            dialog: None,
            filter_input: None,
            graphics: None,
            mouse: false,
            probes: 0,
            bell: None,
        }
    }

    /// The screen on top.
    #[must_use]
    pub fn screen(&self) -> ScreenId {
        self.screens.id()
    }

    /// Rings the bell from now on when something new goes wrong.
    pub fn set_bell(&mut self, on: bool) {
        self.bell = on.then(Vec::new);
    }

    /// The bell, where something has gone wrong since this was last asked.
    pub fn take_bell(&mut self) -> Option<TerminalWork> {
        let rung = self.bell.as_mut()?;
        let open = self.context.alerts.standing().iter().filter(|alert| !alert.acknowledged);
        let open: Vec<AlertKey> = open.map(|alert| alert.key.clone()).collect();
        let is_new = open.iter().any(|key| !rung.contains(key));
        *rung = open;
        is_new.then_some(TerminalWork::Bell)
    }

    /// Does what the shell itself can do of `effects`; gives the rest, in order.
    pub fn go(&mut self, effects: Vec<Effect>) -> Vec<Outside> {
        let mut outside = Vec::new();
        for effect in effects {
            match effect {
                Effect::Go(go) => outside.extend(self.step(go)),
                Effect::Engine(control) => outside.push(Outside::Engine(control)),
                Effect::Host(work) => outside.push(Outside::Host(work)),
                Effect::Terminal(work) => outside.push(Outside::Terminal(work)),
            }
        }
        outside
    }

    fn step(&mut self, go: Go) -> Option<Outside> {
        match go {
            Go::Back => {
                self.screens.close();
            }
            Go::Source => self.screens.open(ScreenId::Source),
            Go::Lines(editor) => {
                self.screens.lines.editor = Some(*editor);
                self.screens.open(ScreenId::Lines);
            }
            Go::History => {
                let asked = self.screens.history.start(&self.context);
                self.screens.open(ScreenId::History);
                return Some(Outside::Host(HostWork::ReadHistory(asked)));
            }
            Go::Crossings(crossings) => {
                let asked = self.screens.crossings.show(*crossings);
                self.screens.open(ScreenId::Crossings);
                return asked.map(|asked| Outside::Host(HostWork::FindCrossings(asked)));
            }
            Go::Logs(target) => {
                self.screens.logs.show(target);
                self.screens.open(ScreenId::Logs);
            }
            Go::Workers => self.screens.open(ScreenId::Workers),
            Go::Nodes => self.screens.open(ScreenId::Nodes),
            Go::Overview => while self.close() {},
            Go::Wall => self.screens.open(ScreenId::Wall),
            Go::Alerts => self.screens.open(ScreenId::Alerts),
            Go::Help => {
                self.screens.help = help::state::State::default();
                self.screens.open(ScreenId::Help);
            }
            Go::Ask(question) => self.dialog = Some(Dialog::confirm(question)),
            Go::AddSource => {
                self.dialog = Some(Dialog::add_source(self.context.config.place.clone()));
                return Some(Outside::Host(HostWork::ReadConfig));
            }
            Go::EditSource(config) => self.dialog = Some(Dialog::edit_source(&config)),
            Go::SetArea => self.dialog = Some(Dialog::set_area(&self.context.view.latest().areas)),
            Go::Palette => self.dialog = Some(Dialog::palette()),
        }
        None
    }

    /// Closes the screen on top; `false` for the overview.
    fn close(&mut self) -> bool {
        self.screens.close()
    }
}
