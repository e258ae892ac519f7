//! The table of all states and events, for both kinds.

use std::time::Duration;

use super::*;

/// One letter for each state that matters to `next`.
fn states(now: Instant) -> [(char, Lifecycle); 13] {
    let later = now + Duration::from_secs(5);
    [
        ('n', Lifecycle::New),
        ('d', Lifecycle::Disabled),
        ('w', Lifecycle::Waiting),
        ('b', Lifecycle::Starting),
        ('c', Lifecycle::Reading(Reading::Connecting)),
        ('r', Lifecycle::Reading(Reading::Running)),
        ('p', Lifecycle::Reading(Reading::Paused)),
        ('s', Lifecycle::Stalled),
        ('t', Lifecycle::Suspended { until: later, failed: false }),
        ('m', Lifecycle::Evicted),
        ('o', Lifecycle::Over(End::Completed)),
        ('g', Lifecycle::Gone),
        ('x', Lifecycle::Closed(Some(5))),
    ]
}

fn letter(state: Option<Lifecycle>, now: Instant) -> char {
    match state {
        None => '.',
        Some(Lifecycle::Suspended { failed: true, .. }) => 'f',
        Some(Lifecycle::Over(_)) => 'o',
        Some(Lifecycle::Closed(None)) => 'y',
        Some(state) => states(now).iter().find(|(_, known)| *known == state).unwrap().0,
    }
}

#[test]
fn every_event_leads_from_every_state_to_where_the_table_says() {
    let now = Instant::now();
    let later = now + Duration::from_secs(5);
    // Columns: New, Disabled, Waiting, Starting (b), Connecting, Running, Paused, Stalled, suspended for want of a
    // Thread, evicted (m), Over, Gone, closed until then (x); results besides: suspended by its own fault (f), closed without
    // an opening in sight (y), no change (.).
    let table = [
        //                                                            camera          file
        (Event::Start, "b............", "w............"),
        (Event::SlotGranted, "..b..........", "..b.........."),
        (Event::Said(Reading::Paused), "...ppppp.....", "...ppppp....."),
        (Event::Frame, ".......r.....", ".......r....."),
        (Event::Silent, ".....s.......", ".....s......."),
        (Event::Ended(End::Completed), "...ooooo.....", "...ooooo....."),
        (Event::ThreadRefused(later), "...t.........", "...t........."),
        (Event::Failed(Some(later)), "...fffff.....", "...fffff....."),
        (Event::Failed(None), "...ooooo.....", "...ooooo....."),
        (Event::Time(now), ".............", "............."),
        (Event::Time(later), "........b....", "........b...."),
        (Event::Evicted, "...mmmmm.....", "...ooooo....."),
        (Event::Readmitted, ".........b...", ".........b..."),
        (Event::Restart, "bb......bbb..", "ww.bbbbbbww.."),
        (Event::Closed(Some(5)), "x..xxxxxxx...", "............."),
        (Event::Closed(None), "y..yyyyyyy..y", "............."),
        (Event::Opened, "............b", "............b"),
        (Event::Removed, "ggggggggggg.g", "ggggggggggg.g"),
    ];
    for (event, camera, file) in table {
        for (kind, expected) in [(SourceKind::Camera, camera), (SourceKind::Video, file)] {
            let found: String =
                states(now).iter().map(|(_, state)| letter(state.next(event, kind), now)).collect();
            assert_eq!(found, expected, "{event:?} of a {kind:?}");
        }
    }
}

#[test]
fn a_slot_is_held_from_the_grant_to_the_end_and_never_by_a_camera() {
    let now = Instant::now();
    let holds = |kind| -> String {
        states(now).iter().filter(|(_, state)| state.holds_slot(kind)).map(|(letter, _)| *letter).collect()
    };
    assert_eq!(holds(SourceKind::Video), "bcrpst");
    assert_eq!(holds(SourceKind::Camera), "");
}

#[test]
fn what_is_shown_is_over_exactly_when_the_source_is() {
    let now = Instant::now();
    for (_, state) in states(now) {
        if let Some(shown) = state.shown(Start::new(now)) {
            assert_eq!(shown.is_over(), state.is_over(), "{state:?}");
        }
    }
}
