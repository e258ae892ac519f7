//! What happens to one source's frames: detect, track, count. Owns no thread and knows no other source.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use opencv::core::Mat;
use parking_lot::Mutex;

use self::detect::detect;
pub use self::{
    params::{Params, Setting},
    tracking::Tracking,
};
use crate::{
    cadence::{Choice, Chooser, Conditions, Mode, View, payoff::Payoff},
    calibration::Calibration,
    config::{Cadence, SourceConfig, TrackerChoice},
    count::{CountEvent, Ignored, ZoneStatus, replay::Paths},
    detect::{DetectError, Detector, MOST_ENLARGED, Model},
    geometry::BBox,
    model::{Detection, Direction, EventKind, Learned, LineConfig, LineCounts, Reason, Scene, TrackId},
    source::{Frame, pacer::FrameRequest},
    track::{Track, TrackUpdate},
};

mod detect;
mod params;
mod tracking;

/// Times the stream's own width and height that frames are made for the detector at most.
const MOST_MADE: f32 = 2.0;

/// What belongs to one opening of the source and one shape of its frame.
struct Following {
    chooser: Chooser,
    tracking: Tracking,
    ignored: Ignored,
    aspect: f32,
    time: f64,
    /// Tracks alive after the last update.
    tracks: Vec<Track>,
    /// Times its usual width and height that the detector's input has, and the height in pixels of half of the people in it.
    size: (f32, Option<f32>),
}

/// What is known of a source's scene: it stays when the source is reopened or its lines change.
enum SceneKnowledge {
    /// From this run.
    Now(Box<(Calibration, Payoff)>),
    /// From an earlier one.
    Before(Box<Scene>),
}

/// The working state of one source.
pub struct Pipeline {
    source: Arc<SourceConfig>,
    params: Params,
    model: Option<(Arc<dyn Model>, Box<dyn Detector>)>,
    following: Option<Following>,
    /// Of the scene, while nobody is followed.
    known: Option<SceneKnowledge>,
    lines: Vec<LineCounts>,
    suppressed: BTreeMap<Reason, u64>,
    detections: u64,
    ignored: u64,
    /// Share (0..=1) of the detection rate; below 1 under overload.
    share: f64,
    /// A frame reduced for the detector, kept to save its allocation.
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
    pub detected: bool,
    /// How long that took.
    pub took: Duration,
    /// People it found at the model's confidence.
    pub found: u64,
    /// Which frame is wanted next and how large, where the cadence is automatic.
    pub request: FrameRequest,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            tracks: Vec::new(),
            detected: false,
            took: Duration::ZERO,
            found: 0,
            request: FrameRequest::FIRST,
        }
    }
}

impl Pipeline {
    /// The state before the first frame. `counts` are totals to go on from, by the name of the line.
    #[must_use]
    pub fn new(source: Arc<SourceConfig>, counts: &[LineCounts]) -> Self {
        Self::with_params(source, counts, Params::default())
    }

    /// The same with other constants than those in use.
    #[must_use]
    pub fn with_params(source: Arc<SourceConfig>, counts: &[LineCounts], params: Params) -> Self {
        let lines = named_counts(&source.lines, counts);
        Self {
            source,
            params,
            model: None,
            following: None,
            known: None,
            lines,
            suppressed: BTreeMap::new(),
            detections: 0,
            ignored: 0,
            share: 1.0,
            reduced: Mat::default(),
            paths: Arc::default(),
        }
    }

    /// Detection runs are rarer from now on, to this share (0..=1), as far as that harms no count.
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

