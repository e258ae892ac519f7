//! Snapshots of many engines as one. Pure: the time is given.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use crate::{
    fleet::{KnownNode, NodeRecord},
    model::{
        AreaSnapshot, EngineSnapshot, Epoch, Event, Holder, Moment, NodeSnapshot, NodeState, SourceId,
        SourceSnapshot, SourceState, Strategy, WorkerSnapshot,
    },
};

/// A node that was not heard of for this long does not answer.
const SILENT: Duration = Duration::from_millis(3_500);

/// A source that no node has is shown as it was for this long: another node takes it by then.
const BETWEEN: Duration = Duration::from_secs(15);

/// Events that are kept.
const EVENTS: usize = 400;

/// A node from whose share of the detection rate on it is not called throttled.
const NOT_THROTTLED: f32 = 0.995;

/// What is known of a node.
struct Known {
    record: NodeRecord,
    /// When it was heard last, on the clock of this program; before its start for what others have told.
    heard: Option<Moment>,
    /// When it was last seen, where this program has not heard it.
    age_at: (Duration, Moment),
    /// Its sources, with moments on the clock of this program.
    sources: Vec<Arc<SourceSnapshot>>,
    /// Everything else that it said.
    rest: Option<EngineSnapshot>,
    /// The last of its events that is taken.
    last_event: u64,
}

/// Where something goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Name of the node.
    pub node: Arc<str>,
    /// Its id there.
    pub id: SourceId,
    /// Whether the fleet has lent it.
    pub is_leased: bool,
    /// Whether the node answers.
    pub is_there: bool,
}

/// The nodes of a fleet and what they show.
#[derive(Default)]
pub struct Merge {
    nodes: BTreeMap<String, Known>,
    /// By the id under which a source is shown.
    routes: HashMap<SourceId, Route>,
    /// Nodes by the name of an area, with its name there.
    areas: HashMap<String, (Arc<str>, String)>,
    /// Ids of the sources that the fleet had at some moment.
    standing: Option<(HashSet<SourceId>, Moment)>,
    /// Leased sources as they were shown last, and when.
    shown: HashMap<SourceId, (Arc<SourceSnapshot>, Moment)>,
    events: VecDeque<Arc<Event>>,
    /// Events of this round, with their nodes.
    fresh: Vec<(Arc<str>, Arc<Event>)>,
    numbered: u64,
    generation: u64,
}

impl Merge {
    /// Takes what is remembered of nodes that may not answer any more.
    pub fn remember(&mut self, known: Vec<KnownNode>, wall: i64, now: Moment) {
        for KnownNode { record, last_seen, .. } in known {
            let age = Duration::from_millis(u64::try_from(wall - last_seen).unwrap_or(0));
            match self.nodes.get_mut(&record.node) {
                Some(there) if there.heard.is_some() => {
                    there.record.has_left |= record.has_left && record.instance == there.record.instance;
                }
                Some(there) => (there.record, there.age_at) = (record, (age, now)),
                None => {
                    let known = Known {
                        heard: None,
                        age_at: (age, now),
                        sources: Vec::new(),
                        rest: None,
                        last_event: 0,
                        record,
                    };
                    self.nodes.insert(known.record.node.clone(), known);
                }
            }
        }
    }

    /// The fleet had sources of these ids at `then`.
    pub fn stand(&mut self, ids: impl Iterator<Item = String>, then: Moment) {
        self.standing = Some((ids.map(|id| id.as_str().into()).collect(), then));
    }

    /// Whether a node that does not answer had sources of the fleet: they may have been removed since.
    pub fn may_hold_removed(&self, now: Moment) -> bool {
        let is_silent = |known: &Known| !known.record.has_left && known.silent_for(now).is_some();
        self.nodes
            .values()
            .any(|known| is_silent(known) && known.sources.iter().any(|source| is_leased(source)))
    }

    /// Whether leased source `id`, which was shown last at `shown`, was removed from the fleet since.
    fn is_removed(&self, id: &SourceId, shown: Moment) -> bool {
        self.standing.as_ref().is_some_and(|(ids, then)| *then > shown && !ids.contains(id))
    }

