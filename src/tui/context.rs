//! What all screens share: what the engine says, the list of sources and what is selected in it, alerts, what was fetched,
//! the keys, and the message in the footer. A screen reads it and changes it; it knows no screen.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    alerts::{AlertKey, Alerts},
    drawn::Geometry,
    effect::Effect,
    format::Moment,
    keymap::Keymap,
    listing::{Arrangement, Listing, Row},
    view::View,
};
use crate::{
    config::SourceConfig,
    count::replay::TrackPath,
    engine::Control,
    host::{ConfigPlace, Settings},
    logging::LogLine,
    model::{EngineSnapshot, Minute, Polygon, Preview, SourceId, SourceSnapshot},
    native,
};

/// How long a message stays in the footer.
const TOAST: Duration = Duration::from_secs(6);

/// How serious a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Done,
    /// Something could not be done.
    Refused,
}

/// A message in the footer.
#[derive(Debug, Clone)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// How serious it is.
    pub tone: Tone,
    until: Instant,
}

/// Things that are fetched only while a screen shows them, and that more than one screen shows.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// Minutes of history of each source.
    pub history: HashMap<SourceId, Arc<Vec<Minute>>>,
    /// The latest preview of each source that is shown.
    pub previews: HashMap<SourceId, Arc<Preview>>,
    /// Where the people on a preview came from.
    pub trails: HashMap<SourceId, Vec<TrackPath>>,
    /// Regions of a preview in which nobody is seen.
    pub ignored: HashMap<SourceId, Vec<Polygon>>,
    /// Configuration of the selected source.
    pub config: Option<Arc<SourceConfig>>,
    /// Last lines of the log on screen, oldest first.
    pub log: Arc<Vec<Arc<LogLine>>>,
    /// Why there is no log.
    pub log_problem: Option<String>,
}

/// What is known of the configuration file.
#[derive(Debug)]
pub struct ConfigFile {
    /// Where sources and lines are saved.
    pub place: ConfigPlace,
    /// Sources whose lines or settings run and could not be saved.
    pub unsaved: BTreeSet<SourceId>,
    /// A video that is counted again because it had ended when its lines were changed, until its lines are saved.
    pub recounted: Option<SourceId>,
    /// The last change of a source's settings, which can be taken back: whose, from what, to what.
    pub last_change: Option<(SourceId, Settings, Settings)>,
    /// What the file would change of what runs, a sentence for each: none where both say the same.
    pub differs: Vec<String>,
}

/// What all screens share.
pub struct Context {
    /// Snapshots and moments.
    pub view: View,
    /// The list of sources and what is selected in it.
    pub listing: Listing,
    /// What wants attention.
    pub alerts: Alerts,
    /// What was fetched for the screens.
    pub fetched: Fetched,
    /// The configuration file.
    pub config: ConfigFile,
    /// Keys as they are now.
    pub keymap: Keymap,
    /// Workers asked for and not yet confirmed by a snapshot.
    pub pending_workers: Option<usize>,
    /// What the last drawing found out.
    pub geometry: Geometry,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whether the terminal shows pixels.
    pub has_pixels: bool,
    read_only: bool,
    toast: Option<Toast>,
    changed: bool,
}

impl Context {
    /// The context of `snapshot` at `moment`.
    #[must_use]
    pub fn new(snapshot: EngineSnapshot, moment: Moment, keymap: Keymap, read_only: bool) -> Self {
        let mut context = Self {
            view: View::new(snapshot, moment),
            listing: Listing::default(),
            alerts: Alerts::default(),
            fetched: Fetched::default(),
            config: ConfigFile {
                place: ConfigPlace::Nowhere,
                unsaved: BTreeSet::new(),
                recounted: None,
                last_change: None,
                differs: Vec::new(),
            },
            keymap,
            pending_workers: None,
            geometry: Geometry::default(),
            size: (80, 24),
            has_pixels: false,
            read_only,
            toast: None,
            changed: true,
        };
        context.rearrange();
        context
    }

    /// Takes a newer snapshot.
    pub fn set_snapshot(&mut self, snapshot: EngineSnapshot) {
        self.changed |= self.view.take(snapshot);
        self.pending_workers = None;
        self.rearrange();
    }

