use super::*;
use crate::ledger::{FILE_NAME, open};

const CROSSINGS: &[WebhookEvent] = &[WebhookEvent::Crossing];

fn ledger(dir: &Path) -> Connection {
    open::open(&dir.join(FILE_NAME)).unwrap()
}

fn session(ledger: &Connection) {
    ledger.execute_batch("INSERT INTO sessions VALUES (NULL, 0, 0, NULL, '', '')").unwrap();
}

fn cross(ledger: &Connection, session: i64, source: &str, sequences: std::ops::RangeInclusive<i64>) {
    for seq in sequences {
        let row = params![session, source, seq, 2_000_000_000_000 + seq];
        ledger
            .execute("INSERT INTO crossings VALUES (?1, ?2, ?3, 'door', 1, ?4, 0, 0.5, 7, 0.9)", row)
            .unwrap();
    }
}

fn places(found: &[Undelivered]) -> Vec<(&str, Position)> {
    found.iter().map(|event| (&*event.subject, event.at)).collect()
}

#[test]
fn a_new_webhook_begins_with_the_present_session_and_keeps_its_salt() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    session(&ledger);
    cross(&ledger, 1, "gate", 1..=3);
    session(&ledger);
    cross(&ledger, 2, "gate", 1..=2);
    let mut book = WebhookBook::open(&dir.path().join(FILE_NAME)).unwrap();
    let salt = book.register("till", true).unwrap();
    let (found, first) = book.next("till", CROSSINGS, &BTreeSet::new(), 0, (9, 9)).unwrap();
    assert_eq!((places(&found), first), (vec![("source/gate", (2, 1)), ("source/gate", (2, 2))], 2));
    book.delivered("till", &found[1..2]).unwrap();
    session(&ledger);
    assert_eq!(book.register("till", true).unwrap(), salt);
    assert_ne!(book.register("other", true).unwrap(), salt);
    let (found, first) = book.next("till", CROSSINGS, &BTreeSet::new(), 0, (9, 9)).unwrap();
    assert_eq!((found, first), (vec![], 3));
}

#[test]
fn a_subject_is_read_in_order_over_sessions_and_one_that_is_held_holds_up_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    session(&ledger);
    let mut book = WebhookBook::open(&dir.path().join(FILE_NAME)).unwrap();
    book.register("till", true).unwrap();
    cross(&ledger, 1, "a", 1..=2);
    cross(&ledger, 1, "b", 3..=4);
    session(&ledger);
    cross(&ledger, 2, "a", 1..=1);
    let next = |book: &WebhookBook, held: &[&str]| {
        let held = held.iter().map(|held| (*held).to_owned()).collect();
        book.next("till", CROSSINGS, &held, 0, (1, 9)).unwrap().0
    };
    assert_eq!(places(&next(&book, &[])), [("source/a", (1, 1)), ("source/b", (1, 3))]);
    assert_eq!(places(&next(&book, &["source/a"])), [("source/b", (1, 3))]);
    assert_eq!(book.count("till", CROSSINGS, 0).unwrap(), 5);
    for _ in 0..2 {
        let told = next(&book, &["source/b"]);
        book.delivered("till", &told[..1]).unwrap();
    }
    assert_eq!(places(&next(&book, &["source/b"])), [("source/a", (2, 1))]);
    assert_eq!(book.count("till", CROSSINGS, 0).unwrap(), 3);
}

#[test]
fn however_much_waits_no_more_is_held_than_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    session(&ledger);
    let change = ledger.transaction().unwrap();
    cross(&change, 1, "a", 1..=10_000);
    cross(&change, 1, "b", 10_001..=10_100);
    change.commit().unwrap();
    let book = WebhookBook::open(&dir.path().join(FILE_NAME)).unwrap();
    book.register("till", true).unwrap();
    let (found, _) = book.next("till", CROSSINGS, &BTreeSet::new(), 0, (16, 64)).unwrap();
    assert_eq!(found.len(), 32);
    assert_eq!(book.count("till", CROSSINGS, 0).unwrap(), 10_100);
}

