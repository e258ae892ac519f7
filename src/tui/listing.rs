//! Which rows the overview shows, in which order: filter, sort and groups. Pure.

use std::cmp::Ordering;

use crate::model::{EngineSnapshot, Moment, SourceSnapshot, SourceState};

/// Columns by which sources can be sorted, in the order of the keys `1` to `9`.
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
}

impl SortKey {
    /// All, in the order of their keys.
    pub const ALL: [Self; 9] = [
        Self::Order,
        Self::State,
        Self::Name,
        Self::Fps,
        Self::In,
        Self::Out,
        Self::Current,
        Self::Limit,
        Self::Age,
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
        }
    }

    /// Whether large values come first unless reversed.
    #[must_use]
    pub fn is_descending(self) -> bool {
        !matches!(self, Self::Order | Self::State | Self::Name)
    }
}

/// How the rows are arranged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// Column.
    pub sort: SortKey,
    /// Against the column's natural direction.
    pub reversed: bool,
    /// Under headings by location.
    pub grouped: bool,
    /// Words that rows must have, or with a leading `!` must not have.
    pub filter: String,
}

/// Sums over the sources of one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The location; `None` for sources without one.
    pub location: Option<String>,
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

/// How bad a state is: 0 is the worst.
#[must_use]
pub fn severity(source: &SourceSnapshot) -> u8 {
    match source.state {
        SourceState::Failed { .. } | SourceState::Unsupported => 0,
        SourceState::AuthFailed { .. } | SourceState::NoSuchStream { .. } => 1,
        SourceState::Retrying { .. } => 2,
        SourceState::Stalled => 3,
        _ if source.over_threshold() => 4,
        SourceState::Connecting => 5,
        SourceState::Running => 6,
        SourceState::Paused => 7,
        SourceState::Queued => 8,
        SourceState::Completed => 9,
        SourceState::Disabled => 10,
    }
}

/// Whether somebody should look at this source.
#[must_use]
pub fn is_troubled(source: &SourceSnapshot) -> bool {
    source.state.kind().is_offline() || source.over_threshold()
}

/// Whether every word of `filter` is in `source` (or is not, with `!`), ignoring case.
#[must_use]
pub fn matches(source: &SourceSnapshot, filter: &str) -> bool {
    let text = format!(
        "{}\n{}\n{}\n{}",
        source.name(),
        source.location.as_deref().unwrap_or(""),
        source.state.word(),
        source.source
    )
    .to_lowercase();
    filter.to_lowercase().split_whitespace().all(|word| match word.strip_prefix('!') {
        Some("") => true,
        Some(word) => !text.contains(word),
        None => text.contains(word),
    })
}

/// The rows to show.
#[must_use]
pub fn rows(snapshot: &EngineSnapshot, arrangement: &Arrangement) -> Vec<Row> {
    let sources = &snapshot.sources;
    let mut shown: Vec<usize> =
        (0..sources.len()).filter(|&index| matches(&sources[index], &arrangement.filter)).collect();
    shown.sort_by(|&a, &b| {
        let order = compare(&sources[a], &sources[b], arrangement.sort);
        let order =
            if arrangement.sort.is_descending() != arrangement.reversed { order.reverse() } else { order };
        let by_position =
            if arrangement.sort == SortKey::Order && arrangement.reversed { b.cmp(&a) } else { a.cmp(&b) };
        order.then(by_position)
    });
    if !arrangement.grouped {
        return shown.into_iter().map(Row::Source).collect();
    }
    // Groups stand in the order of their first source, so that sorting inside does not move headings about.
    let mut locations: Vec<Option<&str>> = Vec::new();
    for source in sources {
        let location = source.location.as_deref();
        if !locations.contains(&location) {
            locations.push(location);
        }
    }
    locations.sort_by_key(Option::is_none);
    let mut rows = Vec::new();
    for location in locations {
        let members: Vec<usize> =
            shown.iter().copied().filter(|&index| sources[index].location.as_deref() == location).collect();
        if members.is_empty() {
            continue;
        }
        rows.push(Row::Group(Group {
            location: location.map(str::to_string),
            sources: members.len(),
            troubled: members.iter().filter(|&&index| is_troubled(&sources[index])).count(),
            total_in: members.iter().map(|&index| sources[index].total_in).sum(),
            total_out: members.iter().map(|&index| sources[index].total_out).sum(),
            is_doubted: members.iter().any(|&index| sources[index].doubt().is_some()),
        }));
        rows.extend(members.into_iter().map(Row::Source));
    }
    rows
}

/// Whether grouping says anything: at least two different locations.
#[must_use]
pub fn is_worth_grouping(snapshot: &EngineSnapshot) -> bool {
    let mut locations = snapshot.sources.iter().filter_map(|source| source.location.as_deref());
    locations.next().is_some_and(|first| locations.any(|other| other != first))
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
