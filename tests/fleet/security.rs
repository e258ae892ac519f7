//! Who may do what, who can read what, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use async_nats::jetstream;
use pcount::{
    config::ServerUrl,
    engine::EngineApi as _,
    internals::{
        fleet::{FleetServer, Remote, Server},
        host::{Host as _, Settings},
    },
};
use serde_json::{Value, json};

use crate::{
    machines::{Node, cameras},
    server::{Configured, free_port},
    service::{PROGRAM, config, until},
    tls::Authority,
    users::{Signed, User},
};

/// Writes a certificate of a server that is signed by somebody whose certificate is `ca.pem`.
fn certify(folder: &Path) {
    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1"]);
    fs::write(folder.join("server.pem"), &identity.pem).unwrap();
    fs::write(folder.join("server.key"), &identity.key_pem).unwrap();
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    fs::write(folder.join("other.pem"), Authority::new().pem()).unwrap();
}

const TLS: &str = "tls { cert_file: \"server.pem\", key_file: \"server.key\" }";

/// What a node with this `fleet` says that is refused at its start.
fn refused_node(folder: &Path, fleet: &Value) -> String {
    let folder = folder.join("refused");
    fs::create_dir_all(&folder).unwrap();
    let mut file = config(&[]);
    file["parallel_config"]["fleet"] = fleet.clone();
    fs::write(folder.join("cams.json"), file.to_string()).unwrap();
    let output =
        Command::new(PROGRAM).args(["serve", "--config", "cams.json"]).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

/// Waits until the node of each of these sources counts it.
fn wait_for(server: &Configured, url: &str, access: &[&str], wanted: &[(&str, &str)]) {
    let args = [&["status", "--json"], access].concat();
    until("the sources to be counted", || {
        let output = server.fleet(url, &args);
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let is_there = |(id, node): &(&str, &str)| {
            rows.iter()
                .any(|row| row["id"] == *id && row["node"] == *node && row["held"]["is_counted"] == true)
        };
        wanted.iter().all(is_there).then_some(())
    });
}

#[test]
fn a_server_is_believed_by_its_certificate_alone() {
    let dir = tempfile::tempdir().unwrap();
    certify(dir.path());
    let Some(server) = Configured::start(dir.path(), TLS) else { return };
    let (tls, nats) = (server.address("tls"), server.address("nats"));
    // A server that encrypts does so for everybody.
    for url in [&tls, &nats] {
        assert!(server.told(url, &["status", "--ca", "ca.pem"]).contains("has no sources"));
        for other in [&["status"][..], &["status", "--ca", "other.pem"]] {
            let said = server.refused(url, other);
            assert!(said.contains("nobody who is trusted here has signed its certificate"), "{said}");
            assert!(said.contains("'ca'") && said.lines().count() == 1, "{said}");
        }
    }
    let said =
        refused_node(dir.path(), &json!({ "url": tls, "node": "one", "ca": dir.path().join("other.pem") }));
    assert!(said.contains("nobody who is trusted here"), "{said}");
    fs::write(dir.path().join("fleet.json"), json!({ "cameras": cameras(&["a"]) }).to_string()).unwrap();
    server.told(&tls, &["apply", "fleet.json", "--ca", "ca.pem"]);
    let _node =
        Node::with(dir.path(), "one", &json!({ "url": tls, "node": "one", "ca": dir.path().join("ca.pem") }));
    wait_for(&server, &tls, &["--ca", "ca.pem"], &[("a", "one")]);
}

#[test]
fn a_server_that_does_not_encrypt_is_refused_where_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = Configured::start(dir.path(), "") else { return };
    let said = server.refused(&server.address("tls"), &["status"]);
    assert!(said.contains("it does not encrypt; switch 'tls' on"), "{said}");
    let said = refused_node(dir.path(), &json!({ "url": server.address("tls"), "node": "one" }));
    assert!(said.contains("it does not encrypt"), "{said}");
}

