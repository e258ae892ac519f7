//! The list of sources: which rows there are, in which order, and which of them are selected and marked. Pure.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::model::{EngineSnapshot, Moment, SourceId, SourceSnapshot, SourceState};

/// Columns by which sources can be sorted, first those of the keys `1` to `9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKey {
    /// As they were added.
    #[default]
    Order,
    /// Trouble first.
    State,
    /// By name.
    Name,
    /// Frames per second.
    Fps,
    /// People in.
    In,
    /// People out.
    Out,
    /// In minus out.
    Current,
    /// Current count as a share of the limit.
    Limit,
    /// Age of the last frame.
    Age,
    /// The node that holds it, then its name.
    Node,
}

impl SortKey {
    /// All, in the order of their keys; the last one has none, and says nothing where there is no fleet.
    pub const ALL: [Self; 10] = [
        Self::Order,
        Self::State,
        Self::Name,
        Self::Fps,
        Self::In,
        Self::Out,
        Self::Current,
        Self::Limit,
        Self::Age,
        Self::Node,
    ];

    /// Its name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order of the configuration",
            Self::State => "state",
            Self::Name => "name",
            Self::Fps => "FPS",
            Self::In => "in",
            Self::Out => "out",
            Self::Current => "current",
            Self::Limit => "share of the limit",
            Self::Age => "age of the last frame",
            Self::Node => "node",
        }
    }

    /// Whether large values come first unless reversed.
    #[must_use]
    pub fn is_descending(self) -> bool {
        !matches!(self, Self::Order | Self::State | Self::Name | Self::Node)
    }
}

/// What headings stand between the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grouping {
    /// None.
    #[default]
    None,
    /// Locations.
    Location,
    /// Nodes of a fleet.
    Node,
    /// Sites of a fleet.
    Site,
}

impl Grouping {
    /// Its name in messages.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "not grouped",
            Self::Location => "grouped by location",
            Self::Node => "grouped by node",
            Self::Site => "grouped by site",
        }
    }

    /// The heading of sources that have none.
    #[must_use]
    pub fn without(self) -> &'static str {
        match self {
            Self::None | Self::Location => "No location",
            Self::Node => "No node",
            Self::Site => "No site",
        }
    }

    /// The heading under which `source` stands.
    fn of(self, source: &SourceSnapshot) -> Option<&str> {
        let holder = source.holder.as_ref();
        match self {
            Self::None => None,
            Self::Location => source.location.as_deref(),
            Self::Node => holder.map(|holder| &*holder.node),
            Self::Site => holder.and_then(|holder| holder.site.as_deref()),
        }
    }

    /// The one that comes next; nodes and sites are of a fleet alone.
    fn next(self, is_fleet: bool) -> Self {
        match self {
            Self::None => Self::Location,
            Self::Location if is_fleet => Self::Node,
            Self::Node => Self::Site,
            Self::Location | Self::Site => Self::None,
        }
    }
}

/// How the rows are arranged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// Column.
    pub sort: SortKey,
    /// Against the column's natural direction.
    pub reversed: bool,
    /// Under which headings.
    pub grouped: Grouping,
    /// Words that rows must have, or with a leading `!` must not have; `node:NAME` and `site:NAME` are those of that node and site.
    pub filter: String,
}

/// Sums over the sources of one location, node or site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What the heading is.
    pub by: Grouping,
    /// The heading; `None` for sources without one.
    pub title: Option<String>,
    /// Sources shown under it.
    pub sources: usize,
    /// Of these, how many have trouble.
    pub troubled: usize,
    /// People in.
    pub total_in: u64,
    /// People out.
    pub total_out: u64,
    /// Whether counts of any of them cannot be relied upon.
    pub is_doubted: bool,
}

/// One row of the table of sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A heading with subtotals.
    Group(Group),
    /// Index into [`EngineSnapshot::sources`].
    Source(usize),
}

