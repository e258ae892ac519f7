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
            if names_numbers(path) {
                return unsupported(
                    "is not there; if it is a pattern of numbered images, make a video of them: ffmpeg \
                     -framerate 25 -i PATTERN video.mp4",
                );
            }
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

/// Whether the name stands for many files by FFmpeg's rules: `img%04d.jpg`.
fn names_numbers(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let mut parts = name.split('%').skip(1);
    parts.any(|part| part.trim_start_matches(|digit: char| digit.is_ascii_digit()).starts_with('d'))
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
        let numbered = problem(check(&folder.path().join("img%04d.jpg")).unwrap_err());
        assert!(numbered.contains("make a video of them"), "{numbered}");
        assert!(problem(check(folder.path()).unwrap_err()).contains("is a directory"));
        assert!(problem(check(&file("empty.mp4", b"")).unwrap_err()).contains("is empty"));
        assert_eq!(check(&file("some.mp4", b"1234")), Ok(4));
    }
}
