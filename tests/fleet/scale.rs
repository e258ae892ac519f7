//! A fleet of many nodes and sources: the nodes are those of the program, fifty in one process, each with an engine that counts
//! nothing. `PCOUNT_SCALE=2000x50` makes it as large as that and measures what the server costs meanwhile.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use pcount::{
    config::{ServerUrl, SourceConfig},
    engine::{Control, EngineApi, Reply},
    internals::fleet::{Node, NodeOptions, Server},
    model::{
        EngineSnapshot, Lease, Minute, Moment, Preview, SourceId, SourceKind, SourceSnapshot, SourceState,
    },
};
use serde_json::json;

use crate::{server::Configured, service::until, wire::Wire};

/// Which nodes count each source, all of them together.
#[derive(Default)]
struct Everybody {
    counts: Mutex<BTreeMap<SourceId, Vec<(String, Lease)>>>,
    /// What two nodes counted at one moment.
    twice: Mutex<Vec<String>>,
}

impl Everybody {
    fn begins(&self, node: &str, id: &SourceId, lease: &Lease) {
        let mut counts = self.counts.lock();
        let all = counts.entry(id.clone()).or_default();
        for (other, earlier) in all.iter().filter(|(_, earlier)| earlier.holds()) {
            let text = format!("{id}: {other} by {} and {node} by {}", earlier.epoch, lease.epoch);
            self.twice.lock().push(text);
        }
        all.push((node.to_owned(), lease.clone()));
    }

    fn ends(&self, node: &str, id: &SourceId) {
        if let Some(all) = self.counts.lock().get_mut(id) {
            all.retain(|(name, _)| name != node);
        }
    }

    /// How many sources are counted, and how many of them by `node`.
    fn counted(&self, node: &str) -> (usize, usize) {
        let counts = self.counts.lock();
        let now = counts.values().filter_map(|all| all.iter().find(|(_, lease)| lease.holds()));
        now.fold((0, 0), |(all, own), (name, _)| (all + 1, own + usize::from(name == node)))
    }

    /// Waits until `count` sources are counted, none of them by `other`.
    fn wait(&self, count: usize, other: &str) {
        until("the sources to be counted", || (self.counted(other) == (count, 0)).then_some(()));
    }
}

/// A source as an engine has it, and as it is shown.
type Source = (Arc<SourceConfig>, Arc<SourceSnapshot>);

/// An engine that counts nothing.
struct Idle {
    node: String,
    everybody: Arc<Everybody>,
    sources: Mutex<BTreeMap<SourceId, Source>>,
    empty: EngineSnapshot,
}

/// What an engine without sources shows.
fn empty() -> EngineSnapshot {
    serde_json::from_value(json!({
        "sources": [], "workers": [], "worker_count": 1, "max_workers": 1, "queue_pending": 0, "queue": [],
        "strategy": "shared", "detector": "motion", "problems": [], "notices": [], "events": [],
        "events_lost": 0, "log_lines_lost": 0, "cpu": 0.1, "rss": 0, "memory_limit": null,
        "taken": Moment::START, "generation": 0,
    }))
    .unwrap()
}

impl EngineApi for Idle {
    fn snapshot(&self) -> EngineSnapshot {
        let shown = self.sources.lock().values().map(|(_, shown)| Arc::clone(shown)).collect();
        EngineSnapshot { sources: shown, ..self.empty.clone() }
    }

    fn send(&self, control: Control) -> Reply {
        match control {
            Control::Add(source) => {
                let lease = source.lease.clone().unwrap();
                self.everybody.begins(&self.node, &source.id, &lease);
                let mut shown = SourceSnapshot::new(&*source.id);
                shown.kind = SourceKind::Camera;
                shown.state = SourceState::Running;
                self.sources.lock().insert(source.id.clone(), (Arc::new(*source), Arc::new(shown)));
            }
            Control::Remove(id) => {
                self.everybody.ends(&self.node, &id);
                self.sources.lock().remove(&id);
            }
            _ => {}
        }
        Reply::new(Ok(()))
    }

    fn preview(&self, _: &str) -> Option<Arc<Preview>> {
        None
    }

    fn history(&self, _: &str) -> Vec<Minute> {
        Vec::new()
    }

    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>> {
        self.sources.lock().get(source).map(|(config, _)| Arc::clone(config))
    }
}

/// What a process has cost so far: seconds of CPU, and bytes of memory now.
fn cost(pid: u32) -> (f64, u64) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    let pages: u64 = fields[21].parse().unwrap();
    (ticks as f64 / 100.0, pages * 4096)
}

