//! Where the secrets stand in a text that is one address, whatever its characters and its mistakes.
//!
//! This is no URL parser: what a parser refuses is shown in messages, and there the password must be found as well.
//! What could be a password in one way of reading is taken for one.

use std::{fmt, ops::Range};

use super::{
    credentials::{Credentials, HIDDEN, Secret},
    learned::LearnedSecrets,
    names::{is_harmless, is_plain_word, looks_random, names_a_secret, names_a_user},
    percent::percent_decode,
};

/// Schemes that are known although what follows them is not `//`.
const SCHEMES: [&str; 11] =
    ["rtsps", "rtspt", "rtspu", "rtsp", "https", "http", "rtmps", "rtmp", "srt", "onvif", "ftp"];

/// Longest name of a parameter that is shown beside its hidden value.
const LONGEST_NAME: usize = 24;

/// What ends a host.
const AFTER_HOST: [char; 5] = ['/', '?', '#', ';', '\\'];

/// A text that may be an address. `Display` shows it without user name, password and the values of parameters that
/// are not known to be harmless; other texts come out as they are.
#[derive(Clone, Copy)]
pub struct Address<'a>(pub &'a str);

/// A part of an address that is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RedactedPart {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Whether it is a secret for certain, and not only hidden to be on the safe side.
    pub is_secret: bool,
}

#[derive(Debug, Default)]
struct AddressParts {
    /// User name and password, without the `@`.
    login: Option<Range<usize>>,
    values: Vec<RedactedPart>,
}

impl Address<'_> {
    /// Whether user name, password or another value is hidden.
    #[must_use]
    pub(crate) fn is_hidden(&self) -> bool {
        let parts = parts(self.0);
        parts.login.is_some() || !parts.values.is_empty()
    }

    /// Whether it holds a user name or a password, in any way to write them.
    #[must_use]
    pub(crate) fn has_login(&self) -> bool {
        parts(self.0).login.is_some()
    }

    /// From now on `known` hides the secrets of this address.
    pub(crate) fn teach(&self, known: &LearnedSecrets) {
        let AddressParts { login, values } = parts(self.0);
        if let Some(range) = login {
            let is_whole = self.0[range.end..].starts_with('@');
            let login = &self.0[range];
            let (user, password) = match login.split_once(':') {
                Some((user, password)) if is_whole => (user, password),
                // A name alone is no secret, a key in its place is.
                None if is_whole => ("", if looks_random(login) { login } else { "" }),
                _ => ("", login),
            };
            let password = [password.to_owned(), percent_decode(password)];
            for password in password {
                known.learn_login(&Credentials { user: percent_decode(user), password: Secret(password) });
            }
        }
        for value in values.iter().filter(|value| value.is_secret) {
            teach_value(&self.0[value.range.clone()], known);
        }
    }

    /// The same text with a star for each character of a secret; the name of the user stays.
    #[must_use]
    pub(crate) fn masked(&self) -> String {
        let AddressParts { login, values } = parts(self.0);
        let password = login.and_then(|login| {
            let text = &self.0[login.clone()];
            let is_whole = self.0[login.end..].starts_with('@');
            // Without an '@' it is the password alone; with one and no colon it may be a name.
            match (text.find(':'), is_whole) {
                (Some(colon), true) => Some(login.start + colon + 1..login.end),
                (None, true) => None,
                (_, false) => Some(login),
            }
        });
        let ranges = password.into_iter().chain(values.into_iter().map(|value| value.range));
        replaced(self.0, ranges, |secret| "*".repeat(secret.chars().count()))
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AddressParts { login, values } = parts(self.0);
        let ranges = login.into_iter().chain(values.into_iter().map(|value| value.range));
        f.write_str(&replaced(self.0, ranges, |_| HIDDEN.to_owned()))
    }
}

/// From now on `known` hides a value as it was written and as it is meant; of `user:password` the password as well.
pub(super) fn teach_value(value: &str, known: &LearnedSecrets) {
    for value in [value, &percent_decode(value)] {
        known.learn(value);
        known.learn(value.split_once(':').map_or("", |(_, password)| password));
    }
}

