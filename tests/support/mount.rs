//! The program beside file systems of a test's own, in a mount namespace.

use std::{
    path::Path,
    process::{Command, Output},
};

use crate::require;

/// Runs `script` in `dir` with bash, in a namespace made with `options`; $1 is the program, what follows `arguments`.
/// `None` where this machine allows none, which lacks `kind` then: the test is skipped. The script says so itself with the
/// exit code 77.
#[track_caller]
pub fn in_namespace(
    kind: &str,
    options: &[&str],
    script: &str,
    arguments: &[&str],
    dir: &Path,
) -> Option<Output> {
    let run = Command::new("unshare")
        .arg("--mount")
        .args(options)
        .args(["bash", "-c", script, "bash", env!("CARGO_BIN_EXE_pcount-tui")])
        .args(arguments)
        .current_dir(dir)
        .output();
    let Ok(run) = run else {
        require::skip(kind, "'unshare' is not installed");
        return None;
    };
    let said = String::from_utf8_lossy(&run.stderr);
    if run.status.code() == Some(77) || said.contains("unshare failed") || said.contains("not permitted") {
        require::skip(kind, &format!("this machine allows none: {}", said.trim()));
        return None;
    }
    Some(run)
}
