//! The tracks of the last minutes, kept small, and what other lines and zones would have counted of them.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{CountEvent, CountParams, Counter, Ignored, counter_for};
use crate::{
    config::SourceConfig,
    geometry::{Anchor, BBox, Point},
    model::{Direction, Reason, TrackId},
    track::{Origin, Track, TrackUpdate},
};

/// Tracks are kept for this long, in seconds.
pub const KEPT: f64 = 600.0;

/// Most sightings kept of one source, 16 bytes each: half a MB, ten minutes of seven people at 8 updates a
/// second.
const MOST_SIGHTINGS: usize = 32_768;

/// Most updates kept of one source, 16 bytes each.
const MOST_LOOKS: usize = 16_384;

/// Coordinates are kept as steps of this many to a frame height (an eighth of a pixel at 1080 rows) ...
const STEPS: f32 = 8192.0;

/// ... from this far left of and above the frame, in frame heights.
const BEFORE: f32 = 2.0;

/// A clock that was set back goes on this much later, in seconds.
const AFTER_BREAK: f64 = 1.0;

/// One track in one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
struct RecordedTrack {
    id: u32,
    bbox: [u16; 4],
    score: u8,
    confirmed: bool,
    seen: bool,
    from_flow: bool,
}

/// A [`RecordedTrack`] in JSON: id, box, score, and a bit each for confirmed, seen, followed.
type Packed = (u32, [u16; 4], u8, u8);

impl From<Packed> for RecordedTrack {
    fn from((id, bbox, score, bits): Packed) -> Self {
        Self { id, bbox, score, confirmed: bits & 1 > 0, seen: bits & 2 > 0, from_flow: bits & 4 > 0 }
    }
}

impl From<RecordedTrack> for Packed {
    fn from(RecordedTrack { id, bbox, score, confirmed, seen, from_flow }: RecordedTrack) -> Self {
        let bits = u8::from(confirmed) | u8::from(seen) << 1 | u8::from(from_flow) << 2;
        (id, bbox, score, bits)
    }
}

/// One update of the tracker: its live tracks and then its ended ones are the next sightings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct RecordedUpdate {
    time: f64,
    live: u16,
    ended: u16,
    /// Whether the tracker restarted after it.
    cut: bool,
}

/// The tracks of one source over the last [`KEPT`] seconds, in at most 0.8 MB.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Paths {
    aspect: f32,
    looks: VecDeque<RecordedUpdate>,
    sightings: VecDeque<RecordedTrack>,
    /// Each with the time of its look.
    origins: VecDeque<(f64, Origin)>,
    /// Added to the source's clock, which a camera may restart.
    shift: f64,
    /// Time of the last update, on the shifted clock.
    now: f64,
    /// Time of the first update.
    since: f64,
}

/// What a line would have counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineReplay {
    /// Crossings in.
    pub total_in: u64,
    /// Crossings out.
    pub total_out: u64,
    /// Seen and not counted.
    pub suppressed: BTreeMap<Reason, u64>,
}

/// What a zone would have shown.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ZoneReplay {
    /// Most people inside at once.
    pub most: u64,
    /// Completed stays.
    pub stays: u64,
    /// Their mean, in seconds.
    pub mean_dwell: f64,
}

/// What lines and zones would have counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// Time between first and last update, in seconds.
    pub seconds: f64,
    /// Each line, in the order of the configuration.
    pub lines: Vec<LineReplay>,
    /// Each zone, in the order of the configuration.
    pub zones: Vec<ZoneReplay>,
}

/// Where somebody went, with the newest point last.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackPath {
    /// Who.
    pub id: TrackId,
    /// In frame heights.
    pub points: Vec<Point>,
}

impl Paths {
    /// Width over height of the frame; 0 before the first look.
    #[must_use]
    pub fn aspect(&self) -> f32 {
        self.aspect
    }

