//! What wants attention: sources that are down, or at or over their limit. What it was before is remembered as long as the
//! screens are up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    format::{self, Moment},
    text::clean,
};
pub use crate::model::AlertKind;
use crate::{
    engine::Control,
    model::{Acknowledgment, EngineSnapshot, SourceId, SourceSnapshot},
};

/// Most alerts that are over and are remembered.
const MOST_PAST: usize = 1000;

/// What an alert is about; the same trouble keeps the same key until it is over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertKey {
    /// Which source; of an area its name.
    pub source: SourceId,
    /// What.
    pub kind: AlertKind,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub key: AlertKey,
    /// Whether somebody has said that it was seen.
    pub acknowledged: bool,
    /// What it is about, by its place in the snapshot.
    pub subject: Subject,
}

/// What an alert is about, by its index in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A source.
    Source(usize),
    /// An area.
    Area(usize),
}

impl Subject {
    /// Its name.
    #[must_use]
    pub fn name(self, snapshot: &EngineSnapshot) -> String {
        match self {
            Self::Source(index) => snapshot.sources[index].name(),
            Self::Area(index) => format!("Area {}", snapshot.areas[index].name),
        }
    }

    /// What is wrong with it, without its name and without a countdown.
    #[must_use]
    pub fn cause(self, kind: AlertKind, snapshot: &EngineSnapshot) -> String {
        match self {
            Self::Source(index) => cause(kind, &snapshot.sources[index]),
            Self::Area(index) => snapshot.areas[index].cause(),
        }
    }
}

/// All alerts, the unseen first, each in the order of the sources. Forgets in `acknowledged` what is over, so
/// that it is new when it happens again.
fn alerts(snapshot: &EngineSnapshot, acknowledged: &mut BTreeSet<AlertKey>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut standing = BTreeSet::new();
    for (index, source) in snapshot.sources.iter().enumerate() {
        let mut raise = |kind| {
            let key = AlertKey { source: source.id.clone(), kind };
            standing.insert(key.clone());
            let subject = Subject::Source(index);
            alerts.push(Alert { acknowledged: acknowledged.contains(&key), key, subject });
        };
        AlertKind::of(source).for_each(&mut raise);
        // Between two attempts of the same trouble: still the same alert.
        let key = AlertKey { source: source.id.clone(), kind: AlertKind::Down };
        if AlertKind::Down.goes_on(source) && acknowledged.contains(&key) {
            standing.insert(key);
        }
    }
    for (index, area) in snapshot.areas.iter().enumerate().filter(|(_, area)| area.is_over) {
        let key = AlertKey { source: area.name.as_str().into(), kind: AlertKind::Area };
        standing.insert(key.clone());
        let subject = Subject::Area(index);
        alerts.push(Alert { acknowledged: acknowledged.contains(&key), key, subject });
    }
    acknowledged.retain(|key| standing.contains(key));
    alerts.sort_by_key(|alert| alert.acknowledged);
    alerts
}

/// What is wrong with a source, without its name and without a countdown.
#[must_use]
pub fn cause(kind: AlertKind, source: &SourceSnapshot) -> String {
    match kind {
        AlertKind::Limit => {
            let reached = source.limits().find_map(|limit| Some((limit.words()?, limit)));
            let Some((words, limit)) = reached else { return String::new() };
            let whose = limit.zone.map_or(String::new(), |zone| format!("zone '{}' is ", clean(&zone)));
            format!("{whose}{words}, {} of {}", format::current(limit.current), limit.limit)
        }
        // Not of a source.
        AlertKind::Area => String::new(),
        AlertKind::Flapping => source.flapping().unwrap_or_default(),
        AlertKind::Down | AlertKind::Failed => {
            let error = clean(source.last_error.as_deref().unwrap_or("no frames"));
            // Some errors begin with the same word.
            let word = format!("{}: ", source.state.word().to_lowercase());
            error.strip_prefix(&word).map_or(error.clone(), str::to_owned)
        }
    }
}

