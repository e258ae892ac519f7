//! Collecting while nothing fails, or one thing does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    again,
    books::{self, Collect, collect_once, collected, compare, has_sent_all, of_node, one},
    machines::{Nats, Node, cameras},
    receiver::{Behavior, Receiver, SECRET},
    service::{PROGRAM, until},
};

/// Waits until `least` crossings of leased sources stand in the ledger of a node.
fn counts(node: &Path, least: usize) {
    until("crossings by leases", || (of_node(node).len() >= least).then_some(()));
}

/// Ends a node in order.
fn stop(mut node: Node) {
    node.service.signal(Signal::TERM);
    let status = node.service.child.wait().unwrap();
    assert_eq!(status.code(), Some(143), "{}", node.said());
}

fn report(folder: &Path, args: &[&str]) -> Value {
    let output = Command::new(PROGRAM)
        .args(["report", "--output", "out", "--since", "1h", "--format", "json"])
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_all_nodes_count_is_collected_once_and_reports_charts_and_areas_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let ids = ["a", "b"];
    nats.apply(&cameras(&ids));
    let nodes = ["one", "two"].map(|name| Node::start(dir.path(), &nats, name, 1));
    let outputs = ["one", "two"].map(|name| dir.path().join(name).join("out"));
    outputs.iter().for_each(|output| counts(output, 3));
    // It may start late, and it is run again.
    let central = dir.path().join("central");
    fs::create_dir_all(&central).unwrap();
    let receiver = Receiver::start(Behavior::Accept);
    fs::write(central.join("secret"), SECRET).unwrap();
    let config = json!({ "parallel_config": {
        "areas": [{ "name": "hall", "lines": ["a/*", "b/door"] }],
        "webhooks": [{ "url": receiver.url(), "secret_file": "secret", "name": "till" }],
    } });
    fs::write(central.join("central.json"), config.to_string()).unwrap();
    let said = collected(&central, &nats.url(), &["--json", "--config", "central.json"]);
    let told: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert!(told["counted"].as_u64().unwrap() >= 6 && told["left"] == 0, "{told}");
    let running = Collect::with(&central, &nats.url(), &["--config", "central.json"]);
    // What is counted meanwhile comes as well.
    running.has_counted(2);
    until("the webhook to be told", || (receiver.told().len() >= 2).then_some(()));
    let second = collect_once(&central, &nats.url(), &[]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(second.status.code() == Some(1) && said.contains("another pcount-tui writes it"), "{said}");
    drop(running);
    nodes.into_iter().for_each(stop);
    for output in &outputs {
        assert!(has_sent_all(output), "a node that leaves has sent everything");
    }
    let said = collected(&central, &nats.url(), &["--config", "central.json"]);
    assert!(said.ends_with("nothing is left\n"), "{said}");
    let count = compare(&outputs, &central.join("out"));
    assert_eq!(collected(&central, &nats.url(), &[]), "0 crossings collected; nothing is left\n");
    let report = report(&central, &["--config", "central.json"]);
    let sources = report["sources"].as_array().unwrap();
    assert_eq!(sources.iter().map(|source| &source["camera_id"]).collect::<Vec<_>>(), ids);
    let crossings = |of: &Value| of["in"].as_u64().unwrap() + of["out"].as_u64().unwrap();
    let all: u64 = sources.iter().map(crossings).sum();
    assert_eq!(all, count as u64);
    assert!(
        sources.iter().all(|source| source["coverage"].as_f64().is_some_and(|share| share > 0.0)),
        "{report}"
    );
    assert_eq!(one(&central.join("out"), "SELECT total_in + total_out FROM areas"), count as i64);
    // A webhook is told of each crossing since its first run, under one id: what a killed run had told may come again.
    let central_out = central.join("out");
    let wanted = "SELECT COUNT(*) FROM crossings WHERE session >= (SELECT session FROM webhooks)";
    let told = || receiver.told().into_iter().map(|told| told.id).collect::<BTreeSet<String>>().len() as i64;
    let running = Collect::with(&central, &nats.url(), &["--config", "central.json"]);
    until("the webhook to be told of everything", || (told() >= one(&central_out, wanted)).then_some(()));
    assert_eq!(told(), one(&central_out, wanted));
    drop(running);
    // Every lease that is over has its end.
    assert_eq!(one(&central.join("out"), "SELECT COUNT(*) FROM leases WHERE ended_ms IS NULL"), 0);
    // A folder of an engine is no place to collect into.
    let refused = collect_once(&dir.path().join("one"), &nats.url(), &[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("an engine counts into it"), "{said}");
}

#[test]
fn messages_that_come_again_are_known_also_long_after_the_server_has_forgotten_them() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a"]));
    let node = Node::start(dir.path(), &nats, "one", 1);
    let output = dir.path().join("one/out");
    counts(&output, 3);
    stop(node);
    let central = dir.path().join("central");
    let first = collected(&central, &nats.url(), &[]);
    let again = again::everything(nats.port());
    assert!(again >= 4, "{again} messages");
    let said = collected(&central, &nats.url(), &["--json"]);
    let told: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&told["counted"], &told["left"]), (&json!(0), &json!(0)), "{first}{told}");
    assert!(told["repeated"].as_u64().unwrap() >= 3, "{told}");
    compare(std::slice::from_ref(&output), &central.join("out"));
    // Another folder has all of it as well, from the first message on, and both copies of it.
    let other = dir.path().join("other");
    collected(&other, &nats.url(), &[]);
    compare(&[output], &other.join("out"));
}

#[test]
fn what_a_node_could_not_send_goes_out_with_its_next_start_also_without_a_lease() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a"]));
    let node = Node::start(dir.path(), &nats, "one", 1);
    let output = dir.path().join("one/out");
    counts(&output, 2);
    // Counting goes on for a moment without the server, and then the node is told to stop.
    nats.kill();
    until("something that cannot be sent", || (!has_sent_all(&output)).then_some(()));
    let said = dir.path().join("one/serve.err");
    stop(node);
    let said = fs::read_to_string(said).unwrap();
    assert!(said.contains("are not sent; they stay in the ledger"), "{said}");
    nats.again();
    until("the fleet to have no sources", || nats.fleet(&["remove", "a"]).status.success().then_some(()));
    let node = Node::start(dir.path(), &nats, "one", 1);
    until("everything to be sent", || has_sent_all(&output).then_some(()));
    assert_eq!(nats.holders().len(), 0);
    drop(node);
    let central = dir.path().join("central");
    collected(&central, &nats.url(), &[]);
    compare(&[output], &central.join("out"));
    let leases = books::one(&central.join("out"), "SELECT COUNT(*) FROM leases");
    assert!(leases >= 1);
}
