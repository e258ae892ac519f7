//! One line of text being typed.

use crossterm::event::KeyCode;

use super::keymap::Key;

/// Longest text taken, in characters: longer than any sensible URL.
const LONGEST: usize = 2048;

/// What a key did to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The text is another one.
    Changed,
    /// At most the cursor moved.
    Same,
}

/// Text and cursor.
#[derive(Debug, Clone, Default)]
pub struct TextInput {
    text: Vec<char>,
    cursor: usize,
    as_string: String,
}

impl TextInput {
    /// `text` with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut input = Self::default();
        input.insert(text);
        input
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.as_string
    }

    /// The cursor: how many characters stand before it.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The same with the password of a URL hidden, for showing.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self { cursor: self.cursor, ..Self::new(&super::text::mask_password(self.text())) }
    }

    /// Puts text in at the cursor.
    pub fn insert(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text.len());
        let added: Vec<char> = text.chars().filter(|c| !c.is_control()).take(room).collect();
        let count = added.len();
        self.text.splice(self.cursor..self.cursor, added);
        self.cursor += count;
        self.as_string = self.text.iter().collect();
    }

    /// Takes a key: letters, Backspace, Delete, arrows, Home, End, Ctrl-u (all before the cursor), Ctrl-w
    /// (the word before it).
    pub fn key(&mut self, key: Key) -> Typed {
        let before = self.text.len();
        match (key.code, key.ctrl) {
            (KeyCode::Char('u'), true) => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            (KeyCode::Char('w'), true) => {
                let kept = self.text[..self.cursor].iter().rposition(|c| *c != ' ').map_or(0, |last| {
                    self.text[..last].iter().rposition(|c| matches!(c, ' ' | '/')).map_or(0, |gap| gap + 1)
                });
                self.text.drain(kept..self.cursor);
                self.cursor = kept;
            }
            (KeyCode::Char(c), false) => {
                self.insert(c.encode_utf8(&mut [0; 4]));
                return if self.text.len() == before { Typed::Same } else { Typed::Changed };
            }
            (KeyCode::Backspace, _) if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            (KeyCode::Delete, _) if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            (KeyCode::Left, _) => self.cursor = self.cursor.saturating_sub(1),
            (KeyCode::Right, _) => self.cursor = (self.cursor + 1).min(self.text.len()),
            (KeyCode::Home, _) => self.cursor = 0,
            (KeyCode::End, _) => self.cursor = self.text.len(),
            _ => {}
        }
        if self.text.len() == before {
            return Typed::Same;
        }
        self.as_string = self.text.iter().collect();
        Typed::Changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> TextInput {
        let mut input = TextInput::default();
        for key in keys {
            input.key(Key::parse(key).unwrap());
        }
        input
    }

    #[test]
    fn text_is_edited_in_the_middle() {
        assert_eq!(typed(&["a", "b", "left", "c", "é"]).text(), "acéb");
        assert_eq!(typed(&["a", "b", "home", "delete", "end", "c"]).text(), "bc");
        assert_eq!(typed(&["a", "b", "left", "ctrl-u"]).text(), "b");
        assert_eq!(typed(&["backspace", "delete", "left"]).text(), "");
    }

    #[test]
    fn a_word_is_deleted_back_to_the_slash() {
        let mut input = TextInput::new("rtsp://host/stream one");
        input.key(Key::parse("ctrl-w").unwrap());
        assert_eq!(input.text(), "rtsp://host/stream ");
        input.key(Key::parse("ctrl-w").unwrap());
        assert_eq!(input.text(), "rtsp://host/");
    }

    #[test]
    fn pasted_line_ends_do_not_get_in() {
        assert_eq!(TextInput::new("a\r\nb\x1b[").text(), "ab[");
    }
}
