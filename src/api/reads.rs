//! The answers of addresses that only look.
#![allow(clippy::result_large_err, reason = "an answer is made once for each request")]

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::State as Shared,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use jiff::Timestamp;
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

use super::{
    answer::{Id, QueryString, Told, bytes_of, json, not_done, refused, waiting, with_status},
    events, logs,
    queries::{AfterUpdate, From, Newer, Past, Since, Span, When},
    state::State,
};
use crate::{
    engine::EngineError,
    ledger::report::{Query as ReportQuery, Step, parse_moment},
    model::{Minute, SourceId},
    protocol::{Done, Readiness, image::PreviewJson},
};

/// Something newer is waited for this long, in seconds.
const PATIENCE: u64 = 30;

/// How often it is polled.
const POLL: std::time::Duration = std::time::Duration::from_millis(50);

/// The moment that `when` means, or, where there is none, `otherwise`.
fn moment(state: &State, when: Option<&When>, otherwise: &str) -> Result<Timestamp, Response> {
    parse_moment(when.map_or(otherwise, |When(text)| text), Timestamp::now(), &state.served.timezone())
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &error.to_string()))
}

fn nobody(id: &str) -> Response {
    refused(StatusCode::NOT_FOUND, &EngineError::UnknownSource(id.into()).to_string())
}

pub async fn health() -> Response {
    json(&Done { said: "the program answers".into() })
}

pub async fn readiness(Shared(state): Shared<Arc<State>>) -> Response {
    let readiness = Readiness::of(&state.served.engine().snapshot());
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    with_status(status, &readiness)
}

pub async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    match state.metrics.fresh() {
        Ok(page) => bytes_of(StatusCode::OK, CONTENT_TYPE, page),
        Err(error) => {
            tracing::error!("The metrics cannot be written: {error}");
            refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the metrics cannot be written; please report it with the log",
            )
        }
    }
}

pub async fn document(Shared(state): Shared<Arc<State>>) -> Response {
    json(&state.document)
}

pub async fn version(Shared(state): Shared<Arc<State>>) -> Response {
    json(&state.served.version())
}

pub async fn snapshot(Shared(state): Shared<Arc<State>>, QueryString(newer): QueryString<Newer>) -> Told {
    let broken = |_| {
        refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the snapshot cannot be written as JSON; please report it with the log",
        )
    };
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(PATIENCE);
    loop {
        let taken = state.snapshots.fresh().map_err(broken)?;
        let is_new = newer.after.is_none_or(|after| after != taken.generation);
        if is_new || tokio::time::Instant::now() >= until || state.is_ending() {
            return Ok(bytes_of(StatusCode::OK, "application/json", taken.bytes));
        }
        tokio::time::sleep(POLL).await;
    }
}

pub async fn stream(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    QueryString(from): QueryString<From>,
) -> Response {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    events::stream(state, last.or(from.after), from.source)
}

pub async fn source(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    let sources = state.served.engine().snapshot().sources;
    let source = sources.iter().find(|source| *source.id == *id).ok_or_else(|| nobody(&id))?;
    Ok(json(&**source))
}

pub async fn source_config(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    let config = state.served.engine().source_config(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&*config))
}

/// The preview of a source.
pub async fn preview_of(state: &State, id: &str) -> Result<Arc<crate::model::Preview>, Response> {
    if state.served.engine().source_config(id).is_none() {
        return Err(nobody(id));
    }
    state
        .previews
        .of(&*state.served, id)
        .await
        .ok_or_else(|| refused(StatusCode::NOT_FOUND, "the source delivers no frames at the moment"))
}

pub async fn preview_jpg(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    let preview = preview_of(&state, &id).await?;
    let jpeg = waiting(Arc::clone(&state.looking), move || PreviewJson::jpeg(&preview))
        .await?
        .map_err(|error| not_done(&error))?;
    Ok(bytes_of(StatusCode::OK, "image/jpeg", jpeg))
}

pub async fn preview(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    let preview = preview_of(&state, &id).await?;
    let shot = waiting(Arc::clone(&state.looking), move || PreviewJson::of(&preview))
        .await?
        .map_err(|error| not_done(&error))?;
    Ok(json(&shot))
}

/// The minutes of a source from one on.
fn minutes(state: &State, id: &str, since: Option<i64>) -> Vec<Minute> {
    let mut minutes = state.served.engine().history(id);
    minutes.retain(|minute| since.is_none_or(|since| minute.minute >= since));
    minutes
}

pub async fn source_history(
    Shared(state): Shared<Arc<State>>,
    Id(id): Id,
    QueryString(asked): QueryString<Since>,
) -> Told {
    state.served.engine().source_config(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&minutes(&state, &id, asked.since)))
}

pub async fn configs(Shared(state): Shared<Arc<State>>) -> Response {
    let engine = state.served.engine();
    let sources = engine.snapshot().sources;
    let configs: Vec<_> = sources.iter().filter_map(|source| engine.source_config(&source.id)).collect();
    json(&configs)
}

pub async fn history(Shared(state): Shared<Arc<State>>, QueryString(asked): QueryString<Since>) -> Response {
    let sources = state.served.engine().snapshot().sources;
    let all: BTreeMap<&SourceId, Vec<Minute>> =
        sources.iter().map(|source| (&source.id, minutes(&state, &source.id, asked.since))).collect();
    json(&all)
}

pub async fn source_events(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    state.served.engine().source_config(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&state.served.engine().events(&id)))
}

pub async fn source_stages(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    state.served.engine().source_config(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&state.served.engine().stage_times(&id)))
}

pub async fn source_paths(
    Shared(state): Shared<Arc<State>>,
    Id(id): Id,
    QueryString(asked): QueryString<AfterUpdate>,
) -> Told {
    let paths = state.served.engine().paths(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&paths.after(asked.after)))
}

pub async fn report(Shared(state): Shared<Arc<State>>, QueryString(past): QueryString<Past>) -> Told {
    let query = ReportQuery {
        since: moment(&state, past.since.as_ref(), "24h")?,
        until: moment(&state, past.until.as_ref(), "0s")?,
        by: past.by.unwrap_or(Step::Hour),
        timezone: state.served.timezone(),
        source: past.camera,
    };
    let report = waiting(Arc::clone(&state.looking), move || state.served.report(&query)).await?;
    report.map(|report| json(&report)).map_err(|error| not_done(&error))
}

pub async fn actions(Shared(state): Shared<Arc<State>>, QueryString(span): QueryString<Span>) -> Told {
    let since = moment(&state, span.since.as_ref(), "24h")?.as_millisecond();
    let until = moment(&state, span.until.as_ref(), "0s")?.as_millisecond();
    let limit = span.limit.unwrap_or(1_000).into();
    // Now is a moment, too.
    let found = waiting(Arc::clone(&state.looking), move || {
        state.served.actions(since, until.saturating_add(1), limit)
    })
    .await?;
    found.map(|actions| json(&actions)).map_err(|error| not_done(&error))
}

pub async fn webhooks(Shared(state): Shared<Arc<State>>) -> Told {
    Ok(json(&state.served.webhooks()))
}

pub async fn log_lines(
    Shared(state): Shared<Arc<State>>,
    QueryString(query): QueryString<logs::Query>,
) -> Told {
    let lines = logs::lines(&state, &query).await;
    lines
        .map(|lines| json(&lines))
        .ok_or_else(|| refused(StatusCode::NOT_FOUND, "nothing is logged in this run"))
}
