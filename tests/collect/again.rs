//! Sends everything that nodes have sent once more, under no name by which the server would know it.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// A connection that speaks the protocol of NATS.
struct Wire {
    out: TcpStream,
    read: BufReader<TcpStream>,
}

impl Wire {
    fn open(port: u16) -> Self {
        let out = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let read = BufReader::new(out.try_clone().unwrap());
        let mut wire = Self { out, read };
        let info = wire.line();
        assert!(info.starts_with("INFO "), "{info}");
        wire.send("CONNECT {\"verbose\":false}\r\nSUB answers 1\r\n");
        wire
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.read.read_line(&mut line).unwrap();
        line
    }

    fn send(&mut self, text: &str) {
        self.out.write_all(text.as_bytes()).unwrap();
    }

    /// The answer to `body` at `subject`.
    fn ask(&mut self, subject: &str, body: &str) -> Value {
        self.send(&format!("PUB {subject} answers {}\r\n{body}\r\n", body.len()));
        loop {
            let line = self.line();
            if line.starts_with("PING") {
                self.send("PONG\r\n");
            } else if line.starts_with("MSG ") {
                let length = line.split_whitespace().next_back().unwrap().parse::<usize>().unwrap();
                let mut payload = vec![0; length + 2];
                self.read.read_exact(&mut payload).unwrap();
                return serde_json::from_slice(&payload[..length]).unwrap();
            } else {
                assert!(!line.starts_with("-ERR") && !line.is_empty(), "{line}");
            }
        }
    }
}

/// Does so; gives how many messages that were.
pub fn everything(port: u16) -> u64 {
    let mut wire = Wire::open(port);
    let stream = wire.ask("$JS.API.STREAM.INFO.PCOUNT_EVENTS", "");
    let last = stream["state"]["last_seq"].as_u64().unwrap();
    for number in 1..=last {
        let ask = json!({ "seq": number }).to_string();
        let found = wire.ask("$JS.API.STREAM.MSG.GET.PCOUNT_EVENTS", &ask);
        let message = &found["message"];
        let body = String::from_utf8(STANDARD.decode(message["data"].as_str().unwrap()).unwrap()).unwrap();
        let stored = wire.ask(message["subject"].as_str().unwrap(), &body);
        assert_eq!(stored["seq"], last + number, "{stored}");
    }
    last
}
