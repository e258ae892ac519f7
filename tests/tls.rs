//! Whom network cameras trust and where they may be sent: what servers hear is what is tested, above all that those
//! who are not proven hear nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
mod clips;
#[path = "support/http_server.rs"]
mod http_server;
#[path = "support/rtsp.rs"]
mod rtsp;
#[path = "support/tls.rs"]
mod tls;

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use http_server::{Answer, serve};
use pcount::{
    config::{SourceConfig, TlsConfig},
    internals::source::{FrameSource, Interrupt, Opener as _, SourceError, SystemOpener},
    model::SourceKind,
};
use rtsp::RtspServer;
use tls::{Authority, Heard, Identity, front, heard, requests, scripted, self_signed};

/// Never to be heard by anybody but the camera.
const SECRETS: [&str; 4] = ["s3cret", "t0ken", "Authorization", "YWRtaW46czNjcmV0"];

fn camera(address: &str, tls: &TlsConfig) -> SourceConfig {
    SourceConfig {
        open_timeout: Duration::from_secs(5),
        stall_timeout: Duration::from_secs(3),
        tls: tls.clone(),
        ..SourceConfig::from_source_string(address, &BTreeSet::new()).unwrap()
    }
}

fn open(address: &str, tls: &TlsConfig) -> Result<Box<dyn FrameSource>, SourceError> {
    SystemOpener::default().open(&camera(address, tls), &Interrupt::default())
}

/// Why it is not opened, as text.
fn refusal(address: &str, tls: &TlsConfig) -> String {
    match open(address, tls) {
        Ok(_) => panic!("'{address}' was opened"),
        Err(error) => {
            assert!(!matches!(error, SourceError::Unsupported(_)), "it may be repaired: {error}");
            let text = error.to_string();
            assert!(
                !text.contains("s3cret") && !text.contains("t0ken") && text.lines().count() == 1,
                "{text}"
            );
            text
        }
    }
}

fn read(source: &mut dyn FrameSource, count: usize) {
    for _ in 0..count {
        assert!(source.grab().unwrap());
        source.retrieve(&|width, height| (width, height)).unwrap();
    }
}

fn trusting(file: &Path) -> TlsConfig {
    TlsConfig { ca: Some(file.to_owned()), ..TlsConfig::default() }
}

fn saved(folder: &Path, name: &str, pem: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, pem).unwrap();
    path
}

#[track_caller]
fn heard_no_secret(said: &Heard) {
    let said = heard(said);
    assert!(!SECRETS.iter().any(|secret| said.contains(secret)), "{said}");
}

/// A camera that asks for a password and sends pictures to those who give it.
fn locked() -> u16 {
    serve(Answer::Locked("admin:s3cret"))
}

#[test]
fn a_server_that_is_not_proven_hears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let trusted = trusting(&saved(folder.path(), "ca.pem", &authority.pem()));
    let elsewhere = trusting(&saved(folder.path(), "other.pem", &Authority::new().pem()));
    let system = TlsConfig::default();
    let cases: [(Identity, &TlsConfig, &str, &str); 6] = [
        (
            self_signed(&["localhost"]),
            &system,
            "localhost",
            "not signed by an authority that this machine trusts",
        ),
        (authority.issue(&["localhost"]), &system, "localhost", "not signed by an authority"),
        (authority.issue(&["localhost"]), &elsewhere, "localhost", "is signed by none of those in it"),
        (authority.issue_until(&["localhost"], 2020), &trusted, "localhost", "has expired"),
        (
            authority.issue(&["door.lan"]),
            &trusted,
            "localhost",
            "another name than 'localhost': it is for door.lan",
        ),
        (authority.issue(&["localhost"]), &trusted, "127.0.0.1", "another name than '127.0.0.1'"),
    ];
    for (identity, tls, host, wanted) in cases {
        let (port, said) = front(identity, locked());
        for scheme in ["https", "rtsps"] {
            let text = refusal(&format!("{scheme}://admin:s3cret@{host}:{port}/v.mjpg?token=t0ken"), tls);
            assert!(text.contains(wanted), "{scheme}: {text}");
            assert!(
                text.contains("SHA-256 fingerprint ") && text.contains("\"tls\": {\"ca\": FILE}"),
                "{text}"
            );
        }
        assert_eq!(heard(&said), "", "{wanted}");
    }
}