    /// Takes one frame: chooses whether, where and at which size to detect, detects, tracks, counts.
    ///
    /// # Errors
    /// When there is no model or its engine fails; the frame is then lost for counting, nothing else is.
    pub fn frame(&mut self, frame: &Frame) -> Result<Step, DetectError> {
        let mut events = Vec::new();
        let aspect = frame.aspect();
        // A source that restarts its clock or changes its shape shows other people in other places.
        if self.following.as_ref().is_some_and(|f| f.aspect != aspect || frame.time < f.time) {
            self.disconnect(&mut events);
        }
        let Some((model, detector)) = &mut self.model else {
            return Err(DetectError::Engine { engine: "detector", problem: "no model was loaded".into() });
        };
        let (name, confidence) = (model.info().name.as_str(), model.info().confidence);
        let conditions = conditions(&self.source, model.as_ref(), frame, self.share);
        let following = self.following.get_or_insert_with(|| {
            let known = self.known.take();
            Following::new(&self.source, aspect, (name, confidence), &self.params, known)
        });
        following.time = frame.time;
        let (choice, request) = following.chooser.choose(frame, &conditions);
        following.size = following.chooser.size(frame.time, &conditions);
        let mut look =
            |view: &View| detect(detector.as_mut(), frame, view, &self.params.cadence, &mut self.reduced);
        let begun = Instant::now();
        let detected = match &choice {
            Choice::Skip => None,
            Choice::Detect(view) => Some((look(view)?, view.clone(), None)),
            Choice::Compare { larger, smaller } => {
                let view = View::Reduced(*larger);
                Some((look(&view)?, view, Some(look(&View::Reduced(*smaller))?)))
            }
        };
        let took = begun.elapsed();
        let mut people = 0;
        let update = match detected {
            None => following.carry(),
            Some((mut found, view, mut smaller)) => {
                let confident = |found: &[Detection]| {
                    found.iter().filter(|found| found.score >= confidence).count() as u64
                };
                let all = confident(&found);
                // First of all: nothing else is to know of what is ignored.
                for found in std::iter::once(&mut found).chain(&mut smaller) {
                    found.retain(|found| !following.ignored.holds(&found.bbox));
                }
                people = confident(&found);
                self.ignored += all - people;
                Some(following.track(found, smaller, &view, (&conditions, confidence), &self.params))
            }
        };
        self.detections += people;
        if let Some(update) = update {
            let counted = following.tracking.count(frame.time, &update);
            self.paths.lock().push(aspect, frame.time, &update);
            following.tracks = update.tracks;
            self.book(counted, &mut events);
        }
        let tracks = self.following.as_ref().map(|f| f.tracks.clone()).unwrap_or_default();
        Ok(Step { events, tracks, detected: choice != Choice::Skip, took, found: people, request })
    }

    /// Releases everything that follows people; what their disappearance decides is counted.
    pub fn disconnect(&mut self, events: &mut Vec<EventKind>) {
        let Some(mut following) = self.following.take() else { return };
        let (ended, counted) = following.tracking.end(following.time);
        self.paths.lock().cut(&ended);
        self.book(counted, events);
        self.known = Some(following.into_known());
    }

    /// Goes on from what an earlier run knew of the scene. To be called before the first frame.
    pub fn resume(&mut self, scene: Scene) {
        self.known = Some(SceneKnowledge::Before(Box::new(scene)));
    }

    /// Forgets what is known of the scene. To be called while nobody is followed.
    pub fn forget_scene(&mut self) {
        self.known = None;
    }

    /// What is known of the scene, once frames have come.
    #[must_use]
    pub fn scene(&self) -> Option<Scene> {
        let (model, _) = self.model.as_ref()?;
        let following = self.following.as_ref()?;
        let calibration = following.tracking.calibration();
        let (scale, _) = following.size;
        let gains = following.chooser.payoff().gains().to_vec();
        let mut learned = Learned { detector: model.info().name.clone(), gains, ..Learned::default() };
        calibration.keep(&mut learned);
        Some(Scene { doubt: calibration.doubt(), heights: calibration.heights(), scale, learned })
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
        self.ignored = 0;
    }

    /// Other counting lines and zones, other regions and heights that are ignored; lines that keep their name keep their counts.
    pub fn set_source(&mut self, source: Arc<SourceConfig>) {
        self.lines = named_counts(&source.lines, &self.lines);
        self.source = source;
        self.known = self.following.take().map(Following::into_known).or(self.known.take());
        self.paths.lock().cut(&[]);
    }

