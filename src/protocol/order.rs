//! What can be asked of an engine, as one tagged JSON object.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    config::{
        SourceConfig,
        edit::{entry_of, shapes_of},
    },
    engine::{
        Control, SourceCommand,
        commands::{Pause, SetLines},
    },
    model::{AlertKind, SourceId},
};

/// A source as an entry of `cameras` or `videos` in the configuration file, with the same keys.
pub type ConfigEntry = Map<String, Value>;

/// Something that is asked of an engine: `{"do": "pause", "source": "gate"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
// Braces without fields: serde passes over what it does not know beside a variant that has none.
pub enum Order {
    /// Stop reading a source; its counts stay.
    Pause {
        /// Its id.
        source: SourceId,
    },
    /// Go on reading a source.
    Resume {
        /// Its id.
        source: SourceId,
    },
    /// Stop reading every source.
    PauseAll {},
    /// Go on reading every source.
    ResumeAll {},
    /// Reconnect a source now: ends a countdown; a video is read from its start with its counts at zero.
    Restart {
        /// Its id.
        source: SourceId,
    },
    /// Set the counts of a source to zero.
    Reset {
        /// Its id.
        source: SourceId,
    },
    /// Stop and forget a source, until the configuration is read again.
    Remove {
        /// Its id.
        source: SourceId,
    },
    /// Add a source.
    Add {
        /// The source, as an entry of the configuration file; paths are absolute.
        entry: ConfigEntry,
    },
    /// Replace the lines, zones and ignored regions of a source; counts of lines that keep their name are kept.
    Lines {
        /// Its id.
        source: SourceId,
        /// `lines`, `zones` and `ignore`, as an entry of the configuration file holds them. Without `lines` there is one across the
        /// middle, without `zones` there are none; without `ignore` the ignored regions stay as they are.
        shapes: ConfigEntry,
    },
    /// Acknowledge an alert of a source; forgotten when the alert is over.
    Acknowledge {
        /// Its id.
        source: SourceId,
        /// What is wrong with it.
        kind: AlertKind,
    },
    /// So many people are inside an area.
    Area {
        /// Its name.
        area: String,
        /// How many.
        inside: u64,
    },
    /// Workers that may run at once, from 1 to `max_workers`.
    Workers {
        /// How many; of a number outside, the nearest one.
        count: usize,
    },
}

impl Order {
    /// The order that `control` is; `None` for previews, which are asked for by fetching them.
    #[must_use]
    pub fn of(control: Control) -> Option<Self> {
        Some(match control {
            Control::Source(source, command) => match command {
                SourceCommand::Pause(Pause(true)) => Self::Pause { source },
                SourceCommand::Pause(Pause(false)) => Self::Resume { source },
                SourceCommand::Restart(_) => Self::Restart { source },
                SourceCommand::ResetCounts(_) => Self::Reset { source },
                SourceCommand::SetLines(SetLines { lines, zones, ignore }) => {
                    Self::Lines { source, shapes: shapes_of(&lines, &zones, ignore.as_deref()) }
                }
                SourceCommand::Preview(_) => return None,
            },
            Control::PauseAll(true) => Self::PauseAll {},
            Control::PauseAll(false) => Self::ResumeAll {},
            Control::Remove(source) => Self::Remove { source },
            Control::Add(source) => Self::Add { entry: entry_of(&source) },
            Control::Acknowledge { source, kind, .. } => Self::Acknowledge { source, kind },
            Control::SetArea { area, inside, .. } => Self::Area { area, inside },
            Control::SetWorkers(count) => Self::Workers { count },
        })
    }

    /// The control that it is.
    ///
    /// # Errors
    /// Everything that is wrong with an entry.
    pub fn control(self) -> Result<Control, String> {
        Ok(match self {
            Self::Pause { source } => Control::pause(source),
            Self::Resume { source } => Control::resume(source),
            Self::PauseAll {} => Control::PauseAll(true),
            Self::ResumeAll {} => Control::PauseAll(false),
            Self::Restart { source } => Control::restart(source),
            Self::Reset { source } => Control::reset_counts(source),
            Self::Remove { source } => Control::Remove(source),
            Self::Add { entry } => Control::Add(Box::new(SourceConfig::from_entry(&entry)?)),
            Self::Lines { source, shapes } => Control::Source(source, lines_of(shapes)?.into()),
            // Who asked is known where it was asked.
            Self::Acknowledge { source, kind } => Control::Acknowledge { source, kind, who: String::new() },
            Self::Area { area, inside } => Control::SetArea { area, inside, who: String::new() },
            Self::Workers { count } => Control::SetWorkers(count),
        })
    }
}

