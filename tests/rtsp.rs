//! Network cameras through the real opener: frames over each way, and every failure under its own name.
//!
//! The RTSP tests start GStreamer's server and are skipped, saying so, where it is not installed; the HTTP
//! servers are part of the tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
mod clips;
#[path = "support/http_server.rs"]
mod http_server;
#[path = "support/rtsp.rs"]
mod rtsp;

use std::{collections::BTreeSet, time::Duration};

use http_server::{Answer, serve};
use pcount::{
    config::SourceConfig,
    internals::source::{FrameSource, Interrupt, Opener as _, SourceError, SystemOpener, probe_source},
    model::SourceKind,
};
use rtsp::RtspServer;

/// A camera at `address` (which may hold credentials) with short timeouts.
fn camera(address: &str) -> SourceConfig {
    SourceConfig {
        open_timeout: Duration::from_secs(4),
        stall_timeout: Duration::from_secs(2),
        ..SourceConfig::from_source_string(address, &BTreeSet::new()).unwrap()
    }
}

fn open(address: &str) -> Result<Box<dyn FrameSource>, SourceError> {
    SystemOpener::default().open(&camera(address), &Interrupt::default())
}

fn refusal(address: &str) -> SourceError {
    match open(address) {
        Ok(_) => panic!("'{address}' was opened"),
        Err(error) => error,
    }
}

/// Reads `count` frames and checks what every frame must keep to.
fn read(source: &mut dyn FrameSource, count: u64) {
    let mut last = -1.0;
    for index in 0..count {
        assert!(source.grab().unwrap());
        let frame = source.retrieve(&|width, height| (width / 2, height / 2)).unwrap();
        assert_eq!(frame.index, index);
        assert!(frame.time >= last, "time ran backwards");
        assert_eq!(frame.picture.size().0, frame.stream_size.0 / 2);
        last = frame.time;
    }
}

/// Reads until the stream fails, and says how.
fn failure(source: &mut dyn FrameSource) -> SourceError {
    for _ in 0..1000 {
        match source.grab() {
            Ok(more) => assert!(more, "a camera has no end"),
            Err(error) => return error,
        }
    }
    panic!("the stream went on");
}

#[test]
fn rtsp_over_tcp_gives_live_frames() {
    let Some(server) = RtspServer::start(&["--transport", "tcp"]) else { return };
    let mut source = open(&server.address("", "/live")).unwrap();
    assert!(source.info().live);
    assert_eq!(source.info().size, (320, 240));
    assert_eq!(source.codec().as_deref(), Some("h264"));
    read(source.as_mut(), 20);
}

#[test]
fn datagrams_are_used_where_a_camera_offers_nothing_else_and_streams_elsewhere() {
    for (offered, said) in [("udp", "/UDP"), ("both", "/TCP")] {
        let Some(mut server) = RtspServer::start(&["--transport", offered]) else { return };
        read(open(&server.address("", "/live")).unwrap().as_mut(), 20);
        let asked = server.transport();
        assert!(asked.contains(said), "{offered}: {asked}");
    }
}

