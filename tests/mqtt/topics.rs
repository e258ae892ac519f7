//! What the broker holds.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    broker::{Broker, settings},
    server::{Server, camera, until},
};

#[test]
fn states_and_totals_are_retained_and_events_are_not_whatever_the_names_are() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    let mut odd = camera("area");
    odd["lines"][0]["name"] = json!("a/b +#%");
    let config = settings(dir.path(), &[camera("gate"), odd], broker.port, &json!({}));
    let mut server = Server::start(dir.path(), &config);
    until("crossings", || {
        let total = |topic: &str| broker.at(topic)?.parse::<u64>().ok();
        let gate = total("pcount/gate/door/in")? + total("pcount/gate/door/out")?;
        let odd = total("pcount/%61rea/a%2Fb %2B%23%25/in")? + total("pcount/%61rea/a%2Fb %2B%23%25/out")?;
        (gate > 0 && odd > 0).then_some(())
    });
    let held = broker.retained("pcount/#");
    assert_eq!(held["pcount/available"], "online");
    assert_eq!(held["pcount/gate/state"], "Running");
    assert!(!held.keys().any(|topic| topic.ends_with("/event")), "{held:?}");
    let event = broker.next("pcount/gate/event", |event| event.contains("\"crossing\""));
    let event: Value = serde_json::from_str(&event).unwrap();
    assert_eq!((&event["camera_id"], &event["line"]), (&json!("gate"), &json!("door")));
    let told = broker.retained("homeassistant/#");
    assert_eq!(
        told.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "homeassistant/device/pcount--area/config",
            "homeassistant/device/pcount--gate/config",
            "homeassistant/device/pcount/config"
        ]
    );

    // A camera that is removed leaves nothing behind.
    server.post("/api/v1/control", &json!({ "do": "remove", "source": "gate" }));
    until("the removal", || broker.retained("pcount/gate/#").is_empty().then_some(()));
    until("the removal", || (broker.retained("homeassistant/#").len() == 2).then_some(()));

    server.stop();
    assert_eq!(broker.at("pcount/available").as_deref(), Some("offline"));
    assert!(!server.said().contains("MQTT: '"), "{}", server.said());
}

#[test]
fn a_program_that_is_killed_is_offline_and_comes_back_with_the_totals_of_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    let config = settings(dir.path(), &[camera("gate")], broker.port, &json!({ "home_assistant": false }));
    let mut server = Server::start(dir.path(), &config);
    let total = || broker.at("pcount/gate/door/in")?.parse::<u64>().ok();
    until("a crossing", || total().filter(|total| *total > 0));
    server.send(Signal::KILL);
    server.child.wait().unwrap();
    until("the last will", || (broker.at("pcount/available")? == "offline").then_some(()));
    assert!(broker.retained("homeassistant/#").is_empty());

    let server = Server::start(dir.path(), &config);
    until("the return", || (broker.at("pcount/available")? == "online").then_some(()));
    server.post("/api/v1/control", &json!({ "do": "pause_all" }));
    until("the same totals", || {
        let shown = server.get("/api/v1/sources/gate").json()["lines"][0]["total_in"].as_u64()?;
        (shown > 0 && total()? == shown).then_some(())
    });
}

#[test]
fn a_broker_that_is_away_is_a_notice_and_no_problem() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut broker) = Broker::start(dir.path()) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    broker.kill();
    let config = settings(dir.path(), &[camera("gate")], broker.port, &json!({}));
    let server = Server::start(dir.path(), &config);
    let shown = |key: &str| server.get("/api/v1/snapshot").json()[key].to_string();
    until("the notice", || shown("notices").contains("refuses the connection").then_some(()));
    assert!(shown("notices").contains("next attempt in"), "{}", shown("notices"));
    assert_eq!(shown("problems"), "[]");
    broker.go_on();
    until("the broker", || (broker.at("pcount/available")? == "online").then_some(()));
    until("no notice", || (!shown("notices").contains("MQTT")).then_some(()));
    assert_eq!(server.said().matches("it is tried again").count(), 1, "{}", server.said());
    assert_eq!(server.said().matches("is back; it has").count(), 1, "{}", server.said());
}
