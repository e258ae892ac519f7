//! Webhooks of the whole program: what a server on this machine is told, while it or the program is killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/kills.rs"]
mod kills;
#[path = "webhooks/receiver.rs"]
mod receiver;
#[path = "support/tls.rs"]
mod tls;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use pcount::internals::ledger::{FILE_NAME, Reader, reader::Span};
use receiver::{Behavior, Receiver, SECRET, Told};
use serde_json::{Value, json};

const EVER: Span = Span { from: i64::MIN, to: i64::MAX };

/// Longer than anything takes that is waited for.
const LONG: Duration = Duration::from_mins(3);

struct Running(Child);

impl Running {
    fn start(dir: &Path) -> Self {
        let mut child = kills::start(dir);
        let mut out = child.stdout.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Self(child)
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn configure(dir: &Path, webhooks: &Value, seconds: u32) {
    fs::write(dir.join("secret"), SECRET).unwrap();
    let config = json!({
        "parallel_config": { "worker_count": 2, "max_workers": 2, "result_output": "out", "log_dir": "logs",
            "webhooks": webhooks },
        "cameras": [
            { "camera_id": "lobby", "source": "demo:lobby?people=12&seed=7" },
            { "camera_id": "street", "source": "demo:street?people=12&seed=8" } ],
        "videos": [{ "video_id": "clip", "path": format!("demo:lobby?people=12&seed=1&seconds={seconds}") }],
    });
    fs::write(dir.join("cams.json"), config.to_string()).unwrap();
}

fn hook(receiver: &Receiver) -> Value {
    json!({ "url": receiver.url(), "secret_file": "secret", "name": "till" })
}

/// Places of all crossings in the ledger, by source, in their order.
fn in_ledger(dir: &Path) -> BTreeMap<String, Vec<(i64, i64)>> {
    let Ok(reader) = Reader::open(&dir.join("out").join(FILE_NAME)) else { return BTreeMap::new() };
    let of = |source: &str| {
        let crossings = reader.crossings(source, EVER).unwrap();
        crossings.iter().map(|found| (found.session, found.sequence.cast_signed())).collect()
    };
    let sources = reader.sources().unwrap();
    sources
        .iter()
        .map(|source| (source.to_string(), of(source)))
        .filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty())
        .collect()
}

/// Waits for something that must happen.
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LONG, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Checks that what was told is all that is in the ledger, signed, under one id each, in order.
fn check(dir: &Path, told: &[Told]) -> usize {
    let wanted = in_ledger(dir);
    let mut ids: BTreeMap<String, (String, i64, i64)> = BTreeMap::new();
    let mut by_source: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for told in told {
        assert!(told.is_signed, "{}", told.body);
        let data = &told.body["data"];
        assert_eq!(told.body["type"], "crossing");
        let source = data["source"].as_str().unwrap().to_owned();
        let place = (data["session"].as_i64().unwrap(), data["sequence"].as_i64().unwrap());
        let event = (source.clone(), place.0, place.1);
        assert_eq!(
            *ids.entry(told.id.clone()).or_insert_with(|| event.clone()),
            event,
            "one id of two events"
        );
        let places = by_source.entry(source).or_default();
        // What comes again is the last one: nothing passes it.
        match places.last() {
            Some(last) if *last == place => {}
            Some(last) => {
                assert!(*last < place, "{event:?} after {last:?}");
                places.push(place);
            }
            None => places.push(place),
        }
    }
    assert_eq!(ids.values().collect::<BTreeSet<_>>().len(), ids.len(), "one event under two ids");
    assert_eq!(by_source, wanted);
    ids.len()
}

/// How many are in the ledger.
fn crossings(dir: &Path) -> usize {
    in_ledger(dir).values().map(Vec::len).sum()
}

fn is_complete(dir: &Path, receiver: &Receiver) -> bool {
    let wanted = crossings(dir);
    let told: BTreeSet<String> = receiver.told().into_iter().map(|told| told.id).collect();
    wanted > 0 && told.len() >= wanted
}

#[test]
fn a_server_killed_again_and_again_is_told_of_every_crossing_in_order() {
    let kills = kills::count(50);
    let dir = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(Behavior::Forgetful);
    configure(dir.path(), &json!([hook(&receiver)]), 600);
    let program = Running::start(dir.path());
    until("the first delivery", || !receiver.told().is_empty());
    let mut below = kills::moments(11);
    for _ in 0..kills {
        std::thread::sleep(below(1000));
        receiver.kill();
        std::thread::sleep(below(250));
        receiver.revive();
    }
    // While people go on crossing, and the server goes on losing messages.
    let before = crossings(dir.path());
    until("people go on crossing", || crossings(dir.path()) > before);
    until("all that happened is told", || is_complete(dir.path(), &receiver));
    drop(program);
    // What was counted in the last moment is told by the next run, in which nobody crosses.
    let told = until_settled(dir.path(), &receiver);
    let count = check(dir.path(), &told);
    println!("{kills} kills of the server: {count} crossings in {} deliveries", told.len());
    assert!(told.len() > count, "what was not answered came again");
}

#[test]
fn a_program_killed_again_and_again_tells_every_crossing_in_order_under_one_id() {
    let kills = kills::count(5);
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(Behavior::Accept);
    configure(dir.path(), &json!([hook(&receiver)]), 600);
    let mut below = kills::moments(12);
    for _ in 0..kills {
        let before = receiver.told().len();
        let mut program = Running::start(dir.path());
        until("a delivery", || receiver.told().len() > before + 5);
        std::thread::sleep(below(700));
        program.kill();
    }
    let told = until_settled(dir.path(), &receiver);
    println!(
        "{kills} kills of the program: {} crossings in {} deliveries",
        check(dir.path(), &told),
        told.len()
    );
}

/// Runs the program with nobody to count until the server knows all.
fn until_settled(dir: &Path, receiver: &Receiver) -> Vec<Told> {
    let text = fs::read_to_string(dir.join("cams.json")).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["cameras"] = json!([{ "camera_id": "idle", "source": "rtsp://127.0.0.1:1/none" }]);
    config["videos"] = json!([]);
    fs::write(dir.join("cams.json"), config.to_string()).unwrap();
    let program = Running::start(dir);
    until("everything is told", || is_complete(dir, receiver));
    drop(program);
    receiver.told()
}

#[test]
fn a_server_that_refuses_hangs_redirects_or_never_ends_stops_no_counting_and_gets_it_all_later() {
    let dir = tempfile::tempdir().unwrap();
    let behaviors = [Behavior::Refuse, Behavior::Hang, Behavior::Redirect, Behavior::Endless];
    let receivers: Vec<Receiver> = behaviors.into_iter().map(Receiver::start).collect();
    let hooks: Vec<Value> = receivers
        .iter()
        .enumerate()
        .map(|(n, receiver)| json!({ "url": receiver.url(), "secret_file": "secret", "name": format!("hook{n}") }))
        .collect();
    configure(dir.path(), &json!(hooks), 600);
    let program = Running::start(dir.path());
    until("each was asked", || receivers.iter().all(|receiver| receiver.requests() > 0));
    let before = crossings(dir.path());
    until("counting goes on", || crossings(dir.path()) > before + 20);
    for receiver in &receivers[..3] {
        assert!(receiver.told().is_empty());
        receiver.behave(Behavior::Accept);
    }
    drop(program);
    for receiver in &receivers {
        let told = until_settled(dir.path(), receiver);
        check(dir.path(), &told);
    }
}

#[test]
fn the_secret_is_nowhere_but_in_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(Behavior::Refuse);
    configure(
        dir.path(),
        &json!([{ "url": format!("{}?key=hunter2", receiver.url()), "secret_file": "secret" }]),
        600,
    );
    let mut program = Running::start(dir.path());
    until("an attempt", || receiver.requests() > 0);
    until("the outage is said", || {
        fs::read_to_string(dir.path().join("out/status.json"))
            .is_ok_and(|text| text.contains("Webhook 'webhook'"))
    });
    program.kill();
    let secret = SECRET.trim_start_matches("whsec_");
    let mut folders = vec![dir.path().join("out"), dir.path().join("logs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                assert!(!text.contains(secret) && !text.contains("hunter2"), "{}", path.display());
            }
        }
    }
}

