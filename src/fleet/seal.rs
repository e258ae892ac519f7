//! Sealed sources: what stands in the stream is readable for those alone who have the key of the fleet, and made by one of them.
//!
//! The whole entry is sealed, not the password in it: who may write to the stream, and has no key, could otherwise give a sealed
//! password another address. For the same reason the id, kind and site, which stay readable, are part of the seal.

use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};
use serde_json::Value;

use super::{login::write_secret, record::SourceMessage};
use crate::{config::FleetEntry, config::readable_by_all, files};

/// The one key of an entry that is sealed. No configuration has it.
const SEALED: &str = "sealed";

/// Which way of sealing it is, in front of what is sealed.
const VERSION: &str = "1:";

/// Bytes of a key.
const LENGTH: usize = 32;

/// Most bytes of a file with keys; a device may have no end.
const MOST_BYTES: u64 = 4096;

/// The key of a fleet, and earlier ones that still open what they sealed. Never printed.
pub struct FleetKey(Vec<LessSafeKey>);

/// A source that was sealed.
#[derive(Debug)]
pub struct Opened {
    pub message: SourceMessage,
    /// Whether it was sealed with the key that seals now, rather than an earlier one.
    pub is_current: bool,
}

impl FleetKey {
    /// Reads `path`: a key a line, of which the first seals and all open. Warns in the log where others can read it. Blocks for the
    /// disk.
    ///
    /// # Errors
    /// Why there is none, in a sentence without it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let place = path.display();
        let bytes = files::read_start(path, MOST_BYTES)
            .map_err(|error| format!("the key of the fleet in '{place}' cannot be read: {error}"))?;
        let key = Self::parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| {
            format!(
                "'{place}' holds no key of a fleet, which is base64 of {LENGTH} bytes; make one with 'pcount-tui fleet key FILE'"
            )
        })?;
        if readable_by_all(path) {
            tracing::warn!("'{place}' can be read by every user of this machine; run chmod 600 {place}");
        }
        Ok(key)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Option<Vec<LessSafeKey>> = lines
            .map(|line| {
                let bytes = STANDARD.decode(line).ok()?;
                Some(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &bytes).ok()?))
            })
            .collect();
        keys.filter(|keys| !keys.is_empty()).map(Self)
    }

    /// `source` with its entry sealed.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn seal(&self, source: &SourceMessage) -> Result<SourceMessage, String> {
        Self::seal_by(&self.0[0], source)
    }

    /// `source` with its entry sealed by the key that has sealed `there`.
    ///
    /// # Errors
    /// When none of the keys has, or the system gives no random numbers.
    pub fn seal_like(&self, there: &SourceMessage, source: &SourceMessage) -> Result<SourceMessage, String> {
        let (index, _) = self
            .opened_by(there)
            .ok_or_else(|| format!("source '{}' is sealed with a key that is not here", source.id))?;
        Self::seal_by(&self.0[index], source)
    }

    fn seal_by(key: &LessSafeKey, source: &SourceMessage) -> Result<SourceMessage, String> {
        let refused =
            |_| format!("source '{}' cannot be sealed: the system gives no random numbers", source.id);
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(refused)?;
        let mut content = serde_json::to_vec(&source.entry).map_err(|error| error.to_string())?;
        // A nonce of 96 random bits comes twice after some billions of sources.
        let bound = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(bound, readable(source), &mut content).map_err(refused)?;
        let sealed = format!("{VERSION}{}", STANDARD.encode([&nonce[..], &content].concat()));
        let entry = FleetEntry::from_iter([(SEALED.to_owned(), Value::String(sealed))]);
        Ok(SourceMessage { entry, ..source.clone() })
    }

    /// `source`, which is sealed, as it was before; `None` where none of the keys has sealed it like this.
    #[must_use]
    pub fn open(&self, source: &SourceMessage) -> Option<Opened> {
        self.opened_by(source).map(|(index, message)| Opened { message, is_current: index == 0 })
    }

    /// Which key opens `source`, and what it is.
    fn opened_by(&self, source: &SourceMessage) -> Option<(usize, SourceMessage)> {
        let sealed = source.entry.get(SEALED)?.as_str()?.strip_prefix(VERSION)?;
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, content) = bytes.split_first_chunk::<NONCE_LEN>()?;
        self.0.iter().enumerate().find_map(|(index, key)| {
            let mut content = content.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = key.open_in_place(nonce, readable(source), &mut content).ok()?;
            let entry = serde_json::from_slice(opened).ok()?;
            Some((index, SourceMessage { entry, ..source.clone() }))
        })
    }
}

impl fmt::Debug for FleetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FleetKey")
    }
}

/// What of a source stays readable and cannot be changed under a seal.
fn readable(source: &SourceMessage) -> Aad<Vec<u8>> {
    let parts = (SEALED, &source.id, source.kind, &source.site);
    Aad::from(serde_json::to_vec(&parts).unwrap_or_default())
}

/// Whether the entry of `source` is sealed.
#[must_use]
pub fn is_sealed(source: &SourceMessage) -> bool {
    source.entry.contains_key(SEALED)
}

