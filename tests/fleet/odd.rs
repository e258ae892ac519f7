//! Names that are used twice, wrong clocks, full disks, other versions, messages that come twice, too much to do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    machines::{Counted, Nats, Node, cameras},
    preload::library,
    service::{PROGRAM, until},
};

/// Longer than any lease.
const LEASE_IS_OVER: Duration = Duration::from_secs(9);

/// Reads what `nodes` tell for a while.
fn watch(nodes: &[&Node], counted: &mut Counted, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        nodes.iter().for_each(|node| counted.read(node));
        sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_process_whose_name_was_taken_while_it_stood_still_leaves_the_fleet() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a", "b"]));
    let first = Node::start(dir.path(), &nats, "one", 2);
    let before = nats.all_counted(2, &[]);
    let mut counted = Counted::default();
    Nats::all_cross(&[&first], &mut counted, &before);
    first.service.signal(Signal::STOP);
    let mut second = Node::with(dir.path(), "twin", &json!({ "url": nats.url(), "node": "one", "room": 2 }));
    // Two processes are told apart in what they counted.
    second.name = "twin".into();
    let after = until("the second one to count", || {
        let holders = nats.holders();
        let is_later = |(id, (_, epoch)): (&String, &(String, [u64; 2]))| *epoch > before[id].1;
        (holders.len() == 2 && holders.iter().all(is_later)).then_some(holders)
    });
    first.service.signal(Signal::CONT);
    until("the first one to notice", || {
        first.said().contains("another process is node 'one' now").then_some(())
    });
    until("it to count nothing", || first.service.ids().is_empty().then_some(()));
    Nats::all_cross(&[&first, &second], &mut counted, &after);
    watch(&[&first, &second], &mut counted, Duration::from_secs(3));
    counted.check();
    assert_eq!(nats.holders(), after);
}

#[test]
fn leases_do_not_care_about_clocks_that_are_an_hour_apart() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = library(dir.path(), "skew") else { return };
    let Some(nats) = Nats::start(dir.path()) else { return };
    let variables = |seconds: &str| {
        let skew = dir.path().join(format!("skew{seconds}"));
        fs::write(&skew, seconds).unwrap();
        [("LD_PRELOAD", &library), ("SKEW", &skew)]
            .map(|(name, path)| (name, path.to_str().unwrap().to_owned()))
    };
    nats.apply(&cameras(&["a", "b"]));
    let fleet = json!({ "fleet": { "url": nats.url(), "node": "one", "room": 2 } });
    let mut one = Node::launch(dir.path(), "one", &fleet, Command::new(PROGRAM).envs(variables("3600")));
    one.ahead = SignedDuration::from_hours(1);
    let before = nats.all_counted(2, &[]);
    let fleet = json!({ "fleet": { "url": nats.url(), "node": "two", "room": 2 } });
    let mut two = Node::launch(dir.path(), "two", &fleet, Command::new(PROGRAM).envs(variables("-3600")));
    two.ahead = SignedDuration::from_hours(-1);
    let rows: Value = serde_json::from_str(&nats.told(&["status", "--json"])).unwrap();
    let since = rows[0]["held"]["since"].as_i64().unwrap() - jiff::Timestamp::now().as_millisecond();
    assert!(since > 3_000_000, "its clock is wrong: {since}");
    let mut counted = Counted::default();
    Nats::all_cross(&[&one], &mut counted, &before);
    watch(&[&one, &two], &mut counted, LEASE_IS_OVER);
    assert_eq!(nats.holders(), before, "nothing moves");
    // An operator whose clock is wrong sees everybody.
    let wrong = variables("7200");
    let wrong: Vec<(&str, &str)> = wrong.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let said = nats.fleet_with(&["nodes"], &wrong);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let runs = |name: &str| said.lines().any(|line| line.starts_with(name) && line.contains(" runs "));
    assert!(runs("one ") && runs("two "), "{said}");
    let said = nats.fleet_with(&["status"], &wrong);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(!said.contains('h'), "a source is counted for seconds, not for hours: {said}");
    one.service.signal(Signal::KILL);
    let after = nats.all_counted(2, &["one"]);
    Nats::all_cross(&[&two], &mut counted, &after);
    counted.check();
}

#[test]
fn a_server_whose_disk_is_full_is_said_and_counting_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::with(dir.path(), "127.0.0.1", "max_file_store: 100KB") else { return };
    nats.apply(&cameras(&["a"]));
    let one = Node::start(dir.path(), &nats, "one", 1);
    let before = nats.all_counted(1, &[]);
    let mut counted = Counted::default();
    Nats::all_cross(&[&one], &mut counted, &before);
    let mut many = cameras(&["a"]);
    many.extend((0..600).map(|number| {
        let mut camera = cameras(&[&format!("one-of-many-{number}")]).remove(0);
        camera["site"] = json!("nowhere");
        camera
    }));
    fs::write(dir.path().join("many.json"), json!({ "cameras": many }).to_string()).unwrap();
    let said = nats.refused(&["apply", "many.json"]);
    assert!(said.contains("cannot be stored") && said.contains("disk"), "{said}");
    until("the node to say it", || one.said().contains("does not store what this node says").then_some(()));
    assert!(nats.nodes().contains("one: the server does not store"), "{}", nats.nodes());
    let so_far = counted.of("a", before["a"].1);
    watch(&[&one], &mut counted, LEASE_IS_OVER);
    assert_eq!(nats.holders(), before);
    until("more crossings", || {
        counted.read(&one);
        (counted.of("a", before["a"].1) > so_far).then_some(())
    });
    counted.check();
    // With room again all is well by itself.
    nats.apply(&cameras(&["a"]));
    until("the node to say that", || one.said().contains("stores again").then_some(()));
}

