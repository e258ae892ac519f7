//! A dashboard on 500 sources: ten nodes that answer as nodes do, and count nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use pcount::{
    config::{ServerUrl, Theme as ThemeChoice},
    engine::EngineApi as _,
    internals::{
        fleet::{FleetServer, NodeRecord, Remote, Server},
        tui::{
            format::Moment,
            keymap::{Key, Keymap},
            session::Session,
            symbols::UNICODE,
            theme::{Palette, Theme},
            widgets::Look,
        },
    },
    model::{self, EngineSnapshot, SourceSnapshot, SourceState, Strategy},
};
use ratatui::{buffer::Buffer, layout::Rect};

use crate::machines::Nats;

const NODES: usize = 10;
const EACH: usize = 50;

fn record(node: usize) -> NodeRecord {
    let sources = (0..EACH).map(|number| {
        serde_json::json!({
            "id": format!("cam-{:03}", node * EACH + number),
            "epoch": { "revision": node * EACH + number + 1, "delivery": 1 },
            "since": 0, "is_counted": true,
        })
    });
    serde_json::from_value(serde_json::json!({
        "node": format!("hall-{node}"), "instance": format!("{node}"), "host": "host", "pid": 1, "version": "0.1.0",
        "detector": "motion", "cores": 8, "room": 3, "site": if node < 5 { "north" } else { "south" },
        "is_draining": false, "sources": sources.collect::<Vec<_>>(),
    }))
    .unwrap()
}

fn engine(node: usize, tick: u64) -> EngineSnapshot {
    let source = |number: usize| {
        let number = node * EACH + number;
        let mut source = SourceSnapshot::new(format!("cam-{number:03}"));
        source.alias = format!("Entrance {number}");
        source.location = Some(format!("Building {}", number % 25));
        source.source = format!("rtsp://10.0.{node}.{number}/stream1");
        source.state = SourceState::Running;
        source.fps = 25.0 + (number as u64 + tick) as f32 % 3.0;
        source.total_in = number as u64 + tick;
        source.total_out = number as u64 / 2;
        source.last_frame = Some(model::Moment::new(Duration::from_secs(100 + tick)));
        Arc::new(source)
    };
    EngineSnapshot {
        sources: (0..EACH).map(source).collect(),
        workers: Vec::new(),
        worker_count: 8,
        max_workers: 8,
        queue_pending: 0,
        queue: Vec::new(),
        strategy: Strategy::Shared,
        detector: "motion".into(),
        problems: Vec::new(),
        notices: Vec::new(),
        acknowledged: Arc::default(),
        areas: Arc::default(),
        nodes: Arc::default(),
        events: Arc::default(),
        events_lost: 0,
        log_lines_lost: 0,
        cpu: 4.0,
        rss: 500_000_000,
        memory_limit: None,
        taken: model::Moment::new(Duration::from_secs(100 + tick)),
        generation: tick,
    }
}

/// Answers what is asked of all nodes, from each of them, until the test ends.
async fn answer(url: String) {
    let client = async_nats::connect(url).await.unwrap();
    let mut asked = client.subscribe("pcount.nodes.read").await.unwrap();
    let mut tick = 0;
    while let Some(message) = asked.next().await {
        tick += 1;
        for node in 0..NODES {
            let mut headers = async_nats::HeaderMap::new();
            headers.insert("Pcount-Status", "200");
            headers.insert("Pcount-Part", "1/1");
            headers.insert("Pcount-Instance", node.to_string());
            let mut body = serde_json::to_vec(&record(node)).unwrap();
            body.push(b'\n');
            body.extend(serde_json::to_vec(&engine(node, tick)).unwrap());
            let reply = message.reply.clone().unwrap();
            client.publish_with_headers(reply, headers, body.into()).await.unwrap();
        }
    }
}

fn now() -> Moment {
    Moment { mono: Instant::now(), wall: jiff::Zoned::now() }
}

#[test]
fn five_hundred_sources_of_ten_nodes_are_filtered_grouped_and_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let url = nats.url();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(answer(url));
    });
    let server = Server { url: ServerUrl::parse(&nats.url()).unwrap(), credentials: None, ca: None };
    let remote = Arc::new(Remote::attach(FleetServer::connect(server, true).unwrap().all()).unwrap());
    crate::service::until("all sources", || (remote.snapshot().sources.len() == 500).then_some(()));
    let keymap = Keymap::new(&BTreeMap::new()).0;
    let mut session = Session::new(remote.clone(), remote.clone(), keymap, &[], false, now());
    let look = Look { theme: Theme::new(Palette::Ansi256, ThemeChoice::Dark), symbols: UNICODE };
    let area = Rect::new(0, 0, 200, 50);
    let mut press = |name: &str| {
        let begun = Instant::now();
        session.key(Key::parse(name).unwrap());
        let mut buffer = Buffer::empty(area);
        session.ui.draw_in(area, &mut buffer, &look);
        let took = begun.elapsed();
        let shown = session.ui.context.listing.visible(session.ui.context.shown()).count();
        (took, shown)
    };
    let mut took = Vec::new();
    let mut typed = |text: &str| {
        let mut shown = 0;
        for c in text.chars() {
            let (time, rows) = press(&if c == ' ' { "space".to_owned() } else { c.to_string() });
            took.push(time);
            shown = rows;
        }
        let (time, _) = press("enter");
        took.push(time);
        shown
    };
    assert_eq!(typed("/node:hall-1"), 50);
    assert_eq!(typed("/"), 50, "the filter stands in the field");
    let mut keys = |keys: &[&str]| keys.iter().map(|key| press(key)).collect::<Vec<_>>();
    let mut rest = keys(&["esc"]);
    assert_eq!(rest[0].1, 500);
    for _ in 0..20 {
        rest.extend(keys(&["o", "o", "o", "o", "s", "S", "j", "G", "k", "g", "5", "pgdn", "space", "c"]));
    }
    rest.extend(keys(&["N", "j", "j", "enter"]));
    assert_eq!(rest.last().unwrap().1, 50);
    took.sort();
    println!("typed into the filter: {} keys, most {:?}", took.len(), took.last().unwrap());
    let mut all: Vec<Duration> = rest.into_iter().map(|(time, _)| time).chain(took).collect();
    all.sort();
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
    println!(
        "500 sources, {} keys, from a key to its redraw: median {:?}, p99 {:?}, most {:?}",
        all.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// Prints what the dashboard costs, with `--ignored --nocapture`.
#[test]
#[ignore = "measures for half a minute"]
fn what_an_attached_dashboard_costs_while_nobody_presses_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    let url = nats.url();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(answer(url));
    });
    let server = Server { url: ServerUrl::parse(&nats.url()).unwrap(), credentials: None, ca: None };
    let remote = Arc::new(Remote::attach(FleetServer::connect(server, true).unwrap().all()).unwrap());
    let keymap = Keymap::new(&BTreeMap::new()).0;
    let mut session = Session::new(remote.clone(), remote.clone(), keymap, &[], false, now());
    let begun = Instant::now();
    let mut screens = Duration::ZERO;
    while begun.elapsed() < Duration::from_secs(20) {
        let step = Instant::now();
        session.refresh(now());
        screens += step.elapsed();
        std::thread::sleep(Duration::from_millis(250));
    }
    println!("refreshing the screens: {:.1} % of a core", screens.as_secs_f64() / 0.2);
}
