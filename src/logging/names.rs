//! File names from ids: readable, never outside the folder, never two ids in one file.

use sha2::{Digest, Sha256};

/// Name of the central log, without its ending.
pub const CENTRAL: &str = "parallel_counter";

/// Name of the file that takes what native libraries write to the error stream, without its ending.
pub const NATIVE: &str = "native-stderr";

/// Longest readable part. With the mark and `.log.N` well below the 255 bytes a file system allows.
const MAX_STEM: usize = 100;

/// Name of a worker's log, without its ending: `worker_01`.
#[must_use]
pub fn worker_stem(worker: u64) -> String {
    format!("worker_{worker:02}")
}

/// Name of a camera's log, without its ending. Plain ids are kept as they are; an id with other characters
/// than letters, digits, `_`, `-` and `.`, or one that would meet another log, is made safe and marked with
/// eight digits of its SHA-256.
#[must_use]
pub fn camera_stem(id: &str) -> String {
    let safe: String = id
        .chars()
        .take(MAX_STEM)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' })
        .collect();
    let reserved = safe.is_empty()
        || safe.starts_with('.')
        || safe == CENTRAL
        || safe == NATIVE
        || safe
            .strip_prefix("worker_")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if safe == id && !reserved {
        return safe;
    }
    let mark = mark(id);
    format!("{}-{mark}", if reserved { format!("source_{}", safe.trim_start_matches('.')) } else { safe })
}

/// Another name for the log `stem`, where another program has one of that name.
#[must_use]
pub fn marked(stem: &str) -> String {
    format!("{stem}-{}", mark(stem))
}

fn mark(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_ids_are_kept() {
        assert_eq!(camera_stem("camera_01"), "camera_01");
        assert_eq!(camera_stem("Lobby-2.north"), "Lobby-2.north");
        assert_eq!(worker_stem(1), "worker_01");
    }

    #[test]
    fn no_id_leaves_the_folder_or_meets_another_log() {
        for id in ["../../etc/passwd", "/etc/passwd", "..", ".", "", ".hidden", "a/b", "a\\b", "a\0b", "a\nb"]
        {
            let stem = camera_stem(id);
            assert!(!stem.contains(['/', '\\', '\0', '\n']), "{stem}");
            assert!(!stem.starts_with('.') && !stem.is_empty(), "{stem}");
        }
        assert_ne!(camera_stem("parallel_counter"), CENTRAL);
        assert_ne!(camera_stem("worker_01"), worker_stem(1));
        assert_ne!(camera_stem("a/b"), camera_stem("a_b"));
        assert_ne!(camera_stem("a/b"), camera_stem("a\\b"));
        assert!(camera_stem(&"long".repeat(200)).len() < 200);
        assert_ne!(camera_stem("Tür"), camera_stem("Tor"));
    }
}