/// When an alert began and who has acknowledged it.
#[derive(Debug, Clone)]
pub struct Course {
    /// When it was first seen here.
    pub began: Moment,
    /// When it was acknowledged, and by which user.
    pub acknowledged: Option<(String, Moment)>,
    /// What was wrong, as it was last known.
    pub cause: String,
    /// Name of the source.
    pub name: String,
}

/// An alert that is over.
#[derive(Debug, Clone)]
pub struct Past {
    /// What it was about.
    pub key: AlertKey,
    /// Its course.
    pub course: Course,
    /// When it was over.
    pub ended: Moment,
}

/// What is wrong now, and what was.
#[derive(Debug, Default)]
pub struct Alerts {
    standing: Vec<Alert>,
    courses: BTreeMap<AlertKey, Course>,
    past: VecDeque<Past>,
}

impl Alerts {
    /// Takes over what `snapshot` says at `moment`.
    pub fn follow(&mut self, snapshot: &EngineSnapshot, moment: &Moment) {
        let mut acknowledged = self.acknowledged();
        let key_of = |it: &Acknowledgment| AlertKey { source: it.source.clone(), kind: it.kind };
        acknowledged.extend(snapshot.acknowledged.iter().map(key_of));
        self.standing = alerts(snapshot, &mut acknowledged);
        for alert in &self.standing {
            let name = alert.subject.name(snapshot);
            let cause = alert.subject.cause(alert.key.kind, snapshot);
            let new = || Course {
                began: moment.clone(),
                acknowledged: None,
                cause: String::new(),
                name: String::new(),
            };
            let course = self.courses.entry(alert.key.clone()).or_insert_with(new);
            (course.cause, course.name) = (cause, name);
        }
        // What others have seen, and before this dashboard was there.
        for it in snapshot.acknowledged.iter() {
            let Some(course) = self.courses.get_mut(&key_of(it)) else { continue };
            let wall = jiff::Timestamp::from_millisecond(it.wall).unwrap_or_default();
            let at = Moment { wall: wall.to_zoned(moment.wall.time_zone().clone()), ..moment.clone() };
            course.acknowledged = Some((it.who.clone(), at));
        }
        let is_over = |key: &AlertKey| {
            !acknowledged.contains(key) && !self.standing.iter().any(|alert| alert.key == *key)
        };
        let over: Vec<AlertKey> = self.courses.keys().filter(|key| is_over(key)).cloned().collect();
        for key in over {
            let Some(course) = self.courses.remove(&key) else { continue };
            self.past.push_front(Past { key, course, ended: moment.clone() });
        }
        self.past.truncate(MOST_PAST);
    }

    fn acknowledged(&self) -> BTreeSet<AlertKey> {
        let of = |(key, course): (&AlertKey, &Course)| course.acknowledged.as_ref().map(|_| key.clone());
        self.courses.iter().filter_map(of).collect()
    }

    /// What is wrong now, what was not acknowledged first, each in the order of the sources.
    #[must_use]
    pub fn standing(&self) -> &[Alert] {
        &self.standing
    }

    /// How many of them nobody has acknowledged.
    #[must_use]
    pub fn open(&self) -> usize {
        self.standing.iter().filter(|alert| !alert.acknowledged).count()
    }

    /// When an alert began, and who has acknowledged it.
    #[must_use]
    pub fn course(&self, key: &AlertKey) -> Option<&Course> {
        self.courses.get(key)
    }

    /// What is over, the latest first.
    #[must_use]
    pub fn past(&self) -> &VecDeque<Past> {
        &self.past
    }

    /// `who` has seen these. Gives what tells the engine, and so every other dashboard.
    #[must_use]
    pub fn acknowledge(&mut self, keys: &[AlertKey], who: &str, moment: &Moment) -> Vec<Control> {
        for key in keys {
            if let Some(course) = self.courses.get_mut(key) {
                course.acknowledged.get_or_insert_with(|| (who.to_owned(), moment.clone()));
            }
        }
        for alert in &mut self.standing {
            alert.acknowledged |= keys.contains(&alert.key);
        }
        self.standing.sort_by_key(|alert| alert.acknowledged);
        let told = |key: &AlertKey| Control::Acknowledge {
            source: key.source.clone(),
            kind: key.kind,
            who: who.to_owned(),
        };
        keys.iter().map(told).collect()
    }
}
