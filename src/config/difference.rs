//! What a configuration would change of one that runs, worked out as data: to be shown before it is done.

use std::sync::Arc;

use super::{AreaConfig, Cadence, Config, LogLevel, ParallelConfig, SourceConfig, TuiConfig};
use crate::model::{SourceId, SourceKind, ZoneConfig};

/// Keys of what a source is called and how many may be there; of its zones the limits alone.
const LABELS: &[&str] = &["alias", "location", "threshold", "zones"];

/// Keys of when a camera is open.
const HOURS: &[&str] = &["schedule"];

/// Keys of what is drawn or ignored in the frame of a source.
const DRAWN: &[&str] = &["lines", "zones", "ignore", "min_height", "max_height"];

/// What runs.
#[derive(Debug, Clone)]
pub struct InEffect {
    /// Each source as it runs, also with lines that were drawn since the start.
    pub sources: Vec<Arc<SourceConfig>>,
    /// Workers that may run at once.
    pub workers: usize,
    /// The program's settings.
    pub parallel: ParallelConfig,
    /// Appearance and keys of the dashboard.
    pub tui: TuiConfig,
}

/// What would change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// Sources that do not run yet.
    pub added: Vec<SourceConfig>,
    /// Sources that run and are wanted no more; what they counted stays in the results.
    pub removed: Vec<SourceId>,
    /// Sources of which only what is drawn or ignored in the frame is another, each with the keys that differ: nothing is opened
    /// again, and lines that keep their name keep their counts.
    pub redrawn: Vec<(SourceConfig, Vec<&'static str>)>,
    /// Sources of which only names and limits are others, each with the keys that differ: nothing of what counts is touched.
    pub relabeled: Vec<(SourceConfig, Vec<&'static str>)>,
    /// Sources of which only the opening hours are others: one that stays open goes on without a gap.
    pub rescheduled: Vec<(SourceConfig, Vec<&'static str>)>,
    /// Sources that are opened again, each with the keys that differ. The counts of a camera go on; a video is counted from its
    /// start.
    pub replaced: Vec<(SourceConfig, Vec<&'static str>)>,
    /// Another number of workers.
    pub workers: Option<usize>,
    /// Another level of the log.
    pub log_level: Option<LogLevel>,
    /// Other areas: all of them as they shall be.
    pub areas: Option<Vec<AreaConfig>>,
    /// Keys of which a change takes effect with the next start only.
    pub at_start: Vec<&'static str>,
}

impl Difference {
    /// What `wanted` would change of what is `in_effect`.
    #[must_use]
    pub fn between(in_effect: &InEffect, wanted: &Config) -> Self {
        let mut found = Self::default();
        for source in &wanted.sources {
            let Some(runs) = in_effect.sources.iter().find(|runs| runs.id == source.id) else {
                found.added.push(source.clone());
                continue;
            };
            found.compare(runs, source);
        }
        let is_wanted = |id: &SourceId| wanted.sources.iter().any(|source| source.id == *id);
        let gone = in_effect.sources.iter().map(|source| &source.id).filter(|id| !is_wanted(id));
        found.removed = gone.cloned().collect();
        let (now, then) = (&in_effect.parallel, &wanted.parallel);
        // What a key on the dashboard has changed since is not undone by a file that says what it said.
        let asked = (then.worker_count != now.worker_count).then_some(then.worker_count);
        found.workers =
            asked.map(|count| count.min(now.max_workers)).filter(|count| *count != in_effect.workers);
        found.log_level = (then.log_level != now.log_level).then_some(then.log_level);
        found.areas = (then.areas != now.areas).then(|| then.areas.clone());
        found.at_start = fixed(now, then);
        if in_effect.tui != wanted.tui {
            found.at_start.push("tui");
        }
        found
    }

    /// Notes what is another in `wanted` than in the source that runs.
    fn compare(&mut self, runs: &SourceConfig, wanted: &SourceConfig) {
        let keys = differing(runs, wanted);
        let only = |some: &[&str]| keys.iter().all(|key| some.contains(key));
        let list = if keys.is_empty() {
            return;
        } else if only(LABELS) && only_limits(runs, wanted) {
            &mut self.relabeled
        } else if only(HOURS) {
            &mut self.rescheduled
        } else if only(DRAWN) {
            &mut self.redrawn
        } else {
            &mut self.replaced
        };
        list.push((wanted.clone(), keys));
    }

    /// What `wanted` would change of the source that runs.
    #[must_use]
    pub fn of_source(runs: &SourceConfig, wanted: &SourceConfig) -> Self {
        let mut found = Self::default();
        found.compare(runs, wanted);
        found
    }

    /// Whether anything would be done at once; what takes effect with the next start is not.
    #[must_use]
    pub fn does_something(&self) -> bool {
        *self != Self { at_start: self.at_start.clone(), ..Self::default() }
    }

    /// A sentence for each change, for people. Holds no address.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let named = |source: &SourceConfig| crate::model::name_of(&source.alias, &source.id);
        let mut said: Vec<String> =
            self.added.iter().map(|source| format!("new: {}", named(source))).collect();
        said.extend(self.removed.iter().map(|id| format!("removed: {id}; its counts stay in the results")));
        said.extend(self.redrawn.iter().chain(&self.relabeled).chain(&self.rescheduled).map(
            |(source, keys)| {
                let name = named(source);
                let what = match keys[..] {
                    ["lines"] | ["lines", "zones"] => format!("lines changed: {name}"),
                    _ => format!("changed: {} of {name}", keys.join(", ")),
                };
                format!("{what}; counting continues without a gap")
            },
        ));
        said.extend(self.replaced.iter().map(|(source, keys)| {
            let what = match source.kind {
                SourceKind::Camera => "reconnects",
                SourceKind::Video => "starts over from zero",
            };
            format!("{what}: {}, because of {}", named(source), keys.join(", "))
        }));
        said.extend(self.workers.map(|count| format!("workers: {count}")));
        said.extend(self.log_level.map(|level| format!("log level: {}", level.word())));
        said.extend(self.areas.iter().map(|areas| {
            let names: Vec<&str> = areas.iter().map(|area| &*area.name).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            format!("areas: {names}; the numbers inside stay")
        }));
        said.extend(
            (!self.at_start.is_empty()).then(|| format!("with the next start: {}", self.at_start.join(", "))),
        );
        said
    }
}

/// Whether lines and zones are the same but for the zones' limits.
fn only_limits(runs: &SourceConfig, wanted: &SourceConfig) -> bool {
    let without = |zones: &[ZoneConfig]| -> Vec<ZoneConfig> {
        zones.iter().map(|zone| ZoneConfig { threshold: None, ..zone.clone() }).collect()
    };
    runs.lines == wanted.lines && without(&runs.zones) == without(&wanted.zones)
}

/// The keys of a source in which both differ.
fn differing(runs: &SourceConfig, wanted: &SourceConfig) -> Vec<&'static str> {
    // A new key has to be thought of here.
    let SourceConfig {
        id: _,
        kind,
        source,
        alias,
        location,
        threshold,
        enabled,
        lines,
        zones,
        ignore,
        min_height,
        max_height,
        detector,
        tracker,
        cadence,
        priority,
        retry,
        stall_timeout,
        open_timeout,
        transport,
        stream,
        hwaccel,
        sleep,
        schedule,
        closed,
        tls,
        evidence,
        // Which node of a fleet counts it changes nothing of how it is counted.
        site: _,
        lease: _,
    } = runs;
    let others = [
        (
            if *kind == SourceKind::Camera { "source" } else { "path" },
            *kind == wanted.kind && *source == wanted.source,
        ),
        ("alias", *alias == wanted.alias),
        ("location", *location == wanted.location),
        ("threshold", *threshold == wanted.threshold),
        ("enabled", *enabled == wanted.enabled),
        ("lines", *lines == wanted.lines),
        ("zones", *zones == wanted.zones),
        ("ignore", *ignore == wanted.ignore),
        ("min_height", *min_height == wanted.min_height),
        ("max_height", *max_height == wanted.max_height),
        ("detector", *detector == wanted.detector),
        ("tracker", *tracker == wanted.tracker),
        (cadence_key(*cadence, wanted.cadence), *cadence == wanted.cadence),
        ("priority", *priority == wanted.priority),
        ("retry", *retry == wanted.retry),
        ("stall_timeout", *stall_timeout == wanted.stall_timeout),
        ("open_timeout", *open_timeout == wanted.open_timeout),
        ("transport", *transport == wanted.transport),
        ("stream", *stream == wanted.stream),
        ("hwaccel", *hwaccel == wanted.hwaccel),
        ("sleep", *sleep == wanted.sleep),
        ("schedule", *schedule == wanted.schedule),
        ("closed", *closed == wanted.closed),
        ("tls", *tls == wanted.tls),
        ("evidence", *evidence == wanted.evidence),
    ];
    others.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
}

/// The key that says how often is detected: the one that is there now, or was.
fn cadence_key(runs: Cadence, wanted: Cadence) -> &'static str {
    match (wanted, runs) {
        (Cadence::SkipFrames(_), _) | (Cadence::Auto, Cadence::SkipFrames(_)) => "skip_frames",
        _ => "detect_fps",
    }
}

