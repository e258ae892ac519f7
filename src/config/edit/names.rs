//! Names of files beside a configuration.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Makes the name of a new folder, and of those on the way to it, last. Where the system cannot, it keeps names in its
/// own way.
pub(super) fn sync_names(folder: &Path) {
    for parent in folder.ancestors().skip(1).take(4).filter(|parent| !parent.as_os_str().is_empty()) {
        let _ = fs::File::open(parent).and_then(|parent| parent.sync_all());
    }
}

/// Eight digits that tell texts apart.
pub(super) fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
