//! The thread that everything asked of the engine goes to: it owns the list of sources, hands out open slots, and twice a
//! second sees to rates, load and memory.
//!
//! It never waits: what concerns one source it leaves to that source's actor, whose commands it has obeyed while no worker
//! is at it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use crossbeam_channel::Receiver;

use super::{
    api::Control,
    core::{Core, Usage},
    error::EngineError,
    load::{
        WorkerLoad,
        memory::{Decision, MemoryGuard},
        throttle::{Load, Throttle},
    },
    message::Message,
    order::Order,
    pool::slots::Slots,
    reply::{Answer, Outcome},
    roster::Roster,
    source::{Command, Source, commands::PauseWithAll},
};
use crate::{
    config::{self, ParallelConfig, SourceConfig},
    evidence::millis,
    metrics::ProcessMeter,
    model::{
        Acknowledgment, AlertKind, Event, EventKind, LineCounts, MOST_INSIDE, Overload, Scene, SourceId,
        SourceKind, Strategy,
    },
    source::pacer::RateShares,
};

/// How often rates, load and memory are measured.
pub const TICK: Duration = Duration::from_millis(500);

/// For this long after a standstill of the program, frames that are lost are those that had piled up.
const CATCHING_UP: Duration = Duration::from_secs(5);

/// What may be asked for a source that is still being removed.
const ROOM: usize = 1024;

/// What is asked for the id of a source that is being removed, from the addition of the next one on.
#[derive(Default)]
struct Successor {
    /// Whether the next source will be there when all of it is done.
    will_be_there: bool,
    asked: VecDeque<(Control, Answer)>,
}

/// See the module's documentation.
pub struct Coordinator {
    core: Arc<Core>,
    settings: ParallelConfig,
    orders: Receiver<Order>,
    messages: Receiver<Message>,
    roster: Roster,
    /// The same for everybody.
    published: Arc<ArcSwap<Roster>>,
    /// By the number of the source that leaves.
    successors: BTreeMap<usize, Successor>,
    /// Counts to go on from, by source: of before a restart of the program, or of a source that was removed.
    restored: Vec<(SourceId, Vec<LineCounts>)>,
    /// What is known of their scenes.
    scenes: Vec<(SourceId, Scene)>,
    /// Sources added so far.
    numbers: usize,
    slots: Slots,
    throttle: Throttle,
    /// What the throttle has seen of each source, by its number: detection runs, and frames lost.
    seen: BTreeMap<usize, (u64, u64)>,
    /// What is left of its rates to each source that was told of it, by its number.
    shares: BTreeMap<usize, (RateShares, Option<Overload>)>,
    memory: MemoryGuard,
    process: ProcessMeter,
    loads: Vec<WorkerLoad>,
    is_started: bool,
    has_ended: bool,
}

/// What is known of sources from before the engine began.
pub struct Earlier {
    /// Counts to go on from.
    pub restored: Vec<(SourceId, Vec<LineCounts>)>,
    /// Their scenes.
    pub scenes: Vec<(SourceId, Scene)>,
}

impl Coordinator {
    /// A coordinator without sources, which will go on from what was before.
    pub fn new(
        core: Arc<Core>,
        settings: ParallelConfig,
        Earlier { restored, scenes }: Earlier,
        (orders, messages): (Receiver<Order>, Receiver<Message>),
        published: Arc<ArcSwap<Roster>>,
    ) -> Self {
        let mut process = ProcessMeter::default();
        process.sample();
        Self {
            loads: vec![WorkerLoad::default(); core.scheduler.workers().len()],
            slots: Slots::new(settings.max_open_sources),
            core,
            settings,
            orders,
            messages,
            roster: Roster::default(),
            published,
            successors: BTreeMap::new(),
            restored,
            scenes,
            numbers: 0,
            throttle: Throttle::default(),
            seen: BTreeMap::new(),
            shares: BTreeMap::new(),
            memory: MemoryGuard::default(),
            process,
            is_started: false,
            has_ended: false,
        }
    }

    /// Handles orders and messages until it is told to stop.
    pub fn run(mut self) {
        let (orders, messages) = (self.orders.clone(), self.messages.clone());
        let mut next = Instant::now() + TICK;
        loop {
            self.core.rounds.coordinator_turns();
            let left = next.saturating_duration_since(Instant::now());
            crossbeam_channel::select! {
                recv(orders) -> order => match order {
                    Ok(Order::Stop) | Err(_) => return,
                    Ok(order) => self.follow(order),
                },
                recv(messages) -> message => message.into_iter().for_each(|message| self.handle(message)),
                default(left) => {}
            }
            if Instant::now() >= next {
                next = Instant::now() + TICK;
                if self.is_started {
                    self.tick();
                }
            }
        }
    }

