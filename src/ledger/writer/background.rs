//! What the writer does beside commits, in steps: summing an older ledger, bringing over what a damaged one still
//! holds, removing old crossings. Counting and durability wait for none of it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension as _};

use super::retention::Retention;
use crate::{
    clock::Clock,
    ledger::{LedgerError, salvage::Salvage, sums},
};

/// Longest time that the start takes for what a damaged file still holds.
const AT_ONCE: Duration = Duration::from_millis(1500);

/// Work beside commits.
pub struct Background {
    pub(super) retention: Option<Retention>,
    pub(super) salvage: Option<Salvage>,
    pub(super) sums: bool,
    /// When the next step may come.
    pub(super) at: Instant,
}

impl Background {
    /// Crossings are kept for `retention`; the first step may come `at` once.
    pub fn new(retention: Option<Duration>, at: Instant) -> Self {
        let keep = |keep: Duration| Retention::new(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        Self { retention: retention.map(keep), salvage: None, sums: false, at }
    }

    /// Finds what is left to do in a ledger that was opened.
    pub fn look(&mut self, connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
        let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
        self.sums = sums::cursor(connection).map_err(sql)?.is_some();
        if self.sums {
            tracing::info!(
                "Ledger: older crossings are being summed up in the background; until that is done, reports \
                 take longer"
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

    /// Brings over as much as goes fast by `clock`; whether that was all. New crossings come from the moment `upto` on.
    pub fn salvage_at_once(
        connection: &mut Connection,
        salvage: &mut Salvage,
        upto: i64,
        clock: &dyn Clock,
    ) -> Result<bool, LedgerError> {
        let begun = clock.now();
        while salvage.step(connection, upto)? {
            if clock.now().saturating_duration_since(begun) > AT_ONCE {
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
    format!("{} crossings were recovered from the damaged ledger", salvage.crossings)
}