    /// How far the tracks reach back, in seconds, at most [`KEPT`].
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (self.now - self.since).clamp(0.0, KEPT)
    }

    /// Rises with every look that brought anything, so that it tells whether there is anything new.
    #[must_use]
    pub fn newest(&self) -> f64 {
        self.looks.back().map_or(0.0, |look| look.time)
    }

    /// When the last look was; `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.looks.back().map(|look| look.time)
    }

    /// What came after the look of this time (see [`Self::last`]); all of it where none is known there.
    #[must_use]
    pub fn after(&self, last: Option<f64>) -> Self {
        // One that lies ahead is of before the frame got another shape.
        let last = last.filter(|last| self.last() >= Some(*last));
        let is_known = |time: f64| last.is_some_and(|last| time <= last);
        let known = self.looks.iter().take_while(|look| is_known(look.time));
        let (mut looks, mut sightings) = (0, 0);
        for look in known {
            looks += 1;
            sightings += usize::from(look.live) + usize::from(look.ended);
        }
        let origins = self.origins.iter().filter(|(time, _)| !is_known(*time));
        Self {
            looks: self.looks.iter().skip(looks).copied().collect(),
            sightings: self.sightings.iter().skip(sightings).copied().collect(),
            origins: origins.copied().collect(),
            ..*self
        }
    }

    /// Takes what [`Self::after`] has given of the source's tracks for [`Self::last`] of these.
    pub fn join(&mut self, newer: Self) {
        let goes_on = newer.aspect == self.aspect
            && newer.now >= self.now
            && newer.looks.front().is_none_or(|look| Some(look.time) > self.last());
        if !goes_on {
            *self = newer;
            return;
        }
        self.looks.extend(newer.looks);
        self.sightings.extend(newer.sightings);
        self.origins.extend(newer.origins);
        (self.shift, self.now, self.since) = (newer.shift, newer.now, newer.since);
        self.forget();
    }

    /// Takes an update of the tracker at `time` seconds on the source's clock.
    pub fn push(&mut self, aspect: f32, time: f64, update: &TrackUpdate) {
        if self.aspect != aspect {
            // Other shape, other places: what was seen before says nothing about it.
            *self = Self { aspect, shift: -time, ..Self::default() };
        }
        let mut at = time + self.shift;
        if at < self.now {
            at = self.now + AFTER_BREAK;
            self.shift = at - time;
        }
        self.now = at;
        self.forget();
        // The first update without people ends stays; further ones change nothing.
        let was_empty = self.looks.back().is_none_or(|look| look.live == 0);
        if was_empty && update.tracks.is_empty() && update.ended.is_empty() {
            return;
        }
        self.keep(at, update, false);
    }

    /// The tracker restarts: the source was opened again, or its lines have changed.
    pub fn cut(&mut self, ended: &[Track]) {
        if self.looks.back().is_some_and(|look| !look.cut) {
            self.keep(self.now, &TrackUpdate { ended: ended.to_vec(), ..TrackUpdate::default() }, true);
        }
    }

    fn keep(&mut self, time: f64, update: &TrackUpdate, cut: bool) {
        let count = |tracks: &[Track]| u16::try_from(tracks.len()).unwrap_or(u16::MAX);
        let (live, ended) = (count(&update.tracks), count(&update.ended));
        self.sightings.extend(update.tracks.iter().take(live.into()).map(pack));
        self.sightings.extend(update.ended.iter().take(ended.into()).map(pack));
        let origins = update.origins.iter();
        self.origins.extend(origins.map(|at| (time, Origin { time: at.time + self.shift, ..*at })));
        self.looks.push_back(RecordedUpdate { time, live, ended, cut });
        self.forget();
    }

    /// Drops what is too old or too much.
    fn forget(&mut self) {
        self.since = self.since.max(self.now - KEPT);
        while let Some(first) = self.looks.front() {
            let too_much = self.looks.len() > MOST_LOOKS || self.sightings.len() > MOST_SIGHTINGS;
            if !too_much && first.time >= self.since {
                break;
            }
            if too_much {
                self.since = self.since.max(first.time);
            }
            self.sightings.drain(..usize::from(first.live) + usize::from(first.ended));
            self.looks.pop_front();
        }
        let oldest = self.looks.front().map_or(f64::INFINITY, |look| look.time);
        while self.origins.front().is_some_and(|(time, _)| *time < oldest) {
            self.origins.pop_front();
        }
    }

    /// Each look with its tracks.
    fn updates(&self) -> impl Iterator<Item = (RecordedUpdate, TrackUpdate)> + '_ {
        let mut sightings = self.sightings.iter();
        let mut origins = self.origins.iter().peekable();
        self.looks.iter().map(move |look| {
            let mut some =
                |count: u16| -> Vec<Track> { sightings.by_ref().take(count.into()).map(unpack).collect() };
            let tracks = some(look.live);
            let ended = some(look.ended);
            let of_this_look = std::iter::from_fn(|| origins.next_if(|(time, _)| *time == look.time));
            let origins = of_this_look.map(|(_, origin)| *origin).collect();
            (*look, TrackUpdate { tracks, ended, origins })
        })
    }

    /// What the lines and zones of `source` would have counted, by the rule that counts; of what was ignored meanwhile nothing is
    /// known.
    #[must_use]
    pub fn replay(&self, source: &SourceConfig) -> Replay {
        let mut replay = Replay {
            seconds: self.seconds(),
            lines: vec![LineReplay::default(); source.lines.len()],
            zones: vec![ZoneReplay::default(); source.zones.len()],
        };
        let mut counter = counter_for(source, self.aspect, &CountParams::DEFAULT);
        let ignored = Ignored::of(source, self.aspect);
        for (look, mut update) in self.updates() {
            update.tracks.retain(|track| !ignored.holds(&track.bbox));
            for event in counter.update(look.time, &update) {
                replay.book(&event);
            }
            for (zone, status) in replay.zones.iter_mut().zip(counter.zones()) {
                zone.most = zone.most.max(status.occupancy);
            }
            if look.cut {
                replay.stays(counter.as_ref());
                counter = counter_for(source, self.aspect, &CountParams::DEFAULT);
            }
        }
        replay.stays(counter.as_ref());
        replay
    }

    /// Where the people of the last look came from in the last `seconds`, by `anchor`.
    #[must_use]
    pub fn track_paths(&self, anchor: Anchor, seconds: f64) -> Vec<TrackPath> {
        let mut track_paths: BTreeMap<TrackId, Vec<Point>> = BTreeMap::new();
        for (look, update) in self.updates() {
            if look.cut {
                track_paths.clear();
            } else if look.time >= self.now - seconds {
                // A track that has ended leaves no path.
                track_paths.retain(|id, _| update.tracks.iter().any(|track| track.id == *id));
                for track in update.tracks.iter().filter(|track| track.confirmed) {
                    track_paths.entry(track.id).or_default().push(anchor.of(&track.bbox));
                }
            }
        }
        track_paths.into_iter().map(|(id, points)| TrackPath { id, points }).collect()
    }

    /// Every place where a confirmed person was seen, by `anchor`, in frame heights.
    pub fn places(&self, anchor: Anchor) -> impl Iterator<Item = Point> + '_ {
        self.updates().flat_map(move |(_, update)| {
            let seen = update.tracks.into_iter().filter(|track| track.confirmed && track.seen);
            seen.map(move |track| anchor.of(&track.bbox)).collect::<Vec<_>>()
        })
    }

    /// Heights of the confirmed people seen, with their feet, in frame heights.
    pub fn heights(&self) -> impl Iterator<Item = (Point, f32)> + '_ {
        self.updates().flat_map(|(_, update)| {
            let seen = update.tracks.into_iter().filter(|track| track.confirmed && track.seen);
            seen.map(|track| (track.bbox.foot(), track.bbox.h)).collect::<Vec<_>>()
        })
    }
}

