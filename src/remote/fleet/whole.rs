//! All nodes of a fleet as one engine. The state is asked for in rounds, one question and an answer of each node, at most once a
//! second and only while somebody looks; everything else goes to the node that holds the source.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};

use super::{
    asking::NodeAsking,
    errors::as_client_error,
    events::ManyPieces,
    merge::{Merge, Route},
    together::{self, Answers, MergedLog},
};
use crate::{
    config::edit::EntryChange,
    fleet::{Asker, Rounds},
    host::ConfigPlace,
    model::{EngineSnapshot, Moment, SourceId},
    protocol::{
        self, Version,
        ask::{Answer, ConfigState, Question},
        escaped,
        order::Order,
    },
    remote::carrier::{Carrier, ClientError, Pieces, Request, Response},
};

/// A round begins no sooner than this after the one before ...
const PACE: Duration = Duration::from_secs(1);

/// ... and ends after this, also where nodes have not answered.
const ROUND: Duration = Duration::from_millis(950);

/// How often the server is asked for nodes that do not answer ...
const REMEMBERED: Duration = Duration::from_secs(10);

/// ... and where it refuses that to this user.
const REFUSED: Duration = Duration::from_mins(2);

/// A source that is to be changed is waited for this long where its node does not answer: another one has it by then, and what
/// somebody has drawn is not refused meanwhile.
const MOVED: Duration = Duration::from_secs(20);

/// Moments are counted from so long before the first one: what is shown may be that old.
const BEFORE: Duration = Duration::from_hours(24 * 366);

/// What is asked of every node in a round.
const SNAPSHOT: &str = "/api/v1/snapshot";

/// When rounds are due.
struct Pace {
    /// When the last round began.
    begun: Option<Instant>,
    /// Something was changed: the next round does not wait.
    is_due: bool,
    /// When the server is asked again for nodes that do not answer.
    remember: Option<Instant>,
}

/// All nodes as one.
pub struct WholeFleet {
    pub(super) asker: Arc<Asker>,
    rounds: Mutex<Rounds>,
    pace: Mutex<Pace>,
    due: Condvar,
    pub(super) merge: Mutex<Merge>,
    /// Held while lines are changed: they are in effect before they are saved, or the other way around.
    pub(super) drawing: Mutex<()>,
    /// By filter.
    logs: Mutex<HashMap<String, MergedLog>>,
    start: Instant,
}

impl WholeFleet {
    /// Nothing is asked yet.
    pub fn new(asker: Arc<Asker>) -> Self {
        Self {
            asker,
            rounds: Mutex::default(),
            pace: Mutex::new(Pace { begun: None, is_due: true, remember: None }),
            due: Condvar::new(),
            merge: Mutex::default(),
            drawing: Mutex::default(),
            logs: Mutex::default(),
            start: Instant::now(),
        }
    }

    fn now(&self) -> Moment {
        Moment::new(BEFORE + self.start.elapsed())
    }

    /// Asks all nodes for their state, once it is time, and gives all of it.
    pub(super) fn round(&self) -> Result<EngineSnapshot, ClientError> {
        // One round at a time; a caller that comes meanwhile begins the next.
        let mut rounds = self.rounds.lock();
        self.wait_for_turn();
        self.remember();
        let expected = self.merge.lock().expected(self.now()).into_iter().collect();
        let answers = rounds.ask(&self.asker, SNAPSHOT, &expected, ROUND);
        let answers = answers.map_err(|error| as_client_error(&error, ROUND))?;
        // Parsed before anybody has to wait for it.
        let understood: Vec<_> = answers
            .into_iter()
            .filter_map(|of| {
                let snapshot = serde_json::from_slice::<EngineSnapshot>(&of.answer.body);
                let node = &of.record.node;
                let snapshot = snapshot.inspect_err(|error| {
                    tracing::warn!("The state of node '{node}' cannot be parsed: {error}");
                });
                Some((of.record.clone(), snapshot.ok()?))
            })
            .collect();
        let mut merge = self.merge.lock();
        let now = self.now();
        for (record, snapshot) in understood {
            merge.take(record, snapshot, now);
        }
        Ok(merge.snapshot(now))
    }

    fn wait_for_turn(&self) {
        let mut pace = self.pace.lock();
        while let Some(begun) = pace.begun.filter(|begun| !pace.is_due && begun.elapsed() < PACE) {
            self.due.wait_until(&mut pace, begun + PACE);
        }
        (pace.begun, pace.is_due) = (Some(Instant::now()), false);
    }

