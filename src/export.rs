//! Results and crossings for other programs: CSV files written as things happen, and the JSON lines of the
//! headless mode.
//!
//! | file | one row for | columns |
//! | --- | --- | --- |
//! | `results.csv` | each result of a source | [`RESULT_HEADER`] |
//! | `crossings.csv` | each counted crossing | [`CROSSING_HEADER`] |
//! | `summary.json` | the run, written at its end | [`lines::Summary`] |
//!
//! One thread writes; it is fed by a bounded channel, and what the channel cannot take is counted. A full
//! disk costs nothing at first: rows wait in memory, up to a bound, and are written when there is room.

pub mod csv_file;
pub mod lines;
pub mod records;
pub mod status;

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

use self::{
    csv_file::{CsvFile, text_cell},
    lines::{Summary, stamp},
    records::{ResultStatus, TaskResult},
};
use crate::{
    engine::aggregator::Sink,
    files,
    store::{Event, EventKind},
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

/// Longest time between a report and the disk.
const FLUSH: Duration = Duration::from_millis(500);

/// Size at which `results.csv` is set aside: 64 MiB, about half a million rows.
const RESULTS_MAX_BYTES: u64 = 64 << 20;

/// Set-aside parts of `results.csv` kept. Crossings are all kept.
const RESULTS_PARTS: usize = 10;

/// An output folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("output folder '{path}': {problem}; choose another with --output or make it writable")]
pub struct ExportError {
    path: String,
    problem: io::Error,
}

enum Report {
    Result(Box<TaskResult>),
    Crossing(Box<Event>),
    Sync(Sender<()>),
}

#[derive(Default)]
struct Health {
    lost: AtomicU64,
    problem: Mutex<Option<String>>,
}

/// Writes the CSV files. Dropping it writes what is queued.
pub struct Exporter {
    dir: PathBuf,
    reports: Option<Sender<Report>>,
    health: Arc<Health>,
    thread: Option<JoinHandle<()>>,
}

impl Exporter {
    /// Makes `dir`, opens the files for appending and starts the writer.
    ///
    /// # Errors
    /// When the folder cannot be made or written, or the system refuses a thread.
    pub fn start(dir: &Path) -> Result<Self, ExportError> {
        let failed = |problem| ExportError { path: dir.display().to_string(), problem };
        files::make_folder(dir).map_err(failed)?;
        let results = CsvFile::open(dir.join("results.csv"), &RESULT_HEADER)
            .map_err(failed)?
            .with_parts(RESULTS_MAX_BYTES, RESULTS_PARTS);
        let crossings = CsvFile::open(dir.join("crossings.csv"), &CROSSING_HEADER).map_err(failed)?;
        let (sender, reports) = bounded(QUEUE);
        let health = Arc::new(Health::default());
        let writer = Writer { results, crossings, health: Arc::clone(&health) };
        let thread = std::thread::Builder::new()
            .name("csv-writer".into())
            .spawn(move || writer.run(&reports))
            .map_err(failed)?;
        Ok(Self { dir: dir.to_owned(), reports: Some(sender), health, thread: Some(thread) })
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

    /// Why rows wait in memory at this moment, if they do.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
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

    /// Writes `summary.json`, whole or not at all. A file of somebody else's that has the name is set aside.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_summary(&self, summary: &Summary) -> Result<(), ExportError> {
        let path = self.dir.join("summary.json");
        let write = || {
            let text = serde_json::to_vec_pretty(summary)?;
            files::make_folder(&self.dir)?;
            status::keep_foreign::<Summary>(&path)?;
            let mut draft = files::Draft::new(&path, files::SHARED)?;
            draft.write_all(&text)?;
            draft.keep()
        };
        write().map_err(|problem| ExportError {
            path: self.dir.display().to_string(),
            problem: files::named(&path, &problem),
        })
    }
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
        if self.reports.as_ref().is_some_and(|reports| reports.try_send(report).is_err()) {
            self.health.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Sink for CsvSink {
    fn result(&mut self, result: &TaskResult) {
        self.put(Report::Result(Box::new(result.clone())));
    }

    fn event(&mut self, event: &Event) {
        if matches!(event.kind, EventKind::Crossing { .. }) {
            self.put(Report::Crossing(Box::new(event.clone())));
        }
    }

    fn finish(&mut self) {
        self.reports = None;
    }
}

struct Writer {
    results: CsvFile,
    crossings: CsvFile,
    health: Arc<Health>,
}

impl Writer {
    fn run(mut self, reports: &Receiver<Report>) {
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
        let written = self.results.flush().and(self.crossings.flush());
        let problem = written.err().map(|problem| {
            format!("CSV files: {problem}; rows wait in memory, make room on the disk or mend its rights")
        });
        let mut known = self.health.problem.lock();
        if problem.is_some() != known.is_some() {
            match &problem {
                Some(problem) => tracing::error!("{problem}"),
                None => tracing::info!("CSV files: written again"),
            }
        }
        *known = problem;
        self.health.lost.fetch_add(self.results.take_lost() + self.crossings.take_lost(), Ordering::Relaxed);
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
    use crate::count::Direction;

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
            frame_info: records::FrameInfo { frame_count: 7, total_detections: 9 },
            errors: vec!["lost, then found".into(), "=cmd".into()],
            status: ResultStatus::Error,
        }
    }

    fn crossing(track: u64) -> Event {
        Event {
            wall: SystemTime::UNIX_EPOCH + Duration::from_millis(1_500),
            source: "camera_01".into(),
            kind: EventKind::Crossing {
                line: "door, north".into(),
                direction: Direction::Out,
                track,
                time: 1.25,
                confidence: 0.5,
            },
        }
    }

    #[test]
    fn results_and_crossings_are_files_that_go_on_after_a_restart() {
        let dir = tempfile::tempdir().expect("folder");
        for run in 0..2 {
            let exporter = Exporter::start(dir.path()).expect("start");
            let mut sink = exporter.sink();
            sink.result(&result("camera_01", run));
            sink.event(&crossing(run));
            sink.event(&Event { kind: EventKind::Reset, ..crossing(0) });
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
    fn a_folder_that_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("file");
        fs::write(&file, "").expect("write");
        let error = Exporter::start(&file.join("out")).err().expect("refused").to_string();
        assert!(error.contains("file/out") && error.contains("--output"), "{error}");
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
        let total = lines::Total { total_in: 2, total_out: 1, net: 1 };
        let summary = Summary { sources: vec![source], total };
        exporter.write_summary(&summary).expect("write");
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
