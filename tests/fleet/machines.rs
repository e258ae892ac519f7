//! The server and the nodes of a fleet, as scripts/setup --tests gets the server or as it is installed.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    require,
    service::{PROGRAM, Service, camera, config, until, write},
};

pub fn program() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/nats-server/nats-server");
    let path = if own.exists() { own } else { "nats-server".into() };
    let starts = Command::new(&path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if starts.is_ok_and(|status| status.success()) {
        return Some(path);
    }
    require::skip("nats", "nats-server does not start");
    None
}

/// A port that is free.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running server, which ends with the test, however that ends.
pub struct Nats {
    child: Child,
    folder: PathBuf,
    /// Name of its configuration in that folder; its log lies beside it.
    name: String,
    pub port: u16,
}

impl Nats {
    /// Starts it on a free port, with its streams in a folder of `folder`. Where there is none, the test is skipped.
    pub fn start(folder: &Path) -> Option<Self> {
        Self::with(folder, "127.0.0.1", "")
    }

    /// Starts it to listen at `address`, with these lines in its `jetstream` block.
    pub fn with(folder: &Path, address: &str, jetstream: &str) -> Option<Self> {
        let port = free_port();
        let text =
            format!("listen: \"{address}:{port}\"\njetstream {{\nstore_dir: streams\n{jetstream}\n}}\n");
        Self::by(folder, "nats", port, &text)
    }

    /// Starts one by this configuration.
    pub fn by(folder: &Path, name: &str, port: u16, text: &str) -> Option<Self> {
        let path = program()?;
        fs::write(folder.join(format!("{name}.conf")), text).unwrap();
        let child = Self::spawn(&path, folder, name);
        Some(Self { child, folder: folder.to_owned(), name: name.to_owned(), port }.ready())
    }

