//! The broker is killed again and again while people are counted.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{process::Command, time::Duration};

use serde_json::{Value, json};

use crate::{
    broker::{Broker, settings},
    server::{Server, camera, until},
};

/// How often it is killed.
const TIMES: usize = 20;

/// In and out of a camera over all hours, as the ledger has them.
fn in_ledger(folder: &std::path::Path, camera: &str) -> (u64, u64) {
    let report = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(["report", "--output", "out", "--since", "1d", "--by", "day", "--format", "json"])
        .current_dir(folder)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let sources = report["sources"].as_array().unwrap();
    let source = sources.iter().find(|source| source["camera_id"] == camera).unwrap();
    (source["in"].as_u64().unwrap(), source["out"].as_u64().unwrap())
}

#[test]
fn a_broker_that_is_killed_twenty_times_ends_with_the_totals_of_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut broker) = Broker::start(dir.path()) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    let names = ["one", "two", "three"];
    let config = settings(dir.path(), &names.map(camera), broker.port, &json!({}));
    let mut server = Server::start(dir.path(), &config);
    for time in 0..TIMES {
        until("the broker's topics", || broker.at("pcount/one/door/in"));
        // At another moment of its work each time.
        std::thread::sleep(Duration::from_millis(37 * time as u64 % 400));
        broker.kill();
        broker.go_on();
    }
    until("the broker", || (broker.at("pcount/available")? == "online").then_some(()));
    server.post("/api/v1/control", &json!({ "do": "pause_all" }));
    until("the pause", || {
        let state = |name: &str| broker.at(&format!("pcount/{name}/state"));
        names.iter().all(|name| state(name).as_deref() == Some("Paused")).then_some(())
    });
    server.stop();
    let held = broker.retained("pcount/#");
    assert_eq!(held["pcount/available"], "offline");
    for name in names {
        let total = |way: &str| held[&format!("pcount/{name}/door/{way}")].parse::<u64>().unwrap();
        let ledger = in_ledger(dir.path(), name);
        assert_eq!((total("in"), total("out")), ledger, "{name}");
        assert!(ledger.0 + ledger.1 > 0, "{name}: nobody was counted");
    }
}
