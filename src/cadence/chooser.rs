//! The cadence of one source: which frames to detect in, where in them and at which size, and which frame is wanted next.

use std::ops::Range;

use super::{
    CadenceParams,
    flow::OpticalFlow,
    gate::MotionGate,
    input_size::InputSize,
    motion::is_in_one,
    rate::Rate,
    region::{Crop, Sizes, crops_around},
    steady::Steady,
};
use crate::{
    geometry::BBox,
    metrics::stages::{Stage, timed},
    model::{Detection, LineConfig, TrackId},
    source::{
        Frame,
        pacer::{Activity, Wish},
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
    /// Whether the detector's cost falls and rises with the size of its input.
    pub scales: bool,
    /// Height in pixels of the frames that the detector is usually given.
    pub usual_height: u32,
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

/// Somebody whom the last detection run found and optical flow did in every frame since.
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
    /// Whether there were any tracks after the last update.
    occupied: bool,
    /// Since when nobody is there and nothing moves, on the source's clock.
    quiet_since: Option<f64>,
}

impl Chooser {
    /// Before the first frame, which is of this `aspect` (width over height).
    #[must_use]
    pub fn new(lines: &[LineConfig], aspect: f32, params: CadenceParams) -> Self {
        Self {
            params,
            gate: MotionGate::new(params),
            flow: OpticalFlow::new(params),
            carried: Vec::new(),
            rate: Rate::new(lines, aspect, params),
            steady: Steady::new(&params),
            input: InputSize::new(params),
            occupied: false,
            quiet_since: None,
        }
    }

    /// What to do with `frame`, and what is wanted of the frames to come.
    pub fn choose(&mut self, frame: &Frame, conditions: &Conditions) -> (Choice, Wish) {
        let Conditions { mode, share, .. } = *conditions;
        // Where a person went who walks at the end of a file is decided by where they are seen last.
        let ends = mode == Mode::Adaptive && frame.last;
        let due = mode == Mode::Configured || timed(Stage::Gate, || self.is_due(mode, frame, share)) || ends;
        let wish = self.wish(frame.time, conditions);
        if !due {
            return (Choice::Skip, wish);
        }
        let reducible =
            mode == Mode::Adaptive && conditions.scales && !ends && !self.rate.is_starting(frame.time);
        let view = if reducible { self.view(frame.time, frame.picture.size()) } else { View::Whole };
        (Choice::Detect(view), wish)
    }

    /// Where optical flow finds everybody whom it has not lost.
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
        self.occupied = !tracks.is_empty();
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
        let unsure = detections.iter().filter(|found| low.contains(&found.score)).map(|found| found.bbox);
        let moving = unsure.filter(|bbox| self.gate.motion().within(bbox)).collect();
        self.rate.low_confidence(moving);
        timed(Stage::Gate, || self.gate.detected(areas));
        self.rate.detected(time, tracks, areas);
        let seen = tracks.iter().filter(|track| track.confirmed && track.seen);
        self.carried = seen.map(|track| Carried { track: *track, bbox: track.bbox }).collect();
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

    /// Finds everybody again in the frame that the gate observed last; those who are not found are carried no more.
    fn carry(&mut self) {
        let boxes: Vec<BBox> = self.carried.iter().map(|carried| carried.bbox).collect();
        let mut moved = self.flow.follow(self.gate.grey(), &boxes).into_iter();
        self.carried.retain_mut(|carried| moved.next().flatten().map(|moved| carried.bbox = moved).is_some());
    }

    fn wish(&mut self, time: f64, conditions: &Conditions) -> Wish {
        if conditions.mode == Mode::Configured {
            return Wish { activity: Activity::Unwatched, ..Wish::FIRST };
        }
        let activity = self.activity(time);
        if conditions.mode == Mode::Steady {
            return Wish { activity, ..Wish::FIRST };
        }
        let enlarged = match conditions.scales {
            true => self.input.enlarged(conditions.usual_height),
            false => Wish::FIRST.enlarged,
        };
        Wish { interval: self.rate.interval(), enlarged, activity }
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

    /// What the detection run that is due covers of a frame of `size`.
    fn view(&mut self, time: f64, size: (u32, u32)) -> View {
        let Some(reduced) = self.input.reduced(time, size, self.rate.is_searching()) else {
            return View::Whole;
        };
        let carried: Vec<BBox> = self.carried.iter().map(|carried| carried.bbox).collect();
        let sizes = Sizes { full: size, reduced };
        let crops = |regions| crops_around(regions, &carried, sizes, &self.params);
        match self.rate.regions().and_then(crops) {
            Some(crops) => View::Crops(crops),
            None if reduced == size => View::Whole,
            None => View::Reduced(reduced),
        }
    }
}

impl Carried {
    fn detection(&self) -> Detection {
        Detection { bbox: self.bbox, score: self.track.score }
    }
}
