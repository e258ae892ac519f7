//! Names of the screens.

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScreenId {
    /// All sources.
    Overview,
    /// The selected source in full.
    Source,
    /// The counting lines and zones of a source.
    Lines,
    /// What was counted on other days.
    History,
    /// The snapshots of crossings.
    Crossings,
    /// A log.
    Logs,
    /// The workers and their queue.
    Workers,
    /// The nodes of a fleet.
    Nodes,
    /// What is and was wrong.
    Alerts,
    /// Live previews beside each other.
    Wall,
    /// The keys.
    Help,
}

impl ScreenId {
    /// What it is called in a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Overview => "the overview",
            Self::Source => "the screen of one source",
            Self::Lines => "the line editor",
            Self::History => "the history",
            Self::Crossings => "the snapshots of crossings",
            Self::Logs => "logs",
            Self::Workers => "the workers",
            Self::Nodes => "the nodes of the fleet",
            Self::Alerts => "the alerts",
            Self::Wall => "the wall of previews",
            Self::Help => "the help",
        }
    }
}
