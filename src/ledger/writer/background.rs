//! What the writer does beside commits, in steps: summing an older ledger, bringing over what a damaged one still
//! holds, removing old crossings. Counting and durability wait for none of it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    Writer,
    retention::{self, Retention},
};
use crate::ledger::{LedgerError, salvage::Salvage, steady::Moment, sums};

/// Crossings summed in one step.
const SUMMED: usize = 5000;

/// A step may take this part of the time: after one that took 20 ms, the next comes 60 ms later.
const PAUSE: u32 = 3;

/// Longest time that the start takes for what a damaged file still holds.
const AT_ONCE: Duration = Duration::from_millis(1500);

/// Work beside commits.
pub struct Background {
    retention: Option<Retention>,
    salvage: Option<Salvage>,
    sums: bool,
    /// When the next step may come.
    at: Instant,
}

impl Background {
    /// Crossings are kept for `retention`.
    pub fn new(retention: Option<Duration>) -> Self {
        let keep = |keep: Duration| Retention::new(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        Self { retention: retention.map(keep), salvage: None, sums: false, at: Instant::now() }
    }

    /// Finds what is left to do in a ledger that was opened.
    pub fn look(&mut self, connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
        let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
        self.sums = sums::cursor(connection).map_err(sql)?.is_some();
        if self.sums {
            tracing::info!(
                "Ledger: older crossings are summed up beside counting; reports take longer until then"
            );
        }
        if self.salvage.is_some() {
            return Ok(());
        }
        let half = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?));
        let half =
            connection.query_row("SELECT aside, page FROM salvage", [], half).optional().map_err(sql)?;
        if let Some((aside, page)) = half {
            let folder = path.parent().unwrap_or(Path::new("."));
            // Somebody may have taken it away: then there is nothing left to bring over.
            self.salvage = Salvage::begin(connection, &folder.join(aside), page).ok();
            if self.salvage.is_none() {
                connection.execute("DELETE FROM salvage", []).map_err(sql)?;
            }
        }
        Ok(())
    }

    /// When there is something to do again: no later than `latest`.
    pub fn wake(&self, latest: Instant) -> Instant {
        if self.sums || self.salvage.is_some() || self.retention.is_some() {
            self.at.min(latest)
        } else {
            latest
        }
    }

    /// Brings over as much as goes fast; whether that was all. New crossings come from the moment `upto` on.
    pub fn salvage_at_once(
        &self,
        connection: &mut Connection,
        salvage: &mut Salvage,
        upto: i64,
    ) -> Result<bool, LedgerError> {
        let begun = Instant::now();
        while salvage.step(connection, upto)? {
            if begun.elapsed() > AT_ONCE {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Brings the rest over step by step.
    pub fn salvage_later(&mut self, salvage: Salvage) {
        self.salvage = Some(salvage);
    }
}

/// What came of it.
pub fn salvaged(salvage: &Salvage) -> String {
    format!("{} crossings of the damaged ledger could be read and were brought over", salvage.crossings)
}

impl Writer {
    /// One step. A disk that refuses is left to the next commit.
    pub fn do_background(&mut self) {
        let begun = Instant::now();
        let more = self.connection.is_some() && self.background_step();
        let pause = if more { begun.elapsed() * PAUSE } else { Duration::from_secs(1) };
        self.background.at = Instant::now() + pause;
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
        let wall = Moment::now(self.options.clock.as_ref()).wall;
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
                tracing::warn!("{error}; it is tried again");
                if error.is_damage() {
                    // The next commit opens it again and finds the damage.
                    self.connection = None;
                }
                false
            }
        }
    }
}
