use crate::{
    clock::ManualClock,
    ledger::{FILE_NAME, Reader, reader::Span},
    model::LineCounts,
};

use super::*;

const EVER: Span = Span { from: i64::MIN, to: i64::MAX };

struct Collected {
    dir: tempfile::TempDir,
    clock: ManualClock,
    ledger: CollectedLedger,
}

impl Collected {
    fn new() -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::default());
        let ledger = CollectedLedger::open(&dir.path().join(FILE_NAME), &clock).unwrap();
        Self { dir, clock, ledger }
    }

    fn again(self) -> Self {
        let Self { dir, clock, ledger } = self;
        drop(ledger);
        let ledger = CollectedLedger::open(&dir.path().join(FILE_NAME), &clock).unwrap();
        Self { dir, clock, ledger }
    }

    fn store(&mut self, messages: &[Message]) -> Stored {
        self.ledger.store(messages, self.clock.wall()).unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.dir.path().join(FILE_NAME)).unwrap()
    }

    fn walls(&self) -> Vec<i64> {
        self.reader().crossings("gate", EVER).unwrap().iter().map(|found| found.wall).collect()
    }

    fn total(&self) -> (u64, u64) {
        let totals = self.reader().totals().unwrap();
        let lines: Vec<&LineCounts> = totals.iter().flat_map(|(_, lines)| lines).collect();
        (lines.iter().map(|line| line.total_in).sum(), lines.iter().map(|line| line.total_out).sum())
    }

    fn one(&self, query: &str) -> i64 {
        self.ledger.connection.query_row(query, [], |row| row.get(0)).unwrap()
    }
}