    fn spawn(path: &Path, folder: &Path, name: &str) -> Child {
        let log = folder.join(format!("{name}.log"));
        Command::new(path)
            .args(["-c", &format!("{name}.conf")])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::options().append(true).create(true).open(log).unwrap())
            .spawn()
            .unwrap()
    }

    fn ready(mut self) -> Self {
        until("the NATS server", || {
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "{}",
                fs::read_to_string(self.folder.join(format!("{}.log", self.name))).unwrap()
            );
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
        self
    }

    /// Ends it without warning.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after [`Self::kill`], where it was.
    pub fn again(&mut self) {
        self.child = Self::spawn(&program().unwrap(), &self.folder, &self.name);
        until("the NATS server again", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// `fleet` with these arguments.
    pub fn fleet(&self, args: &[&str]) -> Output {
        self.fleet_with(args, &[])
    }

    /// The same with these variables.
    pub fn fleet_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.arg("fleet").args(args).args(["--nats", &self.url()]).current_dir(&self.folder);
        command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap()
    }

    /// What `fleet nodes` says, on both outputs.
    pub fn nodes(&self) -> String {
        let output = self.fleet(&["nodes"]);
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Says `body` at `subject`, as any other client of the server may.
    pub fn say(&self, subject: &str, body: &str) {
        self.speak(&format!("PUB {subject} {}\r\n{body}\r\n", body.len()), "PONG");
    }

    /// What the server answers to `body` at `subject`.
    pub fn ask(&self, subject: &str, body: &str) -> Value {
        let inbox = format!("_INBOX.test.{}", std::process::id());
        let said = self
            .speak(&format!("SUB {inbox} 1\r\nPUB {subject} {inbox} {}\r\n{body}\r\n", body.len()), "MSG ");
        serde_json::from_str(said.trim()).unwrap_or_default()
    }

    /// Sends `what`, and gives the line behind the one that begins with `end`.
    fn speak(&self, what: &str, end: &str) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        connection.write_all(format!("CONNECT {{\"verbose\":false}}\r\n{what}PING\r\n").as_bytes()).unwrap();
        let mut lines = BufReader::new(connection).lines();
        let found = lines.by_ref().map_while(Result::ok).any(|line| line.starts_with(end));
        if found && end == "MSG " {
            lines.next().and_then(Result::ok).unwrap_or_default()
        } else {
            String::new()
        }
    }

    /// What it prints when it does what it is told.
    pub fn told(&self, args: &[&str]) -> String {
        let output = self.fleet(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Why it is not done.
    pub fn refused(&self, args: &[&str]) -> String {
        let output = self.fleet(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        said
    }

    /// Makes the fleet's sources cameras of these ids, all of which count people.
    pub fn apply(&self, cameras: &[Value]) -> String {
        fs::write(self.folder.join("fleet.json"), json!({ "cameras": cameras }).to_string()).unwrap();
        self.told(&["apply", "fleet.json"])
    }

    fn rows(&self) -> Vec<Value> {
        // While the server starts it is asked again.
        let output = self.fleet(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// The node that counts each source, with the epoch; a source that no node counts is left out.
    pub fn holders(&self) -> BTreeMap<String, (String, [u64; 2])> {
        let counted = |row: &Value| {
            let held = row["held"].as_object().filter(|held| held["is_counted"] == true)?;
            let epoch = ["revision", "delivery"].map(|part| held["epoch"][part].as_u64().unwrap());
            Some((row["id"].as_str()?.to_owned(), (row["node"].as_str()?.to_owned(), epoch)))
        };
        self.rows().iter().filter_map(counted).collect()
    }

    /// Waits until each of `leases` has counted somebody.
    pub fn all_cross(nodes: &[&Node], counted: &mut Counted, leases: &BTreeMap<String, (String, [u64; 2])>) {
        until("crossings of every source", || {
            nodes.iter().for_each(|node| counted.read(node));
            leases.iter().all(|(id, (_, epoch))| counted.of(id, *epoch) > 0).then_some(())
        });
    }

    /// Waits until `count` sources are counted, none of them by a node of `others`.
    pub fn all_counted(&self, count: usize, others: &[&str]) -> BTreeMap<String, (String, [u64; 2])> {
        until("all sources to be counted", || {
            let holders = self.holders();
            let elsewhere = holders.values().all(|(node, _)| !others.contains(&node.as_str()));
            (holders.len() == count && elsewhere).then_some(holders)
        })
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Cameras of these ids.
pub fn cameras(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| camera(id)).collect()
}

/// A node in a folder of its own below `folder`.
pub struct Node {
    pub service: Service,
    pub name: String,
    folder: PathBuf,
    /// How far its clock is ahead.
    pub ahead: SignedDuration,
}

impl Node {
    /// Starts one with room for so many sources.
    pub fn start(folder: &Path, nats: &Nats, name: &str, room: usize) -> Self {
        Self::with(folder, name, &json!({ "url": nats.url(), "node": name, "room": room }))
    }

    /// Starts one by this `fleet` of its configuration.
    pub fn with(folder: &Path, name: &str, fleet: &Value) -> Self {
        Self::launch(folder, name, &json!({ "fleet": fleet }), &mut Command::new(PROGRAM))
    }

    /// Starts one by `command`, which gets the arguments, with these keys of `parallel_config`.
    pub fn launch(folder: &Path, name: &str, keys: &Value, command: &mut Command) -> Self {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut config = config(&[]);
        let all = config["parallel_config"].as_object_mut().unwrap();
        all.extend(keys.as_object().unwrap().clone());
        write(&folder, &config.to_string());
        let child = command
            .args(["serve", "--config", "cams.json"])
            .current_dir(&folder)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("serve.err")).unwrap())
            .spawn()
            .unwrap();
        let mut service = Service { child, folder: folder.clone() };
        until("the socket", || {
            if let Ok(Some(ended)) = service.child.try_wait() {
                panic!("node {name} {ended}: {}", fs::read_to_string(folder.join("serve.err")).unwrap());
            }
            UnixStream::connect(service.socket()).ok()
        });
        Self { service, name: name.to_owned(), folder, ahead: SignedDuration::ZERO }
    }

    /// What it wrote to the standard error.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.join("serve.err")).unwrap()
    }
}

/// Crossings as the nodes tell of them in their own events, each once.
#[derive(Default)]
pub struct Counted {
    /// Source, epoch, wall time, node and number of the event.
    crossings: BTreeSet<(String, [u64; 2], Timestamp, String, u64)>,
}

impl Counted {
    /// Takes what `node` tells now.
    pub fn read(&mut self, node: &Node) {
        for event in node.service.snapshot()["events"].as_array().unwrap() {
            if event["kind"]["type"] != "crossing" {
                continue;
            }
            let epoch = &event["epoch"];
            assert!(epoch.is_object(), "a crossing of a fleet's source without its epoch: {event}");
            let epoch = ["revision", "delivery"].map(|part| epoch[part].as_u64().unwrap());
            let text = |key: &str| event[key].as_str().unwrap().to_owned();
            let number = event["number"].as_u64().unwrap();
            let wall = text("wall").parse::<Timestamp>().unwrap() - node.ahead;
            self.crossings.insert((text("source"), epoch, wall, node.name.clone(), number));
        }
    }

    /// Crossings of `source` by the lease of `epoch`.
    pub fn of(&self, source: &str, epoch: [u64; 2]) -> usize {
        self.crossings.iter().filter(|(id, at, ..)| id == source && *at == epoch).count()
    }

    /// Checks that each lease is of one node, and that nothing was counted by an earlier lease of a source once something was by a
    /// later one.
    pub fn check(&self) {
        let mut leases: BTreeMap<(&str, [u64; 2]), (&str, Timestamp, Timestamp)> = BTreeMap::new();
        for (source, epoch, wall, node, _) in &self.crossings {
            let wall = *wall;
            let lease = leases.entry((source, *epoch)).or_insert((node, wall, wall));
            assert_eq!(lease.0, node, "{source} {epoch:?}");
            (lease.1, lease.2) = (lease.1.min(wall), lease.2.max(wall));
        }
        let leases: Vec<_> = leases.into_iter().collect();
        for pair in leases.windows(2) {
            let [((one, earlier), (_, _, last)), ((other, later), (_, first, _))] = pair else {
                unreachable!()
            };
            if one == other {
                assert!(
                    last < first,
                    "{one}: counted by {earlier:?} at {last}, and by {later:?} at {first} already"
                );
            }
        }
    }
}
