use super::*;
use crate::{geometry::BBox, model::Direction};

const PEOPLE_ABOVE: f32 = 0.35;
const PEOPLE_BELOW: f32 = 0.65;

fn counter() -> LineCounter {
    let line = LineConfig { name: "L".into(), a: [0.0, 0.5], b: [0.8, 0.5], anchor: Anchor::Center };
    LineCounter::new(&[line], &[], 1.5, CountParams::default())
}

/// A person of height 0.2 whose center is at `x`, `y`.
fn track(id: u64, x: f32, y: f32) -> Track {
    let bbox = BBox::new(x - 0.04, y - 0.1, 0.08, 0.2);
    Track { id, bbox, score: 0.8, confirmed: true, seen: true, from_flow: false }
}

/// Feeds (time, live tracks, ended tracks); gives what was told, in short.
fn told(steps: &[(f64, Vec<Track>, Vec<Track>)]) -> Vec<(u64, Direction, Option<Reason>)> {
    let mut counter = counter();
    let mut told = Vec::new();
    for (time, tracks, ended) in steps {
        let update = TrackUpdate { tracks: tracks.clone(), ended: ended.clone(), ..TrackUpdate::default() };
        told.extend(counter.update(*time, &update).into_iter().map(|event| match event {
            CountEvent::Crossing(crossing) => (crossing.track, crossing.direction, None),
            CountEvent::Suppressed(crossing, reason) => (crossing.track, crossing.direction, Some(reason)),
        }));
    }
    told
}

fn gone(track: Track) -> Track {
    Track { seen: false, ..track }
}

#[test]
fn a_new_id_takes_over_the_side_of_a_lost_one() {
    let lost = track(1, 0.5, 0.47);
    let steps = [
        (0.0, vec![track(1, 0.5, PEOPLE_ABOVE)], vec![]),
        (0.4, vec![lost], vec![]),
        (0.6, vec![track(2, 0.5, 0.53)], vec![gone(lost)]),
        (1.0, vec![track(2, 0.5, PEOPLE_BELOW)], vec![]),
    ];
    assert_eq!(told(&steps), [(2, Direction::In, None)]);
}

#[test]
fn where_low_confidence_boxes_showed_a_new_person_is_the_side_they_come_from() {
    let crossings = |origins: Vec<Origin>| {
        let (mut counter, mut events) = (counter(), Vec::new());
        for step in 0..10 {
            let track = track(1, 0.5, 0.49 - 0.02 * step as f32);
            let origins = if step == 0 { origins.clone() } else { Vec::new() };
            let update = TrackUpdate { tracks: vec![track], origins, ..TrackUpdate::default() };
            events.extend(counter.update(f64::from(step) * 0.2, &update));
        }
        events
    };
    assert_eq!(crossings(vec![]), [], "they were never seen below the line");
    let below = Origin { track: 1, time: -0.6, bbox: track(1, 0.5, 0.6).bbox };
    match crossings(vec![below])[..] {
        [CountEvent::Crossing(Crossing { direction: Direction::Out, time, .. })] => {
            assert!((-0.6..0.0).contains(&time), "{time}");
        }
        ref others => panic!("{others:?}"),
    }
    let somebody_else = Origin { track: 2, ..below };
    assert_eq!(crossings(vec![somebody_else]), []);
}

