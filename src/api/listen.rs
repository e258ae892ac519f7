//! Where the server listens, and how another program finds it.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    os::unix::{
        fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _},
        net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream},
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::Router;
use rustix::{
    fs::{Mode, fchmod},
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with},
};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::watch,
};

use super::{
    access::{Access, Peer},
    connection::Connections,
};
use crate::{
    native::disk::Disk,
    protocol::socket::{is_own, places},
};

/// Connections of one listener at a time. Those over TCP take none away from the socket's.
const MOST_CONNECTIONS: u32 = 128;

/// Connections that the system lets wait.
const BACKLOG: i32 = 64;

/// The last answers get this much time.
const LAST: std::time::Duration = std::time::Duration::from_millis(300);

/// A disk makes or removes a socket within this, or there is none.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(400);

/// A program that runs answers within this.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(2);

/// Rests after the system has refused a connection for want of files.
const REST: std::time::Duration = std::time::Duration::from_millis(200);

/// The socket of the engine that writes into `output`, if one answers there.
#[must_use]
pub fn find(output: &Path) -> Option<PathBuf> {
    let is_engine = |path: &PathBuf| answer(path).is_ok_and(|begin| begin == *b"HTTP/");
    places(output).ok()?.into_iter().find(is_engine)
}

/// Where connections come in.
pub struct Listeners {
    unix: Option<(UnixListener, Socket)>,
    tcp: Option<(TcpListener, SocketAddr)>,
}

/// The file of a socket, which goes with it.
struct Socket {
    path: PathBuf,
    /// Which file it is: another one of the name is another program's.
    inode: Option<(u64, u64)>,
    disk: Disk,
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

impl Drop for Socket {
    fn drop(&mut self) {
        let (path, own) = (self.path.clone(), self.inode);
        // A disk that does not answer keeps the file: the next engine replaces it.
        let _ = self.disk.run_within(PATIENCE, move || {
            if own.is_some() && inode(&path) == own {
                let _ = fs::remove_file(&path);
            }
        });
    }
}

impl Listeners {
    /// Makes the socket of the engine that writes into `output`, and listens on `tcp`. To be called inside the runtime.
    ///
    /// # Errors
    /// When there is neither, or the address of TCP is taken, in a sentence.
    pub fn bind(output: &Path, tcp: Option<SocketAddr>) -> io::Result<Self> {
        let tcp = tcp.map(|wanted| {
            let bound = std::net::TcpListener::bind(wanted).and_then(|listener| {
                listener.set_nonblocking(true)?;
                let address = listener.local_addr()?;
                Ok((TcpListener::from_std(listener)?, address))
            });
            bound.map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot listen on {wanted}: {error}; give 'http.listen' another address"),
                )
            })
        });
        let tcp = tcp.transpose()?;
        let mut refused: Vec<String> = Vec::new();
        let disk = Disk::start("disk-socket")?;
        for path in places(output)? {
            // It takes longer than a disk may where a program hangs.
            if is_answered(&path) {
                return Err(taken(&path));
            }
            let wanted = path.clone();
            let made = disk.run_within(PATIENCE, move || unix(&wanted).map(|made| (made, inode(&wanted))));
            let silent = || Err(io::Error::new(io::ErrorKind::TimedOut, "the disk does not answer"));
            match made.unwrap_or_else(silent) {
                Ok((listener, inode)) => {
                    let listener = UnixListener::from_std(listener)?;
                    for why in &refused {
                        tracing::warn!("{why}; the socket is '{}'", path.display());
                    }
                    return Ok(Self { unix: Some((listener, Socket { path, inode, disk })), tcp });
                }
                Err(error) => {
                    refused.push(format!("the socket '{}' cannot be made: {error}", path.display()));
                }
            }
        }
        if refused.is_empty() {
            refused.push("no folder for the socket has a path short enough for a socket address".into());
        }
        let said = format!("{}; 'attach' and 'ctl' need it", refused.join("; "));
        if tcp.is_none() {
            return Err(io::Error::other(said));
        }
        tracing::warn!("{said}");
        Ok(Self { unix: None, tcp })
    }

    /// The socket, where there is one.
    pub fn socket(&self) -> Option<&Path> {
        self.unix.as_ref().map(|(_, socket)| &*socket.path)
    }

    /// The address of TCP.
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().map(|(_, address)| *address)
    }

    /// Answers until `ended` says so, and a moment longer what was asked before.
    pub async fn serve(self, router: &Router, access: &Arc<Access>, ended: watch::Receiver<bool>) {
        let [near, far] =
            [(), ()].map(|()| Connections::new(MOST_CONNECTIONS, router, access, ended.clone()));
        let unix = async {
            let Some((listener, _socket)) = self.unix else { return std::future::pending().await };
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let peer = Peer::of_socket(&stream);
                        near.take(stream, peer);
                    }
                    Err(error) => rest(&error).await,
                }
            }
        };
        let tcp = async {
            let Some((listener, _)) = self.tcp else { return std::future::pending().await };
            loop {
                match listener.accept().await {
                    Ok((stream, from)) => {
                        let _ = stream.set_nodelay(true);
                        far.take(stream, Peer::Network(from.ip()));
                    }
                    Err(error) => rest(&error).await,
                }
            }
        };
        let mut end = ended.clone();
        tokio::select! {
            () = unix => {}
            () = tcp => {}
            _ = end.wait_for(|ended| *ended) => {}
        }
        // No new connections; open ones get their answers to the end.
        let _ = tokio::time::timeout(LAST, async { tokio::join!(near.settle(), far.settle()) }).await;
    }
}

