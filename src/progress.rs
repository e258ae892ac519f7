//! How far a long command has come, in one line of the terminal, and whether it is asked to end early.
//!
//! The line goes to the standard error and only to a terminal. Whatever else is printed meanwhile goes through
//! [`Progress::beside`], which takes the line away for that moment.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Write},
    os::fd::AsFd as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};
use parking_lot::Mutex;

use crate::config;

/// Lines drawn per second at most; a remote terminal is to have no work with it.
const DRAWN_PER_SECOND: u8 = 5;

/// Columns of a terminal that does not know how many it has.
const COLUMNS: u16 = 80;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things, by their name in the plural.
    Each(&'static str),
    /// Bytes.
    Bytes,
    /// Milliseconds of a work that lasts as long as it was told to.
    Milliseconds,
}

/// A line that says how far a work has come. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    /// Whether a work has begun and not ended.
    shown: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// Shows nothing, and never asks for the end.
    #[must_use]
    pub fn hidden() -> Self {
        Self::new(ProgressDrawTarget::hidden(), Arc::default())
    }

    /// Shows its line on the standard error as it is now, if that is a terminal and `wanted`. `stop` asks for the end.
    #[must_use]
    pub fn on_stderr(wanted: bool, stop: Arc<AtomicBool>) -> Self {
        let terminal =
            (wanted && io::stderr().is_terminal() && can_redraw(std::env::var_os("TERM").as_deref()))
                .then(|| io::stderr().as_fd().try_clone_to_owned().ok())
                .flatten();
        let target = terminal.map_or_else(ProgressDrawTarget::hidden, |terminal| {
            let line = Line { terminal: File::from(terminal), waiting: Mutex::default() };
            ProgressDrawTarget::term_like_with_hz(Box::new(line), DRAWN_PER_SECOND)
        });
        Self::new(target, stop)
    }

    fn new(target: ProgressDrawTarget, stop: Arc<AtomicBool>) -> Self {
        Self { bar: ProgressBar::with_draw_target(None, target), shown: Arc::default(), stop }
    }

    /// A work begins of which `total` is known, or not.
    pub fn begin(&self, total: Option<u64>, unit: Unit) {
        let facts = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let left = (state.pos() > 0).then(|| state.eta());
            // The line cannot be told that it failed.
            let _ = out.write_str(&facts(unit, state.pos(), total, state.per_sec(), left));
        };
        let template = if total.is_some() { "[{bar:10}] {facts}  {wide_msg}" } else { "{facts}  {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> ").with_key("facts", facts));
        }
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_message("");
        self.shown.store(true, Ordering::SeqCst);
        self.bar.reset();
    }

    /// Says what is worked on, without the secrets that the process knows.
    pub fn name(&self, what: &str) {
        let clean = config::redact(what).replace(char::is_control, " ");
        self.bar.set_message(clean);
    }

    /// So much is done.
    pub fn set(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// So much more is done.
    pub fn advance(&self, more: u64) {
        self.bar.inc(more);
    }

    /// How much is done.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.bar.position()
    }

    /// The time shown goes on while nothing is done.
    pub fn tick(&self) {
        self.bar.tick();
    }

    /// The work is over; the line goes away.
    pub fn end(&self) {
        if self.shown.swap(false, Ordering::SeqCst) {
            // A bar that is finished counts as full.
            let done = self.done();
            self.bar.finish_and_clear();
            self.bar.set_position(done);
        }
    }

    /// Prints something else meanwhile.
    pub fn beside<R>(&self, print: impl FnOnce() -> R) -> R {
        if self.shown.load(Ordering::SeqCst) { self.bar.suspend(print) } else { print() }
    }

    /// A writer whose output stands beside the line; whole lines are to be flushed.
    pub fn writer<'a>(&'a self, out: &'a mut dyn Write) -> impl Write + 'a {
        BufWriter::new(Beside { progress: self, out })
    }

    /// Whether the user has asked for the end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

struct Beside<'a> {
    progress: &'a Progress,
    out: &'a mut dyn Write,
}

