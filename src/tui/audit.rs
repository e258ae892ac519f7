//! The screens of an audit: a person watches a source, taps a key for every crossing, and then sees what the program has
//! counted of it.
//!
//! What it shows until the end tells nothing of what the program thinks: no boxes, no counts.

mod results;
mod state;
mod watching;

use std::{path::PathBuf, time::Duration};

use crossterm::event::{Event, KeyEventKind};
use ratatui::{Frame, buffer::Buffer, layout::Rect};

use self::state::{Audit, Phase};
use super::{
    console::{Console, TuiError, TuiOptions},
    format::Moment,
    graphics::Graphics,
    keymap::Key,
    layout::{Class, class},
    theme::Role,
    widgets::{Look, picture, put_lines},
};
use crate::{
    audit::{
        findings::Findings,
        tap::Tap,
        truth::{Place, Truth},
        watch::Watching,
    },
    model::{LineConfig, Preview},
};

/// Time between two looks at the source, in half blocks and in pixels: pixels are many bytes.
const TICK: Duration = Duration::from_millis(60);
const PIXEL_TICK: Duration = Duration::from_millis(160);

/// The end waits at most this long for a camera that hangs in native code.
const STOP_TIMEOUT: Duration = Duration::from_millis(900);

/// Keeps what a person saw; says where, or why it could not.
pub type Save<'a> = dyn Fn(&Truth) -> Result<String, String> + 'a;

/// What is audited, and how.
pub struct Setup<'a> {
    /// Name of the source for people.
    pub name: String,
    /// What it is, for the file of the taps.
    pub place: Place,
    /// The lines, at least one.
    pub lines: Vec<LineConfig>,
    /// Times the source's own speed.
    pub speed: u32,
    /// Furthest that a tap and a count may lie apart, in seconds.
    pub tolerance: f64,
    /// What was tapped in an earlier part of the audit.
    pub taps: Vec<Tap>,
    /// Seconds until which it was watched then.
    pub watched: Option<f64>,
    /// Where taps go when they are to be kept.
    pub file: PathBuf,
    /// Whether they are to be kept without being asked for.
    pub keeps: bool,
    /// Keeps them.
    pub save: &'a Save<'a>,
}

/// How an audit ended.
#[derive(Debug)]
pub struct Ended {
    /// What it found; `None` when it was broken off.
    pub findings: Option<Findings>,
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
    let Audit { kept, problem, phase, .. } = audit;
    let findings = match phase {
        Phase::Results(results) => Some(results.findings),
        Phase::Watching { .. } | Phase::Counting => None,
    };
    Ok(Ended { findings, signal: signal?, kept, problem })
}

/// What draws pictures, and the one that it has drawn.
struct Screen {
    graphics: Option<Graphics>,
    /// Its time, and the picture.
    shown: Option<(f64, Preview)>,
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
            let heard = self.console.wait(&ticks);
            if heard.ticked || !heard.events.is_empty() {
                self.audit.refresh(Moment::now(&self.options.timezone).mono, &mut self.watching);
            }
            for event in heard.events {
                self.take(event)?;
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

    fn take(&mut self, event: Event) -> Result<(), TuiError> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => match Key::of(key) {
                Some(key) if key.ctrl && key.code == crossterm::event::KeyCode::Char('z') => {
                    self.console.go_to_shell()?;
                    self.repaint()?;
                }
                Some(key) if key.ctrl && key.code == crossterm::event::KeyCode::Char('l') => {
                    self.repaint()?
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
            watching::draw(audit, screen, watching, area, buffer, look)
        }
        Phase::Results(results) => results::draw(audit, results, screen, watching, area, buffer, look),
    }
}

impl Screen {
    /// Draws the picture of `time` with the lines, the one of index `chosen` as that which is meant.
    fn draw(
        &mut self,
        watching: &Watching,
        time: f64,
        (lines, chosen): (&[LineConfig], Option<usize>),
        area: Rect,
        (buffer, look): (&mut Buffer, &Look),
    ) {
        if self.shown.as_ref().is_none_or(|(shown, _)| *shown != time)
            && let Some(picture) = watching.reel().exactly(time)
        {
            self.shown = Some((time, picture));
        }
        let Some((_, picture)) = &self.shown else { return };
        let overlay = picture::Overlay { lines, chosen, ..picture::Overlay::default() };
        if !self.graphics.as_mut().is_some_and(|graphics| graphics.draw(picture, overlay, area, buffer)) {
            picture::draw(picture, overlay, area, buffer, look);
        }
    }

    /// Width over height of the picture that was drawn last.
    fn aspect(&self) -> f32 {
        self.shown
            .as_ref()
            .map_or(16.0 / 9.0, |(_, picture)| picture.size.0.max(1) as f32 / picture.size.1.max(1) as f32)
    }
}
