//! What the screens show beside the engine's snapshot, fetched only while they show it.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use super::{Answer, Session};
use crate::{
    engine::Control,
    host::{ConfigPlace, Host},
    ledger::chart::{Column, Width},
    logging::{LogLine, has_words},
    model::{Minute, SourceId},
    tui::{
        context::Tone,
        screen::{LogNeed, Needs},
        screens::logs::state::LogTarget,
        widgets::chart,
    },
};

/// How often the history behind the sparklines is fetched: it changes once a minute.
const HISTORY_EVERY: Duration = Duration::from_secs(5);

/// How often a picture is fetched.
const PREVIEW_EVERY: Duration = Duration::from_secs(1);

/// Seconds of a person's path that are drawn.
const TRAIL: f64 = 4.0;

/// How often the history on screen is read again while its time goes on.
const REPORT_EVERY: Duration = Duration::from_mins(1);

/// How often the configuration file is compared with what runs.
const COMPARE_EVERY: Duration = Duration::from_secs(10);

/// How often the times by stage are fetched.
const STAGES_EVERY: Duration = Duration::from_secs(2);

impl Session {
    pub(super) fn fetch_config(&mut self) {
        let Some(id) = self.ui.context.selected().map(|source| source.id.clone()) else { return };
        let is_known = self.ui.context.fetched.config.as_ref().is_some_and(|config| config.id == id);
        // What was drawn here is shown until it is known what became of it.
        if is_known && self.asked.is_waiting() {
            return;
        }
        // Others may have changed it, and the line editor begins with it.
        let config = self.engine.source_config(&id);
        self.ui.screens.lines.config_known(config, &mut self.ui.context);
    }

    /// Begins to compare the configuration file with what runs, now and then: where they part, that is marked.
    pub(super) fn compare_config(&mut self, now: Instant) {
        if self.differs_due.is_some_and(|due| now < due) {
            return;
        }
        self.differs_due = Some(now + COMPARE_EVERY);
        if matches!(self.ui.context.config.place, ConfigPlace::File(_)) {
            self.in_background("tui-config", |host| Answer::Differs(host.file_changes()));
        }
    }

    fn history_is_due(&self) -> bool {
        self.history_due.is_none_or(|due| due <= self.ui.context.clock().mono)
    }

    pub(super) fn fetch_history(&mut self, now: Instant) {
        if self.ui.context.frozen_since().is_some() || !(self.history_is_due() || self.history_again) {
            return;
        }
        self.history_again = false;
        self.history_due = Some(now + HISTORY_EVERY);
        let context = &self.ui.context;
        let shown = context.listing.visible(context.shown()).map(|source| source.id.clone());
        let shown: Vec<SourceId> = shown.collect();
        let again = self.before_again.take_if(|due| *due <= now).is_some();
        if (self.before.is_none() || again) && !shown.is_empty() {
            self.before.get_or_insert_default();
            let ids = shown.clone();
            self.in_background("tui-ledger", move |host| Answer::LastHour(last_hour(host, ids)));
        }
        let history = shown.into_iter().map(|id| {
            let mut minutes = self.engine.history(&id);
            if let Some(before) = self.before.as_ref().and_then(|before| before.get(&id)) {
                let begin = minutes.first().map_or(i64::MAX, |first| first.minute);
                minutes.splice(0..0, before.iter().filter(|minute| minute.minute < begin).copied());
            }
            (id, Arc::new(minutes))
        });
        let history = history.collect();
        if history != self.ui.context.fetched.history {
            self.ui.context.fetched.history = history;
            self.ui.context.touch();
        }
    }

    /// Begins to read the report asked for last, or again the one whose time goes on.
    pub(super) fn fetch_report(&mut self, needs: &Needs, now: Instant) {
        if !needs.history {
            self.reports.due = None;
            return;
        }
        self.ui.screens.history.today = self.ui.context.clock().wall.date();
        let is_due = self.reports.due.is_some_and(|due| due <= now) && self.ui.screens.history.is_current();
        if self.reports.running || !(self.reports.wanted.is_some() || is_due) {
            return;
        }
        let asked = self.reports.wanted.take().unwrap_or_else(|| self.ui.screens.history.asked());
        self.reports.due = Some(now + REPORT_EVERY);
        self.reports.running = true;
        self.reports.before = self.engine.snapshot().sources;
        self.in_background("tui-ledger", move |host| {
            let report = host.report(&asked);
            Answer::History(asked, report)
        });
    }

