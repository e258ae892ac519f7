//! Screens, engine and host together, without a terminal: what the run loop drives, and what tests drive
//! with keys.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{
    action::Action,
    app::{Effect, Screen, Tone, UiState},
    editor::{Drawn, Replayed},
    format::Moment,
    host::{ConfigPlace, Found, Host, LogTarget, Period},
    keymap::{Key, Keymap},
    view_model::Row,
};
use crate::{
    config::{SourceConfig, edit::KeepLogin},
    engine::{Control, EngineApi},
    logging::Level,
    source::SourceId,
};

mod probes;
mod replay;

use probes::Probes;
use replay::Replaying;

/// How often the history behind the sparklines is fetched: it changes once a minute.
const HISTORY_EVERY: Duration = Duration::from_secs(5);

/// How often a picture is fetched.
const PREVIEW_EVERY: Duration = Duration::from_secs(1);

/// Seconds of a person's way that are drawn behind him.
const TRAIL: f64 = 4.0;

/// The answer to work done beside the screens.
enum Answer {
    Said(Result<String, String>),
    Saved(SourceId, Drawn, Result<String, String>),
    Written(Result<String, String>),
    Probed(u64, Result<Found, String>),
    Report(Period, Result<String, String>),
    Replayed(SourceId, Box<Replayed>),
}

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
    history_due: Option<Instant>,
    preview_due: Option<Instant>,
    preview_of: Option<SourceId>,
    log: Option<LogView>,
    probes: Probes,
    replay: Replaying,
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
            history_due: None,
            preview_due: None,
            preview_of: None,
            log: None,
            probes: Probes::default(),
            replay: Replaying::default(),
        };
        session.refresh(moment);
        session
    }

    /// Fetches what is new, as of `moment`.
    pub fn refresh(&mut self, moment: Moment) {
        let now = moment.mono;
        self.ui.set_moment(moment);
        self.ui.set_snapshot(self.engine.snapshot());
        self.ui.config_place = self.host.config_place();
        while let Ok(answer) = self.answers.1.try_recv() {
            match answer {
                Answer::Said(Ok(text)) => self.ui.say(text, Tone::Done),
                Answer::Said(Err(text)) => self.ui.say(text, Tone::Refused),
                Answer::Report(period, result) => self.ui.report_read(period, result),
                Answer::Saved(source, drawn, result) => self.ui.lines_saved(&source, &drawn, result),
                Answer::Written(result) => self.ui.config_written(result),
                Answer::Probed(number, result) => self.probed(number, result),
                Answer::Replayed(source, replayed) => {
                    self.replay.running = false;
                    self.ui.lines_replayed(&source, *replayed);
                }
            }
        }
        self.probe(now);
        self.fetch_config();
        self.fetch_history(now);
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
                Effect::Control(control) => self.engine.send(control),
                Effect::AddSource { text, name, keep } => self.add_source(&text, &name, keep),
                Effect::SaveLines(source, drawn) => self.in_background("tui-save", move |host| {
                    let result = host.save_lines(&source, &drawn);
                    Answer::Saved(source, drawn, result)
                }),
                Effect::WriteConfig => {
                    let sources: Vec<_> = self.engine.snapshot().sources;
                    let sources: Vec<Arc<SourceConfig>> =
                        sources.iter().filter_map(|source| self.engine.source_config(&source.id)).collect();
                    self.in_background("tui-save", move |host| Answer::Written(host.write_config(&sources)));
                }
                Effect::Report(period) => {
                    self.in_background("tui-report", move |host| Answer::Report(period, host.report(period)))
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
        self.fetch_config();
        self.fetch_preview(self.ui.clock().mono);
        self.fetch_log();
        self.replay(self.ui.clock().mono);
        rest
    }

    /// Lets go of what the engine does for the screens only.
    pub fn close(&mut self) {
        if let Some(id) = self.preview_of.take() {
            self.engine.send(Control::Preview(id, false));
        }
    }

    fn add_source(&mut self, text: &str, name: &str, keep: KeepLogin) {
        let taken = self.engine.snapshot().sources.iter().map(|source| source.id.to_string()).collect();
        let mut source = match SourceConfig::from_source_string(text, &taken) {
            Ok(source) => source,
            Err(problem) => return self.ui.source_added(Err(problem)),
        };
        if !name.is_empty() {
            source.alias = name.to_string();
        }
        self.host.hide_secrets(&source);
        self.engine.send(Control::Add(Box::new(source.clone())));
        self.ui.source_added(Ok(&source));
        if matches!(self.ui.config_place, ConfigPlace::File(_)) {
            let written = text.to_string();
            self.in_background("tui-save", move |host| {
                Answer::Written(host.save_source(&source, &written, keep))
            });
        }
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

    fn fetch_config(&mut self) {
        let Some(id) = self.ui.selected().map(|source| source.id.clone()) else { return };
        if self.ui.extras.config.as_ref().is_none_or(|config| config.id != id) || self.history_is_due() {
            self.ui.extras.config = self.engine.source_config(&id);
        }
    }

    fn history_is_due(&self) -> bool {
        self.history_due.is_none_or(|due| due <= self.ui.clock().mono)
    }

    fn fetch_history(&mut self, now: Instant) {
        if self.ui.frozen_since().is_some() || !self.history_is_due() {
            return;
        }
        self.history_due = Some(now + HISTORY_EVERY);
        let sources = &self.ui.shown().sources;
        let shown = self.ui.rows().iter().filter_map(|row| match row {
            Row::Source(index) => sources.get(*index).map(|source| source.id.clone()),
            Row::Group(_) => None,
        });
        let history: HashMap<_, _> =
            shown.map(|id| (id.clone(), Arc::new(self.engine.history(&id)))).collect();
        self.ui.extras.history = history;
        self.ui.touch();
    }

    fn fetch_preview(&mut self, now: Instant) {
        let wanted = self.ui.preview_of().cloned();
        if wanted != self.preview_of {
            if let Some(old) = self.preview_of.take() {
                self.engine.send(Control::Preview(old, false));
            }
            if let Some(new) = &wanted {
                self.engine.send(Control::Preview(new.clone(), true));
            }
            self.preview_of = wanted;
            self.preview_due = None;
            self.ui.extras.preview = None;
        }
        let Some(id) = self.preview_of.clone() else { return };
        // Lines are drawn on what is there now, also while the other screens are held still.
        let is_held = self.ui.frozen_since().is_some() && *self.ui.screen() != Screen::Editor;
        if is_held || self.preview_due.is_some_and(|due| now < due) {
            return;
        }
        let Some(preview) = self.engine.preview(&id) else { return };
        // Until the first one is there, every tick asks.
        self.preview_due = Some(now + PREVIEW_EVERY);
        let is_new = self.ui.extras.preview.as_ref().is_none_or(|(_, old)| old.taken != preview.taken);
        if is_new {
            let paths = self.engine.paths(&id);
            let trails = paths.map(|paths| paths.trails(crate::count::Anchor::Foot, TRAIL));
            self.ui.extras.trails = trails.unwrap_or_default();
            self.ui.extras.preview = Some((id, preview));
            self.ui.touch();
        }
    }

    fn fetch_log(&mut self) {
        let Screen::Logs(target) = self.ui.screen().clone() else {
            self.log = None;
            return;
        };
        let Some(recent) = self.host.recent_logs() else {
            self.ui.extras.log_problem = Some("nothing is logged in this run".into());
            return;
        };
        let now = (target, recent.written(), self.ui.log_level, self.ui.log_filter.to_lowercase());
        if self.log.as_ref() == Some(&now) {
            return;
        }
        self.ui.extras.log = Arc::new(recent.lines(|line| {
            let is_here = match &now.0 {
                LogTarget::Central => true,
                LogTarget::Source(id) => line.camera.as_ref() == Some(id),
            };
            is_here && line.level <= now.2 && has_words(&line.text, &now.3)
        }));
        self.ui.extras.log_problem = None;
        self.log = Some(now);
        self.ui.touch();
    }
}

/// Whether every word of `filter` (lower case) is in `text`, or is not, with a leading `!`.
fn has_words(text: &str, filter: &str) -> bool {
    let text = text.to_lowercase();
    filter.split_whitespace().all(|word| match word.strip_prefix('!') {
        Some(word) => word.is_empty() || !text.contains(word),
        None => text.contains(word),
    })
}