/// The list as it is arranged now, with what is selected in it.
#[derive(Debug, Default)]
pub struct Listing {
    arrangement: Arrangement,
    /// Grouping as the user last asked for it; `None` leaves it to the sources.
    grouped: Option<Grouping>,
    rows: Vec<Row>,
    selected: Option<SourceId>,
    /// Row of the selected source when the rows were last worked out.
    place: usize,
    marked: BTreeSet<SourceId>,
    /// A source that was added and is not in a snapshot yet; it becomes the selected one.
    awaited: Option<SourceId>,
}

impl Listing {
    /// Works the rows out again and keeps the selection where it was, or near.
    pub fn rearrange(&mut self, shown: &EngineSnapshot) {
        let is_there = |id: &SourceId| shown.sources.iter().any(|source| source.id == *id);
        if let Some(id) = self.awaited.take_if(|id| is_there(id)) {
            self.selected = Some(id);
        }
        self.arrangement.grouped = self.grouped.unwrap_or_else(|| natural_grouping(shown));
        self.rows = rows(shown, &self.arrangement);
        self.marked.retain(is_there);
        if self.selected_row(shown).is_none() {
            let near = self.place.min(self.rows.len().saturating_sub(1));
            let mut candidates =
                self.rows[near.min(self.rows.len())..].iter().chain(self.rows[..near].iter().rev());
            self.selected = candidates.find_map(|row| match row {
                Row::Source(index) => Some(shown.sources[*index].id.clone()),
                Row::Group(_) => None,
            });
        }
        self.place = self.selected_row(shown).unwrap_or(0);
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How they are arranged.
    #[must_use]
    pub fn arrangement(&self) -> &Arrangement {
        &self.arrangement
    }

    /// The sources in the rows, in their order.
    pub fn visible<'a>(&self, shown: &'a EngineSnapshot) -> impl Iterator<Item = &'a Arc<SourceSnapshot>> {
        self.rows.iter().filter_map(|row| match row {
            Row::Source(index) => shown.sources.get(*index),
            Row::Group(_) => None,
        })
    }

    /// The selected source.
    #[must_use]
    pub fn selected(&self) -> Option<&SourceId> {
        self.selected.as_ref()
    }

    /// Index of the selected source in [`Self::rows`].
    #[must_use]
    pub fn selected_row(&self, shown: &EngineSnapshot) -> Option<usize> {
        let id = self.selected.as_ref()?;
        self.rows.iter().position(
            |row| matches!(row, Row::Source(index) if shown.sources.get(*index).is_some_and(|s| s.id == *id)),
        )
    }

    /// Selects a source.
    pub fn select(&mut self, id: SourceId, shown: &EngineSnapshot) {
        self.selected = Some(id);
        self.place = self.selected_row(shown).unwrap_or(0);
    }

    /// Selects a source as soon as a snapshot has it, with nothing in the way of seeing it.
    pub fn await_source(&mut self, id: SourceId) {
        self.arrangement.filter.clear();
        self.awaited = Some(id);
    }

    /// Selects the source `by` rows on; `false` where there is none.
    pub fn step(&mut self, by: isize, shown: &EngineSnapshot) -> bool {
        let places: Vec<&SourceId> = self.visible(shown).map(|source| &source.id).collect();
        let Some(last) = places.len().checked_sub(1) else { return false };
        let now = places.iter().position(|id| Some(*id) == self.selected.as_ref()).unwrap_or(0);
        let next = places[now.saturating_add_signed(by).min(last)].clone();
        self.select(next, shown);
        true
    }

    /// Sorts by another column, or the other way round.
    pub fn sort(&mut self, key: SortKey, reversed: bool) {
        (self.arrangement.sort, self.arrangement.reversed) = (key, reversed);
    }

    /// Groups by what comes next; gives by what it groups now.
    pub fn next_group(&mut self, shown: &EngineSnapshot) -> Grouping {
        let grouped = self.arrangement.grouped.next(shown.is_fleet());
        self.grouped = Some(grouped);
        grouped
    }

    /// Another filter.
    pub fn set_filter(&mut self, filter: String) {
        self.arrangement.filter = filter;
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

    /// Marks the selected source, or takes the mark away; `false` where none is selected.
    pub fn toggle_mark(&mut self) -> bool {
        let Some(id) = self.selected.clone() else { return false };
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        true
    }

    /// Takes all marks away.
    pub fn clear_marks(&mut self) {
        self.marked.clear();
    }

    /// Why there is no row to act on.
    #[must_use]
    pub fn why_empty(&self, shown: &EngineSnapshot) -> String {
        if shown.sources.is_empty() {
            "there are no sources; 'a' adds one".into()
        } else {
            format!("no source matches the filter '{}'; Esc clears it", self.arrangement.filter)
        }
    }
}

