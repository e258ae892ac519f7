//! Where the engine listens: its socket, and the address of `http`.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    os::unix::fs::FileTypeExt as _,
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SocketType, bind, socket, sockopt::set_socket_reuseaddr},
};

use super::{
    finding::Finding,
    site::{Running, Site},
};
use crate::{
    api::Tokens,
    protocol::{PREFIX, Version, socket::places},
};

/// A program that listens answers within this time.
const ANSWER: Duration = Duration::from_secs(2);

/// Longest answer that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// The socket in the output folder, and the engine behind it.
pub fn control(site: &Site) -> Vec<Finding> {
    if !site.has_output {
        return vec![Finding::ok("no output folder named")];
    }
    match &site.running {
        Some(running) => engine(site, running),
        None => vec![free(site)],
    }
}

fn engine(site: &Site, running: &Running) -> Vec<Finding> {
    let veil = &site.veil;
    let mut findings = Vec::new();
    match &running.version {
        Ok(Version { program, pid, .. }) if program == env!("CARGO_PKG_VERSION") => {
            findings.push(Finding::ok(format!("an engine answers: pcount-tui {program}, process {pid}")));
        }
        Ok(Version { program, pid, .. }) => findings.push(Finding::warn(
            format!("an engine answers that is pcount-tui {program} (process {pid}), another version than this one"),
            "restart it with this version, or examine it with its own",
        )),
        Err(problem) => findings.push(Finding::fail(
            format!("an engine answers and does not say what it is: {}", veil.said(problem)),
            "see its log; 'pcount-tui ctl stop' ends it",
        )),
    }
    match &running.snapshot {
        Ok(snapshot) => {
            findings.extend(snapshot.problems.iter().map(|problem| {
                Finding::fail(
                    format!("it says: {}", veil.said(problem)),
                    "see docs/troubleshooting.md and its log",
                )
            }));
            findings.extend(
                snapshot
                    .notices
                    .iter()
                    .map(|notice| Finding::advice(format!("it says: {}", veil.said(notice)))),
            );
        }
        Err(problem) if running.version.is_ok() => findings.push(Finding::fail(
            format!("it does not show what it counts: {}", veil.said(problem)),
            "see its log; use the same version of both",
        )),
        Err(_) => {}
    }
    findings
}

/// Whether an engine could make its socket.
fn free(site: &Site) -> Finding {
    let output = &site.config.parallel.result_output;
    let places = places(output).unwrap_or_default();
    let Some(place) = places.first() else {
        return Finding::warn(
            "no folder for the socket has a path short enough",
            "'attach' and 'ctl' need it: set XDG_RUNTIME_DIR, or name an output folder with a shorter path",
        );
    };
    match fs::symlink_metadata(place) {
        Ok(found) if !found.file_type().is_socket() => Finding::warn(
            "a file that is no socket has the name of the control socket",
            "remove 'control.sock' from the output folder: 'attach' and 'ctl' need it",
        ),
        Ok(_) => Finding::ok("no engine runs; the next one replaces the socket that is left"),
        Err(_) => Finding::ok("no engine runs for this output folder"),
    }
}

/// The address of `http`: free, or the engine's own; and its tokens.
pub fn http(site: &Site) -> Vec<Finding> {
    let Some(http) = &site.config.parallel.http else {
        return vec![Finding::ok("no 'http' in the configuration: nothing listens on the network")];
    };
    let mut findings = vec![listening(site, http.listen)];
    if let Some(Err(error)) = http.token_file.as_deref().map(Tokens::read) {
        let sentence = format!("tokens: {}", site.veil.said(&error.to_string()));
        findings.push(Finding::fail(sentence, "the program does not start to serve without them"));
    }
    findings
}

fn listening(site: &Site, listen: SocketAddr) -> Finding {
    if listen.port() == 0 {
        return Finding::ok("any free port");
    }
    let place = if listen.ip().is_loopback() {
        format!("port {} of this machine alone", listen.port())
    } else {
        format!("port {} at {}", listen.port(), site.veil.address(&listen.ip().to_string()))
    };
    match try_to_bind(listen) {
        Ok(()) => Finding::ok(format!("{place} is free")),
        Err(Errno::ADDRINUSE) => match (holder(listen), site.running.as_ref()) {
            (Holder::Engine(pid), Some(running)) if running.pid() == Some(pid) => {
                Finding::ok(format!("{place} is held by the engine that runs"))
            }
            (Holder::Closed, Some(_)) => Finding::ok(format!(
                "{place} is held by a program that wants a token, as the engine that runs does"
            )),
            (Holder::Engine(pid), _) => Finding::fail(
                format!("{place} is held by another engine, process {pid}"),
                "give 'http.listen' another port, or end that engine",
            ),
            _ => Finding::fail(
                format!("{place} is held by another program"),
                "give 'http.listen' another port, or end that program",
            ),
        },
        Err(Errno::ACCESS) => Finding::fail(
            format!("{place} needs the rights of root"),
            "give 'http.listen' a port above 1023, or the unit AmbientCapabilities=CAP_NET_BIND_SERVICE",
        ),
        Err(Errno::ADDRNOTAVAIL) => Finding::fail(
            format!("{place}: this machine has no such address"),
            "give 'http.listen' an address of this machine, such as 127.0.0.1",
        ),
        Err(error) => Finding::fail(
            format!("nothing can listen on {place}: {}", std::io::Error::from(error)),
            "give 'http.listen' another address",
        ),
    }
}

/// Takes the address for a moment and does not listen.
fn try_to_bind(address: SocketAddr) -> Result<(), Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket(family, SocketType::STREAM, None)?;
    // As the engine does: connections that have just ended are no obstacle.
    set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)
}

/// What listens at an address.
enum Holder {
    /// An engine, by the number of its process.
    Engine(u32),
    /// A program that answers nothing without a token.
    Closed,
    /// Something else.
    Other,
}

fn holder(listen: SocketAddr) -> Holder {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let answer = ask(SocketAddr::new(ip, listen.port())).unwrap_or_default();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    match serde_json::from_str::<Version>(body) {
        Ok(version) => Holder::Engine(version.pid),
        Err(_) if answer.starts_with("HTTP/1.1 401") => Holder::Closed,
        Err(_) => Holder::Other,
    }
}

/// What is answered to the question for a version.
fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    let request = format!("GET {PREFIX}/version HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // What came before it broke off counts.
    let _ = stream.take(LONGEST).read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
