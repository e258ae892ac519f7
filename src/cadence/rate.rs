//! How soon the detector must run on a source again, and on which regions of it. Pure: tracks, motion and time in, a
//! rate and regions out.
//!
//! A network costs ten times what decoding a frame costs, and most frames tell nothing new. What a frame can
//! tell depends on where people are and how fast they move: a person who walks over a line must be detected on both
//! sides of it, a person far from every line must only be kept apart from the others, and an empty, still
//! frame has nothing to tell.

use super::{
    CadenceParams,
    motion::{Motion, is_in_one},
    region::Region,
};
use crate::{
    count::Line,
    geometry::{Anchor, BBox, Point},
    model::{LineConfig, TrackId},
    track::Track,
};

/// A person as last seen.
#[derive(Debug, Clone, Copy)]
struct Person {
    id: TrackId,
    bbox: BBox,
    /// Frame heights per second; unknown before the second sighting.
    velocity: Option<Point>,
    confirmed: bool,
    /// Whether the last detection run found them and optical flow did in every frame since.
    from_flow: bool,
    last_seen: f64,
    /// When a detection run last covered them.
    last_detection: f64,
    /// Whether the detection run that is due must cover them.
    wanted: bool,
}

impl Person {
    /// Where they should be `ahead` seconds later.
    fn predicted(&self, ahead: f32) -> BBox {
        let velocity = self.velocity.unwrap_or_default();
        BBox { x: self.bbox.x + velocity.x * ahead, y: self.bbox.y + velocity.y * ahead, ..self.bbox }
    }

    /// Whether the last detection run missed them where they should have been out of a frame of this `aspect`.
    fn has_left(&self, aspect: f32) -> bool {
        self.last_detection > self.last_seen && self.bbox.is_outside(aspect)
    }

    /// Body heights per second; `first` before that is known.
    fn speed(&self, first: f32) -> f32 {
        self.velocity.map_or(first, |velocity| velocity.x.hypot(velocity.y) / self.bbox.h.max(1e-3))
    }
}

/// Decides when to detect in one source.
pub struct Rate {
    params: CadenceParams,
    lines: Vec<(Line, Anchor)>,
    /// Width over height of the frame.
    aspect: f32,
    people: Vec<Person>,
    /// Time of the first frame.
    started: Option<f64>,
    /// When a detection run last covered the whole frame, and when all motion that no track explained.
    last_whole: f64,
    last_search: f64,
    /// When the people were where they are here.
    last_move: f64,
    /// Searches in a row that found nobody new and nothing promising, less those that are allowed in that time
    /// (`rate_unproductive`).
    unproductive: f64,
    /// Where the detection run that is being told of may show somebody.
    low_confidence: Vec<BBox>,
    searching: bool,
    /// Since when nobody is there and nothing moves.
    quiet_since: Option<f64>,
    /// What the detection run that is due must cover; `None`: everything.
    regions: Option<Vec<Region>>,
    /// Whether that covers all motion that no track explains.
    searched: bool,
    /// Detection runs per second wanted now.
    wanted: f64,
}

impl Rate {
    /// Nobody seen yet; the first frame is due. `aspect` is width over height of the frame.
    #[must_use]
    pub fn new(lines: &[LineConfig], aspect: f32, params: CadenceParams) -> Self {
        Self {
            params,
            lines: lines.iter().map(|line| (Line::new(line, aspect), line.anchor)).collect(),
            aspect,
            people: Vec::new(),
            started: None,
            last_whole: f64::NEG_INFINITY,
            last_search: f64::NEG_INFINITY,
            last_move: f64::NEG_INFINITY,
            unproductive: 0.0,
            low_confidence: Vec::new(),
            searching: false,
            quiet_since: None,
            regions: None,
            searched: false,
            wanted: 1.0 / params.rate_heartbeat,
        }
    }

