//! What happens to one source's frames: detect, track, count. Owns no thread and knows no other source.

use std::{collections::BTreeMap, sync::Arc};

use opencv::{
    core::{Mat, MatTraitConst as _, Rect, Size},
    imgproc,
};

use parking_lot::Mutex;

use crate::{
    cadence::{
        flow::OpticalFlow,
        gate::MotionGate,
        input_size::InputSize,
        motion::is_in_one,
        rate::Rate,
        region::{Crop, Sizes, crops_around},
        steady::Steady,
    },
    config::{Cadence, LineConfig, SourceConfig, TrackerChoice},
    count::{self, CountEvent, Counter, Direction, Reason, ZoneStatus, replay::Paths},
    detect::{DetectError, Detection, Detector, Model},
    geometry::BBox,
    metrics::stages::{Stage, timed},
    source::{
        Frame,
        pacer::{Activity, Wish},
        picture::Picture,
    },
    store::{EventKind, LineCounts},
    track::{self, Track, TrackId, TrackParams, TrackUpdate, Tracker},
};

/// Seconds without people and movement after which a camera may sleep.
const QUIET: f64 = 5.0;

/// A tracker and a counter that belong to one opening of the source and one shape of its picture.
struct Following {
    tracker: Box<dyn Tracker>,
    counter: Box<dyn Counter>,
    aspect: f32,
    time: f64,
    gate: MotionGate,
    follower: OpticalFlow,
    /// Who was seen by the last look and found again in every picture since, and where he was in the last of them.
    followed: Vec<(Track, BBox)>,
    need: Rate,
    steady: Steady,
    zoom: InputSize,
    /// Since when nobody is there and nothing moves, on the source's clock.
    quiet_since: Option<f64>,
    /// Tracks alive after the last look.
    tracks: Vec<Track>,
}

/// What a look covers of the picture.
enum View {
    Whole,
    /// All of it, reduced to this (width, height).
    Reduced((u32, u32)),
    Parts(Vec<Crop>),
}

/// How the frames to look at are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// Whoever sets a rate gets that rate.
    Configured,
    /// A detector or tracker that needs a steady rate gets one, except while nobody is there and nothing moves.
    Steady,
    /// When there is something to see.
    Adaptive,
}

/// The working state of one source.
pub struct Pipeline {
    source: Arc<SourceConfig>,
    model: Option<(Arc<dyn Model>, Box<dyn Detector>)>,
    following: Option<Following>,
    lines: Vec<LineCounts>,
    suppressed: BTreeMap<Reason, u64>,
    detections: u64,
    /// Share (0..=1) of the rate that is looked at; below 1 under overload.
    share: f64,
    /// A picture reduced for the detector, kept to save its allocation.
    reduced: Mat,
    /// Read by others while lines are drawn; locked for a moment only.
    paths: Arc<Mutex<Paths>>,
}

/// What one frame brought.
#[derive(Debug)]
pub struct Step {
    /// Crossings, counted and suppressed, in the order they happened.
    pub events: Vec<EventKind>,
    /// Live tracks, as of the last look.
    pub tracks: Vec<Track>,
    /// Whether the detector ran.
    pub looked: bool,
    /// Which frame is wanted next and how large, where the cadence is automatic.
    pub wish: Wish,
}

impl Default for Step {
    fn default() -> Self {
        Self { events: Vec::new(), tracks: Vec::new(), looked: false, wish: Wish::FIRST }
    }
}

impl Pipeline {
    /// The state before the first frame. `counts` are totals to go on from, by the name of the line.
    #[must_use]
    pub fn new(source: Arc<SourceConfig>, counts: &[LineCounts]) -> Self {
        let lines = named_counts(&source.lines, counts);
        Self {
            source,
            model: None,
            following: None,
            lines,
            suppressed: BTreeMap::new(),
            detections: 0,
            share: 1.0,
            reduced: Mat::default(),
            paths: Arc::default(),
        }
    }

    /// Looks are rarer from now on, to this share (0..=1), as far as that harms no count.
    pub fn set_share(&mut self, share: f64) {
        self.share = share;
    }

    /// Whether [`Self::set_model`] was called.
    #[must_use]
    pub fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// The detector to use from the next frame on.
    pub fn set_model(&mut self, model: Arc<dyn Model>) {
        let detector = model.detector();
        self.model = Some((model, detector));
    }