#[test]
fn a_tentative_track_takes_nothing_from_the_person_lost_there() {
    let lost = track(1, 0.5, 0.54);
    let false_one = Track { confirmed: false, ..track(2, 0.5, 0.6) };
    let mut steps = vec![
        (0.0, vec![track(1, 0.5, PEOPLE_ABOVE)], vec![]),
        (0.4, vec![lost], vec![]),
        (0.6, vec![gone(lost), false_one], vec![]),
    ];
    let all_at_once = (0.8, vec![], vec![gone(lost), gone(false_one)]);
    let one_by_one = [
        (1.4, vec![gone(lost)], vec![gone(false_one)]),
        (2.4, vec![gone(lost)], vec![]),
        (3.4, vec![], vec![gone(lost)]),
    ];
    for ends in [&[all_at_once][..], &one_by_one] {
        assert_eq!(told(&[&steps[..], ends].concat()), [(1, Direction::In, None)]);
    }
    // Nor does it add to what they do when they come back.
    steps.push((0.8, vec![track(1, 0.5, 0.55), gone(false_one)], vec![]));
    assert_eq!(told(&steps), [(1, Direction::In, None)]);
    steps.push((1.6, vec![track(1, 0.5, PEOPLE_BELOW)], vec![gone(false_one)]));
    steps.push((2.4, vec![track(1, 0.5, PEOPLE_BELOW)], vec![]));
    let counted = told(&steps).into_iter().filter(|(_, _, reason)| reason.is_none()).count();
    assert_eq!(counted, 1);
}

#[test]
fn who_came_back_and_left_before_the_box_that_stood_there_counts_once() {
    let (lost, back) = (track(1, 0.5, 0.54), track(1, 0.5, 0.55));
    let false_one = Track { confirmed: false, ..track(2, 0.5, 0.6) };
    let steps = [
        (0.0, vec![track(1, 0.5, PEOPLE_ABOVE)], vec![]),
        (0.4, vec![lost], vec![]),
        (0.6, vec![gone(lost), false_one], vec![]),
        (0.8, vec![back, false_one], vec![]),
        (2.0, vec![false_one], vec![gone(back)]),
        (4.0, vec![], vec![gone(false_one)]),
    ];
    let unconfirmed = (2, Direction::In, Some(Reason::Unconfirmed));
    assert_eq!(told(&steps), [(1, Direction::In, None), unconfirmed]);
}

#[test]
fn a_stranger_far_off_or_much_later_takes_over_nothing() {
    let lost = track(1, 0.5, 0.4);
    for (time, x) in [(0.6, 0.9), (3.0, 0.5)] {
        let steps = [
            (0.0, vec![track(1, 0.5, PEOPLE_ABOVE)], vec![]),
            (0.4, vec![lost], vec![]),
            (time, vec![track(2, x, 0.6)], vec![gone(lost)]),
            (time + 0.4, vec![track(2, x, PEOPLE_BELOW)], vec![]),
        ];
        assert_eq!(told(&steps), []);
    }
}

#[test]
fn a_crossing_waits_for_belief() {
    let doubtful = |y| Track { confirmed: false, ..track(1, 0.5, y) };
    let mut steps =
        vec![(0.0, vec![doubtful(PEOPLE_ABOVE)], vec![]), (0.1, vec![doubtful(PEOPLE_BELOW)], vec![])];
    assert_eq!(told(&steps), []);
    let mut believed = steps.clone();
    believed.push((0.2, vec![track(1, 0.5, 0.68)], vec![]));
    assert_eq!(told(&believed), [(1, Direction::In, None)]);
    steps.push((2.0, vec![], vec![gone(doubtful(PEOPLE_BELOW))]));
    assert_eq!(told(&steps), [(1, Direction::In, Some(Reason::Unconfirmed))]);
}

#[test]
fn what_does_not_count_is_told_with_its_reason() {
    // Over the line by less than the band and back.
    let flicker = [(0.0, 0.4), (0.5, 0.51), (1.0, 0.4)];
    // Clearly over, back before it was settled.
    let u_turn = [(0.0, 0.4), (0.5, 0.54), (0.6, 0.4)];
    for (path, reason) in [(flicker, Reason::Flicker), (u_turn, Reason::UTurn)] {
        let steps = path.map(|(time, y)| (time, vec![track(1, 0.5, y)], vec![]));
        assert_eq!(told(&steps), [(1, Direction::In, Some(reason))]);
    }
    // The line ends at 0.8 of the width, which is 1.2 frame heights.
    let beside = [(0.0, 0.4), (1.0, 0.65)].map(|(time, y)| (time, vec![track(1, 1.4, y)], vec![]));
    assert_eq!(told(&beside), [(1, Direction::In, Some(Reason::OffSegment))]);
}

