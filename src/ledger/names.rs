//! Names of the files beside a ledger.

use std::path::{Path, PathBuf};

/// `path` with something after its name.
pub fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    PathBuf::from(name)
}

/// Part of the name of a ledger that was set aside.
pub const ASIDE: &str = "damaged-";
