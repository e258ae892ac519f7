//! What no client can do: end the program, fill its memory, hold up its answers to others, hold up counting.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::server::{Answer, LONG, Random, Server, TOKEN, all, camera, config, request, until};

/// Connections of one listener at a time.
const ROOM: usize = 128;

/// The server ends what does not go on after 20 s; twice that much on a busy machine.
const ENDED: Duration = Duration::from_mins(1);

const METHODS: [&str; 12] =
    ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get", "", "G\0T", "PRI", "\u{130}"];
const PATHS: [&str; 16] = [
    "/healthz",
    "/api/v1/snapshot",
    "/api/v1/control",
    "/api/v1/ask",
    "/api/v1/sources/%FF%FE",
    "/api/v1/sources/%00/config",
    "/api/v1/logs?level=\u{fffd}&words=%C3%28",
    "/api/v1/report?since=%F0%28%8C%28",
    "/api/v1/history?since=99999999999999999999",
    "http://evil.example/api/v1/snapshot",
    "http://user:password@localhost/healthz",
    "*",
    "../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "//",
    "",
];
const VERSIONS: [&str; 7] = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.1 ", "", "\u{1}"];
const HEADERS: [&str; 18] = [
    "Host: localhost",
    "Host:",
    "Host: a\r\nHost: b",
    "Content-Length: 10",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999999",
    "Content-Length: 3\r\nContent-Length: 5",
    "Content-Length: 1e3",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 4",
    "Content-Type: application/json",
    "Content-Type: application/json; charset=\u{ff}",
    "Expect: 100-continue",
    "Upgrade: websocket\r\nConnection: upgrade",
    "Last-Event-ID: \u{0}",
    ": nothing",
    " folded\r\n\tline",
];

