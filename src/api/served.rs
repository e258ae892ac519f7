//! What is served, and to which callers.

use crate::{
    engine::{Control, EngineApi, Reply, Subscription},
    host::{Host, Settings},
    ledger::report::{Query, Report},
    model::{Action, SourceId},
    protocol::{Reloaded, Version, WebhookStatus, WebhookTest},
};

/// Who asks, for the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAndOrigin {
    /// Name of the user, or of the token.
    pub name: String,
    /// By which way: `socket`, `http` or `nats`.
    pub from: &'static str,
}

/// How the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerState {
    /// Events that are not in it yet.
    pub pending: u64,
    /// Whether it can be written.
    pub is_writable: bool,
}

/// What is served. Everything but [`Self::engine`], [`Self::ledger`], [`Self::webhooks`] and [`Self::subscribe`] may take a while.
pub trait Served: Send + Sync {
    /// What is shown.
    fn engine(&self) -> &dyn EngineApi;
    /// Asks the engine for something, and notes who did.
    fn send(&self, control: Control, who: &UserAndOrigin) -> Reply;
    /// The program around it.
    fn host(&self) -> &dyn Host;
    /// How the ledger is, where there is one.
    fn ledger(&self) -> Option<LedgerState>;
    /// How webhooks do.
    fn webhooks(&self) -> Vec<WebhookStatus>;
    /// Sends a test to the webhook `name`, or to all, on behalf of `who`.
    ///
    /// # Errors
    /// When there is none.
    fn test_webhooks(&self, name: Option<&str>, who: &UserAndOrigin) -> Result<Vec<WebhookTest>, String>;
    /// All events from now on.
    fn subscribe(&self) -> Subscription;
    /// An answer out of the ledger.
    ///
    /// # Errors
    /// Why there is none.
    fn report(&self, query: &Query) -> Result<Report, String>;
    /// What people did from `since` up to but without `until` (milliseconds since the Unix epoch), the oldest first, at most
    /// `limit` of the newest.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn actions(&self, since: i64, until: i64, limit: usize) -> Result<Vec<Action>, String>;
    /// Works out what the configuration file would change, and does it unless `dry_run`.
    ///
    /// # Errors
    /// Every problem of the file, a line each.
    fn reload(&self, dry_run: bool, who: &UserAndOrigin) -> Result<Reloaded, String>;
    /// Writes what differs between `before` and `after` of a source's settings into the configuration file, has it take
    /// effect, and notes who did.
    ///
    /// # Errors
    /// Why the file is as it was.
    fn save_settings(
        &self,
        source: &SourceId,
        before: &Settings,
        after: &Settings,
        who: &UserAndOrigin,
    ) -> Result<String, String>;
    /// Ends the program, by and by.
    fn stop(&self, who: &UserAndOrigin);
    /// Which program it is.
    fn version(&self) -> Version;
    /// Where days begin.
    fn timezone(&self) -> jiff::tz::TimeZone;
}
