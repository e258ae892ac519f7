//! The terminal of the front end, from the moment that it is taken until it is given back: what arrives from it, what is
//! drawn on it, and the shell that may have it in between.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;
use crossterm::event::Event;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTSTP};

use super::{
    graphics::{Graphics, GraphicsChoice},
    input::Input,
    symbols, terminal,
    theme::{self, ColorChoice, Palette, Theme},
    widgets::Look,
};
use crate::config::TuiConfig;

/// Time between two looks at the engine unless told otherwise: 16 sources cost about 1 kB/s then.
pub const DEFAULT_TICK: Duration = Duration::from_millis(250);

/// A received signal is noticed within this time.
const SIGNAL_POLL: Duration = Duration::from_millis(100);

/// Why the front end cannot run.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// Standard output or input goes elsewhere.
    #[error("{0} is not a terminal; use '--headless' for text or '--headless --json' for other programs")]
    NoTerminal(&'static str),
    /// It can only print lines.
    #[error(
        "the terminal says that it is 'dumb' (TERM), so nothing can be drawn on it; use '--headless' for text"
    )]
    Dumb,
    /// The terminal refused something.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
}

impl TuiError {
    /// Whether it says that the terminal has gone, as with a lost connection: reading and writing fail (`EIO`), there is none to
    /// ask for its size (`ENXIO`), or what is left of it is no terminal (`ENOTTY`).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(
            self,
            Self::Terminal(error)
                if [libc::EIO, libc::ENXIO, libc::ENOTTY].map(Some).contains(&error.raw_os_error())
        )
    }
}

/// How the front end is to run.
#[derive(Clone)]
pub struct TuiOptions {
    /// Colors.
    pub color: ColorChoice,
    /// How pictures are drawn.
    pub graphics: GraphicsChoice,
    /// Theme and keys of the configuration.
    pub config: TuiConfig,
    /// ASCII glyphs even where the locale has UTF-8.
    pub ascii: bool,
    /// Refuse everything that changes what is counted.
    pub read_only: bool,
    /// Mouse reports from the start.
    pub mouse: bool,
    /// Time between two looks at the engine.
    pub tick: Duration,
    /// Receives what native libraries write to standard error while the screens are up.
    pub native_log: Option<PathBuf>,
    /// A received signal's number; 0 while there is none. Set from outside, ends the front end.
    pub stop: Arc<AtomicI32>,
    /// Zone of the clock.
    pub timezone: jiff::tz::TimeZone,
    /// The engine goes on when the front end ends.
    pub is_attached: bool,
    /// What is said first.
    pub greeting: Option<String>,
    /// Where the layout is remembered; nowhere where this is `None`.
    pub memory: Option<PathBuf>,
}

impl Default for TuiOptions {
    fn default() -> Self {
        Self {
            color: ColorChoice::default(),
            graphics: GraphicsChoice::default(),
            config: TuiConfig::default(),
            ascii: false,
            read_only: false,
            mouse: false,
            tick: DEFAULT_TICK,
            native_log: None,
            stop: Arc::default(),
            timezone: jiff::tz::TimeZone::system(),
            is_attached: false,
            greeting: None,
            memory: None,
        }
    }
}

impl TuiOptions {
    /// Styles and glyphs for the environment that `variable` reads.
    pub fn look(&self, variable: impl Fn(&str) -> Option<String>) -> Look {
        let palette = self.color.resolve(&variable);
        let ascii = self.ascii || !symbols::locale_is_utf8(&variable);
        Look {
            theme: Theme::new(palette, theme::for_background(self.config.theme, &variable)),
            symbols: if ascii { symbols::ASCII } else { symbols::UNICODE },
        }
    }
}

/// What arrived, and an answer of work in the background.
#[derive(Debug)]
pub struct Heard<T> {
    /// The answer.
    pub answer: Option<T>,
    /// Whether a tick was due.
    pub ticked: bool,
    /// Keys, pastes, mouse and sizes, in order.
    pub events: Vec<Event>,
    /// The signal that ends the front end, behind all events.
    pub ended: Option<i32>,
}

/// The terminal, taken. Dropping it gives the terminal back.
pub struct Console {
    // Dropped first: nothing reads the terminal any more when it is given back.
    input: Input,
    guard: terminal::Guard,
    look: Look,
    stop: Arc<AtomicI32>,
    suspend: Arc<AtomicBool>,
    resumed: Arc<AtomicBool>,
}

