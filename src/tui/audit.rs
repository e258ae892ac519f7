//! The screens of an audit: a person watches a source, taps a key forevery crossing, and then sees what the program has
//! counted of it.
//!
//! What it shows until the end tells nothing of what the program thinks: no boxes, no counts.

mod found;
mod results;
mod screen;
mod setup;
mod state;
mod watching;

use std::time::Duration;

use crossterm::event::{Event, KeyEventKind};
use ratatui::Frame;

pub use self::setup::Setup;
use self::{
    screen::Screen,
    setup::STOP_TIMEOUT,
    state::{Audit, Phase},
};
use super::{
    console::{Console, TuiError, TuiOptions},
    format::Moment,
    keymap::Key,
    layout::{Class, class},
    theme::Role,
    widgets::{Look, put_lines},
};
use crate::audit::{findings::Findings, watch::Watching};

/// Time between two looks at the source, in half blocks and in pixels: pixels are many bytes.
const TICK: Duration = Duration::from_millis(60);
const PIXEL_TICK: Duration = Duration::from_millis(160);

/// How an audit ended.
#[derive(Debug)]
pub struct Ended {
    /// What it found; `None` when it was broken off.
    pub findings: Option<Findings>,
    /// Seconds of the source that were watched.
    pub watched: f64,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What was said last of keeping the taps.
    pub kept: Option<Result<String, String>>,
    /// Why the source could not be used, when no picture came.
    pub problem: Option<String>,
}

/// Shows the source until the person ends it, and then the result until they have seen it. Taps that are to be kept are kept in
/// every case.
///
/// # Errors
/// When there is no terminal, or it refuses what every terminal can do. It is given back in every case.
pub fn run(watching: Watching, setup: Setup<'_>, options: &TuiOptions) -> Result<Ended, TuiError> {
    let console = Console::open(options)?;
    let graphics = console.graphics(options.graphics);
    let tick = if graphics.is_some() { PIXEL_TICK } else { TICK };
    let audit = Audit::new(setup, Moment::now(&options.timezone).mono);
    let mut running = Running { console, options, screen: Screen { graphics, shown: None }, watching, audit };
    let signal = running.until_end(tick);
    let Running { mut watching, mut audit, console, .. } = running;
    drop(console);
    watching.close(STOP_TIMEOUT);
    audit.keep(watching.reel());
    let begun = watching.reel().read().map_or(0.0, |(from, _)| from);
    let Audit { kept, problem, phase, watched, .. } = audit;
    let watched = (watched - begun).max(0.0);
    let findings = match phase {
        Phase::Results(results) => Some(results.findings),
        Phase::Watching { .. } | Phase::Counting => None,
    };
    Ok(Ended { findings, watched, signal: signal?, kept, problem })
}

struct Running<'a> {
    console: Console,
    options: &'a TuiOptions,
    screen: Screen,
    watching: Watching,
    audit: Audit<'a>,
}

impl Running<'_> {
    /// Gives the signal that ended it, if one did.
    fn until_end(&mut self, tick: Duration) -> Result<Option<i32>, TuiError> {
        let ticks = crossbeam_channel::tick(tick);
        loop {
            let heard = self.console.wait(&ticks, &crossbeam_channel::never::<()>());
            if heard.ticked || !heard.events.is_empty() {
                self.audit.refresh(Moment::now(&self.options.timezone).mono, &mut self.watching);
            }
            for event in heard.events {
                self.take(&event)?;
                if self.audit.is_left {
                    return Ok(self.audit.signal);
                }
            }
            if heard.ended.is_some() {
                return Ok(heard.ended);
            }
            if self.audit.problem.is_some() && self.watching.is_over() {
                return Ok(None);
            }
            if self.console.follow_shell()? {
                self.repaint()?;
            }
            self.draw()?;
        }
    }

    fn take(&mut self, event: &Event) -> Result<(), TuiError> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => match Key::of(*key) {
                Some(key) if key.ctrl && key.code == crossterm::event::KeyCode::Char('z') => {
                    self.console.go_to_shell()?;
                    self.repaint()?;
                }
                Some(key) if key.ctrl && key.code == crossterm::event::KeyCode::Char('l') => {
                    self.repaint()?;
                }
                Some(key) => self.audit.key(key, &mut self.watching),
                None => {}
            },
            Event::Resize(..) => {
                if let Some(problem) = self.console.guard().resized()? {
                    self.audit.say(problem, Role::Warn);
                }
                // Cells may have another size in pixels now.
                self.screen.graphics = self.console.graphics(self.options.graphics);
            }
            _ => {}
        }
        Ok(())
    }

    fn repaint(&mut self) -> Result<(), TuiError> {
        if let Some(graphics) = &mut self.screen.graphics {
            graphics.forget();
        }
        Ok(self.console.guard().repaint()?)
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        let (audit, screen, watching, look) =
            (&self.audit, &mut self.screen, &self.watching, self.console.look());
        self.console.guard().terminal().draw(|frame| draw(frame, audit, screen, watching, &look))?;
        self.audit.aspect = self.screen.aspect();
        Ok(())
    }
}

fn draw(frame: &mut Frame, audit: &Audit, screen: &mut Screen, watching: &Watching, look: &Look) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if class(area) == Class::TooSmall {
        let (width, height) = super::layout::SMALLEST;
        let lines = [
            look.line(format!("too small: {}x{}", area.width, area.height), Role::Warn),
            look.line(format!("needs {width}x{height}"), Role::Text),
            look.line("ctrl-c ends", Role::Dim),
        ];
        return put_lines(&lines, area, buffer);
    }
    match &audit.phase {
        Phase::Watching { .. } | Phase::Counting => {
            watching::draw(audit, screen, watching, area, buffer, look);
        }
        Phase::Results(results) => results::draw(audit, results, screen, watching, area, buffer, look),
    }
}