    /// Looks at one frame.
    ///
    /// # Errors
    /// When there is no model or its engine fails; the frame is then lost for counting, nothing else is.
    pub fn frame(&mut self, frame: &Frame) -> Result<Step, DetectError> {
        let aspect = frame.aspect();
        let mut events = Vec::new();
        // A source that starts its clock anew or changes its shape shows other people in other places.
        if self.following.as_ref().is_some_and(|f| f.aspect != aspect || frame.time < f.time) {
            self.disconnect(&mut events);
        }
        let Some((model, detector)) = &mut self.model else {
            return Err(DetectError::Engine { engine: "detector", problem: "no model was loaded".into() });
        };
        let confidence = model.info().confidence;
        let choice = match (self.source.cadence, self.source.tracker) {
            (Cadence::Auto, TrackerChoice::Centroid) => Choice::Steady,
            (Cadence::Auto, _) if model.needs_steady_rate() => Choice::Steady,
            (Cadence::Auto, _) => Choice::Adaptive,
            _ => Choice::Configured,
        };
        let following = self.following.get_or_insert_with(|| Following {
            tracker: track::tracker_for(&self.source, aspect, confidence),
            counter: count::counter_for(&self.source, aspect),
            aspect,
            time: frame.time,
            gate: MotionGate::default(),
            follower: OpticalFlow::default(),
            followed: Vec::new(),
            need: Rate::new(&self.source.lines, aspect),
            steady: Steady::default(),
            zoom: InputSize::default(),
            quiet_since: None,
            tracks: Vec::new(),
        });
        following.time = frame.time;
        let ends = choice == Choice::Adaptive && frame.last;
        let due = choice == Choice::Configured
            || timed(Stage::Gate, || following.is_due(choice, frame, self.share))
            || ends;
        let activity = if choice == Choice::Configured { Activity::Unwatched } else { following.activity() };
        let wish = match choice {
            Choice::Adaptive => {
                let usual = model.working_size(frame.stream_size.0, frame.stream_size.1);
                let enlarged = match model.gains_from_reduction() {
                    true => following.zoom.enlarged(usual.1),
                    false => Wish::FIRST.enlarged,
                };
                Wish { interval: following.need.interval(), enlarged, activity }
            }
            _ => Wish { activity, ..Wish::FIRST },
        };
        if !due {
            if let Some(update) = following.follow(frame.time) {
                let counted = timed(Stage::Count, || following.counter.update(frame.time, &update));
                self.paths.lock().push(aspect, frame.time, &update);
                following.tracks.clone_from(&update.tracks);
                self.book(counted, &mut events);
            }
            let tracks = self.following.as_ref().map(|f| f.tracks.clone()).unwrap_or_default();
            return Ok(Step { events, tracks, looked: false, wish });
        }
        let size = frame.picture.size();
        let may_be_less = choice == Choice::Adaptive && !ends && !following.need.is_starting(frame.time);
        let view = match may_be_less && model.gains_from_reduction() {
            true => following.view(frame.time, size),
            false => View::Whole,
        };
        let mut detections = match &view {
            View::Whole => detector.detect(frame)?,
            View::Reduced(size) => {
                let whole = (0, 0, frame.picture.size().0, frame.picture.size().1);
                detect_in(detector.as_mut(), frame, whole, *size, &mut self.reduced)?
            }
            View::Parts(parts) => {
                let mut found = Vec::new();
                for part in parts {
                    let rect = part.within(size);
                    let inside = detect_in(detector.as_mut(), frame, rect, part.size, &mut self.reduced)?;
                    found.extend(part.placed(inside));
                }
                found
            }
        };
        self.detections += detections.iter().filter(|found| found.score >= confidence).count() as u64;
        let shown: Option<Vec<BBox>> = match view {
            View::Parts(parts) => Some(parts.iter().map(Crop::area).collect()),
            _ => None,
        };
        // Those outside of all parts are where they were followed to.
        let outside = |bbox: &BBox| shown.as_deref().is_some_and(|shown| !is_in_one(shown, bbox.center()));
        let others = || following.followed.iter().filter(|(_, bbox)| outside(bbox));
        detections.extend(others().map(|(track, bbox)| Detection { bbox: *bbox, score: track.score }));
        let followed: Vec<TrackId> = others().map(|(track, _)| track.id).collect();
        let mut update = timed(Stage::Track, || following.tracker.update(frame.time, &detections));
        for track in &mut update.tracks {
            track.followed = followed.contains(&track.id);
        }
        let counted = timed(Stage::Count, || following.counter.update(frame.time, &update));
        self.paths.lock().push(aspect, frame.time, &update);
        following.zoom.learn(frame.time, &update.tracks);
        following.need.low_confidence(following.doubted(&detections, confidence));
        timed(Stage::Gate, || following.gate.detected(shown.as_deref()));
        following.need.detected(frame.time, &update.tracks, shown.as_deref());
        let seen = update.tracks.iter().filter(|track| track.confirmed && track.seen);
        following.followed = seen.map(|track| (*track, track.bbox)).collect();
        following.tracks.clone_from(&update.tracks);
        self.book(counted, &mut events);
        Ok(Step { events, tracks: update.tracks, looked: true, wish })
    }