#[test]
fn what_is_removed_before_it_was_delivered_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    session(&ledger);
    cross(&ledger, 1, "a", 1..=5);
    let mut book = WebhookBook::open(&dir.path().join(FILE_NAME)).unwrap();
    book.register("till", true).unwrap();
    book.register("no_crossings", false).unwrap();
    let (found, _) = book.next("till", CROSSINGS, &BTreeSet::new(), 0, (2, 9)).unwrap();
    book.delivered("till", &found[1..2]).unwrap();
    ledger.execute("DELETE FROM crossings WHERE seq <= 4", []).unwrap();
    assert_eq!((book.skipped("till").unwrap(), book.skipped("no_crossings").unwrap()), (2, 0));
}

#[test]
fn all_kinds_of_events_come_in_one_order_and_only_those_that_are_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    session(&ledger);
    cross(&ledger, 1, "a", 1..=1);
    ledger
        .execute_batch(
            "INSERT INTO resets VALUES (1, 'a', 2, 5);
             INSERT INTO webhook_events VALUES (1, 'a', 3, 5, 'state', '{}'), (1, 'a', 4, 5, 'threshold', '{}');
             INSERT INTO corrections VALUES (1, 5, 5, 'hall', 9, 0, 0, 0, 'person', 'anna');",
        )
        .unwrap();
    let book = WebhookBook::open(&dir.path().join(FILE_NAME)).unwrap();
    book.register("till", true).unwrap();
    let all: Vec<WebhookEvent> = WebhookEvent::NAMES.iter().map(|(_, event)| *event).collect();
    let (found, _) = book.next("till", &all, &BTreeSet::new(), 0, (9, 9)).unwrap();
    let of = |subject: &str| -> Vec<i64> {
        found.iter().filter(|event| event.subject == subject).map(|event| event.at.1).collect()
    };
    assert_eq!((of("source/a"), of("area/hall")), (vec![1, 2, 3, 4], vec![5]));
    let (found, _) = book.next("till", &[WebhookEvent::State], &BTreeSet::new(), 0, (9, 9)).unwrap();
    assert_eq!(found[0].what, UndeliveredKind::Noted("state".into(), "{}".into()));
    assert_eq!(found.len(), 1);
}

#[test]
fn what_is_kept_for_webhooks_alone_goes_when_it_is_old_and_each_that_wants_it_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    session(&ledger);
    let mut book = WebhookBook::open(&dir.path().join(FILE_NAME)).unwrap();
    for name in ["till", "door", "crossings"] {
        book.register(name, true).unwrap();
    }
    ledger
        .execute_batch(
            "INSERT INTO webhook_events VALUES (1, 'a', 1, 10, 'state', '{}'), (1, 'a', 2, 20, 'threshold', '{}'),
                (1, 'a', 3, 30, 'state', '{}'), (1, 'b', 4, 10, 'state', '{}'), (1, 'a', 5, 90, 'state', '{}');",
        )
        .unwrap();
    let wanted = [
        ("till".to_owned(), vec![WebhookEvent::State, WebhookEvent::Threshold]),
        ("door".to_owned(), vec![WebhookEvent::State]),
        ("crossings".to_owned(), vec![WebhookEvent::Crossing]),
    ];
    let left = || -> Vec<i64> {
        let mut query = ledger.prepare("SELECT seq FROM webhook_events ORDER BY seq").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(book.tidy(&wanted, 50).unwrap(), 0, "nobody was told");
    let told = |sequence| Undelivered {
        subject: "source/a".into(),
        at: (1, sequence),
        wall: 0,
        what: UndeliveredKind::Reset,
    };
    book.delivered("till", &[told(5)]).unwrap();
    book.delivered("door", &[told(1)]).unwrap();
    assert_eq!(book.tidy(&wanted, 50).unwrap(), 2);
    assert_eq!(left(), [3, 4, 5], "the door was not told of 3, nobody of 4, and 5 is new");
    book.delivered("door", &[told(5)]).unwrap();
    assert_eq!(book.tidy(&wanted, 50).unwrap(), 1);
    assert_eq!(book.tidy(&wanted[2..], i64::MAX).unwrap(), 2, "nobody wants them");
    assert_eq!(left(), [0_i64; 0]);
}
