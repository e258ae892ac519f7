//! What people do with the program, noted in the log and in the ledger with who and when.

use std::{io, path::PathBuf, time::Duration};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{clock::SystemClock, config, ledger::note_action, model::Action, native::disk::Disk};

/// Actions that may wait for the disk; more are in the log alone.
const QUEUE: usize = 256;

/// Longest detail, in characters.
const DETAIL: usize = 1_000;

enum QueuedAction {
    Action(Box<Action>),
    /// Dropped when all before it is written.
    Mark(Sender<()>),
}

/// Takes actions, and writes them on a thread of its own. Cheap to clone.
#[derive(Clone)]
pub(super) struct Actions {
    /// `None` without a ledger.
    queue: Option<Sender<QueuedAction>>,
}

impl Actions {
    /// Starts the thread that writes into `ledger`; without one, actions are in the log alone.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(ledger: Option<PathBuf>) -> io::Result<Self> {
        let Some(ledger) = ledger else { return Ok(Self { queue: None }) };
        let (queue, pieces) = bounded(QUEUE);
        std::thread::Builder::new()
            .name("actions".into())
            .spawn(move || Writer { ledger, disk: None }.run(&pieces))?;
        Ok(Self { queue: Some(queue) })
    }

    /// Notes `action`, without secrets. Never waits; what cannot be written is a warning in the log.
    pub fn note(&self, action: Action) {
        let detail = action.detail.map(|detail| config::redact(&detail).chars().take(DETAIL).collect());
        let action = Action { detail, ..action };
        let sentence = action.sentence();
        if let Some(id) = &action.source {
            tracing::info!(camera = %id, "{sentence}");
        } else {
            tracing::info!("{sentence}");
        }
        if let Some(queue) = &self.queue
            && queue.try_send(QueuedAction::Action(Box::new(action))).is_err()
        {
            tracing::warn!("Not recorded in the ledger, because its disk is too slow: {sentence}");
        }
    }

    /// Waits until what was noted so far is written or refused, at most `timeout`; `false` when that passed first.
    pub fn sync(&self, timeout: Duration) -> bool {
        let Some(queue) = &self.queue else { return true };
        let (mark, wait) = bounded::<()>(0);
        let sent = queue.send_timeout(QueuedAction::Mark(mark), timeout).is_ok();
        // Nothing is ever sent: it ends with the mark, or with patience.
        sent && wait.recv_timeout(timeout) == Err(crossbeam_channel::RecvTimeoutError::Disconnected)
    }
}

struct Writer {
    ledger: PathBuf,
    /// Started with the first action: many programs see none.
    disk: Option<Disk>,
}

impl Writer {
    fn run(mut self, pieces: &Receiver<QueuedAction>) {
        for piece in pieces {
            match piece {
                QueuedAction::Action(action) => {
                    if let Err(problem) = self.write(&action) {
                        tracing::warn!("Not in the ledger: {}: {problem}", action.sentence());
                    }
                }
                QueuedAction::Mark(mark) => drop(mark),
            }
        }
    }

    fn write(&mut self, action: &Action) -> Result<(), String> {
        let disk = match &self.disk {
            Some(disk) => disk,
            None => self.disk.insert(Disk::start("disk-actions").map_err(|error| error.to_string())?),
        };
        disk.run(|| note_action(&self.ledger, action, &SystemClock)).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::{FILE_NAME, LedgerOptions, Reader},
        outputs::ledger::Ledger,
    };

    fn action(what: &str, detail: Option<String>) -> Action {
        Action {
            wall: 7,
            who: "anna".into(),
            from: "dashboard".into(),
            source: Some("gate".into()),
            what: what.into(),
            detail,
        }
    }

    #[test]
    fn actions_are_in_the_ledger_that_is_being_written_and_a_missing_one_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let actions = Actions::start(Some(path.clone())).unwrap();
        actions.note(action(Action::PAUSED, None));
        assert!(actions.sync(Duration::from_secs(30)), "refused, and said");
        let ledger = Ledger::start(LedgerOptions::new(dir.path())).unwrap();
        assert!(ledger.sync(Duration::from_secs(30)));
        actions.note(action(Action::RESET, Some("x".repeat(5_000))));
        actions.note(action(Action::ADDED, Some("rtsp://admin:hunter2@cam.lan/1".into())));
        assert!(actions.sync(Duration::from_secs(30)));
        let found = Reader::open(&path).unwrap().actions(0, 8, 9).unwrap();
        assert_eq!(found.iter().map(|found| found.what.as_str()).collect::<Vec<_>>(), ["reset", "added"]);
        assert_eq!(found[0].detail.as_ref().unwrap().len(), DETAIL);
        assert!(!found[1].detail.as_ref().unwrap().contains("hunter2"));
        drop(ledger);
    }

    #[test]
    fn without_a_ledger_there_is_nothing_to_wait_for() {
        let actions = Actions::start(None).unwrap();
        actions.note(action(Action::PAUSED, None));
        assert!(actions.sync(Duration::ZERO));
    }
}
