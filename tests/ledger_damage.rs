//! Ledgers of which parts are gone: what can still be read goes on, and what is damaged is never overwritten.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use pcount::{
    internals::{
        clock::ManualClock,
        ledger::{
            Deletion, FILE_NAME, LedgerOptions, Reader, note_action, note_deletion, note_judgment,
            reader::Span,
        },
        outputs::ledger::Ledger,
    },
    model::{Action, Crossed, Direction, Event, EventKind, Judgment, Reason, Verdict},
};

const WAIT: Duration = Duration::from_mins(2);
const EVER: Span = Span { from: i64::MIN, to: i64::MAX };
const CROSSINGS: u64 = 600;
const PAGE: usize = 4096;

fn start(dir: &Path) -> Ledger {
    Ledger::start(LedgerOptions::new(dir)).expect("a ledger")
}

fn note(ledger: &Ledger, tracks: std::ops::Range<u64>) {
    for track in tracks {
        let kind = EventKind::Crossing {
            line: "main entrance".into(),
            direction: if track % 3 == 0 { Direction::Out } else { Direction::In },
            track,
            time: track as f64,
            confidence: 0.75,
        };
        let source = ["camera_01", "camera_02"][track as usize % 2];
        ledger.record(Event::new(SystemTime::now(), source, kind));
    }
    assert!(ledger.sync(WAIT));
}

/// Two runs with 600 crossings, of which the program's counts are known.
fn sound(dir: &Path) -> Vec<u8> {
    note(&start(dir), 0..CROSSINGS / 2);
    note(&start(dir), CROSSINGS / 2..CROSSINGS);
    fs::read(dir.join(FILE_NAME)).expect("read")
}

fn tracks(dir: &Path) -> BTreeSet<u64> {
    let reader = Reader::open(&dir.join(FILE_NAME)).expect("a reader");
    let of = |source: &str| reader.crossings(source, EVER).expect("crossings");
    let rows: Vec<_> = ["camera_01", "camera_02"].into_iter().flat_map(of).collect();
    let tracks: BTreeSet<u64> = rows.iter().map(|entry| entry.track).collect();
    assert_eq!(tracks.len(), rows.len(), "a crossing is there twice");
    tracks
}

fn asides(dir: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(dir).expect("folder").map(|entry| entry.expect("entry").path());
    names
        .filter(|path| {
            path.to_string_lossy().ends_with(".sqlite") && path.to_string_lossy().contains(".damaged-")
        })
        .collect()
}

fn total(ledger: &Ledger) -> u64 {
    ledger.totals().iter().flat_map(|(_, lines)| lines).map(|line| line.total_in + line.total_out).sum()
}

/// Starts on a damaged file, counts two more and looks what is there.
fn goes_on(damaged: &[u8], what: &str) -> (u64, usize, Vec<String>) {
    let dir = tempfile::tempdir().expect("folder");
    fs::write(dir.path().join(FILE_NAME), damaged).expect("write");
    let ledger = start(dir.path());
    let begun = total(&ledger);
    note(&ledger, CROSSINGS..CROSSINGS + 2);
    let status = ledger.status();
    assert!(status.problem.is_none(), "{what}: {status:?}");
    drop(ledger);
    let kept = tracks(dir.path());
    assert!(kept.contains(&CROSSINGS) && kept.contains(&(CROSSINGS + 1)), "{what}");
    if let [aside] = asides(dir.path()).as_slice() {
        assert_eq!(fs::read(aside).expect("read"), damaged, "{what}: what is damaged stays as it is");
        assert!(status.notices[0].contains("set aside"), "{what}: {status:?}");
        assert!(status.notices[1].contains(&format!("{} crossings", kept.len() - 2)), "{what}: {status:?}");
    } else {
        assert_eq!(kept.len() as u64, CROSSINGS + 2, "{what}");
    }
    let again = total(&start(dir.path()));
    assert_eq!(again, begun + 2, "{what}: totals go on");
    (begun, kept.len() - 2, status.notices)
}

#[test]
fn any_page_may_be_gone_and_totals_go_on_from_the_others() {
    let dir = tempfile::tempdir().expect("folder");
    let sound = sound(dir.path());
    let pages = sound.len() / PAGE;
    assert!(pages > 20, "{pages}");
    for page in 0..pages {
        let mut damaged = sound.clone();
        damaged[page * PAGE..(page + 1) * PAGE].fill(0);
        let (total, rows, notices) = goes_on(&damaged, &format!("page {} of {pages}", page + 1));
        // Either the totals themselves or the crossings they come from are whole.
        assert_eq!(total, CROSSINGS, "page {} of {pages}: {notices:?}", page + 1);
        // A page holds some sixty.
        assert!(rows as u64 > CROSSINGS - 100, "page {}: {rows}", page + 1);
    }
}

#[test]
fn a_file_that_is_cut_off_gives_what_is_left() {
    let dir = tempfile::tempdir().expect("folder");
    let sound = sound(dir.path());
    for part in [3, 10, 15] {
        let (total, rows, _) = goes_on(&sound[..sound.len() * part / 16], &format!("{part} of 16"));
        assert!(rows > 0 || part < 5, "{part}: {rows}");
        assert!(total >= rows as u64, "{part}: {total} of {rows}");
    }
}

