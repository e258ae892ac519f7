//! Screens, engine and host together, without a terminal: what the run loop drives, and what tests drive
//! with keys.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{
    app::{Effect, Screen, Tone, UiState},
    editor::{Drawn, Replayed},
    format::Moment,
    host::{Host, LogTarget, Period},
    keymap::{Key, Keymap},
    view_model::Row,
};
use crate::{
    config::SourceConfig,
    count::replay::Paths,
    engine::{Control, EngineApi},
    logging::Level,
    source::SourceId,
};

/// How often the history behind the sparklines is fetched: it changes once a minute.
const HISTORY_EVERY: Duration = Duration::from_secs(5);

/// How often a picture is fetched.
const PREVIEW_EVERY: Duration = Duration::from_secs(1);

/// Seconds of a person's way that are drawn behind him.
const TRAIL: f64 = 4.0;

/// How often the tracks behind the line editor are fetched.
const REPLAY_EVERY: Duration = Duration::from_secs(5);

/// The answer to work done beside the screens.
enum Answer {
    Said(Result<String, String>),
    Probed(String, Result<String, String>),
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
    replay: Replaying,
}

/// What the line editor's lines would have counted, being worked out beside the screens.
#[derive(Default)]
struct Replaying {
    paths: Option<(SourceId, Arc<Paths>)>,
    due: Option<Instant>,
    running: bool,
    /// For which lines and of which moment it was last begun.
    begun: Option<(Drawn, f64)>,
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
        if let Some(first) = problems.first() {
            ui.say(first.clone(), Tone::Refused);
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
        while let Ok(answer) = self.answers.1.try_recv() {
            match answer {
                Answer::Said(Ok(text)) => self.ui.say(text, Tone::Done),
                Answer::Said(Err(text)) => self.ui.say(text, Tone::Refused),
                Answer::Report(period, result) => self.ui.report_read(period, result),
                Answer::Probed(text, result) => self.ui.source_probed(&text, result),
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
                Effect::AddSource(text) => self.add_source(&text),
                Effect::SaveLines(source, drawn) => {
                    self.in_background(move |host| Answer::Said(host.save_lines(&source, &drawn)));
                }
                Effect::Report(period) => {
                    self.in_background(move |host| Answer::Report(period, host.report(period)));
                }
                Effect::Export => {
                    self.ui.say("exporting", Tone::Done);
                    self.in_background(|host| Answer::Said(host.export()));
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

    fn add_source(&mut self, text: &str) {
        let taken = self.engine.snapshot().sources.iter().map(|source| source.id.to_string()).collect();
        let result = SourceConfig::from_source_string(text, &taken).map(|source| {
            let id = source.id.clone();
            self.engine.send(Control::Add(Box::new(source)));
            id
        });
        self.ui.source_added(result);
    }

    /// Tries out the source being typed, when it is one.
    fn probe(&mut self, now: Instant) {
        let Some(text) = self.ui.text_to_probe(now) else { return };
        match SourceConfig::from_source_string(&text, &BTreeSet::new()) {
            Ok(source) => self.in_background(move |host| Answer::Probed(text, host.probe(&source))),
            Err(problem) => self.ui.source_probed(&text, Err(problem)),
        }
    }

    /// Works out what the edited lines would have counted, when they or the tracks have changed.
    fn replay(&mut self, now: Instant) {
        let Some(editor) = &self.ui.editor else {
            self.replay = Replaying { running: self.replay.running, ..Replaying::default() };
            return;
        };
        let id = editor.source.clone();
        if self.replay.due.is_none_or(|due| due <= now) {
            self.replay.due = Some(now + REPLAY_EVERY);
            self.replay.paths = self.engine.paths(&id).map(|paths| (id.clone(), Arc::new(paths)));
        }
        let Some((_, paths)) = self.replay.paths.as_ref().filter(|(of, _)| *of == id) else { return };
        let now = (editor.drawn().clone(), paths.newest());
        if self.replay.running || self.replay.begun.as_ref() == Some(&now) {
            return;
        }
        let Some(config) = self.engine.source_config(&id) else { return };
        let (paths, drawn, runs) = (Arc::clone(paths), editor.drawn().clone(), editor.as_it_runs().clone());
        self.replay.running = true;
        self.replay.begun = Some(now);
        let anchor = editor.anchor();
        self.in_background(move |_| {
            let of = |drawn: &Drawn| {
                let (lines, zones) = (drawn.lines.clone(), drawn.zones.clone());
                paths.replay(&SourceConfig { lines, zones, ..(*config).clone() })
            };
            let (with, as_it_runs) = (of(&drawn), of(&runs));
            let walked = Arc::new(walked(&paths, anchor));
            Answer::Replayed(id, Box::new(Replayed { drawn, with, as_it_runs, walked }))
        });
    }

    fn in_background(&mut self, work: impl FnOnce(&dyn Host) -> Answer + Send + 'static) {
        let (host, sender) = (Arc::clone(&self.host), self.answers.0.clone());
        let started = std::thread::Builder::new().name("tui-task".into()).spawn(move || {
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
        if self.ui.frozen_since().is_some() || self.preview_due.is_some_and(|due| now < due) {
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

/// Where people were seen, in 0..1, each place of a fine grid once.
fn walked(paths: &Paths, anchor: crate::count::Anchor) -> Vec<(f32, f32)> {
    const GRID: f32 = 160.0;
    let aspect = paths.aspect().max(0.01);
    let cells: BTreeSet<(i32, i32)> =
        paths.places(anchor).map(|at| ((at.x / aspect * GRID) as i32, (at.y * GRID) as i32)).collect();
    cells.into_iter().map(|(x, y)| ((x as f32 + 0.5) / GRID, (y as f32 + 0.5) / GRID)).collect()
}

/// Whether every word of `filter` (lower case) is in `text`, or is not, with a leading `!`.
fn has_words(text: &str, filter: &str) -> bool {
    let text = text.to_lowercase();
    filter.split_whitespace().all(|word| match word.strip_prefix('!') {
        Some(word) => word.is_empty() || !text.contains(word),
        None => text.contains(word),
    })
}
