//! The NATS server by a configuration of its own, and what it says of itself.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    machines::program,
    service::{PROGRAM, until},
};

/// A port that nobody uses.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running server, which ends with the test, however that ends.
pub struct Configured {
    child: Child,
    folder: PathBuf,
    pub port: u16,
    monitor: u16,
}

impl Configured {
    /// Starts it in `folder` with `config` in its configuration. Where there is no server, the test is skipped.
    pub fn start(folder: &Path, config: &str) -> Option<Self> {
        let program = program()?;
        let (port, monitor) = (free_port(), free_port());
        let streams = folder.join("streams");
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\njetstream {{ store_dir: {:?} }}\n{config}\n",
            streams.to_str().unwrap()
        );
        Some(Self::by(&program, folder, &text, (port, monitor)))
    }

    /// Starts it by a whole configuration, in which it listens on these two ports.
    pub fn whole(folder: &Path, text: &str, ports: (u16, u16)) -> Option<Self> {
        Some(Self::by(&program()?, folder, text, ports))
    }

    fn by(program: &Path, folder: &Path, text: &str, (port, monitor): (u16, u16)) -> Self {
        fs::write(folder.join("nats.conf"), text).unwrap();
        let child = Command::new(program)
            .args(["-c", "nats.conf"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::options().append(true).create(true).open(folder.join("nats.log")).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self { child, folder: folder.to_owned(), port, monitor };
        until("the NATS server", || {
            let log = || fs::read_to_string(server.folder.join("nats.log")).unwrap();
            assert!(server.child.try_wait().unwrap().is_none(), "{}", log());
            server.said("healthz").filter(|said| said["status"] == "ok")
        });
        server
    }

    /// What it says at `page` of its monitoring port.
    pub fn said(&self, page: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.monitor)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(stream, "GET /{page} HTTP/1.0\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn address(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// `fleet` with these arguments, at `url`.
    pub fn fleet(&self, url: &str, args: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.arg("fleet").args(args).args(["--nats", url]).current_dir(&self.folder);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// What `fleet` prints when it does what it is told.
    pub fn told(&self, url: &str, args: &[&str]) -> String {
        let output = self.fleet(url, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Why `fleet` does not do it.
    pub fn refused(&self, url: &str, args: &[&str]) -> String {
        let output = self.fleet(url, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        said
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
