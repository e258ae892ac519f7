//! The state of the screens and what actions do to it. No drawing, no input or output: what has to be done
//! outside is returned as [`Effect`]s.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    alerts::{Alert, AlertKey},
    calm::{Calm, is_news},
    crossings::Crossings,
    dialogs::Dialog,
    editor::Editor,
    format::Moment,
    graphics::Graphics,
    history::History,
    keymap::Keymap,
    panes::Pane,
    text_input::TextInput,
    view_model::{self, Arrangement, Row},
};
use crate::{
    host::ConfigPlace,
    ledger::chart::Width,
    logging::Level,
    model::{EngineSnapshot, SourceId, SourceSnapshot},
};

mod act;
mod crossings;
mod edit;
mod keep;
mod keys;
mod motion;
mod parts;
mod past;
mod subject;
mod update;

pub use crossings::judging_key;
use parts::Frozen;
pub use parts::{Effect, Exit, Extras, Panel, Screen, Toast, Tone};

/// How long a message stays in the footer.
const TOAST: Duration = Duration::from_secs(6);

/// All that the screens know.
pub struct UiState {
    snapshot: Arc<EngineSnapshot>,
    moment: Moment,
    frozen: Option<Frozen>,
    calm: Calm,
    /// Fetched for what is on screen.
    pub extras: Extras,
    screens: Vec<Screen>,
    /// Open dialog, over everything.
    pub dialog: Option<Dialog>,
    /// Lines being edited.
    pub editor: Option<Editor>,
    /// Filter being typed.
    pub filter_input: Option<TextInput>,
    arrangement: Arrangement,
    /// Grouping as the user last asked for it; `None` leaves it to the sources.
    grouped: Option<bool>,
    rows: Vec<Row>,
    selected: Option<SourceId>,
    /// Row of the selected source when the rows were last worked out.
    place: usize,
    marked: BTreeSet<SourceId>,
    /// Part of the overview that keys move in.
    pub panel: Panel,
    /// First visible row of each scrolling list, kept by the drawing.
    pub offset: usize,
    /// Scrolled lines in help, log and events.
    pub scroll: usize,
    /// Where the picture of the line editor is, set by the drawing, for the mouse.
    pub picture_area: ratatui::layout::Rect,
    /// Where the rows of the table of sources are, set by the drawing, for clicks.
    pub table_area: ratatui::layout::Rect,
    /// Rows of the list on screen, set by the drawing, for page keys.
    pub page: usize,
    /// Live picture wanted.
    pub preview: bool,
    /// Pixels for the picture, where the terminal can show them.
    pub graphics: Option<Graphics>,
    /// Live picture on the screen of one source.
    pub picture_in_detail: bool,
    /// Whether the screen of one source had room for its picture, set by the drawing.
    pub picture_shows: bool,
    /// Part of the screen of one source that keys move in.
    pub pane: Pane,
    /// Lines that it is scrolled from where reading begins.
    pub pane_scroll: usize,
    /// How much time a column of a chart stands for.
    pub chart: Width,
    /// The time and the entry shown by the history screen.
    pub history: History,
    /// The crossings that are stepped through.
    pub crossings: Crossings,
    /// Number of the event that the cursor is on; `None` follows the newest.
    event: Option<u64>,
    /// Row of the chosen worker on the screen of the workers.
    pub worker: usize,
    /// Least severe level shown of a log.
    pub log_level: Level,
    /// Words that shown lines of a log have.
    pub log_filter: String,
    /// Words that the shown lines of the help have.
    pub help_filter: String,
    /// Columns that a log is scrolled sideways.
    pub log_across: usize,
    mouse: bool,
    read_only: bool,
    /// How old what is shown is, where that engine does not answer.
    age: Option<Duration>,
    acknowledged: BTreeSet<AlertKey>,
    alerts: Vec<Alert>,
    toast: Option<Toast>,
    /// Where sources and lines are kept.
    pub config_place: ConfigPlace,
    /// Sources whose lines run and could not be saved.
    unsaved: BTreeSet<SourceId>,
    /// A video that is counted again because it had ended when its lines were changed, until its lines are saved.
    recounted: Option<SourceId>,
    /// A source that was added and is not in a snapshot yet; it becomes the selected one.
    awaited: Option<SourceId>,
    /// Number of the last source that was tried out.
    probes: u64,
    /// Workers asked for and not yet confirmed by a snapshot.
    pending_workers: Option<usize>,
    /// Keys as they are now.
    pub keymap: Keymap,
    changed: bool,
}

