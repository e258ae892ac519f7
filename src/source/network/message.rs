//! Heads of RTSP and HTTP messages, and where a message ends in a stream of bytes.

use std::fmt::Write as _;

use super::Answer;

/// Longest head that is read.
pub const MAX_HEAD: usize = 64 * 1024;

/// Most characters of a reason that are shown.
const REASON: usize = 80;

/// Start line and fields of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Request line or status line.
    pub start: String,
    /// Names and values, in their order.
    pub fields: Vec<(String, String)>,
}

impl Message {
    /// Never fails: what is no message has no status and no method. What readers of messages disagree on, as control
    /// characters inside of lines and fields without a name, is left out: what is made of it again by
    /// [`Self::bytes`] means the same to everybody.
    #[must_use]
    pub fn parse(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.split('\n').map(|line| line.replace(char::is_control, ""));
        let start = lines.next().unwrap_or_default();
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let fields = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.trim().to_owned(), value.trim().to_owned()))
            })
            .filter(|(name, _)| is_name(name))
            .collect();
        Self { start, fields }
    }

    /// Status and reason of an answer; `None` for what is none.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        let (protocol, rest) = self.start.split_once(' ')?;
        if !["RTSP/", "HTTP/"].iter().any(|known| protocol.starts_with(known)) {
            return None;
        }
        let rest = rest.trim_start();
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = status.parse().ok().filter(|status| (100..1000).contains(status))?;
        Some(Answer { status, reason: reason.trim().chars().take(REASON).collect() })
    }

    /// Method and target of a request; `None` for what is none.
    #[must_use]
    pub fn request(&self) -> Option<(&str, &str)> {
        let mut parts = self.start.split(' ');
        let (method, target, protocol) = (parts.next()?, parts.next()?, parts.next()?);
        ["RTSP/", "HTTP/"].iter().any(|known| protocol.starts_with(known)).then_some((method, target))
    }

    /// First value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// All values of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// Without the fields of these names.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.fields.retain(|(known, _)| !names.iter().any(|name| known.eq_ignore_ascii_case(name)));
        self
    }

    /// With one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As it is sent.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.fields {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// Length of the head that `bytes` begin with, up to and with its empty line; `None` when it is not whole. Servers
/// that end lines with a line feed alone are understood.
#[must_use]
pub fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut line_begins = 0;
    for (index, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        let line = &bytes[line_begins..index];
        if index > 0 && (line.is_empty() || line == b"\r") {
            return Some(index + 1);
        }
        line_begins = index + 1;
    }
    None
}

/// What a stream of RTSP begins with.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// Interleaved media: this many bytes.
    Media(usize),
    /// A message: length of its head, length of its body.
    Message(usize, usize),
    /// Ends of lines between two messages: this many bytes.
    Blank(usize),
    /// Bytes that belong to no message and no media: this many.
    Noise(usize),
    /// More must come first.
    Incomplete,
}

/// What `bytes` begin with.
///
/// # Errors
/// When a head is longer than [`MAX_HEAD`].
pub fn next_item(bytes: &[u8]) -> Result<Item, ()> {
    match bytes {
        [] => Ok(Item::Incomplete),
        [b'$', _, high, low, ..] => {
            let length = 4 + usize::from(u16::from_be_bytes([*high, *low]));
            Ok(if bytes.len() < length { Item::Incomplete } else { Item::Media(length) })
        }
        [b'$', ..] => Ok(Item::Incomplete),
        // Some servers end a message with a line too many.
        [b'\r' | b'\n', ..] => Ok(Item::Blank(1)),
        _ if begins_message(bytes) => match head_length(bytes) {
            Some(head) => {
                let length = Message::parse(&bytes[..head]).get("content-length").map_or(Ok(0), str::parse);
                Ok(Item::Message(head, length.map_err(|_| ())?))
            }
            None if bytes.len() > MAX_HEAD => Err(()),
            None => Ok(Item::Incomplete),
        },
        _ => {
            let next = bytes.iter().skip(1).position(|byte| *byte == b'$' || *byte == b'R');
            Ok(Item::Noise(next.map_or(bytes.len(), |at| at + 1)))
        }
    }
}

