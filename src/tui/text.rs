//! Text from outside (names, errors, log lines) made safe and cut to a number of terminal columns.

use ratatui::buffer::CellWidth as _;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::model::name_of;

/// Whether `c` must not reach the terminal: it would move the cursor, start an escape sequence, reverse the
/// direction of the text or show nothing where there is something: the `Default_Ignorable_Code_Point`s of Unicode,
/// its line and paragraph separators and annotations, and the blank of Braille.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// `text` without anything that could act on the terminal: tabs and line ends become spaces, other control
/// characters `?`, invisible ones disappear.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\t' | '\n' | '\r' => Some(' '),
            c if c.is_control() => Some('?'),
            c if is_unsafe(c) => None,
            c => Some(c),
        })
        .collect()
}

/// What the terminal gets as one: a character with the marks on it, and the columns it takes, as ratatui lays it out: the
/// marks of halfwidth katakana take a column of their own.
pub fn clusters(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.graphemes(true).map(|cluster| {
        // It is shown as one character, and ratatui counts no control character.
        let columns = if cluster.chars().all(char::is_control) { 1 } else { cluster.cell_width() };
        (cluster, usize::from(columns))
    })
}

/// Columns that `text` takes: those of its clusters, which are drawn one by one. (The width of a whole string is
/// less where a font could join letters, and terminals do not.)
#[must_use]
pub fn width(text: &str) -> usize {
    clusters(text).map(|(_, columns)| columns).sum()
}

/// [`clean`] text of at most `columns` columns, ending in `ellipsis` where it was cut.
#[must_use]
pub fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text;
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut kept = String::new();
    let mut used = 0;
    for (cluster, wide) in clusters(&text) {
        if used + wide > room {
            break;
        }
        used += wide;
        kept.push_str(cluster);
    }
    if columns >= width(ellipsis) {
        kept.push_str(ellipsis);
    }
    kept
}

/// Like [`cut`], filled up with spaces on the right to exactly `columns`.
#[must_use]
pub fn left(text: &str, columns: usize, ellipsis: &str) -> String {
    let mut text = cut(text, columns, ellipsis);
    let missing = columns.saturating_sub(width(&text));
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// Like [`cut`], filled up with spaces on the left to exactly `columns`.
#[must_use]
pub fn right(text: &str, columns: usize, ellipsis: &str) -> String {
    let text = cut(text, columns, ellipsis);
    let missing = columns.saturating_sub(width(&text));
    " ".repeat(missing) + &text
}

/// Fewest columns in which the beginning of an alias still says something.
const LEAST_ALIAS: usize = 4;

/// The name of a source, [`name_of`], in at most `columns`: the alias is shortened, not the id by which the source is
/// found in logs and files; where that leaves next to nothing of the alias, the id stands alone.
#[must_use]
pub fn source_name(alias: &str, id: &str, columns: usize, ellipsis: &str) -> String {
    let whole = clean(&name_of(alias, id));
    if width(&whole) <= columns {
        return whole;
    }
    let id = clean(id);
    let tail = format!(" ({id})");
    match columns.checked_sub(width(&tail)) {
        Some(room) if alias != id && room >= LEAST_ALIAS => cut(alias, room, ellipsis) + &tail,
        _ => cut(&id, columns, ellipsis),
    }
}

/// `text` broken at spaces into lines of at most `columns`; longer words are cut in pieces.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(text).split(' ') {
        let gap = usize::from(!line.is_empty());
        if width(&line) + gap + width(word) <= columns {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for (cluster, wide) in clusters(word) {
            if !line.is_empty() && width(&line) + wide > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(cluster);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// `text` with the password of a URL hidden, for fields in which a URL is being typed.
///
/// Before the `@` is there, `name:rest` could be a host with its port or the start of a password: digits
/// are shown, anything else is hidden. So is what parameters such as `pwd=` hold. Each character of a secret is one
/// star, so that the cursor stays where it is.
#[must_use]
pub fn mask_password(text: &str) -> String {
    crate::config::Address(text).masked()
}

#[cfg(test)]
mod tests {
    use ratatui::{buffer::Buffer, layout::Rect, style::Style};

    use super::*;

    #[test]
    fn control_characters_and_direction_marks_do_not_pass() {
        assert_eq!(clean("a\x1b[2Jb\u{9b}c\td\ne"), "a?[2Jb?c d e");
        assert_eq!(clean("abc\u{202e}fdp.exe\u{200b}"), "abcfdp.exe");
    }

    #[test]
    fn wide_characters_are_never_halved() {
        assert_eq!(cut("入口カメラ", 7, "…"), "入口カ…");
        assert_eq!(cut("入口カメラ", 6, "…"), "入口…");
        assert_eq!(left("入口", 6, "…"), "入口  ");
        assert_eq!(right("入口カメラ", 6, "…"), " 入口…");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    #[test]
    fn text_is_measured_by_cluster_as_terminals_show_it() {
        assert_eq!(width("\u{644}\u{627}"), 2, "lam and alef are two letters");
        assert_eq!(width("e\u{301}"), 1, "a letter and its mark");
        assert_eq!(width("\u{ff76}\u{ff9e}"), 2, "a halfwidth kana and its mark");
        assert_eq!((width("\u{ff9e}"), right("\u{ff9e}", 1, "…").as_str()), (1, "\u{ff9e}"));
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
        assert_eq!(clean("👩\u{200d}👧"), "👩👧", "a terminal that joins nothing shows both");
        assert_eq!(width(&clean("👩\u{200d}👧")), 4);
    }

    #[test]
    fn wrapped_text_keeps_every_word_and_no_line_is_too_long() {
        let lines = wrap("cannot connect: no route to host 10.0.0.17", 12);
        assert_eq!(lines, ["cannot", "connect: no", "route to", "host", "10.0.0.17"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn passwords_are_hidden_while_they_are_typed() {
        assert_eq!(mask_password("rtsp://admin:s3cret@10.0.0.2/1"), "rtsp://admin:******@10.0.0.2/1");
        assert_eq!(mask_password("rtsp://admin:s3cr"), "rtsp://admin:****");
        assert_eq!(mask_password("rtsp://10.0.0.2:554/1"), "rtsp://10.0.0.2:554/1");
        assert_eq!(mask_password("rtsp://a:p/w@h/1"), "rtsp://a:***@h/1");
        assert_eq!(mask_password("demo:lobby?people=6"), "demo:lobby?people=6");
        assert_eq!(mask_password("http://h/v?user=a&pwd=é1&ch=2"), "http://h/v?user=*&pwd=**&ch=2");
    }

    proptest::proptest! {
        #[test]
        fn padded_text_has_exactly_the_width_asked_for(text in "\\PC*", columns in 0usize..40) {
            for padded in [left(&text, columns, "…"), right(&text, columns, "…")] {
                proptest::prop_assert_eq!(width(&padded), columns);
                // The column behind it, as ratatui lays it out.
                let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 1));
                let (end, _) = buffer.set_stringn(0, 0, &padded, 80, Style::new());
                proptest::prop_assert_eq!(usize::from(end), columns);
            }
        }
    }
}
