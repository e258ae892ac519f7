//! Passwords: kept apart from addresses, never printed, removed from any text.

use std::{borrow::Cow, fmt, sync::LazyLock};

use url::Url;

mod address;
mod known;
mod names;
mod net;
mod written;

pub use address::Address;
pub use known::Known;
pub(in crate::config) use names::names_a_secret;

/// What stands where a secret was.
const HIDDEN: &str = "***";

/// Text that is never printed: `Debug` and `Display` give `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl Secret {
    /// Keeps `text` from being printed.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for opening a source and nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// User name and password. `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: Secret,
}

impl Credentials {
    /// Splits `user:password`; a text without a colon is a user name with an empty password.
    #[must_use]
    pub fn from_pair(text: &str) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self { user: user.to_owned(), password: Secret::new(password) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// A URL taken apart: what may be shown, and what may not.
pub(super) struct SplitUrl {
    /// Without user name and password; secrets in path and query replaced by `***`.
    pub address: Url,
    pub credentials: Option<Credentials>,
    /// Path and query as written, when they hold a secret.
    pub hidden: Option<Secret>,
}

/// Takes the secrets out of `url`.
pub(super) fn split(mut url: Url) -> SplitUrl {
    let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| Credentials {
        user: percent_decode(url.username()),
        password: Secret(percent_decode(url.password().unwrap_or_default())),
    });
    // Neither call can fail on a URL that has a host, and only such a URL can have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    // It is never sent to a host.
    url.set_fragment(None);
    let tail = tail(&url);
    let values = address::values(&tail, 0);
    let safe =
        address::replaced(&tail, values.iter().map(|value| value.range.clone()), |_| HIDDEN.to_owned());
    // Some cameras want the password of the login in the path as well.
    let own = Known::default();
    credentials.iter().for_each(|login| own.learn(login.password.reveal()));
    let safe = own.clean(&safe).into_owned();
    let hidden = (safe != tail).then(|| {
        set_tail(&mut url, &safe);
        Secret(tail)
    });
    SplitUrl { address: url, credentials, hidden }
}

/// From now on `to` hides what a path and query hold that was hidden by [`split`].
pub(super) fn teach_tail(Secret(tail): &Secret, to: &Known) {
    secrets_in_tail(tail).for_each(|secret| address::teach_value(secret, to));
}

/// Whether a hidden path and query hold a secret for certain.
pub(super) fn is_secret_tail(Secret(tail): &Secret) -> bool {
    secrets_in_tail(tail).next().is_some()
}

fn secrets_in_tail(tail: &str) -> impl Iterator<Item = &str> {
    let values = address::values(tail, 0).into_iter().filter(|value| value.is_secret);
    values.map(|value| &tail[value.range])
}

/// The address with its true path and query, still without user name and password.
pub(super) fn restore_tail(address: &Url, hidden: Option<&Secret>) -> Url {
    let mut url = address.clone();
    if let Some(Secret(tail)) = hidden {
        set_tail(&mut url, tail);
    }
    url
}

/// The whole URL again, secrets included.
pub(super) fn join(address: &Url, credentials: Option<&Credentials>, hidden: Option<&Secret>) -> Url {
    let mut url = restore_tail(address, hidden);
    if let Some(credentials) = credentials {
        let _ = url.set_username(&percent_encode(&credentials.user));
        let _ = url.set_password(Some(&percent_encode(&credentials.password.0)));
    }
    url
}

fn set_tail(url: &mut Url, tail: &str) {
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    url.set_path(path);
    url.set_query(query);
}

/// Path and query.
fn tail(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

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
pub fn known() -> &'static Known {
    static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);
    &KNOWN
}

/// Decodes `%40` and the like; what is not a valid escape stays as it is.
fn percent_decode(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(text)).into_owned()
}

/// The bytes that `text` stands for, with `%40` and the like decoded.
pub(super) fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// Encodes everything but unreserved characters (RFC 3986, 2.3), so that any text may be part of a URL.
pub(super) fn percent_encode(text: &str) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests;
