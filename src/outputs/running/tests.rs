use std::{sync::mpsc, time::SystemTime};

use super::*;
use crate::{
    clock::SystemClock,
    model::{EventKind, FrameInfo, ResultStatus},
    outputs::{Feed, Outputs, Reading},
};

const WAIT: Duration = Duration::from_secs(30);

/// What an [`Noting`] was told, in short.
type Notes = Arc<Mutex<Vec<String>>>;

/// Notes what it is told, once it may begin; passes on what it has when it is closed.
struct Noting {
    notes: Notes,
    done: Arc<AtomicU64>,
    begin: Option<mpsc::Receiver<()>>,
    behind: Option<Arc<Running>>,
    last: Option<Arc<Event>>,
}

impl Noting {
    fn new(begin: Option<mpsc::Receiver<()>>, behind: Option<Arc<Running>>) -> (Self, Notes) {
        let notes = Notes::default();
        (Self { notes: Arc::clone(&notes), done: Arc::default(), begin, behind, last: None }, notes)
    }

    fn note(&self, what: String) {
        self.notes.lock().push(what);
    }
}

impl Output for Noting {
    fn setup(&self) -> Setup {
        Setup { results: Results::Rows, ..Setup::new("noting", 4, Arc::new(SystemClock)) }
    }
    fn gauge(&self) -> Box<Gauge> {
        let done = Arc::clone(&self.done);
        Box::new(move || Reading { done: done.load(Ordering::SeqCst), ..Reading::default() })
    }
    fn begin(&mut self) {
        self.begin.take().map(|begin| begin.recv());
    }
    fn event(&mut self, event: &Arc<Event>, _: BothClocks) {
        self.note(format!("event {}", event.number));
        self.last = Some(Arc::clone(event));
        self.done.fetch_add(1, Ordering::SeqCst);
    }
    fn result(&mut self, result: &Arc<TaskResult>, _: BothClocks) {
        self.note(format!("result {}", result.total_in));
        self.done.fetch_add(1, Ordering::SeqCst);
    }
    fn missed(&mut self, events: u64) {
        self.note(format!("missed {events}"));
    }
    fn flush(&mut self) -> bool {
        self.note("flush".into());
        true
    }
    fn close(&mut self) -> bool {
        if let (Some(behind), Some(last)) = (&self.behind, &self.last) {
            behind.event(last);
        }
        self.note("close".into());
        true
    }
}

fn event(number: u64) -> Arc<Event> {
    Arc::new(Event { number, ..Event::new(SystemTime::UNIX_EPOCH, "cam", EventKind::Reset) })
}

fn result(total_in: u64) -> Arc<TaskResult> {
    Arc::new(TaskResult {
        worker_id: String::new(),
        task_id: String::new(),
        camera_id: "cam".into(),
        timestamp: String::new(),
        fps: 25.0,
        total_in,
        total_out: 0,
        current_count: 0,
        frame_info: FrameInfo { frame_count: 0, total_detections: 0 },
        errors: Vec::new(),
        status: ResultStatus::Success,
    })
}

fn started(output: Noting) -> Arc<Running> {
    Arc::new(Running::start(output).unwrap())
}

#[test]
fn what_the_queue_cannot_take_is_lost_counted_and_told() {
    let (begin, begun) = mpsc::channel();
    let (noting, notes) = Noting::new(Some(begun), None);
    let running = started(noting);
    (1..=10).for_each(|number| running.event(&event(number)));
    let health = running.health();
    assert_eq!((health.waiting, health.lost, health.missing()), (4, 6, 10));
    begin.send(()).unwrap();
    assert!(running.sync(WAIT));
    running.event(&event(11));
    running.event(&event(14));
    assert!(running.sync(WAIT));
    let told = ["event 1", "event 2", "event 3", "event 4", "flush", "missed 6", "event 11"];
    assert_eq!(notes.lock()[..7], told);
    assert_eq!(notes.lock()[7..], ["missed 2", "event 14", "flush"], "the engine had lost two");
    assert_eq!((running.health().waiting, running.health().lost), (0, 6));
}

#[test]
fn results_leave_half_of_the_room_to_events() {
    let (begin, begun) = mpsc::channel();
    let (noting, notes) = Noting::new(Some(begun), None);
    let running = started(noting);
    (1..=3).for_each(|number| running.result(&result(number)));
    (1..=2).for_each(|number| running.event(&event(number)));
    assert_eq!((running.health().waiting, running.health().lost), (4, 1));
    begin.send(()).unwrap();
    assert!(running.sync(WAIT));
    assert_eq!(*notes.lock(), ["result 1", "result 2", "event 1", "event 2", "flush"]);
}

#[test]
fn what_waits_is_handed_on_before_it_is_closed_and_what_comes_later_is_lost() {
    let (noting, notes) = Noting::new(None, None);
    let running = started(noting);
    running.event(&event(1));
    assert!(running.close(WAIT) && running.close(Duration::ZERO), "it is closed once");
    assert_eq!(*notes.lock(), ["event 1", "close"]);
    running.event(&event(2));
    assert!(!running.sync(Duration::ZERO));
    assert_eq!(running.health().lost, 1);
}

#[test]
fn an_output_that_hangs_holds_up_nobody_and_is_left_behind() {
    let (hold, held) = mpsc::channel();
    let (hanging, _) = Noting::new(Some(held), None);
    let (noting, notes) = Noting::new(None, None);
    let outputs = Outputs::new(Arc::new(SystemClock));
    outputs.add(started(hanging), Feed::Engine);
    outputs.add(started(noting), Feed::Engine);
    let mut sink = outputs.sink();
    for number in 1..=100 {
        sink.event(&event(number));
        while notes.lock().len() < number as usize {
            std::thread::yield_now();
        }
    }
    assert!(!outputs.sync(Duration::from_millis(10)));
    outputs.close(Duration::from_millis(10));
    let closed = Instant::now();
    while notes.lock().last().is_none_or(|last| last != "close") {
        assert!(closed.elapsed() < WAIT);
        std::thread::yield_now();
    }
    drop(hold);
}

#[test]
fn who_comes_later_has_missed_nothing_and_who_is_behind_another_is_closed_after_it() {
    let (behind, heard) = Noting::new(None, None);
    let behind = started(behind);
    let (first, _) = Noting::new(None, Some(Arc::clone(&behind)));
    let outputs = Outputs::new(Arc::new(SystemClock));
    outputs.add(behind, Feed::Output);
    outputs.add(started(first), Feed::Engine);
    let mut sink = outputs.sink();
    sink.event(&event(1));
    let (late, notes) = Noting::new(None, None);
    outputs.add(started(late), Feed::Engine);
    sink.event(&event(2));
    outputs.close(WAIT);
    assert_eq!(*notes.lock(), ["event 2", "close"]);
    assert_eq!(*heard.lock(), ["missed 1", "event 2", "close"]);
}