/// Of a lease of the source `gate`: node, delivery, when it began.
type Lease = (&'static str, u64, i64);

fn told((node, delivery, began): Lease, sequence: i64, wall: i64, told: Told) -> Message {
    let epoch = Epoch { revision: 1, delivery };
    let event = Outgoing { source: "gate".into(), epoch, began, sequence, wall, offset: None, told };
    Message { node: node.into(), event }
}

fn crossing(lease: Lease, sequence: i64, wall: i64) -> Message {
    let direction = if sequence % 2 == 0 { Direction::Out } else { Direction::In };
    let (line, source_time) = ("door".to_owned(), 0.0);
    told(lease, sequence, wall, Told::Crossing { line, direction, track: 7, confidence: 0.5, source_time })
}

const ONE: Lease = ("one", 1, 1_000_000);
const TWO: Lease = ("two", 2, 2_000_000);

#[test]
fn what_comes_twice_is_counted_once_also_after_a_restart() {
    let mut collected = Collected::new();
    let messages = [crossing(ONE, 1, 1_000_100), crossing(ONE, 2, 1_000_200), crossing(ONE, 1, 1_000_100)];
    let stored = collected.store(&messages);
    assert_eq!((stored.crossings.len(), stored.repeated), (2, 1));
    let mut collected = collected.again();
    let stored = collected.store(&messages);
    assert_eq!((stored.crossings.len(), stored.repeated), (0, 3));
    assert_eq!(collected.total(), (1, 1));
    assert_eq!(collected.store(&[crossing(TWO, 1, 2_000_100)]).crossings.len(), 1, "another lease");
    // A lease of a server that was set up again has the same epoch.
    assert_eq!(collected.store(&[crossing(("one", 1, 9_000_000), 1, 9_000_100)]).crossings.len(), 1);
    assert_eq!(collected.total(), (3, 1));
    assert_eq!(collected.reader().sources().unwrap().len(), 1);
}

#[test]
fn an_earlier_lease_counts_nothing_after_a_later_one_began() {
    let mut collected = Collected::new();
    let stored = collected.store(&[
        told(ONE, 0, 1_000_000, Told::Lease),
        told(TWO, 0, 2_000_000, Told::Lease),
        crossing(ONE, 1, 1_999_999),
        crossing(ONE, 3, 2_000_900),
        crossing(ONE, 5, 2_002_000),
        crossing(TWO, 1, 2_000_001),
    ]);
    assert_eq!((stored.crossings.len(), stored.uncounted), (3, 1));
    assert_eq!(collected.walls(), [1_999_999, 1_999_999, 2_000_001]);
    assert_eq!(collected.total(), (3, 0));
    assert_eq!(
        collected.one("SELECT COUNT(*) FROM uncounted WHERE reason = 'superseded' AND sequence = 5"),
        1
    );
    assert_eq!(collected.store(&[crossing(ONE, 5, 2_002_000)]).repeated, 1, "it is not stored twice either");
}

#[test]
fn what_was_counted_before_the_later_lease_became_known_is_counted_no_more() {
    let mut collected = Collected::new();
    let area = "INSERT INTO areas VALUES ('hall', 0, 0, 0, 0, NULL); INSERT INTO area_lines VALUES ('hall', 'gate', '*', 1)";
    collected.ledger.connection.execute_batch(area).unwrap();
    // The second one crosses the limit of a quarter of an hour when it is moved.
    let began = 2_700_000;
    collected.store(&[
        crossing(ONE, 1, began - 500),
        crossing(ONE, 3, began + 500),
        crossing(ONE, 5, began + 3_000),
        crossing(ONE, 2, began + 4_000),
    ]);
    assert_eq!(collected.total(), (3, 1));
    let stored = collected.store(&[crossing(("two", 2, began), 1, began + 50)]);
    assert_eq!((stored.crossings.len(), stored.revised), (1, 3));
    assert_eq!(collected.walls(), [began - 500, began - 1, began + 50]);
    assert_eq!(collected.total(), (3, 0));
    assert_eq!(collected.one("SELECT SUM(total_in) FROM quarters WHERE quarter = 2"), 2);
    assert_eq!(collected.one("SELECT SUM(total_in) FROM quarters WHERE quarter = 3"), 1);
    assert_eq!(collected.one("SELECT SUM(total_out) FROM quarters"), 0);
    assert_eq!(collected.one("SELECT SUM(net) FROM occupancy"), 3);
    assert_eq!(collected.one("SELECT total_in * 10 + total_out FROM areas"), 30);
    assert_eq!(collected.one("SELECT COUNT(*) FROM uncounted"), 2);
    let stored = collected.store(&[crossing(ONE, 5, began + 3_000)]);
    assert_eq!((stored.crossings.len(), stored.repeated), (0, 1));
}

#[test]
fn times_of_a_clock_that_is_wrong_are_corrected_and_that_is_said() {
    let mut collected = Collected::new();
    let hour = 3_600_000;
    let mut late = crossing(("two", 2, 2_000_000 - hour), 1, 2_000_100 - hour);
    late.event.offset = Some(hour);
    let mut near = crossing(ONE, 1, 1_000_100);
    near.event.offset = Some(-900);
    let stored = collected.store(&[near, late, crossing(ONE, 3, 1_999_000)]);
    assert_eq!(stored.corrected, BTreeMap::from([("two".to_owned(), hour)]));
    assert_eq!((stored.crossings.len(), stored.uncounted), (3, 0));
    assert_eq!(collected.walls(), [1_000_100, 2_000_100, 1_999_000]);
}

#[test]
fn coverage_is_what_the_believed_nodes_watched() {
    let mut collected = Collected::new();
    collected.store(&[
        told(ONE, 1_000_000, 1_500_000, Told::Watch { from: 1_000_000 }),
        told(ONE, 1_000_000, 2_300_000, Told::Watch { from: 1_000_000 }),
        told(ONE, 1_000_000, 1_400_000, Told::Watch { from: 1_000_000 }),
    ]);
    let mut collected = collected.again();
    collected.store(&[
        told(TWO, 2_400_000, 2_500_000, Told::Watch { from: 2_400_000 }),
        told(ONE, 2_100_000, 2_350_000, Told::Watch { from: 2_100_000 }),
    ]);
    let watched = collected.reader().watched("gate", EVER).unwrap();
    assert_eq!(watched, [Span { from: 1_000_000, to: 2_300_000 }, Span { from: 2_400_000, to: 2_500_000 }]);
}

#[test]
fn a_reset_of_the_holder_sets_its_counts_to_zero_and_one_of_an_earlier_holder_does_nothing() {
    let mut collected = Collected::new();
    let reset = |lease, sequence, wall| told(lease, sequence, wall, Told::Reset);
    collected.store(&[crossing(ONE, 1, 1_000_100), reset(ONE, 2, 1_000_200), crossing(ONE, 3, 1_000_300)]);
    assert_eq!(collected.total(), (1, 0));
    collected.store(&[reset(ONE, 2, 1_000_200)]);
    assert_eq!(collected.total(), (1, 0));
    collected.store(&[crossing(TWO, 1, 2_000_100), reset(ONE, 5, 2_900_000)]);
    assert_eq!(collected.total(), (2, 0));
}

#[test]
fn a_second_program_and_a_folder_of_an_engine_are_refused() {
    let collected = Collected::new();
    let path = collected.dir.path().join(FILE_NAME);
    let refused = CollectedLedger::open(&path, &collected.clock).err().unwrap();
    assert!(matches!(refused, LedgerError::Busy { .. }), "{refused}");
    let name = collected.ledger.name().to_owned();
    assert_eq!(collected.again().ledger.name(), name);
    let own = tempfile::tempdir().unwrap();
    let path = own.path().join(FILE_NAME);
    rows::begin_session(&open::open(&path).unwrap(), 0, "").unwrap();
    let refused = CollectedLedger::open(&path, &ManualClock::default()).err().unwrap().to_string();
    assert!(refused.contains("an engine counts into it"), "{refused}");
}

#[test]
fn a_damaged_file_loses_neither_what_was_collected_nor_what_is_to_be_sent() {
    let mut collected = Collected::new();
    collected.store(&[
        crossing(ONE, 1, 1_000_100),
        told(TWO, 0, 2_000_000, Told::Lease),
        crossing(ONE, 3, 2_900_000),
    ]);
    let to_send = told(TWO, 4, 2_000_000, Told::Reset).event;
    super::super::write_outgoing(&collected.ledger.connection, 1, &to_send).unwrap();
    let name = collected.ledger.name().to_owned();
    collected
        .ledger
        .connection
        .pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
        .unwrap();
    let Collected { dir, clock, ledger } = collected;
    drop(ledger);
    let path = dir.path().join(FILE_NAME);
    // The head of the file: nothing can be read by its tables any more.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..2_000].fill(0xFF);
    std::fs::write(&path, bytes).unwrap();
    let ledger = CollectedLedger::open(&path, &clock).unwrap();
    let mut collected = Collected { dir, clock, ledger };
    assert!(collected.ledger.notice().is_some_and(|said| said.contains("1 crossings were recovered")));
    assert_eq!(collected.ledger.name(), name);
    let stored = collected.store(&[crossing(ONE, 1, 1_000_100), crossing(ONE, 3, 2_900_000)]);
    assert_eq!((stored.crossings.len(), stored.repeated), (0, 2));
    assert_eq!(collected.one("SELECT COUNT(*) FROM uncounted"), 1);
    let book = super::super::outbox::OutboxBook::open(&path).unwrap();
    assert_eq!(book.next(9).unwrap().into_iter().map(|(_, told)| told).collect::<Vec<_>>(), [to_send]);
}
