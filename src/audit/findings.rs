//! What an audit has found: what was right, missed and false, and where person and program disagree.

use serde::{Deserialize, Serialize};

use super::{
    matching::pairs,
    tap::{Sighting, Tap, Verdict},
    wilson,
};
use crate::model::Direction;

/// How many of the crossings of one kind were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Crossings that a person saw and the program counted.
    pub right: u64,
    /// Crossings that a person saw and the program did not count.
    pub missed: u64,
    /// Counts to which no crossing belongs.
    #[serde(rename = "false")]
    pub wrong: u64,
}

/// A share that was observed, with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// 0..=1.
    pub value: f64,
    /// The 95 % interval of [`wilson::interval`].
    pub interval: (f64, f64),
}

impl Tally {
    /// Crossings that a person saw.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.right + self.missed
    }

    /// Crossings that the program counted.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.right + self.wrong
    }

    /// Share of the true crossings that were counted; `None` where there was none.
    #[must_use]
    pub fn recall(&self) -> Option<Proportion> {
        share(self.right, self.seen())
    }

    /// Share of the counts that were right; `None` where nothing was counted.
    #[must_use]
    pub fn precision(&self) -> Option<Proportion> {
        share(self.right, self.counted())
    }

    /// Counted minus true crossings: what is wrong with the total.
    #[must_use]
    pub fn error(&self) -> i64 {
        self.wrong as i64 - self.missed as i64
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            right: self.right + other.right,
            missed: self.missed + other.missed,
            wrong: self.wrong + other.wrong,
        }
    }
}

fn share(part: u64, of: u64) -> Option<Proportion> {
    let interval = wilson::interval(part, of)?;
    Some(Proportion { value: part as f64 / of as f64, interval })
}

/// One line and one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct LineFindings {
    /// Name of the line.
    pub line: String,
    /// Which way.
    pub direction: Direction,
    /// What was counted of it.
    pub tally: Tally,
}

/// Why a crossing was missed, as far as the program tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Thought {
    /// It saw something there: counted the other way, or did not count it for a reason.
    Saw(Sighting),
    /// It saw nothing there that looked like a crossing of this line.
    Nothing,
}

/// Where person and program disagree.
#[derive(Debug, Clone, PartialEq)]
pub enum Disagreement {
    /// A person saw a crossing that was not counted.
    Missed(Tap, Thought),
    /// A crossing was counted that nobody saw.
    Wrong(Sighting),
}

impl Disagreement {
    /// Seconds on the source's clock.
    #[must_use]
    pub fn time(&self) -> f64 {
        match self {
            Self::Missed(tap, _) => tap.time,
            Self::Wrong(sighting) => sighting.time,
        }
    }

    /// The line that it is about.
    #[must_use]
    pub fn line(&self) -> &str {
        match self {
            Self::Missed(tap, _) => &tap.line,
            Self::Wrong(sighting) => &sighting.line,
        }
    }
}

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// Two rows for each line, in and out.
    pub rows: Vec<LineFindings>,
    /// By time.
    pub disagreements: Vec<Disagreement>,
    /// Furthest that a tap and a count may lie apart to be taken for the same crossing, in seconds.
    pub tolerance: f64,
}

impl Findings {
    /// Compares what a person saw with what the program did, on these lines, from the start until `watched` seconds.
    ///
    /// A count behind the end may still belong to a tap before it, and is no fault where it does not: nobody has watched
    /// there. A tap behind the end is not compared.
    #[must_use]
    pub fn new(lines: &[String], taps: &[Tap], sightings: &[Sighting], watched: f64, tolerance: f64) -> Self {
        let mut found = Self { tolerance, ..Self::default() };
        for line in lines {
            let wrong: Vec<Sighting> = [Direction::In, Direction::Out]
                .into_iter()
                .flat_map(|direction| found.compare((line, direction), taps, sightings, watched))
                .collect();
            found.explain(line, sightings, &wrong);
            found.disagreements.extend(wrong.into_iter().map(Disagreement::Wrong));
        }
        found.disagreements.sort_by(|a, b| a.time().total_cmp(&b.time()));
        found
    }

    /// Adds the row of one line and direction and what was missed there; gives what was wrong.
    fn compare(
        &mut self,
        (line, direction): (&str, Direction),
        taps: &[Tap],
        sightings: &[Sighting],
        watched: f64,
    ) -> Vec<Sighting> {
        let seen: Vec<&Tap> = taps
            .iter()
            .filter(|tap| tap.line == line && tap.direction == direction && tap.time <= watched)
            .collect();
        let counted: Vec<&Sighting> = sightings
            .iter()
            .filter(|s| s.is_counted() && s.line == line && s.direction == direction)
            .collect();
        let times: Vec<f64> = seen.iter().map(|tap| tap.time).collect();
        let counted_at: Vec<f64> = counted.iter().map(|sighting| sighting.time).collect();
        let paired = pairs(&times, &counted_at, self.tolerance);
        let missed = seen.iter().enumerate().filter(|(at, _)| paired.iter().all(|pair| pair.0 != *at));
        let missed: Vec<Tap> = missed.map(|(_, tap)| Tap::clone(tap)).collect();
        let is_alone = |at: usize| paired.iter().all(|pair| pair.1 != at);
        let wrong = counted.iter().enumerate().filter(|(at, s)| is_alone(*at) && s.time <= watched);
        let wrong: Vec<Sighting> = wrong.map(|(_, sighting)| Sighting::clone(sighting)).collect();
        let tally =
            Tally { right: paired.len() as u64, missed: missed.len() as u64, wrong: wrong.len() as u64 };
        self.rows.push(LineFindings { line: line.to_owned(), direction, tally });
        self.disagreements.extend(missed.into_iter().map(|tap| Disagreement::Missed(tap, Thought::Nothing)));
        wrong
    }

