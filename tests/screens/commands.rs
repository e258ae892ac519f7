//! Every command by each of its keys: what it does, on the screen where it does it.

use pcount::{
    internals::{
        ledger::chart::Width,
        tui::{
            Exit,
            app::{Effect, Panel, Screen},
            dialogs::Dialog,
            keymap::COMMANDS,
            log_target::LogTarget,
            panes::Pane,
            view_model::SortKey,
        },
    },
    model::{SourceId, SourceState},
};

use super::{fake, stage::Stage};

/// Name of the command, keys before it, and what must hold after its own key.
type Case = (&'static str, &'static str, fn(&mut Stage, &[Effect]) -> bool);

fn stage() -> Stage {
    let mut stage = Stage::new(vec![
        fake::at(
            fake::counted(fake::source("camera_01", "Main Entrance", SourceState::Running), 12, 8),
            "North",
        ),
        fake::at(fake::retrying("camera_02", "Side Exit"), "South"),
    ]);
    // One place makes no groups: the keys below mean these two rows.
    stage.keys("o");
    stage
}

fn selected(stage: &Stage) -> SourceId {
    stage.session.ui.selected().unwrap().id.clone()
}

fn sent(stage: &Stage, what: &str) -> bool {
    stage.engine.take_sent().iter().any(|sent| sent.contains(what))
}

fn shows(stage: &mut Stage, text: &str) -> bool {
    stage.text(120, 40).contains(text)
}

fn sorted_by(stage: &Stage, key: SortKey) -> bool {
    stage.session.ui.arrangement().sort == key
}

/// The end of the line in the editor, before and after, is what the engine is told on Enter.
fn lines_after(stage: &mut Stage, what: &str) -> bool {
    stage.engine.take_sent();
    stage.keys("<enter>");
    let sent = stage.engine.take_sent();
    assert!(sent.iter().any(|sent| sent.contains(what)), "{what} in {sent:?}");
    true
}

