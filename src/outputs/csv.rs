//! Results and crossings for other programs: CSV files written as things happen, and the JSON lines of the
//! headless mode.
//!
//! | file | one row for | columns |
//! | --- | --- | --- |
//! | `results.csv` | each result of a source | [`RESULT_HEADER`] |
//! | `crossings.csv` | each counted crossing | [`CROSSING_HEADER`] |
//! | `summary.json` | the run, written at its end | [`Summary`] |
//!
//! One thread writes, its file operations run on a [`Disk`]; it is fed by a bounded channel, and what the channel cannot
//! take is counted. A disk that is full, missing or does not answer costs nothing at first, at the start as later: rows
//! wait in memory, up to a bound, and are written when it takes them.

mod file;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use self::file::CsvFile;
use super::{
    lines::{Summary, stamp},
    status,
};
use crate::{
    engine::aggregator::Sink,
    files::{self, text_cell},
    native::disk::Disk,
    store::{
        Event, EventKind,
        records::{ResultStatus, TaskResult},
    },
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

/// Reports that may wait for the writer; beyond it they are lost and counted.
const QUEUE: usize = 8_192;

/// Of which results, which repeat what crossings have said, may take so many.
const RESULTS: usize = QUEUE / 2;

/// Longest time between a report and the disk.
const FLUSH: Duration = Duration::from_millis(500);

/// A disk that has been busy with one operation for this long is said not to answer.
const SILENT: Duration = Duration::from_secs(5);

/// Size at which `results.csv` is set aside: 64 MiB, about half a million rows.
const RESULTS_MAX_BYTES: u64 = 64 << 20;

/// Set-aside parts of `results.csv` kept. Crossings are all kept.
const RESULTS_PARTS: usize = 10;

/// What cannot be written into an output folder.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The disk refuses.
    #[error("output folder '{path}': {problem}; choose another with --output or make it writable")]
    Refused {
        /// The folder.
        path: String,
        /// What the operating system said.
        problem: io::Error,
    },
    /// The disk does not answer.
    #[error("output folder '{path}': the disk does not answer")]
    Silent {
        /// The folder.
        path: String,
    },
    /// The system refuses a thread.
    #[error("results cannot be written: {0}; allow the program more processes (ulimit -u, TasksMax)")]
    Thread(io::Error),
}

enum Report {
    Result(Arc<TaskResult>),
    Crossing(Arc<Event>),
    Sync(Sender<()>),
}

#[derive(Default)]
struct Health {
    /// Rows that were given up.
    lost: AtomicU64,
    /// Rows that were reported and are neither written nor lost.
    waiting: AtomicU64,
    problem: Mutex<Option<String>>,
}

/// Writes the CSV files. Dropping it writes what is queued.
pub struct Exporter {
    dir: PathBuf,
    disk: Disk,
    reports: Option<Sender<Report>>,
    health: Arc<Health>,
    thread: Option<JoinHandle<()>>,
}

impl Exporter {
    /// Starts the writer, which makes `dir` and opens the files for appending. A folder that cannot be used is no error
    /// but [`Self::problem`].
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(dir: &Path) -> Result<Self, ExportError> {
        let disk = Disk::start("disk-results").map_err(ExportError::Thread)?;
        let results = CsvFile::new(dir.join("results.csv"), &RESULT_HEADER)
            .with_parts(RESULTS_MAX_BYTES, RESULTS_PARTS);
        let crossings = CsvFile::new(dir.join("crossings.csv"), &CROSSING_HEADER);
        let (sender, reports) = bounded(QUEUE);
        let health = Arc::new(Health::default());
        let writer = Writer {
            dir: dir.to_owned(),
            disk: disk.clone(),
            results,
            crossings,
            health: Arc::clone(&health),
        };
        let thread = std::thread::Builder::new()
            .name("csv-writer".into())
            .spawn(move || writer.run(&reports))
            .map_err(ExportError::Thread)?;
        Ok(Self { dir: dir.to_owned(), disk, reports: Some(sender), health, thread: Some(thread) })
    }

    /// Where files of the output folder are written.
    #[must_use]
    pub fn disk(&self) -> Disk {
        self.disk.clone()
    }

    /// What the engine's result handler feeds.
    #[must_use]
    pub fn sink(&self) -> Box<dyn Sink> {
        Box::new(CsvSink { reports: self.reports.clone(), health: Arc::clone(&self.health) })
    }