/// `source` as a node with `key` counts it.
///
/// # Errors
/// When the node has no key for it; or it is not sealed, and so was not made by somebody who has the key of the node.
pub fn of_fleet(source: SourceMessage, key: Option<&FleetKey>) -> Result<SourceMessage, String> {
    match (key, is_sealed(&source)) {
        (None, false) => Ok(source),
        (None, true) => Err("it is sealed; name the key of the fleet on this node with 'key_file'".into()),
        (Some(_), false) => Err(
            "it is not sealed, and a node with a key counts sealed sources only; apply again with --key-file"
                .into(),
        ),
        (Some(key), true) => key.open(&source).map(|opened| opened.message).ok_or_else(|| {
            "it is sealed with a key that this node does not have; give its 'key_file' that key as a line"
                .into()
        }),
    }
}

/// A new key: writes it to `path`, which only its owner can read. Blocks for the disk.
///
/// # Errors
/// Why it is not written, such as a file that is there already.
pub fn make_key(path: &Path) -> Result<(), String> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system gives no random numbers".to_owned())?;
    let text = format!(
        "# Key of a fleet. Who has it can read the sources of the fleet, with their passwords, and make some.\n{}\n",
        STANDARD.encode(bytes)
    );
    write_secret(path, &text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::SourceKind;

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; LENGTH])
    }

    fn gate() -> SourceMessage {
        let entry = json!({ "camera_id": "gate", "source": "rtsp://admin:hunter2@cam.lan/1" });
        let entry = entry.as_object().unwrap().clone();
        SourceMessage { id: "gate".into(), kind: SourceKind::Camera, site: Some("north".into()), entry }
    }

    #[test]
    fn what_is_sealed_shows_no_password_and_opens_as_it_was() {
        let fleet = FleetKey::parse(&key(1)).unwrap();
        let sealed = fleet.seal(&gate()).unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("cam.lan"), "{text}");
        assert_ne!(sealed, fleet.seal(&gate()).unwrap(), "nothing shows that two are the same");
        let opened = fleet.open(&sealed).unwrap();
        assert!(opened.message == gate() && opened.is_current);
    }

    #[test]
    fn a_seal_is_of_one_source_at_one_site_and_by_one_key() {
        let fleet = FleetKey::parse(&key(1)).unwrap();
        let sealed = fleet.seal(&gate()).unwrap();
        let mut others = vec![SourceMessage { id: "yard".into(), ..sealed.clone() }];
        others.push(SourceMessage { site: None, ..sealed.clone() });
        others.push(SourceMessage { kind: SourceKind::Video, ..sealed.clone() });
        let mut changed = sealed.clone();
        let text = changed.entry[SEALED].as_str().unwrap().replacen("1:A", "1:B", 1);
        let text = if text == changed.entry[SEALED] { text.replacen("1:", "1:A", 1) } else { text };
        changed.entry[SEALED] = json!(text);
        others.push(changed);
        assert!(others.iter().all(|other| fleet.open(other).is_none()));
        assert!(FleetKey::parse(&key(2)).unwrap().open(&sealed).is_none());
        // A key takes over from another while both open.
        let both = FleetKey::parse(&format!("# new, old\n{}\n{}\n", key(2), key(1))).unwrap();
        let opened = both.open(&sealed).unwrap();
        assert!(opened.message == gate() && !opened.is_current);
        assert!(both.open(&both.seal(&gate()).unwrap()).unwrap().is_current);
        // What is changed stays under the key that it had, which the operator replaces.
        let changed = both.seal_like(&sealed, &gate()).unwrap();
        assert!(fleet.open(&changed).unwrap().message == gate() && !both.open(&changed).unwrap().is_current);
        assert!(FleetKey::parse(&key(2)).unwrap().seal_like(&sealed, &gate()).is_err());
    }

    #[test]
    fn a_node_counts_what_is_sealed_with_its_key_or_nothing_sealed_without_one() {
        let fleet = FleetKey::parse(&key(1)).unwrap();
        let sealed = fleet.seal(&gate()).unwrap();
        assert_eq!(of_fleet(gate(), None).unwrap(), gate());
        assert_eq!(of_fleet(sealed.clone(), Some(&fleet)).unwrap(), gate());
        assert!(of_fleet(sealed.clone(), None).unwrap_err().contains("'key_file'"));
        assert!(of_fleet(gate(), Some(&fleet)).unwrap_err().contains("not sealed"));
        let other = FleetKey::parse(&key(2)).unwrap();
        assert!(of_fleet(sealed, Some(&other)).unwrap_err().contains("does not have"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fleet.key");
        for text in ["", "# nothing\n", "hunter2", &STANDARD.encode([1; 16])] {
            std::fs::write(&path, text).unwrap();
            let said = FleetKey::read(&path).unwrap_err();
            assert!(said.contains("holds no key") && !said.contains("hunter2"), "{said}");
        }
        std::fs::remove_file(&path).unwrap();
        make_key(&path).unwrap();
        assert!(FleetKey::read(&path).is_ok() && make_key(&path).is_err());
    }
}
