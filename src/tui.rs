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
    sync::{Arc, atomic::Ordering},
};

use crossterm::event::{Event, KeyEventKind};
use signal_hook::consts::SIGHUP;

use crate::{
    engine::EngineApi,
    host::Host,
    metrics::stages::{Stage, timed},
};

pub mod action;
pub mod alerts;
pub mod app;
pub mod audit;
pub mod calm;
pub mod console;
pub mod crossings;
pub mod dialogs;
pub mod editor;
pub mod format;
pub mod graphics;
pub mod history;
pub mod input;
pub mod keymap;
pub mod layout;
pub mod log_target;
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
pub use console::{DEFAULT_TICK, TuiError, TuiOptions};

use app::{Effect, Tone};
use console::Console;
use format::Moment;
use graphics::Graphics;
use keymap::{Key, Keymap};
use session::Session;

/// Longest text that is put on the clipboard; terminals drop longer sequences.
const LONGEST_COPY: usize = 74_994;

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
    let mut running = open(engine, host, options)?;
    let exit = match running.draw() {
        Ok(()) => {
            begin()?;
            running.session.refresh(Moment::now(&options.timezone));
            running.until_exit()
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
) -> Result<Running<'a>, TuiError> {
    let (keymap, problems) = Keymap::new(&options.config.keys);
    for problem in &problems {
        tracing::warn!("{problem}");
    }
    let moment = Moment::now(&options.timezone);
    let mut session = Session::new(engine, host, keymap, &problems, options.read_only, moment);
    session.ui.keymap.is_attached = options.is_attached;
    if let Some(greeting) = &options.greeting {
        session.ui.say(greeting.clone(), Tone::Done);
    }
    let console = Console::open(options)?;
    session.ui.graphics = console.graphics(options.graphics);
    Ok(Running { session, console, options })
}

struct Running<'a> {
    session: Session,
    console: Console,
    options: &'a TuiOptions,
}

impl Running<'_> {
    fn until_exit(&mut self) -> Result<Exit, TuiError> {
        let ticks = crossbeam_channel::tick(self.options.tick);
        loop {
            self.draw()?;
            let heard = self.console.wait(&ticks);
            if heard.ticked {
                self.session.refresh(Moment::now(&self.options.timezone));
                let left = self.session.take_left();
                if let Some(exit) = self.see_to(left)? {
                    return Ok(exit);
                }
            }
            for event in heard.events {
                if let Some(exit) = self.take(event)? {
                    return Ok(exit);
                }
            }
            if let Some(signal) = heard.ended {
                return Ok(Exit::Signal(signal));
            }
            if self.console.follow_shell()? {
                self.session.refresh(Moment::now(&self.options.timezone));
                self.repaint()?;
            }
        }
    }

    /// Draws, when there is something new.
    fn draw(&mut self) -> Result<(), TuiError> {
        if self.session.ui.take_changed() {
            let (ui, look) = (&mut self.session.ui, self.console.look());
            let terminal = self.console.guard().terminal();
            timed(Stage::Draw, || terminal.draw(|frame| screens::draw(frame, ui, &look)).map(drop))?;
        }
        Ok(())
    }

    fn repaint(&mut self) -> io::Result<()> {
        self.session.ui.touch();
        if let Some(graphics) = &mut self.session.ui.graphics {
            graphics.forget();
        }
        self.console.guard().repaint()
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
                if let Some(problem) = self.console.guard().resized()? {
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
                Effect::Mouse(on) => self.console.guard().set_mouse(on)?,
                Effect::Copy(text) => self.copy(&text)?,
                Effect::Control(_)
                | Effect::Export
                | Effect::LookAtConfig
                | Effect::AddSource { .. }
                | Effect::WriteConfig
                | Effect::WorkOutReload
                | Effect::Reload
                | Effect::SaveLines(..)
                | Effect::RemoveFromFile(_)
                | Effect::Crossings(_)
                | Effect::Judge(_)
                | Effect::Report(_)
                | Effect::WriteReport(_) => {}
            }
        }
        Ok(None)
    }

    fn go_to_shell(&mut self) -> Result<(), TuiError> {
        self.console.go_to_shell()?;
        self.session.refresh(Moment::now(&self.options.timezone));
        Ok(self.repaint()?)
    }

    fn copy(&mut self, text: &str) -> Result<(), TuiError> {
        if text.len() > LONGEST_COPY {
            self.session.ui.say("too long for the clipboard", Tone::Refused);
            return Ok(());
        }
        self.console.guard().send(crossterm::clipboard::CopyToClipboard::to_clipboard_from(text))?;
        let hint =
            if std::env::var_os("TMUX").is_some() { " (tmux needs 'set -g set-clipboard on')" } else { "" };
        self.session.ui.say(format!("copied to the terminal's clipboard{hint}"), Tone::Done);
        Ok(())
    }
}
