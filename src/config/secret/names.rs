//! What the names of parameters say about their values.

/// Parameters of cameras' addresses whose values hold nothing that is worth hiding. Everything else is hidden.
const HARMLESS: [&str; 78] = [
    "acodec",
    "action",
    "audio",
    "audiocodec",
    "bitrate",
    "brightness",
    "cam",
    "camera",
    "cameraid",
    "camid",
    "ch",
    "chan",
    "channel",
    "channelid",
    "channelno",
    "chn",
    "chnid",
    "clock",
    "cmd",
    "codec",
    "codectype",
    "color",
    "compression",
    "date",
    "delay",
    "enablesrtp",
    "endtime",
    "fmt",
    "format",
    "fps",
    "framerate",
    "gop",
    "h",
    "height",
    "idx",
    "imgprof",
    "index",
    "inst",
    "interval",
    "line",
    "live",
    "loop",
    "main",
    "media",
    "mjpeg",
    "mode",
    "multicast",
    "nr",
    "ntp",
    "number",
    "page",
    "port",
    "profile",
    "proto",
    "protocol",
    "quality",
    "rate",
    "realstream",
    "resolution",
    "rotate",
    "rotation",
    "scale",
    "size",
    "src",
    "starttime",
    "stream",
    "streamtype",
    "sub",
    "substream",
    "subtype",
    "timeout",
    "transport",
    "transportmode",
    "type",
    "unicast",
    "vcodec",
    "videocodec",
    "video",
];

/// More parameters, of two kinds of size.
const SIZES: [&str; 4] = ["res", "w", "width", "framesize"];

/// Longest value of a harmless parameter; a longer one is something else.
const LONGEST_HARMLESS: usize = 32;

fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a parameter of this name holds a number or a word for the stream, as `channel` does.
pub(super) fn is_harmless_name(name: &str) -> bool {
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.[]".contains(c));
    let name = folded(name);
    is_name && (HARMLESS.contains(&name.as_str()) || SIZES.contains(&name.as_str()))
}

/// Whether `name=value` may be shown.
pub(super) fn is_harmless(name: &str, value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:,+".contains(c);
    is_harmless_name(name) && value.len() <= LONGEST_HARMLESS && value.chars().all(plain)
}

/// Whether a parameter of this name holds a secret.
pub(in crate::config) fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "passw",
        "passphrase",
        "pwd",
        "psw",
        "secret",
        "token",
        "apikey",
        "api_key",
        "api-key",
        "signature",
        "credential",
    ]
    .iter()
    .any(|word| name.contains(word))
        || name.ends_with("pass")
        || name.ends_with("loginpas")
        || matches!(
            name.as_str(),
            "key"
                | "sig"
                | "sid"
                | "session"
                | "sessionid"
                | "pw"
                | "pas"
                | "auth"
                | "authorization"
                | "cnonce"
        )
}

/// Whether a parameter of this name holds the name of a user, which is hidden in addresses but is no secret.
pub(super) fn names_a_user(name: &str) -> bool {
    let name = folded(name);
    matches!(
        name.as_str(),
        "user"
            | "usr"
            | "username"
            | "usrname"
            | "login"
            | "loginuse"
            | "loginuser"
            | "account"
            | "name"
            | "uid"
    )
}

/// Whether a bare word or a value is one that devices use, or a small number.
pub(super) fn is_plain_word(word: &str) -> bool {
    let is_number = word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_word =
        word.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic()));
    is_number || (is_word && is_harmless_name(word))
}

/// Whether the value of a parameter that nobody knows looks like a secret, so that it is worth looking for elsewhere.
pub(super) fn looks_random(value: &str) -> bool {
    let has = |test: fn(&u8) -> bool| value.bytes().any(|byte| test(&byte));
    value.len() >= 20 || (value.len() >= 8 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic))
}
