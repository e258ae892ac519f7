//! How soon the detector must look at a source again, and at which parts of it. Pure: tracks, motion and time in, a
//! rate and areas out.
//!
//! A network costs ten times what decoding a frame costs, and most frames tell nothing new. What a frame can
//! tell depends on where people are and how fast they move: somebody who walks over a line must be seen on both
//! sides of it, somebody far from every line must only be kept apart from the others, and an empty, still
//! picture has nothing to tell.

use super::{
    motion::{Motion, is_in_one},
    region::Region,
};
use crate::{
    config::LineConfig,
    count::{Anchor, Line},
    geometry::{BBox, Point},
    track::{Track, TrackId},
};

/// Seconds between pictures checked for motion where the detector rests: a newcomer waits no longer.
const CHECK: f64 = 0.25;

/// Looks per second at a picture where nothing moves and nobody is: a heartbeat, so that nobody who stands
/// still is forgotten for longer than three seconds.
const HEARTBEAT: f64 = 1.0 / 3.0;

/// Looks per second while everybody in the picture stands still.
const STILL: f64 = 1.0;

/// Looks per second while something moves that is nobody known, near a line and elsewhere.
const SEARCH: (f64, f64) = (5.0, 3.0);

/// And once [`VAIN`] more such looks in a row have found nobody than this rate allows: it is a tree, a car or a screen.
/// What moves now and then only, as a shadow after somebody has left, does not make the next newcomer be found late.
const SEARCH_IN_VAIN: f64 = 1.5;

/// See [`SEARCH_IN_VAIN`].
const VAIN: f64 = 5.0;

/// No look is in vain that shows somebody doubtful within this many body heights of a line: a network is often not sure of a
/// newcomer for a second, in which he walks as far as this.
const HOPEFUL: f32 = 1.5;

/// Seconds at the start of a source, and looks per second then, at whole pictures, while anybody is there or anything moves:
/// everybody is a newcomer at once, and who is half hidden is found in one picture and not in the next.
const START: (f64, f64) = (2.0, 15.0);

/// Looks per second that a new track gets at least: it is believed after 0.2 s and must be seen twice by then.
const NEW: f64 = 5.0;

/// Body heights that somebody near a line may move between two looks. A walker (0.8 body heights a second) is
/// looked at six times a second: counts were as good as with every frame from there on, and worse below.
const NEAR_STEP: f32 = 0.13;

/// Looks per second for somebody who is followed from picture to picture without them. Half as many are enough for
/// him, but not for those whom a weak detector sees now and then only and whom looks for his sake find as well.
const FOLLOWED: f64 = 3.0;

/// Body heights that anybody else may move between two looks: boxes of the same person still overlap.
const FAR_STEP: f32 = 0.3;

/// Least and most looks per second for somebody near a line, and for anybody else.
const NEAR_RATES: (f64, f64) = (3.0, 12.0);
const FAR_RATES: (f64, f64) = (3.0, 6.0);

/// Looks per second at least, near a line and elsewhere, for somebody whom the last looks missed or doubted, up
/// to this many seconds after he was last seen: a weak detector needs more tries, and a wrong guess of where he
/// is grows with time.
const DOUBT: (f64, f64, f64) = (10.0, 4.0, 0.6);

/// Near is who may be on the line within this many seconds, or stands within this many body heights of it.
const NEAR: (f32, f32) = (0.5, 0.75);

/// Taken for the speed of somebody just seen, in body heights per second: a brisk walk.
const FIRST_SPEED: f32 = 1.0;

/// Motion this near a line (frame heights) may be somebody who is about to cross it.
const LINE_ZONE: f32 = 0.15;

/// A person explains the motion around him up to this share of his height: limbs, bags, shadows.
const REACH: f32 = 0.3;

/// Who has waited for this share of the time between two of his looks is looked at together with those who are due.
const SOON: f64 = 0.7;

/// What must be visible around a person who is looked at, in body heights: he moves, and a network judges by what is
/// around as well.
const AROUND: f32 = 0.5;

/// What must be visible around unknown movement: this many frame heights, and this share of the height of the tallest
/// person known, for it may be his feet.
const AROUND_MOTION: (f32, f32) = (0.1, 0.35);

