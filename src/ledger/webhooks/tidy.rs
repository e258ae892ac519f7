//! Removes what was kept for webhooks alone, once all of them have been told.

use rusqlite::{params_from_iter, types::Value};

use super::WebhookBook;
use crate::{config::WebhookEvent, ledger::LedgerError};

/// Most rows that are removed at once: the thread that counts must not wait for it.
const STEP: i64 = 1000;

impl WebhookBook {
    /// Removes changes of state and limits that happened before `before`, in milliseconds since the Unix epoch, and of which each of
    /// `webhooks` that wants them was told; at most a thousand of each kind. Gives how many. What somebody has still to be told
    /// stays, however old it is.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn tidy(
        &mut self,
        webhooks: &[(String, Vec<WebhookEvent>)],
        before: i64,
    ) -> Result<usize, LedgerError> {
        let mut removed = 0;
        for (event, kind) in [(WebhookEvent::State, "state"), (WebhookEvent::Threshold, "threshold")] {
            let names = webhooks.iter().filter(|(_, events)| events.contains(&event)).map(|(name, _)| name);
            let mut values = vec![Value::from(kind.to_owned()), Value::from(before), Value::from(STEP)];
            let mut told = String::new();
            for name in names {
                values.push(Value::from(name.clone()));
                let name = values.len();
                told.push_str(&is_told(name));
            }
            removed += self
                .connection
                .execute(
                    &format!(
                        "DELETE FROM webhook_events WHERE (session, source, seq) IN (SELECT session, source, seq \
                         FROM webhook_events WHERE kind = ?1 AND wall_ms < ?2{told} LIMIT ?3)"
                    ),
                    params_from_iter(values),
                )
                .map_err(self.sql())?;
        }
        Ok(removed)
    }
}

/// Whether the webhook of parameter `name` was told of a row, or never will be because it began behind it.
fn is_told(name: usize) -> String {
    format!(
        " AND ((session, seq) <= (SELECT session, seq FROM webhook_positions WHERE webhook = ?{name} \
           AND subject = 'source/' || source) \
         OR (session, seq) <= (SELECT session, seq FROM webhooks WHERE name = ?{name}))"
    )
}
