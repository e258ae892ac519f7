//! The payloads hold what Home Assistant's own schemas take, and nothing else.
//!
//! The tables are facts of home-assistant/core, `homeassistant/components/mqtt`: `schemas.py` (device discovery, availability,
//! device, origin, common keys), `config.py` (topics, `qos`, `encoding`, `retain`, `optimistic`), `sensor.py`, `binary_sensor.py`,
//! `switch.py`, `button.py` and their rules around release 2024.12. Button, binary sensor and the common keys were compared key by
//! key with files of that source of several ages, sensor and switch with the tables that openHAB made of it. Later releases take
//! more: `entity_picture`, `default_entity_id`, `group`.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::model::{AreaSnapshot, LineCounts, Moment, SourceSnapshot, Strategy};

const DEVICE: &[&str] = &[
    "identifiers",
    "connections",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "hw_version",
    "serial_number",
    "sw_version",
    "via_device",
    "suggested_area",
    "configuration_url",
];

const ORIGIN: &[&str] = &["name", "sw_version", "support_url"];

const AVAILABILITY: &[&str] = &[
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "payload_available",
    "payload_not_available",
];

/// Beside those of availability.
const ROOT: &[&str] = &["device", "components", "origin", "state_topic", "command_topic", "qos", "encoding"];

/// Of every component, beside those of availability.
const COMMON: &[&str] = &[
    "platform",
    "enabled_by_default",
    "entity_category",
    "icon",
    "json_attributes_topic",
    "json_attributes_template",
    "object_id",
    "unique_id",
    "name",
    "device_class",
    "qos",
    "encoding",
];

/// Platform, keys of its own, and which of them it needs.
const PLATFORMS: &[(&str, &[&str], &[&str])] = &[
    (
        "sensor",
        &[
            "expire_after",
            "force_update",
            "last_reset_value_template",
            "options",
            "suggested_display_precision",
            "state_class",
            "unit_of_measurement",
            "state_topic",
            "value_template",
        ],
        &["state_topic"],
    ),
    (
        "binary_sensor",
        &[
            "expire_after",
            "force_update",
            "off_delay",
            "payload_off",
            "payload_on",
            "state_topic",
            "value_template",
        ],
        &["state_topic"],
    ),
    (
        "switch",
        &[
            "command_template",
            "command_topic",
            "optimistic",
            "payload_off",
            "payload_on",
            "retain",
            "state_off",
            "state_on",
            "state_topic",
            "value_template",
        ],
        &["command_topic"],
    ),
    ("button", &["command_template", "command_topic", "payload_press", "retain"], &["command_topic"]),
];

fn check_keys(place: &str, object: &Map<String, Value>, known: &[&[&str]]) {
    for key in object.keys() {
        assert!(known.iter().any(|list| list.contains(&key.as_str())), "{place}: '{key}' is not known there");
    }
}

fn check(topic: &str, payload: &Value) {
    let id = topic.strip_prefix("homeassistant/device/").unwrap().strip_suffix("/config").unwrap();
    assert!(!id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)), "{id}");
    let root = payload.as_object().unwrap();
    check_keys("root", root, &[ROOT, AVAILABILITY]);
    let device = root["device"].as_object().unwrap();
    check_keys("device", device, &[DEVICE]);
    assert_eq!(device["identifiers"].as_array().unwrap().len(), 1);
    check_keys("origin", root["origin"].as_object().unwrap(), &[ORIGIN]);
    assert!(root["origin"]["name"].is_string());
    let mut unique = BTreeSet::new();
    for (key, component) in root["components"].as_object().unwrap() {
        let component = component.as_object().unwrap();
        let platform = component["platform"].as_str().unwrap();
        let (_, own, needed) = PLATFORMS.iter().find(|(name, ..)| *name == platform).unwrap();
        check_keys(key, component, &[COMMON, AVAILABILITY, own]);
        if component.len() == 1 {
            // So is said that it is gone.
            continue;
        }
        assert!(needed.iter().all(|needed| component[*needed].is_string()), "{key}");
        assert!(unique.insert(component["unique_id"].as_str().unwrap().to_owned()), "{key}");
        if let Some(class) = component.get("state_class") {
            assert!(["measurement", "total", "total_increasing"].contains(&class.as_str().unwrap()), "{key}");
        }
        if let Some(category) = component.get("entity_category") {
            let known = if matches!(platform, "switch" | "button") {
                ["config", "diagnostic"]
            } else {
                ["diagnostic"; 2]
            };
            assert!(known.contains(&category.as_str().unwrap()), "{key}: sensors cannot be settings");
        }
        if let Some(options) = component.get("options") {
            assert!(!options.as_array().unwrap().is_empty() && component["device_class"] == "enum", "{key}");
            assert!(!component.contains_key("state_class") && !component.contains_key("unit_of_measurement"));
        }
        if let Some(icon) = component.get("icon") {
            assert!(icon.as_str().unwrap().starts_with("mdi:"), "{key}");
        }
        for (name, topic) in component.iter().filter(|(name, _)| name.ends_with("_topic")) {
            let topic = topic.as_str().unwrap();
            assert!(!topic.contains(['+', '#', '\0']) && !topic.is_empty() && topic.len() < 65_536, "{name}");
        }
    }
}

