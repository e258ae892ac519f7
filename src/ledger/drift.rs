//! Whether in and out of closed places agree. Pure: a report by days in, days out.
//!
//! Where the people who go in come out on the same day, the difference of a whole day is an error of the counts, whatever was
//! missed both ways.

use super::report::{Drift, Report, SourceReport};

/// Share of the larger one of in and out from which they part.
pub const SHARE: f64 = 0.1;

/// Least difference that is said: a few crossings are wrong anywhere.
pub const LEAST: u64 = 10;

/// Share of a day in which each source must have been watched.
pub const WATCHED: f64 = 0.95;

/// Days on which in and out of `places` part: names of closed places, and the ids of the sources over which they are entered
/// and left. `days` is a report by days; days that were not watched whole, at all of these sources, tell nothing.
#[must_use]
pub fn drifts(days: &Report, places: &[(String, Vec<String>)]) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for (place, ids) in places {
        let of = |id: &String| days.sources.iter().find(|source| source.camera_id == *id);
        let Some(sources) = ids.iter().map(of).collect::<Option<Vec<&SourceReport>>>() else { continue };
        let Some((first, others)) = sources.split_first() else { continue };
        for row in &first.rows {
            let is_whole = row.start.date() != row.end.date() && row.end <= days.until;
            let same =
                |source: &&SourceReport| source.rows.iter().find(|other| other.start == row.start).cloned();
            let Some(mut rows) = others.iter().map(same).collect::<Option<Vec<_>>>() else { continue };
            rows.push(row.clone());
            if !is_whole || rows.iter().any(|row| row.coverage < WATCHED) {
                continue;
            }
            let (total_in, total_out) =
                rows.iter().fold((0, 0), |(i, o), row| (i + row.total_in, o + row.total_out));
            let (apart, larger) = (total_in.abs_diff(total_out), total_in.max(total_out));
            let share = apart as f64 / larger.max(1) as f64;
            if apart >= LEAST && share > SHARE {
                let (place, day) = (place.clone(), row.start.clone());
                drifts.push(Drift { place, day, total_in, total_out, share });
            }
        }
    }
    drifts
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        ledger::{
            local_time::LocalTime,
            report::{PeriodCounts, Step},
        },
        model::Total,
    };

    const DAY: i64 = 86_400_000;

    fn row(day: i64, length: i64, (total_in, total_out): (u64, u64), coverage: f64) -> PeriodCounts {
        let time = |millis: i64| LocalTime::new(millis, &TimeZone::UTC);
        let net = total_in as i64 - total_out as i64;
        let (start, end) = (time(day * DAY), time(day * DAY + length));
        PeriodCounts {
            start,
            end,
            total_in,
            total_out,
            net,
            occupancy: 0,
            peak_occupancy: 0,
            coverage,
            closed: 0.0,
        }
    }

    fn source(camera_id: &str, rows: Vec<PeriodCounts>) -> SourceReport {
        SourceReport {
            camera_id: camera_id.into(),
            total_in: 0,
            total_out: 0,
            net: 0,
            lines: Vec::new(),
            doubt: None,
            audit: None,
            occupancy: 0,
            peak_hour: None,
            coverage: 1.0,
            closed: 0.0,
            closed_times: Vec::new(),
            gaps: Vec::new(),
            rows,
        }
    }

    fn found(sources: Vec<SourceReport>, ids: &[&str]) -> Vec<(String, u64, u64)> {
        let time = |millis: i64| LocalTime::new(millis, &TimeZone::UTC);
        let total = Total { total_in: 0, total_out: 0, net: 0 };
        let (since, until, clock_changes) = (time(0), time(10 * DAY), Vec::new());
        let (by, drifts, peak_hour) = (Step::Day, Vec::new(), None);
        let areas = Vec::new();
        let days = Report { since, until, by, sources, total, peak_hour, areas, drifts, clock_changes };
        let places = [("shop".to_owned(), ids.iter().map(|id| (*id).to_owned()).collect())];
        let drifts = super::drifts(&days, &places);
        drifts.into_iter().map(|drift| (drift.day.shown("%d"), drift.total_in, drift.total_out)).collect()
    }

    #[test]
    fn a_day_on_which_more_go_in_than_come_out_is_said() {
        let days = vec![
            row(0, DAY, (100, 95), 1.0),
            row(1, DAY, (100, 89), 1.0),
            row(2, DAY, (89, 100), 0.96),
            row(3, DAY, (20, 11), 1.0),
        ];
        assert_eq!(
            found(vec![source("one", days)], &["one"]),
            [("02".into(), 100, 89), ("03".into(), 89, 100)]
        );
    }

    #[test]
    fn days_that_were_not_watched_or_are_not_over_tell_nothing() {
        let days = vec![row(0, DAY, (100, 50), 0.9), row(1, DAY / 2, (100, 50), 1.0)];
        assert!(found(vec![source("one", days)], &["one"]).is_empty());
    }

    #[test]
    fn the_doors_of_a_place_are_taken_together_and_all_must_have_been_watched() {
        let door = |counts: (u64, u64)| vec![row(0, DAY, counts, 1.0)];
        let sources = || vec![source("front", door((100, 40))), source("back", door((20, 80)))];
        assert!(found(sources(), &["front", "back"]).is_empty());
        assert_eq!(found(sources(), &["front"]), [("01".into(), 100, 40)]);
        assert!(found(sources(), &["front", "cellar"]).is_empty(), "nothing is known of the cellar");
    }
}
