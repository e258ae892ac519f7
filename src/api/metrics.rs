//! What Prometheus scrapes: gathered and written when it asks, once for all who ask within a moment.

mod families;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::body::Bytes;
use parking_lot::Mutex;
use prometheus_client::{encoding::prometheus_text, registry::Registry};

use self::families::Gathered;
use super::Served;

/// A page is as of now for this long.
const FRESH: Duration = Duration::from_millis(100);

/// The latest page.
pub struct MetricsPage {
    served: Arc<dyn Served>,
    last: Mutex<Option<(Instant, Bytes)>>,
}

impl MetricsPage {
    /// None yet.
    pub fn new(served: Arc<dyn Served>) -> Self {
        Self { served, last: Mutex::default() }
    }

    /// The page as of now, in the text format of Prometheus.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn fresh(&self) -> Result<Bytes, fmt::Error> {
        let mut last = self.last.lock();
        let now = Instant::now();
        if let Some((at, page)) = last.as_ref()
            && now.saturating_duration_since(*at) < FRESH
        {
            return Ok(page.clone());
        }
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Gathered::now(&*self.served)));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry)?;
        let page = Bytes::from(text);
        *last = Some((now, page.clone()));
        Ok(page)
    }
}
