//! A node: joins the fleet, pulls as many sources as it has room for, and ends with its program.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use async_nats::jetstream::{Message, consumer::PullConsumer, stream::Stream};
use crossbeam_channel::{Sender, bounded};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    ANSWER, FleetError, answer, balance,
    broker::Broker,
    claim::{Claim, Claimed},
    handover::replaced,
    hold::{Given, GivenUp, Held, Unusable},
    names,
    outbox::Outbox,
    record::{SourceMessage, Taken},
    refused,
    seal::of_fleet,
    state::{NodeOptions, Shared},
    versions::Versions,
};
use crate::{
    clock::passed,
    config::SourceConfig,
    engine::EngineApi,
    model::{Epoch, SourceId},
};

/// The start waits so long for the server; what is refused by then ends the program.
const START: Duration = Duration::from_secs(5);

/// A server that is away is asked again after so long.
const PAUSE: Duration = Duration::from_secs(1);

/// The server keeps a question for sources open for so long.
const PULL: Duration = Duration::from_millis(700);

/// Between two questions for sources, at least.
const BETWEEN: Duration = Duration::from_millis(200);

/// A node that has little room left waits so much longer while there are many sources to take, so that the others, which have more, go
/// first.
const FULLER: Duration = Duration::from_millis(800);

/// Sources that are taken at a time, at most: others have room as well.
const AT_ONCE: usize = 8;

/// How often it is seen whether the streams are still there: the server says nothing to a question for sources when they are not.
const LOOK: Duration = Duration::from_secs(10);

/// How often the entry of the node is written.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// The clock of the server is asked for with every so many of them.
const MEASURED: u64 = 5;

/// An answer that takes longer, in milliseconds, tells too little of the server's clock.
const FAST: i64 = 1_000;

