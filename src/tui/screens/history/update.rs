//! What keys do in the history: which time, in which steps, of which source.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{
    draw,
    state::{self, Entry, Scale, State},
};
use crate::{
    host::{crossings, history::ReportQuery},
    ledger::report::{Report, Step},
    model::{SourceId, SourceSnapshot},
    tui::{
        action::Action,
        canvas::Canvas,
        context::{Context, Tone},
        drawn::Geometry,
        effect::{Effect, Go, HostWork, TerminalWork},
        keymap::Key,
        screen::{Hint, Needs, Screen},
        screens::crossings::{opening, state::Crossings},
    },
};

/// What is said of a key that has to wait.
const READING: &str = "what was counted is being read; the keys act when it is there";

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::Left, "earlier"),
            (Action::Right, "later"),
            (Action::LongerTimes, ""),
            (Action::ShorterTimes, ""),
            (Action::NextPanel, "times"),
            (Action::Down, "next"),
            (Action::Enter, ""),
            (Action::Crossings, ""),
            (Action::Sample, ""),
            (Action::Export, "write files"),
            (Action::Copy, ""),
        ]
    }

    fn subject(&self, _context: &Context) -> Result<SourceId, String> {
        self.chosen_source().ok_or_else(|| "choose one source in the list first; Tab goes there".into())
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let page = context.geometry.page.max(1) as isize;
        Some(match action {
            Action::Up => self.step_row(-1, context),
            Action::Down => self.step_row(1, context),
            Action::Top => self.step_row(isize::MIN, context),
            Action::Bottom => self.step_row(isize::MAX, context),
            Action::PageUp => self.step_row(-page, context),
            Action::PageDown => self.step_row(page, context),
            Action::Left => self.step_in_time(-1, context),
            Action::Right => self.step_in_time(1, context),
            Action::LongerTimes => self.change_scale(1, context),
            Action::ShorterTimes => self.change_scale(-1, context),
            Action::NextPanel | Action::PreviousPanel => {
                self.in_rows = !self.in_rows;
                Vec::new()
            }
            Action::Enter => self.open_row(context),
            Action::Crossings => self.crossings_of_time(context),
            Action::Sample => self.sample(context),
            Action::Export => {
                context.say("writing the history to a file", Tone::Done);
                vec![HostWork::WriteHistory(self.asked()).into()]
            }
            Action::Copy => self.copy(context),
            _ => return None,
        })
    }

    fn typed(&mut self, key: Key, action: Option<Action>, context: &mut Context) -> Option<Vec<Effect>> {
        self.waits(key, action, context).then(Vec::new)
    }

    fn close(&mut self) {
        self.waiting.clear();
    }

    fn needs(&self, _context: &Context) -> Needs {
        Needs { history: true, ..Needs::default() }
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }
}

impl State {
    /// Starts with today by the hour, all sources; gives what has to be read.
    pub fn start(&mut self, context: &Context) -> ReportQuery {
        let today = context.clock().wall.date();
        *self = Self { day: today, today, ..Self::default() };
        self.asked()
    }

    fn read(&mut self) -> Vec<Effect> {
        self.row = 0;
        vec![HostWork::ReadHistory(self.asked()).into()]
    }

    /// The time before or after.
    fn step_in_time(&mut self, by: i64, context: &mut Context) -> Vec<Effect> {
        if self.step(by) {
            return self.read();
        }
        context.refuse(format!("the next {} has not begun yet", self.scale.unit()))
    }

    /// Longer or shorter times.
    fn change_scale(&mut self, by: isize, context: &mut Context) -> Vec<Effect> {
        let Some(scale) = self.scale.stepped(by) else {
            return context.refuse(if by > 0 {
                "a month is the longest time; the left arrow shows the one before"
            } else {
                "a quarter of an hour is the shortest step"
            });
        };
        self.scale = scale;
        context.say(format!("a {} {}", scale.unit(), scale.words()), Tone::Done);
        self.read()
    }

