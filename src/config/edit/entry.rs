//! What is written about a source, and where its password goes.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    same::same_spec,
    text::{Members, escaped, lines_value, regions_value, string, zones_value},
};
use crate::{
    config::{Credentials, SourceConfig, SourceSpec, env, source_spec},
    model::{Drawn, LineConfig, Polygon, SourceKind, ZoneConfig},
};

/// Where user name and password of a source are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepLogin {
    /// Into a file of its own beside the configuration, which only its owner can read, named by `credentials`.
    #[default]
    Beside,
    /// Into the address in the configuration file.
    Inside,
}

/// A source as it is written into a configuration file.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// What the file will be read as.
    pub(super) source: SourceConfig,
    /// The source string, `${` escaped.
    address: String,
    /// What goes into a file of its own: `user:password`.
    pub(super) login: Option<String>,
    /// Whether the address holds a secret.
    pub(super) holds_secret: bool,
}

impl NewEntry {
    /// What to write about `source` into the file at `path`. `written` is what the user typed: with `${NAME}` in
    /// it, it is kept as it is where the environment holds the secret and it means the same in that file.
    #[must_use]
    pub fn new(source: &SourceConfig, written: Option<&str>, path: &Path, keep: KeepLogin) -> Self {
        let kept = written.map(str::trim).filter(|text| can_be_kept(text, source, path));
        let (address, login, holds_secret) = match kept {
            Some(written) => {
                let hidden = matches!(&source.source, SourceSpec::Url { hidden: Some(_), .. });
                (written.to_owned(), None, hidden)
            }
            None => address(source, path, keep),
        };
        Self { source: source.clone(), address, login, holds_secret }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.source.id
    }

    /// The same with something else drawn on its frame.
    pub fn set_drawn(&mut self, drawn: Drawn) {
        self.source.set_drawn(drawn);
    }

    /// Its members, with the login in this file.
    pub(super) fn members(&self, login: Option<&Path>) -> Members {
        let source = &self.source;
        let (id_key, source_key) = match source.kind {
            SourceKind::Camera => ("camera_id", "source"),
            SourceKind::Video => ("video_id", "path"),
        };
        let text = |text: &str| string(&escaped(text));
        let mut members = vec![(id_key, text(&source.id)), (source_key, string(&self.address))];
        if let Some(file) = login {
            members.push(("credentials", format!("{{ \"file\": {} }}", text(&file.to_string_lossy()))));
        }
        if source.alias != *source.id {
            members.push(("alias", text(&source.alias)));
        }
        members.extend(source.location.as_deref().map(|place| ("location", text(place))));
        members.extend(source.threshold.map(|limit| ("threshold", limit.to_string())));
        if source.lines != [LineConfig::default()] {
            members.push(("lines", lines_value(&source.lines)));
        }
        if !source.zones.is_empty() {
            members.push(("zones", zones_value(&source.zones)));
        }
        if !source.ignore.is_empty() {
            members.push(("ignore", regions_value(&source.ignore)));
        }
        members
    }
}

/// `source` as an entry that any folder may hold, with its login: what a user can say of it on the dashboard, not all settings.
#[must_use]
pub fn entry_of(source: &SourceConfig) -> Map<String, Value> {
    let entry = NewEntry::new(source, None, Path::new("/"), KeepLogin::Inside);
    object(entry.members(None))
}

/// Lines, zones and, where they are given, ignored regions as an entry holds them.
#[must_use]
pub fn shapes_of(
    lines: &[LineConfig],
    zones: &[ZoneConfig],
    ignore: Option<&[Polygon]>,
) -> Map<String, Value> {
    let mut members = vec![("lines", lines_value(lines)), ("zones", zones_value(zones))];
    members.extend(ignore.map(|regions| ("ignore", regions_value(regions))));
    object(members)
}

fn object(members: Members) -> Map<String, Value> {
    let value = |text: String| serde_json::from_str(&text).unwrap_or_default();
    members.into_iter().map(|(key, text)| (key.to_owned(), value(text))).collect()
}

/// Finds a variable of the environment.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The folder that paths of the configuration at `path` are relative to.
fn folder(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.parent().unwrap_or(Path::new("/")).to_owned()
}

/// Whether `written` holds variables, no password beside them, and is the same source when it is read from `path`.
fn can_be_kept(written: &str, source: &SourceConfig, path: &Path) -> bool {
    let password_is_variable = || {
        env::user_part(written).is_some_and(|part| written.get(part).is_some_and(|part| part.contains("${")))
    };
    let has_password = match &source.source {
        SourceSpec::Url { credentials, .. } => credentials.is_some(),
        _ => false,
    };
    written.contains("${")
        && (!has_password || password_is_variable())
        && env::expand(written, &variable)
            .and_then(|text| source_spec::parse(&text, &folder(path), &variable))
            .is_ok_and(
                |named| matches!(named, source_spec::Named::One(spec) if same_spec(&spec, &source.source)),
            )
}

/// The source string, what goes into a file of its own, and whether the string holds a secret.
fn address(source: &SourceConfig, path: &Path, keep: KeepLogin) -> (String, Option<String>, bool) {
    let text = match &source.source {
        SourceSpec::Url { credentials, .. } => {
            let has_secret_tail = source.source.has_secret_tail();
            let url = |url: Option<url::Url>| url.map(String::from).unwrap_or_default();
            let beside =
                credentials.as_ref().filter(|_| keep == KeepLogin::Beside).and_then(Credentials::as_line);
            if beside.is_some() {
                return (escaped(&url(source.source.request_url())), beside, has_secret_tail);
            }
            let has_password = credentials.as_ref().is_some_and(|login| !login.password.0.is_empty());
            let text = escaped(&url(source.source.opening_url()));
            return (text, None, has_password || has_secret_tail);
        }
        SourceSpec::File(video) | SourceSpec::Device(video) => {
            source_spec::written(video, &folder(path), &variable)
        }
        SourceSpec::Demo(_) => source.source.to_string(),
    };
    (escaped(&text), None, false)
}
