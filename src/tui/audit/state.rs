//! What an audit knows while it goes on, and what its keys do.

use std::time::{Duration, Instant};

use crossterm::event::KeyCode;
use signal_hook::consts::SIGINT;

use super::{
    found::Results,
    setup::{STOP_TIMEOUT, Setup},
};
use crate::{
    audit::{
        findings::Findings, playback::Playback, reel::Reel, render::clock, tap::Tap, truth::Truth,
        watch::Watching,
    },
    model::{Direction, LineConfig},
    tui::{keymap::Key, theme::Role},
};

/// How far a step back goes, in seconds.
const STEP_BACK: f64 = 10.0;

/// How long something that was said stays.
const SAID_FOR: Duration = Duration::from_secs(4);

/// Part of its length with which an arrow has to point along the line's direction to mean it: 75 degrees beside it still do.
const ALONG: f32 = 0.26;

/// Where an audit stands.
#[derive(Debug)]
pub enum Phase {
    /// A person watches and taps.
    Watching {
        /// Whether they were asked to confirm that they want to end it.
        asked: bool,
    },
    /// They have ended it, and what was read is counted to its end.
    Counting,
    /// They look at the result.
    Results(Results),
}

/// An audit.
pub struct Audit<'a> {
    /// What is audited.
    pub setup: Setup<'a>,
    /// In the order in which they were tapped.
    pub taps: Vec<Tap>,
    /// Index of the line that taps are for.
    pub line: usize,
    /// Where the person looks.
    pub playback: Playback,
    /// Where it stands.
    pub phase: Phase,
    /// Furthest that the person has looked, in seconds.
    pub watched: f64,
    /// Whether the source has come to its end.
    pub is_over: bool,
    /// Width over height of the picture.
    pub aspect: f32,
    /// What is said, until when.
    said: Option<(String, Role, Instant)>,
    now: Instant,
    /// What came of keeping the taps, the last time.
    pub kept: Option<Result<String, String>>,
    /// Why the source cannot be used; only while no picture has come.
    pub problem: Option<String>,
    /// Whether the person has left.
    pub is_left: bool,
    /// The signal that a key stood for.
    pub signal: Option<i32>,
}

impl<'a> Audit<'a> {
    /// Begins at `now`.
    pub fn new(mut setup: Setup<'a>, now: Instant) -> Self {
        let taps = std::mem::take(&mut setup.taps);
        // A few seconds of what was watched help to find one's way.
        let from = setup.watched.map(|watched| (watched - 3.0).max(0.0));
        Self {
            playback: Playback::new(setup.speed, from),
            watched: setup.watched.unwrap_or(f64::NEG_INFINITY),
            setup,
            taps,
            line: 0,
            phase: Phase::Watching { asked: false },
            is_over: false,
            aspect: 16.0 / 9.0,
            said: None,
            now,
            kept: None,
            problem: None,
            is_left: false,
            signal: None,
        }
    }

    /// It is `now`: looks what the source has brought.
    pub fn refresh(&mut self, now: Instant, watching: &mut Watching) {
        self.now = now;
        watching.poll();
        let span = watching.reel().span();
        match self.phase {
            Phase::Watching { .. } => {
                self.playback.advance(now, span);
                if let Some(position) = self.playback.position() {
                    watching.reel().show(position);
                    self.watched = self.watched.max(position);
                }
                self.is_over = watching.is_over();
                self.problem = match span {
                    None if self.is_over => Some(watching.state().and_then(|state| state.last_error.clone()))
                        .map(|error| error.unwrap_or_else(|| "no frame came".into())),
                    _ => None,
                };
            }
            Phase::Counting => {
                if watching.is_over() {
                    self.compare(watching);
                }
            }
            Phase::Results(_) => {}
        }
    }

    /// What is said at the moment, and as what.
    pub fn said(&self) -> Option<(&str, Role)> {
        let (text, role, until) = self.said.as_ref()?;
        (self.now < *until).then_some((text, *role))
    }

    /// Says something for a while.
    pub fn say(&mut self, text: impl Into<String>, role: Role) {
        self.said = Some((text.into(), role, self.now + SAID_FOR));
    }

    /// The person has seen everything that there is.
    pub fn is_at_end(&self, reel: &Reel) -> bool {
        let read = reel.span().map(|(_, read)| read);
        self.is_over && read.zip(self.playback.position()).is_some_and(|(read, at)| at >= read)
    }

    /// Does what a key means.
    pub fn key(&mut self, key: Key, watching: &mut Watching) {
        if key.ctrl && key.code == KeyCode::Char('c') {
            (self.is_left, self.signal) = (true, Some(SIGINT));
            return;
        }
        let Some(code) = key.plain() else { return };
        match &mut self.phase {
            Phase::Watching { asked } => {
                let was_asked = std::mem::replace(asked, false);
                self.watching_key(code, was_asked, watching);
            }
            Phase::Counting => {}
            Phase::Results(results) => {
                let was_asked = std::mem::replace(&mut results.asked, false);
                self.results_key(code, was_asked, watching.reel());
            }
        }
    }

