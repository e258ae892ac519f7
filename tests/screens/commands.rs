//! Every command by each of its keys: what it does, on the screen where it does it.

use pcount::{
    internals::{
        ledger::chart::Width,
        tui::{
            Exit,
            dialogs::Dialog,
            effect::TerminalWork,
            keymap::COMMANDS,
            listing::SortKey,
            screen_id::ScreenId,
            screens::{logs::state::LogTarget, overview::state::Panel, source::panes::Pane},
        },
    },
    model::{SourceId, SourceState},
};

use super::{fake, stage::Stage};

/// Name of the command, keys before it, and what must hold after its own key.
type Case = (&'static str, &'static str, fn(&mut Stage, &[TerminalWork]) -> bool);

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
    stage.session.ui.context.selected().unwrap().id.clone()
}

fn sent(stage: &Stage, what: &str) -> bool {
    stage.engine.take_sent().iter().any(|sent| sent.contains(what))
}

fn shows(stage: &mut Stage, text: &str) -> bool {
    stage.text(120, 40).contains(text)
}

fn shows_log(stage: &Stage, target: &LogTarget) -> bool {
    stage.session.ui.screen() == ScreenId::Logs && stage.session.ui.screens.logs.target() == target
}

fn sorted_by(stage: &Stage, key: SortKey) -> bool {
    stage.session.ui.context.arrangement().sort == key
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
    ("open", "", |s, _| s.session.ui.screen() == ScreenId::Source),
    ("back", "<enter>", |s, _| s.session.ui.screen() == ScreenId::Overview),
    ("next-panel", "", |s, _| s.session.ui.screens.overview.panel == Panel::Workers),
    ("previous-panel", "", |s, _| s.session.ui.screens.overview.panel == Panel::Events),
    ("filter", "", |s, _| s.session.ui.filter_input.is_some()),
    ("sort", "", |s, _| sorted_by(s, SortKey::State)),
    ("sort-reverse", "5", |s, _| s.session.ui.context.arrangement().reversed),
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
    ("logs", "", |s, _| shows_log(s, &LogTarget::Source("camera_01".into()))),
    ("layout", "", |s, _| s.said() == "layout: panels"),
    ("wall", "", |s, _| sent(s, "preview camera_02 true")),
    ("workers", "", |s, _| s.session.ui.screen() == ScreenId::Workers),
    ("history", "", |s, _| s.session.ui.screen() == ScreenId::History),
    ("crossings", "", |s, _| s.session.ui.screen() == ScreenId::Crossings),
    // Tests of the fleet press it where there are nodes.
    ("nodes", "", |s, _| s.said().starts_with("there are no nodes")),
    ("alerts", "", |s, _| s.session.ui.screen() == ScreenId::Alerts),
    ("sample", "", |s, _| s.session.ui.screen() == ScreenId::Crossings),
    // Tests of the crossings press these where there are crossings.
    ("judge-right", "i", |s, _| s.said() == "there is nothing to judge"),
    ("judge-wrong", "i", |s, _| s.said() == "there is nothing to judge"),
    ("judge-both", "i", |s, _| s.said() == "there is nothing to judge"),
    ("one-picture", "i", |s, _| s.said() == "there are no snapshots of it here"),
    ("nearer", "i", |s, _| s.said() == "there are no snapshots of it here"),
    ("farther", "i", |s, _| s.said() == "there are no snapshots of it here"),
    ("all-logs", "", |s, _| shows_log(s, &LogTarget::Central)),
    ("edit-lines", "", |s, _| s.session.ui.screen() == ScreenId::Lines),
    ("mark", "", |s, _| s.session.ui.context.listing.marked() == 1),
    ("pause", "", |s, _| sent(s, "pause camera_01")),
    ("pause-all", "", |s, _| sent(s, "pause all true")),
    ("restart", "j", |s, _| sent(s, "restart camera_02")),
    ("reset", "", |s, _| shows(s, "Set these counts to zero?")),
    ("add", "", |s, _| matches!(s.session.ui.dialog, Some(Dialog::AddSource(_)))),
    ("correct-area", "", |s, _| s.said().starts_with("there are no areas")),
    ("remove", "", |s, _| shows(s, "Stop and remove")),
    ("acknowledge", "", |s, _| s.session.ui.context.alerts.standing().iter().all(|alert| alert.acknowledged)),
    ("copy", "", |_, effects| matches!(effects, [TerminalWork::Copy(text)] if text.starts_with("camera_01"))),
    ("more-workers", "", |s, _| sent(s, "workers 4")),
    ("fewer-workers", "", |s, _| sent(s, "workers 2")),
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
    ("add-ignored", "E", |s, _| s.said().starts_with("ignored: Tab takes its corners")),
    ("save-lines", "Ex", |s, _| sent(s, "a: [1.0, 0.5], b: [0.0, 0.5]")),
    ("add-line", "E", |s, _| shows(s, "(2 of 2)")),
    ("remove-shape", "Ea", |s, _| shows(s, "(1 of 1)")),
    ("add-corner", "Ez<tab>", |s, _| shows(s, "corner 2 of 5")),
    ("remove-corner", "Ez<tab>", |s, _| shows(s, "corner 1 of 3")),
    ("walked", "E", |s, _| s.said() == "where people walked is hidden"),
    ("undo", "Ex", |s, _| !shows(s, "changed")),
    // It has no key of its own: tests/reload.rs asks for it by its name.
    ("reload", "", |_, _| true),
    ("settings", "", |s, _| s.said().starts_with("settings are saved to a configuration file")),
    ("undo-settings", "", |s, _| s.said().starts_with("no settings were changed here")),
    ("write-config", "", |s, _| shows(s, "Write a configuration file?")),
    ("export", "", |s, _| s.said() == "exporting the results"),
    ("export", "H", |s, _| s.said() == "writing the history to a file"),
    ("left", "H", |s, _| shows(s, "Yesterday, Friday 13 March 2026")),
    ("left", "<enter>2", |s, _| s.session.ui.screens.source.pane == Pane::Preview),
    ("right", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Counts),
    ("right", "L", |s, _| s.session.ui.screens.logs.across == 20),
    ("next-panel", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Counts),
    ("previous-panel", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Config),
    ("next-panel", "H", |s, _| s.session.ui.screens.history.in_rows),
    ("next-panel", "L", |s, _| shows(s, "Log: Main Entrance (camera_01)")),
    ("open", "W", |s, _| shows_log(s, &LogTarget::Worker(1))),
    ("open", "<tab>", |s, _| s.session.ui.screen() == ScreenId::Workers),
    ("more-workers", "W", |s, _| sent(s, "workers 4")),
    ("fewer-workers", "W", |s, _| sent(s, "workers 2")),
    ("wider", "<enter>", |s, _| s.session.ui.screens.source.chart_width == Width::Quarter),
    ("longer", "H", |s, _| shows(s, "This week")),
    ("shorter", "H", |s, _| shows(s, "by 15 minutes")),
    ("pane-times", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Times),
    ("pane-preview", "<enter>2", |s, _| s.session.ui.screens.source.pane == Pane::Preview),
    ("pane-counts", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Counts),
    ("pane-events", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Events),
    ("pane-chart", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Chart),
    ("pane-log", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Log),
    ("pane-config", "<enter>", |s, _| s.session.ui.screens.source.pane == Pane::Config),
    ("maximize", "<enter>", |s, _| !shows(s, "In and out by the minute")),
    ("narrower", "<enter>", |s, _| s.said() == "a minute is the narrowest column"),
    ("more-levels", "L", |s, _| s.said() == "everything is shown"),
    ("fewer-levels", "L", |s, _| s.said() == "showing INFO and above"),
    ("copy", "L", |_, effects| matches!(effects, [TerminalWork::Copy(text)] if text.contains("[WORKER-02]"))),
    ("palette", "", |s, _| matches!(s.session.ui.dialog, Some(Dialog::Palette(_)))),
    ("help", "", |s, _| s.session.ui.screen() == ScreenId::Help),
    ("mouse", "", |_, effects| matches!(effects, [TerminalWork::Mouse(true)])),
    ("repaint", "", |_, effects| matches!(effects, [TerminalWork::Repaint])),
    ("suspend", "", |_, effects| matches!(effects, [TerminalWork::Suspend])),
    ("quit", "q", |_, effects| matches!(effects, [TerminalWork::Quit(Exit::Quit)])),
    ("quit-keep", "", |_, effects| matches!(effects, [TerminalWork::Quit(Exit::QuitKeepTable)])),
    ("interrupt", "", |_, effects| matches!(effects, [TerminalWork::Quit(Exit::Signal(2))])),
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