#[test]
fn one_box_beyond_the_line_settles_nothing_however_long_it_is_carried() {
    let seen = |time, y| (time, vec![track(1, 0.5, y)], vec![]);
    let from_flow = |time, y| (time, vec![Track { from_flow: true, ..track(1, 0.5, y) }], vec![]);
    let mut steps = vec![seen(0.0, 0.4), seen(0.5, 0.54), from_flow(0.75, 0.55), from_flow(1.0, 0.56)];
    assert_eq!(told(&steps), []);
    steps.push(seen(1.2, 0.4));
    assert_eq!(told(&steps), [(1, Direction::In, Some(Reason::UTurn))]);
    steps[4] = seen(1.2, 0.54);
    assert_eq!(told(&steps), [(1, Direction::In, None)]);
    // Nor does following alone lead over it, but who is gone after it has crossed.
    let mut steps = vec![seen(0.0, 0.4), from_flow(0.25, 0.5), from_flow(0.5, 0.62)];
    assert_eq!(told(&steps), []);
    steps.push((3.0, vec![], vec![gone(track(1, 0.5, 0.62))]));
    assert_eq!(told(&steps), [(1, Direction::In, None)]);
}

/// Events of one person, who is at these x at these times at the edge of a frame 1.5 wide, with an upright line at
/// `line`; negative ones are where they should be, unseen. They are gone in the end.
fn told_at_edge(line: f32, path: &[(f64, f32)]) -> Vec<CountEvent> {
    let x = line / 1.5;
    let line = LineConfig { name: "L".into(), a: [x, 0.0], b: [x, 1.0], anchor: Anchor::Center };
    let mut counter = LineCounter::new(&[line], &[], 1.5, CountParams::default());
    let mut last = (0.0, track(1, path[0].1, 0.5));
    let mut events = counter.update(0.0, &TrackUpdate::default());
    for &(time, x) in path {
        last = (time, Track { seen: x > 0.0, ..track(1, x.abs(), 0.5) });
        events.extend(counter.update(time, &TrackUpdate { tracks: vec![last.1], ..TrackUpdate::default() }));
    }
    let ended = TrackUpdate { ended: vec![gone(last.1)], ..TrackUpdate::default() };
    events.extend(counter.update(last.0 + 1.0, &ended));
    events
}

fn directions(events: &[CountEvent]) -> Vec<Direction> {
    let counted = |event: &CountEvent| match event {
        CountEvent::Crossing(crossing) => Some(crossing.direction),
        CountEvent::Suppressed(..) => None,
    };
    events.iter().filter_map(counted).collect()
}

#[test]
fn a_person_lost_before_a_line_on_the_way_out_of_the_frame_crossed_it() {
    let seen = [(4.0, 1.2), (4.2, 1.3), (4.4, 1.4)];
    let then = |unseen: &[(f64, f32)]| [&seen[..], unseen].concat();
    let out = told_at_edge(1.44, &then(&[(4.6, -1.46), (4.8, -1.54), (5.0, -1.62)]));
    assert_eq!(directions(&out), [Direction::Out]);
    let CountEvent::Crossing(crossing) = &out[0] else { unreachable!() };
    assert!((4.4..4.8).contains(&crossing.time) && (crossing.at.x - 1.44).abs() < 1e-3, "{crossing:?}");
    let stays = then(&[(4.6, -1.42), (4.8, -1.46), (5.0, -1.49)]);
    assert_eq!(directions(&told_at_edge(1.44, &stays)), [], "should still be in the picture");
    let late = then(&[(4.6, -1.46), (5.5, -1.54)]);
    assert_eq!(directions(&told_at_edge(1.44, &late)), [], "guessed for too long");
    let back = then(&[(4.6, -1.46), (4.8, -1.54), (5.0, 1.38), (5.2, 1.3)]);
    assert_eq!(directions(&told_at_edge(1.44, &back)), [], "did not leave");
}