/// Prints what the server and the nodes cost while `what` is done, and how long it takes.
fn measured(server: &Configured, what: &str, work: impl FnOnce()) {
    let messages = || {
        let said = server.said("varz").unwrap();
        (said["in_msgs"].as_u64().unwrap(), said["out_msgs"].as_u64().unwrap())
    };
    let own = std::process::id();
    let (before, cpu, nodes, begun) = (messages(), cost(server.pid()).0, cost(own).0, Instant::now());
    work();
    let seconds = begun.elapsed().as_secs_f64();
    let (after, (cpu_after, memory), nodes_after) = (messages(), cost(server.pid()), cost(own).0);
    println!(
        "{what}: {seconds:.1} s; server: {:.0} % of a core, {} MiB, {:.0} messages/s in, {:.0} out; all nodes: {:.0} % of a core",
        (cpu_after - cpu) / seconds * 100.0,
        memory / 1024 / 1024,
        (after.0 - before.0) as f64 / seconds,
        (after.1 - before.1) as f64 / seconds,
        (nodes_after - nodes) / seconds * 100.0,
    );
}

fn join(folder: &Path, port: u16, name: &str, room: usize, everybody: &Arc<Everybody>) -> Node {
    let url = ServerUrl::parse(&format!("nats://127.0.0.1:{port}")).unwrap();
    let options = NodeOptions {
        server: Server { url, credentials: None, ca: None },
        node: Some(name.to_owned()),
        site: None,
        key: None,
        count_while_refused: false,
        room: Some(room),
        base: folder.to_owned(),
        ledger: None,
        service: None,
    };
    let engine = Idle {
        node: name.to_owned(),
        everybody: Arc::clone(everybody),
        sources: Mutex::default(),
        empty: empty(),
    };
    Node::start(options, Arc::new(engine)).unwrap()
}

#[test]
fn a_large_fleet_counts_each_source_once_while_a_node_dies_and_another_is_drained() {
    let size = std::env::var("PCOUNT_SCALE").unwrap_or_else(|_| "100x5".into());
    let (sources, nodes) = size.split_once('x').unwrap();
    let (sources, nodes): (usize, usize) = (sources.parse().unwrap(), nodes.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = Configured::start(dir.path(), "") else { return };
    let url = server.address("nats");
    let everybody = Arc::new(Everybody::default());
    let wire = Wire::to(server.port);
    // When one is dead and one drained, the others have room for all, and a little more.
    let room = (sources * 5).div_ceil((nodes - 2) * 4);
    let mut all = Vec::new();
    measured(&server, &format!("{nodes} nodes join"), || {
        all.push(join(dir.path(), wire.port, "dies", room, &everybody));
        for number in 1..nodes {
            all.push(join(dir.path(), server.port, &format!("node-{number}"), room, &everybody));
        }
    });
    let cameras: Vec<_> = (0..sources)
        .map(|number| json!({ "camera_id": format!("camera-{number}"), "source": "demo:corridor" }))
        .collect();
    fs::write(dir.path().join("fleet.json"), json!({ "cameras": cameras }).to_string()).unwrap();
    measured(&server, &format!("apply of {sources}, until all are counted"), || {
        let begun = Instant::now();
        server.told(&url, &["apply", "fleet.json"]);
        println!("  the command: {:.1} s", begun.elapsed().as_secs_f64());
        everybody.wait(sources, "");
    });
    let most = everybody.counts.lock().values().flatten().fold(BTreeMap::new(), |mut most, (node, _)| {
        *most.entry(node.clone()).or_insert(0_usize) += 1;
        most
    });
    let (least, most) = (most.values().min().unwrap(), most.values().max().unwrap());
    println!("  {least} to {most} sources on a node");
    if std::env::var_os("PCOUNT_SCALE").is_some() {
        measured(&server, "nothing happens", || thread::sleep(Duration::from_secs(20)));
        measured(&server, "fleet status", || {
            server.told(&url, &["status"]);
        });
        measured(&server, "apply without a change", || {
            server.told(&url, &["apply", "fleet.json"]);
        });
    }
    let dying = everybody.counted("dies").1;
    measured(&server, &format!("death of a node with {dying}, until all are counted elsewhere"), || {
        wire.cut(true);
        everybody.wait(sources, "dies");
    });
    let drained = everybody.counted("node-1").1;
    measured(&server, &format!("drain of a node with {drained}"), || {
        server.told(&url, &["drain", "node-1"]);
    });
    everybody.wait(sources, "node-1");
    assert_eq!(*everybody.twice.lock(), [""; 0]);
    drop(all);
}
