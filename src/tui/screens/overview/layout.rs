//! Where the parts of the overview go. Pure, and never out of bounds.

use ratatui::layout::Rect;

use crate::tui::layout::{Class, take_bottom, take_left, take_right, take_top};

/// How the overview is laid out, as the user chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// The selected source beside the table where there is room, else workers and events below it.
    #[default]
    Auto,
    /// Workers and events below the table.
    Panels,
    /// The selected source beside the table, from 120 columns on.
    Detail,
    /// The table alone.
    Table,
}

impl Layout {
    const ALL: [Self; 4] = [Self::Auto, Self::Panels, Self::Detail, Self::Table];

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        let now = Self::ALL.iter().position(|layout| *layout == self).unwrap_or(0);
        Self::ALL[(now + 1) % Self::ALL.len()]
    }

    /// Its name, in messages and where it is remembered.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Panels => "panels",
            Self::Detail => "detail",
            Self::Table => "table",
        }
    }

    /// The layout of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }

    /// Whether the selected source stands beside the table on a screen of this size.
    #[must_use]
    pub fn has_detail(self, (width, height): (u16, u16)) -> bool {
        match self {
            Self::Auto => width >= 180 && height >= 40,
            Self::Detail => width >= 120 && height >= 24,
            Self::Panels | Self::Table => false,
        }
    }
}

/// The panels of the overview. A panel without room has no height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// Title, workers and queue, detector.
    pub header: Rect,
    /// Alerts and notices.
    pub alerts: Rect,
    /// The one panel of narrow screens, the table of sources on others.
    pub main: Rect,
    /// Facts on the selected source.
    pub selected: Rect,
    /// Live preview, right of the table.
    pub preview: Rect,
    /// The selected source in full, right of everything.
    pub detail: Rect,
    /// Workers.
    pub workers: Rect,
    /// Events.
    pub events: Rect,
    /// How many are inside of areas.
    pub areas: Rect,
    /// Totals.
    pub totals: Rect,
}

/// What the overview has to find room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Content {
    /// Lines of alerts and notices.
    pub alerts: usize,
    /// Areas that people are counted in.
    pub areas: usize,
    /// Rows of the table of sources.
    pub rows: usize,
    /// Threads of the pool.
    pub workers: usize,
    /// Whether a preview is wanted.
    pub preview: bool,
    /// Whether the selected source stands beside the table.
    pub detail: bool,
    /// Whether the table stands alone.
    pub alone: bool,
}

/// Divides `area`, which is what is left of a screen of `class`.
#[must_use]
pub fn divide(area: Rect, class: Class, content: Content) -> Parts {
    let mut rest = area;
    let header = take_top(&mut rest, 3);
    let mut parts = Parts { header, ..Parts::default() };
    parts.totals = take_bottom(&mut rest, if class >= Class::Wide { 2 } else { 1 });
    let most_areas = match class {
        Class::Wide => 6,
        Class::Normal => 3,
        _ => 1,
    };
    parts.areas = take_bottom(&mut rest, clamp(content.areas, most_areas));
    let most_alerts = match class {
        Class::Wide => 4,
        Class::Normal => 3,
        _ => 1,
    };
    parts.alerts = take_top(&mut rest, clamp(content.alerts, most_alerts));
    if class <= Class::Narrow {
        if content.preview {
            let half = rest.width / 2;
            parts.preview = take_right(&mut rest, half);
        }
        parts.selected = take_bottom(&mut rest, 1);
        parts.main = rest;
        return parts;
    }
    if content.detail {
        let width = (rest.width * 3 / 10).clamp(44, 90);
        parts.detail = take_right(&mut rest, width);
        take_right(&mut rest, 1);
    }
    if content.alone {
        if content.preview && !content.detail {
            let width = rest.width * 2 / 5;
            parts.preview = take_right(&mut rest, width);
            take_right(&mut rest, 1);
        }
        parts.selected = take_bottom(&mut rest, 2);
        parts.main = rest;
        return parts;
    }
    // The panels below give way to the table: at least their title and two rows, at most a third.
    let wanted_below = clamp(content.workers.max(4) + 2, if class == Class::Wide { 14 } else { 7 });
    let free = rest.height.saturating_sub(clamp(content.rows + 4, rest.height));
    // What the table leaves free belongs to the events.
    let below = wanted_below.min((rest.height / 3).max(free)).max(free).max(4);
    let mut bottom = take_bottom(&mut rest, below);
    let workers_width = (bottom.width * 2 / 5).clamp(38, 60);
    parts.workers = take_left(&mut bottom, workers_width);
    take_left(&mut bottom, 1);
    parts.events = bottom;
    if content.preview && !content.detail {
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
    use crate::tui::layout::class;

    #[test]
    fn sixteen_sources_of_an_ordinary_screen_keep_most_of_their_rows() {
        let content = Content { alerts: 1, rows: 16, workers: 8, ..Content::default() };
        let parts = divide(Rect::new(0, 0, 80, 23), Class::Normal, content);
        assert!(parts.main.height >= 9, "{parts:?}");
        assert!(parts.workers.height >= 4, "{parts:?}");
    }

    proptest! {
        #[test]
        fn panels_stay_inside_and_never_overlap(
            w in 0u16..260, h in 0u16..90, alerts in 0usize..9, rows in 0usize..90, workers in 0usize..40, preview: bool,
            detail: bool, alone: bool,
        ) {
            let area = Rect::new(0, 0, w, h);
            let p = divide(area, class(area), Content { alerts, areas: alerts, rows, workers, preview, detail, alone });
            let parts =
                [p.header, p.alerts, p.main, p.selected, p.preview, p.detail, p.workers, p.events, p.totals];
            for (i, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.intersection(area).area(), part.area());
                for other in &parts[i + 1..] {
                    prop_assert_eq!(part.intersection(*other).area(), 0, "{:?}", p);
                }
            }
        }
    }
}
