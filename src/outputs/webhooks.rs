//! Webhooks: servers that are told of events, in the form of Standard Webhooks.
//!
//! What is sent comes out of the ledger, in the order of each source, from a place that the ledger keeps: at least once, under
//! the same id each time, whichever side is restarted. Each webhook has a thread, and a few that wait for its server; nothing
//! waits in memory, and counting waits for none of them.

mod backoff;
mod delivery;
mod http;
mod message;
mod options;
mod senders;
mod sign;
mod state;
mod turns;

use std::{io, sync::Arc, time::Instant};

use crossbeam_channel::{Sender, bounded};
use jiff::tz::TimeZone;
use parking_lot::Mutex;

use self::{delivery::Delivery, sign::SigningKey};
pub use self::{
    options::{LedgerProgress, WebhookOptions},
    state::{Outage, WebhookState},
};
use crate::{config::WebhookConfig, native::disk::Disk};

/// The name of a webhook, and what its server answered to a test: an error where that is a refusal.
pub type TestAnswer = (String, Result<String, String>);

/// Whether the secret that signs for `webhook` can be read. Blocks for the disk.
///
/// # Errors
/// Why it cannot, in a sentence without it.
pub fn check_secret(webhook: &WebhookConfig) -> Result<(), String> {
    SigningKey::read(webhook).map(drop)
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
