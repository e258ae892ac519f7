//! What the `fleet` command does. All of it blocks for the server.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_nats::{Subscriber, jetstream::stream::Stream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    ANSWER, FleetError, Server,
    broker::{Broker, StoredSource},
    names,
    plan::Plan,
    record::{
        Answered, Draining, HeldSource, KnownNode, NodeRecord, Release, SourceMessage, SourceRow, Taken,
    },
    replicas,
    seal::{FleetKey, is_sealed},
    term::ACK_WAIT,
};
use crate::{
    config::{FleetEntry, NamedSource},
    model::SourceKind,
};

/// Nodes answer within this time.
const NODES: Duration = Duration::from_secs(1);

/// How often something that is waited for is asked for.
const POLL: Duration = Duration::from_millis(300);

/// How soon a node that has said that it takes a source counts it, about.
const SOON: Duration = Duration::from_millis(150);

/// What is said to differ where only the seal does.
const SEAL: &str = "seal";

/// Sources that are written at a time.
const AT_ONCE: usize = 64;

/// A source that was given back runs elsewhere within this time.
const HANDED_OVER: Duration = Duration::from_secs(20);

/// Another node has room within this time.
const ROOM: Duration = Duration::from_mins(2);

/// Somebody who looks after a fleet.
pub struct Operator {
    runtime: tokio::runtime::Runtime,
    broker: Broker,
    server: Server,
    key: Option<FleetKey>,
}

/// What became of a source that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Its id.
    pub id: String,
    /// The node that counted it.
    pub node: Option<String>,
    /// Whether that node has given it up by now.
    pub has_ended: bool,
}