pub(super) fn replaced(
    text: &str,
    ranges: impl Iterator<Item = Range<usize>>,
    by: impl Fn(&str) -> String,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        out.push_str(&text[done..range.start]);
        out.push_str(&by(&text[range.clone()]));
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

fn parts(text: &str) -> AddressParts {
    let Some(start) = start(text) else { return AddressParts::default() };
    let login = login(text, start);
    let host = login.as_ref().map_or(start, |login| login.end);
    let tail = text[host..].find(AFTER_HOST).map_or(text.len(), |at| host + at);
    AddressParts { login, values: values(text, tail) }
}

/// Where what follows the scheme begins; `None` for what is no address.
fn start(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    if lower.trim_start().starts_with("demo:") {
        return None;
    }
    // The value of an option.
    let first = if text.starts_with('-') { text.find('=').map_or(0, |at| at + 1) } else { 0 };
    if let Some((scheme, after)) = known_scheme(&lower)
        && is_prefix(&text[first.min(scheme)..scheme])
    {
        return Some(after_slashes(text, after));
    }
    if let Some(colon) = text.find("://") {
        let rest = &text[colon + 3..];
        if lower[..colon].ends_with("file") && !rest.split('/').next().unwrap_or_default().contains('@') {
            return None;
        }
        // A password in front of the scheme, or one with a scheme in it.
        if !(text[..colon].contains('@') || text[..colon].contains(':') && rest.contains('@')) {
            return Some(after_slashes(text, colon + 3));
        }
    }
    is_login(text).then_some(first)
}

/// The first known scheme in `lower`, and where what follows its colon begins.
fn known_scheme(lower: &str) -> Option<(usize, usize)> {
    let found = SCHEMES.iter().flat_map(|scheme| lower.match_indices(scheme));
    found
        .filter_map(|(at, scheme)| {
            let end = at + scheme.len();
            let is_word = !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let rest = lower[end..].trim_start_matches([':', ';', ' ']);
            // 'rtsp/camera.mp4' is a file in a folder.
            let is_scheme =
                lower[end..].starts_with(':') || lower[end..].starts_with(['/', '\\', ';']) && is_login(rest);
            (is_word && is_scheme).then_some((at, lower.len() - rest.len()))
        })
        .min()
}

/// Whether an address may follow: nothing, quotes, or a word such as in `ffmpeg:rtsp://..` and `url=rtsp://..`.
fn is_prefix(text: &str) -> bool {
    let word = text.trim_end_matches([':', '=', ' ', '\'', '"', '<', '(', '[', '{']);
    word.chars().all(|c| c.is_ascii_alphabetic() || " '\"-".contains(c))
}

fn after_slashes(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches(['/', '\\']).len()
}

/// Whether it reads like `user:password@host`.
fn is_login(text: &str) -> bool {
    text.rfind('@').is_some_and(|at| text[..at].contains(':'))
}

fn login(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text[start..];
    if let Some(at) = rest.rfind('@') {
        return Some(start..start + at);
    }
    // Not yet, or forgotten: what follows the first colon is a port, or a password.
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    let host = if authority.starts_with('[') { authority.find(']').unwrap_or(0) } else { 0 };
    let colon = host + authority[host..].find(':')?;
    let port = authority[colon + 1..].trim_end_matches(['"', '\'', ')', '>', ',', '.']);
    let is_port = port.is_empty() || port.parse::<u16>().is_ok();
    (!is_port).then_some(start + colon + 1..text.len())
}

/// What is hidden in the path and query that begin at `tail`.
pub(super) fn values(text: &str, tail: usize) -> Vec<RedactedPart> {
    let query = text[tail..].find(['?', '#']).map_or(text.len(), |at| tail + at);
    let mut found = path_values(text, tail..query);
    query_values(text, query, &mut found);
    found
}

/// `user=admin_password=secret_channel=1`, `user:password` and `token/secret` in a path.
fn path_values(text: &str, path: Range<usize>) -> Vec<RedactedPart> {
    let mut found: Vec<RedactedPart> = Vec::new();
    let mut params = params(text, &path);
    params.reverse();
    let mut segment = path.start;
    while segment < path.end {
        let end = text[segment..path.end].find(['/', '\\']).map_or(path.end, |at| segment + at);
        let within = params.last().is_some_and(|param| param.name.start < end);
        if within {
            let mut last = end;
            while let Some(param) = params.pop_if(|param| param.name.start < last) {
                let name = &text[param.name.clone()];
                let is_secret = names_a_secret(name);
                let next = params.last().map_or(path.end, |next| next.name.start - 1);
                // A secret may hold slashes, a harmless value ends at the first of anything.
                let value_end = if is_secret { next } else { next.min(end) };
                let value = param.value..value_end.max(param.value);
                let shown = text[value.clone()].split(['&', ';', '_']).next().unwrap_or_default();
                let is_shown = shown.len() == value.len() && is_harmless(name, shown);
                if !(value.is_empty() || is_shown) {
                    let is_secret = is_secret || !names_a_user(name) && looks_random(&text[value.clone()]);
                    found.push(RedactedPart { range: value.clone(), is_secret });
                }
                last = last.max(value.end);
            }
            segment = last + 1;
            continue;
        }
        let word = &text[segment..end];
        if let Some(colon) = word.find(':')
            && !word[colon + 1..].chars().all(|c| c.is_ascii_digit() || ":.-+TZ".contains(c))
        {
            found.push(RedactedPart { range: segment..end, is_secret: true });
        }
        let previous = text[path.start..segment].trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if !word.is_empty()
            && names_a_secret(previous)
            && found.last().is_none_or(|last| last.range.end < segment)
        {
            found.push(RedactedPart { range: segment..end, is_secret: true });
        }
        segment = end + 1;
    }
    found
}

#[derive(Debug)]
struct Param {
    name: Range<usize>,
    /// Where the value begins.
    value: usize,
}

/// The parameters in a path, by their `=`. What looks like one inside a secret is part of it, unless its name is known.
fn params(text: &str, path: &Range<usize>) -> Vec<Param> {
    let mut found: Vec<Param> = Vec::new();
    let mut in_secret = false;
    for (at, _) in text[path.clone()].match_indices('=') {
        let equals = path.start + at;
        let before = &text[path.start..equals];
        let name_length = before.len() - before.trim_end_matches(|c: char| c.is_ascii_alphanumeric()).len();
        let name = equals - name_length..equals;
        let begins = name.start == path.start
            || text[path.start..name.start].ends_with(['/', '\\', '&', ';', '_', ',', '!']);
        let word = &text[name.clone()];
        let is_known = names_a_secret(word) || names_a_user(word) || is_harmless(word, "");
        if name_length > 0 && begins && (is_known || !in_secret) {
            in_secret = names_a_secret(word);
            found.push(Param { name, value: equals + 1 });
        }
    }
    found
}

/// Everything in a query and a fragment but `name=value` with a harmless name, and plain words.
fn query_values(text: &str, query: usize, found: &mut Vec<RedactedPart>) {
    let mut token = query + 1;
    while token < text.len() {
        let end = text[token..].find(['&', ';', '?', '#']).map_or(text.len(), |at| token + at);
        let whole = &text[token..end];
        let (name, value) = whole.split_once('=').unwrap_or((whole, ""));
        let is_name = name.len() <= LONGEST_NAME
            && name.chars().all(|c| c.is_ascii_alphabetic() || "_-.[]".contains(c));
        if value.is_empty() {
            let is_empty_field =
                whole.ends_with('=') && is_name && (names_a_secret(name) || names_a_user(name));
            if !name.is_empty() && !is_plain_word(name) && !is_empty_field {
                found.push(RedactedPart { range: token..end, is_secret: looks_random(whole) });
            }
        } else if !is_harmless(name, value) {
            let is_secret = names_a_secret(name) || !names_a_user(name) && looks_random(value);
            let start = if is_name { token + name.len() + 1 } else { token };
            found.push(RedactedPart { range: start..end, is_secret });
        }
        token = end + 1;
    }
}
