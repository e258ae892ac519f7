//! Screens, engine and host together, without a terminal: what the run loop drives, and what tests drive
//! with keys.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::{
    action::Action,
    context::Tone,
    effect::{HostWork, Outside, TerminalWork},
    format::Moment,
    keymap::{Key, Keymap},
    screen::LogNeed,
    screens::overview::layout::Layout,
    shell::Shell,
};
use crate::{
    config::{
        self, SourceConfig, SourceSpec,
        edit::{KeepLogin, same_place},
    },
    engine::{Control, EngineApi},
    host::{ConfigPlace, Host},
    model::{Minute, SourceId, name_of},
};

mod asking;
mod crossings;
mod fetch;
mod memory;
mod probes;
mod replay;
mod work;

pub use work::Answer;
use work::{Addition, Asking, Charts, Probes, Replaying, Reports};

/// The screens and what they talk to.
pub struct Session {
    /// State of the screens.
    pub ui: Shell,
    engine: Arc<dyn EngineApi>,
    host: Arc<dyn Host>,
    answers: (Sender<Answer>, Receiver<Answer>),
    /// Ids of the sources that were added.
    given: BTreeSet<String>,
    history_due: Option<Instant>,
    preview_due: Option<Instant>,
    /// Sources whose previews the engine makes for the screens.
    preview_of: Vec<SourceId>,
    /// Which lines of which log were fetched, and how much had been written then.
    log: Option<(LogNeed, u64)>,
    probes: Probes,
    replay: Replaying,
    reports: Reports,
    charts: Charts,
    /// Work that only the owner of the terminal can do.
    left: Vec<TerminalWork>,
    /// Ends with the last work on the configuration file that was asked for.
    saving: Option<(Sender<()>, Receiver<()>)>,
    stages_due: Option<Instant>,
    /// Whether more of the history has become known since it was fetched.
    history_again: bool,
    /// What was counted in the hour before this run; `None` until it is asked for.
    before: Option<HashMap<SourceId, Vec<Minute>>>,
    /// When it is read again, where it could not be.
    before_again: Option<Instant>,
    /// Why it could not, as said.
    before_problem: Option<String>,
    /// What was asked of the engine and is not answered yet.
    asked: Asking,
    /// Whether a crossing is being read.
    reading_crossing: bool,
    /// When it is read again, where its strip is not there yet.
    crossing_again: Option<Instant>,
    /// Where the layout is remembered.
    memory: Option<PathBuf>,
    /// When the configuration file is compared with what runs again.
    differs_due: Option<Instant>,
}

impl Session {
    /// The overview of `engine` as of `moment`. `problems` are said in the footer.
    #[must_use]
    pub fn new(
        engine: Arc<dyn EngineApi>,
        host: Arc<dyn Host>,
        keymap: Keymap,
        problems: &[String],
        read_only: bool,
        moment: Moment,
    ) -> Self {
        let mut ui = Shell::new(engine.snapshot(), moment.clone(), keymap, read_only);
        match problems {
            [] => {}
            [only] => ui.context.say(only.clone(), Tone::Refused),
            [first, rest @ ..] => {
                let logs = ui.context.keymap.keys_text(Action::AllLogs);
                ui.context.say(format!("{first}; {} more in the log ({logs})", rest.len()), Tone::Refused);
            }
        }
        let mut session = Self {
            ui,
            engine,
            host,
            answers: unbounded(),
            given: BTreeSet::new(),
            history_due: None,
            preview_due: None,
            preview_of: Vec::new(),
            log: None,
            probes: Probes::default(),
            replay: Replaying::default(),
            reports: Reports::default(),
            charts: Charts::default(),
            left: Vec::new(),
            saving: None,
            stages_due: None,
            history_again: false,
            before: None,
            before_again: None,
            before_problem: None,
            asked: Asking::default(),
            reading_crossing: false,
            crossing_again: None,
            memory: None,
            differs_due: None,
        };
        session.refresh(moment);
        session
    }

    /// Remembers the layout in `file`, and shows the one that is remembered there. Blocks for the disk.
    pub fn remember_in(&mut self, file: PathBuf) {
        if let Some(layout) = memory::read(&file).as_deref().and_then(Layout::named) {
            self.ui.screens.overview.layout = layout;
        }
        self.memory = Some(file);
    }

    /// Answers of work in the background, for the loop that waits for them: each is to be given to [`Self::answered`].
    #[must_use]
    pub fn answers(&self) -> &Receiver<Answer> {
        &self.answers.1
    }

    /// What only the owner of the terminal can do of what [`Self::refresh`] and [`Self::answered`] have caused.
    pub fn take_left(&mut self) -> Vec<TerminalWork> {
        self.left.extend(self.ui.take_bell());
        std::mem::take(&mut self.left)
    }

