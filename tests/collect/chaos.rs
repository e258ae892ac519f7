//! Nodes, the server and what collects are killed, and nodes are cut off, at random moments while all of them count.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{thread::sleep, time::Duration};

use serde_json::json;

use crate::{
    books::{Collect, collected, compare, has_sent_all, of_node},
    kills,
    machines::{Nats, Node, cameras},
    service::until,
    wire::Wire,
};

const NODES: [&str; 3] = ["one", "two", "three"];

/// Of so many kills of nodes, one of the server, one of what collects and one cut.
const EACH: usize = 5;

#[test]
fn whatever_is_killed_or_cut_off_each_crossing_of_a_node_is_collected_once() {
    let kills = kills::count(5);
    let dir = tempfile::tempdir().unwrap();
    let Some(mut nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a", "b", "c"]));
    let wires: Vec<Wire> = NODES.iter().map(|_| Wire::to(nats.port())).collect();
    let start = |index: usize| {
        let fleet = json!({ "url": wires[index].url(), "node": NODES[index], "room": 2 });
        Node::with(dir.path(), NODES[index], &fleet)
    };
    let mut nodes: Vec<Node> = (0..NODES.len()).map(start).collect();
    let outputs: Vec<_> = NODES.iter().map(|name| dir.path().join(name).join("out")).collect();
    let central = dir.path().join("central");
    let mut collect = Collect::start(&central, &nats.url());
    nats.all_counted(3, &[]);
    let mut below = kills::moments(7);
    let mut index = |count: u64| usize::try_from(below(count).as_millis()).unwrap();
    let mut moments = kills::moments(11);
    let mut tally = [0; 4];
    for kill in 0..kills {
        // Most while something is counted.
        let before: usize = outputs.iter().map(|output| of_node(output).len()).sum();
        until("a crossing", || {
            (outputs.iter().map(|output| of_node(output).len()).sum::<usize>() > before).then_some(())
        });
        sleep(moments(1_500));
        let node = index(NODES.len() as u64);
        nodes.remove(node).service.kill();
        if index(2) == 0 {
            // Others may take its sources meanwhile.
            sleep(moments(9_000));
        }
        nodes.insert(node, start(node));
        tally[0] += 1;
        match kill % EACH {
            0 => {
                nats.kill();
                sleep(moments(6_000));
                nats.again();
                tally[1] += 1;
            }
            2 => {
                collect.kill();
                sleep(moments(1_500));
                collect = Collect::start(&central, &nats.url());
                tally[2] += 1;
            }
            4 => {
                let cut = index(NODES.len() as u64);
                wires[cut].cut(true);
                sleep(Duration::from_secs(1) + moments(9_000));
                wires[cut].cut(false);
                tally[3] += 1;
            }
            _ => {}
        }
    }
    println!("killed: {} nodes, {} servers, {} collect; {} cut", tally[0], tally[1], tally[2], tally[3]);
    for id in ["a", "b", "c"] {
        until("the fleet to have no sources", || nats.fleet(&["remove", id]).status.success().then_some(()));
    }
    until("all leases to end", || nodes.iter().all(|node| node.service.ids().is_empty()).then_some(()));
    // Also what its last frames have decided is on disk.
    sleep(Duration::from_secs(2));
    until("everything to be sent", || outputs.iter().all(|output| has_sent_all(output)).then_some(()));
    drop(collect);
    println!("{}", collected(&central, &nats.url(), &[]).trim());
    let count = compare(&outputs, &central.join("out"));
    assert!(count >= kills, "{count} crossings in {kills} kills");
}
