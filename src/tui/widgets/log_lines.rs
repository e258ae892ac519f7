//! Lines of a log without their dates and brackets.

use ratatui::text::{Line, Span};

use super::Look;
use crate::{
    logging::{Level, LogLine},
    tui::{context::Context, text, theme::Role},
};

/// Columns for who wrote a line, by the width of the screen.
fn label_width(width: usize) -> usize {
    match width {
        0..80 => 12,
        80..120 => 20,
        _ => 28,
    }
}

/// `12:34:56 Car Park (camera_03) WARN  no route to host`, with the words of the filter picked out and the message from a column
/// on.
#[must_use]
pub fn full(
    context: &Context,
    line: &LogLine,
    (filter, across): (&str, usize),
    width: usize,
    look: &Look,
) -> Line<'static> {
    let stamp = format!(" {} ", context.clock().clock(line.wall));
    let columns = label_width(width);
    let who = match &line.camera {
        Some(id) => look.name_of(context.shown(), id, columns),
        None => line.label.clone(),
    };
    let (who, level) = (look.left(&who, columns), format!(" {} ", look.left(line.level.word(), 5)));
    let room = width.saturating_sub(text::width(&stamp) + columns + text::width(&level));
    let mut spans = vec![look.span(stamp, Role::Dim)];
    spans.extend(picked_out(&who, filter, role(line.level), look));
    spans.push(look.span(level, role(line.level)));
    let message: String = line.message.chars().skip(across).collect();
    spans.extend(picked_out(&look.cut(&message, room), filter, role(line.level), look));
    Line::from(spans)
}

/// `12:34:56 WARN no route to host`, the level only where it matters, for the log of one source in a small pane.
#[must_use]
pub fn short(context: &Context, line: &LogLine, width: usize, look: &Look) -> Line<'static> {
    let stamp = format!("{} ", context.clock().clock(line.wall));
    // What is ordinary needs no word, and a small pane no column for it.
    let level = match line.level {
        Level::Error | Level::Warn => format!("{} ", line.level.word()),
        Level::Info | Level::Debug => String::new(),
    };
    let room = width.saturating_sub(stamp.len() + level.len());
    Line::from(vec![
        look.span(stamp, Role::Dim),
        look.span(level, role(line.level)),
        look.span(look.cut(&line.message, room), role(line.level)),
    ])
}

/// `text` in the style of `role`, with every word of `filter` in reverse.
fn picked_out(text: &str, filter: &str, role: Role, look: &Look) -> Vec<Span<'static>> {
    // Where lower case has another length, places in the one are not places in the other.
    let lower = text.to_lowercase();
    let filter = filter.to_lowercase();
    let words: Vec<&str> = filter.split_whitespace().filter(|word| !word.starts_with('!')).collect();
    if words.is_empty() || lower.len() != text.len() {
        return vec![look.span(text.to_string(), role)];
    }
    let mut found: Vec<(usize, usize)> = words
        .iter()
        .flat_map(|word| lower.match_indices(word).map(|(at, word)| (at, at + word.len())))
        .filter(|(from, to)| text.is_char_boundary(*from) && text.is_char_boundary(*to))
        .collect();
    found.sort_unstable();
    let mut spans = Vec::new();
    let mut done = 0;
    for (from, to) in found {
        if from >= done {
            spans.push(look.span(text[done..from].to_string(), role));
            spans.push(look.span(text[from..to].to_string(), Role::Selected));
            done = to;
        }
    }
    spans.push(look.span(text[done..].to_string(), role));
    spans
}

/// The role of lines of a level.
#[must_use]
pub fn role(level: Level) -> Role {
    match level {
        Level::Error => Role::Bad,
        Level::Warn => Role::Warn,
        Level::Info => Role::Text,
        Level::Debug => Role::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        symbols::UNICODE,
        theme::{Palette, Theme},
    };

    #[test]
    fn words_looked_for_are_picked_out_whatever_their_case() {
        let look = Look { theme: Theme::new(Palette::None, crate::config::Theme::Mono), symbols: UNICODE };
        let of = |text: &str, filter: &str| -> Vec<String> {
            let selected = look.style(Role::Selected);
            let spans = picked_out(text, filter, Role::Text, &look);
            assert_eq!(spans.iter().map(|span| &*span.content).collect::<String>(), text);
            spans.iter().filter(|span| span.style == selected).map(|span| span.content.to_string()).collect()
        };
        assert_eq!(of("No route to host, no way", "NO route"), ["No", "route", "no"]);
        assert_eq!(of("nothing here", "!nothing"), Vec::<String>::new());
        assert_eq!(of("aaaa", "aa aaa"), ["aa", "aa"]);
        assert_eq!(of("İstanbul İ", "stan"), Vec::<String>::new(), "its lower case is longer");
    }
}
