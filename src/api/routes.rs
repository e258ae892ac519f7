//! Every address, with what it answers: one list, of which both the router and the document are made.
#![allow(clippy::result_large_err, reason = "an answer is made once for each request")]

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    extract::State as Shared,
    http::{HeaderMap, Request, StatusCode},
    response::Response,
    routing::{MethodRouter, get, post},
};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{
    Who,
    access::Caller,
    answer::{Asked, Id, body_of, bytes_of, json, not_done, refused, waiting, with_status},
    asked, events, logs,
    state::State,
};
use crate::{
    engine::EngineError,
    ledger::report::{Query as ReportQuery, Report, Step, parse_moment},
    metrics::stages::Spent,
    model::{Action, EngineSnapshot, Event, Minute, SourceId, SourceSnapshot},
    protocol::{
        Done, Lines, PREFIX, Readiness, Refused, Reloaded, Version,
        ask::{Answer, Question},
        order::Order,
        picture::Shot,
    },
};

/// What an order waits for at most: the detection run that is on, in seconds.
const PATIENCE: u64 = 30;

/// How often is looked whether it is done.
const LOOK: std::time::Duration = std::time::Duration::from_millis(10);

/// What an answer holds.
pub enum Content {
    /// JSON of this type.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// Bytes of this kind.
    Bytes(&'static str),
}

/// A possible answer.
pub struct Possible {
    pub status: u16,
    pub about: &'static str,
    pub content: Content,
}

/// Parameters of an address.
pub struct Parameters {
    /// Names in the path, with what they are.
    pub path: &'static [(&'static str, &'static str)],
    /// What may stand behind the `?`: the properties of this type.
    pub query: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// Headers, with what they are.
    pub headers: &'static [(&'static str, &'static str)],
}

/// An address and what it does.
pub struct Route {
    pub is_post: bool,
    pub path: String,
    /// Its name in the document.
    pub name: &'static str,
    pub about: &'static str,
    pub parameters: Parameters,
    pub body: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub answers: Vec<Possible>,
    handler: MethodRouter<Arc<State>>,
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn properties<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.root_schema_for::<T>()
}

const NO_PARAMETERS: Parameters = Parameters { path: &[], query: None, headers: &[] };

const SOURCE: &[(&str, &str)] = &[("id", "Id of the source.")];

fn of_source(query: Option<fn(&mut SchemaGenerator) -> Schema>) -> Parameters {
    Parameters { path: SOURCE, query, headers: &[] }
}

fn with_query<T: JsonSchema>() -> Parameters {
    Parameters { query: Some(properties::<T>), ..NO_PARAMETERS }
}

impl Route {
    fn get(path: &str, name: &'static str, about: &'static str, handler: MethodRouter<Arc<State>>) -> Self {
        let path = path.to_owned();
        Self {
            is_post: false,
            path,
            name,
            about,
            parameters: NO_PARAMETERS,
            body: None,
            answers: Vec::new(),
            handler,
        }
    }

    fn post(path: &str, name: &'static str, about: &'static str, handler: MethodRouter<Arc<State>>) -> Self {
        Self { is_post: true, ..Self::get(path, name, about, handler) }
    }

    fn asks(self, parameters: Parameters) -> Self {
        Self { parameters, ..self }
    }

    fn takes<T: JsonSchema>(self) -> Self {
        Self { body: Some(schema::<T>), ..self }
    }

    fn gives<T: JsonSchema>(self, status: u16, about: &'static str) -> Self {
        self.may(status, about, Content::Json(schema::<T>))
    }

