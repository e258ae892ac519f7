//! What the dashboard remembers from one time to the next: the layout of the overview.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files;

#[derive(Serialize, Deserialize)]
struct Remembered {
    layout: String,
}

/// The layout remembered in `file`; `None` where none is, or what is there cannot be read: nothing depends on it.
pub fn read(file: &Path) -> Option<String> {
    let bytes = files::read_start(file, 4096).ok()?;
    serde_json::from_slice::<Remembered>(&bytes).ok().map(|remembered| remembered.layout)
}

/// Remembers a layout in `file`. Blocks for the disk.
///
/// # Errors
/// Why it could not.
pub fn write(file: &Path, layout: &str) -> Result<(), String> {
    let text = serde_json::to_string(&Remembered { layout: layout.to_owned() }).unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| files::replace(file, text.as_bytes(), files::PRIVATE))
        .map_err(|error| format!("the layout is not remembered: '{}': {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_remembered_and_what_is_no_layout_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pcount-tui/dashboard.json");
        assert_eq!(read(&file), None);
        write(&file, "table").unwrap();
        assert_eq!(read(&file).as_deref(), Some("table"));
        std::fs::write(&file, "{").unwrap();
        assert_eq!(read(&file), None);
    }
}
