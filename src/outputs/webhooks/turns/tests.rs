use super::*;
use crate::ledger::webhooks::UndeliveredKind;

fn events(subject: &str, sequences: std::ops::RangeInclusive<i64>) -> Vec<Undelivered> {
    let event = |sequence| Undelivered {
        subject: subject.into(),
        at: (1, sequence),
        wall: 0,
        what: UndeliveredKind::Reset,
    };
    sequences.map(event).collect()
}

/// `a 1`: whose it is, and which.
fn place(event: Option<Undelivered>) -> String {
    event.map_or_else(|| "none".into(), |event| format!("{} {}", event.subject, event.at.1))
}

#[test]
fn sources_take_turns_and_each_sends_one_event_at_a_time_in_order() {
    let (now, mut turns) = (Instant::now(), Turns::default());
    turns.add([events("a", 1..=2), events("b", 5..=6)].concat());
    assert_eq!(place(turns.next(now)), "a 1");
    assert_eq!(place(turns.next(now)), "b 5");
    assert_eq!(turns.next(now), None, "both are under way");
    turns.accepted("b");
    assert_eq!(place(turns.next(now)), "b 6");
    turns.accepted("a");
    turns.accepted("b");
    assert_eq!(place(turns.next(now)), "a 2");
    turns.accepted("a");
    assert!(turns.is_empty());
}

#[test]
fn a_lost_message_holds_up_its_own_source_and_nothing_passes_it() {
    let (now, mut turns) = (Instant::now(), Turns::default());
    turns.add([events("a", 1..=2), events("b", 1..=3)].concat());
    turns.next(now);
    assert_eq!(turns.lost("a", now, 0), None, "it may be one connection");
    assert!(!turns.is_outage());
    for sequence in 1..=3 {
        assert_eq!(place(turns.next(now)), format!("b {sequence}"));
        turns.accepted("b");
    }
    assert!(turns.taken(now).contains("a") && turns.is_empty());
    let later = now + AT_ONCE;
    assert!(!turns.is_due(now) && turns.is_due(later), "it is read from the ledger again");
    turns.add(events("a", 1..=2));
    assert_eq!(place(turns.next(later)), "a 1");
    turns.accepted("a");
    assert!(!turns.is_due(later) && turns.taken(later).contains("a"));
}

#[test]
fn a_message_that_is_lost_again_and_again_is_said_while_others_are_accepted() {
    let (now, mut turns) = (Instant::now(), Turns::default());
    let mut said = None;
    for _ in 0..3 {
        said = turns.lost("a", now, 0);
        turns.accepted("b");
    }
    assert_eq!(said, Some(now + Duration::from_secs(2)));
    assert!(turns.is_outage() && !turns.is_left_alone(now));
    turns.accepted("a");
    assert!(!turns.is_outage());
}

#[test]
fn a_server_that_is_down_is_asked_by_one_message_at_a_time_until_it_accepts_one() {
    let (now, mut turns) = (Instant::now(), Turns::default());
    let all = || ["a", "b", "c", "d"].map(|subject| events(subject, 1..=2)).concat();
    turns.add(all());
    let under_way: Vec<_> = std::iter::from_fn(|| turns.next(now)).collect();
    assert_eq!(under_way.len(), 4);
    let said: Vec<_> = under_way.iter().map(|event| turns.lost(&event.subject, now, 0)).collect();
    let first = now + Duration::from_secs(1);
    assert_eq!(said, [None, None, Some(first), Some(first)], "together they are one failure of the server");
    turns.add(all());
    assert_eq!(turns.next(now), None);
    assert!(turns.is_left_alone(now) && !turns.is_left_alone(first));
    let trial = turns.next(first).unwrap();
    assert_eq!(turns.next(first), None, "one is enough to ask");
    assert_eq!(turns.lost(&trial.subject, first, 0), Some(first + Duration::from_secs(2)));
    let second = first + Duration::from_secs(2);
    let trial = turns.next(second).unwrap();
    turns.accepted(&trial.subject);
    assert!(!turns.is_outage());
    assert_eq!(
        std::iter::from_fn(|| turns.next(second)).count(),
        3,
        "none waits longer, and the first was put back"
    );
}

#[test]
fn a_refused_event_is_an_outage_of_its_source_alone_also_after_the_server_was_down() {
    let (now, mut turns) = (Instant::now(), Turns::default());
    let next = turns.refused("a", now, Some(Duration::from_secs(70)), 0);
    assert_eq!(next, now + Duration::from_secs(70));
    assert!(turns.is_outage() && !turns.is_left_alone(now));
    let next = turns.turned_away("b", now, Some(Duration::from_secs(5)), 0);
    assert_eq!(next, now + Duration::from_secs(5));
    assert!(turns.is_left_alone(now));
    turns.accepted("b");
    assert!(turns.is_outage() && !turns.is_left_alone(now));
    assert!(turns.taken(now).contains("a"));
}
