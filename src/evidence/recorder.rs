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
    ring::{AFTER, BEFORE, PICTURES, Ring, RingFrame, SPACING, choose},
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

/// While somebody is there, a picture is taken at least this often, in seconds, also where there was no new detection run.
const OFTEN: f64 = 0.45;

/// Least time between two pictures after a crossing, in seconds.
const APART: f64 = 0.35;

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
    shots: Vec<Arc<RingFrame>>,
    path: Vec<(f64, BBox)>,
    since: Instant,
}

/// Those of the pictures so far that a strip of a crossing at `time` may need: some before it, all after it. The others may
/// go meanwhile.
fn needed<'a>(shots: impl Iterator<Item = &'a Arc<RingFrame>> + Clone, time: f64) -> Vec<Arc<RingFrame>> {
    let nearest = |wanted: f64| {
        let far = |shot: &&Arc<RingFrame>| (shot.time - wanted).abs();
        shots.clone().min_by(|a, b| far(a).total_cmp(&far(b))).map(|shot| shot.time)
    };
    let kept = BEFORE.map(|offset| nearest(time + offset));
    shots.filter(|shot| shot.time >= time || kept.contains(&Some(shot.time))).cloned().collect()
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
            // The source has started its clock again.
            self.ring.clear();
            self.paths.clear();
        }
        self.follow(time, tracks);
        let since = newest.map_or(f64::INFINITY, |newest| time - newest);
        let is_due = looked || !self.pending.is_empty() || (since >= OFTEN && !tracks.is_empty());
        if (0.0..SPACING).contains(&since) || !is_due {
            return;
        }
        // Evidence is lost where a picture cannot be converted; the frame is counted on all the same.
        let room = self.ring.make_room(time);
        let Ok(picture) = frame.picture.bgr().and_then(|bgr| Small::of(bgr, room)) else { return };
        let people = tracks.iter().map(|track| (track.id, track.bbox)).collect();
        let shot = Arc::new(RingFrame { time, picture, people });
        for pending in &mut self.pending {
            // What lies closer together would only be held in memory for nothing.
            if pending
                .shots
                .last()
                .is_none_or(|last| last.time < pending.facts.time || time - last.time >= APART)
            {
                pending.shots.push(Arc::clone(&shot));
            }
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
            shots: needed(self.ring.shots(), facts.time),
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

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Mat, Scalar};

    use super::*;
    use crate::{
        model::{Direction, Reason},
        source::image::FrameImage,
    };

    fn frame(time: f64) -> Frame {
        let picture = Mat::new_rows_cols_with_default(90, 160, CV_8UC3, Scalar::all(90.0)).unwrap();
        Frame {
            picture: FrameImage::ready(picture),
            index: 0,
            time,
            captured: Instant::now(),
            stream_size: (160, 90),
            last: false,
        }
    }

    fn walker(time: f64) -> Track {
        let bbox = BBox::new(0.8, 0.1 * time as f32, 0.1, 0.3);
        Track { id: 7, bbox, score: 0.8, confirmed: true, seen: true, from_flow: false }
    }

    fn facts(time: f64) -> Facts {
        Facts {
            source: "gate".into(),
            line: "line_1".into(),
            direction: Direction::In,
            reason: Some(Reason::UTurn),
            confidence: None,
            track: 7,
            wall: 0,
            time,
        }
    }

    /// Pictures of a source with 25 frames a second and somebody in it, from `from` to `to`.
    fn play(recorder: &mut Recorder, from: f64, to: f64) {
        let frames = ((to - from) * 25.0) as u32;
        for number in 0..frames {
            let time = from + f64::from(number) / 25.0;
            recorder.frame(&frame(time), &[walker(time)], true);
        }
    }

    #[test]
    fn a_strip_is_complete_a_second_after_its_crossing_with_pictures_before_and_after() {
        let (mut recorder, now) = (Recorder::new(EvidenceConfig::default()), Instant::now());
        play(&mut recorder, 0.0, 5.0);
        assert!(recorder.note(facts(4.6), &LineConfig::default(), now));
        assert_eq!(recorder.complete(Some(5.0), now, false).0.len(), 0, "nothing was seen after it yet");
        play(&mut recorder, 5.0, 5.8);
        let (scenes, without) = recorder.complete(Some(5.8), now, false);
        let [scene] = scenes.as_slice() else { panic!("{} strips", scenes.len()) };
        let times: Vec<f64> = scene.shots.iter().map(|shot| shot.time).collect();
        assert_eq!((times.len(), without), (PICTURES, 0));
        for (found, wanted) in times.iter().zip([3.7, 4.15, 4.6, 5.05, 5.5]) {
            assert!((found - wanted).abs() < 0.31, "{times:?}");
        }
        assert!(times.windows(2).all(|pair| pair[1] > pair[0]), "{times:?}");
        assert!(
            (scene.facts.confidence.unwrap() - 0.8).abs() < 1e-6,
            "that of the track, where none is told"
        );
        assert!(scene.path.len() > 30 && scene.blur);
    }

    #[test]
    fn a_strip_waits_for_no_picture_that_does_not_come() {
        let (mut recorder, now) = (Recorder::new(EvidenceConfig::default()), Instant::now());
        play(&mut recorder, 0.0, 2.0);
        let line = LineConfig::default();
        assert!(recorder.note(facts(1.9), &line, now));
        assert_eq!(recorder.complete(None, now + PATIENCE / 2, false).0.len(), 0);
        assert_eq!(recorder.complete(None, now + PATIENCE, false).0[0].shots.len(), PICTURES);
        assert!(recorder.note(facts(1.9), &line, now));
        assert_eq!(recorder.complete(None, now, true).0.len(), 1, "the source has ended");
        for number in 0..MOST_PENDING {
            assert!(recorder.note(facts(1.9), &line, now), "{number}");
        }
        assert!(!recorder.note(facts(1.9), &line, now), "and there are not more of them than can be");
    }

    #[test]
    fn a_source_without_any_frame_has_no_strip_and_one_that_restarts_its_clock_no_old_one() {
        let (mut recorder, now) = (Recorder::new(EvidenceConfig::default()), Instant::now());
        assert!(recorder.note(facts(1.0), &LineConfig::default(), now));
        let (scenes, without) = recorder.complete(None, now, true);
        assert_eq!((scenes.len(), without), (0, 1));
        play(&mut recorder, 100.0, 102.0);
        play(&mut recorder, 0.0, 1.0);
        assert!(recorder.ring.shots().all(|shot| shot.time < 2.0));
    }
}
