//! Why an engine refuses something.

use crate::model::SourceId;

/// Why the engine refuses something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Ids are unique.
    #[error("there is a source with the id '{0}' already; give this one another id")]
    DuplicateId(SourceId),
    /// It was removed, or never there.
    #[error("there is no source with the id '{0}'; it may have been removed")]
    UnknownSource(SourceId),
    /// Nothing of it can be paused or go on.
    #[error("'{0}' has finished; restart it to count again")]
    Over(SourceId),
    /// The source is there, but not opened.
    #[error("'{id}' cannot be opened at the moment: {problem}")]
    NotOpened {
        /// The source.
        id: SourceId,
        /// Why not, and when it is tried again.
        problem: String,
    },
    /// Its schedule has closed it.
    #[error(
        "'{0}' is closed by its schedule{1}; it opens by itself, or with another 'schedule' in the configuration"
    )]
    Closed(SourceId, String),
    /// More is asked of a source than it can do.
    #[error("too many commands wait for '{0}'; wait until its detection run has ended")]
    Busy(SourceId),
    /// Nothing of this kind is wrong with a source.
    #[error("'{0}' has no alert '{1}' to acknowledge; it may be over already")]
    NoAlert(SourceId, &'static str),
    /// The area is not one of the configuration.
    #[error("there is no area '{0}'; areas stand in the configuration file, and `ctl area` lists them")]
    UnknownArea(String),
    /// More people than an area can hold.
    #[error("{0} people cannot be inside an area; at most {most} can", most = crate::model::MOST_INSIDE)]
    TooMany(u64),
    /// An area and a source would have one name.
    #[error("there is an area '{0}'; give the source another id, or the area another name")]
    AreaOfThisName(SourceId),
    /// There is no room to note what is asked.
    #[error(
        "the counts were not reset: too many results wait to be written; try again when the disk or the reader has caught up"
    )]
    Backlog,
    /// A fault of the program.
    #[error("internal error: {0}; please report it with the log")]
    Internal(String),
    /// An engine in another process refuses it, for this reason.
    #[error("{0}")]
    Refused(String),
    /// The engine was stopped.
    #[error("the engine has ended; restart the program")]
    Ended,
    /// The source string cannot be understood.
    #[error("{0}")]
    Source(String),
    /// The system refuses threads for the workers, for this reason.
    #[error(
        "the worker pool cannot be started: {0}; raise the limit on threads (ulimit -u, TasksMax= of a service)"
    )]
    Pool(String),
    /// The system refuses threads.
    #[error(
        "a thread cannot be started: {0}; raise the limit on threads (ulimit -u, TasksMax= of a service)"
    )]
    // Not as its source, which would be printed a second time.
    Thread(std::io::Error),
}
