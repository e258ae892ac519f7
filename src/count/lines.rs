//! The default counter: hand-off between tracks, the crossing rule on every line, zones.

use super::{
    Anchor, CountEvent, CountParams, Counter, Crossing, Reason, ZoneStatus,
    line::Line,
    person::Person,
    rule::{Sample, Verdict},
    zone::Zone,
};
use crate::{
    config::{LineConfig, ZoneConfig},
    track::{Track, TrackUpdate},
};

/// Counts by settled sides (see [`super::rule`]).
#[derive(Debug)]
pub struct LineCounter {
    params: CountParams,
    aspect: f32,
    lines: Vec<(Line, Anchor)>,
    zones: Vec<(Zone, Anchor)>,
    people: Vec<Person>,
}

impl LineCounter {
    /// A counter for a picture of this `aspect` (width over height).
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
                    && smaller >= 0.5 * scale
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

    /// Takes the sighting of person `index` and judges every line.
    fn sight(&mut self, index: usize, track: &Track, time: f64, events: &mut Vec<CountEvent>) {
        let params = self.params;
        let person = &mut self.people[index];
        person.sight(track, time, &params);
        let (height, width) = (person.height(), track.bbox.w);
        for (number, (line, anchor)) in self.lines.iter().enumerate() {
            let at = person.anchor(*anchor, self.aspect);
            let sample = Sample { time, at, height, width };
            if let Some(verdict) = person.lines[number].update(line, sample, &params) {
                person.waiting.push((number, verdict));
            }
        }
        if person.confirmed {
            release(person, events);
        }
        if person.confirmed {
            for (zone, anchor) in &mut self.zones {
                zone.sighted(person.id, time, person.anchor(*anchor, self.aspect));
            }
        }
    }

    /// Judges what a person who is gone left undecided.
    fn finish(&mut self, index: usize, events: &mut Vec<CountEvent>) {
        let person = &mut self.people[index];
        if person.heir.is_none() {
            let travel = person.travel();
            for number in 0..person.lines.len() {
                if let Some(verdict) = person.lines[number].finish(&self.params, travel) {
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
        for track in &update.tracks {
            let known = self.people.iter().position(|person| person.id == track.id);
            if known.is_none() && track.seen {
                newborn.push(self.people.len());
                self.people.push(Person::new(track, time, self.lines.len()));
            } else if let (Some(index), false) = (known, track.seen) {
                self.people[index].bbox = track.bbox;
                self.people[index].seen = false;
            } else if let (Some(index), true) = (known, track.seen) {
                // Back although somebody took over: both keep the history, none loses a side.
                self.people[index].heir = None;
                self.people[index].seen = true;
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
                person.seen = false;
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
        for (zone, _) in &mut self.zones {
            zone.tick(time);
        }
        events
    }

    fn zones(&self) -> Vec<ZoneStatus> {
        self.zones.iter().map(|(zone, _)| zone.status()).collect()
    }
}
