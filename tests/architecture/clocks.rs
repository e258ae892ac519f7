//! Which files read the machine's clocks or wait by them. All others are given a clock, so that tests move it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::paths::{Paths, rust_files};

/// What reads a clock, or waits by it.
const READS: &[&str] = &[
    "crate::clock::awoke",
    "crate::clock::now",
    "crate::clock::passed",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "std::thread::sleep",
    "std::time::Instant::now",
    "std::time::SystemTime::now",
];

/// Files and folders under `src` that read them, and why they need not be given a clock.
const READERS: &[(&str, &str)] = &[
    ("api", "deadlines of connections, for which the runtime waits"),
    ("app", "the program is put together here, and its end has a deadline of the real world"),
    ("bench.rs", "measures"),
    ("bench/load.rs", "measures"),
    ("bench/looped.rs", "plays at a rate"),
    ("bench/report.rs", "measures"),
    ("clock", "is the clock"),
    ("clock.rs", "is the clock"),
    ("detect/registry/commands.rs", "waits for another process, which downloads"),
    ("engine.rs", "waits for threads that end"),
    ("engine/coordinator.rs", "ticks while it waits for messages"),
    ("engine/pipeline.rs", "measures how long detection takes"),
    ("engine/pool/scheduler.rs", "measures how busy workers are"),
    ("engine/threads.rs", "waits for threads that end"),
    ("eval/sequences.rs", "measures"),
    ("fleet", "leases last for a time of the real world, and the runtime waits for it"),
    ("metrics.rs", "measures the process"),
    ("native", "stands below the clock"),
    ("remote", "deadlines of sockets, for which the system waits"),
    ("source/network.rs", "deadlines of sockets, for which the system waits"),
    ("source/network/tls.rs", "deadlines of sockets, for which the system waits"),
    ("source/relay.rs", "pauses where the system refuses a connection"),
    ("source/relay/http.rs", "deadlines of sockets, for which the system waits"),
    ("source/relay/link.rs", "deadlines of sockets, for which the system waits"),
    ("source/relay/rtsp.rs", "deadlines of sockets, for which the system waits"),
    ("tui/format.rs", "the moment that the screens are given"),
];

/// Files and folders under `src` that name the machine's clock to give it to others, where they are not told another.
const BUILDERS: &[&str] = &[
    "app",
    "clock.rs",
    "engine/api.rs",
    "eval/adaptive.rs",
    "headless.rs",
    "ledger.rs",
    "logging.rs",
    "source/system.rs",
];

/// The files under `src` for which `is_so`, each relative to it.
fn files_that(is_so: impl Fn(&Paths) -> bool) -> Vec<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    files.retain(|file| !file.ends_with("tests.rs") && !file.iter().any(|part| part == "tests"));
    files.retain(|file| is_so(&Paths::read(file)));
    files.iter().map(|file| file.strip_prefix(&src).unwrap().to_owned()).collect()
}

/// Checks that exactly those files and folders of `known` have some of `files` which have to.
fn check(files: &[PathBuf], known: &BTreeSet<&str>, fault: &str) {
    let stray: Vec<_> =
        files.iter().filter(|file| !known.iter().any(|known| file.starts_with(known))).collect();
    assert!(stray.is_empty(), "{fault}: {stray:?}");
    let idle: Vec<_> =
        known.iter().filter(|known| !files.iter().any(|file| file.starts_with(known))).collect();
    assert!(idle.is_empty(), "take off the list, for they no longer do: {idle:?}");
}

#[test]
fn only_few_files_read_the_clocks_of_the_machine() {
    let files = files_that(reads);
    let known = READERS.iter().map(|(file, _)| *file).collect();
    check(&files, &known, "these read the machine's clock; give them a Clock");
}

#[test]
fn the_machines_clock_is_named_where_things_are_put_together() {
    let files = files_that(|paths| paths.full().any(|path| path == "crate::clock::SystemClock"));
    let mut known: BTreeSet<&str> = BUILDERS.iter().copied().collect();
    // It defines the clock, and names it nowhere else.
    known.remove("clock.rs");
    check(&files, &known, "these choose the machine's clock by themselves; let them be given one");
}

fn reads(paths: &Paths) -> bool {
    paths.full().any(|path| READS.contains(&&*path)) || paths.methods.contains("elapsed")
}

/// The test of the tests above: each of these must be seen.
#[test]
fn no_way_of_reading_a_clock_is_overlooked() {
    for code in [
        "use std::time::Instant;\nfn f() { Instant::now(); }",
        "use std::time::Instant as Moment;\nfn f() { Moment::now(); }",
        "use std::time;\nfn f() { time::SystemTime::now(); }",
        "fn f() { std::thread::sleep(LONG); }",
        "use std::thread;\nfn f() { thread::sleep(LONG); }",
        "use std::time::Instant;\nfn f() { at.get_or_insert_with(Instant::now); }",
        "use crate::clock;\nfn f() { clock::now(); }",
        "use crate::clock::now;",
        "use jiff::Zoned;\nfn f() { println!(\"{}\", Zoned::now()); }",
        "fn f(begun: Instant) { begun.elapsed(); }",
    ] {
        assert!(reads(&Paths::of_code("crate::count::rule", code)), "{code}");
    }
    for code in [
        "use crate::clock::Clock;\nfn f(clock: &dyn Clock) { clock.now(); }",
        "#[cfg(test)]\nmod tests { fn f() { std::time::Instant::now(); } }",
        "struct A;\nimpl A {\n#[cfg(test)]\nfn f() { std::time::Instant::now(); } }",
    ] {
        assert!(!reads(&Paths::of_code("crate::count::rule", code)), "{code}");
    }
}