    fn may(mut self, status: u16, about: &'static str, content: Content) -> Self {
        self.answers.push(Possible { status, about, content });
        self
    }
}

/// All of them.
pub fn routes() -> Vec<Route> {
    let at = |path: &str| format!("{PREFIX}{path}");
    let unknown = "There is no such source.";
    vec![
        Route::get("/healthz", "health", "The process answers.", get(health)).gives::<Done>(200, "It does."),
        Route::get("/readyz", "readiness", "Whether counts are safe.", get(readiness))
            .gives::<Readiness>(200, "They are.")
            .gives::<Readiness>(503, "They are in danger, for these reasons."),
        Route::get(&at("/openapi.json"), "document", "This document.", get(document))
            .gives::<serde_json::Map<String, serde_json::Value>>(200, "It."),
        Route::get(&at("/version"), "version", "Which program answers.", get(version))
            .gives::<Version>(200, "This one."),
        Route::get(
            &at("/snapshot"),
            "snapshot",
            "Everything that is shown, as of now or as soon as it has changed.",
            get(snapshot),
        )
        .asks(with_query::<Newer>())
        .gives::<EngineSnapshot>(200, "Everything."),
        Route::get(
            &at("/events"),
            "events",
            "What happens, as server-sent events: crossings, suppressed crossings, changes of state. \
             Each has an id of the run and a number; a 'gap' says that numbers are missing.",
            get(stream),
        )
        .asks(Parameters {
            query: Some(properties::<From>),
            headers: &[(
                "Last-Event-ID",
                "The id of the last event that is known: those after it come first.",
            )],
            ..NO_PARAMETERS
        })
        .may(200, "The events.", Content::Bytes("text/event-stream")),
        Route::get(&at("/sources/{id}"), "source", "All that is shown of a source.", get(source))
            .asks(of_source(None))
            .gives::<SourceSnapshot>(200, "All of it.")
            .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/config"),
            "source_config",
            "The settings of a source as it runs, without secrets.",
            get(source_config),
        )
        .asks(of_source(None))
        .gives::<crate::config::SourceConfig>(200, "The settings.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/preview.jpg"),
            "preview_jpg",
            "The latest frame of a source. It is made while somebody fetches it.",
            get(preview_jpg),
        )
        .asks(of_source(None))
        .may(200, "The frame.", Content::Bytes("image/jpeg"))
        .gives::<Refused>(404, "There is no such source, or it gives no frames."),
        Route::get(&at("/sources/{id}/preview"), "preview", "The same with the tracks in it.", get(preview))
            .asks(of_source(None))
            .gives::<Shot>(200, "Frame and tracks.")
            .gives::<Refused>(404, "There is no such source, or it gives no frames."),
        Route::get(
            &at("/sources/{id}/history"),
            "source_history",
            "Minutes of a source, the oldest first; without a minute there was no program.",
            get(source_history),
        )
        .asks(of_source(Some(properties::<Since>)))
        .gives::<Vec<Minute>>(200, "The minutes.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/events"),
            "source_events",
            "The latest events of a source, the oldest first.",
            get(source_events),
        )
        .asks(of_source(None))
        .gives::<Vec<Event>>(200, "The events.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/stages"),
            "source_stages",
            "CPU time of a source by stage.",
            get(source_stages),
        )
        .asks(of_source(None))
        .gives::<Vec<Spent>>(200, "The stages, in the order of a frame.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/paths"),
            "source_paths",
            "The tracks of the last minutes, packed for the line editor.",
            get(source_paths),
        )
        .asks(of_source(Some(properties::<AfterLook>)))
        .gives::<serde_json::Map<String, serde_json::Value>>(200, "The tracks.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/config"),
            "config",
            "The settings of all sources as they run, without secrets.",
            get(configs),
        )
        .gives::<Vec<crate::config::SourceConfig>>(200, "The settings, in the order of the sources."),
        Route::get(&at("/history"), "history", "Minutes of all sources, by id.", get(history))
            .asks(with_query::<Since>())
            .gives::<std::collections::BTreeMap<SourceId, Vec<Minute>>>(200, "The minutes."),
        Route::get(&at("/report"), "report", "Past counts out of the ledger.", get(report))
            .asks(with_query::<Past>())
            .gives::<Report>(200, "The counts.")
            .gives::<Refused>(400, "The question is none.")
            .gives::<Refused>(409, "The ledger cannot answer, for this reason."),
        Route::get(
            &at("/actions"),
            "actions",
            "What people did with the program, with who and when; the oldest first.",
            get(actions),
        )
        .asks(with_query::<Span>())
        .gives::<Vec<Action>>(200, "The actions.")
        .gives::<Refused>(400, "The question is none.")
        .gives::<Refused>(409, "The ledger cannot answer, for this reason."),
        Route::get(
            &at("/logs"),
            "logs",
            "The latest lines of the log, filtered, searched, followed.",
            get(log_lines),
        )
        .asks(with_query::<logs::Query>())
        .gives::<Lines>(200, "The lines.")
        .gives::<Refused>(404, "Nothing is logged."),
        Route::post(
            &at("/control"),
            "control",
            "Asks the engine for something; answered when it has taken effect or was refused.",
            post(control),
        )
        .takes::<Order>()
        .gives::<Done>(200, "It is done.")
        .gives::<Done>(202, "It waits for a detection run that takes long.")
        .gives::<Refused>(404, unknown)
        .gives::<Refused>(409, "It was refused, for this reason."),
        Route::post(
            &at("/ask"),
            "ask",
            "Asks the program around the engine for something, as dashboards do.",
            post(ask),
        )
        .takes::<Question>()
        .gives::<Answer>(200, "The answer.")
        .gives::<Refused>(409, "There is none, for this reason."),
        Route::post(
            &at("/reload"),
            "reload",
            "Takes over what has changed in the configuration file.",
            post(reload),
        )
        .asks(with_query::<DryRun>())
        .gives::<Reloaded>(200, "What has changed.")
        .gives::<Refused>(409, "The file has problems, a line each, and nothing was changed."),
        Route::post(&at("/stop"), "stop", "Ends the program, with everything kept.", post(stop))
            .gives::<Done>(202, "It is ending."),
    ]
}

