//! Something behind a socket that is no engine of this version.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
};

/// Answers `/version` and `/snapshot` as told, and everything else with an object that nobody understands.
pub struct Impostor {
    path: PathBuf,
}

impl Impostor {
    pub fn start(path: &Path, version: &str, snapshot: &str) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let (version, snapshot) = (version.to_owned(), snapshot.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (version, snapshot) = (version.clone(), snapshot.clone());
                std::thread::spawn(move || answer(&stream, &version, &snapshot));
            }
        });
        Self { path: path.to_owned() }
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        // The thread ends with the test.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn answer(stream: &UnixStream, version: &str, snapshot: &str) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(text) = line.to_lowercase().strip_prefix("content-length: ") {
                length = text.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line);
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let body = match head[0].split(' ').nth(1).unwrap_or_default() {
            path if path.ends_with("/version") => version,
            path if path.contains("/snapshot") => {
                // Something newer is waited for.
                std::thread::sleep(std::time::Duration::from_millis(100 * u64::from(path.contains("after"))));
                snapshot
            }
            _ => r#"{"what": "is this?"}"#,
        };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if (&*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
