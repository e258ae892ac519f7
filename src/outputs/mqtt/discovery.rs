//! What Home Assistant is told of cameras, lines and areas, so that it shows them by itself: one device a camera, and one for
//! the program with its areas. The form is that of its device discovery, `homeassistant/device/ID/config`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use serde_json::{Value, json};

use super::{retained::Wanted, topics::Topics};
use crate::{
    config::MqttConfig,
    model::{EngineSnapshot, SourceId, StateKind},
};

/// What its topics begin with.
pub(super) const BEGINNING: &str = "homeassistant/";

/// Where it says that it is there.
pub(super) const STATUS: &str = "homeassistant/status";

/// What a device is made of; the discovery changes only with it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Camera { id: SourceId, name: String, location: Option<String>, lines: Vec<String> },
    Program { areas: Vec<String> },
}

/// Discovery, made again only where something has come or gone.
pub(super) struct Discovery {
    topics: Topics,
    prefix: String,
    commands: bool,
    shapes: Vec<Shape>,
    /// Components that were ever told, by device: one that is gone has to be named to go from Home Assistant, too.
    told: BTreeMap<String, BTreeMap<String, &'static str>>,
    made: Wanted,
}

impl Discovery {
    /// Nothing is told yet.
    pub fn new(config: &MqttConfig) -> Self {
        Self {
            topics: Topics::new(&config.prefix),
            prefix: config.prefix.clone(),
            commands: config.commands,
            shapes: Vec::new(),
            told: BTreeMap::new(),
            made: Wanted::new(),
        }
    }

    /// The topics for what `snapshot` shows, with their payloads.
    pub fn of(&mut self, snapshot: &EngineSnapshot) -> &Wanted {
        let cameras = snapshot.sources.iter().map(|source| Shape::Camera {
            id: Arc::clone(&source.id),
            name: source.name(),
            location: source.location.clone(),
            lines: source.lines.iter().map(|line| line.name.clone()).collect(),
        });
        let areas = snapshot.areas.iter().map(|area| area.name.clone()).collect();
        let shapes: Vec<Shape> = [Shape::Program { areas }].into_iter().chain(cameras).collect();
        if shapes != self.shapes {
            self.made = shapes.iter().map(|shape| self.device(shape)).collect();
            self.shapes = shapes;
        }
        &self.made
    }

    fn device(&mut self, shape: &Shape) -> (String, super::retained::Payload) {
        let program = word(&self.prefix);
        let (id, mut payload, components) = match shape {
            Shape::Program { areas } => {
                let payload = json!({
                    "device": {
                        "identifiers": [program],
                        "name": format!("People counter {}", self.prefix),
                        "manufacturer": "pcount-tui",
                        "sw_version": env!("CARGO_PKG_VERSION"),
                    },
                });
                (program.clone(), payload, self.program(areas))
            }
            Shape::Camera { id, name, location, lines } => {
                let mut device = json!({
                    "identifiers": [camera_word(&self.prefix, id)],
                    "name": name,
                    "manufacturer": "pcount-tui",
                    "model": "Camera",
                    "sw_version": env!("CARGO_PKG_VERSION"),
                    "via_device": program,
                });
                if let Some(location) = location {
                    device["suggested_area"] = json!(location);
                }
                (camera_word(&self.prefix, id), json!({ "device": device }), self.camera(id, lines))
            }
        };
        let told = self.told.entry(id.clone()).or_default();
        if matches!(shape, Shape::Camera { .. }) && !self.commands {
            // A run before this one may have taken commands.
            told.extend([("counting".to_owned(), "switch"), ("reset".to_owned(), "button")]);
        }
        let mut all = serde_json::Map::new();
        let mut here = BTreeSet::new();
        for (key, platform, mut component) in components {
            component["platform"] = json!(platform);
            component["unique_id"] = json!(format!("{id}--{key}"));
            here.insert(key.clone());
            all.insert(key.clone(), component);
            told.insert(key, platform);
        }
        for (key, platform) in told.iter().filter(|(key, _)| !here.contains(*key)) {
            all.insert(key.clone(), json!({ "platform": platform }));
        }
        payload["origin"] = json!({ "name": "pcount-tui", "sw_version": env!("CARGO_PKG_VERSION") });
        payload["components"] = Value::Object(all);
        (format!("{BEGINNING}device/{id}/config"), payload.to_string().into_bytes().into())
    }

    fn program(&self, areas: &[String]) -> Vec<(String, &'static str, Value)> {
        let connected = json!({
            "name": "Connected",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": self.topics.available(),
            "payload_on": "online",
            "payload_off": "offline",
        });
        let area = |area: &String| {
            let sensor = json!({
                "name": area,
                "state_topic": self.topics.occupancy(area),
                "state_class": "measurement",
                "unit_of_measurement": "people",
                "icon": "mdi:account-group",
                "availability_topic": self.topics.available(),
            });
            (format!("area--{}", word(area)), "sensor", sensor)
        };
        let first = ("connected".to_owned(), "binary_sensor", connected);
        [first].into_iter().chain(areas.iter().map(area)).collect()
    }

    fn camera(&self, id: &str, lines: &[String]) -> Vec<(String, &'static str, Value)> {
        let mut components = Vec::new();
        let words: Vec<&str> = StateKind::ALL.iter().map(|state| state.word()).collect();
        let state = json!({
            "name": "State",
            "device_class": "enum",
            "options": words,
            "entity_category": "diagnostic",
            "state_topic": self.topics.state(id),
            "availability_topic": self.topics.available(),
        });
        components.push(("state".to_owned(), "sensor", state));
        for line in lines {
            for way in ["in", "out"] {
                let total = json!({
                    "name": format!("{line} {way}"),
                    "state_topic": self.topics.total(id, line, way),
                    "state_class": "total_increasing",
                    "unit_of_measurement": "people",
                    "icon": if way == "in" { "mdi:location-enter" } else { "mdi:location-exit" },
                    "availability_topic": self.topics.available(),
                });
                components.push((format!("line--{}--{way}", word(line)), "sensor", total));
            }
        }
        if self.commands {
            let counting = json!({
                "name": "Counting",
                "command_topic": self.topics.set(id),
                "payload_on": "resume",
                "payload_off": "pause",
                "state_topic": self.topics.state(id),
                "value_template": "{{ 'pause' if value == 'Paused' else 'resume' }}",
                "availability_topic": self.topics.available(),
            });
            let reset = json!({
                "name": "Reset counts",
                "command_topic": self.topics.set(id),
                "payload_press": "reset",
                "entity_category": "config",
                "availability_topic": self.topics.available(),
            });
            components.push(("counting".to_owned(), "switch", counting));
            components.push(("reset".to_owned(), "button", reset));
        }
        components
    }
}

/// A text of letters, digits, `_` and `-`, which is all that Home Assistant takes in the topic of a device. Other characters,
/// and `-`, become `-` with two digits for each of their bytes, so that two texts never become one and none holds `--`.
pub(super) fn word(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            out.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(out, "-{byte:02X}");
        }
    }
    out
}

fn camera_word(prefix: &str, id: &str) -> String {
    format!("{}--{}", word(prefix), word(id))
}

#[cfg(test)]
mod tests;