    /// Takes what a node says of itself, and its snapshot.
    pub fn take(&mut self, record: NodeRecord, snapshot: EngineSnapshot, now: Moment) {
        let before = self.nodes.remove(&record.node);
        let same = before.as_ref().filter(|known| known.record.instance == record.instance);
        let last_event = same.map_or(0, |known| known.last_event);
        let name: Arc<str> = record.node.as_str().into();
        for event in snapshot.events.iter().filter(|event| event.number > last_event) {
            self.fresh.push((Arc::clone(&name), Arc::clone(event)));
        }
        let site: Option<Arc<str>> = record.site.as_deref().map(Into::into);
        let epochs: HashMap<&str, Epoch> =
            record.sources.iter().map(|held| (held.id.as_str(), held.epoch)).collect();
        let sources = snapshot.sources.iter().map(|source| {
            let mut source = SourceSnapshot::clone(source);
            source.last_frame = source.last_frame.map(|then| moved(then, snapshot.taken, now));
            move_state(&mut source.state, snapshot.taken, now);
            source.holder = Some(Arc::new(Holder {
                node: Arc::clone(&name),
                site: site.clone(),
                epoch: epochs.get(&*source.id).copied(),
                age: None,
            }));
            Arc::new(source)
        });
        let known = Known {
            sources: sources.collect(),
            heard: Some(now),
            age_at: (Duration::ZERO, now),
            last_event: snapshot.events.last().map_or(last_event, |event| event.number.max(last_event)),
            rest: Some(EngineSnapshot { sources: Vec::new(), events: Arc::default(), ..snapshot }),
            record,
        };
        self.nodes.insert(known.record.node.clone(), known);
    }

    /// The processes that are expected to answer.
    pub fn expected(&self, now: Moment) -> Vec<String> {
        let is_expected = |known: &&Known| match known.heard {
            Some(heard) => now - heard < SILENT && !known.record.has_left,
            None => known.age_at.0 < BETWEEN && !known.record.has_left,
        };
        self.nodes.values().filter(is_expected).map(|known| known.record.instance.clone()).collect()
    }

    /// Names of the nodes that answer.
    pub fn answering(&self, now: Moment) -> Vec<Arc<str>> {
        let there = self.nodes.values().filter(|known| known.is_there(now));
        there.map(|known| known.record.node.as_str().into()).collect()
    }

    /// Where source `id` is.
    pub fn route(&self, id: &str) -> Option<Route> {
        self.routes.get(id).cloned()
    }

    /// The node of an area, and its name there.
    pub fn area(&self, name: &str) -> Option<(Arc<str>, String)> {
        self.areas.get(name).cloned()
    }

    /// The id under which source `id` of `node` is shown.
    pub fn shown_as(&self, node: &str, id: &SourceId) -> SourceId {
        let is_it =
            |route: Option<&Route>| route.is_some_and(|route| *route.node == *node && route.id == *id);
        if is_it(self.routes.get(id)) {
            return id.clone();
        }
        let elsewhere = qualified(id, node);
        if is_it(self.routes.get(&elsewhere)) { elsewhere } else { id.clone() }
    }

    /// Whether it is known under which id source `id` of `node` is shown.
    pub fn knows(&self, node: &str, id: &str) -> bool {
        self.nodes.get(node).is_some_and(|known| known.sources.iter().any(|source| *source.id == *id))
    }

    /// Everything, as of `now`.
    pub fn snapshot(&mut self, now: Moment) -> EngineSnapshot {
        self.generation += 1;
        let sources = self.sources(now);
        self.take_events();
        let nodes = self.nodes(&sources, now);
        let mut merged = EngineSnapshot {
            workers: Vec::new(),
            worker_count: 0,
            max_workers: 0,
            queue_pending: 0,
            queue: Vec::new(),
            strategy: Strategy::Shared,
            detector: String::new(),
            problems: problems_of(&nodes),
            notices: Vec::new(),
            acknowledged: Arc::default(),
            areas: Arc::default(),
            nodes: Arc::default(),
            events: Arc::new(self.events.iter().cloned().collect()),
            events_lost: 0,
            log_lines_lost: 0,
            cpu: 0.0,
            rss: 0,
            memory_limit: None,
            taken: now,
            generation: self.generation,
            sources,
        };
        let (mut detectors, mut versions) = (BTreeSet::new(), BTreeSet::new());
        let (mut acknowledged, mut areas) = (Vec::new(), Vec::<(Arc<str>, AreaSnapshot)>::new());
        for (name, known) in &self.nodes {
            let Some(rest) = known.rest.as_ref().filter(|_| known.is_there(now)) else { continue };
            detectors.insert(&*rest.detector);
            versions.insert(&*known.record.version);
            let first = merged.workers.len();
            merged.workers.extend(rest.workers.iter().map(|worker| WorkerSnapshot {
                number: first + worker.number,
                source: worker.source.as_ref().map(|id| self.shown_as(name, id)),
                ..worker.clone()
            }));
            merged.worker_count += rest.worker_count;
            merged.max_workers += rest.max_workers;
            merged.queue_pending += rest.queue_pending;
            merged.queue.extend(rest.queue.iter().map(|id| self.shown_as(name, id)));
            let said = |text: &String| format!("{name}: {text}");
            merged.problems.extend(rest.problems.iter().map(said));
            merged.notices.extend(rest.notices.iter().map(said));
            acknowledged.extend(rest.acknowledged.iter().map(|it| {
                let mut it = it.clone();
                it.source = self.shown_as(name, &it.source);
                it
            }));
            areas.extend(rest.areas.iter().map(|area| (Arc::from(name.as_str()), area.clone())));
            merged.events_lost += rest.events_lost;
            merged.log_lines_lost += rest.log_lines_lost;
            merged.cpu += rest.cpu;
            merged.rss += rest.rss;
        }
        merged.detector =
            detectors.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
        if versions.len() > 1 {
            let versions: Vec<&str> = versions.into_iter().collect();
            merged.notices.push(format!("nodes run different versions: {}", versions.join(", ")));
        }
        merged.acknowledged = Arc::new(acknowledged);
        merged.areas = Arc::new(self.name_areas(areas));
        merged.nodes = Arc::new(nodes);
        merged
    }

