//! The program as a service with its socket, in a folder of its own.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Longer than anything takes that is waited for.
pub const LONG: Duration = Duration::from_secs(90);

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_pcount-tui");

/// A camera whose people walk over its line, `door`.
pub fn camera(id: &str) -> Value {
    json!({
        "camera_id": id,
        "source": "demo:corridor?people=4&seed=3",
        "lines": [{ "name": "door", "a": [0, 0.5], "b": [1, 0.5] }],
    })
}

/// A configuration of these cameras.
pub fn config(cameras: &[Value]) -> Value {
    json!({
        "parallel_config": {
            "detector": "motion", "result_output": "out", "worker_count": 1, "max_workers": 3,
            "timezone": "Asia/Kathmandu",
        },
        "cameras": cameras,
    })
}

/// Writes `config` as editors do: a new file takes the place of the old one.
pub fn write(folder: &Path, config: &str) {
    fs::write(folder.join("new.json"), config).unwrap();
    fs::rename(folder.join("new.json"), folder.join("cams.json")).unwrap();
}

/// What the configuration file in `folder` says.
pub fn written(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("cams.json")).unwrap()).unwrap()
}

/// Waits until `condition` gives something.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LONG;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An engine as a service, by `cams.json` in a folder, in whose `out` it counts.
pub struct Service {
    pub child: Child,
    pub folder: PathBuf,
}

impl Service {
    /// Writes `config` and starts the service by it.
    pub fn start(folder: &Path, config: &Value) -> Self {
        write(folder, &config.to_string());
        Self::again(folder)
    }

    /// Starts it by the file that is there, and waits until it listens.
    pub fn again(folder: &Path) -> Self {
        let child = Command::new(PROGRAM)
            .args(["serve", "--config", "cams.json"])
            .current_dir(folder)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("serve.err")).unwrap())
            .spawn()
            .unwrap();
        let service = Self { child, folder: folder.to_owned() };
        until("the socket", || UnixStream::connect(service.socket()).ok());
        service
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("out/control.sock")
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it without warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// `ctl` with these arguments, from the folder of the service.
    pub fn ctl(&self, args: &[&str]) -> Output {
        ctl(&self.folder, args)
    }

    /// What `ctl` prints when it does what it is told.
    pub fn told(&self, args: &[&str]) -> String {
        let output = self.ctl(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Everything that is shown.
    pub fn snapshot(&self) -> Value {
        serde_json::from_str(&self.told(&["snapshot"])).unwrap()
    }

    /// The ids of the sources that run, in their order.
    pub fn ids(&self) -> Vec<String> {
        let snapshot = self.snapshot();
        let sources = snapshot["sources"].as_array().unwrap();
        sources.iter().map(|source| source["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Connections to its socket that are open.
    pub fn connections(&self) -> usize {
        let name = self.socket().canonicalize().unwrap();
        let name = name.to_str().unwrap();
        let all = fs::read_to_string("/proc/net/unix").unwrap();
        // State 03 is connected; the listening socket has 01.
        all.lines().filter(|line| line.ends_with(name) && line.contains(" 03 ")).count()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `ctl --config cams.json` with these arguments in `folder`.
pub fn ctl(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["ctl", "--config", "cams.json"]).args(args).current_dir(folder);
    command.env("TZ", "UTC").stdin(Stdio::null()).output().unwrap()
}
