//! Libraries that a program of a test loads before the system's.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::require;

/// Builds `tests/support/NAME.c` into a library in `dir`. Where there is no compiler, the test is skipped.
pub fn library(dir: &Path, name: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/support/{name}.c"));
    let library = dir.join(format!("{name}.so"));
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    let Ok(built) = built else {
        require::skip("compiler", "there is no 'cc'");
        return None;
    };
    assert!(built.success(), "{name}.c does not compile");
    Some(library)
}
