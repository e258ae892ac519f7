//! Whether a larger input size pays: which people it finds, and tracks confirm, that a smaller one does not.
//!
//! How many people a network misses depends on more than their size: on how they hide one another, on light and on where the
//! camera hangs. So it is tried out where people seem to be missed. In a trial detection runs are made twice, in a larger
//! frame, which the tracker is given, and in one of the size in use; of tracked people who walk, those
//! count that the smaller one finds less than every other time: the tracker bridges the gaps of the others. While a
//! larger size is in use, a run at the smaller one is made beside it now and then. All this costs a bounded share of what
//! detection costs anyway. Only people near a line count, where there are no zones: who is lost elsewhere changes no count.

use super::CadenceParams;
use crate::{
    geometry::{BBox, Point},
    model::{Detection, TrackId},
    track::Track,
};

/// Times the usual width and height that frames may have.
pub const LEVELS: [f32; 3] = [1.0, 2.0, 3.0];

/// Somebody seen in the larger of two frames.
#[derive(Debug, Clone, Copy)]
struct Person {
    track: TrackId,
    first: Point,
    /// Whether they have walked.
    walks: bool,
    /// How often they were seen, and how often the smaller input did not show them.
    seen: f32,
    missed: f32,
}

/// Detection runs in two frames of different sizes.
#[derive(Debug, Clone, Default)]
struct Tally {
    people: Vec<Person>,
    runs: u32,
}

impl Tally {
    /// Takes the people seen in the larger input, and whether the smaller one showed each of them. Somebody walks who has
    /// gone `way` body heights.
    fn add(&mut self, people: &[(TrackId, BBox, bool)], way: f32) {
        self.runs += 1;
        for (track, bbox, shown) in people {
            let index = self.people.iter().position(|person| person.track == *track).unwrap_or_else(|| {
                let first = bbox.center();
                self.people.push(Person { track: *track, first, walks: false, seen: 0.0, missed: 0.0 });
                self.people.len() - 1
            });
            let person = &mut self.people[index];
            person.seen += 1.0;
            person.missed += if *shown { 0.0 } else { 1.0 };
            person.walks |= person.first.distance(bbox.center()) > way * bbox.h;
        }
    }

    /// Sightings of people who walk, and of those among them that the smaller input loses.
    fn sums(&self) -> (f32, f32) {
        let walking = self.people.iter().filter(|person| person.walks);
        walking.fold((0.0, 0.0), |(seen, lost), person| {
            let is_lost = 2.0 * person.missed > person.seen;
            (seen + person.seen, lost + if is_lost { person.seen } else { 0.0 })
        })
    }
}

/// A larger size being tried out.
#[derive(Debug, Clone, Default)]
struct Trial {
    tally: Tally,
    bursts: u32,
    /// Detection runs of this burst so far; `None` between two bursts.
    runs: Option<u32>,
    /// When the last burst ended.
    ended: f64,
}

/// Finds the size that pays for one source.
#[derive(Debug, Clone)]
pub struct Payoff {
    params: CadenceParams,
    /// Share of the walkers at each level that the one below it loses, for the levels in use; the first needs none.
    gains: Vec<f32>,
    /// Of the level after those.
    trial: Option<Trial>,
    /// The level in use beside the one below it.
    check: Tally,
    /// Detection runs since that was done last.
    unchecked: f32,
    /// What trials may still cost, in detection runs of the usual size.
    allowance: f32,
    /// Least share of the usual work that could be done lately, and since when.
    strained: (f64, f64),
}

impl Payoff {
    /// Before anything was tried.
    #[must_use]
    pub fn new(params: CadenceParams) -> Self {
        let (gains, check) = (Vec::new(), Tally::default());
        let (unchecked, allowance, strained) = (0.0, 0.0, (1.0, f64::NEG_INFINITY));
        let mut payoff = Self { params, gains, trial: None, check, unchecked, allowance, strained };
        payoff.allowance = params.payoff_first * payoff.cost_of_burst();
        payoff
    }

    /// The same for a source that is reopened: what was found out stays, what was under way begins again.
    pub fn restart(&mut self) {
        (self.trial, self.check, self.unchecked) = (None, Tally::default(), 0.0);
        self.strained.1 = f64::NEG_INFINITY;
    }

    /// Share (0..=1) of the walkers that each size lost and the next larger one did not, for the sizes that are too small.
    #[must_use]
    pub fn gains(&self) -> &[f32] {
        &self.gains
    }