    fn watching_key(&mut self, code: KeyCode, was_asked: bool, watching: &mut Watching) {
        let reel = std::sync::Arc::clone(watching.reel());
        match code {
            KeyCode::Char('i') => self.tap(Direction::In, &reel),
            KeyCode::Char('o') => self.tap(Direction::Out, &reel),
            KeyCode::Up | KeyCode::Down | KeyCode::Left | KeyCode::Right => match self.arrow(code) {
                Some(direction) => self.tap(direction, &reel),
                None => self.say("this arrow points along the line; i is in, o is out", Role::Warn),
            },
            KeyCode::Char(' ' | 'p') => self.playback.toggle(),
            KeyCode::Char('b') => {
                let Some((oldest, _)) = reel.span() else { return };
                let went = self.playback.back(STEP_BACK, oldest);
                if went < STEP_BACK {
                    self.say(format!("{went:.1} s back: no older frame is there"), Role::Warn);
                } else {
                    self.say("10 s back; taps of this stretch stay, u takes back the last one", Role::Text);
                }
            }
            KeyCode::Char(',') => self.step(reel.neighbors(self.shown(&reel)).0),
            KeyCode::Char('.') => self.step(reel.neighbors(self.shown(&reel)).1),
            KeyCode::Char('+' | '=') => self.playback.change_speed(true),
            KeyCode::Char('-') => self.playback.change_speed(false),
            KeyCode::Char('u') | KeyCode::Backspace => match self.taps.pop() {
                Some(tap) => self.say(format!("taken back: {}", words(&tap)), Role::Warn),
                None => self.say("nothing was tapped", Role::Warn),
            },
            KeyCode::Char('x') => match self.taps.last_mut() {
                Some(tap) => {
                    tap.direction = match tap.direction {
                        Direction::In => Direction::Out,
                        Direction::Out => Direction::In,
                    };
                    let text = format!("changed: {}", words(tap));
                    self.say(text, Role::Text);
                }
                None => self.say("nothing was tapped", Role::Warn),
            },
            KeyCode::Tab => self.choose((self.line + 1) % self.setup.lines.len().max(1)),
            KeyCode::Char(digit @ '1'..='9') => {
                self.choose(usize::from(u8::try_from(digit).unwrap_or(b'1') - b'1'));
            }
            KeyCode::Enter | KeyCode::Char('q' | 'y')
                if was_asked || (code != KeyCode::Char('y') && self.is_at_end(&reel)) =>
            {
                self.end(watching);
            }
            KeyCode::Enter | KeyCode::Char('q') => self.phase = Phase::Watching { asked: true },
            _ => {}
        }
    }

    fn results_key(&mut self, code: KeyCode, was_asked: bool, reel: &Reel) {
        let now = self.now;
        let Phase::Results(results) = &mut self.phase else { return };
        match code {
            KeyCode::Char('w') => {
                self.save(reel);
                match self.kept.clone() {
                    Some(Ok(text)) => self.say(text, Role::Good),
                    Some(Err(text)) => self.say(text, Role::Bad),
                    None => {}
                }
            }
            KeyCode::Char('q') | KeyCode::Esc if !results.is_open => {
                let is_kept = matches!(self.kept, Some(Ok(_))) || self.taps.is_empty();
                if is_kept || was_asked {
                    self.is_left = true;
                } else {
                    results.asked = true;
                    let file = self.setup.file.display();
                    let text = format!("the taps are not saved: w saves '{file}', q leaves");
                    self.say(text, Role::Warn);
                }
            }
            _ => results.key(code, now, reel),
        }
    }

    /// A crossing of the chosen line at what is shown.
    fn tap(&mut self, direction: Direction, reel: &Reel) {
        let (Some(position), false) = (self.playback.position(), self.playback.is_seeking()) else {
            return self.say("no frame is there yet", Role::Warn);
        };
        let tap = Tap::new(position, self.chosen().name.clone(), direction);
        reel.mark(tap.time);
        let role = if direction == Direction::In { Role::In } else { Role::Out };
        self.say(words(&tap), role);
        self.taps.push(tap);
    }

    /// The line that taps are for.
    pub fn chosen(&self) -> &LineConfig {
        &self.setup.lines[self.line.min(self.setup.lines.len() - 1)]
    }

    fn choose(&mut self, line: usize) {
        match self.setup.lines.get(line) {
            Some(chosen) => {
                let text = format!("taps are for {}", chosen.name);
                self.line = line;
                self.say(text, Role::Text);
            }
            None => self.say(format!("there is no line {}", line + 1), Role::Warn),
        }
    }

