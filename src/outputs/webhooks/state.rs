//! How a webhook does, and what is said of it.

use std::time::Instant;

use jiff::tz::TimeZone;

/// How a webhook does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WebhookState {
    /// Its name.
    pub name: String,
    /// Scheme, host and port of its server.
    pub server: String,
    /// Events that were accepted since the start.
    pub accepted: u64,
    /// Attempts that failed since the start.
    pub failed: u64,
    /// Events that it has not been told, as of the last time they were counted.
    pub pending: u64,
    /// Crossings that were removed from the ledger before it could be told.
    pub skipped: u64,
    /// When the last event was accepted, in milliseconds since the Unix epoch.
    pub last_success: Option<i64>,
    /// Since when it fails, in milliseconds since the Unix epoch, why, and when the next attempt is.
    pub outage: Option<Outage>,
    /// Whether the server has said that it is gone for ever: nothing more is sent until the next start.
    pub is_gone: bool,
}

/// Why nothing is delivered at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// Since when, in milliseconds since the Unix epoch.
    pub since: i64,
    /// Why.
    pub problem: String,
    /// When the next attempt is.
    pub next: Instant,
}

impl WebhookState {
    /// What the user should know, as of `now`, with times in `timezone`.
    pub(super) fn notices(&self, now: Instant, timezone: &TimeZone) -> Vec<String> {
        let name = &self.name;
        let mut said = Vec::new();
        if self.is_gone {
            said.push(format!(
                "Webhook '{name}' is stopped: its server says that it is gone for ever (410); remove it from the \
                 configuration, or restart the program when the server is back"
            ));
        } else if let Some(Outage { since, problem, next }) = &self.outage {
            let since = jiff::Timestamp::from_millisecond(*since).unwrap_or_default();
            let since = since.to_zoned(timezone.clone()).strftime("%H:%M").to_string();
            let seconds = next.saturating_duration_since(now).as_secs();
            let behind = match self.pending {
                1 => "1 event".to_owned(),
                pending => format!("{} events", grouped(pending)),
            };
            said.push(format!(
                "Webhook '{name}' is behind by {behind} since {since}: {problem}; next attempt in {seconds} s"
            ));
        }
        if self.skipped > 0 {
            said.push(format!(
                "Webhook '{name}' was not told of {} crossings, which 'ledger_retention' has removed before",
                grouped(self.skipped)
            ));
        }
        said
    }
}

/// `1204` as `1,204`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_webhook_that_is_behind_is_said_with_its_reason_and_the_next_attempt() {
        let now = Instant::now();
        let mut state = WebhookState { name: "till".into(), pending: 1204, ..WebhookState::default() };
        assert_eq!(state.notices(now, &TimeZone::UTC), [""; 0]);
        state.outage = Some(Outage {
            since: 50_520_000,
            problem: "connection refused".into(),
            next: now + Duration::from_secs(40),
        });
        assert_eq!(
            state.notices(now, &TimeZone::UTC),
            [
                "Webhook 'till' is behind by 1,204 events since 14:02: connection refused; next attempt in 40 s"
            ]
        );
        (state.is_gone, state.skipped) = (true, 1_000_000);
        let said = state.notices(now, &TimeZone::UTC);
        assert!(said[0].contains("gone for ever") && said[1].contains("1,000,000 crossings"), "{said:?}");
    }
}
