//! A bad network between a camera and its reader: an RTSP proxy on 127.0.0.1 that loses packets, is slow, or
//! stops. Where the media go as datagrams it takes their way as well.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// What the network does to the media.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Loses this many of 1000 packets.
    Loss(u64),
    /// Carries this many bytes a second.
    Slow(usize),
    /// Carries the answers of the server and no media.
    HeadersOnly,
    /// Carries this many packets of media, then nothing more, with the connection open.
    StopAfter(u64),
}

/// What went through and what did not.
#[derive(Default)]
pub struct Packets {
    pub carried: AtomicU64,
    pub lost: AtomicU64,
}

/// Starts a proxy to the server at `port` and gives its own port. It ends with the test's process.
pub fn proxy(port: u16, trouble: Trouble) -> (u16, Arc<Packets>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let packets = Arc::new(Packets::default());
    let counted = Arc::clone(&packets);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            let way = Way { trouble, packets: Arc::clone(&counted), ports: (own, port) };
            way.start(client, server);
        }
    });
    (own, packets)
}

#[derive(Clone)]
struct Way {
    trouble: Trouble,
    packets: Arc<Packets>,
    /// Own and the server's.
    ports: (u16, u16),
}

impl Way {
    fn start(self, client: TcpStream, server: TcpStream) {
        let (up, down) = (self.clone(), self);
        let (client_in, server_out) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        // Either side may hang up at any moment; that is its right.
        thread::spawn(move || {
            let _ = up.upwards(client_in, &server_out);
            let _ = server_out.shutdown(std::net::Shutdown::Both);
        });
        thread::spawn(move || {
            let _ = down.downwards(server, &client);
            let _ = client.shutdown(std::net::Shutdown::Both);
        });
    }

    /// Whether the next packet goes through.
    fn carries(&self, random: &mut u64) -> bool {
        let goes = match self.trouble {
            Trouble::Loss(permille) => {
                *random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (*random >> 33) % 1000 >= permille
            }
            Trouble::Slow(_) => true,
            Trouble::HeadersOnly => false,
            Trouble::StopAfter(most) => self.packets.carried.load(Ordering::SeqCst) < most,
        };
        let count = if goes { &self.packets.carried } else { &self.packets.lost };
        count.fetch_add(1, Ordering::SeqCst);
        goes
    }

    /// Requests, line by line; ports for datagrams are replaced by our own, as is our address.
    fn upwards(&self, client: TcpStream, mut server: &TcpStream) -> io::Result<()> {
        let mut client = BufReader::new(client);
        loop {
            if client.fill_buf()?.first() == Some(&b'$') {
                let packet = interleaved(&mut client)?;
                server.write_all(&packet)?;
                continue;
            }
            let mut line = Vec::new();
            if client.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line);
            let mut text = text.replace(&format!(":{}/", self.ports.0), &format!(":{}/", self.ports.1));
            if let Some((before, after)) = text.clone().split_once("client_port=") {
                let theirs: u16 = after.split('-').next().unwrap().parse().unwrap();
                let rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
                let ours = self.datagrams(theirs)?;
                text = format!("{before}client_port={ours}-{}{rest}", ours + 1);
            }
            server.write_all(text.as_bytes())?;
        }
    }

    /// Two neighboring ports whose datagrams go on to `theirs` and the one after it.
    fn datagrams(&self, theirs: u16) -> io::Result<u16> {
        let (first, second) = (20_000..60_000)
            .step_by(2)
            .find_map(|port| {
                let first = UdpSocket::bind(("127.0.0.1", port)).ok()?;
                Some((first, UdpSocket::bind(("127.0.0.1", port + 1)).ok()?))
            })
            .ok_or(io::ErrorKind::AddrInUse)?;
        let port = first.local_addr()?.port();
        for (socket, target) in [(first, theirs), (second, theirs + 1)] {
            let way = self.clone();
            socket.set_read_timeout(Some(Duration::from_mins(2)))?;
            thread::spawn(move || {
                let (mut bytes, mut random) = (vec![0; 65_536], u64::from(target));
                while let Ok(count) = socket.recv(&mut bytes) {
                    if way.carries(&mut random) {
                        let _ = socket.send_to(&bytes[..count], ("127.0.0.1", target));
                    }
                }
            });
        }
        Ok(port)
    }

    /// Answers go through; packets between them as the trouble wants it.
    fn downwards(&self, server: TcpStream, mut client: &TcpStream) -> io::Result<()> {
        let (mut server, mut random) = (BufReader::new(server), 1);
        loop {
            if server.fill_buf()?.first() != Some(&b'$') {
                let mut line = Vec::new();
                if server.read_until(b'\n', &mut line)? == 0 {
                    return Ok(());
                }
                client.write_all(&line)?;
                continue;
            }
            let packet = interleaved(&mut server)?;
            if self.carries(&mut random) {
                client.write_all(&packet)?;
                if let Trouble::Slow(rate) = self.trouble {
                    thread::sleep(Duration::from_secs_f64(packet.len() as f64 / rate as f64));
                }
            }
        }
    }
}

/// A packet of RFC 2326, 10.12: `$`, channel, length in two bytes, content.
fn interleaved(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; 4];
    stream.read_exact(&mut packet)?;
    let length = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
    packet.resize(4 + length, 0);
    stream.read_exact(&mut packet[4..])?;
    Ok(packet)
}
