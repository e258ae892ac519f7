//! Opening hours: `Mon-Fri 08:00-20:00`. When a camera is watched, and when it is closed on purpose. Pure.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Serialize};

/// The word for a camera that has no hours: it is always open.
pub const ALWAYS: &str = "always";

/// How hours are written.
const HELP: &str = "write days and times, such as 'Mon-Fri 08:00-20:00; Sat,Sun 10:00-18:00'";

/// Most hours in one schedule.
const MOST: usize = 100;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Days looked back and ahead for the next edge: hours may be missing on the day on which clocks are changed.
const BACK: i64 = 2;
const AHEAD: i64 = 16;

const DAYS: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];

/// Opening hours of a week, by the clock on the wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Schedule {
    /// As written.
    text: String,
    hours: Vec<Hours>,
}

/// From a time of some days to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hours {
    /// Bit 0 is Monday.
    days: u8,
    /// Minutes since midnight of the day, `0..DAY`.
    from: u16,
    /// Minutes since that midnight, up to `2 * DAY`: beyond `DAY` it is the next day.
    to: u16,
}

/// Whether it is open at a moment, and from when until when that holds, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Whether it is open.
    pub is_open: bool,
    /// First moment for which that holds.
    pub from: i64,
    /// First moment after it; [`i64::MAX`] where no end is in sight.
    pub until: i64,
}

impl Stretch {
    /// That of a source without hours.
    pub const ALWAYS: Self = Self { is_open: true, from: i64::MIN, until: i64::MAX };

    /// Whether it says something of this moment.
    #[must_use]
    pub const fn holds_at(&self, millis: i64) -> bool {
        self.from <= millis && millis < self.until
    }
}

impl Schedule {
    /// Whether it is open at `millis` (milliseconds since the Unix epoch), where clocks are those of `zone`.
    #[must_use]
    pub fn at(&self, millis: i64, zone: &TimeZone) -> Stretch {
        let now = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
        let today = zone.to_datetime(now).date();
        let day = |days: i64| today.saturating_add(days.days());
        let open = self.open(day(-BACK), day(AHEAD), zone);
        let end = open.last().map_or(i64::MIN, |(_, to)| *to);
        // What was before the days that were searched is not known: a clock that is set back asks again.
        let mut from = millis;
        for (begin, to) in open {
            if millis < begin {
                return Stretch { is_open: false, from, until: begin };
            }
            if millis < to {
                // What goes on to the last day that was searched has no end in sight.
                let until = if to == end && to > millis + (AHEAD - 2) * 86_400_000 { i64::MAX } else { to };
                return Stretch { is_open: true, from: begin, until };
            }
            from = to;
        }
        Stretch { is_open: false, from, until: i64::MAX }
    }

    /// When it is closed from `from` up to but without `to` (milliseconds since the Unix epoch): disjoint, in order.
    #[must_use]
    pub fn closed(&self, from: i64, to: i64, zone: &TimeZone) -> Vec<(i64, i64)> {
        let date = |millis| Timestamp::from_millisecond(millis).map(|at| zone.to_datetime(at).date());
        let (Ok(first), Ok(last)) = (date(from), date(to)) else { return Vec::new() };
        let (first, last) = (first.saturating_sub(BACK.days()), last.saturating_add(BACK.days()));
        let (mut closed, mut at) = (Vec::new(), from);
        for (begin, end) in self.open(first, last, zone) {
            let (begin, end) = (begin.min(to), end.min(to));
            if begin > at {
                closed.push((at, begin));
            }
            at = at.max(end);
        }
        if at < to {
            closed.push((at, to));
        }
        closed
    }

    /// When it is open by what begins from the day `first` to the day `last`: disjoint, in order, in milliseconds since the
    /// Unix epoch.
    fn open(&self, first: Date, last: Date, zone: &TimeZone) -> Vec<(i64, i64)> {
        let mut spans = Vec::new();
        let mut date = first;
        while date <= last {
            let bit = 1 << date.weekday().to_monday_zero_offset();
            for hours in self.hours.iter().filter(|hours| hours.days & bit != 0) {
                let begin = moment(date, hours.from, zone, false);
                let end = moment(date, hours.to, zone, true);
                spans.extend(begin.zip(end).filter(|(begin, end)| begin < end));
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (begin, end) in spans {
            match joined.last_mut().filter(|(_, last)| begin <= *last) {
                Some((_, last)) => *last = end.max(*last),
                None => joined.push((begin, end)),
            }
        }
        joined
    }
}

/// When the clock shows this minute of `date`. A time that comes twice is open both times: it begins with the first and ends
/// with the second. A time that is left out is the moment at which the clock leaves it out.
fn moment(date: Date, minutes: u16, zone: &TimeZone, is_end: bool) -> Option<i64> {
    let (days, minutes) = (i64::from(minutes / DAY), minutes % DAY);
    let date = date.checked_add(days.days()).ok()?;
    let time = Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).ok()?;
    let found = zone.to_ambiguous_timestamp(date.to_datetime(time));
    let at = match found.offset() {
        AmbiguousOffset::Unambiguous { .. } => found.compatible().ok()?,
        AmbiguousOffset::Fold { .. } if is_end => found.later().ok()?,
        AmbiguousOffset::Fold { .. } => found.earlier().ok()?,
        AmbiguousOffset::Gap { .. } => {
            let before = found.earlier().ok()?;
            zone.following(before).next().map_or(before, |change| change.timestamp())
        }
    };
    Some(at.as_millisecond())
}

impl FromStr for Schedule {
    type Err = String;

