//! Which room may name which: the engine knows no terminal, the terminal no OpenCV, and what only computes knows
//! neither pictures nor threads.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/clocks.rs"]
mod clocks;
#[path = "architecture/links.rs"]
mod links;
#[path = "architecture/messages.rs"]
mod messages;
#[path = "architecture/page.rs"]
mod page;
#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/public.rs"]
mod public;
#[path = "architecture/vocabulary.rs"]
mod vocabulary;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use paths::{Paths, files_of, is_in, rust_files};

/// What only computes: boxes, times and numbers in and out.
const PURE: &[&str] = &["ratatui::", "crossterm::", "opencv::", "crate::source", "std::thread", "rayon::"];

/// Room (file or folder under `src`, without `.rs`), and words that its code must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "api",
        &[
            "ratatui::",
            "crossterm::",
            "opencv::",
            "crate::tui",
            "crate::remote",
            "crate::outputs",
            "crate::headless",
        ],
    ),
    (
        "audit",
        &["ratatui::", "crossterm::", "crate::tui", "crate::headless", "crate::outputs", "crate::ledger"],
    ),
    ("audit", &["crate::eval", "std::thread"]),
    ("audit/findings", PURE),
    ("audit/matching", PURE),
    ("audit/playback", PURE),
    ("audit/render", PURE),
    ("audit/tap", PURE),
    ("audit/wilson", PURE),
    ("bench", &["ratatui::", "crossterm::", "crate::tui"]),
    (
        "cadence",
        &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::eval", "std::thread", "std::fs"],
    ),
    ("cadence/input_size", PURE),
    ("cadence/motion", PURE),
    ("cadence/params", PURE),
    ("cadence/rate", PURE),
    ("cadence/region", PURE),
    ("cadence/steady", PURE),
    ("clock", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    ("config", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine", "std::thread"]),
    (
        "config",
        &["crate::count", "crate::detect", "crate::ledger", "crate::source", "crate::store", "crate::track"],
    ),
    ("calibration", PURE),
    ("calibration", &["crate::cadence", "crate::count", "crate::tui", "crate::engine", "std::fs"]),
    ("constants", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread", "std::fs"]),
    ("count", PURE),
    ("count", &["crate::cadence", "crate::tui", "crate::engine", "std::fs"]),
    ("detect", &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::count", "crate::track"]),
    ("detect", &["crate::cadence"]),
    ("doctor", &["ratatui::", "crossterm::", "opencv::", "crate::app", "crate::engine", "crate::logging"]),
    (
        "engine",
        &["ratatui::", "crossterm::", "crate::tui", "crate::headless", "crate::outputs", "crate::ledger"],
    ),
    (
        "evidence",
        &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::outputs", "crate::ledger"],
    ),
    ("evidence/ring", &["opencv::", "crate::source", "std::thread", "std::fs"]),
    ("files", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread"]),
    (
        "fleet",
        &[
            "ratatui::",
            "crossterm::",
            "opencv::",
            "crate::tui",
            "crate::api",
            "crate::remote",
            "crate::outputs",
        ],
    ),
    ("geometry", &["ratatui::", "crossterm::", "opencv::", "crate::"]),
    ("headless", &["ratatui::", "crossterm::", "opencv::", "crate::tui"]),
    ("host", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine", "crate::outputs"]),
    ("host", &["crate::headless", "std::thread", "std::fs"]),
    ("ledger", &["ratatui::", "crossterm::", "opencv::", "crate::tui"]),
    ("ledger", &["crate::outputs", "crate::engine", "crate::headless"]),
    ("logging", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    ("metrics", &["ratatui::", "crossterm::", "opencv::", "crate::"]),
    ("model", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread", "std::fs"]),
    ("native", &["ratatui::", "crossterm::", "crate::"]),
    ("outputs", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::headless"]),
    ("progress", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine", "std::thread"]),
    (
        "protocol",
        &["ratatui::", "crossterm::", "opencv::", "tokio::", "crate::tui", "crate::api", "crate::remote"],
    ),
    ("protocol", &["crate::outputs", "crate::headless", "std::thread"]),
    (
        "remote",
        &[
            "ratatui::",
            "crossterm::",
            "opencv::",
            "crate::tui",
            "crate::api",
            "crate::outputs",
            "crate::headless",
        ],
    ),
    ("source", &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::track", "crate::ledger"]),
    ("source", &["crate::cadence", "crate::count", "crate::store"]),
    ("store", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    ("store", &["crate::config", "crate::count", "crate::source", "crate::track"]),
    ("store", &["crate::outputs", "crate::ledger", "crate::headless"]),
    ("track", PURE),
    ("track", &["crate::cadence", "crate::count", "crate::tui", "crate::engine", "std::fs"]),
    ("trust", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread"]),
    ("tui", &["opencv::", "crate::ledger::Ledger", "crate::detect::load"]),
];

/// What a room may name all the same: the vocabulary is words about points and boxes too.
const ALLOWED: &[(&str, &str)] = &[("model", "crate::geometry")];

#[test]
fn no_room_knows_what_it_must_not() {
    let mut broken = Vec::new();
    for (room, words) in FORBIDDEN {
        let files = files_of(room);
        assert!(!files.is_empty(), "there is no room '{room}'; has it been renamed?");
        for file in files {
            let own = format!("crate::{room}");
            for path in Paths::of(&file).iter().filter(|path| !is_in(path, &own)) {
                if ALLOWED.iter().any(|(allowed, word)| allowed == room && is_in(path, word)) {
                    continue;
                }
                let forbidden = words.iter().filter(|word| is_in(path, word));
                broken.extend(forbidden.map(|word| format!("{} names '{path}' of '{word}'", file.display())));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The rooms, each with those that it names. What only puts the program together is none.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let name = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_string_lossy().into_owned();
    let mut rooms: BTreeSet<String> = fs::read_dir(src).unwrap().map(|entry| name(entry.unwrap())).collect();
    rooms.retain(|room| !["lib", "main"].contains(&&**room));
    let named = |room: &String| {
        let paths: BTreeSet<String> = files_of(room).iter().flat_map(|file| Paths::of(file)).collect();
        let is_named = |other: &&String| paths.iter().any(|path| is_in(path, &format!("crate::{other}")));
        rooms.iter().filter(|other| *other != room).filter(is_named).cloned().collect()
    };
    rooms.iter().map(|room| (room.clone(), named(room))).collect()
}

/// The floor that each room stands on: above all that it names; 0 is the ground.
fn floors(arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, usize> {
    let mut floors: BTreeMap<String, usize> = BTreeMap::new();
    while floors.len() < arrows.len() {
        let ready =
            arrows.iter().filter(|(room, _)| !floors.contains_key(*room)).find_map(|(room, others)| {
                let below: Option<Vec<usize>> =
                    others.iter().map(|other| floors.get(other).copied()).collect();
                Some((room.clone(), below?.into_iter().max().map_or(0, |floor| floor + 1)))
            });
        let (room, floor) = ready.unwrap_or_else(|| {
            let is_left = |room: &&String| !floors.contains_key(*room);
            let left = arrows.iter().filter(|(room, _)| is_left(room)).map(|(room, others)| {
                let others: Vec<_> = others.iter().filter(is_left).map(String::as_str).collect();
                format!("{room} names {}", others.join(", "))
            });
            panic!("there is a circle: {}", left.collect::<Vec<_>>().join("; "))
        });
        floors.insert(room, floor);
    }
    floors
}

/// The arrows that no longer way says as well.
fn direct(arrows: &BTreeMap<String, BTreeSet<String>>, room: &str) -> Vec<String> {
    let reaches = |from: &String, to: &String| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(room) = left.pop() {
            if seen.insert(room) {
                left.extend(&arrows[room]);
            }
        }
        seen.contains(to)
    };
    let others = &arrows[room];
    let is_direct = |to: &&String| others.iter().all(|by| by == *to || !reaches(by, to));
    others.iter().filter(is_direct).cloned().collect()
}

/// `docs/rooms.md`.
fn page() -> String {
    let arrows = arrows();
    let floors = floors(&arrows);
    let mut page = String::from(
        "# Rooms\n\nWhich room under `src/` uses which. A room stands above every room that it uses, so there is no cycle.\n\
         [architecture.md](architecture.md) says what each room is for.\n\n\
         `PCOUNT_ACCEPT=1 cargo test --test architecture` generates this page from the code; the same test fails when the page \
         is out of\ndate. Do not edit it by hand.\n\n## Graph\n\n\
         An arrow that follows from two others is left out.\n\n```mermaid\nflowchart TD\n",
    );
    for room in arrows.keys() {
        for other in direct(&arrows, room) {
            writeln!(page, "  {room} --> {other}").unwrap();
        }
    }
    page.push_str("```\n\n## Layers, top to bottom\n\n| layer | room | uses |\n| --- | --- | --- |\n");
    for floor in (0..=floors.values().copied().max().unwrap_or(0)).rev() {
        for (room, _) in floors.iter().filter(|(_, of_room)| **of_room == floor) {
            let others: Vec<_> = arrows[room].iter().map(|other| format!("`{other}`")).collect();
            writeln!(page, "| {floor} | `{room}` | {} |", others.join(", ")).unwrap();
        }
    }
    page
}

#[test]
fn no_arrow_between_rooms_leads_upwards_and_the_page_shows_them_all() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rooms.md");
    let page = page();
    if std::env::var_os("PCOUNT_ACCEPT").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(kept == page, "docs/rooms.md is out of date; PCOUNT_ACCEPT=1 generates it again:\n{page}");
}

#[test]
#[should_panic(expected = "there is a circle: a names b; b names a")]
fn a_circle_is_found() {
    let of = |others: &[&str]| others.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let arrows = [("a", of(&["b"])), ("b", of(&["a", "c"])), ("c", of(&[]))];
    floors(&arrows.map(|(room, others)| (room.to_owned(), others)).into());
}

#[test]
fn every_room_has_its_rule() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let free = ["app", "cli", "eval", "lib", "main"];
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_string_lossy().into_owned();
        let ruled = FORBIDDEN.iter().any(|(known, _)| *known == room) || free.contains(&&*room);
        assert!(ruled, "say in this test what the room '{room}' must not know");
    }
}

/// Everything else has threads, with names, and says what each of them may wait for.
#[test]
fn the_asynchronous_runtime_stays_where_http_mqtt_and_nats_are_spoken() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let may = |file: &Path| {
        // The clients of MQTT and NATS are asynchronous; each has a runtime with a thread of its own, which nobody waits for.
        let rooms =
            ["api", "api.rs", "fleet", "fleet.rs", "remote", "remote.rs", "outputs/mqtt", "outputs/mqtt.rs"];
        rooms.iter().any(|room| file.starts_with(src.join(room)))
    };
    for file in files.iter().filter(|file| !may(file)) {
        let paths = Paths::of(file);
        let found = paths.iter().find(|path| {
            ["tokio", "tokio_rustls", "rumqttc", "axum", "hyper", "tower"]
                .iter()
                .any(|crate_| is_in(path, crate_))
        });
        assert_eq!(found, None, "{} names it", file.display());
    }
}

#[test]
fn unsafe_code_stays_in_its_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    for file in files.iter().filter(|file| !file.starts_with(src.join("native"))) {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("unsafe_code"), "{} allows unsafe code", file.display());
    }
}