impl UiState {
    /// The overview of `snapshot`.
    #[must_use]
    pub fn new(snapshot: EngineSnapshot, moment: Moment, keymap: Keymap, read_only: bool) -> Self {
        let mut ui = Self {
            snapshot: Arc::new(snapshot),
            moment,
            frozen: None,
            calm: Calm::default(),
            extras: Extras::default(),
            screens: vec![Screen::Overview],
            dialog: None,
            editor: None,
            filter_input: None,
            arrangement: Arrangement::default(),
            grouped: None,
            rows: Vec::new(),
            selected: None,
            place: 0,
            marked: BTreeSet::new(),
            panel: Panel::default(),
            offset: 0,
            scroll: 0,
            picture_area: ratatui::layout::Rect::default(),
            table_area: ratatui::layout::Rect::default(),
            page: 1,
            preview: false,
            graphics: None,
            picture_in_detail: true,
            picture_shows: true,
            pane: Pane::default(),
            pane_scroll: 0,
            chart: Width::default(),
            history: History::default(),
            crossings: Crossings::default(),
            event: None,
            worker: 0,
            log_level: Level::Debug,
            log_filter: String::new(),
            help_filter: String::new(),
            log_across: 0,
            mouse: false,
            read_only,
            age: None,
            acknowledged: BTreeSet::new(),
            alerts: Vec::new(),
            toast: None,
            config_place: ConfigPlace::Nowhere,
            unsaved: BTreeSet::new(),
            recounted: None,
            awaited: None,
            probes: 0,
            pending_workers: None,
            keymap,
            changed: true,
        };
        ui.rearrange();
        ui
    }

    /// Takes a newer snapshot. Counts, states and alerts show at once; rates, ages and the list of crossings,
    /// which never stand still, with the next second (see [`Calm`]).
    pub fn set_snapshot(&mut self, snapshot: EngineSnapshot) {
        let snapshot = self.calm.settled(&self.snapshot, snapshot, &self.moment);
        self.changed |= is_news(&self.snapshot, &snapshot);
        self.snapshot = Arc::new(snapshot);
        self.pending_workers = None;
        let is_there = |id: &SourceId| self.snapshot.sources.iter().any(|source| source.id == *id);
        if let Some(id) = self.awaited.take_if(|id| is_there(id)) {
            self.selected = Some(id);
        }
        self.rearrange();
    }

    /// Moves to another moment. The screen changes with it once a second, for ages and countdowns.
    pub fn set_moment(&mut self, moment: Moment) {
        if moment.wall.second() != self.moment.wall.second() {
            self.changed = true;
        }
        if self.toast.as_ref().is_some_and(|toast| toast.until <= moment.mono) {
            self.toast = None;
            self.changed = true;
        }
        self.moment = moment;
    }

    /// Notes that something on the screen is new.
    pub fn touch(&mut self) {
        self.changed = true;
    }

    /// Whether anything was new since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// The snapshot on screen: the frozen one or the latest.
    #[must_use]
    pub fn shown(&self) -> &Arc<EngineSnapshot> {
        self.frozen.as_ref().map_or(&self.snapshot, |frozen| &frozen.snapshot)
    }

    /// The moment of the snapshot on screen.
    #[must_use]
    pub fn moment(&self) -> &Moment {
        self.frozen.as_ref().map_or(&self.moment, |frozen| &frozen.moment)
    }

    /// The time on the clock, also while the view is frozen.
    #[must_use]
    pub fn clock(&self) -> &Moment {
        &self.moment
    }