#[test]
fn a_camera_is_opened_by_the_certificate_it_is_known_by() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let own = self_signed(&["a name that nobody uses"]);
    let one = trusting(&saved(folder.path(), "one.pem", &authority.pem()));
    let two = trusting(&saved(folder.path(), "two.pem", &own.pem));
    let (by_authority, said) = front(authority.issue(&["localhost", "127.0.0.1"]), locked());
    let (by_itself, _) = front(own, locked());
    // In one process, each with its own trust.
    for (host, port, tls, other) in [
        ("localhost", by_authority, &one, &two),
        ("127.0.0.1", by_authority, &one, &two),
        ("localhost", by_itself, &two, &one),
    ] {
        let address = format!("https://admin:s3cret@{host}:{port}/v.mjpg");
        read(open(&address, tls).unwrap().as_mut(), 5);
        assert!(refusal(&address, other).contains("is not in '"));
    }
    assert!(heard(&said).contains("Authorization: Basic YWRtaW46czNjcmV0"), "it was the camera's to hear");
}

#[test]
fn without_verification_anybody_is_opened_and_that_is_said() {
    let (port, _) = front(self_signed(&["x"]), locked());
    let tls = TlsConfig { verify: false, ca: None };
    let mut source = open(&format!("https://admin:s3cret@localhost:{port}/v.mjpg"), &tls).unwrap();
    let said = source.remark().unwrap();
    assert!(said.contains("is not verified") && !said.contains("s3cret"), "{said}");
    read(source.as_mut(), 5);
}

#[test]
fn rtsps_gives_frames_and_goes_on() {
    let Some(server) = RtspServer::start(&["--user", "admin", "--password", "s3cret", "--digest"]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(&["localhost"]);
    let tls = trusting(&saved(folder.path(), "own.pem", &own.pem));
    let plain: u16 = server.address("", "").rsplit(':').next().unwrap().parse().unwrap();
    let (port, _) = front(own, plain);
    let mut source = open(&format!("rtsps://admin:s3cret@localhost:{port}/live"), &tls).unwrap();
    assert_eq!(source.info().size, (320, 240));
    read(source.as_mut(), 30);
    assert_eq!(
        open(&format!("rtsps://admin:wrong@localhost:{port}/live"), &tls).err(),
        Some(SourceError::Auth)
    );
    let missing = refusal(&format!("rtsps://admin:s3cret@localhost:{port}/nothing"), &tls);
    assert!(missing.contains("404"), "{missing}");
}

#[test]
fn encrypted_video_never_comes_as_datagrams() {
    let Some(server) = RtspServer::start(&["--transport", "udp"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(&["localhost"]);
    let tls = trusting(&saved(folder.path(), "own.pem", &own.pem));
    let plain: u16 = server.address("", "").rsplit(':').next().unwrap().parse().unwrap();
    let (port, said) = front(own, plain);
    refusal_of_any_kind(&format!("rtsps://localhost:{port}/live"), &tls);
    let said = heard(&said);
    assert!(said.contains("RTP/AVP/TCP") && !said.contains("client_port"), "{said}");
}

#[test]
fn what_is_not_encrypted_is_told_from_what_is_not_trusted() {
    let system = TlsConfig::default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        // Kept open, as a server does that waits for a request.
        let mut clients: Vec<_> = listener.incoming().flatten().collect();
        clients.clear();
    });
    let silent = refusal(&format!("rtsps://localhost:{port}/a"), &system);
    assert!(silent.contains("does not answer"), "{silent}");
    let plain = refusal(&format!("https://localhost:{}/v.mjpg", banner()), &system);
    assert!(plain.contains("not encrypted"), "{plain}");
    let closed = refusal(&format!("https://localhost:{}/v.mjpg", serve(Answer::Page)), &system);
    assert!(closed.contains("breaks off"), "{closed}");
    let gone = trusting(Path::new("/no/such.pem"));
    let said = refusal(&format!("https://localhost:{}/v.mjpg", locked()), &gone);
    assert!(said.contains("'/no/such.pem'") && said.contains("cannot be read"), "{said}");
}

/// A server that says what it is before it is asked.
fn banner() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
            // Until the other side has hung up: it is to read what was said.
            let _ = std::io::copy(&mut client, &mut std::io::sink());
        }
    });
    port
}

