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

/// The panels of the overview. A panel without room has no height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overview {
    /// Title, workers and queue, detector.
    pub header: Rect,
    /// Alerts and notices.
    pub alerts: Rect,
    /// The one panel of narrow screens, the table of sources on others.
    pub main: Rect,
    /// Facts on the selected source.
    pub selected: Rect,
    /// Live picture, right of the table.
    pub preview: Rect,
    /// Workers.
    pub workers: Rect,
    /// Events.
    pub events: Rect,
    /// Totals.
    pub totals: Rect,
    /// Hints and messages.
    pub footer: Rect,
}

/// What the overview has to find room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OverviewNeeds {
    /// Lines of alerts and notices.
    pub alerts: usize,
    /// Rows of the table of sources.
    pub rows: usize,
    /// Threads of the pool.
    pub workers: usize,
    /// Whether a picture is wanted.
    pub preview: bool,
}

/// Divides `area` for the overview.
#[must_use]
pub fn overview(area: Rect, needs: OverviewNeeds) -> Overview {
    let class = class(area);
    let mut rest = area;
    let header = take_top(&mut rest, 3);
    let mut parts = Overview { header, ..Overview::default() };
    parts.footer = take_bottom(&mut rest, 1);
    parts.totals = take_bottom(&mut rest, if class >= Class::Wide { 2 } else { 1 });
    let most_alerts = match class {
        Class::Wide => 4,
        Class::Normal => 3,
        _ => 1,
    };
    parts.alerts = take_top(&mut rest, clamp(needs.alerts, most_alerts));
    if class <= Class::Narrow {
        if needs.preview {
            let half = rest.width / 2;
            parts.preview = take_right(&mut rest, half);
        }
        parts.selected = take_bottom(&mut rest, 1);
        parts.main = rest;
        return parts;
    }
    // The panels below give way to the table: at least their title and two rows, at most a third.
    let wanted_below = clamp(needs.workers.max(4) + 2, if class == Class::Wide { 14 } else { 7 });
    let free = rest.height.saturating_sub(clamp(needs.rows + 4, rest.height));
    // What the table leaves free belongs to the events.
    let below = wanted_below.min((rest.height / 3).max(free)).max(free).max(4);
    let mut bottom = take_bottom(&mut rest, below);
    let workers_width = (bottom.width * 2 / 5).clamp(38, 60);
    parts.workers = take_left(&mut bottom, workers_width);
    take_left(&mut bottom, 1);
    parts.events = bottom;
    if needs.preview {
        let width = match class {
            Class::Wide => (rest.width * 2 / 5).clamp(40, 96),
            _ => rest.width * 2 / 5,
        };
        parts.preview = take_right(&mut rest, width);
        take_right(&mut rest, 1);
    }
    parts.selected = take_bottom(&mut rest, 2);
    parts.main = rest;
    parts
}

fn clamp(value: usize, most: u16) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX).min(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn sixteen_sources_of_an_ordinary_screen_keep_most_of_their_rows() {
        let needs = OverviewNeeds { alerts: 1, rows: 16, workers: 8, preview: false };
        let parts = overview(Rect::new(0, 0, 80, 24), needs);
        assert!(parts.main.height >= 9, "{parts:?}");
        assert!(parts.workers.height >= 4, "{parts:?}");
    }

    proptest! {
        #[test]
        fn panels_stay_inside_and_never_overlap(
            w in 0u16..260, h in 0u16..90, alerts in 0usize..9, rows in 0usize..90, workers in 0usize..40, preview: bool,
        ) {
            let area = Rect::new(0, 0, w, h);
            let p = overview(area, OverviewNeeds { alerts, rows, workers, preview });
            let parts =
                [p.header, p.alerts, p.main, p.selected, p.preview, p.workers, p.events, p.totals, p.footer];
            for (i, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.intersection(area).area(), part.area());
                for other in &parts[i + 1..] {
                    prop_assert_eq!(part.intersection(*other).area(), 0, "{:?}", p);
                }
            }
        }
    }
}
