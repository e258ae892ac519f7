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

    /// The text before the cursor and the text behind it.
    #[must_use]
    pub fn around_cursor(&self) -> (&str, &str) {
        let bytes = self.text[..self.cursor].iter().map(|c| c.len_utf8()).sum();
        self.as_string.split_at(bytes)
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

    /// Takes a key as a shell's line editor does: letters, Backspace, Delete, arrows; Home and End, also as Ctrl-a
    /// and Ctrl-e; a word back and forth with Alt-b and Alt-f or Ctrl and an arrow. Deletes: Ctrl-u to the start,
    /// Ctrl-k to the end, Ctrl-w or Alt-Backspace the word before, Alt-d the word behind, Ctrl-d like Delete,
    /// Ctrl-h like Backspace. Other keys with a modifier do nothing.
    pub fn key(&mut self, key: Key) -> Typed {
        let length = self.text.len();
        let by_word = key.ctrl || key.alt;
        match (key.code, key.ctrl, key.alt) {
            (KeyCode::Char(c), false, false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Char('a'), true, false) | (KeyCode::Home, ..) => self.cursor = 0,
            (KeyCode::Char('e'), true, false) | (KeyCode::End, ..) => self.cursor = length,
            (KeyCode::Char('b'), true, false) => self.cursor = self.cursor.saturating_sub(1),
            (KeyCode::Char('f'), true, false) => self.cursor = (self.cursor + 1).min(length),
            (KeyCode::Char('b'), false, true) => self.cursor = self.word_before(),
            (KeyCode::Char('f'), false, true) => self.cursor = self.word_behind(),
            (KeyCode::Left, ..) if by_word => self.cursor = self.word_before(),
            (KeyCode::Right, ..) if by_word => self.cursor = self.word_behind(),
            (KeyCode::Left, ..) => self.cursor = self.cursor.saturating_sub(1),
            (KeyCode::Right, ..) => self.cursor = (self.cursor + 1).min(length),
            (KeyCode::Char('u'), true, false) => self.delete(0, self.cursor),
            (KeyCode::Char('k'), true, false) => self.delete(self.cursor, length),
            (KeyCode::Char('w'), true, false) => self.delete(self.word_before(), self.cursor),
            (KeyCode::Char('d'), false, true) => self.delete(self.cursor, self.word_behind()),
            (KeyCode::Backspace, ..) if by_word => self.delete(self.word_before(), self.cursor),
            (KeyCode::Delete, ..) if by_word => self.delete(self.cursor, self.word_behind()),
            (KeyCode::Backspace, ..) | (KeyCode::Char('h'), true, false) => {
                self.delete(self.cursor.saturating_sub(1), self.cursor);
            }
            (KeyCode::Delete, ..) | (KeyCode::Char('d'), true, false) => {
                self.delete(self.cursor, (self.cursor + 1).min(length));
            }
            _ => {}
        }
        if self.text.len() == length { Typed::Same } else { Typed::Changed }
    }

    /// Takes the characters `from..to` out.
    fn delete(&mut self, from: usize, to: usize) {
        self.text.drain(from..to);
        self.cursor = from;
        self.as_string = self.text.iter().collect();
    }

    /// Where the word before the cursor begins. Slashes divide words, too: most texts are addresses.
    fn word_before(&self) -> usize {
        let Some(last) = self.text[..self.cursor].iter().rposition(|c| *c != ' ') else { return 0 };
        self.text[..last].iter().rposition(|c| matches!(c, ' ' | '/')).map_or(0, |gap| gap + 1)
    }

    /// Where the word behind the cursor ends.
    fn word_behind(&self) -> usize {
        let behind = &self.text[self.cursor..];
        let Some(begin) = behind.iter().position(|c| !matches!(c, ' ' | '/')) else { return self.text.len() };
        let end = behind[begin..].iter().position(|c| matches!(c, ' ' | '/'));
        end.map_or(self.text.len(), |end| self.cursor + begin + end)
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
    fn keys_move_and_delete_as_in_a_shell() {
        assert_eq!(typed(&["a", "b", "ctrl-a", "c", "ctrl-e", "d"]).text(), "cabd");
        assert_eq!(typed(&["a", "b", "left", "ctrl-k"]).text(), "a");
        assert_eq!(typed(&["a", "b", "ctrl-h"]).text(), "a");
        assert_eq!(typed(&["a", "b", "home", "ctrl-d"]).text(), "b");
        let after = |keys: &[&str]| {
            let mut input = TextInput::new("one two three");
            for key in keys {
                input.key(Key::parse(key).unwrap());
            }
            input.insert("|");
            input.text().to_owned()
        };
        assert_eq!(after(&["alt-b"]), "one two |three");
        assert_eq!(after(&["ctrl-left", "ctrl-left"]), "one |two three");
        assert_eq!(after(&["home", "alt-f"]), "one| two three");
        assert_eq!(after(&["home", "ctrl-right", "alt-d"]), "one| three");
        assert_eq!(after(&["alt-backspace"]), "one two |");
        assert_eq!(after(&["home", "ctrl-delete"]), "| two three");
    }

    #[test]
    fn a_chord_that_means_nothing_types_nothing() {
        assert_eq!(typed(&["a", "alt-q", "ctrl-x", "alt-é"]).text(), "a");
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