impl Replay {
    fn book(&mut self, event: &CountEvent) {
        let (CountEvent::Crossing(crossing) | CountEvent::Suppressed(crossing, _)) = event;
        let Some(line) = self.lines.get_mut(crossing.line) else { return };
        match (event, crossing.direction) {
            (CountEvent::Suppressed(_, reason), _) => *line.suppressed.entry(*reason).or_default() += 1,
            (CountEvent::Crossing(_), Direction::In) => line.total_in += 1,
            (CountEvent::Crossing(_), Direction::Out) => line.total_out += 1,
        }
    }

    fn stays(&mut self, counter: &dyn Counter) {
        for (zone, status) in self.zones.iter_mut().zip(counter.zones()) {
            let dwell = zone.mean_dwell * zone.stays as f64 + status.mean_dwell * status.stays as f64;
            zone.stays += status.stays;
            zone.mean_dwell = if zone.stays == 0 { 0.0 } else { dwell / zone.stays as f64 };
        }
    }
}

fn pack(track: &Track) -> RecordedTrack {
    // Both casts saturate: a box far outside of the frame is kept at its border.
    let place = |value: f32| ((value + BEFORE) * STEPS).round() as u16;
    let size = |value: f32| (value * STEPS).round() as u16;
    let b = track.bbox;
    RecordedTrack {
        id: track.id as u32,
        bbox: [place(b.x), place(b.y), size(b.w), size(b.h)],
        score: (track.score * 255.0).round() as u8,
        confirmed: track.confirmed,
        seen: track.seen,
        from_flow: track.from_flow,
    }
}

