//! How the program ends: its exit codes, and why it ends otherwise than well.

use crate::config::ConfigErrors;

/// Done.
pub(super) const DONE: u8 = 0;

/// Something failed while running.
pub(super) const FAILED: u8 = 1;

/// Wrong usage or configuration.
pub(super) const USAGE: u8 = 2;

/// No source could be used (`EX_UNAVAILABLE` of sysexits).
pub(super) const NO_SOURCE: u8 = 69;

/// What is said with the reason of the system when it refuses a thread.
pub(super) const NO_THREAD: &str =
    "the system refuses a thread; allow the program more processes (ulimit -u, TasksMax)";

/// The program itself is broken; what Rust programs end with.
pub(super) const PANICKED: u8 = 101;

/// Added to the number of the signal that ended the program.
pub(super) const SIGNAL: u8 = 128;

/// Why the program ends otherwise than well.
///
/// Exit code 2 tells a service manager not to try again (`RestartPreventExitStatus=2`): nothing but a change of the
/// command line or of the configuration helps. Whatever may heal by itself is another code:
///
/// | what is wrong | what happens |
/// | --- | --- |
/// | command line; configuration missing, not readable by this user, invalid; a template; a variable that is not set | 2 |
/// | configuration that cannot be read for another reason (an input/output error, a stale network folder) | 1 |
/// | file of credentials missing or unreadable | 1: a secret store or a disk may bring it |
/// | another program counts into the output folder | 1: it may end |
/// | threads or file handles refused | 1 |
/// | video or model file missing, camera away | state of the source, tried again where that can help; 69 or 1 at the end |
/// | ledger, output or log folder that cannot be opened or written, for whatever reason | counting goes on in memory and is written when it can be; 1 at the end when something was not |
/// | `report` without a ledger, or with one that cannot be read | 1 |
/// | `eval`: a folder, scene or list that does not exist or is wrong | 2; a result that cannot be written: 1 |
#[derive(Debug)]
pub(super) enum Failure {
    /// Wrong usage or configuration: what, where, how to fix it.
    Usage(String),
    /// Something failed while running.
    Runtime(anyhow::Error),
}

impl Failure {
    /// Problems of a configuration.
    pub(super) fn config(errors: &ConfigErrors) -> Self {
        let text = format!("the configuration has problems\n{errors}");
        if errors.may_heal() { Self::Runtime(anyhow::Error::msg(text)) } else { Self::Usage(text) }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Runtime(error.into())
    }
}