impl Write for Beside<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.progress.beside(|| {
            self.out.write_all(bytes)?;
            self.out.flush()?;
            Ok(bytes.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a terminal of this kind (`TERM`) can take a line back.
fn can_redraw(term: Option<&std::ffi::OsStr>) -> bool {
    term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// `120/900 frames, 31.4/s, 25 s left`.
fn facts(unit: Unit, done: u64, total: Option<u64>, rate: f64, left: Option<Duration>) -> String {
    let (amount, rate) = match unit {
        Unit::Each(name) => {
            let done = total.map_or_else(|| done.to_string(), |total| format!("{done}/{total}"));
            (format!("{done} {name}"), Some(format!("{rate:.1}/s")))
        }
        Unit::Bytes => {
            let mib = |bytes: f64| bytes / f64::from(1 << 20);
            let of = total.map_or_else(String::new, |total| format!("/{:.1}", mib(total as f64)));
            (format!("{:.1}{of} MiB", mib(done as f64)), Some(format!("{:.1} MiB/s", mib(rate))))
        }
        Unit::Milliseconds => {
            let of = total.map_or_else(String::new, |total| format!("/{}", total / 1000));
            (format!("{}{of} s", done / 1000), None)
        }
    };
    let left = match (unit, total) {
        (_, None) => None,
        // It lasts exactly so long.
        (Unit::Milliseconds, Some(total)) => Some(Duration::from_millis(total.saturating_sub(done))),
        _ => left,
    };
    let mut text = amount;
    for part in rate.into_iter().chain(left.map(|left| format!("{} left", rough(left)))) {
        let _ = write!(text, ", {part}");
    }
    text
}

/// `25 s`, `4 min 05 s`, `2 h 10 min`.
fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ ..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// The terminal, written to once for each line.
#[derive(Debug)]
struct Line {
    terminal: File,
    waiting: Mutex<String>,
}

impl Line {
    #[expect(clippy::unnecessary_wraps, reason = "what each method of `TermLike` gives")]
    fn push(&self, text: &str) -> io::Result<()> {
        self.waiting.lock().push_str(text);
        Ok(())
    }

    /// Moves by `count`; a terminal takes 0 for 1.
    fn go(&self, count: usize, way: char) -> io::Result<()> {
        if count == 0 { Ok(()) } else { self.push(&format!("\x1b[{count}{way}")) }
    }
}

impl TermLike for Line {
    fn width(&self) -> u16 {
        let columns = rustix::termios::tcgetwinsize(&self.terminal).map_or(0, |size| size.ws_col);
        // In the last column the cursor stands between two lines.
        if columns == 0 { COLUMNS - 1 } else { (columns - 1).max(1) }
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.push(s)?;
        self.push("\n")
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.push(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let mut text = std::mem::take(&mut *self.waiting.lock());
        // At the begin of the line, where the terminal's own "^C" does not run into the next one.
        text.push('\r');
        (&self.terminal).write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_rates_and_times_are_said_in_words() {
        let left = |seconds| Some(Duration::from_secs(seconds));
        let frames = Unit::Each("frames");
        assert_eq!(facts(frames, 0, Some(900), 0.0, None), "0/900 frames, 0.0/s");
        assert_eq!(facts(frames, 120, Some(900), 31.41, left(25)), "120/900 frames, 31.4/s, 25 s left");
        assert_eq!(facts(frames, 120, None, 31.41, left(25)), "120 frames, 31.4/s");
        assert_eq!(
            facts(Unit::Bytes, 1 << 20, Some(3 << 20), 524_288.0, left(245)),
            "1.0/3.0 MiB, 0.5 MiB/s, 4 min 05 s left"
        );
        assert_eq!(facts(Unit::Milliseconds, 5_400, Some(23_000), 1e3, None), "5/23 s, 17 s left");
        assert_eq!(rough(Duration::from_mins(130)), "2 h 10 min");
    }

    #[test]
    fn only_a_terminal_that_takes_a_line_back_gets_one() {
        for (term, can) in [(None, false), (Some(""), false), (Some("dumb"), false), (Some("xterm"), true)] {
            assert_eq!(can_redraw(term.map(AsRef::as_ref)), can, "{term:?}");
        }
    }

    #[test]
    fn what_is_hidden_counts_all_the_same_and_lets_everything_through() {
        let progress = Progress::hidden();
        progress.begin(Some(10), Unit::Each("frames"));
        progress.advance(3);
        progress.end();
        let mut out = Vec::new();
        let mut writer = progress.writer(&mut out);
        writeln!(writer, "a row").unwrap();
        writer.flush().unwrap();
        drop(writer);
        assert_eq!((progress.done(), out.as_slice()), (3, &b"a row\n"[..]));
        assert!(!progress.is_stopped());
    }
}
