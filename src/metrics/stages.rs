//! Where the CPU goes: seconds by stage, always counted, for the whole process.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the way of a frame. Stages do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stage {
    /// Reading and decoding a picture, as far as it happens in the capture thread; FFmpeg has threads of its
    /// own beside it.
    Decode,
    /// Conversion to BGR and reduction to the working size.
    Convert,
    /// Finding out whether anything moves, and where those went who were seen before.
    Gate,
    /// From a picture to the input of the network.
    Preprocess,
    /// Finding people: the network and the reading of its output, or background subtraction.
    Inference,
    /// Association with tracks.
    Track,
    /// Lines and zones.
    Count,
    /// Snapshots, events, results.
    Publish,
    /// Rows, the ledger's queue and whatever else hears of results.
    Record,
    /// The screen.
    Draw,
}

/// All stages, in the order of a frame.
pub const STAGES: [Stage; 10] = [
    Stage::Decode,
    Stage::Convert,
    Stage::Gate,
    Stage::Preprocess,
    Stage::Inference,
    Stage::Track,
    Stage::Count,
    Stage::Publish,
    Stage::Record,
    Stage::Draw,
];

impl Stage {
    /// The word shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Convert => "convert",
            Self::Gate => "gate",
            Self::Preprocess => "preprocess",
            Self::Inference => "inference",
            Self::Track => "track",
            Self::Count => "count",
            Self::Publish => "publish",
            Self::Record => "record",
            Self::Draw => "draw",
        }
    }
}

/// CPU time of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageTime {
    /// Which.
    pub stage: Stage,
    /// CPU seconds.
    pub seconds: f64,
    /// How often it was run.
    pub calls: u64,
}

/// CPU time by stage of one source.
#[derive(Debug, Default)]
pub struct Meter {
    stages: [(AtomicU64, AtomicU64); STAGES.len()],
}

impl Meter {
    /// All stages so far, in the order of a frame.
    #[must_use]
    pub fn spent(&self) -> Vec<StageTime> {
        let stages = STAGES.iter().zip(&self.stages);
        stages
            .map(|(stage, (nanoseconds, calls))| StageTime {
                stage: *stage,
                seconds: nanoseconds.load(Ordering::Relaxed) as f64 * 1e-9,
                calls: calls.load(Ordering::Relaxed),
            })
            .collect()
    }
}

thread_local! {
    /// What this thread works for at the moment.
    static METER: RefCell<Option<Arc<Meter>>> = const { RefCell::new(None) };
}

/// Runs `work`; what [`timed`] books in it on this thread is booked on `meter` too.
pub fn metered<T>(meter: &Arc<Meter>, work: impl FnOnce() -> T) -> T {
    /// Puts the meter before back, also when `work` panics.
    struct Before(Option<Arc<Meter>>);
    impl Drop for Before {
        fn drop(&mut self) {
            METER.with(|current| *current.borrow_mut() = self.0.take());
        }
    }
    let _before = Before(METER.with(|current| current.borrow_mut().replace(Arc::clone(meter))));
    work()
}

static NANOSECONDS: [AtomicU64; STAGES.len()] = [const { AtomicU64::new(0) }; STAGES.len()];
static CALLS: [AtomicU64; STAGES.len()] = [const { AtomicU64::new(0) }; STAGES.len()];

/// Runs `work` and books the CPU time of this thread on `stage`. Costs two reads of a clock, under 1 us.
pub fn timed<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let before = thread_nanoseconds();
    let result = work();
    let spent = thread_nanoseconds().saturating_sub(before);
    NANOSECONDS[stage as usize].fetch_add(spent, Ordering::Relaxed);
    CALLS[stage as usize].fetch_add(1, Ordering::Relaxed);
    METER.with(|current| {
        if let Some(meter) = &*current.borrow() {
            let (nanoseconds, calls) = &meter.stages[stage as usize];
            nanoseconds.fetch_add(spent, Ordering::Relaxed);
            calls.fetch_add(1, Ordering::Relaxed);
        }
    });
    result
}

/// CPU seconds and calls of `stage` since the process began.
#[must_use]
pub fn spent(stage: Stage) -> (f64, u64) {
    let index = stage as usize;
    (NANOSECONDS[index].load(Ordering::Relaxed) as f64 * 1e-9, CALLS[index].load(Ordering::Relaxed))
}

/// CPU time of the calling thread, in nanoseconds.
#[must_use]
pub fn thread_nanoseconds() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_booked_on_the_source_at_work_and_on_nobody_afterwards() {
        let (one, other) = (Arc::new(Meter::default()), Arc::new(Meter::default()));
        metered(&one, || {
            timed(Stage::Inference, || ());
            metered(&other, || timed(Stage::Track, || ()));
            timed(Stage::Inference, || ());
        });
        timed(Stage::Inference, || ());
        let calls = |meter: &Meter| -> Vec<u64> { meter.spent().iter().map(|spent| spent.calls).collect() };
        assert_eq!(calls(&one), [0, 0, 0, 0, 2, 0, 0, 0, 0, 0]);
        assert_eq!(calls(&other), [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    }
}