    /// Fetches what is new, as of `moment`.
    pub fn refresh(&mut self, moment: Moment) {
        let now = moment.mono;
        let context = &mut self.ui.context;
        context.set_moment(moment);
        context.set_snapshot(self.engine.snapshot());
        context.set_age(self.engine.age());
        context.config.place = self.host.config_place();
        while let Ok(answer) = self.answers.1.try_recv() {
            self.answered(answer);
        }
        self.hear();
        self.probe(now);
        self.fetch_history(now);
        self.compare_config(now);
        self.fetch(now);
    }

    /// Takes the answer of work in the background.
    pub fn answered(&mut self, answer: Answer) {
        let ui = &mut self.ui;
        match answer {
            Answer::Looked | Answer::Remembered(Ok(())) => {}
            Answer::Remembered(Err(problem)) => ui.context.say(problem, Tone::Refused),
            Answer::Said(Ok(text)) => ui.context.say(text, Tone::Done),
            Answer::Said(Err(text)) => ui.context.say(text, Tone::Refused),
            Answer::History(asked, result) => {
                self.reports.running = false;
                let before = std::mem::take(&mut self.reports.before);
                // One of the keys may ask for another time, which the others then wait for.
                for key in ui.screens.history.take(asked, result, &before, &mut ui.context) {
                    let rest = self.key(key);
                    self.left.extend(rest);
                }
            }
            Answer::Crossings(asked, found) => {
                ui.screens.crossings.found(&asked, found, &mut ui.context);
            }
            Answer::Crossing(of, known) => self.crossing_read(of, *known),
            Answer::Reloadable(found) => ui.reload_worked_out(found),
            Answer::Judged(result) => ui.screens.crossings.judged(result, &mut ui.context),
            Answer::Chart(source, width, result) => self.chart_read(source, width, result),
            Answer::LastHour(result) => self.last_hour_read(result),
            Answer::Saved(source, drawn, result) => ui.lines_saved(&source, &drawn, result),
            Answer::Written(result) => ui.config_written(result),
            Answer::SettingsSaved(change, result) => {
                ui.settings_saved(*change, result);
                self.differs_due = None;
            }
            Answer::Differs(found) => {
                // Where that cannot be asked, nothing is marked.
                let found = found.unwrap_or_default();
                if ui.context.config.differs != found {
                    ui.context.config.differs = found;
                    ui.context.touch();
                }
            }
            Answer::Probed(number, result) => self.probed(number, result),
            Answer::Replayed(source, replayed) => {
                self.replay.running = false;
                ui.screens.lines.replayed(&source, *replayed, &mut ui.context);
            }
        }
        self.fetch(self.ui.context.clock().mono);
    }

    /// Does what a key asks for; returns what only the owner of the terminal can do.
    pub fn key(&mut self, key: Key) -> Vec<TerminalWork> {
        let work = self.ui.key(key);
        self.perform(work)
    }

    /// Does what can be done without the terminal; returns the rest.
    pub fn perform(&mut self, work: Vec<Outside>) -> Vec<TerminalWork> {
        let mut rest = Vec::new();
        for work in work {
            match work {
                Outside::Engine(control) => self.ask(control),
                Outside::Host(work) => self.begin(work),
                Outside::Terminal(work) => rest.push(work),
            }
        }
        // What was opened is fetched at once, not with the next tick.
        self.fetch(self.ui.context.clock().mono);
        rest
    }

    /// Begins what the program around the engine is to do.
    fn begin(&mut self, work: HostWork) {
        match work {
            HostWork::ReadConfig => self.in_background("tui-look", |host| {
                host.refresh_config();
                Answer::Looked
            }),
            HostWork::AddSource { text, name, keep, is_silent, is_warned } => {
                self.add_source(&text, &name, keep, (is_silent, is_warned));
            }
            HostWork::SaveLines { source, drawn, before } => self.save(move |host| {
                let result = host.save_lines(&source, &drawn, before.as_ref());
                Answer::Saved(source, drawn, result)
            }),
            HostWork::SaveSettings(change) => self.save(move |host| {
                let result = host.save_settings(&change.source, &change.before, &change.after);
                Answer::SettingsSaved(change, result)
            }),
            HostWork::RemoveFromFile(ids) => {
                self.save(move |host| Answer::Written(host.remove_sources(&ids)));
            }
            HostWork::WriteConfig => {
                let sources: Vec<_> = self.engine.snapshot().sources;
                let sources: Vec<Arc<SourceConfig>> =
                    sources.iter().filter_map(|source| self.engine.source_config(&source.id)).collect();
                self.save(move |host| Answer::Written(host.write_config(&sources)));
            }
            HostWork::FindCrossings(asked) => self.find_crossings(asked),
            HostWork::Judge(said) => self.judge(said),
            HostWork::ReadHistory(asked) => self.reports.wanted = Some(asked),
            HostWork::WriteHistory(asked) => {
                self.in_background("tui-report", move |host| Answer::Said(host.write_report(&asked)));
            }
            HostWork::CompareConfig => {
                self.in_background("tui-reload", |host| Answer::Reloadable(host.reload_shown()));
            }
            HostWork::Reload => self.in_background("tui-reload", |host| Answer::Said(host.reload())),
            HostWork::Remember(layout) => {
                if let Some(file) = self.memory.clone() {
                    // One after the other: the last one chosen is the one that stays.
                    self.save(move |_| Answer::Remembered(memory::write(&file, &layout)));
                }
            }
            HostWork::Export => self.in_background("tui-export", |host| Answer::Said(host.export())),
        }
    }

