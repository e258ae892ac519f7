//! Cells of a frame to bytes for the terminal, as few as will do.
//!
//! ratatui's own writer moves the cursor with absolute positions only, names foreground and background together
//! whenever one of them changes, writes the sixteen named colors in the long form that simple terminals do not
//! know, and resets everything four times a frame. On a table of which single digits change that is more than
//! the digits themselves.

use std::io::{self, Write};

use crossterm::cursor::{Hide, Show};
use ratatui::{
    backend::{Backend, ClearType, CrosstermBackend, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr;

/// Modifiers with the numbers that switch them on and off; bold and dim are off together.
const MODIFIERS: [(Modifier, &str, &str); 8] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::SLOW_BLINK, "5", "25"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::HIDDEN, "8", "28"),
    (Modifier::CROSSED_OUT, "9", "29"),
];

/// The look of what is written next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// The numbers that make this pen out of `before`.
    fn change_from(self, before: Self) -> Vec<String> {
        let mut numbers: Vec<String> = Vec::new();
        let mut kept = before.modifier;
        for (modifier, _, off) in MODIFIERS {
            if kept.contains(modifier) && !self.modifier.contains(modifier) {
                if off == "22" {
                    kept.remove(Modifier::BOLD | Modifier::DIM);
                }
                kept.remove(modifier);
                numbers.push(off.to_string());
            }
        }
        for (modifier, on, _) in MODIFIERS {
            if self.modifier.contains(modifier) && !kept.contains(modifier) {
                numbers.push(on.to_string());
            }
        }
        if self.fg != before.fg {
            numbers.push(color(self.fg, 30));
        }
        if self.bg != before.bg {
            numbers.push(color(self.bg, 40));
        }
        numbers
    }
}

/// The numbers of a color; `base` is 30 for the foreground, 40 for the background.
fn color(color: Color, base: u8) -> String {
    let named = |index: u8| if index < 8 { base + index } else { base + 52 + index }.to_string();
    match color {
        Color::Reset => (base + 9).to_string(),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// Taken for the size of a terminal that does not know its own.
const USUAL_SIZE: Size = Size { width: 80, height: 24 };

/// Most cells of a frame: a frame of 65,535 by 65,535 would take all memory.
const MOST_CELLS: u32 = 400_000;

/// `said` where a terminal can have that size; what is 0 in it is not known.
fn possible(said: Size) -> Option<Size> {
    let known = |length: u16, usual: u16| if length == 0 { usual } else { length };
    let size =
        Size { width: known(said.width, USUAL_SIZE.width), height: known(said.height, USUAL_SIZE.height) };
    (u32::from(size.width) * u32::from(size.height) <= MOST_CELLS).then_some(size)
}

/// Whether all terminals give `symbol` one column: Latin, Greek and Cyrillic letters, and the glyphs of the screens.
fn is_narrow(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    let is_known = |c: char| {
        c.is_ascii()
            || matches!(c, '\u{a0}'..='\u{2ff}' | '\u{370}'..='\u{482}' | '\u{48a}'..='\u{52f}')
            || matches!(c, '\u{2010}'..='\u{2027}' | '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{25ff}' | '\u{2800}'..='\u{28ff}')
    };
    characters.next().is_none_or(is_known) && characters.next().is_none()
}

/// Writes `cells` to `out`, from an unknown position of the cursor and the plain look, and back to it.
///
/// # Errors
/// When `out` cannot be written.
pub fn cells<'a>(out: &mut impl Write, cells: impl Iterator<Item = (u16, u16, &'a Cell)>) -> io::Result<()> {
    let mut pen = Pen::default();
    // Where the cursor is, as far as that is certain: terminals disagree on the width of some glyphs.
    let mut cursor: Option<(u16, u16)> = None;
    let mut is_certain = false;
    for (x, y, cell) in cells {
        match cursor {
            Some(at) if at == (x, y) => {}
            Some((column, row)) if row == y && column < x && is_certain => match x - column {
                1 => write!(out, "\x1b[C")?,
                gap => write!(out, "\x1b[{gap}C")?,
            },
            _ => {
                write!(out, "\x1b[{};{}H", u32::from(y) + 1, u32::from(x) + 1)?;
                is_certain = true;
            }
        }
        let wanted = Pen::of(cell);
        if wanted != pen {
            if wanted == Pen::default() {
                write!(out, "\x1b[m")?;
            } else {
                let change = wanted.change_from(pen).join(";");
                let whole = wanted.change_from(Pen::default()).join(";");
                if whole.len() + 1 < change.len() {
                    write!(out, "\x1b[;{whole}m")?;
                } else {
                    write!(out, "\x1b[{change}m")?;
                }
            }
            pen = wanted;
        }
        let symbol = cell.symbol();
        write!(out, "{symbol}")?;
        is_certain &= symbol.is_ascii();
        // A picture is one cell with control sequences in it, after which the cursor can be anywhere.
        cursor = if !is_narrow(symbol) && !symbol.contains('\x1b') {
            // The next cell says where it is: a row is not shifted, however wide the terminal makes this one.
            None
        } else if symbol.contains('\x1b') {
            write!(out, "\x1b[m")?;
            pen = Pen::default();
            None
        } else {
            Some((x + u16::try_from(symbol.width()).unwrap_or(1), y))
        };
    }
    if pen != Pen::default() {
        write!(out, "\x1b[m")?;
    }
    Ok(())
}

