//! Starts and stops `rtsp_server.py`.

#[path = "require.rs"]
mod require;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

/// A running server; ended on drop.
pub struct RtspServer {
    child: Child,
    output: BufReader<ChildStdout>,
    /// Port on 127.0.0.1.
    pub port: u16,
}

#[allow(dead_code, reason = "each test binary uses its part")]
impl RtspServer {
    /// Starts a server. `None`, saying so, where this machine lacks GStreamer's RTSP server for Python (`rtsp`).
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/rtsp_server.py");
        // Debian's modules belong to Debian's interpreter, which need not be the first in the path.
        for python in ["/usr/bin/python3", "python3"] {
            let started = Command::new(python)
                .arg(script)
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn();
            let Ok(mut child) = started else { continue };
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            let _ = output.read_line(&mut line);
            if let Some(port) = line.strip_prefix("READY ").and_then(|port| port.trim().parse().ok()) {
                return Some(Self { child, output, port });
            }
            let _ = child.kill();
            let _ = child.wait();
            assert!(line.starts_with("MISSING"), "{python}: the RTSP server said '{}'", line.trim());
        }
        require::skip("rtsp", "python3-gi with gir1.2-gst-rtsp-server-1.0 and x264enc is not installed");
        None
    }

    /// Address of `path` on this server, with `user` (`name:password@` or nothing).
    pub fn address(&self, user: &str, path: &str) -> String {
        format!("rtsp://{user}127.0.0.1:{}{path}", self.port)
    }

    /// The transport that the next client has asked for, in RTSP's words.
    pub fn transport(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    /// Whether it has ended by itself: GStreamer's server aborts now and then when its clients come and go fast.
    pub fn has_died(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends the server at once, as a power cut does.
    pub fn kill(mut self) -> u16 {
        self.end();
        self.port
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for RtspServer {
    fn drop(&mut self) {
        self.end();
    }
}
