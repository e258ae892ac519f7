use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::*;
use crate::{
    evidence::{Facts, Key, Marks, Query, Reader},
    model::{Direction, Reason},
};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Noon of a day.
const NOON: i64 = 1_773_446_400_000 + 12 * HOUR;

fn strip(source: &str, wall: i64, bytes: usize) -> Strip {
    let facts = Facts {
        source: source.into(),
        line: "door".into(),
        direction: if wall % 2 == 0 { Direction::In } else { Direction::Out },
        reason: (wall % 3 == 0).then_some(Reason::UTurn),
        confidence: Some(0.5),
        track: wall as u64,
        wall,
        time: 1.5,
    };
    // What each byte is tells whose strip it was.
    Strip {
        facts,
        until: i64::MAX,
        blurred: true,
        jpeg: vec![b'0' + (source.len() % 10) as u8; bytes],
        marks: String::new(),
    }
}

fn store(dir: &tempfile::TempDir, bounds: Bounds) -> Store {
    Store::new(dir.path(), bounds)
}

fn add(store: &mut Store, strips: &[Strip]) {
    store.add(strips, SystemTime::UNIX_EPOCH).unwrap();
}

fn on_disk(dir: &tempfile::TempDir) -> u64 {
    let files = fs::read_dir(dir.path().join(FOLDER)).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn walls(dir: &tempfile::TempDir) -> Vec<i64> {
    let found = Reader::new(dir.path()).list(&Query::default()).unwrap();
    found.into_iter().map(|entry| entry.facts.wall).collect()
}

#[test]
fn strips_of_the_first_version_are_read_with_their_strokes_and_the_file_takes_new_ones() {
    let dir = tempfile::tempdir().unwrap();
    add(&mut store(&dir, Bounds::default()), &[strip("gate", NOON, 900)]);
    let file = dir.path().join(FOLDER).join("2026-03-14.sqlite");
    let old = "ALTER TABLE strips DROP COLUMN marks; PRAGMA user_version = 1";
    Connection::open(&file).unwrap().execute_batch(old).unwrap();
    let reader = Reader::new(dir.path());
    let read = |wall: i64| {
        let entry = reader.find("gate", "door", wall as u64, wall).unwrap().unwrap();
        reader.picture(entry.key).unwrap().unwrap().marks
    };
    assert_eq!(read(NOON), None);
    let marks = Marks { line: [[0.0, 0.5], [1.0, 0.5]], ..Marks::default() };
    let new = Strip { marks: serde_json::to_string(&marks).unwrap(), ..strip("gate", NOON + 2, 900) };
    add(&mut store(&dir, Bounds::default()), &[new]);
    assert_eq!((read(NOON), read(NOON + 2)), (None, Some(marks)));
}

#[test]
fn a_strip_is_read_as_it_was_written_and_found_by_its_event() {
    let dir = tempfile::tempdir().unwrap();
    let reader = Reader::new(dir.path());
    assert_eq!(reader.list(&Query::default()).unwrap(), [], "there is no folder yet");
    let mut store = store(&dir, Bounds::default());
    let strips = [strip("gate", NOON, 9000), strip("yard", NOON + 1, 5000), strip("gate", NOON + DAY, 100)];
    add(&mut store, &strips);
    let found = reader.list(&Query::default()).unwrap();
    let facts: Vec<&Facts> = found.iter().map(|entry| &entry.facts).collect();
    assert_eq!(facts, strips.iter().map(|strip| &strip.facts).collect::<Vec<_>>());
    assert_eq!(found[0].key.to_string(), "2026-03-14-1");
    for (entry, strip) in found.iter().zip(&strips) {
        assert!(entry.blurred && entry.bytes == strip.jpeg.len() as u64);
        assert_eq!(
            reader.picture(entry.key).unwrap().map(|picture| picture.jpeg).as_ref(),
            Some(&strip.jpeg)
        );
        let Facts { source, line, track, wall, .. } = &strip.facts;
        assert_eq!(reader.find(source, line, *track, *wall).unwrap().as_ref(), Some(entry));
    }
    assert_eq!(reader.find("gate", "door", 1, NOON).unwrap(), None);
    assert_eq!(reader.picture(Key { number: 99, ..found[0].key }).unwrap(), None);
    assert_eq!(reader.picture(Key { day: day_of(0), number: 1 }).unwrap(), None);
    let asked =
        |query: Query| reader.list(&query).unwrap().iter().map(|entry| entry.facts.wall).collect::<Vec<_>>();
    assert_eq!(asked(Query { source: Some("gate".into()), ..Query::default() }), [NOON, NOON + DAY]);
    assert_eq!(asked(Query { since: NOON + 1, until: NOON + DAY, ..Query::default() }), [NOON + 1]);
    assert_eq!(asked(Query { direction: Some(Direction::Out), ..Query::default() }), [NOON + 1]);
    assert_eq!(asked(Query { reason: Some(None), ..Query::default() }), [NOON + 1]);
    assert_eq!(asked(Query { reason: Some(Some(Reason::UTurn)), ..Query::default() }), [NOON, NOON + DAY]);
    assert_eq!(asked(Query { limit: 2, ..Query::default() }), [NOON + 1, NOON + DAY], "the newest");
}

#[test]
fn only_the_owner_may_enter_the_folder_and_read_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(FOLDER);
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    add(&mut store(&dir, Bounds::default()), &[strip("gate", NOON, 100)]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn the_size_is_kept_over_100_000_strips_and_the_oldest_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let size = 8 << 20;
    let mut store = store(&dir, Bounds { size: Some(size), ..Bounds::default() });
    let mut wall = NOON;
    for batch in 0..100 {
        let strips: Vec<Strip> = (0..1000)
            .map(|_| {
                wall += 2 * DAY / 100_000;
                strip("gate", wall, 300)
            })
            .collect();
        add(&mut store, &strips);
        let used = on_disk(&dir);
        assert!(used <= size, "{used} bytes after {batch} batches");
    }
    let used = on_disk(&dir);
    assert!((size / 2..=size).contains(&used), "{used} bytes: as many as there is room for");
    let kept = walls(&dir);
    println!("{} strips in {used} bytes", kept.len());
    assert_eq!(kept.last(), Some(&wall));
    let step = 2 * DAY / 100_000;
    assert!(
        kept.windows(2).all(|pair| pair[1] - pair[0] == step),
        "what is left is the newest, without a hole"
    );
}

#[test]
fn within_one_day_the_oldest_strips_make_room_too() {
    let dir = tempfile::tempdir().unwrap();
    let size = 2 << 20;
    let mut store = store(&dir, Bounds { size: Some(size), ..Bounds::default() });
    for second in 0..300 {
        add(&mut store, &[strip("gate", NOON + second, 30_000)]);
        assert!(on_disk(&dir) <= size);
    }
    let kept = walls(&dir);
    assert!((50..70).contains(&kept.len()), "{}", kept.len());
    assert_eq!(*kept.last().unwrap(), NOON + 299);
}

#[test]
fn a_source_with_a_size_of_its_own_keeps_it_and_takes_nothing_from_others() {
    let dir = tempfile::tempdir().unwrap();
    let sources = BTreeMap::from([(SourceId::from("yard_1"), (Duration::from_hours(24), Some(100_000)))]);
    let mut store = store(&dir, Bounds { sources, ..Bounds::default() });
    for second in 0..100 {
        add(&mut store, &[strip("gate", NOON + second, 10_000), strip("yard_1", NOON + second, 10_000)]);
    }
    let of = |source: &str| {
        let query = Query { source: Some(source.into()), ..Query::default() };
        Reader::new(dir.path()).list(&query).unwrap().len()
    };
    assert_eq!(of("gate"), 100);
    assert!((8..=10).contains(&of("yard_1")), "{}", of("yard_1"));
}

#[test]
fn strips_go_with_their_age_row_by_row_and_whole_days_with_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Duration::from_hours(48);
    let sources = BTreeMap::from([(SourceId::from("short"), (Duration::from_hours(1), None))]);
    let mut store = store(&dir, Bounds { keep: Some(keep), sources, ..Bounds::default() });
    let promised = Strip { until: NOON + 2 * HOUR, ..strip("gate", NOON + 3, 10) };
    let strips = [
        strip("gate", NOON, 10),
        strip("gate", NOON + HOUR, 10),
        strip("short", NOON + 2 * HOUR, 10),
        promised,
    ];
    add(&mut store, &strips);
    store.expire(NOON + HOUR).unwrap();
    assert_eq!(walls(&dir).len(), 4, "nothing is old");
    store.expire(NOON + 2 * HOUR).unwrap();
    assert_eq!(walls(&dir), [NOON, NOON + HOUR, NOON + 2 * HOUR], "what was promised to be gone by then");
    store.expire(NOON + 3 * HOUR).unwrap();
    assert_eq!(walls(&dir), [NOON, NOON + HOUR]);
    store.expire(NOON + 2 * DAY).unwrap();
    assert_eq!(walls(&dir), [NOON + HOUR]);
    let files = || fs::read_dir(dir.path().join(FOLDER)).unwrap().count();
    assert!(files() > 0);
    store.expire(NOON + 2 * DAY + HOUR).unwrap();
    assert_eq!((walls(&dir).len(), files()), (0, 0), "and the file with them");
    add(&mut store, &[strip("gate", NOON + 3 * DAY, 10)]);
    assert_eq!(walls(&dir).len(), 1);
}

