//! What is written about a source, and where its password goes.

use std::path::{Path, PathBuf};

use super::text::{Members, lines_value, string, zones_value};
use crate::config::{Credentials, LineConfig, SourceConfig, SourceKind, SourceSpec, source_spec};

/// Where user name and password of a source are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// Its list.
    pub(super) kind: SourceKind,
    pub(super) members: Members,
    /// File, relative to the configuration's folder, and what goes into it.
    pub(super) login: Option<(PathBuf, Credentials)>,
    /// Whether the members hold a secret.
    pub(super) holds_secret: bool,
}

impl NewEntry {
    /// What to write about `source` into the file at `path`. `written` is what the user typed: with `${NAME}` in
    /// it, it is kept as it is, since the environment holds the secret then.
    #[must_use]
    pub fn new(source: &SourceConfig, written: Option<&str>, path: &Path, keep: KeepLogin) -> Self {
        let (id_key, source_key) = match source.kind {
            SourceKind::Camera => ("camera_id", "source"),
            SourceKind::Video => ("video_id", "path"),
        };
        let (address, login, holds_secret) = match written.filter(|text| text.contains("${")) {
            Some(written) => (written.to_owned(), None, false),
            None => address(source, path, keep),
        };
        let mut members = vec![(id_key, string(&source.id)), (source_key, string(&address))];
        if let Some((file, _)) = &login {
            let file = string(&file.to_string_lossy());
            members.push(("credentials", format!("{{ \"file\": {file} }}")));
        }
        if source.alias != *source.id {
            members.push(("alias", string(&source.alias)));
        }
        members.extend(source.location.as_deref().map(|place| ("location", string(place))));
        members.extend(source.threshold.map(|limit| ("threshold", limit.to_string())));
        if source.lines != [LineConfig::default()] {
            members.push(("lines", lines_value(&source.lines)));
        }
        if !source.zones.is_empty() {
            members.push(("zones", zones_value(&source.zones)));
        }
        Self { kind: source.kind, members, login, holds_secret }
    }
}

type Login = (PathBuf, Credentials);

/// The source string, what goes into a file of its own, and whether the string holds a secret.
fn address(source: &SourceConfig, path: &Path, keep: KeepLogin) -> (String, Option<Login>, bool) {
    let text = match &source.source {
        SourceSpec::Url { credentials, .. } => {
            let has_secret_tail = source.source.has_secret_tail();
            let url = |url: Option<url::Url>| url.map(String::from).unwrap_or_default();
            let beside = credentials
                .clone()
                .filter(|login| keep == KeepLogin::Beside && can_stand_alone(login))
                .map(|login| (login_file(path, &source.id), login));
            if beside.is_some() {
                return (escaped(&url(source.source.request_url())), beside, has_secret_tail);
            }
            let has_password = credentials.as_ref().is_some_and(|login| !login.password.0.is_empty());
            let text = escaped(&url(source.source.opening_url()));
            return (text, None, has_password || has_secret_tail);
        }
        SourceSpec::File(video) => file(video, path),
        other => other.to_string(),
    };
    (escaped(&text), None, false)
}

/// Whether a login can be written as one line of `user:password`.
fn can_stand_alone(login: &Credentials) -> bool {
    let is_line = |text: &str| !text.contains(['\n', '\r']);
    !login.user.contains(':') && is_line(&login.user) && is_line(&login.password.0)
}

/// `cams.logins/gate` for the source `gate` of `cams.json`.
fn login_file(path: &Path, id: &str) -> PathBuf {
    let mut folder = path.file_stem().unwrap_or_default().to_owned();
    folder.push(".logins");
    Path::new(&folder).join(source_spec::slug(id))
}

/// A video as the file at `path` names it: relative where it lies below the same folder.
fn file(video: &Path, path: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (video, path) = (whole(video), whole(path));
    let relative = path.parent().and_then(|folder| video.strip_prefix(folder).ok());
    let text = relative.unwrap_or(&video).to_string_lossy().into_owned();
    // A file that is called like a device or a scene.
    if text.parse::<u32>().is_ok() || text.starts_with("demo:") { format!("./{text}") } else { text }
}

/// `text` as the configuration reads it back: a variable is one only where it was written as one.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}
