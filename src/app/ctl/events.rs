//! `ctl events`: what happens, a line each.

use std::io::{self, Write as _};

use jiff::{Timestamp, tz::TimeZone};

use super::super::failure::{DONE, Failure};
use crate::{
    model::{Event, EventKind, StateKind},
    remote::{Client, EventStream, Happened},
};

/// How what happens is printed.
pub struct Form {
    pub timezone: TimeZone,
    pub is_json: bool,
}

/// A wall time in milliseconds since the Unix epoch, as people write it in this zone.
pub fn time(wall: i64, timezone: &TimeZone) -> String {
    let time = Timestamp::from_millisecond(wall).unwrap_or_default().to_zoned(timezone.clone());
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Prints what happens until the engine ends.
pub fn follow(
    client: &Client,
    source: Option<&str>,
    after: Option<&str>,
    form: &Form,
) -> Result<u8, Failure> {
    let mut stream = EventStream::open(client, after)?;
    let mut out = io::stdout().lock();
    loop {
        let happened = match stream.next() {
            Ok(Some(happened)) => happened,
            Ok(None) => return Ok(DONE),
            Err(error) => return Err(error.into()),
        };
        match happened {
            Happened::Event(event) if source.is_none_or(|source| *event.source == *source) => {
                if form.is_json {
                    let mut line = serde_json::to_value(&event)?;
                    line["id"] = stream.last().into();
                    writeln!(out, "{line}")?;
                } else {
                    writeln!(out, "{}", sentence(&event, &form.timezone))?;
                }
            }
            Happened::Event(_) => {}
            Happened::Gap(gap) if form.is_json => writeln!(out, "{{\"gap\":{gap}}}")?,
            Happened::Gap(gap) => writeln!(out, "events are missing here: {gap}")?,
        }
        out.flush()?;
    }
}

fn sentence(event: &Event, timezone: &TimeZone) -> String {
    let wall = Timestamp::try_from(event.wall).map_or(0, Timestamp::as_millisecond);
    let what = match &event.kind {
        EventKind::Crossing { line, direction, track, .. } => {
            format!("{} over '{line}' (track {track})", direction.word())
        }
        EventKind::Suppressed { line, direction, reason, track, .. } => {
            format!("not counted: {} over '{line}' (track {track}): {}", direction.word(), reason.words())
        }
        EventKind::State { state, error } => match error {
            Some(error) => format!("{}: {error}", state_word(*state)),
            None => state_word(*state),
        },
        EventKind::Threshold { zone, over, current, limit } => {
            let whose = zone.as_ref().map_or(String::new(), |zone| format!("zone '{zone}' "));
            format!("{whose}{} its limit: {current} of {limit}", if *over { "at" } else { "below" })
        }
        EventKind::Area(event) => event.words(),
        other => serde_json::to_value(other)
            .ok()
            .and_then(|value| value["type"].as_str().map(|word| word.replace('_', " ")))
            .unwrap_or_default(),
    };
    format!("{} {}: {what}", time(wall, timezone), event.source)
}

fn state_word(state: StateKind) -> String {
    state.word().to_lowercase()
}
