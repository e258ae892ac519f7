//! CSV files that grow as things happen.
//!
//! | file | one row for | columns |
//! | --- | --- | --- |
//! | `results.csv` | each result of a source | [`RESULT_HEADER`] |
//! | `crossings.csv` | each counted crossing | [`CROSSING_HEADER`] |
//!
//! Its file operations run on a [`Disk`]. A disk that is full, missing or does not answer costs nothing at first, at the
//! start as later: rows wait in memory, up to a bound, and are written when it takes them.

mod file;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use self::file::CsvFile;
use super::{BothClocks, Gauge, Output, Reading, Results, Running, SILENT, Setup, lines::stamp};
use crate::{
    clock::Clock,
    files::text_cell,
    model::{Event, EventKind, ResultStatus, TaskResult},
    native::disk::Disk,
};

/// Columns of `results.csv`: the names of record D2, `frame_info` as its two fields.
pub const RESULT_HEADER: [&str; 12] = [
    "worker_id",
    "task_id",
    "camera_id",
    "timestamp",
    "fps",
    "total_in",
    "total_out",
    "current_count",
    "frame_count",
    "total_detections",
    "errors",
    "status",
];

/// Columns of `crossings.csv`. `time` is in seconds on the source's clock, `timestamp` is wall time.
pub const CROSSING_HEADER: [&str; 7] =
    ["camera_id", "line", "direction", "track_id", "time", "timestamp", "confidence"];

/// Rows that may wait for the thread.
const QUEUE: usize = 8_192;

/// Longest time between a row and the disk.
const FLUSH: Duration = Duration::from_millis(500);

/// Size at which `results.csv` is set aside: 64 MiB, about half a million rows.
const RESULTS_MAX_BYTES: u64 = 64 << 20;

/// Set-aside parts of `results.csv` kept. Crossings are all kept.
const RESULTS_PARTS: usize = 10;

/// Starts to write into `dir`, which is made, on `disk`, by `clock`. A folder that cannot be used is no error but a problem.
///
/// # Errors
/// When the system refuses a thread.
pub fn start(dir: &Path, disk: Disk, clock: Arc<dyn Clock>) -> io::Result<Running> {
    Running::start(Csv {
        dir: dir.to_owned(),
        disk,
        results: CsvFile::new(dir.join("results.csv"), &RESULT_HEADER, Arc::clone(&clock))
            .with_parts(RESULTS_MAX_BYTES, RESULTS_PARTS),
        crossings: CsvFile::new(dir.join("crossings.csv"), &CROSSING_HEADER, Arc::clone(&clock)),
        account: Arc::default(),
        flush_at: clock.now(),
        clock,
    })
}

#[derive(Default)]
struct Account {
    /// Rows that are written or were given up.
    done: AtomicU64,
    /// Rows that were given up.
    lost: AtomicU64,
    problem: Mutex<Option<String>>,
}

struct Csv {
    dir: PathBuf,
    disk: Disk,
    results: CsvFile,
    crossings: CsvFile,
    account: Arc<Account>,
    flush_at: Instant,
    clock: Arc<dyn Clock>,
}

impl Output for Csv {
    fn setup(&self) -> Setup {
        Setup {
            results: Results::Rows,
            wants: |event| matches!(event.kind, EventKind::Crossing { .. }),
            keeps: true,
            unkept: |health| {
                let missing = health.missing();
                (missing > 0).then(|| format!("{missing} rows are not in the CSV files{}", health.because()))
            },
            ..Setup::new("csv-writer", QUEUE, Arc::clone(&self.clock))
        }
    }

    fn gauge(&self) -> Box<Gauge> {
        let (account, disk, dir) = (Arc::clone(&self.account), self.disk.clone(), self.dir.clone());
        Box::new(move || {
            let silent = (disk.busy_for() > SILENT).then(|| {
                format!("output folder '{}': the disk does not answer; rows wait in memory", dir.display())
            });
            Reading {
                done: account.done.load(Ordering::SeqCst),
                lost: account.lost.load(Ordering::SeqCst),
                problem: silent.or_else(|| account.problem.lock().clone()),
                notices: Vec::new(),
            }
        })
    }

    fn result(&mut self, result: &Arc<TaskResult>, _: BothClocks) {
        self.results.row(&[
            text_cell(&result.worker_id),
            text_cell(&result.task_id),
            text_cell(&result.camera_id),
            result.timestamp.clone(),
            format!("{:.2}", result.fps),
            result.total_in.to_string(),
            result.total_out.to_string(),
            result.current_count.to_string(),
            result.frame_info.frame_count.to_string(),
            result.frame_info.total_detections.to_string(),
            text_cell(&result.errors.join("; ")),
            match result.status {
                ResultStatus::Success => "success".to_owned(),
                ResultStatus::Error => "error".to_owned(),
            },
        ]);
    }

    fn event(&mut self, event: &Arc<Event>, _: BothClocks) {
        if let EventKind::Crossing { line, direction, track, time, confidence } = &event.kind {
            self.crossings.row(&[
                text_cell(&event.source),
                text_cell(line),
                direction.word().to_owned(),
                track.to_string(),
                format!("{time:.3}"),
                stamp(event.wall),
                format!("{confidence:.3}"),
            ]);
        }
    }