/// Under overload the rate is reduced, but not below this where somebody is near a line, and where somebody is.
const FLOORS: (f64, f64) = (4.0, 2.0);

/// Somebody as last seen.
#[derive(Debug, Clone, Copy)]
struct Person {
    id: TrackId,
    bbox: BBox,
    /// Frame heights per second; unknown before the second sighting.
    velocity: Option<Point>,
    confirmed: bool,
    /// Whether he was seen by the last look and followed from picture to picture since.
    followed: bool,
    last_seen: f64,
    /// When he was last looked for.
    last_detection: f64,
    /// Whether the look that is due must show him.
    wanted: bool,
}

impl Person {
    /// Where he should be `ahead` seconds later.
    fn predicted(&self, ahead: f32) -> BBox {
        let velocity = self.velocity.unwrap_or_default();
        BBox { x: self.bbox.x + velocity.x * ahead, y: self.bbox.y + velocity.y * ahead, ..self.bbox }
    }

    /// Whether the last look missed him where he should have been out of a picture of this `aspect`.
    fn has_left(&self, aspect: f32) -> bool {
        self.last_detection > self.last_seen && self.bbox.is_outside(aspect)
    }

    /// Body heights per second.
    fn speed(&self) -> f32 {
        self.velocity.map_or(FIRST_SPEED, |velocity| velocity.x.hypot(velocity.y) / self.bbox.h.max(1e-3))
    }
}

/// Decides when one source is looked at.
pub struct Rate {
    lines: Vec<(Line, Anchor)>,
    /// Width over height of the picture.
    aspect: f32,
    people: Vec<Person>,
    /// Time of the first picture.
    started: Option<f64>,
    /// When the whole picture was last looked at, and when all that nobody explained.
    last_whole: f64,
    last_search: f64,
    /// When the people were where they are here.
    last_move: f64,
    /// Looks in a row that were for something unknown and showed nobody new, nor anybody [`HOPEFUL`], less those that
    /// [`SEARCH_IN_VAIN`] allows in that time.
    vain: f64,
    /// Where the look that is being told of may show somebody.
    low_confidence: Vec<BBox>,
    searching: bool,
    /// What the look that is due must show; `None`: everything.
    areas: Option<Vec<Region>>,
    /// Whether that shows all movement that nobody explains.
    searched: bool,
    /// Looks per second wanted now.
    rate: f64,
}

impl Rate {
    /// Nobody seen yet; the first picture is looked at. `aspect` is width over height of the picture.
    #[must_use]
    pub fn new(lines: &[LineConfig], aspect: f32) -> Self {
        Self {
            lines: lines.iter().map(|line| (Line::new(line, aspect), line.anchor)).collect(),
            aspect,
            people: Vec::new(),
            started: None,
            last_whole: f64::NEG_INFINITY,
            last_search: f64::NEG_INFINITY,
            last_move: f64::NEG_INFINITY,
            vain: 0.0,
            low_confidence: Vec::new(),
            searching: false,
            areas: None,
            searched: false,
            rate: HEARTBEAT,
        }
    }

