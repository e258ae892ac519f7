//! How long texts may be and what they may hold: one rule for the file, its schema and the dashboard.

/// Most characters of an id; it names log files and columns.
pub const ID_LENGTH: usize = 64;

/// Most characters of a name that is shown: of a source, its location, a line or a zone.
pub const LABEL_LENGTH: usize = 80;

/// Most bytes of a configuration file. What is larger is another file, or a device without an end.
pub(super) const FILE_LENGTH: u64 = 16 << 20;

/// `text` as it is shown, without the password of an address in it.
///
/// # Errors
/// One sentence without its subject: when it is blank, holds control characters, or has more than `limit`
/// characters.
pub fn label(text: &str, limit: usize) -> Result<String, String> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        Err(format!("'{text}' is empty; write a text or leave the key out"))
    } else if let Some(control) = text.chars().find(|c| c.is_control()) {
        Err(format!("holds the control character U+{:04X}; remove it", u32::from(control)))
    } else if length > limit {
        Err(format!("is {length} characters long; {limit} are the most that can be shown"))
    } else {
        Ok(super::redact(text).into_owned())
    }
}

/// Whether `id` can name a log file and a column.
///
/// # Errors
/// One sentence with the id: when it cannot.
pub fn check_id(id: &str) -> Result<(), String> {
    let reserved = id == "parallel_counter"
        || id.strip_prefix("worker_").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    if let Some(bad) = id.chars().find(|c| matches!(c, '/' | '\\') || c.is_control()) {
        Err(format!("the id '{id}' holds '{}'; ids name log files, so leave it out", bad.escape_default()))
    } else if id.starts_with('.') || id.trim() != id {
        Err(format!(
            "the id '{id}' starts with a dot or has space at an end; begin and end with a letter or digit"
        ))
    } else if reserved {
        Err(format!("the id '{id}' is the name of one of the program's own log files; choose another"))
    } else {
        Ok(())
    }
}
