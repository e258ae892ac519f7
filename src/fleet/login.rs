//! Who a program is to the server: what the file of `credentials` holds.

use std::{fmt, path::Path};

use async_nats::ConnectOptions;
use nkeys::{KeyPair, KeyPairType};

use crate::{config::readable_by_all, files};

/// Most bytes of a file of credentials; a device may have no end.
const MOST_BYTES: u64 = 64 * 1024;

/// Proves who this is, by a key that is never sent. Never printed.
#[derive(Clone)]
pub enum Login {
    /// The text of a file of credentials (`.creds`): a token of a user, and its key.
    Creds(String),
    /// The seed of a user's key, whose public half stands in the configuration of the server.
    Key(String),
}

impl Login {
    /// Reads `path`. Blocks for the disk.
    ///
    /// # Errors
    /// Why there is none, in a sentence without it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let place = path.display();
        let bytes = files::read_start(path, MOST_BYTES)
            .map_err(|error| format!("the credentials in '{place}' cannot be read: {error}"))?;
        if readable_by_all(path) {
            tracing::warn!("'{place}' can be read by every user of this machine; run chmod 600 {place}");
        }
        Self::parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| {
            format!(
                "'{place}' holds no NATS credentials; name a .creds file, or a key made with 'pcount-tui fleet user FILE'"
            )
        })
    }

    fn parse(text: &str) -> Option<Self> {
        if text.contains("-----BEGIN NATS USER JWT-----") {
            // What a parser says of it may quote it.
            let is_understood = ConnectOptions::new().credentials(text).is_ok();
            return is_understood.then(|| Self::Creds(text.to_owned()));
        }
        let seed = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        let pair = KeyPair::from_seed(seed).ok()?;
        matches!(pair.key_pair_type(), KeyPairType::User).then(|| Self::Key(seed.to_owned()))
    }

    /// Has `options` log in by it.
    ///
    /// # Errors
    /// When the client does not understand it.
    pub fn give(self, options: ConnectOptions) -> Result<ConnectOptions, String> {
        match self {
            // What a parser says of it may quote it.
            Self::Creds(text) => {
                options.credentials(&text).map_err(|_| "the credentials are no good".to_owned())
            }
            Self::Key(seed) => Ok(options.nkey(seed)),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// Whether the credentials in `path` can be read and are some. Blocks for the disk.
///
/// # Errors
/// Why not, in a sentence without them.
pub fn check_login(path: &Path) -> Result<(), String> {
    Login::read(path).map(drop)
}

/// A new key of a user: writes its secret half to `path`, which only its owner can read, and gives the public one. Blocks for the
/// disk.
///
/// # Errors
/// Why it is not written, such as a file that is there already.
pub fn make_user(path: &Path) -> Result<String, String> {
    let pair = KeyPair::new_user();
    let public = pair.public_key();
    let seed = pair.seed().map_err(|_| "no key can be made on this machine".to_owned())?;
    let text = format!("# Key of the NATS user {public}. A program that has it is that user.\n{seed}\n");
    write_secret(path, &text)?;
    Ok(public)
}

/// Writes `text` to `path`, which must not exist, for its owner alone. Blocks for the disk.
///
/// # Errors
/// Why it is not written, such as a file that is there already.
pub fn write_secret(path: &Path, text: &str) -> Result<(), String> {
    files::create(path, text.as_bytes(), files::PRIVATE)
        .map_err(|error| format!("'{}' cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_of_a_user_is_a_login_and_only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hall.key");
        let public = make_user(&path).unwrap();
        assert!(public.starts_with('U') && public.len() == 56, "{public}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let Login::Key(seed) = Login::read(&path).unwrap() else { panic!() };
        assert_eq!(KeyPair::from_seed(&seed).unwrap().public_key(), public);
        assert!(make_user(&path).unwrap_err().contains("hall.key"), "a key that is there stays");
    }

    #[test]
    fn what_is_no_login_is_refused_without_being_quoted() {
        let account = KeyPair::new_account().seed().unwrap();
        let half = "-----BEGIN NATS USER JWT-----\nhunter2\n";
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for text in ["", "hunter2", half, &account] {
            std::fs::write(&path, text).unwrap();
            let said = Login::read(&path).unwrap_err();
            assert!(said.contains("no NATS credentials") && !said.contains("hunter2"), "{said}");
        }
        assert!(Login::read(&dir.path().join("none")).unwrap_err().contains("cannot be read"));
    }
}