#[test]
fn the_program_asks_for_datagrams_when_all_its_cameras_are_to_send_them() {
    for (transport, said) in [("udp", "/UDP"), ("tcp", "/TCP")] {
        let Some(mut server) = RtspServer::start(&["--transport", "both"]) else { return };
        let dir = tempfile::tempdir().unwrap();
        let camera = format!(
            r#"{{"cameras": [{{"camera_id": "door", "source": "{}", "transport": "{transport}"}}]}}"#,
            server.address("", "/live")
        );
        std::fs::write(dir.path().join("cams.json"), camera).unwrap();
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
            .args(["--config", "cams.json", "--json", "--detector", "motion", "--duration", "30s"])
            .current_dir(dir.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let asked = server.transport();
        program.kill().unwrap();
        program.wait().unwrap();
        assert!(asked.contains(said), "{transport}: {asked}");
    }
}

#[test]
fn a_camera_that_comes_back_with_another_codec_and_size_is_read() {
    let Some(server) = RtspServer::start(&[]) else { return };
    let address = server.address("", "/live");
    let mut source = open(&address).unwrap();
    assert_eq!((source.codec().as_deref(), source.info().size), (Some("h264"), (320, 240)));
    let port = server.kill().to_string();
    failure(source.as_mut());
    let _server = RtspServer::start(&["--port", &port, "--codec", "jpeg", "--size", "160x120"]).unwrap();
    let mut source = open(&address).unwrap();
    assert_ne!(source.codec().as_deref(), Some("h264"));
    assert!(source.grab().unwrap());
    assert_eq!(source.retrieve(&|w, h| (w, h)).unwrap().stream_size, (160, 120));
}

#[test]
fn a_password_opens_and_each_mistake_has_its_name() {
    for way in [
        &["--user", "admin", "--password", "s3cret-phrase"][..],
        &["--user", "admin", "--password", "s3cret-phrase", "--digest"],
    ] {
        let Some(server) = RtspServer::start(way) else { return };
        read(open(&server.address("admin:s3cret-phrase@", "/live")).unwrap().as_mut(), 3);
        let wrong = refusal(&server.address("admin:wr0ng-phrase@", "/live"));
        assert_eq!(wrong, SourceError::Auth);
        assert_eq!(refusal(&server.address("", "/live")), SourceError::Auth);
        let path = refusal(&server.address("admin:s3cret-phrase@", "/nothing"));
        assert!(matches!(path, SourceError::NoSuchStream(_)), "{path:?}");
        for error in [wrong, path] {
            let text = format!("{error} {error:?}");
            assert!(!text.contains("phrase") && !text.contains("admin"), "{text}");
        }
    }
}

#[test]
fn a_path_that_is_not_there_is_said() {
    let Some(server) = RtspServer::start(&[]) else { return };
    let error = refusal(&server.address("", "/nothing"));
    let SourceError::NoSuchStream(text) = &error else { panic!("{error:?}") };
    assert!(text.contains("/nothing") && text.contains("404"), "{text}");
}

#[test]
fn a_camera_that_dies_is_noticed_and_opens_again_when_it_is_back() {
    let Some(server) = RtspServer::start(&[]) else { return };
    let address = server.address("", "/live");
    let mut source = open(&address).unwrap();
    read(source.as_mut(), 5);
    let port = server.kill().to_string();
    let error = failure(source.as_mut());
    assert!(matches!(error, SourceError::Broken(_) | SourceError::Stalled(_)), "{error:?}");
    drop(source);
    let down = refusal(&address);
    assert!(matches!(&down, SourceError::Unreachable(text) if text.contains("refuses")), "{down:?}");

    let _server = RtspServer::start(&["--port", &port]).unwrap();
    read(open(&address).unwrap().as_mut(), 5);
}

#[test]
fn a_probe_tells_what_is_there() {
    let Some(server) = RtspServer::start(&["--size", "160x120"]) else { return };
    let (probe, _) = probe_source(&camera(&server.address("", "/live")), &SystemOpener::default()).unwrap();
    assert_eq!(probe.info.size, (160, 120));
    assert_eq!(probe.codec.as_deref(), Some("h264"));
}

#[test]
fn a_frozen_server_is_given_up_after_the_open_timeout() {
    for scheme in ["rtsp", "http"] {
        let port = serve(Answer::Frozen);
        let error = refusal(&format!("{scheme}://127.0.0.1:{port}/live"));
        assert!(
            matches!(&error, SourceError::Unreachable(text) if text.contains("does not answer")),
            "{scheme}: {error:?}"
        );
    }
}

#[test]
fn a_port_nobody_listens_on_and_a_host_nobody_knows_are_unreachable() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    for scheme in ["rtsp", "http", "rtsps", "https"] {
        let error = refusal(&format!("{scheme}://127.0.0.1:{port}/live"));
        assert!(matches!(&error, SourceError::Unreachable(text) if text.contains("refuses")), "{error:?}");
    }
    let error = refusal("rtsp://no-such-camera.invalid/live");
    assert!(matches!(&error, SourceError::Unreachable(text) if text.contains("not known")), "{error:?}");
}