    /// Whether the picture at `time`, in which this moves, must be looked at. `share` (0..=1) makes looks rarer
    /// under overload, as far as that harms no count.
    pub fn is_due(&mut self, time: f64, motion: &Motion, share: f64) -> bool {
        let ahead = (time - self.last_move).min(1.0) as f32;
        let known: Vec<BBox> = self.people.iter().map(|person| reach(&person.predicted(ahead))).collect();
        let elsewhere = motion.unexplained(&known, |_| true);
        let near =
            elsewhere && motion.unexplained(&known, |point| self.distance_to_lines(point) <= LINE_ZONE);
        self.searching = elsewhere;
        let search = match (near, elsewhere) {
            (_, true) if self.vain_by(time) >= VAIN => SEARCH_IN_VAIN,
            (true, _) => SEARCH.0,
            (_, true) => SEARCH.1,
            _ => HEARTBEAT,
        };
        let search = (search * share).max(HEARTBEAT);
        let rate_of = |(person, area): (&Person, &BBox)| {
            let (wanted, floor) = if person.has_left(self.aspect) {
                // Whoever comes back moves where nobody is known.
                (HEARTBEAT, HEARTBEAT)
            } else if motion.within(area) {
                self.rate_for(person)
            } else {
                (STILL, STILL)
            };
            (wanted * share).max(floor.min(wanted)).max(HEARTBEAT)
        };
        let rates: Vec<f64> = self.people.iter().zip(&known).map(rate_of).collect();
        self.started.get_or_insert(time);
        let starting = self.is_starting(time) && (elsewhere || !self.people.is_empty());
        let heartbeat = if starting { (START.1 * share).max(HEARTBEAT) } else { HEARTBEAT };
        self.rate = rates.iter().fold(search.max(heartbeat), |most, rate| most.max(*rate));
        let early = self.interval() / 2.0;
        let overdue = |last: f64, rate: f64| time - last >= 1.0 / rate - early;
        let soon = |last: f64, rate: f64| overdue(last, rate) || time - last >= SOON / rate;
        let whole = overdue(self.last_whole, heartbeat);
        let mut people = self.people.iter().zip(&rates);
        let due = whole
            || elsewhere && overdue(self.last_search, search)
            || people.any(|(person, rate)| overdue(person.last_detection, *rate));
        if due {
            self.searched = elsewhere && soon(self.last_search, search);
            for (person, rate) in self.people.iter_mut().zip(&rates) {
                // Who was just seen and is not followed would be lost where a look leaves him out.
                let fresh = !person.followed && person.last_detection - person.last_seen <= DOUBT.2;
                person.wanted = fresh || soon(person.last_detection, *rate);
            }
            self.areas = if whole { None } else { self.wanted_areas(ahead, motion, &known) };
        }
        due
    }

    /// All that the look must show; `None`: everything.
    fn wanted_areas(&self, ahead: f32, motion: &Motion, known: &[BBox]) -> Option<Vec<Region>> {
        let mut areas = Vec::new();
        if self.searched {
            let blobs = motion.blobs(known);
            if blobs.is_empty() {
                return None;
            }
            let tallest = self.people.iter().map(|person| person.bbox.h).fold(0.0, f32::max);
            let margin = AROUND_MOTION.0.max(AROUND_MOTION.1 * tallest);
            areas.extend(blobs.iter().map(|blob| Region { bbox: blob.grown(margin), smallest: 0.0 }));
        }
        for person in self.people.iter().filter(|person| person.wanted) {
            let bbox = person.predicted(ahead);
            areas.push(Region { bbox: bbox.grown(AROUND * bbox.h), smallest: bbox.h });
        }
        Some(areas)
    }

    /// Whether the source has only just begun: its pictures are not reduced.
    #[must_use]
    pub fn is_starting(&self, time: f64) -> bool {
        self.started.is_none_or(|started| time - started < START.0)
    }

    /// What the look must show that is due; `None`: all of the picture.
    #[must_use]
    pub fn areas(&self) -> Option<&[Region]> {
        self.areas.as_deref()
    }

    /// Whether something moves that nobody known explains.
    #[must_use]
    pub fn is_searching(&self) -> bool {
        self.searching
    }

    /// Seconds until the next picture should be checked.
    #[must_use]
    pub fn interval(&self) -> f64 {
        let look = 1.0 / self.rate;
        look / (look / CHECK).ceil()
    }

    /// These people could not be followed into the next picture, so they are looked at as often as they move. To be
    /// told before [`Self::is_due`] is asked.
    pub fn lost(&mut self, is_lost: impl Fn(TrackId) -> bool) {
        for person in self.people.iter_mut().filter(|person| is_lost(person.id)) {
            person.followed = false;
        }
    }

    /// The look found these boxes where something moves, and the detector does not trust them. To be told before
    /// [`Self::detected`].
    pub fn low_confidence(&mut self, boxes: Vec<BBox>) {
        self.low_confidence = boxes;
    }