impl Console {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When there is none, or it refuses what every terminal can do; it is then as it was.
    pub fn open(options: &TuiOptions) -> Result<Self, TuiError> {
        use std::io::IsTerminal;
        if !io::stdout().is_terminal() {
            return Err(TuiError::NoTerminal("standard output"));
        }
        if !io::stdin().is_terminal() {
            return Err(TuiError::NoTerminal("standard input"));
        }
        if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return Err(TuiError::Dumb);
        }
        let look = options.look(|name| std::env::var(name).ok());
        // Under NO_COLOR crossterm would write 'CSI m', which wipes bold and reverse; colors are decided here.
        crossterm::style::force_color_output(true);
        let suspend = flag(SIGTSTP)?;
        let resumed = flag(SIGCONT)?;
        terminal::install_panic_hook();
        let mut guard = terminal::Guard::enter(options.native_log.as_deref())?;
        if options.mouse {
            guard.set_mouse(true)?;
        }
        let input = Input::start()?;
        Ok(Self { input, guard, look, stop: Arc::clone(&options.stop), suspend, resumed })
    }

    /// How things look in it.
    #[must_use]
    pub fn look(&self) -> Look {
        self.look
    }

    /// What makes pictures for it; `None` where they are half blocks.
    #[must_use]
    pub fn graphics(&self, choice: GraphicsChoice) -> Option<Graphics> {
        if self.look.theme.palette() == Palette::None {
            return None;
        }
        choice.resolve(|name| std::env::var(name).ok()).map(Graphics::of_terminal)
    }

    /// The terminal itself.
    pub fn guard(&mut self) -> &mut terminal::Guard {
        &mut self.guard
    }

    /// Waits for keys, a tick or an answer, at most a tenth of a second.
    #[must_use]
    pub fn wait<T>(&self, ticks: &Receiver<Instant>, answers: &Receiver<T>) -> Heard<T> {
        let mut heard = Heard { answer: None, ticked: false, events: Vec::new(), ended: None };
        crossbeam_channel::select! {
            recv(self.input.events()) -> event => match event {
                Ok(Ok(event)) => heard.events.push(event),
                // The reading thread only ends by itself when the terminal is gone.
                Ok(Err(_)) | Err(_) => heard.ended = Some(SIGHUP),
            },
            recv(ticks) -> _ => heard.ticked = true,
            recv(answers) -> answer => heard.answer = answer.ok(),
            default(SIGNAL_POLL) => {}
        }
        match self.stop.load(Ordering::Relaxed) {
            0 => {}
            signal => return Heard { ended: Some(signal), events: Vec::new(), ..heard },
        }
        // Everything that has arrived, so that one frame follows.
        while heard.ended.is_none()
            && let Ok(event) = self.input.events().try_recv()
        {
            match event {
                Ok(event) => heard.events.push(event),
                Err(_) => heard.ended = Some(SIGHUP),
            }
        }
        heard
    }

    /// Stops the process where that was asked for by a signal, and takes the terminal again where somebody else has stopped and
    /// continued it. Gives whether everything has to be painted again.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn follow_shell(&mut self) -> io::Result<bool> {
        if self.suspend.swap(false, Ordering::Relaxed) {
            self.go_to_shell()?;
            return Ok(true);
        }
        // `kill -STOP` by another process gives no warning.
        if self.resumed.swap(false, Ordering::Relaxed) {
            self.guard.retake()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Stops the process as Ctrl-Z does in a shell; returns when it is continued, with everything to be painted again.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn go_to_shell(&mut self) -> io::Result<()> {
        self.guard.suspend()?;
        self.suspend.store(false, Ordering::Relaxed);
        self.resumed.store(false, Ordering::Relaxed);
        Ok(())
    }
}

fn flag(signal: i32) -> io::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal, Arc::clone(&flag))?;
    Ok(flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_has_gone_is_told_from_one_that_refuses_something() {
        let of = |code| TuiError::from(io::Error::from_raw_os_error(code));
        assert!([libc::EIO, libc::ENXIO, libc::ENOTTY].into_iter().all(|code| of(code).is_gone()));
        assert!(!of(libc::EACCES).is_gone() && !TuiError::Dumb.is_gone());
    }
}
