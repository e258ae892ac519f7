//! A random sample of crossings, counted and suppressed ones, for a person to judge, and what their judgments say of all
//! crossings of the day.
//!
//! The less sure the program was, the sooner a crossing is drawn, up to four times as often as a sure one. Each crossing has a
//! number u in 0..1 of its own, made of its name, and they are drawn in the order of u / p, with p how often it is to be
//! drawn: sequential Poisson sampling with permanent random numbers (E. Ohlsson, "Sequential Poisson sampling", Journal of
//! Official Statistics 14 (1998), 149-162). So a sample is the same one when it is gone on with later, and new crossings
//! take their place in it. Each judgment then stands for one over its chance of having been drawn.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Proportion, wilson};
use crate::{
    evidence::Facts,
    model::{Crossed, Judgment, Verdict},
};

/// How many counted crossings are drawn for one that was suppressed: the counts are what people go by.
const COUNTED_PER_SUPPRESSED: usize = 3;

/// How much oftener than a sure crossing one is drawn of which the program was not sure at all.
const UNSURE: f64 = 4.0;

/// A crossing that can be drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// What happened.
    pub facts: Facts,
    /// What was said of it when it was drawn.
    pub verdict: Option<Verdict>,
}

/// Crossings in the order in which they are drawn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    cases: Vec<Case>,
}

/// What a sample says of the crossings of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Crossings that were judged.
    pub judged: usize,
    /// Those of them of which the program was right.
    pub right: usize,
    /// Crossings that there are.
    pub of: usize,
    /// Estimated share of all on which the program is right, each judgment with its weight. The 95 % interval is Wilson's
    /// for as many cases of equal weight as would be as sure (L. Kish, "Survey Sampling", 1965: (Σw)² / Σw²); `None` until
    /// one was judged.
    pub share: Option<Proportion>,
}

/// The crossing of `facts`, as judgments name it.
#[must_use]
pub fn crossed(facts: &Facts) -> Crossed {
    let Facts { source, line, track, wall, .. } = facts;
    Crossed { wall: *wall, source: source.clone(), line: line.clone(), track: *track }
}

impl Sample {
    /// The sample of these crossings, with what was said so far of those that were drawn. Of two judgments of one crossing
    /// the later holds.
    #[must_use]
    pub fn draw(crossings: Vec<Facts>, judgments: &[Judgment]) -> Self {
        let drawn = judgments.iter().filter(|judgment| judgment.weight.is_some());
        let said: HashMap<&Crossed, Verdict> =
            drawn.map(|judgment| (&judgment.crossed, judgment.verdict)).collect();
        let mut ordered: Vec<(f64, Facts)> =
            crossings.into_iter().map(|facts| (number(&facts) / often(&facts), facts)).collect();
        ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (counted, suppressed): (Vec<Facts>, Vec<Facts>) =
            ordered.into_iter().map(|(_, facts)| facts).partition(|facts| facts.reason.is_none());
        let (mut counted, mut suppressed) = (counted.into_iter(), suppressed.into_iter());
        let mut cases = Vec::new();
        loop {
            let before = cases.len();
            cases.extend(counted.by_ref().take(COUNTED_PER_SUPPRESSED));
            cases.extend(suppressed.next());
            if cases.len() == before {
                break;
            }
        }
        let case = |facts: Facts| Case { verdict: said.get(&crossed(&facts)).copied(), facts };
        Self { cases: cases.into_iter().map(case).collect() }
    }

    /// The crossings in the order in which they are drawn.
    #[must_use]
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The first one that nobody has judged.
    #[must_use]
    pub fn next(&self) -> Option<usize> {
        self.cases.iter().position(|case| case.verdict.is_none())
    }

    /// Notes what was said of the crossing of `judgment`, if it is one of these.
    pub fn judge(&mut self, judgment: &Judgment) {
        if let Some(case) = self.cases.iter_mut().find(|case| crossed(&case.facts) == judgment.crossed) {
            case.verdict = Some(judgment.verdict);
        }
    }

    /// For how many crossings of its kind the one of this number stands, once it is judged.
    #[must_use]
    pub fn weight(&self, number: usize) -> Option<f64> {
        let case = self.cases.get(number)?;
        let kind = self.kind(case.facts.reason.is_none());
        let judged = kind.iter().filter(|other| other.verdict.is_some()).count();
        let factor = factor(&kind, judged + usize::from(case.verdict.is_none()));
        Some(weight(&case.facts, factor))
    }