    /// Releases everything that follows people; what their disappearance decides is counted.
    pub fn disconnect(&mut self, events: &mut Vec<EventKind>) {
        let Some(mut following) = self.following.take() else { return };
        let update = TrackUpdate { ended: following.tracker.reset(), ..TrackUpdate::default() };
        self.paths.lock().cut(&update.ended);
        let counted = following.counter.update(following.time, &update);
        self.book(counted, events);
    }

    /// Releases the detector too; the source is over.
    pub fn release(&mut self, events: &mut Vec<EventKind>) {
        self.disconnect(events);
        self.model = None;
    }

    /// Counts back to zero.
    pub fn reset_counts(&mut self) {
        self.lines = named_counts(&self.source.lines, &[]);
        self.suppressed.clear();
        self.detections = 0;
    }

    /// Other counting lines and zones; lines that keep their name keep their counts.
    pub fn set_source(&mut self, source: Arc<SourceConfig>) {
        self.lines = named_counts(&source.lines, &self.lines);
        self.source = source;
        self.following = None;
        self.paths.lock().cut(&[]);
    }

    /// The tracks of the last minutes.
    #[must_use]
    pub fn paths(&self) -> Arc<Mutex<Paths>> {
        Arc::clone(&self.paths)
    }

    /// The configuration in force.
    #[must_use]
    pub fn source(&self) -> &SourceConfig {
        &self.source
    }

    /// Counts of each line.
    #[must_use]
    pub fn lines(&self) -> &[LineCounts] {
        &self.lines
    }

    /// State of each zone.
    #[must_use]
    pub fn zones(&self) -> Vec<ZoneStatus> {
        self.following.as_ref().map(|following| following.counter.zones()).unwrap_or_default()
    }

    /// Crossings seen and not counted.
    #[must_use]
    pub fn suppressed(&self) -> &BTreeMap<Reason, u64> {
        &self.suppressed
    }

    /// Persons found at the model's confidence, summed over all frames.
    #[must_use]
    pub fn detections(&self) -> u64 {
        self.detections
    }

    fn book(&mut self, counted: Vec<CountEvent>, events: &mut Vec<EventKind>) {
        for event in counted {
            let (CountEvent::Crossing(crossing) | CountEvent::Suppressed(crossing, _)) = &event;
            let Some(line) = self.lines.get_mut(crossing.line) else { continue };
            let (name, direction) = (line.name.clone(), crossing.direction);
            let (track, time) = (crossing.track, crossing.time);
            events.push(match event {
                CountEvent::Crossing(crossing) => {
                    match direction {
                        Direction::In => line.total_in += 1,
                        Direction::Out => line.total_out += 1,
                    }
                    EventKind::Crossing { line: name, direction, track, time, confidence: crossing.score }
                }
                CountEvent::Suppressed(_, reason) => {
                    *self.suppressed.entry(reason).or_default() += 1;
                    EventKind::Suppressed { line: name, direction, track, reason, time }
                }
            });
        }
    }
}

impl Following {
    /// What goes on in the frame that was compared last.
    fn activity(&mut self) -> Activity {
        let moves = self.gate.motion().any();
        if moves || !self.tracks.is_empty() {
            self.quiet_since = None;
            return if self.tracks.is_empty() { Activity::Motion } else { Activity::People };
        }
        let since = *self.quiet_since.get_or_insert(self.time);
        if self.time - since >= QUIET { Activity::Nothing } else { Activity::Motion }
    }

