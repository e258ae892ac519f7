//! The metrics of a real service: names, counters that never fall and agree with the ledger, and Prometheus itself, which
//! scrapes and answers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "metrics/counters.rs"]
mod counters;
#[path = "metrics/names.rs"]
mod names;
#[path = "metrics/page.rs"]
mod page;
#[path = "support/prometheus.rs"]
mod prometheus;
#[path = "support/require.rs"]
mod require;
#[path = "metrics/scraped.rs"]
mod scraped;
#[allow(dead_code, reason = "each test binary uses its part")]
#[path = "api/server.rs"]
mod server;
