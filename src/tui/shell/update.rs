//! What each action does.

use super::{Effect, Screen, UiState};
use crate::model::Verdict;
use crate::tui::{Exit, action::Action, dialogs::Dialog, keymap::COMMANDS, log_target::LogTarget};

impl UiState {
    /// Does what a user asked for.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        self.changed = true;
        if self.read_only && changes_something(action, self.screen()) {
            return self.refuse("read-only: started with '--read-only'");
        }
        if let Some(refused) = self.refused_here(action) {
            return refused;
        }
        if *self.screen() == Screen::Editor
            && let Some(effects) = self.edit(action)
        {
            return effects;
        }
        match action {
            Action::Quit => self.quit(),
            Action::QuitKeepTable => vec![Effect::Quit(Exit::QuitKeepTable)],
            Action::Interrupt => vec![Effect::Quit(Exit::Signal(signal_hook::consts::SIGINT))],
            Action::Back => self.back(),
            Action::Help if *self.screen() == Screen::Help => self.back(),
            Action::Help => self.open(Screen::Help),
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::Top => self.step(isize::MIN),
            Action::Bottom => self.step(isize::MAX),
            Action::PageUp => self.step(-(self.page.max(1) as isize)),
            Action::PageDown => self.step(self.page.max(1) as isize),
            Action::Left => self.sideways(-1),
            Action::Right => self.sideways(1),
            Action::Enter => self.enter(),
            Action::NextPanel => self.next_panel(1),
            Action::PreviousPanel => self.next_panel(2),
            Action::Filter => self.start_filter(),
            Action::SortNext => self.sort_next(),
            Action::SortReverse => self.sort_reverse(),
            Action::SortBy(number) if *self.screen() == Screen::Detail => self.choose_pane(number),
            Action::SortBy(column) => self.sort_by(column),
            Action::Group => self.toggle_group(),
            Action::Mark => self.mark(),
            Action::Acknowledge => self.acknowledge(),
            Action::Pause => self.pause(),
            Action::PauseAll => self.pause_all(),
            Action::Restart => self.restart(),
            Action::Reset => self.reset(),
            Action::Add => self.add(),
            Action::Remove => self.remove(),
            Action::More => self.workers(1),
            Action::Fewer => self.workers(-1),
            Action::Freeze => self.freeze(),
            Action::Preview => self.toggle_preview(),
            Action::EditLines => self.edit_lines(),
            Action::FarUp
            | Action::FarDown
            | Action::FarLeft
            | Action::FarRight
            | Action::Flip
            | Action::Turn
            | Action::TurnBack
            | Action::Rename
            | Action::LinePoint
            | Action::AddZone
            | Action::Undo => self.refuse("this key is for the line editor; 'E' opens it"),
            Action::Crossings => self.open_crossings(),
            Action::Sample => self.open_sample(),
            Action::Alert => self.open_alert(),
            Action::JudgeRight => self.judge(Verdict::Right),
            Action::JudgeWrong => self.judge(Verdict::Wrong),
            Action::JudgeBoth => self.judge(Verdict::OtherWay),
            Action::Logs => self.logs(),
            Action::AllLogs if *self.screen() == Screen::Logs(LogTarget::Central) => self.back(),
            Action::AllLogs => self.open(Screen::Logs(LogTarget::Central)),
            Action::Report if *self.screen() == Screen::Report => self.back(),
            Action::Report => self.open_history(),
            Action::Workers if *self.screen() == Screen::Workers => self.back(),
            Action::Workers => self.open(Screen::Workers),
            Action::Export if *self.screen() == Screen::Report => self.write_report(),
            Action::Export => vec![Effect::Export],
            Action::WriteConfig => self.write_config(),
            Action::Reload => vec![Effect::WorkOutReload],
            Action::Copy => self.copy(),
            Action::Palette => {
                self.dialog = Some(Dialog::palette());
                Vec::new()
            }
            Action::Mouse => self.toggle_mouse(),
            Action::Repaint => vec![Effect::Repaint],
            Action::Suspend => vec![Effect::Suspend],
        }
    }
}

fn changes_something(action: Action, screen: &Screen) -> bool {
    match action {
        Action::More | Action::Fewer => matches!(screen, Screen::Overview | Screen::Workers),
        _ => COMMANDS.iter().any(|command| command.action == action && command.changes),
    }
}
