//! Roles to styles: code asks for what a thing means, the theme knows how that looks in the palette of this
//! terminal. No role sets a background: the user's own stays, dark or light.

use ratatui::style::{Color, Modifier, Style};

use crate::config::Theme as Choice;

/// How many colors the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Palette {
    /// None: bold, dim, underline and reverse only.
    None,
    /// The sixteen named colors, which follow the user's color scheme.
    Ansi16,
    /// The 256 indexed colors.
    Ansi256,
    /// Red, green and blue.
    True,
}

/// What the user asked for with `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// By the environment.
    #[default]
    Auto,
    /// Exactly this.
    Fixed(Palette),
}

impl ColorChoice {
    /// The choice that a user wrote.
    ///
    /// # Errors
    /// A sentence that names what can be written.
    pub fn parse_cli(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "never" | "none" => Self::Fixed(Palette::None),
            "16" => Self::Fixed(Palette::Ansi16),
            "256" | "always" => Self::Fixed(Palette::Ansi256),
            "true" => Self::Fixed(Palette::True),
            _ => return Err(format!("'{text}' is not one of auto, never, 16, 256, true")),
        })
    }

    /// The palette to use; `variable` reads the environment.
    ///
    /// In order: the choice itself, `NO_COLOR` when not empty, `TERM=dumb`, `COLORTERM`, the names of terminals
    /// that are known to show true color (over SSH only `TERM` arrives), `256color` in `TERM`, else 16.
    pub fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Palette {
        if let Self::Fixed(palette) = self {
            return palette;
        }
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        if set("NO_COLOR").is_some() || term == "dumb" {
            Palette::None
        } else if set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit")
            || shows_true_color(&term, &set)
        {
            Palette::True
        } else if term.contains("256color") || is_inside_another(&term) {
            Palette::Ansi256
        } else {
            Palette::Ansi16
        }
    }
}

/// Terminals that show true color and say it only by their name, in `TERM` or in a variable of their own.
fn shows_true_color(term: &str, set: &impl Fn(&str) -> Option<String>) -> bool {
    const NAMES: [&str; 8] = ["kitty", "ghostty", "alacritty", "wezterm", "foot", "contour", "rio", "direct"];
    const PROGRAMS: [&str; 7] =
        ["iTerm.app", "WezTerm", "ghostty", "vscode", "WarpTerminal", "rio", "mintty"];
    // Inside tmux or screen, such variables tell of the terminal around it.
    if is_inside_another(term) {
        return false;
    }
    NAMES.iter().any(|name| term.split('-').any(|part| part == *name))
        || set("TERM_PROGRAM").is_some_and(|program| PROGRAMS.contains(&program.as_str()))
        || set("KONSOLE_VERSION").is_some()
        || set("WT_SESSION").is_some()
        || set("VTE_VERSION")
            .and_then(|version| version.parse().ok())
            .is_some_and(|version: u32| version >= 3600)
}

/// Inside tmux or screen; both show 256 colors whatever the terminal around them shows.
fn is_inside_another(term: &str) -> bool {
    term.starts_with("tmux") || term.starts_with("screen")
}

/// What a piece of the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Beside the point.
    Dim,
    /// The program's name, headings.
    Title,
    /// Rules and frames.
    Border,
    /// Names of columns.
    Column,
    /// Works.
    Good,
    /// Works on it.
    Busy,
    /// Needs watching.
    Warn,
    /// Does not work.
    Bad,
    /// Over its limit, or down: not to be missed.
    Alert,
    /// Came in.
    In,
    /// Went out.
    Out,
    /// Keys in hints.
    Key,
    /// The row that keys act on.
    Selected,
    /// Rows that were marked.
    Marked,
}

/// `Auto` by the background that the terminal names in `COLORFGBG`, as rxvt, Konsole and iTerm2 do: light for its
/// two whites, else dark. Any other choice stays.
pub fn for_background(choice: Choice, variable: impl Fn(&str) -> Option<String>) -> Choice {
    let named = variable("COLORFGBG").unwrap_or_default();
    let is_light = matches!(named.rsplit(';').next(), Some("7" | "15"));
    if choice == Choice::Auto && is_light { Choice::Light } else { choice }
}

