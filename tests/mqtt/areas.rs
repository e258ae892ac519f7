//! How many are inside, as the broker holds it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::{Value, json};

use crate::{
    broker::{Broker, settings},
    server::{Server, camera, until},
};

#[test]
fn the_number_inside_an_area_is_retained_follows_crossings_and_corrections_and_is_told_to_home_assistant() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut broker) = Broker::start(dir.path()) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    let mut config = settings(dir.path(), &[camera("gate")], broker.port, &json!({}));
    config["parallel_config"]["areas"] = json!([{ "name": "main hall", "lines": ["gate/*"] }]);
    let server = Server::start(dir.path(), &config);
    let inside = || broker.at("pcount/area/main hall/occupancy")?.parse::<i64>().ok();
    let shown = || server.get("/api/v1/snapshot").json()["areas"][0].clone();
    until("somebody crosses", || {
        let area = shown();
        (area["total_in"].as_u64()? + area["total_out"].as_u64()? > 0 && inside().is_some()).then_some(())
    });
    server.post("/api/v1/control", &json!({ "do": "pause_all" }));
    until("the number of the dashboard", || (shown()["inside"].as_i64()? == inside()?).then_some(()));
    assert_eq!(broker.retained("pcount/area/#").len(), 1, "it is held for those who come later");

    server.post("/api/v1/control", &json!({ "do": "area", "area": "main hall", "inside": 112 }));
    until("the correction", || (inside()? == 112).then_some(()));

    let told = broker.retained("homeassistant/device/pcount/config");
    let told: Value = serde_json::from_str(&told["homeassistant/device/pcount/config"]).unwrap();
    let components = told["components"].as_object().unwrap();
    let area = components.values().find(|component| component["name"] == "main hall").unwrap();
    assert_eq!(area["state_topic"], "pcount/area/main hall/occupancy");
    assert_eq!((&area["platform"], &area["state_class"]), (&json!("sensor"), &json!("measurement")));

    // A broker that has forgotten everything is told again.
    broker.kill();
    broker.go_on();
    let inside = || broker.at("pcount/area/main hall/occupancy")?.parse::<i64>().ok();
    until("the number after a restart of the broker", || (inside()? == 112).then_some(()));
}
