//! Two connections, one to FFmpeg and one to a server, and the bytes that wait to go out on either.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::source::network::{
    message::{self, MAX_HEAD},
    tls::{Timed, TlsStream},
};

/// Bytes that may wait for FFmpeg before no more are read from the server.
const MOST_WAITING: usize = 256 * 1024;

/// Bytes read at once.
const PIECE: usize = 32 * 1024;

/// Longest time in which what is left is handed over to a side that may have gone.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// FFmpeg asks at once.
const QUESTION: Duration = Duration::from_secs(10);

/// What FFmpeg asks first, up to the end of its head and what came with it. Blocks ten seconds at most.
///
/// # Errors
/// When there is no such thing: the client may be any program on this machine.
pub fn question(client: &TcpStream) -> io::Result<Vec<u8>> {
    let mut timed = Timed { stream: client, deadline: Instant::now() + QUESTION };
    let mut bytes = Vec::new();
    let mut piece = [0; 2048];
    while message::head_length(&bytes).is_none() {
        match timed.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
        if bytes.len() > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(bytes)
}

/// A connection to a server. None of its calls blocks.
pub enum Connection {
    /// As it is.
    Plain(TcpStream),
    /// Encrypted, with a server that is known.
    Tls(Box<TlsStream>),
}

impl Connection {
    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    fn holds_output(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.conn.wants_write())
    }

    /// Sends all of `bytes`. Blocks up to `deadline`.
    ///
    /// # Errors
    /// When the connection breaks, or with `TimedOut`.
    pub fn send(&mut self, bytes: &[u8], deadline: Instant) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() || self.holds_output() {
            let step = if rest.is_empty() { self.flush().map(|()| 0) } else { self.write(rest) };
            match step {
                Ok(count) if count > 0 || rest.is_empty() => rest = &rest[count..],
                Ok(_) => wait(self.socket(), PollFlags::OUT, deadline)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(self.socket(), PollFlags::OUT, deadline)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what there is, at least one byte unless the other side has closed the connection (0). Blocks up to `deadline`.
    ///
    /// # Errors
    /// When the connection breaks, or with `TimedOut`.
    pub fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        loop {
            match self.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(self.socket(), PollFlags::IN, deadline)?;
                }
                other => return other,
            }
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            // Many cameras hang up without taking leave.
            Self::Tls(stream) => match stream.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                other => other,
            },
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Waits for `what` on one socket.
fn wait(socket: &TcpStream, what: PollFlags, deadline: Instant) -> io::Result<()> {
    poll_until(&mut [PollFd::new(socket, what)], Some(deadline))
}

fn poll_until(sockets: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<()> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(sockets, left.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Bytes on their way out.
#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn write_to(&mut self, to: &mut impl Write) -> io::Result<()> {
        while self.len() > 0 {
            match to.write(&self.bytes[self.sent..]) {
                Ok(0) => break,
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.len() == 0 {
            self.bytes.clear();
            self.sent = 0;
        }
        Ok(())
    }
}

/// What an exchange ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// FFmpeg has closed the connection.
    Client,
    /// The server has closed the connection.
    Server,
}

/// FFmpeg and a server.
pub struct Link<'a> {
    client: &'a TcpStream,
    server: Connection,
    to_client: Outgoing,
    to_server: Outgoing,
    piece: Vec<u8>,
    /// The encryption may hold bytes that the socket does not tell of.
    unread: bool,
}

impl<'a> Link<'a> {
    /// Both connections must not block.
    pub fn new(client: &'a TcpStream, server: Connection) -> Self {
        Self {
            client,
            server,
            to_client: Outgoing::default(),
            to_server: Outgoing::default(),
            piece: vec![0; PIECE],
            unread: true,
        }
    }

    /// The server.
    pub fn server(&self) -> &Connection {
        &self.server
    }

    /// Goes on with another server.
    pub fn change_server(&mut self, server: Connection) {
        (self.server, self.to_server, self.unread) = (server, Outgoing::default(), true);
    }

    /// Sends `bytes` to FFmpeg with the next exchange.
    pub fn tell_client(&mut self, bytes: &[u8]) {
        self.to_client.bytes.extend_from_slice(bytes);
    }

    /// Sends `bytes` to the server with the next exchange.
    pub fn tell_server(&mut self, bytes: &[u8]) {
        self.to_server.bytes.extend_from_slice(bytes);
    }

    /// Sends what waits, waits until something came, and appends it. Gives the side that has closed the connection, whose last bytes
    /// were appended.
    ///
    /// # Errors
    /// When a connection breaks.
    pub fn exchange(
        &mut self,
        from_client: &mut Vec<u8>,
        from_server: &mut Vec<u8>,
    ) -> io::Result<Option<Side>> {
        self.flush()?;
        let room = self.to_client.len() < MOST_WAITING;
        if room && self.unread {
            return Ok(self.read_server(from_server)?.then_some(Side::Server));
        }
        let when = |wanted, flags| if wanted { flags } else { PollFlags::empty() };
        let to_server = self.to_server.len() > 0 || self.server.holds_output();
        let mut sockets = [
            PollFd::new(self.client, PollFlags::IN | when(self.to_client.len() > 0, PollFlags::OUT)),
            PollFd::new(self.server.socket(), when(room, PollFlags::IN) | when(to_server, PollFlags::OUT)),
        ];
        // A server that has closed the connection would be told of over and over while FFmpeg has no room for more.
        let watched = if room || to_server { 2 } else { 1 };
        poll_until(&mut sockets[..watched], None)?;
        let [client, server] = sockets.map(|socket| socket.revents());
        let gone = PollFlags::HUP | PollFlags::ERR;
        if client.intersects(PollFlags::IN | gone) && self.read_client(from_client)? {
            return Ok(Some(Side::Client));
        }
        if room && server.intersects(PollFlags::IN | gone) && self.read_server(from_server)? {
            return Ok(Some(Side::Server));
        }
        Ok(None)
    }

    /// Sends what waits, as far as both sides take it now.
    fn flush(&mut self) -> io::Result<()> {
        let mut client = self.client;
        self.to_client.write_to(&mut client)?;
        self.to_server.write_to(&mut self.server)?;
        match self.server.holds_output().then(|| self.server.flush()) {
            Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    /// Hands over what is left for `side`. Blocks a second at most for a server, for FFmpeg until it has read all or
    /// closed the connection: it reads at the speed at which its video is wanted.
    pub fn finish(&mut self, side: Side) {
        match side {
            Side::Server => {
                let left = std::mem::take(&mut self.to_server);
                let _ = self.server.send(&left.bytes[left.sent..], Instant::now() + LAST_WORDS);
            }
            Side::Client => {
                let mut client = self.client;
                while self.to_client.write_to(&mut client).is_ok() && self.to_client.len() > 0 {
                    if poll_until(&mut [PollFd::new(client, PollFlags::OUT)], None).is_err() {
                        break;
                    }
                }
            }
        }
    }

    /// Whether FFmpeg has closed the connection.
    fn read_client(&mut self, from_client: &mut Vec<u8>) -> io::Result<bool> {
        match (&mut self.client).read(&mut self.piece) {
            Ok(count) => {
                from_client.extend_from_slice(&self.piece[..count]);
                Ok(count == 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the server has closed the connection.
    fn read_server(&mut self, from_server: &mut Vec<u8>) -> io::Result<bool> {
        self.unread = matches!(self.server, Connection::Tls(_));
        let before = from_server.len();
        loop {
            match self.server.read(&mut self.piece) {
                Ok(0) => return Ok(true),
                Ok(count) => from_server.extend_from_slice(&self.piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unread = false;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
            if !self.unread || from_server.len() - before >= MOST_WAITING {
                return Ok(false);
            }
        }
    }
}