/// The styles of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    palette: Palette,
    choice: Choice,
}

/// One color in each palette: named, indexed, and red, green, blue.
type Swatch = (Color, u8, (u8, u8, u8));

// Indexed colors are taken from the middle of the 6x6x6 cube so that they can be read on black and on white
// alike; the dark and light variants of true color keep 4.5:1 against their own background.
const GREEN: Swatch = (Color::Green, 34, (80, 200, 120));
const GREEN_ON_LIGHT: Swatch = (Color::Green, 28, (0, 110, 50));
const AMBER: Swatch = (Color::Yellow, 172, (240, 170, 60));
const AMBER_ON_LIGHT: Swatch = (Color::Yellow, 130, (150, 85, 0));
const RED: Swatch = (Color::Red, 167, (255, 105, 100));
const RED_ON_LIGHT: Swatch = (Color::Red, 124, (180, 20, 25));
// Many schemes show the named blue too dark to read on black.
const BLUE: Swatch = (Color::Magenta, 33, (95, 165, 255));
const BLUE_ON_LIGHT: Swatch = (Color::Blue, 25, (0, 80, 170));
const CYAN: Swatch = (Color::Cyan, 37, (80, 200, 210));
const CYAN_ON_LIGHT: Swatch = (Color::Cyan, 30, (0, 105, 120));
// Okabe and Ito, "Color Universal Design" (2008): told apart with every common color vision.
const SKY: Swatch = (Color::Cyan, 74, (86, 180, 233));
const ORANGE: Swatch = (Color::Yellow, 178, (230, 159, 0));
const VERMILION: Swatch = (Color::Magenta, 166, (213, 94, 0));
const STRONG_BLUE: Swatch = (Color::Cyan, 32, (60, 140, 220));

impl Theme {
    /// The styles for a palette and what the configuration chose; `Auto` is for dark backgrounds.
    #[must_use]
    pub fn new(palette: Palette, choice: Choice) -> Self {
        let palette = if choice == Choice::Mono { Palette::None } else { palette };
        Self { palette, choice }
    }

    /// Colors at hand.
    #[must_use]
    pub fn palette(self) -> Palette {
        self.palette
    }

    fn color(self, dark: Swatch, light: Swatch, blind: Swatch) -> Option<Color> {
        let (named, index, (r, g, b)) = match self.choice {
            Choice::Light => light,
            Choice::ColorBlind => blind,
            Choice::Auto | Choice::Dark | Choice::Mono => dark,
        };
        match self.palette {
            Palette::None => None,
            Palette::Ansi16 => Some(named),
            Palette::Ansi256 => Some(Color::Indexed(index)),
            Palette::True => Some(Color::Rgb(r, g, b)),
        }
    }

    /// The style of a role.
    #[must_use]
    pub fn style(self, role: Role) -> Style {
        let (color, modifier) = match role {
            Role::Text => (None, Modifier::empty()),
            Role::Dim | Role::Border => (None, Modifier::DIM),
            Role::Title => (None, Modifier::BOLD),
            Role::Column => (None, Modifier::UNDERLINED),
            Role::Good => (self.color(GREEN, GREEN_ON_LIGHT, STRONG_BLUE), Modifier::empty()),
            Role::Busy => (self.color(CYAN, CYAN_ON_LIGHT, SKY), Modifier::empty()),
            Role::Warn => (self.color(AMBER, AMBER_ON_LIGHT, ORANGE), Modifier::BOLD),
            Role::Bad => (self.color(RED, RED_ON_LIGHT, VERMILION), Modifier::BOLD),
            Role::Alert => {
                (self.color(RED, RED_ON_LIGHT, VERMILION), Modifier::BOLD.union(Modifier::REVERSED))
            }
            Role::In => (self.color(GREEN, GREEN_ON_LIGHT, SKY), Modifier::empty()),
            Role::Out => (self.color(BLUE, BLUE_ON_LIGHT, ORANGE), Modifier::empty()),
            Role::Key => (self.color(CYAN, CYAN_ON_LIGHT, SKY), Modifier::BOLD),
            // Reverse shows in every palette; colors of the row are dropped so that it stays one bar.
            Role::Selected => (None, Modifier::REVERSED),
            Role::Marked => (self.color(AMBER, AMBER_ON_LIGHT, ORANGE), Modifier::BOLD),
        };
        let style = Style::new().add_modifier(modifier);
        color.map_or(style, |color| style.fg(color))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(pairs: &[(&str, &str)]) -> Palette {
        ColorChoice::Auto
            .resolve(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_string()))
    }

