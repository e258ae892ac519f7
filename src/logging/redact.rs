//! The last line of defence against passwords in the logs. Elsewhere they are kept apart from addresses;
//! this catches what a library quotes in an error of its own.

use std::borrow::Cow;

use parking_lot::RwLock;

/// What stands where a secret stood.
const MASK: &str = "***";

/// Shortest secret replaced wherever it occurs. Shorter ones would mangle ordinary words; as part of an
/// address they are caught all the same.
const SHORTEST: usize = 4;

/// Names of values that are secret in `name=value`.
const SECRET_NAMES: [&str; 8] = ["password", "passwd", "pass", "pwd", "token", "secret", "apikey", "api_key"];

/// Replaces secrets it was told of, and anything that looks like one.
#[derive(Debug, Default)]
pub struct Redactor {
    secrets: RwLock<Vec<String>>,
}

impl Redactor {
    /// Remembers a secret, in plain and percent-encoded form.
    pub fn hide(&self, secret: &str) {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let mut secrets = self.secrets.write();
        for form in [secret.to_owned(), encoded.replace('+', "%20"), encoded] {
            if form.len() >= SHORTEST && !secrets.contains(&form) {
                secrets.push(form);
            }
        }
        // The longest first, or a secret that is part of another would leave the other's rest.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// `text` without the secrets it was told of and without anything [`redact`] removes.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = redact(text);
        for secret in self.secrets.read().iter() {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), MASK));
            }
        }
        text
    }
}

/// `text` with the user part of every address (`scheme://user:password@host`) and the value after every
/// `password=`, `token=` and the like replaced by `***`.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains("://") && !text.contains('=') {
        return Cow::Borrowed(text);
    }
    let text = redact_addresses(text);
    match redact_values(&text) {
        Some(redacted) => Cow::Owned(redacted),
        None => text,
    }
}

fn redact_addresses(text: &str) -> Cow<'_, str> {
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        result.push_str(before);
        // An unencoded '/' or '?' in a password is common, so the last '@' before a blank or quote counts,
        // unless a host was already seen to end before it.
        let word = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'));
        let word = &after[..word.unwrap_or(after.len())];
        let authority = &word[..word.find(['/', '?', '#']).unwrap_or(word.len())];
        let at = authority.rfind('@').or_else(|| {
            // No '@' in the authority: it may still follow when the password holds a '/'. `user:` before the
            // '/' followed by no port number gives that away.
            let odd = authority.split_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_err());
            if odd { word.rfind('@') } else { None }
        });
        rest = match at {
            Some(at) => {
                result.push_str(MASK);
                &after[at..]
            }
            None => after,
        };
    }
    if result.is_empty() {
        return Cow::Borrowed(text);
    }
    result.push_str(rest);
    Cow::Owned(result)
}

fn redact_values(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut result = String::new();
    let mut done = 0;
    for (equals, _) in text.match_indices('=') {
        let is_secret = SECRET_NAMES.iter().any(|name| lower[..equals].ends_with(name));
        if !is_secret || equals < done {
            continue;
        }
        let value = &text[equals + 1..];
        let end = value
            .find(|c: char| c.is_whitespace() || matches!(c, '&' | ',' | ';' | '"' | '\''))
            .unwrap_or(value.len());
        if end > 0 {
            result.push_str(&text[done..=equals]);
            result.push_str(MASK);
            done = equals + 1 + end;
        }
    }
    if done == 0 {
        return None;
    }
    result.push_str(&text[done..]);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_of_an_address_are_masked() {
        for (text, clean) in [
            ("open rtsp://admin:hunter2@10.0.0.7:554/s1 failed", "open rtsp://***@10.0.0.7:554/s1 failed"),
            ("'http://u:p@h/x' and rtsp://a:b@c", "'http://***@h/x' and rtsp://***@c"),
            ("rtsp://admin:p@ss@host/s", "rtsp://***@host/s"),
            ("rtsp://admin:pa/ss@host/s", "rtsp://***@host/s"),
            ("rtsp://host:554/mail@here", "rtsp://host:554/mail@here"),
            ("rtsp://host/plain", "rtsp://host/plain"),
            ("a@b is not an address", "a@b is not an address"),
            ("http://h/x?user=me&password=geheim&z=1", "http://h/x?user=me&password=***&z=1"),
            ("TOKEN=abc, next=1", "TOKEN=***, next=1"),
            ("Frame processed: FPS=25.3", "Frame processed: FPS=25.3"),
        ] {
            assert_eq!(redact(text), clean);
        }
    }

    #[test]
    fn secrets_it_was_told_of_are_masked_wherever_they_stand() {
        let redactor = Redactor::default();
        redactor.hide("hunter2 more");
        redactor.hide("hunter2");
        redactor.hide("abc");
        assert_eq!(redactor.clean("401 for hunter2 more, hunter2"), "401 for ***, ***");
        assert_eq!(redactor.clean("x hunter2%20more"), "x ***");
        assert_eq!(redactor.clean("abcdef"), "abcdef", "too short to be replaced everywhere");
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_no_plain_password_survives(
            password in "[A-Za-z0-9!$%^*_.:-]{4,12}",
            host in "[a-z]{1,8}",
            noise in "\\PC{0,20}",
        ) {
            let text = format!("{noise} rtsp://user:{password}QQ@{host}/x {noise}");
            let redacted = redact(&text);
            proptest::prop_assert!(!redacted.contains("QQ@"), "{}", redacted);
        }
    }
}
