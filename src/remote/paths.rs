//! Paths as the user of this program writes them: the engine may run in another folder.

use std::path::{Path, PathBuf};

use crate::config::{SourceConfig, SourceSpec};

/// The same source with a path that is right wherever the engine runs.
pub fn from_here(source: &SourceConfig) -> SourceConfig {
    let mut source = source.clone();
    if let SourceSpec::File(path) | SourceSpec::Device(path) = &mut source.source {
        *path = whole(path);
    }
    source
}

/// The text by which the user named `source`, or the whole path where that is one.
pub fn written_from_here(source: &SourceConfig, written: &str) -> String {
    match &source.source {
        SourceSpec::File(path) | SourceSpec::Device(path) if path.is_relative() => {
            whole(path).display().to_string()
        }
        _ => written.to_owned(),
    }
}

fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_path_is_one_of_this_folder_and_everything_else_stays_as_written() {
        let source = |text: &str| SourceConfig::from_source_string(text, &BTreeSet::new()).unwrap();
        let here = std::env::current_dir().unwrap().join("videos/a.mp4");
        assert_eq!(from_here(&source("videos/a.mp4")).source, SourceSpec::File(here.clone()));
        assert_eq!(written_from_here(&source("videos/a.mp4"), "videos/a.mp4"), here.display().to_string());
        for text in ["rtsp://cam.lan/1", "demo:lobby", "/v/a.mp4"] {
            assert_eq!(from_here(&source(text)), source(text));
            assert_eq!(written_from_here(&source(text), text), text);
        }
    }
}
