//! The writer's steps beside commits.

use std::time::Duration;

use super::{Writer, background::salvaged, retention};
use crate::ledger::{LedgerError, clock_check::ClockReading, sums};

/// Crossings summed in one step.
const SUMMED: usize = 5000;

/// A step may take this part of the time: after one that took 20 ms, the next comes 60 ms later.
const PAUSE: u32 = 3;

impl Writer {
    /// One step. A disk that refuses is left to the next commit.
    pub fn do_background(&mut self) {
        let begun = self.now();
        let more = self.connection.is_some() && self.background_step();
        let pause = if more { self.passed_since(begun) * PAUSE } else { Duration::from_secs(1) };
        self.background.at = self.now() + pause;
    }

    fn background_step(&mut self) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let path = &self.options.path;
        let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
        if let Some(salvage) = &mut self.background.salvage {
            let stepped = salvage.step(connection, self.begun.wall);
            let done = matches!(stepped, Ok(false)).then(|| salvaged(salvage));
            if let Some(done) = done {
                self.background.salvage = None;
                self.tell(done);
            }
            return self.went_on(stepped);
        }
        if self.background.sums {
            let summed = sums::sum_more(connection, SUMMED).map_err(sql);
            if matches!(summed, Ok(0)) {
                self.background.sums = false;
                tracing::info!("Ledger: all older crossings are summed up");
            }
            return self.went_on(summed.map(|summed| summed > 0));
        }
        let Some(retention) = &mut self.background.retention else { return false };
        let wall = ClockReading::now(self.options.clock.as_ref()).wall;
        let step = retention.step(connection, &mut self.clock, wall).map_err(sql);
        if let Ok(retention::Step::Warn(warning)) = &step {
            self.tell(warning.clone());
        }
        self.went_on(step.map(|step| step != retention::Step::Idle))
    }

    fn went_on(&mut self, step: Result<bool, LedgerError>) -> bool {
        match step {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!("{error}; retrying");
                if error.is_damage() {
                    // The next commit opens it again and finds the damage.
                    self.connection = None;
                }
                false
            }
        }
    }
}
