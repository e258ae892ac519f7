//! Areas: how many people are inside what several lines lead into.

use serde::{Deserialize, Serialize};

use super::{Direction, SourceId, SourceSnapshot};

/// Most people who can be said to be inside an area.
pub const MOST_INSIDE: u64 = 1_000_000;

/// A line that leads into an area.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct AreaLine {
    /// The source that counts over it.
    pub source: SourceId,
    /// Its name; `None` for every line of the source that the area does not name itself.
    pub line: Option<String>,
    /// Whether its `in` leads out of the area.
    pub turned: bool,
}

impl AreaLine {
    /// The line that `text` names, as the configuration has it: `camera_01/door`, `camera_02/*` for every line of a
    /// source, `!camera_01/door` where `in` leads out. `None` without a name on both sides of the slash.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (turned, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (source, line) = rest.split_once('/')?;
        let line = (line != "*").then(|| line.to_owned());
        let is_named = !source.is_empty() && line.as_deref() != Some("");
        is_named.then(|| Self { source: source.into(), line, turned })
    }

    /// The line as the configuration has it.
    #[must_use]
    pub fn text(&self) -> String {
        let turned = if self.turned { "!" } else { "" };
        format!("{turned}{}/{}", self.source, self.line.as_deref().unwrap_or("*"))
    }

    /// Which way somebody who crosses it in `direction` goes, as seen from the area.
    #[must_use]
    pub fn seen(&self, direction: Direction) -> Direction {
        match (self.turned, direction) {
            (false, direction) => direction,
            (true, Direction::In) => Direction::Out,
            (true, Direction::Out) => Direction::In,
        }
    }

    /// The one of `lines` that a crossing of `line` of `source` belongs to: the one that names it, else the one that
    /// stands for all lines of the source.
    #[must_use]
    pub fn find<'a>(lines: &'a [Self], source: &str, line: &str) -> Option<&'a Self> {
        let of = |name: Option<&str>| {
            lines.iter().find(|own| *own.source == *source && own.line.as_deref() == name)
        };
        of(Some(line)).or_else(|| of(None))
    }
}

/// Why the number inside was corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionReason {
    /// The quiet hour, at which nobody is inside.
    Reset,
    /// A person said how many are inside.
    Person,
}

impl CorrectionReason {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Reset, Self::Person];

    /// Its word in the ledger and in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Person => "person",
        }
    }

    /// The reason of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

/// What happens to an area; the source of its [`Event`](super::Event) is the area's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum AreaEvent {
    /// From now on these lines lead into it.
    Lines {
        /// The lines; none where there is no such area any more.
        lines: Vec<AreaLine>,
    },
    /// The number inside was corrected.
    Corrected {
        /// What the number was.
        before: i64,
        /// What it is.
        after: i64,
        /// People who entered since the correction before.
        total_in: u64,
        /// People who left since the correction before.
        total_out: u64,
        /// Why.
        reason: CorrectionReason,
        /// Name of the user; empty where the program did it.
        who: String,
    },
    /// The area reached its threshold, or is below it again.
    Threshold {
        /// Whether it is over now.
        over: bool,
        /// People inside at that moment.
        inside: i64,
        /// The threshold.
        limit: i64,
    },
}

impl AreaEvent {
    /// What happened, in a sentence without the name of the area.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Lines { lines } if lines.is_empty() => "is not counted any more".to_owned(),
            Self::Lines { lines } => {
                let lines: Vec<String> = lines.iter().map(AreaLine::text).collect();
                format!("is counted by {}", lines.join(", "))
            }
            Self::Corrected { before, after, reason: CorrectionReason::Reset, .. } => {
                format!("reset from {before} to {after} at its quiet hour")
            }
            Self::Corrected { before, after, who, .. } if who.is_empty() => {
                format!("corrected from {before} to {after}")
            }
            Self::Corrected { before, after, who, .. } => {
                format!("corrected from {before} to {after} by {who}")
            }
            Self::Threshold { over: true, inside, limit } => format!("{inside} inside, threshold {limit}"),
            Self::Threshold { inside, limit, .. } => {
                format!("below its threshold again: {inside} inside, threshold {limit}")
            }
        }
    }
}

