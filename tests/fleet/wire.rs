//! What stands between a node and its server, and can be cut.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{sleep, spawn},
    time::Duration,
};

use crate::require;

const POLL: Duration = Duration::from_millis(20);

/// Passes on what comes, until it is cut: then connections stay as they are and nothing passes, as behind a switch that is off. What
/// was under way arrives when it is healed.
pub struct Wire {
    pub port: u16,
    is_cut: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
}

impl Wire {
    /// Leads to `port` of this machine.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            is_cut: Arc::default(),
            is_over: Arc::default(),
        };
        let (is_cut, is_over) = (Arc::clone(&wire.is_cut), Arc::clone(&wire.is_over));
        spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                sleep(POLL);
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok((near, _)) = listener.accept() else { continue };
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                near.set_nonblocking(false).unwrap();
                let ends = [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)];
                for (from, to) in ends {
                    let (is_cut, is_over) = (Arc::clone(&is_cut), Arc::clone(&is_over));
                    spawn(move || pass(from, to, &is_cut, &is_over));
                }
            }
        });
        wire
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// From now on nothing passes, if `is_cut`; else it does again.
    pub fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::SeqCst);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool, is_over: &AtomicBool) {
    from.set_read_timeout(Some(POLL)).unwrap();
    let mut buffer = [0; 16 * 1024];
    while !is_over.load(Ordering::SeqCst) {
        if is_cut.load(Ordering::SeqCst) {
            sleep(POLL);
            continue;
        }
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => break,
        };
        while is_cut.load(Ordering::SeqCst) && !is_over.load(Ordering::SeqCst) {
            sleep(POLL);
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// A network namespace with one interface, whose other end is here. Gone with the test.
pub struct Network {
    name: String,
    /// The end on this side.
    near: String,
    /// The address of this side.
    pub address: String,
}

impl Network {
    /// Makes one; where this machine allows none, the test is skipped.
    pub fn new() -> Option<Self> {
        let pid = std::process::id();
        let (name, near, far) = (format!("pcount-{pid}"), format!("pcn{pid}"), format!("pcf{pid}"));
        // A network of its own for each process, out of those that are kept for tests of networks.
        let base = format!("198.18.{}", pid % 256);
        let network = Self { name: name.clone(), near: near.clone(), address: format!("{base}.1") };
        let steps: [&[&str]; 5] = [
            &["netns", "add", &name],
            &["link", "add", &near, "type", "veth", "peer", "name", &far, "netns", &name],
            &["addr", "add", &format!("{base}.1/24"), "dev", &near],
            &["-n", &name, "addr", "add", &format!("{base}.2/24"), "dev", &far],
            &["-n", &name, "link", "set", &far, "up"],
        ];
        for step in steps {
            let Ok(output) = ip(step) else {
                require::skip("network", "'ip' is not installed");
                return None;
            };
            if !output.status.success() {
                require::skip("network", &String::from_utf8_lossy(&output.stderr));
                return None;
            }
        }
        network.cut(false);
        Some(network)
    }

    /// Takes this side's interface down, if `is_cut`; else brings it up.
    pub fn cut(&self, is_cut: bool) {
        let state = if is_cut { "down" } else { "up" };
        assert!(ip(&["link", "set", &self.near, state]).unwrap().status.success());
    }

    /// Starts `program` inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.name]);
        let _ = ip(&["link", "del", &self.near]);
    }
}

fn ip(arguments: &[&str]) -> std::io::Result<Output> {
    Command::new("ip").args(arguments).output()
}
