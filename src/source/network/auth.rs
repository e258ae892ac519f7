//! Answers to `WWW-Authenticate` challenges: Basic (RFC 7617) and Digest with MD5 (RFC 2617), the two that
//! cameras use.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};

use crate::config::Credentials;

/// Client nonce; it need not be secret, only present.
const CLIENT_NONCE: &str = "7063756e74";

/// The request that is to be authorized.
pub struct Request<'a> {
    /// Such as `DESCRIBE` or `GET`.
    pub method: &'a str,
    /// As in the request line.
    pub uri: &'a str,
    /// How many requests have answered this challenge, with this one.
    pub count: u32,
}

/// Value of the `Authorization` header that answers the strongest challenge we know; `None` when there is
/// none.
pub fn authorization(
    challenges: &[String],
    request: &Request<'_>,
    credentials: &Credentials,
) -> Option<String> {
    let of_scheme = |scheme: &'static str| {
        challenges.iter().filter_map(move |challenge| {
            let (name, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
            name.eq_ignore_ascii_case(scheme).then_some(rest)
        })
    };
    // A camera may offer another algorithm first.
    if let Some(challenge) = of_scheme("digest").find(|challenge| speaks_md5(challenge)) {
        return Some(digest(challenge, request, credentials));
    }
    of_scheme("basic").next()?;
    let pair = format!("{}:{}", credentials.user, credentials.password.0);
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

fn speaks_md5(challenge: &str) -> bool {
    parameter(challenge, "algorithm").is_none_or(|algorithm| {
        algorithm.eq_ignore_ascii_case("md5") || algorithm.eq_ignore_ascii_case("md5-sess")
    })
}

fn digest(challenge: &str, request: &Request<'_>, credentials: &Credentials) -> String {
    let value = |name| parameter(challenge, name).unwrap_or_default();
    let count = request.count;
    let (user, realm, nonce) = (&credentials.user, value("realm"), value("nonce"));
    let who = md5_hex(&format!("{user}:{realm}:{}", credentials.password.0));
    let of_session = value("algorithm").eq_ignore_ascii_case("md5-sess");
    let who = if of_session { md5_hex(&format!("{who}:{nonce}:{CLIENT_NONCE}")) } else { who };
    let what = md5_hex(&format!("{}:{}", request.method, request.uri));
    let with_qop = value("qop").split(',').any(|qop| qop.trim() == "auth");
    let response = if with_qop {
        md5_hex(&format!("{who}:{nonce}:{count:08x}:{CLIENT_NONCE}:auth:{what}"))
    } else {
        md5_hex(&format!("{who}:{nonce}:{what}"))
    };
    let mut header = format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{}\", response=\"{response}\"",
        request.uri
    );
    if let Some(algorithm) = parameter(challenge, "algorithm") {
        let _ = write!(header, ", algorithm={algorithm}");
    }
    if with_qop {
        let _ = write!(header, ", qop=auth, nc={count:08x}, cnonce=\"{CLIENT_NONCE}\"");
    }
    if let Some(opaque) = parameter(challenge, "opaque") {
        let _ = write!(header, ", opaque=\"{opaque}\"");
    }
    header
}

/// Value of `name` in `name="value", other=value`.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = challenge;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches(|c: char| c == ',' || c.is_whitespace());
        let (value, remaining) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.trim());
        }
        rest = remaining;
    }
    None
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the challenges ask for, as in `Digest SHA-256`, when none of them is one that [`authorization`] answers.
pub fn unanswerable(challenges: &[String]) -> Option<String> {
    let scheme = |challenge: &str| challenge.split(' ').next().unwrap_or_default().to_owned();
    let is = |challenge: &String, name: &str| scheme(challenge).eq_ignore_ascii_case(name);
    let answered =
        |challenge: &String| is(challenge, "basic") || (is(challenge, "digest") && speaks_md5(challenge));
    let first = challenges.first().filter(|_| !challenges.iter().any(answered))?;
    let algorithm = parameter(first, "algorithm").unwrap_or_default();
    Some(format!("{} {algorithm}", scheme(first)).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn credentials(user: &str, password: &str) -> Credentials {
        Credentials { user: user.into(), password: Secret(password.into()) }
    }

    #[test]
    fn basic_is_the_encoded_pair() {
        let request = Request { method: "GET", uri: "/", count: 1 };
        let header =
            authorization(&["Basic realm=\"x\"".into()], &request, &credentials("Aladdin", "open sesame"));
        assert_eq!(header.as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    }

    #[test]
    fn digest_without_qop_follows_rfc_2069() {
        let request = Request { method: "DESCRIBE", uri: "rtsp://cam/live", count: 1 };
        let header = authorization(
            &["Basic realm=\"r\"".into(), "Digest realm=\"r\", nonce=\"n\"".into()],
            &request,
            &credentials("u", "p"),
        )
        .unwrap();
        let expected = md5_hex(&format!("{}:n:{}", md5_hex("u:r:p"), md5_hex("DESCRIBE:rtsp://cam/live")));
        assert!(header.starts_with("Digest username=\"u\", realm=\"r\", nonce=\"n\""), "{header}");
        assert!(header.contains(&format!("response=\"{expected}\"")), "{header}");
        assert!(!header.contains("qop"), "{header}");
    }

    #[test]
    fn digest_parts_match_the_example_of_rfc_2617() {
        assert_eq!(md5_hex("Mufasa:testrealm@host.com:Circle Of Life"), "939e7578ed9e3c518a452acee763bce9");
        assert_eq!(md5_hex("GET:/dir/index.html"), "39aff3a2bab6126f332b942af96d3366");
        let challenge =
            "realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b\", opaque=\"5ccc\"";
        assert_eq!(parameter(challenge, "qop"), Some("auth,auth-int"));
        assert_eq!(parameter(challenge, "opaque"), Some("5ccc"));
        assert_eq!(parameter(challenge, "stale"), None);
    }

    #[test]
    fn what_cannot_be_answered_is_named() {
        let sha = "Digest realm=\"r\", nonce=\"n\", algorithm=\"SHA-256\", stale=\"FALSE\"";
        let md5 = "Digest realm=\"r\", nonce=\"n\"";
        let named = |all: &[&str]| unanswerable(&all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        assert_eq!(named(&[sha]).as_deref(), Some("Digest SHA-256"));
        assert_eq!(named(&["Bearer realm=\"r\""]).as_deref(), Some("Bearer"));
        for all in [&[sha, md5][..], &[md5, sha], &[sha, "Basic realm=\"r\""]] {
            assert_eq!(named(all), None, "{all:?}");
            let all: Vec<_> = all.iter().map(|one| (*one).to_owned()).collect();
            let request = Request { method: "GET", uri: "/", count: 1 };
            assert!(authorization(&all, &request, &credentials("u", "p")).is_some(), "{all:?}");
        }
        assert_eq!(named(&[]), None);
    }

    #[test]
    fn an_unknown_scheme_is_not_answered() {
        let request = Request { method: "GET", uri: "/", count: 1 };
        let challenges = ["Bearer realm=\"x\"".into(), "Digest algorithm=SHA-256, nonce=\"n\"".into()];
        assert_eq!(authorization(&challenges, &request, &credentials("u", "p")), None);
    }
}