/// How wrong the number inside was when it was corrected, over the last corrections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Drift {
    /// Corrections that tell of it.
    pub corrections: u32,
    /// People who were counted as inside and were not, summed; below zero where entries were missed.
    pub surplus: i64,
    /// People who entered meanwhile.
    pub entries: u64,
}

impl Drift {
    /// Corrections that are looked back upon.
    pub const MOST: usize = 30;

    /// What these corrections tell, each as `before`, `after` and entries since the correction before; `None` where they
    /// tell nothing.
    pub fn of(corrections: impl IntoIterator<Item = (i64, i64, u64)>) -> Option<Self> {
        let mut drift = Self::default();
        for (before, after, entries) in corrections.into_iter().filter(|(_, _, entries)| *entries > 0) {
            drift.corrections += 1;
            drift.surplus = drift.surplus.saturating_add(before.saturating_sub(after));
            drift.entries = drift.entries.saturating_add(entries);
        }
        (drift.entries > 0).then_some(drift)
    }

    /// People too many per 100 entries.
    #[must_use]
    pub fn per_hundred(&self) -> f64 {
        if self.entries == 0 { 0.0 } else { self.surplus as f64 * 100.0 / self.entries as f64 }
    }

    /// In words: `about 3 too many per 100 entries, from 7 corrections`.
    #[must_use]
    pub fn words(drift: Option<&Self>) -> String {
        let Some(drift) = drift else { return "unknown".to_owned() };
        let rate = drift.per_hundred();
        let plural = if drift.corrections == 1 { "" } else { "s" };
        let from = format!("from {} correction{plural}", drift.corrections);
        let size = if rate.abs() < 9.5 { format!("{:.1}", rate.abs()) } else { format!("{:.0}", rate.abs()) };
        let size = size.strip_suffix(".0").unwrap_or(&size);
        match size {
            "0" => format!("none to speak of, {from}"),
            size if rate > 0.0 => format!("about {size} too many per 100 entries, {from}"),
            size => format!("about {size} too few per 100 entries, {from}"),
        }
    }
}

/// What is known of an area from before the engine began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AreaRecord {
    /// Its name.
    pub name: String,
    /// The number of the last correction.
    pub base: i64,
    /// People who entered since.
    pub total_in: u64,
    /// People who left since.
    pub total_out: u64,
    /// When it was first known, in milliseconds since the Unix epoch.
    pub known: i64,
    /// When the number was last corrected; `None` where it never was.
    pub corrected: Option<i64>,
    /// When it was last reset at its quiet hour; `None` where it never was.
    pub reset: Option<i64>,
    /// The last corrections, newest last: before, after, entries since the one before.
    pub corrections: Vec<(i64, i64, u64)>,
    /// The lines that led into it.
    pub lines: Vec<AreaLine>,
}

/// One area as shown. Its numbers count from the moment at which the number inside was last corrected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AreaSnapshot {
    /// Its name, unique.
    pub name: String,
    /// People inside: the number of the last correction, and since then all who entered minus all who left. Below zero
    /// where entries were missed.
    pub inside: i64,
    /// People who entered by one of its lines since the last correction.
    pub total_in: u64,
    /// People who left by one of its lines since the last correction.
    pub total_out: u64,
    /// People who may be inside at most, where that is known.
    pub capacity: Option<u64>,
    /// People inside from whom on there is an alert.
    pub threshold: Option<i64>,
    /// Whether there is an alert now: the threshold was reached, and the number has not fallen well below it since.
    #[serde(default)]
    pub is_over: bool,
    /// When the number inside was last corrected, in milliseconds since the Unix epoch; `None` where it never was.
    pub corrected: Option<i64>,
    /// When the area was first known, in milliseconds since the Unix epoch: without a correction its numbers count from
    /// then on.
    #[serde(default)]
    pub known: i64,
    /// How wrong the number was when it was corrected; `None` where that is not known.
    #[serde(default)]
    pub drift: Option<Drift>,
    /// The lines that lead into it.
    #[serde(default)]
    pub lines: Vec<AreaLine>,
}

impl AreaSnapshot {
    /// People inside in words: `37`, or `0 (counted -2)` where more have left than can have been inside.
    #[must_use]
    pub fn number(&self) -> String {
        if self.inside < 0 { format!("0 (counted {})", self.inside) } else { self.inside.to_string() }
    }