    /// Fetches what the screen on top needs.
    fn fetch(&mut self, now: Instant) {
        let needs = self.ui.screens.top().needs(&self.ui.context);
        self.fetch_config();
        self.fetch_report(&needs, now);
        self.fetch_detail(&needs, now);
        self.fetch_crossing(&needs, now);
        self.fetch_previews(&needs, now);
        self.fetch_log(&needs);
        self.replay(&needs, now);
    }

    /// Lets go of what the engine does for the screens only.
    pub fn close(&mut self) {
        for id in self.preview_of.drain(..) {
            self.engine.send(Control::preview(id, false));
        }
    }

    /// Adds a source, unless something speaks against it that the user has not been told: that it is there already, or,
    /// where it is not known to be silent, that there is nothing.
    fn add_source(&mut self, text: &str, name: &str, keep: KeepLogin, (is_silent, is_warned): (bool, bool)) {
        if let Some(problem) = self.is_adding() {
            return self.ui.source_added(Err(problem));
        }
        let mut taken = self.given.clone();
        taken.extend(self.engine.snapshot().sources.iter().map(|source| source.id.to_string()));
        taken.extend(self.host.taken_ids());
        let mut source = match SourceConfig::from_source_string(text, &taken) {
            Ok(source) => source,
            Err(problem) => return self.ui.source_added(Err(problem)),
        };
        let doubt = self.known_as(&source.source).or_else(|| missing(&source.source).filter(|_| !is_silent));
        if let Some(doubt) = doubt.filter(|_| !is_warned) {
            return self.ui.source_doubted(&doubt);
        }
        if !name.is_empty() {
            source.alias = match config::label(name, config::LABEL_LENGTH) {
                Ok(name) => name,
                Err(problem) => return self.ui.source_added(Err(format!("the name {problem}"))),
            };
        }
        // The engine shows it with its next snapshot only.
        self.given.insert(source.id.to_string());
        self.host.hide_secrets(&source);
        self.add(Addition { source, written: text.to_string(), keep });
    }

    /// Says that what `spec` opens is opened already, or stands in the configuration file.
    fn known_as(&self, spec: &SourceSpec) -> Option<String> {
        let running = self.engine.snapshot().sources;
        let ids = running.iter().map(|source| &*source.id).chain(self.given.iter().map(String::as_str));
        let mut runs = ids.filter_map(|id| self.engine.source_config(id));
        if let Some(known) = runs.find(|known| same_place(&known.source, spec)) {
            return Some(format!("it is there already, as '{}'", name_of(&known.alias, &known.id)));
        }
        let kept = self.host.saved_sources().into_iter().find(|known| same_place(&known.source, spec))?;
        let ConfigPlace::File(file) = &self.ui.context.config.place else { return None };
        Some(format!("'{file}' has it already, as '{}'", name_of(&kept.alias, &kept.id)))
    }

    /// Does `work` on the configuration file, after all that was asked for before: what is added and then removed
    /// is gone.
    fn save(&mut self, work: impl FnOnce(&dyn Host) -> Answer + Send + 'static) {
        let before = self.saving.replace(bounded(0));
        let done = self.saving.as_ref().map(|(done, _)| done.clone());
        self.in_background("tui-save", move |host| {
            // Nothing is ever sent: it ends when the one before has let go.
            if let Some((sender, waiting)) = before {
                drop(sender);
                let _ = waiting.recv();
            }
            let answer = work(host);
            drop(done);
            answer
        });
    }

    fn in_background(&mut self, name: &str, work: impl FnOnce(&dyn Host) -> Answer + Send + 'static) {
        let (host, sender) = (Arc::clone(&self.host), self.answers.0.clone());
        let started = std::thread::Builder::new().name(name.into()).spawn(move || {
            // Nobody listens any more when the screens are gone.
            let _ = sender.send(work(&*host));
        });
        if let Err(error) = started {
            self.ui.context.say(format!("cannot start a thread: {error}"), Tone::Refused);
        }
    }
}

/// Says that the file or device that `spec` names is not there.
fn missing(spec: &SourceSpec) -> Option<String> {
    let (SourceSpec::File(path) | SourceSpec::Device(path)) = spec else { return None };
    match path.try_exists() {
        Ok(true) => None,
        Ok(false) => Some(format!("'{spec}' does not exist")),
        Err(error) => Some(format!("'{spec}' cannot be read: {error}")),
    }
}
