//! Events of nodes: asked for again and again, each time after the last one that came.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use hyper::body::Bytes;
use parking_lot::Mutex;
use serde_json::Value;

use super::asking::NodeAsking;
use crate::{
    fleet::Asker,
    model::SourceId,
    protocol::escaped,
    remote::carrier::{ClientError, Pieces, Request},
};

/// A node waits so long for something to happen, and some more for the way.
const ANSWER: Duration = Duration::from_secs(20);

/// How often it is looked for nodes that have joined.
const LOOK: Duration = Duration::from_secs(5);

/// Pieces that wait for their reader.
const WAITING: usize = 64;

/// The events of one node, as the stream of its API has them.
pub struct EventPieces {
    node: NodeAsking,
    /// The id of the last event that came.
    last: Option<String>,
}

impl EventPieces {
    /// Those after the id that `path` names, or from now on.
    pub fn new(node: NodeAsking, path: &str) -> Self {
        let last = path.split_once("after=").map(|(_, id)| id.split('&').next().unwrap_or(id).to_owned());
        Self { node, last }
    }
}

impl Pieces for EventPieces {
    fn next(&mut self, _: Duration) -> Result<Option<Bytes>, ClientError> {
        let path = match &self.last {
            Some(last) => format!("/events?after={last}"),
            None => "/events".to_owned(),
        };
        let request = Request { is_post: false, path: &path, body: Vec::new() };
        let piece = match self.node.exchange(&request, ANSWER) {
            Ok(response) => response.accepted()?,
            // The node has left; what it counted goes on elsewhere.
            Err(ClientError::NotReached(_)) if self.node.has_ended() => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&piece);
        if let Some(id) = text.lines().rev().find_map(|line| line.strip_prefix("id: ")) {
            self.last = Some(escaped(id));
        }
        Ok(Some(piece))
    }
}

/// The events of all nodes as they come, also of those that join. It has no end.
pub struct ManyPieces {
    pieces: Receiver<Result<Bytes, ClientError>>,
}

/// Under which id the source of a node is shown.
pub type ShownAs = dyn Fn(&str, &SourceId) -> SourceId + Send + Sync;

/// The last event of each node, and whether somebody follows it now.
type Followed = Arc<Mutex<HashMap<Arc<str>, (Option<String>, bool)>>>;

impl ManyPieces {
    /// A thread for each node that `names` tells, which is asked again and again, and one that looks for more. Sources are called as
    /// `shown_as` says.
    ///
    /// # Errors
    /// When the system refuses a thread, or no node can be asked at first.
    pub fn start(
        asker: &Arc<Asker>,
        names: impl Fn() -> Result<Vec<Arc<str>>, ClientError> + Send + 'static,
        shown_as: Arc<ShownAs>,
    ) -> Result<Self, ClientError> {
        let (sender, pieces) = bounded(WAITING);
        let followed = Followed::default();
        let first = names()?;
        let asker = Arc::clone(asker);
        let look = move || {
            let mut found = first;
            loop {
                for name in found {
                    follow(&asker, name, &followed, (&sender, &shown_as));
                }
                std::thread::sleep(LOOK);
                // The reader is gone.
                if sender.send(Ok(Bytes::new())).is_err() {
                    return;
                }
                found = names().unwrap_or_default();
            }
        };
        std::thread::Builder::new()
            .name("remote-events".into())
            .spawn(look)
            .map_err(|error| ClientError::Silent(error.to_string()))?;
        Ok(Self { pieces })
    }
}

/// Follows a node in a thread of its own until it does not answer; it goes on after the last event that came.
fn follow(
    asker: &Arc<Asker>,
    name: Arc<str>,
    followed: &Followed,
    (sender, shown_as): (&Sender<Result<Bytes, ClientError>>, &Arc<ShownAs>),
) {
    let last = {
        let mut all = followed.lock();
        let (last, is_followed) = all.entry(Arc::clone(&name)).or_default();
        if std::mem::replace(is_followed, true) {
            return;
        }
        last.clone()
    };
    let mut node = EventPieces { node: NodeAsking::new(Arc::clone(asker), &name), last };
    let (noted, sender, shown_as) = (Arc::clone(followed), sender.clone(), Arc::clone(shown_as));
    let read = move || {
        while let Ok(Some(piece)) = node.next(ANSWER) {
            if let Some(there) = noted.lock().get_mut(&name) {
                there.0.clone_from(&node.last);
            }
            let piece = renamed(piece, &|id| shown_as(&name, id));
            if sender.send(Ok(piece)).is_err() {
                return;
            }
        }
        if let Some(there) = noted.lock().get_mut(&name) {
            there.1 = false;
        }
    };
    // Where the system refuses a thread, the next look tries again.
    if std::thread::Builder::new().name("remote-events".into()).spawn(read).is_err() {
        tracing::warn!("The events of a node are not followed: the system refuses a thread");
    }
}

/// Events with the ids under which their sources are shown.
fn renamed(piece: Bytes, shown_as: &dyn Fn(&SourceId) -> SourceId) -> Bytes {
    let Ok(text) = std::str::from_utf8(&piece) else { return piece };
    let line = |line: &str| -> Option<String> {
        let mut event: Value = serde_json::from_str(line.strip_prefix("data:")?.trim()).ok()?;
        let id: SourceId = event.get("source")?.as_str()?.into();
        let shown = shown_as(&id);
        if shown == id {
            return None;
        }
        event["source"] = Value::from(&*shown);
        Some(format!("data: {event}\n"))
    };
    let lines = text.split_inclusive('\n').map(|one| line(one).map_or(Cow::Borrowed(one), Cow::Owned));
    lines.collect::<String>().into()
}

impl Pieces for ManyPieces {
    fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, ClientError> {
        match self.pieces.recv_timeout(patience) {
            Ok(piece) => piece.map(Some),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(ClientError::Late(patience)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_its_source_as_the_dashboard_does_and_is_left_alone_otherwise() {
        let text = "id: 7\nevent: crossing\ndata: {\"number\":7,\"source\":\"gate\"}\n\n: still here\n\nid: 8\ndata: {\"gap\":3}\n\n";
        let as_shown = |id: &SourceId| SourceId::from(format!("{id}@hall-1"));
        let named = renamed(Bytes::from(text), &as_shown);
        assert_eq!(named, text.replace("\"gate\"", "\"gate@hall-1\""));
        assert_eq!(renamed(Bytes::from(text), &SourceId::clone), text);
    }
}
