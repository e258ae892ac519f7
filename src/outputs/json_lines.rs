//! Results and events as JSON lines, one object a line, on the standard output or elsewhere.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{BothClocks, Gauge, Output, Reading, Results, Running, Setup, lines::Line};
use crate::{
    clock::Clock,
    model::{Event, TaskResult},
};

/// Lines that may wait for a slow reader.
const QUEUE: usize = 65_536;

/// How often a line without room tries again.
const LOOK: Duration = Duration::from_millis(5);

/// Whether there is room for a line at this moment.
pub type HasRoom = dyn Fn() -> bool + Send;

/// Starts to write to `out`, by `clock`. A reader that is there and does not read holds up nothing: while `has_room` says no, lines
/// wait, up to a bound, then the periodic results among them are lost, then all, which is counted.
///
/// # Errors
/// When the system refuses a thread.
pub fn start(
    out: impl Write + Send + 'static,
    has_room: Box<HasRoom>,
    clock: Arc<dyn Clock>,
) -> io::Result<Running> {
    Running::start(JsonLines { out, has_room, done: Arc::default(), clock })
}

struct JsonLines<W> {
    out: W,
    has_room: Box<HasRoom>,
    done: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

impl<W: Write> JsonLines<W> {
    fn put(&mut self, line: &Line) {
        while !(self.has_room)() {
            self.clock.rest(LOOK);
        }
        // It fails when the reader has gone, and then nobody misses it.
        let _ = serde_json::to_writer(&mut self.out, line)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .and_then(|()| self.out.flush());
        self.done.fetch_add(1, Ordering::SeqCst);
    }
}

impl<W: Write + Send + 'static> Output for JsonLines<W> {
    fn setup(&self) -> Setup {
        Setup {
            results: Results::Rows,
            overrun: Some([
                "The reader of the JSON lines is too slow; some lines are lost",
                "JSON lines were lost",
            ]),
            ..Setup::new("json-lines", QUEUE, Arc::clone(&self.clock))
        }
    }

    fn gauge(&self) -> Box<Gauge> {
        let done = Arc::clone(&self.done);
        Box::new(move || Reading { done: done.load(Ordering::SeqCst), ..Reading::default() })
    }

    fn result(&mut self, result: &Arc<TaskResult>, _: BothClocks) {
        self.put(&Line::Result(TaskResult::clone(result)));
    }

    fn event(&mut self, event: &Arc<Event>, _: BothClocks) {
        self.put(&Line::from(&**event));
    }

    fn flush(&mut self) -> bool {
        self.out.flush().is_ok()
    }
}