    /// Goes on from [`Self::gains`]; what is no share ends them.
    pub fn set_gains(&mut self, gains: &[f32]) {
        let known = gains.iter().take(LEVELS.len() - 1).take_while(|gain| (0.0..=1.0).contains(*gain));
        self.gains = known.copied().collect();
    }

    /// Times the usual width and height that pays in the frame at `time`, where this share (0..=1) of the usual work can be
    /// done: under overload and for a while after it, only where it pays more.
    pub fn level(&mut self, time: f64, share: f64) -> f32 {
        let (least, since) = self.strained;
        if share <= least || time < since || time - since > self.params.payoff_calm {
            self.strained = (share, time);
        }
        let share = self.strained.0.clamp(0.01, 1.0) as f32;
        let worth = |(index, gain): &(usize, &f32)| share >= 1.0 || **gain >= self.needed(*index) / share;
        LEVELS[self.gains.iter().enumerate().take_while(worth).count()]
    }

    /// The size that is tried in the next frames, if any is. In the last frame at `time` there was `somebody` or nobody, a
    /// larger input than the one in use `may_gain`, and the stream allows for `largest` times the usual size.
    pub fn tried(&mut self, time: f64, somebody: bool, may_gain: bool, largest: f32) -> Option<f32> {
        let next = LEVELS.get(self.gains.len() + 1).copied().filter(|level| *level <= largest);
        let may = somebody && self.strained.0 >= 1.0;
        let begins = may && may_gain && self.allowance >= self.cost_of_burst();
        match (&mut self.trial, next) {
            (_, None) => self.trial = None,
            (Some(Trial { runs: runs @ Some(_), ended, .. }), _) if !may => (*runs, *ended) = (None, time),
            (Some(Trial { runs: runs @ None, ended, .. }), _)
                if begins && (time - *ended).abs() >= self.params.payoff_pause =>
            {
                *runs = Some(0);
            }
            (None, _) if begins => self.trial = Some(Trial { runs: Some(0), ..Trial::default() }),
            _ => {}
        }
        self.trial.as_ref().and_then(|trial| trial.runs).and(next)
    }

    /// Times the usual size of the smaller input, where it is time to run it beside the one in use.
    #[must_use]
    pub fn checked(&self) -> Option<f32> {
        let smaller = LEVELS[self.gains.len().checked_sub(1)?];
        let cost = (smaller / LEVELS[self.gains.len()]).powi(2);
        (self.unchecked * self.params.payoff_cost >= cost).then_some(smaller)
    }

    /// A detection run covered frames of this area, in those of the usual size.
    pub fn ran(&mut self, area: f32) {
        self.allowance += self.params.payoff_cost * area;
        self.unchecked += 1.0;
    }

    /// A detection run was made at `time` in two frames. In the larger one it leaves these `tracks`, and only those
    /// `near` a line count; in the smaller one it would have found `smaller`, high-confidence from a score of `confidence`.
    pub fn compared(
        &mut self,
        time: f64,
        tracks: &[Track],
        smaller: &[Detection],
        confidence: f32,
        near: impl Fn(&BBox) -> bool,
    ) {
        let mut people = shown(tracks, smaller, confidence);
        people.retain(|(_, bbox, _)| near(bbox));
        let cost = LEVELS.get(self.gains.len() + 1).map_or(0.0, |level| level.powi(2));
        match &mut self.trial {
            Some(Trial { tally, bursts, runs: Some(runs), ended }) => {
                *runs += 1;
                self.allowance -= cost;
                tally.add(&people, self.params.payoff_way);
                if *runs >= self.params.payoff_runs {
                    (*bursts, *ended) = (*bursts + 1, time);
                    self.decide();
                }
            }
            _ => self.check(&people),
        }
    }

    fn check(&mut self, people: &[(TrackId, BBox, bool)]) {
        self.unchecked = 0.0;
        self.check.add(people, self.params.payoff_way);
        let (seen, lost) = self.check.sums();
        if self.check.runs < self.params.payoff_runs || seen < self.params.payoff_seen {
            return;
        }
        self.check = Tally::default();
        let share = lost / seen;
        match self.gains.last_mut() {
            Some(gain) if share >= self.params.payoff_keep => *gain = share,
            _ => drop(self.gains.pop()),
        }
    }

