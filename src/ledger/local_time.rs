//! Times of a report, in the time zone that was asked for.

use std::fmt;

use jiff::{Timestamp, Zoned, civil::Date, fmt::strtime, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A time in a time zone. Written as RFC 3339 with the offset, to the second.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, schemars::JsonSchema)]
#[schemars(with = "String")]
pub struct LocalTime(Zoned);

impl LocalTime {
    /// The time `millis` milliseconds after the Unix epoch.
    pub(super) fn new(millis: i64, timezone: &TimeZone) -> Self {
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
        Self(time.to_zoned(timezone.clone()))
    }

    /// The same moment, in no time zone.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp()
    }

    /// The day of the calendar.
    #[must_use]
    pub fn date(&self) -> Date {
        self.0.date()
    }

    /// It with its time zone.
    pub(super) fn zoned(&self) -> &Zoned {
        &self.0
    }

    /// The name of the time zone, or the distance from UTC where it has none.
    pub(super) fn zone(&self) -> String {
        let name = self.0.time_zone().iana_name();
        name.map_or_else(|| self.shown("UTC%:z"), str::to_owned)
    }

    /// It as `format` says, in the notation of `strftime`.
    #[must_use]
    pub fn shown(&self, format: &str) -> String {
        self.0.strftime(format).to_string()
    }
}

impl From<Zoned> for LocalTime {
    fn from(time: Zoned) -> Self {
        Self(time)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S%:z"))
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LocalTime {
    /// With the offset that was written, in no named time zone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = strtime::parse("%Y-%m-%dT%H:%M:%S%:z", &text).and_then(|read| read.to_zoned());
        read.map(Self).map_err(de::Error::custom)
    }
}
