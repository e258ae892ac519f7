//! Bytes of a terminal, made into keys, mouse, pastes and focus; everything else that a terminal may send is
//! read to its end and ignored.
//!
//! Terminals answer questions that other programs have asked, report changes of theme and size, and send keys that
//! no program knows. The grammar is that of ECMA-48 (control sequences, control strings, 7 and 8 bits) with what
//! xterm, the Linux console and rxvt add as senders. Parsers for the other direction (`vte`, `vtparse`) know
//! neither SS3 keys nor X10 mouse reports nor pastes; those for this one (`crossterm`, `termwiz`, `terminput`) take
//! control strings and unknown reports for keys, or wait forever for the end of one.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

mod csi;

/// A sequence whose next byte does not come for this long has ended: a lone ESC is the key, anything else is
/// dropped.
pub const UNFINISHED: Duration = Duration::from_millis(100);

/// Most bytes of parameters that are kept; longer sequences are read to their end and ignored.
const MOST_PARAMETERS: usize = 64;

/// Most bytes of a paste that are kept.
const MOST_PASTED: usize = 1 << 20;

/// A burst of at least this many bytes behind a paste that broke off is its rest: nobody types that fast.
const BURST: usize = 8;

const PASTE_END: &[u8] = b"\x1b[201~";

const ESC: u8 = 0x1b;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate byte: a final byte follows.
    EscapeIntermediate,
    Csi,
    /// A control sequence that is too long or malformed, until its final byte.
    CsiIgnored,
    /// After ESC O: the key, perhaps with a modifier before it.
    Ss3,
    /// This many bytes that belong to the sequence before them, whatever they are: an X10 mouse report.
    Mouse(usize),
    /// One byte that is ignored: a function key of the Linux console, a character of G2.
    One,
    /// A control string; BEL ends it if `bell`. So many bytes of the character under way are to come.
    String {
        bell: bool,
        rest: u8,
    },
    /// ESC in a control string.
    StringEscape {
        bell: bool,
    },
    /// A character of several bytes.
    Utf8(u8),
    Paste,
}

/// Reads bytes as they come in, in pieces of any size.
#[derive(Debug)]
pub struct Parser {
    state: State,
    /// ESC bytes read that may be keys of their own, at most two.
    escapes: u8,
    /// What has come of parameters, of a character, of a mouse report or of a paste.
    gathered: Vec<u8>,
    /// A paste broke off.
    is_torn: bool,
}

impl Default for Parser {
    fn default() -> Self {
        Self { state: State::Ground, escapes: 0, gathered: Vec::new(), is_torn: false }
    }
}

impl Parser {
    /// Takes what was read in one go.
    pub fn feed(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) {
        let mut bytes = bytes;
        if std::mem::take(&mut self.is_torn) {
            let begin = position(bytes, b"\x1b[200~").unwrap_or(bytes.len());
            if let Some(end) = position(&bytes[..begin], PASTE_END) {
                emit_paste(&bytes[..end], out);
                bytes = &bytes[end + PASTE_END.len()..];
            } else if bytes.len() >= BURST && !bytes.contains(&ESC) {
                self.is_torn = true;
                emit_paste(bytes, out);
                return;
            }
        }
        for byte in bytes {
            self.byte(*byte, out);
        }
    }

