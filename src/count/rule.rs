//! The crossing rule for one person and one line: a small state machine on the signed depth.

use super::{CountParams, line::Line};
use crate::{
    geometry::Point,
    model::{Direction, Reason},
};

/// One position of a person's anchor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Seconds on the source's clock.
    pub time: f64,
    /// Anchor, in frame heights.
    pub at: Point,
    /// The person's usual height, in frame heights.
    pub height: f32,
    /// Width of the box, in frame heights.
    pub width: f32,
    /// Whether no detector saw the person there (see [`crate::track::Track::from_flow`]).
    pub from_flow: bool,
}

/// The moment the anchor was on the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    /// Seconds on the source's clock, interpolated.
    pub time: f64,
    /// Where.
    pub at: Point,
    /// To which side.
    pub direction: Direction,
    /// Whether it was on the segment, not its extension.
    on_segment: bool,
}

/// What the rule makes of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Where and when the line was passed.
    pub pass: Pass,
    /// `None`: it counts.
    pub reason: Option<Reason>,
}

impl Verdict {
    fn of(pass: Pass) -> Self {
        Self { pass, reason: (!pass.on_segment).then_some(Reason::OffSegment) }
    }
}

/// Which side of one line one person is on, and what is still undecided.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LineState {
    /// The settled side; `None` until the person was once clearly off the line.
    side: Option<Direction>,
    last: Option<(Sample, f32)>,
    /// The last change of sign since the side was settled.
    pass: Option<Pass>,
    /// Since when the person has been beyond the band on the unsettled side, and how often a detector has seen them
    /// there.
    beyond: Option<(f64, u32)>,
}

impl LineState {
    /// Takes the next sample of a person who was really seen.
    pub fn update(&mut self, line: &Line, sample: Sample, params: &CountParams) -> Option<Verdict> {
        let depth = line.depth(sample.at);
        self.note_pass(line, &sample, depth, params);
        self.last = Some((sample, depth));
        let band = params.band * sample.height;
        let now = side_of(depth);
        let Some(side) = self.side else {
            if depth.abs() > params.first_band * sample.height {
                self.side = Some(now);
            }
            self.pass = None;
            return None;
        };
        if depth.abs() <= band {
            return None;
        }
        if now == side {
            let tried = self.beyond.take().is_some();
            return self.pass.take().map(|mut pass| {
                pass.direction = opposite(side);
                let reason = if tried { Reason::UTurn } else { Reason::Flicker };
                Verdict { pass, reason: Some(reason) }
            });
        }
        let (since, seen) = self.beyond.get_or_insert((sample.time, 0));
        if sample.from_flow {
            return None;
        }
        *seen += 1;
        let stays = *seen >= params.settle_detections && sample.time - *since >= params.settle;
        if stays || depth.abs() > params.deep * band { self.settle(now) } else { None }
    }

    /// The person came into the frame over its edge at `edge`, and was first seen at `first`, across the line or not.
    pub fn came_in(&self, line: &Line, edge: Point, first: Sample, params: &CountParams) -> Option<Verdict> {
        let depth = line.depth(first.at);
        let is_near = depth.abs() <= params.edge_reach * first.height;
        let stayed = self.side.is_none_or(|side| side == side_of(depth)) && self.pass.is_none();
        if !is_near || !stayed {
            return None;
        }
        let mut unseen =
            Self { last: Some((Sample { at: edge, ..first }, line.depth(edge))), ..Self::default() };
        unseen.note_pass(line, &first, depth, params);
        unseen.pass.map(Verdict::of)
    }

    /// The person should have left the frame over its edge at `edge`, unseen. To be told before [`Self::finish`].
    pub fn left(&mut self, line: &Line, edge: Sample, params: &CountParams) {
        let Some((last, depth)) = self.last else { return };
        let is_near = depth.abs() <= params.edge_reach * last.height;
        // What was seen on the other side needs no guess.
        if is_near && self.side == Some(side_of(depth)) {
            let depth = line.depth(edge.at);
            self.note_pass(line, &edge, depth, params);
            self.last = Some((edge, depth));
        }
    }

    /// The person is gone for good. A pass over the line that had no time to settle counts when it was
    /// long enough and led outward.
    pub fn finish(&mut self, params: &CountParams, travel: f32) -> Option<Verdict> {
        let (sample, depth) = self.last?;
        let now = side_of(depth);
        let pass = self.pass?;
        if self.side? == now || pass.direction != now {
            return None;
        }
        if travel >= params.exit_travel * params.band * sample.height {
            return self.settle(now);
        }
        self.pass = None;
        Some(Verdict { pass, reason: Some(Reason::Flicker) })
    }

    fn settle(&mut self, now: Direction) -> Option<Verdict> {
        self.side = Some(now);
        self.beyond = None;
        let mut pass = self.pass.take()?;
        pass.direction = now;
        Some(Verdict::of(pass))
    }

    /// Remembers where the sign of the depth changed between the last sample and this one.
    fn note_pass(&mut self, line: &Line, sample: &Sample, depth: f32, params: &CountParams) {
        let Some((last, before)) = self.last else { return };
        if side_of(before) == side_of(depth) {
            return;
        }
        let span = before.abs() + depth.abs();
        let share = if span > 0.0 { before.abs() / span } else { 0.0 };
        let at = Point::new(
            last.at.x + (sample.at.x - last.at.x) * share,
            last.at.y + (sample.at.y - last.at.y) * share,
        );
        self.pass = Some(Pass {
            time: last.time + (sample.time - last.time) * f64::from(share),
            at,
            direction: side_of(depth),
            on_segment: line.beyond(at) <= params.reach * sample.width,
        });
    }
}

/// The side of a depth; the line itself belongs to *in*, which matters to nobody thanks to the band.
fn side_of(depth: f32) -> Direction {
    if depth >= 0.0 { Direction::In } else { Direction::Out }
}

fn opposite(side: Direction) -> Direction {
    match side {
        Direction::In => Direction::Out,
        Direction::Out => Direction::In,
    }
}
