//! Why a video file cannot be opened: OpenCV says only that it failed, so the file is looked at.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::{SourceError, refusal};

/// How much of a file is looked at to tell its kind.
const HEAD: u64 = 4096;

/// Refuses, before anything is decoded, what cannot be a video file.
///
/// # Errors
/// [`SourceError::NotFound`], [`SourceError::Unsupported`] with the reason, or [`SourceError::System`].
pub fn check(path: &Path) -> Result<(), SourceError> {
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
    Ok(())
}

/// The likely reason why the file at `path` did not open as a video.
#[must_use]
pub fn diagnose(path: &Path) -> SourceError {
    if let Some(refused) = refusal::find() {
        return refused;
    }
    let problem = match look(path) {
        Ok(kind) => kind.problem().to_owned(),
        Err(error) => format!("cannot be read: {error}"),
    };
    SourceError::Unsupported(format!("'{}' {problem}", path.display()))
}

/// What a file that is no usable video seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Audio,
    Archive,
    UnfinishedMp4,
    Unknown,
}

impl Kind {
    fn problem(self) -> &'static str {
        match self {
            Self::Text => "is text, not a video",
            Self::Audio => "holds sound but no video",
            Self::Archive => "is an archive or document, not a video; unpack it first",
            Self::UnfinishedMp4 => {
                "is cut short: its index (the 'moov' box) is missing, so it is still being written \
                 or its recording was never finished"
            }
            Self::Unknown => "holds no video that can be decoded; it may be damaged or cut short",
        }
    }
}

fn look(path: &Path) -> io::Result<Kind> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head)?;
    if head.get(4..8) == Some(b"ftyp") && !has_moov(&mut file)? {
        return Ok(Kind::UnfinishedMp4);
    }
    Ok(kind_of(&head))
}

/// The kind of a file by its first bytes (the signatures in their formats' specifications).
fn kind_of(head: &[u8]) -> Kind {
    let audio_in_container =
        |at: usize, tags: &[&[u8]]| tags.iter().any(|tag| head.get(at..at + tag.len()) == Some(*tag));
    let audio_only = head.starts_with(b"ID3")
        || head.starts_with(b"fLaC")
        || (head.starts_with(b"RIFF") && audio_in_container(8, &[b"WAVE"]))
        || (head.starts_with(b"OggS") && audio_in_container(28, &[b"\x01vorbis", b"OpusHead", b"\x7fFLAC"]))
        || (audio_in_container(4, &[b"ftyp"]) && audio_in_container(8, &[b"M4A ", b"M4B "]))
        || (head.first() == Some(&0xFF) && head.get(1).is_some_and(|byte| byte & 0xE6 == 0xE2));
    if audio_only {
        Kind::Audio
    } else if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\x1F\x8B") || head.starts_with(b"%PDF") {
        Kind::Archive
    } else if is_text(head) {
        Kind::Text
    } else {
        Kind::Unknown
    }
}

fn is_text(head: &[u8]) -> bool {
    // The last character may be cut in two by the end of the piece that was read.
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() + 4 > head.len() && error.valid_up_to() > 0 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !whole.is_empty() && whole.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())
}

/// Whether the top level of an MP4 file holds a whole `moov` box (ISO/IEC 14496-12, 4.2).
fn has_moov(file: &mut File) -> io::Result<bool> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut at = 0;
    while at + 8 <= end {
        file.seek(SeekFrom::Start(at))?;
        let mut header = [0; 16];
        let got = file.by_ref().take(16).read(&mut header)?;
        if got < 8 {
            break;
        }
        let short = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        let size = match short {
            0 => end - at,
            1 if got == 16 => header[8..].iter().fold(0, |size, &byte| size << 8 | u64::from(byte)),
            1 => break,
            size => u64::from(size),
        };
        let next = at.saturating_add(size);
        if &header[4..8] == b"moov" {
            return Ok(next <= end);
        }
        if size < 8 {
            break;
        }
        at = next;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_the_first_bytes() {
        assert_eq!(kind_of(b"people walked here\n"), Kind::Text);
        assert_eq!(kind_of("größer".as_bytes()), Kind::Text);
        assert_eq!(kind_of(&"größer".as_bytes()[..3]), Kind::Text);
        assert_eq!(kind_of(b"RIFF\x24\0\0\0WAVEfmt "), Kind::Audio);
        assert_eq!(kind_of(b"RIFF\x24\0\0\0AVI LIST"), Kind::Unknown);
        assert_eq!(kind_of(b"ID3\x04\0\0"), Kind::Audio);
        assert_eq!(kind_of(b"\xFF\xFB\x90\x64"), Kind::Audio);
        assert_eq!(kind_of(b"PK\x03\x04\x14\0"), Kind::Archive);
        assert_eq!(kind_of(b"\0\x01\x02\x03"), Kind::Unknown);
        assert_eq!(kind_of(b""), Kind::Unknown);
    }

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
        assert!(problem(diagnose(&file("text.mp4", b"hello"))).contains("is text"));
    }

    #[test]
    fn an_mp4_without_its_index_is_called_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.mp4");
        let ftyp = b"\0\0\0\x10ftypisom\0\0\0\0";
        fs::write(&path, [ftyp.as_slice(), b"\0\0\xFF\xFFmdat1234"].concat()).unwrap();
        assert_eq!(look(&path).unwrap(), Kind::UnfinishedMp4);
        fs::write(&path, [ftyp.as_slice(), b"\0\0\0\x0Cmoov1234"].concat()).unwrap();
        assert_eq!(look(&path).unwrap(), Kind::Unknown);
        fs::write(
            &path,
            [ftyp.as_slice(), b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x14abcd", b"\0\0\0\x08moov"].concat(),
        )
        .unwrap();
        assert_eq!(look(&path).unwrap(), Kind::Unknown);
        fs::write(&path, [ftyp.as_slice(), b"\0\0\0\x02mdat"].concat()).unwrap();
        assert_eq!(look(&path).unwrap(), Kind::UnfinishedMp4);
    }
}
