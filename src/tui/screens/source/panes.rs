//! The panes of the screen of one source, and where they go: one at a time on a small terminal, all of them
//! beside each other on a large one. Pure.

use ratatui::layout::Rect;

use crate::tui::layout::{take_bottom, take_left, take_right, take_top};

/// A part of the screen of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The live preview.
    #[default]
    Preview,
    /// Counts, rates, errors.
    Counts,
    /// What happened, crossings above all.
    Events,
    /// In, out and current over time.
    Chart,
    /// Where the CPU time goes.
    Times,
    /// The end of its log.
    Log,
    /// Its configuration.
    Config,
}

impl Pane {
    /// All, in the order of the keys `1` to `7`.
    pub const ALL: [Self; 7] =
        [Self::Preview, Self::Counts, Self::Events, Self::Chart, Self::Times, Self::Log, Self::Config];

    /// Its name, short enough for seven of them on a narrow line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Preview => "Preview",
            Self::Counts => "Counts",
            Self::Events => "Events",
            Self::Chart => "Chart",
            Self::Times => "Times",
            Self::Log => "Log",
            Self::Config => "Config",
        }
    }

    /// Place in [`Self::ALL`], from 0.
    #[must_use]
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0)
    }

    /// Whether it is read from its end: the latest stands at the bottom.
    #[must_use]
    pub fn is_read_from_its_end(self) -> bool {
        matches!(self, Self::Events | Self::Log)
    }
}

/// What [`arrange`] has to find room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The pane that keys act on.
    pub chosen: Pane,
    /// Whether it has all the room.
    pub maximized: bool,
    /// Whether the preview is on.
    pub preview: bool,
    /// Lines that the counts would take.
    pub counts: u16,
    /// Lines that the configuration would take.
    pub config: u16,
}

/// Where everything goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arranged {
    /// The list of panes; without height where all of them show.
    pub tabs: Rect,
    /// The panes that show.
    pub panes: Vec<(Pane, Rect)>,
}

/// Columns between panes side by side.
const GAP: u16 = 1;

/// Lines of the times: a heading, ten stages and their sum.
const STAGES: u16 = 13;

/// Divides `area`, which is what is left of a screen of `width` and `height` below its title.
#[must_use]
pub fn arrange(area: Rect, (width, height): (u16, u16), wanted: Wanted) -> Arranged {
    let mut rest = area;
    if width >= 180 && height >= 44 && !wanted.maximized {
        return Arranged { tabs: take_top(&mut rest, 0), panes: all(rest, wanted) };
    }
    let tabs = take_top(&mut rest, 1);
    let panes = if wanted.maximized {
        vec![(wanted.chosen, rest)]
    } else if width >= 120 && height >= 28 {
        most(rest, wanted)
    } else if width >= 80 && height >= 22 {
        some(rest, wanted)
    } else {
        vec![(wanted.chosen, rest)]
    };
    Arranged { tabs, panes }
}

/// Whether the preview is among the panes that show.
#[must_use]
pub fn shows_preview(area: Rect, size: (u16, u16), wanted: Wanted) -> bool {
    arrange(area, size, wanted).panes.iter().any(|(pane, _)| *pane == Pane::Preview)
}

/// Everything: picture and chart, counts and events, and the rest at the right.
fn all(area: Rect, wanted: Wanted) -> Vec<(Pane, Rect)> {
    let mut rest = area;
    let mut left = take_left(&mut rest, area.width * 2 / 5);
    take_left(&mut rest, GAP);
    let half = rest.width / 2;
    let mut right = take_right(&mut rest, half);
    take_right(&mut rest, GAP);
    let mut middle = rest;
    let chart = take_bottom(&mut left, area.height * 2 / 5);
    let counts = take_top(&mut middle, (wanted.counts + 1).min(area.height / 2));
    let stages = take_top(&mut right, STAGES);
    let mut panes =
        vec![(Pane::Counts, counts), (Pane::Events, middle), (Pane::Chart, chart), (Pane::Times, stages)];
    if wanted.preview {
        let space = right.height.saturating_sub(8);
        let config = take_top(&mut right, (wanted.config + 1).min(space));
        panes.extend([(Pane::Preview, left), (Pane::Config, config), (Pane::Log, right)]);
    } else {
        panes.extend([(Pane::Log, left), (Pane::Config, right)]);
    }
    panes
}