const CASES: &[Case] = &[
    ("up", "j", |s, _| &*selected(s) == "camera_01"),
    ("down", "", |s, _| &*selected(s) == "camera_02"),
    ("left", "", |s, _| s.said() == "nothing to move sideways here"),
    ("right", "E<tab>", |s, _| shows(s, "changed")),
    ("top", "j", |s, _| &*selected(s) == "camera_01"),
    ("bottom", "", |s, _| &*selected(s) == "camera_02"),
    ("page-up", "j", |s, _| &*selected(s) == "camera_01"),
    ("page-down", "", |s, _| &*selected(s) == "camera_02"),
    ("open", "", |s, _| *s.session.ui.screen() == Screen::Detail),
    ("back", "<enter>", |s, _| *s.session.ui.screen() == Screen::Overview),
    ("next-panel", "", |s, _| s.session.ui.panel == Panel::Workers),
    ("previous-panel", "", |s, _| s.session.ui.panel == Panel::Events),
    ("filter", "", |s, _| s.session.ui.filter_input.is_some()),
    ("sort", "", |s, _| sorted_by(s, SortKey::State)),
    ("sort-reverse", "5", |s, _| s.session.ui.arrangement().reversed),
    ("sort-order", "5", |s, _| sorted_by(s, SortKey::Order)),
    ("sort-state", "", |s, _| sorted_by(s, SortKey::State)),
    ("sort-name", "", |s, _| sorted_by(s, SortKey::Name)),
    ("sort-fps", "", |s, _| sorted_by(s, SortKey::Fps)),
    ("sort-in", "", |s, _| sorted_by(s, SortKey::In)),
    ("sort-out", "", |s, _| sorted_by(s, SortKey::Out)),
    ("sort-current", "", |s, _| sorted_by(s, SortKey::Current)),
    ("sort-limit", "", |s, _| sorted_by(s, SortKey::Limit)),
    ("sort-age", "", |s, _| sorted_by(s, SortKey::Age)),
    ("group", "", |s, _| shows(s, "North")),
    ("freeze", "", |s, _| shows(s, "FROZEN since 12:34:56")),
    ("preview", "", |s, _| sent(s, "preview camera_01 true")),
    ("logs", "", |s, _| *s.session.ui.screen() == Screen::Logs(LogTarget::Source("camera_01".into()))),
    ("workers", "", |s, _| *s.session.ui.screen() == Screen::Workers),
    ("report", "", |s, _| *s.session.ui.screen() == Screen::Report),
    ("crossings", "", |s, _| *s.session.ui.screen() == Screen::Crossings),
    ("alert", "", |s, _| *s.session.ui.screen() == Screen::Crossings),
    ("sample", "", |s, _| *s.session.ui.screen() == Screen::Crossings),
    // These have keys of their own on one screen alone, where tests of that screen press them.
    ("judge-right", "", |_, _| true),
    ("judge-wrong", "", |_, _| true),
    ("judge-both", "", |_, _| true),
    ("all-logs", "", |s, _| *s.session.ui.screen() == Screen::Logs(LogTarget::Central)),
    ("edit-lines", "", |s, _| *s.session.ui.screen() == Screen::Editor),
    ("mark", "", |s, _| s.session.ui.marked() == 1),
    ("pause", "", |s, _| sent(s, "pause camera_01")),
    ("pause-all", "", |s, _| sent(s, "pause all true")),
    ("restart", "j", |s, _| sent(s, "restart camera_02")),
    ("reset", "", |s, _| shows(s, "Set these counts to zero?")),
    ("add", "", |s, _| matches!(s.session.ui.dialog, Some(Dialog::AddSource(_)))),
    ("remove", "", |s, _| shows(s, "Stop and remove")),
    ("acknowledge", "", |s, _| s.session.ui.alerts().iter().all(|alert| alert.acknowledged)),
    ("copy", "", |_, effects| matches!(effects, [Effect::Copy(text)] if text.starts_with("camera_01"))),
    ("more", "", |s, _| sent(s, "workers 4")),
    ("fewer", "", |s, _| sent(s, "workers 2")),
    ("far-up", "E", |s, _| lines_after(s, "[0.0, 0.45]")),
    ("far-down", "E", |s, _| lines_after(s, "[0.0, 0.55]")),
    ("far-left", "E<tab><tab>", |s, _| shows(s, "changed")),
    ("far-right", "E<tab>", |s, _| shows(s, "changed")),
    ("turn", "E", |s, _| shows(s, "changed")),
    ("turn-back", "E", |s, _| shows(s, "changed")),
    ("flip", "E", |s, _| lines_after(s, "a: [1.0, 0.5], b: [0.0, 0.5]")),
    ("rename", "E", |s, _| shows(s, " name: ")),
    ("body-point", "E", |s, _| shows(s, "changed")),
    ("add-zone", "E", |s, _| s.said().starts_with("a zone: Tab takes its corners")),
    ("undo", "Ex", |s, _| !shows(s, "changed")),
    // It has no key of its own: tests/reload.rs asks for it by its name.
    ("reload", "", |_, _| true),
    ("write-config", "", |s, _| shows(s, "Write a configuration file?")),
    ("export", "", |s, _| s.said() == "exporting"),
    ("export", "H", |s, _| s.said() == "writing"),
    ("left", "H", |s, _| shows(s, "Yesterday, Friday 13 March 2026")),
    ("left", "<enter>2", |s, _| s.session.ui.pane == Pane::Picture),
    ("right", "<enter>", |s, _| s.session.ui.pane == Pane::Counts),
    ("right", "L", |s, _| s.session.ui.log_across == 20),
    ("next-panel", "<enter>", |s, _| s.session.ui.pane == Pane::Counts),
    ("previous-panel", "<enter>", |s, _| s.session.ui.pane == Pane::Config),
    ("next-panel", "H", |s, _| s.session.ui.history.in_rows),
    ("next-panel", "L", |s, _| shows(s, "Log: Main Entrance (camera_01)")),
    ("open", "W", |s, _| *s.session.ui.screen() == Screen::Logs(LogTarget::Worker(1))),
    ("open", "<tab>", |s, _| *s.session.ui.screen() == Screen::Workers),
    ("more", "W", |s, _| sent(s, "workers 4")),
    ("fewer", "W", |s, _| sent(s, "workers 2")),
    ("more", "<enter>", |s, _| s.session.ui.chart == Width::Quarter),
    ("more", "H", |s, _| shows(s, "This week")),
    ("fewer", "H", |s, _| shows(s, "by 15 minutes")),
    ("sort-in", "<enter>", |s, _| s.session.ui.pane == Pane::Stages),
    ("copy", "L", |_, effects| matches!(effects, [Effect::Copy(text)] if text.contains("[WORKER-02]"))),
    ("palette", "", |s, _| matches!(s.session.ui.dialog, Some(Dialog::Palette(_)))),
    ("help", "", |s, _| *s.session.ui.screen() == Screen::Help),
    ("mouse", "", |_, effects| matches!(effects, [Effect::Mouse(true)])),
    ("repaint", "", |_, effects| matches!(effects, [Effect::Repaint])),
    ("suspend", "", |_, effects| matches!(effects, [Effect::Suspend])),
    ("quit", "q", |_, effects| matches!(effects, [Effect::Quit(Exit::Quit)])),
    ("quit-keep", "", |_, effects| matches!(effects, [Effect::Quit(Exit::QuitKeepTable)])),
    ("interrupt", "", |_, effects| matches!(effects, [Effect::Quit(Exit::Signal(2))])),
];

#[test]
fn every_command_does_what_it_says_by_each_of_its_keys() {
    for command in COMMANDS {
        let cases: Vec<&Case> = CASES.iter().filter(|(name, ..)| *name == command.name).collect();
        assert!(!cases.is_empty(), "'{}' has no case in this file", command.name);
        for (name, before, holds) in cases {
            for key in command.keys {
                let mut stage = stage();
                stage.keys(before);
                stage.engine.take_sent();
                let effects = stage.keys(&format!("<{key}>"));
                let said = stage.said();
                assert!(holds(&mut stage, &effects), "{name} ({key}): {said}\n{}", stage.text(120, 40));
            }
        }
    }
}

/// The palette runs every command, too, by its name.
#[test]
fn every_command_is_found_by_its_name() {
    for command in COMMANDS {
        let mut stage = stage();
        stage.keys(&format!(":{}", command.name));
        let help: String = command.help.chars().take(20).collect();
        assert!(shows(&mut stage, &help), "{}\n{}", command.name, stage.text(120, 40));
    }
}