    #[test]
    fn the_environment_decides_in_the_documented_order() {
        assert_eq!(resolve(&[]), Palette::Ansi16);
        assert_eq!(resolve(&[("TERM", "tmux-256color")]), Palette::Ansi256);
        assert_eq!(resolve(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), Palette::True);
        assert_eq!(resolve(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), Palette::None);
        assert_eq!(resolve(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Palette::None);
        assert_eq!(resolve(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Palette::Ansi256);
        for term in
            ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "wezterm", "xterm-direct"]
        {
            assert_eq!(resolve(&[("TERM", term)]), Palette::True, "{term}");
        }
        assert_eq!(resolve(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]), Palette::True);
        assert_eq!(resolve(&[("TERM", "xterm-256color"), ("VTE_VERSION", "7200")]), Palette::True);
        assert_eq!(resolve(&[("TERM", "tmux-256color"), ("KONSOLE_VERSION", "230400")]), Palette::Ansi256);
        assert_eq!(resolve(&[("TERM", "screen")]), Palette::Ansi256);
        assert_eq!(resolve(&[("TERM", "linux")]), Palette::Ansi16);
        assert_eq!(resolve(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]), Palette::None);
        let never = ColorChoice::Fixed(Palette::None).resolve(|_| Some("truecolor".into()));
        assert_eq!(never, Palette::None);
    }

    #[test]
    fn a_light_background_is_noticed_where_the_terminal_names_it() {
        let of = |choice, named: &str| for_background(choice, |_| Some(named.to_string()));
        assert_eq!(of(Choice::Auto, "0;15"), Choice::Light);
        assert_eq!(of(Choice::Auto, "0;default;7"), Choice::Light);
        assert_eq!(of(Choice::Auto, "15;0"), Choice::Auto);
        assert_eq!(of(Choice::ColorBlind, "0;15"), Choice::ColorBlind);
        assert_eq!(for_background(Choice::Auto, |_| None), Choice::Auto);
    }

    const ROLES: [Role; 15] = [
        Role::Text,
        Role::Dim,
        Role::Title,
        Role::Border,
        Role::Column,
        Role::Good,
        Role::Busy,
        Role::Warn,
        Role::Bad,
        Role::Alert,
        Role::In,
        Role::Out,
        Role::Key,
        Role::Selected,
        Role::Marked,
    ];

    #[test]
    fn without_colours_no_role_has_one_and_the_selection_still_shows() {
        let theme = Theme::new(Palette::True, Choice::Mono);
        for role in ROLES {
            assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None), "{role:?}");
        }
        assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
        assert!(theme.style(Role::Bad).add_modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn good_warn_and_bad_differ_in_every_palette_and_theme() {
        for palette in [Palette::None, Palette::Ansi16, Palette::Ansi256, Palette::True] {
            for choice in [Choice::Dark, Choice::Light, Choice::ColorBlind] {
                let theme = Theme::new(palette, choice);
                let [good, warn, alert] = [Role::Good, Role::Warn, Role::Alert].map(|role| theme.style(role));
                assert_ne!(good, warn);
                assert_ne!(warn, alert);
                assert_ne!(good, alert);
                assert!(ROLES.iter().all(|role| theme.style(*role).bg.is_none()));
            }
        }
    }
}
