//! Pieces that screens are put together from, and the helpers that all of them use.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Clear, Widget},
};

use super::{
    keymap::Keymap,
    layout::centered,
    symbols::Symbols,
    text,
    text_input::TextInput,
    theme::{Role, Theme},
};
use crate::model::{EngineSnapshot, SourceSnapshot};

pub mod alert_bar;
pub mod chart;
pub mod describe;
pub mod footer;
pub mod log_lines;
pub mod picture;
pub mod source_facts;
pub mod sparkline;
pub mod strip;
pub mod too_small;

/// How things look in this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Styles.
    pub theme: Theme,
    /// Glyphs.
    pub symbols: Symbols,
}

impl Look {
    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Text in the style of a role.
    pub fn span<'a>(&self, text: impl Into<std::borrow::Cow<'a, str>>, role: Role) -> Span<'a> {
        Span::styled(text, self.style(role))
    }

    /// A line in the style of a role.
    pub fn line<'a>(&self, text: impl Into<std::borrow::Cow<'a, str>>, role: Role) -> Line<'a> {
        Line::from(self.span(text, role))
    }

    /// `text` of exactly `width` columns, to the left.
    #[must_use]
    pub fn left(&self, text: &str, width: usize) -> String {
        text::left(text, width, self.symbols.ellipsis)
    }

    /// `text` of exactly `width` columns, to the right.
    #[must_use]
    pub fn right(&self, text: &str, width: usize) -> String {
        text::right(text, width, self.symbols.ellipsis)
    }

    /// `text` of at most `width` columns.
    #[must_use]
    pub fn cut(&self, text: &str, width: usize) -> String {
        text::cut(text, width, self.symbols.ellipsis)
    }

    /// The name of a source, [`text::source_name`], in at most `width` columns.
    #[must_use]
    pub fn name(&self, source: &SourceSnapshot, width: usize) -> String {
        text::source_name(&source.alias, &source.id, width, self.symbols.ellipsis)
    }

    /// The name of the source with this id in at most `width` columns; the id of one that is gone.
    #[must_use]
    pub fn name_of(&self, snapshot: &EngineSnapshot, id: &str, width: usize) -> String {
        match snapshot.sources.iter().find(|source| &*source.id == id) {
            Some(source) => self.name(source, width),
            None => self.cut(id, width),
        }
    }

    /// Keys with what they do.
    #[must_use]
    pub fn hints(&self, hints: &[(&str, &str)]) -> Line<'static> {
        let mut spans = Vec::new();
        for (key, what) in hints {
            spans.push(self.span((*key).to_string(), Role::Key));
            spans.push(self.span(format!(" {what}  "), Role::Dim));
        }
        Line::from(spans)
    }

    /// What stands between two facts: ` · `.
    #[must_use]
    pub fn separator(&self) -> String {
        format!(" {} ", self.symbols.dot)
    }
}

/// Puts one line into the first row of `area`, cut at its end.
pub fn put(line: &Line, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(*buffer.area());
    if area.width > 0 && area.height > 0 {
        buffer.set_line(area.x, area.y, line, area.width);
    }
}

/// Puts lines below each other, as many as fit.
pub fn put_lines<'a>(lines: impl IntoIterator<Item = &'a Line<'a>>, area: Rect, buffer: &mut Buffer) {
    for (line, row) in lines.into_iter().zip(0..area.height) {
        put(line, Rect { y: area.y + row, height: 1, ..area }, buffer);
    }
}

/// A rule with a title over a panel: `─ Workers ─────`. Bold where the keys go.
pub fn rule(title: &str, focused: bool, area: Rect, buffer: &mut Buffer, look: &Look) {
    let width = usize::from(area.width);
    let title = look.cut(title, width.saturating_sub(4));
    let title_style =
        if focused { look.style(Role::Key) } else { look.style(Role::Title).remove_modifier(Modifier::BOLD) };
    let lead = if focused { look.symbols.cursor } else { look.symbols.rule };
    let used = text::width(&title) + 3;
    let line = Line::from(vec![
        look.span(lead, if focused { Role::Key } else { Role::Border }),
        Span::styled(format!(" {title} "), title_style),
        look.span(look.symbols.rule.repeat(width.saturating_sub(used)), Role::Border),
    ]);
    put(&line, area, buffer);
}

/// Draws a box of `width` in the middle of `area` with `lines` in it, over whatever was there; gives the place of
/// the lines.
pub fn frame(area: Rect, width: u16, title: &str, lines: &[Line], buffer: &mut Buffer, look: &Look) -> Rect {
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let outer = centered(area, width, height);
    if outer.width < 4 || outer.height < 3 {
        return Rect::default();
    }
    Clear.render(outer, buffer);
    let [top_left, top_right, bottom_left, bottom_right] = look.symbols.corners;
    let inside = usize::from(outer.width) - 2;
    let title = look.cut(title, inside.saturating_sub(4));
    let dashes = inside.saturating_sub(text::width(&title) + 3);
    let top = Line::from(vec![
        look.span(format!("{top_left}{}", look.symbols.rule), Role::Border),
        look.span(format!(" {title} "), Role::Title),
        look.span(format!("{}{top_right}", look.symbols.rule.repeat(dashes)), Role::Border),
    ]);
    put(&top, outer, buffer);
    let bottom = format!("{bottom_left}{}{bottom_right}", look.symbols.rule.repeat(inside));
    let last = Rect { y: outer.bottom() - 1, height: 1, ..outer };
    put(&look.line(bottom, Role::Border), last, buffer);
    let side = look.line(look.symbols.side, Role::Border);
    for row in 1..outer.height - 1 {
        let y = outer.y + row;
        put(&side, Rect::new(outer.x, y, 1, 1), buffer);
        put(&side, Rect::new(outer.right() - 1, y, 1, 1), buffer);
    }
    let inner = Rect {
        x: outer.x + 2,
        y: outer.y + 1,
        width: outer.width.saturating_sub(4),
        height: outer.height - 2,
    };
    put_lines(lines, inner, buffer);
    inner
}

/// Text being typed, scrolled so that the caret shows, and the column of the caret: the terminal's own cursor stands
/// there, for input methods and screen readers.
#[must_use]
pub fn input_line(prompt: &str, input: &TextInput, width: usize, look: &Look) -> (Line<'static>, u16) {
    let room = width.saturating_sub(text::width(prompt) + 1).max(1);
    // What cannot be shown is not in the text, but a character may be replaced by one of another length.
    let (before, after) = input.around_cursor();
    let (before, after) = (text::clean(before), text::clean(after));
    let mut wide = text::width(&before);
    let mut shown = &before[..];
    for (cluster, columns) in text::clusters(&before) {
        if wide < room {
            break;
        }
        wide -= columns;
        shown = &shown[cluster.len()..];
    }
    let caret = u16::try_from(text::width(prompt) + wide).unwrap_or(u16::MAX);
    let line = Line::from(vec![
        look.span(prompt.to_string(), Role::Key),
        look.span(shown.to_string(), Role::Text),
        look.span(look.cut(&after, (room + 1).saturating_sub(wide)), Role::Text),
    ]);
    (line, caret)
}

/// Where the caret of a text field stands that is drawn in `area` with the caret in `column`.
#[must_use]
pub fn caret(area: Rect, column: u16) -> Position {
    Position { x: area.x.saturating_add(column).min(area.right().saturating_sub(1)), y: area.y }
}

/// The first key of an action, for hints.
#[must_use]
pub fn first_key(keymap: &Keymap, action: super::action::Action) -> String {
    keymap.keys(action).first().map(ToString::to_string).unwrap_or_default()
}
