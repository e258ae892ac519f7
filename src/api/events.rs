//! Events as they happen, as server-sent events (WHATWG HTML, "Server-sent events").
//!
//! Each has the id `RUN-NUMBER`. Numbers go up by one within a run of the engine; what is left out of them was lost to this reader
//! and is said as an event of its own, `gap`.

use std::{
    fmt::Write as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{body::Body, response::Response};
use hyper::body::{Body as HttpBody, Bytes, Frame};
use tokio::sync::mpsc;

use super::state::State;
use crate::model::{Event, SourceId};

/// How often new ones are polled for.
const POLL: Duration = Duration::from_millis(50);

/// Something is sent at least this often, so that both sides know that the other is there.
const ALIVE: Duration = Duration::from_secs(15);

/// Pieces that wait for their reader.
const ROOM: usize = 16;

/// The stream of the events after the one of the id `last`, or from now on; only those of `source`, where one is given.
pub fn stream(state: Arc<State>, last: Option<String>, source: Option<SourceId>) -> Response {
    let (pieces, received) = mpsc::channel(ROOM);
    tokio::spawn(async move {
        // It ends when nobody reads any more.
        let _ = pump(&state, last.as_deref(), source.as_ref(), &pieces).await;
    });
    super::answer::bytes_of(axum::http::StatusCode::OK, "text/event-stream", Body::new(Pieces(received)))
}

/// Sends what happens.
async fn pump(
    state: &State,
    last: Option<&str>,
    source: Option<&SourceId>,
    pieces: &mpsc::Sender<Bytes>,
) -> Result<(), mpsc::error::SendError<Bytes>> {
    // In this order: what happens in between is in both, and sent once.
    let subscription = state.served.subscribe();
    let recent = state.served.engine().snapshot().events;
    let newest = recent.last().map_or(0, |event| event.number);
    let known = last.map(|id| number(id, &state.run));
    let mut seen = match known {
        None => newest,
        Some(Some(number)) => number.min(newest),
        Some(None) => 0,
    };
    // A comment at once: the reader knows that it is heard. The id says where to go on when nothing happens.
    pieces.send(format!(": events\nid: {}-{seen}\n\n", state.run).into()).await?;
    if known == Some(None) {
        pieces.send(another_run(&state.run)).await?;
    }
    let mut alive = Instant::now();
    let mut waiting: Vec<Arc<Event>> = recent.iter().filter(|event| event.number > seen).cloned().collect();
    loop {
        let mut text = String::new();
        for event in waiting.drain(..) {
            if event.number <= seen {
                continue;
            }
            if event.number > seen + 1 && (seen > 0 || last.is_some()) {
                let (from, to) = (seen + 1, event.number - 1);
                let gap = serde_json::json!({ "from": from, "to": to });
                let _ = writeln!(text, "id: {}-{to}\nevent: gap\ndata: {gap}\n", state.run);
            }
            seen = event.number;
            if source.is_none_or(|source| *source == event.source) {
                text += &shown(&event, &state.run);
            }
        }
        if !text.is_empty() {
            pieces.send(text.into()).await?;
            alive = Instant::now();
        } else if alive.elapsed() >= ALIVE {
            pieces.send(Bytes::from_static(b": nothing new\n\n")).await?;
            alive = Instant::now();
        }
        if state.is_ending() || pieces.is_closed() {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
        waiting.extend(subscription.waiting());
    }
}

/// The number in the id of an event of this run.
fn number(id: &str, run: &str) -> Option<u64> {
    let (of, number) = id.rsplit_once('-')?;
    (of == run).then(|| number.parse().ok())?
}

fn another_run(run: &str) -> Bytes {
    format!("id: {run}-0\nevent: gap\ndata: {{\"run\":\"{run}\"}}\n\n").into()
}

fn shown(event: &Event, run: &str) -> String {
    let Ok(data) = serde_json::to_value(event) else { return String::new() };
    let kind = data["kind"]["type"].as_str().unwrap_or("event");
    format!("id: {run}-{}\nevent: {kind}\ndata: {data}\n\n", event.number)
}

/// A body that comes in pieces.
struct Pieces(mpsc::Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
