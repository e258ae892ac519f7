//! Where everything goes: breakpoints and arithmetic on rectangles. Pure, and never out of bounds.

use ratatui::layout::Rect;

/// Smallest size (columns, rows) on which the screens are drawn.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Classes of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Below [`SMALLEST`]: only a card that says so.
    TooSmall,
    /// From 60x16: one panel at a time.
    Narrow,
    /// From 80x24: sources above, workers and events below.
    Normal,
    /// From 120x30: more columns and taller panels.
    Wide,
}

/// The class of a size.
#[must_use]
pub fn class(area: Rect) -> Class {
    match (area.width, area.height) {
        (w, h) if w < SMALLEST.0 || h < SMALLEST.1 => Class::TooSmall,
        (w, h) if w < 80 || h < 24 => Class::Narrow,
        (w, h) if w < 120 || h < 30 => Class::Normal,
        _ => Class::Wide,
    }
}

/// Takes `height` rows from the top of `area`, as many as are left.
pub fn take_top(area: &mut Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    let top = Rect { height, ..*area };
    area.y += height;
    area.height -= height;
    top
}

/// Takes `height` rows from the bottom of `area`, as many as are left.
pub fn take_bottom(area: &mut Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    area.height -= height;
    Rect { y: area.y + area.height, height, ..*area }
}

/// Takes `width` columns from the right of `area`, as many as are left.
pub fn take_right(area: &mut Rect, width: u16) -> Rect {
    let width = width.min(area.width);
    area.width -= width;
    Rect { x: area.x + area.width, width, ..*area }
}

/// Takes `width` columns from the left of `area`, as many as are left.
pub fn take_left(area: &mut Rect, width: u16) -> Rect {
    let width = width.min(area.width);
    let left = Rect { width, ..*area };
    area.x += width;
    area.width -= width;
    left
}

/// A rectangle of at most this size in the middle of `area`.
#[must_use]
pub fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakpoints() {
        let of = |w, h| class(Rect::new(0, 0, w, h));
        assert_eq!(of(59, 16), Class::TooSmall);
        assert_eq!(of(60, 16), Class::Narrow);
        assert_eq!(of(200, 23), Class::Narrow);
        assert_eq!(of(80, 24), Class::Normal);
        assert_eq!(of(119, 60), Class::Normal);
        assert_eq!(of(120, 30), Class::Wide);
    }
}