impl Operator {
    /// Connects to `server`.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn connect(server: Server) -> Result<Self, FleetError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| FleetError::Thread(error.to_string()))?;
        let broker = runtime.block_on(Broker::connect(&server, "pcount-tui fleet", false))?;
        Ok(Self { runtime, broker, server, key: None })
    }

    /// Seals what it writes, and opens what is sealed.
    #[must_use]
    pub fn with_key(mut self, key: Option<FleetKey>) -> Self {
        self.key = key;
        self
    }

    /// What makes the fleet's sources `wanted`.
    ///
    /// # Errors
    /// When the server does not answer; a password would travel or lie where others can read it; or what is there is sealed with
    /// another key.
    pub fn plan(&self, wanted: &[NamedSource]) -> Result<Plan, FleetError> {
        if let Some(open) = wanted.iter().find(|source| source.holds_secret) {
            self.can_hold_passwords(&open.id)?;
        }
        let stored: Vec<SourceMessage> = self.stored()?.1.into_iter().map(|stored| stored.message).collect();
        let wanted = messages(wanted);
        let names: BTreeSet<&str> = wanted.iter().map(|source| &*source.id).collect();
        let (mut now, mut stale) = (Vec::new(), Vec::new());
        for source in stored {
            match &self.key {
                // What goes needs not be read.
                _ if !names.contains(&*source.id) => now.push(source),
                None if is_sealed(&source) => {
                    return Err(not_opened(&source.id, "name the key with --key-file"));
                }
                None => now.push(source),
                Some(_) if !is_sealed(&source) => {
                    stale.push(source.id.clone());
                    now.push(source);
                }
                Some(key) => {
                    let Some(opened) = key.open(&source) else {
                        return Err(not_opened(&source.id, "add that key as a further line of the key file"));
                    };
                    stale.extend((!opened.is_current).then(|| source.id.clone()));
                    now.push(opened.message);
                }
            }
        }
        Ok(Plan::between(&now, &wanted).with_changed(&stale, SEAL))
    }

    /// Whether a password may stand in an entry: it travels encrypted, and lies sealed.
    fn can_hold_passwords(&self, id: &str) -> Result<(), FleetError> {
        let by_name =
            "name it with 'credentials' ({ \"env\": .. } or { \"file\": .. }, resolved on the node)";
        if !self.broker.is_encrypted(&self.server) {
            return Err(FleetError::Refused(format!(
                "source '{id}' holds a password, and the connection to {} is not encrypted; {by_name}, or connect with tls:// and \
                 seal the sources with --key-file",
                self.server.url
            )));
        }
        if self.key.is_none() {
            return Err(FleetError::Refused(format!(
                "source '{id}' holds a password, which would lie readable on the server; {by_name}, or seal the sources with \
                 --key-file"
            )));
        }
        Ok(())
    }

    /// Does what `plan` says: removes, changes, adds.
    ///
    /// # Errors
    /// When the server does not answer, or somebody else changes the fleet at the same moment; what was done by then stays done.
    pub fn apply(&self, wanted: &[NamedSource], plan: &Plan) -> Result<(), FleetError> {
        let (stream, stored) = self.stored()?;
        let stored: BTreeMap<&str, &StoredSource> =
            stored.iter().map(|source| (source.message.id.as_str(), source)).collect();
        let wanted = messages(wanted);
        let wanted: BTreeMap<&str, &SourceMessage> =
            wanted.iter().map(|source| (source.id.as_str(), source)).collect();
        self.runtime.block_on(async {
            let gone = plan.removed.iter().filter_map(|id| stored.get(id.as_str()));
            all(gone.map(|there| self.broker.remove(&stream, &there.message.id, there.revision))).await?;
            let ids = plan.changed.iter().map(|change| &change.id).chain(&plan.added);
            let sources = ids.filter_map(|id| wanted.get(id.as_str()));
            all(sources.map(|source| self.put(&stream, source, stored.get(source.id.as_str()).copied())))
                .await
        })
    }

    /// Puts `source` in the place of `there`.
    async fn put(
        &self,
        stream: &Stream,
        source: &SourceMessage,
        there: Option<&StoredSource>,
    ) -> Result<(), FleetError> {
        let mut before = there.map(|there| there.revision);
        if let Some(there) = there.filter(|there| there.message.site != source.site) {
            // It stands elsewhere now, and must not stand in both places.
            self.broker.remove(stream, &source.id, there.revision).await?;
            before = None;
        }
        let sealed = match &self.key {
            Some(key) => key.seal(source).map_err(FleetError::Refused)?,
            None => source.clone(),
        };
        self.broker.store(&sealed, before).await.map(drop)
    }

    /// Has three servers keep the fleet where a cluster has as many; a server alone, or two, cannot. Gives the names of the streams
    /// that were on fewer.
    #[must_use]
    pub fn replicate(&self) -> Vec<String> {
        self.runtime.block_on(async {
            // The nodes' bucket as well, so that the first of them finds it.
            let _ = self.broker.nodes().await;
            if self.broker.client.server_info().cluster.is_none() {
                return Vec::new();
            }
            replicas::raise(&self.broker.context).await
        })
    }

    /// All sources, each with the node that has it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn status(&self) -> Result<Vec<SourceRow>, FleetError> {
        let (_, stored) = self.stored()?;
        let nodes = self.running()?;
        Ok(stored
            .into_iter()
            .map(|StoredSource { revision, message, problem }| {
                let holder = holder(&nodes, &message.id);
                SourceRow {
                    id: message.id,
                    kind: message.kind,
                    site: message.site,
                    revision,
                    node: holder.map(|(node, _)| node.node.clone()),
                    held: holder.map(|(_, held)| held.clone()),
                    problem,
                }
            })
            .collect())
    }

    /// The entries of all sources as they stand in the fleet now, opened where they are sealed.
    ///
    /// # Errors
    /// When the server does not answer, or a source is sealed with a key that is not here, or is of another version.
    pub fn export(&self) -> Result<Vec<(SourceKind, FleetEntry)>, FleetError> {
        let opened = |StoredSource { message, problem, .. }: StoredSource| {
            if let Some(problem) = problem {
                return Err(FleetError::Refused(format!("source '{}': {problem}", message.id)));
            }
            if !is_sealed(&message) {
                return Ok((message.kind, message.entry));
            }
            let Some(key) = &self.key else {
                return Err(not_opened(&message.id, "name the key with --key-file"));
            };
            let opened = key.open(&message).map(|opened| (opened.message.kind, opened.message.entry));
            opened.ok_or_else(|| not_opened(&message.id, "add that key as a further line of the key file"))
        };
        self.stored()?.1.into_iter().map(opened).collect()
    }

    /// All nodes that are remembered, those that run with what they say now.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn nodes(&self) -> Result<Vec<KnownNode>, FleetError> {
        let running = self.running()?;
        let mut known = self.runtime.block_on(self.broker.known())?;
        for running in running {
            if let Some(node) = known.iter_mut().find(|node| node.record.instance == running.instance) {
                (node.record, node.answers) = (running, true);
            }
        }
        let here = jiff::Timestamp::now().as_millisecond();
        // A node that answers has written its entry a moment ago.
        let there = known.iter().filter(|node| node.answers).map(|node| node.last_seen).max();
        for node in &mut known {
            node.silent_for = there.unwrap_or(here).saturating_sub(node.last_seen).max(0);
        }
        Ok(known)
    }

    /// Has `node` take sources again.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn undo_drain(&self, node: &str) -> Result<(), FleetError> {
        self.record_of(node)?;
        self.order(node, "drain", &Draining { drain: false })
    }

    /// Has `node` give back one source after the other, each only when the one before is counted elsewhere. `say` is told of each.
    ///
    /// # Errors
    /// When the node does not answer, or no other has room: then it takes no sources and keeps those that were not handed over. Also
    /// when no other takes one that was given back: then it takes sources again, so that this one is counted.
    pub fn drain(&self, node: &str, say: &mut dyn FnMut(&str)) -> Result<usize, FleetError> {
        let before = self.record_of(node)?;
        self.order(node, "drain", &Draining { drain: true })?;
        let sites: BTreeMap<String, Option<String>> =
            self.stored()?.1.into_iter().map(|stored| (stored.message.id, stored.message.site)).collect();
        let total = before.sources.len();
        // Nodes say what they take, so that nothing is waited for longer than it lasts.
        let mut taken = self.runtime.block_on(self.broker.subscribe(names::TAKEN))?;
        say(&format!("{node}: takes no more sources; {total} to hand over"));
        let mut done = 0;
        loop {
            let record = self.record_of(node)?;
            let Some(source) = record.sources.first() else { return Ok(done) };
            // What was removed meanwhile goes by itself.
            let Some(site) = sites.get(&source.id) else {
                self.pause();
                continue;
            };
            self.wait_for_room(node, &source.id, site.as_deref(), say)?;
            self.order(node, "release", &Release { id: source.id.clone() })?;
            let to = self.wait_for_holder(node, &source.id, &mut taken)?;
            done += 1;
            say(&format!("{}: counted by {to} ({done} of {total})", source.id));
        }
    }

    /// Removes a source from the fleet, and waits a moment for its node to give it up.
    ///
    /// # Errors
    /// When there is no such source, or the server does not answer.
    pub fn remove(&self, id: &str) -> Result<Removed, FleetError> {
        let (stream, stored) = self.stored()?;
        let Some(there) = stored.iter().find(|source| source.message.id == id) else {
            return Err(FleetError::Refused(format!(
                "the fleet has no source '{id}'; 'fleet status' lists those it has"
            )));
        };
        let node = holder(&self.running()?, id).map(|(node, _)| node.node.clone());
        self.runtime.block_on(self.broker.remove(&stream, id, there.revision))?;
        let end = tokio::time::Instant::now() + ACK_WAIT;
        let mut has_ended = false;
        while !has_ended && tokio::time::Instant::now() < end {
            self.pause();
            has_ended = holder(&self.running()?, id).is_none();
        }
        Ok(Removed { id: id.to_owned(), node, has_ended })
    }

    fn wait_for_room(
        &self,
        node: &str,
        id: &str,
        site: Option<&str>,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), FleetError> {
        let end = tokio::time::Instant::now() + ROOM;
        let mut was_said = false;
        loop {
            let others = self.running()?;
            let has_room = |other: &NodeRecord| other.node != node && other.room > 0 && other.reaches(site);
            if others.iter().any(has_room) {
                return Ok(());
            }
            if !was_said {
                say(&format!("{id}: waiting, no other node has room for it"));
                was_said = true;
            }
            if tokio::time::Instant::now() > end {
                return Err(FleetError::Refused(format!(
                    "no other node has room for source '{id}'; '{node}' keeps what it still has. Start another node, or end this with 'fleet drain {node} --undo'"
                )));
            }
            self.pause();
        }
    }

    /// The node that counts source `id` in the place of `node`; `taken` hears what nodes take.
    fn wait_for_holder(&self, node: &str, id: &str, taken: &mut Subscriber) -> Result<String, FleetError> {
        let end = tokio::time::Instant::now() + HANDED_OVER;
        while tokio::time::Instant::now() < end {
            self.wait_until_taken(id, taken);
            let nodes = self.running()?;
            if let Some((other, held)) = holder(&nodes, id)
                && other.node != node
                && held.is_counted
            {
                return Ok(other.node.clone());
            }
        }
        // A source that nobody counts is worse than a node that is not drained.
        self.order(node, "drain", &Draining { drain: false })?;
        Err(FleetError::Refused(format!(
            "'{node}' gave source '{id}' back, and no other node counts it after {HANDED_OVER:?}; '{node}' takes sources again. See \
             'fleet nodes' for the room of the others"
        )))
    }

    /// Waits until a node takes source `id`; a moment at most, for what it says may be lost.
    fn wait_until_taken(&self, id: &str, taken: &mut Subscriber) {
        self.runtime.block_on(async {
            let said = async {
                while let Some(message) = taken.next().await {
                    if serde_json::from_slice::<Taken>(&message.payload).is_ok_and(|taken| taken.id == id) {
                        // It says so before it asks its engine.
                        return tokio::time::sleep(SOON).await;
                    }
                }
            };
            let _ = tokio::time::timeout(POLL, said).await;
        });
    }

    fn pause(&self) {
        self.runtime.block_on(async { tokio::time::sleep(POLL).await });
    }

    fn stored(&self) -> Result<(Stream, Vec<StoredSource>), FleetError> {
        self.runtime.block_on(async {
            let stream = self.broker.sources().await?;
            let stored = self.broker.stored(&stream).await?;
            Ok((stream, stored))
        })
    }

    /// What the nodes that run say of themselves.
    fn running(&self) -> Result<Vec<NodeRecord>, FleetError> {
        self.runtime.block_on(async {
            // As soon as everybody who was there a moment ago has answered, nobody else is waited for.
            let known = self.broker.known().await?;
            // By the server's clock, for this machine's may be wrong.
            let last = known.iter().map(|node| node.last_seen).max().unwrap_or(0);
            let fresh = known.iter().filter(|node| !node.record.has_left && last - node.last_seen < 10_000);
            self.broker.ask_all(fresh.count().max(1), NODES).await
        })
    }

    fn record_of(&self, node: &str) -> Result<NodeRecord, FleetError> {
        if let Some(record) = self.ask::<NodeRecord>(node, "status", &()) {
            return Ok(record);
        }
        let known = self.runtime.block_on(self.broker.known())?;
        let names: Vec<&str> = known.iter().map(|known| &*known.record.node).collect();
        Err(FleetError::Refused(if names.contains(&node) {
            format!("node '{node}' does not answer; what it had goes to others by itself")
        } else if names.is_empty() {
            format!("there is no node '{node}'; the fleet has none")
        } else {
            format!("there is no node '{node}'; the fleet knows {}", crate::config::listed(&names))
        }))
    }

    fn order(&self, node: &str, what: &str, order: &impl Serialize) -> Result<(), FleetError> {
        match self.ask::<Answered>(node, what, order) {
            Some(Answered { refused: None }) => Ok(()),
            Some(Answered { refused: Some(reason) }) => Err(FleetError::Refused(reason)),
            None => Err(FleetError::Refused(match self.broker.refused() {
                Some(reason) => format!("node '{node}' is not told to {what}: {reason}"),
                None => format!("node '{node}' does not answer"),
            })),
        }
    }

    fn ask<T: DeserializeOwned>(&self, node: &str, what: &str, body: &impl Serialize) -> Option<T> {
        let body = serde_json::to_vec(body).ok()?;
        let answer = self.runtime.block_on(async {
            let asked = self.broker.client.request(names::question(node, what), body.into());
            tokio::time::timeout(ANSWER, asked).await.ok()?.ok()
        })?;
        serde_json::from_slice(&answer.payload).ok()
    }
}

fn not_opened(id: &str, helps: &str) -> FleetError {
    FleetError::Refused(format!(
        "source '{id}' is sealed with a key that is not here; {helps}, or remove the source first with 'fleet remove {id}'"
    ))
}

/// Does all of it, many at a time: over a network most of the time of each is the way there and back.
async fn all<F>(work: impl Iterator<Item = F>) -> Result<(), FleetError>
where
    F: Future<Output = Result<(), FleetError>>,
{
    futures_util::stream::iter(work).buffer_unordered(AT_ONCE).try_collect().await
}

fn messages(wanted: &[NamedSource]) -> Vec<SourceMessage> {
    wanted.iter().cloned().map(SourceMessage::from).collect()
}

/// The node that has source `id` by the latest lease.
fn holder<'a>(nodes: &'a [NodeRecord], id: &str) -> Option<(&'a NodeRecord, &'a HeldSource)> {
    let all = nodes.iter().flat_map(|node| node.sources.iter().map(move |held| (node, held)));
    all.filter(|(_, held)| held.id == id).max_by_key(|(_, held)| held.epoch)
}
