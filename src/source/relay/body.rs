//! What an HTTP server sends: heads, and bodies that are playlists.

use std::{io, time::Instant};

use url::Url;

use super::{link::Connection, playlist};
use crate::source::network::message::{self, MAX_HEAD, Message};

/// Largest playlist; a day of short segments has one megabyte.
pub const MAX_PLAYLIST: usize = 4 << 20;

/// An answer, and what came of its body so far.
pub struct Reply {
    pub message: Message,
    pub body: Vec<u8>,
    pub server: Connection,
    /// Who gave it in the end.
    pub target: Url,
}

/// The head of an answer that begins with `bytes`, and what came after it.
pub fn receive_head(
    server: &mut Connection,
    mut bytes: Vec<u8>,
    deadline: Instant,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        if let Some(length) = message::head_length(&bytes) {
            let body = bytes.split_off(length);
            return Ok((bytes, body));
        }
        if bytes.len() > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match server.receive(&mut piece, deadline)? {
            0 if bytes.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            // What is no answer is told by its first bytes.
            0 => return Ok((bytes, Vec::new())),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// Whether the body is a playlist. Reads as much of it as that takes.
pub fn begins_playlist(reply: &mut Reply, chunked: bool, deadline: Instant) -> io::Result<bool> {
    if !reply.message.answer().is_some_and(|answer| (200..300).contains(&answer.status)) {
        return Ok(false);
    }
    let mut piece = [0; 2048];
    loop {
        let (chunks, is_whole) = if chunked { unchunk(&reply.body) } else { (Vec::new(), false) };
        let begin = if chunked { chunks.as_slice() } else { reply.body.as_slice() };
        let begin = begin.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(begin);
        let compared = begin.len().min(playlist::BEGIN.len());
        if begin[..compared] != playlist::BEGIN[..compared] {
            return Ok(false);
        }
        if compared == playlist::BEGIN.len() {
            return Ok(true);
        }
        // Chunks of hardly anything are no video.
        if is_whole || reply.body.len() > MAX_HEAD {
            return Ok(false);
        }
        match reply.server.receive(&mut piece, deadline)? {
            0 => return Ok(false),
            count => reply.body.extend_from_slice(&piece[..count]),
        }
    }
}

/// A whole playlist; `None` when it is too long.
pub fn playlist(
    mut body: Vec<u8>,
    server: &mut Connection,
    chunked: bool,
    deadline: Instant,
) -> io::Result<Option<String>> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        if body.len() > MAX_PLAYLIST {
            return Ok(None);
        }
        if chunked && unchunk(&body).1 {
            break;
        }
        match server.receive(&mut piece, deadline) {
            Ok(0) => break,
            Ok(count) => body.extend_from_slice(&piece[..count]),
            Err(error) => return Err(error),
        }
    }
    let body = if chunked { unchunk(&body).0 } else { body };
    Ok(Some(String::from_utf8_lossy(&body).trim_start_matches('\u{FEFF}').to_owned()))
}

/// The content of chunks, and whether the last one was among them.
fn unchunk(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut content = Vec::new();
    while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&bytes[..end]);
        let size = line.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(size, 16) else { return (content, true) };
        let rest = &bytes[end + 1..];
        if size == 0 {
            return (content, true);
        }
        content.extend_from_slice(&rest[..size.min(rest.len())]);
        match rest.get(size..) {
            Some(after) => bytes = after.strip_prefix(b"\r\n").unwrap_or(after),
            None => break,
        }
    }
    (content, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        assert_eq!(unchunk(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), (b"abcde".to_vec(), true));
        assert_eq!(unchunk(b"3\r\nabc\r\n5\r\nde"), (b"abcde".to_vec(), false));
        assert_eq!(unchunk(b"FFFFFFFFFFFFFFFF\r\nab"), (b"ab".to_vec(), false));
    }
}
