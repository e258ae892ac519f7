use opencv::core::{CV_8UC3, Mat, Scalar};

use super::*;
use crate::{
    clock::ManualClock,
    evidence::{Facts, Query, Reader, ring::RingFrame, small::Small},
    model::{Direction, LineConfig},
};

const WAIT: Duration = Duration::from_mins(1);

fn evidence(output: &Path, clock: &Arc<ManualClock>) -> Evidence {
    let program = Some(EvidenceConfig::default());
    let keep = program.map(|program| program.keep);
    let bounds = Bounds { keep, ..Bounds::default() };
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Evidence::start(EvidenceOptions { output: output.to_owned(), program, bounds, clock }).unwrap()
}

fn scene(number: u64, wall: i64) -> Scene {
    let frame = Mat::new_rows_cols_with_default(180, 320, CV_8UC3, Scalar::all(90.0)).unwrap();
    let shot =
        Arc::new(RingFrame { time: 0.0, picture: Small::of(&frame, None).unwrap(), people: Vec::new() });
    let facts = Facts {
        source: "gate".into(),
        line: "line_1".into(),
        direction: Direction::In,
        reason: None,
        confidence: Some(0.9),
        track: number,
        wall,
        time: 0.0,
    };
    let shots = (0..5).map(|_| Arc::clone(&shot)).collect();
    Scene { facts, line: LineConfig::default(), blur: true, shots, path: Vec::new() }
}

#[test]
fn what_the_thread_does_not_follow_is_dropped_and_counted_and_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let evidence = evidence(dir.path(), &clock);
    let wall = millis(clock.wall());
    for number in 0..500 {
        evidence.offer(scene(number, wall), EvidenceConfig::default());
    }
    assert!(evidence.sync(WAIT));
    let EvidenceStatus { problem, written, lost } = evidence.status();
    assert_eq!((problem, written + lost), (None, 500));
    assert!(lost > 0 && written >= QUEUE as u64, "{written} written, {lost} lost");
    assert_eq!(Reader::new(dir.path()).list(&Query::default()).unwrap().len() as u64, written);
    assert!(evidence.close(WAIT));
}

#[test]
fn old_strips_go_by_the_clock_also_when_no_more_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let first = evidence(dir.path(), &clock);
    first.offer(scene(1, millis(clock.wall())), EvidenceConfig::default());
    assert!(first.close(WAIT));
    let count = || Reader::new(dir.path()).list(&Query::default()).unwrap().len();
    let start = || {
        let (output, clock) = (dir.path().to_owned(), Arc::clone(&clock) as Arc<dyn Clock>);
        let options = EvidenceOptions { output, program: None, bounds: Bounds::default(), clock };
        Evidence::start(options).unwrap()
    };
    clock.advance(Duration::from_secs(7 * 86_400 - 1));
    // The first thing that the thread does.
    while !start().sync(WAIT) {}
    assert_eq!(count(), 1, "kept for seven days");
    clock.advance(Duration::from_secs(2));
    let off = start();
    let begun = std::time::Instant::now();
    while count() > 0 {
        assert!(off.sync(WAIT) && begun.elapsed() < WAIT);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_a_problem_that_is_said_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    // A file stands where the folder belongs.
    std::fs::write(dir.path().join(FOLDER), "").unwrap();
    let evidence = evidence(dir.path(), &clock);
    let wall = millis(clock.wall());
    evidence.offer(scene(1, wall), EvidenceConfig::default());
    assert!(!evidence.sync(WAIT));
    let problem = evidence.status().problem.unwrap();
    assert!(problem.contains("counting goes on") && problem.contains(FOLDER), "{problem}");
    std::fs::remove_file(dir.path().join(FOLDER)).unwrap();
    assert!(evidence.sync(WAIT));
    assert_eq!(evidence.status(), EvidenceStatus { problem: None, written: 1, lost: 0 });
}