    /// A burst has ended: decides the trial, if it has seen enough.
    fn decide(&mut self) {
        let needed = self.needed(self.gains.len());
        let Some(trial) = &mut self.trial else { return };
        trial.runs = None;
        let (seen, lost) = trial.tally.sums();
        let share = lost / seen.max(1.0);
        if lost >= self.params.payoff_lost && share >= needed {
            self.gains.push(share);
            (self.trial, self.check) = (None, Tally::default());
            // The next larger one may pay as well.
            self.allowance = self.params.payoff_first * self.cost_of_burst();
        } else if lost + 2.0 * (lost + 1.0).sqrt() < needed * seen
            || trial.bursts >= self.params.payoff_bursts
        {
            self.trial = None;
            self.allowance = self.allowance.min(0.0);
        }
    }

    /// Share of the walkers that the size after this one must show and this one lose: what it costs more decides.
    fn needed(&self, level: usize) -> f32 {
        let costs =
            |level: usize| LEVELS.get(level + 1).map_or(1.0, |next| next.powi(2) - LEVELS[level].powi(2));
        self.params.payoff_gain * costs(level) / costs(0)
    }

    /// In detection runs of the usual size.
    fn cost_of_burst(&self) -> f32 {
        let level = LEVELS.get(self.gains.len() + 1).copied().unwrap_or_default();
        self.params.payoff_runs as f32 * level.powi(2)
    }
}