/// How bad a state is: 0 is the worst.
#[must_use]
pub fn severity(source: &SourceSnapshot) -> u8 {
    match source.state {
        // Nobody knows how it is.
        _ if source.silent_for().is_some() => 2,
        SourceState::Failed { .. } | SourceState::Unsupported => 0,
        SourceState::AuthFailed { .. } | SourceState::NoSuchStream { .. } => 1,
        SourceState::Retrying { .. } => 2,
        SourceState::Stalled => 3,
        _ if source.over_threshold() => 4,
        SourceState::Connecting => 5,
        SourceState::Running => 6,
        SourceState::Paused | SourceState::Closed { .. } => 7,
        SourceState::Queued => 8,
        SourceState::Completed => 9,
        SourceState::Disabled => 10,
    }
}

/// Whether somebody should look at this source.
#[must_use]
pub fn is_troubled(source: &SourceSnapshot) -> bool {
    source.state.kind().is_offline() || source.over_threshold() || source.silent_for().is_some()
}

/// The name of a node or a site as one word of a filter.
#[must_use]
pub fn name_as_word(name: &str) -> String {
    name.to_lowercase().replace(char::is_whitespace, "_")
}

/// A word of a filter.
enum Word<'a> {
    /// Somewhere in what is told of a source.
    Anywhere(&'a str),
    /// In the name of its node or site; the whole name, where one is so called: `hall-1` is not `hall-10`.
    Named(Grouping, &'a str, bool),
}

impl<'a> Word<'a> {
    fn parse(word: &'a str, sources: &[Arc<SourceSnapshot>]) -> Self {
        let of = |by: Grouping, name: &'a str| {
            let is_name =
                |source: &Arc<SourceSnapshot>| by.of(source).is_some_and(|known| name_as_word(known) == name);
            Self::Named(by, name, sources.iter().any(is_name))
        };
        match word.split_once(':') {
            Some(("node", name)) => of(Grouping::Node, name),
            Some(("site", name)) => of(Grouping::Site, name),
            _ => Self::Anywhere(word),
        }
    }

    fn is_in(&self, source: &SourceSnapshot, text: &str) -> bool {
        match self {
            Self::Anywhere(word) => text.contains(word),
            Self::Named(by, name, is_whole) => by.of(source).is_some_and(|known| {
                let known = name_as_word(known);
                if *is_whole { known == *name } else { known.contains(name) }
            }),
        }
    }
}

/// Indices of the sources that have every word of `filter` (or do not have it, with `!`), ignoring case.
#[must_use]
pub fn matching(sources: &[Arc<SourceSnapshot>], filter: &str) -> Vec<usize> {
    let filter = filter.to_lowercase();
    let words = filter.split_whitespace().map(|word| match word.strip_prefix('!') {
        Some(word) => (true, word),
        None => (false, word),
    });
    let words: Vec<(bool, Word)> = words
        .filter(|(_, word)| !word.is_empty())
        .map(|(is_not, word)| (is_not, Word::parse(word, sources)))
        .collect();
    if words.is_empty() {
        return (0..sources.len()).collect();
    }
    let has_text = words.iter().any(|(_, word)| matches!(word, Word::Anywhere(_)));
    let matches = |source: &SourceSnapshot| {
        // Most of the work, and of no use to names of nodes and sites.
        let text = if has_text { text_of(source) } else { String::new() };
        words.iter().all(|(is_not, word)| word.is_in(source, &text) != *is_not)
    };
    (0..sources.len()).filter(|index| matches(&sources[*index])).collect()
}

/// What words are looked for in.
fn text_of(source: &SourceSnapshot) -> String {
    format!(
        "{}\n{}\n{}\n{}",
        source.name(),
        source.location.as_deref().unwrap_or(""),
        source.state.word(),
        source.source
    )
    .to_lowercase()
}

