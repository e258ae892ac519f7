//! Webhooks: servers that are told of events, in the form of Standard Webhooks.
//!
//! What is sent comes out of the ledger, in the order of each source, from a place that the ledger keeps: at least once, under
//! the same id each time, whichever side is restarted. Each webhook has a thread; nothing waits in memory, and counting
//! waits for none of them.

mod backoff;
mod delivery;
mod http;
mod message;
mod sign;

use std::{io, path::PathBuf, sync::Arc, time::Instant};

use crossbeam_channel::{Sender, bounded};
use jiff::tz::TimeZone;
use parking_lot::Mutex;

use self::delivery::Delivery;
use super::ledger::Ledger;
use crate::{clock::Clock, config::WebhookConfig, model::SourceId, native::disk::Disk};

/// What is said of a source beside its id: alias and location.
pub type Labels = Arc<dyn Fn(&SourceId) -> Option<(String, Option<String>)> + Send + Sync>;

/// The name of a webhook, and what its server answered to a test: an error where that is a refusal.
pub type TestAnswer = (String, Result<String, String>);

/// What the threads of webhooks are given.
#[derive(Clone)]
pub struct WebhookOptions {
    /// The ledger that is being written.
    pub ledger: Arc<Ledger>,
    /// Its file.
    pub path: PathBuf,
    /// Tells alias and location of sources.
    pub labels: Labels,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

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

/// The webhooks of a run. Cheap to clone; when the last clone is dropped, their threads end.
#[derive(Clone)]
pub struct Webhooks(Arc<Vec<Hook>>);

struct Hook {
    webhook: WebhookConfig,
    state: Arc<Mutex<WebhookState>>,
    /// Nothing is ever sent: the thread ends when this is dropped.
    _stop: Sender<()>,
}

impl Webhooks {
    /// No webhook.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::default())
    }

    /// Starts a thread for each of `webhooks`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(webhooks: &[WebhookConfig], options: &WebhookOptions) -> io::Result<Self> {
        let start = |webhook: &WebhookConfig| {
            let state = WebhookState {
                name: webhook.name.clone(),
                server: webhook.place.clone(),
                ..WebhookState::default()
            };
            let state = Arc::new(Mutex::new(state));
            let (stop, stopped) = bounded(0);
            let disk = Disk::start("disk-webhook")?;
            let delivery = Delivery::new(webhook.clone(), options.clone(), disk, Arc::clone(&state));
            std::thread::Builder::new().name("webhook".into()).spawn(move || delivery.run(&stopped))?;
            Ok(Hook { webhook: webhook.clone(), state, _stop: stop })
        };
        Ok(Self(Arc::new(webhooks.iter().map(start).collect::<io::Result<_>>()?)))
    }

    /// How each of them does.
    #[must_use]
    pub fn states(&self) -> Vec<WebhookState> {
        self.0.iter().map(|hook| hook.state.lock().clone()).collect()
    }

    /// Sends a signed message of the type `test` to the webhook `name`, or to all, at `wall` in milliseconds since the Unix
    /// epoch; gives the name of each, and what its server answered, as an error where that is a refusal. Blocks for the files of
    /// secrets, and up to 15 seconds in all for the servers.
    ///
    /// # Errors
    /// When there is no webhook of this name, or none at all.
    pub fn test(&self, name: Option<&str>, wall: i64) -> Result<Vec<TestAnswer>, String> {
        let wanted = |hook: &&Hook| name.is_none_or(|name| hook.webhook.name == name);
        let hooks: Vec<&Hook> = self.0.iter().filter(wanted).collect();
        match (name, hooks.is_empty()) {
            (Some(name), true) => {
                let known: Vec<&str> = self.0.iter().map(|hook| &*hook.webhook.name).collect();
                return Err(format!("there is no webhook '{name}'; there are: {}", known.join(", ")));
            }
            (None, true) => {
                return Err(
                    "there are no webhooks; name some under 'webhooks' in the configuration file".into()
                );
            }
            _ => {}
        }
        let test = |webhook: &WebhookConfig| http::test(webhook, wall);
        Ok(std::thread::scope(|scope| {
            let start = |hook: &Hook| {
                let webhook = hook.webhook.clone();
                let named = std::thread::Builder::new().name("webhook-test".into());
                (hook.webhook.name.clone(), named.spawn_scoped(scope, move || test(&webhook)))
            };
            let running: Vec<_> = hooks.into_iter().map(start).collect();
            let answer =
                |(name, running): (String, std::io::Result<std::thread::ScopedJoinHandle<'_, _>>)| {
                    let answer = match running {
                        Ok(running) => running.join().unwrap_or_else(|_| Err("the test has failed".into())),
                        Err(error) => Err(format!("the system refuses a thread: {error}")),
                    };
                    (name, answer)
                };
            running.into_iter().map(answer).collect()
        }))
    }

    /// What the user should know, as of `now`, with times in `timezone`.
    #[must_use]
    pub fn notices(&self, now: Instant, timezone: &TimeZone) -> Vec<String> {
        self.states().iter().flat_map(|state| state.notices(now, timezone)).collect()
    }
}

impl WebhookState {
    fn notices(&self, now: Instant, timezone: &TimeZone) -> Vec<String> {
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
