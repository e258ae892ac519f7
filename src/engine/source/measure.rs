//! How fast a source goes, what it costs, and what overload leaves to it.

use std::{sync::Arc, time::Duration};

use super::{actor::Actor, lifecycle::Lifecycle, rates::Sample, vitals::Vitals};
use crate::{
    engine::load::{memory::Holder, throttle::Load},
    model::{Overload, SourceKind, SourceState},
    source::{capture::Reading, life::AWAKENING, pacer::RateShares},
};

/// A running source writes its frame rate into its log this often.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Rates are measured over about this long.
const RATE_WINDOW: Duration = Duration::from_millis(2500);

impl Actor {
    /// Takes rates; called about twice a second.
    pub(super) fn measure(&mut self) {
        let now = self.shared.core.clock.now();
        let (handled, detected) = (self.rates.frames(&self.run), self.rates.detected);
        let cpu = self.rates.cpu + self.run.cpu();
        let samples = &mut self.rates.samples;
        samples.push_back(Sample { at: now, handled, detected, cpu });
        while samples.len() > 2 && now.saturating_duration_since(samples[0].at) > RATE_WINDOW {
            samples.pop_front();
        }
        let first = &samples[0];
        let seconds = now.saturating_duration_since(first.at).as_secs_f32();
        let rate =
            |from: u64, to: u64| if seconds > 0.0 { to.saturating_sub(from) as f32 / seconds } else { 0.0 };
        let (fps, detect_fps) = (rate(first.handled, handled), rate(first.detected, detected));
        let cpu = rate(first.cpu, cpu) * 1e-9;
        if self.shown.state == SourceState::Running {
            let last = self.rates.last_logged;
            if last.is_none_or(|at| now.saturating_duration_since(at) >= LOG_INTERVAL) && fps > 0.0 {
                self.rates.last_logged = Some(now);
                tracing::info!(camera = %self.shared.id, "Frame processed: FPS={fps:.1}");
            }
            let wall = self.shared.core.clock.wall();
            self.shared.history.lock().watch(wall, self.shown.current());
        }
        let shown = &self.shown;
        let before = (shown.fps, shown.detect_fps, shown.frames, shown.cpu);
        if !shown.state.is_over() && before != (fps, detect_fps, handled, cpu) {
            self.show(|shown| {
                (shown.fps, shown.detect_fps, shown.frames, shown.cpu) = (fps, detect_fps, handled, cpu);
            });
        }
    }

    /// Whether the next frame is overdue, and by the fault of the source.
    pub(super) fn is_silent(&self) -> bool {
        let core = &self.shared.core;
        // Of what a camera sends after a standstill of the program the camera is not the cause.
        self.kind == SourceKind::Camera
            && self.rates.rhythm.is_overdue(core.clock.now())
            && !core.is_awakening(AWAKENING)
    }

    /// Notes what the engine needs to know to share out CPU and memory.
    pub(super) fn note_vitals(&self, dropped: u64) {
        let (worker, load, holder) = (self.worker, self.load(dropped), self.holder());
        self.shared.vitals.store(Arc::new(Vitals { worker, load, holder }));
    }

    fn load(&self, dropped: u64) -> Option<Load> {
        let is_open = matches!(self.life, Lifecycle::Reading(Reading::Running) | Lifecycle::Stalled);
        (self.kind == SourceKind::Camera && is_open).then_some(Load {
            number: self.shared.number,
            priority: self.shown.priority,
            occupied: self.shown.visible > 0,
            detected: self.rates.detected,
            lost: dropped,
        })
    }

    fn holder(&self) -> Option<Holder> {
        let changed = self.rates.changed;
        let sends = self
            .shown
            .last_frame
            .is_some_and(|frame| changed.is_none_or(|at| frame >= self.shared.core.moment(at)));
        let closed = self.life == Lifecycle::Evicted;
        let is_silent = match self.life {
            Lifecycle::Evicted => false,
            Lifecycle::Reading(Reading::Running) => !sends,
            Lifecycle::Reading(Reading::Connecting | Reading::Failed { .. })
            | Lifecycle::Stalled
            | Lifecycle::Suspended { failed: true, .. } => true,
            _ => return None,
        };
        Some(Holder {
            number: self.shared.number,
            priority: self.shown.priority,
            occupied: self.shown.visible > 0,
            is_file: self.kind == SourceKind::Video,
            closed,
            is_silent,
            changed,
        })
    }

    /// From now on the source gets these shares of its rates, because of `cause`.
    pub(super) fn throttle(&mut self, shares: RateShares, cause: Option<Overload>) {
        self.shares = shares;
        self.run.demand.set_shares(shares);
        let (looks, frames) = (shares.detections as f32, shares.frames as f32);
        let cause = cause.filter(|_| looks < 1.0 || frames < 1.0);
        let before = (self.shown.rate_share, self.shown.frame_share);
        if before == (looks, frames) && self.shown.throttled_by == cause {
            return;
        }
        self.show(|shown| {
            (shown.rate_share, shown.frame_share) = (looks, frames);
            shown.throttled_by = cause;
        });
        let percent = |share: f32| share * 100.0;
        if looks < before.0 || frames < before.1 {
            let why = cause.map_or("overload", Overload::words);
            if frames < 1.0 {
                tracing::warn!(
                    camera = %self.shared.id,
                    "Throttled to {:.0} % of its detections and {:.0} % of its frames: {why}",
                    percent(looks),
                    percent(frames)
                );
            } else {
                tracing::warn!(
                    camera = %self.shared.id,
                    "Throttled to {:.0} % of its detections: {why}",
                    percent(looks)
                );
            }
        } else if before != (looks, frames) {
            tracing::info!(
                camera = %self.shared.id,
                "Less overload: back to {:.0} % of its detections and {:.0} % of its frames",
                percent(looks),
                percent(frames)
            );
        }
    }
}