/// The lines, zones and, where they are given, ignored regions of an entry.
///
/// # Errors
/// Everything that is wrong with them.
pub fn lines_of(mut shapes: ConfigEntry) -> Result<SetLines, String> {
    if let Some(other) = shapes.keys().find(|key| !["lines", "zones", "ignore"].contains(&key.as_str())) {
        return Err(format!("'{other}' is none of 'lines', 'zones' and 'ignore'"));
    }
    // An older dashboard knows of no ignored regions, and does not mean to remove them.
    let is_ignore_given = shapes.get("ignore").is_some_and(|regions| !regions.is_null());
    // What they belong to does not matter for whether they are right.
    shapes.insert("camera_id".into(), Value::from("source"));
    shapes.insert("source".into(), Value::from("0"));
    let SourceConfig { lines, zones, ignore, .. } = SourceConfig::from_entry(&shapes)?;
    Ok(SetLines { lines, zones, ignore: is_ignore_given.then_some(ignore) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        geometry::Anchor,
        model::{Drawn, LineConfig, ZoneConfig},
    };

    #[test]
    fn every_order_is_the_control_that_it_came_from() {
        let line =
            LineConfig { name: "${door}".into(), a: [0.25, 0.5], b: [0.75, 0.5], anchor: Anchor::Foot };
        let zone = ZoneConfig {
            name: "hall".into(),
            points: vec![[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]],
            anchor: Anchor::Head,
            threshold: Some(5),
        };
        let text = "rtsp://admin:p%40ss$%7BX@cam.lan/1?token=t0psecret";
        let mut added = SourceConfig::from_source_string(text, &BTreeSet::new()).unwrap();
        added.alias = "Gate ${1}".into();
        added.lines = vec![line.clone()];
        let region = vec![[0.25, 0.5], [0.75, 0.5], [0.75, 1.0]];
        added.ignore = vec![region.clone()];
        for control in [
            Control::pause("a".into()),
            Control::resume("a".into()),
            Control::restart("a".into()),
            Control::reset_counts("a".into()),
            Control::PauseAll(true),
            Control::PauseAll(false),
            Control::Remove("a".into()),
            Control::SetWorkers(3),
            Control::SetArea { area: "hall".into(), inside: 12, who: String::new() },
            Control::Acknowledge { source: "a".into(), kind: AlertKind::Flapping, who: String::new() },
            Control::set_lines("a".into(), vec![line.clone()], vec![zone.clone()]),
            Control::set_drawn(
                "a".into(),
                Drawn { lines: vec![line.clone()], zones: vec![zone], ignore: vec![region.clone()] },
            ),
            Control::set_drawn("a".into(), Drawn { lines: vec![line], ..Drawn::default() }),
            Control::Add(Box::new(added)),
            Control::Add(Box::new(SourceConfig::from_source_string("/v/a.mp4", &BTreeSet::new()).unwrap())),
        ] {
            let json = serde_json::to_string(&Order::of(control.clone()).unwrap()).unwrap();
            let back = serde_json::from_str::<Order>(&json).unwrap().control().unwrap();
            assert_eq!(back, control, "{json}");
        }
        assert_eq!(Order::of(Control::preview("a".into(), true)), None);
    }

    #[test]
    fn what_is_wrong_with_an_entry_is_said_as_of_a_file() {
        let order = |json: &str| serde_json::from_str::<Order>(json).unwrap().control().unwrap_err();
        let said =
            order(r#"{"do": "add", "entry": {"camera_id": "a", "source": "rstp://x", "thresold": 3}}"#);
        assert!(said.contains("did you mean 'rtsp'") && said.contains("thresold"), "{said}");
        let said = order(
            r#"{"do": "lines", "source": "a", "shapes": {"lines": [{"name": "l", "a": [9, 9], "b": [0, 0]}]}}"#,
        );
        assert!(said.contains("lines[0]"), "{said}");
        let said = order(r#"{"do": "lines", "source": "a", "shapes": {"ignore": [[[0, 0], [1, 1]]]}}"#);
        assert!(said.contains("ignore[0]") && said.contains("at least three"), "{said}");
        let said = order(r#"{"do": "add", "entry": {"camera_id": "a", "source": "rtsp://u:hunter2@"}}"#);
        assert!(!said.contains("hunter2"), "{said}");
    }
}
