//! `${NAME}` in texts, and paths relative to the configuration file.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use super::{login::bare, secret::percent_encode};

/// Finds the value of an environment variable.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces each `${NAME}` by the variable's value; `$${` stands for `${` itself.
///
/// In the user part of a URL (`rtsp://admin:${PASSWORD}@host`) the value is percent-encoded, so that a
/// password may hold any character. A variable that is the whole user part may hold `user:password`. Blanks, line
/// ends and a byte order mark around a value are no part of it.
pub(super) fn expand(text: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let user_part = user_part(text);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find("${").map(|offset| at + offset) {
        if text[at..found].ends_with('$') {
            out.push_str(&text[at..found - 1]);
            out.push_str("${");
            at = found + 2;
            continue;
        }
        out.push_str(&text[at..found]);
        let Some(end) = text[found..].find('}').map(|offset| found + offset) else {
            // What follows is not repeated: it may be the rest of a password.
            return Err("a '${' is not closed; write ${NAME}, or $${ for a literal ${".into());
        };
        let name = &text[found + 2..end];
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(
                "'${' and '}' must enclose the name of an environment variable; write ${NAME}, or $${ for a \
                 literal ${"
                    .into(),
            );
        }
        let value = lookup(name).ok_or_else(|| {
            // In small letters and beside a password it may be a part of it.
            let in_login = user_part.as_ref().is_some_and(|part| part.contains(&found));
            if in_login && name.contains(|c: char| c.is_ascii_lowercase()) {
                return "an environment variable in the user name or password is not set; set it, or write $${ for a \
                        literal ${"
                    .into();
            }
            format!("the environment variable '{name}' is not set; set it or replace '${{{name}}}'")
        })?;
        let value = bare(&value);
        match &user_part {
            Some(part) if *part == (found..end + 1) => match value.split_once(':') {
                Some((user, password)) => {
                    let _ = write!(out, "{}:{}", percent_encode(user), percent_encode(password));
                }
                None => out.push_str(&percent_encode(value)),
            },
            Some(part) if part.contains(&found) => out.push_str(&percent_encode(value)),
            _ if text.contains("://") && text[..found].ends_with('=') => out.push_str(&as_parameter(value)),
            _ => out.push_str(value),
        }
        at = end + 1;
    }
    out.push_str(&text[at..]);
    Ok(out)
}

/// `value` with what would end a parameter of a URL percent-encoded; what is encoded already stays.
fn as_parameter(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_whitespace() || c.is_control() || "&#;+/?@\"'<>\\".contains(c) {
            out.push_str(&percent_encode(c.encode_utf8(&mut [0; 4])));
        } else {
            out.push(c);
        }
    }
    out
}

/// Where user name and password stand in a URL.
pub(super) fn user_part(text: &str) -> Option<std::ops::Range<usize>> {
    let start = text.find("://")? + 3;
    let end = start + text[start..].rfind('@')?;
    Some(start..end)
}

/// The path that `text` names: `~/` is the home folder, and what is relative is relative to `base`.
pub(super) fn resolve(text: &str, base: &Path, lookup: Lookup<'_>) -> PathBuf {
    // A home folder that is relative would be one below the working folder.
    let home = lookup("HOME").filter(|home| Path::new(home).is_absolute());
    if let (Some(rest), Some(home)) = (text.strip_prefix("~/"), home) {
        return Path::new(&home).join(rest);
    }
    base.join(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("cam.lan".into()),
            "PASS" => Some("p@s:s/w".into()),
            "LOGIN" => Some("admin:p@ss".into()),
            "CRLF" => Some("\u{feff}p@ss \r\n".into()),
            "HOME" => Some("/home/u".into()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_replaced() {
        for (text, wanted) in [
            ("plain $5 {x}", Ok("plain $5 {x}")),
            ("rtsp://${HOST}/1", Ok("rtsp://cam.lan/1")),
            ("rtsp://u:${PASS}@${HOST}/1", Ok("rtsp://u:p%40s%3As%2Fw@cam.lan/1")),
            ("rtsp://${LOGIN}@${HOST}/1", Ok("rtsp://admin:p%40ss@cam.lan/1")),
            ("rtsp://u:${CRLF}@h/1", Ok("rtsp://u:p%40ss@h/1")),
            ("$${HOST} ${HOST}", Ok("${HOST} cam.lan")),
            ("${NONE}", Err("the environment variable 'NONE' is not set; set it or replace '${NONE}'")),
            (
                "${A B}",
                Err("'${' and '}' must enclose the name of an environment variable; write ${NAME}, or $${ \
                     for a literal ${"),
            ),
            ("a ${HOST", Err("a '${' is not closed; write ${NAME}, or $${ for a literal ${")),
            (
                "rtsp://u:pa${ssw}ord@h/1",
                Err(
                    "an environment variable in the user name or password is not set; set it, or write $${ for a \
                     literal ${",
                ),
            ),
            ("http://h/1?pwd=${PASS}&channel=1", Ok("http://h/1?pwd=p%40s:s%2Fw&channel=1")),
        ] {
            assert_eq!(expand(text, &lookup), wanted.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_relative_home_folder_is_none() {
        for home in ["", ".", "home"] {
            let lookup = |_: &str| Some(home.to_owned());
            assert_eq!(resolve("~/b", Path::new("/etc/pc"), &lookup), Path::new("/etc/pc/~/b"));
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        for (text, wanted) in
            [("a/b.mp4", "/etc/pc/a/b.mp4"), ("/v/b.mp4", "/v/b.mp4"), ("~/b.mp4", "/home/u/b.mp4")]
        {
            assert_eq!(resolve(text, Path::new("/etc/pc"), &lookup), Path::new(wanted), "{text}");
        }
    }
}
