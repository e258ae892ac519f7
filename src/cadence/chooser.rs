//! The cadence of one source: which frames to detect in, where in them and at which size, and which frame is wanted next.

use std::ops::Range;

use super::{
    CadenceParams,
    flow::OpticalFlow,
    gate::MotionGate,
    input_size::InputSize,
    low_confidence::Unsure,
    motion::is_in_one,
    payoff::Payoff,
    rate::Rate,
    region::{Crop, Sizes, crops_around},
    steady::Steady,
};
use crate::{
    geometry::BBox,
    metrics::stages::{Stage, timed},
    model::{Detection, LineConfig, TrackId, ZoneConfig},
    source::{
        Frame,
        pacer::{Activity, FrameRequest, enlarged_to},
    },
    track::Track,
};

/// How the frames to detect in are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All that come: a rate is set, and the source keeps to it.
    Configured,
    /// At a steady rate, except while nobody is there and nothing moves.
    Steady,
    /// When there is something to see.
    Adaptive,
}

/// What the choice depends on besides the frame.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    /// How frames are chosen.
    pub mode: Mode,
    /// Whether the detector itself goes by what moves.
    pub by_motion: bool,
    /// Whether the detector's cost falls and rises with the size of its input.
    pub scales: bool,
    /// Width and height in pixels of the frames that the detector is usually given.
    pub usual: (u32, u32),
    /// Times that size which frames may have at most.
    pub largest: f32,
    /// Share (0..=1) of the rate under overload, as far as that harms no count.
    pub share: f64,
}

/// What to do with a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// Nothing: optical flow tells where everybody is.
    Skip,
    /// Detect in this much of it.
    Detect(View),
    /// Detect in all of it at both of these sizes (width, height).
    Compare {
        /// What it shows is tracked.
        larger: (u32, u32),
        /// What it shows is compared with that.
        smaller: (u32, u32),
    },
}

/// What a detection run covers of a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum View {
    /// The frame as it is.
    Whole,
    /// All of it, reduced to this (width, height).
    Reduced((u32, u32)),
    /// Some of it.
    Crops(Vec<Crop>),
}

impl View {
    /// The areas that are covered, in frame heights; `None`: everything.
    #[must_use]
    pub fn areas(&self) -> Option<Vec<BBox>> {
        match self {
            Self::Crops(crops) => Some(crops.iter().map(Crop::area).collect()),
            _ => None,
        }
    }
}

/// A person found by the last detection run and by optical flow in every frame since.
#[derive(Debug, Clone, Copy)]
struct Carried {
    track: Track,
    /// Where, in the last of these frames.
    bbox: BBox,
}

/// Chooses for one opening of one source.
pub struct Chooser {
    params: CadenceParams,
    gate: MotionGate,
    flow: OpticalFlow,
    carried: Vec<Carried>,
    rate: Rate,
    steady: Steady,
    input: InputSize,
    payoff: Payoff,
    /// Times the usual width and height that is tried out now.
    trying: Option<f32>,
    unsure: Unsure,
    /// Whether there were any tracks after the last update, and whether any of them was where a size may pay.
    occupied: bool,
    occupied_near: bool,
    /// Whether that is the whole frame: zones hold people who are near no line.
    everywhere: bool,
    /// Since when nobody is there and nothing moves, on the source's clock.
    quiet_since: Option<f64>,
}

impl Chooser {
    /// Before the first frame, which is of this `aspect` (width over height).
    #[must_use]
    pub fn new(lines: &[LineConfig], zones: &[ZoneConfig], aspect: f32, params: CadenceParams) -> Self {
        Self {
            params,
            gate: MotionGate::new(params),
            flow: OpticalFlow::new(params),
            carried: Vec::new(),
            rate: Rate::new(lines, aspect, params),
            steady: Steady::new(&params),
            input: InputSize::new(params),
            payoff: Payoff::new(params),
            trying: None,
            unsure: Unsure::new(params),
            occupied: false,
            occupied_near: false,
            everywhere: lines.is_empty() || !zones.is_empty(),
            quiet_since: None,
        }
    }