    /// Whether a sequence has begun and not ended.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.state != State::Ground
    }

    /// Nothing has come for [`UNFINISHED`]: what has begun is over.
    pub fn give_up(&mut self, out: &mut impl FnMut(Event)) {
        match self.state {
            State::Escape => self.emit_escapes(out),
            State::Paste => {
                self.is_torn = true;
                emit_paste(&self.gathered, out);
            }
            _ => {}
        }
        self.reset();
    }

    fn reset(&mut self) {
        self.state = State::Ground;
        self.escapes = 0;
        self.gathered.clear();
        // A paste may have been large.
        self.gathered.shrink_to(MOST_PARAMETERS);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.gathered.clear();
    }

    fn byte(&mut self, byte: u8, out: &mut impl FnMut(Event)) {
        match self.state {
            State::Ground => self.ground(byte, KeyModifiers::NONE, out),
            State::Escape => self.escape(byte, out),
            State::EscapeIntermediate => match byte {
                0x20..=0x2f => {}
                ESC => self.begin_escape(),
                _ => self.reset(),
            },
            State::Csi => self.csi(byte, out),
            State::CsiIgnored => match byte {
                0x40..=0x7e | 0x18 | 0x1a => self.reset(),
                ESC => self.begin_escape(),
                _ => {}
            },
            State::Ss3 => match byte {
                b'0'..=b'9' | b';' if self.gathered.len() < MOST_PARAMETERS => self.gathered.push(byte),
                ESC => self.begin_escape(),
                0x40..=0x7e => {
                    let alt = self.alt();
                    if let Some(event) = csi::ss3(&self.gathered, byte) {
                        out(with(event, alt));
                    }
                    self.reset();
                }
                _ => self.reset(),
            },
            State::Mouse(missing) => {
                self.gathered.push(byte);
                if missing > 1 {
                    self.state = State::Mouse(missing - 1);
                } else {
                    if let Some(event) = csi::x10(&self.gathered) {
                        out(event);
                    }
                    self.reset();
                }
            }
            State::One => self.reset(),
            State::String { bell, rest } => self.string(byte, bell, rest),
            State::StringEscape { .. } if byte == b'\\' => self.reset(),
            State::StringEscape { .. } => {
                // Another sequence begins; the string has no end.
                self.begin_escape();
                self.escape(byte, out);
            }
            State::Utf8(missing) => self.utf8(byte, missing, out),
            State::Paste => self.paste(byte, out),
        }
    }

    fn ground(&mut self, byte: u8, alt: KeyModifiers, out: &mut impl FnMut(Event)) {
        let mut key = |code, modifiers| out(Event::Key(KeyEvent::new(code, modifiers | alt)));
        match byte {
            ESC => return self.begin_escape(),
            b'\r' => key(KeyCode::Enter, KeyModifiers::NONE),
            b'\t' => key(KeyCode::Tab, KeyModifiers::NONE),
            // Terminals send either for Backspace, and none sends the other for Ctrl-h alone.
            0x08 | 0x7f => key(KeyCode::Backspace, KeyModifiers::NONE),
            0x00 => key(KeyCode::Char(' '), KeyModifiers::CONTROL),
            0x01..=0x1a => key(KeyCode::Char(char::from(byte - 1 + b'a')), KeyModifiers::CONTROL),
            0x1c..=0x1f => key(KeyCode::Char(char::from(byte - 0x1c + b'4')), KeyModifiers::CONTROL),
            0x20..=0x7e => key(KeyCode::Char(char::from(byte)), KeyModifiers::NONE),
            0x8e => return self.enter(State::One),
            0x8f => return self.enter(State::Ss3),
            0x90 | 0x98 | 0x9e | 0x9f => return self.enter(State::String { bell: false, rest: 0 }),
            0x9b => return self.enter(State::Csi),
            0x9d => return self.enter(State::String { bell: true, rest: 0 }),
            0xc2..=0xf4 => {
                self.enter(State::Utf8(continuation(byte)));
                self.gathered.push(byte);
                return;
            }
            // Other control characters of 8 bits, and bytes that no text has.
            _ => {}
        }
        self.reset();
    }

    fn begin_escape(&mut self) {
        self.enter(State::Escape);
        self.escapes = 1;
    }

    fn escape(&mut self, byte: u8, out: &mut impl FnMut(Event)) {
        match byte {
            // A second one is the key twice, or a sequence with Alt as rxvt sends it. What follows tells.
            ESC if self.escapes > 1 => out(Event::Key(KeyCode::Esc.into())),
            ESC => self.escapes += 1,
            b'[' => self.enter(State::Csi),
            b'O' => self.enter(State::Ss3),
            b'N' => self.enter(State::One),
            b']' => self.enter(State::String { bell: true, rest: 0 }),
            b'P' | b'X' | b'^' | b'_' => self.enter(State::String { bell: false, rest: 0 }),
            0x20..=0x2f if self.escapes == 1 => self.enter(State::EscapeIntermediate),
            _ => {
                // The last ESC is Alt.
                self.escapes -= 1;
                self.emit_escapes(out);
                self.ground(byte, KeyModifiers::ALT, out);
                if let State::Utf8(_) = self.state {
                    self.escapes = 1;
                }
            }
        }
    }

    fn emit_escapes(&mut self, out: &mut impl FnMut(Event)) {
        for _ in 0..self.escapes {
            out(Event::Key(KeyCode::Esc.into()));
        }
        self.escapes = 0;
    }

    /// Alt where ESC stood before a sequence.
    fn alt(&self) -> KeyModifiers {
        if self.escapes > 1 { KeyModifiers::ALT } else { KeyModifiers::NONE }
    }

    fn csi(&mut self, byte: u8, out: &mut impl FnMut(Event)) {
        match byte {
            ESC => self.begin_escape(),
            0x20..=0x3f if self.gathered.len() < MOST_PARAMETERS => self.gathered.push(byte),
            0x20..=0x3f => self.state = State::CsiIgnored,
            b'M' if self.gathered.is_empty() => self.enter(State::Mouse(3)),
            b'[' if self.gathered.is_empty() => self.enter(State::One),
            b'~' if self.gathered == b"200" => {
                self.reset();
                self.state = State::Paste;
            }
            0x40..=0x7e => {
                if let Some(event) = csi::event(&self.gathered, byte) {
                    out(with(event, self.alt()));
                }
                self.reset();
            }
            // Cancelled, or no control sequence at all.
            _ => self.reset(),
        }
    }

    fn string(&mut self, byte: u8, bell: bool, rest: u8) {
        // A byte of a character is no control: 'Ü' ends like the string's end in 8 bits.
        if rest > 0 && (0x80..=0xbf).contains(&byte) {
            self.state = State::String { bell, rest: rest - 1 };
            return;
        }
        match byte {
            0x07 if bell => self.reset(),
            0x9c | 0x18 | 0x1a => self.reset(),
            ESC => self.state = State::StringEscape { bell },
            _ => self.state = State::String { bell, rest: continuation(byte) },
        }
    }

    fn utf8(&mut self, byte: u8, missing: u8, out: &mut impl FnMut(Event)) {
        if !(0x80..=0xbf).contains(&byte) {
            // Half a character is nothing.
            self.reset();
            return self.byte(byte, out);
        }
        self.gathered.push(byte);
        if missing > 1 {
            self.state = State::Utf8(missing - 1);
            return;
        }
        let alt = if self.escapes > 0 { KeyModifiers::ALT } else { KeyModifiers::NONE };
        let character = std::str::from_utf8(&self.gathered).ok().and_then(|text| text.chars().next());
        // U+0080 to U+009F are controls, not text.
        if let Some(character) = character.filter(|character| !character.is_control()) {
            out(Event::Key(KeyEvent::new(KeyCode::Char(character), alt)));
        }
        self.reset();
    }

    fn paste(&mut self, byte: u8, out: &mut impl FnMut(Event)) {
        self.gathered.push(byte);
        if self.gathered.ends_with(PASTE_END) {
            emit_paste(&self.gathered[..self.gathered.len() - PASTE_END.len()], out);
            self.reset();
        } else if self.gathered.len() > MOST_PASTED + PASTE_END.len() {
            // Its end must still be found.
            let end = self.gathered.len() - PASTE_END.len();
            self.gathered.drain(MOST_PASTED..end);
        }
    }
}

/// How many bytes follow this one in a character.
fn continuation(byte: u8) -> u8 {
    match byte {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => 0,
    }
}

fn emit_paste(bytes: &[u8], out: &mut impl FnMut(Event)) {
    if !bytes.is_empty() {
        out(Event::Paste(String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_PASTED)]).into_owned()));
    }
}

fn with(event: Event, modifiers: KeyModifiers) -> Event {
    match event {
        Event::Key(key) => Event::Key(KeyEvent { modifiers: key.modifiers | modifiers, ..key }),
        event => event,
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests;
