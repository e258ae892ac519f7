//! Previews are made while somebody fetches them.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::Served;
use crate::{
    engine::Control,
    model::{Preview, SourceId},
};

/// A source that nobody has asked for for this long has no preview made any more.
const KEPT: Duration = Duration::from_secs(6);

/// The first one is there after this long, or the source gives no frames.
const FIRST: Duration = Duration::from_secs(3);

/// How often it is polled for.
const POLL: Duration = Duration::from_millis(50);

type Wanted = Arc<Mutex<HashMap<SourceId, Instant>>>;

/// Which sources have a preview made for the API.
pub struct Previews {
    wanted: Wanted,
}

impl Previews {
    /// None yet. To be called inside the runtime.
    pub fn start(served: &Arc<dyn Served>, mut ended: watch::Receiver<bool>) -> Self {
        let wanted = Wanted::default();
        let (served, kept) = (Arc::clone(served), Arc::clone(&wanted));
        tokio::spawn(async move {
            while tokio::time::timeout(KEPT / 4, ended.wait_for(|ended| *ended)).await.is_err() {
                let old = |at: &Instant| at.elapsed() >= KEPT;
                kept.lock().retain(|id, at| {
                    if old(at) {
                        drop(served.engine().send(Control::preview(id.clone(), false)));
                    }
                    !old(at)
                });
            }
        });
        Self { wanted }
    }

    /// The preview of a source, which is made from now on; `None` where the source gives no frames.
    pub async fn of(&self, served: &dyn Served, source: &str) -> Option<Arc<Preview>> {
        let is_new = self.wanted.lock().insert(source.into(), Instant::now()).is_none();
        if is_new {
            drop(served.engine().send(Control::preview(source.into(), true)));
        }
        let begun = Instant::now();
        loop {
            if let Some(preview) = served.engine().preview(source) {
                return Some(preview);
            }
            if begun.elapsed() >= FIRST {
                // The next one asks again: the source may be another one of the same id by then.
                if self.wanted.lock().remove(source).is_some() {
                    drop(served.engine().send(Control::preview(source.into(), false)));
                }
                return None;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
