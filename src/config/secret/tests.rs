//! Any password, in any form, in any text.

use proptest::prelude::*;
use url::Url;

use super::{credentials::HIDDEN, *};

/// What ends patterns too early, and what is written in another way by programs that quote it.
const NASTY: &str = "[a-zA-Z0-9'\" ,<>\\\\`@/#?%&;=:{}$|~!*()\\[\\]+^äß日\u{1f600}\n\t\u{1b}_.-]{4,16}";

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Without the quotes around it.
fn inner(quoted: &str) -> &str {
    &quoted[1..quoted.len() - 1]
}

/// `%C3` as `%c3`.
fn lower_escapes(encoded: &str) -> String {
    let parts = encoded.split_inclusive('%').collect::<Vec<_>>();
    parts.iter().enumerate().fold(String::new(), |out, (index, part)| {
        let digits = if index == 0 { 0 } else { 2 };
        out + &part[..digits].to_lowercase() + &part[digits..]
    })
}

/// The ways in which programs write `text`.
fn forms(text: &str) -> Vec<String> {
    let encoded = percent_encode(text);
    let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let json = serde_json::Value::from(text).to_string();
    let mut url = Url::parse("rtsp://host/").unwrap();
    url.set_password(Some(text)).unwrap();
    let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    vec![
        text.to_owned(),
        lower_escapes(&encoded),
        percent_encode(&encoded),
        encoded,
        query,
        url.password().unwrap().to_owned(),
        inner(&serde_json::Value::from(inner(&json)).to_string()).to_owned(),
        inner(&json).to_owned(),
        html(text),
        text.replace('\'', "'\\''"),
        inner(&format!("{text:?}")).to_owned(),
        text.escape_default().to_string(),
        units,
    ]
}

proptest! {
    #[test]
    fn a_known_password_is_hidden_in_every_form(user in "[a-z]{1,6}", password in NASTY) {
        let known = LearnedSecrets::default();
        known.learn_login(&Credentials { user: user.clone(), password: Secret::new(password.clone()) });
        let pair = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{user}:{password}"));
        let mut all = forms(&password);
        all.push(pair.trim_end_matches('=').to_owned());
        for form in all {
            for text in [format!("401 <{form}> 7"), form.clone(), format!("[http @ 0x1] {form}: ")] {
                let clean = known.clean(&text);
                prop_assert!(!clean.contains(&form), "{:?} is in {:?}", form, clean);
            }
        }
    }

    #[test]
    fn an_address_shows_no_password_however_it_is_written(password in NASTY, host in "[A-Z]{8}") {
        for text in [
            format!("rtsp://admin:{password}@{host}/1"),
            format!("RTSP://:{password}@{host}:554/1"),
            format!("rtsp:/admin:{password}@{host}/1"),
            format!("rtsp:admin:{password}@{host}"),
            format!("rtsp//admin:{password}@{host}"),
            format!("admin:x{password}@{host}/1"),
            format!("--source=http://admin:{password}@[::1]/1"),
        ] {
            let shown = Address(&text).to_string();
            prop_assert!(!shown.contains(&password), "{:?} shows {:?}", text, shown);
            prop_assert!(shown.contains(&host) || shown.contains("[::1]"), "{:?}", shown);
            let masked = Address(&text).masked();
            prop_assert!(!masked.contains(&password), "{:?} shows {:?}", text, masked);
            prop_assert_eq!(masked.chars().count(), text.chars().count());
            // And what it has shown it hides elsewhere.
            let known = LearnedSecrets::default();
            Address(&text).teach(&known);
            let said = match text.split_once("admin:") {
                Some((_, rest)) => rest.rsplit_once('@').map_or(rest, |(login, _)| login),
                None => &password,
            };
            prop_assert_eq!(known.clean(said), HIDDEN, "{:?}", text);
        }
    }

    #[test]
    fn a_camera_is_opened_with_what_was_hidden(password in "[a-zA-Z0-9'\",<>!~*()_.-]{4,16}") {
        for text in [
            format!("rtsp://h/user=admin_password={password}_channel=1_stream=0.sdp?real_stream"),
            format!("http://h/v;user=admin;pwd={password}?channel=1&x={password}1234567890abcdefghij"),
            format!("http://h/token/{password}/v?{password}#{password}"),
            format!("http://h/admin:x{password}/v"),
        ] {
            let url = Url::parse(&text).unwrap();
            let mut asked = url.clone();
            asked.set_fragment(None);
            let split = split(url);
            prop_assert!(!split.address.as_str().contains(&password), "{}", split.address);
            prop_assert_eq!(join(&split.address, None, split.hidden.as_ref()), asked);
        }
    }

    #[test]
    fn no_text_panics_and_texts_without_secrets_stay(text in "\\PC{0,60}", secret in "\\PC{4,8}") {
        let known = LearnedSecrets::default();
        known.learn(&secret);
        let _ = (known.clean(&text), net::redact(&text).len(), Address(&text).to_string(), Address(&text).masked());
        let plain: String = text.chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
        prop_assert_eq!(net::redact(&plain), plain.as_str());
        prop_assert_eq!(Address(&plain).to_string(), plain);
    }
}