fn to(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

#[test]
fn http_redirects_take_the_password_nowhere() {
    let (other, said) =
        scripted(|_, _| b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n".to_vec());
    // Asks for the password first, as a camera does that is known by then.
    let (camera, _) = scripted(move |head, _| {
        if head.contains("Authorization") {
            to(&format!("http://127.0.0.1:{other}/x"))
        } else {
            b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n".to_vec()
        }
    });
    let text =
        refusal(&format!("http://admin:s3cret@127.0.0.1:{camera}/v?token=t0ken"), &TlsConfig::default());
    assert!(text.contains("redirects to") && text.contains("asks for a user name and password"), "{text}");
    assert!(requests(&said) > 0, "it was followed");
    heard_no_secret(&said);
}

#[test]
fn http_redirects_on_the_same_camera_keep_the_password() {
    let camera = locked();
    // The same host and port would be needed for the password to go along: a relative location.
    let (port, said) = scripted(move |head, _| {
        if head.starts_with("GET /old") {
            return to("new.mjpg");
        }
        assert!(camera > 0);
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n".to_vec()
    });
    let error = open(&format!("http://admin:s3cret@127.0.0.1:{port}/old"), &TlsConfig::default()).err();
    assert_eq!(error, Some(SourceError::Auth));
    assert!(heard(&said).contains("GET /new.mjpg HTTP/1.1"), "{}", heard(&said));
    assert_eq!(heard(&said).matches("Authorization").count(), 1, "{}", heard(&said));
}

#[test]
fn redirects_out_of_what_is_safe_end_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(&["localhost"]);
    let tls = trusting(&saved(folder.path(), "own.pem", &own.pem));
    let (victim, said) = scripted(|_, _| b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    let (plain, _) = scripted(move |_, _| to(&format!("http://localhost:{victim}/v?token=t0ken")));
    let (port, _) = front(own, plain);
    let down = refusal(&format!("https://admin:s3cret@localhost:{port}/v"), &tls);
    assert!(down.contains("from an encrypted address to one that is not"), "{down}");
    assert_eq!(heard(&said), "");

    for location in
        ["file:///etc/passwd", "gopher://127.0.0.1/", "rtsp://127.0.0.1/", "data:,x", "concat:a|b"]
    {
        let (port, said) = scripted(move |_, _| to(location));
        let text = refusal(&format!("http://admin:s3cret@127.0.0.1:{port}/v"), &tls);
        assert!(text.contains("another scheme"), "{location}: {text}");
        assert_eq!(requests(&said), 1, "{location}");
    }
    let (port, said) = scripted(|_, port| to(&format!("http://127.0.0.1:{port}/again")));
    let text = refusal(&format!("http://admin:s3cret@127.0.0.1:{port}/v"), &tls);
    assert!(text.contains("redirects more than") && requests(&said) <= 6, "{text}");
}

#[test]
fn a_redirect_to_an_encrypted_address_is_verified() {
    let (port, said) = front(self_signed(&["localhost"]), locked());
    let (camera, _) = scripted(move |_, _| to(&format!("https://localhost:{port}/v?token=t0ken")));
    let text = refusal(&format!("http://admin:s3cret@127.0.0.1:{camera}/v"), &TlsConfig::default());
    assert!(text.contains("not signed by an authority"), "{text}");
    assert_eq!(heard(&said), "");
}

/// An RTSP answer with the number of the request.
fn rtsp_answer(head: &str, status: &str, fields: &str) -> Vec<u8> {
    let number = head.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or("1");
    format!("RTSP/1.0 {status}\r\nCSeq: {number}\r\n{fields}\r\n").into_bytes()
}

#[test]
fn rtsp_redirects_are_few_and_take_the_password_nowhere() {
    let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    for at in ["OPTIONS", "DESCRIBE"] {
        let (other, said) = scripted(move |head, _| rtsp_answer(head, "401 Unauthorized", challenge));
        let (camera, _) = scripted(move |head, _| {
            if !head.contains("Authorization") {
                rtsp_answer(head, "401 Unauthorized", challenge)
            } else if head.starts_with(at) {
                let fields = format!("Location: rtsp://x:y@127.0.0.1:{other}/b\r\n");
                rtsp_answer(head, "302 Moved", &fields)
            } else {
                rtsp_answer(head, "200 OK", "Public: DESCRIBE\r\n")
            }
        });
        let text =
            refusal(&format!("rtsp://admin:s3cret@127.0.0.1:{camera}/a?token=t0ken"), &TlsConfig::default());
        assert!(text.contains("asks for a user name and password"), "{at}: {text}");
        assert_eq!(requests(&said), 1, "{at}");
        heard_no_secret(&said);

        let (circle, said) = scripted(move |head, port| {
            if head.starts_with(at) {
                rtsp_answer(head, "301 Moved", &format!("Location: rtsp://127.0.0.1:{port}/a\r\n"))
            } else {
                rtsp_answer(head, "200 OK", "")
            }
        });
        let text = refusal(&format!("rtsp://admin:s3cret@127.0.0.1:{circle}/a"), &TlsConfig::default());
        assert!(text.contains("redirects more than"), "{at}: {text}");
        assert!(requests(&said) <= 7, "{at}: {}", requests(&said));
    }
}

#[test]
fn an_rtsp_camera_that_sends_on_is_followed_to_its_pictures() {
    let Some(server) = RtspServer::start(&[]) else { return };
    let address = server.address("", "/live");
    let (camera, _) =
        scripted(move |head, _| rtsp_answer(head, "302 Moved", &format!("Location: {address}\r\n")));
    let mut source = open(&format!("rtsp://127.0.0.1:{camera}/old"), &TlsConfig::default()).unwrap();
    read(source.as_mut(), 10);
}

#[test]
fn rtsp_redirects_never_lose_encryption() {
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(&["localhost"]);
    let tls = trusting(&saved(folder.path(), "own.pem", &own.pem));
    let (victim, said) = scripted(|head, _| rtsp_answer(head, "200 OK", ""));
    let (plain, _) = scripted(move |head, _| {
        rtsp_answer(head, "302 Moved", &format!("Location: rtsp://localhost:{victim}/a\r\n"))
    });
    let (port, _) = front(own, plain);
    let text = refusal(&format!("rtsps://admin:s3cret@localhost:{port}/a"), &tls);
    assert!(text.contains("from an encrypted address to one that is not"), "{text}");
    assert_eq!(heard(&said), "");
}

#[test]
fn a_description_without_an_end_is_refused() {
    for length in ["2000000000", "99999999999999999999", "-1"] {
        let (port, _) = scripted(move |head, _| {
            rtsp_answer(
                head,
                "200 OK",
                &format!("Content-Type: application/sdp\r\nContent-Length: {length}\r\n"),
            )
        });
        refusal_of_any_kind(&format!("rtsp://127.0.0.1:{port}/a"), &TlsConfig::default());
    }
}

fn refusal_of_any_kind(address: &str, tls: &TlsConfig) {
    assert!(open(address, tls).is_err(), "'{address}' was opened");
}

/// A folder with a clip in parts of a playlist of `lines`.
fn playlist(folder: &Path, lines: &str) {
    clips::write_clip(&folder.join("part.ts"), "mpg2", 25.0, (64, 48), 50);
    let text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n{lines}#EXT-X-ENDLIST\n"
    );
    fs::write(folder.join("list.m3u8"), text).unwrap();
}

fn frames_of(address: &str, tls: &TlsConfig) -> Result<usize, SourceError> {
    let mut source = SystemOpener::default()
        .open(&SourceConfig { kind: SourceKind::Video, ..camera(address, tls) }, &Interrupt::default())?;
    let mut frames = 0;
    while source.grab()? {
        frames += 1;
    }
    Ok(frames)
}

#[test]
fn an_encrypted_playlist_plays_and_its_parts_are_verified_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let tls = trusting(&saved(folder.path(), "ca.pem", &authority.pem()));
    let files = serve(Answer::Files(folder.path().to_owned()));
    let (port, said) = front(authority.issue(&["localhost"]), files);
    playlist(
        folder.path(),
        &format!("#EXTINF:2.0,\npart.ts\n#EXTINF:2.0,\nhttps://localhost:{port}/part.ts\n"),
    );
    let frames = frames_of(&format!("https://localhost:{port}/list.m3u8"), &tls).unwrap();
    assert!((96..=100).contains(&frames), "{frames}");
    assert!(heard(&said).matches("GET /part.ts").count() >= 2, "{}", heard(&said));

    // Nobody proves to be the host of a part.
    let (liar, said) = front(self_signed(&["localhost"]), files);
    playlist(folder.path(), &format!("#EXTINF:2.0,\nhttps://127.0.0.1:{liar}/part.ts?token=t0ken\n"));
    assert!(frames_of(&format!("https://localhost:{port}/list.m3u8"), &tls).is_err());
    assert_eq!(heard(&said), "");
}

