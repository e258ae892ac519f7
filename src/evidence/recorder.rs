//! One source's pictures and paths, from which the strips of its crossings are put together.
//!
//! What is done here is done by workers, so it is little: a small copy of a frame now and then. A strip is complete when
//! its last picture has come, about a second after the crossing.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    draw::Scene,
    ring::{AFTER, PICTURES, Ring, SPACING, Shot, choose},
    small::Small,
    strip::Facts,
};
use crate::{
    config::EvidenceConfig,
    geometry::BBox,
    model::{LineConfig, TrackId},
    source::Frame,
    track::Track,
};

/// While somebody is there, a picture is taken at least this often, in seconds, also where nothing was detected anew.
const OFTEN: f64 = 0.45;

/// Where somebody was is kept for this long, in seconds ...
const PATH: f64 = 6.0;

/// ... at steps of at least this length.
const STEP: f64 = 0.08;

/// Who has been gone for this long has no path any more, in seconds. Crossings are decided before.
const GONE: f64 = 4.0;

/// A strip waits at most this long for its last picture: the camera may sleep or be gone.
const PATIENCE: Duration = Duration::from_secs(3);

/// Strips of one source that may wait for their pictures. More people cross at once nowhere.
const MOST_PENDING: usize = 16;

/// The pictures of one source.
pub struct Recorder {
    settings: EvidenceConfig,
    ring: Ring,
    paths: BTreeMap<TrackId, Path>,
    pending: Vec<Pending>,
}

/// Where somebody was, and the score of the last sighting.
#[derive(Debug, Default, Clone)]
struct Path {
    points: VecDeque<(f64, BBox)>,
    score: f32,
}

/// A strip that waits for its pictures.
struct Pending {
    facts: Facts,
    line: LineConfig,
    shots: Vec<Arc<Shot>>,
    path: Vec<(f64, BBox)>,
    since: Instant,
}

impl Recorder {
    /// Without a picture.
    #[must_use]
    pub fn new(settings: EvidenceConfig) -> Self {
        Self { settings, ring: Ring::default(), paths: BTreeMap::new(), pending: Vec::new() }
    }

    /// How its strips are kept.
    #[must_use]
    pub fn settings(&self) -> EvidenceConfig {
        self.settings
    }

    /// Takes a frame that was handled, with everybody who is tracked. `looked`: the detector ran, so that its picture is
    /// there already; then it costs a fifth of a millisecond, at most every fifth of a second. Else it may have to be
    /// converted, which is done only while a strip waits for it or nothing was detected for long.
    pub fn frame(&mut self, frame: &Frame, tracks: &[Track], looked: bool) {
        let time = frame.time;
        let newest = self.ring.newest();
        if newest.is_some_and(|newest| time < newest) {
            // The source has started its clock anew.
            self.ring.clear();
            self.paths.clear();
        }
        self.follow(time, tracks);
        let since = newest.map_or(f64::INFINITY, |newest| time - newest);
        let is_due = looked || !self.pending.is_empty() || (since >= OFTEN && !tracks.is_empty());
        if since < SPACING && since >= 0.0 || !is_due {
            return;
        }
        // Evidence is lost where a picture cannot be converted; the frame is counted on all the same.
        let room = self.ring.make_room(time);
        let Ok(picture) = frame.picture.bgr().and_then(|bgr| Small::of(bgr, room)) else { return };
        let people = tracks.iter().map(|track| (track.id, track.bbox)).collect();
        let shot = Arc::new(Shot { time, picture, people });
        for pending in &mut self.pending {
            pending.shots.push(Arc::clone(&shot));
        }
        self.ring.push(shot);
    }

    fn follow(&mut self, time: f64, tracks: &[Track]) {
        for track in tracks {
            let path = self.paths.entry(track.id).or_default();
            if track.seen {
                path.score = track.score;
            }
            if path.points.back().is_some_and(|(at, _)| time - at < STEP) {
                continue;
            }
            path.points.push_back((time, track.bbox));
            while path.points.front().is_some_and(|(at, _)| time - at > PATH) {
                path.points.pop_front();
            }
            for pending in self.pending.iter_mut().filter(|pending| pending.facts.track == track.id) {
                pending.path.push((time, track.bbox));
            }
        }
        self.paths.retain(|_, path| path.points.back().is_some_and(|(at, _)| time - at < GONE));
    }

    /// Takes a crossing that was decided just now, over `line`. Its strip waits for the pictures after it. `false` where
    /// too many wait already.
    #[must_use]
    pub fn note(&mut self, mut facts: Facts, line: &LineConfig, now: Instant) -> bool {
        if self.pending.len() >= MOST_PENDING {
            return false;
        }
        let path = self.paths.get(&facts.track);
        facts.confidence = facts.confidence.or(path.map(|path| path.score));
        self.pending.push(Pending {
            path: path.map(|path| path.points.iter().copied().collect()).unwrap_or_default(),
            shots: self.ring.shots().cloned().collect(),
            facts,
            line: line.clone(),
            since: now,
        });
        true
    }

    /// The strips that are complete when the source stands at `time`, or that have waited for too long by `now`; where
    /// it has `ended`, all. Those of which there is no picture at all are counted beside.
    pub fn complete(&mut self, time: Option<f64>, now: Instant, ended: bool) -> (Vec<Scene>, u64) {
        let is_complete = |pending: &Pending| {
            let last = pending.shots.last().map(|shot| shot.time);
            let wanted = pending.facts.time + AFTER;
            ended
                || last.is_some_and(|last| last >= wanted)
                // Frames come more rarely than pictures are wanted.
                || time.is_some_and(|time| time >= wanted + 2.0 * SPACING)
                || now.saturating_duration_since(pending.since) >= PATIENCE
        };
        let (mut scenes, mut without) = (Vec::new(), 0);
        for at in (0..self.pending.len()).rev() {
            if is_complete(&self.pending[at]) {
                match self.scene(at) {
                    Some(scene) => scenes.insert(0, scene),
                    None => without += 1,
                }
            }
        }
        (scenes, without)
    }

    /// Takes a pending strip out, with its pictures chosen.
    fn scene(&mut self, at: usize) -> Option<Scene> {
        let Pending { facts, line, shots, path, .. } = self.pending.remove(at);
        let times: Vec<f64> = shots.iter().map(|shot| shot.time).collect();
        let chosen: [usize; PICTURES] = choose(&times, facts.time)?;
        let shots = chosen.into_iter().filter_map(|at| shots.get(at).cloned()).collect();
        Some(Scene { facts, line, blur: self.settings.blur, shots, path })
    }
}
