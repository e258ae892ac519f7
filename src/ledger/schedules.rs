//! Opening hours as they were: each row holds for a source from its time on, until the next one does.
//!
//! From them a report tells what was not watched on purpose, also for the time in which the program did not run.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use rusqlite::{Connection, params};

use super::span::Span;
use crate::{config::Schedule, model::SourceId};

/// The hours of a source from a time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// From when on, in milliseconds since the Unix epoch.
    pub from: i64,
    /// As written in the configuration; empty is always.
    pub schedule: String,
    /// Time zone; empty where it has no name.
    pub timezone: String,
}

/// The hours that hold now, by source.
#[derive(Debug, Default)]
pub struct Known {
    /// What the file holds, and what was told since.
    now: BTreeMap<SourceId, Hours>,
    /// Sources that have told theirs in this run.
    told: std::collections::BTreeSet<SourceId>,
}

impl Known {
    /// What the file held when it was opened.
    pub fn learn(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for (source, hours) in read(connection, None)? {
            if !self.told.contains(&source) {
                self.now.insert(source, hours);
            }
        }
        Ok(())
    }

    /// A source has told its hours; gives them where they are others than before.
    pub fn tell(&mut self, source: &SourceId, hours: Hours) -> Option<Hours> {
        self.told.insert(source.clone());
        let same = |known: &Hours| known.schedule == hours.schedule && known.timezone == hours.timezone;
        let is_known = self.now.get(source).map_or(hours.schedule.is_empty(), same);
        if is_known {
            return None;
        }
        self.now.insert(source.clone(), hours.clone());
        Some(hours)
    }

    /// A source has changed its state. One that has not told its hours before has none, which is given where it had some.
    pub fn state(&mut self, source: &SourceId, wall: i64) -> Option<Hours> {
        let has_told = self.told.contains(source);
        let always = || Hours { from: wall, schedule: String::new(), timezone: String::new() };
        let had_some = self.now.get(source).is_some_and(|hours| !hours.schedule.is_empty());
        if has_told || !had_some { None } else { self.tell(source, always()) }
    }

    /// All that were told in this run, for a file that may not hold them.
    pub fn told(&self) -> impl Iterator<Item = (&SourceId, &Hours)> {
        self.now.iter().filter(|(source, _)| self.told.contains(*source))
    }
}

/// Writes a row, unless it is there.
pub fn write(change: &Connection, source: &str, hours: &Hours) -> rusqlite::Result<()> {
    change
        .prepare_cached(
            "INSERT INTO schedules SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM schedules \
             WHERE from_ms = ?1 AND source = ?2 AND schedule = ?3 AND timezone = ?4)",
        )?
        .execute(params![hours.from, source, hours.schedule, hours.timezone])
        .map(drop)
}

/// The rows of one source or of all, in the order in which they were written.
pub fn read(connection: &Connection, source: Option<&str>) -> rusqlite::Result<Vec<(SourceId, Hours)>> {
    let mut query = connection.prepare_cached(
        "SELECT source, from_ms, schedule, timezone FROM schedules WHERE ?1 IS NULL OR source = ?1 ORDER BY rowid",
    )?;
    let rows = query.query_map([source], |row| {
        let hours = Hours { from: row.get(1)?, schedule: row.get(2)?, timezone: row.get(3)? };
        Ok((SourceId::from(row.get::<_, String>(0)?), hours))
    })?;
    rows.collect()
}

/// When a source with these `hours`, in the order in which they were written, was closed within `span`: disjoint, in order.
/// Zones without a name are `zone`.
pub fn closed(hours: &[Hours], span: Span, zone: &TimeZone) -> Vec<Span> {
    let mut closed = Vec::new();
    for (at, row) in hours.iter().enumerate() {
        // A clock that was set back: what was told later holds.
        let until = hours[at + 1..].iter().map(|next| next.from).min().unwrap_or(i64::MAX);
        let part = Span { from: row.from, to: until }.intersection(span);
        let Ok(schedule) = row.schedule.parse::<Schedule>() else { continue };
        if part.length() > 0 {
            let named = TimeZone::get(&row.timezone).ok();
            let spans = schedule.closed(part.from, part.to, named.as_ref().unwrap_or(zone));
            closed.extend(spans.into_iter().map(|(from, to)| Span { from, to }));
        }
    }
    closed
}

/// What is in `spans` and not in `without`; both disjoint and in order.
pub fn minus(spans: &[Span], without: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    for span in spans {
        let mut from = span.from;
        for cut in without.iter().filter(|cut| cut.to > span.from && cut.from < span.to) {
            if cut.from > from {
                left.push(Span { from, to: cut.from });
            }
            from = from.max(cut.to);
        }
        if from < span.to {
            left.push(Span { from, to: span.to });
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn hours(from: i64, schedule: &str) -> Hours {
        Hours { from, schedule: schedule.into(), timezone: "UTC".into() }
    }

    #[test]
    fn hours_hold_until_others_do() {
        // 1970-01-01 is a Thursday.
        let rows =
            [hours(0, "daily 08:00-20:00"), hours(48 * HOUR, ""), hours(72 * HOUR, "daily 10:00-12:00")];
        let found = closed(&rows, Span { from: -24 * HOUR, to: 96 * HOUR }, &TimeZone::UTC);
        let found: Vec<(i64, i64)> = found.iter().map(|span| (span.from / HOUR, span.to / HOUR)).collect();
        assert_eq!(found, [(0, 8), (20, 32), (44, 48), (72, 82), (84, 96)]);
    }

    #[test]
    fn hours_are_noted_once_and_again_only_when_they_change() {
        let mut known = Known::default();
        let door = SourceId::from("door");
        assert_eq!(known.tell(&door, hours(1, "")), None, "always is what nobody needs to note");
        assert!(known.tell(&door, hours(2, "daily 08:00-20:00")).is_some());
        assert_eq!(known.tell(&door, hours(3, "daily 08:00-20:00")), None);
        assert_eq!(known.state(&door, 4), None, "it has told its hours");
        // The next run.
        let mut next = Known { now: known.now.clone(), ..Known::default() };
        assert_eq!(next.tell(&door, hours(5, "daily 08:00-20:00")), None);
        let mut without = Known { now: known.now, ..Known::default() };
        let always = without.state(&door, 6).expect("it has no hours any more");
        assert_eq!((always.from, always.schedule.as_str()), (6, ""));
        assert_eq!(without.state(&door, 7), None);
    }

    #[test]
    fn what_is_left_of_a_time_is_what_was_not_cut_out() {
        let span = |from, to| Span { from, to };
        let left = minus(&[span(0, 10), span(20, 30)], &[span(-5, 2), span(4, 6), span(9, 21), span(29, 40)]);
        assert_eq!(left, [span(2, 4), span(6, 9), span(21, 29)]);
        assert_eq!(minus(&[span(0, 10)], &[]), [span(0, 10)]);
        assert_eq!(minus(&[span(0, 10)], &[span(0, 10)]), []);
    }
}
