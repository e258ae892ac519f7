//! Cameras behind a bad network: packets lost, carried slowly, or not at all. The pictures that come are taken,
//! and what does not come ends in time, under its name.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/http_server.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod http_server;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/rtsp.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod rtsp;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use http_server::{Answer, serve};
use pcount::{
    config::SourceConfig,
    internals::source::{FrameSource, Interrupt, Opener as _, SourceError, SystemOpener},
};
use proxy::{Trouble, proxy};
use rtsp::RtspServer;

fn open(address: &str) -> Result<Box<dyn FrameSource>, SourceError> {
    SystemOpener::default().open(
        &SourceConfig {
            open_timeout: Duration::from_secs(6),
            stall_timeout: Duration::from_secs(2),
            ..SourceConfig::from_source_string(address, &BTreeSet::new()).unwrap()
        },
        &Interrupt::default(),
    )
}

/// Takes `count` pictures, whole or not; each must be sound as a picture.
fn take(source: &mut dyn FrameSource, count: usize) {
    let mut last = -1.0;
    for _ in 0..count {
        assert!(source.grab().unwrap());
        let frame = source.retrieve(&|width, height| (width, height)).unwrap();
        assert_eq!(frame.stream_size, (320, 240));
        assert!(frame.time >= last, "time ran backwards");
        last = frame.time;
    }
}

#[test]
fn lost_packets_cost_pictures_and_no_more() {
    for (transport, permille) in [("tcp", 30), ("udp", 30), ("udp", 200)] {
        let Some(server) = RtspServer::start(&["--transport", transport]) else { return };
        let (port, packets) = proxy(server.port, Trouble::Loss(permille));
        let mut source = open(&format!("rtsp://127.0.0.1:{port}/live")).unwrap();
        take(source.as_mut(), 150);
        let (carried, lost) = (packets.carried.load(Ordering::SeqCst), packets.lost.load(Ordering::SeqCst));
        println!("{transport}: {lost} of {} packets lost, 150 pictures taken", carried + lost);
        assert!(lost > 0, "{transport}: {carried} packets and none lost");
    }
}

#[test]
fn a_network_too_slow_for_the_stream_delays_and_does_not_kill() {
    let Some(server) = RtspServer::start(&["--transport", "tcp"]) else { return };
    let (port, _) = proxy(server.port, Trouble::Slow(20_000));
    let mut source = open(&format!("rtsp://127.0.0.1:{port}/live")).unwrap();
    let mut pictures = 0;
    let error = loop {
        match source.grab() {
            Ok(more) => assert!(more),
            Err(error) => break Some(error),
        }
        pictures += 1;
        if pictures == 40 {
            break None;
        }
    };
    println!("{pictures} pictures, then {error:?}");
    // What comes too late is waited for as long as for a stream that stands still, and not taken for anything else.
    assert!(pictures > 0, "{error:?}");
    assert!(matches!(error, None | Some(SourceError::Stalled(_))), "{error:?}");
}

#[test]
fn a_server_that_answers_everything_and_sends_nothing_is_given_up_in_time() {
    let Some(server) = RtspServer::start(&["--transport", "tcp"]) else { return };
    let (port, packets) = proxy(server.port, Trouble::HeadersOnly);
    let error =
        open(&format!("rtsp://127.0.0.1:{port}/live")).and_then(|mut source| source.grab()).err().unwrap();
    assert!(
        !matches!(error, SourceError::Unsupported(_)) && !matches!(error, SourceError::Auth),
        "{error:?}"
    );
    assert!(packets.lost.load(Ordering::SeqCst) > 0);
    println!("RTSP: {error}");

    let port = serve(Answer::MjpegThenSilence(0));
    let error = open(&format!("http://127.0.0.1:{port}/video.mjpg"))
        .and_then(|mut source| source.grab())
        .err()
        .unwrap();
    assert!(!matches!(error, SourceError::Unsupported(_)), "{error:?}");
    println!("HTTP: {error}");
}

#[test]
fn a_stream_that_freezes_is_stalled_over_either_transport() {
    for transport in ["tcp", "udp"] {
        let Some(server) = RtspServer::start(&["--transport", transport]) else { return };
        let (port, packets) = proxy(server.port, Trouble::StopAfter(150));
        let mut source = open(&format!("rtsp://127.0.0.1:{port}/live")).unwrap();
        let error = (0..1000).find_map(|_| source.grab().err());
        println!("{transport}: {error:?} after {} packets", packets.carried.load(Ordering::SeqCst));
        assert_eq!(error, Some(SourceError::Stalled(Duration::from_secs(2))), "{transport}");
    }
}

#[test]
fn a_stream_that_changes_its_size_is_followed() {
    for sizes in [[(96, 64), (320, 240)], [(320, 240), (96, 64)]] {
        let answer = Answer::Resized(Arc::default(), 60, sizes);
        let mut source = open(&format!("http://127.0.0.1:{}/video.mjpg", serve(answer))).unwrap();
        let wanted = (sizes[1].0 as u32, sizes[1].1 as u32);
        // Sixty pictures, some seconds of doubt, and the first of the new ones.
        let seen = (0..600).find(|_| {
            assert!(source.grab().unwrap());
            source.retrieve(&|width, height| (width, height)).unwrap().stream_size == wanted
        });
        println!("{sizes:?}: after {seen:?} pictures");
        assert!(seen.is_some(), "{sizes:?}");
    }
}