/// The rows to show.
#[must_use]
pub fn rows(snapshot: &EngineSnapshot, arrangement: &Arrangement) -> Vec<Row> {
    let sources = &snapshot.sources;
    let mut shown = matching(sources, &arrangement.filter);
    shown.sort_by(|&a, &b| {
        let order = compare(&sources[a], &sources[b], arrangement.sort);
        let order =
            if arrangement.sort.is_descending() == arrangement.reversed { order } else { order.reverse() };
        let by_position =
            if arrangement.sort == SortKey::Order && arrangement.reversed { b.cmp(&a) } else { a.cmp(&b) };
        order.then(by_position)
    });
    let by = arrangement.grouped;
    if by == Grouping::None {
        return shown.into_iter().map(Row::Source).collect();
    }
    // Groups stand in the order of their first source, so that sorting inside does not move headings about.
    let mut places: HashMap<Option<&str>, usize> = HashMap::new();
    let mut groups: Vec<(Option<&str>, Vec<usize>)> = Vec::new();
    for source in sources {
        let title = by.of(source);
        places.entry(title).or_insert_with(|| {
            groups.push((title, Vec::new()));
            groups.len() - 1
        });
    }
    for index in shown {
        if let Some(place) = places.get(&by.of(&sources[index])) {
            groups[*place].1.push(index);
        }
    }
    groups.sort_by_key(|(title, _)| title.is_none());
    let mut rows = Vec::new();
    for (title, members) in groups.into_iter().filter(|(_, members)| !members.is_empty()) {
        let of = || members.iter().map(|&index| &sources[index]);
        rows.push(Row::Group(Group {
            by,
            title: title.map(str::to_string),
            sources: members.len(),
            troubled: of().filter(|source| is_troubled(source)).count(),
            total_in: of().map(|source| source.total_in).sum(),
            total_out: of().map(|source| source.total_out).sum(),
            is_doubted: of().any(|source| source.doubt().is_some()),
        }));
        rows.extend(members.into_iter().map(Row::Source));
    }
    rows
}

/// By location where that says anything: at least two different ones.
#[must_use]
pub fn natural_grouping(snapshot: &EngineSnapshot) -> Grouping {
    let mut locations = snapshot.sources.iter().filter_map(|source| source.location.as_deref());
    let is_worth = locations.next().is_some_and(|first| locations.any(|other| other != first));
    if is_worth { Grouping::Location } else { Grouping::None }
}

fn compare(a: &SourceSnapshot, b: &SourceSnapshot, key: SortKey) -> Ordering {
    match key {
        SortKey::Order => Ordering::Equal,
        SortKey::State => severity(a).cmp(&severity(b)),
        SortKey::Name => a.alias.to_lowercase().cmp(&b.alias.to_lowercase()),
        // Rounded as shown, or rows would change places without a visible reason.
        SortKey::Fps => a.fps.round().total_cmp(&b.fps.round()),
        SortKey::In => a.total_in.cmp(&b.total_in),
        SortKey::Out => a.total_out.cmp(&b.total_out),
        SortKey::Current => a.current().cmp(&b.current()),
        SortKey::Limit => share_of_limit(a).total_cmp(&share_of_limit(b)),
        SortKey::Age => age_key(a.last_frame).cmp(&age_key(b.last_frame)),
        SortKey::Node => {
            let key = |source: &SourceSnapshot| source.holder.as_ref().map(|holder| Arc::clone(&holder.node));
            key(a).cmp(&key(b)).then_with(|| compare(a, b, SortKey::Name))
        }
    }
}

fn share_of_limit(source: &SourceSnapshot) -> f64 {
    match source.threshold {
        Some(limit) => source.current() as f64 / limit.max(1) as f64,
        None => f64::NEG_INFINITY,
    }
}

/// Older is greater; never is the greatest.
fn age_key(last_frame: Option<Moment>) -> (bool, std::cmp::Reverse<Option<Moment>>) {
    (last_frame.is_none(), std::cmp::Reverse(last_frame))
}
