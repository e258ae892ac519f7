//! Where something is put into the text of a configuration or taken out of it, so that comments stay with what they are
//! about and the text stays valid. Pure; offsets are in bytes and come from the tree of that very text.

use std::ops::Range;

use crate::config::json::{self, Node};

/// `text` with `new` in place of `range`.
pub(super) fn replaced(text: &str, range: Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..range.start], &text[range.end..])
}

/// The space before `at`, when nothing else stands before it on its line.
pub(super) fn indent(text: &str, at: usize) -> Option<&str> {
    let line_start = text[..at].rfind('\n').map(|at| at + 1)?;
    let space = &text[line_start..at];
    space.trim().is_empty().then_some(space)
}

/// `text` with `new` behind the last entry of a list or object, which ends at `end`: on a line of its own with
/// `indent`, else on the same line. Where the last entry has a comma, so has the new one.
pub(super) fn after_last(text: &str, end: usize, indent: Option<&str>, new: &str) -> String {
    let comma = comma(text, end);
    let own = if comma.is_some() { "," } else { "" };
    let Some(indent) = indent else {
        return match comma {
            Some(at) => replaced(text, at..at, &format!(" {new},")),
            None => replaced(text, end..end, &format!(", {new}")),
        };
    };
    // A comment on the line of the last entry stays there.
    let at = end_of_line(text, comma.unwrap_or(end));
    let with = replaced(text, at..at, &format!("\n{indent}{new}{own}"));
    if comma.is_some() { with } else { replaced(&with, end..end, ",") }
}

/// `text` with `new` inside an empty list or object, behind the comments that stand in it.
pub(super) fn into_empty(text: &str, node: &Node, new: &str) -> String {
    let inside = node.span.start + 1..node.span.end - 1;
    let comments = text[inside.clone()].trim_end().len();
    replaced(text, inside.start + comments..inside.end, new)
}

/// `text` without the entry at `span` of `list`. `before` is the end of the entry before it, `next` the one behind it.
///
/// Comments in the entry and on its last line go with it; those on lines of their own stay.
pub(super) fn without(
    text: &str,
    list: &Node,
    span: &Range<usize>,
    before: Option<usize>,
    next: Option<&Node>,
) -> String {
    let comma = comma(text, span.end);
    let end = end_of_line(text, comma.unwrap_or(span.end));
    if next.is_some() {
        let rest = &text[end..];
        let is_on_own_line = indent(text, span.start).is_some();
        if !is_on_own_line && rest.trim_start_matches([' ', '\t']).starts_with(['\n', '\r']) {
            // The line ends where it did: a comment on the next one would become a part of this one, and go with its last entry.
            let before = text[..span.start].trim_end_matches([' ', '\t']).len();
            return replaced(text, before..end, "");
        }
        let space = rest.len() - rest.trim_start().len();
        return replaced(text, span.start..end + space, "");
    }
    // What follows on the same line must not become a part of a line comment before.
    let is_alone = text[end..].trim_start_matches([' ', '\t']).starts_with(['\n', '\r']);
    let space_before = text[..span.start].trim_end().len();
    let first = before.unwrap_or(list.span.start + 1);
    let start =
        if is_alone || !ends_in_line_comment(text, first, space_before) { space_before } else { span.start };
    let without = replaced(text, start..end, "");
    let Some(before) = before else {
        let inside = first..list.span.end - 1 - (end - start);
        return if without[inside.clone()].trim().is_empty() {
            replaced(&without, inside, "")
        } else {
            without
        };
    };
    match self::comma(text, before) {
        // Without a comma at its end the list had none, and gets none.
        Some(at) if comma.is_none() => replaced(&without, at - 1..at, ""),
        _ => without,
    }
}

/// Behind the comma that follows `at`, if one does.
fn comma(text: &str, at: usize) -> Option<usize> {
    let comma = skipped(text, at, char::is_whitespace);
    text[comma..].starts_with(',').then_some(comma + 1)
}

/// Behind the comments that follow `at` on its line; `at` where something else follows there.
fn end_of_line(text: &str, at: usize) -> usize {
    let end = skipped(text, at, |c| matches!(c, ' ' | '\t'));
    let is_end = text[end..].starts_with(['\n', '\r']) || end == text.len();
    let comments = text[at..end].trim_end();
    if is_end && !comments.contains('\n') { at + comments.len() } else { at }
}

/// Behind the comments and what `is_space` at `at`.
fn skipped(text: &str, at: usize, is_space: impl Fn(char) -> bool) -> usize {
    let mut rest = &text[at..];
    loop {
        let trimmed = rest.trim_start_matches(&is_space);
        let behind = &trimmed[json::comment(trimmed)..];
        if behind.len() == rest.len() {
            return text.len() - rest.len();
        }
        rest = behind;
    }
}

/// Whether the last thing between `from` and `to`, commas and comments only, is a comment that its line ends.
fn ends_in_line_comment(text: &str, from: usize, to: usize) -> bool {
    let mut at = from;
    let mut is_line_comment = false;
    while at < to {
        let comment = json::comment(&text[at..]);
        is_line_comment = comment > 0 && text[at..].starts_with("//");
        at += comment.max(text[at..].chars().next().map_or(1, char::len_utf8));
    }
    is_line_comment
}