    fn is_due(&mut self, choice: Choice, frame: &Frame, share: f64) -> bool {
        self.gate.observe(&frame.picture, frame.time);
        let motion = self.gate.motion();
        match choice {
            Choice::Configured => true,
            Choice::Steady => self.steady.is_due(frame.time, motion.any() || !self.tracks.is_empty()),
            Choice::Adaptive => {
                let boxes: Vec<BBox> = self.followed.iter().map(|(_, bbox)| *bbox).collect();
                let mut moved = self.follower.follow(self.gate.grey(), &boxes).into_iter();
                self.followed.retain_mut(|(_, bbox)| match moved.next().flatten() {
                    Some(moved) => {
                        *bbox = moved;
                        true
                    }
                    None => false,
                });
                let followed = &self.followed;
                self.need.lost(|id| followed.iter().all(|(track, _)| track.id != id));
                self.need.is_due(frame.time, motion, share)
            }
        }
    }

    /// Boxes of the last look that may be somebody who moves.
    fn doubted(&self, detections: &[Detection], confidence: f32) -> Vec<BBox> {
        let doubtful = TrackParams::DEFAULT.doubtful(confidence);
        let doubted = detections.iter().filter(|found| doubtful.contains(&found.score));
        doubted.map(|found| found.bbox).filter(|bbox| self.gate.motion().within(bbox)).collect()
    }

    /// What the look that is due covers of a picture of `size`.
    fn view(&mut self, time: f64, size: (u32, u32)) -> View {
        let Some(reduced) = self.zoom.reduced(time, size, self.need.is_searching()) else {
            return View::Whole;
        };
        let followed: Vec<BBox> = self.followed.iter().map(|(_, bbox)| *bbox).collect();
        let sizes = Sizes { full: size, reduced };
        match self.need.areas().and_then(|areas| crops_around(areas, &followed, sizes)) {
            Some(parts) => View::Parts(parts),
            None if reduced == size => View::Whole,
            None => View::Reduced(reduced),
        }
    }

    /// The update that those make who could be followed to where they are at `time`.
    fn follow(&mut self, time: f64) -> Option<TrackUpdate> {
        let detection = |&(track, bbox): &(Track, BBox)| Detection { bbox, score: track.score };
        let detections: Vec<_> = self.followed.iter().map(detection).collect();
        if detections.is_empty() {
            return None;
        }
        let mut update = timed(Stage::Track, || self.tracker.follow(time, &detections));
        for track in &mut update.tracks {
            track.followed = track.seen;
        }
        self.need.moved(time, &update.tracks);
        self.followed.retain_mut(|followed| {
            let now = update.tracks.iter().find(|track| track.id == followed.0.id && track.seen);
            now.map(|now| *followed = (*now, now.bbox)).is_some()
        });
        Some(update)
    }
}

/// Detects in `rect` (left, top, width, height) of `frame` reduced to `size`; boxes are in heights of it.
/// `buffer` keeps the reduced picture's memory.
fn detect_in(
    detector: &mut dyn Detector,
    frame: &Frame,
    rect: (u32, u32, u32, u32),
    size: (u32, u32),
    buffer: &mut Mat,
) -> Result<Vec<Detection>, DetectError> {
    let rect = Rect::new(rect.0 as i32, rect.1 as i32, rect.2 as i32, rect.3 as i32);
    let wanted = Size::new(size.0 as i32, size.1 as i32);
    // Interpolation passes over no pixel in less than a halving, and is much faster than averaging.
    let method = if 2 * wanted.width > rect.width { imgproc::INTER_LINEAR } else { imgproc::INTER_AREA };
    timed(Stage::Preprocess, || {
        let part = frame.picture.bgr()?.roi(rect)?;
        imgproc::resize(&part, buffer, wanted, 0.0, 0.0, method)
    })
    .map_err(|error| DetectError::Engine { engine: "OpenCV", problem: error.message })?;
    let (width, height) = frame.picture.size();
    let whole = (rect.width, rect.height) == (width as i32, height as i32);
    let stream_size = if whole { frame.stream_size } else { size };
    let reduced = Frame { picture: Picture::ready(std::mem::take(buffer)), stream_size, ..*frame };
    let found = detector.detect(&reduced);
    *buffer = reduced.picture.into_bgr();
    found
}

/// An entry for each line, with the counts of the line of the same name.
fn named_counts(lines: &[LineConfig], counts: &[LineCounts]) -> Vec<LineCounts> {
    lines
        .iter()
        .map(|line| {
            counts.iter().find(|known| known.name == line.name).cloned().unwrap_or_else(|| LineCounts {
                name: line.name.clone(),
                total_in: 0,
                total_out: 0,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