    /// Keeps `key`, which means `action`, until the time shown is read, when it acts on what is being read or comes
    /// behind another that does. What leads away from the screen waits for nothing.
    fn waits(&mut self, key: Key, action: Option<Action>, context: &mut Context) -> bool {
        if self.report().is_some() {
            return false;
        }
        let waits = match action {
            Some(
                Action::Quit
                | Action::QuitKeepTable
                | Action::Back
                | Action::Suspend
                | Action::Repaint
                | Action::History,
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
            _ => !self.waiting.is_empty(),
        };
        if waits {
            self.waiting.push(key);
            context.say(READING, Tone::Done);
        }
        waits
    }

    /// Takes the answer to `asked`, which was asked when the sources were like `before`, unless something else is shown by now;
    /// gives the keys that were pressed meanwhile, which act now.
    pub fn take(
        &mut self,
        asked: ReportQuery,
        result: Result<Report, String>,
        before: &[Arc<SourceSnapshot>],
        context: &mut Context,
    ) -> Vec<Key> {
        if asked != self.asked() {
            return Vec::new();
        }
        let chosen = self.chosen_entry().and_then(|(report, entry)| name_of(&report, entry));
        let result = result.map(Arc::new);
        if let (Ok(report), Some(chosen)) = (&result, chosen) {
            let entries = state::entries(report);
            let same = |entry: &Entry| name_of(report, *entry).as_ref() == Some(&chosen);
            self.entry = entries.iter().position(same).unwrap_or(0);
        }
        self.answer = Some((asked, result));
        let counts = |source: &SourceSnapshot| (source.total_in, source.total_out);
        let of = |then: &Arc<SourceSnapshot>| {
            let now = context.view.latest().sources.iter().find(|now| now.id == then.id)?;
            Some((then.id.to_string(), [counts(then), counts(now)]))
        };
        self.overview = before.iter().filter_map(of).collect();
        context.touch();
        if context.toast().is_some_and(|toast| toast.text == READING) {
            context.clear_toast();
        }
        std::mem::take(&mut self.waiting)
    }

    /// The report at hand, also of another time, and the entry that is chosen in it.
    fn chosen_entry(&self) -> Option<(Arc<Report>, Entry)> {
        let (_, answer) = self.answer.as_ref()?;
        let report = Arc::clone(answer.as_ref().ok()?);
        let entry = *state::entries(&report).get(self.entry)?;
        Some((report, entry))
    }

    /// The source of the chosen entry; `None` for all together and while nothing has been read.
    fn chosen_source(&self) -> Option<SourceId> {
        let (report, entry) = self.chosen_entry()?;
        let (source, _) = name_of(&report, entry).filter(|_| entry != Entry::All)?;
        Some(source.as_str().into())
    }

    /// The entry and its rows as shown.
    fn shown_rows(&self) -> Option<(Arc<Report>, Entry, Vec<state::Row>)> {
        let report = Arc::clone(self.report()?.as_ref().ok()?);
        let entry = *state::entries(&report).get(self.entry)?;
        let rows = state::rows(&report, entry);
        Some((report, entry, rows))
    }

    /// Moves in the list of sources or in the table of times.
    fn step_row(&mut self, by: isize, context: &mut Context) -> Vec<Effect> {
        let Some((report, _, rows)) = self.shown_rows() else {
            return context.refuse("nothing has been read yet");
        };
        if self.in_rows {
            self.row = self.row.saturating_add_signed(by).min(rows.len().saturating_sub(1));
        } else {
            let last = state::entries(&report).len().saturating_sub(1);
            self.entry = self.entry.saturating_add_signed(by).min(last);
            self.row = 0;
        }
        Vec::new()
    }

    /// Into the table, and from a row of it into that day or hour.
    fn open_row(&mut self, context: &mut Context) -> Vec<Effect> {
        if !self.in_rows {
            self.in_rows = true;
            return Vec::new();
        }
        let Some((_, _, rows)) = self.shown_rows() else {
            return context.refuse("nothing has been read yet");
        };
        let Some(row) = rows.get(self.row) else {
            return context.refuse("there is nothing in this time to open");
        };
        match self.scale.step() {
            Step::Day => {
                self.day = row.start.date();
                self.scale = Scale::Hours;
                self.read()
            }
            Step::Hour => self.change_scale(-1, context),
            Step::Quarter => self.crossings_of_time(context),
        }
    }

    fn copy(&mut self, context: &mut Context) -> Vec<Effect> {
        let Some((report, entry, rows)) = self.shown_rows() else {
            return context.refuse("nothing has been read yet");
        };
        let who = match name_of(&report, entry) {
            _ if entry == Entry::All => "all sources".into(),
            Some((source, Some(line))) => format!("{source}, line {line}"),
            Some((source, None)) => source,
            None => String::new(),
        };
        vec![TerminalWork::Copy(state::as_text(&format!("{who}: {}", self.title()), &rows)).into()]
    }

    /// Crossings with strips of the chosen entry and time of the history.
    fn crossings_of_time(&mut self, context: &mut Context) -> Vec<Effect> {
        let Some((report, entry, rows)) = self.shown_rows() else {
            return context.refuse("nothing has been read yet");
        };
        let row = rows.get(self.row).filter(|_| self.in_rows);
        let (first, after) = self.scale.window(self.day);
        let midnight = |day| opening::midnight(context, day);
        let (since, until, title) = match row {
            Some(row) => {
                let next = rows.get(self.row + 1);
                let until =
                    next.map_or_else(|| midnight(after), |next| next.start.timestamp().as_millisecond());
                let since = row.start.timestamp().as_millisecond();
                let (length, from) = match self.scale.step() {
                    Step::Quarter => ("the quarter of an hour from ", "%Y-%m-%d %H:%M"),
                    Step::Hour => ("the hour from ", "%Y-%m-%d %H:%M"),
                    Step::Day => ("", "%A %-d %B %Y"),
                };
                (since, until, format!("{length}{}", row.start.shown(from)))
            }
            None => (midnight(first), midnight(after), self.title()),
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
        let who = source.as_ref().map_or_else(|| "all sources".to_owned(), |source| context.name_of(source));
        let whose = line.as_ref().map_or(who.clone(), |line| format!("{who}, line {line}"));
        let title = format!("{whose}, {title}");
        let asked =
            crossings::CrossingsQuery { source, line, since, until, at_random: false, title, at: None };
        vec![Go::Crossings(Box::new(Crossings::awaited(asked))).into()]
    }

    /// A random sample of the crossings of the day shown, of the chosen source or of all.
    fn sample(&mut self, context: &mut Context) -> Vec<Effect> {
        let day = if self.scale.unit() == "day" { self.day } else { context.clock().wall.date() };
        vec![Go::Crossings(Box::new(opening::sample_of(context, self.chosen_source(), day))).into()]
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
