//! What is counted while something fails. Never more than one node counts a source.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    machines::{Counted, Nats, Node, cameras},
    service::until,
};

/// Longer than any lease.
const LEASE_IS_OVER: Duration = Duration::from_secs(9);

#[test]
fn the_sources_of_a_node_that_is_killed_are_counted_by_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let ids = ["a", "b", "c", "d", "e", "f"];
    nats.apply(&cameras(&ids));
    let mut nodes: Vec<Node> =
        ["one", "two", "three"].iter().map(|name| Node::start(dir.path(), &nats, name, 3)).collect();
    let before = nats.all_counted(ids.len(), &[]);
    let mut counted = Counted::default();
    until("crossings of every source", || {
        nodes.iter().for_each(|node| counted.read(node));
        before.iter().all(|(id, (_, epoch))| counted.of(id, *epoch) > 0).then_some(())
    });
    // The one that has the most.
    let sources = |name: &str| before.values().filter(|(node, _)| node == name).count();
    let most = (0..nodes.len()).max_by_key(|index| sources(&nodes[*index].name)).unwrap();
    let dead = nodes.remove(most);
    let name = dead.name.clone();
    let killed = Instant::now();
    dead.service.kill();
    let after = nats.all_counted(ids.len(), &[&name]);
    println!("{} sources of a killed node counted elsewhere after {:?}", sources(&name), killed.elapsed());
    for (id, (node, epoch)) in &after {
        if before[id].0 == name {
            assert!(*epoch > before[id].1, "{id}");
        } else {
            assert_eq!((node, epoch), (&before[id].0, &before[id].1), "{id} stays where it is");
        }
    }
    until("crossings by the new leases", || {
        nodes.iter().for_each(|node| counted.read(node));
        after.iter().all(|(id, (_, epoch))| counted.of(id, *epoch) > 0).then_some(())
    });
    counted.check();
}

#[test]
fn a_node_that_was_stopped_counts_nothing_by_a_lease_that_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let ids = ["a", "b"];
    nats.apply(&cameras(&ids));
    let one = Node::start(dir.path(), &nats, "one", 2);
    let before = nats.all_counted(2, &[]);
    let two = Node::start(dir.path(), &nats, "two", 2);
    let mut counted = Counted::default();
    until("crossings before", || {
        counted.read(&one);
        before.iter().all(|(id, (_, epoch))| counted.of(id, *epoch) > 0).then_some(())
    });
    one.service.signal(Signal::STOP);
    let after = nats.all_counted(2, &["one"]);
    until("crossings elsewhere", || {
        counted.read(&two);
        after.iter().all(|(id, (_, epoch))| counted.of(id, *epoch) > 0).then_some(())
    });
    // A minute, for example.
    let longer = std::env::var("PCOUNT_STOPPED").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    sleep(Duration::from_secs(longer));
    one.service.signal(Signal::CONT);
    until("the node to notice", || one.service.ids().is_empty().then_some(()));
    assert!(one.said().contains("its lease"), "{}", one.said());
    let end = Instant::now() + LEASE_IS_OVER;
    while Instant::now() < end {
        counted.read(&one);
        counted.read(&two);
        sleep(Duration::from_millis(500));
    }
    counted.check();
    assert_eq!(nats.holders(), after, "they stay where they are");
}

#[test]
fn a_server_that_was_away_for_longer_than_a_lease_finds_each_source_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut nats) = Nats::start(dir.path()) else { return };
    let ids = ["a", "b", "c"];
    nats.apply(&cameras(&ids));
    let nodes = ["one", "two"].map(|name| Node::start(dir.path(), &nats, name, 2));
    let before = nats.all_counted(3, &[]);
    let mut counted = Counted::default();
    nodes.iter().for_each(|node| counted.read(node));
    nats.kill();
    until("the nodes to give their sources up", || {
        nodes.iter().for_each(|node| counted.read(node));
        nodes.iter().all(|node| node.service.ids().is_empty()).then_some(())
    });
    nats.again();
    let after = nats.all_counted(3, &[]);
    assert!(after.iter().all(|(id, (_, epoch))| *epoch > before[id].1), "{before:?} {after:?}");
    until("crossings again", || {
        nodes.iter().for_each(|node| counted.read(node));
        after.iter().all(|(id, (_, epoch))| counted.of(id, *epoch) > 0).then_some(())
    });
    counted.check();
}

#[test]
fn a_server_that_has_lost_its_disk_is_given_the_sources_again_and_they_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a"]));
    let node = Node::start(dir.path(), &nats, "one", 1);
    let before = nats.all_counted(1, &[]);
    let mut counted = Counted::default();
    Nats::all_cross(&[&node], &mut counted, &before);
    nats.kill();
    std::fs::remove_dir_all(dir.path().join("streams")).unwrap();
    nats.again();
    until("the node to give up what the fleet does not have", || {
        counted.read(&node);
        node.service.ids().is_empty().then_some(())
    });
    assert_eq!(nats.apply(&cameras(&["a"])), "add: a\n");
    let after = nats.all_counted(1, &[]);
    // Numbers begin again where there are none: the times of the crossings tell the leases apart.
    assert_eq!(after["a"].0, "one");
    until("the node to be listed again", || nats.nodes().contains("one ").then_some(()));
}

#[test]
fn a_server_that_is_back_at_once_interrupts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a"]));
    let node = Node::start(dir.path(), &nats, "one", 1);
    let before = nats.all_counted(1, &[]);
    nats.kill();
    nats.again();
    let mut counted = Counted::default();
    let end = Instant::now() + LEASE_IS_OVER;
    while Instant::now() < end {
        counted.read(&node);
        sleep(Duration::from_millis(500));
    }
    counted.check();
    assert_eq!(nats.all_counted(1, &[]), before);
}
