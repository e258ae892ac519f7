//! What the service manager is told by `sd_notify`: that the service is ready, its state, that it reloads or stops, and
//! that it does not hang.
//!
//! A thread of its own sends it all, so that a manager that does not read holds up nothing. No child of this program
//! inherits the socket to speak by: `serve` starts no other program.

use std::{
    io,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use sd_notify::NotifyState;

use super::line::line;
use crate::{
    engine::{Engine, EngineApi as _, Heartbeat},
    model::SourceState,
};

/// Sources that have not answered by then are not waited for any longer.
const READY: Duration = Duration::from_mins(1);

/// Least time between two lines of state.
const STATUS: Duration = Duration::from_secs(2);

/// How often it checks.
const POLL: Duration = Duration::from_millis(250);

/// The end waits at most this long for the manager to be told.
const PATIENCE: Duration = Duration::from_millis(100);

enum Order {
    Reloading,
    Reloaded,
    /// Dropped when it was passed on.
    Stopping(Sender<()>),
}

/// Tells the service manager, where there is one. Cheap to clone.
#[derive(Clone)]
pub struct Notifier {
    orders: Option<Sender<Order>>,
}

impl Notifier {
    /// Begins to tell of `engine`; does nothing where `NOTIFY_SOCKET` names no service manager.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(engine: &Engine) -> io::Result<Self> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self { orders: None });
        }
        let (orders, told) = bounded(16);
        let watchdog = sd_notify::watchdog_enabled()
            .map(|timeout| Watchdog::new(timeout, Instant::now(), engine.heartbeat()));
        let teller = Teller {
            engine: engine.clone(),
            begun: Instant::now(),
            is_ready: false,
            status: None,
            watchdog,
            has_failed: false,
        };
        std::thread::Builder::new().name("notify".into()).spawn(move || teller.run(&told))?;
        Ok(Self { orders: Some(orders) })
    }

    /// A reload begins (`true`) or is over.
    pub fn reloading(&self, begins: bool) {
        if let Some(orders) = &self.orders {
            let order = if begins { Order::Reloading } else { Order::Reloaded };
            // Full only where the manager does not read.
            let _ = orders.send_timeout(order, PATIENCE);
        }
    }

    /// The end begins. Waits a moment for the manager to be told.
    pub fn stopping(&self) {
        if let Some(orders) = &self.orders {
            let (done, wait) = bounded::<()>(0);
            if orders.try_send(Order::Stopping(done)).is_ok() {
                // Nothing is ever sent: it ends when it was passed on, or with patience.
                let _ = wait.recv_timeout(PATIENCE);
            }
        }
    }
}

/// When the watchdog of the service manager is to be told that the engine goes on.
struct Watchdog {
    /// Half of the time in which the manager wants to hear of it.
    period: Duration,
    last: Instant,
    before: Heartbeat,
}

impl Watchdog {
    fn new(timeout: Duration, now: Instant, before: Heartbeat) -> Self {
        Self { period: timeout / 2, last: now, before }
    }

    /// Whether it is due; not for an engine whose heartbeat has stopped.
    fn is_due(&mut self, now: Instant, heartbeat: Heartbeat) -> bool {
        let due = now.saturating_duration_since(self.last) >= self.period
            && heartbeat.has_gone_on_since(self.before);
        if due {
            (self.last, self.before) = (now, heartbeat);
        }
        due
    }
}

/// The thread's side.
struct Teller {
    engine: Engine,
    begun: Instant,
    is_ready: bool,
    /// The line that was told last, and when.
    status: Option<(Instant, String)>,
    watchdog: Option<Watchdog>,
    has_failed: bool,
}

impl Teller {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let pause = self.watchdog.as_ref().map_or(POLL, |watchdog| watchdog.period.min(POLL));
            match orders.recv_timeout(pause.max(Duration::from_millis(10))) {
                // Until it is ready a service starts, whatever it reads again.
                Ok(Order::Reloading | Order::Reloaded) if !self.is_ready => {}
                Ok(Order::Reloading) => match NotifyState::monotonic_usec_now() {
                    Ok(now) => self.tell(&[NotifyState::Reloading, now]),
                    Err(error) => tracing::warn!(
                        "The service manager could not be notified of the reload: \
                         {error}"
                    ),
                },
                Ok(Order::Reloaded) => {
                    let status = self.renew_status(Instant::now());
                    self.tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
                }
                Ok(Order::Stopping(done)) => {
                    self.tell(&[
                        NotifyState::Stopping,
                        NotifyState::Status(
                            "shutting down, writing what is \
                         left",
                        ),
                    ]);
                    drop(done);
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let now = Instant::now();
        let heartbeat = self.engine.heartbeat();
        if self.watchdog.as_mut().is_some_and(|watchdog| watchdog.is_due(now, heartbeat)) {
            self.tell(&[NotifyState::Watchdog]);
        }
        if !self.is_ready && self.is_waited_for(now) {
            self.is_ready = true;
            let status = self.renew_status(now);
            return self.tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
        }
        if self.status.as_ref().is_some_and(|(at, _)| now.saturating_duration_since(*at) < STATUS) {
            return;
        }
        let before = self.status.take().map(|(_, before)| before);
        let status = self.renew_status(now);
        if before.as_ref() != Some(&status) {
            self.tell(&[NotifyState::Status(&status)]);
        }
    }

    /// Whether nothing is waited for any more before the service is ready.
    fn is_waited_for(&self, now: Instant) -> bool {
        let snapshot = self.engine.snapshot();
        let mut enabled = snapshot.sources.iter().filter(|source| source.state != SourceState::Disabled);
        enabled.all(|source| source.was_tried()) || now.saturating_duration_since(self.begun) >= READY
    }

    fn renew_status(&mut self, now: Instant) -> String {
        let status = line(&self.engine.snapshot());
        self.status = Some((now, status.clone()));
        status
    }

    fn tell(&mut self, state: &[NotifyState<'_>]) {
        match sd_notify::notify(state) {
            Ok(()) => self.has_failed = false,
            // Said once for each time that it breaks off.
            Err(error) if !std::mem::replace(&mut self.has_failed, true) => {
                tracing::warn!("The service manager cannot be notified: {error}");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_told_at_half_its_time_and_not_of_an_engine_that_hangs() {
        let at = |coordinator, results| Heartbeat { coordinator, results };
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut watchdog = Watchdog::new(Duration::from_secs(4), start, at(1, 1));
        assert!(!watchdog.is_due(after(1_900), at(5, 5)), "too early");
        assert!(watchdog.is_due(after(2_000), at(6, 6)));
        assert!(!watchdog.is_due(after(4_000), at(9, 6)), "the result handler hangs");
        assert!(!watchdog.is_due(after(60_000), at(99, 6)));
        assert!(watchdog.is_due(after(60_250), at(99, 7)), "it goes on");
        assert!(!watchdog.is_due(after(60_500), at(100, 8)));
    }
}
