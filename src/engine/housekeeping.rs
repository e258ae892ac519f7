//! What an engine does about twice a second: rates, load, stalls, memory.

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    Engine,
    load::{memory::Decision, throttle::Load},
};

/// How often rates, load and stalls are looked at.
pub(super) const HOUSEKEEPING: Duration = Duration::from_millis(500);

/// For this long after a standstill of the program, frames that are lost are those that had piled up.
const CATCHING_UP: Duration = Duration::from_secs(5);

/// Share of the time between two looks that went into something, from its sum of nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    before: u64,
    pub(super) share: f32,
}

impl Share {
    fn measure(&mut self, now: u64) {
        self.share = (now.saturating_sub(self.before) as f32 / HOUSEKEEPING.as_nanos() as f32).min(1.0);
        self.before = now;
    }
}

/// How much one worker works.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WorkerLoad {
    pub(super) busy: Share,
    pub(super) cpu: Share,
}

impl Engine {
    pub(super) fn housekeep(&self) {
        let has_room = !self.inner.core.outbox.is_full();
        for source in self.sources() {
            source.relieve();
            source.measure();
            if has_room {
                source.go_on();
            }
        }
        self.inner.process.lock().sample();
        self.throttle();
        self.keep_memory();
        let workers = self.inner.core.scheduler.workers();
        for (worker, load) in workers.iter().zip(self.inner.loads.lock().iter_mut()) {
            load.busy.measure(worker.busy.load(Ordering::Relaxed));
            load.cpu.measure(worker.cpu.load(Ordering::Relaxed));
        }
        self.inner.core.generation.fetch_add(1, Ordering::Release);
    }

    /// Makes detections rarer under overload, then frames, and both as frequent as configured after it.
    fn throttle(&self) {
        let live: Vec<_> = self
            .sources()
            .into_iter()
            .filter_map(|source| source.load().map(|load| (source, load)))
            .collect();
        let catching_up = self.inner.core.is_awakening(CATCHING_UP);
        let lost = |load: &Load| if catching_up { 0 } else { load.lost };
        let loads: Vec<_> = live.iter().map(|(_, load)| Load { lost: lost(load), ..*load }).collect();
        let rss = self.inner.process.lock().latest().rss;
        let memory_short = self.inner.settings.memory_limit.is_some_and(|limit| rss > limit);
        let (shares, cause) = {
            let mut throttle = self.inner.throttle.lock();
            (throttle.shares(&loads, memory_short, self.inner.core.clock.now()), throttle.cause())
        };
        for ((source, _), share) in live.iter().zip(shares) {
            source.set_shares(share, cause);
        }
    }

    /// Closes the source that grew, or the least important camera, when the memory limit is near, and opens it again
    /// when there is room.
    fn keep_memory(&self) {
        let Some(limit) = self.inner.settings.memory_limit else { return };
        let sources = self.sources();
        let open: Vec<_> = sources.iter().filter_map(|source| source.memory()).collect();
        let rss = self.inner.process.lock().latest().rss;
        let decision = self.inner.memory.lock().decide(rss, limit, &open, self.inner.core.clock.now());
        let find = |number| sources.iter().find(|source| source.number == number);
        match decision {
            Decision::Keep => {}
            Decision::Close(number) => {
                if let Some(source) = find(number) {
                    source.close_for_memory(limit);
                }
            }
            Decision::Open(number) => {
                if let Some(source) = find(number) {
                    // What comes of it is its state.
                    source.open();
                }
            }
        }
    }
}
