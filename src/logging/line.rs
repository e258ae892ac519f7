//! The form of a line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use jiff::Zoned;

/// Longest message, in characters; the rest is cut off and marked.
const MAX_MESSAGE: usize = 4_096;

/// Severity of a line, most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// Something happened.
    Info,
    /// A detail.
    Debug,
}

impl Level {
    /// As written between the brackets.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}

/// The second field: `camera_01` gives `CAMERA-01`, worker 1 gives `WORKER-01`, neither gives `ENGINE`.
/// A line that names both is the camera's.
#[must_use]
pub fn label(worker: Option<u64>, camera: Option<&str>) -> String {
    match (camera, worker) {
        (Some(camera), _) => clean(camera).to_uppercase().replace('_', "-").replace(['[', ']'], "-"),
        (None, Some(worker)) => format!("WORKER-{worker:02}"),
        (None, None) => "ENGINE".to_owned(),
    }
}

/// The whole line, without its line feed.
#[must_use]
pub fn format(time: &Zoned, label: &str, level: Level, message: &str) -> String {
    format!("[{}] [{label}] [{}] {message}", time.strftime("%Y-%m-%d %H:%M:%S"), level.word())
}

/// Whether `text` begins with a line as [`format()`] makes them.
#[must_use]
pub fn is_ours(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let parts = line.strip_prefix('[').and_then(|rest| {
        let (time, rest) = rest.split_once("] [")?;
        let (label, rest) = rest.split_once("] [")?;
        let (level, _) = rest.split_once("] ")?;
        Some((time, label, level))
    });
    parts.is_some_and(|(time, label, level)| {
        time.len() == 19
            && jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", time).is_ok()
            && !label.contains(|c: char| c.is_ascii_lowercase())
            && [Level::Error, Level::Warn, Level::Info, Level::Debug]
                .iter()
                .any(|known| known.word() == level)
    })
}

/// `text` in a form that cannot fake a line, move a terminal's cursor or turn the writing round: line feeds
/// and tabs as `\n` and `\t`, other control and direction characters as `\u{1b}`; at most
/// 4,096 characters.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for (position, character) in text.chars().enumerate() {
        if position == MAX_MESSAGE {
            cleaned.push_str("...");
            break;
        }
        let directional =
            matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || directional {
            cleaned.extend(character.escape_default());
        } else {
            cleaned.push(character);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_form_of_the_specification() {
        let time = jiff::civil::datetime(2024, 1, 15, 10, 23, 45, 0)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .expect("a valid time");
        assert_eq!(
            format(&time, &label(Some(1), None), Level::Info, "Starting camera_01"),
            "[2024-01-15 10:23:45] [WORKER-01] [INFO] Starting camera_01"
        );
        assert_eq!(
            format(&time, &label(Some(1), Some("camera_01")), Level::Error, "lost"),
            "[2024-01-15 10:23:45] [CAMERA-01] [ERROR] lost"
        );
        assert_eq!(label(None, None), "ENGINE");
        assert_eq!(label(Some(12), None), "WORKER-12");
    }

    #[test]
    fn lines_of_others_are_told_from_ours() {
        for ours in [
            "[2024-01-15 10:23:45] [WORKER-01] [INFO] Starting camera_01\n[2024",
            "[2024-01-15 10:23:45] [CAMERA 1] [ERROR] ",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for others in [
            "",
            "Jan 15 10:23:45 host sshd[12]: Accepted password",
            "10.0.0.1 - - [15/Jan/2024:10:23:45 +0000] \"GET / HTTP/1.1\" 200",
            "[2024-01-15 10:23:45] local.ERROR: no such table",
            "[2024-01-15 10:23:45] [myapp] [INFO] started",
            "[2024-01-15 10:23:45 +0000] [12] [INFO] Booting worker",
            "[2024-01-15 10:23:45,123] [MAIN] [INFO] x",
            "[2024-13-15 10:23:45] [MAIN] [INFO] x",
            "[2024-01-15 10:23:45] [MAIN] [NOTICE] x",
        ] {
            assert!(!is_ours(others), "{others}");
        }
    }

    #[test]
    fn nothing_in_a_message_can_fake_a_second_line_or_paint_on_a_terminal() {
        assert_eq!(clean("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(clean("\u{1b}[2J\u{7f}\u{9b}"), "\\u{1b}[2J\\u{7f}\\u{9b}");
        assert_eq!(clean("\u{202e}txt"), "\\u{202e}txt");
        assert_eq!(clean("Eingang Süd, Größe ✓"), "Eingang Süd, Größe ✓");
        assert_eq!(label(None, Some("a] [ERROR] \n")), "A- -ERROR- \\N");
        assert_eq!(clean(&"x".repeat(5_000)).len(), MAX_MESSAGE + 3);
    }
}
