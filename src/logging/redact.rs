//! The last line of defence against passwords in the logs. Elsewhere they are kept apart from addresses;
//! this catches what a library quotes in an error of its own.

use std::borrow::Cow;

use crate::config::{Known, redact};

/// Hides secrets it was told of, those that the process knows, and anything that looks like one.
#[derive(Debug, Default)]
pub struct Redactor {
    own: Known,
}

impl Redactor {
    /// Remembers a secret.
    pub fn hide(&self, secret: &str) {
        self.own.learn(secret);
    }

    /// `text` without the secrets it was told of and without anything [`redact`] removes.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.own.clean(text) {
            Cow::Borrowed(text) => redact(text),
            Cow::Owned(text) => Cow::Owned(redact(&text).into_owned()),
        }
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
