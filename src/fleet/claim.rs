//! One node for each name: an entry in the bucket of the nodes, which its node writes again and again. Each time it names the entry
//! that it wrote before, so that the server refuses the one of two that is not the last.

use async_nats::jetstream::kv::{CreateErrorKind, EntryErrorKind, Store, UpdateErrorKind};

use super::{
    ANSWER, FleetError,
    broker::{Broker, explained},
    names,
    record::NodeRecord,
};

/// The entry of a node.
pub struct Claim {
    bucket: Store,
    key: String,
    revision: u64,
}

/// What became of writing it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is there.
    Still,
    /// The server does not store it, for this reason.
    Refused(String),
    /// The server does not answer.
    Unknown,
    /// Another process has the name now.
    Lost,
}

impl Claim {
    /// Takes the name in `record`, also from a process that does not answer any more.
    ///
    /// # Errors
    /// When another process has the name and answers, or the server does not.
    pub async fn take(broker: &Broker, record: &NodeRecord) -> Result<Self, FleetError> {
        let bucket = broker.nodes().await?;
        let key = names::token(&record.node);
        let failed =
            |error: String| broker.failed(&format!("the name '{}' cannot be taken", record.node), error);
        let entry = bucket.entry(&key).await.map_err(|error| failed(error.to_string()))?;
        if let Some(other) = Self::holder(broker, &record.node).await
            && other.instance != record.instance
        {
            let by = format!("process {} on {}", other.pid, other.host);
            return Err(FleetError::NameTaken { name: record.node.clone(), by });
        }
        let body = body(record);
        let revision = match entry {
            Some(entry) => {
                bucket.update(&key, body.into(), entry.revision).await.map_err(|e| (e.kind(), e.to_string()))
            }
            None => bucket.create(&key, body.into()).await.map_err(|e| {
                // A server that is slow has given the name to nobody.
                let kind = match e.kind() {
                    CreateErrorKind::AlreadyExists => UpdateErrorKind::WrongLastRevision,
                    _ => UpdateErrorKind::Other,
                };
                (kind, e.to_string())
            }),
        };
        match revision {
            Ok(revision) => Ok(Self { bucket, key, revision }),
            Err((UpdateErrorKind::WrongLastRevision, _)) => Err(FleetError::NameTaken {
                name: record.node.clone(),
                by: "it started at the same moment".into(),
            }),
            Err((_, error)) => Err(failed(error)),
        }
    }

    /// The process that answers under `name`.
    async fn holder(broker: &Broker, name: &str) -> Option<NodeRecord> {
        let asked = broker.client.request(names::question(name, "status"), Vec::new().into());
        let answer = tokio::time::timeout(ANSWER, asked).await.ok()?.ok()?;
        serde_json::from_slice(&answer.payload).ok()
    }

    /// Writes it again.
    pub async fn renew(&mut self, record: &NodeRecord) -> Claimed {
        match self.bucket.update(&self.key, body(record).into(), self.revision).await {
            Ok(revision) => {
                self.revision = revision;
                Claimed::Still
            }
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => self.look(record).await,
            Err(error) if error.kind() == UpdateErrorKind::TimedOut => Claimed::Unknown,
            Err(error) => Claimed::Refused(explained(&error)),
        }
    }

    /// When the entry was written, in milliseconds since the Unix epoch by the server's clock; none where it does not say.
    pub async fn written(&self) -> Option<i64> {
        let asked = tokio::time::timeout(ANSWER, self.bucket.entry(&self.key)).await.ok()?;
        let entry = asked.ok()??;
        let written = i64::try_from(entry.created.unix_timestamp_nanos() / 1_000_000).ok()?;
        (entry.revision == self.revision).then_some(written)
    }

    /// Whose entry it is: its own last one may have been written although the answer was lost.
    async fn look(&mut self, record: &NodeRecord) -> Claimed {
        match self.bucket.entry(&self.key).await {
            Ok(Some(entry)) => match serde_json::from_slice::<NodeRecord>(&entry.value) {
                Ok(there) if there.instance == record.instance => {
                    self.revision = entry.revision;
                    Claimed::Still
                }
                _ => Claimed::Lost,
            },
            // The bucket was emptied: the next one is the first.
            Ok(None) => {
                self.revision = 0;
                Claimed::Unknown
            }
            Err(error) => {
                debug_assert!(error.kind() != EntryErrorKind::InvalidKey);
                Claimed::Unknown
            }
        }
    }
}

/// Sources are asked for, not written again and again.
fn body(record: &NodeRecord) -> Vec<u8> {
    serde_json::to_vec(record).unwrap_or_default()
}
