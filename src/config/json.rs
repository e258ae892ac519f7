//! JSON (RFC 8259) with comments and trailing commas, read so that everything remembers where it stands.
//!
//! `serde_json` stops at the first mistake and forgets positions; a person who fixes a configuration wants
//! every mistake with its line. This reader accepts what `serde_json` accepts, beside it `// ..`, `/* .. */` and a
//! comma behind the last entry, and leaves duplicate keys in the tree for the caller to report. It is one of our own
//! because readers of JSON with comments accept more than that (line breaks in a text, any space of Unicode, 512
//! brackets inside one another) and say less about a mistake.

use std::{fmt, ops::Range};

/// Deepest nesting accepted, so that hostile input cannot exhaust the stack. `serde_json` allows 128.
const DEPTH_LIMIT: usize = 64;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TextPosition {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub place: TextPosition,
    /// In bytes of the whole text.
    pub span: Range<usize>,
    pub value: Value,
}

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    String(String),
    Array(Vec<Node>),
    /// In the order of the text; keys may repeat.
    Object(Vec<Member>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub key: String,
    pub place: TextPosition,
    /// Where the key starts, in bytes of the whole text.
    pub start: usize,
    pub node: Node,
}

/// A whole text that was read.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub root: Node,
    /// Each with the signs that open and close it.
    pub comments: Vec<&'a str>,
}

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub place: TextPosition,
    pub message: String,
}

/// Bytes of the comment that `text` begins with; 0 when it begins with none, or with one that is not closed.
pub(super) fn comment(text: &str) -> usize {
    if text.starts_with("//") {
        text.find(['\n', '\r']).unwrap_or(text.len())
    } else if let Some(inner) = text.strip_prefix("/*") {
        inner.find("*/").map_or(0, |end| end + "/**/".len())
    } else {
        0
    }
}

/// Parses a whole text. A byte order mark at its start is skipped.
pub(super) fn parse(text: &str) -> Result<Document<'_>, SyntaxError> {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let place = TextPosition { line: 1, column: 1 };
    let mut parser = Parser { length: text.len(), rest, place, depth: 0, comments: Vec::new() };
    parser.skip_space();
    if parser.rest.is_empty() {
        return Err(parser.error("the file is empty; the smallest valid one is {}"));
    }
    let root = parser.value()?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(Document { root, comments: parser.comments }),
        Some('/' | '#') => Err(parser.unexpected("the end of the document")),
        Some(found) => {
            Err(parser.error(format!("{} after the end of the document; remove it", shown(found))))
        }
    }
}

/// Finds `byte` of a text as line and column, for texts that are not UTF-8.
pub(super) fn place_of(bytes: &[u8]) -> TextPosition {
    let line_start = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    TextPosition {
        line: bytes.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: String::from_utf8_lossy(&bytes[line_start..]).chars().count() + 1,
    }
}

