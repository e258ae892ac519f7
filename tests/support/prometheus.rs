//! Prometheus and promtool, as scripts/setup --tests gets them or as they are installed.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    require,
    server::{Answer, exchange, request, until},
};

/// One of the two programs. Where there is none, the test is skipped.
fn program(name: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/prometheus").join(name);
    let path = if own.exists() { own } else { name.into() };
    let starts = Command::new(&path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if starts.is_ok_and(|status| status.success()) {
        return Some(path);
    }
    require::skip("prometheus", &format!("{name} does not start"));
    None
}

/// Promtool, to be given arguments.
pub fn promtool() -> Option<Command> {
    program("promtool").map(Command::new)
}

/// A running server, with its data in a folder of the test. It ends with the test, however that ends.
pub struct Prometheus {
    child: Child,
    port: u16,
}

impl Prometheus {
    /// Starts it by `config` in `folder`, on a port that is free, and waits until it is ready.
    pub fn start(folder: &Path, config: &str) -> Option<Self> {
        let path = program("prometheus")?;
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        let log = folder.join("prometheus.log");
        let child = Command::new(path)
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=prometheus"])
            .args(["--web.listen-address=127.0.0.1:0", "--log.format=json"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        // From here on it is ended when this is dropped.
        let mut server = Self { child, port: 0 };
        server.port = until("Prometheus", || {
            let said = fs::read_to_string(&log).unwrap();
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {said}");
            said.lines().find_map(|line| {
                let line: Value = serde_json::from_str(line).ok()?;
                let address = line["address"].as_str().filter(|_| line["msg"] == "Listening on")?;
                address.rsplit_once(':')?.1.parse().ok()
            })
        });
        until("Prometheus to be ready", || (server.get("/-/ready").status == 200).then_some(()));
        Some(server)
    }

    fn get(&self, path: &str) -> Answer {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        exchange(stream, &request("GET", path, &[], None))
    }

    /// What its own API answers at `path`.
    pub fn asked(&self, path: &str) -> Value {
        let answer = self.get(path).json();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// The series that `expression` gives now, each with its labels and its value.
    pub fn query(&self, expression: &str) -> Vec<(Value, f64)> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let data = self.asked(&format!("/api/v1/query?query={encoded}"));
        let series = data["result"].as_array().unwrap();
        series
            .iter()
            .map(|one| (one["metric"].clone(), one["value"][1].as_str().unwrap().parse().unwrap()))
            .collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
