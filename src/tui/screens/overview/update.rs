//! Moving about, sorting, filtering, freezing: what changes the view and nothing else.

use super::{Effect, Frozen, Panel, Screen, Tone, UiState};
use crate::tui::{
    log_target::LogTarget,
    panes::Pane,
    text_input::TextInput,
    view_model::{Row, SortKey},
};

/// Columns that a log moves sideways at a time.
const ACROSS: isize = 20;

impl UiState {
    /// Moves by `by` rows in whatever list has the keys; the extremes go to the ends.
    pub(super) fn step(&mut self, by: isize) -> Vec<Effect> {
        match (self.screen(), self.panel) {
            (Screen::Overview, Panel::Sources) => self.step_selection(by),
            // The next source is one key away; page keys and the ends move in the chosen pane.
            (Screen::Detail, _) if by.unsigned_abs() == 1 => self.step_selection(by),
            (Screen::Detail, _) => {
                let by = if self.pane.is_read_from_its_end() { by.saturating_neg() } else { by };
                self.pane_scroll = self.pane_scroll.saturating_add_signed(by);
                Vec::new()
            }
            (Screen::Report, _) => self.step_in_history(by),
            (Screen::Crossings, _) => self.step_crossing(by),
            (Screen::Overview, Panel::Events) => self.step_event(by),
            (Screen::Workers, _) => {
                let last = self.shown().workers.len().saturating_sub(1);
                self.worker = self.worker.saturating_add_signed(by).min(last);
                Vec::new()
            }
            (Screen::Overview, Panel::Workers) => {
                self.scroll = self.scroll.saturating_add_signed(by).min(self.shown().workers.len());
                Vec::new()
            }
            // Logs are read from their end: scrolling counts lines from there.
            (Screen::Logs(_), _) => {
                let length = self.extras.log.len();
                self.scroll = self.scroll.saturating_add_signed(by.saturating_neg()).min(length);
                Vec::new()
            }
            (Screen::Editor, _) => Vec::new(),
            (Screen::Help, _) => {
                self.scroll = self.scroll.saturating_add_signed(by);
                Vec::new()
            }
        }
    }

    fn step_selection(&mut self, by: isize) -> Vec<Effect> {
        let sources = std::sync::Arc::clone(self.shown());
        let places: Vec<&crate::model::SourceId> = self
            .rows
            .iter()
            .filter_map(|row| match row {
                Row::Source(index) => Some(&sources.sources[*index].id),
                Row::Group(_) => None,
            })
            .collect();
        if places.is_empty() {
            return self.refuse(self.why_empty());
        }
        let now = places.iter().position(|id| Some(*id) == self.selected.as_ref()).unwrap_or(0);
        let next = now.saturating_add_signed(by).min(places.len() - 1);
        self.selected = Some(places[next].clone());
        self.pane_scroll = 0;
        self.place = self.selected_row().unwrap_or(0);
        Vec::new()
    }

    /// Why there is no row to act on.
    #[must_use]
    pub fn why_empty(&self) -> String {
        if self.shown().sources.is_empty() {
            "there are no sources; 'a' adds one".into()
        } else {
            format!("no source matches the filter '{}'; Esc clears it", self.arrangement.filter)
        }
    }

    pub(super) fn enter(&mut self) -> Vec<Effect> {
        match self.screen() {
            Screen::Overview if self.panel == Panel::Workers => self.open(Screen::Workers),
            Screen::Overview if self.panel == Panel::Events => self.open_event(),
            Screen::Detail if self.pane == Pane::Events => self.open_crossings(),
            Screen::Overview if self.selected().is_some() => self.open(Screen::Detail),
            Screen::Overview => self.refuse(self.why_empty()),
            Screen::Detail | Screen::Workers => self.logs(),
            Screen::Report => self.open_in_history(),
            _ => self.refuse("nothing to open here; q goes back"),
        }
    }

    pub(super) fn back(&mut self) -> Vec<Effect> {
        if *self.screen() == Screen::Help && !self.help_filter.is_empty() {
            self.help_filter.clear();
            return Vec::new();
        }
        if self.close() {
            return Vec::new();
        }
        if self.panel != Panel::Sources {
            self.panel = Panel::Sources;
            (self.scroll, self.event) = (0, None);
        } else if !self.marked.is_empty() {
            self.marked.clear();
            self.say("marks cleared", Tone::Done);
        } else if !self.arrangement.filter.is_empty() {
            self.arrangement.filter.clear();
            self.rearrange();
            self.say("filter cleared", Tone::Done);
        } else if self.frozen.is_some() {
            return self.freeze();
        } else {
            self.say("this is the overview; 'q' quits", Tone::Refused);
        }
        Vec::new()
    }

