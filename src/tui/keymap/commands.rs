//! The table of commands.

use super::super::{
    action::Action,
    screen_id::ScreenId::{self, Crossings, History, Lines, Logs, Overview, Source, Wall, Workers},
};

/// Headings of the help screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Moving about.
    Move,
    /// What is shown and how.
    View,
    /// Things that change what is counted.
    Act,
    /// On the screen of one source.
    Source,
    /// In the history and in logs.
    Past,
    /// On the snapshots of crossings.
    Crossings,
    /// In the line editor.
    Lines,
    /// The program itself.
    Program,
}

impl Section {
    /// All, in the order of the help screen.
    pub const ALL: [Self; 8] = [
        Self::Move,
        Self::View,
        Self::Act,
        Self::Source,
        Self::Past,
        Self::Crossings,
        Self::Lines,
        Self::Program,
    ];

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::View => "View",
            Self::Act => "Act on the selected or marked sources",
            Self::Source => "On the screen of one source",
            Self::Past => "In the history and in logs",
            Self::Crossings => "On the snapshots of crossings",
            Self::Lines => "In the line editor: arrows move, Tab takes the next end",
            Self::Program => "Program",
        }
    }
}

/// One command: an action with its name, keys and descriptions.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// What it does.
    pub action: Action,
    /// Name in the palette and in the configuration's `keys`.
    pub name: &'static str,
    /// Default keys, first the one to show.
    pub keys: &'static [&'static str],
    /// One or two words for the footer.
    pub label: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
    /// Where the help lists it.
    pub section: Section,
    /// Whether it changes what the engine does, which `--read-only` forbids.
    pub changes: bool,
    /// The screens on which it does something; everywhere where none is named.
    pub on: &'static [ScreenId],
}

impl Command {
    const fn on(self, on: &'static [ScreenId]) -> Self {
        Self { on, ..self }
    }

    const fn listed(self, section: Section) -> Self {
        Self { section, ..self }
    }

    /// Whether it does something on this screen.
    #[must_use]
    pub fn works_on(&self, screen: ScreenId) -> bool {
        self.on.is_empty() || self.on.contains(&screen)
    }
}

const fn look(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    section: Section,
) -> Command {
    Command { action, name, keys, label, help, section, changes: false, on: &[] }
}

const fn act(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
) -> Command {
    Command { action, name, keys, label, help, section: Section::Act, changes: true, on: &[] }
}

/// A command of the line editor. What it changes is on the screen alone until it is saved.
const fn edit(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
) -> Command {
    look(action, name, keys, label, help, Section::Lines).on(&[Lines])
}

use Section::{Move, Program, View};