/// The program's keys in which both differ and that are read at the start only.
fn fixed(now: &ParallelConfig, then: &ParallelConfig) -> Vec<&'static str> {
    // A new key has to be thought of here. The schedule is in effect by way of the sources.
    let ParallelConfig {
        worker_count: _,
        log_level: _,
        areas: _,
        max_workers,
        result_output,
        strategy,
        detector,
        engine,
        hwaccel,
        models,
        log_dir,
        max_log_size,
        max_log_files,
        history,
        max_open_sources,
        timezone,
        schedule: _,
        memory_limit,
        ledger,
        ledger_retention,
        evidence,
        reload,
        http,
        fleet,
        mqtt,
        webhooks,
    } = now;
    let others = [
        ("max_workers", *max_workers == then.max_workers),
        ("result_output", *result_output == then.result_output),
        ("strategy", *strategy == then.strategy),
        ("detector", *detector == then.detector),
        ("engine", *engine == then.engine),
        ("hwaccel", *hwaccel == then.hwaccel),
        ("models", *models == then.models),
        ("log_dir", *log_dir == then.log_dir),
        ("max_log_size", *max_log_size == then.max_log_size),
        ("max_log_files", *max_log_files == then.max_log_files),
        ("history", *history == then.history),
        ("max_open_sources", *max_open_sources == then.max_open_sources),
        ("timezone", *timezone == then.timezone),
        ("memory_limit", *memory_limit == then.memory_limit),
        ("ledger", *ledger == then.ledger),
        ("ledger_retention", *ledger_retention == then.ledger_retention),
        ("evidence", *evidence == then.evidence),
        ("reload", *reload == then.reload),
        ("http", *http == then.http),
        ("fleet", *fleet == then.fleet),
        ("mqtt", *mqtt == then.mqtt),
        ("webhooks", *webhooks == then.webhooks),
    ];
    others.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Overrides, model::LineConfig};

    fn config(ids: &[&str]) -> Config {
        let sources: Vec<String> = ids.iter().map(|id| format!("demo:lobby?seed={}", id.len())).collect();
        let mut config = Config::from_sources(&sources, &Overrides::default()).unwrap();
        for (source, id) in config.sources.iter_mut().zip(ids) {
            (source.id, source.alias) = ((*id).into(), (*id).into());
        }
        config
    }

    fn in_effect(config: &Config) -> InEffect {
        InEffect {
            sources: config.sources.iter().cloned().map(Arc::new).collect(),
            workers: config.parallel.worker_count,
            parallel: config.parallel.clone(),
            tui: config.tui.clone(),
        }
    }

    #[test]
    fn what_is_the_same_changes_nothing() {
        let config = config(&["a", "bb"]);
        let found = Difference::between(&in_effect(&config), &config);
        assert!(found == Difference::default() && found.sentences().is_empty(), "{found:?}");
        // Neither does a key on the dashboard that the file knows nothing of.
        let fewer = InEffect { workers: 1, ..in_effect(&config) };
        assert_eq!(Difference::between(&fewer, &config), Difference::default());
    }

    #[test]
    fn each_kind_of_change_is_told_apart() {
        let before = config(&["a", "bb", "ccc", "dddd"]);
        let mut after = config(&["a", "bb", "ccc", "eeeee"]);
        after.sources[1].lines = vec![LineConfig { a: [0.2, 0.4], ..LineConfig::default() }];
        after.sources[2].priority = 3;
        after.sources[2].alias = "Gate".into();
        after.parallel.worker_count += 1;
        after.parallel.log_level = LogLevel::Debug;
        after.parallel.ledger = false;
        let found = Difference::between(&in_effect(&before), &after);
        assert_eq!(
            found.sentences(),
            [
                "new: eeeee",
                "removed: dddd; its counts stay in the results",
                "lines changed: bb; counting continues without a gap",
                "reconnects: Gate (ccc), because of alias, priority",
                &format!("workers: {}", before.parallel.worker_count + 1),
                "log level: DEBUG",
                "with the next start: ledger",
            ]
        );
        assert!(found.does_something());
        let mut named = config(&["a", "bb", "ccc", "dddd"]);
        (named.sources[0].alias, named.sources[0].threshold) = ("Gate".into(), Some(3));
        let found = Difference::between(&in_effect(&before), &named);
        assert_eq!(
            found.sentences(),
            ["changed: alias, threshold of Gate (a); counting continues without a gap"]
        );
        assert!(found.does_something() && found.replaced.is_empty());
        let mut ignoring = config(&["a", "bb", "ccc", "dddd"]);
        ignoring.sources[0].ignore = vec![vec![[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]];
        ignoring.sources[1].min_height = Some(0.1);
        ignoring.sources[1].max_height = Some(0.5);
        ignoring.sources[2].ignore = ignoring.sources[0].ignore.clone();
        ignoring.sources[2].sleep = false;
        let found = Difference::between(&in_effect(&before), &ignoring);
        assert_eq!(
            found.sentences(),
            [
                "changed: ignore of a; counting continues without a gap",
                "changed: min_height, max_height of bb; counting continues without a gap",
                "reconnects: ccc, because of ignore, sleep",
            ]
        );
        let mut closing = config(&["a", "bb", "ccc", "dddd"]);
        closing.sources[0].schedule = Some("Mon-Fri 08:00-20:00".parse().unwrap());
        closing.sources[1].schedule = closing.sources[0].schedule.clone();
        closing.sources[1].sleep = false;
        let found = Difference::between(&in_effect(&before), &closing);
        assert_eq!(
            found.sentences(),
            [
                "changed: schedule of a; counting continues without a gap",
                "reconnects: bb, because of sleep, schedule",
            ]
        );
        let mut later = config(&["a", "bb", "ccc", "dddd"]);
        later.parallel.ledger = false;
        let found = Difference::between(&in_effect(&before), &later);
        assert!(!found.does_something() && found.at_start == ["ledger"]);
    }
}
