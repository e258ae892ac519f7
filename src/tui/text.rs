//! Text from outside (names, errors, log lines) made safe and cut to a number of terminal columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether `c` must not reach the terminal: it would move the cursor, start an escape sequence, reverse the
/// direction of the text or hide.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
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

/// Columns that `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// [`clean`] text of at most `columns` columns, ending in `ellipsis` where it was cut.
#[must_use]
pub fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    let text = clean(text);
    if text.width() <= columns {
        return text;
    }
    let room = columns.saturating_sub(ellipsis.width());
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            break;
        }
        used += wide;
        kept.push(c);
    }
    // The width of a string can exceed the sum over its characters (emoji sequences).
    while kept.width() > room {
        kept.pop();
    }
    if columns >= ellipsis.width() {
        kept.push_str(ellipsis);
    }
    kept
}

/// Like [`cut`], filled up with spaces on the right to exactly `columns`.
#[must_use]
pub fn left(text: &str, columns: usize, ellipsis: &str) -> String {
    let mut text = cut(text, columns, ellipsis);
    let missing = columns.saturating_sub(text.width());
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// Like [`cut`], filled up with spaces on the left to exactly `columns`.
#[must_use]
pub fn right(text: &str, columns: usize, ellipsis: &str) -> String {
    let text = cut(text, columns, ellipsis);
    let missing = columns.saturating_sub(text.width());
    " ".repeat(missing) + &text
}

/// `text` broken at spaces into lines of at most `columns`; longer words are cut in pieces.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(text).split(' ') {
        let gap = usize::from(!line.is_empty());
        if line.width() + gap + word.width() <= columns {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            if !line.is_empty() && line.width() + c.width().unwrap_or(0) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
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
/// are shown, anything else is hidden. So is what parameters such as `pwd=` hold.
#[must_use]
pub fn mask_password(text: &str) -> String {
    let mut masked = mask_login(text);
    // Each character of a secret is one star, so that the cursor stays where it is.
    let ranges: Vec<_> = crate::config::secret_ranges(&masked);
    for range in ranges.into_iter().rev() {
        let stars = "*".repeat(masked[range.clone()].chars().count());
        masked.replace_range(range, &stars);
    }
    masked
}

fn mask_login(text: &str) -> String {
    let Some(start) = text.find("://").map(|at| at + 3) else { return text.to_string() };
    let authority_end = text[start..].find('/').map_or(text.len(), |at| start + at);
    // A password may hold a '/', so the last '@' counts when it comes later.
    let end = text[start..].rfind('@').map(|at| start + at);
    let Some(colon) = text[start..end.unwrap_or(authority_end)].find(':').map(|at| start + at + 1) else {
        return text.to_string();
    };
    let secret_end = match end {
        Some(end) => end,
        None if text[colon..authority_end].chars().all(|c| c.is_ascii_digit()) => return text.to_string(),
        None => authority_end,
    };
    let mut masked = text[..colon].to_string();
    masked.extend(text[colon..secret_end].chars().map(|_| '*'));
    masked.push_str(&text[secret_end..]);
    masked
}

#[cfg(test)]
mod tests {
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
        assert_eq!(mask_password("http://h/v?user=a&pwd=é1&ch=2"), "http://h/v?user=a&pwd=**&ch=2");
    }

    proptest::proptest! {
        #[test]
        fn padded_text_has_exactly_the_width_asked_for(text in "\\PC*", columns in 0usize..40) {
            proptest::prop_assert_eq!(left(&text, columns, "…").width(), columns);
            proptest::prop_assert_eq!(right(&text, columns, "…").width(), columns);
        }
    }
}