fn ctl(dir: &Path, words: &[&str]) -> (Option<i32>, String) {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(["ctl", "--config", "cams.json", "webhooks"])
        .args(words)
        .current_dir(dir)
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn ctl_lists_webhooks_and_tests_them_and_a_server_must_prove_who_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(Behavior::Accept);
    let refusing = Receiver::start(Behavior::Refuse);
    let (authority, stranger) = (tls::Authority::new(), tls::Authority::new());
    fs::write(dir.path().join("ca.pem"), authority.pem()).unwrap();
    fs::write(dir.path().join("stranger.pem"), stranger.pem()).unwrap();
    let (port, _) = tls::front(authority.issue(&["localhost"]), receiver.port());
    let encrypted = |name: &str, ca: &str| {
        json!({ "url": format!("https://localhost:{port}/x"), "secret_file": "secret", "name": name, "ca": ca,
            "events": ["correction"] })
    };
    let hooks = json!([encrypted("proven", "ca.pem"), encrypted("unproven", "stranger.pem"), {
        "url": refusing.url(), "secret_file": "secret", "name": "refusing" }]);
    configure(dir.path(), &hooks, 600);
    let program = Running::start(dir.path());
    until("a test", || ctl(dir.path(), &["test", "proven"]).0 == Some(0));
    let told = receiver.told();
    assert!(told[0].is_signed && told[0].body["type"] == "test", "{told:?}");
    assert_eq!(ctl(dir.path(), &["test", "proven"]), (Some(0), "proven: accepted (204)\n".into()));
    let before = receiver.requests();
    let (code, said) = ctl(dir.path(), &["test", "unproven"]);
    assert!(code == Some(1) && said.contains("certificate"), "{said}");
    assert_eq!(receiver.requests(), before, "nothing is said to a server that is not proven");
    let (code, said) = ctl(dir.path(), &["test"]);
    assert!(
        code == Some(1) && said.contains("refusing: refused (500)") && said.contains("proven: accepted"),
        "{said}"
    );
    let (code, said) = ctl(dir.path(), &["test", "nobody"]);
    assert!(code == Some(1) && said.contains("there is no webhook 'nobody'"), "{said}");
    until("a failed delivery", || ctl(dir.path(), &[]).1.contains("answers 500; next attempt in"));
    let (_, said) = ctl(dir.path(), &["--json"]);
    let listed: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(listed[2]["name"], "refusing");
    assert!(!said.contains("MfKQ9r8") && !said.contains("/x"), "{said}");
    drop(program);
}
