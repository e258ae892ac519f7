//! The server: connecting to it, the streams of a fleet, the sources in them.

use std::{
    fmt::Display,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_nats::{
    Client, ConnectOptions, HeaderMap, Subscriber,
    connection::State,
    jetstream::{
        self, Context,
        consumer::{AckPolicy, PullConsumer, pull},
        context::{CreateStreamError, CreateStreamErrorKind},
        kv,
        stream::{self, LastRawMessageErrorKind, RetentionPolicy, StorageType, Stream},
    },
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use parking_lot::Mutex;
use rustls::{
    ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer, pki_types::pem::PemObject as _,
};

use super::{
    ANSWER, FleetError, Server,
    login::Login,
    names,
    record::{KnownNode, NodeRecord, SourceMessage},
    refusal::{self, Refusals},
    replicas,
    term::ACK_WAIT,
};
use crate::clock::passed;

/// The server is asked again after at most this long while it is away.
const MOST_DELAY: Duration = Duration::from_secs(1);

/// A connection that is silent for this long is tried.
const PING: Duration = Duration::from_secs(2);

/// A source is stored by then.
const STORED: Duration = Duration::from_secs(10);

/// Messages that are read at a time.
const AT_ONCE: usize = 64;

/// Nodes that left are known for this long.
const REMEMBERED: Duration = Duration::from_hours(24 * 30);

/// Sources that may be leased at a time, of one site.
const MOST_LEASED: i64 = 100_000;

/// A connection to the server of a fleet. Cheap to clone.
#[derive(Clone)]
pub struct Broker {
    pub client: Client,
    pub context: Context,
    address: String,
    refusals: Refusals,
    connected: Arc<Mutex<Connected>>,
}

/// Which connection it is, and since when.
#[derive(Debug, Default)]
struct Connected {
    connection: u64,
    since: Duration,
}

/// A source as it stands on the server.
#[derive(Debug, Clone)]
pub struct StoredSource {
    /// Number of its message.
    pub revision: u64,
    pub message: SourceMessage,
    /// Why it is not understood; what its subject does not say is missing in `message` then.
    pub problem: Option<String>,
}

impl Broker {
    /// Connects. With `keeps_trying` it goes on in the background when the server is away; else that is an error, after five
    /// seconds.
    ///
    /// # Errors
    /// When a file cannot be used; the server cannot be reached, unless it `keeps_trying`; or it refuses this user, or its encryption
    /// this program.
    pub async fn connect(server: &Server, name: &str, keeps_trying: bool) -> Result<Self, FleetError> {
        let address = server.url.to_string();
        let failed = |problem: String| FleetError::Server { server: address.clone(), problem };
        let refusals = Refusals::default();
        let mut options = ConnectOptions::new()
            .name(name)
            .custom_inbox_prefix(names::inbox(name))
            .connection_timeout(Duration::from_secs(5))
            .ping_interval(PING)
            .request_timeout(Some(ANSWER))
            .reconnect_delay_callback(|attempts| {
                MOST_DELAY.min(Duration::from_millis(100) * u32::try_from(attempts).unwrap_or(10))
            })
            .require_tls(server.url.is_tls())
            .tls_client_config(trusting(server.ca.as_deref()).map_err(&failed)?);
        options = if keeps_trying {
            let heard = refusals.clone();
            options.max_reconnects(None).event_callback(move |event| {
                heard.hear(&event);
                match event {
                    async_nats::Event::Connected => tracing::info!("Fleet: connected"),
                    async_nats::Event::Disconnected => tracing::warn!("Fleet: the server is away"),
                    async_nats::Event::ServerError(error) => {
                        tracing::warn!("Fleet: the server says: {error}");
                    }
                    other => tracing::debug!("Fleet: {other}"),
                }
                std::future::ready(())
            })
        } else {
            let heard = refusals.clone();
            options.max_reconnects(2).event_callback(move |event| {
                heard.hear(&event);
                std::future::ready(())
            })
        };
        if let Some(file) = &server.credentials {
            options = Login::read(file).and_then(|login| login.give(options)).map_err(&failed)?;
        }
        let addresses: Vec<&str> = server.url.addresses().collect();
        let servers: Result<Vec<async_nats::ServerAddr>, _> =
            addresses.iter().map(|one| one.parse()).collect();
        let servers = servers.map_err(|error: std::io::Error| failed(error.to_string()))?;
        let client = match options.clone().connect(&servers).await {
            Ok(client) => client,
            Err(error) => match refusal::lasting(&error) {
                Some(problem) => return Err(failed(problem)),
                None if keeps_trying => {
                    let again = options.retry_on_initial_connect().connect(&servers).await;
                    again.map_err(|error| failed(error.to_string()))?
                }
                None => return Err(failed(format!("{error}; check the address, and that the server runs"))),
            },
        };
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ANSWER);
        Ok(Self { client, context, address, refusals, connected: Arc::default() })
    }

    /// For how long the connection has stood, at least: a new one is noticed when this is asked.
    pub fn connected_for(&self) -> Duration {
        let connection = self.client.statistics().connects.load(Ordering::Relaxed);
        let mut known = self.connected.lock();
        if known.connection != connection {
            *known = Connected { connection, since: passed() };
        }
        passed().saturating_sub(known.since)
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Whether what is sent cannot be read on its way.
    #[must_use]
    pub fn is_encrypted(&self, server: &Server) -> bool {
        server.url.is_tls() || self.client.server_info().tls_required
    }

    pub fn failed(&self, what: &str, error: impl Display) -> FleetError {
        let reason = self.refusals.take().unwrap_or_else(|| error.to_string());
        FleetError::Server { server: self.address.clone(), problem: format!("{what}: {reason}") }
    }

    /// Waits until the server refuses this user something at `subject`, and says it.
    pub async fn refusal_of(&self, subject: &str) -> String {
        self.refusals.of(subject).await
    }

    /// What the server has just refused to this user; `None` where it is silent for another reason.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        self.refusals.take()
    }

    /// Why there is no stream for `what`.
    fn without(&self, what: &str, error: &CreateStreamError) -> FleetError {
        let said = if error.kind() == CreateStreamErrorKind::TimedOut {
            format!("its JetStream does not answer for the {what}; see its log and whether its disk is full")
        } else {
            format!("there is no JetStream for the {what}; start it with 'nats-server -js'")
        };
        self.failed(&said, error)
    }

    /// The stream of the sources, made where it is missing.
    ///
    /// # Errors
    /// When the server has no `JetStream`, or another stream stands there.
    pub async fn sources(&self) -> Result<Stream, FleetError> {
        let wanted = stream::Config {
            name: names::SOURCES.into(),
            description: Some("Sources of a fleet of pcount-tui, one message each".into()),
            subjects: vec![names::ALL_SOURCES.into()],
            retention: RetentionPolicy::WorkQueue,
            // A change of a source takes the place of what was there, in one step.
            max_messages_per_subject: 1,
            storage: StorageType::File,
            ..stream::Config::default()
        };
        let found = replicas::get_or_create(&self.context, wanted.clone())
            .await
            .map_err(|error| self.without("sources", &error))?;
        let config = &found.cached_info().config;
        let fits = config.retention == wanted.retention
            && config.subjects == wanted.subjects
            && config.max_messages_per_subject == 1
            && config.discard == wanted.discard;
        if fits {
            return Ok(found);
        }
        Err(FleetError::Stream(format!(
            "the stream '{}' on {} is no work queue of a fleet (subjects {:?}, at most one message each); remove it with 'nats stream rm {0}', then apply again",
            names::SOURCES,
            self.address,
            wanted.subjects
        )))
    }

    /// What the nodes of `site` share its sources by.
    ///
    /// # Errors
    /// When the server does not answer, or it stands there otherwise.
    pub async fn consumer(&self, sources: &Stream, site: Option<&str>) -> Result<PullConsumer, FleetError> {
        let name = names::consumer(site);
        let wanted = pull::Config {
            durable_name: Some(name.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_deliver: -1,
            max_ack_pending: MOST_LEASED,
            filter_subject: names::site(site),
            ..pull::Config::default()
        };
        let found = sources.get_or_create_consumer(&name, wanted.clone()).await;
        let found = found.map_err(|error| self.failed(&format!("its consumer '{name}'"), error))?;
        let config = &found.cached_info().config;
        let fits = config.ack_policy == AckPolicy::Explicit
            && config.ack_wait == ACK_WAIT
            && config.filter_subject == wanted.filter_subject;
        if fits {
            return Ok(found);
        }
        Err(FleetError::Stream(format!(
            "the consumer '{name}' of the stream '{}' on {} waits {:?} for a node, not {ACK_WAIT:?}; remove it with 'nats consumer rm' while no node runs",
            names::SOURCES,
            self.address,
            config.ack_wait
        )))
    }

    /// All sources of the fleet, by id.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn stored(&self, sources: &Stream) -> Result<Vec<StoredSource>, FleetError> {
        let failed = |error: &dyn Display| self.failed("its sources cannot be listed", error);
        let subjects =
            sources.info_with_subjects(names::ALL_SOURCES).await.map_err(|error| failed(&error))?;
        let subjects: Vec<(String, usize)> = subjects.try_collect().await.map_err(|error| failed(&error))?;
        let read = subjects.iter().map(|(subject, _)| self.stored_at(sources, subject));
        let read: Vec<Option<StoredSource>> =
            futures_util::stream::iter(read).buffer_unordered(AT_ONCE).try_collect().await?;
        let mut stored: Vec<StoredSource> = read.into_iter().flatten().collect();
        stored.sort_by(|one, other| one.message.id.cmp(&other.message.id));
        Ok(stored)
    }

    /// Ids of all sources of the fleet. Asks for no stream to be made.
    ///
    /// # Errors
    /// When the server does not answer, or there is no such stream.
    pub async fn source_ids(&self) -> Result<Vec<String>, FleetError> {
        let failed = |error: &dyn Display| self.failed("its sources cannot be listed", error);
        let sources =
            self.context.get_stream_no_info(names::SOURCES).await.map_err(|error| failed(&error))?;
        let subjects =
            sources.info_with_subjects(names::ALL_SOURCES).await.map_err(|error| failed(&error))?;
        let ids = subjects.map_ok(|(subject, _)| names::id_of(&subject)).try_collect().await;
        ids.map_err(|error| failed(&error))
    }

    async fn stored_at(&self, sources: &Stream, subject: &str) -> Result<Option<StoredSource>, FleetError> {
        match sources.get_last_raw_message_by_subject(subject).await {
            Ok(found) => {
                let revision = found.sequence;
                Ok(Some(match serde_json::from_slice(&found.payload) {
                    Ok(message) => StoredSource { revision, message, problem: None },
                    Err(error) => StoredSource {
                        revision,
                        message: SourceMessage::unknown(subject),
                        problem: Some(format!(
                            "this version ({}) does not understand it: {error}",
                            env!("CARGO_PKG_VERSION")
                        )),
                    },
                }))
            }
            // It went meanwhile.
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.failed("a source cannot be read", error)),
        }
    }

    /// The number of the message at `subject`; `None` where there is none any more.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn revision(&self, sources: &Stream, subject: &str) -> Result<Option<u64>, FleetError> {
        match sources.get_last_raw_message_by_subject(subject).await {
            Ok(found) => Ok(Some(found.sequence)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.failed("a source cannot be read", error)),
        }
    }

    /// Puts `message` in the place of the one numbered `before`, or of none; gives its own number.
    ///
    /// # Errors
    /// When the server does not answer, or the source was changed by somebody else meanwhile.
    pub async fn store(&self, message: &SourceMessage, before: Option<u64>) -> Result<u64, FleetError> {
        let subject = names::source(message.site.as_deref(), &message.id);
        let body = serde_json::to_vec(message).map_err(|error| FleetError::Refused(error.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(
            async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
            before.unwrap_or(0).to_string().as_str(),
        );
        // Of thousands that are stored at once the last one takes its time.
        let mut context = self.context.clone();
        context.set_timeout(STORED);
        let sent = async {
            let stored = context.publish_with_headers(subject, headers, body.into()).await?;
            stored.await
        };
        match sent.await {
            Ok(stored) => Ok(stored.sequence),
            Err(error) if error.kind() == jetstream::context::PublishErrorKind::WrongLastSequence => {
                Err(FleetError::Refused(format!(
                    "source '{}' was changed by somebody else meanwhile; try again",
                    message.id
                )))
            }
            Err(error) => {
                Err(self.failed(&format!("source '{}' cannot be stored", message.id), explained(&error)))
            }
        }
    }

    /// Removes the message numbered `revision`.
    ///
    /// # Errors
    /// When the server does not answer, or it is gone already.
    pub async fn remove(&self, sources: &Stream, id: &str, revision: u64) -> Result<(), FleetError> {
        let removed = sources.delete_message(revision).await;
        removed.map(drop).map_err(|error| self.failed(&format!("source '{id}' cannot be removed"), error))
    }

    /// The bucket of the nodes, made where it is missing.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn nodes(&self) -> Result<kv::Store, FleetError> {
        if let Ok(found) = self.context.get_key_value(names::NODES).await {
            return Ok(found);
        }
        // As the client makes a bucket, which asks for the account before and cannot read what servers before 2.10 answer to that.
        // To be replaced by `create_key_value` when Debian's server is a later one.
        let wanted = stream::Config {
            name: format!("KV_{}", names::NODES),
            description: Some("Nodes of a fleet of pcount-tui".into()),
            subjects: vec![format!("$KV.{}.>", names::NODES)],
            max_messages_per_subject: 1,
            max_age: REMEMBERED,
            discard: stream::DiscardPolicy::New,
            storage: StorageType::File,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            ..stream::Config::default()
        };
        let made = replicas::get_or_create(&self.context, wanted).await;
        made.map_err(|error| self.without("nodes", &error))?;
        let found = self.context.get_key_value(names::NODES).await;
        found.map_err(|error| self.failed("the bucket of its nodes cannot be used", error))
    }

    /// Everybody who ever was a node and is remembered, by name, with what each said last. None of them answers yet.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn known(&self) -> Result<Vec<KnownNode>, FleetError> {
        let failed = |error: &dyn Display| self.failed("its nodes cannot be listed", error);
        let bucket = self.nodes().await?;
        // The client would make a consumer on the server for this, each time.
        let subjects = bucket.stream.info_with_subjects(format!("{}>", bucket.prefix)).await;
        let subjects = subjects.map_err(|error| failed(&error))?;
        let subjects: Vec<(String, usize)> = subjects.try_collect().await.map_err(|error| failed(&error))?;
        let keys = subjects.iter().filter_map(|(subject, _)| subject.strip_prefix(&bucket.prefix));
        let entries: Vec<Option<kv::Entry>> = futures_util::stream::iter(keys.map(|key| bucket.entry(key)))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
            .map_err(|error| failed(&error))?;
        let mut known = Vec::new();
        for entry in entries.into_iter().flatten() {
            // An entry of a later version that is not understood is passed over.
            let Ok(record) = serde_json::from_slice::<NodeRecord>(&entry.value) else { continue };
            let last_seen = i64::try_from(entry.created.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
            known.push(KnownNode { record, last_seen, silent_for: 0, answers: false });
        }
        known.sort_by(|one, other| one.record.node.cmp(&other.record.node));
        Ok(known)
    }

    /// What the nodes that run say of themselves, within `patience`, or as soon as `most` have answered.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn ask_all(&self, most: usize, patience: Duration) -> Result<Vec<NodeRecord>, FleetError> {
        let failed = |error: &dyn Display| self.failed("its nodes cannot be asked", error);
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await.map_err(|error| failed(&error))?;
        let asked = self.client.publish_with_reply(names::EVERY_NODE, inbox, Vec::new().into()).await;
        asked.map_err(|error| failed(&error))?;
        let mut records = Vec::new();
        let end = tokio::time::Instant::now() + patience;
        while records.len() < most {
            let Ok(Some(answer)) = tokio::time::timeout_at(end, answers.next()).await else { break };
            // Without a payload it is the server, which knows that there is no node.
            if answer.status.is_some() {
                break;
            }
            records.extend(serde_json::from_slice::<NodeRecord>(&answer.payload));
        }
        records.sort_by(|one, other| one.node.cmp(&other.node));
        Ok(records)
    }

    /// Hears what is said at `subject`.
    ///
    /// # Errors
    /// When the server cannot be told.
    pub async fn subscribe(&self, subject: &str) -> Result<Subscriber, FleetError> {
        let subscribed = self.client.subscribe(subject.to_owned()).await;
        subscribed.map_err(|error| self.failed("it cannot be listened to", error))
    }

    /// Says `what` at `subject`, to everybody that listens.
    pub async fn say(&self, subject: &str, what: &impl serde::Serialize) {
        if let Ok(body) = serde_json::to_vec(what) {
            // While the server is away nobody hears it, and nobody has to.
            let _ = self.client.publish(subject.to_owned(), body.into()).await;
        }
    }
}

/// What the server says when it does not store something, with what helps.
#[must_use]
pub fn explained(error: &impl Display) -> String {
    let said = error.to_string();
    if said.contains("insufficient resources") || said.contains("resource limits exceeded") {
        format!("{said}; its disk is full, or what it may store ('max_file_store'): make room there")
    } else {
        said
    }
}

/// Trusts the system's certificates and those in `ca`.
fn trusting(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    // Where a certificate of the system cannot be read, the others are there.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = read.map_err(|error| format!("'{}' cannot be read: {error}", path.display()))?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(format!("'{}' holds no certificate in PEM form", path.display()));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