    /// Takes from the server what it remembers of nodes. A user who may not read that sees those that answer.
    fn remember(&self) {
        if self.pace.lock().remember.is_some_and(|due| Instant::now() < due) {
            return;
        }
        let pause = match self.asker.known() {
            Ok(known) => {
                let wall = Timestamp::now().as_millisecond();
                self.merge.lock().remember(known, wall, self.now());
                REMEMBERED
            }
            Err(error) => {
                tracing::debug!("{error}");
                REFUSED
            }
        };
        self.pace.lock().remember = Some(Instant::now() + pause);
        self.ask_for_removed();
    }

    /// Asks the server which sources the fleet still has, where a node that does not answer had some. A user who may not read that
    /// sees them as they were.
    fn ask_for_removed(&self) {
        let asked = self.now();
        if !self.merge.lock().may_hold_removed(asked) {
            return;
        }
        match self.asker.source_ids() {
            Ok(ids) => self.merge.lock().stand(ids.into_iter(), asked),
            Err(error) => tracing::debug!("{error}"),
        }
    }

    /// Asks all nodes, where nobody did for a while: who holds what is known of then.
    fn look(&self) -> Result<(), ClientError> {
        let is_known = self.pace.lock().begun.is_some_and(|begun| begun.elapsed() < PACE * 2);
        if is_known { Ok(()) } else { self.round().map(drop) }
    }

    /// The id under which source `id` of `node` is shown, also where it has just come.
    fn shown_as(&self, node: &str, id: &SourceId) -> SourceId {
        if !self.merge.lock().knows(node, id) {
            // What cannot be asked now is called as its node calls it.
            let _ = self.look();
        }
        self.merge.lock().shown_as(node, id)
    }

    /// Names of the nodes that answer; there is at least one.
    fn there(&self) -> Result<Vec<Arc<str>>, ClientError> {
        let names = self.merge.lock().answering(self.now());
        if !names.is_empty() {
            return Ok(names);
        }
        Err(ClientError::NotReached(format!(
            "no node of the fleet on {} answers; start one with 'pcount-tui serve --config FILE --nats URL'",
            self.asker.server()
        )))
    }

    fn node(&self, name: &str) -> NodeAsking {
        NodeAsking::new(Arc::clone(&self.asker), name)
    }

    /// The node that holds source `id`.
    pub(super) fn route(&self, id: &str) -> Result<Route, ClientError> {
        self.look()?;
        let route = self.merge.lock().route(id);
        match route {
            Some(route) if route.is_there => Ok(route),
            Some(route) => Err(ClientError::NotReached(format!(
                "node '{}', which had source '{id}', does not answer, and no other has it yet",
                route.node
            ))),
            None => Err(ClientError::Refused(format!(
                "no node that answers has a source '{id}'; 'pcount-tui ctl --nats URL status' lists them all"
            ))),
        }
    }

    /// The answers of all nodes that answer. `path` may be another one for each.
    fn ask_all(
        &self,
        is_post: bool,
        body: &[u8],
        patience: Duration,
        path: impl Fn(&str) -> String + Sync,
    ) -> Result<Answers, ClientError> {
        self.look()?;
        let names = self.there()?;
        let path = &path;
        let ask = |name: &Arc<str>| {
            let path = path(name);
            let request = Request { is_post, path: &path, body: body.to_vec() };
            (Arc::clone(name), self.node(name).exchange(&request, patience))
        };
        // One that is slow holds up no other.
        let answers: Vec<_> = std::thread::scope(|scope| {
            let asked: Vec<_> = names.iter().map(|name| scope.spawn(|| ask(name))).collect();
            asked.into_iter().filter_map(|asked| asked.join().ok()).collect()
        });
        // What only reads has what others say; what changes something must have reached all.
        let mut whole = Answers::new();
        for (name, answer) in answers {
            match answer {
                Ok(answer) => whole.push((name, answer)),
                Err(error) if is_post => return Err(error),
                Err(_) => {}
            }
        }
        Ok(whole)
    }

    fn read(&self, path: &str, patience: Duration) -> Result<Response, ClientError> {
        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
        let of_all = || self.ask_all(false, &[], patience, |_| path.to_owned());
        match bare {
            "/version" => Response::json(&Version {
                program: env!("CARGO_PKG_VERSION").into(),
                api: protocol::VERSION,
                pid: std::process::id(),
                output: self.asker.server(),
            }),
            "/snapshot" => Response::json(&self.round()?),
            "/config" => of_all().and_then(|answers| together::configs(answers, &self.merge.lock())),
            "/history" => of_all().and_then(|answers| together::history(answers, &self.merge.lock())),
            "/actions" => of_all().and_then(together::actions),
            "/webhooks" => of_all().and_then(together::webhooks),
            "/logs" => self.logs(query, patience),
            _ => match bare.strip_prefix("/sources/") {
                Some(rest) => self.of_source(rest, query, patience),
                None => Err(ClientError::Refused(OF_ONE.into())),
            },
        }
    }

