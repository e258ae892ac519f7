//! The dashboard on a whole fleet: sources with their nodes, and the nodes.

use std::{sync::Arc, time::Duration};

use pcount::{
    internals::tui::{listing::Grouping, screen_id::ScreenId},
    model::{Epoch, Holder, NodeSnapshot, NodeState, SourceSnapshot},
};

use super::{
    fake,
    stage::{Stage, text},
};

fn held(mut source: SourceSnapshot, node: &str, site: Option<&str>, age: Option<u64>) -> SourceSnapshot {
    let epoch = Some(Epoch { revision: 4, delivery: 1 });
    let age = age.map(Duration::from_secs);
    source.holder = Some(Arc::new(Holder { node: node.into(), site: site.map(Into::into), epoch, age }));
    source
}

fn node(name: &str, site: Option<&str>, state: NodeState) -> NodeSnapshot {
    NodeSnapshot {
        name: name.into(),
        site: site.map(Into::into),
        state,
        age: Duration::from_secs(if matches!(state, NodeState::Silent | NodeState::Left) { 47 } else { 0 }),
        version: "0.1.0".into(),
        detector: "rtmdet_nano_person (onnxruntime 1.32)".into(),
        cores: 8,
        cpu: 5.2,
        rss: 812_345_678,
        room: if state == NodeState::Runs { 3 } else { 0 },
        sources: 0,
        leased: 0,
        is_throttled: false,
        problems: Vec::new(),
    }
}

/// Three nodes that answer, one of them drained, one that does not answer, and one that has left.
fn stage(is_read_only: bool) -> Stage {
    let places = [
        ("hall-1", Some("north"), None),
        ("hall-1", Some("north"), None),
        ("hall-2", Some("north"), Some(47)),
        ("hall-2", Some("north"), Some(47)),
        ("hall-10", None, None),
        ("yard", Some("south"), None),
        ("hall-10", None, None),
        ("yard", Some("south"), None),
    ];
    let sources = fake::mixed().into_iter().zip(places);
    let sources: Vec<_> = sources.map(|(source, (node, site, age))| held(source, node, site, age)).collect();
    let mut stage = if is_read_only { Stage::read_only(sources) } else { Stage::new(sources) };
    stage.session.ui.context.keymap.is_attached = true;
    let mut nodes = vec![
        node("hall-1", Some("north"), NodeState::Runs),
        node("hall-10", None, NodeState::Runs),
        node("hall-2", Some("north"), NodeState::Silent),
        node("old", None, NodeState::Left),
        node("yard", Some("south"), NodeState::Draining),
    ];
    for node in &mut nodes {
        let own = |source: &&Arc<SourceSnapshot>| {
            source.holder.as_ref().is_some_and(|holder| holder.node == node.name)
        };
        let count = stage.engine.snapshot.lock().sources.iter().filter(own).count();
        (node.sources, node.leased) = (count, count);
    }
    nodes[1].is_throttled = true;
    nodes[1].problems = vec!["it cannot count gate: 'GATE_LOGIN' is not set; set this variable".into()];
    stage.engine.change(|snapshot| {
        snapshot.problems =
            vec!["node 'hall-2' has not answered for 47s; its 2 sources are shown as of then".into()];
        snapshot.nodes = Arc::new(nodes);
    });
    stage.tick();
    stage
}

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 40), (200, 50)];

#[test]
fn sources_stand_with_their_nodes_and_sites() {
    for (name, keys) in [("overview", ""), ("by_node", "o"), ("by_site", "oo"), ("source", "jj<enter>")] {
        for (width, height) in SIZES {
            let mut stage = stage(false);
            stage.keys(keys);
            stage.pass(Duration::from_secs(7));
            // The chart is read in the background.
            while stage.text(200, 50).contains("reading what was counted") {
                std::thread::yield_now();
                stage.tick();
            }
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), stage.picture(width, height));
        }
    }
}

#[test]
fn nodes_stand_with_their_load_their_room_and_when_they_were_seen() {
    for (name, keys) in [("nodes", "N"), ("nodes_silent", "Njj"), ("nodes_refused", "Nj")] {
        for (width, height) in SIZES {
            let mut stage = stage(false);
            stage.keys(keys);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), stage.picture(width, height));
        }
    }
}

