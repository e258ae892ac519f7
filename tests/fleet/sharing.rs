//! Nodes that share sources, and what an operator does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::{Value, json};

use crate::{
    machines::{Nats, Node, cameras},
    service::{PROGRAM, until},
};

fn sources_of(nats: &Nats) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for (node, _) in nats.holders().into_values() {
        *all.entry(node).or_default() += 1;
    }
    all
}

#[test]
fn a_fleet_is_made_what_a_file_says_and_a_second_time_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let mut wanted = cameras(&["a", "b"]);
    fs::write(dir.path().join("fleet.json"), json!({ "cameras": wanted }).to_string()).unwrap();
    let said = nats.told(&["apply", "fleet.json", "--dry-run"]);
    assert_eq!(said, "add: a\nadd: b\nnothing was done (--dry-run)\n");
    assert_eq!(nats.told(&["status", "--json"]), "[]\n");
    assert_eq!(nats.apply(&wanted), "add: a\nadd: b\n");
    assert_eq!(nats.apply(&wanted), "nothing changes: the fleet has these sources already\n");
    wanted[1]["alias"] = json!("Back door");
    wanted[1]["site"] = json!("north");
    wanted[0] = cameras(&["c"]).remove(0);
    assert_eq!(nats.apply(&wanted), "remove: a\nchange: b (alias, site)\nadd: c\n");
    assert_eq!(nats.apply(&wanted), "nothing changes: the fleet has these sources already\n");
    let rows: Value = serde_json::from_str(&nats.told(&["status", "--json"])).unwrap();
    let rows: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| (row["id"].clone(), row["site"].clone())).collect();
    assert_eq!(rows, [(json!("b"), json!("north")), (json!("c"), Value::Null)]);
    assert_eq!(nats.told(&["remove", "b"]), "b: removed; no node had it\n");
    assert!(nats.refused(&["remove", "b"]).contains("the fleet has no source 'b'"));
    assert!(nats.refused(&["drain", "nobody"]).contains("there is no node 'nobody'"));
}

#[test]
fn a_password_that_others_could_read_is_refused_and_the_name_of_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let entry = |login: &Value| {
        let mut camera = json!({ "camera_id": "gate", "source": "rtsp://cam.lan/1" });
        match login {
            Value::String(login) => camera["source"] = json!(format!("rtsp://{login}@cam.lan/1")),
            login => camera["credentials"] = login.clone(),
        }
        json!({ "cameras": [camera] }).to_string()
    };
    let file = dir.path().join("fleet.json");
    for login in [json!("admin:hunter2"), json!({ "user": "admin", "password": "hunter2" })] {
        fs::write(&file, entry(&login)).unwrap();
        let said = nats.refused(&["apply", "fleet.json"]);
        assert!(said.contains("'gate' holds a password") && said.contains("tls://"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert_eq!(nats.told(&["status", "--json"]), "[]\n");
    fs::write(&file, entry(&json!({ "env": "GATE_LOGIN" }))).unwrap();
    assert_eq!(nats.told(&["apply", "fleet.json"]), "add: gate\n");
    // An address with a login would stand in the list of processes.
    let output = Command::new(PROGRAM)
        .args(["fleet", "status", "--nats", "nats://admin:hunter2@h:1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(2) && said.contains("holds a login") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn nodes_share_sources_by_room_and_site_and_a_name_is_used_once() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let mut wanted = cameras(&["a", "b", "c", "d", "e"]);
    wanted[4]["site"] = json!("north");
    nats.apply(&wanted);
    let _one = Node::start(dir.path(), &nats, "one", 2);
    let _two = Node::start(dir.path(), &nats, "two", 2);
    until("the sources of every site", || (nats.holders().len() == 4).then_some(()));
    assert!(!nats.holders().contains_key("e"), "no node reaches it");
    let north = json!({ "url": nats.url(), "node": "far", "site": "north", "room": 3 });
    let _far = Node::with(dir.path(), "far", &north);
    let holders = nats.all_counted(5, &[]);
    assert_eq!(holders["e"].0, "far");
    assert_eq!(sources_of(&nats), BTreeMap::from([("far".into(), 1), ("one".into(), 2), ("two".into(), 2)]));
    let nodes: Value = serde_json::from_str(&nats.told(&["nodes", "--json"])).unwrap();
    let names: Vec<_> =
        nodes.as_array().unwrap().iter().map(|node| (&node["node"], &node["answers"])).collect();
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|(_, answers)| **answers == json!(true)), "{nodes}");

    // A second process under the name of the first.
    let twin = dir.path().join("twin");
    fs::create_dir(&twin).unwrap();
    let parallel = json!({ "detector": "motion", "fleet": { "url": nats.url(), "node": "one" } });
    fs::write(twin.join("cams.json"), json!({ "parallel_config": parallel }).to_string()).unwrap();
    let refused =
        Command::new(PROGRAM).args(["serve", "--config", "cams.json"]).current_dir(&twin).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("a node named 'one' runs already"), "{said}");
    assert_eq!(sources_of(&nats)["one"], 2);
}

#[test]
fn a_drained_node_hands_its_sources_over_and_takes_no_more_until_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a", "b"]));
    let one = Node::start(dir.path(), &nats, "one", 4);
    nats.all_counted(2, &[]);
    let _two = Node::start(dir.path(), &nats, "two", 2);
    let said = nats.told(&["drain", "one"]);
    assert!(said.starts_with("one: takes no more sources; 2 to hand over\n"), "{said}");
    assert!(said.contains("counted by two (2 of 2)") && said.ends_with("it may be stopped\n"), "{said}");
    assert_eq!(sources_of(&nats), BTreeMap::from([("two".into(), 2)]));
    assert!(one.service.ids().is_empty());
    nats.apply(&cameras(&["a", "b", "c"]));
    until("the node to be told", || nats.told(&["drain", "one", "--undo"]).contains("again").then_some(()));
    assert_eq!(nats.all_counted(3, &[])["c"].0, "one");
}

#[test]
fn sources_of_the_file_are_none_of_the_fleets_business_and_the_other_way_round() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["a"]));
    let node = Node::start(dir.path(), &nats, "one", 4);
    nats.all_counted(1, &[]);
    // A file that is read again removes nothing that the fleet lends.
    let path = dir.path().join("one/cams.json");
    let mut own: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    own["cameras"] = json!(cameras(&["mine"]));
    fs::write(&path, own.to_string()).unwrap();
    node.service.told(&["reload"]);
    let mut ids = node.service.ids();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "mine"]);
    assert_eq!(nats.told(&["remove", "a"]), "a: removed; 'one' counts it no more\n");
    until("the source to go", || (node.service.ids() == ["mine"]).then_some(()));
}
