//! The default counter: hand-off between tracks, the crossing rule on every line, zones.

use super::{
    CountEvent, CountParams, Counter, Crossing, ZoneStatus,
    edge::EdgeEntry,
    line::Line,
    person::{Person, anchor_inside},
    rule::{Sample, Verdict},
    zone::Zone,
};
use crate::{
    geometry::Anchor,
    model::{LineConfig, Reason, ZoneConfig},
    track::{Origin, Track, TrackUpdate},
};

/// Counts by settled sides (see `rule`).
#[derive(Debug)]
pub struct LineCounter {
    params: CountParams,
    aspect: f32,
    lines: Vec<(Line, Anchor)>,
    zones: Vec<(Zone, Anchor)>,
    people: Vec<Person>,
    /// Time of the first update.
    started: Option<f64>,
}

impl LineCounter {
    /// A counter for a frame of this `aspect` (width over height).
    #[must_use]
    pub fn new(lines: &[LineConfig], zones: &[ZoneConfig], aspect: f32, params: CountParams) -> Self {
        Self {
            params,
            aspect,
            lines: lines.iter().map(|line| (Line::new(line, aspect), line.anchor)).collect(),
            zones: zones
                .iter()
                .map(|zone| (Zone::new(zone, aspect, params.zone_exit), zone.anchor))
                .collect(),
            people: Vec::new(),
            started: None,
        }
    }