    /// What the sample says of the crossings that were counted, or of those that were not.
    #[must_use]
    pub fn estimate(&self, counted: bool) -> Estimate {
        let kind = self.kind(counted);
        let judged: Vec<(&Case, Verdict)> =
            kind.iter().filter_map(|case| Some((*case, case.verdict?))).collect();
        let factor = factor(&kind, judged.len());
        let weights: Vec<(f64, bool)> = judged
            .iter()
            .map(|(case, verdict)| (weight(&case.facts, factor), *verdict == Verdict::Right))
            .collect();
        let sum = |of: &dyn Fn(&(f64, bool)) -> f64| weights.iter().map(of).sum::<f64>();
        let all = sum(&|(weight, _)| *weight);
        let value = sum(&|(weight, right)| if *right { *weight } else { 0.0 }) / all;
        let alike = all * all / sum(&|(weight, _)| weight * weight);
        let share = wilson::interval_of(value, alike).map(|interval| Proportion { value, interval });
        let right = weights.iter().filter(|(_, right)| *right).count();
        Estimate { judged: judged.len(), right, of: kind.len(), share }
    }

    fn kind(&self, counted: bool) -> Vec<&Case> {
        self.cases.iter().filter(|case| case.facts.reason.is_none() == counted).collect()
    }
}

/// How often a crossing is drawn, beside one that is sure.
fn often(facts: &Facts) -> f64 {
    let sure = f64::from(facts.confidence.unwrap_or(0.5)).clamp(0.0, 1.0);
    1.0 + (UNSURE - 1.0) * (1.0 - sure)
}

/// By what [`often`] is multiplied to be the chance of being among `drawn` of these crossings: chances are 1 at most, and
/// their sum is `drawn`.
fn factor(kind: &[&Case], drawn: usize) -> f64 {
    let mut often: Vec<f64> = kind.iter().map(|case| often(&case.facts)).collect();
    often.sort_by(f64::total_cmp);
    let (mut sum, mut left) = (often.iter().sum::<f64>(), drawn.min(often.len()) as f64);
    // Those that are drawn in any case leave less of the sample to the others.
    while let Some(most) = often.last().copied()
        && left * most > sum
    {
        (sum, left) = (sum - most, left - 1.0);
        often.pop();
    }
    if often.is_empty() { f64::INFINITY } else { left / sum }
}

/// One over the chance of being drawn.
fn weight(facts: &Facts, factor: f64) -> f64 {
    1.0 / (factor * often(facts)).min(1.0)
}

