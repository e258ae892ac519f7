//! A URL taken apart: what may be shown, and what may not.

use url::Url;

use super::{
    address,
    credentials::{Credentials, HIDDEN, Secret},
    learned::LearnedSecrets,
    percent::{percent_decode, percent_encode},
};

/// A URL taken apart: what may be shown, and what may not.
pub(in crate::config) struct SplitUrl {
    /// Without user name and password; secrets in path and query replaced by `***`.
    pub address: Url,
    pub credentials: Option<Credentials>,
    /// Path and query as written, when they hold a secret.
    pub hidden: Option<Secret>,
}

/// Takes the secrets out of `url`.
pub(in crate::config) fn split(mut url: Url) -> SplitUrl {
    let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| Credentials {
        user: percent_decode(url.username()),
        password: Secret(percent_decode(url.password().unwrap_or_default())),
    });
    // Neither call can fail on a URL that has a host, and only such a URL can have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    // It is never sent to a host.
    url.set_fragment(None);
    let tail = tail(&url);
    let values = address::values(&tail, 0);
    let safe =
        address::replaced(&tail, values.iter().map(|value| value.range.clone()), |_| HIDDEN.to_owned());
    // Some cameras want the password of the login in the path as well.
    let own = LearnedSecrets::default();
    credentials.iter().for_each(|login| own.learn(login.password.reveal()));
    let safe = own.clean(&safe).into_owned();
    let hidden = (safe != tail).then(|| {
        set_tail(&mut url, &safe);
        Secret(tail)
    });
    SplitUrl { address: url, credentials, hidden }
}

/// From now on `to` hides what a path and query hold that was hidden by [`split`].
pub(in crate::config) fn teach_tail(Secret(tail): &Secret, to: &LearnedSecrets) {
    secrets_in_tail(tail).for_each(|secret| address::teach_value(secret, to));
}

/// Whether a hidden path and query hold a secret for certain.
pub(in crate::config) fn is_secret_tail(Secret(tail): &Secret) -> bool {
    secrets_in_tail(tail).next().is_some()
}

fn secrets_in_tail(tail: &str) -> impl Iterator<Item = &str> {
    let values = address::values(tail, 0).into_iter().filter(|value| value.is_secret);
    values.map(|value| &tail[value.range])
}

/// The address with its true path and query, still without user name and password.
pub(in crate::config) fn restore_tail(address: &Url, hidden: Option<&Secret>) -> Url {
    let mut url = address.clone();
    if let Some(Secret(tail)) = hidden {
        set_tail(&mut url, tail);
    }
    url
}

/// The whole URL again, secrets included.
pub(in crate::config) fn join(
    address: &Url,
    credentials: Option<&Credentials>,
    hidden: Option<&Secret>,
) -> Url {
    let mut url = restore_tail(address, hidden);
    if let Some(credentials) = credentials {
        let _ = url.set_username(&percent_encode(&credentials.user));
        let _ = url.set_password(Some(&percent_encode(&credentials.password.0)));
    }
    url
}

fn set_tail(url: &mut Url, tail: &str) {
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    url.set_path(path);
    url.set_query(query);
}

/// Path and query.
fn tail(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}