    fn of_source(&self, rest: &str, query: &str, patience: Duration) -> Result<Response, ClientError> {
        let (id, part) = rest.split_once('/').map_or((rest, ""), |(id, part)| (id, part));
        let Route { node, id, .. } = self.route(&unescaped(id))?;
        let mut path = format!("/sources/{}", escaped(&id));
        for (mark, text) in [("/", part), ("?", query)] {
            if !text.is_empty() {
                path = format!("{path}{mark}{text}");
            }
        }
        self.node(&node).exchange(&Request { is_post: false, path: &path, body: Vec::new() }, patience)
    }

    /// Lines of one source come from its node, others from all.
    fn logs(&self, query: &str, patience: Duration) -> Result<Response, ClientError> {
        let fields = || query.split('&').filter_map(|field| field.split_once('='));
        let field = |name: &str| fields().find(|(key, _)| *key == name).map(|(_, value)| value);
        if let Some(id) = field("source") {
            let Route { node, id, .. } = self.route(&unescaped(id))?;
            let rest: Vec<String> = fields()
                .map(|(key, value)| {
                    if key == "source" {
                        format!("source={}", escaped(&id))
                    } else {
                        format!("{key}={value}")
                    }
                })
                .collect();
            let path = format!("/logs?{}", rest.join("&"));
            return self
                .node(&node)
                .exchange(&Request { is_post: false, path: &path, body: Vec::new() }, patience);
        }
        let after = field("after").and_then(|after| after.parse().ok()).unwrap_or(0);
        // One that follows asks again; nodes that have nothing new are not waited for.
        let filter: Vec<String> = fields()
            .filter(|(key, _)| !["after", "wait"].contains(key))
            .map(|(key, value)| format!("&{key}={value}"))
            .collect();
        let filter = filter.concat();
        let waits = field("wait").is_some_and(|wait| wait != "0");
        let end = Instant::now() + patience / 2;
        loop {
            self.look()?;
            let taken: HashMap<Arc<str>, u64> = {
                let mut logs = self.logs.lock();
                let log = logs.entry(filter.clone()).or_default();
                let names = self.merge.lock().answering(self.now());
                names.into_iter().map(|name| (Arc::clone(&name), log.taken(&name))).collect()
            };
            let answers = self.ask_all(false, &[], patience, |name| {
                format!("/logs?after={}{filter}", taken.get(name).copied().unwrap_or(0))
            })?;
            let mut logs = self.logs.lock();
            let log = logs.entry(filter.clone()).or_default();
            log.take(answers, &self.merge.lock())?;
            let lines = log.after(after);
            if !waits || !lines.lines.is_empty() || Instant::now() > end {
                return Response::json(&lines);
            }
            drop(logs);
            std::thread::sleep(PACE);
        }
    }

    fn control(&self, body: &[u8], patience: Duration) -> Result<Response, ClientError> {
        let mut order: Order =
            serde_json::from_slice(body).map_err(|error| ClientError::Strange(error.to_string()))?;
        let node = match &mut order {
            Order::PauseAll {} | Order::ResumeAll {} => {
                let path = |_: &str| "/control".to_owned();
                return self.ask_all(true, body, patience, path).and_then(together::done);
            }
            Order::Add { .. } => {
                return Err(ClientError::Refused(
                    "a fleet has the sources of its file: add it there, then 'pcount-tui fleet apply FILE'; or name one node with --node"
                        .into(),
                ));
            }
            Order::Workers { .. } => {
                return Err(ClientError::Refused(
                    "each node has workers of its own; name one with --node".into(),
                ));
            }
            Order::Area { area, .. } => {
                self.look()?;
                let found = self.merge.lock().area(area);
                let Some((node, own)) = found else {
                    return Err(ClientError::Refused(format!("no node that answers has an area '{area}'")));
                };
                *area = own;
                node
            }
            Order::Remove { source } => {
                let route = self.route(source)?;
                if route.is_leased {
                    return Err(ClientError::Refused(format!(
                        "source '{source}' belongs to the fleet; 'pcount-tui fleet remove {source}' removes it"
                    )));
                }
                *source = route.id;
                route.node
            }
            Order::Pause { source }
            | Order::Resume { source }
            | Order::Restart { source }
            | Order::Reset { source }
            | Order::Lines { source, .. }
            | Order::Acknowledge { source, .. } => self.reroute(source)?,
        };
        let _drawing = matches!(order, Order::Lines { .. }).then(|| self.drawing.lock());
        let body = serde_json::to_vec(&order).map_err(|error| ClientError::Strange(error.to_string()))?;
        self.node(&node).exchange(&Request { is_post: true, path: "/control", body }, patience)
    }

    /// The node that holds `source`, which becomes what it is called there.
    fn reroute(&self, source: &mut SourceId) -> Result<Arc<str>, ClientError> {
        let route = self.route(source)?;
        *source = route.id;
        Ok(route.node)
    }