#[test]
fn what_is_no_secret_is_shown() {
    for text in [
        "rtsp://10.0.0.2:554/Streaming/Channels/101?transportmode=unicast&profile=Profile_1",
        "rtsp://10.0.0.2/cam/realmonitor?channel=1&subtype=0",
        "http://cam/axis-cgi/mjpg/video.cgi?resolution=640x480&fps=10&compression=30",
        "rtsp://cam/h264Preview_01_main",
        "http://[fe80::1]:8080/v.mjpg",
        "rtsp://cam/live/ch00_0?1",
        "rtsp://cam/channel=1_stream=0.sdp?real_stream",
        "demo:lobby?people=6&seed=1",
        "videos/12-30@door.mp4",
        "/data//a=b.mp4",
        "a=b@c.mp4",
        "videos/*.mp4",
        "file:///data/a@b.mp4",
        "rtsp/camera@door.mp4",
        "Süd: Eingang",
    ] {
        assert_eq!(Address(text).to_string(), text);
        assert_eq!(Address(text).masked(), text);
    }
}

#[test]
fn what_is_hidden_of_an_address() {
    for (text, wanted) in [
        ("rtsp://a:b@h/1", "rtsp://***@h/1"),
        ("rtsp://token@h/1", "rtsp://***@h/1"),
        ("rtsp://admin:p@ss/w0rd#x@h/", "rtsp://***@h/"),
        ("rtsp://admin:hunter2", "rtsp://admin:***"),
        ("rtsp://admin:999999/1", "rtsp://admin:***"),
        ("http://h/v?user=a&pwd=b&ch=1", "http://h/v?user=***&pwd=***&ch=1"),
        ("http://h/v?a=b;c", "http://h/v?a=***;***"),
        ("http://h/v?channel=<b>", "http://h/v?channel=***"),
        ("http://h/v?dG9rZW4=", "http://h/v?***"),
        ("http://h/v#t0ken", "http://h/v#***"),
        ("rtsp://h/user=admin_password=a_b=c_channel=1", "rtsp://h/user=***_password=***_channel=1"),
        ("rtsp://h/user=admin&password=a/b&channel=1", "rtsp://h/user=***&password=***&channel=1"),
        ("rtsp://h/0/admin:hunter2/main", "rtsp://h/0/***/main"),
        ("admin:b@rtsp://h/1", "***@rtsp://h/1"),
    ] {
        assert_eq!(Address(text).to_string(), wanted);
    }
}

#[test]
fn short_passwords_do_not_turn_texts_into_stars() {
    let known = LearnedSecrets::default();
    known.learn_login(&Credentials { user: "admin".into(), password: Secret::new("a") });
    known.learn_login(&Credentials { user: "admin".into(), password: Secret::new("1234") });
    assert_eq!(known.clean("a camera at 10.0.0.1"), "a camera at 10.0.0.1");
    assert_eq!(known.clean("rtsp://admin:a@h"), "rtsp://***@h");
    assert_eq!(known.clean("rtsp://root:a@h"), "rtsp://root:***@h");
    assert_eq!(known.clean("login 'admin:a'"), "login '***'");
    assert_eq!(known.clean("frame 91234 of 12345, pin 1234."), "frame 91234 of 12345, pin ***.");
}

#[test]
fn a_secret_that_a_long_line_cuts_off_is_hidden() {
    let known = LearnedSecrets::default();
    known.learn("hunter2hunter2");
    let line = format!("{}rtsp://admin:hunter2hun", "x".repeat(1000));
    assert!(!known.clean(&line).contains("hunter2"));
    assert_eq!(known.clean("see hunter2hun"), "see hunter2hun");
}

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
        ("password='a b' next=1", "password=*** next=1"),
        ("{\"password\": \"a \\\" b\", \"x\": \"y\"}", "{\"password\": ***, \"x\": \"y\"}"),
        ("FPS=25.3 passed=1", "FPS=25.3 passed=1"),
        ("http://[::1]:80/a and rtsp://h:554/b", "http://[::1]:80/a and rtsp://h:554/b"),
        ("'http://h:80': refused, 'http://h:'", "'http://h:80': refused, 'http://h:'"),
        ("open 'rtsp://a:b c'd@h/x' failed", "open 'rtsp://***@h/x' failed"),
        ("'rtsp://admin:hunter2' is no address", "'rtsp://admin:***' is no address"),
        ("Authorization: Basic YTpi\r\nHost: h", "Authorization:***\r\nHost: h"),
        ("send Digest username=\"a\", response=\"5ccc\"", "send Digest ***"),
        ("the digest and basic settings", "the digest and basic settings"),
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

#[test]
fn secrets_it_was_told_of_are_masked_wherever_they_stand() {
    let known = LearnedSecrets::default();
    known.learn("hunter2 more");
    known.learn("hunter2");
    known.learn("abc");
    assert_eq!(known.clean("401 for hunter2 more, hunter2"), "401 for ***, ***");
    assert_eq!(known.clean("x hunter2%20more"), "x ***");
    assert_eq!(known.clean("abcdef"), "abcdef", "too short to be replaced everywhere");
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