#[test]
fn what_speaks_another_language_is_not_waited_for() {
    let port = serve(Answer::Noise);
    let error = refusal(&format!("rtsp://127.0.0.1:{port}/live"));
    assert!(matches!(&error, SourceError::NoVideo(text) if text.contains("rtsp")), "{error:?}");
}

#[test]
fn mjpeg_over_http_gives_live_frames_until_the_camera_hangs_up() {
    let port = serve(Answer::Mjpeg(40, (96, 64)));
    let mut source = open(&format!("http://127.0.0.1:{port}/video.mjpg")).unwrap();
    assert!(source.info().live);
    assert_eq!(source.info().size, (96, 64));
    read(source.as_mut(), 20);
    let error = failure(source.as_mut());
    assert!(matches!(error, SourceError::Broken(_)), "{error:?}");
}

#[test]
fn http_answers_are_told_apart() {
    let answer = |answer| refusal(&format!("http://127.0.0.1:{}/video.mjpg", serve(answer)));
    assert!(matches!(answer(Answer::Status("404 Not Found")), SourceError::NoSuchStream(_)));
    assert_eq!(answer(Answer::Status("403 Forbidden")), SourceError::Auth);
    let busy = answer(Answer::Status("503 Service Unavailable"));
    assert!(matches!(&busy, SourceError::Unreachable(text) if text.contains("503")), "{busy:?}");
    let page = answer(Answer::Page);
    assert!(matches!(page, SourceError::NoVideo(_)), "{page:?}");
}

#[test]
fn http_passwords_open_and_are_refused() {
    let port = serve(Answer::Locked("admin:p@ss"));
    let at = |user: &str| format!("http://{user}127.0.0.1:{port}/video.mjpg");
    read(open(&at("admin:p%40ss@")).unwrap().as_mut(), 5);
    assert_eq!(refusal(&at("admin:wrong@")), SourceError::Auth);
    assert_eq!(refusal(&at("")), SourceError::Auth);
}

#[test]
fn hls_plays_to_the_end_of_its_list() {
    let folder = tempfile::tempdir().unwrap();
    clips::write_clip(&folder.path().join("part.ts"), "mpg2", 25.0, (64, 48), 50);
    let list = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
                #EXTINF:2.0,\npart.ts\n#EXT-X-ENDLIST\n";
    std::fs::write(folder.path().join("list.m3u8"), list).unwrap();
    let port = serve(Answer::Files(folder.path().to_owned()));
    let video =
        SourceConfig { kind: SourceKind::Video, ..camera(&format!("http://127.0.0.1:{port}/list.m3u8")) };
    let mut source = SystemOpener::default().open(&video, &Interrupt::default()).unwrap();
    let mut frames = 0;
    while source.grab().unwrap() {
        frames += 1;
    }
    assert!((48..=50).contains(&frames), "{frames}");
    let over = refusal(&format!("http://127.0.0.1:{port}/list.m3u8"));
    assert!(over.to_string().contains("has an end"), "a camera is not counted again and again: {over}");
    let missing = refusal(&format!("http://127.0.0.1:{port}/other.m3u8"));
    assert!(matches!(missing, SourceError::NoSuchStream(_)), "{missing:?}");
}

#[test]
fn a_camera_that_falls_silent_is_stalled() {
    let port = serve(Answer::MjpegThenSilence(30));
    let mut source = open(&format!("http://127.0.0.1:{port}/video.mjpg")).unwrap();
    let error = failure(source.as_mut());
    assert_eq!(error, SourceError::Stalled(Duration::from_secs(2)));
}
