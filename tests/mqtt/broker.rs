//! Mosquitto, as scripts/setup --tests gets it or as it is installed, and what it holds.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::server::{config, until};

/// A running broker. It ends with the test, however that ends.
pub struct Broker {
    child: Option<Child>,
    folder: PathBuf,
    pub port: u16,
    /// How its client is told to connect.
    client: Vec<String>,
}

/// Why there is no broker.
pub const MISSING: &str = "mosquitto or mosquitto_sub does not start";

/// One of the programs that scripts/setup takes out of the package, or the installed one.
pub fn path(name: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/mosquitto").join(name);
    if own.exists() { own } else { name.into() }
}

fn program() -> Option<PathBuf> {
    let path = path("mosquitto");
    let starts = |command: &mut Command| {
        command.arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    if starts(&mut Command::new(&path)) && starts(&mut Command::new("mosquitto_sub")) {
        return Some(path);
    }
    None
}

impl Broker {
    /// Starts one in `folder` that anybody of this machine may use, on a port that is free.
    pub fn start(folder: &Path) -> Option<Self> {
        Self::start_with(folder, "allow_anonymous true\n", &[])
    }

    /// The same with these settings; its client is given `client`.
    pub fn start_with(folder: &Path, settings: &str, client: &[&str]) -> Option<Self> {
        program()?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::write(
            folder.join("mosquitto.conf"),
            // Started by root it would become another user, who cannot read the folder of a test.
            format!("user root\nlistener {port} 127.0.0.1\n{settings}"),
        )
        .unwrap();
        let client = client.iter().map(|word| (*word).to_owned()).collect();
        let mut broker = Self { child: None, folder: folder.to_owned(), port, client };
        broker.go_on();
        Some(broker)
    }

    /// Starts it again, with nothing that it held before.
    pub fn go_on(&mut self) {
        let child = Command::new(program().unwrap())
            .args(["-c", "mosquitto.conf"])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(
                File::options().create(true).append(true).open(self.folder.join("mosquitto.log")).unwrap(),
            )
            .spawn()
            .unwrap();
        self.child = Some(child);
        until("Mosquitto", || {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            let said = || fs::read_to_string(self.folder.join("mosquitto.log")).unwrap();
            assert!(ended.is_none(), "it ended: {}", said());
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(&self.client)
            .current_dir(&self.folder)
            .stderr(Stdio::null());
        command
    }

    /// What it holds of `topic`, by topic.
    pub fn retained(&self, topic: &str) -> BTreeMap<String, String> {
        // Without an end it waits for more; each topic is retained, so all of them come at once.
        let output = self
            .client("mosquitto_sub")
            .args(["-t", topic, "-W", "1", "-F", "%t\t%p", "--retained-only"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(topic, payload)| (topic.to_owned(), payload.to_owned()))
            .collect()
    }

    /// The payload of one retained topic.
    pub fn at(&self, topic: &str) -> Option<String> {
        let output = self.client("mosquitto_sub").args(["-t", topic, "-C", "1", "-W", "2"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
    }

    /// The next message of `topic` that `is_it`.
    pub fn next(&self, topic: &str, is_it: impl Fn(&str) -> bool) -> String {
        until(topic, || {
            let args = ["-t", topic, "-C", "1", "-W", "20", "-R"];
            let output = self.client("mosquitto_sub").args(args).output().unwrap();
            Some(String::from_utf8(output.stdout).unwrap()).filter(|text| is_it(text))
        })
    }

    pub fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        let mut child = self
            .client("mosquitto_pub")
            .args(["-t", topic, "-q", "1", if payload.is_empty() { "-n" } else { "-s" }])
            .args(more)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A configuration of these cameras, with MQTT to the broker at `port`, changed by `more`.
pub fn settings(folder: &Path, cameras: &[Value], port: u16, more: &Value) -> Value {
    let mut config = config(folder, cameras, false);
    let mut mqtt = json!({ "url": format!("mqtt://127.0.0.1:{port}") });
    for (key, value) in more.as_object().unwrap() {
        mqtt[key] = value.clone();
    }
    config["parallel_config"]["mqtt"] = mqtt;
    config
}