/// The router of all of them.
pub fn router(state: Arc<State>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let handler = route.handler.fallback(no_method);
        router = router.route(&route.path, handler);
    }
    router.fallback(no_address).with_state(state)
}

async fn no_address() -> Response {
    refused(
        StatusCode::NOT_FOUND,
        "there is nothing at this address; /api/v1/openapi.json lists what there is",
    )
}

async fn no_method(request: Request<Body>) -> Response {
    // Every address is for one method, and HEAD beside GET.
    let is_post = routes().iter().any(|route| route.is_post && route.path == request.uri().path());
    let allowed = if is_post { "POST" } else { "GET, HEAD" };
    let said = format!("this address is for {allowed}");
    let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, &said);
    response.headers_mut().insert(axum::http::header::ALLOW, axum::http::HeaderValue::from_static(allowed));
    response
}

/// Wait for something newer.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Newer {
    /// Waits at most 30 s for a snapshot of a later generation than this.
    after: Option<u64>,
}

/// From where on.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct From {
    /// The same as the header `Last-Event-ID`.
    after: Option<String>,
    /// Only those of this source.
    source: Option<SourceId>,
}

/// From which minute on.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Since {
    /// The first minute that is wanted, in minutes since the Unix epoch.
    since: Option<i64>,
}

/// Only what is new.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AfterLook {
    /// The time of the last look that is known.
    after: Option<f64>,
}

/// Whether to do it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DryRun {
    /// Only works out what would change.
    #[serde(default)]
    dry_run: bool,
}

/// Which past counts.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Past {
    /// From when on: how long ago (`24h`, `7d`), a day or a moment; 24 hours ago unless told.
    since: Option<When>,
    /// Until when, in the same forms; now unless told.
    until: Option<When>,
    /// Length of a row: by the hour unless told.
    by: Option<Step>,
    /// Only this source.
    camera: Option<SourceId>,
}

/// Which actions.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Span {
    /// From when on: how long ago (`24h`, `7d`), a day or a moment; 24 hours ago unless told.
    since: Option<When>,
    /// Until when, in the same forms; now unless told.
    until: Option<When>,
    /// At most so many, the newest; 1000 unless told.
    limit: Option<u16>,
}

/// How long ago, a day, or a moment.
#[derive(Debug, Deserialize, Serialize)]
struct When(String);

impl JsonSchema for When {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "string", "pattern": "^(0|([0-9]{1,4}(s|m|min|h|d|w) ?){1,4})$" },
                { "type": "string", "format": "date" },
                { "type": "string", "format": "date-time" },
            ]
        })
    }
}

type Told = Result<Response, Response>;

/// The moment that `when` means, or, where there is none, `otherwise`.
fn moment(state: &State, when: Option<&When>, otherwise: &str) -> Result<Timestamp, Response> {
    parse_moment(when.map_or(otherwise, |When(text)| text), Timestamp::now(), &state.served.timezone())
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &error.to_string()))
}

fn nobody(id: &str) -> Response {
    refused(StatusCode::NOT_FOUND, &EngineError::UnknownSource(id.into()).to_string())
}

async fn health() -> Response {
    json(&Done { said: "the program answers".into() })
}

async fn readiness(Shared(state): Shared<Arc<State>>) -> Response {
    let readiness = Readiness::of(&state.served.engine().snapshot());
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    with_status(status, &readiness)
}

async fn document(Shared(state): Shared<Arc<State>>) -> Response {
    json(&state.document)
}

async fn version(Shared(state): Shared<Arc<State>>) -> Response {
    json(&state.served.version())
}

async fn snapshot(Shared(state): Shared<Arc<State>>, Asked(newer): Asked<Newer>) -> Told {
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
        tokio::time::sleep(LOOK * 5).await;
    }
}

async fn stream(Shared(state): Shared<Arc<State>>, headers: HeaderMap, Asked(from): Asked<From>) -> Response {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    events::stream(state, last.or(from.after), from.source)
}

async fn source(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    let sources = state.served.engine().snapshot().sources;
    let source = sources.iter().find(|source| *source.id == *id).ok_or_else(|| nobody(&id))?;
    Ok(json(&**source))
}

async fn source_config(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    let config = state.served.engine().source_config(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&*config))
}

