//! Files that are no video, told before FFmpeg opens them.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use super::{SourceError, refusal};

/// Length in bytes of a file that may be a video; what cannot be one is refused.
///
/// # Errors
/// [`SourceError::NotFound`], [`SourceError::Unsupported`] with the reason, or [`SourceError::System`].
pub fn check(path: &Path) -> Result<u64, SourceError> {
    let shown = path.display();
    let unsupported = |problem: &str| Err(SourceError::Unsupported(format!("'{shown}' {problem}")));
    let unreadable = |error: &io::Error| {
        refusal::of(error).map_or_else(|| unsupported(&format!("cannot be read: {error}")), Err)
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SourceError::NotFound(shown.to_string()));
        }
        Err(error) => return unreadable(&error),
    };
    if metadata.is_dir() {
        return unsupported("is a directory; name a video file in it");
    }
    if !metadata.is_file() {
        return unsupported("is not a regular file");
    }
    if let Err(error) = File::open(path) {
        return unreadable(&error);
    }
    if metadata.len() == 0 {
        return unsupported("is empty");
    }
    Ok(metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_video_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let problem = |error: SourceError| error.to_string();

        let missing = folder.path().join("missing.mp4");
        assert_eq!(check(&missing), Err(SourceError::NotFound(missing.display().to_string())));
        assert!(problem(check(folder.path()).unwrap_err()).contains("is a directory"));
        assert!(problem(check(&file("empty.mp4", b"")).unwrap_err()).contains("is empty"));
        assert_eq!(check(&file("some.mp4", b"1234")), Ok(4));
    }
}
