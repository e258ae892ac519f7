//! What the tasks of a node share, and what it says of itself.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;

use super::{
    Server,
    capacity::{self, Load},
    hold::Held,
    local::Local,
    outbox::{self, End, NodeLedger, Unsent},
    record::{HandedOver, NodeRecord},
    seal::FleetKey,
    service::Service,
};
use crate::{clock::passed, engine::EngineApi, model::SourceId};

/// Who a node is.
#[derive(Clone)]
pub struct NodeOptions {
    /// The server of the fleet.
    pub server: Server,
    /// Name of the node; the host's when none is given.
    pub node: Option<String>,
    /// Where it is.
    pub site: Option<String>,
    /// Sources of the fleet that it takes; as many as there is room for when none is given.
    pub room: Option<usize>,
    /// Key of the fleet, where its sources are sealed.
    pub key: Option<Arc<FleetKey>>,
    /// Whether it counts on for as long as connections to the server are refused.
    pub count_while_refused: bool,
    /// Folder to which paths of the fleet's sources are relative.
    pub base: PathBuf,
    /// The ledger out of which others are told what was counted; nobody is told without one.
    pub ledger: Option<NodeLedger>,
    /// Answers what is asked of its API over NATS; without it nothing is.
    pub service: Option<Arc<Service>>,
}

/// What the tasks of a node share.
pub struct Shared {
    pub options: NodeOptions,
    name: String,
    host: String,
    pub local: Local,
    pub held: Mutex<BTreeMap<SourceId, Arc<Held>>>,
    /// What hinders it as a node; none while nothing does.
    pub trouble: Mutex<Option<String>>,
    /// The source that it handed over last, and when.
    handed_over: Mutex<Option<(HandedOver, Duration)>>,
    is_draining: AtomicBool,
    /// What is not sent at the end.
    pub unsent: Arc<Unsent>,
    ends: (Sender<End>, Receiver<End>),
}

impl Shared {
    pub fn new(options: NodeOptions, engine: Arc<dyn EngineApi>) -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = match host.trim() {
            "" => "localhost".to_owned(),
            host => host.to_owned(),
        };
        let name = options.node.clone().unwrap_or_else(|| host.clone());
        let instance = format!("{host}-{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
        Self {
            local: Local::new(instance, engine),
            options,
            name,
            host,
            held: Mutex::default(),
            trouble: Mutex::default(),
            handed_over: Mutex::default(),
            is_draining: AtomicBool::new(false),
            unsent: Arc::default(),
            ends: outbox::ends(),
        }
    }

    /// A lease is over; the outbox says so to others.
    pub fn lease_ended(&self, end: End) {
        // What does not fit follows from the next lease.
        let _ = self.ends.0.try_send(end);
    }

    /// Leases that are over.
    pub fn ends(&self) -> Receiver<End> {
        self.ends.1.clone()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says of itself.
    pub fn record(&self) -> NodeRecord {
        let held: Vec<Arc<Held>> = self.held.lock().values().cloned().collect();
        // Once for all sources: with hundreds of them gathering it costs more than anything else here.
        let snapshot = self.local.engine.snapshot();
        NodeRecord {
            node: self.name.clone(),
            instance: self.local.instance().to_owned(),
            host: self.host.clone(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            detector: snapshot.detector.clone(),
            cores: cores(),
            room: self.room(),
            site: self.options.site.clone(),
            is_draining: self.is_draining.load(Ordering::SeqCst),
            has_left: self.local.has_left.load(Ordering::SeqCst),
            sources: held.iter().map(|held| held.shown(&snapshot)).collect(),
            problems: self.local.refused(),
            overload: capacity::overload(&snapshot).map(str::to_owned),
            handed_over: self.handed_over.lock().as_ref().map(|(source, at)| HandedOver {
                ago: passed().saturating_sub(*at).as_secs(),
                ..source.clone()
            }),
            trouble: self.trouble.lock().clone(),
        }
    }

    /// How many more sources it takes.
    pub fn room(&self) -> usize {
        if self.is_draining.load(Ordering::SeqCst) || self.local.has_left.load(Ordering::SeqCst) {
            return 0;
        }
        // What it has handed over would come back.
        let is_short = |(_, at): &(HandedOver, Duration)| passed().saturating_sub(*at) < capacity::NO_ROOM;
        if self.handed_over.lock().as_ref().is_some_and(is_short) || self.local.is_pausing() {
            return 0;
        }
        let (held, waiting) = {
            let held = self.held.lock();
            (held.len(), held.values().filter(|held| !held.is_counted()).count())
        };
        let mut load = Load::of(&self.local.engine.snapshot(), cores());
        load.starting += waiting;
        match self.options.room {
            // Who names a number knows the machine; one that is throttled has no room all the same.
            Some(_) if load.is_throttled => 0,
            Some(room) => room.saturating_sub(held),
            None => load.room(),
        }
    }

    /// Which part of its room the sources that it has take, 0..=1.
    pub fn fill(&self) -> f64 {
        let held = self.held.lock().len() as f64;
        let all = held + self.room() as f64;
        if all == 0.0 { 1.0 } else { held / all }
    }

    pub fn drain(&self, drain: bool) {
        self.is_draining.store(drain, Ordering::SeqCst);
        let word = if drain { "takes no more sources" } else { "takes sources again" };
        tracing::info!("Fleet: this node {word}");
    }

    /// Has a source given back.
    ///
    /// # Errors
    /// When it is not here.
    pub fn release(&self, id: &str) -> Result<(), String> {
        match self.held.lock().get(id) {
            Some(held) => {
                held.release();
                Ok(())
            }
            None => Err(format!("node '{}' does not have source '{id}'", self.name)),
        }
    }

    /// Takes no sources for a while after `at`, when it hands `source` over.
    pub fn has_no_room_after(&self, source: HandedOver, at: Duration) {
        *self.handed_over.lock() = Some((source, at));
    }

    /// Does the same with every source.
    pub fn for_each(&self, what: impl Fn(&Held)) {
        self.held.lock().values().for_each(|held| what(held));
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