    /// Whether to detect in the frame at `time`, in which this moves. `share` (0..=1) makes that rarer under overload, as
    /// far as it harms no count.
    pub fn is_due(&mut self, time: f64, motion: &Motion, share: f64) -> bool {
        let params = self.params;
        let ahead = (time - self.last_move).min(params.rate_ahead) as f32;
        let known: Vec<BBox> =
            self.people.iter().map(|person| self.reach(&person.predicted(ahead))).collect();
        let elsewhere = motion.unexplained(&known, |_| true);
        let near = elsewhere
            && motion.unexplained(&known, |point| self.distance_to_lines(point) <= params.rate_line_zone);
        self.searching = elsewhere;
        let heartbeat = 1.0 / self.heartbeat(time);
        let search = match (near, elsewhere) {
            (_, true) if self.unproductive_by(time) >= params.rate_unproductive_runs => {
                params.rate_unproductive
            }
            (true, _) => params.rate_search_near,
            (_, true) => params.rate_search_far,
            _ => heartbeat,
        };
        let search = (search * share).max(heartbeat);
        let rate_of = |(person, area): (&Person, &BBox)| {
            let (wanted, floor) = if person.has_left(self.aspect) {
                // A person who comes back moves where nobody is known.
                (heartbeat, heartbeat)
            } else if motion.within(area) {
                self.rate_for(person)
            } else {
                (params.rate_still, params.rate_still)
            };
            (wanted * share).max(floor.min(wanted)).max(heartbeat)
        };
        let rates: Vec<f64> = self.people.iter().zip(&known).map(rate_of).collect();
        self.started.get_or_insert(time);
        let starting = self.is_starting(time) && (elsewhere || !self.people.is_empty());
        let of_whole = if starting { (params.rate_start * share).max(heartbeat) } else { heartbeat };
        self.wanted = rates.iter().fold(search.max(of_whole), |most, rate| most.max(*rate));
        let early = self.interval() * params.rate_early;
        let overdue = |last: f64, rate: f64| time - last >= 1.0 / rate - early;
        let soon = |last: f64, rate: f64| overdue(last, rate) || time - last >= params.rate_soon / rate;
        let whole = overdue(self.last_whole, of_whole);
        let mut people = self.people.iter().zip(&rates);
        let due = whole
            || elsewhere && overdue(self.last_search, search)
            || people.any(|(person, rate)| overdue(person.last_detection, *rate));
        if due {
            self.searched = elsewhere && soon(self.last_search, search);
            for (person, rate) in self.people.iter_mut().zip(&rates) {
                // A person who was just seen and lost by optical flow would be lost in a run that leaves them out.
                let missed_for = person.last_detection - person.last_seen;
                let fresh = !person.from_flow && missed_for <= params.rate_missed_time;
                person.wanted = fresh || soon(person.last_detection, *rate);
            }
            self.regions = if whole { None } else { self.wanted_regions(ahead, motion, &known) };
        }
        due
    }

    /// Seconds between detection runs that nothing calls for.
    fn heartbeat(&mut self, time: f64) -> f64 {
        if self.searching || !self.people.is_empty() {
            self.quiet_since = None;
            return self.params.rate_heartbeat;
        }
        let since = *self.quiet_since.get_or_insert(time);
        let is_idle = time - since >= self.params.rate_idle_after;
        if is_idle { self.params.rate_idle } else { self.params.rate_heartbeat }
    }

    /// All that the detection run must cover; `None`: everything.
    fn wanted_regions(&self, ahead: f32, motion: &Motion, known: &[BBox]) -> Option<Vec<Region>> {
        let params = &self.params;
        let mut regions = Vec::new();
        if self.searched {
            let blobs = motion.blobs(known);
            if blobs.is_empty() {
                return None;
            }
            let tallest = self.people.iter().map(|person| person.bbox.h).fold(0.0, f32::max);
            let margin = params.region_around_motion.max(params.region_around_feet * tallest);
            regions.extend(blobs.iter().map(|blob| Region { bbox: blob.grown(margin), smallest: 0.0 }));
        }
        for person in self.people.iter().filter(|person| person.wanted) {
            let bbox = person.predicted(ahead);
            regions.push(Region { bbox: bbox.grown(params.region_around * bbox.h), smallest: bbox.h });
        }
        Some(regions)
    }

    /// Whether the source has only just begun: its frames are not reduced.
    #[must_use]
    pub fn is_starting(&self, time: f64) -> bool {
        self.started.is_none_or(|started| time - started < self.params.rate_start_time)
    }

    /// What the detection run that is due must cover; `None`: all of the frame.
    #[must_use]
    pub fn regions(&self) -> Option<&[Region]> {
        self.regions.as_deref()
    }

    /// Whether something moves that no track explains.
    #[must_use]
    pub fn is_searching(&self) -> bool {
        self.searching
    }

    /// Seconds until the next frame should be checked.
    #[must_use]
    pub fn interval(&self) -> f64 {
        let between_runs = 1.0 / self.wanted;
        between_runs / (between_runs / self.params.rate_check).ceil()
    }

    /// Optical flow lost these people, so their rate is that of their movement. To be told before [`Self::is_due`] is asked.
    pub fn lost(&mut self, is_lost: impl Fn(TrackId) -> bool) {
        for person in self.people.iter_mut().filter(|person| is_lost(person.id)) {
            person.from_flow = false;
        }
    }

    /// The low-confidence boxes that the detection run found where something moves. To be told before [`Self::detected`].
    pub fn low_confidence(&mut self, boxes: Vec<BBox>) {
        self.low_confidence = boxes;
    }