    /// The picture at `time` was looked at, or these `parts` of it (frame heights), and these tracks are alive.
    pub fn detected(&mut self, time: f64, tracks: &[Track], parts: Option<&[BBox]>) {
        let newcomer = tracks.iter().any(|track| self.people.iter().all(|person| person.id != track.id));
        let searched = parts.is_none() || self.searched;
        if newcomer || !self.searching {
            self.vain = 0.0;
        } else if searched {
            let known: Vec<BBox> = tracks.iter().map(|track| reach(&track.bbox)).collect();
            let may_cross =
                |bbox: &BBox| self.is_near_line(bbox, HOPEFUL) && !is_in_one(&known, bbox.center());
            let in_vain = !self.low_confidence.iter().any(may_cross);
            self.vain = self.vain_by(time) + if in_vain { 1.0 } else { 0.0 };
        }
        if parts.is_none() {
            self.last_whole = time;
        }
        if searched {
            self.last_search = time;
        }
        self.moved(time, tracks);
        for (person, track) in self.people.iter_mut().zip(tracks) {
            // Who was wanted was looked for, also where he has left the picture.
            if person.wanted || parts.is_none_or(|parts| is_in_one(parts, track.bbox.center())) {
                person.last_detection = time;
            }
            person.followed = track.seen && track.confirmed;
        }
    }

    /// These tracks are here at `time`, as far as following them without a look tells.
    pub fn moved(&mut self, time: f64, tracks: &[Track]) {
        let since = (time - self.last_move) as f32;
        let before = std::mem::take(&mut self.people);
        self.people.extend(tracks.iter().map(|track| {
            let old = before.iter().find(|person| person.id == track.id);
            let velocity = old.filter(|_| since > 0.0).map(|old| {
                let (from, to) = (old.bbox.center(), track.bbox.center());
                let moved = Point::new((to.x - from.x) / since, (to.y - from.y) / since);
                // Half old, half new: boxes tremble.
                old.velocity.map_or(moved, |v| Point::new((v.x + moved.x) / 2.0, (v.y + moved.y) / 2.0))
            });
            let last_seen = old.filter(|_| !track.seen).map_or(time, |old| old.last_seen);
            let followed = old.is_some_and(|old| old.followed);
            let (last_detection, wanted) = old.map_or((time, false), |old| (old.last_detection, old.wanted));
            Person {
                id: track.id,
                bbox: track.bbox,
                velocity,
                confirmed: track.confirmed,
                followed,
                last_seen,
                last_detection,
                wanted,
            }
        }));
        self.last_move = time;
    }

    /// Looks per second that `person` needs, and how far they may be reduced.
    fn rate_for(&self, person: &Person) -> (f64, f64) {
        let speed = person.speed();
        let near = self.is_near_line(&person.bbox, NEAR.1.max(speed * NEAR.0));
        let (step, (least, most), floor) =
            if near { (NEAR_STEP, NEAR_RATES, FLOORS.0) } else { (FAR_STEP, FAR_RATES, FLOORS.1) };
        let mut rate = f64::from(speed / step).clamp(least, most);
        if !person.confirmed {
            rate = rate.max(NEW);
        }
        let unseen = person.last_detection - person.last_seen;
        if unseen > DOUBT.2 {
            // Where he would be now is anybody's guess.
            rate = least;
        } else if unseen > 0.0 {
            rate = rate.max(if near { DOUBT.0 } else { DOUBT.1 });
        }
        if person.followed {
            rate = rate.min(FOLLOWED);
        }
        (rate, floor)
    }

    /// [`Self::vain`] at `time`.
    fn vain_by(&self, time: f64) -> f64 {
        (self.vain - SEARCH_IN_VAIN * (time - self.last_search)).max(0.0)
    }

    /// Whether a person in `bbox` is within this many body heights of a line.
    fn is_near_line(&self, bbox: &BBox, reach: f32) -> bool {
        let reach = reach * bbox.h.max(1e-3);
        self.lines.iter().any(|(line, anchor)| line.distance(anchor.of(bbox)) <= reach)
    }

    fn distance_to_lines(&self, point: Point) -> f32 {
        self.lines.iter().map(|(line, _)| line.distance(point)).fold(f32::INFINITY, f32::min)
    }
}

/// `bbox` with what moves around a person.
fn reach(bbox: &BBox) -> BBox {
    bbox.grown(REACH * bbox.h)
}

#[cfg(test)]
mod tests;
