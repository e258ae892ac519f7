//! Commands, where they are allowed and where they are not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::json;

use crate::{
    broker::{Broker, settings},
    server::{Server, camera, until},
};

#[test]
fn commands_are_done_and_noted_and_a_retained_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    broker.publish("pcount/gate/set", "reset", &["-r"]);
    let more = json!({ "commands": true });
    let config = settings(dir.path(), &[camera("gate"), camera("area")], broker.port, &more);
    let server = Server::start(dir.path(), &config);
    let state = |topic: &str, wanted: &str| {
        until(wanted, || (broker.at(topic)? == wanted).then_some(()));
    };
    state("pcount/gate/state", "Running");
    until("the refusal", || server.said().contains("it is retained").then_some(()));
    until("a crossing", || broker.at("pcount/gate/door/in").filter(|total| total != "0"));
    broker.publish("pcount/gate/set", "pause", &[]);
    broker.publish("pcount/%61rea/set", "pause", &[]);
    state("pcount/gate/state", "Paused");
    state("pcount/%61rea/state", "Paused");
    broker.publish("pcount/gate/set", "reset", &[]);
    state("pcount/gate/door/in", "0");
    broker.publish("pcount/gate/set", "resume", &[]);
    state("pcount/gate/state", "Running");
    for _ in 0..3 {
        broker.publish("pcount/gate/set", "open the door", &[]);
        broker.publish("pcount/yard/set", "pause", &[]);
    }
    until("the refusals", || {
        let said = server.said();
        (said.contains("write pause, resume or reset") && said.contains("there is no such source"))
            .then_some(())
    });
    assert_eq!(server.said().matches("write pause, resume or reset").count(), 1);
    until("the actions", || {
        let actions = server.get("/api/v1/actions").json();
        let done =
            actions.as_array()?.iter().filter(|action| action["from"] == "mqtt" && action["who"] == "mqtt");
        let mut words: Vec<_> = done.map(|action| action["what"].as_str().unwrap()).collect();
        words.sort_unstable();
        (words == ["paused", "paused", "reset", "resumed"]).then_some(())
    });
    let told = broker.at("homeassistant/device/pcount--gate/config").unwrap();
    assert!(told.contains("payload_press"), "{told}");
}

#[test]
fn without_permission_nothing_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    let config = settings(dir.path(), &[camera("gate")], broker.port, &json!({}));
    let _server = Server::start(dir.path(), &config);
    until("a camera", || (broker.at("pcount/gate/state")? == "Running").then_some(()));
    broker.publish("pcount/gate/set", "pause", &[]);
    // Discovery is said again when Home Assistant starts: what was sent before that was heard by then, if it ever is.
    broker.publish("homeassistant/device/pcount--gate/config", "", &["-r"]);
    broker.publish("homeassistant/status", "online", &[]);
    let told = until("discovery", || broker.at("homeassistant/device/pcount--gate/config"));
    assert!(!told.contains("command_topic"), "{told}");
    assert_eq!(broker.at("pcount/gate/state").as_deref(), Some("Running"));
}
