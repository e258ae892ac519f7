//! The screen of crossings: from where it is opened, and what keys do there.

use std::sync::Arc;

use crossterm::event::KeyCode;
use jiff::{ToSpan as _, civil::Date};

use super::{Effect, Panel, Screen, Tone, UiState};
use crate::{
    evidence::millis,
    host::crossings::{CrossingsAnswer, CrossingsQuery, MOST},
    ledger::report::Step,
    model::{Event, EventKind, Judgment, SourceId, Verdict},
    tui::{
        action::Action,
        crossings::{Crossings, facts_of},
        history::Entry,
        keymap::{Key, Keymap},
        panes::Pane,
    },
};

/// Keys that judge, on this screen alone, where the user has given the commands no others.
const JUDGING: [(char, Verdict); 3] =
    [('y', Verdict::Right), ('n', Verdict::Wrong), ('b', Verdict::OtherWay)];

/// What is said where there are no pictures to turn over.
const NO_PICTURES: &str = "there are no pictures of it here";

fn action_of(verdict: Verdict) -> Action {
    match verdict {
        Verdict::Right => Action::JudgeRight,
        Verdict::Wrong => Action::JudgeWrong,
        Verdict::OtherWay => Action::JudgeBoth,
    }
}

/// The key that says this on the screen of crossings.
#[must_use]
pub fn judging_key(keymap: &Keymap, verdict: Verdict) -> String {
    let own = keymap.keys(action_of(verdict)).first().map(ToString::to_string);
    let usual = JUDGING.iter().find(|(_, other)| *other == verdict).map(|(key, _)| key.to_string());
    own.or(usual).unwrap_or_default()
}

impl UiState {
    /// The action of a key that judges, on the screen of crossings.
    pub(super) fn judging(&self, key: Key) -> Option<Action> {
        let (Screen::Crossings, Some(KeyCode::Char(letter))) = (self.screen(), key.plain()) else {
            return None;
        };
        let (_, verdict) = JUDGING.iter().find(|(usual, _)| *usual == letter)?;
        let action = action_of(*verdict);
        self.keymap.keys(action).is_empty().then_some(action)
    }

    /// Crossings of what the screen on top is about.
    pub(super) fn open_crossings(&mut self) -> Vec<Effect> {
        match self.screen() {
            Screen::Overview if self.panel == Panel::Events => self.open_event(),
            Screen::Detail if self.pane == Pane::Events => self.open_events_of_source(),
            Screen::Report => self.crossings_of_time(),
            Screen::Crossings => self.back(),
            _ => match self.subject() {
                Ok(source) => self.crossings_of_last_day(source, None),
                Err(reason) => self.refuse(reason),
            },
        }
    }

    /// The event that the cursor of the events is on; `None` where it follows the newest.
    #[must_use]
    pub fn chosen_event(&self) -> Option<usize> {
        let events = &self.shown().events;
        let last = events.len().checked_sub(1)?;
        let chosen = self.event?;
        Some(events.iter().rposition(|event| event.number <= chosen).unwrap_or(0).min(last))
    }

    /// Moves the cursor of the events; beyond the newest it follows what happens.
    pub(super) fn step_event(&mut self, by: isize) -> Vec<Effect> {
        let events = &self.shown().events;
        let Some(last) = events.len().checked_sub(1) else { return Vec::new() };
        let to = self.chosen_event().unwrap_or(last).saturating_add_signed(by);
        self.event = events.get(to).filter(|_| to < last).map(|event| event.number);
        Vec::new()
    }

    /// The strip of the chosen event; for what is no crossing, the source, or what led to an alert.
    pub(super) fn open_event(&mut self) -> Vec<Effect> {
        let events = self.shown().events.clone();
        let Some(event) =
            self.chosen_event().or(events.len().checked_sub(1)).map(|at| Arc::clone(&events[at]))
        else {
            return self.refuse("nothing has happened yet");
        };
        match &event.kind {
            EventKind::Crossing { .. } | EventKind::Suppressed { .. } => {
                self.show_events(&events, &event, "events".into())
            }
            EventKind::Threshold { .. } => {
                self.crossings_of_last_day(event.source.clone(), Some(millis(event.wall)))
            }
            _ if self.shown().sources.iter().any(|source| source.id == event.source) => {
                self.selected = Some(event.source.clone());
                self.rearrange();
                self.open(Screen::Detail)
            }
            _ => self.refuse(format!("'{}' is gone", event.source)),
        }
    }

