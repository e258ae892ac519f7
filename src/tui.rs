//! The terminal front end: screens that show what the engine says, and keys that tell it what to do.
//!
//! ```text
//! keys -> keymap -> Action -> UiState::update -> Effect -> engine, host, terminal
//! engine snapshot -> UiState -> screens::draw -> terminal      (4 times a second, only when something changed)
//! ```
//!
//! Only [`terminal`] and [`input`] touch the terminal, only [`session`] touches the engine; everything else
//! is state and drawing, which tests drive without either.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::Duration,
};

use crossterm::event::{Event, KeyEventKind};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTSTP};

use crate::{
    config::TuiConfig,
    engine::EngineApi,
    metrics::stages::{Stage, timed},
};

pub mod action;
pub mod alerts;
pub mod app;
pub mod calm;
pub mod dialogs;
pub mod editor;
pub mod format;
pub mod graphics;
pub mod history;
pub mod host;
pub mod input;
pub mod keymap;
pub mod layout;
pub mod paint;
pub mod panes;
pub mod screens;
pub mod session;
pub mod symbols;
pub mod terminal;
pub mod text;
pub mod text_input;
pub mod theme;
pub mod view_model;
pub mod widgets;

pub use app::Exit;
use app::{Effect, Tone};
use format::Moment;
use graphics::{Graphics, GraphicsChoice};
use host::Host;
use keymap::{Key, Keymap};
use session::Session;
use theme::{ColorChoice, Palette, Theme};
use widgets::Look;

/// Time between two looks at the engine unless told otherwise: 16 sources cost about 1 kB/s then.
pub const DEFAULT_TICK: Duration = Duration::from_millis(250);

/// A received signal is noticed within this time.
const SIGNAL_POLL: Duration = Duration::from_millis(100);

/// Longest text that is put on the clipboard; terminals drop longer sequences.
const LONGEST_COPY: usize = 74_994;

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

/// How the front end is to run.
#[derive(Clone)]
pub struct TuiOptions {
    /// Colours.
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

/// Shows the screens until the user quits or a signal arrives. `begin` is called once, behind the first frame, for
/// all that the user need not wait for. The engine is left running.
///
/// # Errors
/// [`TuiError::NoTerminal`] when there is none, and when the terminal refuses what every terminal can do; those of
/// `begin`. The terminal is given back in every case.
pub fn run<E: From<TuiError>>(
    engine: Arc<dyn EngineApi>,
    host: Arc<dyn Host>,
    options: &TuiOptions,
    begin: impl FnOnce() -> Result<(), E>,
) -> Result<Exit, E> {
    let (mut running, input) = open(engine, host, options)?;
    let exit = match running.draw() {
        Ok(()) => {
            begin()?;
            running.session.refresh(Moment::now(&options.timezone));
            running.until_exit(&input)
        }
        Err(error) => Err(error),
    };
    running.session.close();
    match (exit, options.stop.load(Ordering::Relaxed)) {
        (Err(_), signal) if signal != 0 => Ok(Exit::Signal(signal)),
        // The terminal has gone; its signal is on the way.
        (Err(TuiError::Terminal(error)), _) if error.raw_os_error() == Some(libc::EIO) => {
            Ok(Exit::Signal(SIGHUP))
        }
        (exit, _) => Ok(exit?),
    }
}

/// Takes the terminal.
fn open<'a>(
    engine: Arc<dyn EngineApi>,
    host: Arc<dyn Host>,
    options: &'a TuiOptions,
) -> Result<(Running<'a>, input::Input), TuiError> {
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
    // Under NO_COLOR crossterm would write 'CSI m', which wipes bold and reverse; colours are decided here.
    crossterm::style::force_color_output(true);
    let (keymap, problems) = Keymap::new(&options.config.keys);
    for problem in &problems {
        tracing::warn!("{problem}");
    }
    let moment = Moment::now(&options.timezone);
    let mut session = Session::new(engine, host, keymap, &problems, options.read_only, moment);
    if look.theme.palette() != Palette::None {
        let kind = options.graphics.resolve(|name| std::env::var(name).ok());
        session.ui.graphics = kind.map(Graphics::of_terminal);
    }
    let suspend = flag(SIGTSTP)?;
    let resumed = flag(SIGCONT)?;
    terminal::install_panic_hook();
    let mut guard = terminal::Guard::enter(options.native_log.as_deref())?;
    if options.mouse {
        guard.set_mouse(true)?;
    }
    let input = input::Input::start()?;
    Ok((Running { session, guard, look, options, suspend, resumed }, input))
}

fn flag(signal: i32) -> io::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal, Arc::clone(&flag))?;
    Ok(flag)
}

struct Running<'a> {
    session: Session,
    guard: terminal::Guard,
    look: Look,
    options: &'a TuiOptions,
    suspend: Arc<AtomicBool>,
    resumed: Arc<AtomicBool>,
}