    /// Since when the view is held still.
    #[must_use]
    pub fn frozen_since(&self) -> Option<&Moment> {
        self.frozen.as_ref().map(|frozen| &frozen.moment)
    }

    /// The screen shown.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        self.screens.last().unwrap_or(&Screen::Overview)
    }

    /// Rows of the table of sources.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How the rows are arranged.
    #[must_use]
    pub fn arrangement(&self) -> &Arrangement {
        &self.arrangement
    }

    /// The selected source.
    #[must_use]
    pub fn selected(&self) -> Option<&Arc<SourceSnapshot>> {
        let id = self.selected.as_ref()?;
        self.shown().sources.iter().find(|source| source.id == *id)
    }

    /// Index of the selected source in [`Self::rows`].
    #[must_use]
    pub fn selected_row(&self) -> Option<usize> {
        let id = self.selected.as_ref()?;
        let sources = &self.shown().sources;
        self.rows.iter().position(
            |row| matches!(row, Row::Source(index) if sources.get(*index).is_some_and(|s| s.id == *id)),
        )
    }

    /// Whether a source is marked.
    #[must_use]
    pub fn is_marked(&self, id: &SourceId) -> bool {
        self.marked.contains(id)
    }

    /// How many sources are marked.
    #[must_use]
    pub fn marked(&self) -> usize {
        self.marked.len()
    }

    /// What wants attention, the unseen first.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// The message in the footer.
    #[must_use]
    pub fn toast(&self) -> Option<&Toast> {
        self.toast.as_ref()
    }

    /// Whether changes are refused.
    #[must_use]
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// Whether the engine is another process and goes on when the screens end: the keys say so.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.keymap.is_attached
    }

    /// How old what is shown is, where its engine does not answer.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.age
    }

    /// Notes how old what is shown is, in whole seconds.
    pub(super) fn set_age(&mut self, age: Option<Duration>) {
        let age = age.map(|age| Duration::from_secs(age.as_secs()));
        if age != self.age {
            self.age = age;
            self.touch();
        }
    }

    /// Says something in the footer.
    pub fn say(&mut self, text: impl Into<String>, tone: Tone) {
        self.toast = Some(Toast { text: text.into(), tone, until: self.moment.mono + TOAST });
        self.changed = true;
    }

    fn refuse(&mut self, text: impl Into<String>) -> Vec<Effect> {
        self.say(text, Tone::Refused);
        Vec::new()
    }

    /// Works out rows and alerts again and keeps the selection where it was, or near.
    fn rearrange(&mut self) {
        let shown = Arc::clone(self.shown());
        self.arrangement.grouped = self.grouped.unwrap_or_else(|| view_model::is_worth_grouping(&shown));
        self.rows = view_model::rows(&shown, &self.arrangement);
        self.marked.retain(|id| shown.sources.iter().any(|source| source.id == *id));
        self.alerts = super::alerts::alerts(&shown, &mut self.acknowledged);
        if self.selected_row().is_none() {
            let near = self.place.min(self.rows.len().saturating_sub(1));
            let candidates =
                self.rows[near.min(self.rows.len())..].iter().chain(self.rows[..near].iter().rev());
            self.selected = candidates
                .filter_map(|row| match row {
                    Row::Source(index) => Some(shown.sources[*index].id.clone()),
                    Row::Group(_) => None,
                })
                .next();
        }
        self.place = self.selected_row().unwrap_or(0);
    }

    fn open(&mut self, screen: Screen) -> Vec<Effect> {
        if *self.screen() != screen {
            self.screens.retain(|other| *other != screen);
            self.screens.push(screen);
            self.scroll = 0;
            self.pane_scroll = 0;
            self.log_across = 0;
            self.log_filter.clear();
            self.help_filter.clear();
        }
        Vec::new()
    }

    /// Closes the screen on top, unless it is the overview.
    fn close(&mut self) -> bool {
        self.scroll = 0;
        self.history.waiting.clear();
        self.screens.len() > 1 && self.screens.pop().is_some()
    }
}
