//! The same answers to requests that come by another way than a socket: whole ones, for nobody there reads a stream.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderValue, Method, Request, StatusCode, Uri, header},
    response::Response,
};
use http_body_util::{BodyExt as _, Limited};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Duration, Instant, timeout_at},
};
use tower::ServiceExt as _;

use super::{UserAndOrigin, access::Caller, answer::refused};
use crate::protocol::{PREFIX, ask::Question};

/// Requests that wait to be taken.
const WAITING: usize = 64;

/// Longest answer, in bytes.
const MOST_ANSWER: usize = 32 << 20;

/// Events that have not happened yet are waited for so long.
const EVENTS: Duration = Duration::from_secs(10);

/// What happens shortly after an event comes with it.
const TOGETHER: Duration = Duration::from_millis(100);

/// A request.
#[derive(Debug, Clone)]
pub struct DoorRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The address, with what stands behind the `?`.
    pub path: String,
    /// Who asks.
    pub who: UserAndOrigin,
    /// Whether it may do more than look.
    pub may_order: bool,
    /// The body, in JSON; empty where there is none.
    pub body: Bytes,
}

/// The answer to it.
#[derive(Debug, Clone)]
pub struct DoorAnswer {
    /// Status of HTTP.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

type Waiting = (DoorRequest, oneshot::Sender<DoorAnswer>);

/// Where requests are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    sender: mpsc::Sender<Waiting>,
}

/// The other side of it.
pub struct Doorkeeper {
    requests: mpsc::Receiver<Waiting>,
}

impl Door {
    /// A door that a keeper has to open.
    pub fn new() -> (Self, Doorkeeper) {
        let (sender, requests) = mpsc::channel(WAITING);
        (Self { sender }, Doorkeeper { requests })
    }

    /// The answer to `request`. It is worked out by the thread of the API.
    pub async fn ask(&self, request: DoorRequest) -> DoorAnswer {
        let (answer, answered) = oneshot::channel();
        let is_taken = self.sender.send((request, answer)).await.is_ok();
        match answered.await {
            Ok(answer) if is_taken => answer,
            _ => DoorAnswer {
                status: StatusCode::SERVICE_UNAVAILABLE.as_u16(),
                body: Bytes::from_static(br#"{"error":"the program is shutting down"}"#),
            },
        }
    }
}

impl Doorkeeper {
    /// Answers with `router` until the door is closed, each request in a task of its own.
    pub async fn serve(mut self, router: Router) {
        while let Some((request, answer)) = self.requests.recv().await {
            let router = router.clone();
            tokio::spawn(async move {
                // One who does not wait any more needs no answer.
                let _ = answer.send(whole(respond(router, request).await).await);
            });
        }
    }
}

async fn respond(router: Router, request: DoorRequest) -> Response {
    let (Ok(method), Ok(address)) = (request.method.parse::<Method>(), request.path.parse::<Uri>()) else {
        return refused(StatusCode::BAD_REQUEST, "this is no address of the API");
    };
    if !request.may_order && !only_reads(&method, &address, &request.body) {
        return refused(
            StatusCode::FORBIDDEN,
            "this changes something, and was sent where one may only look",
        );
    }
    let mut asked = Request::new(Body::from(request.body));
    (*asked.method_mut(), *asked.uri_mut()) = (method, address);
    asked.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    asked.extensions_mut().insert(Caller(Some(request.who)));
    let Ok(response) = router.oneshot(asked).await;
    response
}

/// Whether a request changes nothing: also a question that dashboards ask to show what was counted.
fn only_reads(method: &Method, address: &Uri, body: &Bytes) -> bool {
    let is_ask = || address.path().strip_prefix(PREFIX) == Some("/ask");
    match *method {
        Method::GET => true,
        Method::POST if is_ask() => {
            serde_json::from_slice::<Question>(body).is_ok_and(|question| question.only_reads())
        }
        _ => false,
    }
}

/// The whole of a response; of a stream, what has come when something has.
async fn whole(response: Response) -> DoorAnswer {
    let status = response.status().as_u16();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return DoorAnswer { status, body: begin(response.into_body()).await.into() };
    }
    if let Ok(body) = Limited::new(response.into_body(), MOST_ANSWER).collect().await {
        return DoorAnswer { status, body: body.to_bytes() };
    }
    let said = format!("the answer is longer than {MOST_ANSWER} bytes; ask for less at a time");
    let body = serde_json::json!({ "error": said }).to_string().into();
    DoorAnswer { status: StatusCode::INSUFFICIENT_STORAGE.as_u16(), body }
}

/// The begin of a stream of events: up to the first that happen, or until it is known that none do.
async fn begin(mut body: Body) -> Vec<u8> {
    let mut end = Instant::now() + EVENTS;
    let mut text: Vec<u8> = Vec::new();
    while let Ok(Some(Ok(frame))) = timeout_at(end, body.frame()).await {
        let Ok(piece) = frame.into_data() else { continue };
        text.extend_from_slice(&piece);
        if piece.windows(5).any(|five| five == b"data:") {
            end = end.min(Instant::now() + TOGETHER);
        }
        if text.len() > MOST_ANSWER {
            break;
        }
    }
    text
}
