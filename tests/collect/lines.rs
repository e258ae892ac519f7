//! Lines that are drawn on the dashboard of a fleet.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, sync::Arc};

use pcount::{
    config::ServerUrl,
    engine::{Control, EngineApi as _},
    geometry::Anchor,
    internals::{
        fleet::{FleetServer, Remote, Server},
        host::{ConfigPlace, Host as _},
    },
    model::{Drawn, LineConfig},
};
use rustix::process::Signal;
use serde_json::Value;

use crate::{
    books::{collected, compare, has_sent_all, of_node, one},
    machines::{Nats, Node, cameras},
    service::until,
};

/// A dashboard on all nodes.
fn attach(nats: &Nats) -> Arc<Remote> {
    let server = Server { url: ServerUrl::parse(&nats.url()).unwrap(), credentials: None, ca: None };
    Arc::new(Remote::attach(FleetServer::connect(server, true).unwrap().all()).unwrap())
}

#[test]
fn lines_drawn_on_a_dashboard_stand_in_the_fleet_and_the_next_node_counts_at_them() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = Nats::start(dir.path()) else { return };
    nats.apply(&cameras(&["gate"]));
    let mut nodes = ["one", "two"].map(|name| Node::start(dir.path(), &nats, name, 1));
    let outputs = ["one", "two"].map(|name| dir.path().join(name).join("out"));
    let (_, first) = nats.all_counted(1, &[])["gate"].clone();
    until("crossings of the old line", || {
        outputs.iter().any(|output| !of_node(output).is_empty()).then_some(())
    });

    let (mine, other) = (attach(&nats), attach(&nats));
    until("where lines are saved", || (mine.config_place() == ConfigPlace::Fleet).then_some(()));
    until("the same for the other", || (other.config_place() == ConfigPlace::Fleet).then_some(()));
    let before = until("what is drawn", || mine.source_config("gate")).drawn();
    let line = |name: &str, y: f32| {
        let line = LineConfig { name: name.into(), a: [0.0, y], b: [1.0, y], anchor: Anchor::Foot };
        Drawn { lines: vec![line], ..Drawn::default() }
    };
    let drawn = line("gateway", 0.45);
    mine.send(Control::set_drawn("gate".into(), drawn.clone()));
    let said = mine.save_lines(&"gate".into(), &drawn, Some(&before)).unwrap();
    assert!(said.contains("saved in the sources of the fleet; node '"), "{said}");
    // A user who has seen the old line only is told.
    let said = other.save_lines(&"gate".into(), &line("mine", 0.6), Some(&before)).unwrap_err();
    assert!(said.contains("somebody else has changed the lines of 'gate'"), "{said}");

    assert!(nats.told(&["apply", "fleet.json", "--dry-run"]).contains("change: gate (lines)"));
    assert!(nats.told(&["export", "now.json"]).contains("1 source as the fleet has them now"));
    assert!(nats.told(&["apply", "now.json", "--dry-run"]).contains("nothing changes"));
    let now: Value = serde_json::from_slice(&fs::read(dir.path().join("now.json")).unwrap()).unwrap();
    assert_eq!(now["cameras"][0]["lines"][0]["name"], "gateway");
    assert!(nats.refused(&["export", "now.json"]).contains("now.json"), "a file that is there stays");

    let (holder, second) = nats.all_counted(1, &[])["gate"].clone();
    assert!(second[0] > first[0], "{first:?} {second:?}");
    let killed = nodes.iter().position(|node| node.name == holder).unwrap();
    until("crossings of the new line", || counts_at(&outputs[killed], "gateway").then_some(()));
    nodes[killed].service.child.kill().unwrap();
    nodes[killed].service.child.wait().unwrap();
    // What is drawn while no node has the source is not refused for that.
    let said = mine.save_lines(&"gate".into(), &line("doorway", 0.5), Some(&drawn)).unwrap();
    assert!(said.contains("saved in the sources of the fleet"), "{said}");
    let (heir, _) = nats.all_counted(1, &[&holder])["gate"].clone();
    assert_ne!(heir, holder);
    until("crossings of the new line elsewhere", || counts_at(&outputs[1 - killed], "doorway").then_some(()));

    // What the killed node had not sent comes with its next start.
    nodes[killed] = Node::start(dir.path(), &nats, &holder, 1);
    until("what was left", || has_sent_all(&outputs[killed]).then_some(()));
    for mut node in nodes {
        node.service.signal(Signal::TERM);
        assert_eq!(node.service.child.wait().unwrap().code(), Some(143), "{}", node.said());
    }
    assert!(outputs.iter().all(|output| has_sent_all(output)));
    let central = dir.path().join("central");
    collected(&central, &nats.url(), &[]);
    assert!(compare(&outputs, &central.join("out")) >= 3);
    let without = one(
        &central.join("out"),
        "SELECT (SELECT MIN(began_ms) FROM leases WHERE revision = 2) - MAX(ended_ms) FROM leases WHERE revision = 1",
    );
    println!(
        "from the end of the lease with the old line to the begin of that with the new one: {without} ms"
    );
}

/// Whether a node has counted somebody at this line.
fn counts_at(output: &std::path::Path, line: &str) -> bool {
    of_node(output).keys().any(|(_, _, _, at, _, _)| at == line)
}