    /// Finds for each track that is new the lost person it continues, nearest pairs first, one to one.
    fn hand_off(&mut self, time: f64, newborn: &[usize]) {
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for &new in newborn {
            let bbox = self.people[new].bbox;
            for (old, person) in self.people.iter().enumerate() {
                let missing = time - person.last_seen;
                if person.seen || person.heir.is_some() {
                    continue;
                }
                let scale = person.height().max(bbox.h);
                let smaller = person.height().min(bbox.h);
                let distance =
                    person.bbox.foot().distance(bbox.foot()).min(person.bbox.head().distance(bbox.head()));
                let distance = distance / scale;
                if missing <= self.params.handoff_time
                    && distance <= self.params.handoff_distance
                    && smaller >= self.params.handoff_size * scale
                {
                    pairs.push((distance, new, old));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut served = Vec::new();
        for (_, new, old) in pairs {
            if served.contains(&new) || self.people[old].heir.is_some() {
                continue;
            }
            served.push(new);
            let (id, heir) = (self.people[old].id, self.people[new].id);
            self.people[old].heir = Some(heir);
            let source = self.people[old].clone();
            self.people[new].inherit(&source);
            self.people[old].waiting.clear();
            for (zone, _) in &mut self.zones {
                zone.hand_over(id, heir);
            }
        }
    }

    /// Takes where a new person was before its track was confirmed: the side they come from.
    fn trace_back(&self, person: &mut Person, origin: &Origin) {
        let Origin { time, bbox, .. } = *origin;
        person.start = bbox.center();
        for (state, (line, anchor)) in person.lines.iter_mut().zip(&self.lines) {
            let at = anchor_inside(&bbox, *anchor, self.aspect);
            let sample = Sample { time, at, height: bbox.h, width: bbox.w, from_flow: false };
            state.update(line, sample, &self.params);
        }
    }

    /// Takes the sighting of person `index` and judges every line.
    fn sight(&mut self, index: usize, track: &Track, time: f64, events: &mut Vec<CountEvent>) {
        let params = self.params;
        let person = &mut self.people[index];
        person.sight(track, time, &params);
        let (height, width) = (person.height(), track.bbox.w);
        for (number, (line, anchor)) in self.lines.iter().enumerate() {
            let at = person.anchor(*anchor, self.aspect);
            let sample = Sample { time, at, height, width, from_flow: track.from_flow };
            if let Some(verdict) = person.lines[number].update(line, sample, &params) {
                person.waiting.push((number, verdict));
            }
        }
        if let Some(entry) = person.came_in(time, &params) {
            let (first, height) = (person.first_seen, entry.first.h);
            for (number, (line, anchor)) in self.lines.iter().enumerate() {
                let [edge, at] =
                    [entry.outside, entry.first].map(|bbox| anchor_inside(&bbox, *anchor, self.aspect));
                let sample = Sample { time: first, at, height, width: entry.first.w, from_flow: false };
                let verdict = person.lines[number].came_in(line, edge, sample, &params);
                person.waiting.extend(verdict.map(|verdict| (number, verdict)));
            }
        }
        if person.confirmed {
            release(person, events);
        }
    }

    /// A tracked person is somewhere, seen or not: a stay is not ended by a person who passes in front.
    fn watch_zones(&mut self, time: f64, update: &TrackUpdate) {
        for track in update.tracks.iter().filter(|track| track.confirmed) {
            let Some(person) = self.people.iter().find(|person| person.id == track.id) else { continue };
            for (zone, anchor) in &mut self.zones {
                zone.sighted(person.id, time, person.anchor(*anchor, self.aspect));
            }
        }
        for (zone, _) in &mut self.zones {
            zone.tick(time);
        }
    }

    /// Undoes the hand-off to a track that died before it was confirmed: a false box stood where a person
    /// was lost. Returns whether that person is still there, to be judged at their own death.
    fn give_back(&mut self, index: usize) -> bool {
        let person = &mut self.people[index];
        let Some(before) = person.before.take_if(|_| !person.confirmed && person.heir.is_none()) else {
            return false;
        };
        for (zone, _) in &mut self.zones {
            zone.hand_over(person.id, before.id);
        }
        if let Some(owner) = self.people.iter_mut().find(|other| other.id == before.id) {
            owner.heir = None;
            owner.waiting = before.waiting;
            true
        } else {
            self.people[index] = *before;
            false
        }
    }

    /// Judges what a person who is gone left undecided.
    fn finish(&mut self, index: usize, events: &mut Vec<CountEvent>) {
        if self.give_back(index) {
            return;
        }
        let last = self.people[index].bbox;
        // Where somebody else stands now, nobody went out: one person had two tracks.
        let doubled =
            self.people.iter().any(|other| other.seen && other.bbox.iou(&last) > self.params.exit_overlap);
        let person = &mut self.people[index];
        if person.heir.is_none() {
            if let Some((time, bbox)) = person.left {
                person.bbox = bbox;
                let height = person.height();
                for (state, (line, anchor)) in person.lines.iter_mut().zip(&self.lines) {
                    let at = anchor_inside(&bbox, *anchor, self.aspect);
                    let edge = Sample { time, at, height, width: bbox.w, from_flow: true };
                    state.left(line, edge, &self.params);
                }
            }
            let travel = person.travel();
            for number in 0..person.lines.len() {
                if let Some(mut verdict) = person.lines[number].finish(&self.params, travel) {
                    if doubled && verdict.reason.is_none() {
                        verdict.reason = Some(Reason::Duplicate);
                    }
                    person.waiting.push((number, verdict));
                }
            }
        }
        release(person, events);
        let id = person.id;
        for (zone, _) in &mut self.zones {
            zone.gone(id);
        }
    }
}

/// Tells what waited for the tracker's belief; without that belief nothing of it counts.
fn release(person: &mut Person, events: &mut Vec<CountEvent>) {
    for (line, verdict) in std::mem::take(&mut person.waiting) {
        events.push(event(line, person, verdict));
    }
}

fn event(line: usize, person: &Person, verdict: Verdict) -> CountEvent {
    let Verdict { pass, reason } = verdict;
    let crossing = Crossing {
        line,
        direction: pass.direction,
        track: person.id,
        time: pass.time,
        at: pass.at,
        score: person.score,
    };
    match reason {
        None if !person.confirmed => CountEvent::Suppressed(crossing, Reason::Unconfirmed),
        None => CountEvent::Crossing(crossing),
        Some(reason) => CountEvent::Suppressed(crossing, reason),
    }
}

impl Counter for LineCounter {
    fn update(&mut self, time: f64, update: &TrackUpdate) -> Vec<CountEvent> {
        let mut events = Vec::new();
        let mut newborn = Vec::new();
        let started = *self.started.get_or_insert(time);
        for person in &mut self.people {
            person.seen = false;
        }
        for track in &update.tracks {
            let known = self.people.iter().position(|person| person.id == track.id);
            if known.is_none() && track.seen {
                newborn.push(self.people.len());
                let mut person = Person::new(track, time, self.lines.len());
                if let Some(origin) = update.origins.iter().find(|origin| origin.track == track.id) {
                    self.trace_back(&mut person, origin);
                }
                if time - started > self.params.edge_time {
                    let gap = self.params.edge_step * track.bbox.h;
                    person.entry = EdgeEntry::at_edge(track.bbox, self.aspect, gap);
                }
                self.people.push(person);
            } else if let (Some(index), false) = (known, track.seen) {
                self.people[index].expect(track.bbox, time, self.aspect, &self.params);
            } else if let (Some(index), true) = (known, track.seen) {
                // Back although somebody took over: both keep the history, none loses a side.
                self.people[index].heir = None;
                self.people[index].seen = true;
                for other in &mut self.people {
                    other.before.take_if(|before| before.id == track.id);
                }
            }
        }
        self.hand_off(time, &newborn);
        for track in update.tracks.iter().filter(|track| track.seen) {
            if let Some(index) = self.people.iter().position(|person| person.id == track.id) {
                self.sight(index, track, time, &mut events);
            }
        }
        for track in &update.ended {
            if let Some(person) = self.people.iter_mut().find(|person| person.id == track.id) {
                person.live = false;
            }
        }
        for index in (0..self.people.len()).rev() {
            let person = &self.people[index];
            if !person.live
                && (time - person.last_seen > self.params.handoff_time || update.tracks.is_empty())
            {
                self.finish(index, &mut events);
                self.people.swap_remove(index);
            }
        }
        self.watch_zones(time, update);
        events
    }

    fn zones(&self) -> Vec<ZoneStatus> {
        self.zones.iter().map(|(zone, _)| zone.status()).collect()
    }
}

#[cfg(test)]
mod tests;
