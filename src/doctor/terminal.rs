//! The terminal, where there is one: what the dashboard can do in it.

use std::{
    env, io,
    os::fd::{AsFd as _, BorrowedFd},
};

use rustix::termios::{isatty, tcgetwinsize};

use super::{finding::Finding, site::Site};
use crate::tui::{
    layout::SMALLEST,
    symbols::locale_is_utf8,
    theme::{ColorChoice, Palette},
};

/// What of the terminal the environment and the system tell.
struct Seen {
    size: (u16, u16),
    term: String,
    palette: Palette,
    is_utf8: bool,
}

/// Size, colors and characters.
pub fn terminal(_: &Site) -> Vec<Finding> {
    let variable = |name: &str| env::var(name).ok();
    let (out, input, error) = (io::stdout(), io::stdin(), io::stderr());
    let Some(size) = [out.as_fd(), input.as_fd(), error.as_fd()].into_iter().find_map(size) else {
        return vec![Finding::ok("none here: use --headless, or 'pcount-tui serve' and attach elsewhere")];
    };
    vec![judged(&Seen {
        size,
        term: variable("TERM").unwrap_or_default(),
        palette: ColorChoice::Auto.resolve(variable),
        is_utf8: locale_is_utf8(variable),
    })]
}

/// Columns and rows of a terminal; `None` for what is none.
pub fn size(fd: BorrowedFd<'_>) -> Option<(u16, u16)> {
    if !isatty(fd) {
        return None;
    }
    tcgetwinsize(fd).ok().map(|size| (size.ws_col, size.ws_row))
}

fn judged(seen: &Seen) -> Finding {
    let Seen { size: (columns, rows), term, palette, is_utf8 } = seen;
    let colors = match palette {
        Palette::None => "no colors",
        Palette::Ansi16 => "16 colors",
        Palette::Ansi256 => "256 colors",
        Palette::True => "true color",
    };
    let term = if term.is_empty() { "TERM is not set".into() } else { format!("TERM={term}") };
    let characters = if *is_utf8 { "UTF-8" } else { "no UTF-8: drawn with ASCII characters" };
    let sentence = format!("{columns}x{rows}, {term}, {colors}, {characters}");
    if (*columns, *rows) == (0, 0) {
        return Finding::warn(
            format!("it does not tell its size; {term}, {colors}"),
            "'stty cols 120 rows 40' sets it",
        );
    }
    if *columns < SMALLEST.0 || *rows < SMALLEST.1 {
        return Finding::warn(
            format!("{sentence}: too small"),
            format!("the dashboard needs {}x{}", SMALLEST.0, SMALLEST.1),
        );
    }
    if seen.term.is_empty() || seen.term == "dumb" {
        return Finding::warn(sentence, "set TERM to what the terminal is, such as xterm-256color");
    }
    Finding::ok(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status;

    #[test]
    fn what_the_dashboard_lacks_is_said() {
        let seen =
            |size, term: &str| Seen { size, term: term.into(), palette: Palette::Ansi256, is_utf8: false };
        let usual = judged(&seen((80, 24), "xterm-256color"));
        assert_eq!(usual.status, Status::Ok);
        assert_eq!(
            usual.sentence,
            "80x24, TERM=xterm-256color, 256 colors, no UTF-8: drawn with ASCII characters"
        );
        assert_eq!(judged(&seen((40, 10), "xterm")).status, Status::Warn);
        assert_eq!(judged(&seen((80, 24), "dumb")).status, Status::Warn);
        assert!(judged(&seen((0, 0), "xterm")).fix.unwrap().contains("stty cols"));
    }
}