    fn open_events_of_source(&mut self) -> Vec<Effect> {
        let Ok(source) = self.subject() else { return Vec::new() };
        let known = self.extras.events.as_ref().filter(|(of, _)| *of == source);
        let events: Vec<Arc<Event>> = known.map_or_else(Vec::new, |(_, events)| events.clone());
        // The one that stands at the lower end of the pane.
        let end = events.len().saturating_sub(self.pane_scroll);
        let newest = events[..end].iter().rev().find(|event| facts_of(event).is_some()).cloned();
        match newest {
            Some(newest) => {
                self.show_events(&events, &newest, format!("events of {}", self.name_of(&source)))
            }
            None => self.crossings_of_last_day(source, None),
        }
    }

    fn show_events(&mut self, events: &[Arc<Event>], chosen: &Event, title: String) -> Vec<Effect> {
        let cases: Vec<_> = events.iter().filter_map(|event| facts_of(event)).collect();
        let chosen = facts_of(chosen);
        let at = chosen.and_then(|chosen| cases.iter().rposition(|facts| *facts == chosen));
        let steps = at.map_or(0, |at| at as isize - cases.len() as isize + 1);
        let mut crossings = Crossings::of(title, cases, None);
        crossings.step(steps);
        self.show_crossings(crossings)
    }

    fn show_crossings(&mut self, mut crossings: Crossings) -> Vec<Effect> {
        (crossings.alone, crossings.near) = (self.crossings.alone, self.crossings.near);
        self.crossings = crossings;
        let effects = self.open(Screen::Crossings);
        match &self.crossings.reading {
            Some(asked) => vec![Effect::Crossings(asked.clone())],
            None => effects,
        }
    }

    /// Crossings with strips of the last 24 hours of a source, from the last before `at` on.
    fn crossings_of_last_day(&mut self, source: SourceId, at: Option<i64>) -> Vec<Effect> {
        const DAY: i64 = 24 * 3_600_000;
        let now = self.clock().wall.timestamp().as_millisecond();
        let title = format!("{}, the last 24 hours", self.name_of(&source));
        let (since, until) = (now - DAY, i64::MAX);
        let asked =
            CrossingsQuery { source: Some(source), line: None, since, until, at_random: false, title, at };
        self.show_crossings(Crossings::awaited(asked))
    }

    /// Crossings with strips of the chosen entry and time of the history.
    fn crossings_of_time(&mut self) -> Vec<Effect> {
        let Some((report, entry, rows)) = self.shown_rows() else {
            return self.refuse("nothing has been read yet");
        };
        let row = rows.get(self.history.row).filter(|_| self.history.in_rows);
        let (first, after) = self.history.scale.window(self.history.day);
        let midnight = |day: Date| self.midnight(day);
        let (since, until, title) = match row {
            Some(row) => {
                let next = rows.get(self.history.row + 1);
                let until =
                    next.map_or_else(|| midnight(after), |next| next.start.timestamp().as_millisecond());
                let since = row.start.timestamp().as_millisecond();
                let (length, from) = match self.history.scale.step() {
                    Step::Quarter => ("the quarter of an hour from ", "%Y-%m-%d %H:%M"),
                    Step::Hour => ("the hour from ", "%Y-%m-%d %H:%M"),
                    Step::Day => ("", "%A %-d %B %Y"),
                };
                (since, until, format!("{length}{}", row.start.shown(from)))
            }
            None => (midnight(first), midnight(after), self.history.title()),
        };
        let name = |index: usize| report.sources.get(index).map(|source| source.camera_id.clone());
        let (source, line) = match entry {
            Entry::All => (None, None),
            Entry::Source(index) => (name(index), None),
            Entry::Line(index, line) => {
                let line = report.sources.get(index).and_then(|source| source.lines.get(line));
                (name(index), line.map(|line| line.line.clone()))
            }
        };
        let source: Option<SourceId> = source.map(|source| source.as_str().into());
        let who = source.as_ref().map_or_else(|| "all sources".to_owned(), |source| self.name_of(source));
        let whose = line.as_ref().map_or(who.clone(), |line| format!("{who}, line {line}"));
        let title = format!("{whose}, {title}");
        self.show_crossings(Crossings::awaited(CrossingsQuery {
            source,
            line,
            since,
            until,
            at_random: false,
            title,
            at: None,
        }))
    }

    /// A random sample of today's crossings: of the chosen source on its screen, else of all.
    pub(super) fn open_sample(&mut self) -> Vec<Effect> {
        let source = match self.screen() {
            Screen::Detail => self.subject().ok(),
            Screen::Report => self.chosen_source(),
            Screen::Crossings if self.crossings.sample.is_some() => return self.back(),
            _ => None,
        };
        let today = if *self.screen() == Screen::Report && self.history.scale.unit() == "day" {
            self.history.day
        } else {
            self.clock().wall.date()
        };
        let midnight = |day: Date| self.midnight(day);
        let (since, until) = (midnight(today), midnight(today.saturating_add(1.day())));
        let whose = source.as_ref().map_or_else(|| "all sources".to_owned(), |source| self.name_of(source));
        let title = format!("{whose}, {}", today.strftime("%A %-d %B"));
        let asked = CrossingsQuery { source, line: None, since, until, at_random: true, title, at: None };
        self.show_crossings(Crossings::awaited(asked))
    }