/// This program as a node, until it is stopped or dropped.
pub struct Node {
    end: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Node {
    /// Joins the fleet, and counts its sources with `engine` from now on. Waits at most five seconds for the server; where that is
    /// away the node goes on trying behind it.
    ///
    /// # Errors
    /// When another node has this name, a file cannot be used, what stands on the server is not of a fleet, or the system refuses a
    /// thread.
    pub fn start(options: NodeOptions, engine: Arc<dyn EngineApi>) -> Result<Self, FleetError> {
        let refused = |error: io::Error| FleetError::Thread(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("fleet-waiting")
            .build()
            .map_err(refused)?;
        let (end, ended) = watch::channel(false);
        let (told, outcome) = bounded(1);
        let shared = Arc::new(Shared::new(options, engine));
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("fleet".into()).spawn(move || {
            runtime.block_on(run(&shared, ended, &told));
            // A resolver that does not answer is not waited for.
            runtime.shutdown_timeout(Duration::ZERO);
        });
        let node = Self { end, thread: Some(thread.map_err(refused)?), shared: own };
        match outcome.recv_timeout(START) {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) => Ok(node),
            Err(_) => {
                tracing::warn!(
                    "Fleet: the server does not answer; its sources are counted as soon as it does"
                );
                Ok(node)
            }
        }
    }

    /// Gives all sources back, sends what was counted, and leaves. To be called when the engine counts no more and the ledger is
    /// closed; waits at most `patience`. What is not given back by then goes to other nodes when its lease runs out; what is not
    /// sent stays in the ledger, which the log says.
    pub fn stop(mut self, patience: Duration) {
        self.end.send_replace(true);
        let Some(thread) = self.thread.take() else { return };
        let end = passed() + patience;
        while !thread.is_finished() && passed() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        let left = self.shared.unsent.left();
        if self.shared.options.ledger.is_some() && (left > 0 || !thread.is_finished()) {
            let left = if left > 0 { left.to_string() } else { "some".to_owned() };
            tracing::warn!(
                "Fleet: {left} messages of what was counted are not sent; they stay in the ledger, and the next start with this \
                 output folder sends them"
            );
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end.send_replace(true);
    }
}

/// What a node has joined.
struct Joined {
    claim: Claim,
    sources: Stream,
    consumers: Vec<PullConsumer>,
}

async fn run(shared: &Arc<Shared>, ended: watch::Receiver<bool>, told: &Sender<Result<(), FleetError>>) {
    let name = format!("pcount-tui node {}", shared.name());
    let broker = match Broker::connect(&shared.options.server, &name, true).await {
        Ok(broker) => broker,
        Err(error) => return refuse(told, error),
    };
    // Also what an earlier run has left, whether this one gets sources or not.
    let outbox = shared.options.ledger.clone().map(|ledger| {
        Outbox::start(shared.name(), ledger, broker.clone(), shared.ends(), Arc::clone(&shared.unsent))
    });
    let outbox = match outbox.transpose() {
        Ok(outbox) => outbox,
        Err(error) => return refuse(told, error),
    };
    take_part(shared, &broker, ended, told).await;
    if let Some(outbox) = outbox {
        outbox.finish().await;
    }
}

/// Counts sources of the fleet until the end.
async fn take_part(
    shared: &Arc<Shared>,
    broker: &Broker,
    mut ended: watch::Receiver<bool>,
    told: &Sender<Result<(), FleetError>>,
) {
    let mut said = None;
    let joined = loop {
        let joined = tokio::select! {
            joined = join(shared, broker) => joined,
            _ = ended.wait_for(|ended| *ended) => return,
        };
        match joined {
            Ok(joined) => break joined,
            Err(error @ FleetError::Server { .. }) => {
                let text = error.to_string();
                if said.as_ref() != Some(&text) {
                    tracing::warn!("Fleet: {text}");
                    said = Some(text);
                }
            }
            Err(error) => return refuse(told, error),
        }
        tokio::time::sleep(PAUSE).await;
    };
    let _ = told.try_send(Ok(()));
    let Joined { mut claim, sources, consumers } = joined;
    let versions = Versions::new(sources, shared.name());
    tracing::info!("Fleet: joined as node '{}'", shared.name());
    let answering = tokio::spawn(answer::run(Arc::clone(shared), broker.clone()));
    let hearing = tokio::spawn(hear(Arc::clone(shared), broker.clone()));
    let pulling = tokio::spawn(pull(Arc::clone(shared), broker.clone(), Arc::new(versions), consumers));
    let balancing = tokio::spawn(balance::run(Arc::clone(shared), broker.clone()));
    let watching = tokio::spawn(refused::run(Arc::clone(shared), broker.clone()));
    let has_name = tokio::select! {
        () = keep_name(shared, broker, &mut claim) => false,
        _ = ended.wait_for(|ended| *ended) => true,
    };
    shared.local.has_left.store(true, Ordering::SeqCst);
    pulling.abort();
    balancing.abort();
    if has_name {
        shared.for_each(Held::release);
    } else {
        tracing::error!(
            "Fleet: another process is node '{}' now; this one gives its sources up and leaves the fleet. Start it with another --node",
            shared.name()
        );
        shared.for_each(Held::end);
    }
    while !shared.held.lock().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if has_name {
        claim.renew(&shared.record()).await;
        let _ = broker.client.flush().await;
    }
    answering.abort();
    hearing.abort();
    watching.abort();
}

/// Ends the node; the start of the program, if it still waits, is told why.
fn refuse(told: &Sender<Result<(), FleetError>>, error: FleetError) {
    tracing::error!("Fleet: {error}");
    let _ = told.try_send(Err(error));
}

async fn join(shared: &Shared, broker: &Broker) -> Result<Joined, FleetError> {
    let (sources, consumers) = streams(shared, broker).await?;
    let claim = Claim::take(broker, &shared.record()).await?;
    Ok(Joined { claim, sources, consumers })
}

/// The stream of the sources, and what this node gets them by.
async fn streams(shared: &Shared, broker: &Broker) -> Result<(Stream, Vec<PullConsumer>), FleetError> {
    broker.nodes().await?;
    let sources = broker.sources().await?;
    let mut consumers = Vec::new();
    // Its own site first: others can count the sources that everybody reaches.
    if let Some(site) = &shared.options.site {
        consumers.push(broker.consumer(&sources, Some(site)).await?);
    }
    consumers.push(broker.consumer(&sources, None).await?);
    Ok((sources, consumers))
}

/// Says again and again that the node is there; ends when another one has its name.
async fn keep_name(shared: &Shared, broker: &Broker, claim: &mut Claim) {
    let mut beat = tokio::time::interval(HEARTBEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let clock = shared.options.ledger.as_ref().map(|ledger| &ledger.clock);
    let is_due =
        |number: u64| number.is_multiple_of(MEASURED) || clock.is_some_and(|clock| clock.offset().is_none());
    for number in 0_u64.. {
        beat.tick().await;
        let asked = Timestamp::now().as_millisecond();
        let renewed = tokio::time::timeout(ANSWER, claim.renew(&shared.record())).await;
        let answered = Timestamp::now().as_millisecond();
        if let (Ok(Claimed::Still), Some(clock), true) = (&renewed, clock, is_due(number))
            && (0..FAST).contains(&(answered - asked))
            && let Some(written) = claim.written().await
        {
            clock.measured(written - i64::midpoint(asked, answered));
        }
        let trouble = match renewed {
            Ok(Claimed::Lost) => return,
            Ok(Claimed::Still) => None,
            // A server that is away is said to be by the connection.
            Ok(Claimed::Refused(why)) if broker.is_connected() => Some(format!(
                "the server does not store what this node says of itself: {why}; its sources are counted all the same"
            )),
            Ok(Claimed::Refused(_)) => continue,
            Ok(Claimed::Unknown) | Err(_) if broker.is_connected() => Some(
                "the server does not answer, although it is connected; what it has lent runs out. See its log, and whether its disk is full".to_owned(),
            ),
            Ok(Claimed::Unknown) | Err(_) => continue,
        };
        say_trouble(shared, trouble);
    }
}

/// Says what hinders the node, once, and when it is over.
fn say_trouble(shared: &Shared, trouble: Option<String>) {
    let mut before = shared.trouble.lock();
    if *before != trouble {
        if let Some(trouble) = &trouble {
            tracing::error!("Fleet: {trouble}");
        } else {
            tracing::info!("Fleet: the server stores again what this node says of itself");
        }
        *before = trouble;
    }
}

/// Gives up what another node counts by a later lease.
async fn hear(shared: Arc<Shared>, broker: Broker) {
    let Ok(mut said) = broker.subscribe(names::TAKEN).await else { return };
    while let Some(message) = said.next().await {
        let Ok(taken) = serde_json::from_slice::<Taken>(&message.payload) else { continue };
        shared.local.is_taken(&taken.id, taken.epoch.revision);
        let is_other = !taken.instance.is_empty() && !shared.local.is_me(&taken.instance);
        if taken.has_ended {
            shared.local.ended.note(&taken.id, taken.epoch.revision, passed());
        }
        if let Some(held) = shared.held.lock().get(taken.id.as_str()) {
            held.taken_by(&taken, is_other);
        }
    }
}

/// Takes sources while there is room.
async fn pull(
    shared: Arc<Shared>,
    broker: Broker,
    versions: Arc<Versions>,
    mut consumers: Vec<PullConsumer>,
) {
    let mut looked = passed();
    loop {
        let mut are_many = false;
        // A connection that is new is noticed here, also while no source comes.
        broker.connected_for();
        if broker.is_connected() && passed().saturating_sub(looked) >= LOOK {
            looked = passed();
            // A server that has lost its disk has no streams any more, until they are made again.
            if let Ok((_, again)) = streams(&shared, &broker).await {
                consumers = again;
            }
        }
        for consumer in &consumers {
            let room = shared.room();
            if room == 0 {
                continue;
            }
            let asked = passed();
            let most = room.div_ceil(4).min(AT_ONCE);
            shared.local.asks_for(PULL + ANSWER);
            let batch = consumer.batch().max_messages(most).expires(PULL).messages();
            let Ok(Ok(mut messages)) = tokio::time::timeout(ANSWER, batch).await else { continue };
            let mut taken = 0;
            while let Ok(Some(message)) = tokio::time::timeout(ANSWER, messages.next()).await {
                match message {
                    Ok(message) => take(&shared, &broker, &versions, message, asked),
                    Err(_) => break,
                }
                taken += 1;
            }
            are_many |= taken == most;
            shared.local.asks_for(Duration::ZERO);
        }
        let fill = if are_many { shared.fill() } else { 0.0 };
        tokio::time::sleep(BETWEEN + FULLER.mul_f64(fill)).await;
    }
}

/// Begins to hold the source of `message`, which came in answer to a question of `asked`.
fn take(shared: &Arc<Shared>, broker: &Broker, versions: &Arc<Versions>, message: Message, asked: Duration) {
    let Ok(info) = message.info() else { return };
    let delivery = u64::try_from(info.delivered).unwrap_or(1);
    let epoch = Epoch { revision: info.stream_sequence, delivery };
    let replaced = replaced(message.headers.as_ref());
    let (id, source, config) = read(&message, &shared.options);
    let site = source.as_ref().and_then(|source| source.site.clone());
    let given = Given { id: id.clone(), epoch, site, replaced, message: source };
    let held = Arc::new(Held::new(given, asked));
    let before = shared.held.lock().insert(id.clone(), Arc::clone(&held));
    let (shared, broker, versions) = (Arc::clone(shared), broker.clone(), Arc::clone(versions));
    tokio::spawn(async move {
        if let Some(before) = before {
            if before.epoch.revision < epoch.revision {
                before.give_way();
            } else {
                before.end();
            }
            before.is_over().await;
        }
        let config =
            config.map_err(|why| Unusable { offered_after: shared.local.refuse(&id, epoch.revision, &why) });
        match held.count((&broker, &versions), &shared.local, &message, config).await {
            GivenUp::Refused => {}
            GivenUp::Lost | GivenUp::Gone | GivenUp::Released => shared.local.accept(&id),
        }
        shared.lease_ended((id.clone(), epoch, Timestamp::now().as_millisecond()));
        let mut all = shared.held.lock();
        if all.get(&id).is_some_and(|there| Arc::ptr_eq(there, &held)) {
            all.remove(&id);
        }
        drop(all);
        held.set_over();
    });
}

/// The source in `message`: its id, itself, and how it is counted here or why it cannot be. What another version wrote may be
/// understood by other nodes.
fn read(
    message: &Message,
    options: &NodeOptions,
) -> (SourceId, Option<SourceMessage>, Result<SourceConfig, String>) {
    match serde_json::from_slice::<SourceMessage>(&message.payload) {
        Ok(source) => {
            let id = source.id.as_str().into();
            let opened = of_fleet(source.clone(), options.key.as_deref());
            (
                id,
                Some(source),
                opened.and_then(|source| SourceConfig::from_fleet(&source.entry, &options.base)),
            )
        }
        Err(error) => {
            let id = names::id_of(message.subject.as_str());
            let why = format!("this version ({}) does not understand it: {error}", env!("CARGO_PKG_VERSION"));
            (id.as_str().into(), None, Err(why))
        }
    }
}