    /// Goes on from what an earlier opening of the source has found out.
    pub fn resume(&mut self, mut payoff: Payoff) {
        payoff.restart();
        self.payoff = payoff;
    }

    /// Goes on from these [`Payoff::gains`] of an earlier run.
    pub fn resume_gains(&mut self, gains: &[f32]) {
        self.payoff.set_gains(gains);
    }

    /// What was found out about the size of the detector's input.
    #[must_use]
    pub const fn payoff(&self) -> &Payoff {
        &self.payoff
    }

    /// Times its usual width and height that the detector's input has, and the height in pixels that half of the people have in
    /// it, once that is known; under `conditions` in the frame at `time`.
    pub fn size(&mut self, time: f64, conditions: &Conditions) -> (f32, Option<f32>) {
        let level = self.payoff.level(time, conditions.share);
        (level, self.input.usual().map(|height| height * conditions.usual.1 as f32 * level))
    }

    /// What to do with `frame`, and what is wanted of the frames to come.
    pub fn choose(&mut self, frame: &Frame, conditions: &Conditions) -> (Choice, FrameRequest) {
        let Conditions { mode, share, .. } = *conditions;
        // Where a person went who walks at the end of a file is decided by where they are seen last.
        let ends = mode == Mode::Adaptive && frame.last;
        let due = timed(Stage::Gate, || self.is_due(mode, frame, share)) || ends;
        let request = self.request(frame.time, conditions);
        if !due {
            return (Choice::Skip, request);
        }
        if mode == Mode::Steady || !conditions.scales {
            return (Choice::Detect(View::Whole), request);
        }
        (self.sized(frame, conditions, ends), request)
    }

    /// What the detection run that is due does with `frame`. `ends`: it is the last one.
    fn sized(&mut self, frame: &Frame, conditions: &Conditions, ends: bool) -> Choice {
        let (full, usual) = (frame.picture.size(), conditions.usual);
        let scaled = |level: f32| {
            let [width, height] = [usual.0, usual.1].map(|side| (side as f32 * level).round() as u32);
            // Rounded as the frame was.
            if width.abs_diff(full.0) <= 1 && height.abs_diff(full.1) <= 1 { full } else { (width, height) }
        };
        let has_pixels = |level: f32| enlarged_to(usual, frame.stream_size, level).0 <= full.0;
        let area = |size: (u32, u32)| size.0 as f32 * size.1 as f32;
        let unit = area(usual).max(1.0);
        let level = self.payoff.level(frame.time, conditions.share);
        let pair = match self.trying {
            Some(larger) => Some((larger, level)),
            None => self.payoff.checked().map(|smaller| (level, smaller)),
        };
        if let Some((larger, smaller)) = pair.filter(|(larger, _)| !ends && has_pixels(*larger)) {
            self.payoff.ran(area(scaled(level)) / unit);
            return Choice::Compare { larger: scaled(larger), smaller: scaled(smaller) };
        }
        let size = scaled(level);
        let is_whole = conditions.mode == Mode::Configured || ends || self.rate.is_starting(frame.time);
        let view = match is_whole {
            true if size == full => View::Whole,
            true => View::Reduced(size),
            false => self.view(frame.time, full, size),
        };
        let covered = match &view {
            View::Whole => area(full),
            View::Reduced(size) => area(*size),
            View::Crops(crops) => crops.iter().map(|crop| area(crop.size)).sum(),
        };
        self.payoff.ran(covered / unit);
        Choice::Detect(view)
    }

    /// After the detection run of a [`Choice::Compare`] there are these `tracks`; in the smaller input it would have found
    /// `smaller`, high-confidence from a score of `confidence`.
    pub fn compared(&mut self, time: f64, tracks: &[Track], smaller: &[Detection], confidence: f32) {
        let near = near(&self.rate, self.everywhere, self.params.payoff_reach);
        self.payoff.compared(time, tracks, smaller, confidence, near);
    }

    /// Mean brightness (0..=255) of the frames of the last minute or so; `None` before the first.
    #[must_use]
    pub const fn light(&self) -> Option<f32> {
        self.gate.light()
    }

