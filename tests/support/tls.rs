//! Certificates made for a test, a TLS front for a server that has none, and servers that say what a script says and
//! remember what they were asked. Everything is bound to 127.0.0.1 and ends with the test's process.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// A server's certificate with its key.
pub struct Identity {
    pub pem: String,
    pub key_pem: String,
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    fn new(certificate: &Certificate, key: &KeyPair) -> Self {
        Self {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            der: certificate.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

/// Signed by itself, and allowed to sign, as `openssl req -x509` makes it.
pub fn self_signed(names: &[&str]) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = params(names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Identity::new(&params.self_signed(&key).unwrap(), &key)
}

/// Somebody who signs certificates of others.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_until(names, 2100)
    }

    /// Valid until the first day of `year`.
    pub fn issue_until(&self, names: &[&str], year: i32) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = params(names);
        params.not_after = date_time_ymd(year, 1, 1);
        Identity::new(&params.signed_by(&key, &self.0).unwrap(), &key)
    }
}

/// What a server was sent, as text.
pub type Heard = Arc<Mutex<String>>;

/// What was heard so far.
pub fn heard(heard: &Heard) -> String {
    heard.lock().unwrap().clone()
}

/// Encrypts for the server at `port`; gives its own port and what clients have said to it, decrypted.
pub fn front(identity: Identity, port: u16) -> (u16, Heard) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.der], identity.key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let said = Heard::default();
    let heard = Arc::clone(&said);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (config, heard) = (Arc::clone(&config), Arc::clone(&heard));
            thread::spawn(move || carry(client, config, port, &heard));
        }
    });
    (own, said)
}

/// Either side may hang up at any moment; that is its right.
fn carry(client: TcpStream, config: Arc<ServerConfig>, port: u16, heard: &Heard) -> Option<()> {
    let mut client = StreamOwned::new(ServerConnection::new(config).ok()?, client);
    while client.conn.is_handshaking() {
        client.conn.complete_io(&mut client.sock).ok()?;
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    for socket in [&client.sock, &server] {
        socket.set_read_timeout(Some(Duration::from_millis(2))).ok()?;
    }
    let mut piece = vec![0; 64 * 1024];
    loop {
        if let Some(count) = read(&mut client, &mut piece)? {
            heard.lock().ok()?.push_str(&String::from_utf8_lossy(&piece[..count]));
            server.write_all(&piece[..count]).ok()?;
        }
        match read(&mut server, &mut piece) {
            Some(None) => {}
            Some(Some(count)) => client.write_all(&piece[..count]).ok()?,
            None => {
                client.conn.send_close_notify();
                let _ = client.conn.complete_io(&mut client.sock);
                return None;
            }
        }
    }
}

/// `None` at the end, `Some(None)` when there is nothing yet.
fn read(from: &mut impl Read, piece: &mut [u8]) -> Option<Option<usize>> {
    match from.read(piece) {
        Ok(0) => None,
        Ok(count) => Some(Some(count)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Some(None),
        Err(_) => None,
    }
}

/// A server that gives to each head of a request what `script` makes of it, and keeps the connection open where that
/// is RTSP. Gives its port and all it was asked.
pub fn scripted(script: impl Fn(&str, u16) -> Vec<u8> + Send + Sync + 'static) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (said, script) = (Heard::default(), Arc::new(script));
    let heard = Arc::clone(&said);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let (heard, script) = (Arc::clone(&heard), Arc::clone(&script));
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let mut piece = [0; 4096];
                loop {
                    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                        let head = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
                        bytes.drain(..end + 4);
                        heard.lock().unwrap().push_str(&head);
                        if client.write_all(&script(&head, port)).is_err() || head.contains(" HTTP/1.") {
                            return;
                        }
                    }
                    match client.read(&mut piece) {
                        Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
                        _ => return,
                    }
                }
            });
        }
    });
    (port, said)
}

/// How many requests were heard.
pub fn requests(heard: &Heard) -> usize {
    heard.lock().unwrap().matches("\r\n\r\n").count()
}