async fn rest(error: &io::Error) {
    tracing::warn!(
        "The API cannot accept a connection: {error}; where too many files are open, raise the limit (ulimit -n, LimitNOFILE=)"
    );
    tokio::time::sleep(REST).await;
}

/// Whether a program answers at `path`. To be connected is no answer: where a program was killed, a process of it that waits for
/// its disk holds the socket open (see [`crate::native::disk`]). Waits at most twice as long as [`ANSWER`].
fn is_answered(path: &Path) -> bool {
    answer(path).is_ok()
}

/// The begin of what is answered at `path`.
fn answer(path: &Path) -> io::Result<[u8; 5]> {
    // The system would let it wait for ever where too many wait already.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    let mut stream = StdUnixStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(ANSWER))?;
    stream.set_read_timeout(Some(ANSWER))?;
    // One that speaks first and hangs up has answered, whether or not it read this.
    let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut begin = [0; 5];
    stream.read_exact(&mut begin)?;
    Ok(begin)
}

/// Why there is no socket at `path`: 'attach' and 'ctl' would find the other program.
fn taken(path: &Path) -> io::Error {
    let shown = path.display();
    io::Error::new(
        io::ErrorKind::AddrInUse,
        format!(
            "another program answers at '{shown}'; 'pcount-tui attach --socket {shown}' shows it, \
             'pcount-tui ctl --socket {shown} stop' ends it"
        ),
    )
}

/// A socket at `path` that only its owner can use, from its first moment on. One that is there is replaced.
fn unix(path: &Path) -> io::Result<StdUnixListener> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    if folder.starts_with("/tmp")
        && folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pcount-tui-"))
    {
        // Anybody could have made it first.
        let made = fs::DirBuilder::new().mode(0o700).create(folder);
        if made.is_err() && !is_own(folder) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("'{}' belongs to another user", folder.display()),
            ));
        }
    }
    if let Ok(found) = fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a file of this name exists and is not a socket",
            ));
        }
        fs::remove_file(path)?;
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // The file gets the mode that the socket has when it is bound.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    listen(&socket, BACKLOG)?;
    Ok(StdUnixListener::from(socket))
}
