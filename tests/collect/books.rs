//! What stands in the ledgers of nodes and in the collected one, and the program that collects.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use pcount::internals::ledger::FILE_NAME;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::service::{PROGRAM, until};

/// A crossing as both sides know it: source, lease (revision, delivery, begin), its number, line, direction and track.
pub type Crossing = (String, [i64; 3], i64, String, i64, i64);

/// The ledger in an output folder, for reading.
pub fn open(output: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(output.join(FILE_NAME), flags).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    connection
}

/// A number out of a ledger.
pub fn one(output: &Path, query: &str) -> i64 {
    open(output).query_row(query, [], |row| row.get(0)).unwrap()
}

fn read(output: &Path, query: &str) -> BTreeMap<Crossing, usize> {
    let mut found = BTreeMap::new();
    let connection = open(output);
    let mut query = connection.prepare(query).unwrap();
    let rows = query.query_map([], |row| {
        let lease = [row.get(1)?, row.get(2)?, row.get(3)?];
        Ok((row.get(0)?, lease, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
    });
    for row in rows.unwrap() {
        *found.entry(row.unwrap()).or_default() += 1;
    }
    found
}

/// What a node has counted by leases. What it prints or shows as kept stands here first.
pub fn of_node(output: &Path) -> BTreeMap<Crossing, usize> {
    read(
        output,
        "SELECT x.source, l.revision, l.delivery, l.began_ms, x.seq, x.line, x.direction, x.track FROM crossings AS x \
         JOIN leases AS l ON l.source = x.source AND l.session = x.session AND l.seq = (SELECT MAX(m.seq) FROM leases AS m \
             WHERE m.source = x.source AND m.session = x.session AND m.seq <= x.seq)",
    )
}

/// What is counted in the collected ledger.
pub fn of_fleet(output: &Path) -> BTreeMap<Crossing, usize> {
    read(
        output,
        "SELECT x.source, l.revision, l.delivery, l.began_ms, c.sequence, x.line, x.direction, x.track FROM collected AS c \
         JOIN leases AS l ON l.id = c.lease JOIN crossings AS x ON x.session = c.session AND x.source = l.source AND x.seq = c.seq",
    )
}

/// Checks that what the nodes have counted is what is collected; gives how much that is.
pub fn compare(nodes: &[PathBuf], collected: &Path) -> usize {
    let mut counted: BTreeMap<Crossing, usize> = BTreeMap::new();
    for (crossing, times) in nodes.iter().flat_map(|node| of_node(node)) {
        *counted.entry(crossing).or_default() += times;
    }
    let found = of_fleet(collected);
    let doubled: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
    let missing: Vec<_> = counted.keys().filter(|crossing| !found.contains_key(*crossing)).collect();
    let strange: Vec<_> = found.keys().filter(|crossing| !counted.contains_key(*crossing)).collect();
    let uncounted = one(collected, "SELECT COUNT(*) FROM uncounted");
    if uncounted > 0 || !missing.is_empty() {
        println!("leases: {:#?}", leases(collected));
    }
    println!(
        "{} crossings counted by nodes, {} collected: {} missing, {} doubled, {} of no node, {uncounted} not counted",
        counted.len(),
        found.len(),
        missing.len(),
        doubled.len(),
        strange.len(),
    );
    assert!(doubled.is_empty(), "collected twice: {doubled:?}");
    assert!(missing.is_empty(), "counted and not collected: {missing:?}");
    assert!(strange.is_empty(), "collected and counted by no node: {strange:?}");
    assert_eq!(uncounted, 0);
    // All crossings, also those that nobody sent.
    assert_eq!(one(collected, "SELECT COUNT(*) FROM crossings"), i64::try_from(found.len()).unwrap());
    assert_eq!(
        one(collected, "SELECT COALESCE(SUM(total_in + total_out), 0) FROM totals"),
        i64::try_from(found.len()).unwrap()
    );
    one_node_at_a_time(collected);
    found.len()
}

/// All leases in words.
fn leases(collected: &Path) -> Vec<String> {
    let connection = open(collected);
    let mut query = connection
        .prepare(
            "SELECT source || ' ' || revision || '.' || delivery || ' ' || node || ' from ' || began_ms || ' to ' || \
             COALESCE(ended_ms, '?') FROM leases ORDER BY source, began_ms",
        )
        .unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Checks that what is collected of a source comes from one node at each moment: where leases follow each other, so do times.
fn one_node_at_a_time(collected: &Path) {
    let connection = open(collected);
    let mut query = connection
        .prepare(
            "SELECT l.source, l.began_ms + l.offset_ms, MIN(x.wall_ms), MAX(x.wall_ms), l.node FROM leases AS l \
             JOIN collected AS c ON c.lease = l.id JOIN crossings AS x ON x.session = c.session AND x.seq = c.seq \
             GROUP BY l.id ORDER BY l.source, l.began_ms + l.offset_ms",
        )
        .unwrap();
    let rows = query.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
    });
    let leases: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
    for pair in leases.windows(2) {
        if pair[0].0 == pair[1].0 {
            assert!(
                pair[0].3 < pair[1].1 && pair[0].3 < pair[1].2,
                "{}: two leases at once: {pair:?}",
                pair[0].0
            );
        }
    }
}

/// Whether a node has told the server everything.
pub fn has_sent_all(output: &Path) -> bool {
    one(output, "SELECT COUNT(*) FROM fleet_outbox") == 0
}

/// The program that collects, into `out` in a folder of its own.
pub struct Collect {
    child: Child,
    folder: PathBuf,
}

impl Collect {
    /// Starts it in `folder`.
    pub fn start(folder: &Path, url: &str) -> Self {
        Self::with(folder, url, &[])
    }

    /// Starts it with more arguments.
    pub fn with(folder: &Path, url: &str, args: &[&str]) -> Self {
        fs::create_dir_all(folder).unwrap();
        let file = |name: &str| File::options().append(true).create(true).open(folder.join(name)).unwrap();
        let child = Command::new(PROGRAM)
            .args(["collect", "--nats", url, "--output", "out", "--json"])
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file("collect.json"))
            .stderr(file("collect.err"))
            .spawn()
            .unwrap();
        Self { child, folder: folder.to_owned() }
    }

    /// Ends it without warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What it last said.
    pub fn told(&self) -> Option<Value> {
        let said = fs::read_to_string(self.folder.join("collect.json")).unwrap();
        serde_json::from_str(said.lines().last()?).ok()
    }

    /// Waits until it has said that it has counted this many.
    pub fn has_counted(&self, least: u64) {
        until("crossings to be collected", || {
            self.told().filter(|told| told["counted"].as_u64().unwrap() >= least)
        });
    }
}

impl Drop for Collect {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `collect --once` into `out` of `folder`, with more arguments.
pub fn collect_once(folder: &Path, url: &str, args: &[&str]) -> Output {
    fs::create_dir_all(folder).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["collect", "--nats", url, "--output", "out", "--once"]).args(args);
    command.current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

/// What it prints when it does what it is told.
pub fn collected(folder: &Path, url: &str, args: &[&str]) -> String {
    let output = collect_once(folder, url, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout).unwrap()
}
