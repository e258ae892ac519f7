//! Events as they happen: none lost, none twice, and what is lost is said.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
};

use serde_json::{Value, json};

use crate::server::{LONG, Server, camera, config, request};

/// An event as it is sent.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    id: String,
    kind: String,
    data: Value,
}

impl Sent {
    /// Its run and its number.
    fn place(&self) -> (&str, u64) {
        let (run, number) = self.id.rsplit_once('-').unwrap();
        (run, number.parse().unwrap())
    }
}

/// A reader of events.
struct Events(BufReader<UnixStream>);

impl Events {
    fn open(server: &Server, path: &str, last: Option<&str>) -> Self {
        let mut stream = server.unix();
        let headers: Vec<_> = last.map(|last| ("Last-Event-ID", last)).into_iter().collect();
        stream.write_all(&request("GET", path, &headers, None)).unwrap();
        let mut events = Self(BufReader::new(stream));
        assert_eq!(events.line(), "HTTP/1.1 200 OK");
        events
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the events ended");
        line.trim_end().to_owned()
    }

    /// The next event. Heads, sizes of pieces and comments are passed over.
    fn next(&mut self) -> Sent {
        let (mut id, mut kind) = (String::new(), String::new());
        loop {
            let line = self.line();
            match line.split_once(": ") {
                Some(("id", text)) => id = text.into(),
                Some(("event", text)) => kind = text.into(),
                Some(("data", text)) => {
                    return Sent { id, kind, data: serde_json::from_str(text).unwrap() };
                }
                _ => {}
            }
        }
    }

    fn several(&mut self, count: usize) -> Vec<Sent> {
        (0..count).map(|_| self.next()).collect()
    }
}

fn numbers(events: &[Sent]) -> Vec<u64> {
    events.iter().map(|event| event.place().1).collect()
}

fn assert_in_order(numbers: &[u64]) {
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

#[test]
fn a_reader_that_comes_back_gets_what_happened_meanwhile_once_each() {
    let dir = tempfile::tempdir().unwrap();
    let cameras = [camera("door"), camera("gate")];
    let server = Server::start(dir.path(), &config(dir.path(), &cameras, false));
    let mut whole = Events::open(&server, "/api/v1/events", None);
    let mut seen = whole.several(3);
    for round in 0..4 {
        let last = seen.last().unwrap().id.clone();
        // Something happens while this reader is away.
        let mut again = match round % 2 {
            0 => Events::open(&server, "/api/v1/events", Some(&last)),
            _ => Events::open(&server, &format!("/api/v1/events?after={last}"), None),
        };
        seen.extend(again.several(3));
        drop(again);
        whole.several(2);
    }
    assert_in_order(&numbers(&seen));
    assert!(
        seen.iter().all(|event| event.kind != "gap" && event.place().0 == seen[0].place().0),
        "{seen:#?}"
    );
    for event in &seen {
        assert_eq!(event.data["number"], event.place().1);
        assert_eq!(event.data["kind"]["type"], *event.kind);
    }
    // Those of one source are the same ones.
    let mut of_door = Events::open(&server, "/api/v1/events?source=door", Some(&seen[0].id));
    let wanted: Vec<_> = seen[1..].iter().filter(|event| event.data["source"] == "door").collect();
    let got = of_door.several(wanted.len());
    assert_eq!(got.iter().collect::<Vec<_>>(), wanted);
}

#[test]
fn what_a_reader_has_missed_is_said_as_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    // A video is read as fast as it goes, and much happens in it.
    let lines: Vec<_> = (1..=9)
        .map(|number| {
            let y = f64::from(number) / 10.0;
            json!({ "name": format!("l{number}"), "a": [0, y], "b": [1, y] })
        })
        .collect();
    let mut config = config(dir.path(), &[], false);
    config["videos"] = json!([
        { "video_id": "clip", "path": "demo:corridor?people=20&seed=3&seconds=600", "lines": lines }
    ]);
    let server = Server::start(dir.path(), &config);
    // Of another run nothing is known; the oldest that are kept come then.
    let mut events = Events::open(&server, "/api/v1/events", Some("another-7"));
    let gap = events.next();
    let run = gap.place().0.to_owned();
    assert_eq!((&*gap.kind, &gap.data["run"]), ("gap", &json!(run)));
    let first = events.next();
    assert!(first.kind == "gap" || first.place().1 == 1, "{first:?}");
    // More happens than is kept.
    let deadline = std::time::Instant::now() + LONG;
    while events.next().place().1 < 320 {
        assert!(std::time::Instant::now() < deadline, "too little happens");
    }
    let mut late = Events::open(&server, "/api/v1/events", Some(&format!("{run}-7")));
    let gap = late.next();
    assert_eq!((&*gap.kind, &gap.data["from"]), ("gap", &json!(8)), "{gap:?}");
    let next = late.next();
    assert_eq!(next.place().1, gap.data["to"].as_u64().unwrap() + 1, "{next:?}");
    assert_eq!(gap.place().1, gap.data["to"], "a reader that comes back with this id misses nothing more");
    // What is no id at all, or one of the future, is no reason to end.
    for last in ["", "-", "x", "18446744073709551616", &format!("{run}--1"), &format!("{run}-99999999")] {
        Events::open(&server, "/api/v1/events", Some(last));
    }
    assert_eq!(server.get("/healthz").status, 200);
}