/// Those of the `tracks` who are seen, where, and whether one of the high-confidence boxes among `smaller` shows them; each box shows
/// one person.
fn shown(tracks: &[Track], smaller: &[Detection], confidence: f32) -> Vec<(TrackId, BBox, bool)> {
    let high_confidence = smaller.iter().filter(|found| found.score >= confidence);
    let mut free: Vec<&BBox> = high_confidence.map(|found| &found.bbox).collect();
    let mut people = Vec::new();
    for Track { id, bbox, .. } in tracks.iter().filter(|track| track.confirmed && track.seen) {
        let shows = |other: &BBox| 2.0 * other.intersection(bbox) > other.area().min(bbox.area());
        let best = (0..free.len())
            .filter(|index| shows(free[*index]))
            .max_by(|a, b| free[*a].iou(bbox).total_cmp(&free[*b].iou(bbox)));
        people.push((*id, *bbox, best.is_some()));
        best.map(|index| free.swap_remove(index));
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: CadenceParams = CadenceParams::DEFAULT;
    const CONFIDENCE: f32 = 0.4;

    /// Eight people side by side who walk down the frame.
    fn people(run: u32) -> Vec<Track> {
        (0..8)
            .map(|i: u32| {
                let bbox = BBox::new(0.2 * i as f32, 0.005 * run as f32, 0.05, 0.15);
                Track {
                    id: u64::from(i) + 1,
                    bbox,
                    score: 0.6,
                    confirmed: true,
                    seen: true,
                    from_flow: false,
                }
            })
            .collect()
    }

    /// A source whose usual frames show the first `shown` of them, and larger ones all.
    struct Scene {
        payoff: Payoff,
        shown: usize,
        runs: u32,
        /// Detection runs in two frames.
        compared: u32,
        /// Of all detection runs, in those of the usual size.
        cost: f32,
    }

    impl Scene {
        fn new(shown: usize) -> Self {
            Self { payoff: Payoff::new(PARAMS), shown, runs: 0, compared: 0, cost: 0.0 }
        }

        /// So many detection runs, five a second, in each of which the larger input may gain something; the size in use
        /// after them.
        fn run(&mut self, runs: u32, share: f64) -> f32 {
            for _ in 0..runs {
                self.runs += 1;
                let time = f64::from(self.runs) / 5.0;
                let level = self.payoff.level(time, share);
                let trying = self.payoff.tried(time, true, true, 2.0);
                let tracks = people(self.runs);
                let pair = trying.map(|larger| (larger, level));
                let pair = pair.or_else(|| self.payoff.checked().map(|smaller| (level, smaller)));
                self.payoff.ran(level.powi(2));
                self.cost += level.powi(2);
                let Some((larger, smaller)) = pair else { continue };
                self.compared += 1;
                self.cost += larger.powi(2) + smaller.powi(2) - level.powi(2);
                let boxes = tracks.iter().take(self.shown).map(|track| track.bbox);
                let boxes: Vec<_> = boxes.map(|bbox| Detection { bbox, score: 0.5 }).collect();
                self.payoff.compared(time, &tracks, &boxes, CONFIDENCE, |_| true);
            }
            self.payoff.level(f64::from(self.runs) / 5.0, share)
        }
    }

    #[test]
    fn a_larger_input_is_used_where_it_finds_walkers_that_the_default_one_loses() {
        let mut scene = Scene::new(5);
        assert_eq!(scene.run(100, 1.0), 2.0);
        assert!((scene.payoff.gains()[0] - 3.0 / 8.0).abs() < 0.01, "{:?}", scene.payoff.gains());
        assert_eq!(Scene::new(8).run(100, 1.0), 1.0);
    }

    #[test]
    fn only_tracked_people_who_walk_count_for_a_larger_input() {
        for change in [|track: &mut Track| track.seen = false, |track: &mut Track| track.bbox.y = 0.5] {
            let mut payoff = Payoff::new(PARAMS);
            for run in 0..100 {
                let time = f64::from(run) / 5.0;
                let mut tracks = people(run);
                tracks.iter_mut().for_each(change);
                if payoff.tried(time, true, true, 2.0).is_some() {
                    payoff.compared(time, &tracks, &[], CONFIDENCE, |_| true);
                }
            }
            assert_eq!(payoff.level(20.0, 1.0), 1.0);
        }
    }

    #[test]
    fn people_far_from_every_line_make_no_larger_input_pay() {
        let level = |near: fn(&BBox) -> bool| {
            let mut payoff = Payoff::new(PARAMS);
            for run in 0..100 {
                let (time, tracks) = (f64::from(run) / 5.0, people(run));
                let boxes = tracks[..4].iter().map(|track| Detection { bbox: track.bbox, score: 0.5 });
                if payoff.tried(time, true, true, 2.0).is_some() {
                    payoff.compared(time, &tracks, &boxes.collect::<Vec<_>>(), CONFIDENCE, near);
                }
            }
            payoff.level(20.0, 1.0)
        };
        assert_eq!(level(|bbox| bbox.x < 0.7), 1.0, "those that the default one shows");
        assert_eq!(level(|bbox| bbox.x > 0.7), 2.0, "those that it does not");
    }

    #[test]
    fn unproductive_trials_and_checks_cost_a_bounded_share() {
        for shown in [8, 5] {
            let mut scene = Scene::new(shown);
            let level = scene.run(20_000, 1.0);
            let without = 20_000.0 * level.powi(2);
            assert!(scene.cost < 1.1 * without, "{shown}: {} against {without}", scene.cost);
            assert!(scene.compared > 100, "it is asked again and again");
        }
    }

    #[test]
    fn it_is_given_up_when_it_shows_nobody_more() {
        let mut scene = Scene::new(5);
        assert_eq!(scene.run(100, 1.0), 2.0);
        scene.shown = 8;
        assert_eq!(scene.run(2000, 1.0), 1.0);
    }

    #[test]
    fn under_overload_only_the_sources_that_gain_most_keep_a_larger_input() {
        let (mut much, mut little) = (Scene::new(1), Scene::new(7));
        assert_eq!((much.run(200, 1.0), little.run(200, 1.0)), (2.0, 2.0));
        assert_eq!((much.run(1, 0.5), little.run(1, 0.5)), (2.0, 1.0));
        assert_eq!(little.run(5, 1.0), 1.0, "not to and fro with every change of the load");
        assert_eq!(little.run(400, 1.0), 2.0);
        let mut busy = Scene::new(1);
        assert_eq!((busy.run(300, 0.7), busy.compared), (1.0, 0));
    }

    #[test]
    fn what_was_found_out_stays_when_the_source_is_reopened() {
        let mut scene = Scene::new(5);
        scene.run(100, 1.0);
        scene.payoff.restart();
        assert_eq!(scene.payoff.level(0.0, 1.0), 2.0);
        let mut next = Payoff::new(PARAMS);
        next.set_gains(scene.payoff.gains());
        assert_eq!(next.level(0.0, 1.0), 2.0);
        for (kept, level) in [(vec![0.3, f32::NAN], 2.0), (vec![-1.0], 1.0), (vec![0.5; 9], 3.0)] {
            next.set_gains(&kept);
            assert_eq!(next.level(0.0, 1.0), level, "{kept:?}");
        }
    }
}