    /// The sources of all nodes, each once: a leased one as the later lease has it.
    fn sources(&mut self, now: Moment) -> Vec<Arc<SourceSnapshot>> {
        let mut claims: HashMap<&SourceId, usize> = HashMap::new();
        let mut latest: HashMap<&SourceId, Epoch> = HashMap::new();
        for source in self.nodes.values().flat_map(|known| &known.sources) {
            match source.holder.as_ref().and_then(|holder| holder.epoch) {
                Some(epoch) => {
                    let last = latest.entry(&source.id).or_insert_with(|| {
                        // Leased to several nodes it is one source.
                        *claims.entry(&source.id).or_default() += 1;
                        epoch
                    });
                    *last = (*last).max(epoch);
                }
                None => *claims.entry(&source.id).or_default() += 1,
            }
        }
        let mut routes = HashMap::new();
        let mut rows = Vec::new();
        for (name, known) in &self.nodes {
            let age = known.silent_for(now);
            // One that has left has given everything back.
            if known.record.has_left && age.is_some() {
                continue;
            }
            for source in &known.sources {
                let epoch = source.holder.as_ref().and_then(|holder| holder.epoch);
                if epoch.is_some() && epoch != latest.get(&source.id).copied() {
                    continue;
                }
                let is_removed = |heard| self.is_removed(&source.id, heard);
                if epoch.is_some() && age.is_some() && known.heard.is_some_and(is_removed) {
                    continue;
                }
                let is_taken = epoch.is_none() && claims.get(&source.id).is_some_and(|claims| *claims > 1);
                let id = if is_taken { qualified(&source.id, name) } else { source.id.clone() };
                let route = Route {
                    node: name.as_str().into(),
                    id: source.id.clone(),
                    is_leased: epoch.is_some(),
                    is_there: age.is_none(),
                };
                let row = if age.is_none() && !is_taken {
                    Arc::clone(source)
                } else {
                    aged(source, id.clone(), age)
                };
                routes.insert(id, route);
                rows.push(row);
            }
        }
        self.keep_between(&mut rows, &mut routes, now);
        self.routes = routes;
        // Where a source moves to another node its row stays where it was.
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        rows
    }

    /// Keeps the rows of leased sources that no node has for a moment, and notes those that one has.
    fn keep_between(
        &mut self,
        rows: &mut Vec<Arc<SourceSnapshot>>,
        routes: &mut HashMap<SourceId, Route>,
        now: Moment,
    ) {
        for row in rows.iter().filter(|row| row.silent_for().is_none()) {
            if is_leased(row) {
                self.shown.insert(row.id.clone(), (Arc::clone(row), now));
            }
        }
        let mut shown = std::mem::take(&mut self.shown);
        shown.retain(|id, (row, then)| {
            let age = now - *then;
            if routes.contains_key(id) {
                return true;
            }
            if self.is_removed(id, *then) {
                return false;
            }
            let Some(holder) = row.holder.as_ref().filter(|_| age < BETWEEN) else { return false };
            let route =
                Route { node: Arc::clone(&holder.node), id: id.clone(), is_leased: true, is_there: false };
            routes.insert(id.clone(), route);
            rows.push(aged(row, id.clone(), Some(age)));
            true
        });
        self.shown = shown;
    }

