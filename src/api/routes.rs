//! Every address, with what it answers: one list, of which both the router and the document are made.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::Response,
    routing::{MethodRouter, get, post},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    acts,
    answer::refused,
    logs,
    queries::{AfterUpdate, DryRun, From, Newer, Past, Since, Span, WhichWebhook},
    reads,
    state::State,
};
use crate::{
    ledger::report::Report,
    metrics::stages::StageTime,
    model::{Action, EngineSnapshot, Event, Minute, SourceId, SourceSnapshot},
    protocol::{
        Done, Lines, PREFIX, Readiness, Refused, Reloaded, Version, WebhookStatus, WebhookTest,
        ask::{Answer, Question},
        image::PreviewJson,
        order::Order,
    },
};

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
        Route::get("/healthz", "health", "The process answers.", get(reads::health))
            .gives::<Done>(200, "It answers."),
        Route::get("/readyz", "readiness", "Whether counts are safe.", get(reads::readiness))
            .gives::<Readiness>(200, "Counts are safe.")
            .gives::<Readiness>(503, "Counts are at risk, for these reasons."),
        Route::get("/metrics", "metrics", "Metrics in the text format of Prometheus.", get(reads::metrics))
            .may(200, "The metrics.", Content::Bytes("text/plain")),
        Route::get(&at("/openapi.json"), "document", "This document.", get(reads::document))
            .gives::<serde_json::Map<String, serde_json::Value>>(200, "It."),
        Route::get(&at("/version"), "version", "Name and version of the program.", get(reads::version))
            .gives::<Version>(200, "Name and version."),
        Route::get(
            &at("/snapshot"),
            "snapshot",
            "The complete state, now or as soon as it has changed.",
            get(reads::snapshot),
        )
        .asks(with_query::<Newer>())
        .gives::<EngineSnapshot>(200, "Everything."),
        Route::get(
            &at("/events"),
            "events",
            "What happens, as server-sent events: crossings, suppressed crossings, changes of state. \
             Each has an id of the run and a number; a 'gap' says that numbers are missing.",
            get(reads::stream),
        )
        .asks(Parameters {
            query: Some(properties::<From>),
            headers: &[(
                "Last-Event-ID",
                "Id of the last event received; the stream starts with the events after it.",
            )],
            ..NO_PARAMETERS
        })
        .may(200, "The events.", Content::Bytes("text/event-stream")),
        Route::get(&at("/sources/{id}"), "source", "The complete state of a source.", get(reads::source))
            .asks(of_source(None))
            .gives::<SourceSnapshot>(200, "The state.")
            .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/config"),
            "source_config",
            "The settings of a source as it runs, without secrets.",
            get(reads::source_config),
        )
        .asks(of_source(None))
        .gives::<crate::config::SourceConfig>(200, "The settings.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/preview.jpg"),
            "preview_jpg",
            "The latest frame of a source. Encoded on request.",
            get(reads::preview_jpg),
        )
        .asks(of_source(None))
        .may(200, "The frame.", Content::Bytes("image/jpeg"))
        .gives::<Refused>(404, "There is no such source, or it delivers no frames."),
        Route::get(
            &at("/sources/{id}/preview"),
            "preview",
            "The latest frame of a source together with its tracks.",
            get(reads::preview),
        )
        .asks(of_source(None))
        .gives::<PreviewJson>(200, "Frame and tracks.")
        .gives::<Refused>(404, "There is no such source, or it delivers no frames."),
        Route::get(
            &at("/sources/{id}/history"),
            "source_history",
            "Minutes of a source, the oldest first; a minute is missing where the program did not run.",
            get(reads::source_history),
        )
        .asks(of_source(Some(properties::<Since>)))
        .gives::<Vec<Minute>>(200, "The minutes.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/events"),
            "source_events",
            "The latest events of a source, the oldest first.",
            get(reads::source_events),
        )
        .asks(of_source(None))
        .gives::<Vec<Event>>(200, "The events.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/stages"),
            "source_stages",
            "CPU time of a source by stage.",
            get(reads::source_stages),
        )
        .asks(of_source(None))
        .gives::<Vec<StageTime>>(200, "The stages, in the order of a frame.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/sources/{id}/paths"),
            "source_paths",
            "Tracks of the last minutes in the compact form that the line editor uses.",
            get(reads::source_paths),
        )
        .asks(of_source(Some(properties::<AfterUpdate>)))
        .gives::<serde_json::Map<String, serde_json::Value>>(200, "The tracks.")
        .gives::<Refused>(404, unknown),
        Route::get(
            &at("/config"),
            "config",
            "The settings of all sources as they run, without secrets.",
            get(reads::configs),
        )
        .gives::<Vec<crate::config::SourceConfig>>(200, "The settings, in the order of the sources."),
        Route::get(&at("/history"), "history", "Minutes of all sources, by id.", get(reads::history))
            .asks(with_query::<Since>())
            .gives::<std::collections::BTreeMap<SourceId, Vec<Minute>>>(200, "The minutes."),
        Route::get(&at("/report"), "report", "History of counts from the ledger.", get(reads::report))
            .asks(with_query::<Past>())
            .gives::<Report>(200, "The counts.")
            .gives::<Refused>(400, "The query is invalid.")
            .gives::<Refused>(409, "The ledger cannot answer, for this reason."),
        Route::get(
            &at("/actions"),
            "actions",
            "What users did with the program, with user and time, the oldest first.",
            get(reads::actions),
        )
        .asks(with_query::<Span>())
        .gives::<Vec<Action>>(200, "The actions.")
        .gives::<Refused>(400, "The query is invalid.")
        .gives::<Refused>(409, "The ledger cannot answer, for this reason."),
        Route::get(&at("/webhooks"), "webhooks", "How webhooks do.", get(reads::webhooks))
            .gives::<Vec<WebhookStatus>>(200, "The webhooks, in the order of the configuration."),
        Route::get(
            &at("/logs"),
            "logs",
            "The latest lines of the log, filtered, searched, followed.",
            get(reads::log_lines),
        )
        .asks(with_query::<logs::Query>())
        .gives::<Lines>(200, "The lines.")
        .gives::<Refused>(404, "Nothing is logged."),
        Route::post(
            &at("/control"),
            "control",
            "Gives the engine a command; answered when it has taken effect or was refused.",
            post(acts::control),
        )
        .takes::<Order>()
        .gives::<Done>(200, "Done.")
        .gives::<Done>(202, "Accepted; it takes effect when the detection run in progress has ended.")
        .gives::<Refused>(404, unknown)
        .gives::<Refused>(409, "Refused, for this reason."),
        Route::post(
            &at("/ask"),
            "ask",
            "Asks the program for what the engine does not know, such as the log or the configuration file, \
             as dashboards do.",
            post(acts::ask),
        )
        .takes::<Question>()
        .gives::<Answer>(200, "The answer.")
        .gives::<Refused>(409, "There is no answer, for this reason."),
        Route::post(&at("/reload"), "reload", "Reloads the configuration file.", post(acts::reload))
            .asks(with_query::<DryRun>())
            .gives::<Reloaded>(200, "What has changed.")
            .gives::<Refused>(409, "The file has problems, a line each, and nothing was changed."),
        Route::post(
            &at("/webhooks/test"),
            "test_webhooks",
            "Sends a signed test to webhooks, and tells what their servers answer.",
            post(acts::test_webhooks),
        )
        .asks(with_query::<WhichWebhook>())
        .gives::<Vec<WebhookTest>>(200, "What each has answered.")
        .gives::<Refused>(409, "There is no such webhook."),
        Route::post(
            &at("/stop"),
            "stop",
            "Shuts the program down cleanly; everything counted is saved.",
            post(acts::stop),
        )
        .gives::<Done>(202, "It is shutting down."),
    ]
}

/// The router of all of them.
pub fn router(state: Arc<State>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        // Each address is for one method, and HEAD beside GET.
        let allowed = if route.is_post { "POST" } else { "GET, HEAD" };
        let handler = route.handler.fallback(move || async move { no_method(allowed) });
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

fn no_method(allowed: &'static str) -> Response {
    let mut response =
        refused(StatusCode::METHOD_NOT_ALLOWED, &format!("this address is for {allowed} alone"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}
