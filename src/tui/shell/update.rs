//! What each action does that is not of one screen alone.

use std::sync::Arc;

use super::Shell;
use crate::{
    engine::Control,
    model::{SourceId, SourceSnapshot},
    tui::{
        action::Action,
        context::Tone,
        effect::{Effect, Exit, Go, HostWork, TerminalWork},
        keymap::COMMANDS,
        screen_id::ScreenId,
        screens::logs::state::LogTarget,
        text_input::TextInput,
    },
};

impl Shell {
    /// What a user asked for comes to.
    pub(super) fn effects_of(&mut self, action: Action) -> Vec<Effect> {
        self.context.touch();
        let screen = self.screen();
        if let Some(command) = COMMANDS.iter().find(|command| command.action == action) {
            if self.context.read_only() && command.changes {
                return self.context.refuse("read-only: started with '--read-only'");
            }
            if let Some(on) = command.on.first().filter(|_| !command.works_on(screen)) {
                return self.context.refuse(format!(
                    "'{}' is for {}; 'q' goes back",
                    command.name,
                    on.words()
                ));
            }
        }
        if let Some(effects) = self.screens.top_mut().update(action, &mut self.context) {
            return effects;
        }
        match action {
            Action::Quit => self.quit(),
            Action::QuitKeepTable => vec![TerminalWork::Quit(Exit::QuitKeepTable).into()],
            Action::Interrupt => vec![TerminalWork::Quit(Exit::Signal(signal_hook::consts::SIGINT)).into()],
            Action::Back => self.back(),
            Action::Filter => self.start_filter(),
            Action::Acknowledge => self.acknowledge(),
            Action::Freeze => self.freeze(),
            Action::Pause => self.pause(),
            Action::PauseAll => self.pause_all(),
            Action::Restart => self.restart(),
            Action::Reset => self.reset(),
            Action::Add => vec![Go::AddSource.into()],
            Action::Remove => self.remove(),
            Action::SetArea if self.context.view.latest().areas.is_empty() => {
                self.context.refuse("there are no areas; name some under 'areas' in the configuration file")
            }
            Action::SetArea => vec![Go::SetArea.into()],
            Action::EditSource => self.edit_source(),
            Action::UndoSettings => self.undo_settings(),
            Action::EditLines => self.edit_lines(),
            Action::MoreWorkers => self.workers(1),
            Action::FewerWorkers => self.workers(-1),
            Action::Crossings => self.crossings(),
            Action::Sample => self.sample(),
            // The key that opens a screen closes it again.
            Action::Help => self.open_or_back(ScreenId::Help, Go::Help),
            Action::Wall => self.open_or_back(ScreenId::Wall, Go::Wall),
            Action::Alerts => self.open_or_back(ScreenId::Alerts, Go::Alerts),
            Action::History => self.open_or_back(ScreenId::History, Go::History),
            Action::Workers => self.open_or_back(ScreenId::Workers, Go::Workers),
            Action::Nodes if !self.context.shown().is_fleet() => self.context.refuse(
                "there are no nodes: this is one engine; 'pcount-tui attach --nats URL' shows a fleet",
            ),
            Action::Nodes => self.open_or_back(ScreenId::Nodes, Go::Nodes),
            Action::Logs => match self.subject() {
                Ok(id) => vec![Go::Logs(LogTarget::Source(id)).into()],
                Err(reason) => self.context.refuse(reason),
            },
            Action::AllLogs => vec![Go::Logs(LogTarget::Central).into()],
            Action::Export => {
                self.context.say("exporting the results", Tone::Done);
                vec![HostWork::Export.into()]
            }
            Action::WriteConfig => self.write_config(),
            Action::Reload => vec![HostWork::CompareConfig.into()],
            Action::Copy => self.copy(),
            Action::Palette => vec![Go::Palette.into()],
            Action::Mouse => self.toggle_mouse(),
            Action::Repaint => vec![TerminalWork::Repaint.into()],
            Action::Suspend => vec![TerminalWork::Suspend.into()],
            Action::Left | Action::Right => self.context.refuse("nothing to move sideways here"),
            Action::NextPanel | Action::PreviousPanel => self.context.refuse("this screen has one panel"),
            Action::Enter => self.context.refuse("nothing to open here; q goes back"),
            // Their screens have done them.
            _ => Vec::new(),
        }
    }

    fn open_or_back(&mut self, screen: ScreenId, go: Go) -> Vec<Effect> {
        if self.screen() == screen { self.back() } else { vec![go.into()] }
    }

    fn back(&mut self) -> Vec<Effect> {
        if self.screens.top_mut().back(&mut self.context) || self.close() {
            return Vec::new();
        }
        if self.context.frozen_since().is_some() {
            return self.freeze();
        }
        self.context.refuse("this is the overview; 'q' quits")
    }

    fn start_filter(&mut self) -> Vec<Effect> {
        let filter = self.screens.top().filter(&self.context).map(TextInput::new);
        if filter.is_none() {
            return self.context.refuse("the filter is for the overview, logs and help; 'q' goes back");
        }
        self.filter_input = filter;
        Vec::new()
    }

    fn freeze(&mut self) -> Vec<Effect> {
        if self.context.view.toggle_freeze() {
            self.context.say("view frozen, counting goes on; 'f' thaws", Tone::Done);
        } else {
            self.context.say("live again", Tone::Done);
        }
        self.context.rearrange();
        Vec::new()
    }

    fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.mouse = !self.mouse;
        let words = if self.mouse { "mouse on; select text with Shift" } else { "mouse off" };
        self.context.say(words, Tone::Done);
        vec![TerminalWork::Mouse(self.mouse).into()]
    }

    /// The source that keys act on.
    ///
    /// # Errors
    /// Why there is none, in a sentence.
    pub(super) fn subject(&self) -> Result<SourceId, String> {
        self.screens.top().subject(&self.context)
    }

    /// The sources that a key acts on: those marked and in sight on the overview, else the chosen one. Never those
    /// of a frozen view that have gone since. Says why there are none.
    pub(super) fn targets_or_reason(&mut self) -> Option<Vec<Arc<SourceSnapshot>>> {
        let context = &self.context;
        let live = &context.view.latest().sources;
        let find = |id: &SourceId| live.iter().find(|source| source.id == *id).cloned();
        if self.screen() == ScreenId::Overview {
            let marked = context.listing.visible(context.shown());
            let marked: Vec<_> =
                marked.filter(|s| context.listing.is_marked(&s.id)).filter_map(|s| find(&s.id)).collect();
            if !marked.is_empty() {
                return Some(marked);
            }
        }
        let chosen = self.subject().and_then(|id| {
            find(&id).ok_or_else(|| match self.screen() {
                ScreenId::History | ScreenId::Crossings => {
                    format!("'{id}' is only in the history; it is no source of this run")
                }
                _ => format!("'{id}' was removed after the view was frozen; 'f' thaws it"),
            })
        });
        match chosen {
            Ok(source) => Some(vec![source]),
            Err(reason) => {
                self.context.say(reason, Tone::Refused);
                None
            }
        }
    }

    /// One effect for each source that a key acts on.
    pub(super) fn each(ids: impl IntoIterator<Item = SourceId>, of: fn(SourceId) -> Control) -> Vec<Effect> {
        ids.into_iter().map(|id| of(id).into()).collect()
    }
}
