//! What the user wants of a capture thread, and how the thread waits for it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use crate::{clock::Clock, source::Interrupt};

/// What the user wants of a source now.
#[derive(Debug, Default)]
struct UserRequests {
    stop: bool,
    paused: bool,
    restart: bool,
    /// Whether a pause closes the source: it does a camera; a recording stays open where it is.
    pause_closes: bool,
}

impl UserRequests {
    /// Whether the source is to be closed now.
    fn close(&self) -> bool {
        self.stop || self.restart || self.paused && self.pause_closes
    }
}

/// Requests, and the means to wake a thread that waits for a change.
#[derive(Debug, Default)]
pub struct CaptureControl {
    requests: Mutex<UserRequests>,
    changed: Condvar,
    /// Whether there is any order but to run; set with the wishes, so that a reader asks for them only then.
    is_called: AtomicBool,
    /// Set while the source is to be closed.
    interrupt: Interrupt,
}

/// What a capture thread should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Run,
    Pause,
    Restart,
    Stop,
}

impl CaptureControl {
    /// Ends the thread at its next turn.
    pub fn stop(&self) {
        self.change(|requests| requests.stop = true);
    }

    /// Stops or goes on reading.
    pub fn pause(&self, paused: bool) {
        self.change(|requests| requests.paused = paused);
    }

    /// Opens the source again now.
    pub fn restart(&self) {
        self.change(|requests| {
            requests.restart = true;
            requests.paused = false;
        });
    }

    fn change(&self, change: impl FnOnce(&mut UserRequests)) {
        let mut requests = self.requests.lock();
        change(&mut requests);
        self.note(&requests);
        drop(requests);
        self.changed.notify_all();
    }

    fn note(&self, requests: &UserRequests) {
        self.interrupt.set(requests.close());
        self.is_called.store(requests.stop || requests.restart || requests.paused, Ordering::Release);
    }

    /// Says whether a pause closes the source.
    pub(super) fn pause_closes(&self, closes: bool) {
        self.change(|requests| requests.pause_closes = closes);
    }

    /// What makes a call that waits for the source give up.
    pub(super) fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    pub(super) fn order(&self) -> Order {
        if !self.is_called.load(Ordering::Acquire) {
            return Order::Run;
        }
        let requests = self.requests.lock();
        match *requests {
            UserRequests { stop: true, .. } => Order::Stop,
            UserRequests { restart: true, .. } => Order::Restart,
            UserRequests { paused: true, .. } => Order::Pause,
            _ => Order::Run,
        }
    }

    pub(super) fn take_restart(&self) -> bool {
        let mut requests = self.requests.lock();
        let restart = std::mem::take(&mut requests.restart);
        self.note(&requests);
        restart
    }

    /// Waits until `deadline` or until there is an order other than `meanwhile`.
    pub(super) fn wait(&self, clock: &dyn Clock, deadline: Option<Instant>, meanwhile: Order) {
        const LONG: Duration = Duration::from_hours(1);
        while self.order() == meanwhile {
            let left = match deadline.map(|deadline| deadline.saturating_duration_since(clock.now())) {
                Some(Duration::ZERO) => return,
                Some(left) => left,
                None => LONG,
            };
            let mut requests = self.requests.lock();
            // An order given between the check above and this lock has set its flag already.
            if !requests.stop && !requests.restart && requests.paused == (meanwhile == Order::Pause) {
                clock.wait(left, &mut |left| {
                    self.changed.wait_for(&mut requests, left);
                });
            }
        }
    }
}
