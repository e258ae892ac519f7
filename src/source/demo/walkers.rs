//! Who walks where and when: planned in advance, so that every position, and so every true count, is known.
//!
//! People come one by one or in pairs that meet; they walk through, stop on the way, hesitate on the middle
//! of the frame, or turn back before or behind it. A plan that would hide one person behind another is not
//! taken: what the scenes show can be seen.

use super::{
    random::Random,
    scene::{Lane, Scene},
};
use crate::geometry::{BBox, Point};

/// Width of a body over its height.
pub const BODY_WIDTH: f32 = 0.40;
/// Room left free around everybody, in frame heights.
const MARGIN: f32 = 0.05;
/// Seconds between two decisions about who comes next.
const TICK: f64 = 0.4;
/// Plans thought of in one decision.
const PROPOSALS: usize = 10;
/// Walking speed, in body heights a second: 1.2 to 1.6 m/s of people of 1.7 m.
const SPEED: (f64, f64) = (0.7, 0.95);
/// People who are on the way in or inside, on average. From none on, more come than go until there are so many.
const INSIDE: i64 = 3;
/// How much likelier each of them more makes it that the next one walks out.
const PULL: f64 = 0.15;
/// Stops and turns keep this far from the middle of the frame, in body heights.
const CLEARANCE: f32 = 0.75;

/// One person on the way.
#[derive(Debug, Clone)]
pub struct Walker {
    /// From 1, in the order of coming.
    pub id: u64,
    /// Start of the random numbers of their looks.
    pub look: u64,
    lane: Lane,
    /// Seconds and part of the lane; straight between.
    path: Vec<(f64, f64)>,
}

/// A person at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Who.
    #[cfg_attr(not(feature = "internals"), expect(dead_code, reason = "only tests ask for the truth"))]
    pub id: u64,
    /// Start of the random numbers of their looks.
    pub look: u64,
    /// Where, in frame heights; may reach beyond the frame.
    pub bbox: BBox,
    /// Frame heights walked so far: moves the legs.
    pub walked: f64,
    /// Whether the feet move now.
    pub moving: bool,
    /// Direction of the way, as the change of x and y; of length 1.
    pub heading: Point,
}

impl Walker {
    fn end(&self) -> f64 {
        self.path.last().map_or(0.0, |&(time, _)| time)
    }

    /// 1 for somebody who walks in, from the upper edge to the lower one, -1 for the reverse, 0 for others.
    fn gain(&self) -> i64 {
        let is_below = |point: Point| i64::from(point.y > 0.5);
        let ends = (self.path.first(), self.path.last());
        let (Some(&(_, first)), Some(&(_, last))) = ends else { return 0 };
        is_below(self.lane.at(last)) - is_below(self.lane.at(first))
    }

    fn start(&self) -> f64 {
        self.path.first().map_or(0.0, |&(time, _)| time)
    }

    fn figure(&self, scene: &Scene, time: f64) -> Option<Figure> {
        if time < self.start() {
            return None;
        }
        let mut walked = 0.0;
        for stretch in self.path.windows(2) {
            let [(begin, from), (end, to)] = [stretch[0], stretch[1]];
            if time >= end {
                walked += (to - from).abs();
                continue;
            }
            let s = from + (to - from) * (time - begin) / (end - begin);
            let length = self.lane.length();
            let (a, b) = (self.lane.from, self.lane.to);
            let sign = if to < from { -1.0 } else { 1.0 } / length as f32;
            return Some(Figure {
                id: self.id,
                look: self.look,
                bbox: body(scene, self.lane.at(s)),
                walked: (walked + (s - from).abs()) * length,
                moving: to != from,
                heading: Point::new((b.x - a.x) * sign, (b.y - a.y) * sign),
            });
        }
        None
    }
}

fn body(scene: &Scene, foot: Point) -> BBox {
    let height = scene.body_height(foot.y);
    let width = height * BODY_WIDTH;
    BBox::new(foot.x - width / 2.0, foot.y - height, width, height)
}

/// Everybody in a scene, followed through time.
#[derive(Debug, Clone)]
pub struct Walkers {
    scene: Scene,
    random: Random,
    people: usize,
    /// When the scene ends; everybody has left by then.
    end: f64,
    present: Vec<Walker>,
    next_decision: f64,
    next_id: u64,
    /// Those who came in less those who went out, as planned.
    inside: i64,
}

impl Walkers {
    /// An empty scene in which at most `people` are at the same time.
    pub fn new(scene: Scene, people: usize, seed: u64, end: f64) -> Self {
        Self {
            scene,
            random: Random::new(seed),
            people,
            end,
            present: Vec::new(),
            next_decision: 0.0,
            next_id: 1,
            inside: 0,
        }
    }

    /// Everybody at `time`, those at the back first. Times must not decrease.
    pub fn at(&mut self, time: f64) -> Vec<Figure> {
        while self.next_decision <= time {
            let now = self.next_decision;
            self.present.retain(|walker| walker.end() > now);
            self.decide(now);
            self.next_decision += TICK;
        }
        let mut figures: Vec<_> =
            self.present.iter().filter_map(|walker| walker.figure(&self.scene, time)).collect();
        figures.sort_by(|a, b| a.bbox.bottom().total_cmp(&b.bbox.bottom()));
        figures
    }

    /// Lets one person or one pair come at `now`, when there is room.
    fn decide(&mut self, now: f64) {
        for _ in 0..PROPOSALS {
            let free = self.people.saturating_sub(self.present.len());
            if free == 0 {
                return;
            }
            let plan =
                if free >= 2 && self.random.chance(0.25) { self.meeting(now) } else { self.single(now) };
            let fits = plan.iter().all(|new| {
                new.end() < self.end - 1.0 && self.present.iter().all(|other| !self.collide(new, other))
            });
            let apart = plan.len() < 2 || !self.collide(&plan[0], &plan[1]);
            if fits && apart && !plan.is_empty() {
                self.next_id += plan.len() as u64;
                self.inside += plan.iter().map(Walker::gain).sum::<i64>();
                self.present.extend(plan);
                return;
            }
        }
    }

