//! The table of commands.

use super::super::action::Action;

/// Headings of the help screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Moving about.
    Move,
    /// What is shown and how.
    View,
    /// Things that change what is counted.
    Act,
    /// In the line editor.
    Lines,
    /// The program itself.
    Program,
}

impl Section {
    /// All, in the order of the help screen.
    pub const ALL: [Self; 5] = [Self::Move, Self::View, Self::Act, Self::Lines, Self::Program];

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::View => "View",
            Self::Act => "Act on the selected or marked sources",
            Self::Lines => "Line editor: arrows move, Tab takes the next end, a adds, d removes, Enter saves",
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
}

const fn look(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    section: Section,
) -> Command {
    Command { action, name, keys, label, help, section, changes: false }
}

const fn act(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
) -> Command {
    Command { action, name, keys, label, help, section: Section::Act, changes: true }
}

use Section::{Lines, Move, Program, View};

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
    look(Action::SortNext, "sort", &["s"], "sort", "sort by the next column", View),
    look(Action::SortReverse, "sort-reverse", &["S"], "reverse", "sort the other way round", View),
    look(Action::SortBy(1), "sort-order", &["1"], "order", "sort by the order of the configuration", View),
    look(Action::SortBy(2), "sort-state", &["2"], "by state", "sort by state, trouble first", View),
    look(Action::SortBy(3), "sort-name", &["3"], "by name", "sort by name", View),
    look(Action::SortBy(4), "sort-fps", &["4"], "by FPS", "sort by frames per second", View),
    look(Action::SortBy(5), "sort-in", &["5"], "by in", "sort by people in", View),
    look(Action::SortBy(6), "sort-out", &["6"], "by out", "sort by people out", View),
    look(Action::SortBy(7), "sort-current", &["7"], "by current", "sort by current count", View),
    look(Action::SortBy(8), "sort-limit", &["8"], "by limit", "sort by share of the limit", View),
    look(Action::SortBy(9), "sort-age", &["9"], "by age", "sort by age of the last frame", View),
    look(Action::Group, "group", &["o"], "group", "group by location, with subtotals, or not", View),
    look(Action::Freeze, "freeze", &["f"], "freeze", "hold the view still; counting goes on", View),
    look(Action::Preview, "preview", &["v"], "preview", "live picture of the selected source", View),
    look(Action::Logs, "logs", &["l"], "logs", "log of the selected source", View),
    look(Action::Report, "report", &["H"], "history", "what was counted today, yesterday, last week", View),
    look(Action::Workers, "workers", &["W"], "workers", "what each worker does, and who waits for one", View),
    look(
        Action::Crossings,
        "crossings",
        &["i"],
        "pictures",
        "pictures of crossings: of the event, source or time chosen",
        View,
    ),
    look(Action::Alert, "alert", &["!"], "alert", "pictures of what is behind the first alert", View),
    look(
        Action::Sample,
        "sample",
        &["J"],
        "sample",
        "a random sample of the day's crossings, to judge how right they are",
        View,
    ),
    look(Action::AllLogs, "all-logs", &["L"], "all logs", "log of the whole program", View),
    act(Action::EditLines, "edit-lines", &["E"], "lines", "draw the counting lines and zones on the picture"),
    look(
        Action::Mark,
        "mark",
        &["space"],
        "mark",
        "mark this source; actions then mean all marked ones",
        Section::Act,
    ),
    act(Action::Pause, "pause", &["p"], "pause", "pause or resume"),
    act(Action::PauseAll, "pause-all", &["P"], "pause all", "pause or resume all sources"),
    act(Action::Restart, "restart", &["r"], "restart", "open again now; a finished file starts over"),
    act(Action::Reset, "reset", &["R"], "reset", "set the counts to zero (asks first)"),
    act(Action::Add, "add", &["a"], "add", "add a source"),
    act(Action::Remove, "remove", &["d"], "remove", "remove from the list (asks first)"),
    act(Action::JudgeRight, "judge-right", &[], "right", "y on a crossing's pictures: the program is right"),
    act(
        Action::JudgeWrong,
        "judge-wrong",
        &[],
        "wrong",
        "n there: counted for nothing, or not counted at all",
    ),
    act(Action::JudgeBoth, "judge-both", &[], "both wrong", "b there: somebody crossed, but the other way"),
    look(Action::Acknowledge, "acknowledge", &["c"], "seen", "the alerts shown have been seen", Section::Act),
    look(Action::Copy, "copy", &["y"], "copy", "copy the row, the log or the table shown", Section::Act),
    Command {
        action: Action::More,
        name: "more",
        keys: &["+", "="],
        label: "more",
        help: "one worker more; wider columns of charts; longer times; more of the log",
        section: Section::Act,
        changes: false,
    },
    Command {
        action: Action::Fewer,
        name: "fewer",
        keys: &["-", "_"],
        label: "fewer",
        help: "one worker fewer; narrower columns of charts; shorter times; less of the log",
        section: Section::Act,
        changes: false,
    },
    look(Action::FarUp, "far-up", &["shift-up"], "far up", "five steps up", Lines),
    look(Action::FarDown, "far-down", &["shift-down"], "far down", "five steps down", Lines),
    look(Action::FarLeft, "far-left", &["shift-left"], "far left", "five steps to the left", Lines),
    look(Action::FarRight, "far-right", &["shift-right"], "far right", "five steps to the right", Lines),
    look(Action::Turn, "turn", &["t"], "turn", "turn the line clockwise", Lines),
    look(Action::TurnBack, "turn-back", &["T"], "turn back", "turn the line the other way", Lines),
    look(Action::Flip, "flip", &["x"], "flip", "swap in and out", Lines),
    look(Action::Rename, "rename", &["n"], "name", "give the line a name", Lines),
    look(Action::LinePoint, "body-point", &["b"], "feet/body", "which point of the body must cross", Lines),
    look(
        Action::AddZone,
        "add-zone",
        &["z"],
        "new zone",
        "a new zone; + and - add and remove its corners",
        Lines,
    ),
    look(Action::Undo, "undo", &["u"], "undo", "take the last change back", Lines),
    look(
        Action::Export,
        "export",
        &["e"],
        "export",
        "write the results or this history, and say where",
        Program,
    ),
    Command {
        action: Action::WriteConfig,
        name: "write-config",
        keys: &["w"],
        label: "write config",
        help: "write sources and lines of this run into a configuration file",
        section: Program,
        changes: true,
    },
    Command {
        action: Action::Reload,
        name: "reload",
        keys: &[],
        label: "reload",
        help: "take over what has changed in the configuration file (shows it first)",
        section: Program,
        changes: true,
    },
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
    look(Action::Interrupt, "interrupt", &["ctrl-c"], "stop", "stop at once, in good order", Program),
];
