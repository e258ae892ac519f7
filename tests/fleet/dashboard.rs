//! A fleet as one engine: `ctl --nats`, and what nodes answer over NATS.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::{
    machines::{Nats, Node, cameras, free_port},
    service::{PROGRAM, camera, config, until, write},
};

/// `ctl --nats` with these arguments.
fn ctl(nats: &Nats, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["ctl", "--nats", &nats.url()]).args(args).env_remove("PCOUNT_OUTPUT");
    command.env("TZ", "UTC").stdin(Stdio::null()).output().unwrap()
}

fn told(nats: &Nats, args: &[&str]) -> String {
    let output = ctl(nats, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(nats: &Nats, args: &[&str]) -> String {
    let output = ctl(nats, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    said
}

fn snapshot(nats: &Nats) -> Value {
    serde_json::from_str(&told(nats, &["snapshot"])).unwrap()
}

/// A fleet of two nodes with two cameras each; nothing that is sent is longer than a few kilobytes.
fn fleet(folder: &Path) -> Option<(Nats, [Node; 2])> {
    let port = free_port();
    let text =
        format!("listen: \"127.0.0.1:{port}\"\nmax_payload: 16384\njetstream {{\nstore_dir: streams\n}}\n");
    let nats = Nats::by(folder, "nats", port, &text)?;
    let nodes = ["one", "two"].map(|name| Node::start(folder, &nats, name, 2));
    nats.apply(&cameras(&["a", "b", "c", "d"]));
    nats.all_counted(4, &[]);
    Some((nats, nodes))
}

fn state(snapshot: &Value, id: &str) -> String {
    let sources = snapshot["sources"].as_array().unwrap();
    let source = sources.iter().find(|source| source["id"] == id).unwrap();
    source["state"]["state"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_asked_of_a_source_goes_to_the_node_that_holds_it_and_is_noted_there() {
    let dir = tempfile::tempdir().unwrap();
    let Some((nats, nodes)) = fleet(dir.path()) else { return };
    let whole = snapshot(&nats);
    let ids: Vec<&str> =
        whole["sources"].as_array().unwrap().iter().map(|source| source["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a", "b", "c", "d"], "also where an answer comes in parts");
    let holders = nats.holders();
    for source in whole["sources"].as_array().unwrap() {
        let (node, [revision, delivery]) = &holders[source["id"].as_str().unwrap()];
        let epoch = json!({ "revision": revision, "delivery": delivery });
        assert_eq!(source["holder"], json!({ "node": node, "site": null, "epoch": epoch, "age": null }));
    }
    let seen: Vec<_> = whole["nodes"].as_array().unwrap().iter().map(|node| &node["name"]).collect();
    assert_eq!(seen, [&json!("one"), &json!("two")]);
    assert_eq!(told(&nats, &["pause", "a", "c"]), "a: done\nc: done\n");
    for id in ["a", "c"] {
        let node = nodes.iter().find(|node| node.name == holders[id].0).unwrap();
        assert_eq!(state(&node.service.snapshot(), id), "Paused");
        let actions = node.service.told(&["actions"]);
        let said = format!("paused '{id}' (nats)");
        assert!(actions.contains(&said), "{actions}");
    }
    assert_eq!(told(&nats, &["resume", "--all"]), "done\n");
    for node in &nodes {
        let shown = node.service.snapshot();
        let states = shown["sources"].as_array().unwrap().iter().map(|source| &source["state"]["state"]);
        assert!(states.clone().all(|state| state != "Paused"), "{:?}", states.collect::<Vec<_>>());
    }
    let actions = told(&nats, &["actions"]);
    assert!(actions.contains("node one)") && actions.contains("node two)"), "{actions}");
    assert!(refused(&nats, &["pause", "nobody"]).contains("no node that answers has a source 'nobody'"));
    assert!(refused(&nats, &["remove", "a"]).contains("pcount-tui fleet remove a"));
    assert!(refused(&nats, &["add", "demo:lobby"]).contains("fleet apply"));
    assert!(refused(&nats, &["workers", "1"]).contains("--node"));
    assert!(refused(&nats, &["stop"]).contains("--node"), "nobody ends a fleet by a word");
    assert!(refused(&nats, &["--node", "three", "status"]).contains("node 'three' does not answer"));
    assert_eq!(told(&nats, &["--node", "one", "workers", "1"]), "done\n");
    let secret = ["--node", "one", "add", "rtsp://admin:hunter2@127.0.0.1:9/1"];
    let said = refused(&nats, &secret);
    assert!(said.contains("not encrypted") && !said.contains("hunter2"), "{said}");
    let logs = told(&nats, &["logs"]);
    assert!(logs.contains("one [") && logs.contains("two ["), "{logs}");
    let of_one: Value = serde_json::from_str(&told(&nats, &["--node", "one", "--json", "status"])).unwrap();
    assert_eq!(of_one["sources"].as_array().unwrap().len(), 2);
    assert_eq!(told(&nats, &["--node", "two", "stop"]), "the program is shutting down\n");
}

/// Follows the events until so many sources had one.
fn events_of(nats: &Nats, sources: usize, check: impl Fn(&Value)) {
    let mut follower = Command::new(PROGRAM)
        .args(["ctl", "--nats", &nats.url(), "events", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < sources {
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        check(&event);
        seen.extend(event["source"].as_str().map(str::to_owned));
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn events_of_all_nodes_come_as_they_happen() {
    let dir = tempfile::tempdir().unwrap();
    let Some((nats, _nodes)) = fleet(dir.path()) else { return };
    events_of(&nats, 4, |event| assert!(event["gap"].is_null(), "{event}"));
}

#[test]
fn where_one_may_only_look_nothing_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let Some((nats, nodes)) = fleet(dir.path()) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ask = |subject: &str, method: &str, path: &str, body: &str| -> (String, Value) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Pcount-Method", method);
        headers.insert("Pcount-Path", path);
        runtime.block_on(async {
            let client = async_nats::connect(nats.url()).await.unwrap();
            let inbox = client.new_inbox();
            let mut answers = client.subscribe(inbox.clone()).await.unwrap();
            let body = body.to_owned().into();
            let (subject, inbox) = (subject.to_owned(), inbox);
            client.publish_with_reply_and_headers(subject, inbox, headers, body).await.unwrap();
            let answer = answers.next().await.unwrap();
            let status = answer.headers.unwrap().get("Pcount-Status").unwrap().to_string();
            (status, serde_json::from_slice(&answer.payload).unwrap_or_default())
        })
    };
    let pause = r#"{"do":"pause_all"}"#;
    let control = "/api/v1/control";
    for subject in ["pcount.node.one.read", "pcount.nodes.read"] {
        assert_eq!(ask(subject, "POST", control, pause).0, "403", "{subject}");
    }
    let write = r#"{"ask":"export"}"#;
    assert_eq!(ask("pcount.node.one.read", "POST", "/api/v1/ask", write).0, "403");
    let place = ask("pcount.node.one.read", "POST", "/api/v1/ask", r#"{"ask":"place"}"#);
    assert_eq!((&*place.0, &place.1["answer"]), ("200", &json!("place")), "a dashboard needs it");
    for node in &nodes {
        let shown = node.service.snapshot();
        assert!(
            shown["sources"].as_array().unwrap().iter().all(|source| source["state"]["state"] != "Paused")
        );
    }
    let (status, said) = ask("pcount.node.one.order", "POST", control, pause);
    assert_eq!((&*status, &said["said"]), ("200", &json!("done")));
    assert_eq!(ask("pcount.node.one.read", "GET", "/api/v1/nothing", "").0, "404");
    assert_eq!(ask("pcount.node.one.read", "GET", "nonsense \u{1}", "").0, "400");
}

#[test]
fn sources_of_the_files_of_nodes_are_shown_too_and_each_is_reached_under_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let nodes = ["one", "two"].map(|name| {
        let folder = dir.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut config = config(&[camera("gate")]);
        config["parallel_config"]["fleet"] = json!({ "url": nats.url(), "node": name, "site": "north" });
        write(&folder, &config.to_string());
        crate::service::Service::again(&folder)
    });
    let ids = || -> Vec<String> {
        let all = snapshot(&nats);
        let all = all["sources"].as_array().unwrap().clone();
        all.iter().map(|source| source["id"].as_str().unwrap().to_owned()).collect()
    };
    until("both nodes", || (ids() == ["gate@one", "gate@two"]).then_some(()));
    events_of(&nats, 2, |event| assert_ne!(event["source"], "gate", "it says of which node: {event}"));
    assert_eq!(told(&nats, &["pause", "gate@two"]), "gate@two: done\n");
    assert_eq!(state(&nodes[1].snapshot(), "gate"), "Paused");
    assert_ne!(state(&nodes[0].snapshot(), "gate"), "Paused");
    assert_eq!(told(&nats, &["remove", "gate@one"]), "gate@one: done\n", "it is no source of the fleet");
    until("one to go", || (ids() == ["gate"]).then_some(()));
}