fn config(commands: bool) -> MqttConfig {
    MqttConfig {
        host: "h".into(),
        port: 1,
        encrypted: false,
        credentials: None,
        ca: None,
        prefix: "pcount".into(),
        home_assistant: true,
        commands,
    }
}

fn snapshot(sources: &[(&str, &[&str])], areas: &[&str]) -> EngineSnapshot {
    let source = |(id, lines): &(&str, &[&str])| {
        let mut source = SourceSnapshot::new(*id);
        source.lines =
            lines.iter().map(|line| LineCounts { name: (*line).into(), total_in: 0, total_out: 0 }).collect();
        Arc::new(source)
    };
    let area = |name: &&str| AreaSnapshot { name: (*name).into(), ..AreaSnapshot::default() };
    EngineSnapshot {
        sources: sources.iter().map(source).collect(),
        workers: Vec::new(),
        worker_count: 1,
        max_workers: 1,
        queue_pending: 0,
        queue: Vec::new(),
        strategy: Strategy::default(),
        detector: String::new(),
        problems: Vec::new(),
        notices: Vec::new(),
        acknowledged: Arc::default(),
        areas: Arc::new(areas.iter().map(area).collect()),
        nodes: Arc::default(),
        events: Arc::default(),
        events_lost: 0,
        log_lines_lost: 0,
        cpu: 0.0,
        rss: 0,
        memory_limit: None,
        taken: Moment::new(Duration::ZERO),
        generation: 0,
    }
}

fn told(discovery: &mut Discovery, snapshot: &EngineSnapshot) -> BTreeMap<String, Value> {
    let made = discovery.of(snapshot).clone();
    made.iter().map(|(topic, payload)| (topic.clone(), serde_json::from_slice(payload).unwrap())).collect()
}

#[test]
fn every_payload_is_as_home_assistant_wants_it() {
    let shown = snapshot(&[("camera_01", &["door", "a/b +#"]), ("area", &[])], &["Ground floor", "Lager/1"]);
    for commands in [false, true] {
        let all = told(&mut Discovery::new(&config(commands)), &shown);
        assert_eq!(all.len(), 3);
        all.iter().for_each(|(topic, payload)| check(topic, payload));
        let camera = &all["homeassistant/device/pcount--camera_01/config"];
        let door = &camera["components"]["line--door--in"];
        assert_eq!(door["state_class"], "total_increasing");
        assert_eq!(door["state_topic"], "pcount/camera_01/door/in");
        assert_eq!(camera["device"]["via_device"], "pcount");
        let switch = camera["components"]["counting"].as_object().unwrap();
        assert_eq!(switch.contains_key("command_topic"), commands, "{switch:?}");
        let program = &all["homeassistant/device/pcount/config"]["components"];
        assert_eq!(program["area--Ground-20floor"]["state_class"], "measurement");
        assert!(program["connected"].get("availability_topic").is_none(), "it would never show 'offline'");
    }
}

#[test]
fn a_line_or_camera_that_is_gone_goes_from_home_assistant() {
    let mut discovery = Discovery::new(&config(true));
    told(&mut discovery, &snapshot(&[("gate", &["door", "back"]), ("hall", &["line_1"])], &[]));
    let all = told(&mut discovery, &snapshot(&[("gate", &["back"])], &[]));
    assert_eq!(all.len(), 2, "the topic of the other camera is cleared with everything that is not wanted");
    let components = &all["homeassistant/device/pcount--gate/config"]["components"];
    assert_eq!(components["line--door--in"], json!({ "platform": "sensor" }));
    assert!(components["line--back--in"]["state_topic"].is_string());
}

proptest! {
    #[test]
    fn words_are_taken_by_home_assistant_and_never_the_same(one in any::<String>(), other in any::<String>()) {
        let made = word(&one);
        prop_assert!(made.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
        prop_assert!(!made.contains("--"));
        prop_assert_eq!(one == other, made == word(&other));
    }
}