/// A request that is none, or none that may do anything.
fn nonsense(random: &mut Random) -> Vec<u8> {
    let line = |random: &mut Random| {
        let (method, path) = (*random.of(&METHODS), *random.of(&PATHS));
        format!("{method} {path} {}", random.of(&VERSIONS))
    };
    let json_head = |length: usize| {
        format!(
            "POST /api/v1/control HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    match random.below(10) {
        0 => random.bytes(400),
        1 => [b"GET ", &*random.bytes(60), b" HTTP/1.1\r\nHost: localhost\r\n\r\n"].concat(),
        2 => {
            let name = "x".repeat(random.below(100_000));
            format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{name}: {name}\r\n\r\n").into_bytes()
        }
        3 => {
            let many: String = (0..random.below(500)).map(|number| format!("x-{number}: y\r\n")).collect();
            format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{many}\r\n")
                .into_bytes()
        }
        4 => {
            let chunks = *random.of(&[
                "zz\r\nab",
                "ffffffffffffffffff\r\n",
                "-1\r\n\r\n",
                "3;x=\0\r\nabc\r\n0\r\nEvil: 1\r\n\r\n",
                "5\r\nab",
                "",
            ]);
            format!("POST /api/v1/control HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}").into_bytes()
        }
        5 => {
            let deep = (*random.of(&["[", "{\"a\":", "[{\"do\":"])).repeat(1 + random.below(100_000) / 4);
            [json_head(deep.len()).into_bytes(), deep.into_bytes()].concat()
        }
        6 => {
            let bytes = random.bytes(300);
            [json_head(bytes.len()).into_bytes(), bytes].concat()
        }
        7 => {
            let order = *random.of(&[
                r#"{"do":"workers","count":99999999999999999999999999999999}"#,
                r#"{"do":"workers","count":-1}"#,
                r#"{"do":"pause","source":"\u0000\ud800"}"#,
                r#"{"do":["pause"],"source":"door"}"#,
                r#"{"do":"add","entry":{"camera_id":"","source":""}}"#,
                r#"{"do":"add","entry":{"camera_id":"../x","source":"rtsp://"}}"#,
                r#"{"do":"lines","source":"door","shapes":{"lines":[{"a":[1e999,0]}]}}"#,
                r#"{"do":"reset","do":"reset"}"#,
                "null",
                "\"",
            ]);
            [json_head(order.len()).into_bytes(), order.as_bytes().to_vec()].concat()
        }
        8 => {
            let path = format!(
                "/api/v1/sources/{}?{}",
                "%".repeat(random.below(50)),
                "a=b&".repeat(random.below(20_000))
            );
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes()
        }
        _ => {
            let mut text = line(random);
            for _ in 0..random.below(6) {
                text += "\r\n";
                text += *random.of(&HEADERS);
            }
            text += *random.of(&["\r\n\r\n", "\n\n", "\r\n", "\r\n\r\n\0\0\0"]);
            [text.into_bytes(), random.bytes(20)].concat()
        }
    }
}

#[test]
fn ten_thousand_malformed_requests_end_nothing_and_fill_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], true));
    let mut random = Random(7);
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    let mut silent = 0;
    let mut before = 0;
    let begun = Instant::now();
    for batch in 0..20 {
        for number in 0..500 {
            let bytes = nonsense(&mut random);
            let back = if number % 2 == 0 {
                let stream = server.unix();
                let end = stream.try_clone().unwrap();
                ended(stream, &bytes, || end.shutdown(Shutdown::Write))
            } else {
                let stream = server.tcp();
                let end = stream.try_clone().unwrap();
                ended(stream, &bytes, || end.shutdown(Shutdown::Write))
            };
            match Answer::read(&back) {
                Some(answer) => {
                    assert!(answer.status < 500, "{answer:?} to {}", String::from_utf8_lossy(&bytes));
                    *statuses.entry(answer.status).or_default() += 1;
                }
                None => silent += 1,
            }
        }
        assert_eq!(
            (server.get("/healthz").status, server.over_tcp("GET", "/healthz", &[], None).status),
            (200, 200)
        );
        // Buffers have their size then.
        if batch == 1 {
            before = server.resident();
        }
    }
    let (grown, taken) = (server.resident().saturating_sub(before), begun.elapsed());
    println!(
        "10000 in {taken:.1?}: {statuses:?}, {silent} without an answer; {before} KiB and {grown} KiB more"
    );
    assert!(grown < 48 << 10, "{grown} KiB more");
    assert!(server.is_alive() && statuses.len() > 4, "{statuses:?}");
    assert!(!server.said().contains("panic"), "{}", server.said());
    // Nothing of it was done.
    let actions = server.get("/api/v1/actions").json();
    assert_eq!(actions, json!([]));
}

/// All that comes back for `bytes`, after which nothing more is said.
fn ended(
    mut stream: impl std::io::Read + std::io::Write,
    bytes: &[u8],
    end: impl FnOnce() -> std::io::Result<()>,
) -> Vec<u8> {
    let _ = stream.write_all(bytes);
    let _ = end();
    all(stream, b"")
}

/// Files and connections that the service has open.
fn handles(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count()
}