    /// Moves to another moment. The screen changes with it once a second, for ages and countdowns.
    pub fn set_moment(&mut self, moment: Moment) {
        if self.toast.as_ref().is_some_and(|toast| toast.until <= moment.mono) {
            self.toast = None;
            self.changed = true;
        }
        self.changed |= self.view.at(moment);
    }

    /// Notes how old what is shown is.
    pub fn set_age(&mut self, age: Option<Duration>) {
        self.changed |= self.view.set_age(age);
    }

    /// Notes that something on the screen is new.
    pub fn touch(&mut self) {
        self.changed = true;
    }

    /// Whether anything was new since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Works out rows and alerts again.
    pub fn rearrange(&mut self) {
        let shown = Arc::clone(self.view.shown());
        self.listing.rearrange(&shown);
        self.alerts.follow(&shown, self.view.moment());
    }

    /// Says something in the footer.
    pub fn say(&mut self, text: impl Into<String>, tone: Tone) {
        self.toast = Some(Toast { text: text.into(), tone, until: self.view.clock().mono + TOAST });
        self.changed = true;
    }

    /// Says why something is not done; gives the nothing that happens.
    pub fn refuse(&mut self, text: impl Into<String>) -> Vec<Effect> {
        self.say(text, Tone::Refused);
        Vec::new()
    }

    /// The message in the footer.
    #[must_use]
    pub fn toast(&self) -> Option<&Toast> {
        self.toast.as_ref()
    }

    /// Takes the message in the footer away.
    pub fn clear_toast(&mut self) {
        self.toast = None;
    }

    /// The snapshot on screen: the frozen one or the latest.
    #[must_use]
    pub fn shown(&self) -> &Arc<EngineSnapshot> {
        self.view.shown()
    }

    /// The moment of the snapshot on screen.
    #[must_use]
    pub fn moment(&self) -> &Moment {
        self.view.moment()
    }

    /// The time on the clock, also while the view is frozen.
    #[must_use]
    pub fn clock(&self) -> &Moment {
        self.view.clock()
    }

    /// Since when the view is frozen.
    #[must_use]
    pub fn frozen_since(&self) -> Option<&Moment> {
        self.view.frozen_since()
    }

    /// Rows of the table of sources.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        self.listing.rows()
    }

    /// How the rows are arranged.
    #[must_use]
    pub fn arrangement(&self) -> &Arrangement {
        self.listing.arrangement()
    }

    /// The source with this id, as it is shown.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Arc<SourceSnapshot>> {
        self.shown().sources.iter().find(|source| source.id == *id)
    }

    /// The selected source.
    #[must_use]
    pub fn selected(&self) -> Option<&Arc<SourceSnapshot>> {
        self.source(self.listing.selected()?)
    }

    /// Index of the selected source in [`Self::rows`].
    #[must_use]
    pub fn selected_row(&self) -> Option<usize> {
        self.listing.selected_row(self.shown())
    }

    /// Selects the source `by` rows on, or says why there is none.
    pub fn step_selection(&mut self, by: isize) -> Vec<Effect> {
        let shown = Arc::clone(self.shown());
        if self.listing.step(by, &shown) {
            return Vec::new();
        }
        self.refuse(self.why_empty())
    }

    /// Why there is no row to act on.
    #[must_use]
    pub fn why_empty(&self) -> String {
        self.listing.why_empty(self.shown())
    }

    /// The configuration of this source, where it is known.
    #[must_use]
    pub fn config_of(&self, id: &SourceId) -> Option<&Arc<SourceConfig>> {
        self.fetched.config.as_ref().filter(|config| config.id == *id)
    }

    /// The user has seen these alerts. Gives what tells the engine; a dashboard that may change nothing keeps it to itself.
    pub fn acknowledge(&mut self, keys: &[AlertKey]) -> Vec<Control> {
        let moment = self.clock().clone();
        let told = self.alerts.acknowledge(keys, &native::process::user(), &moment);
        if self.read_only { Vec::new() } else { told }
    }

    /// A source's name, its id where it is gone.
    #[must_use]
    pub fn name_of(&self, id: &SourceId) -> String {
        self.source(id).map_or_else(|| id.to_string(), |source| source.name())
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
        self.view.age()
    }

    /// Whether lines or settings of a source run and could not be saved.
    #[must_use]
    pub fn is_unsaved(&self, id: &SourceId) -> bool {
        self.config.unsaved.contains(id)
    }
}
