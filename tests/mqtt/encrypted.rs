//! Encryption, certificates, user names and passwords.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path, process::Command};

use serde_json::json;

use crate::{
    broker::{Broker, path, settings},
    server::{Server, camera, until},
    tls::{Authority, front},
};

fn notices(server: &Server) -> String {
    server.get("/api/v1/snapshot").json()["notices"].to_string()
}

#[test]
fn an_encrypted_broker_is_told_where_its_authority_is_named_and_refused_where_another_is() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    let (authority, other) = (Authority::new(), Authority::new());
    let (port, _) = front(authority.issue(&["localhost"]), broker.port);
    for (name, authority) in [("ours.pem", &authority), ("other.pem", &other)] {
        fs::write(dir.path().join(name), authority.pem()).unwrap();
    }
    let mut server = None;
    for (ca, is_trusted) in [("other.pem", false), ("ours.pem", true)] {
        let more = json!({ "url": format!("mqtts://localhost:{port}"), "ca": ca });
        let config = settings(dir.path(), &[camera("gate")], port, &more);
        drop(server.take());
        let running = server.insert(Server::start(dir.path(), &config));
        if is_trusted {
            until("the broker", || (broker.at("pcount/available")? == "online").then_some(()));
            until("a total", || broker.at("pcount/gate/door/in"));
        } else {
            until("the refusal", || notices(running).contains("is not trusted").then_some(()));
            assert!(broker.retained("pcount/#").is_empty());
        }
    }
    server.unwrap().stop();
    assert_eq!(broker.at("pcount/available").as_deref(), Some("offline"));
}

fn password_file(folder: &Path) {
    // In its own words: a file of user names whose passwords it encrypts itself.
    fs::write(folder.join("users"), "pcount:hunter2-mqtt\n").unwrap();
    let made = Command::new(path("mosquitto_passwd")).args(["-U", "users"]).current_dir(folder).status();
    assert!(made.unwrap().success());
}

#[test]
fn user_name_and_password_let_in_and_are_shown_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    if Command::new(path("mosquitto_passwd")).output().is_err() {
        return crate::require::skip("mosquitto", "mosquitto_passwd does not start");
    }
    password_file(dir.path());
    let rules = "allow_anonymous false\npassword_file users\n";
    let client = ["-u", "pcount", "-P", "hunter2-mqtt"];
    let Some(broker) = Broker::start_with(dir.path(), rules, &client) else {
        return crate::require::skip("mosquitto", crate::broker::MISSING);
    };
    fs::write(dir.path().join("login"), "pcount:wrong-secret-9").unwrap();
    let more = json!({ "credentials": { "file": "login" } });
    let config = settings(dir.path(), &[camera("gate")], broker.port, &more);
    let server = Server::start(dir.path(), &config);
    until("the refusal", || notices(&server).contains("check 'credentials'").then_some(()));
    assert!(!server.said().contains("wrong-secret-9"));
    drop(server);
    fs::write(dir.path().join("login"), "pcount:hunter2-mqtt").unwrap();
    let mut server = Server::start(dir.path(), &config);
    until("the broker", || (broker.at("pcount/available")? == "online").then_some(()));
    assert!(!server.get("/api/v1/snapshot").text().contains("hunter2-mqtt"));
    server.stop();
    assert!(!server.said().contains("hunter2-mqtt"), "{}", server.said());
}