    fn wake(&self) -> Option<Instant> {
        Some(self.flush_at)
    }

    fn work(&mut self, _: bool) {
        self.flush();
        self.flush_at = self.clock.now() + FLUSH;
    }

    fn flush(&mut self) -> bool {
        let before = self.results.waiting() + self.crossings.waiting();
        let (results, crossings) = (&mut self.results, &mut self.crossings);
        let written = self.disk.run(|| {
            let results = results.prepare().and_then(|()| results.flush());
            // Each for itself: a file that cannot be written does not hold up the other.
            results.and(crossings.prepare().and_then(|()| crossings.flush()))
        });
        let written_rows = before - self.results.waiting() - self.crossings.waiting();
        let problem = written.err().map(|problem| {
            format!(
                "output folder '{}': CSV files: {problem}; rows wait in memory, free disk space, make it \
                 writable or choose another with --output",
                self.dir.display()
            )
        });
        let is_written = problem.is_none();
        let mut known = self.account.problem.lock();
        if problem.is_some() != known.is_some() {
            if let Some(problem) = &problem {
                tracing::error!("{problem}");
            } else {
                tracing::info!("CSV files: can be written again");
            }
        }
        *known = problem;
        drop(known);
        let lost = self.results.take_lost() + self.crossings.take_lost();
        self.account.lost.fetch_add(lost, Ordering::SeqCst);
        self.account.done.fetch_add(written_rows + lost, Ordering::SeqCst);
        is_written
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use super::*;
    use crate::{
        clock::SystemClock,
        model::{Direction, FrameInfo},
    };

    fn writer(dir: &Path) -> Running {
        start(dir, Disk::start("disk-test").expect("a disk"), Arc::new(SystemClock)).expect("start")
    }

    fn result(camera: &str, total_in: u64) -> TaskResult {
        TaskResult {
            worker_id: "worker_01".into(),
            task_id: "task_01".into(),
            camera_id: camera.into(),
            timestamp: "2024-01-15T10:23:45Z".into(),
            fps: 25.25,
            total_in,
            total_out: 3,
            current_count: total_in as i64 - 3,
            frame_info: FrameInfo { frame_count: 7, total_detections: 9 },
            errors: vec!["lost, then found".into(), "=cmd".into()],
            status: ResultStatus::Error,
        }
    }

    fn crossing(track: u64) -> Event {
        let kind = EventKind::Crossing {
            line: "door, north".into(),
            direction: Direction::Out,
            track,
            time: 1.25,
            confidence: 0.5,
        };
        Event::new(SystemTime::UNIX_EPOCH + Duration::from_millis(1_500), "camera_01", kind)
    }

    #[test]
    fn results_and_crossings_are_files_that_go_on_after_a_restart() {
        let dir = tempfile::tempdir().expect("folder");
        for run in 0..2 {
            let csv = writer(dir.path());
            csv.result(&Arc::new(result("camera_01", run)));
            csv.event(&Arc::new(crossing(run)));
            csv.event(&Arc::new(Event { kind: EventKind::Reset, ..crossing(0) }));
        }
        assert_eq!(
            fs::read_to_string(dir.path().join("results.csv")).expect("read"),
            "worker_id,task_id,camera_id,timestamp,fps,total_in,total_out,current_count,frame_count,\
             total_detections,errors,status\n\
             worker_01,task_01,camera_01,2024-01-15T10:23:45Z,25.25,0,3,-3,7,9,\"lost, then found; =cmd\",error\n\
             worker_01,task_01,camera_01,2024-01-15T10:23:45Z,25.25,1,3,-2,7,9,\"lost, then found; =cmd\",error\n"
        );
        assert_eq!(
            fs::read_to_string(dir.path().join("crossings.csv")).expect("read"),
            "camera_id,line,direction,track_id,time,timestamp,confidence\n\
             camera_01,\"door, north\",out,0,1.250,1970-01-01T00:00:01.500Z,0.500\n\
             camera_01,\"door, north\",out,1,1.250,1970-01-01T00:00:01.500Z,0.500\n"
        );
    }

    #[test]
    fn rows_wait_for_a_folder_that_cannot_be_used_at_the_start() {
        let dir = tempfile::tempdir().expect("folder");
        let place = dir.path().join("place");
        fs::write(&place, "").expect("write");
        let csv = writer(&place.join("out"));
        csv.event(&Arc::new(crossing(1)));
        csv.sync(Duration::from_secs(30));
        let problem = csv.health().problem.expect("a problem");
        assert!(problem.contains("place/out") && problem.contains("--output"), "{problem}");
        assert_eq!(csv.health().missing(), 1);
        fs::remove_file(&place).expect("removed");
        assert!(csv.sync(Duration::from_secs(30)));
        assert_eq!((csv.health().problem, csv.health().missing()), (None, 0));
        let text = fs::read_to_string(place.join("out/crossings.csv")).expect("read");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