    /// Share (0..=1) of each of `detections` in which something moves in the last frame; 0 of those of a detector that goes by
    /// it anyway.
    #[must_use]
    pub fn moving(&self, detections: &[Detection], conditions: &Conditions) -> Vec<f32> {
        let share = |found: &Detection| self.gate.motion().share(&found.bbox);
        detections.iter().map(|found| if conditions.by_motion { 0.0 } else { share(found) }).collect()
    }

    /// Where optical flow finds every person it has not lost.
    #[must_use]
    pub fn carried(&self) -> Vec<Detection> {
        self.carried.iter().map(Carried::detection).collect()
    }

    /// Those of [`Self::carried`] who are outside of all `areas` (frame heights; `None`: everything is inside), with their
    /// tracks.
    #[must_use]
    pub fn carried_outside(&self, areas: Option<&[BBox]>) -> Vec<(TrackId, Detection)> {
        let outside = |bbox: &BBox| areas.is_some_and(|areas| !is_in_one(areas, bbox.center()));
        let others = self.carried.iter().filter(|carried| outside(&carried.bbox));
        others.map(|carried| (carried.track.id, carried.detection())).collect()
    }

    /// The tracker was told of [`Self::carried`] in the frame at `time`, and these `tracks` are alive.
    pub fn moved(&mut self, time: f64, tracks: &[Track]) {
        self.rate.moved(time, tracks);
        self.carried.retain_mut(|carried| {
            let now = tracks.iter().find(|track| track.id == carried.track.id && track.seen);
            now.map(|now| *carried = Carried { track: *now, bbox: now.bbox }).is_some()
        });
        self.occupy(tracks);
    }

    /// The detector found `detections` in these `areas` of the frame at `time` (frame heights; `None`: all of it), of which
    /// those with a score in `low` are of low confidence, and these `tracks` are alive.
    pub fn detected(
        &mut self,
        time: f64,
        detections: &[Detection],
        low: &Range<f32>,
        areas: Option<&[BBox]>,
        tracks: &[Track],
    ) {
        self.input.learn(time, tracks);
        let near = near(&self.rate, self.everywhere, self.params.payoff_reach);
        self.unsure.learn(time, detections, low, tracks, near);
        let unsure = detections.iter().filter(|found| low.contains(&found.score)).map(|found| found.bbox);
        let moving = unsure.filter(|bbox| self.gate.motion().within(bbox)).collect();
        self.rate.low_confidence(moving);
        timed(Stage::Gate, || self.gate.detected(areas));
        self.rate.detected(time, tracks, areas);
        let seen = tracks.iter().filter(|track| track.confirmed && track.seen);
        self.carried = seen.map(|track| Carried { track: *track, bbox: track.bbox }).collect();
        self.occupy(tracks);
    }

    fn occupy(&mut self, tracks: &[Track]) {
        let near = near(&self.rate, self.everywhere, self.params.payoff_reach);
        self.occupied_near = tracks.iter().any(|track| near(&track.bbox));
        self.occupied = !tracks.is_empty();
    }

    fn is_due(&mut self, mode: Mode, frame: &Frame, share: f64) -> bool {
        self.gate.observe(&frame.picture, frame.time);
        match mode {
            Mode::Configured => true,
            Mode::Steady => self.steady.is_due(frame.time, self.gate.motion().any() || self.occupied),
            Mode::Adaptive => {
                self.carry();
                let carried = &self.carried;
                self.rate.lost(|id| carried.iter().all(|carried| carried.track.id != id));
                self.rate.is_due(frame.time, self.gate.motion(), share)
            }
        }
    }

    /// Finds all tracks again by optical flow in the frame that the gate observed last; those not found are no longer carried.
    fn carry(&mut self) {
        let boxes: Vec<BBox> = self.carried.iter().map(|carried| carried.bbox).collect();
        let mut moved = self.flow.follow(self.gate.gray(), &boxes).into_iter();
        self.carried.retain_mut(|carried| moved.next().flatten().map(|moved| carried.bbox = moved).is_some());
    }

