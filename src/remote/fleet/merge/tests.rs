use super::*;
use crate::fleet::HeldSource;

fn at(seconds: u64) -> Moment {
    Moment::new(Duration::from_secs(100_000 + seconds))
}

fn record(name: &str, held: &[(&str, u64)]) -> NodeRecord {
    let held = held.iter().map(|(id, delivery)| HeldSource {
        id: (*id).into(),
        epoch: Epoch { revision: 1, delivery: *delivery },
        since: 0,
        held_for: None,
        is_counted: true,
        state: String::new(),
    });
    NodeRecord {
        node: name.into(),
        instance: format!("{name}-1"),
        host: "host".into(),
        pid: 1,
        version: "1.0".into(),
        detector: "motion".into(),
        cores: 4,
        room: 2,
        site: Some("north".into()),
        is_draining: false,
        has_left: false,
        sources: held.collect(),
        problems: Vec::new(),
        overload: None,
        handed_over: None,
        trouble: None,
    }
}

fn engine(ids: &[(&str, u64)]) -> EngineSnapshot {
    let source = |(id, total_in): &(&str, u64)| {
        let mut source = SourceSnapshot::new(*id);
        (source.total_in, source.state) = (*total_in, SourceState::Running);
        source.last_frame = Some(Moment::new(Duration::from_secs(8)));
        Arc::new(source)
    };
    EngineSnapshot {
        sources: ids.iter().map(source).collect(),
        taken: Moment::new(Duration::from_secs(10)),
        ..crate::headless::text::tests::snapshot()
    }
}

fn ids(snapshot: &EngineSnapshot) -> Vec<&str> {
    snapshot.sources.iter().map(|source| &*source.id).collect()
}

#[test]
fn a_source_on_two_nodes_is_shown_once_as_the_later_lease_has_it() {
    for order in [["a", "b"], ["b", "a"]] {
        let mut merge = Merge::default();
        for name in order {
            let delivery = if name == "a" { 7 } else { 6 };
            merge.take(record(name, &[("gate", delivery)]), engine(&[("gate", delivery)]), at(0));
        }
        let shown = merge.snapshot(at(0));
        assert_eq!(ids(&shown), ["gate"]);
        assert_eq!(shown.sources[0].total_in, 7);
        assert_eq!(&*merge.route("gate").unwrap().node, "a");
    }
}

#[test]
fn sources_of_the_same_id_in_the_files_of_two_nodes_are_two_and_each_is_reached() {
    let mut merge = Merge::default();
    merge.take(record("a", &[]), engine(&[("gate", 1), ("yard", 2)]), at(0));
    merge.take(record("b", &[]), engine(&[("gate", 3)]), at(0));
    let shown = merge.snapshot(at(0));
    assert_eq!(ids(&shown), ["gate@a", "gate@b", "yard"]);
    let route = merge.route("gate@b").unwrap();
    assert_eq!((&*route.node, &*route.id, route.is_leased), ("b", "gate", false));
    assert_eq!(&*merge.shown_as("a", &"gate".into()), "gate@a");
    assert_eq!(&*merge.shown_as("a", &"yard".into()), "yard");
}

#[test]
fn a_node_that_is_gone_keeps_its_rows_with_their_age_until_another_has_the_source() {
    let mut merge = Merge::default();
    merge.take(record("a", &[("gate", 1), ("yard", 1)]), engine(&[("gate", 1), ("yard", 5)]), at(0));
    merge.take(record("b", &[]), engine(&[]), at(0));
    assert_eq!(merge.snapshot(at(1)).sources[0].silent_for(), None);
    merge.take(record("b", &[("gate", 2)]), engine(&[("gate", 2)]), at(9));
    let shown = merge.snapshot(at(10));
    assert_eq!(ids(&shown), ["gate", "yard"]);
    let ages: Vec<_> = shown.sources.iter().map(|source| source.silent_for()).collect();
    assert_eq!(ages, [None, Some(Duration::from_secs(10))]);
    assert_eq!(shown.nodes[0].state, NodeState::Silent);
    assert!(shown.problems[0].contains("'a'") && shown.problems[0].contains("1 source is"), "{shown:?}");
    assert!(!merge.route("yard").unwrap().is_there);
    // Back again, it has what the other took no more.
    merge.take(record("a", &[("yard", 1)]), engine(&[("yard", 6)]), at(11));
    merge.take(record("b", &[("gate", 2)]), engine(&[("gate", 2)]), at(11));
    assert!(merge.snapshot(at(11)).sources.iter().all(|source| source.silent_for().is_none()));
}