    /// Begins to read what the screen of one source shows beside its snapshot.
    pub(super) fn fetch_detail(&mut self, needs: &Needs, now: Instant) {
        let Some((id, width)) = needs.detail.clone() else { return };
        self.fetch_events(&id);
        if self.ui.context.frozen_since().is_some() {
            return;
        }
        let known = self.charts.due.as_ref().filter(|(of, wide, _)| *of == id && *wide == width);
        if known.is_none() {
            self.stages_due = None;
        }
        if self.stages_due.is_none_or(|due| due <= now) {
            self.stages_due = Some(now + STAGES_EVERY);
            self.ui.screens.source.times = self.engine.stage_times(&id);
        }
        if self.charts.running || known.is_some_and(|(.., due)| *due > now) {
            return;
        }
        // Wider columns change more slowly, and take longer to read.
        let again = if width == Width::Minute { HISTORY_EVERY } else { REPORT_EVERY };
        self.charts.due = Some((id.clone(), width, now + again));
        self.charts.running = true;
        self.in_background("tui-ledger", move |host| {
            let columns = host.chart(&id, width, chart::most_columns(width));
            Answer::Chart(id, width, columns)
        });
    }

    /// Takes the events of the source on screen, in a frozen view those until then.
    fn fetch_events(&mut self, id: &SourceId) {
        let known =
            self.ui.screens.source.events.as_ref().filter(|(of, _)| of == id).map(|(_, events)| events);
        let frozen = self.ui.context.frozen_since().map(|moment| SystemTime::from(moment.wall.timestamp()));
        if frozen.is_some() && known.is_some() {
            return;
        }
        let mut events = self.engine.events(id);
        events.retain(|event| frozen.is_none_or(|frozen| event.wall <= frozen));
        if known != Some(&events) {
            self.ui.screens.source.events = Some((id.clone(), events));
            self.ui.context.touch();
        }
    }

    /// The hour before this run, or why it is not known: then it is read again later.
    pub(super) fn last_hour_read(&mut self, result: Result<HashMap<SourceId, Vec<Minute>>, String>) {
        match result {
            Ok(minutes) => {
                self.before = Some(minutes);
                self.history_again = true;
                self.before_problem = None;
            }
            Err(problem) => {
                let problem = format!("charts hold this run only, the past cannot be read: {problem}");
                if self.before_problem.as_ref() != Some(&problem) {
                    tracing::warn!("{problem}");
                    self.ui.context.say(problem.clone(), Tone::Refused);
                }
                self.before_problem = Some(problem);
                self.before_again = Some(self.ui.context.clock().mono + REPORT_EVERY);
            }
        }
    }

    /// Columns out of the ledger, or, when there are none, out of what is remembered of this run.
    pub(super) fn chart_read(
        &mut self,
        source: SourceId,
        width: Width,
        result: Result<Option<Vec<Column>>, String>,
    ) {
        self.charts.running = false;
        let (columns, problem) = match result {
            Ok(columns) => (columns, None),
            Err(problem) => (None, Some(format!("this run only: {problem}"))),
        };
        // Read every few seconds, but said once.
        if let Some(problem) = problem.as_ref().filter(|_| problem != self.ui.screens.source.chart_problem) {
            tracing::warn!(camera = %source, "The chart holds {problem}");
        }
        self.ui.screens.source.chart_problem = problem;
        let columns = columns.unwrap_or_else(|| {
            let minutes = self.engine.history(&source);
            chart::of_minutes(&minutes, width, chart::most_columns(width), &self.ui.context.clock().wall)
        });
        self.ui.screens.source.chart = Some((source, width, Arc::new(columns)));
        self.ui.context.touch();
    }

