//! How many people are inside each area. The result handler owns it: corrections have their place among the crossings, and
//! what the ledger writes down is what is shown.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use jiff::{Timestamp, ToSpan as _, civil::Time, tz::TimeZone};

use crate::{
    clock::Clock,
    config::AreaConfig,
    evidence::millis,
    model::{
        AreaEvent, AreaLine, AreaRecord, AreaSnapshot, CorrectionReason, Direction, Drift, Event, EventKind,
    },
};

/// Nobody must have crossed for this long before the number inside is reset.
const QUIET: Duration = Duration::from_mins(1);

/// From this long after the quiet hour on, in milliseconds, the number is reset also while people cross.
const LATEST: i64 = 30 * 60_000;

/// Where a correction lies further ahead than this, in milliseconds, the clock is wrong or was wrong then.
const AHEAD: i64 = 25 * 3_600_000;

/// A clock that has lagged this long behind a correction is right. Before that it may be one that begins in the past at power-on
/// and is about to be set.
const BEHIND: Duration = Duration::from_hours(1);

/// What is shown of the areas.
pub type ShownAreas = ArcSwap<Vec<AreaSnapshot>>;

/// All areas. Crossings, corrections and the time come in, events come out.
pub struct Areas {
    clock: Arc<dyn Clock>,
    zone: TimeZone,
    counted: Vec<Area>,
    /// Of areas that are not counted: they go on from there when they come back.
    records: Vec<AreaRecord>,
    shown: Arc<ShownAreas>,
    generation: Arc<AtomicU64>,
}

struct Area {
    config: AreaConfig,
    base: i64,
    total_in: u64,
    total_out: u64,
    known: i64,
    corrected: Option<i64>,
    /// The quiet hours up to here, in wall time, are dealt with.
    settled: i64,
    corrections: VecDeque<(i64, i64, u64)>,
    is_over: bool,
    /// The last crossing; before the first one, when counting began.
    crossed: Instant,
    /// Since when, also in wall time, the clock has lagged far behind what is settled.
    behind: Option<(Instant, i64)>,
}

impl Areas {
    /// No areas yet; those that come under a name of `records` go on from there. Quiet hours are those of `zone`.
    pub fn new(
        clock: Arc<dyn Clock>,
        zone: TimeZone,
        records: Vec<AreaRecord>,
        generation: Arc<AtomicU64>,
    ) -> Self {
        Self { clock, zone, counted: Vec::new(), records, shown: Arc::default(), generation }
    }

    /// What is shown, which follows by itself.
    pub fn shown(&self) -> Arc<ShownAreas> {
        Arc::clone(&self.shown)
    }

    fn wall(&self) -> i64 {
        millis(self.clock.wall())
    }

    fn made(&self, area: &str, event: AreaEvent) -> Event {
        tracing::info!("Area '{area}': {}", event.words());
        Event::new(self.clock.wall(), area, EventKind::Area(event))
    }