#[test]
fn a_source_that_is_handed_over_keeps_its_row_between_two_nodes_and_one_that_was_removed_goes() {
    let mut merge = Merge::default();
    merge.take(record("a", &[("gate", 1)]), engine(&[("gate", 4)]), at(0));
    merge.snapshot(at(0));
    merge.take(record("a", &[]), engine(&[]), at(2));
    let shown = merge.snapshot(at(2));
    assert_eq!(ids(&shown), ["gate"]);
    assert_eq!(shown.sources[0].silent_for(), Some(Duration::from_secs(2)));
    merge.take(record("a", &[]), engine(&[]), at(20));
    assert!(merge.snapshot(at(20)).sources.is_empty());
}

#[test]
fn a_dead_node_keeps_no_row_of_a_source_that_was_removed_from_the_fleet_meanwhile() {
    let mut merge = Merge::default();
    merge.take(
        record("a", &[("gate", 1), ("yard", 1)]),
        engine(&[("gate", 4), ("yard", 2), ("own", 1)]),
        at(0),
    );
    merge.snapshot(at(0));
    assert!(!merge.may_hold_removed(at(1)), "a node that answers says what it has");
    // What the fleet had before a node was heard last says nothing of what it was given since.
    merge.stand(std::iter::empty(), Moment::new(Duration::from_secs(99_999)));
    let shown = merge.snapshot(at(20));
    assert_eq!(ids(&shown), ["gate", "own", "yard"]);
    assert!(merge.may_hold_removed(at(20)));
    merge.stand(["yard".to_owned()].into_iter(), at(20));
    let shown = merge.snapshot(at(21));
    assert_eq!(ids(&shown), ["own", "yard"], "a source of its file is no source of the fleet");
    assert_eq!(shown.nodes[0].sources, 2);
    assert!(merge.route("gate").is_none());
}

#[test]
fn ages_are_those_of_the_node_whatever_its_clock_shows() {
    let mut merge = Merge::default();
    merge.take(record("a", &[]), engine(&[("gate", 1)]), at(0));
    let shown = merge.snapshot(at(1));
    assert_eq!(shown.taken - shown.sources[0].last_frame.unwrap(), Duration::from_secs(3));
}

#[test]
fn events_of_all_nodes_stand_in_the_order_of_time_and_each_comes_once() {
    let event = |number: u64, source: &str, seconds: u64| {
        let wall = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut event = Event::new(wall, source, crate::model::EventKind::Reset);
        event.number = number;
        Arc::new(event)
    };
    let mut merge = Merge::default();
    let with = |ids: &[(&str, u64)], events| EngineSnapshot { events: Arc::new(events), ..engine(ids) };
    let first = vec![event(1, "gate", 5), event(2, "gate", 9)];
    merge.take(record("a", &[]), with(&[("gate", 1)], first.clone()), at(0));
    merge.take(record("b", &[]), with(&[("yard", 1)], vec![event(1, "yard", 7)]), at(0));
    let told = |shown: &EngineSnapshot| -> Vec<(u64, String)> {
        shown.events.iter().map(|event| (event.number, event.source.to_string())).collect()
    };
    let expected = [(1, "gate".to_owned()), (2, "yard".to_owned()), (3, "gate".to_owned())];
    assert_eq!(told(&merge.snapshot(at(0))), expected);
    merge.take(record("a", &[]), with(&[("gate", 1)], first), at(1));
    assert_eq!(told(&merge.snapshot(at(1))), expected);
    let mut again = record("a", &[]);
    again.instance = "a-2".into();
    merge.take(again, with(&[("gate", 1)], vec![event(1, "gate", 12)]), at(2));
    assert_eq!(merge.snapshot(at(2)).events.len(), 4, "numbers begin again with another process");
}
