//! Small readers of text that messages and several fields share.

use std::time::Duration;

/// Names that other programs use for ours.
const SYNONYMS: [(&str, &[&str]); 10] = [
    ("workers", &["worker_count"]),
    ("url", &["source", "path"]),
    ("uri", &["source", "path"]),
    ("rtsp", &["source"]),
    ("file", &["path", "source"]),
    ("path", &["source"]),
    ("source", &["path"]),
    ("name", &["alias"]),
    ("title", &["alias", "name"]),
    ("username", &["user"]),
];

/// `text` with control characters written out (`\u{1b}`), so that what was typed cannot steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

/// The known name nearest to `word`, when it is near enough to be a slip of the pen: for every "did you mean".
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let fold = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
    let folded = fold(word);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&folded, &fold(name)), *name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= (name.len().max(folded.len()) / 3).max(1))
        .map(|(_, name)| name)
        .or_else(|| {
            let (_, usual) = SYNONYMS.iter().find(|(other, _)| *other == folded)?;
            known.iter().find(|name| usual.contains(name)).copied()
        })
        .or_else(|| {
            // 'id' for 'camera_id', 'output' for 'result_output', 'credential' for 'credentials'.
            let part = |name: &&&str| name.split('_').any(|part| part == folded);
            let start: String = folded.chars().take(4).collect();
            known
                .iter()
                .find(part)
                .or_else(|| known.iter().find(|name| start.len() >= 4 && name.starts_with(&start)))
                .copied()
        })
}

/// The end of a message about an unknown name: the nearest one, or all of them.
pub(super) fn instead(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(name) => format!("; did you mean '{name}'?"),
        None => format!("; choose from {}", listed(known)),
    }
}

/// `'a', 'b' or 'c'`.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("'{one}'"),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(|name| format!("'{name}'")).collect();
            format!("{} or '{last}'", most.join(", "))
        }
    }
}

/// Bytes of `512MiB`, `2 GB`, `1048576`. Powers of 1000 for kB, MB, GB; of 1024 for KiB, MiB, GiB.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "kib" | "k" => 1 << 10,
        "mb" => 1_000_000,
        "mib" | "m" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" | "g" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// A duration as people write it: `30s`, `1m 30s`, `7d`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text.trim()).map_err(|_| {
        let unit = if text.trim().parse::<f64>().is_ok() { "; the unit is missing" } else { "" };
        format!("'{text}' is no duration{unit}; write it as 30s, 1m 30s, 2h or 7d")
    })
}

/// A duration for messages, in the form that is read.
pub(super) fn shown_duration(duration: Duration) -> String {
    // humantime's months and years have fractions of days; nobody writes those.
    const DAY: u64 = 24 * 60 * 60;
    let seconds = duration.as_secs();
    if seconds > DAY && seconds.is_multiple_of(DAY) {
        return format!("{}days", seconds / DAY);
    }
    humantime::format_duration(duration).to_string()
}

/// A size for messages, in the largest unit that divides it.
pub(super) fn shown_size(bytes: u64) -> String {
    [(30, "GiB"), (20, "MiB"), (10, "KiB")]
        .into_iter()
        .find(|(shift, _)| bytes.trailing_zeros() >= *shift)
        .map_or_else(|| format!("{bytes} bytes"), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

/// The value that `names` gives for `written`, in any case; else a sentence that says which words are known.
pub(super) fn word<T: Copy>(written: &str, names: &[(&str, T)], what: &str) -> Result<T, String> {
    let found = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(written));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
        format!("there is no {what} '{written}'{}", instead(written, &names))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["threshold", "worker_count", "camera_id", "source"];
        for (word, wanted) in [
            ("treshold", Some("threshold")),
            ("Threshold", Some("threshold")),
            ("worker-count", Some("worker_count")),
            ("workers", Some("worker_count")),
            ("cameraid", Some("camera_id")),
            ("id", Some("camera_id")),
            ("count", Some("worker_count")),
            ("url", Some("source")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), wanted, "{word}");
        }
    }

    #[test]
    fn sizes() {
        for (text, wanted) in [
            ("10MiB", Some(10 << 20)),
            ("2 GB", Some(2_000_000_000)),
            ("1024", Some(1024)),
            ("99999999999 GiB", None),
            ("-1", None),
            ("1.5MiB", None),
            ("many", None),
        ] {
            assert_eq!(parse_size(text), wanted, "{text}");
        }
    }
}
