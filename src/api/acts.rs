//! The answers of addresses that change something, or ask for what only the owner and the holders of tokens may ask.
#![allow(clippy::result_large_err, reason = "an answer is made once for each request")]

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::State as Shared,
    http::{Request, StatusCode},
    response::Response,
};

use super::{
    UserAndOrigin,
    access::Caller,
    answer::{QueryString, Told, body_of, json, not_done, refused, waiting, with_status},
    queries::{DryRun, WhichWebhook},
    questions,
    state::State,
};
use crate::{
    engine::EngineError,
    protocol::{Done, ask::Question, order::Order},
};

/// What an order waits for at most: the detection run that is on, in seconds.
const PATIENCE: u64 = 30;

/// How often it is checked for completion.
const POLL: std::time::Duration = std::time::Duration::from_millis(10);

/// Who asks; everybody who may do more than look has a name.
fn name_of(caller: &Caller) -> Result<UserAndOrigin, Response> {
    caller.0.clone().ok_or_else(|| refused(StatusCode::UNAUTHORIZED, "without a token the API is read-only"))
}

pub async fn control(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Told {
    let who = name_of(&caller)?;
    let order: Order = body_of(request).await?;
    // An entry may name files, which are read.
    let sent = waiting(Arc::clone(&state.acting), {
        let state = Arc::clone(&state);
        move || Ok::<_, String>(state.served.send(order.control()?, &who))
    });
    let reply = sent.await?.map_err(|error| not_done(&error))?;
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(PATIENCE);
    loop {
        match reply.poll() {
            Some(Ok(())) => return Ok(json(&Done { said: "done".into() })),
            Some(Err(error @ (EngineError::UnknownSource(_) | EngineError::UnknownArea(_)))) => {
                return Err(refused(StatusCode::NOT_FOUND, &error.to_string()));
            }
            Some(Err(error @ EngineError::NotOpened { .. })) => {
                return Ok(json(&Done { said: error.to_string() }));
            }
            Some(Err(error)) => return Err(not_done(&error.to_string())),
            None if tokio::time::Instant::now() >= until => {
                let said = "accepted; it takes effect when the detection run in progress has ended".into();
                return Ok(with_status(StatusCode::ACCEPTED, &Done { said }));
            }
            None => tokio::time::sleep(POLL).await,
        }
    }
}

pub async fn ask(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Told {
    let who = name_of(&caller)?;
    let question: Question = body_of(request).await?;
    let answer =
        waiting(Arc::clone(&state.acting), move || questions::answer(&*state.served, question, &who)).await?;
    answer.map(|answer| json(&answer)).map_err(|error| not_done(&error))
}

pub async fn reload(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    QueryString(asked): QueryString<DryRun>,
) -> Told {
    let who = name_of(&caller)?;
    let reloaded =
        waiting(Arc::clone(&state.acting), move || state.served.reload(asked.dry_run, &who)).await?;
    reloaded.map(|reloaded| json(&reloaded)).map_err(|error| not_done(&error))
}

pub async fn test_webhooks(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    QueryString(asked): QueryString<WhichWebhook>,
) -> Told {
    let who = name_of(&caller)?;
    let tested =
        waiting(Arc::clone(&state.acting), move || state.served.test_webhooks(asked.name.as_deref(), &who))
            .await?;
    tested.map(|tested| json(&tested)).map_err(|error| not_done(&error))
}

pub async fn stop(Shared(state): Shared<Arc<State>>, Extension(caller): Extension<Caller>) -> Told {
    let who = name_of(&caller)?;
    waiting(Arc::clone(&state.acting), move || state.served.stop(&who)).await?;
    Ok(with_status(StatusCode::ACCEPTED, &Done { said: "the program is shutting down".into() }))
}