    /// Rows that reached no file.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.health.lost.load(Ordering::Relaxed)
    }

    /// Rows that would be missing in the files if the program ended now: those that wait, and [`Self::lost`].
    #[must_use]
    pub fn unsaved(&self) -> u64 {
        self.health.waiting.load(Ordering::SeqCst) + self.lost()
    }

    /// Why rows wait in memory at this moment, if they do.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        if self.disk.busy_for() > SILENT {
            let dir = self.dir.display();
            return Some(format!("output folder '{dir}': the disk does not answer; rows wait in memory"));
        }
        self.health.problem.lock().clone()
    }

    /// Waits until everything reported so far was handed to the disk; `false` when `timeout` passed first.
    pub fn sync(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let (done, wait) = bounded(1);
        self.reports
            .as_ref()
            .is_some_and(|reports| reports.send_deadline(Report::Sync(done), deadline).is_ok())
            && wait.recv_deadline(deadline).is_ok()
    }

    /// Writes `summary.json`, whole or not at all; waits for the disk at most `patience`.
    ///
    /// # Errors
    /// When the disk refuses or does not answer.
    pub fn write_summary(&self, summary: &Summary, patience: Duration) -> Result<(), ExportError> {
        let (dir, summary) = (self.dir.clone(), summary.clone());
        let path = || self.dir.display().to_string();
        match self.disk.run_within(patience, move || write_summary(&dir, &summary)) {
            Some(Ok(())) => Ok(()),
            Some(Err(problem)) => Err(ExportError::Refused { path: path(), problem }),
            None => Err(ExportError::Silent { path: path() }),
        }
    }
}

/// A file of somebody else's that has the name is set aside.
fn write_summary(dir: &Path, summary: &Summary) -> io::Result<()> {
    let path = dir.join("summary.json");
    let write = || {
        let text = serde_json::to_vec_pretty(summary)?;
        files::make_folder(dir)?;
        status::keep_foreign::<Summary>(&path)?;
        let mut draft = files::Draft::new(&path, files::SHARED)?;
        draft.write_all(&text)?;
        draft.keep()
    };
    write().map_err(|problem| files::named(&path, &problem))
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // Sinks may hold the channel open for longer; the sync makes sure that their rows are written.
        self.sync(Duration::from_secs(2));
        self.reports = None;
        if let Some(thread) = self.thread.take_if(|thread| thread.is_finished()) {
            // A panic of the writer was reported by its hook.
            let _ = thread.join();
        }
    }
}

struct CsvSink {
    reports: Option<Sender<Report>>,
    health: Arc<Health>,
}