    fn request(&mut self, time: f64, conditions: &Conditions) -> FrameRequest {
        let larger = conditions.scales && conditions.mode != Mode::Steady;
        let enlarged = if larger { self.enlarged(time, conditions) } else { FrameRequest::FIRST.enlarged };
        match conditions.mode {
            Mode::Configured => {
                FrameRequest { activity: Activity::Unwatched, enlarged, ..FrameRequest::FIRST }
            }
            Mode::Steady => FrameRequest { activity: self.activity(time), ..FrameRequest::FIRST },
            Mode::Adaptive => {
                FrameRequest { activity: self.activity(time), interval: self.rate.interval(), enlarged }
            }
        }
    }

    /// Times the usual width and height that the frames after the one at `time` should have.
    fn enlarged(&mut self, time: f64, conditions: &Conditions) -> f32 {
        let (level, usual) = self.size(time, conditions);
        self.unsure.at(level);
        let are_small = usual.is_some_and(|height| height < self.params.payoff_small);
        let may_gain = are_small || self.unsure.suspects();
        self.trying = self.payoff.tried(
            time,
            self.occupied_near || self.unsure.shows_somebody(),
            may_gain,
            conditions.largest,
        );
        self.trying.unwrap_or(level)
    }

    /// What goes on in the frame at `time`, which was compared last.
    fn activity(&mut self, time: f64) -> Activity {
        if self.gate.motion().any() || self.occupied {
            self.quiet_since = None;
            return if self.occupied { Activity::People } else { Activity::Motion };
        }
        let since = *self.quiet_since.get_or_insert(time);
        if time - since >= self.params.gate_quiet { Activity::Nothing } else { Activity::Motion }
    }

    /// What the detection run that is due covers of a frame of `full` pixels at the input size `size`.
    fn view(&mut self, time: f64, full: (u32, u32), size: (u32, u32)) -> View {
        let whole = if size == full { View::Whole } else { View::Reduced(size) };
        let Some(reduced) = self.input.reduced(time, size, self.rate.is_searching()) else { return whole };
        let carried: Vec<BBox> = self.carried.iter().map(|carried| carried.bbox).collect();
        let crops = |regions| crops_around(regions, &carried, Sizes { full: size, reduced }, &self.params);
        match self.rate.regions().and_then(crops) {
            Some(crops) => View::Crops(crops),
            None if reduced == size => whole,
            None => View::Reduced(reduced),
        }
    }
}

/// Whether somebody in a box is where a larger input may pay: within `reach` body heights of a line, or `everywhere`.
fn near(rate: &Rate, everywhere: bool, reach: f32) -> impl Fn(&BBox) -> bool + '_ {
    move |bbox| everywhere || rate.is_near_line(bbox, reach)
}

impl Carried {
    fn detection(&self) -> Detection {
        Detection { bbox: self.bbox, score: self.track.score }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Anchor;

    #[test]
    fn a_larger_input_may_pay_where_people_are_near_a_line_or_where_zones_hold_them() {
        let person = |y: f32| {
            let bbox = BBox::new(0.5, y, 0.1, 0.2);
            Track { id: 1, bbox, score: 0.6, confirmed: true, seen: true, from_flow: false }
        };
        let points = vec![[0.0, 0.0], [1.0, 0.0], [1.0, 0.3]];
        let zone = ZoneConfig { name: "till".into(), points, anchor: Anchor::Center, threshold: None };
        let is_near = |lines: &[LineConfig], zones: &[ZoneConfig], y: f32| {
            let mut chooser = Chooser::new(lines, zones, 1.5, CadenceParams::DEFAULT);
            chooser.moved(0.0, &[person(y)]);
            chooser.occupied_near
        };
        let lines = [LineConfig::default()];
        assert!(is_near(&lines, &[], 0.5));
        assert!(!is_near(&lines, &[], 0.0), "two body heights above it");
        assert!(is_near(&lines, &[zone], 0.0));
        assert!(is_near(&[], &[], 0.0));
    }
}