    /// Reads hours as they are written in the configuration.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Err(format!("there are no hours in it; {HELP}, or '{ALWAYS}'"));
        }
        if parts.len() > MOST {
            return Err(format!("there are {} hours in it, more than {MOST}; {HELP}", parts.len()));
        }
        let mut hours = Vec::new();
        for part in &parts {
            read_part(part, &mut hours)?;
        }
        Ok(Self { text: parts.join("; "), hours })
    }
}

/// Reads `Mon-Fri 08:00-12:00,13:00-18:00`.
fn read_part(part: &str, hours: &mut Vec<Hours>) -> Result<(), String> {
    let mut tight = part.to_owned();
    for sign in ['-', ','] {
        tight = tight.split(sign).map(str::trim).collect::<Vec<_>>().join(&sign.to_string());
    }
    let words: Vec<&str> = tight.split_whitespace().collect();
    let (days, times) = match words[..] {
        [times] if times.starts_with(|sign: char| sign.is_ascii_digit()) => (0b111_1111, times),
        [days, times] => (read_days(days)?, times),
        _ => return Err(format!("'{part}' is not one or more days and then times; {HELP}")),
    };
    for times in times.split(',') {
        let read = times.split_once('-').ok_or_else(|| format!("'{times}' is no time; {HELP}"))?;
        let (from, to) = (read_time(read.0)?, read_time(read.1)?);
        if from == DAY {
            return Err(format!("'{times}' begins with the end of a day; begin with 00:00 of the next day"));
        }
        if from == to {
            return Err(format!("'{times}' ends when it begins; for whole days write 00:00-24:00"));
        }
        // What ends before it begins goes on over midnight, and belongs to the day on which it begins.
        hours.push(Hours { days, from, to: if to < from { to + DAY } else { to } });
    }
    Ok(())
}

fn read_days(text: &str) -> Result<u8, String> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok(0b111_1111);
    }
    let mut days = 0;
    for range in text.split(',') {
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (read_day(first)?, read_day(last)?),
            None => (read_day(range)?, read_day(range)?),
        };
        let mut day = first;
        days |= 1 << day;
        while day != last {
            day = (day + 1) % 7;
            days |= 1 << day;
        }
    }
    Ok(days)
}

/// The number of a day, Monday is 0.
fn read_day(text: &str) -> Result<usize, String> {
    let named =
        |(short, long): &(&str, &str)| text.eq_ignore_ascii_case(short) || text.eq_ignore_ascii_case(long);
    DAYS.iter()
        .position(named)
        .ok_or_else(|| format!("'{text}' is no day; write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily"))
}

/// Minutes since midnight, up to [`DAY`].
fn read_time(text: &str) -> Result<u16, String> {
    let digits = |text: &str, least: usize| {
        let are_digits =
            text.len() <= 2 && text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit());
        are_digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let read = text.split_once(':').and_then(|(hour, minute)| Some((digits(hour, 1)?, digits(minute, 2)?)));
    match read {
        Some((hour @ 0..24, minute @ 0..60)) => Ok(hour * 60 + minute),
        Some((24, 0)) => Ok(DAY),
        _ => Err(format!("'{text}' is no time; write one from 00:00 to 24:00, such as 08:30")),
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Schedule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.text
    }
}

/// When something that is closed opens, for people: the day alone where it is within a week.
#[must_use]
pub fn shown_opening(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let opens = at.to_zoned(zone.clone());
    let format = match at.duration_since(now).as_hours() {
        ..24 => "%H:%M",
        24..144 => "%a %H:%M",
        _ => "%a %Y-%m-%d %H:%M",
    };
    let is_tomorrow = opens.weekday() != now.to_zoned(zone.clone()).weekday();
    let format = if format == "%H:%M" && is_tomorrow { "%a %H:%M" } else { format };
    opens.strftime(format).to_string()
}

/// Whether `weekday` is one of the hours, for tests.
#[cfg(test)]
fn plainly_open(schedule: &Schedule, weekday: jiff::civil::Weekday, minute: u16) -> bool {
    let day = usize::from(weekday.to_monday_zero_offset() as u8);
    schedule.hours.iter().any(|hours| {
        let on = |day: usize| hours.days & (1 << day) != 0;
        let today = on(day) && (hours.from..hours.to).contains(&minute);
        today || on((day + 6) % 7) && (hours.from..hours.to).contains(&(minute + DAY))
    })
}

#[cfg(test)]
mod tests;
