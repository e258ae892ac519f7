//! Answers of several nodes as one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::merge::Merge;
use crate::{
    config::SourceConfig,
    logging::LogLine,
    model::{Action, Minute, SourceId},
    protocol::{Done, Lines, Reloaded, WebhookStatus, WebhookTest},
    remote::carrier::{ClientError, Response, read},
};

/// The answer of each node that gave one, by its name.
pub type Answers = Vec<(Arc<str>, Response)>;

/// What each node answered, without those that refused: it is read, and others have it.
fn all<T: DeserializeOwned>(answers: Answers) -> Result<Vec<(Arc<str>, T)>, ClientError> {
    let accepted = answers.into_iter().filter_map(|(node, answer)| Some((node, answer.accepted().ok()?)));
    accepted.map(|(node, body)| Ok((node, read(&body)?))).collect()
}

/// The settings of all sources.
pub fn configs(answers: Answers, merge: &Merge) -> Result<Response, ClientError> {
    let mut configs = Vec::new();
    for (node, found) in all::<Vec<SourceConfig>>(answers)? {
        configs.extend(found.into_iter().map(|mut config| {
            config.id = merge.shown_as(&node, &config.id);
            config
        }));
    }
    Response::json(&configs)
}

/// The minutes of all sources, as the nodes that hold them have them.
pub fn history(answers: Answers, merge: &Merge) -> Result<Response, ClientError> {
    let mut history: BTreeMap<SourceId, Vec<Minute>> = BTreeMap::new();
    for (node, found) in all::<HashMap<SourceId, Vec<Minute>>>(answers)? {
        for (id, minutes) in found {
            let shown = merge.shown_as(&node, &id);
            if merge.route(&shown).is_some_and(|route| route.node == node) {
                history.insert(shown, minutes);
            }
        }
    }
    Response::json(&history)
}

/// What users did, the oldest first.
pub fn actions(answers: Answers) -> Result<Response, ClientError> {
    let mut actions: Vec<Action> = Vec::new();
    for (node, found) in all::<Vec<Action>>(answers)? {
        actions.extend(
            found
                .into_iter()
                .map(|action| Action { from: format!("{}, node {node}", action.from), ..action }),
        );
    }
    actions.sort_by_key(|action| action.wall);
    Response::json(&actions)
}

/// How webhooks do, each with its node.
pub fn webhooks(answers: Answers) -> Result<Response, ClientError> {
    let named = |(node, found): (Arc<str>, Vec<WebhookStatus>)| {
        found.into_iter().map(move |hook| WebhookStatus { name: format!("{node}: {}", hook.name), ..hook })
    };
    Response::json(&all(answers)?.into_iter().flat_map(named).collect::<Vec<_>>())
}

/// What tested webhooks answered, each with its node.
pub fn tested(answers: Answers) -> Result<Response, ClientError> {
    let named = |(node, found): (Arc<str>, Vec<WebhookTest>)| {
        found.into_iter().map(move |test| WebhookTest { name: format!("{node}: {}", test.name), ..test })
    };
    Response::json(&all(answers)?.into_iter().flat_map(named).collect::<Vec<_>>())
}

/// What reloading changes on each node. Refused where one refuses it.
pub fn reloaded(answers: Answers) -> Result<Response, ClientError> {
    let mut whole = Reloaded { done: true, changes: Vec::new(), said: None };
    for (node, body) in accepted_by_all(answers)? {
        let Reloaded { done, changes, said } = read(&body)?;
        whole.done &= done;
        whole.changes.extend(changes.into_iter().map(|change| format!("{node}: {change}")));
        whole.said = whole.said.or(said);
    }
    Response::json(&whole)
}

/// What all nodes say of what was done. Refused where one refuses it.
pub fn done(answers: Answers) -> Result<Response, ClientError> {
    let mut said: Vec<String> = Vec::new();
    for (_, body) in accepted_by_all(answers)? {
        let Done { said: words } = read(&body)?;
        if !said.contains(&words) {
            said.push(words);
        }
    }
    Response::json(&Done { said: said.join("; ") })
}

/// The answers to a question that has one sentence for an answer, each with its node.
pub fn said(answers: Answers) -> Result<Response, ClientError> {
    let mut said = Vec::new();
    for (node, body) in accepted_by_all(answers)? {
        let answer: Value = read(&body)?;
        said.push(format!("{node}: {}", answer["of"].as_str().unwrap_or_default()));
    }
    let mut answer = Map::new();
    answer.insert("answer".into(), "said".into());
    answer.insert("of".into(), said.join("; ").into());
    Response::json(&answer)
}

fn accepted_by_all(answers: Answers) -> Result<Vec<(Arc<str>, hyper::body::Bytes)>, ClientError> {
    let accepted = |(node, answer): (Arc<str>, Response)| match answer.accepted() {
        Ok(body) => Ok((node, body)),
        Err(error) => Err(ClientError::Refused(format!("{node}: {error}"))),
    };
    answers.into_iter().map(accepted).collect()
}

/// The lines of the logs of all nodes, numbered as one log: those that a filter lets through.
#[derive(Default)]
pub struct MergedLog {
    /// How much of each node's log is taken.
    taken: HashMap<Arc<str>, u64>,
    lines: Vec<LogLine>,
    written: u64,
}

/// Lines that are kept for readers who were here before.
const LINES: usize = 2_000;

impl MergedLog {
    /// How much of the log of `node` is taken.
    pub fn taken(&self, node: &str) -> u64 {
        self.taken.get(node).copied().unwrap_or(0)
    }

    /// Takes what the nodes have written since.
    ///
    /// # Errors
    /// When an answer is not understood.
    pub fn take(&mut self, answers: Answers, merge: &Merge) -> Result<(), ClientError> {
        let mut fresh = Vec::new();
        for (node, Lines { lines, written }) in all::<Lines>(answers)? {
            self.taken.insert(Arc::clone(&node), written);
            fresh.extend(lines.into_iter().map(|line| LogLine {
                camera: line.camera.as_ref().map(|id| merge.shown_as(&node, id)),
                // Numbers of workers are of one node.
                worker: None,
                label: format!("{node} {}", line.label),
                text: format!("{node} {}", line.text),
                ..line
            }));
        }
        fresh.sort_by_key(|line| line.wall);
        for mut line in fresh {
            self.written += 1;
            line.number = self.written;
            self.lines.push(line);
        }
        self.lines.drain(..self.lines.len().saturating_sub(LINES));
        Ok(())
    }

    /// The lines after the one numbered `after`.
    pub fn after(&self, after: u64) -> Lines {
        let lines = self.lines.iter().filter(|line| line.number > after).cloned().collect();
        Lines { lines, written: self.written }
    }
}
