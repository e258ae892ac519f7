//! What a page that is pasted into a bug report does not hold: passwords never; addresses, names of hosts and users, and paths
//! unless they are asked for.
//!
//! Sentences of other rooms quote what varies. Of that only words of the configuration and numbers are shown, so that nothing depends
//! on knowing every name in advance. What remains is searched for addresses and paths.

use std::{borrow::Cow, collections::BTreeSet, net::IpAddr, path::Path};

use serde_json::Value;

use crate::config;

/// In place of an address.
const ADDRESS: &str = "[address]";

/// In place of a path.
const PATH: &str = "[path]";

/// In place of a name that the program was told.
const NAME: &str = "[name]";

/// In place of what is quoted and no word of the program.
const QUOTED: &str = "..";

/// A number of more digits may be a part of something else.
const LONGEST_NUMBER: usize = 6;

/// Names of hosts and users that tell nothing, and would be found in ordinary sentences.
const HARMLESS: [&str; 3] = ["localhost", "root", "nobody"];

/// Hides what is not to be shown.
#[derive(Debug, Clone, Default)]
pub struct Veil {
    shows: bool,
    /// Names to be hidden wherever they stand, the longest first.
    names: Vec<String>,
    /// Words of the configuration.
    words: BTreeSet<String>,
}

impl Veil {
    /// One that hides these `names`, and everything that looks like an address or a path; passwords alone where it `shows` the rest.
    #[must_use]
    pub fn new(shows: bool, names: impl IntoIterator<Item = String>) -> Self {
        let is_name = |name: &String| name.chars().count() > 2 && !HARMLESS.contains(&name.as_str());
        let mut names: Vec<String> = names.into_iter().filter(is_name).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.dedup();
        let mut words = BTreeSet::new();
        gather(&config::schema(), &mut words);
        Self { shows, names, words }
    }

    /// Whether addresses are shown.
    #[must_use]
    pub fn shows(&self) -> bool {
        self.shows
    }

    /// A sentence of another room.
    #[must_use]
    pub fn said(&self, text: &str) -> String {
        let clean = config::redact(text);
        if self.shows {
            return clean.into_owned();
        }
        let clean = self.without_quotes(&clean);
        let mut clean = structures(&clean).into_owned();
        for name in &self.names {
            clean = without_name(&clean, name);
        }
        clean
    }

    /// A path, as it stands in a sentence.
    #[must_use]
    pub fn path(&self, path: &Path) -> String {
        if self.shows { format!("'{}'", config::redact(&path.display().to_string())) } else { PATH.into() }
    }

    /// An address that holds no password, as it stands in a sentence.
    #[must_use]
    pub fn address(&self, address: &str) -> String {
        if self.shows { format!("'{}'", config::redact(address)) } else { ADDRESS.into() }
    }

    /// A sentence of this room, in which nothing should be left to hide.
    #[must_use]
    pub fn own(&self, text: &str) -> String {
        let clean = config::printable(&config::redact(text));
        if self.shows { clean } else { structures(&clean).into_owned() }
    }

    /// `text` in which quotes hold words of the configuration alone.
    fn without_quotes(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = opening(rest) {
            let (before, quoted) = (&rest[..=open], &rest[open + 1..]);
            let Some(close) = closing(quoted) else { break };
            out.push_str(before);
            out.push_str(self.shown(&quoted[..close]));
            out.push('\'');
            rest = &quoted[close + 1..];
        }
        out.push_str(rest);
        out
    }

    /// What is shown of something quoted.
    fn shown<'a>(&self, quoted: &'a str) -> &'a str {
        if quoted.contains("://") {
            return ADDRESS;
        }
        let is_path = quoted.contains('/');
        let parts = quoted.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        let is_known = |part: &str| {
            let is_number = part.len() <= LONGEST_NUMBER && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number || self.words.contains(part.trim_start_matches('-'))
        };
        let is_command = quoted.starts_with("pcount-tui ") && !quoted.contains(['.', ':', '=']);
        if is_path {
            PATH
        } else if is_command || !looks_like_address(quoted) && parts.into_iter().all(is_known) {
            quoted
        } else {
            QUOTED
        }
    }

    /// Where in a configuration something is, such as `cameras[1].url`.
    #[must_use]
    pub fn place(&self, path: &str) -> String {
        if self.shows {
            return path.to_owned();
        }
        let shown = |part: &str| {
            let key = part.split('[').next().unwrap_or_default();
            if key.is_empty() || self.words.contains(key) { part.to_owned() } else { QUOTED.to_owned() }
        };
        path.split('.').map(shown).collect::<Vec<_>>().join(".")
    }
}

/// All keys and words of the configuration, out of its JSON Schema.
fn gather(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => words.extend(properties.keys().cloned()),
                    ("const", Value::String(word)) => {
                        words.insert(word.clone());
                    }
                    ("enum" | "required", Value::Array(list)) => {
                        words.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                gather(value, words);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, words)),
        _ => {}
    }
}

/// Where a quote opens in `text`: not the apostrophe in a word.
fn opening(text: &str) -> Option<usize> {
    let is_first = |at: usize| !text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    text.match_indices('\'').map(|(at, _)| at).find(|at| is_first(*at))
}

/// Where the quote that was opened before `text` closes.
fn closing(text: &str) -> Option<usize> {
    let is_last = |at: usize| !text[at + 1..].chars().next().is_some_and(char::is_alphanumeric);
    text.match_indices('\'').map(|(at, _)| at).find(|at| is_last(*at))
}