    fn walker(&mut self, offset: u64, lane: Lane, path: Vec<(f64, f64)>) -> Walker {
        Walker { id: self.next_id + offset, look: self.random.bits(), lane, path }
    }

    fn single(&mut self, now: f64) -> Vec<Walker> {
        let lane = self.scene.lanes[self.random.index(self.scene.lanes.len())];
        let speed = self.speed(&lane);
        // A room does not fill for ever, nor do more people leave it than have come.
        let backwards = self.random.chance(0.5 + PULL * (self.inside - INSIDE) as f64);
        let what = self.random.between(0.0, 1.0);
        // Stops in units of the way walked, whichever end it begins at.
        let path = match what {
            ..0.50 => vec![(now, 0.0), (now + 1.0 / speed, 1.0)],
            ..0.70 => {
                let at = self.quiet_place(&lane, backwards, 0.15, 0.70);
                self.with_stop(now, speed, at, (1.0, 2.5))
            }
            ..0.80 => {
                let at = middle(&self.scene, &lane).map_or(0.5, |s| if backwards { 1.0 - s } else { s });
                self.with_stop(now, speed, at, (0.5, 1.2))
            }
            _ => {
                let at = self.quiet_place(&lane, backwards, 0.25, 0.70);
                let reached = now + at / speed;
                let rest = reached + self.random.between(0.3, 1.0);
                vec![(now, 0.0), (reached, at), (rest, at), (rest + at / speed, 0.0)]
            }
        };
        let path = path.into_iter().map(|(time, s)| (time, if backwards { 1.0 - s } else { s })).collect();
        vec![self.walker(0, lane, path)]
    }

    fn with_stop(&mut self, now: f64, speed: f64, at: f64, rest: (f64, f64)) -> Vec<(f64, f64)> {
        let reached = now + at / speed;
        let rest = reached + self.random.between(rest.0, rest.1);
        vec![(now, 0.0), (reached, at), (rest, at), (rest + (1.0 - at) / speed, 1.0)]
    }

    /// Two who come from both ends of neighboring ways, stop beside each other, and go on or turn back.
    fn meeting(&mut self, now: f64) -> Vec<Walker> {
        let first = self.random.index(self.scene.lanes.len().saturating_sub(1));
        let lanes = [self.scene.lanes[first], self.scene.lanes[first + 1]];
        let at = self.quiet_place(&lanes[0], false, 0.2, 0.65);
        let speed = self.speed(&lanes[0]);
        // Both arrive together: the one with the longer way walks as fast as people do.
        let arrive = now + at.max(1.0 - at) / speed;
        let leave = arrive + self.random.between(1.5, 2.5);
        let turns = [self.random.chance(0.3), self.random.chance(0.3)];
        let starts = [(0.0, at), (1.0, 1.0 - at)];
        let mut pair = Vec::new();
        for (index, ((from, way), turn)) in starts.into_iter().zip(turns).enumerate() {
            let to = if turn { from } else { 1.0 - from };
            let rest = if turn { way } else { 1.0 - way };
            let path =
                vec![(arrive - way / speed, from), (arrive, at), (leave, at), (leave + rest / speed, to)];
            pair.push(self.walker(index as u64, lanes[index], path));
        }
        pair
    }

    /// Parts of the lane a second.
    fn speed(&mut self, lane: &Lane) -> f64 {
        let height = self.scene.body_height(lane.at(0.5).y);
        self.random.between(SPEED.0, SPEED.1) * f64::from(height) / lane.length()
    }

    /// A part of the way at which a stop leaves no doubt on which side of the middle it is.
    fn quiet_place(&mut self, lane: &Lane, backwards: bool, from: f64, to: f64) -> f64 {
        for _ in 0..20 {
            let at = self.random.between(from, to);
            let bbox = body(&self.scene, lane.at(if backwards { 1.0 - at } else { at }));
            let inside = bbox.y > 0.0 && bbox.bottom() < 1.0;
            if inside && (bbox.center().y - 0.5).abs() > CLEARANCE * bbox.h {
                return at;
            }
        }
        from
    }

    fn collide(&self, a: &Walker, b: &Walker) -> bool {
        const STEP: f64 = 0.1;
        let begin = a.start().max(b.start());
        let end = a.end().min(b.end());
        let steps = ((end - begin) / STEP).ceil().max(0.0) as usize;
        (0..=steps).any(|step| {
            let time = begin + step as f64 * STEP;
            match (a.figure(&self.scene, time), b.figure(&self.scene, time)) {
                (Some(a), Some(b)) => too_close(&a.bbox, &b.bbox),
                _ => false,
            }
        })
    }
}

fn too_close(a: &BBox, b: &BBox) -> bool {
    let grown = BBox::new(a.x - MARGIN, a.y - MARGIN, a.w + 2.0 * MARGIN, a.h + 2.0 * MARGIN);
    grown.intersection(b) > 0.0
}

/// The part of `lane` at which the middle of a body is at half height of the frame.
fn middle(scene: &Scene, lane: &Lane) -> Option<f64> {
    let side = |s: f64| body(scene, lane.at(s)).center().y - 0.5;
    let (mut low, mut high) = (0.0, 1.0);
    if side(low) > 0.0 || side(high) < 0.0 {
        return None;
    }
    for _ in 0..40 {
        let half = f64::midpoint(low, high);
        if side(half) < 0.0 { low = half } else { high = half }
    }
    Some(low)
}