    fn ask(&self, body: &[u8], patience: Duration) -> Result<Response, ClientError> {
        let mut question: Question =
            serde_json::from_slice(body).map_err(|error| ClientError::Strange(error.to_string()))?;
        let refused = |sentence: &str| Err(ClientError::Refused(sentence.to_owned()));
        let node = match &mut question {
            Question::Place {} => {
                let place = ConfigState { place: ConfigPlace::Fleet, ids: Vec::new(), sources: Vec::new() };
                return Response::json(&Answer::Place(place));
            }
            Question::Export {} => {
                let path = |_: &str| "/ask".to_owned();
                return self.ask_all(true, body, patience, path).and_then(together::said);
            }
            Question::Report(_) | Question::WriteReport(_) => return refused(HISTORY),
            Question::Probe { .. }
            | Question::SaveSource { .. }
            | Question::RemoveSources { .. }
            | Question::WriteConfig {} => return refused(OF_FILE),
            Question::SaveLines { source, shapes, before } => {
                let end = Instant::now() + MOVED;
                let route = self.route_to_change(source, end)?;
                if route.is_leased {
                    return self.save_lines(route, shapes, before.as_ref(), end);
                }
                *before = None;
                *source = route.id;
                route.node
            }
            Question::SaveSettings { source, before, after } => {
                let end = Instant::now() + MOVED;
                let route = self.route_to_change(source, end)?;
                if route.is_leased {
                    let change = EntryChange::Settings { before: before.clone(), after: after.clone() };
                    return self.save(route, &change, end);
                }
                *source = route.id;
                route.node
            }
            Question::Chart { source, .. } => self.reroute(source)?,
            Question::Crossings(asked) => match &mut asked.source {
                Some(source) => self.reroute(source)?,
                None => {
                    return refused("choose a source first: each node keeps the snapshots of its crossings");
                }
            },
            Question::Crossing(facts) => self.reroute(&mut facts.source)?,
            Question::Judge(said) => self.reroute(&mut said.facts.source)?,
        };
        let body = serde_json::to_vec(&question).map_err(|error| ClientError::Strange(error.to_string()))?;
        self.node(&node).exchange(&Request { is_post: true, path: "/ask", body }, patience)
    }

    /// Has the next round begin at once: something was changed.
    fn hurry(&self) {
        self.pace.lock().is_due = true;
        self.due.notify_all();
    }
}

/// Why the whole fleet does not answer what one node does.
const OF_ONE: &str = "this is answered by one node; name it with --node";

/// Why there is no history of the whole fleet here.
const HISTORY: &str = "each node keeps the history of what it counted; 'pcount-tui collect' gathers it, and 'pcount-tui report' shows it";

/// Why no source is added here.
const OF_FILE: &str =
    "the sources of a fleet stand in its file: change it, then 'pcount-tui fleet apply FILE'";

fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        let code = code.filter(|_| bytes[at] == b'%');
        plain.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

impl Carrier for WholeFleet {
    fn exchange(&self, request: Request<'_>, patience: Duration) -> Result<Response, ClientError> {
        let Request { is_post, path, body } = request;
        if !is_post {
            return self.read(path, patience);
        }
        let bare = path.split('?').next().unwrap_or(path);
        let of_all = || self.ask_all(true, &body, patience, |_| path.to_owned());
        let answer = match bare {
            "/control" => self.control(&body, patience),
            "/ask" => self.ask(&body, patience),
            "/reload" => of_all().and_then(together::reloaded),
            "/webhooks/test" => of_all().and_then(together::tested),
            "/stop" => Err(ClientError::Refused(
                "this would end the counting of the whole fleet; name one node with --node".into(),
            )),
            _ => Err(ClientError::Refused(OF_ONE.into())),
        };
        self.hurry();
        answer
    }

    fn snapshot(&self, _: u64, _: Duration) -> Result<EngineSnapshot, ClientError> {
        self.round()
    }

    fn open(&self, path: &str, _: Duration) -> Result<Box<dyn Pieces>, ClientError> {
        if path.contains("after=") {
            return Err(ClientError::Refused(
                "an id of an event is of one node; name it with --node to continue after it".into(),
            ));
        }
        let whole = Arc::new(Self::new(Arc::clone(&self.asker)));
        let named = Arc::clone(&whole);
        let names = move || {
            whole.look()?;
            whole.there()
        };
        let shown_as = move |node: &str, id: &SourceId| named.shown_as(node, id);
        Ok(Box::new(ManyPieces::start(&self.asker, names, Arc::new(shown_as))?))
    }

    fn has_ended(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_an_address_comes_back_as_it_was() {
        for id in ["gate", "Straße 5 %", "a/b?c&d", "%", "100%25", "入口"] {
            assert_eq!(unescaped(&escaped(id)), id);
        }
    }
}