#[test]
fn playlists_lead_to_no_other_kind_of_address_and_tell_nobody_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let tls = trusting(&saved(folder.path(), "ca.pem", &authority.pem()));
    let (other, said) =
        scripted(|_, _| b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n".to_vec());
    clips::write_clip(&folder.path().join("part.ts"), "mpg2", 25.0, (64, 48), 50);
    let file = format!("file://{}", folder.path().join("part.ts").display());
    for (scheme, part, heard_by_other) in [
        ("http", format!("http://127.0.0.1:{other}/part.ts"), true),
        ("https", format!("http://127.0.0.1:{other}/part.ts"), false),
        ("http", file.clone(), false),
        ("https", file, false),
    ] {
        let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n{part}\n#EXT-X-ENDLIST\n");
        let (plain, _) = scripted(move |head, _| {
            if head.contains("Authorization") {
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{list}", list.len()).into_bytes()
            } else {
                b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n".to_vec()
            }
        });
        let port = if scheme == "https" { front(authority.issue(&["localhost"]), plain).0 } else { plain };
        let before = requests(&said);
        let address = format!("{scheme}://admin:s3cret@localhost:{port}/list.m3u8");
        assert!(frames_of(&address, &tls).is_err(), "{scheme} {part}");
        assert_eq!(requests(&said) > before, heard_by_other, "{scheme} {part}");
        heard_no_secret(&said);
    }
}