/// Every command, in the order of the help screen.
pub const COMMANDS: &[Command] = &[
    look(Action::Up, "up", &["k", "up"], "up", "one row up", Move),
    look(Action::Down, "down", &["j", "down"], "down", "one row down", Move),
    look(Action::Left, "left", &["left", "h"], "left", "left; earlier in the history; previous pane", Move),
    look(Action::Right, "right", &["right"], "right", "right; later in the history; next pane", Move),
    look(Action::Top, "top", &["g", "home"], "top", "first row", Move),
    look(Action::Bottom, "bottom", &["G", "end"], "bottom", "last row", Move),
    look(Action::PageUp, "page-up", &["pgup", "ctrl-u"], "page up", "one page up", Move),
    look(Action::PageDown, "page-down", &["pgdn", "ctrl-d"], "page down", "one page down", Move),
    look(Action::Enter, "open", &["enter"], "open", "open the selected source, day or worker", Move),
    look(
        Action::Back,
        "back",
        &["esc", "backspace"],
        "back",
        "back: closes, clears the filter, the marks",
        Move,
    ),
    look(Action::NextPanel, "next-panel", &["tab"], "next panel", "next panel, pane or log", Move),
    look(
        Action::PreviousPanel,
        "previous-panel",
        &["shift-tab"],
        "previous panel",
        "previous panel, pane or log",
        Move,
    ),
    look(Action::Filter, "filter", &["/"], "filter", "only rows with these words; !word hides them", View),
    look(Action::SortNext, "sort", &["s"], "sort", "sort by the next column", View).on(&[Overview]),
    look(Action::SortReverse, "sort-reverse", &["S"], "reverse", "sort in the opposite order", View)
        .on(&[Overview]),
    look(Action::SortBy(1), "sort-order", &["1"], "order", "sort by the order of the configuration", View)
        .on(&[Overview]),
    look(Action::SortBy(2), "sort-state", &["2"], "by state", "sort by state, the worst first", View)
        .on(&[Overview]),
    look(Action::SortBy(3), "sort-name", &["3"], "by name", "sort by name", View).on(&[Overview]),
    look(Action::SortBy(4), "sort-fps", &["4"], "by FPS", "sort by frames per second", View).on(&[Overview]),
    look(Action::SortBy(5), "sort-in", &["5"], "by in", "sort by people in", View).on(&[Overview]),
    look(Action::SortBy(6), "sort-out", &["6"], "by out", "sort by people out", View).on(&[Overview]),
    look(Action::SortBy(7), "sort-current", &["7"], "by current", "sort by current count", View)
        .on(&[Overview]),
    look(Action::SortBy(8), "sort-limit", &["8"], "by limit", "sort by share of the limit", View)
        .on(&[Overview]),
    look(Action::SortBy(9), "sort-age", &["9"], "by age", "sort by age of the last frame", View)
        .on(&[Overview]),
    look(
        Action::Group,
        "group",
        &["o"],
        "group",
        "group by location, with subtotals, or not; in a fleet by node and site",
        View,
    )
    .on(&[Overview]),
    look(Action::Freeze, "freeze", &["f"], "freeze", "freeze the view; counting goes on", View)
        .on(&[Overview, Source, Wall]),
    look(Action::Preview, "preview", &["v"], "preview", "live preview of the selected source", View)
        .on(&[Overview, Source]),
    look(
        Action::Layout,
        "layout",
        &["t"],
        "layout",
        "the next layout: auto, panels, detail, table; remembered",
        View,
    )
    .on(&[Overview]),
    look(Action::Wall, "wall", &["V"], "wall", "a wall of live previews", View),
    look(Action::Logs, "logs", &["l"], "logs", "log of the selected source", View),
    look(Action::History, "history", &["H"], "history", "what was counted today, yesterday, last week", View),
    look(
        Action::Workers,
        "workers",
        &["W"],
        "workers",
        "what each worker does, and what waits for one",
        View,
    ),
    look(
        Action::Nodes,
        "nodes",
        &["N"],
        "nodes",
        "the nodes of the fleet: load, room, sources, when each was seen",
        View,
    ),
    look(
        Action::Alerts,
        "alerts",
        &["!"],
        "alerts",
        "what is and was wrong, since when, who acknowledged it",
        View,
    ),
    look(
        Action::Crossings,
        "crossings",
        &["i"],
        "snapshots",
        "snapshots of crossings: of the event, source or time chosen",
        View,
    ),
    look(
        Action::Sample,
        "sample",
        &["J"],
        "sample",
        "a random sample of the day's crossings, to judge how right they are",
        View,
    ),
    look(Action::AllLogs, "all-logs", &["L"], "all logs", "log of the whole program", View),
    act(Action::EditLines, "edit-lines", &["E"], "lines", "draw the counting lines and zones on the preview")
        .on(&[Overview, Source, Wall, Lines]),
    look(
        Action::Mark,
        "mark",
        &["space"],
        "mark",
        "mark this source; actions then mean all marked ones",
        Section::Act,
    )
    .on(&[Overview]),
    act(Action::Pause, "pause", &["p"], "pause", "pause or resume"),
    act(Action::PauseAll, "pause-all", &["P"], "pause all", "pause or resume all sources").on(&[Overview]),
    act(Action::Restart, "restart", &["r"], "restart", "reconnect now; a finished file starts over"),
    act(Action::Reset, "reset", &["R"], "reset", "set the counts to zero (asks first)"),
    act(Action::Add, "add", &["a"], "add", "add a source"),
    act(
        Action::EditSource,
        "settings",
        &[","],
        "settings",
        "change its name, location, limits, rate, login; saved",
    ),
    act(Action::UndoSettings, "undo-settings", &["u"], "undo", "undo the last change of settings")
        .on(&[Overview, Source, Wall]),
    act(Action::Remove, "remove", &["d"], "remove", "remove from the list (asks first)"),
    look(
        Action::Acknowledge,
        "acknowledge",
        &["c"],
        "ack",
        "acknowledge the alerts; on their screen, the chosen one",
        Section::Act,
    ),
    look(Action::Copy, "copy", &["y"], "copy", "copy the row, the log or the table shown", Section::Act),
    act(Action::SetArea, "correct-area", &["A"], "area", "correct the number inside an area").on(&[Overview]),
    act(Action::MoreWorkers, "more-workers", &["+", "="], "more", "one worker more").on(&[Overview, Workers]),
    act(Action::FewerWorkers, "fewer-workers", &["-", "_"], "fewer", "one worker fewer")
        .on(&[Overview, Workers]),
    look(Action::Pane(1), "pane-preview", &["1"], "preview", "the live preview", Section::Source)
        .on(&[Source]),
    look(Action::Pane(2), "pane-counts", &["2"], "counts", "counts, rates, errors", Section::Source)
        .on(&[Source]),
    look(Action::Pane(3), "pane-events", &["3"], "events", "crossings and changes of state", Section::Source)
        .on(&[Source]),
    look(Action::Pane(4), "pane-chart", &["4"], "chart", "people in and out over time", Section::Source)
        .on(&[Source]),
    look(Action::Pane(5), "pane-times", &["5"], "times", "where the CPU time goes", Section::Source)
        .on(&[Source]),
    look(Action::Pane(6), "pane-log", &["6"], "log", "the end of its log", Section::Source).on(&[Source]),
    look(Action::Pane(7), "pane-config", &["7"], "config", "its configuration", Section::Source)
        .on(&[Source]),
    look(
        Action::Maximize,
        "maximize",
        &["z"],
        "maximize",
        "the chosen pane alone, or all panes",
        Section::Source,
    )
    .on(&[Source]),
    look(Action::WiderColumns, "wider", &["+", "="], "wider", "wider columns of the chart", Section::Source)
        .on(&[Source]),
    look(
        Action::NarrowerColumns,
        "narrower",
        &["-", "_"],
        "narrower",
        "narrower columns of the chart",
        Section::Source,
    )
    .on(&[Source]),
    look(Action::LongerTimes, "longer", &["+", "="], "longer", "a week, a month", Section::Past)
        .on(&[History]),
    look(
        Action::ShorterTimes,
        "shorter",
        &["-", "_"],
        "shorter",
        "a day by the hour, by 15 minutes",
        Section::Past,
    )
    .on(&[History]),
    look(Action::MoreLevels, "more-levels", &["+", "="], "more", "more levels of the log", Section::Past)
        .on(&[Logs]),
    look(
        Action::FewerLevels,
        "fewer-levels",
        &["-", "_"],
        "fewer",
        "fewer levels of the log, down to errors",
        Section::Past,
    )
    .on(&[Logs]),
    act(Action::JudgeRight, "judge-right", &["y"], "right", "the program is right about this crossing")
        .on(&[Crossings])
        .listed(Section::Crossings),
    act(
        Action::JudgeWrong,
        "judge-wrong",
        &["n"],
        "wrong",
        "it is wrong: counted for nothing, or not counted at all",
    )
    .on(&[Crossings])
    .listed(Section::Crossings),
    act(
        Action::JudgeBoth,
        "judge-both",
        &["b"],
        "wrong way",
        "both counts are wrong: somebody went the other way",
    )
    .on(&[Crossings])
    .listed(Section::Crossings),
    look(
        Action::OnePicture,
        "one-picture",
        &["v"],
        "one/all",
        "one snapshot or all five",
        Section::Crossings,
    )
    .on(&[Crossings]),
    look(Action::Nearer, "nearer", &["+", "="], "nearer", "the person alone", Section::Crossings)
        .on(&[Crossings]),
    look(Action::Farther, "farther", &["-", "_"], "farther", "all around the person", Section::Crossings)
        .on(&[Crossings]),
    edit(Action::SaveLines, "save-lines", &["enter"], "save", "count by what is drawn and save it"),
    edit(Action::AddLine, "add-line", &["a"], "new line", "a new line"),
    edit(Action::AddZone, "add-zone", &["z"], "new zone", "a new zone"),
    edit(Action::AddIgnored, "add-ignored", &["I"], "ignore", "a new region to ignore: nobody is seen there"),
    edit(Action::RemoveShape, "remove-shape", &["d"], "remove", "remove the line, zone or ignored region"),
    edit(
        Action::AddCorner,
        "add-corner",
        &["+", "="],
        "corner",
        "one corner more of a zone or ignored region",
    ),
    edit(
        Action::RemoveCorner,
        "remove-corner",
        &["-", "_"],
        "less corners",
        "remove the corner that is held",
    ),
    edit(Action::FarUp, "far-up", &["shift-up"], "far up", "five steps up"),
    edit(Action::FarDown, "far-down", &["shift-down"], "far down", "five steps down"),
    edit(Action::FarLeft, "far-left", &["shift-left"], "far left", "five steps to the left"),
    edit(Action::FarRight, "far-right", &["shift-right"], "far right", "five steps to the right"),
    edit(Action::Turn, "turn", &["t"], "turn", "turn the line clockwise"),
    edit(Action::TurnBack, "turn-back", &["T"], "turn back", "turn the line counterclockwise"),
    edit(Action::Flip, "flip", &["x"], "flip", "swap in and out"),
    edit(Action::Rename, "rename", &["n"], "name", "give the line a name"),
    edit(Action::LinePoint, "body-point", &["b"], "feet/body", "which point of the body must cross"),
    edit(Action::Walked, "walked", &["v"], "walked", "show or hide where people walked"),
    edit(Action::Undo, "undo", &["u"], "undo", "undo the last change"),
    look(
        Action::Export,
        "export",
        &["e"],
        "export",
        "write the results or this history, and say where",
        Program,
    ),
    act(
        Action::WriteConfig,
        "write-config",
        &["w"],
        "write config",
        "write sources and lines of this run into a configuration file",
    )
    .listed(Program),
    act(
        Action::Reload,
        "reload",
        &[],
        "reload",
        "take over what has changed in the configuration file (shows it first)",
    )
    .listed(Program),
    look(Action::Palette, "palette", &[":"], "commands", "find any command by its name", Program),
    look(Action::Help, "help", &["?"], "help", "this list", Program),
    look(
        Action::Mouse,
        "mouse",
        &["m"],
        "mouse",
        "mouse on or off (off leaves selecting to the terminal)",
        Program,
    ),
    look(Action::Repaint, "repaint", &["ctrl-l"], "repaint", "paint the whole screen again", Program),
    look(Action::Suspend, "suspend", &["ctrl-z"], "suspend", "back to the shell; 'fg' returns", Program),
    look(Action::Quit, "quit", &["q"], "quit", "back, or quit from the overview", Program),
    look(Action::QuitKeepTable, "quit-keep", &["Q"], "quit, keep", "quit and leave the final table", Program),
    look(Action::Interrupt, "interrupt", &["ctrl-c"], "stop", "stop at once and shut down cleanly", Program),
];
