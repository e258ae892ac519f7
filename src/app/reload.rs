//! A changed configuration file taking effect while the program runs: the difference is worked out and shown, then done.
//! A file with problems changes nothing.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use parking_lot::{Mutex, MutexGuard};

use crate::{
    config::{
        self, Config, Overrides, Reload, SourceConfig,
        difference::{Difference, InEffect},
        is_stream,
    },
    engine::{Control, Engine, EngineApi as _, Reply},
    logging::LogHandle,
};

/// What is asked of the engine is answered after the detection run that is on.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the file is checked.
const POLL: Duration = Duration::from_secs(1);

/// The configuration of a running program, and how it follows its file.
pub(super) struct Reloader {
    path: PathBuf,
    overrides: Overrides,
    engine: Engine,
    logs: Arc<LogHandle>,
    /// The configuration in effect, as it was read.
    config: Mutex<Config>,
    /// What was worked out last and is not done yet.
    shown: Mutex<Option<(Config, Difference)>>,
    /// Held by a reload from its begin to its end.
    turn: Mutex<()>,
    watcher: Mutex<Option<Box<Watcher>>>,
}

/// Told `true` when a reload begins, and `false` when it is over.
type Watcher = dyn Fn(bool) + Send + Sync;

/// What a reload did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reloaded {
    /// A sentence for each change.
    pub sentences: Vec<String>,
    /// What the engine refused of it, in a sentence; the rest is done.
    pub refused: Option<String>,
}

impl Reloader {
    /// Follows the file of `config`; `None` where there is none that can be read again. With `reload: auto` it does so by
    /// itself, for as long as it is held.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        config: &Config,
        overrides: Overrides,
        engine: &Engine,
        logs: &Arc<LogHandle>,
    ) -> io::Result<Option<Arc<Self>>> {
        let Some(path) = config.path.clone().filter(|path| !is_stream(path)) else { return Ok(None) };
        let reloader = Arc::new(Self {
            path,
            overrides,
            engine: engine.clone(),
            logs: Arc::clone(logs),
            config: Mutex::new(config.clone()),
            shown: Mutex::default(),
            turn: Mutex::default(),
            watcher: Mutex::default(),
        });
        if config.parallel.reload == Reload::Auto {
            let (weak, path) = (Arc::downgrade(&reloader), reloader.path.clone());
            std::thread::Builder::new().name("reload".into()).spawn(move || follow(&weak, &path))?;
        }
        Ok(Some(reloader))
    }

    /// No reload begins while this is held.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock()
    }

    /// From now on `watcher` is told when [`Self::reload`] begins and ends.
    pub fn set_watcher(&self, watcher: Box<Watcher>) {
        *self.watcher.lock() = Some(watcher);
    }

    /// Works out what the file changes, does it, and says so in the log: all in one call, for callers that do not show
    /// it first. Blocks for the disk and until the engine has done it; several calls come one after the other.
    ///
    /// # Errors
    /// Every problem of the file, which are in the log as well; then nothing is changed.
    pub fn reload(&self) -> Result<Reloaded, Vec<String>> {
        let _turn = self.turn.lock();
        self.tell(true);
        let done = self.take_over();
        self.tell(false);
        done
    }

    fn tell(&self, begins: bool) {
        if let Some(watcher) = &*self.watcher.lock() {
            watcher(begins);
        }
    }

    fn take_over(&self) -> Result<Reloaded, Vec<String>> {
        let file = self.path.display();
        let (wanted, found) = self.work_out().map_err(|problems| {
            tracing::error!("Reload: '{file}' has problems; nothing was changed");
            let problems: Vec<String> = problems.lines().map(str::to_owned).collect();
            problems.iter().for_each(|problem| tracing::error!("Reload: {problem}"));
            problems
        })?;
        let mut sentences = found.sentences();
        let mut refused = None;
        if found.does_something() {
            refused = self.carry_out(&wanted, &found).err();
        } else {
            if sentences.is_empty() {
                sentences.push(format!("'{file}' has no changes"));
            }
            sentences.iter().for_each(|sentence| tracing::info!("Reload: {sentence}"));
        }
        Ok(Reloaded { sentences, refused })
    }

    /// What [`Self::difference`] has found last, where it is not done yet.
    pub fn shown(&self) -> Option<Vec<String>> {
        self.shown.lock().as_ref().map(|(_, found)| found.sentences())
    }

    /// Works out what the file would change now, a sentence for each. Blocks for the disk.
    ///
    /// # Errors
    /// Every problem of the file, a line each.
    pub fn work_out_sentences(&self) -> Result<Vec<String>, String> {
        self.work_out().map(|(_, found)| found.sentences())
    }

    /// Works out what the file would change now, and remembers it for [`Self::apply`]. Blocks for the disk.
    ///
    /// # Errors
    /// Every problem of the file, a line each.
    pub fn difference(&self) -> Result<Difference, String> {
        *self.shown.lock() = None;
        let (wanted, found) = self.work_out()?;
        *self.shown.lock() = Some((wanted, found.clone()));
        Ok(found)
    }

    fn work_out(&self) -> Result<(Config, Difference), String> {
        let wanted = Config::load(&self.path, &self.overrides).map_err(|errors| errors.to_string())?;
        let runs = self.engine.snapshot();
        let sources = runs.sources.iter().filter_map(|source| self.engine.source_config(&source.id));
        // What a fleet lends is no business of the file.
        let sources = sources.filter(|source| source.lease.is_none());
        let in_effect = {
            let config = self.config.lock();
            InEffect {
                sources: sources.collect(),
                workers: runs.worker_count,
                parallel: config.parallel.clone(),
                tui: config.tui.clone(),
            }
        };
        let found = Difference::between(&in_effect, &wanted);
        Ok((wanted, found))
    }

    /// Does what [`Self::difference`] has found last, and says so. Blocks until the engine has done it.
    ///
    /// # Errors
    /// What the engine refused; the rest is done.
    pub fn apply(&self) -> Result<String, String> {
        let Some((wanted, found)) = self.shown.lock().take() else {
            return Err("no reload waits to be confirmed; reload again".into());
        };
        self.carry_out(&wanted, &found)
    }

    fn carry_out(&self, wanted: &Config, found: &Difference) -> Result<String, String> {
        wanted.sources.iter().for_each(|source| source.source.teach(config::known()));
        for sentence in found.sentences() {
            tracing::info!("Reload: {sentence}");
        }
        if let Some(level) = found.log_level {
            self.logs.set_level(level);
        }
        let refused = carry_out(&self.engine, found);
        {
            let mut config = self.config.lock();
            // What takes effect with the next start still differs, and is said again.
            (config.parallel.worker_count, config.parallel.log_level) =
                (wanted.parallel.worker_count, wanted.parallel.log_level);
            config.parallel.areas.clone_from(&wanted.parallel.areas);
        }
        for problem in &refused {
            tracing::error!("Reload: {problem}");
        }
        let file = self.path.display();
        match refused.as_slice() {
            [] => Ok(format!("'{file}' is in effect")),
            [only] => Err(format!("'{file}' is in effect except for this: {only}")),
            [first, rest @ ..] => {
                Err(format!("'{file}' is in effect except for {} things; first: {first}", rest.len() + 1))
            }
        }
    }
}