/// Picture and chart, counts and events, and one of the rest.
fn most(area: Rect, wanted: Wanted) -> Vec<(Pane, Rect)> {
    let mut rest = area;
    let mut right = take_right(&mut rest, (area.width * 2 / 5).min(72));
    take_right(&mut rest, GAP);
    let chart = take_bottom(&mut rest, area.height / 3);
    let (big, small) = match (wanted.preview, wanted.chosen) {
        (true, chosen @ (Pane::Times | Pane::Log | Pane::Config)) => (Pane::Preview, chosen),
        (true, _) => (Pane::Preview, Pane::Log),
        (false, chosen @ (Pane::Times | Pane::Config)) => (Pane::Log, chosen),
        (false, _) => (Pane::Log, Pane::Times),
    };
    let counts = take_top(&mut right, (wanted.counts + 1).min(area.height / 2));
    let small_height = if small == wanted.chosen { right.height * 2 / 3 } else { right.height / 2 };
    let last = take_bottom(&mut right, small_height);
    vec![(big, rest), (Pane::Chart, chart), (Pane::Counts, counts), (Pane::Events, right), (small, last)]
}

/// The chosen one large, with the counts beside it and the chart below.
fn some(area: Rect, wanted: Wanted) -> Vec<(Pane, Rect)> {
    let mut rest = area;
    let share = if wanted.chosen == Pane::Chart { 2 } else { 1 };
    let chart = take_bottom(&mut rest, area.height * share / 3);
    let big = match wanted.chosen {
        Pane::Counts | Pane::Chart if wanted.preview => Pane::Preview,
        Pane::Counts | Pane::Chart => Pane::Events,
        chosen => chosen,
    };
    let mut right = take_right(&mut rest, (area.width * 9 / 20).min(50));
    take_right(&mut rest, GAP);
    let mut panes = vec![(big, rest), (Pane::Chart, chart)];
    let events = if big == Pane::Events || wanted.chosen == Pane::Counts || wanted.chosen == Pane::Chart {
        0
    } else {
        right.height.saturating_sub(wanted.counts + 1).max(4).min(right.height / 2)
    };
    if events > 0 {
        panes.push((Pane::Events, take_bottom(&mut right, events)));
    }
    panes.push((Pane::Counts, right));
    panes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(width: u16, height: u16, chosen: Pane) -> Vec<&'static str> {
        let area = Rect::new(0, 1, width, height - 2);
        let wanted = Wanted { chosen, maximized: false, preview: true, counts: 12, config: 16 };
        let arranged = arrange(area, (width, height - 1), wanted);
        arranged.panes.iter().map(|(pane, _)| pane.name()).collect()
    }

    #[test]
    fn more_room_shows_more() {
        assert_eq!(names(60, 16, Pane::Log), ["Log"]);
        assert_eq!(names(80, 24, Pane::Log), ["Log", "Chart", "Events", "Counts"]);
        assert_eq!(names(120, 40, Pane::Config), ["Preview", "Chart", "Counts", "Events", "Config"]);
        assert_eq!(names(200, 50, Pane::Preview).len(), Pane::ALL.len());
    }

    proptest! {
        #[test]
        fn panes_stay_inside_never_overlap_and_the_chosen_one_shows(
            w in 60u16..260, h in 14u16..90, chosen in 0..Pane::ALL.len(), preview: bool, maximized: bool,
            counts in 1u16..40, config in 1u16..40,
        ) {
            let area = Rect::new(0, 0, w, h);
            let chosen = Pane::ALL[chosen];
            prop_assume!(preview || chosen != Pane::Preview);
            let arranged = arrange(area, (w, h), Wanted { chosen, maximized, preview, counts, config });
            prop_assert!(arranged.panes.iter().any(|(pane, at)| *pane == chosen && at.height >= 2));
            let mut parts: Vec<Rect> = arranged.panes.iter().map(|(_, at)| *at).collect();
            parts.push(arranged.tabs);
            for (i, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.intersection(area).area(), part.area());
                for other in &parts[i + 1..] {
                    prop_assert_eq!(part.intersection(*other).area(), 0, "{:?}", arranged);
                }
            }
        }
    }
}
