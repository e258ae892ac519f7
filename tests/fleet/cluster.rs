//! A cluster of three servers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path, time::Instant};

use serde_json::{Value, json};

use crate::{
    machines::{Counted, Nats, Node, cameras, free_port},
    service::until,
};

/// Three servers that form a cluster.
fn cluster(folder: &Path) -> Option<Vec<Nats>> {
    let routes: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let all: Vec<String> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
    let mut servers = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let (name, port) = (format!("s{index}"), free_port());
        let text = format!(
            "server_name: {name}\nlisten: \"127.0.0.1:{port}\"\njetstream {{ store_dir: streams-{name} }}\ncluster {{\n\
             name: fleet\nlisten: \"127.0.0.1:{route}\"\nroutes: [{}]\n}}\n",
            all.join(", ")
        );
        servers.push(Nats::by(folder, &name, port, &text)?);
    }
    Some(servers)
}

fn about(server: &Nats, stream: &str) -> Value {
    server.ask(&format!("$JS.API.STREAM.INFO.{stream}"), "")
}

#[test]
fn a_cluster_keeps_three_replicas_and_goes_on_when_the_leader_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut servers) = cluster(dir.path()) else { return };
    // A stream from the time in which there was one server.
    let old = json!({
        "name": "PCOUNT_SOURCES", "subjects": ["pcount.sources.>"], "retention": "workqueue", "max_msgs_per_subject": 1,
        "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msg_size": -1,
        "storage": "file", "discard": "old", "num_replicas": 1,
    });
    until("the cluster to make a stream", || {
        let made = servers[0].ask("$JS.API.STREAM.CREATE.PCOUNT_SOURCES", &old.to_string());
        (made["config"]["num_replicas"] == 1).then_some(())
    });
    fs::write(dir.path().join("fleet.json"), json!({ "cameras": cameras(&["a", "b", "c"]) }).to_string())
        .unwrap();
    let output = servers[0].fleet(&["apply", "fleet.json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("the stream PCOUNT_SOURCES is kept by three servers now"),
        "{said}"
    );
    // Made by this version: on three servers from the start.
    assert_eq!(about(&servers[0], "KV_PCOUNT_NODES")["config"]["num_replicas"], 3);
    let leader = until("a leader with two followers", || {
        let info = about(&servers[0], "PCOUNT_SOURCES");
        let followers = info["cluster"]["replicas"].as_array()?;
        (followers.len() == 2 && followers.iter().all(|follower| follower["current"] == true))
            .then(|| info["cluster"]["leader"].as_str().map(str::to_owned))?
    });

    let url: Vec<String> = servers.iter().map(Nats::url).collect();
    let fleet = |name: &str| json!({ "url": url.join(","), "node": name, "room": 2 });
    let nodes = ["one", "two"].map(|name| Node::with(dir.path(), name, &fleet(name)));
    let before = servers[0].all_counted(3, &[]);
    let mut counted = Counted::default();
    let all: Vec<&Node> = nodes.iter().collect();
    Nats::all_cross(&all, &mut counted, &before);

    let place = leader[1..].parse::<usize>().unwrap();
    let killed = Instant::now();
    servers[place].kill();
    let witness = &servers[(place + 1) % 3];
    let again = until("another leader", || {
        let info = about(witness, "PCOUNT_SOURCES");
        let other = info["cluster"]["leader"].as_str().filter(|name| !name.is_empty())?.to_owned();
        nodes.iter().for_each(|node| counted.read(node));
        (other != leader).then_some(other)
    });
    println!("{again} leads {:?} after {leader} was killed", killed.elapsed());
    let after = witness.all_counted(3, &[]);
    println!("all sources counted again {:?} after it was killed: {before:?}, {after:?}", killed.elapsed());
    Nats::all_cross(&all, &mut counted, &after);
    servers[place].again();
    until("the server that is back to follow", || {
        let info = about(&servers[place], "PCOUNT_SOURCES");
        let followers = info["cluster"]["replicas"].as_array()?;
        (followers.len() == 2 && followers.iter().all(|follower| follower["current"] == true)).then_some(())
    });
    let last = servers[place].all_counted(3, &[]);
    Nats::all_cross(&all, &mut counted, &last);
    counted.check();
}