/// Has `engine` do what `found` says, and gives what it refused. Blocks until it has done it.
fn carry_out(engine: &Engine, found: &Difference) -> Vec<String> {
    let mut replies: Vec<Reply> = Vec::new();
    let mut send = |control: Control| replies.push(engine.send(control));
    // First, because a new source may have the name that an area had.
    if let Some(areas) = &found.areas {
        engine.set_areas(areas.clone());
    }
    found.workers.map(Control::SetWorkers).map(&mut send);
    found.removed.iter().cloned().map(Control::Remove).for_each(&mut send);
    for (source, _) in &found.replaced {
        send(Control::Remove(source.id.clone()));
        send(Control::Add(Box::new(source.clone())));
    }
    found.added.iter().cloned().map(|source| Control::Add(Box::new(source))).for_each(&mut send);
    replies.extend(found.relabeled.iter().map(|(source, _)| engine.set_labels(source)));
    replies.extend(found.redrawn.iter().map(|(source, _)| engine.set_drawn(source)));
    replies.extend(found.rescheduled.iter().map(|(source, _)| engine.set_schedule(source)));
    replies
        .iter()
        .filter_map(|reply| match reply.wait(PATIENCE) {
            Some(Ok(())) => None,
            Some(Err(error)) => Some(error.to_string()),
            None => Some("the engine does not answer".into()),
        })
        .collect()
}

/// Has `wanted` take the place of the source of its id that runs, as gently as can be.
///
/// # Errors
/// What the engine refused.
pub(super) fn put_in_effect(engine: &Engine, wanted: &SourceConfig) -> Result<(), String> {
    let Some(runs) = engine.source_config(&wanted.id) else { return Ok(()) };
    wanted.source.teach(config::known());
    let found = Difference::of_source(&runs, wanted);
    let refused = carry_out(engine, &found);
    if refused.is_empty() { Ok(()) } else { Err(refused.join("; ")) }
}

/// What tells that a file has changed: also one that was replaced by another of the same name.
type Stamp = Option<(SystemTime, u64, u64)>;

fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len(), found.ino()))
}

/// Takes the file over whenever it has changed and is left alone again.
fn follow(reloader: &Weak<Reloader>, path: &Path) {
    let (mut taken, mut last) = (stamp(path), stamp(path));
    loop {
        std::thread::sleep(POLL);
        let Some(reloader) = reloader.upgrade() else { return };
        let now = stamp(path);
        let is_settled = now == last;
        last = now;
        if now.is_none() || now == taken || !is_settled {
            continue;
        }
        taken = now;
        // It says everything in the log.
        drop(reloader.reload());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;

    #[test]
    fn what_is_ignored_changes_in_place_in_all_of_its_parts() {
        let engine = Engine::new(EngineOptions::new(config::ParallelConfig::default())).unwrap();
        let mut wanted =
            SourceConfig::from_source_string("demo:corridor", &std::collections::BTreeSet::default())
                .unwrap();
        wanted.enabled = false;
        engine.add_source(wanted.clone()).unwrap();
        let region = vec![[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]];
        for (ignore, min_height, max_height) in
            [(vec![region], None, None), (Vec::new(), Some(0.1), Some(0.5)), (Vec::new(), None, Some(0.5))]
        {
            (wanted.ignore, wanted.min_height, wanted.max_height) = (ignore, min_height, max_height);
            let runs = engine.source_config(&wanted.id).unwrap();
            assert!(Difference::of_source(&runs, &wanted).replaced.is_empty());
            put_in_effect(&engine, &wanted).unwrap();
            assert_eq!(*engine.source_config(&wanted.id).unwrap(), wanted);
        }
        engine.stop(PATIENCE);
    }
}
