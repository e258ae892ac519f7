//! The history screen: which time, in which steps, of which source.

use std::sync::Arc;

use super::{Effect, Screen, Tone, UiState};
use crate::{
    host::history::ReportQuery,
    ledger::report::{Report, Step},
    model::{SourceId, SourceSnapshot},
    tui::{
        action::Action,
        history::{self, Entry, History, Scale},
        keymap::Key,
    },
};

/// What is said of a key that has to wait.
const READING: &str = "what was counted is being read; the keys act when it is there";

impl UiState {
    /// Today by the hour, all sources.
    pub(super) fn open_history(&mut self) -> Vec<Effect> {
        self.open(Screen::Report);
        let today = self.clock().wall.date();
        self.history = History { day: today, today, ..History::default() };
        self.read_history()
    }

    fn read_history(&mut self) -> Vec<Effect> {
        self.scroll = 0;
        self.history.row = 0;
        vec![Effect::Report(self.history.asked())]
    }

    /// The time before or after.
    pub(super) fn step_in_time(&mut self, by: i64) -> Vec<Effect> {
        if self.history.step(by) {
            return self.read_history();
        }
        self.refuse(format!("the next {} has not begun yet", self.history.scale.unit()))
    }

    /// Longer or shorter times.
    pub(super) fn change_scale(&mut self, by: isize) -> Vec<Effect> {
        let Some(scale) = self.history.scale.stepped(by) else {
            return self.refuse(if by > 0 {
                "a month is the longest time; the left arrow shows the one before"
            } else {
                "a quarter of an hour is the shortest step"
            });
        };
        self.history.scale = scale;
        self.say(format!("a {} {}", scale.unit(), scale.words()), Tone::Done);
        self.read_history()
    }

    /// Keeps `key`, which means `action`, until the time shown is read, when it acts on what is being read or comes
    /// behind another that does. What leads away from the screen waits for nothing.
    pub(super) fn waits_for_report(&mut self, key: Key, action: Option<Action>) -> bool {
        if *self.screen() != Screen::Report || self.history.report().is_some() {
            return false;
        }
        let waits = match action {
            Some(
                Action::Quit
                | Action::QuitKeepTable
                | Action::Back
                | Action::Suspend
                | Action::Repaint
                | Action::Report,
            ) => false,
            Some(
                Action::Up
                | Action::Down
                | Action::Top
                | Action::Bottom
                | Action::PageUp
                | Action::PageDown
                | Action::Enter
                | Action::Crossings
                | Action::Copy
                | Action::Pause
                | Action::Restart
                | Action::Reset
                | Action::Remove
                | Action::Logs,
            ) => true,
            _ => !self.history.waiting.is_empty(),
        };
        if waits {
            self.history.waiting.push(key);
            self.say(READING, Tone::Done);
        }
        waits
    }

    /// What was asked for when the sources were like `before`, unless something else is shown by now. Then what was
    /// typed meanwhile.
    pub fn report_read(
        &mut self,
        asked: ReportQuery,
        result: Result<Report, String>,
        before: &[Arc<SourceSnapshot>],
    ) -> Vec<Effect> {
        if asked != self.history.asked() {
            return Vec::new();
        }
        let chosen = self.chosen_entry().and_then(|(report, entry)| name_of(&report, entry));
        let result = result.map(Arc::new);
        if let (Ok(report), Some(chosen)) = (&result, chosen) {
            let entries = history::entries(report);
            let same = |entry: &Entry| name_of(report, *entry).as_ref() == Some(&chosen);
            self.history.entry = entries.iter().position(same).unwrap_or(0);
        }
        self.history.answer = Some((asked, result));
        let counts = |source: &SourceSnapshot| (source.total_in, source.total_out);
        let of = |then: &Arc<SourceSnapshot>| {
            let now = self.snapshot.sources.iter().find(|now| now.id == then.id)?;
            Some((then.id.to_string(), [counts(then), counts(now)]))
        };
        self.history.overview = before.iter().filter_map(of).collect();
        self.changed = true;
        let mut effects = Vec::new();
        // One of them may ask for another time, which the others then wait for.
        for key in std::mem::take(&mut self.history.waiting) {
            effects.extend(self.key(key));
        }
        if self.toast.as_ref().is_some_and(|toast| toast.text == READING) {
            self.toast = None;
        }
        effects
    }