impl Running<'_> {
    fn until_exit(&mut self, input: &input::Input) -> Result<Exit, TuiError> {
        let ticks = crossbeam_channel::tick(self.options.tick);
        loop {
            self.draw()?;
            let mut events = Vec::new();
            crossbeam_channel::select! {
                recv(input.events()) -> event => match event {
                    Ok(event) => events.push(event),
                    // The reading thread only ends by itself when the terminal is gone.
                    Err(_) => return Ok(Exit::Signal(SIGHUP)),
                },
                recv(ticks) -> _ => {
                    self.session.refresh(Moment::now(&self.options.timezone));
                    let left = self.session.take_left();
                    if let Some(exit) = self.see_to(left)? {
                        return Ok(exit);
                    }
                }
                default(SIGNAL_POLL) => {}
            }
            match self.options.stop.load(Ordering::Relaxed) {
                0 => {}
                signal => return Ok(Exit::Signal(signal)),
            }
            // Everything that has arrived first, then one frame.
            events.extend(input.events().try_iter());
            for event in events {
                let Ok(event) = event else { return Ok(Exit::Signal(SIGHUP)) };
                if let Some(exit) = self.take(event)? {
                    return Ok(exit);
                }
            }
            if self.suspend.swap(false, Ordering::Relaxed) {
                self.go_to_shell()?;
            }
            // Whoever stopped the process: `kill -STOP` gives no warning.
            if self.resumed.swap(false, Ordering::Relaxed) {
                self.guard.retake()?;
                self.repaint()?;
            }
        }
    }

    /// Draws, when there is something new.
    fn draw(&mut self) -> Result<(), TuiError> {
        if self.session.ui.take_changed() {
            let (ui, look) = (&mut self.session.ui, &self.look);
            let terminal = self.guard.terminal();
            timed(Stage::Draw, || terminal.draw(|frame| screens::draw(frame, ui, look)).map(drop))?;
        }
        Ok(())
    }

    fn repaint(&mut self) -> io::Result<()> {
        self.session.ui.touch();
        if let Some(graphics) = &mut self.session.ui.graphics {
            graphics.forget();
        }
        self.guard.repaint()
    }

    fn take(&mut self, event: Event) -> Result<Option<Exit>, TuiError> {
        let effects = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => match Key::of(key) {
                Some(key) => self.session.key(key),
                None => Vec::new(),
            },
            Event::Paste(text) => {
                self.session.ui.paste(&text);
                Vec::new()
            }
            Event::Mouse(mouse) => {
                let effects = self.session.ui.mouse_event(mouse);
                self.session.perform(effects)
            }
            Event::Resize(..) => {
                if let Some(problem) = self.guard.resized()? {
                    self.session.ui.say(problem, Tone::Refused);
                }
                // Cells may have another size in pixels now.
                let graphics = &mut self.session.ui.graphics;
                *graphics = graphics.take().map(|old| Graphics::of_terminal(old.kind()));
                self.session.ui.touch();
                Vec::new()
            }
            _ => Vec::new(),
        };
        self.see_to(effects)
    }

    /// Does what only the owner of the terminal can do.
    fn see_to(&mut self, effects: Vec<Effect>) -> Result<Option<Exit>, TuiError> {
        for effect in effects {
            match effect {
                Effect::Quit(exit) => return Ok(Some(exit)),
                Effect::Suspend => self.go_to_shell()?,
                Effect::Repaint => self.repaint()?,
                Effect::Mouse(on) => self.guard.set_mouse(on)?,
                Effect::Copy(text) => self.copy(&text)?,
                Effect::Control(_)
                | Effect::Export
                | Effect::LookAtConfig
                | Effect::AddSource { .. }
                | Effect::WriteConfig
                | Effect::SaveLines(..)
                | Effect::RemoveFromFile(_)
                | Effect::Report(_)
                | Effect::WriteReport(_) => {}
            }
        }
        Ok(None)
    }

    fn go_to_shell(&mut self) -> Result<(), TuiError> {
        self.guard.suspend()?;
        self.suspend.store(false, Ordering::Relaxed);
        self.resumed.store(false, Ordering::Relaxed);
        self.session.refresh(Moment::now(&self.options.timezone));
        Ok(self.repaint()?)
    }

    fn copy(&mut self, text: &str) -> Result<(), TuiError> {
        if text.len() > LONGEST_COPY {
            self.session.ui.say("too long for the clipboard", Tone::Refused);
            return Ok(());
        }
        self.guard.send(crossterm::clipboard::CopyToClipboard::to_clipboard_from(text))?;
        let hint =
            if std::env::var_os("TMUX").is_some() { " (tmux needs 'set -g set-clipboard on')" } else { "" };
        self.session.ui.say(format!("copied to the terminal's clipboard{hint}"), Tone::Done);
        Ok(())
    }
}