#[test]
fn deleted_strips_are_nowhere_in_the_files_and_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(&dir, Bounds::default());
    // 'yard' is written as 4s, 'door5' as 5s.
    for second in 0..50 {
        add(&mut store, &[strip("yard", NOON + second, 20_000), strip("door5", NOON + second, 20_000)]);
    }
    let before = on_disk(&dir);
    let source = Some(SourceId::from("door5"));
    let stretch = Stretch { since: NOON + 10, until: NOON + 40, source };
    // The program still has the file open.
    let deleted = delete(dir.path(), &stretch).unwrap();
    assert_eq!(deleted, Deleted { strips: 30, bytes: 600_000, damaged: 0 });
    assert!(on_disk(&dir) < before - 500_000, "the room is given back");
    let mut rest = 0;
    for file in fs::read_dir(dir.path().join(FOLDER)).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        rest += bytes.iter().filter(|byte| **byte == b'5').count();
    }
    // Of the 20 strips that stay; now and then such a byte stands for something else.
    assert!((400_000..405_000).contains(&rest), "{rest} bytes of the deleted source's kind");
    add(&mut store, &[strip("door5", NOON + 20, 100)]);
    assert_eq!(walls(&dir).len(), 71);
    assert_eq!(delete(dir.path(), &Stretch { source: None, ..stretch }).unwrap().strips, 31);
    let ever = Stretch { since: i64::MIN, until: i64::MAX, source: Some("yard".into()) };
    assert_eq!(delete(dir.path(), &ever).unwrap().strips, 20);
    let nothing = Stretch { since: 0, until: 1, source: None };
    assert_eq!(delete(dir.path(), &nothing).unwrap(), Deleted::default());
}