#[test]
fn a_guess_of_how_somebody_went_along_the_edge_crosses_no_line_that_ends_there() {
    let line = LineConfig { name: "L".into(), a: [0.0, 0.5], b: [1.0, 0.5], anchor: Anchor::Center };
    let mut counter = LineCounter::new(&[line], &[], 1.5, CountParams::default());
    let mut events = Vec::new();
    for (time, x, y, seen) in
        [(4.0, 1.2, 0.55, true), (4.3, 1.4, 0.55, true), (4.5, 1.48, 0.51, false), (4.7, 1.54, 0.48, false)]
    {
        let tracks = vec![Track { seen, ..track(1, x, y) }];
        events.extend(counter.update(time, &TrackUpdate { tracks, ..TrackUpdate::default() }));
    }
    let ended = TrackUpdate { ended: vec![gone(track(1, 1.54, 0.48))], ..TrackUpdate::default() };
    events.extend(counter.update(6.0, &ended));
    assert_eq!(directions(&events), []);
}

#[test]
fn a_person_first_seen_behind_a_line_on_the_way_into_the_frame_crossed_it() {
    let way_in = [(4.0, 1.44), (4.2, 1.4), (4.4, 1.3)];
    let told = told_at_edge(1.48, &way_in);
    assert_eq!(directions(&told), [Direction::In]);
    assert_eq!(directions(&told_at_edge(1.48, &[(4.0, 1.44), (4.4, 1.43), (6.0, 1.3)])), [], "stood there");
    assert_eq!(directions(&told_at_edge(1.48, &way_in.map(|(t, x)| (t - 3.5, x)))), [], "there at first");
    assert_eq!(directions(&told_at_edge(1.48, &way_in.map(|(t, x)| (t, x - 0.1)))), [], "no edge");
    // Seen on both sides: once.
    let both = [(4.0, 1.46), (4.2, 1.42), (4.4, 1.36), (4.6, 1.3)];
    assert_eq!(directions(&told_at_edge(1.41, &both)), [Direction::In]);
}

#[test]
fn a_zone_keeps_a_person_who_is_occluded_for_a_moment() {
    let zone = ZoneConfig {
        name: "till".into(),
        points: vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
        anchor: Anchor::Foot,
        threshold: None,
    };
    let mut counter = LineCounter::new(&[], &[zone], 1.5, CountParams::default());
    for (time, tracks) in [
        (0.0, vec![track(1, 0.5, 0.4)]),
        (1.0, vec![gone(track(1, 0.5, 0.4))]),
        (2.0, vec![track(1, 0.5, 0.4)]),
    ] {
        counter.update(time, &TrackUpdate { tracks, ..TrackUpdate::default() });
        assert_eq!(counter.zones(), [ZoneStatus { occupancy: 1, stays: 0, mean_dwell: 0.0 }]);
    }
    counter.update(5.0, &TrackUpdate { ended: vec![gone(track(1, 0.5, 0.4))], ..TrackUpdate::default() });
    assert_eq!(counter.zones(), [ZoneStatus { occupancy: 0, stays: 1, mean_dwell: 2.0 }]);
}

#[test]
fn a_track_that_ends_beyond_the_line_counts_unless_somebody_else_stands_there() {
    let last = track(1, 0.5, 0.52);
    let path = [(0.0, vec![track(1, 0.5, PEOPLE_ABOVE)], vec![]), (0.4, vec![last], vec![])];
    let mut alone = path.to_vec();
    alone.push((2.0, vec![], vec![gone(last)]));
    assert_eq!(told(&alone), [(1, Direction::In, None)]);
    let other = |y| track(2, 0.51, y);
    let doubled = [
        (0.0, vec![track(1, 0.5, PEOPLE_ABOVE), other(PEOPLE_ABOVE)], vec![]),
        (0.4, vec![last, other(0.52)], vec![]),
        (2.0, vec![other(0.54)], vec![gone(last)]),
        (2.4, vec![other(0.54)], vec![]),
    ];
    let told = told(&doubled);
    assert!(told.contains(&(1, Direction::In, Some(Reason::Duplicate))), "{told:?}");
    assert!(told.contains(&(2, Direction::In, None)), "{told:?}");
}