/// The preview of a source.
async fn preview_of(state: &State, id: &str) -> Result<Arc<crate::model::Preview>, Response> {
    if state.served.engine().source_config(id).is_none() {
        return Err(nobody(id));
    }
    state
        .previews
        .of(&*state.served, id)
        .await
        .ok_or_else(|| refused(StatusCode::NOT_FOUND, "the source gives no frames now"))
}

async fn preview_jpg(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    let preview = preview_of(&state, &id).await?;
    let jpeg = waiting(Arc::clone(&state.looking), move || Shot::jpeg(&preview))
        .await?
        .map_err(|error| not_done(&error))?;
    Ok(bytes_of(StatusCode::OK, "image/jpeg", jpeg))
}

async fn preview(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    let preview = preview_of(&state, &id).await?;
    let shot = waiting(Arc::clone(&state.looking), move || Shot::of(&preview))
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

async fn source_history(Shared(state): Shared<Arc<State>>, Id(id): Id, Asked(asked): Asked<Since>) -> Told {
    state.served.engine().source_config(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&minutes(&state, &id, asked.since)))
}

async fn configs(Shared(state): Shared<Arc<State>>) -> Response {
    let engine = state.served.engine();
    let sources = engine.snapshot().sources;
    let configs: Vec<_> = sources.iter().filter_map(|source| engine.source_config(&source.id)).collect();
    json(&configs)
}

async fn history(Shared(state): Shared<Arc<State>>, Asked(asked): Asked<Since>) -> Response {
    let sources = state.served.engine().snapshot().sources;
    let all: std::collections::BTreeMap<&SourceId, Vec<Minute>> =
        sources.iter().map(|source| (&source.id, minutes(&state, &source.id, asked.since))).collect();
    json(&all)
}

async fn source_events(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    state.served.engine().source_config(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&state.served.engine().events(&id)))
}

async fn source_stages(Shared(state): Shared<Arc<State>>, Id(id): Id) -> Told {
    state.served.engine().source_config(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&state.served.engine().stage_times(&id)))
}

async fn source_paths(Shared(state): Shared<Arc<State>>, Id(id): Id, Asked(asked): Asked<AfterLook>) -> Told {
    let paths = state.served.engine().paths(&id).ok_or_else(|| nobody(&id))?;
    Ok(json(&paths.after(asked.after)))
}

async fn report(Shared(state): Shared<Arc<State>>, Asked(past): Asked<Past>) -> Told {
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

async fn actions(Shared(state): Shared<Arc<State>>, Asked(span): Asked<Span>) -> Told {
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

async fn log_lines(Shared(state): Shared<Arc<State>>, Asked(query): Asked<logs::Query>) -> Told {
    let lines = logs::lines(&state, &query).await;
    lines
        .map(|lines| json(&lines))
        .ok_or_else(|| refused(StatusCode::NOT_FOUND, "nothing is logged in this run"))
}

/// Who asks; everybody who may do more than look has a name.
fn name_of(caller: &Caller) -> Result<Who, Response> {
    caller
        .0
        .clone()
        .ok_or_else(|| refused(StatusCode::UNAUTHORIZED, "without a token the API can only be looked at"))
}

async fn control(
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
            Some(Err(error @ EngineError::UnknownSource(_))) => {
                return Err(refused(StatusCode::NOT_FOUND, &error.to_string()));
            }
            Some(Err(error @ EngineError::NotOpened { .. })) => {
                return Ok(json(&Done { said: error.to_string() }));
            }
            Some(Err(error)) => return Err(not_done(&error.to_string())),
            None if tokio::time::Instant::now() >= until => {
                let said = "it waits for a detection run that takes long".into();
                return Ok(with_status(StatusCode::ACCEPTED, &Done { said }));
            }
            None => tokio::time::sleep(LOOK).await,
        }
    }
}

async fn ask(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Told {
    let who = name_of(&caller)?;
    let question: Question = body_of(request).await?;
    let answer =
        waiting(Arc::clone(&state.acting), move || asked::answer(&*state.served, question, &who)).await?;
    answer.map(|answer| json(&answer)).map_err(|error| not_done(&error))
}

async fn reload(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<DryRun>,
) -> Told {
    let who = name_of(&caller)?;
    let reloaded =
        waiting(Arc::clone(&state.acting), move || state.served.reload(asked.dry_run, &who)).await?;
    reloaded.map(|reloaded| json(&reloaded)).map_err(|error| not_done(&error))
}

async fn stop(Shared(state): Shared<Arc<State>>, Extension(caller): Extension<Caller>) -> Told {
    let who = name_of(&caller)?;
    waiting(Arc::clone(&state.acting), move || state.served.stop(&who)).await?;
    Ok(with_status(StatusCode::ACCEPTED, &Done { said: "the program is ending".into() }))
}