    /// Says what the program saw where something was missed on `line`: what lies next in time of all that it did not count,
    /// and of what it counted wrongly.
    fn explain(&mut self, line: &str, sightings: &[Sighting], wrong: &[Sighting]) {
        let tolerance = self.tolerance;
        let missed = self.disagreements.iter_mut().filter_map(|disagreement| match disagreement {
            Disagreement::Missed(tap, thought) if tap.line == line => Some((tap, thought)),
            _ => None,
        });
        for (tap, thought) in missed {
            let suppressed = sightings.iter().filter(|s| s.line == line && !s.is_counted());
            let near = suppressed.chain(wrong).filter(|s| (s.time - tap.time).abs() <= tolerance);
            let apart = |s: &Sighting| (s.time - tap.time).abs();
            if let Some(nearest) = near.min_by(|a, b| apart(a).total_cmp(&apart(b))) {
                *thought = Thought::Saw(nearest.clone());
            }
        }
    }

    /// All rows together.
    #[must_use]
    pub fn total(&self) -> Tally {
        self.rows.iter().fold(Tally::default(), |sum, row| sum.plus(row.tally))
    }
}

/// What the program thought at a disagreement, in words.
#[must_use]
pub fn words(disagreement: &Disagreement) -> String {
    match disagreement {
        Disagreement::Wrong(sighting) => said(sighting),
        Disagreement::Missed(_, Thought::Nothing) => "saw nothing there".into(),
        Disagreement::Missed(tap, Thought::Saw(sighting)) => {
            let later = sighting.time - tap.time;
            let when = if later.abs() < 0.05 {
                String::new()
            } else if later > 0.0 {
                format!(", {later:.1} s later")
            } else {
                format!(", {:.1} s before", -later)
            };
            format!("{}{when}", said(sighting))
        }
    }
}

fn said(sighting: &Sighting) -> String {
    let way = sighting.direction.word();
    match sighting.verdict {
        Verdict::Counted(confidence) => format!("counted {way}, confidence {confidence:.2}"),
        Verdict::Suppressed(reason) => format!("saw {way}, not counted: {}", reason.words()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reason;

    fn counted(time: f64, direction: Direction) -> Sighting {
        Sighting { time, line: "door".into(), direction, verdict: Verdict::Counted(0.8) }
    }

    fn tap(time: f64, direction: Direction) -> Tap {
        Tap::new(time, "door", direction)
    }

    fn tallies(found: &Findings) -> Vec<(u64, u64, u64)> {
        found.rows.iter().map(|row| (row.tally.right, row.tally.missed, row.tally.wrong)).collect()
    }

    #[test]
    fn each_direction_of_each_line_is_compared_for_itself() {
        use Direction::{In, Out};
        let mut elsewhere = counted(10.0, In);
        elsewhere.line = "gate".into();
        let taps = [tap(10.0, In), tap(20.0, In), tap(30.0, Out)];
        let sightings = [counted(11.5, In), counted(30.2, In), counted(30.1, Out), elsewhere];
        let found = Findings::new(&["door".into(), "gate".into()], &taps, &sightings, 60.0, 2.0);
        assert_eq!(tallies(&found), [(1, 1, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0)]);
        let total = found.total();
        assert_eq!((total.seen(), total.counted(), total.error()), (3, 4, 1));
        assert!((total.recall().unwrap().value - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(total.precision().unwrap().value, 0.5);
    }

    #[test]
    fn a_miss_says_what_the_program_saw() {
        use Direction::{In, Out};
        let mut hesitant = counted(10.4, In);
        hesitant.verdict = Verdict::Suppressed(Reason::Flicker);
        let sightings = [hesitant, counted(19.0, Out)];
        let taps = [tap(10.0, In), tap(20.0, In), tap(50.0, In)];
        let found = Findings::new(&["door".into()], &taps, &sightings, 60.0, 2.0);
        let said: Vec<String> = found.disagreements.iter().map(words).collect();
        assert_eq!(
            said,
            [
                "saw in, not counted: did not settle on the other side, 0.4 s later",
                "counted out, confidence 0.80",
                "counted out, confidence 0.80, 1.0 s before",
                "saw nothing there",
            ]
        );
    }

    #[test]
    fn what_nobody_watched_is_no_fault() {
        use Direction::In;
        let sightings = [counted(10.5, In), counted(11.0, In), counted(30.0, In)];
        let found = Findings::new(&["door".into()], &[tap(9.9, In), tap(40.0, In)], &sightings, 10.0, 2.0);
        assert_eq!(tallies(&found), [(1, 0, 0), (0, 0, 0)]);
    }
}