    /// The report at hand, also of another time, and the entry that is chosen in it.
    fn chosen_entry(&self) -> Option<(Arc<Report>, Entry)> {
        let (_, answer) = self.history.answer.as_ref()?;
        let report = Arc::clone(answer.as_ref().ok()?);
        let entry = *history::entries(&report).get(self.history.entry)?;
        Some((report, entry))
    }

    /// The source of the chosen entry; `None` for all together and while nothing has been read.
    pub(super) fn chosen_source(&self) -> Option<SourceId> {
        let (report, entry) = self.chosen_entry()?;
        let (source, _) = name_of(&report, entry).filter(|_| entry != Entry::All)?;
        Some(source.as_str().into())
    }

    /// The entry and its rows as shown.
    pub(super) fn shown_rows(&self) -> Option<(Arc<Report>, Entry, Vec<history::Row>)> {
        let report = Arc::clone(self.history.report()?.as_ref().ok()?);
        let entry = *history::entries(&report).get(self.history.entry)?;
        let rows = history::rows(&report, entry);
        Some((report, entry, rows))
    }

    /// Moves in the list of sources or in the table of times.
    pub(super) fn step_in_history(&mut self, by: isize) -> Vec<Effect> {
        let Some((report, _, rows)) = self.shown_rows() else {
            return self.refuse("nothing has been read yet");
        };
        if self.history.in_rows {
            self.history.row = self.history.row.saturating_add_signed(by).min(rows.len().saturating_sub(1));
        } else {
            let last = history::entries(&report).len().saturating_sub(1);
            self.history.entry = self.history.entry.saturating_add_signed(by).min(last);
            self.history.row = 0;
        }
        Vec::new()
    }

    /// Into the table, and from a row of it into that day or hour.
    pub(super) fn open_in_history(&mut self) -> Vec<Effect> {
        if !self.history.in_rows {
            self.history.in_rows = true;
            return Vec::new();
        }
        let Some((_, _, rows)) = self.shown_rows() else {
            return self.refuse("nothing has been read yet");
        };
        let Some(row) = rows.get(self.history.row) else {
            return self.refuse("there is nothing in this time to open");
        };
        match self.history.scale.step() {
            Step::Day => {
                self.history.day = row.start.date();
                self.history.scale = Scale::Hours;
                self.read_history()
            }
            Step::Hour => self.change_scale(-1),
            Step::Quarter => self.open_crossings(),
        }
    }

    /// Between the list and the table.
    pub(super) fn turn_to_rows(&mut self) -> Vec<Effect> {
        self.history.in_rows = !self.history.in_rows;
        Vec::new()
    }

    pub(super) fn write_report(&mut self) -> Vec<Effect> {
        self.say("writing", Tone::Done);
        vec![Effect::WriteReport(self.history.asked())]
    }

    pub(super) fn copy_history(&mut self) -> Vec<Effect> {
        let Some((report, entry, rows)) = self.shown_rows() else {
            return self.refuse("nothing has been read yet");
        };
        let who = match name_of(&report, entry) {
            _ if entry == Entry::All => "all sources".into(),
            Some((source, Some(line))) => format!("{source}, line {line}"),
            Some((source, None)) => source,
            None => String::new(),
        };
        vec![Effect::Copy(history::as_text(&format!("{who}: {}", self.history.title()), &rows))]
    }
}

/// Source and line of an entry, by which it is found again in another report; nothing of both for all together.
fn name_of(report: &Report, entry: Entry) -> Option<(String, Option<String>)> {
    match entry {
        Entry::All => Some((String::new(), None)),
        Entry::Source(index) => Some((report.sources.get(index)?.camera_id.clone(), None)),
        Entry::Line(index, line) => {
            let source = report.sources.get(index)?;
            Some((source.camera_id.clone(), Some(source.lines.get(line)?.line.clone())))
        }
    }
}