/// Whether the other side has ended the connection within the bound; what it has sent is read.
fn is_ended(stream: &mut (impl std::io::Read + ?Sized)) -> bool {
    let begun = Instant::now();
    let mut piece = vec![0; 64 << 10];
    while begun.elapsed() < ENDED {
        match stream.read(&mut piece) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
    false
}

#[test]
fn what_does_not_go_on_is_ended_and_takes_no_place_from_the_other_way() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], true));
    let head = "POST /api/v1/control HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let endless = [
        format!("{head}Content-Length: 1000\r\n\r\n{{"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"),
    ];
    // Bodies that do not end are answered, as is one that is too long.
    std::thread::scope(|scope| {
        for (number, text) in endless.iter().enumerate() {
            let server = &server;
            scope.spawn(move || {
                let mut stream = server.unix();
                stream.write_all(text.as_bytes()).unwrap();
                // A little comes all the time, and the end never.
                let mut slow = stream.try_clone().unwrap();
                std::thread::spawn(move || {
                    while number == 1 && slow.write_all(b"1\r\n \r\n").is_ok() {
                        std::thread::sleep(Duration::from_millis(500));
                    }
                });
                let answer = Answer::read(&all(stream, b"")).unwrap();
                assert_eq!((answer.status, &*answer.error()), (408, "the body took too long to arrive"));
            });
        }
        let long = format!("{head}Content-Length: 99999999\r\n\r\n{}", " ".repeat(1 << 20));
        let answer = Answer::read(&all(server.unix(), long.as_bytes())).unwrap();
        assert!(answer.status == 413 && answer.error().contains("longer than 262144 bytes"), "{answer:?}");
        // What nobody asked for is not read.
        let unasked = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n";
        assert_eq!(Answer::read(&all(server.unix(), unasked.as_bytes())).unwrap().status, 200);
    });

    // All places over TCP are taken by those who say nothing, or half of a request.
    let half = |server: &Server, number: usize| {
        let mut stream = server.tcp();
        let said: &[u8] =
            if number.is_multiple_of(2) { b"" } else { b"GET /api/v1/snapshot HTTP/1.1\r\nHost: loc" };
        // One too many is refused at once.
        let _ = stream.write_all(said);
        stream
    };
    let mut taken: Vec<TcpStream> = (0..200).map(|number| half(&server, number)).collect();
    let full = until("no more room", || {
        let back = all(server.tcp(), &request("GET", "/healthz", &[], None));
        Answer::read(&back).filter(|answer| answer.status == 503)
    });
    assert_eq!(full.error(), "too many connections; close some and try again");
    for _ in 0..5 {
        let begun = Instant::now();
        assert_eq!(server.get("/api/v1/snapshot").status, 200);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    let begun = Instant::now();
    assert!(taken.iter_mut().all(is_ended));
    println!("half-open connections were ended after {:.1?}", begun.elapsed());
    drop(taken);
    assert_eq!(server.as_alice("GET", "/healthz", None).status, 200);

    // The same with the socket full.
    let mut taken: Vec<UnixStream> = (0..200).map(|_| server.unix()).collect();
    until("no more room", || {
        let back = all(server.unix(), &request("GET", "/healthz", &[], None));
        Answer::read(&back).filter(|answer| answer.status == 503)
    });
    assert_eq!(server.as_alice("GET", "/api/v1/snapshot", None).status, 200);
    assert!(taken.iter_mut().all(is_ended));
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_client_that_reads_nothing_or_writes_a_letter_at_a_time_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], true));
    let ask = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let one = server.get("/api/v1/openapi.json").body.len();
    let (before, held) = (server.resident(), handles(&server));
    // Far more than any buffer between the two holds.
    let count = 2_000;
    let mut readers: Vec<Box<dyn std::io::Read>> = Vec::new();
    for number in 0..20 {
        let (mut to, from): (Box<dyn std::io::Write + Send>, Box<dyn std::io::Read>) = if number % 2 == 0 {
            let stream = server.tcp();
            (Box::new(stream.try_clone().unwrap()), Box::new(stream))
        } else {
            let stream = server.unix();
            (Box::new(stream.try_clone().unwrap()), Box::new(stream))
        };
        std::thread::spawn(move || (0..count).all(|_| to.write_all(ask).is_ok()));
        readers.push(from);
    }
    let slow = server.tcp();
    let mut letters = slow.try_clone().unwrap();
    let written = std::thread::spawn(move || {
        let begun = Instant::now();
        while letters.write_all(b"x").is_ok() && begun.elapsed() < ENDED {
            std::thread::sleep(Duration::from_millis(500));
        }
        begun.elapsed()
    });
    until("their connections", || (handles(&server) >= held + 20).then_some(()));
    until("their end", || (handles(&server) <= held + 8).then_some(()));
    // The last ones, which the files that the service has opened meanwhile may hide in the number.
    std::thread::sleep(Duration::from_secs(22));
    let grown = server.resident().saturating_sub(before);
    for mut reader in readers {
        let mut read = 0;
        let mut piece = vec![0; 1 << 20];
        while let Ok(size @ 1..) = reader.read(&mut piece) {
            read += size;
        }
        assert!(read < one * count / 2, "all of it was kept for a reader that did not read: {read}");
    }
    let taken = written.join().unwrap();
    println!("given up after {taken:.1?}; {grown} KiB more for 20 that read nothing");
    assert!(taken < ENDED && grown < 64 << 10, "{taken:?}, {grown} KiB");
    assert_eq!(server.get("/healthz").status, 200);
}