fn unpack(sighting: &RecordedTrack) -> Track {
    let [x, y, w, h] = sighting.bbox.map(|value| f32::from(value) / STEPS);
    Track {
        id: u64::from(sighting.id),
        bbox: BBox::new(x - BEFORE, y - BEFORE, w, h),
        score: f32::from(sighting.score) / 255.0,
        confirmed: sighting.confirmed,
        seen: sighting.seen,
        from_flow: sighting.from_flow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::SourceSpec,
        model::{LineConfig, SourceKind, ZoneConfig},
    };

    const ASPECT: f32 = 1.5;

    fn track(id: u64, y: f32) -> Track {
        Track {
            id,
            bbox: BBox::new(0.7, y - 0.2, 0.08, 0.2),
            score: 0.8,
            confirmed: true,
            seen: true,
            from_flow: false,
        }
    }

    fn update(tracks: Vec<Track>, ended: Vec<Track>) -> TrackUpdate {
        TrackUpdate { tracks, ended, ..TrackUpdate::default() }
    }

    /// A source with one line at height `y` and a zone below it.
    fn source(y: f32) -> SourceConfig {
        let mut source = SourceConfig::new("a", SourceKind::Camera, SourceSpec::device(0));
        source.lines = vec![LineConfig { name: "l".into(), a: [0.0, y], b: [1.0, y], anchor: Anchor::Foot }];
        source.zones = vec![ZoneConfig {
            name: "z".into(),
            points: vec![[0.0, y], [1.0, y], [1.0, 1.0], [0.0, 1.0]],
            anchor: Anchor::Foot,
            threshold: None,
        }];
        source
    }

    /// Walks a person from the top to `end` over three seconds, beginning at `from`.
    fn walk(paths: &mut Paths, id: u64, from: f64, end: f32) {
        let at = |step: u32| track(id, 0.3 + (end - 0.3) * step as f32 / 30.0);
        for step in 0..=30 {
            paths.push(ASPECT, from + f64::from(step) * 0.1, &update(vec![at(step)], vec![]));
        }
        let gone = Track { seen: false, ..at(30) };
        paths.push(ASPECT, from + 4.0, &update(vec![], vec![gone]));
    }

    #[test]
    fn who_was_in_a_region_that_is_ignored_would_not_have_been_counted() {
        let mut paths = Paths::default();
        walk(&mut paths, 1, 0.0, 0.8);
        let ignoring = |top: f32, bottom: f32| {
            let ignore = vec![vec![[0.0, top], [1.0, top], [1.0, bottom], [0.0, bottom]]];
            paths.replay(&SourceConfig { ignore, ..source(0.5) })
        };
        let none = ignoring(0.4, 1.0);
        assert_eq!((none.lines[0].total_in, none.zones[0].most), (0, 0));
        assert_eq!(ignoring(0.9, 1.0).lines[0].total_in, 1);
    }

    #[test]
    fn where_new_people_were_before_is_kept_with_them() {
        let mut paths = Paths::default();
        for (id, from) in [(1, 100.0), (2, 110.0)] {
            let origin = Origin { track: id, time: from - 0.5, bbox: track(id, 0.4).bbox };
            for step in 0..10 {
                let tracks = vec![track(id, 0.51 + 0.02 * step as f32)];
                let origins = if step == 0 { vec![origin] } else { vec![] };
                let update = TrackUpdate { tracks, origins, ..TrackUpdate::default() };
                paths.push(ASPECT, from + f64::from(step) * 0.2, &update);
            }
            paths.push(ASPECT, from + 5.0, &update(vec![], vec![track(id, 0.7)]));
        }
        assert_eq!(paths.replay(&source(0.5)).lines[0].total_in, 2);
        let newest = 105.0 + KEPT;
        paths.push(ASPECT, newest, &update(vec![track(3, 0.3)], vec![]));
        assert_eq!(paths.replay(&source(0.5)).lines[0].total_in, 1, "the first is forgotten");
        assert_eq!(paths.origins.len(), 1);
    }

    #[test]
    fn tracks_that_travel_in_parts_arrive_whole() {
        let (mut paths, mut far) = (Paths::default(), Paths::default());
        for person in 0..4 {
            walk(&mut paths, person, person as f64 * 10.0, 0.9);
            let part = serde_json::to_string(&paths.after(far.last())).unwrap();
            far.join(serde_json::from_str(&part).unwrap());
            assert_eq!(far, paths);
        }
        // Another shape of the frame: all that was known is gone.
        paths.push(1.0, 50.0, &update(vec![track(9, 0.3)], vec![]));
        far.join(paths.after(far.last()));
        assert_eq!(far, paths);
        assert_eq!(Paths::default().after(Some(5.0)), Paths::default());
    }

    #[test]
    fn another_line_counts_what_it_would_have_counted() {
        let mut paths = Paths::default();
        walk(&mut paths, 1, 0.0, 0.9);
        walk(&mut paths, 2, 10.0, 0.6);
        let high = paths.replay(&source(0.5));
        assert_eq!((high.lines[0].total_in, high.lines[0].total_out), (2, 0));
        let low = paths.replay(&source(0.75));
        assert_eq!(low.lines[0].total_in, 1, "the second stops before it");
        assert_eq!((low.zones[0].most, low.zones[0].stays), (1, 1));
        assert!(low.zones[0].mean_dwell > 0.5, "{low:?}");
        assert!((low.seconds - 14.0).abs() < 1e-6);
        let mut flipped = source(0.5);
        let line = &mut flipped.lines[0];
        std::mem::swap(&mut line.a, &mut line.b);
        assert_eq!(paths.replay(&flipped).lines[0].total_out, 2);
    }

    #[test]
    fn positions_of_optical_flow_settle_no_more_than_they_did_live() {
        for (from_flow, counted) in [(false, 1), (true, 0)] {
            let mut paths = Paths::default();
            let steps = [(0.3, false), (0.52, false), (0.53, from_flow), (0.53, from_flow), (0.3, false)];
            for (step, (y, from_flow)) in steps.into_iter().enumerate() {
                let track = Track { from_flow, ..track(1, y) };
                paths.push(ASPECT, step as f64 * 0.25, &update(vec![track], vec![]));
            }
            assert_eq!(paths.replay(&source(0.48)).lines[0].total_in, counted);
        }
    }

    #[test]
    fn what_is_old_or_too_much_is_forgotten() {
        let mut paths = Paths::default();
        walk(&mut paths, 1, 0.0, 0.9);
        paths.push(ASPECT, KEPT + 100.0, &TrackUpdate::default());
        assert_eq!(paths.replay(&source(0.5)).lines[0].total_in, 0);
        assert!((paths.seconds() - KEPT).abs() < 1e-6);
        for step in 0..40_000 {
            let crowd = (1..=10).map(|id| track(id, 0.5)).collect();
            paths.push(ASPECT, KEPT + 101.0 + f64::from(step) * 0.04, &update(crowd, vec![]));
        }
        assert!(paths.sightings.len() <= MOST_SIGHTINGS && paths.looks.len() <= MOST_LOOKS);
        assert!(paths.seconds() < 200.0, "the time told is the time kept: {}", paths.seconds());
    }

    #[test]
    fn a_clock_that_restarts_loses_nothing_and_ids_are_not_mixed_up() {
        let mut paths = Paths::default();
        walk(&mut paths, 1, 50.0, 0.9);
        paths.cut(&[]);
        walk(&mut paths, 1, 0.0, 0.9);
        let replay = paths.replay(&source(0.5));
        assert_eq!(replay.lines[0].total_in, 2);
        assert!(paths.seconds() < 20.0, "{}", paths.seconds());
        paths.push(ASPECT * 2.0, 9.0, &update(vec![track(9, 0.5)], vec![]));
        assert_eq!(paths.replay(&source(0.5)).lines[0].total_in, 0, "another shape of the picture");
    }

    #[test]
    fn paths_are_those_of_people_in_the_frame() {
        let mut paths = Paths::default();
        walk(&mut paths, 1, 0.0, 0.9);
        paths.push(ASPECT, 5.0, &update(vec![track(2, 0.4)], vec![]));
        paths.push(ASPECT, 5.5, &update(vec![track(2, 0.5)], vec![]));
        let track_paths = paths.track_paths(Anchor::Foot, 60.0);
        assert_eq!(track_paths.len(), 1);
        assert_eq!((track_paths[0].id, track_paths[0].points.len()), (2, 2));
        assert!((track_paths[0].points[1].y - 0.5).abs() < 1e-3, "kept to a fraction of a pixel");
        assert_eq!(paths.places(Anchor::Head).count(), 33);
    }

    #[test]
    fn nobody_costs_nothing() {
        let mut paths = Paths::default();
        for second in 0..1000 {
            paths.push(ASPECT, f64::from(second), &TrackUpdate::default());
        }
        assert_eq!((paths.looks.len(), paths.sightings.len()), (0, 0));
        assert!((paths.seconds() - KEPT).abs() < 1e-6);
    }
}