/// Whether `bytes` may be the beginning of a message: a method in capitals, or the protocol, then a space.
fn begins_message(bytes: &[u8]) -> bool {
    let word = bytes.iter().take(20).position(|byte| *byte == b' ');
    let word = &bytes[..word.unwrap_or(bytes.len().min(20))];
    word.first().is_some_and(u8::is_ascii_uppercase)
        && word.iter().all(|byte| byte.is_ascii_uppercase() || b"_/.0123456789".contains(byte))
        && (word.len() < 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_not_taken_for_one() {
        for head in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"", b"RTSP/1.0 abc\r\n", &[0xFF; 64]] {
            assert_eq!(Message::parse(head).answer(), None, "{head:?}");
        }
    }

    #[test]
    fn fields_are_found_whatever_the_case_of_their_name() {
        let head = "RTSP/1.0 401 No\r\nCSeq: 1\r\nwww-authenticate: Digest realm=\"a\"\r\nWWW-Authenticate: Basic realm=\"b\"\r\n\r\n";
        let message = Message::parse(head.as_bytes());
        let challenges: Vec<_> = message.all("WWW-Authenticate").collect();
        assert_eq!(challenges, ["Digest realm=\"a\"", "Basic realm=\"b\""]);
        assert_eq!(message.without(&["WWW-AUTHENTICATE"]).bytes(), b"RTSP/1.0 401 No\r\nCSeq: 1\r\n\r\n");
    }

    #[test]
    fn what_readers_disagree_on_is_left_out() {
        let head = b"RTSP/1.0  2\r00 OK\r\nLoca\rtion: a\0b\r\n$x: y\r\n: z\r\n\r\r\nLocation: c\r\n\r\n";
        let message = Message::parse(head);
        assert_eq!(message.answer(), Some(Answer { status: 200, reason: "OK".into() }));
        assert_eq!(message.bytes(), b"RTSP/1.0  200 OK\r\nLocation: ab\r\n\r\n");
        for start in ["RTSP/1.0 302x Moved", "RTSP/1.0 -302", "RTSP/1.0", "RTSP/1.0 66000"] {
            assert_eq!(Message::parse(start.as_bytes()).answer(), None, "{start}");
        }
    }

    #[test]
    fn heads_end_at_an_empty_line_of_either_kind() {
        assert_eq!(head_length(b"HTTP/1.0 200 OK\r\n\r\nbody"), Some(19));
        assert_eq!(head_length(b"HTTP/1.0 200 OK\n\nbody"), Some(17));
        assert_eq!(head_length(b"HTTP/1.0 200 OK\r\nA: b\r\n"), None);
    }

    #[test]
    fn a_stream_is_cut_into_messages_and_media() {
        assert_eq!(next_item(b"$\x00\x00\x02ab$"), Ok(Item::Media(6)));
        assert_eq!(next_item(b"$\x00\x00\x02a"), Ok(Item::Incomplete));
        assert_eq!(next_item(b"RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"), Ok(Item::Message(38, 3)));
        assert_eq!(next_item(b"RTSP/1.0 200"), Ok(Item::Incomplete));
        assert_eq!(next_item(b"GET_PARAMETER rtsp://a RTSP/1.0\r\n\r\n"), Ok(Item::Message(35, 0)));
        assert_eq!(next_item(b"\x16\x03\x01$"), Ok(Item::Noise(3)));
        assert_eq!(next_item(b"ABCabc"), Ok(Item::Noise(6)));
        let long = [b"RTSP/1.0 200 OK\r\nX: ".as_slice(), &vec![b'a'; MAX_HEAD]].concat();
        assert_eq!(next_item(&long), Err(()));
        assert_eq!(next_item(b"RTSP/1.0 200 OK\r\nContent-Length: -3\r\n\r\n"), Err(()));
    }
}
