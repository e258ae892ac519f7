//! Passwords: kept apart from addresses, never printed, removed from any text.

use std::{borrow::Cow, sync::LazyLock};

mod address;
mod credentials;
mod learned;
mod names;
mod net;
mod percent;
mod split;
mod written;

pub use address::Address;
pub use credentials::{Credentials, Secret};
pub use learned::LearnedSecrets;
pub(in crate::config) use names::names_a_secret;
pub(in crate::config) use percent::{percent_decoded, percent_encode};
pub(in crate::config) use split::{is_secret_tail, join, restore_tail, split, teach_tail};

/// `text` without the secrets that are known ([`known()`]) and without anything that looks like one: user names and
/// passwords of URLs, the values of `password=..` and `token=..`, headers that let a program in.
///
/// Meant for texts of unknown origin, such as what FFmpeg says. Of a text that is one address, [`Address`] knows more.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    match known().clean(text) {
        Cow::Borrowed(text) => net::redact(text),
        Cow::Owned(text) => Cow::Owned(net::redact(&text).into_owned()),
    }
}

/// [`redact`] without the secrets that are known: for texts that mean something to the program, such as names, which
/// must not depend on what the process was told before.
pub(super) fn redact_unknown(text: &str) -> Cow<'_, str> {
    net::redact(text)
}

/// The secrets that this process was told: from its arguments, its configuration, and what was typed.
#[must_use]
pub fn known() -> &'static LearnedSecrets {
    static KNOWN: LazyLock<LearnedSecrets> = LazyLock::new(LearnedSecrets::default);
    &KNOWN
}

#[cfg(test)]
mod tests;