    fn follow(&mut self, order: Order) {
        match order {
            Order::Ask(control, answer) => self.ask(control, answer),
            Order::Start(answer) => {
                self.start();
                answer.give(Ok(()));
            }
            Order::End(answer) => {
                self.has_ended = true;
                self.slots.close();
                self.roster.all().for_each(|source| source.cut_off());
                answer.give(Ok(()));
            }
            Order::Stop => {}
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Turn(number) => self.roster.numbered(number).into_iter().for_each(Source::take_turn),
            Message::SlotWanted(number) => {
                if let Some(source) = self.roster.numbered(number) {
                    self.slots.want(number, source.config.load().priority);
                    self.grant_slots();
                }
            }
            Message::SlotUnwanted(number) => {
                self.slots.forget(number);
                self.grant_slots();
            }
            Message::SlotFree => {
                self.slots.free();
                self.grant_slots();
            }
            Message::Left(number, counts) => self.retire(number, counts),
        }
    }

    fn start(&mut self) {
        if std::mem::replace(&mut self.is_started, true) {
            return;
        }
        let mut sources = self.roster.sources.clone();
        sources.sort_by_key(|source| std::cmp::Reverse(source.config.load().priority));
        for source in sources.iter().filter(|source| source.config.load().enabled) {
            // What comes of it is its state.
            source.post(Command::Start, None);
        }
    }

    /// Does what is asked, or has it done.
    fn ask(&mut self, control: Control, answer: Answer) {
        let Some((control, answer)) = self.put_off(control, answer) else { return };
        match control {
            Control::Source(id, command) => self.post(&id, Command::Asked(command.ask()), answer),
            Control::PauseAll(paused) => {
                let live = |source: &&Arc<Source>| !source.cell.load().state.is_over();
                for source in self.roster.sources.iter().filter(live) {
                    source.post(Command::Asked(Box::new(PauseWithAll(paused))), Some(answer.share()));
                }
                answer.give(Ok(()));
            }
            Control::Remove(id) => self.remove(&id, answer),
            Control::Add(config) => self.add(*config, answer),
            Control::Acknowledge { source, kind, who } => answer.give(self.acknowledge(source, kind, who)),
            Control::SetArea { inside, .. } if inside > MOST_INSIDE => {
                answer.give(Err(EngineError::TooMany(inside)));
            }
            Control::SetArea { area, inside, who } => self.core.outbox.set_area(area, inside, who, answer),
            Control::SetWorkers(workers) => {
                let workers = self.core.scheduler.set_limit(workers);
                tracing::info!("{workers} workers");
                answer.give(Ok(()));
            }
        }
        self.core.note_change();
    }

    /// Notes who has seen an alert; the first who did stays.
    fn acknowledge(&self, source: SourceId, kind: AlertKind, who: String) -> Outcome {
        let stands = if kind == AlertKind::Area {
            self.has_full_area(&source)
        } else {
            let Some(found) = self.roster.find(&source) else {
                return Err(EngineError::UnknownSource(source));
            };
            AlertKind::of(&found.cell.load()).any(|stands| stands == kind)
        };
        if !stands {
            return Err(EngineError::NoAlert(source, kind.word()));
        }
        let known = self.core.acknowledged.load();
        if !known.iter().any(|it| it.source == source && it.kind == kind) {
            let wall = millis(self.core.clock.wall());
            let mut all = Vec::clone(&known);
            all.push(Acknowledgment { source, kind, who, wall });
            self.core.acknowledged.store(Arc::new(all));
        }
        Ok(())
    }

    /// Whether the area of this name is over its threshold.
    fn has_full_area(&self, name: &str) -> bool {
        self.core.areas.load().iter().any(|area| area.name == name && area.is_over)
    }

    /// Forgets who has seen what is over.
    fn forget_acknowledged(&self) {
        let known = self.core.acknowledged.load();
        let stands = |it: &&Acknowledgment| {
            if it.kind == AlertKind::Area {
                return self.has_full_area(&it.source);
            }
            self.roster.find(&it.source).is_some_and(|source| it.kind.goes_on(&source.cell.load()))
        };
        let left: Vec<_> = known.iter().filter(stands).cloned().collect();
        if left.len() < known.len() {
            self.core.acknowledged.store(Arc::new(left));
        }
    }