/// What was counted in the whole video.
fn counted(folder: &std::path::Path, hostile: bool) -> Value {
    let mut config = config(folder, &[], true);
    config["videos"] = json!([{
        "video_id": "clip",
        "path": "demo:lobby?people=6&seed=4&seconds=20",
        "lines": [{ "name": "door", "a": [0, 0.5], "b": [1, 0.5] }],
    }]);
    let server = Server::start(folder, &config);
    let mut clients = Vec::new();
    for number in 0..50 * usize::from(hostile) {
        let mut stream = server.tcp();
        let path = *[
            "/api/v1/events?after=x-0",
            "/api/v1/snapshot?after=0",
            "/api/v1/sources/clip/preview",
            "/api/v1/logs?wait=30",
        ]
        .get(number % 4)
        .unwrap();
        let ask = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
        // Again and again, and nothing is read.
        stream.set_nonblocking(true).unwrap();
        let _ = stream.write_all(ask.repeat(200).as_bytes());
        clients.push(stream);
    }
    let begun = Instant::now();
    let over = until("the end of the video", || {
        assert!(begun.elapsed() < LONG);
        let source = server.get("/api/v1/sources/clip").json();
        (source["state"].to_string().to_lowercase().contains("completed")).then_some(source)
    });
    drop(clients);
    json!([over["frames"], over["total_in"], over["total_out"], over["lines"], over["state"]])
}

#[test]
fn clients_that_ask_and_do_not_read_change_no_count() {
    let (calm, hostile) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wanted = counted(calm.path(), false);
    assert!(wanted[1].as_u64().unwrap() + wanted[2].as_u64().unwrap() > 0, "{wanted}");
    assert_eq!(counted(hostile.path(), true), wanted);
}

#[test]
fn questions_whose_client_has_gone_are_not_worked_off_before_an_order() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    // A hundred days by the quarter of an hour.
    let ask = request("GET", "/api/v1/report?since=100d&by=15m", &[], None);
    let begun = Instant::now();
    assert_eq!(Answer::read(&all(server.tcp(), &ask)).unwrap().status, 200);
    let one = begun.elapsed();
    for _ in 0..2_000 {
        server.tcp().write_all(&ask).unwrap();
    }
    let begun = Instant::now();
    let order = json!({ "do": "pause", "source": "door" });
    assert_eq!(server.post("/api/v1/control", &order).status, 200);
    println!("a report takes {one:.1?}, an order behind 2000 of them {:.1?}", begun.elapsed());
    assert!(begun.elapsed() < 20 * one + Duration::from_secs(2), "{:?}, {one:?}", begun.elapsed());
}

#[test]
fn no_more_connections_are_held_than_there_is_room_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    let before = handles(&server);
    let streams: Vec<_> = (0..4 * ROOM).map(|_| (server.tcp(), server.unix())).collect();
    let most = until("the refusals", || Some(handles(&server)).filter(|now| *now <= before + 2 * ROOM + 8));
    assert!(most > before, "they are held");
    drop(streams);
    until("their end", || (handles(&server) <= before + 8).then_some(()));
}