    /// The same with the capacity: `37 of 120`.
    #[must_use]
    pub fn of_capacity(&self) -> String {
        match self.capacity {
            Some(capacity) if self.inside < 0 => format!("0 of {capacity} (counted {})", self.inside),
            Some(capacity) => format!("{} of {capacity}", self.inside),
            None => self.number(),
        }
    }

    /// The same as a part of a sentence: `37 of 120 inside`, or `0 of 120 inside (counted -2)`.
    #[must_use]
    pub fn words(&self) -> String {
        let of = self.capacity.map_or_else(String::new, |capacity| format!(" of {capacity}"));
        let counted = if self.inside < 0 { format!(" (counted {})", self.inside) } else { String::new() };
        format!("{}{of} inside{counted}", self.inside.max(0))
    }

    /// What is wrong where [`Self::is_over`]: `130 inside, threshold 120`.
    #[must_use]
    pub fn cause(&self) -> String {
        let limit = self.threshold.unwrap_or_default();
        format!("{}, threshold {limit}", self.words())
    }

    /// A sentence for each of its lines that none of `sources` has at present.
    #[must_use]
    pub fn missing(&self, sources: &[impl AsRef<SourceSnapshot>]) -> Vec<String> {
        let mut said = Vec::new();
        for line in &self.lines {
            let source =
                sources.iter().map(AsRef::as_ref).find(|source: &&SourceSnapshot| source.id == line.source);
            let (name, id) = (&self.name, &line.source);
            match (source, &line.line) {
                (None, _) => said.push(format!(
                    "area '{name}' lacks the source '{id}', which is not there; people who cross its lines are not counted"
                )),
                (Some(source), Some(wanted)) if !source.lines.iter().any(|own| own.name == *wanted) => {
                    said.push(format!(
                        "area '{name}' lacks the line '{wanted}' of '{id}', which has no line of this name; \
                         change 'areas' in the configuration file or the name of the line"
                    ));
                }
                _ => {}
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_an_area_reads_as_it_is_written() {
        for text in ["camera_01/door", "!camera_01/door", "camera_02/*", "!camera_02/*", "a/b/c"] {
            assert_eq!(AreaLine::parse(text).unwrap().text(), text);
        }
        for text in ["", "door", "/door", "camera_01/", "!/door"] {
            assert_eq!(AreaLine::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_line_that_is_named_itself_is_not_taken_for_one_of_all() {
        let lines: Vec<_> = ["gate/*", "!gate/back"].into_iter().filter_map(AreaLine::parse).collect();
        let way = |line| AreaLine::find(&lines, "gate", line).map(|line| line.seen(Direction::In));
        assert_eq!((way("front"), way("back")), (Some(Direction::In), Some(Direction::Out)));
        assert_eq!(AreaLine::find(&lines, "yard", "front"), None);
    }

    #[test]
    fn drift_is_said_per_hundred_entries_and_unknown_before_the_first_correction() {
        assert_eq!(Drift::words(None), "unknown");
        let drift =
            |corrections: &[(i64, i64, u64)]| Drift::words(Drift::of(corrections.iter().copied()).as_ref());
        assert_eq!(drift(&[(0, 0, 0)]), "unknown");
        assert_eq!(drift(&[(3, 0, 60), (3, 0, 140)]), "about 3 too many per 100 entries, from 2 corrections");
        assert_eq!(drift(&[(-1, 0, 40)]), "about 2.5 too few per 100 entries, from 1 correction");
        assert_eq!(drift(&[(0, 0, 40)]), "none to speak of, from 1 correction");
    }

    #[test]
    fn a_number_below_zero_is_shown_as_nobody_with_what_was_counted() {
        let area = AreaSnapshot { inside: -2, ..AreaSnapshot::default() };
        assert_eq!(area.number(), "0 (counted -2)");
        let area = AreaSnapshot { capacity: Some(120), ..area };
        assert_eq!(area.of_capacity(), "0 of 120 (counted -2)");
        assert_eq!(area.words(), "0 of 120 inside (counted -2)");
        assert_eq!(AreaSnapshot { inside: 37, ..area }.of_capacity(), "37 of 120");
    }
}
