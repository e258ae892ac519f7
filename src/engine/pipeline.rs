//! What happens to one source's frames: detect, track, count. Owns no thread and knows no other source.

use std::{collections::BTreeMap, sync::Arc};

use super::gate::Gate;
use crate::{
    config::{Cadence, LineConfig, SourceConfig},
    count::{self, CountEvent, Counter, Direction, Reason, ZoneStatus},
    detect::{DetectError, Detector, Model},
    metrics::stages::{Stage, timed},
    source::Frame,
    store::{EventKind, LineCounts},
    track::{self, Track, TrackUpdate, Tracker},
};

/// A tracker and a counter that belong to one opening of the source and one shape of its picture.
struct Following {
    tracker: Box<dyn Tracker>,
    counter: Box<dyn Counter>,
    aspect: f32,
    time: f64,
    gate: Gate,
    /// Tracks alive after the last update; somebody may be there who does not move.
    followed: usize,
}

/// The working state of one source.
pub struct Pipeline {
    source: Arc<SourceConfig>,
    model: Option<(Arc<dyn Model>, Box<dyn Detector>)>,
    following: Option<Following>,
    lines: Vec<LineCounts>,
    suppressed: BTreeMap<Reason, u64>,
    detections: u64,
}

/// What one frame brought.
#[derive(Debug, Default)]
pub struct Step {
    /// Crossings, counted and suppressed, in the order they happened.
    pub events: Vec<EventKind>,
    /// Live tracks after the frame.
    pub tracks: Vec<Track>,
    /// Whether the detector ran; it rests while nothing moves and nobody is followed.
    pub looked: bool,
}

impl Pipeline {
    /// The state before the first frame. `counts` are totals to go on from, by the name of the line.
    #[must_use]
    pub fn new(source: Arc<SourceConfig>, counts: &[LineCounts]) -> Self {
        let lines = named_counts(&source.lines, counts);
        Self { source, model: None, following: None, lines, suppressed: BTreeMap::new(), detections: 0 }
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
        let following = self.following.get_or_insert_with(|| Following {
            tracker: track::tracker_for(&self.source, aspect, confidence),
            counter: count::counter_for(&self.source, aspect),
            aspect,
            time: frame.time,
            gate: Gate::default(),
            followed: 0,
        });
        following.time = frame.time;
        // Whoever sets a rate wants that rate.
        let gated = self.source.cadence == Cadence::Auto;
        let moving = !gated || timed(Stage::Gate, || following.gate.open(&frame.image, frame.time));
        if !moving && following.followed == 0 {
            return Ok(Step { events, looked: false, ..Step::default() });
        }
        let detections = timed(Stage::Detect, || detector.detect(frame))?;
        self.detections += detections.iter().filter(|found| found.score >= confidence).count() as u64;
        let update = timed(Stage::Track, || following.tracker.update(frame.time, &detections));
        let counted = timed(Stage::Count, || following.counter.update(frame.time, &update));
        following.followed = update.tracks.len();
        let tracks = update.tracks;
        self.book(counted, &mut events);
        Ok(Step { events, tracks, looked: true })
    }

    /// Releases everything that follows people; what their disappearance decides is counted.
    pub fn disconnect(&mut self, events: &mut Vec<EventKind>) {
        let Some(mut following) = self.following.take() else { return };
        let update = TrackUpdate { tracks: Vec::new(), ended: following.tracker.reset() };
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

    /// Other counting lines; lines that keep their name keep their counts.
    pub fn set_source(&mut self, source: Arc<SourceConfig>) {
        self.lines = named_counts(&source.lines, &self.lines);
        self.source = source;
        self.following = None;
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
