//! `summary.json`: where everything stands at the end of a run, written whole or not at all.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use parking_lot::Mutex;

use super::{Gauge, Output, Reading, Running, Setup, keep_foreign, lines::Summary, status::Status};
use crate::{clock::Clock, engine::EngineApi, files, native::disk::Disk};

/// Starts what writes the summary of `engine` into `dir`, on `disk`, when it is closed; `clock` tells when a
/// foreign file of that name is set aside.
///
/// # Errors
/// When the system refuses a thread.
pub fn start(
    dir: &Path,
    engine: Arc<dyn EngineApi>,
    disk: Disk,
    clock: Arc<dyn Clock>,
) -> io::Result<Running> {
    Running::start(SummaryFile { dir: dir.to_owned(), engine, disk, refused: Arc::default(), clock })
}

struct SummaryFile {
    dir: PathBuf,
    engine: Arc<dyn EngineApi>,
    disk: Disk,
    /// Why it is not written, from the moment at which it should be.
    refused: Arc<Mutex<Option<String>>>,
    clock: Arc<dyn Clock>,
}

impl Output for SummaryFile {
    fn setup(&self) -> Setup {
        Setup {
            wants: |_| false,
            unkept: |health| {
                health.problem.as_ref().map(|refused| format!("the summary is not written ({refused})"))
            },
            unclosed: |health| health.problem.clone(),
            ..Setup::new("summary", 1, Arc::clone(&self.clock))
        }
    }

    fn gauge(&self) -> Box<Gauge> {
        let refused = Arc::clone(&self.refused);
        Box::new(move || Reading { problem: refused.lock().clone(), ..Reading::default() })
    }

    fn flush(&mut self) -> bool {
        true
    }

    fn close(&mut self) -> bool {
        let summary = Summary::from(&Status::from(&self.engine.snapshot()));
        let dir = self.dir.display();
        // Until it does.
        *self.refused.lock() = Some(format!("output folder '{dir}': the disk does not answer"));
        let written = self.disk.run(|| write(&self.dir, &summary, self.clock.wall()));
        let refused = written.err().map(|problem| {
            format!("output folder '{dir}': {problem}; choose another with --output or make it writable")
        });
        let is_written = refused.is_none();
        *self.refused.lock() = refused;
        is_written
    }
}

/// A file of somebody else's that has the name is set aside.
fn write(dir: &Path, summary: &Summary, now: SystemTime) -> io::Result<()> {
    let path = dir.join("summary.json");
    let write = || {
        let text = serde_json::to_vec_pretty(summary)?;
        files::make_folder(dir)?;
        keep_foreign::<Summary>(&path, now)?;
        let mut draft = files::Draft::new(&path, files::SHARED)?;
        draft.write_all(&text)?;
        draft.keep()
    };
    write().map_err(|problem| files::named(&path, &problem))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        model::Total,
        outputs::lines::{Line, LineSummary, SourceSummary},
    };

    #[test]
    fn the_summary_has_the_contracts_names() {
        let dir = tempfile::tempdir().expect("folder");
        let source = SourceSummary {
            camera_id: "cam".into(),
            status: crate::model::StateKind::Completed,
            frames: 10,
            fps: 2.5,
            total_in: 2,
            total_out: 1,
            current: 1,
            lines: vec![LineSummary { name: "door".into(), total_in: 2, total_out: 1 }],
        };
        let total = Total { total_in: 2, total_out: 1, net: 1 };
        let summary = Summary { sources: vec![source], total };
        write(dir.path(), &summary, SystemTime::UNIX_EPOCH).expect("write");
        let read: Summary =
            serde_json::from_slice(&fs::read(dir.path().join("summary.json")).expect("read")).expect("json");
        assert_eq!(read, summary);
        assert_eq!(
            serde_json::to_string(&Line::Summary(summary)).expect("json"),
            r#"{"type":"summary","sources":[{"camera_id":"cam","status":"Completed","frames":10,"fps":2.5,"in":2,"out":1,"current":1,"lines":[{"name":"door","in":2,"out":1}]}],"total":{"in":2,"out":1,"net":1}}"#
        );
    }
}