    fn publish(&self) {
        self.shown.store(Arc::new(self.counted.iter().map(Area::shown).collect()));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// From now on these are the areas. Of an area that stays, the number inside stays; a line that joins counts from now
    /// on. Gives what has changed.
    pub fn set(&mut self, wanted: Vec<AreaConfig>) -> Vec<Event> {
        let (wall, now) = (self.wall(), self.clock.now());
        let mut events = Vec::new();
        let mut before = std::mem::take(&mut self.counted);
        for config in wanted {
            let (name, lines) = (config.name.clone(), config.lines.clone());
            let runs = before.iter().position(|area| area.config.name == name);
            let area = if let Some(place) = runs {
                let mut area = before.swap_remove(place);
                let is_changed = area.config.lines != lines;
                if area.config.reset != config.reset {
                    // Not at once, because a quiet hour is now one that was before.
                    area.settled = area.settled.max(wall);
                }
                area.config = config;
                (area, is_changed)
            } else {
                let known = self.records.iter().position(|record| record.name == name);
                let record = known.map(|place| self.records.swap_remove(place));
                let is_changed = record.as_ref().is_none_or(|record| record.lines != lines);
                (Area::new(config, record.unwrap_or_default(), wall, now), is_changed)
            };
            let (area, is_changed) = area;
            if is_changed {
                events.push(self.made(&name, AreaEvent::Lines { lines }));
            }
            self.counted.push(area);
        }
        self.records.extend(before.into_iter().map(Area::into_record));
        for index in 0..self.records.len() {
            if !std::mem::take(&mut self.records[index].lines).is_empty() {
                let name = self.records[index].name.clone();
                events.push(self.made(&name, AreaEvent::Lines { lines: Vec::new() }));
            }
        }
        for index in 0..self.counted.len() {
            events.extend(self.check(index));
        }
        self.publish();
        events
    }

    /// Counts a crossing; gives what comes of it.
    pub fn event(&mut self, event: &Event) -> Vec<Event> {
        let EventKind::Crossing { line, direction, .. } = &event.kind else { return Vec::new() };
        let now = self.clock.now();
        let mut changed = Vec::new();
        for (index, area) in self.counted.iter_mut().enumerate() {
            let Some(of) = AreaLine::find(&area.config.lines, &event.source, line) else { continue };
            match of.seen(*direction) {
                Direction::In => area.total_in += 1,
                Direction::Out => area.total_out += 1,
            }
            area.crossed = now;
            changed.push(index);
        }
        if changed.is_empty() {
            return Vec::new();
        }
        let events = changed.into_iter().filter_map(|index| self.check(index)).collect();
        self.publish();
        events
    }

    /// Corrects the number inside; `None` where there is no such area.
    pub fn correct(
        &mut self,
        name: &str,
        after: i64,
        reason: CorrectionReason,
        who: String,
    ) -> Option<Vec<Event>> {
        let index = self.counted.iter().position(|area| area.config.name == name)?;
        let wall = self.wall();
        let area = &mut self.counted[index];
        let (before, total_in, total_out) = (area.inside(), area.total_in, area.total_out);
        // Before the first one nobody knew how many were inside: it tells nothing of the counting.
        if area.corrected.is_some() {
            area.corrections.push_back((before, after, total_in));
        }
        while area.corrections.len() > Drift::MOST {
            area.corrections.pop_front();
        }
        (area.base, area.total_in, area.total_out) = (after, 0, 0);
        area.corrected = Some(wall);
        // Also after the clock was set back there is no second reset for the same hour.
        area.settled = area.settled.max(wall);
        area.behind = None;
        let corrected = AreaEvent::Corrected { before, after, total_in, total_out, reason, who };
        let mut events = vec![self.made(name, corrected)];
        events.extend(self.check(index));
        self.publish();
        Some(events)
    }

    /// Resets what is due by now; gives what comes of it. To be called several times a minute.
    pub fn tick(&mut self) -> Vec<Event> {
        let (wall, now) = (self.wall(), self.clock.now());
        self.counted.iter_mut().for_each(|area| area.doubt(wall, now));
        let due = self.counted.iter().filter(|area| area.is_due(wall, now, &self.zone));
        let due: Vec<String> = due.map(|area| area.config.name.clone()).collect();
        let reset = |name: String| self.correct(&name, 0, CorrectionReason::Reset, String::new());
        due.into_iter().filter_map(reset).flatten().collect()
    }

    /// Notes whether an area is over its threshold; gives the event where that has changed.
    fn check(&mut self, index: usize) -> Option<Event> {
        let area = &mut self.counted[index];
        let inside = area.inside();
        let over = area.config.threshold.is_some_and(|limit| {
            // Well below, so that a few people who come and go are no series of alerts.
            inside >= if area.is_over { limit - limit / 20 } else { limit }
        });
        let was = std::mem::replace(&mut area.is_over, over);
        let limit = area.config.threshold?;
        let name = area.config.name.clone();
        (was != over).then(|| self.made(&name, AreaEvent::Threshold { over, inside, limit }))
    }
}

impl Area {
    fn new(config: AreaConfig, record: AreaRecord, wall: i64, now: Instant) -> Self {
        let known = if record.known == 0 { wall } else { record.known };
        // The quiet hour may be new: only one that reset the area before makes up for what it missed.
        let settled = match record.reset {
            Some(reset) => record.corrected.unwrap_or(reset).max(reset),
            None => wall,
        };
        Self {
            config,
            base: record.base,
            total_in: record.total_in,
            total_out: record.total_out,
            known,
            corrected: record.corrected,
            settled,
            corrections: record.corrections.into(),
            is_over: false,
            crossed: now,
            behind: None,
        }
    }

    fn inside(&self) -> i64 {
        self.base + self.total_in as i64 - self.total_out as i64
    }

    fn into_record(self) -> AreaRecord {
        AreaRecord {
            name: self.config.name,
            base: self.base,
            total_in: self.total_in,
            total_out: self.total_out,
            known: self.known,
            corrected: self.corrected,
            // Without a quiet hour none is dealt with: one that it comes back with is new.
            reset: self.config.reset.map(|_| self.settled),
            corrections: self.corrections.into(),
            lines: self.config.lines,
        }
    }

    fn shown(&self) -> AreaSnapshot {
        AreaSnapshot {
            name: self.config.name.clone(),
            inside: self.inside(),
            total_in: self.total_in,
            total_out: self.total_out,
            capacity: self.config.capacity,
            threshold: self.config.threshold,
            is_over: self.is_over,
            corrected: self.corrected,
            known: self.known,
            drift: Drift::of(self.corrections.iter().copied()),
            lines: self.config.lines.clone(),
        }
    }

    /// Gives up what a clock that was far ahead has settled, once the clock has shown less for long enough.
    fn doubt(&mut self, wall: i64, now: Instant) {
        if self.settled <= wall.saturating_add(AHEAD) {
            self.behind = None;
            return;
        }
        let (since, then) = *self.behind.get_or_insert((now, wall));
        if now.saturating_duration_since(since) >= BEHIND {
            (self.settled, self.behind) = (then, None);
        }
    }

    fn is_due(&self, wall: i64, now: Instant, zone: &TimeZone) -> bool {
        let Some(hour) = self.config.reset.and_then(|time| latest(time, wall, zone)) else { return false };
        let is_quiet = now.saturating_duration_since(self.crossed) >= QUIET;
        self.settled < hour && (is_quiet || wall - hour >= LATEST)
    }
}

/// When it was last this time of the day in `zone`, at `wall` or before; both in milliseconds since the Unix epoch. A time that
/// a change of the clocks leaves out comes as much later as they are set ahead; of one that comes twice it is the first.
fn latest(time: Time, wall: i64, zone: &TimeZone) -> Option<i64> {
    let now = Timestamp::from_millisecond(wall).ok()?.to_zoned(zone.clone());
    let of = |date: jiff::civil::Date| {
        let moment = date.to_datetime(time).to_zoned(zone.clone()).ok()?;
        Some(moment.timestamp().as_millisecond())
    };
    let today = of(now.date())?;
    if today <= wall { Some(today) } else { of(now.date().checked_sub(1.day()).ok()?) }
}

#[cfg(test)]
mod tests;
