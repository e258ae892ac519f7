//! The file of the socket: who can use it, and what becomes of another one of its name.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    io::Write as _,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::UnixListener,
    },
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::server::{Server, camera, command, config, ending};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// A folder that nobody else can put anything into, as `$XDG_RUNTIME_DIR` is.
fn runtime(folder: &Path) -> std::path::PathBuf {
    let runtime = folder.join("run");
    fs::create_dir(&runtime).unwrap();
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
    runtime
}

fn status(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("out/status.json")).unwrap()).unwrap()
}

#[test]
fn the_socket_is_its_owners_alone_from_its_first_moment_and_goes_with_the_service() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out/control.sock");
    let (is_over, watched) = (Arc::new(AtomicBool::new(false)), path.clone());
    let over = Arc::clone(&is_over);
    let watch = std::thread::spawn(move || {
        let mut modes = std::collections::BTreeSet::new();
        while !over.load(Ordering::SeqCst) {
            if let Ok(found) = fs::symlink_metadata(&watched) {
                modes.insert(found.permissions().mode() & 0o777);
            }
        }
        modes
    });
    let config = config(dir.path(), &[camera("door")], false);
    command(dir.path(), &config);
    // Whatever the user's mask is.
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "umask 000; exec \"$0\" serve --config cams.json 2>stderr"])
        .arg(env!("CARGO_BIN_EXE_pcount-tui"))
        .current_dir(dir.path())
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM");
    let mut server = Server::started(dir.path(), &mut shell);
    assert_eq!(server.socket.canonicalize().unwrap(), path.canonicalize().unwrap());
    is_over.store(true, Ordering::SeqCst);
    assert_eq!(watch.join().unwrap().into_iter().collect::<Vec<_>>(), [0o600]);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.stop().code(), Some(143));
    assert!(!path.exists());
}

#[test]
fn a_socket_that_a_killed_service_left_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &[camera("door")], false);
    let mut first = Server::start(dir.path(), &config);
    first.send(Signal::KILL);
    first.child.wait().unwrap();
    assert!(fs::symlink_metadata(&first.socket).unwrap().file_type().is_socket());
    let second = Server::start(dir.path(), &config);
    assert_eq!((second.get("/healthz").status, mode(&second.socket)), (200, 0o600));
}

/// As after `kill -9`, while a process of the killed service waits for its disk and holds what was open.
#[test]
fn a_socket_that_is_open_and_answered_by_nobody_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    let path = dir.path().join("out/control.sock");
    let _held = UnixListener::bind(&path).unwrap();
    // As many wait as the system lets wait.
    let mut waiting = Vec::new();
    while waiting.len() < 10_000 {
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::NONBLOCK,
            None,
        )
        .unwrap();
        if rustix::net::connect(&socket, &rustix::net::SocketAddrUnix::new(&path).unwrap()).is_err() {
            break;
        }
        waiting.push(socket);
    }
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    assert_eq!((server.get("/healthz").status, mode(&server.socket)), (200, 0o600));
}

#[test]
fn a_file_of_the_sockets_name_is_left_alone_and_said_and_the_socket_stands_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = runtime(dir.path());
    let path = dir.path().join("out/control.sock");
    fs::create_dir(dir.path().join("out")).unwrap();
    fs::write(&path, "not a socket").unwrap();
    let config = config(dir.path(), &[camera("door")], false);
    let mut command = command(dir.path(), &config);
    let mut server = Server::started(dir.path(), command.env("XDG_RUNTIME_DIR", &runtime));
    assert!(server.socket.starts_with(&runtime), "{}", server.socket.display());
    let said = server.said();
    assert!(
        said.contains("a file of this name exists and is not a socket")
            && said.contains(&format!("the socket is '{}'", server.socket.display())),
        "{said}"
    );
    // 'ctl' finds it by the output folder.
    let ctl = std::process::Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(["ctl", "status", "--config", "cams.json"])
        .current_dir(dir.path())
        .env("XDG_RUNTIME_DIR", &runtime)
        .output()
        .unwrap();
    assert!(ctl.status.success(), "{}", String::from_utf8_lossy(&ctl.stderr));
    server.stop();
    assert_eq!(fs::read_to_string(&path).unwrap(), "not a socket");
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0);
}

#[test]
fn another_program_that_answers_at_the_socket_is_not_pushed_aside_and_the_way_to_it_is_said() {
    for tcp in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let runtime = runtime(dir.path());
        fs::create_dir(dir.path().join("out")).unwrap();
        let path = dir.path().join("out/control.sock");
        let other = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            for mut stream in other.incoming().flatten() {
                let _ = stream.write_all(b"220 another.example\r\n");
            }
        });
        let mut config = config(dir.path(), &[camera("door")], false);
        if !tcp {
            config["parallel_config"].as_object_mut().unwrap().remove("http");
        }
        let mut command = command(dir.path(), &config);
        let (ended, said) = ending(dir.path(), command.env("XDG_RUNTIME_DIR", &runtime));
        assert_eq!(ended.code(), Some(1), "{said}");
        assert!(said.contains("another program answers at") && said.contains("attach --socket"), "{said}");
        assert!(path.exists() && fs::read_dir(&runtime).unwrap().count() == 0);
    }
}

#[test]
fn a_path_that_is_too_long_for_a_socket_has_it_in_the_runtime_folder_and_the_status_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = runtime(dir.path());
    let deep = dir.path().join("d".repeat(60)).join("e".repeat(60));
    fs::create_dir_all(&deep).unwrap();
    let config = config(&deep, &[camera("door")], false);
    let mut command = command(&deep, &config);
    let mut server = Server::started(&deep, command.env("XDG_RUNTIME_DIR", &runtime));
    assert!(server.socket.starts_with(&runtime));
    assert_eq!(status(&deep)["socket"], json!(server.socket.display().to_string()));
    assert_eq!((server.get("/healthz").status, mode(&server.socket)), (200, 0o600));
    assert_eq!(server.stop().code(), Some(143), "{}", server.said());
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0, "{}", server.said());
}