    fn post(&self, id: &SourceId, command: Command, answer: Answer) {
        match self.roster.find(id) {
            Some(source) => source.post(command, Some(answer)),
            None => answer.give(Err(EngineError::UnknownSource(id.clone()))),
        }
    }

    /// What is asked of an id whose source is still being removed waits for that: the next source of this id goes on
    /// from its counts.
    fn put_off(&mut self, control: Control, answer: Answer) -> Option<(Control, Answer)> {
        let leaves = |id: &SourceId| self.roster.leaving.iter().rfind(|source| source.id == *id);
        let leaving = source_of(&control).filter(|id| self.roster.find(id).is_none()).and_then(leaves);
        let Some(source) = leaving else { return Some((control, answer)) };
        let successor = self.successors.entry(source.number).or_default();
        let refused = match &control {
            Control::Add(_) if successor.will_be_there => EngineError::DuplicateId(source.id.clone()),
            Control::Add(_) if successor.asked.len() < ROOM => {
                successor.will_be_there = true;
                successor.asked.push_back((control, answer));
                return None;
            }
            _ if !successor.will_be_there => return Some((control, answer)),
            _ if successor.asked.len() < ROOM => {
                successor.will_be_there = !matches!(control, Control::Remove(_));
                successor.asked.push_back((control, answer));
                return None;
            }
            _ => EngineError::Busy(source.id.clone()),
        };
        answer.give(Err(refused));
        None
    }

    fn remove(&mut self, id: &SourceId, answer: Answer) {
        let Some(place) = self.roster.sources.iter().position(|source| source.id == *id) else {
            return answer.give(Err(EngineError::UnknownSource(id.clone())));
        };
        let source = self.roster.sources.remove(place);
        // Of what comes after its end nothing is counted.
        source.cut_off();
        self.roster.leaving.push(Arc::clone(&source));
        self.publish_roster();
        source.post(Command::Remove, Some(answer));
    }

    /// Forgets a source that was removed and is through with everything.
    fn retire(&mut self, number: usize, counts: Vec<LineCounts>) {
        let Some(place) = self.roster.leaving.iter().position(|source| source.number == number) else {
            return;
        };
        let source = self.roster.leaving.remove(place);
        self.seen.remove(&number);
        self.shares.remove(&number);
        self.restored.retain(|(id, _)| *id != source.id);
        self.restored.push((source.id.clone(), counts));
        self.scenes.retain(|(id, _)| *id != source.id);
        self.scenes.extend(source.cell.load().scene.clone().map(|scene| (source.id.clone(), scene)));
        self.publish_roster();
        for (control, answer) in self.successors.remove(&number).unwrap_or_default().asked {
            self.ask(control, answer);
        }
    }

    fn add(&mut self, config: SourceConfig, answer: Answer) {
        let enabled = config.enabled;
        match self.admit(config) {
            Ok(source) if enabled && self.is_started => source.post(Command::Start, Some(answer)),
            Ok(_) => answer.give(Ok(())),
            Err(error) => {
                tracing::error!("{error}");
                answer.give(Err(error));
            }
        }
    }

    fn admit(&mut self, config: SourceConfig) -> Result<Arc<Source>, EngineError> {
        config::check_id(&config.id).map_err(EngineError::Source)?;
        if self.has_ended {
            return Err(EngineError::Ended);
        }
        if self.roster.find(&config.id).is_some() {
            return Err(EngineError::DuplicateId(config.id));
        }
        // Events of an area have its name where others have their source.
        if self.core.areas.load().iter().any(|area| *area.name == *config.id) {
            return Err(EngineError::AreaOfThisName(config.id));
        }
        let known = self.restored.iter().position(|(id, _)| *id == config.id);
        let mut counts = known.map(|index| self.restored.swap_remove(index).1).unwrap_or_default();
        if config.kind == SourceKind::Video && !counts.is_empty() {
            // A file is counted again by every run, also when it was removed and comes again.
            counts.clear();
            let (wall, source) = (self.core.clock.wall(), config.id.clone());
            self.core.outbox.event(Event::new(wall, source, EventKind::Reset));
        }
        let known = self.scenes.iter().position(|(id, _)| *id == config.id);
        let scene = known.map(|index| self.scenes.swap_remove(index).1);
        let scene = scene.filter(|_| config.kind == SourceKind::Camera);
        let source = Source::new(self.numbers, config, (&counts, scene), Arc::clone(&self.core));
        self.numbers += 1;
        self.roster.sources.push(Arc::clone(&source));
        self.publish_roster();
        if self.settings.strategy == Strategy::Dedicated {
            let count = self.roster.sources.len();
            self.core.scheduler.set_limit(count.max(self.core.scheduler.limit()));
        }
        Ok(source)
    }

