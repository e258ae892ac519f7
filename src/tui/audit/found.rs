//! What is looked at of a result: the disagreement that is chosen, and the pictures around it.

use std::time::Instant;

use crossterm::event::KeyCode;

use crate::audit::{
    findings::Findings,
    reel::{AROUND, Reel},
};

/// A loop around a disagreement stands still this long at its end, in seconds.
const LOOP_REST: f64 = 0.7;

/// The result, and what of it is looked at.
#[derive(Debug)]
pub struct Results {
    /// What was found.
    pub findings: Findings,
    /// Index of the disagreement that is chosen.
    pub chosen: usize,
    /// Whether its picture has the whole screen.
    pub is_open: bool,
    /// Where the pictures around it are: played from here on, or held at a time.
    pub since: Instant,
    /// The picture that is held, by its time.
    pub held: Option<f64>,
    /// Whether they were told that the taps are not kept.
    pub asked: bool,
}

impl Results {
    /// The first disagreement, as of `now`.
    pub fn new(findings: Findings, now: Instant) -> Self {
        Self { findings, chosen: 0, is_open: false, since: now, held: None, asked: false }
    }

    /// Does what a key means for what is looked at.
    pub fn key(&mut self, code: KeyCode, now: Instant, reel: &Reel) {
        let last = self.findings.disagreements.len().saturating_sub(1);
        let chosen = self.chosen;
        match code {
            KeyCode::Char('j') | KeyCode::Down => self.chosen = (chosen + 1).min(last),
            KeyCode::Char('k') | KeyCode::Up => self.chosen = chosen.saturating_sub(1),
            KeyCode::Char('g') | KeyCode::Home => self.chosen = 0,
            KeyCode::Char('G') | KeyCode::End => self.chosen = last,
            KeyCode::Enter if !self.findings.disagreements.is_empty() => self.is_open = !self.is_open,
            KeyCode::Char('q') | KeyCode::Esc => self.is_open = false,
            KeyCode::Char(' ' | 'p') => match self.held.take() {
                Some(_) => self.since = now,
                None => self.held = self.shown(now, reel),
            },
            KeyCode::Char(step @ (',' | '.')) => self.step(step == '.', now, reel),
            _ => {}
        }
        if self.chosen != chosen {
            (self.since, self.held) = (now, None);
        }
    }

    /// Holds the picture next to the one that is shown.
    fn step(&mut self, onward: bool, now: Instant, reel: &Reel) {
        let times = self.times(reel);
        let Some(shown) = self.shown(now, reel) else { return };
        let at = times.iter().position(|time| *time == shown).unwrap_or(0);
        let to = if onward { at + 1 } else { at.saturating_sub(1) };
        self.held = times.get(to).copied().or(Some(shown));
    }

    /// Times of the pictures around the chosen disagreement, the earliest first.
    pub fn times(&self, reel: &Reel) -> Vec<f64> {
        let chosen = self.findings.disagreements.get(self.chosen);
        chosen.map(|disagreement| reel.around(disagreement.time())).unwrap_or_default()
    }

    /// Time of the picture to show at `now`: they are played over and over.
    pub fn shown(&self, now: Instant, reel: &Reel) -> Option<f64> {
        let times = self.times(reel);
        if self.held.is_some() {
            return self.held;
        }
        let passed = now.saturating_duration_since(self.since).as_secs_f64() % (2.0 * AROUND + LOOP_REST);
        let at = times.first()? + passed;
        times.iter().rev().find(|time| **time <= at).copied()
    }
}
