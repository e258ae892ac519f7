//! What is answered, and with which status.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use serde_json::json;

use crate::{
    require,
    server::{Server, camera, config, exchange, request, until},
};

#[test]
fn every_address_has_its_methods_and_others_are_told_which() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    let ask = |method: &str, path: &str| exchange(server.unix(), &request(method, path, &[], None));
    let document = server.get("/api/v1/openapi.json").json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 15);
    for (path, methods) in paths {
        let path = path.replace("{id}", "door");
        let allowed = if methods.get("post").is_some() { "POST" } else { "GET, HEAD" };
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "POST", "GET", "HEAD"] {
            if allowed.contains(method) {
                continue;
            }
            let refused = ask(method, &path);
            assert_eq!((refused.status, &*refused.headers["allow"]), (405, allowed), "{method} {path}");
            if method != "HEAD" {
                assert!(refused.error().contains(allowed), "{refused:?}");
            }
        }
        // A head is that of the answer, without the answer.
        if allowed != "POST" {
            let head = ask("HEAD", &path);
            assert!(head.status == 200 || (path == "/readyz" && head.status == 503), "{path}: {head:?}");
            assert_eq!(head.body.len(), 0, "{path}");
            assert!(head.headers.contains_key("content-type"), "{head:?}");
        }
    }
    for path in
        ["/", "/api", "/api/v1", "/api/v1/", "/api/v2/snapshot", "/healthz/", "//healthz", "/api/v1/sources"]
    {
        for method in ["GET", "POST"] {
            let refused = ask(method, path);
            assert!(refused.status == 404 && refused.error().contains("/api/v1/openapi.json"), "{refused:?}");
        }
    }
    for path in ["/api/v1/sources/nobody", "/api/v1/sources/no%2Fbody/history", "/api/v1/sources/%00/config"]
    {
        assert!(ask("GET", path).status == 404 && ask("GET", path).error().contains("no source"), "{path}");
    }
    for path in
        ["/api/v1/sources/%FF", "/api/v1/history?since=x", "/api/v1/snapshot?afer=1", "/api/v1/logs?after=-1"]
    {
        let refused = ask("GET", path);
        assert!(refused.status == 400 && !refused.error().is_empty(), "{path}: {refused:?}");
    }
}

#[test]
fn a_body_that_is_no_order_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    for (body, status, wanted) in [
        (json!({ "do": "pause", "source": "nobody" }), 404, "no source"),
        (json!({ "do": "pause_all", "source": "door" }), 400, "unknown field `source`"),
        (json!({ "do": "dance" }), 400, "unknown variant `dance`"),
        (json!({ "do": "workers", "count": 1.5 }), 400, "cannot be parsed"),
        (json!({ "do": "add", "entry": { "camera_id": "x" } }), 409, "source"),
        (json!({ "do": "lines", "source": "door", "shapes": { "line": [] } }), 409, "'line' is none of"),
        (json!([]), 400, "cannot be parsed"),
    ] {
        let refused = server.post("/api/v1/control", &body);
        assert_eq!(refused.status, status, "{body}: {}", refused.text());
        assert!(refused.error().contains(wanted), "{body}: {}", refused.text());
    }
    assert_eq!(server.post("/api/v1/control", &json!({ "do": "workers", "count": 1.0 })).status, 200);
    let text =
        request("POST", "/api/v1/control", &[("Content-Type", "text/plain"), ("Content-Length", "2")], None);
    let refused = exchange(server.unix(), &[text, b"{}".to_vec()].concat());
    assert!(refused.status == 415 && refused.error().contains("application/json"), "{refused:?}");
}

#[test]
fn a_snapshot_is_waited_for_until_something_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    let mut generation = 0;
    for _ in 0..5 {
        let snapshot = server.get(&format!("/api/v1/snapshot?after={generation}")).json();
        let next = snapshot["generation"].as_u64().unwrap();
        assert!(next > generation, "{next} after {generation}");
        generation = next;
    }
    // One that is older than the program is no reason to wait.
    assert_eq!(server.get("/api/v1/snapshot?after=18446744073709551615").status, 200);
}

#[test]
fn readiness_says_why_counts_are_in_danger() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    until("readiness", || (server.get("/readyz").status == 200).then_some(()));
    server.post("/api/v1/control", &json!({ "do": "pause_all" }));
    let answer = until("danger", || Some(server.get("/readyz")).filter(|answer| answer.status == 503));
    assert_eq!(answer.json(), json!({ "ready": false, "reasons": ["no source is running"] }));
    assert_eq!(server.get("/healthz").status, 200);
    server.post("/api/v1/control", &json!({ "do": "resume_all" }));
    until("readiness", || (server.get("/readyz").status == 200).then_some(()));
}

/// Holds the lock of the ledger until its standard input ends.
const LOCK: &str = "import sqlite3, sys
ledger = sqlite3.connect('out/ledger.sqlite', isolation_level=None)
ledger.execute('pragma busy_timeout = 20000')
ledger.execute('begin immediate')
print('locked', flush=True)
sys.stdin.read()";

#[test]
fn a_ledger_that_cannot_be_written_is_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    until("readiness", || (server.get("/readyz").status == 200).then_some(()));
    let python = Command::new("python3")
        .args(["-c", LOCK])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else { return require::skip("python", "python3 does not start") };
    let mut line = String::new();
    BufReader::new(python.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    let answer = until("danger", || Some(server.get("/readyz")).filter(|answer| answer.status == 503));
    let reasons = answer.json()["reasons"].to_string();
    assert!(reasons.to_lowercase().contains("ledger"), "{reasons}");
    assert_eq!(server.get("/healthz").status, 200);
    python.stdin.take().unwrap().flush().unwrap();
    python.wait().unwrap();
    until("readiness", || (server.get("/readyz").status == 200).then_some(()));
}

#[test]
fn the_manual_lists_the_addresses_of_the_document() {
    let manual = std::fs::read_to_string("docs/api.md").unwrap();
    let mut listed: Vec<String> = manual
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once("` |")?.0.to_owned()))
        .collect();
    listed.retain(|line| line.starts_with("GET ") || line.starts_with("POST "));
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    let document = server.get("/api/v1/openapi.json").json();
    let mut wanted: Vec<String> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        wanted.extend(
            methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    listed.sort();
    wanted.sort();
    assert_eq!(listed, wanted);
}