#[test]
fn a_head_of_rubbish_or_another_text_is_no_end() {
    let dir = tempfile::tempdir().expect("folder");
    let sound = sound(dir.path());
    let mut rubbish = sound.clone();
    rubbish[..100].fill(0xA5);
    assert_eq!(goes_on(&rubbish, "head").0, CROSSINGS);
    assert_eq!(goes_on(b"not a database, but long enough to look at for one", "text").0, 0);
    let dir = tempfile::tempdir().expect("folder");
    fs::write(dir.path().join(FILE_NAME), "").expect("write");
    let ledger = start(dir.path());
    note(&ledger, 0..3);
    assert_eq!(tracks(dir.path()).len(), 3, "an empty file is a new one");
}

#[test]
fn what_people_said_deleted_and_did_is_brought_over_too() {
    let dir = tempfile::tempdir().expect("folder");
    sound(dir.path());
    let path = dir.path().join(FILE_NAME);
    let judgment = |track: u64, weight: Option<f64>| Judgment {
        wall: 9_000,
        crossed: Crossed { wall: 1_000, source: "camera_01".into(), line: "main entrance".into(), track },
        direction: Direction::Out,
        reason: weight.map(|_| Reason::UTurn),
        verdict: if track == 1 { Verdict::Right } else { Verdict::OtherWay },
        weight,
        who: "anna".into(),
    };
    // A weight without a fraction is kept as a whole number in the file.
    let said = [judgment(1, None), judgment(2, Some(2.5)), judgment(3, Some(4.0))];
    for judgment in &said {
        note_judgment(&path, judgment, &ManualClock::default()).expect("a judgment");
    }
    let source = Some("camera_02".into());
    let deletion = Deletion { wall: 9, from: 1, to: 2, source, strips: 3, who: "anna".into() };
    note_deletion(&path, &deletion, &ManualClock::default()).expect("a deletion");
    let action = |source: Option<&str>, detail: Option<&str>| Action {
        wall: 9_000,
        who: "anna".into(),
        from: "dashboard".into(),
        source: source.map(Into::into),
        what: Action::PAUSED.into(),
        detail: detail.map(str::to_owned),
    };
    let done = [action(None, None), action(Some("camera_01"), None), action(None, Some("3 sources"))];
    for action in &done {
        note_action(&path, action, &ManualClock::default()).expect("an action");
    }
    let mut bytes = fs::read(&path).expect("read");
    bytes[..100].fill(b'x');
    fs::write(&path, &bytes).expect("write");
    drop(start(dir.path()));
    let reader = Reader::open(&path).expect("a reader");
    assert_eq!(reader.judgments(0, i64::MAX).expect("judgments"), said);
    assert_eq!(reader.deletions().expect("deletions"), [deletion]);
    assert_eq!(reader.actions(0, i64::MAX, 9).expect("actions"), done);
}

/// The files of a program that was killed: what it committed is in its log.
fn killed(from: &Path) -> tempfile::TempDir {
    let ledger = start(from);
    note(&ledger, 0..CROSSINGS);
    let dir = tempfile::tempdir().expect("folder");
    for side in ["", "-wal", "-shm"] {
        let name = format!("{FILE_NAME}{side}");
        fs::copy(from.join(&name), dir.path().join(&name)).expect("copy");
    }
    dir
}

#[test]
fn a_log_without_its_file_and_a_damaged_log_give_their_crossings() {
    let wal = format!("{FILE_NAME}-wal");
    let from = tempfile::tempdir().expect("folder");
    let dir = killed(from.path());
    fs::write(dir.path().join(format!("{FILE_NAME}-shm")), vec![0x5A; 32768]).expect("write");
    assert_eq!(total(&start(dir.path())), CROSSINGS, "rubbish in what is only shared memory");

    let from = tempfile::tempdir().expect("folder");
    let dir = killed(from.path());
    fs::write(dir.path().join(FILE_NAME), "").expect("write");
    assert_eq!(total(&start(dir.path())), CROSSINGS, "everything is in the log");

    let from = tempfile::tempdir().expect("folder");
    let dir = killed(from.path());
    let mut log = fs::read(dir.path().join(&wal)).expect("read");
    log[..32].fill(0);
    fs::write(dir.path().join(&wal), &log).expect("write");
    let ledger = start(dir.path());
    assert!(total(&ledger) >= CROSSINGS / 2, "{}: {:?}", total(&ledger), ledger.status());
    assert!(!ledger.status().notices.is_empty());
}

#[test]
fn a_report_of_a_damaged_ledger_gives_what_is_there_and_says_so() {
    let dir = tempfile::tempdir().expect("folder");
    let mut damaged = sound(dir.path());
    let path = dir.path().join(FILE_NAME);
    damaged[..PAGE].fill(0);
    fs::write(&path, &damaged).expect("write");
    let reader = Reader::open(&path).expect("a reader");
    assert!(reader.notice().expect("a notice").contains("can still be read"));
    assert_eq!(tracks(dir.path()).len() as u64, CROSSINGS);
    assert_eq!(fs::read(&path).expect("read"), damaged, "a reader changes nothing");
}