    /// Has the engine make the previews that are shown, and no others, and takes them.
    pub(super) fn fetch_previews(&mut self, needs: &Needs, now: Instant) {
        if needs.previews != self.preview_of {
            for old in self.preview_of.iter().filter(|old| !needs.previews.contains(old)) {
                self.engine.send(Control::preview(old.clone(), false));
            }
            for new in needs.previews.iter().filter(|new| !self.preview_of.contains(new)) {
                self.engine.send(Control::preview(new.clone(), true));
            }
            self.preview_of.clone_from(&needs.previews);
            self.preview_due = None;
            let fetched = &mut self.ui.context.fetched;
            fetched.previews.retain(|id, _| needs.previews.contains(id));
            fetched.trails.retain(|id, _| needs.previews.contains(id));
            fetched.ignored.retain(|id, _| needs.previews.contains(id));
        }
        let is_frozen = self.ui.context.frozen_since().is_some() && !needs.previews_while_frozen;
        if needs.previews.is_empty() || is_frozen || self.preview_due.is_some_and(|due| now < due) {
            return;
        }
        let mut all_there = true;
        for id in &needs.previews {
            let Some(preview) = self.engine.preview(id) else {
                all_there = false;
                continue;
            };
            let fetched = &mut self.ui.context.fetched;
            if fetched.previews.get(id).is_none_or(|old| old.taken != preview.taken) {
                let paths = self.engine.paths(id);
                let trails = paths.map(|paths| paths.track_paths(crate::geometry::Anchor::Foot, TRAIL));
                fetched.trails.insert(id.clone(), trails.unwrap_or_default());
                let config = self.engine.source_config(id);
                fetched.ignored.insert(id.clone(), config.map(|it| it.ignore.clone()).unwrap_or_default());
                fetched.previews.insert(id.clone(), preview);
                self.ui.context.touch();
            }
        }
        // Until all of them are there, every tick asks.
        self.preview_due = all_there.then(|| now + PREVIEW_EVERY);
    }

    /// Takes the lines of the log that is shown.
    pub(super) fn fetch_log(&mut self, needs: &Needs) {
        let Some(need) = &needs.log else {
            self.log = None;
            return;
        };
        let context = &mut self.ui.context;
        let Some(recent) = self.host.recent_logs() else {
            context.fetched.log_problem = Some("nothing is logged in this run".into());
            return;
        };
        let now = (need.clone(), recent.written());
        if self.log.as_ref() == Some(&now) {
            return;
        }
        // The line in the file names a source by its id; a filter by its alias means the same lines.
        let LogNeed { target, level, filter } = need;
        let sources = &context.shown().sources;
        let names: HashMap<SourceId, String> = if filter.is_empty() {
            HashMap::new()
        } else {
            sources.iter().map(|source| (source.id.clone(), source.name())).collect()
        };
        let lines = recent.lines(|line| {
            let is_here = match target {
                LogTarget::Central => true,
                LogTarget::Source(id) => line.camera.as_ref() == Some(id),
                LogTarget::Worker(number) => line.worker == Some(*number as u64),
            };
            is_here && line.level <= *level && has_words(&with_name(line, &names), filter)
        });
        // Further up, the same lines stay in sight.
        let is_same = self.log.as_ref().is_some_and(|(old, _)| old == need);
        if let Some(last) = context.fetched.log.last().filter(|_| is_same) {
            let fresh = lines.iter().rev().take_while(|line| line.number > last.number).count();
            self.ui.screens.top_mut().log_grew(fresh);
        }
        let context = &mut self.ui.context;
        context.fetched.log = Arc::new(lines);
        context.fetched.log_problem = None;
        context.touch();
        self.log = Some(now);
    }
}

/// The minutes of the last hour of each source as the ledger has them, of this run and of those before it.
///
/// # Errors
/// When the ledger cannot be read.
fn last_hour(host: &dyn Host, sources: Vec<SourceId>) -> Result<HashMap<SourceId, Vec<Minute>>, String> {
    let minutes = |columns: Vec<Column>| -> Vec<Minute> {
        let minute = |column: &Column| {
            let counted = column.counted?;
            let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            Some(Minute {
                minute: column.start.as_second().div_euclid(60),
                total_in: count(counted.total_in),
                total_out: count(counted.total_out),
                current: counted.occupancy,
                watched: true,
            })
        };
        columns.iter().filter_map(minute).collect()
    };
    let mut read = HashMap::new();
    for id in sources {
        // Without a ledger there is nothing from before.
        let columns = host.chart(&id, Width::Minute, chart::most_columns(Width::Minute))?;
        read.extend(columns.map(|columns| (id, minutes(columns))));
    }
    Ok(read)
}

/// The line with the name of its source, where that is among `names`.
fn with_name(line: &LogLine, names: &HashMap<SourceId, String>) -> String {
    match line.camera.as_ref().and_then(|id| names.get(id)) {
        Some(name) => format!("{} {name}", line.text),
        None => line.text.clone(),
    }
}