/// ratatui's backend for crossterm with [`cells`] for its writer. The cursor is hidden or shown once, not with every
/// frame.
pub struct Frugal<W: Write> {
    inner: CrosstermBackend<W>,
    cursor_shows: bool,
    /// The last size that could be.
    size: Size,
}

impl<W: Write> Frugal<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { inner: CrosstermBackend::new(out), cursor_shows: true, size: USUAL_SIZE }
    }

    /// Takes over the size that the terminal says it has; `Err` with that size when it cannot be.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn measure(&mut self) -> io::Result<Result<(), Size>> {
        let said = self.inner.size()?;
        Ok(possible(said).map(|size| self.size = size).ok_or(said))
    }

    /// The cursor shows again, for all that is known: the terminal was given away meanwhile.
    pub fn forget_cursor(&mut self) {
        self.cursor_shows = true;
    }
}

impl<W: Write> Write for Frugal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}

impl<W: Write> Backend for Frugal<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        cells(&mut self.inner, content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.cursor_shows) {
            crossterm::queue!(self.inner, Hide)?;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.cursor_shows, true) {
            crossterm::queue!(self.inner, Show)?;
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, part: ClearType) -> io::Result<()> {
        self.inner.clear_region(part)
    }

    fn append_lines(&mut self, count: u16) -> io::Result<()> {
        self.inner.append_lines(count)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(possible(self.inner.size()?).unwrap_or(self.size))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::{buffer::Buffer, layout::Rect, style::Style};

    use super::*;

    #[test]
    fn a_size_that_is_not_known_or_cannot_be_is_not_believed() {
        let size = |width, height| Size { width, height };
        assert_eq!(possible(size(0, 0)), Some(size(80, 24)));
        assert_eq!(possible(size(200, 0)), Some(size(200, 24)));
        assert_eq!(possible(size(500, 200)), Some(size(500, 200)));
        assert_eq!(possible(size(65_535, 65_535)), None);
    }

    #[test]
    fn no_glyph_of_unsure_width_shifts_what_follows() {
        let area = Rect::new(0, 0, 12, 1);
        let (before, mut after) = (Buffer::empty(area), Buffer::empty(area));
        after.set_string(0, 0, "日本 é ●x", Style::new());
        assert_eq!(
            String::from_utf8(written(&before, &after)).unwrap(),
            "\x1b[1;1H日\x1b[1;3H本\x1b[1;6Hé\x1b[1;8H●x"
        );
    }

    fn written(before: &Buffer, after: &Buffer) -> Vec<u8> {
        let mut out = Vec::new();
        cells(&mut out, before.diff(after).into_iter()).unwrap();
        out
    }

    #[test]
    fn one_digit_costs_one_move_and_one_character() {
        let area = Rect::new(0, 0, 20, 2);
        let (mut before, mut after) = (Buffer::empty(area), Buffer::empty(area));
        before.set_string(0, 1, "in 12  out 13", Style::new());
        after.set_string(0, 1, "in 13  out 14", Style::new());
        assert_eq!(String::from_utf8(written(&before, &after)).unwrap(), "\x1b[2;5H3\x1b[7C4");
    }

    #[test]
    fn a_colour_changes_without_naming_the_background() {
        let area = Rect::new(0, 0, 4, 1);
        let (before, mut after) = (Buffer::empty(area), Buffer::empty(area));
        after.set_string(0, 0, "a", Style::new().fg(Color::Indexed(34)));
        after.set_string(1, 0, "b", Style::new().fg(Color::Green).add_modifier(Modifier::BOLD));
        assert_eq!(
            String::from_utf8(written(&before, &after)).unwrap(),
            "\x1b[1;1H\x1b[38;5;34ma\x1b[1;32mb\x1b[m"
        );
    }

    const COLORS: [Color; 6] =
        [Color::Reset, Color::Red, Color::LightCyan, Color::White, Color::Indexed(178), Color::Rgb(1, 2, 3)];

    fn shown(color: vt100::Color) -> Color {
        match color {
            vt100::Color::Default => Color::Reset,
            vt100::Color::Idx(1) => Color::Red,
            vt100::Color::Idx(14) => Color::LightCyan,
            vt100::Color::Idx(15) => Color::White,
            vt100::Color::Idx(index) => Color::Indexed(index),
            vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
        }
    }

    fn frame() -> impl Strategy<Value = Buffer> {
        let cell = (0usize..5, 0..COLORS.len(), 0..COLORS.len(), 0usize..8);
        prop::collection::vec(prop::option::weighted(0.4, cell), 60).prop_map(|cells| {
            let area = Rect::new(0, 0, 12, 5);
            let mut buffer = Buffer::empty(area);
            for (index, cell) in cells.into_iter().enumerate() {
                let Some((symbol, fg, bg, modifier)) = cell else { continue };
                let looks = [Modifier::BOLD, Modifier::UNDERLINED, Modifier::REVERSED];
                let modifier = (0..3).filter(|bit| modifier >> bit & 1 == 1).map(|bit| looks[bit]).collect();
                buffer.content[index]
                    .set_symbol(["a", "7", " ", "●", "─"][symbol])
                    .set_style(Style::new().fg(COLORS[fg]).bg(COLORS[bg]).add_modifier(modifier));
            }
            buffer
        })
    }

    proptest! {
        /// After any frame on top of any other, a terminal shows exactly the later one.
        #[test]
        fn a_terminal_shows_what_was_drawn(first in frame(), second in frame()) {
            let mut terminal = vt100::Parser::new(5, 12, 0);
            terminal.process(&written(&Buffer::empty(first.area), &first));
            terminal.process(&written(&first, &second));
            for y in 0..5 {
                for x in 0..12 {
                    let (cell, seen) = (&second[(x, y)], terminal.screen().cell(y, x).unwrap());
                    let symbol = if seen.contents().is_empty() { " " } else { seen.contents() };
                    prop_assert_eq!(symbol, cell.symbol());
                    prop_assert_eq!((shown(seen.fgcolor()), shown(seen.bgcolor())), (cell.fg, cell.bg));
                    prop_assert_eq!(seen.bold(), cell.modifier.contains(Modifier::BOLD));
                    prop_assert_eq!(seen.underline(), cell.modifier.contains(Modifier::UNDERLINED));
                    prop_assert_eq!(seen.inverse(), cell.modifier.contains(Modifier::REVERSED));
                }
            }
        }
    }
}
