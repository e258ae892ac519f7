//! Nodes whose clocks are wrong.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    books::{collected, compare, of_node, one},
    machines::{Nats, Node, cameras},
    preload::library,
    service::{PROGRAM, Service, config, until, write},
};

#[test]
fn a_node_whose_clock_is_an_hour_behind_counts_after_the_one_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = library(dir.path(), "skew") else { return };
    let Some(nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a"]));
    let right = Node::start(dir.path(), &nats, "right", 1);
    let outputs = ["right", "wrong"].map(|name| dir.path().join(name).join("out"));
    until("crossings by the right clock", || (of_node(&outputs[0]).len() >= 2).then_some(()));
    let folder = dir.path().join("wrong");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("skew"), "-3600").unwrap();
    let mut settings = config(&[]);
    settings["parallel_config"]["fleet"] = json!({ "url": nats.url(), "node": "wrong", "room": 1 });
    write(&folder, &settings.to_string());
    let child = Command::new(PROGRAM)
        .args(["serve", "--config", "cams.json"])
        .current_dir(&folder)
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM")
        .env("LD_PRELOAD", &library)
        .env("SKEW", folder.join("skew"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let wrong = Service { child, folder };
    until("the second node", || nats.told(&["nodes", "--json"]).contains("\"wrong\"").then_some(()));
    right.service.kill();
    nats.all_counted(1, &["right"]);
    until("crossings by the wrong clock", || {
        (outputs[1].join("ledger.sqlite").exists() && of_node(&outputs[1]).len() >= 2).then_some(())
    });
    wrong.signal(rustix::process::Signal::TERM);
    let mut wrong = wrong;
    wrong.child.wait().unwrap();
    // What the first one could not send when it was killed.
    nats.told(&["remove", "a"]);
    let _right = Node::start(dir.path(), &nats, "right", 1);
    until("everything to be sent", || crate::books::has_sent_all(&outputs[0]).then_some(()));
    let central = dir.path().join("central");
    let said = collected(&central, &nats.url(), &["--json"]);
    let told: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let corrected = told["corrected_ms"]["wrong"].as_i64().unwrap();
    assert!(
        (corrected - 3_600_000).abs() < 1_500 && told["corrected_ms"].as_object().unwrap().len() == 1,
        "{told}"
    );
    compare(&outputs, &central.join("out"));
    let age = one(&central.join("out"), "SELECT unixepoch() * 1000 - MIN(wall_ms) FROM crossings");
    assert!((0..1_800_000).contains(&age), "{age}: within this test");
}