#[test]
fn a_damaged_file_is_set_aside_and_goes_with_its_day() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FOLDER).join("2026-03-14.sqlite");
    let keep = Some(Duration::from_hours(24));
    let bounds = || Bounds { keep, ..Bounds::default() };
    add(&mut store(&dir, bounds()), &[strip("gate", NOON, 100)]);
    fs::write(&file, "no database at all, and long enough to be taken for one".repeat(100)).unwrap();
    let mut again = store(&dir, bounds());
    add(&mut again, &[strip("gate", NOON + 1, 100)]);
    assert_eq!(walls(&dir), [NOON + 1]);
    let files = || fs::read_dir(dir.path().join(FOLDER)).unwrap().count();
    assert!(files() >= 2);
    let stretch = Stretch { since: NOON, until: NOON + 1, source: Some("gate".into()) };
    assert_eq!(delete(dir.path(), &stretch).unwrap(), Deleted { damaged: 1, ..Deleted::default() });
    fs::write(file.with_extension("20260314-000000.sqlite"), "damaged").unwrap();
    again.expire(NOON + 2 * DAY).unwrap();
    assert_eq!(files(), 0);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(FOLDER);
    fs::create_dir(&folder).unwrap();
    let path = folder.join("2026-03-14.sqlite");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let said =
        store(&dir, Bounds::default()).add(&[strip("gate", NOON, 10)], SystemTime::UNIX_EPOCH).unwrap_err();
    assert!(said.to_string().contains("another program's database"), "{said}");
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    let said = Reader::new(dir.path()).list(&Query::default()).unwrap_err();
    assert!(said.to_string().contains("newer version"), "{said}");
}
