//! One run of a capture thread, and the source as that thread sees it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use parking_lot::Mutex;

use super::SourceRuntime;
use crate::{
    cadence::gate::MotionGate,
    engine::models,
    metrics::stages::thread_nanoseconds,
    model::{Rest, SourceKind, SourceState, Wakeful},
    source::{
        Frame, SourceError, StreamInfo,
        capture::{CaptureControl, Host},
        mailbox::Mailbox,
        pacer::{Activity, Demand, Shares, enlarged_to},
    },
};

/// One run of a capture thread. A thread that has not yet heard that it is to end keeps its own run, so that what it does
/// meanwhile reaches nobody.
#[derive(Default)]
pub struct Run {
    pub control: CaptureControl,
    pub mailbox: Mailbox,
    pub demand: Demand,
    /// Compares the key frames of a source that sleeps.
    watch: Mutex<MotionGate>,
    /// Times the usual size of the pictures that were asked for last, as bits.
    enlarged: AtomicU32,
    /// Whether the source was dismissed from this run (removed, restarted, stopped). Held while the run speaks
    /// for the source: nothing of it is said after the first word of the run that takes its place.
    abandoned: Mutex<bool>,
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
            self.source.rates.rhythm.lock().open(self.source.core.clock.now());
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

    fn may_sleep(&self, regular: bool) -> bool {
        let rest = match self.run.demand.latest().activity {
            Activity::Unwatched => Rest::Awake(Wakeful::RateIsSet),
            _ if self.source.preview_wanted.load(Ordering::Relaxed) => Rest::Awake(Wakeful::PreviewIsWanted),
            Activity::People => Rest::Awake(Wakeful::SomebodyIsThere),
            Activity::Motion => Rest::Awake(Wakeful::SomethingMoves),
            Activity::Nothing if !regular => Rest::Awake(Wakeful::KeyFramesAreRare),
            Activity::Nothing => Rest::Asleep,
        };
        if self.source.cell.load().rest != rest {
            self.run.speak(|| self.source.cell.update(|shown| shown.rest = rest));
        }
        // Whether key frames are rare is seen while it waits for them.
        matches!(rest, Rest::Asleep | Rest::Awake(Wakeful::KeyFramesAreRare))
    }

    fn moves(&self, frame: &Frame, first: bool) -> bool {
        let mut watch = self.run.watch.lock();
        if first {
            *watch = MotionGate::default();
        }
        let moves = watch.observe(&frame.picture, frame.time).any();
        moves && !first
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