/// `text` without `name` where it is a word of its own.
fn without_name(text: &str, name: &str) -> String {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        out.push_str(before);
        let is_inside = is_word(out.chars().next_back()) || is_word(after.chars().next());
        out.push_str(if is_inside { name } else { NAME });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `text` without what has the form of an address or of a path of this machine.
fn structures(text: &str) -> Cow<'_, str> {
    if !text.contains(['/', '.', ':']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (number, token) in text.split(' ').enumerate() {
        if number > 0 {
            out.push(' ');
        }
        let ends = |c: char| "'\"`()<>,;".contains(c);
        let start = token.len() - token.trim_start_matches(ends).len();
        let core = token.trim_matches(|c: char| ends(c) || c == ':').trim_end_matches('.');
        let (head, tail) = (&token[..start], &token[(start + core.len()).min(token.len())..]);
        out.push_str(head);
        out.push_str(&without_structure(core));
        out.push_str(tail);
    }
    Cow::Owned(out)
}

fn without_structure(word: &str) -> Cow<'_, str> {
    if let Some(at) = word.find("://") {
        let is_placeholder = word[at + 3..].starts_with("HOST") || word[at + 3..].starts_with('[');
        return if is_placeholder { word.into() } else { ADDRESS.into() };
    }
    // The file of a problem, with line and column behind it, or the value of an option.
    let at = word.find('/').filter(|at| *at == 0 || word[..*at].ends_with(['=', ':', '\'', '"']));
    if let Some(at) = at
        && word.len() > at + 1
    {
        let is_of_system =
            ["/dev/video", "/proc/", "/etc/localtime"].iter().any(|known| word[at..].starts_with(known));
        return if is_of_system { word.into() } else { format!("{}{PATH}", &word[..at]).into() };
    }
    let is_separator = |c: char| !(c.is_ascii_alphanumeric() || ".:[]%".contains(c));
    if word.split(is_separator).any(looks_like_address) {
        let parts = word.split_inclusive(is_separator).map(|part| {
            let (core, end) = part.split_at(part.trim_end_matches(is_separator).len());
            if looks_like_address(core) { format!("{ADDRESS}{end}") } else { part.to_owned() }
        });
        return parts.collect::<String>().into();
    }
    word.into()
}

/// Whether it is an IP address, also with a port.
fn looks_like_address(word: &str) -> bool {
    let is_ip = |text: &str| text.parse::<IpAddr>().is_ok();
    let bare = word.trim_start_matches('[');
    let host = bare.split_once(']').map_or(bare, |(host, _)| host);
    let host = host.split('%').next().unwrap_or_default();
    is_ip(host) || host.rsplit_once(':').is_some_and(|(host, _)| is_ip(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn veil() -> Veil {
        Veil::new(false, ["cam.lan", "hall-7", "bob", "localhost"].map(str::to_owned))
    }

    #[test]
    fn sentences_keep_their_meaning_and_lose_their_places() {
        let veil = veil();
        for (text, wanted) in [
            ("'cam.lan:554' does not answer", "'..' does not answer"),
            (
                "no such stream: 'rtsp://cam.lan/1' (404 Not Found)",
                "no such stream: '[address]' (404 Not Found)",
            ),
            ("not found: '/home/bob/it's mine.mp4'", "not found: '[path]'"),
            ("not found: 'clips/bob.mp4'", "not found: '[path]'"),
            ("the user's key is read by bob on hall-7", "the user's key is read by [name] on [name]"),
            ("cannot reach 10.1.2.3:554, nor [fe80::1%eth0]:80", "cannot reach [address], nor [address]"),
            ("tcp://10.0.0.7:554: refused", "[address]: refused"),
            ("/home/bob/cams.json:3:5: wrong", "[path]: wrong"),
            ("run chmod 600 /srv/x/cams.json, or keep it", "run chmod 600 [path], or keep it"),
            ("'threshold' is '300'; give 1 to 200", "'threshold' is '300'; give 1 to 200"),
            ("try 'pcount-tui models fetch'", "try 'pcount-tui models fetch'"),
            ("'camserver' is no address", "'..' is no address"),
            ("'/dev/video0' is busy", "'[path]' is busy"),
            ("OpenCV 4.6.0 takes 10:20 at 24.5/s", "OpenCV 4.6.0 takes 10:20 at 24.5/s"),
        ] {
            assert_eq!(veil.said(text), wanted);
        }
    }

    #[test]
    fn a_password_is_hidden_even_where_addresses_are_shown() {
        let veil = Veil::new(true, []);
        let said = veil.said("cannot open rtsp://admin:hunter2@cam.lan/1");
        assert!(said.contains("cam.lan") && !said.contains("hunter2"), "{said}");
        assert_eq!(veil.path(Path::new("/home/bob")), "'/home/bob'");
    }

    #[test]
    fn places_in_a_configuration_hold_its_keys_alone() {
        let veil = veil();
        assert_eq!(veil.place("cameras[1].lines[0].a"), "cameras[1].lines[0].a");
        assert_eq!(veil.place("cameras[1].bobs_key"), "cameras[1]...");
    }

    #[test]
    fn what_the_room_says_itself_is_searched_as_well() {
        let veil = veil();
        assert_eq!(veil.own("write rtsp://HOST/PATH"), "write rtsp://HOST/PATH");
        assert_eq!(veil.own("cam_10.0.0.5 answers"), "cam_[address] answers");
        assert_eq!(veil.own("a\u{1b}[2J"), "a\\u{1b}[2J");
    }
}