    pub(super) fn next_panel(&mut self, steps: usize) -> Vec<Effect> {
        match self.screen() {
            Screen::Overview => {}
            Screen::Detail => return self.next_pane(if steps == 1 { 1 } else { -1 }),
            Screen::Report => return self.turn_to_rows(),
            Screen::Logs(target) => {
                let target = target.clone();
                return self.next_log(&target, if steps == 1 { 1 } else { -1 });
            }
            _ => return self.refuse("this screen has one panel"),
        }
        const PANELS: [Panel; 3] = [Panel::Sources, Panel::Workers, Panel::Events];
        let now = PANELS.iter().position(|panel| *panel == self.panel).unwrap_or(0);
        self.panel = PANELS[(now + steps) % PANELS.len()];
        (self.scroll, self.event) = (0, None);
        Vec::new()
    }

    pub(super) fn start_filter(&mut self) -> Vec<Effect> {
        let now = match self.screen() {
            Screen::Overview => &self.arrangement.filter,
            Screen::Logs(_) => &self.log_filter,
            Screen::Help => &self.help_filter,
            _ => return self.refuse("the filter is for the overview, logs and help; 'q' goes back"),
        };
        self.filter_input = Some(TextInput::new(now));
        Vec::new()
    }

    /// Filters by what stands in the filter's input.
    pub(super) fn apply_filter(&mut self, filter: String) {
        match self.screen() {
            Screen::Logs(_) => self.log_filter = filter,
            Screen::Help => {
                self.help_filter = filter;
                self.scroll = 0;
            }
            _ => {
                self.arrangement.filter = filter;
                self.rearrange();
            }
        }
    }

    pub(super) fn sort_by(&mut self, number: u8) -> Vec<Effect> {
        let Some(key) = column(number) else { return Vec::new() };
        if self.arrangement.sort == key {
            return self.sort_reverse();
        }
        self.set_sort(key, false)
    }

    pub(super) fn sort_next(&mut self) -> Vec<Effect> {
        let now = SortKey::ALL.iter().position(|key| *key == self.arrangement.sort).unwrap_or(0);
        self.set_sort(SortKey::ALL[(now + 1) % SortKey::ALL.len()], false)
    }

    pub(super) fn sort_reverse(&mut self) -> Vec<Effect> {
        self.set_sort(self.arrangement.sort, !self.arrangement.reversed)
    }

    fn set_sort(&mut self, key: SortKey, reversed: bool) -> Vec<Effect> {
        self.arrangement.sort = key;
        self.arrangement.reversed = reversed;
        self.rearrange();
        let how = if reversed { ", reversed" } else { "" };
        self.say(format!("sorted by {}{how}", key.name()), Tone::Done);
        Vec::new()
    }

    pub(super) fn toggle_group(&mut self) -> Vec<Effect> {
        let grouped = !self.arrangement.grouped;
        self.grouped = Some(grouped);
        self.rearrange();
        self.say(if grouped { "grouped by location" } else { "not grouped" }, Tone::Done);
        Vec::new()
    }

    pub(super) fn mark(&mut self) -> Vec<Effect> {
        if *self.screen() != Screen::Overview {
            return self.refuse("sources are marked on the overview; q goes back to it");
        }
        let Some(source) = self.selected() else { return self.refuse(self.why_empty()) };
        let id = source.id.clone();
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        self.step_selection(1)
    }

    pub(super) fn freeze(&mut self) -> Vec<Effect> {
        if self.frozen.take().is_some() {
            self.say("live again", Tone::Done);
        } else {
            self.frozen = Some(Frozen { snapshot: self.snapshot.clone(), moment: self.moment.clone() });
            self.say("view frozen, counting goes on; 'f' thaws", Tone::Done);
        }
        self.rearrange();
        Vec::new()
    }

    pub(super) fn toggle_preview(&mut self) -> Vec<Effect> {
        match self.screen() {
            Screen::Overview => {}
            Screen::Detail => {
                self.picture_in_detail = !self.picture_in_detail;
                if self.picture_in_detail {
                    self.show_pane(Pane::Picture);
                } else if self.pane == Pane::Picture {
                    self.show_pane(Pane::Counts);
                }
                return Vec::new();
            }
            Screen::Crossings => return self.turn_strip(),
            _ => return self.refuse("the picture shows beside the overview; q goes back to it"),
        }
        if !self.preview && self.selected().is_none() {
            return self.refuse(self.why_empty());
        }
        self.preview = !self.preview;
        Vec::new()
    }

    /// The source whose picture is on screen.
    #[must_use]
    pub fn preview_of(&self) -> Option<&crate::model::SourceId> {
        let shows = match self.screen() {
            Screen::Overview => self.preview,
            Screen::Detail => self.picture_in_detail && self.picture_shows,
            Screen::Editor => return self.editor.as_ref().map(|editor| &editor.source),
            _ => false,
        };
        self.selected.as_ref().filter(|_| shows)
    }