impl CsvSink {
    fn put(&self, report: Report) {
        let Some(reports) = &self.reports else { return };
        self.health.waiting.fetch_add(1, Ordering::SeqCst);
        let full = matches!(report, Report::Result(_)) && reports.len() >= RESULTS;
        if full || reports.try_send(report).is_err() {
            self.health.lost.fetch_add(1, Ordering::Relaxed);
            self.health.waiting.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Sink for CsvSink {
    fn result(&mut self, result: &Arc<TaskResult>) {
        self.put(Report::Result(Arc::clone(result)));
    }

    fn event(&mut self, event: &Arc<Event>) {
        if matches!(event.kind, EventKind::Crossing { .. }) {
            self.put(Report::Crossing(Arc::clone(event)));
        }
    }

    fn finish(&mut self) {
        self.reports = None;
    }
}

struct Writer {
    dir: PathBuf,
    disk: Disk,
    results: CsvFile,
    crossings: CsvFile,
    health: Arc<Health>,
}

impl Writer {
    fn run(mut self, reports: &Receiver<Report>) {
        self.flush();
        let mut flush_at = Instant::now() + FLUSH;
        loop {
            match reports.recv_deadline(flush_at) {
                Ok(Report::Result(result)) => self.result(&result),
                Ok(Report::Crossing(event)) => self.crossing(&event),
                Ok(Report::Sync(done)) => {
                    self.flush();
                    // Whoever waited may have lost patience.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Looked at after every report: a busy channel must not put the flush off.
            if Instant::now() >= flush_at {
                self.flush();
                flush_at = Instant::now() + FLUSH;
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        let before = self.results.waiting() + self.crossings.waiting();
        let (results, crossings) = (&mut self.results, &mut self.crossings);
        let written = self.disk.run(|| {
            let results = results.prepare().and_then(|()| results.flush());
            // Each for itself: a file that cannot be written does not hold up the other.
            results.and(crossings.prepare().and_then(|()| crossings.flush()))
        });
        let written_rows = before - self.results.waiting() - self.crossings.waiting();
        self.health.waiting.fetch_sub(written_rows, Ordering::SeqCst);
        let problem = written.err().map(|problem| {
            format!(
                "output folder '{}': CSV files: {problem}; rows wait in memory, make room on the disk, make it writable \
                 or choose another with --output",
                self.dir.display()
            )
        });
        let mut known = self.health.problem.lock();
        if problem.is_some() != known.is_some() {
            match &problem {
                Some(problem) => tracing::error!("{problem}"),
                None => tracing::info!("CSV files: written again"),
            }
        }
        *known = problem;
        let lost = self.results.take_lost() + self.crossings.take_lost();
        self.health.lost.fetch_add(lost, Ordering::Relaxed);
        self.health.waiting.fetch_sub(lost, Ordering::SeqCst);
    }

    fn result(&mut self, result: &TaskResult) {
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

    fn crossing(&mut self, event: &Event) {
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
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use super::*;
    use crate::{
        count::Direction,
        outputs::lines,
        store::records::{FrameInfo, Total},
    };

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
            let exporter = Exporter::start(dir.path()).expect("start");
            let mut sink = exporter.sink();
            sink.result(&Arc::new(result("camera_01", run)));
            sink.event(&Arc::new(crossing(run)));
            sink.event(&Arc::new(Event { kind: EventKind::Reset, ..crossing(0) }));
            drop(exporter);
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
        let exporter = Exporter::start(&place.join("out")).expect("no error");
        exporter.sink().event(&Arc::new(crossing(1)));
        exporter.sync(Duration::from_secs(30));
        let problem = exporter.problem().expect("a problem");
        assert!(problem.contains("place/out") && problem.contains("--output"), "{problem}");
        assert_eq!(exporter.unsaved(), 1);
        fs::remove_file(&place).expect("removed");
        exporter.sync(Duration::from_secs(30));
        assert_eq!((exporter.problem(), exporter.unsaved()), (None, 0));
        let text = fs::read_to_string(place.join("out/crossings.csv")).expect("read");
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn the_summary_has_the_contracts_names() {
        let dir = tempfile::tempdir().expect("folder");
        let exporter = Exporter::start(dir.path()).expect("start");
        let source = lines::SourceSummary {
            camera_id: "cam".into(),
            status: "Completed".into(),
            frames: 10,
            fps: 2.5,
            total_in: 2,
            total_out: 1,
            current: 1,
            lines: vec![lines::LineSummary { name: "door".into(), total_in: 2, total_out: 1 }],
        };
        let total = Total { total_in: 2, total_out: 1, net: 1 };
        let summary = Summary { sources: vec![source], total };
        exporter.write_summary(&summary, Duration::from_secs(30)).expect("write");
        let read: Summary =
            serde_json::from_slice(&fs::read(dir.path().join("summary.json")).expect("read")).expect("json");
        assert_eq!(read, summary);
        assert_eq!(
            serde_json::to_string(&lines::Line::Summary(summary)).expect("json"),
            r#"{"type":"summary","sources":[{"camera_id":"cam","status":"Completed","frames":10,"fps":2.5,"in":2,"out":1,"current":1,"lines":[{"name":"door","in":2,"out":1}]}],"total":{"in":2,"out":1,"net":1}}"#
        );
    }

    #[test]
    fn json_lines_have_the_contracts_names() {
        let json = |line| serde_json::to_string(&line).expect("json");
        assert_eq!(
            json(lines::Line::from(&crossing(4))),
            r#"{"type":"crossing","camera_id":"camera_01","line":"door, north","direction":"out","track_id":4,"time":1.25,"timestamp":"1970-01-01T00:00:01.500Z","confidence":0.5}"#
        );
        assert_eq!(
            json(lines::Line::Result(TaskResult { errors: Vec::new(), ..result("cam", 5) })),
            r#"{"type":"result","worker_id":"worker_01","task_id":"task_01","camera_id":"cam","timestamp":"2024-01-15T10:23:45Z","fps":25.25,"total_in":5,"total_out":3,"current_count":2,"frame_info":{"frame_count":7,"total_detections":9},"errors":[],"status":"error"}"#
        );
    }
}
