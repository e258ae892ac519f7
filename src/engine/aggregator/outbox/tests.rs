use std::time::SystemTime;

use super::*;
use crate::model::{Direction, FrameInfo, Reason, ResultStatus, StateKind};

fn event(kind: EventKind) -> Event {
    Event::new(SystemTime::UNIX_EPOCH, "camera", kind)
}

fn crossing(track: u64) -> Event {
    let line = "door".into();
    event(EventKind::Crossing { line, direction: Direction::In, track, time: 0.0, confidence: 1.0 })
}

fn suppressed() -> Event {
    let (line, reason) = ("door".into(), Reason::Flicker);
    event(EventKind::Suppressed { line, direction: Direction::In, track: 1, reason, time: 0.0 })
}

fn state(state: StateKind) -> Event {
    event(EventKind::State { state, error: None })
}

fn result(total_in: u64, error: &str) -> TaskResult {
    TaskResult {
        worker_id: "worker_01".into(),
        task_id: "task_01".into(),
        camera_id: "camera".into(),
        timestamp: String::new(),
        fps: 25.0,
        total_in,
        total_out: 0,
        current_count: 0,
        frame_info: FrameInfo { frame_count: 0, total_detections: 0 },
        errors: vec![error.into()],
        status: ResultStatus::Error,
    }
}

/// All that waits, in short.
fn taken(outbox: &Outbox) -> Vec<String> {
    std::iter::from_fn(|| match outbox.take(Duration::ZERO) {
        Taken::Nothing => None,
        Taken::OutboxItem(OutboxItem::Result(result)) => {
            Some(format!("{} {:?}", result.total_in, result.errors))
        }
        Taken::OutboxItem(OutboxItem::Forget(_)) => Some("forget".into()),
        Taken::OutboxItem(OutboxItem::Sync(_)) => Some("sync".into()),
        Taken::OutboxItem(OutboxItem::Areas(areas)) => Some(format!("{} areas", areas.len())),
        Taken::OutboxItem(OutboxItem::SetArea { area, .. }) => Some(format!("area {area}")),
        Taken::OutboxItem(OutboxItem::Event(event)) => Some(match event.kind {
            EventKind::Crossing { track, .. } => format!("crossing {track}"),
            EventKind::State { state, .. } => state.word().into(),
            kind => format!("{kind:?}"),
        }),
    })
    .collect()
}

#[test]
fn beyond_its_room_it_takes_what_is_counted_and_the_latest_of_the_rest_and_counts_what_is_lost() {
    let outbox = Outbox::with_room(2);
    outbox.event(state(StateKind::Connecting));
    assert!(!outbox.is_full() && outbox.problem().is_none());
    outbox.event(crossing(1));
    assert!(outbox.is_full() && outbox.problem().is_some());
    for report in [StateKind::Running, StateKind::Stalled] {
        outbox.event(state(report));
    }
    outbox.event(crossing(2));
    outbox.event(suppressed());
    outbox.result(result(1, "first"));
    outbox.result(result(2, "second"));
    outbox.event(event(EventKind::Reset));
    assert_eq!(outbox.lost(), 3, "a state, a suppressed crossing and a result");
    let expected =
        ["Connecting", "crossing 1", "crossing 2", "Reset", "Stalled", "2 [\"first\", \"second\"]"];
    assert_eq!(taken(&outbox), expected);
    assert!(!outbox.is_full());
    outbox.event(state(StateKind::Running));
    assert_eq!(taken(&outbox), ["Running"]);
}

#[test]
fn what_is_forgotten_or_waited_for_comes_after_all_that_was_reported() {
    let outbox = Outbox::with_room(1);
    outbox.event(crossing(1));
    outbox.result(result(1, ""));
    outbox.forget(&"camera".into());
    assert_eq!(taken(&outbox), ["crossing 1", "1 [\"\"]", "forget"]);
    assert_eq!(outbox.lost(), 0);
}

#[test]
fn however_much_comes_what_waits_has_a_bound() {
    let outbox = Outbox::with_room(10);
    for number in 0..1000 {
        outbox.event(state(StateKind::Stalled));
        outbox.event(suppressed());
        outbox.result(result(number, "no frames"));
    }
    let backlog = outbox.backlog.lock();
    assert_eq!(backlog.reports.len() + backlog.latest.len(), 12);
    assert_eq!(backlog.lost, 3000 - 12);
    let errors = |report: &OutboxItem| match report {
        OutboxItem::Result(result) => result.errors.len(),
        _ => 0,
    };
    assert_eq!(backlog.latest.values().map(errors).sum::<usize>(), ERRORS);
}

#[test]
fn without_a_handler_nothing_is_held_up_and_what_was_counted_is_lost_by_number() {
    let outbox = Outbox::with_room(1);
    outbox.event(crossing(1));
    outbox.close();
    outbox.event(crossing(2));
    outbox.event(state(StateKind::Running));
    assert!(!outbox.is_full() && outbox.problem().is_some());
    assert_eq!(outbox.lost(), 2);
}

#[test]
fn the_numbers_of_events_leave_out_those_that_were_lost() {
    let outbox = Outbox::with_room(2);
    let numbers = |outbox: &Outbox| -> Vec<u64> {
        std::iter::from_fn(|| match outbox.take(Duration::ZERO) {
            Taken::OutboxItem(OutboxItem::Event(event)) => Some(event.number),
            Taken::OutboxItem(_) => panic!("something waits"),
            Taken::Nothing => None,
        })
        .collect()
    };
    (1..=3).for_each(|track| outbox.event(crossing(track)));
    outbox.event(suppressed());
    assert_eq!(numbers(&outbox), [2, 3, 4], "one was lost before these could be passed on");
    outbox.event(state(StateKind::Running));
    assert_eq!(numbers(&outbox), [5]);
}
