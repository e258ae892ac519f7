//! How fast a source goes, what it costs, and what share of its rates it gets under overload.

use std::{
    collections::VecDeque,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{SourceRuntime, rhythm::Rhythm};
use crate::{
    engine::throttle::Load,
    model::{SourceKind, SourceState, Strain},
    source::{life::AWAKENING, pacer::Shares},
};

/// A running source writes its frame rate into its log this often.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Rates are measured over about this long.
const RATE_WINDOW: Duration = Duration::from_millis(2500);

/// Time spent running, for the frame rate of a whole run.
#[derive(Debug, Default)]
struct RunningTime {
    since: Option<Instant>,
    before: Duration,
}

impl RunningTime {
    fn total(&self, now: Instant) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

/// A moment of the counters from which rates are taken.
struct Sample {
    at: Instant,
    handled: u64,
    looked: u64,
    /// Nanoseconds.
    cpu: u64,
}

/// What is measured of one source.
#[derive(Default)]
pub(super) struct Rates {
    running: Mutex<RunningTime>,
    /// When frames of a live source are due.
    pub rhythm: Mutex<Rhythm>,
    samples: Mutex<VecDeque<Sample>>,
    /// Looks and losses when the throttle last asked.
    throttle_seen: Mutex<(u64, u64)>,
    last_logged: Mutex<Option<Instant>>,
}

impl Rates {
    /// From `now` on the source is running, or is not.
    pub fn run(&self, running: bool, now: Instant) {
        let mut time = self.running.lock();
        *time = RunningTime { before: time.total(now), since: running.then_some(now) };
    }

    /// Time spent running until `now`.
    pub fn running(&self, now: Instant) -> Duration {
        self.running.lock().total(now)
    }

    /// Nothing was measured yet.
    pub fn forget(&self) {
        *self.running.lock() = RunningTime::default();
        self.samples.lock().clear();
    }
}

impl SourceRuntime {
    /// Takes rates, and notes a stall; called about twice a second.
    pub fn measure(&self) {
        let now = self.core.clock.now();
        let (handled, looked) = (self.handled.load(Ordering::Relaxed), self.looked.load(Ordering::Relaxed));
        let mut samples = self.rates.samples.lock();
        let cpu = self.cpu.load(Ordering::Relaxed);
        samples.push_back(Sample { at: now, handled, looked, cpu });
        while samples.len() > 2 && now.saturating_duration_since(samples[0].at) > RATE_WINDOW {
            samples.pop_front();
        }
        let first = &samples[0];
        let seconds = now.saturating_duration_since(first.at).as_secs_f32();
        let rate =
            |from: u64, to: u64| if seconds > 0.0 { to.saturating_sub(from) as f32 / seconds } else { 0.0 };
        let (fps, detect_fps) = (rate(first.handled, handled), rate(first.looked, looked));
        let cpu = rate(first.cpu, cpu) * 1e-9;
        drop(samples);
        let shown = self.cell.load();
        let live = shown.kind == SourceKind::Camera;
        let silent = self.rates.rhythm.lock().is_overdue(now);
        // Of what a camera sends after a standstill of the program the camera is not the cause.
        if live && silent && !self.core.is_awakening(AWAKENING) {
            // Only what is still running now: its capture thread may have said something else meanwhile.
            self.change_state(Some(&SourceState::Running), SourceState::Stalled, Some("no frames"));
        }
        if shown.state == SourceState::Running {
            let mut last_logged = self.rates.last_logged.lock();
            if last_logged.is_none_or(|at| now.saturating_duration_since(at) >= LOG_INTERVAL) && fps > 0.0 {
                *last_logged = Some(now);
                tracing::info!(camera = %self.id, "Frame processed: FPS={fps:.1}");
            }
            drop(last_logged);
            self.history.lock().watch(self.core.clock.wall(), shown.current());
        }
        if !shown.state.is_over()
            && (shown.fps != fps
                || shown.detect_fps != detect_fps
                || shown.frames != handled
                || shown.cpu != cpu)
        {
            self.cell.update(|shown| {
                shown.fps = fps;
                shown.detect_fps = detect_fps;
                shown.frames = handled;
                shown.cpu = cpu;
            });
        }
    }

    /// What the throttle needs to know, since it last asked. `None` for what is not live.
    pub fn load(&self) -> Option<Load> {
        let shown = self.cell.load();
        let running = matches!(shown.state, SourceState::Running | SourceState::Stalled);
        if shown.kind != SourceKind::Camera || !running {
            return None;
        }
        let counters = (self.looked.load(Ordering::Relaxed), shown.dropped);
        let before = std::mem::replace(&mut *self.rates.throttle_seen.lock(), counters);
        Some(Load {
            number: self.number,
            priority: shown.priority,
            occupied: shown.visible > 0,
            looked: counters.0.saturating_sub(before.0),
            lost: counters.1.saturating_sub(before.1),
        })
    }

    /// From now on the source gets these shares of its rates, because of `cause`.
    pub fn set_shares(&self, shares: Shares, cause: Option<Strain>) {
        let (looks, frames) = (shares.looks as f32, shares.frames as f32);
        let cause = cause.filter(|_| looks < 1.0 || frames < 1.0);
        let shown = self.cell.load();
        let before = (shown.rate_share, shown.frame_share);
        if before == (looks, frames) && shown.throttled_by == cause {
            return;
        }
        self.cell.update(|shown| {
            (shown.rate_share, shown.frame_share) = (looks, frames);
            shown.throttled_by = cause;
        });
        let percent = |share: f32| share * 100.0;
        if looks < before.0 || frames < before.1 {
            let why = cause.map_or("overload", Strain::words);
            if frames < 1.0 {
                tracing::warn!(
                    camera = %self.id,
                    "Throttled to {:.0} % of its detections and {:.0} % of its frames: {why}",
                    percent(looks),
                    percent(frames)
                );
            } else {
                tracing::warn!(camera = %self.id, "Throttled to {:.0} % of its detections: {why}", percent(looks));
            }
        } else if before != (looks, frames) {
            tracing::info!(
                camera = %self.id,
                "Less load: {:.0} % of its detections and {:.0} % of its frames again",
                percent(looks),
                percent(frames)
            );
        }
    }
}