#[test]
fn the_check_tells_fingerprints_and_saves_certificates_that_then_open() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let ca = saved(folder.path(), "ca.pem", &authority.pem());
    let (unknown, _) = front(self_signed(&["localhost"]), locked());
    let (known, _) = front(authority.issue(&["localhost"]), locked());
    let write = |tls: &str| {
        let text = format!(
            r#"{{"cameras": [
                {{"camera_id": "own", "source": "https://admin:s3cret@localhost:{unknown}/v.mjpg"{tls}}},
                {{"camera_id": "issued", "source": "https://admin:s3cret@localhost:{known}/v.mjpg"}}]}}"#
        );
        saved(folder.path(), "c.json", &text);
    };
    // The second is trusted as the system's own are.
    let check = || {
        let output = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
            .args(["check", "--config", "c.json", "--probe", "--certificates", "saved"])
            .current_dir(folder.path())
            .env("SSL_CERT_FILE", &ca)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        (output.status.code(), text)
    };
    write("");
    let (code, text) = check();
    assert_eq!(code, Some(69), "{text}");
    assert!(text.contains("failed  own:") && text.contains("ok      issued:"), "{text}");
    assert!(text.contains("tls     own: certificate not trusted, SHA-256 "), "{text}");
    assert!(text.contains("tls     issued: certificate trusted, SHA-256 "), "{text}");
    let (own, issued) = (folder.path().join("saved/own.pem"), folder.path().join("saved/issued.pem"));
    assert!(own.exists() && !issued.exists(), "{text}");

    write(r#", "tls": {"ca": "saved/own.pem"}"#);
    let (code, text) = check();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("tls     own: certificate trusted"), "{text}");
}

#[test]
fn ffmpeg_never_hears_of_a_redirection() {
    let (victim, said) = scripted(|head, _| rtsp_answer(head, "401 Unauthorized", ""));
    let location = format!("Location: rtsp://127.0.0.1:{victim}/a\r\n");
    // Two answers to one question, an answer inside of another one's end, a status that only some read as one.
    for fields in [
        format!("\r\nRTSP/1.0 302 Moved\r\nCSeq: 2\r\n{location}"),
        format!("Content-Length: 0\r\nContent-Length: 0\r\n\r\nRTSP/1.0 302 Moved\r\nCSeq: 2\r\n{location}"),
        format!("$\0\0\u{1}:x\r\n\r\nRTSP/1.0 302x Moved\r\nCSeq: 2\r\n{location}"),
    ] {
        let (camera, _) = scripted(move |head, _| rtsp_answer(head, "200 OK", &fields));
        refusal_of_any_kind(&format!("rtsp://admin:s3cret@127.0.0.1:{camera}/a"), &TlsConfig::default());
    }
    for status in ["302x Moved", " 302 Moved", "300 Choose"] {
        let fields = location.clone();
        let (camera, _) = scripted(move |head, _| rtsp_answer(head, status, &fields));
        refusal_of_any_kind(&format!("rtsp://admin:s3cret@127.0.0.1:{camera}/a"), &TlsConfig::default());
    }
    heard_no_secret(&said);
    // The last two say it in a way that this side understands; neither is told on.
    assert_eq!(requests(&said), 2, "{}", heard(&said));
}
