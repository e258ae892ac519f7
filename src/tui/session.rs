//! Screens, engine and host together, without a terminal: what the run loop drives, and what tests drive
//! with keys.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::{
    action::Action,
    app::{Effect, Tone, UiState},
    format::Moment,
    keymap::{Key, Keymap},
    log_target::LogTarget,
};
use crate::{
    config::{
        self, SourceConfig, SourceSpec,
        edit::{KeepLogin, same_place},
    },
    engine::{Control, EngineApi},
    host::{ConfigPlace, Host},
    logging::Level,
    model::{Minute, SourceId, name_of},
};

mod asking;
mod crossings;
mod fetch;
mod probes;
mod replay;
mod work;

use work::{Addition, Answer, Asking, Charts, Probes, Replaying, Reports};

/// Which lines of the log were fetched: the log, how much had been written, from which level on, with which
/// words.
type LogView = (LogTarget, u64, Level, String);

/// The screens and what they talk to.
pub struct Session {
    /// State of the screens.
    pub ui: UiState,
    engine: Arc<dyn EngineApi>,
    host: Arc<dyn Host>,
    answers: (Sender<Answer>, Receiver<Answer>),
    /// Ids of the sources that were added.
    given: BTreeSet<String>,
    history_due: Option<Instant>,
    preview_due: Option<Instant>,
    preview_of: Option<SourceId>,
    log: Option<LogView>,
    probes: Probes,
    replay: Replaying,
    reports: Reports,
    charts: Charts,
    /// Effects that only the owner of the terminal can see to.
    left: Vec<Effect>,
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
        let mut ui = UiState::new(engine.snapshot(), moment.clone(), keymap, read_only);
        match problems {
            [] => {}
            [only] => ui.say(only.clone(), Tone::Refused),
            [first, rest @ ..] => {
                let logs = ui.keymap.keys_text(Action::AllLogs);
                ui.say(format!("{first}; {} more in the log ({logs})", rest.len()), Tone::Refused);
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
            preview_of: None,
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
        };
        session.refresh(moment);
        session
    }

    /// What only the owner of the terminal can do of what [`Self::refresh`] has caused.
    pub fn take_left(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.left)
    }

    /// Fetches what is new, as of `moment`.
    pub fn refresh(&mut self, moment: Moment) {
        let now = moment.mono;
        self.ui.set_moment(moment);
        self.ui.set_snapshot(self.engine.snapshot());
        self.ui.set_age(self.engine.age());
        self.ui.config_place = self.host.config_place();
        while let Ok(answer) = self.answers.1.try_recv() {
            match answer {
                Answer::Looked => {}
                Answer::Said(Ok(text)) => self.ui.say(text, Tone::Done),
                Answer::Said(Err(text)) => self.ui.say(text, Tone::Refused),
                Answer::Report(asked, result) => {
                    self.reports.running = false;
                    let before = std::mem::take(&mut self.reports.before);
                    let effects = self.ui.report_read(asked, result, &before);
                    let rest = self.perform(effects);
                    self.left.extend(rest);
                }
                Answer::Crossings(asked, found) => self.ui.crossings_found(&asked, found),
                Answer::Crossing(of, known) => self.crossing_read(of, *known),
                Answer::Reloadable(found) => self.ui.reload_worked_out(found),
                Answer::Judged(result) => self.ui.crossing_judged(result),
                Answer::Chart(source, width, result) => self.chart_read(source, width, result),
                Answer::LastHour(result) => self.last_hour_read(result),
                Answer::Saved(source, drawn, result) => self.ui.lines_saved(&source, &drawn, result),
                Answer::Written(result) => self.ui.config_written(result),
                Answer::Probed(number, result) => self.probed(number, result),
                Answer::Replayed(source, replayed) => {
                    self.replay.running = false;
                    self.ui.lines_replayed(&source, *replayed);
                }
            }
        }
        self.hear();
        self.probe(now);
        self.fetch_config();
        self.fetch_history(now);
        self.fetch_report(now);
        self.fetch_detail(now);
        self.fetch_crossing(now);
        self.fetch_preview(now);
        self.fetch_log();
        self.replay(now);
    }

    /// Does what a key asks for; returns what only the owner of the terminal can do.
    pub fn key(&mut self, key: Key) -> Vec<Effect> {
        let effects = self.ui.key(key);
        self.perform(effects)
    }

    /// Does what can be done without the terminal; returns the rest.
    pub fn perform(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut rest = Vec::new();
        for effect in effects {
            match effect {
                Effect::Control(control) => self.ask(control),
                Effect::LookAtConfig => self.in_background("tui-look", |host| {
                    host.refresh_config();
                    Answer::Looked
                }),
                Effect::AddSource { text, name, keep, is_silent, is_warned } => {
                    self.add_source(&text, &name, keep, (is_silent, is_warned));
                }
                Effect::SaveLines(source, drawn) => self.save(move |host| {
                    let result = host.save_lines(&source, &drawn);
                    Answer::Saved(source, drawn, result)
                }),
                Effect::RemoveFromFile(ids) => {
                    self.save(move |host| Answer::Written(host.remove_sources(&ids)));
                }
                Effect::WriteConfig => {
                    let sources: Vec<_> = self.engine.snapshot().sources;
                    let sources: Vec<Arc<SourceConfig>> =
                        sources.iter().filter_map(|source| self.engine.source_config(&source.id)).collect();
                    self.save(move |host| Answer::Written(host.write_config(&sources)));
                }
                Effect::Crossings(asked) => self.find_crossings(asked),
                Effect::Judge(said) => self.judge(said),
                Effect::Report(asked) => self.reports.wanted = Some(asked),
                Effect::WriteReport(asked) => {
                    self.in_background("tui-report", move |host| Answer::Said(host.write_report(&asked)));
                }
                Effect::WorkOutReload => {
                    self.in_background("tui-reload", |host| Answer::Reloadable(host.reload_shown()));
                }
                Effect::Reload => {
                    self.in_background("tui-reload", |host| Answer::Said(host.reload()));
                }
                Effect::Export => {
                    self.ui.say("exporting", Tone::Done);
                    self.in_background("tui-export", |host| Answer::Said(host.export()));
                }
                Effect::Quit(_) | Effect::Suspend | Effect::Repaint | Effect::Copy(_) | Effect::Mouse(_) => {
                    rest.push(effect);
                }
            }
        }
        // What was opened is fetched at once, not with the next tick.
        let now = self.ui.clock().mono;
        self.fetch_config();
        self.fetch_report(now);
        self.fetch_detail(now);
        self.fetch_crossing(now);
        self.fetch_preview(now);
        self.fetch_log();
        self.replay(now);
        rest
    }

    /// Lets go of what the engine does for the screens only.
    pub fn close(&mut self) {
        if let Some(id) = self.preview_of.take() {
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
        let ConfigPlace::File(file) = &self.ui.config_place else { return None };
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
            self.ui.say(format!("cannot start a thread: {error}"), Tone::Refused);
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
