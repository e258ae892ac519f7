//! Every glyph of the screens, each with an ASCII twin, all one column wide.

/// One set of glyphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Frames are coming.
    pub running: &'static str,
    /// Being opened.
    pub connecting: &'static str,
    /// Waits before the next attempt, or gets no frames.
    pub retrying: &'static str,
    /// Does not work and will not by itself.
    pub failed: &'static str,
    /// Stopped by the user.
    pub paused: &'static str,
    /// Read to its end.
    pub completed: &'static str,
    /// Waits for its turn.
    pub queued: &'static str,
    /// Not switched on.
    pub disabled: &'static str,
    /// Stands before the selected row.
    pub cursor: &'static str,
    /// Stands before a marked row.
    pub marked: &'static str,
    /// Stands before something that wants attention.
    pub alert: &'static str,
    /// An alert that somebody has seen.
    pub acknowledged: &'static str,
    /// Horizontal rule.
    pub rule: &'static str,
    /// Vertical rule.
    pub side: &'static str,
    /// Corners: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    /// Between facts on one line.
    pub dot: &'static str,
    /// Where text was cut.
    pub ellipsis: &'static str,
    /// Filled part of a bar.
    pub full: &'static str,
    /// Empty part of a bar.
    pub empty: &'static str,
    /// Heights of a chart column, from the lowest.
    pub levels: [&'static str; 8],
    /// Directions: up, right, down, left.
    pub arrows: [&'static str; 4],
    /// Diagonals: up right, down right, down left, up left.
    pub diagonals: [&'static str; 4],
    /// Brightness without color, from dark to light.
    pub shades: [&'static str; 5],
    /// Two pixels above each other, upper one in the foreground color.
    pub half: &'static str,
    /// Sorted from small to large, and from large to small.
    pub sorted: [&'static str; 2],
}

/// Glyphs for UTF-8 terminals.
pub const UNICODE: Symbols = Symbols {
    running: "●",
    connecting: "◌",
    retrying: "▲",
    failed: "✕",
    paused: "‖",
    completed: "✓",
    queued: "○",
    disabled: "–",
    cursor: "▸",
    marked: "◆",
    alert: "▲",
    acknowledged: "△",
    rule: "─",
    side: "│",
    corners: ["┌", "┐", "└", "┘"],
    dot: "·",
    ellipsis: "…",
    full: "█",
    empty: "░",
    levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    arrows: ["↑", "→", "↓", "←"],
    diagonals: ["↗", "↘", "↙", "↖"],
    shades: [" ", "░", "▒", "▓", "█"],
    half: "▀",
    sorted: ["▴", "▾"],
};

/// Glyphs foreverything else.
pub const ASCII: Symbols = Symbols {
    running: "*",
    connecting: "o",
    retrying: "^",
    failed: "x",
    paused: "=",
    completed: "+",
    queued: ".",
    disabled: "-",
    cursor: ">",
    marked: "#",
    alert: "!",
    acknowledged: "'",
    rule: "-",
    side: "|",
    corners: ["+", "+", "+", "+"],
    dot: "|",
    ellipsis: "~",
    full: "#",
    empty: ".",
    levels: ["_", ".", ",", "-", "=", "+", "*", "#"],
    arrows: ["^", ">", "v", "<"],
    diagonals: ["/", "\\", "/", "\\"],
    shades: [" ", ".", "+", "%", "@"],
    half: "#",
    sorted: ["^", "v"],
};

impl Symbols {
    /// Whether these are the ASCII twins.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.half == ASCII.half
    }
}

/// Whether the locale says that the terminal takes UTF-8: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that
/// is not empty decides; none at all counts as UTF-8, as in containers.
pub fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| variable(name))
        .find(|value| !value.is_empty())
        .is_none_or(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn all(s: &Symbols) -> Vec<&'static str> {
        let mut all = vec![
            s.running,
            s.connecting,
            s.retrying,
            s.failed,
            s.paused,
            s.completed,
            s.queued,
            s.disabled,
            s.cursor,
            s.marked,
            s.alert,
            s.acknowledged,
            s.rule,
            s.side,
            s.dot,
            s.ellipsis,
            s.full,
            s.empty,
            s.half,
        ];
        all.extend(s.corners.iter().chain(&s.levels).chain(&s.arrows).chain(&s.diagonals).chain(&s.shades));
        all.extend(s.sorted);
        all
    }

    #[test]
    fn every_glyph_is_one_column_wide_and_every_twin_is_ascii() {
        for glyph in all(&UNICODE).into_iter().chain(all(&ASCII)) {
            assert_eq!(glyph.width(), 1, "{glyph:?}");
        }
        assert!(all(&ASCII).iter().all(|glyph| glyph.is_ascii()));
    }

    #[test]
    fn states_can_be_told_apart_by_glyph_alone() {
        for s in [UNICODE, ASCII] {
            let states =
                [s.running, s.connecting, s.retrying, s.failed, s.paused, s.completed, s.queued, s.disabled];
            let distinct: std::collections::BTreeSet<_> = states.iter().collect();
            assert_eq!(distinct.len(), states.len());
        }
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let of = |pairs: &'static [(&str, &str)]| {
            locale_is_utf8(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_string()))
        };
        assert!(of(&[]));
        assert!(of(&[("LANG", "de_DE.UTF-8")]));
        assert!(!of(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
        assert!(of(&[("LC_ALL", ""), ("LANG", "C.utf8")]));
        assert!(!of(&[("LANG", "POSIX")]));
    }
}
