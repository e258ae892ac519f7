//! One run of a capture thread, and the source as that thread sees it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use super::SourceRuntime;
use crate::{
    config::SourceKind,
    engine::{
        hung::{self, NativeCall},
        models,
    },
    metrics::stages::thread_nanoseconds,
    source::{
        SourceError, StreamInfo,
        capture::{CaptureControl, Host},
        mailbox::Mailbox,
        pacer::{Demand, Shares, enlarged_to},
    },
    store::SourceState,
};

/// One run of a capture thread. A thread that is stuck in native code keeps its own run, so that what it
/// does when it wakes reaches nobody.
#[derive(Default)]
pub struct Run {
    pub control: CaptureControl,
    pub mailbox: Mailbox,
    pub demand: Demand,
    /// Times the usual size of the pictures that were asked for last, as bits.
    enlarged: AtomicU32,
    /// Whether the source was dismissed from this run (removed, restarted, stopped). Held while the run speaks
    /// for the source: nothing of it is said after the first word of the run that takes its place.
    abandoned: Mutex<bool>,
    /// Whether its thread is in native code, and how long it may be.
    pub(super) native: NativeCall,
    /// CPU time of its thread that is booked on the source, in nanoseconds.
    booked: AtomicU64,
}

impl Run {
    /// Ends the thread at its next turn and lets nothing of it through any more; `true` the first time.
    pub fn abandon(&self) -> bool {
        let before = std::mem::replace(&mut *self.abandoned.lock(), true);
        self.control.stop();
        self.mailbox.close();
        self.demand.close();
        !before
    }

    pub(super) fn is_abandoned(&self) -> bool {
        *self.abandoned.lock()
    }

    /// Says something about the source, unless the run was abandoned; whoever abandons it waits until it is said.
    pub(super) fn speak<T>(&self, say: impl FnOnce() -> T) -> Option<T> {
        let abandoned = self.abandoned.lock();
        (!*abandoned).then(say)
    }
}

/// The source as its capture thread sees it, as long as the run is not abandoned.
pub(super) struct RunHost<'a> {
    pub source: &'a Arc<SourceRuntime>,
    pub run: &'a Run,
}

impl RunHost<'_> {
    /// Books the CPU time of the capture thread, which is the one that calls.
    fn book(&self) {
        let spent = thread_nanoseconds();
        let before = self.run.booked.swap(spent, Ordering::Relaxed);
        self.source.cpu.fetch_add(spent.saturating_sub(before), Ordering::Relaxed);
    }
}

impl Host for RunHost<'_> {
    fn state(&self, state: SourceState, error: Option<&SourceError>) {
        self.run.speak(|| {
            if state == SourceState::Connecting {
                self.source.note_change();
            }
            self.source.set_state(state, error.map(ToString::to_string).as_deref());
            if error.is_some() {
                self.source.report();
            }
        });
    }

    fn opened(&self, info: &StreamInfo, codec: Option<String>) {
        let model = self.source.core.models.for_source(&self.source.config.load());
        self.run.speak(|| {
            self.source.note_change();
            self.source.notice_codec(codec);
            self.source.notice_size(info.size);
            if let Ok(model) = &model {
                self.source.notice_substream(info.size, model.working_size(info.size.0, info.size.1));
            }
            self.source.cell.update(|shown| {
                if shown.last_frame.is_some() && shown.kind == SourceKind::Camera {
                    shown.reconnects += 1;
                }
                shown.declared_fps = info.fps.map(|fps| fps as f32);
                shown.frames_total = info.frames;
                if let Ok(model) = &model {
                    shown.detector = models::describe(model.as_ref());
                }
            });
        });
    }

    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        match self.source.core.models.for_source(&self.source.config.load()) {
            Ok(model) => {
                // Zero bits: nothing was asked for yet.
                let enlarged = f32::from_bits(self.run.enlarged.load(Ordering::Relaxed)).max(1.0);
                enlarged_to(model.working_size(width, height), (width, height), enlarged)
            }
            Err(_) => (width, height),
        }
    }

    fn short_sessions(&self, count: u32) {
        self.run.speak(|| {
            self.source.cell.update(|shown| shown.short_sessions = count);
        });
    }

    fn remark(&self, text: &str) {
        self.run.speak(|| self.source.remark(text));
    }

    fn shares(&self) -> Shares {
        let shown = self.source.cell.load();
        Shares { looks: f64::from(shown.rate_share), frames: f64::from(shown.frame_share) }
    }

    fn interval(&self, delivered: u64, live: bool) -> f64 {
        let wish = if live { self.run.demand.latest() } else { self.run.demand.settled(delivered) };
        self.run.enlarged.store(wish.enlarged.to_bits(), Ordering::Relaxed);
        wish.interval
    }

    fn native(&self, limit: Option<Duration>) {
        match limit {
            Some(limit) => self.run.native.begin(self.source.core.clock.now() + limit + hung::GRACE),
            None => self.run.native.end(),
        }
    }

    fn skipped(&self) {
        self.book();
        if !self.run.is_abandoned() {
            self.source.handled.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn ready(&self) {
        self.book();
        if !self.run.is_abandoned() {
            self.source.schedule();
        }
    }
}
