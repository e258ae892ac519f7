//! The program without a terminal, and the JSON lines that it prints.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::process::Pid;
use serde_json::Value;

/// Longer than anything takes that is waited for.
pub const LONG: Duration = Duration::from_secs(90);

/// The program without a terminal, and what it prints.
pub struct Program {
    pub child: Child,
    pub lines: mpsc::Receiver<Value>,
    pub seen: Vec<Value>,
}

impl Program {
    /// Counts the sources of `config` in `folder`. The shell runs `limit` before it.
    pub fn start(folder: &Path, config: &Value, limit: &str) -> Self {
        std::fs::write(folder.join("cams.json"), config.to_string()).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", &format!("{limit}\nexec \"$0\" --config cams.json --headless --json --output out")])
            .arg(env!("CARGO_BIN_EXE_pcount-tui"))
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (send, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Reads until there is a line that `wanted` wants.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + LONG;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let last: Vec<_> = self.seen.iter().rev().take(12).collect();
                panic!("{what}: it did not come; the last lines, backwards: {last:#?}")
            };
            self.seen.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    /// What was said against the source.
    pub fn complaints(&self, id: &str) -> Vec<&Value> {
        let of = |line: &&Value| line["camera_id"] == id;
        let bad = |line: &&Value| {
            line["error"].is_string()
                || line["errors"].as_array().is_some_and(|errors| !errors.is_empty())
                || line["state"] == "Stalled"
        };
        self.seen.iter().filter(of).filter(bad).collect()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