struct Parser<'a> {
    /// Bytes of the whole text.
    length: usize,
    rest: &'a str,
    place: TextPosition,
    depth: usize,
    comments: Vec<&'a str>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Bytes of the whole text before what comes next.
    fn offset(&self) -> usize {
        self.length - self.rest.len()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        if next == '\n' {
            self.place = TextPosition { line: self.place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some(next)
    }

    fn skip_space(&mut self) {
        loop {
            while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
                self.bump();
            }
            let rest: &'a str = self.rest;
            let comment = &rest[..comment(rest)];
            if comment.is_empty() {
                return;
            }
            for _ in comment.chars() {
                self.bump();
            }
            self.comments.push(comment);
        }
    }

    fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { place: self.place, message: message.into() }
    }

    /// What stands here instead of `wanted`, with the usual slips named.
    fn unexpected(&self, wanted: &str) -> SyntaxError {
        self.error(match self.peek() {
            None => format!("the file ends where {wanted} belongs; is it cut off, or a bracket not closed?"),
            Some('/') if self.rest.starts_with("/*") => {
                "this comment is not closed; put a '*/' at its end".to_owned()
            }
            Some('#') => {
                format!("comments begin with '//' here; replace this '#' ({wanted} belongs here)")
            }
            Some('\'') => {
                "JSON puts text into double quotes (\"..\"), not single ones; replace them".to_owned()
            }
            Some('N' | 'I' | '+') => {
                format!("{wanted} belongs here; JSON knows neither NaN, Infinity nor a leading '+'")
            }
            Some('T' | 'F') => format!("{wanted} belongs here; JSON writes true and false in small letters"),
            Some(found) => format!("{} where {wanted} belongs", shown(found)),
        })
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let (place, start) = (self.place, self.offset());
        let value = match self.peek() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::array)?,
            Some('"') => Value::String(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some('t') => self.word("true", Value::Bool(true))?,
            Some('f') => self.word("false", Value::Bool(false))?,
            Some('n') => self.word("null", Value::Null)?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node { place, span: start..self.offset(), value })
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Value, SyntaxError>,
    ) -> Result<Value, SyntaxError> {
        if self.depth == DEPTH_LIMIT {
            return Err(self.error(format!("more than {DEPTH_LIMIT} brackets inside one another")));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, SyntaxError> {
        if !self.rest.starts_with(word) {
            return Err(self.unexpected("a value"));
        }
        for _ in word.chars() {
            self.bump();
        }
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, SyntaxError> {
        let opened = self.place;
        self.bump();
        let mut members = Vec::new();
        self.skip_space();
        if self.peek() == Some('}') {
            self.bump();
            return Ok(Value::Object(members));
        }
        loop {
            let (place, start) = (self.place, self.offset());
            if self.peek() != Some('"') {
                return Err(match self.peek() {
                    Some(c) if c.is_alphanumeric() || c == '_' => {
                        self.error("keys stand in double quotes; write \"key\": value")
                    }
                    _ => self.unexpected("a key in double quotes"),
                });
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(':') {
                // The key is not repeated: it may be a password that lacks its key.
                return Err(self.unexpected("':' after the key"));
            }
            self.bump();
            self.skip_space();
            let node = self.value()?;
            members.push(Member { key, place, start, node });
            if !self.another('}', opened)? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        let opened = self.place;
        self.bump();
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(']') {
            self.bump();
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            if !self.another(']', opened)? {
                return Ok(Value::Array(items));
            }
        }
    }

    /// After an entry: `true` at a comma that another entry follows, `false` at `close`.
    fn another(&mut self, close: char, opened: TextPosition) -> Result<bool, SyntaxError> {
        let entry_end = self.place;
        self.skip_space();
        match self.peek() {
            Some(',') => {
                self.bump();
                self.skip_space();
                let is_last = self.peek() == Some(close);
                if is_last {
                    self.bump();
                }
                Ok(!is_last)
            }
            Some(found) if found == close => {
                self.bump();
                Ok(false)
            }
            Some('"' | '{' | '[' | '-' | '0'..='9') => {
                Err(SyntaxError { place: entry_end, message: "a comma is missing here".into() })
            }
            None => Err(self.error(format!(
                "the file ends inside the bracket that opens at line {}, column {}; close it with '{close}'",
                opened.line, opened.column
            ))),
            Some(_) => Err(self.unexpected(&format!("',' or '{close}'"))),
        }
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.rest;
        if self.peek() == Some('-') {
            self.bump();
        }
        match self.peek() {
            Some('0') => {
                self.bump();
                if matches!(self.peek(), Some('0'..='9')) {
                    return Err(self.error("a number starts with a superfluous 0; remove it"));
                }
            }
            _ => self.digits()?,
        }
        if self.peek() == Some('.') {
            self.bump();
            self.digits()?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.bump();
            if matches!(self.peek(), Some('+' | '-')) {
                self.bump();
            }
            self.digits()?;
        }
        let text = &start[..start.len() - self.rest.len()];
        if !text.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(self.error("a number is too large; write a smaller one"));
        }
        Ok(Value::Number(text.to_owned()))
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        if !matches!(self.peek(), Some('0'..='9')) {
            return Err(self.unexpected("a digit"));
        }
        while matches!(self.peek(), Some('0'..='9')) {
            self.bump();
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let opened = self.place;
        self.bump();
        let mut text = String::new();
        loop {
            match self.peek() {
                None | Some('\n') => {
                    return Err(SyntaxError {
                        place: opened,
                        message: "this text is not closed; put a '\"' at its end".into(),
                    });
                }
                Some('"') => {
                    self.bump();
                    return Ok(text);
                }
                Some('\\') => text.push(self.escape()?),
                Some(control) if control < ' ' => {
                    return Err(self.error(format!(
                        "{} inside a text; write it as \\u{:04x}",
                        shown(control),
                        u32::from(control)
                    )));
                }
                Some(other) => {
                    text.push(other);
                    self.bump();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let place = self.place;
        self.bump();
        let letter = self.peek();
        self.bump();
        Ok(match letter {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.hex(place)?;
                let code = if (0xd800..0xdc00).contains(&first) && self.rest.starts_with("\\u") {
                    self.bump();
                    self.bump();
                    let second = self.hex(place)?;
                    if (0xdc00..0xe000).contains(&second) {
                        0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    } else {
                        first
                    }
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| SyntaxError {
                    place,
                    message: "half of a surrogate pair; write the character itself".into(),
                })?
            }
            _ => {
                return Err(SyntaxError {
                    place,
                    message: "unknown escape; a backslash itself is written '\\\\'".into(),
                });
            }
        })
    }

    fn hex(&mut self, place: TextPosition) -> Result<u32, SyntaxError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self
                .peek()
                .and_then(|c| c.to_digit(16))
                .ok_or_else(|| SyntaxError { place, message: "\\u wants four hexadecimal digits".into() })?;
            self.bump();
            code = code * 16 + digit;
        }
        Ok(code)
    }
}

/// A character for a message: itself in quotes, or its code when it cannot be seen.
fn shown(c: char) -> String {
    if c.is_control() { format!("the control character U+{:04X}", u32::from(c)) } else { format!("'{c}'") }
}

impl Value {
    /// What kind of value it is, in a sentence.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::String(_) => "text",
            Self::Array(_) => "a list [..]",
            Self::Object(_) => "an object {..}",
        }
    }
}

impl fmt::Display for TextPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests;
