//! Nodes that may count on while no server runs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    machines::{Counted, Nats, Node, cameras},
    service::until,
};

fn watch(nodes: &[&Node], counted: &mut Counted, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        nodes.iter().for_each(|node| counted.read(node));
        sleep(Duration::from_millis(500));
    }
}

#[test]
fn nodes_count_on_while_no_server_runs_and_each_source_has_one_holder_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a", "b", "c"]));
    let nodes = ["one", "two"].map(|name| {
        // With room for what the other one had: when the server is back it may give each to either.
        let fleet = json!({ "url": nats.url(), "node": name, "room": 3, "count_while_refused": true });
        Node::with(dir.path(), name, &fleet)
    });
    let all: Vec<&Node> = nodes.iter().collect();
    let before = nats.all_counted(3, &[]);
    let mut counted = Counted::default();
    Nats::all_cross(&all, &mut counted, &before);
    nats.kill();
    // Much longer than a lease.
    watch(&all, &mut counted, Duration::from_secs(12));
    let so_far: BTreeMap<&String, usize> =
        before.iter().map(|(id, (_, epoch))| (id, counted.of(id, *epoch))).collect();
    until("more crossings by the same leases", || {
        all.iter().for_each(|node| counted.read(node));
        before.iter().all(|(id, (_, epoch))| counted.of(id, *epoch) > so_far[id]).then_some(())
    });
    let says = |node: &&Node| node.said().contains("this node counts on what it has");
    assert!(all.iter().filter(|node| before.values().any(|(name, _)| *name == node.name)).all(says));
    // Back for less than it takes to notice, and again.
    for away in [3, 6] {
        nats.again();
        watch(&all, &mut counted, Duration::from_secs(2));
        nats.kill();
        watch(&all, &mut counted, Duration::from_secs(away));
    }
    nats.again();
    let after = until("all sources to be counted by later leases", || {
        all.iter().for_each(|node| counted.read(node));
        let holders = nats.holders();
        let is_later = |(id, (_, epoch)): (&String, &(String, [u64; 2]))| *epoch > before[id].1;
        (holders.len() == 3 && holders.iter().all(is_later)).then_some(holders)
    });
    Nats::all_cross(&all, &mut counted, &after);
    watch(&all, &mut counted, Duration::from_secs(6));
    counted.check();
    assert_eq!(nats.holders(), after, "they stay where they are");
    let mut ids: Vec<String> = all.iter().flat_map(|node| node.service.ids()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b", "c"], "each is in one engine");
}