#[test]
fn what_a_node_does_not_understand_or_have_is_counted_by_another_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let mut wanted = cameras(&["a", "b"]);
    wanted[1]["alias"] = json!("${PCOUNT_TEST_DOOR}");
    nats.apply(&wanted);
    let one = Node::start(dir.path(), &nats, "one", 3);
    until("the node to refuse it", || nats.nodes().contains("one: cannot count b: ").then_some(()));
    let fleet = json!({ "fleet": { "url": nats.url(), "node": "two", "room": 3 } });
    let _two =
        Node::launch(dir.path(), "two", &fleet, Command::new(PROGRAM).env("PCOUNT_TEST_DOOR", "Back door"));
    let holders = nats.all_counted(2, &[]);
    assert_eq!((&*holders["a"].0, &*holders["b"].0), ("one", "two"));
    // Of a later version: with a key that nobody knows here, and in another form.
    let camera = json!({ "camera_id": "new", "source": "demo:lobby", "warp": 9 });
    let later = json!({ "id": "new", "kind": "camera", "entry": camera, "color": "blue" });
    nats.say("pcount.sources.=any.new", &later.to_string());
    nats.say("pcount.sources.=any.odd=2E1", &json!({ "name": "odd", "entry": [] }).to_string());
    let said = until("both to be refused", || {
        let said = nats.nodes();
        let refused = |what: &str| {
            ["one", "two"].iter().all(|node| said.contains(&format!("{node}: cannot count {what}: ")))
        };
        (refused("new") && refused("odd.1")).then_some(said)
    });
    assert!(said.contains("'warp'") && said.contains("does not understand it"), "{said}");
    let status = nats.told(&["status"]);
    assert!(
        status.lines().any(|line| line.starts_with("odd.1 ") && line.contains("no node has it")),
        "{status}"
    );
    assert_eq!(nats.holders(), holders, "the others are counted as before");
    // A line for each reason, not one for each offer.
    assert_eq!(one.said().matches("does not understand it").count(), 1, "{}", one.said());
    // What the file does not have goes, also what another user wrote.
    assert_eq!(nats.apply(&wanted), "remove: new\nremove: odd.1\n");
    // A node of another version says less, or more, of itself.
    nats.say(
        "$KV.PCOUNT_NODES.old",
        &json!({ "node": "old", "version": "0.0.1", "mood": "good" }).to_string(),
    );
    let nodes = nats.nodes();
    assert!(nodes.lines().any(|line| line.starts_with("old ") && line.contains("0.0.1")), "{nodes}");
}

#[test]
fn a_source_that_is_given_twice_is_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a"]));
    let one = Node::start(dir.path(), &nats, "one", 1);
    let before = nats.all_counted(1, &[]);
    let mut counted = Counted::default();
    Nats::all_cross(&[&one], &mut counted, &before);
    // Another node has room by now; the server is told, by nobody who has it, that nobody has it.
    let two = Node::start(dir.path(), &nats, "two", 1);
    let [revision, delivery] = before["a"].1;
    let id =
        format!("$JS.ACK.PCOUNT_SOURCES.site-=any.{delivery}.{revision}.{delivery}.1700000000000000000.0");
    nats.say(&id, "-NAK");
    let after = until("the second delivery to be counted", || {
        let holders = nats.holders();
        holders.get("a").is_some_and(|(_, epoch)| *epoch > before["a"].1).then_some(holders)
    });
    Nats::all_cross(&[&one, &two], &mut counted, &after);
    watch(&[&one, &two], &mut counted, Duration::from_secs(3));
    counted.check();
    let has = [&one, &two].iter().filter(|node| !node.service.ids().is_empty()).count();
    assert_eq!(has, 1);
}

#[test]
fn a_node_with_too_much_to_do_hands_one_source_over_and_does_not_get_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a", "b"]));
    // Less than the program needs itself: a camera waits for memory that never comes.
    let keys = json!({ "memory_limit": "64MiB", "fleet": { "url": nats.url(), "node": "one", "room": 2 } });
    let one = Node::launch(dir.path(), "one", &keys, &mut Command::new(PROGRAM));
    nats.all_counted(2, &[]);
    let two = Node::start(dir.path(), &nats, "two", 1);
    let holders = until("a source to be handed over", || {
        let holders = nats.holders();
        holders.values().any(|(node, _)| node == "two").then_some(holders)
    });
    let moved = holders.iter().find(|(_, (node, _))| node == "two").unwrap().0.clone();
    assert!(one.said().contains("this node hands it over"), "{}", one.said());
    let said = nats.nodes();
    assert!(said.contains(&format!("one: handed {moved} to another node")), "{said}");
    let row = |name: &str| said.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("one ").contains(" throttled ") && row("two ").contains(" runs "), "{said}");
    // The other one has room for no more: what is left stays, and the first one does not take the source back when that is free.
    two.service.kill();
    sleep(LEASE_IS_OVER);
    let holders = nats.holders();
    assert!(!holders.contains_key(&moved), "{holders:?}");
    let three = Node::start(dir.path(), &nats, "three", 1);
    until("another node to take it", || (nats.holders().get(&moved)?.0 == "three").then_some(()));
    let mut counted = Counted::default();
    watch(&[&one, &three], &mut counted, Duration::from_secs(2));
    counted.check();
}