    /// The direction that an arrow key means: along the side that counts as in, or against it.
    pub fn arrow(&self, code: KeyCode) -> Option<Direction> {
        let line = self.chosen();
        // In is to the right-hand side when walking from a to b; y points down.
        let (dx, dy) = ((line.b[0] - line.a[0]) * self.aspect, line.b[1] - line.a[1]);
        let length = dx.hypot(dy).max(1e-6);
        let along = match code {
            KeyCode::Right => -dy,
            KeyCode::Left => dy,
            KeyCode::Down => dx,
            KeyCode::Up => -dx,
            _ => 0.0,
        } / length;
        match along {
            ALONG.. => Some(Direction::In),
            _ if along <= -ALONG => Some(Direction::Out),
            _ => None,
        }
    }

    /// Time of the picture that is shown.
    fn shown(&self, reel: &Reel) -> f64 {
        let position = self.playback.position().unwrap_or(0.0);
        reel.shown_at(position).unwrap_or(position)
    }

    fn step(&mut self, to: Option<f64>) {
        match to {
            Some(time) => self.playback.hold_at(time),
            None => self.say("no other frame is there", Role::Warn),
        }
    }

    fn end(&mut self, watching: &mut Watching) {
        watching.end(STOP_TIMEOUT);
        self.phase = Phase::Counting;
        if watching.is_over() {
            self.compare(watching);
        }
    }

    /// Everything is counted: the result.
    fn compare(&mut self, watching: &mut Watching) {
        // What was decided last is still on its way.
        watching.close(STOP_TIMEOUT);
        let names: Vec<String> = self.setup.lines.iter().map(|line| line.name.clone()).collect();
        let findings =
            Findings::new(&names, &self.taps, watching.sightings(), self.watched, self.setup.tolerance);
        self.phase = Phase::Results(Results::new(findings, self.now));
        self.keep(watching.reel());
        match self.kept.clone() {
            Some(Ok(text)) => self.say(text, Role::Good),
            Some(Err(text)) => self.say(format!("{text}; w tries again"), Role::Bad),
            None => {}
        }
    }

    /// Keeps the taps where they are to be kept and are not yet.
    pub fn keep(&mut self, reel: &Reel) {
        if self.setup.keeps && !matches!(self.kept, Some(Ok(_))) && reel.read().is_some() {
            self.save(reel);
        }
    }

    fn save(&mut self, reel: &Reel) {
        let Setup { place, lines, tolerance, .. } = &self.setup;
        let mut taps = self.taps.clone();
        taps.sort_by(|a, b| a.time.total_cmp(&b.time));
        let truth = Truth {
            place: place.clone(),
            lines: lines.clone(),
            read: reel.read(),
            watched: self.watched,
            tolerance: *tolerance,
            taps,
        };
        self.kept = Some((self.setup.save)(&truth));
    }
}

impl Audit<'_> {
    /// The moment that everything is drawn for.
    pub fn now(&self) -> Instant {
        self.now
    }
}

/// `in at 0:12.4`, with the line's name.
fn words(tap: &Tap) -> String {
    format!("{} over {} at {}", tap.direction.word(), tap.line, clock(tap.time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::truth::WatchedSource;

    /// The arrows that mean in and out over a line from `a` to `b`: up, right, down, left.
    fn arrows(a: [f32; 2], b: [f32; 2]) -> [Option<Direction>; 4] {
        let line = LineConfig { a, b, ..LineConfig::default() };
        let setup = Setup {
            name: "clip".into(),
            place: WatchedSource::Demo("lobby".into()),
            lines: vec![line],
            speed: 1,
            tolerance: 2.0,
            taps: Vec::new(),
            watched: None,
            file: "audit.csv".into(),
            keeps: false,
            save: &|_| Ok(String::new()),
        };
        let audit = Audit::new(setup, Instant::now());
        [KeyCode::Up, KeyCode::Right, KeyCode::Down, KeyCode::Left].map(|code| audit.arrow(code))
    }

    #[test]
    fn arrows_that_point_over_the_line_mean_its_directions() {
        use Direction::{In, Out};
        assert_eq!(arrows([0.0, 0.5], [1.0, 0.5]), [Some(Out), None, Some(In), None]);
        assert_eq!(arrows([1.0, 0.5], [0.0, 0.5]), [Some(In), None, Some(Out), None]);
        assert_eq!(arrows([0.5, 0.0], [0.5, 1.0]), [None, Some(Out), None, Some(In)]);
        assert_eq!(arrows([0.1, 0.3], [0.5, 0.6]), [Some(Out), Some(Out), Some(In), Some(In)]);
    }
}