#[test]
fn a_file_of_credentials_lets_a_user_in_whom_the_servers_operator_has_signed() {
    let dir = tempfile::tempdir().unwrap();
    let signed = Signed::new();
    let Some(server) = Configured::start(dir.path(), &signed.config) else { return };
    let url = server.address("nats");
    fs::write(dir.path().join("one.creds"), signed.user("one")).unwrap();
    fs::write(dir.path().join("stranger.creds"), Signed::new().user("one")).unwrap();
    fs::write(dir.path().join("broken.creds"), "hunter2").unwrap();
    fs::write(dir.path().join("fleet.json"), json!({ "cameras": cameras(&["a"]) }).to_string()).unwrap();
    let said = server.told(&url, &["apply", "fleet.json", "--credentials", "one.creds"]);
    assert_eq!(said, "add: a\n");
    for strangers in [&["status"][..], &["status", "--credentials", "stranger.creds"]] {
        let said = server.refused(&url, strangers);
        assert!(said.contains("it does not know this user") && said.contains("'credentials'"), "{said}");
    }
    let said = server.refused(&url, &["status", "--credentials", "broken.creds"]);
    assert!(said.contains("holds no NATS credentials") && !said.contains("hunter2"), "{said}");
    let fleet = |file: &str| json!({ "url": url, "node": "one", "credentials": dir.path().join(file) });
    assert!(refused_node(dir.path(), &fleet("stranger.creds")).contains("it does not know this user"));
    let _node = Node::with(dir.path(), "one", &fleet("one.creds"));
    wait_for(&server, &url, &["--credentials", "one.creds"], &[("a", "one")]);
}