    fn publish_roster(&self) {
        self.published.store(Arc::new(self.roster.clone()));
        self.core.note_change();
    }

    fn grant_slots(&mut self) {
        while let Some(number) = self.slots.grant() {
            match self.roster.numbered(number) {
                Some(source) => source.post(Command::SlotGranted, None),
                None => self.slots.free(),
            }
        }
        self.core.waiting_files.store(self.slots.waiting(), Ordering::Relaxed);
        self.core.note_change();
    }

    fn tick(&mut self) {
        let has_room = !self.core.outbox.is_full();
        for source in &self.roster.sources {
            source.post(Command::Tick, None);
            if has_room {
                source.go_on();
            }
        }
        // What was put off by full outboxes concerns removed sources as well.
        self.roster.leaving.iter().filter(|_| has_room).for_each(Source::go_on);
        self.forget_acknowledged();
        self.process.sample();
        self.share_out_load();
        self.keep_memory();
        for (worker, load) in self.core.scheduler.workers().iter().zip(&mut self.loads) {
            load.busy.measure(worker.busy.load(Ordering::Relaxed), TICK);
            load.cpu.measure(worker.cpu.load(Ordering::Relaxed), TICK);
        }
        let process = self.process.latest();
        let usage = Usage { cpu: process.cpu, rss: process.rss, loads: self.loads.clone() };
        self.core.usage.store(Arc::new(usage));
        self.core.note_change();
    }

    /// Makes detections rarer under overload, then frames, and both as frequent as configured after it.
    fn share_out_load(&mut self) {
        let catching_up = self.core.is_awakening(CATCHING_UP);
        let mut loads = Vec::new();
        for source in &self.roster.sources {
            let Some(load) = source.vitals.load().load else { continue };
            let now = (load.detected, load.lost);
            let before = self.seen.insert(load.number, now).unwrap_or_default();
            let lost = if catching_up { 0 } else { now.1.saturating_sub(before.1) };
            loads.push(Load { detected: now.0.saturating_sub(before.0), lost, ..load });
        }
        let rss = self.process.latest().rss;
        let memory_short = self.settings.memory_limit.is_some_and(|limit| rss > limit);
        let shares = self.throttle.shares(&loads, memory_short, self.core.clock.now());
        let cause = self.throttle.cause();
        for (load, shares) in loads.iter().zip(shares) {
            let message = (shares, cause);
            let before = self.shares.insert(load.number, message).unwrap_or((RateShares::WHOLE, None));
            if before != message
                && let Some(source) = self.roster.numbered(load.number)
            {
                source.post(Command::Throttle(shares, cause), None);
            }
        }
    }

    /// Closes the source that grew, or the least important camera, when the memory limit is near, and opens it again
    /// when there is room.
    fn keep_memory(&mut self) {
        let Some(limit) = self.settings.memory_limit else { return };
        let holders: Vec<_> =
            self.roster.sources.iter().filter_map(|source| source.vitals.load().holder).collect();
        let rss = self.process.latest().rss;
        let (command, number) = match self.memory.decide(rss, limit, &holders, self.core.clock.now()) {
            Decision::Keep => return,
            Decision::Close(number) => (Command::Evict(limit), number),
            Decision::Open(number) => (Command::Readmit, number),
        };
        if let Some(source) = self.roster.numbered(number) {
            source.post(command, None);
        }
    }
}

/// The source that something is asked of.
pub fn source_of(control: &Control) -> Option<&SourceId> {
    match control {
        Control::Acknowledge { kind: AlertKind::Area, .. } => None,
        Control::Source(id, _) | Control::Remove(id) | Control::Acknowledge { source: id, .. } => Some(id),
        Control::Add(config) => Some(&config.id),
        Control::PauseAll(_) | Control::SetWorkers(_) | Control::SetArea { .. } => None,
    }
}
