//! What may stand behind the `?` of an address.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{ledger::report::Step, model::SourceId};

/// Wait for something newer.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Newer {
    /// Waits at most 30 s for a snapshot of a later generation than this.
    pub after: Option<u64>,
}

/// From where on.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// The same as the header `Last-Event-ID`.
    pub after: Option<String>,
    /// Only those of this source.
    pub source: Option<SourceId>,
}

/// From which minute on.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The first minute that is wanted, in minutes since the Unix epoch.
    pub since: Option<i64>,
}

/// Only what is new.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AfterUpdate {
    /// The time of the last look that is known.
    pub after: Option<f64>,
}

/// Whether to do it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// Only works out what would change.
    #[serde(default)]
    pub dry_run: bool,
}

/// Which webhook.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhichWebhook {
    /// Its name; without one it is all of them.
    pub name: Option<String>,
}

/// Which history.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// From when on: how long ago (`24h`, `7d`), a day or a moment; 24 hours ago unless told.
    pub since: Option<When>,
    /// Until when, in the same forms; now unless told.
    pub until: Option<When>,
    /// Time that a row covers: by the hour unless told.
    pub by: Option<Step>,
    /// Only this source.
    pub camera: Option<SourceId>,
}

/// Which actions.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// From when on: how long ago (`24h`, `7d`), a day or a moment; 24 hours ago unless told.
    pub since: Option<When>,
    /// Until when, in the same forms; now unless told.
    pub until: Option<When>,
    /// At most this many, the newest ones; 1000 unless told.
    pub limit: Option<u16>,
}

/// How long ago, a day, or a moment.
#[derive(Debug, Deserialize, Serialize)]
pub struct When(pub String);

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