/// A server by the example of the docs, in which each user has a key in `NAME.key`.
fn by_the_example(folder: &Path) -> Option<Configured> {
    certify(folder);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nats/fleet.conf");
    let mut text = fs::read_to_string(example).unwrap();
    let mut replace = |old: &str, new: &str| {
        assert!(text.contains(old), "the example has no {old}");
        text = text.replace(old, new);
    };
    let (port, monitor) = (free_port(), free_port());
    replace("0.0.0.0:4222", &format!("127.0.0.1:{port}"));
    replace("/var/lib/nats", folder.join("streams").to_str().unwrap());
    replace("/etc/nats/server.pem", "server.pem");
    replace("/etc/nats/server.key", "server.key");
    for user in ["hall1", "barn1", "operator", "reader", "collector"] {
        let made = Command::new(PROGRAM)
            .args(["fleet", "user", &format!("{user}.key")])
            .current_dir(folder)
            .output()
            .unwrap();
        let public = String::from_utf8(made.stdout).unwrap();
        replace(&format!("\"U{}\"", user.to_uppercase()), &format!("\"{}\"", public.trim()));
    }
    let text = format!("{text}\nhttp: \"127.0.0.1:{monitor}\"\n");
    Configured::whole(folder, &text, (port, monitor))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn by_the_example_of_the_docs_each_user_can_do_what_it_has_to() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = by_the_example(dir.path()) else { return };
    let url = server.address("tls");
    let operator = ["--ca", "ca.pem", "--credentials", "operator.key"];
    let reader = ["--ca", "ca.pem", "--credentials", "reader.key"];
    let told = |args: &[&str], access: &[&str]| server.told(&url, &[args, access].concat());
    let refused = |args: &[&str]| {
        let said = server.refused(&url, &[args, &reader[..]].concat());
        assert!(said.contains("does not let this user do it"), "{args:?}: {said}");
    };
    let mut sources = cameras(&["a", "b"]);
    sources[1]["site"] = json!("north");
    fs::write(dir.path().join("fleet.json"), json!({ "cameras": sources }).to_string()).unwrap();
    assert_eq!(told(&["apply", "fleet.json"], &operator), "add: a\nadd: b\n");
    let fleet = |node: &str, key: &str| {
        json!({
            "url": url, "node": node, "credentials": dir.path().join(key), "ca": dir.path().join("ca.pem"), "room": 3,
        })
    };
    let _hall = Node::with(dir.path(), "hall-1", &fleet("hall-1", "hall1.key"));
    wait_for(&server, &url, &reader, &[("a", "hall-1")]);
    let mut barn = fleet("barn-1", "barn1.key");
    barn["site"] = json!("north");
    let _barn = Node::with(dir.path(), "barn-1", &barn);
    wait_for(&server, &url, &reader, &[("a", "hall-1"), ("b", "barn-1")]);
    let nodes = told(&["nodes"], &reader);
    assert!(nodes.contains("hall-1") && nodes.contains("barn-1"), "{nodes}");
    fs::write(dir.path().join("less.json"), json!({ "cameras": cameras(&["a"]) }).to_string()).unwrap();
    refused(&["drain", "hall-1"]);
    refused(&["remove", "a"]);
    refused(&["apply", "less.json"]);
    wait_for(&server, &url, &reader, &[("a", "hall-1"), ("b", "barn-1")]);
    assert!(told(&["drain", "hall-1"], &operator).contains("a: counted by barn-1"));
    told(&["drain", "hall-1", "--undo"], &operator);
    assert_eq!(told(&["remove", "b"], &operator), "b: removed; 'barn-1' counts it no more\n");

    let program = |args: &[&str], access: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(args).args(["--nats", &url]).args(access).current_dir(dir.path());
        let output = command.env_remove("PCOUNT_OUTPUT").stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), said)
    };
    // What nodes count goes to collectors.
    let collector = ["--ca", "ca.pem", "--credentials", "collector.key"];
    until("what a node counts to be collected", || {
        let (code, said) = program(&["collect", "--once", "--json", "--output", "counts"], &collector);
        assert_eq!(code, Some(0), "{said}");
        said.lines()
            .any(|line| line.contains("\"counted\":") && !line.contains("\"counted\":0"))
            .then_some(())
    });
    // Who may look sees what nodes show, and changes nothing; an operator does.
    let (code, said) = program(&["ctl", "status"], &reader);
    assert!(code == Some(0) && said.contains("(a)"), "{said}");
    let (code, said) = program(&["ctl", "pause", "a"], &reader);
    assert!(code == Some(1) && said.contains("does not let this user do it"), "{said}");
    assert_eq!(program(&["ctl", "pause", "a"], &operator).0, Some(0));
    // Settings are saved in the fleet by the permissions of the dashboard's user.
    let renamed = |key: &str, alias: &str| rename(&url, dir.path(), Some(key), "a", alias);
    let said = renamed("reader.key", "Gate").unwrap_err();
    assert!(
        said.contains("does not let this user do it") && said.contains("pcount.node.barn-1.edit"),
        "{said}"
    );
    let said = renamed("operator.key", "Gate").unwrap();
    assert!(said.contains("saved in the sources of the fleet; node '"), "{said}");
    assert_eq!(
        told(&["apply", "less.json", "--dry-run"], &operator),
        "change: a (alias)\nnothing was done (--dry-run)\n"
    );

    let (code, said) = program(&["collect", "--once", "--output", "mine"], &reader);
    assert!(code == Some(1) && said.contains("does not let this user do it"), "{said}");
}