    /// The crossing that is behind the first alert: of a limit the one that reached it, else the last of the source.
    pub(super) fn open_alert(&mut self) -> Vec<Effect> {
        let Some(source) = self.alerts.first().map(|alert| alert.key.source.clone()) else {
            return self.refuse("there are no alerts");
        };
        self.say(format!("behind the first alert: {}", self.name_of(&source)), Tone::Done);
        let raised = self.shown().events.iter().rev().find(|event| {
            event.source == source && matches!(event.kind, EventKind::Threshold { over: true, .. })
        });
        let at = raised.map(|event| millis(event.wall));
        self.crossings_of_last_day(source, at)
    }

    /// Takes the crossings that were asked for.
    pub fn crossings_found(&mut self, asked: &CrossingsQuery, found: Result<CrossingsAnswer, String>) {
        self.crossings.found(asked, found);
        if self.crossings.place().1 >= MOST && self.crossings.sample.is_none() {
            self.say(format!("there are more: these are the newest {MOST}"), Tone::Done);
        }
        self.changed = true;
    }

    /// Says of the crossing on the screen whether the program is right.
    pub(super) fn judge(&mut self, verdict: Verdict) -> Vec<Effect> {
        if *self.screen() != Screen::Crossings {
            let key = self.keymap.keys_text(Action::Crossings);
            return self
                .refuse(format!("crossings are judged on their pictures: '{key}' shows those of a source"));
        }
        if self.crossings.judging {
            // A key that is held down means one judgment.
            return self.refuse("the last judgment is still being noted");
        }
        let Some(said) = self.crossings.said(verdict) else {
            return self.refuse("there is nothing to judge");
        };
        // Only what was seen is part of a sample.
        if self.crossings.sample.is_some() && !self.has_strip() {
            return self.refuse("its pictures are not there yet; a sample is judged by what they show");
        }
        self.crossings.judging = true;
        vec![Effect::Judge(said)]
    }

    /// Takes what became of a judgment.
    pub fn crossing_judged(&mut self, result: Result<Judgment, String>) {
        self.crossings.judging = false;
        match result {
            Ok(judgment) => {
                self.crossings.judged(&judgment);
                self.say(format!("noted in the ledger: {}", judgment.verdict.word()), Tone::Done);
            }
            Err(problem) => self.say(problem, Tone::Refused),
        }
    }

    /// Moves from crossing to crossing.
    pub(super) fn step_crossing(&mut self, by: isize) -> Vec<Effect> {
        if !self.crossings.step(by) && self.crossings.chosen().is_some() {
            return self.refuse(if by < 0 {
                "this is the first of them"
            } else {
                "this is the last of them"
            });
        }
        Vec::new()
    }

    /// Moves from picture to picture.
    pub(super) fn step_picture(&mut self, by: isize) -> Vec<Effect> {
        if !self.crossings.step_picture(by) {
            return self.refuse("there is no further picture this way");
        }
        Vec::new()
    }

    /// One picture alone, or all side by side.
    pub(super) fn turn_strip(&mut self) -> Vec<Effect> {
        if !self.has_strip() {
            return self.refuse(NO_PICTURES);
        }
        self.crossings.alone = Some(!self.crossings.is_alone);
        Vec::new()
    }

    /// The person alone, or all around them.
    pub(super) fn zoom_strip(&mut self, near: bool) -> Vec<Effect> {
        if !self.has_strip() {
            return self.refuse(NO_PICTURES);
        }
        if self.crossings.near == near {
            return self.refuse(if near {
                "nearer only pixels get larger"
            } else {
                "this is all that is kept"
            });
        }
        self.crossings.near = near;
        Vec::new()
    }

    /// Whether the crossing on the screen has pictures.
    fn has_strip(&self) -> bool {
        self.crossings.read().is_some_and(|read| read.as_ref().is_ok_and(|known| known.strip.is_some()))
    }

    /// The begin of a day in the zone of the screens, in milliseconds since the Unix epoch.
    fn midnight(&self, day: Date) -> i64 {
        let begin = day.to_zoned(self.clock().wall.time_zone().clone());
        begin.map_or(0, |begin| begin.timestamp().as_millisecond())
    }

    fn name_of(&self, source: &SourceId) -> String {
        let found = self.shown().sources.iter().find(|known| known.id == *source);
        found.map_or_else(|| source.to_string(), |source| source.name())
    }
}
