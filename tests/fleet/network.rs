//! Nodes that are cut off, and healed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{path::Path, time::Duration};

use serde_json::json;

use crate::{
    machines::{Counted, Nats, Node, cameras},
    service::{PROGRAM, until},
    wire::{Network, Wire},
};

/// Has node `one` cut off by `cut`, and healed; then the other one fails, so that `one` must count again.
fn cut_and_heal(dir: &Path, nats: &Nats, one: &Node, cut: &dyn Fn(bool)) {
    let before = nats.all_counted(2, &[]);
    assert!(before.values().all(|(node, _)| node == "one"), "{before:?}");
    let two = Node::start(dir, nats, "two", 2);
    let mut counted = Counted::default();
    Nats::all_cross(&[one], &mut counted, &before);
    cut(true);
    let after = nats.all_counted(2, &["one"]);
    until("the node to give its sources up", || one.service.ids().is_empty().then_some(()));
    Nats::all_cross(&[one, &two], &mut counted, &after);
    cut(false);
    until("the node to be back", || {
        let nodes = nats.nodes();
        nodes.lines().any(|line| line.starts_with("one ") && line.contains(" runs ")).then_some(())
    });
    // What was under way while it was cut off has arrived.
    std::thread::sleep(Duration::from_secs(2));
    counted.read(one);
    counted.read(&two);
    assert_eq!(nats.holders(), after, "they stay where they are");
    two.service.kill();
    let last = nats.all_counted(2, &["two"]);
    Nats::all_cross(&[one], &mut counted, &last);
    counted.check();
    assert!(one.said().contains("its lease"), "{}", one.said());
}

#[test]
fn a_node_behind_a_wire_that_is_cut_stops_before_others_go_on_and_is_back_when_it_is_healed() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let wire = Wire::to(nats.port);
    nats.apply(&cameras(&["a", "b"]));
    // That it may count on while it is refused makes no difference: it is not refused.
    let fleet = json!({ "url": wire.url(), "node": "one", "room": 2, "count_while_refused": true });
    let one = Node::with(dir.path(), "one", &fleet);
    cut_and_heal(dir.path(), &nats, &one, &|is_cut| wire.cut(is_cut));
}

#[test]
fn a_node_in_a_network_that_is_taken_down_stops_before_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let Some(network) = Network::new() else { return };
    let Some(nats) = Nats::with(dir.path(), "0.0.0.0", "") else { return };
    nats.apply(&cameras(&["a", "b"]));
    let url = format!("nats://{}:{}", network.address, nats.port);
    let fleet = json!({ "fleet": { "url": url, "node": "one", "room": 2 } });
    let one = Node::launch(dir.path(), "one", &fleet, &mut network.command(PROGRAM));
    cut_and_heal(dir.path(), &nats, &one, &|is_cut| network.cut(is_cut));
}