#[test]
fn by_the_example_of_the_docs_no_user_can_do_what_another_is_for() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = by_the_example(dir.path()) else { return };
    let (url, ca) = (server.address("tls"), dir.path().join("ca.pem"));
    let refused = |key: &str, inbox: &str, tried: &[&str]| {
        run(async {
            let user = User::connect(&url, &dir.path().join(key), &ca, inbox).await;
            let refused = user.refused(tried).await;
            assert_eq!(refused, tried, "{key}");
        });
    };
    // A node is no other node, and gives nobody work.
    refused(
        "hall1.key",
        "_INBOX.node.hall-1",
        &[
            "publish $KV.PCOUNT_NODES.barn-1",
            "publish pcount.events.barn-1.b",
            "publish pcount.node.barn-1.drain",
            "publish pcount.node.barn-1.order",
            "publish pcount.node.barn-1.edit",
            "publish pcount.sources.=any.evil",
            "publish $JS.API.CONSUMER.MSG.NEXT.PCOUNT_SOURCES.site-north",
            "publish $JS.ACK.PCOUNT_SOURCES.site-north.1.1.1.1.0",
            "publish $JS.API.CONSUMER.CREATE.PCOUNT_SOURCES.spy.pcount.sources.>",
            "publish $JS.API.CONSUMER.CREATE.PCOUNT_EVENTS.spy",
            "publish $JS.API.CONSUMER.DELETE.PCOUNT_SOURCES.site-=any",
            "publish $JS.API.STREAM.MSG.DELETE.PCOUNT_SOURCES",
            "publish $JS.API.STREAM.PURGE.PCOUNT_SOURCES",
            "publish $JS.API.STREAM.DELETE.PCOUNT_EVENTS",
            "publish $JS.API.STREAM.MSG.GET.PCOUNT_EVENTS",
            "subscribe pcount.node.barn-1.*",
            "subscribe pcount.events.>",
            "subscribe _INBOX.>",
            "subscribe _INBOX.node.barn-1.>",
            "subscribe >",
        ],
    );
    // A reader changes nothing, and hears no answers to nodes.
    refused(
        "reader.key",
        "_INBOX.fleet",
        &[
            "publish pcount.node.hall-1.drain",
            "publish pcount.node.hall-1.release",
            "publish pcount.node.hall-1.order",
            "publish pcount.node.hall-1.edit",
            "publish pcount.sources.=any.evil",
            "publish pcount.events.hall-1.a",
            "publish pcount.taken",
            "publish $KV.PCOUNT_NODES.hall-1",
            "publish $JS.API.STREAM.MSG.DELETE.PCOUNT_SOURCES",
            "publish $JS.API.CONSUMER.MSG.NEXT.PCOUNT_SOURCES.site-=any",
            "publish $JS.ACK.PCOUNT_SOURCES.site-=any.1.1.1.1.0",
            "publish $JS.API.STREAM.DELETE.PCOUNT_SOURCES",
            "subscribe _INBOX.node.hall-1.>",
            "subscribe _INBOX.collect.>",
        ],
    );
    // A collector reads what is counted, and knows no sources.
    refused(
        "collector.key",
        "_INBOX.collect",
        &[
            "publish pcount.events.hall-1.a",
            "publish pcount.sources.=any.evil",
            "publish pcount.node.hall-1.status",
            "publish $JS.API.STREAM.MSG.GET.PCOUNT_SOURCES",
            "publish $JS.API.STREAM.DELETE.PCOUNT_EVENTS",
            "subscribe _INBOX.node.hall-1.>",
            "subscribe pcount.sources.>",
        ],
    );
    // An operator counts nothing.
    refused(
        "operator.key",
        "_INBOX.fleet",
        &[
            "publish pcount.events.hall-1.a",
            "publish $KV.PCOUNT_NODES.hall-1",
            "publish $JS.ACK.PCOUNT_SOURCES.site-=any.1.1.1.1.0",
            "subscribe _INBOX.node.hall-1.>",
        ],
    );
}

/// Gives source `id` another name, as a dashboard on all nodes does.
fn rename(url: &str, folder: &Path, key: Option<&str>, id: &str, alias: &str) -> Result<String, String> {
    let server = Server {
        url: ServerUrl::parse(url).unwrap(),
        credentials: key.map(|key| folder.join(key)),
        ca: Some(folder.join("ca.pem")),
    };
    let remote = Remote::attach(FleetServer::connect(server, true).unwrap().all()).unwrap();
    let source = until("the settings", || remote.source_config(id));
    let before = Settings::of(&source);
    let after = Settings { alias: alias.into(), ..before.clone() };
    remote.save_settings(&id.into(), &before, &after)
}

