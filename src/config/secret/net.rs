//! The second net: what looks like a secret in texts of unknown origin, such as what FFmpeg says. Where it is unclear
//! how far a secret reaches, too much is removed rather than too little.

use std::{borrow::Cow, ops::Range};

use super::{credentials::HIDDEN, names::names_a_secret};

/// Removes user names and passwords of every URL in `text`, the values of everything that looks like `password=..` or
/// `"token": ".."`, and what stands in headers that let a program in.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    if text.contains("://") {
        out = users(out);
    }
    if out.contains('=') || out.contains("\":") {
        out = values(out);
    }
    headers(out)
}

fn hide<'a>(text: Cow<'a, str>, ranges: &[Range<usize>]) -> Cow<'a, str> {
    if ranges.is_empty() {
        return text;
    }
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for range in ranges {
        out.push_str(&text[done..range.start]);
        out.push_str(HIDDEN);
        done = range.end;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

fn users(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut ranges = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://").map(|at| from + at + 3) {
        let rest = &text[at..];
        let run = rest.find(|c: char| c.is_whitespace() || c.is_control() || "\"'`<>".contains(c));
        let run = &rest[..run.unwrap_or(rest.len())];
        let login = match run.rfind('@') {
            Some(end) => Some(at..at + end),
            None => open_login(rest, run).map(|login| at + login.start..at + login.end),
        };
        from = login.as_ref().map_or(at, |login| login.end);
        ranges.extend(login.filter(|login| !login.is_empty() && text[login.clone()] != *HIDDEN));
    }
    hide(text, &ranges)
}

/// A password that holds a quote or a blank, or that no `@` follows: behind `user:`, what is no port.
fn open_login(rest: &str, run: &str) -> Option<Range<usize>> {
    let authority = &run[..run.find(['/', '?', '#']).unwrap_or(run.len())];
    let host = if authority.starts_with('[') { authority.find(']')? } else { 0 };
    let colon = host + authority[host..].find(':')?;
    let port = authority[colon + 1..].trim_end_matches([',', ')', ']', '.', ':', ';']);
    if port.chars().all(|c| c.is_ascii_digit()) && (!port.is_empty() || authority.len() < run.len()) {
        return None;
    }
    let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
    match line.rfind('@') {
        Some(end) => Some(0..end),
        None if port.is_empty() => None,
        None => Some(colon + 1..run.len()),
    }
}

fn values(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, sign) in text.char_indices().filter(|(_, c)| matches!(c, '=' | ':')) {
        if ranges.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let Some(name) = name_before(&text[..at], sign) else { continue };
        if !names_a_secret(name) {
            continue;
        }
        let after = &text[at + 1..];
        let blanks = if sign == ':' { after.len() - after.trim_start_matches(' ').len() } else { 0 };
        let start = at + 1 + blanks;
        let value = &text[start..];
        let end = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => closing(value, quote),
            _ if sign == ':' => continue,
            _ => value
                .find(|c: char| c.is_whitespace() || c.is_control() || "&,;\"'`<>".contains(c))
                .unwrap_or(value.len()),
        };
        if end > 0 {
            ranges.push(start..start + end);
        }
    }
    hide(text, &ranges)
}

/// The name in `name=`, and in `"name":` (JSON).
fn name_before(before: &str, sign: char) -> Option<&str> {
    let before = if sign == ':' { before.strip_suffix('"')? } else { before };
    let start = before
        .rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    Some(before[start..].trim_start_matches(|c: char| !c.is_ascii_alphanumeric()))
}

/// Length of a text in quotes; without its closing one, all there is.
fn closing(value: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in value.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    value.len()
}

/// `Authorization: Basic ..`, cookies, and the fields of a Digest answer.
fn headers(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let lower = text.to_ascii_lowercase();
    for header in ["authorization:", "cookie:"] {
        for (at, _) in lower.match_indices(header) {
            let start = at + header.len();
            let end = text[start..].find(['\r', '\n']).map_or(text.len(), |end| start + end);
            // An escaped line feed ends a line as well.
            let end = text[start..end].find("\\r\\n").map_or(end, |at| start + at);
            ranges.push(start..end);
        }
    }
    for scheme in ["basic ", "bearer ", "digest "] {
        for (at, _) in lower.match_indices(scheme) {
            let start = at + scheme.len();
            let is_word = !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let is_token = |c: char| c.is_ascii_alphanumeric() || "+/=_-.~".contains(c);
            let length = if scheme == "digest " {
                let fields = lower[start..].contains("response=") || lower[start..].starts_with("username=");
                if fields { lower[start..].find(['\r', '\n']).unwrap_or(lower.len() - start) } else { 0 }
            } else {
                let token = &text[start..];
                let token = &token[..token.find(|c| !is_token(c)).unwrap_or(token.len())];
                // 'basic settings' is no login.
                let is_coded =
                    token.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b == b'=');
                if token.len() >= 6 && is_coded { token.len() } else { 0 }
            };
            if is_word && length > 0 {
                ranges.push(start..start + length);
            }
        }
    }
    ranges.sort_by_key(|range| range.start);
    let mut end = 0;
    ranges.retain(|range| {
        let is_new = range.start >= end;
        end = end.max(range.end);
        is_new
    });
    hide(text, &ranges)
}
