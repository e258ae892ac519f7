//! Which crossings the screen opens with.

use jiff::{ToSpan as _, civil::Date};

use super::state::Crossings;
use crate::{host::crossings::CrossingsQuery, model::SourceId, tui::context::Context};

const DAY: i64 = 24 * 3_600_000;

/// Crossings with strips of the last 24 hours of a source, from the last before `at` (milliseconds since the Unix epoch) on.
#[must_use]
pub fn of_last_day(context: &Context, source: SourceId, at: Option<i64>) -> Crossings {
    let now = context.clock().wall.timestamp().as_millisecond();
    let title = format!("{}, the last 24 hours", context.name_of(&source));
    let (since, until) = (now - DAY, i64::MAX);
    Crossings::awaited(CrossingsQuery {
        source: Some(source),
        line: None,
        since,
        until,
        at_random: false,
        title,
        at,
    })
}

/// A random sample of the crossings of a day, of one source or of all.
#[must_use]
pub fn sample_of(context: &Context, source: Option<SourceId>, day: Date) -> Crossings {
    let (since, until) = (midnight(context, day), midnight(context, day.saturating_add(1.day())));
    let whose = source.as_ref().map_or_else(|| "all sources".to_owned(), |source| context.name_of(source));
    let title = format!("{whose}, {}", day.strftime("%A %-d %B"));
    Crossings::awaited(CrossingsQuery { source, line: None, since, until, at_random: true, title, at: None })
}

/// The begin of a day in the zone of the screens, in milliseconds since the Unix epoch.
#[must_use]
pub fn midnight(context: &Context, day: Date) -> i64 {
    let begin = day.to_zoned(context.clock().wall.time_zone().clone());
    begin.map_or(0, |begin| begin.timestamp().as_millisecond())
}
