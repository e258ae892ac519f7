//! The last line of defence against passwords in the logs. Elsewhere they are kept apart from addresses;
//! this catches what a library quotes in an error of its own.

use std::borrow::Cow;

use parking_lot::RwLock;

use crate::config::redact;

/// What stands where a secret stood.
const MASK: &str = "***";

/// Shortest secret replaced wherever it occurs. Shorter ones would mangle ordinary words; as part of an
/// address they are caught all the same.
const SHORTEST: usize = 4;

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

#[cfg(test)]
mod tests {
    use super::*;

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
