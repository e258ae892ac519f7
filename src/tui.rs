//! The terminal front end: screens that show what the engine says, and keys that tell it what to do.
//!
//! ```text
//! key -> Keymap -> Action -> Shell -> the screen on top -> Effect -> shell, engine, host or terminal
//! engine snapshot -> Context -> the screen on top draws -> terminal      (4 times a second, only when something changed)
//! ```
//!
//! Each of the [`screens`] owns its state, says what its keys do and what it needs, and draws; what all of them share is the
//! [`context`]; the [`shell`] stacks them and has the dialogs. Only [`terminal`] and [`input`] touch the terminal, only [`session`]
//! touches the engine; everything else is state and drawing, which tests drive without either.

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
pub mod audit;
pub mod calm;
pub mod canvas;
pub mod console;
pub mod context;
pub mod dialogs;
pub mod drawn;
pub mod effect;
pub mod format;
pub mod graphics;
pub mod input;
pub mod keymap;
pub mod layout;
pub mod listing;
pub mod paint;
pub mod screen;
pub mod screen_id;
pub mod screens;
pub mod session;
pub mod shell;
pub mod symbols;
pub mod terminal;
pub mod text;
pub mod text_input;
pub mod theme;
pub mod view;
pub mod widgets;

pub use console::{DEFAULT_TICK, TuiError, TuiOptions};
pub use effect::Exit;

use console::Console;
use context::Tone;
use effect::TerminalWork;
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
        (Err(error), _) if error.is_gone() => Ok(Exit::Signal(SIGHUP)),
        (exit, _) => Ok(exit?),
    }
}

/// Takes the terminal.
fn open(
    engine: Arc<dyn EngineApi>,
    host: Arc<dyn Host>,
    options: &TuiOptions,
) -> Result<Running<'_>, TuiError> {
    let (keymap, problems) = Keymap::new(&options.config.keys);
    for problem in &problems {
        tracing::warn!("{problem}");
    }
    let moment = Moment::now(&options.timezone);
    let mut session = Session::new(engine, host, keymap, &problems, options.read_only, moment);
    session.ui.context.keymap.is_attached = options.is_attached;
    if let Some(greeting) = &options.greeting {
        session.ui.context.say(greeting.clone(), Tone::Done);
    }
    session.ui.set_bell(options.config.bell);
    if let Some(file) = &options.memory {
        session.remember_in(file.clone());
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
            let heard = self.console.wait(&ticks, self.session.answers());
            if heard.ticked {
                self.session.refresh(Moment::now(&self.options.timezone));
            }
            if let Some(answer) = heard.answer {
                self.session.answered(answer);
            }
            let left = self.session.take_left();
            if let Some(exit) = self.see_to(left)? {
                return Ok(exit);
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
        if self.session.ui.context.take_changed() {
            let (ui, look) = (&mut self.session.ui, self.console.look());
            let terminal = self.console.guard().terminal();
            timed(Stage::Draw, || terminal.draw(|frame| ui.draw(frame, &look)).map(drop))?;
        }
        Ok(())
    }

    fn repaint(&mut self) -> io::Result<()> {
        self.session.ui.context.touch();
        if let Some(graphics) = &mut self.session.ui.graphics {
            graphics.forget();
        }
        self.console.guard().repaint()
    }

    fn take(&mut self, event: Event) -> Result<Option<Exit>, TuiError> {
        let work = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => match Key::of(key) {
                Some(key) => self.session.key(key),
                None => Vec::new(),
            },
            Event::Paste(text) => {
                self.session.ui.paste(&text);
                Vec::new()
            }
            Event::Mouse(mouse) => {
                let work = self.session.ui.mouse_event(mouse);
                self.session.perform(work)
            }
            Event::Resize(..) => {
                if let Some(problem) = self.console.guard().resized()? {
                    self.session.ui.context.say(problem, Tone::Refused);
                }
                // Cells may have another size in pixels now.
                let graphics = &mut self.session.ui.graphics;
                *graphics = graphics.take().map(|old| Graphics::of_terminal(old.kind()));
                self.session.ui.context.touch();
                Vec::new()
            }
            _ => Vec::new(),
        };
        self.see_to(work)
    }

    /// Does what only the owner of the terminal can do.
    fn see_to(&mut self, work: Vec<TerminalWork>) -> Result<Option<Exit>, TuiError> {
        for work in work {
            match work {
                TerminalWork::Quit(exit) => return Ok(Some(exit)),
                TerminalWork::Suspend => self.go_to_shell()?,
                TerminalWork::Repaint => self.repaint()?,
                TerminalWork::Mouse(on) => self.console.guard().set_mouse(on)?,
                TerminalWork::Copy(text) => self.copy(&text)?,
                TerminalWork::Bell => self.console.guard().send(crossterm::style::Print('\u{7}'))?,
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
            self.session.ui.context.say("too long for the clipboard", Tone::Refused);
            return Ok(());
        }
        self.console.guard().send(crossterm::clipboard::CopyToClipboard::to_clipboard_from(text))?;
        let hint =
            if std::env::var_os("TMUX").is_some() { " (tmux needs 'set -g set-clipboard on')" } else { "" };
        self.session.ui.context.say(format!("copied to the terminal's clipboard{hint}"), Tone::Done);
        Ok(())
    }
}