    /// The pane of a number key, from 1.
    pub(super) fn choose_pane(&mut self, number: u8) -> Vec<Effect> {
        match usize::from(number).checked_sub(1).and_then(|place| Pane::ALL.get(place)) {
            Some(pane) if *pane == self.pane => {
                self.refuse(format!("'{}' is chosen already; it shows in bold", pane.name()))
            }
            Some(pane) => {
                self.show_pane(*pane);
                Vec::new()
            }
            None => self.refuse(format!("this screen has {} panes", Pane::ALL.len())),
        }
    }

    fn show_pane(&mut self, pane: Pane) {
        self.pane = pane;
        self.pane_scroll = 0;
        if pane == Pane::Picture {
            (self.picture_in_detail, self.picture_shows) = (true, true);
        }
    }

    fn next_pane(&mut self, steps: isize) -> Vec<Effect> {
        let count = Pane::ALL.len() as isize;
        let place = |from: usize| (from as isize + steps).rem_euclid(count) as usize;
        let mut next = place(self.pane.place());
        // A picture that was switched off stays off: 'v' or its number bring it back.
        if Pane::ALL[next] == Pane::Picture && !self.picture_in_detail {
            next = place(next);
        }
        self.show_pane(Pane::ALL[next]);
        Vec::new()
    }

    /// Left (-1) and right (1): in time, between panes, across long lines.
    pub(super) fn sideways(&mut self, by: i8) -> Vec<Effect> {
        match self.screen() {
            Screen::Report => self.step_in_time(i64::from(by)),
            Screen::Detail => self.next_pane(isize::from(by)),
            Screen::Crossings => self.step_picture(isize::from(by)),
            Screen::Logs(_) => {
                let widest = self.extras.log.iter().map(|line| line.message.chars().count()).max();
                let across = self.log_across.saturating_add_signed(ACROSS * isize::from(by));
                if across == self.log_across || across >= widest.unwrap_or(0) {
                    return self.refuse("there is nothing more this way");
                }
                self.log_across = across;
                Vec::new()
            }
            _ => self.refuse("nothing to move sideways here"),
        }
    }

    /// The log of the next source or worker, after the one of the whole program.
    fn next_log(&mut self, now: &LogTarget, steps: isize) -> Vec<Effect> {
        let mut targets = vec![LogTarget::Central];
        targets.extend(self.shown().sources.iter().map(|source| LogTarget::Source(source.id.clone())));
        targets.extend(self.shown().workers.iter().map(|worker| LogTarget::Worker(worker.number)));
        let place = targets.iter().position(|target| target == now).unwrap_or(0) as isize;
        let next = (place + steps).rem_euclid(targets.len() as isize) as usize;
        self.screens.pop();
        let (level, filter) = (self.log_level, std::mem::take(&mut self.log_filter));
        self.open(Screen::Logs(targets.swap_remove(next)));
        (self.log_level, self.log_filter) = (level, filter);
        Vec::new()
    }

    fn worker_log(&mut self) -> Vec<Effect> {
        match self.shown().workers.get(self.worker).map(|worker| worker.number) {
            Some(number) => self.open(Screen::Logs(LogTarget::Worker(number))),
            None => self.refuse("there are no workers"),
        }
    }

    pub(super) fn logs(&mut self) -> Vec<Effect> {
        if *self.screen() == Screen::Workers {
            return self.worker_log();
        }
        if matches!(self.screen(), Screen::Logs(LogTarget::Source(_))) {
            return self.back();
        }
        match self.subject() {
            Ok(id) => self.open(Screen::Logs(LogTarget::Source(id))),
            Err(reason) => self.refuse(reason),
        }
    }

    pub(super) fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.mouse = !self.mouse;
        self.say(if self.mouse { "mouse on; select text with Shift" } else { "mouse off" }, Tone::Done);
        vec![Effect::Mouse(self.mouse)]
    }

    /// Selects the source on this row of the screen.
    pub(super) fn click(&mut self, row: u16) {
        if *self.screen() != Screen::Overview {
            return;
        }
        let Some(line) = row.checked_sub(self.table_area.y).filter(|line| *line < self.table_area.height)
        else {
            return;
        };
        if let Some(Row::Source(index)) = self.rows.get(self.offset + usize::from(line)) {
            self.panel = Panel::Sources;
            self.selected = self.shown().sources.get(*index).map(|source| source.id.clone());
        }
    }
}

/// The column of the number keys, from 1.
fn column(number: u8) -> Option<SortKey> {
    SortKey::ALL.get(usize::from(number).checked_sub(1)?).copied()
}