    /// The same lines and zones under other names and limits: whom it follows, it goes on following.
    pub fn set_labels(&mut self, source: Arc<SourceConfig>) {
        self.source = source;
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
        self.following.as_ref().map(|following| following.tracking.zones()).unwrap_or_default()
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

    /// Persons found at the model's confidence who were ignored, summed over all frames.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored
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
    fn new(
        source: &SourceConfig,
        aspect: f32,
        (detector, confidence): (&str, f32),
        params: &Params,
        known: Option<SceneKnowledge>,
    ) -> Self {
        let mut chooser = Chooser::new(&source.lines, &source.zones, aspect, params.cadence);
        let mut tracking = Tracking::new(source, aspect, confidence, params);
        match known {
            Some(SceneKnowledge::Now(known)) => {
                let (calibration, payoff) = *known;
                chooser.resume(payoff);
                tracking.resume(calibration, aspect);
            }
            Some(SceneKnowledge::Before(scene)) => {
                if scene.learned.detector == detector {
                    chooser.resume_gains(&scene.learned.gains);
                }
                tracking.resume_scene(&scene, detector);
            }
            None => {}
        }
        let ignored = Ignored::of(source, aspect);
        Self { chooser, tracking, ignored, aspect, time: 0.0, tracks: Vec::new(), size: (1.0, None) }
    }

    fn into_known(self) -> SceneKnowledge {
        let payoff = self.chooser.payoff().clone();
        SceneKnowledge::Now(Box::new((self.tracking.into_calibration(), payoff)))
    }

    /// The update by tracks that optical flow carried into the frame, if there are any.
    fn carry(&mut self) -> Option<TrackUpdate> {
        let mut people = self.chooser.carried();
        // Somebody who walks into an ignored region is not followed there by optical flow either.
        people.retain(|found| !self.ignored.holds(&found.bbox));
        if people.is_empty() {
            return None;
        }
        let update = self.tracking.carried(self.time, &people);
        self.chooser.moved(self.time, &update.tracks);
        Some(update)
    }

    /// The update that the `detections` in `view` of the frame make. `smaller`: those that a smaller input of it would have
    /// given, where a second run was made beside it.
    fn track(
        &mut self,
        mut detections: Vec<Detection>,
        smaller: Option<Vec<Detection>>,
        view: &View,
        (conditions, confidence): (&Conditions, f32),
        params: &Params,
    ) -> TrackUpdate {
        let smaller = smaller.map(|smaller| {
            let moving = self.chooser.moving(&smaller, conditions);
            self.tracking.weighed(smaller, &moving)
        });
        let moving = self.chooser.moving(&detections, conditions);
        self.tracking.weigh(&mut detections, &moving);
        let areas: Option<Vec<BBox>> = view.areas();
        let mut outside = self.chooser.carried_outside(areas.as_deref());
        // Somebody who walks into an ignored region is not detected there, whatever the run covered.
        outside.retain(|(_, found)| !self.ignored.holds(&found.bbox));
        detections.extend(outside.iter().map(|(_, detection)| detection));
        let carried: Vec<TrackId> = outside.iter().map(|(track, _)| *track).collect();
        let update = self.tracking.detected(self.time, &detections, &carried);
        let low = params.track.low_scores(confidence);
        self.chooser.detected(self.time, &detections, &low, areas.as_deref(), &update.tracks);
        if let Some(smaller) = smaller {
            self.chooser.compared(self.time, &update.tracks, &smaller, confidence);
        }
        self.tracking.judge(self.size.1, self.chooser.light());
        update
    }
}

/// What the choice depends on besides the frame.
fn conditions(source: &SourceConfig, model: &dyn Model, frame: &Frame, share: f64) -> Conditions {
    let mode = match (source.cadence, source.tracker) {
        (Cadence::Auto, TrackerChoice::Centroid) => Mode::Steady,
        (Cadence::Auto, _) if model.needs_steady_rate() => Mode::Steady,
        (Cadence::Auto, _) => Mode::Adaptive,
        _ => Mode::Configured,
    };
    let usual = model.working_size(frame.stream_size.0, frame.stream_size.1);
    // Beyond the stream's own pixels there is nothing to see, but a network finds more in a small frame made larger.
    let largest = (MOST_MADE * frame.stream_size.0 as f32 / usual.0.max(1) as f32).min(MOST_ENLARGED);
    Conditions {
        mode,
        by_motion: model.needs_steady_rate(),
        scales: model.gains_from_reduction(),
        usual,
        largest,
        share,
    }
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