fn rows(stage: &Stage) -> Vec<String> {
    let context = &stage.session.ui.context;
    context.listing.visible(context.shown()).map(|source| source.id.to_string()).collect()
}

#[test]
fn a_filter_by_node_means_the_whole_name_where_there_is_one_and_a_part_of_it_otherwise() {
    let mut stage = stage(false);
    for (filter, expected) in [
        ("node:hall-1", vec!["camera_01", "camera_02"]),
        ("node:HALL-1", vec!["camera_01", "camera_02"]),
        ("!node:hall", vec!["video_01", "camera_06"]),
        ("site:south", vec!["video_01", "camera_06"]),
        ("site:north node:hall-2", vec!["camera_03", "camera_04"]),
        ("node:nobody", vec![]),
        ("node:hall-10 入口", vec!["camera_05"]),
        ("site:north !entrance", vec!["camera_02", "camera_03", "camera_04"]),
    ] {
        stage.keys(&format!("/{}<enter>", filter.replace('<', "")));
        let mut found = rows(&stage);
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{filter}");
        stage.keys("<esc>");
    }
}

#[test]
fn the_key_that_groups_goes_on_to_nodes_and_sites_in_a_fleet_alone() {
    let grouped = |stage: &Stage| stage.session.ui.context.arrangement().grouped;
    let mut fleet = stage(false);
    let mut seen = vec![grouped(&fleet)];
    for _ in 0..4 {
        fleet.keys("o");
        seen.push(grouped(&fleet));
    }
    let expected = [Grouping::Location, Grouping::Node, Grouping::Site, Grouping::None, Grouping::Location];
    assert_eq!(seen, expected);
    let mut one = Stage::new(fake::mixed());
    one.keys("o");
    assert_eq!(grouped(&one), Grouping::None);
    one.keys("o");
    assert_eq!(grouped(&one), Grouping::Location);
}

#[test]
fn enter_on_a_node_shows_its_sources_and_escape_shows_all() {
    let mut stage = stage(false);
    stage.keys("<enter>Njj<enter>");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    assert_eq!(rows(&stage).len(), 2);
    assert!(stage.text(80, 24).contains("2 of 8 shown (/node:hall-2)"), "{}", stage.text(80, 24));
    stage.keys("<esc>");
    assert_eq!(rows(&stage).len(), 8);
    stage.keys("Nj<enter>");
    assert_eq!(stage.said(), "node 'old' has no sources");
}

#[test]
fn rows_of_a_node_that_does_not_answer_say_how_old_they_are() {
    let mut stage = stage(true);
    for (width, height) in SIZES {
        let shown = text(&stage.buffer(width, height));
        assert!(shown.contains("Seen 47s ago") && shown.contains("'hall-2' has not answered"), "{shown}");
    }
}

#[test]
fn without_a_fleet_nothing_speaks_of_nodes() {
    let mut stage = Stage::new(fake::mixed());
    for (width, height) in SIZES {
        let shown = stage.text(width, height);
        assert!(!shown.contains("Node") && !shown.contains("Site") && !shown.contains("nodes"), "{shown}");
    }
    stage.keys("N");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    assert!(stage.said().starts_with("there are no nodes"), "{}", stage.said());
    stage.keys("ssssssssss");
    assert_eq!(stage.said(), "sorted by state", "nine orders, and round again");
    let mut fleet = self::stage(false);
    fleet.keys("sssssssss");
    assert_eq!(fleet.said(), "sorted by node");
    fleet.keys("ooo");
    let context = &fleet.session.ui.context;
    let nodes: Vec<_> = context
        .listing
        .visible(context.shown())
        .map(|source| source.holder.clone().unwrap().node.clone())
        .collect();
    assert!(nodes.is_sorted(), "{nodes:?}");
}

#[test]
fn keys_that_act_on_a_source_say_on_the_nodes_that_none_is_chosen() {
    let mut stage = stage(false);
    stage.keys("Np");
    assert!(stage.said().contains("these are nodes"), "{}", stage.said());
    assert!(stage.engine.take_sent().is_empty());
}
