//! A service whose API is asked by raw bytes, and what it answers.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Longer than anything takes that is waited for.
pub const LONG: Duration = Duration::from_secs(90);

/// The token of `alice`.
pub const TOKEN: &str = "Tk-4lice-0123456789";

/// A camera whose people cross a line all the time.
pub fn camera(id: &str) -> Value {
    json!({
        "camera_id": id,
        "source": "demo:corridor?people=4&seed=3",
        "lines": [{ "name": "door", "a": [0, 0.5], "b": [1, 0.5] }],
    })
}

/// A configuration of these cameras, with an API over TCP and a token where `token` says so.
pub fn config(folder: &Path, cameras: &[Value], token: bool) -> Value {
    let mut http = json!({ "listen": "127.0.0.1:0" });
    if token {
        let path = folder.join("tokens");
        fs::write(&path, format!("alice:{TOKEN}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        http["token_file"] = json!("tokens");
    }
    json!({
        "parallel_config": { "detector": "motion", "result_output": "out", "log_level": "DEBUG", "http": http },
        "cameras": cameras,
    })
}

/// `pcount-tui serve`, which says nothing to a service manager and writes its log into a file.
pub fn command(folder: &Path, config: &Value) -> Command {
    fs::write(folder.join("cams.json"), config.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcount-tui"));
    command
        .args(["serve", "--config", "cams.json"])
        .current_dir(folder)
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("stderr")).unwrap());
    command
}

/// Waits until `found` finds something.
pub fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: it did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The end of a service that ends by itself, and what it wrote to the standard error of `folder`.
pub fn ending(folder: &Path, command: &mut Command) -> (ExitStatus, String) {
    let child = command.spawn().unwrap();
    let mut server = Server { child, folder: folder.to_owned(), socket: PathBuf::new(), port: None };
    let ended = until("the end", || server.child.try_wait().unwrap());
    (ended, server.said())
}

/// A running service.
pub struct Server {
    pub child: Child,
    pub folder: PathBuf,
    pub socket: PathBuf,
    pub port: Option<u16>,
}

impl Server {
    pub fn start(folder: &Path, config: &Value) -> Self {
        Self::started(folder, &mut command(folder, config))
    }

    /// The service that `command` starts in `folder`, once it counts.
    pub fn started(folder: &Path, command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        // It ends with the test, however that ends.
        let mut server = Self { child, folder: folder.to_owned(), socket: PathBuf::new(), port: None };
        let status = folder.join("out/status.json");
        server.socket = until("the service", || {
            assert!(server.is_alive(), "it ended: {}", server.said());
            let status: Value = serde_json::from_slice(&fs::read(&status).ok()?).ok()?;
            let socket = folder.join(status["socket"].as_str()?);
            let stream = UnixStream::connect(&socket).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            // That of an earlier one may still name its own.
            let version = Answer::read(&all(stream, &request("GET", "/api/v1/version", &[], None)))?;
            (version.json()["pid"] == server.child.id()).then_some(socket)
        });
        server.port = server
            .said()
            .lines()
            .find_map(|line| line.split_once("Listening on http://")?.1.rsplit_once(':')?.1.parse().ok());
        server
    }

    /// What it wrote to the standard error so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.join("stderr")).unwrap()
    }

    pub fn unix(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream
    }

    pub fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port.unwrap())).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream
    }

    /// What is at `path`, over the socket.
    pub fn get(&self, path: &str) -> Answer {
        exchange(self.unix(), &request("GET", path, &[], None))
    }

    /// The answer to `body` at `path`, over the socket.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        exchange(self.unix(), &request("POST", path, &[], Some(body)))
    }

    /// The answer over TCP.
    pub fn over_tcp(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        exchange(self.tcp(), &request(method, path, headers, body))
    }

    /// The same with the token of `alice`.
    pub fn as_alice(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.over_tcp(method, path, &[("Authorization", &format!("Bearer {TOKEN}"))], body)
    }

    /// Resident memory in KiB.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as a service manager does.
    pub fn stop(&mut self) -> ExitStatus {
        self.send(Signal::TERM);
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request after which the connection ends.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text += "Host: localhost\r\n";
    }
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if let Some(body) = body {
        let body = body.to_string();
        let _ =
            write!(text, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    } else {
        text += "\r\n";
    }
    text.into_bytes()
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first answer in `bytes`; `None` where there is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut body = bytes[end + 4..].to_vec();
        if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            body = unchunked(&body);
        }
        Some(Self { status, headers, body })
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The sentence with which it was refused.
    pub fn error(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no sentence: {self:?}")).to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        let piece = &bytes[end + 2..];
        whole.extend_from_slice(&piece[..length.min(piece.len())]);
        bytes = piece.get(length + 2..).unwrap_or_default();
    }
    whole
}

/// All that comes back for `bytes`, until the other side ends the connection. It may do so at any moment.
pub fn all(mut stream: impl Read + Write, bytes: &[u8]) -> Vec<u8> {
    // One who is refused early need not be heard to the end.
    let _ = stream.write_all(bytes);
    let mut back = Vec::new();
    let mut piece = [0; 16 << 10];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        back.extend_from_slice(&piece[..count]);
    }
    back
}

/// The answer to `bytes`.
pub fn exchange(stream: impl Read + Write, bytes: &[u8]) -> Answer {
    let back = all(stream, bytes);
    Answer::read(&back).unwrap_or_else(|| {
        panic!("no answer to {}: {:?}", String::from_utf8_lossy(bytes), String::from_utf8_lossy(&back))
    })
}

/// Numbers that are the same in every run.
pub struct Random(pub u64);

impl Random {
    /// One below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.below(256) as u8).collect()
    }

    pub fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}
