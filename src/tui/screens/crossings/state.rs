//! The crossings that a person steps through: their strips, what is known of them, and what was said of them.

use std::sync::Arc;

use crate::{
    audit::sample::{Estimate, Sample, crossed},
    evidence::{Facts, millis},
    host::crossings::{CrossingDetails, CrossingsAnswer, CrossingsQuery, NewJudgment},
    model::{Crossed, Event, EventKind, Judgment, Verdict},
};

/// The screen of crossings.
#[derive(Debug, Default)]
pub struct State {
    /// Those that are stepped through.
    pub list: Crossings,
    /// Whether the chosen picture has the whole room; `None` leaves it to the room.
    pub alone: Option<bool>,
    /// Whether the pictures are those of the person alone.
    pub near: bool,
    /// A judgment is on its way to the ledger.
    pub judging: bool,
}

impl State {
    /// Shows other crossings; gives what has to be read for that.
    pub fn show(&mut self, crossings: Crossings) -> Option<CrossingsQuery> {
        self.list = crossings;
        self.judging = false;
        self.list.reading.clone()
    }
}

/// Crossings, one of which is chosen.
#[derive(Debug, Clone, Default)]
pub struct Crossings {
    /// Where the list is from.
    pub title: String,
    /// The crossings.
    cases: Vec<Facts>,
    /// The random sample that they are, where they are one.
    pub sample: Option<Sample>,
    /// The chosen one.
    at: usize,
    /// The chosen picture of its strip.
    pub picture: usize,
    /// What was read of a crossing, and of which.
    pub known: Option<(Crossed, Result<Arc<CrossingDetails>, String>)>,
    /// The list that is being read.
    pub reading: Option<CrossingsQuery>,
    /// Why there is no list.
    pub problem: Option<String>,
}

/// The picture on the line.
const ON_THE_LINE: usize = 2;

impl Crossings {
    /// These crossings, of which the last before `at` (milliseconds since the Unix epoch), or the one that is `at`, is chosen.
    #[must_use]
    pub fn of(title: String, cases: Vec<Facts>, at: Option<i64>) -> Self {
        let last = cases.len().saturating_sub(1);
        let at = at.map_or(last, |at| cases.iter().rposition(|facts| facts.wall <= at).unwrap_or(last));
        Self { title, cases, at, picture: ON_THE_LINE, ..Self::default() }
    }

    /// Those among `events`, of which `chosen` is chosen.
    #[must_use]
    pub fn of_events(title: String, events: &[Arc<Event>], chosen: &Event) -> Self {
        let cases: Vec<_> = events.iter().filter_map(|event| facts_of(event)).collect();
        let chosen = facts_of(chosen);
        let at = chosen.and_then(|chosen| cases.iter().rposition(|facts| *facts == chosen));
        let last = cases.len().saturating_sub(1);
        Self { title, cases, at: at.unwrap_or(last), picture: ON_THE_LINE, ..Self::default() }
    }

    /// What is asked for, until it is there.
    #[must_use]
    pub fn awaited(asked: CrossingsQuery) -> Self {
        let title = asked.title.clone();
        Self { title, reading: Some(asked), picture: ON_THE_LINE, ..Self::default() }
    }

    /// Takes the answer to `asked`, if that is still what is wanted.
    pub fn found(&mut self, asked: &CrossingsQuery, found: Result<CrossingsAnswer, String>) {
        if self.reading.as_ref() != Some(asked) {
            return;
        }
        *self = match found {
            Ok(CrossingsAnswer::InTime(cases)) => Self::of(asked.title.clone(), cases, asked.at),
            Ok(CrossingsAnswer::AtRandom(sample)) => {
                let cases = sample.cases().iter().map(|case| case.facts.clone()).collect();
                let at = sample.next().unwrap_or(0);
                let of_all = Self::of(asked.title.clone(), cases, None);
                Self { at, sample: Some(sample), ..of_all }
            }
            Err(problem) => Self { title: asked.title.clone(), problem: Some(problem), ..Self::default() },
        };
    }

    /// The crossing on the screen.
    #[must_use]
    pub fn chosen(&self) -> Option<&Facts> {
        self.cases.get(self.at)
    }

    /// What was read of the crossing on the screen.
    #[must_use]
    pub fn read(&self) -> Option<&Result<Arc<CrossingDetails>, String>> {
        let chosen = crossed(self.chosen()?);
        self.known.as_ref().filter(|(of, _)| *of == chosen).map(|(_, known)| known)
    }

    /// Number of the crossing on the screen, from 1, and how many there are.
    #[must_use]
    pub fn place(&self) -> (usize, usize) {
        (self.at + 1, self.cases.len())
    }

    /// Moves by `by` crossings; `false` at the end.
    pub fn step(&mut self, by: isize) -> bool {
        let to = self.at.saturating_add_signed(by).min(self.cases.len().saturating_sub(1));
        let moved = to != self.at;
        if moved {
            (self.at, self.picture) = (to, ON_THE_LINE);
        }
        moved
    }

    /// Moves by `by` pictures; `false` at the end.
    pub fn step_picture(&mut self, by: isize) -> bool {
        let Some(Ok(known)) = self.read() else { return false };
        let count = known.strip.as_ref().map_or(0, |strip| strip.pictures.len());
        let to = self.picture.saturating_add_signed(by).min(count.saturating_sub(1));
        let moved = to != self.picture;
        self.picture = to;
        moved
    }

    /// What is to be written where the crossing on the screen is `verdict`.
    #[must_use]
    pub fn said(&self, verdict: Verdict) -> Option<NewJudgment> {
        let facts = match self.read() {
            Some(Ok(known)) => known.facts.clone(),
            _ => self.chosen()?.clone(),
        };
        let weight = self.sample.as_ref().and_then(|sample| sample.weight(self.at));
        Some(NewJudgment { facts, verdict, weight, who: None })
    }

    /// Takes a judgment that is in the ledger. A sample then goes on to the next crossing.
    pub fn judged(&mut self, judgment: &Judgment) {
        if let Some((of, Ok(known))) = &mut self.known
            && *of == judgment.crossed
        {
            *known = Arc::new(CrossingDetails {
                judgment: Some(judgment.clone()),
                ..CrossingDetails::clone(known)
            });
        }
        let is_chosen = self.chosen().is_some_and(|facts| crossed(facts) == judgment.crossed);
        let Some(sample) = &mut self.sample else { return };
        sample.judge(judgment);
        if let Some(next) = sample.next().filter(|_| is_chosen) {
            (self.at, self.picture) = (next, ON_THE_LINE);
        }
    }

    /// What a sample says so far, of the crossings that were counted and of those that were not.
    #[must_use]
    pub fn estimates(&self) -> Option<[Estimate; 2]> {
        let sample = self.sample.as_ref()?;
        Some([sample.estimate(true), sample.estimate(false)])
    }
}

/// The crossing that an event is, counted or not.
#[must_use]
pub fn facts_of(event: &Event) -> Option<Facts> {
    let (line, direction, track, time, confidence, reason) = match &event.kind {
        EventKind::Crossing { line, direction, track, time, confidence } => {
            (line, *direction, *track, *time, Some(*confidence), None)
        }
        EventKind::Suppressed { line, direction, track, reason, time } => {
            (line, *direction, *track, *time, None, Some(*reason))
        }
        _ => return None,
    };
    let (source, line) = (event.source.clone(), line.clone());
    Some(Facts { source, line, direction, reason, confidence, track, wall: millis(event.wall), time })
}