/// A number in 0..1 that belongs to the crossing: FNV-1a of its name, its bits mixed as by `SplitMix64` (S. Vigna).
fn number(facts: &Facts) -> f64 {
    let Crossed { wall, source, line, track } = crossed(facts);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in format!("{source}\n{line}\n{track}\n{wall}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((hash ^ (hash >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Reason};

    /// The `number`-th crossing of the day, of which the program is `sure`.
    fn facts(day: i64, number: u64, sure: f32, reason: Option<Reason>) -> Facts {
        Facts {
            source: "gate".into(),
            line: "door".into(),
            direction: Direction::In,
            reason,
            confidence: Some(sure),
            track: number,
            wall: day * 86_400_000 + number as i64 * 1_000,
            time: 0.0,
        }
    }

    fn said(facts: &Facts, verdict: Verdict, weight: Option<f64>) -> Judgment {
        Judgment {
            wall: 0,
            crossed: crossed(facts),
            direction: facts.direction,
            reason: facts.reason,
            verdict,
            weight,
            who: "anna".into(),
        }
    }

    /// A day of 300 crossings: one of four is unsure, and every second unsure one is wrong; of the sure ones every tenth.
    fn day(day: i64) -> Vec<(Facts, Verdict)> {
        let crossing = |number: u64| {
            let unsure = number.is_multiple_of(4);
            let wrong = number.is_multiple_of(if unsure { 8 } else { 10 }) || number % 20 == 5;
            let facts = facts(day, number, if unsure { 0.2 } else { 0.95 }, None);
            (facts, if wrong { Verdict::Wrong } else { Verdict::Right })
        };
        (0..300).map(crossing).collect()
    }

    #[test]
    fn a_weighted_sample_tells_the_share_of_the_whole_day_and_its_interval_holds_it() {
        let (mut errors, mut outside, days) = (0.0, 0, 200);
        for number in 0..days {
            let crossings = day(number);
            let right = crossings.iter().filter(|(_, verdict)| *verdict == Verdict::Right).count();
            let truth = right as f64 / crossings.len() as f64;
            let verdicts: HashMap<Crossed, Verdict> =
                crossings.iter().map(|(facts, verdict)| (crossed(facts), *verdict)).collect();
            let mut sample = Sample::draw(crossings.into_iter().map(|(facts, _)| facts).collect(), &[]);
            for _ in 0..60 {
                let next = sample.next().unwrap();
                let facts = sample.cases()[next].facts.clone();
                sample.judge(&said(&facts, verdicts[&crossed(&facts)], sample.weight(next)));
            }
            let Estimate { judged, of, share, .. } = sample.estimate(true);
            assert_eq!((judged, of), (60, 300));
            let Proportion { value, interval } = share.unwrap();
            errors += value - truth;
            outside += i32::from(!(interval.0..=interval.1).contains(&truth));
        }
        // Not weighted, the many unsure ones would make it 5 % too low.
        assert!((errors / days as f64).abs() < 0.01, "{}", errors / days as f64);
        assert!(outside <= days as i32 / 20, "{outside} of {days}");
    }

    #[test]
    fn the_less_sure_are_drawn_more_often_and_one_in_four_was_not_counted() {
        let mut crossings: Vec<Facts> = day(1).into_iter().map(|(facts, _)| facts).collect();
        crossings.extend((300..900).map(|number| facts(1, number, 0.5, Some(Reason::UTurn))));
        let sample = Sample::draw(crossings, &[]);
        let first = &sample.cases()[..80];
        assert_eq!(first.iter().filter(|case| case.facts.reason.is_some()).count(), 20);
        let unsure = first.iter().filter(|case| case.facts.confidence == Some(0.2)).count();
        assert!((20..40).contains(&unsure), "{unsure} of 60, of a quarter of all");
        assert_eq!(sample.cases().len(), 900, "nobody is left out");
    }

    #[test]
    fn a_sample_that_is_gone_on_with_is_the_same_and_what_was_chosen_by_hand_is_not_part_of_it() {
        let crossings = || day(2).into_iter().map(|(facts, _)| facts).collect::<Vec<_>>();
        let sample = Sample::draw(crossings(), &[]);
        let first = &sample.cases()[0].facts;
        let judgments = [
            said(first, Verdict::Right, Some(5.0)),
            said(first, Verdict::OtherWay, Some(5.0)),
            said(&sample.cases()[7].facts, Verdict::Wrong, None),
        ];
        let again = Sample::draw(crossings(), &judgments);
        assert_eq!(again.next(), Some(1));
        assert_eq!(again.cases()[0].verdict, Some(Verdict::OtherWay), "the last word holds");
        assert_eq!((again.cases()[7].verdict, again.estimate(true).judged), (None, 1));
        let facts: Vec<&Facts> = again.cases().iter().map(|case| &case.facts).collect();
        assert_eq!(facts, sample.cases().iter().map(|case| &case.facts).collect::<Vec<_>>());
    }

    #[test]
    fn with_all_judged_each_counts_for_itself() {
        let crossings = [(1, 0.1, None), (2, 0.9, None), (3, 1.0, None), (4, 0.4, Some(Reason::Duplicate))];
        let crossings: Vec<Facts> =
            crossings.into_iter().map(|(number, sure, reason)| facts(3, number, sure, reason)).collect();
        let mut sample = Sample::draw(crossings.clone(), &[]);
        assert_eq!(sample.estimate(true), Estimate { judged: 0, right: 0, of: 3, share: None });
        for facts in &crossings {
            let verdict = if facts.track == 2 { Verdict::Wrong } else { Verdict::Right };
            sample.judge(&said(facts, verdict, Some(1.0)));
        }
        let Estimate { judged, right, of, share } = sample.estimate(true);
        assert_eq!((judged, right, of), (3, 2, 3));
        let (share, exact) = (share.unwrap(), wilson::interval(2, 3).unwrap());
        assert!((share.value - 2.0 / 3.0).abs() < 1e-9 && (share.interval.0 - exact.0).abs() < 1e-9);
        assert_eq!((sample.next(), sample.weight(0), sample.weight(9)), (None, Some(1.0), None));
        assert_eq!(Sample::default().next(), None);
    }
}