    /// The detector ran on the frame at `time`, or on these `parts` of it (frame heights), and these tracks are alive.
    pub fn detected(&mut self, time: f64, tracks: &[Track], parts: Option<&[BBox]>) {
        let newcomer = tracks.iter().any(|track| self.people.iter().all(|person| person.id != track.id));
        let searched = parts.is_none() || self.searched;
        if newcomer || !self.searching {
            self.unproductive = 0.0;
        } else if searched {
            let known: Vec<BBox> = tracks.iter().map(|track| self.reach(&track.bbox)).collect();
            let near = self.params.rate_promising;
            let is_promising =
                |bbox: &BBox| self.is_near_line(bbox, near) && !is_in_one(&known, bbox.center());
            let unproductive = !self.low_confidence.iter().any(is_promising);
            self.unproductive = self.unproductive_by(time) + if unproductive { 1.0 } else { 0.0 };
        }
        if parts.is_none() {
            self.last_whole = time;
        }
        if searched {
            self.last_search = time;
        }
        self.moved(time, tracks);
        for (person, track) in self.people.iter_mut().zip(tracks) {
            // A person who was wanted was covered, also where they have left the frame.
            if person.wanted || parts.is_none_or(|parts| is_in_one(parts, track.bbox.center())) {
                person.last_detection = time;
            }
            person.from_flow = track.seen && track.confirmed;
        }
    }

    /// These tracks are here at `time`, as far as optical flow tells.
    pub fn moved(&mut self, time: f64, tracks: &[Track]) {
        let since = (time - self.last_move) as f32;
        let keep = self.params.rate_velocity_memory;
        let before = std::mem::take(&mut self.people);
        self.people.extend(tracks.iter().map(|track| {
            let old = before.iter().find(|person| person.id == track.id);
            let velocity = old.filter(|_| since > 0.0).map(|old| {
                let (from, to) = (old.bbox.center(), track.bbox.center());
                let moved = Point::new((to.x - from.x) / since, (to.y - from.y) / since);
                let blend = |old: f32, new: f32| keep * old + (1.0 - keep) * new;
                old.velocity.map_or(moved, |v| Point::new(blend(v.x, moved.x), blend(v.y, moved.y)))
            });
            let last_seen = old.filter(|_| !track.seen).map_or(time, |old| old.last_seen);
            let from_flow = old.is_some_and(|old| old.from_flow);
            let (last_detection, wanted) = old.map_or((time, false), |old| (old.last_detection, old.wanted));
            Person {
                id: track.id,
                bbox: track.bbox,
                velocity,
                confirmed: track.confirmed,
                from_flow,
                last_seen,
                last_detection,
                wanted,
            }
        }));
        self.last_move = time;
    }

    /// Detection runs per second that `person` needs, and how far they may be reduced.
    fn rate_for(&self, person: &Person) -> (f64, f64) {
        let params = &self.params;
        let speed = person.speed(params.rate_first_speed);
        let near = self.is_near_line(&person.bbox, params.rate_near.max(speed * params.rate_near_time));
        let (step, least, most, missed, floor) = if near {
            let (least, most) = (params.rate_near_least, params.rate_near_most);
            (params.rate_near_step, least, most, params.rate_missed_near, params.rate_floor_near)
        } else {
            let (least, most) = (params.rate_far_least, params.rate_far_most);
            (params.rate_far_step, least, most, params.rate_missed_far, params.rate_floor_far)
        };
        let mut rate = f64::from(speed / step).max(least).min(most);
        if !person.confirmed {
            rate = rate.max(params.rate_tentative);
        }
        let unseen = person.last_detection - person.last_seen;
        if unseen > params.rate_missed_time {
            // Where they would be now is anybody's guess.
            rate = least;
        } else if unseen > 0.0 {
            rate = rate.max(missed);
        }
        if person.from_flow {
            rate = rate.min(params.rate_flow);
        }
        (rate, floor)
    }

    /// [`Self::unproductive`] at `time`.
    fn unproductive_by(&self, time: f64) -> f64 {
        let allowed = self.params.rate_unproductive * (time - self.last_search);
        (self.unproductive - allowed).max(0.0)
    }

    /// `bbox` with what moves around a person.
    fn reach(&self, bbox: &BBox) -> BBox {
        bbox.grown(self.params.rate_reach * bbox.h)
    }

    /// Whether a person in `bbox` is within this many body heights of a line.
    pub(super) fn is_near_line(&self, bbox: &BBox, reach: f32) -> bool {
        let reach = reach * bbox.h.max(1e-3);
        self.lines.iter().any(|(line, anchor)| line.distance(anchor.of(bbox)) <= reach)
    }

    fn distance_to_lines(&self, point: Point) -> f32 {
        self.lines.iter().map(|(line, _)| line.distance(point)).fold(f32::INFINITY, f32::min)
    }
}

#[cfg(test)]
mod tests;
