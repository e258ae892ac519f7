//! Opening hours.

use crate::config::{ALWAYS, Schedule, section::Field};

/// Opening hours as text or as a list of texts; nothing for `always`.
pub(super) fn schedule(field: &Field<'_>) -> Option<Option<Schedule>> {
    let fields = if field.is_list() { field.items()? } else { vec![field.clone()] };
    let mut texts = Vec::new();
    for field in &fields {
        let text = field.text()?;
        if fields.len() == 1 && text.trim().eq_ignore_ascii_case(ALWAYS) {
            return Some(None);
        }
        // Each by itself, so that what is said stands where it is wrong.
        if let Err(problem) = text.parse::<Schedule>() {
            field.problem(&problem);
            return None;
        }
        texts.push(text);
    }
    match texts.join("; ").parse() {
        Ok(schedule) => Some(Some(schedule)),
        Err(problem) => {
            field.problem(&problem);
            None
        }
    }
}
