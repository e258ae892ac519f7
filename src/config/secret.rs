//! Passwords: kept apart from addresses, never printed, removed from any text.

use std::{borrow::Cow, fmt, ops::Range};

use url::Url;

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
    let hidden = redact_values(&tail, |c| c == '&').map(|safe| {
        set_tail(&mut url, &safe);
        Secret(tail)
    });
    SplitUrl { address: url, credentials, hidden }
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

/// Removes user names and passwords of every URL found in `text`, and the values of everything that looks
/// like `password=..` or `token=..`.
///
/// Meant for texts of unknown origin, such as what FFmpeg says: where it is unclear how far a secret
/// reaches, too much is removed rather than too little. Of addresses that the configuration accepts, none
/// has an `@` that does not end a password.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains("://") && !text.contains('=') {
        return Cow::Borrowed(text);
    }
    let without_users = redact_users(text);
    let ends = |c: char| c.is_whitespace() || c.is_control() || "&,;\"'`<>".contains(c);
    match redact_values(&without_users, ends) {
        Some(redacted) => Cow::Owned(redacted),
        None => without_users,
    }
}

/// [`redact`] for a text that is one URL, whatever characters it holds.
pub(super) fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return redact(url).into_owned() };
    let shown = match rest.rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]),
        None => url.to_owned(),
    };
    redact_values(&shown, |c| c == '&').unwrap_or(shown)
}

fn redact_users(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        let end = after.find(|c: char| c.is_whitespace() || c.is_control() || "\"'`<>".contains(c));
        out.push_str(before);
        rest = match after[..end.unwrap_or(after.len())].rfind('@') {
            Some(at) => {
                out.push_str(HIDDEN);
                &after[at..]
            }
            None => after,
        };
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Replaces the values of parameters whose names say that they are secret, as in
/// `/video.cgi?user=admin&pwd=..` or `/user=admin&password=..&channel=1`. `None` when there is none.
fn redact_values(text: &str, ends: impl Fn(char) -> bool) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    for value in secret_values(text, ends) {
        out.push_str(&text[done..value.start]);
        out.push_str(HIDDEN);
        done = value.end;
    }
    (done > 0).then(|| out + &text[done..])
}

/// Where values stand whose names say that they are secret; each reaches to the next character of `ends`.
fn secret_values(text: &str, ends: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (equals, _) in text.match_indices('=') {
        let inside = found.last().is_some_and(|last| equals < last.end);
        let name = text[..equals]
            .rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.'))
            .map_or(&text[..equals], |at| {
                text[at..equals].trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
            });
        let length = text[equals + 1..].find(&ends).unwrap_or(text.len() - equals - 1);
        if !inside && length > 0 && names_a_secret(name) {
            found.push(equals + 1..equals + 1 + length);
        }
    }
    found
}

/// Where secrets stand in the path and query of an address that is being typed, in bytes.
#[must_use]
pub fn secret_ranges(address: &str) -> Vec<Range<usize>> {
    if address.contains("://") { secret_values(address, |c| c == '&') } else { Vec::new() }
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["passw", "passphrase", "pwd", "psw", "secret", "token", "apikey", "api_key", "signature", "credential"]
        .iter()
        .any(|word| name.contains(word))
        || name.ends_with("pass")
        || matches!(name.as_str(), "key" | "sig" | "sid" | "session" | "pw" | "auth" | "authorization")
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

/// The secret values in a path and query that were hidden by [`split`], as written.
pub(super) fn values(hidden: &Secret) -> impl Iterator<Item = &str> {
    secret_values(&hidden.0, |c| c == '&').into_iter().map(|range| &hidden.0[range])
}

/// Removes `secret` itself from `text`, as it is and percent-encoded. Secrets of one or two characters
/// are left: their removal would garble the text and hide little.
pub(super) fn remove(text: &str, secret: &str) -> String {
    if secret.chars().count() < 3 {
        return text.to_owned();
    }
    text.replace(secret, HIDDEN).replace(&percent_encode(secret), HIDDEN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_is_split_and_joined_again() {
        let split = split(Url::parse("rtsp://admin:p%40ss%2Fw@cam.lan:554/s1?channel=1").unwrap());
        assert_eq!(split.address.as_str(), "rtsp://cam.lan:554/s1?channel=1");
        let credentials = split.credentials.unwrap();
        assert_eq!(credentials.user, "admin");
        assert_eq!(credentials.password.reveal(), "p@ss/w");
        assert_eq!(format!("{credentials:?} {0:?} {0}", credentials.password), "*** *** ***");
        assert_eq!(
            join(&split.address, Some(&credentials), None).as_str(),
            "rtsp://admin:p%40ss%2Fw@cam.lan:554/s1?channel=1"
        );
    }

    #[test]
    fn secrets_in_path_and_query_are_hidden_and_found_again() {
        for url in [
            "http://cam/video.cgi?user=admin&pwd=hunter2&ch=1",
            "rtsp://10.0.0.9:554/user=admin&password=hunter2&channel=1&stream=0.sdp",
        ] {
            let split = split(Url::parse(url).unwrap());
            assert!(!split.address.as_str().contains("hunter2"), "{}", split.address);
            assert_eq!(join(&split.address, None, split.hidden.as_ref()).as_str(), url);
        }
    }

    #[test]
    fn texts_of_others_are_redacted() {
        for (text, wanted) in [
            ("open 'rtsp://a:b@h/x' failed", "open 'rtsp://***@h/x' failed"),
            ("rtsp://a:b/c@h/x: 401", "rtsp://***@h/x: 401"),
            ("rtsp://a:b@c@h and http://h2/?token=t0ps", "rtsp://***@h and http://h2/?token=***"),
            ("TOKEN=abc, next=1", "TOKEN=***, next=1"),
            ("password=a=b&c=d", "password=***&c=d"),
            ("FPS=25.3 passed=1", "FPS=25.3 passed=1"),
            ("http://[::1]:80/a and rtsp://h:554/b", "http://[::1]:80/a and rtsp://h:554/b"),
            ("nothing here", "nothing here"),
        ] {
            assert_eq!(redact(text), wanted);
        }
    }

    proptest! {
        #[test]
        fn any_password_survives_the_way_and_none_is_left_in_text(
            user in "[a-z]{1,8}",
            password in "[!-~äé]{3,20}",
        ) {
            let credentials = Credentials { user: user.clone(), password: Secret::new(password.clone()) };
            let address = Url::parse("rtsp://host.invalid/stream").unwrap();
            let whole = join(&address, Some(&credentials), None);
            let back = split(whole.clone());
            prop_assert_eq!(back.credentials.unwrap(), credentials);
            prop_assert_eq!(redact(whole.as_str()), "rtsp://***@host.invalid/stream");
        }

        #[test]
        fn unencoded_passwords_are_removed_as_well(password in "[a-zA-Z0-9@:/?#!$]{4,16}x") {
            let text = format!("failed: rtsp://u:{password}@host.invalid/s");
            prop_assert_eq!(redact(&text), "failed: rtsp://***@host.invalid/s");
        }
    }
}