    fn nodes(&self, sources: &[Arc<SourceSnapshot>], now: Moment) -> Vec<NodeSnapshot> {
        let mut counts: HashMap<&str, (usize, usize, bool)> = HashMap::new();
        for source in sources {
            let Some(holder) = &source.holder else { continue };
            let (all, leased, is_throttled) = counts.entry(&holder.node).or_default();
            *all += 1;
            *leased += usize::from(holder.epoch.is_some());
            *is_throttled |= source.rate_share < NOT_THROTTLED || source.frame_share < NOT_THROTTLED;
        }
        let node = |(name, known): (&String, &Known)| {
            let record = &known.record;
            let (sources, leased, is_throttled) = counts.get(name.as_str()).copied().unwrap_or_default();
            let silent = known.silent_for(now);
            let state = match silent {
                _ if record.has_left => NodeState::Left,
                Some(_) => NodeState::Silent,
                None if record.is_draining => NodeState::Draining,
                None => NodeState::Runs,
            };
            let rest = known.rest.as_ref();
            let problems = rest.into_iter().flat_map(|rest| rest.problems.iter().cloned());
            let refused = record.problems.iter().map(|problem| format!("it cannot count {problem}"));
            NodeSnapshot {
                name: name.as_str().into(),
                site: record.site.as_deref().map(Into::into),
                state,
                age: known.age(now),
                version: record.version.clone(),
                detector: record.detector.clone(),
                cores: record.cores,
                cpu: rest.map_or(0.0, |rest| rest.cpu),
                rss: rest.map_or(0, |rest| rest.rss),
                room: record.room,
                sources,
                leased,
                is_throttled: is_throttled && silent.is_none(),
                problems: problems.chain(refused).collect(),
            }
        };
        self.nodes.iter().map(node).collect()
    }

    /// Numbers what happened since the last round, in the order of time.
    fn take_events(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_by_key(|(_, event)| event.wall);
        for (node, event) in fresh {
            self.numbered += 1;
            let mut event = Event::clone(&event);
            event.source = self.shown_as(&node, &event.source);
            event.number = self.numbered;
            self.events.push_back(Arc::new(event));
        }
        self.events.drain(..self.events.len().saturating_sub(EVENTS));
    }

    /// Gives areas of several nodes names of their own.
    fn name_areas(&mut self, areas: Vec<(Arc<str>, AreaSnapshot)>) -> Vec<AreaSnapshot> {
        let mut claims: HashMap<String, usize> = HashMap::new();
        for (_, area) in &areas {
            *claims.entry(area.name.clone()).or_default() += 1;
        }
        self.areas.clear();
        let named = areas.into_iter().map(|(node, mut area)| {
            let own = area.name.clone();
            if claims.get(&own).is_some_and(|claims| *claims > 1) {
                area.name = format!("{own}@{node}");
            }
            self.areas.insert(area.name.clone(), (node, own));
            area
        });
        named.collect()
    }
}

impl Known {
    fn age(&self, now: Moment) -> Duration {
        self.age_at.0 + (now - self.age_at.1)
    }

    fn is_there(&self, now: Moment) -> bool {
        self.silent_for(now).is_none()
    }

    /// How long nothing was heard of it, where that is too long.
    fn silent_for(&self, now: Moment) -> Option<Duration> {
        let age = self.age(now);
        (self.heard.is_none() || age >= SILENT).then_some(age)
    }
}

/// Whether the fleet has lent it.
fn is_leased(source: &SourceSnapshot) -> bool {
    source.holder.as_ref().is_some_and(|holder| holder.epoch.is_some())
}

/// What is to be said of nodes that do not answer and hold what is shown.
fn problems_of(nodes: &[NodeSnapshot]) -> Vec<String> {
    let silent = nodes.iter().filter(|node| node.state == NodeState::Silent && node.sources > 0);
    let words = |node: &NodeSnapshot| {
        let age = humantime::format_duration(Duration::from_secs(node.age.as_secs()));
        let sources = if node.sources == 1 { "source is" } else { "sources are" };
        format!(
            "node '{}' has not answered for {age}; its {} {sources} shown as of then",
            node.name, node.sources
        )
    };
    silent.map(words).collect()
}

/// The id of a source of which there are several, one on this node.
fn qualified(id: &SourceId, node: &str) -> SourceId {
    format!("{id}@{node}").into()
}

fn aged(source: &SourceSnapshot, id: SourceId, age: Option<Duration>) -> Arc<SourceSnapshot> {
    let mut row = source.clone();
    row.id = id;
    if let Some(holder) = &mut row.holder {
        Arc::make_mut(holder).age = age;
    }
    Arc::new(row)
}

/// `moment` of an engine whose clock shows `theirs`, on a clock that shows `own`.
fn moved(moment: Moment, theirs: Moment, own: Moment) -> Moment {
    if moment > theirs { own + (moment - theirs) } else { own - (theirs - moment) }
}

fn move_state(state: &mut SourceState, theirs: Moment, own: Moment) {
    match state {
        SourceState::Retrying { at, .. }
        | SourceState::AuthFailed { at }
        | SourceState::NoSuchStream { at }
        | SourceState::Failed { next: Some(at) } => *at = moved(*at, theirs, own),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
