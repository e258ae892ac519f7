//! Everything a user can do, as data: keys, palette and mouse all end in one of these.

/// One thing to do. The same action means the same on every screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Back, or out of the program from the overview.
    Quit,
    /// Out of the program at once, leaving the final table on the terminal.
    QuitKeepTable,
    /// Out of the program at once.
    Interrupt,
    /// One step back: dialog, filter, marks, screen.
    Back,
    /// The list of keys.
    Help,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// Leftwards.
    Left,
    /// Rightwards.
    Right,
    /// A stride up.
    FarUp,
    /// A stride down.
    FarDown,
    /// A stride to the left.
    FarLeft,
    /// A stride to the right.
    FarRight,
    /// First row.
    Top,
    /// Last row.
    Bottom,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// Into the selected row.
    Enter,
    /// The next panel.
    NextPanel,
    /// The previous panel.
    PreviousPanel,
    /// Type a filter.
    Filter,
    /// Sort by the next column.
    SortNext,
    /// The other way round.
    SortReverse,
    /// Sort by this column, from 1.
    SortBy(u8),
    /// The pane of this number, from 1, of the screen of one source.
    Pane(u8),
    /// Group by location or not.
    Group,
    /// Mark the selected row.
    Mark,
    /// The alerts shown were noticed.
    Acknowledge,
    /// Pause or resume the selected or marked sources.
    Pause,
    /// Pause or resume all.
    PauseAll,
    /// Reconnect now; a finished file starts over.
    Restart,
    /// Counts back to zero.
    Reset,
    /// Add a source.
    Add,
    /// Remove sources.
    Remove,
    /// Correct the number inside an area.
    SetArea,
    /// One worker more.
    MoreWorkers,
    /// One worker fewer.
    FewerWorkers,
    /// Wider columns of the chart.
    WiderColumns,
    /// Narrower columns of the chart.
    NarrowerColumns,
    /// Longer times of the history.
    LongerTimes,
    /// Shorter times of the history.
    ShorterTimes,
    /// More levels of a log.
    MoreLevels,
    /// Fewer levels of a log.
    FewerLevels,
    /// The person of a crossing alone.
    Nearer,
    /// All around the person of a crossing.
    Farther,
    /// Freeze the view while counting goes on.
    Freeze,
    /// Live picture of the selected source.
    Preview,
    /// The chosen pane alone, or all panes.
    Maximize,
    /// A wall of previews.
    Wall,
    /// The next layout of the overview.
    Layout,
    /// Change the settings of the selected source.
    EditSource,
    /// Take the last change of settings back.
    UndoSettings,
    /// One picture of a crossing, or all of them.
    OnePicture,
    /// Edit the counting lines.
    EditLines,
    /// Use and save the lines drawn.
    SaveLines,
    /// A new line.
    AddLine,
    /// Remove the line, zone or ignored region chosen.
    RemoveShape,
    /// One corner more of a zone.
    AddCorner,
    /// One corner fewer of a zone.
    RemoveCorner,
    /// Show or hide where people walked.
    Walked,
    /// Swap the in side and the out side of a line.
    Flip,
    /// Turn a line clockwise.
    Turn,
    /// Turn a line the other way.
    TurnBack,
    /// Give a line a name.
    Rename,
    /// Another point of the body must cross the line.
    LinePoint,
    /// A new zone.
    AddZone,
    /// A new region in which nobody is seen.
    AddIgnored,
    /// The last change to what is drawn back.
    Undo,
    /// Logs of the selected source.
    Logs,
    /// All logs.
    AllLogs,
    /// What was counted on other days.
    History,
    /// The workers and their queue.
    Workers,
    /// The nodes of a fleet.
    Nodes,
    /// The snapshots of crossings.
    Crossings,
    /// A random sample of the day's crossings.
    Sample,
    /// What is and was wrong.
    Alerts,
    /// The program is right about the crossing shown.
    JudgeRight,
    /// It is wrong.
    JudgeWrong,
    /// It is wrong in both directions.
    JudgeBoth,
    /// Write a configuration file.
    WriteConfig,
    /// Take over what has changed in the configuration file.
    Reload,
    /// Export now.
    Export,
    /// Copy the row.
    Copy,
    /// All actions by name.
    Palette,
    /// Mouse on or off.
    Mouse,
    /// Paint everything again.
    Repaint,
    /// Back to the shell for a while.
    Suspend,
}