/// Every file below `folder` that holds `text`.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if fs::read(entry.path())
                .is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
            {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_password_of_a_camera_lies_sealed_on_the_server_and_opens_on_nodes_with_the_key() {
    let dir = tempfile::tempdir().unwrap();
    certify(dir.path());
    let Some(server) = Configured::start(dir.path(), TLS) else { return };
    let url = server.address("tls");
    let access = ["--ca", "ca.pem"];
    let sealed = ["--ca", "ca.pem", "--key-file", "fleet.key"];
    let apply = |cameras: &[Value], access: &[&str]| {
        fs::write(dir.path().join("fleet.json"), json!({ "cameras": cameras }).to_string()).unwrap();
        server.fleet(&url, &[&["apply", "fleet.json"], access].concat())
    };
    let applied = |cameras: &[Value], access: &[&str]| {
        let output = apply(cameras, access);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let refused = |cameras: &[Value], access: &[&str]| {
        let output = apply(cameras, access);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && !said.contains("hunter2"), "{said}");
        said
    };
    let port = free_port();
    let gate = json!({ "camera_id": "gate", "source": format!("rtsp://admin:hunter2@127.0.0.1:{port}/1") });
    let yard = json!({
        "camera_id": "yard", "source": format!("rtsp://127.0.0.1:{port}/2"),
        "credentials": { "user": "admin", "password": "hunter2" },
    });
    let (one, both) = ([gate.clone()], [gate.clone(), yard]);
    assert!(refused(&one, &access).contains("would lie readable on the server"));
    let made = Command::new(PROGRAM).args(["fleet", "key", "fleet.key"]).current_dir(dir.path()).status();
    assert!(made.unwrap().success());
    assert_eq!(applied(&one, &sealed), "add: gate\n");
    assert_eq!(applied(&one, &sealed), "nothing changes: the fleet has these sources already\n");
    assert!(refused(&one, &["--ca", "ca.pem"]).contains("would lie readable"));

    let fleet = |name: &str, key: Option<&str>| {
        let mut fleet = json!({ "url": url, "node": name, "ca": dir.path().join("ca.pem"), "room": 1 });
        if let Some(key) = key {
            fleet["key_file"] = json!(dir.path().join(key));
        }
        fleet
    };
    let with = Node::with(dir.path(), "with", &fleet("with", Some("fleet.key")));
    wait_for(&server, &url, &access, &[("gate", "with")]);
    // A node without the key cannot count what it gets, and says so.
    let without = Node::with(dir.path(), "without", &fleet("without", None));
    assert_eq!(applied(&both, &sealed), "add: yard\n");
    until("the node to refuse it", || {
        let output = server.fleet(&url, &[&["nodes"], &access[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.contains("without: cannot count yard: it is sealed").then_some(())
    });

    // What a dashboard without the key changes stays sealed.
    let said = rename(&url, dir.path(), None, "gate", "Main gate").unwrap();
    assert!(said.contains("saved in the sources of the fleet"), "{said}");
    let planned = server.told(&url, &[&["apply", "fleet.json", "--dry-run"], &sealed[..]].concat());
    assert!(planned.contains("change: gate (alias)"), "{planned}");

    // Another key, beside which the first still opens: everything is sealed again.
    let key = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let made = Command::new(PROGRAM).args(["fleet", "key", "next.key"]).current_dir(dir.path()).status();
    assert!(made.unwrap().success());
    let next = ["--ca", "ca.pem", "--key-file", "next.key"];
    assert!(refused(&both, &next).contains("is sealed with a key that is not here"));
    fs::write(dir.path().join("next.key"), key("next.key") + &key("fleet.key")).unwrap();
    assert_eq!(applied(&both, &next), "change: gate (alias)\nchange: yard (seal)\n");

    // Nothing of it can be read: neither in the stream, nor in any file that the server, the nodes or the commands wrote.
    let messages = run(async {
        let options = async_nats::ConnectOptions::new().add_root_certificates(dir.path().join("ca.pem"));
        let client = jetstream::new(options.connect(&url).await.unwrap());
        let stream = client.get_stream("PCOUNT_SOURCES").await.unwrap();
        let mut messages = Vec::new();
        for id in ["gate", "yard"] {
            let message = stream.get_last_raw_message_by_subject(&format!("pcount.sources.=any.{id}")).await;
            messages.push(String::from_utf8_lossy(&message.unwrap().payload).into_owned());
        }
        messages
    });
    assert!(
        messages.iter().all(|text| text.contains("\"sealed\"") && !text.contains("127.0.0.1")),
        "{messages:?}"
    );
    drop((with, without));
    fs::remove_file(dir.path().join("fleet.json")).unwrap();
    assert_eq!(files_with(dir.path(), "hunter2"), [""; 0]);
}
