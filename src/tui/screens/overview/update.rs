//! What keys do on the overview.

use std::sync::Arc;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::{
    draw,
    state::{Panel, State},
};
use crate::{
    evidence::millis,
    model::{EventKind, SourceId},
    tui::{
        action::Action,
        canvas::Canvas,
        context::{Context, Tone},
        drawn::Geometry,
        effect::{Effect, Go, HostWork},
        listing::{Row, SortKey},
        screen::{Hint, Needs, Screen},
        screens::crossings::{opening, state::Crossings},
    },
};

const PANELS: [Panel; 3] = [Panel::Sources, Panel::Workers, Panel::Events];

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, ""),
            (Action::Enter, "details"),
            (Action::History, ""),
            (Action::Pause, ""),
            (Action::Restart, ""),
            (Action::Add, ""),
            (Action::Preview, ""),
            (Action::Wall, ""),
            (Action::Alerts, ""),
            (Action::Logs, ""),
            (Action::Workers, ""),
            (Action::Nodes, ""),
            (Action::Crossings, ""),
            (Action::Filter, ""),
            (Action::SortNext, ""),
            (Action::Freeze, ""),
            (Action::EditLines, ""),
            (Action::EditSource, ""),
            (Action::Remove, ""),
            (Action::Mark, ""),
            (Action::NextPanel, ""),
            (Action::Export, ""),
            (Action::Palette, ""),
        ]
    }

    fn subject(&self, context: &Context) -> Result<SourceId, String> {
        context.listing.selected().cloned().ok_or_else(|| context.why_empty())
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let page = context.geometry.page.max(1) as isize;
        Some(match action {
            Action::Up => self.step(-1, context),
            Action::Down => self.step(1, context),
            Action::Top => self.step(isize::MIN, context),
            Action::Bottom => self.step(isize::MAX, context),
            Action::PageUp => self.step(-page, context),
            Action::PageDown => self.step(page, context),
            Action::Enter => self.enter(context),
            Action::NextPanel => self.next_panel(1),
            Action::PreviousPanel => self.next_panel(2),
            Action::SortNext => {
                let keys = SortKey::ALL.len() - usize::from(!context.shown().is_fleet());
                let now = SortKey::ALL.iter().position(|key| *key == context.arrangement().sort).unwrap_or(0);
                sort(SortKey::ALL[(now + 1) % keys], false, context)
            }
            Action::SortReverse => sort(context.arrangement().sort, !context.arrangement().reversed, context),
            Action::SortBy(number) => {
                let key = *SortKey::ALL.get(usize::from(number).checked_sub(1)?)?;
                let again = context.arrangement().sort == key;
                sort(key, again && !context.arrangement().reversed, context)
            }
            Action::Group => {
                let shown = Arc::clone(context.shown());
                let grouped = context.listing.next_group(&shown);
                context.rearrange();
                context.say(grouped.words(), Tone::Done);
                Vec::new()
            }
            Action::Mark => {
                if context.listing.toggle_mark() {
                    return Some(context.step_selection(1));
                }
                let why = context.why_empty();
                context.refuse(why)
            }
            Action::Preview => {
                let shows = self.has_preview(context);
                if !shows && context.selected().is_none() {
                    let why = context.why_empty();
                    return Some(context.refuse(why));
                }
                self.preview = Some(!shows);
                Vec::new()
            }
            Action::Layout => {
                self.layout = self.layout.next();
                context.say(format!("layout: {}", self.layout.name()), Tone::Done);
                vec![HostWork::Remember(self.layout.name().to_owned()).into()]
            }
            Action::Crossings if self.panel == Panel::Events => self.open_event(context),
            _ => return None,
        })
    }

    fn mouse(&mut self, event: MouseEvent, context: &mut Context) -> Option<Vec<Effect>> {
        let MouseEventKind::Down(MouseButton::Left) = event.kind else { return None };
        let rows = context.geometry.rows;
        if let Some(line) = event.row.checked_sub(rows.y).filter(|line| *line < rows.height)
            && let Some(Row::Source(index)) = context.rows().get(self.offset + usize::from(line))
            && let Some(id) = context.shown().sources.get(*index).map(|source| source.id.clone())
        {
            self.panel = Panel::Sources;
            let shown = Arc::clone(context.shown());
            context.listing.select(id, &shown);
        }
        Some(Vec::new())
    }

    fn filter<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        Some(&context.arrangement().filter)
    }

    fn set_filter(&mut self, filter: String, context: &mut Context) {
        context.listing.set_filter(filter);
        context.rearrange();
    }

    fn back(&mut self, context: &mut Context) -> bool {
        if self.panel != Panel::Sources {
            self.panel = Panel::Sources;
            (self.scroll, self.event) = (0, None);
        } else if context.listing.marked() > 0 {
            context.listing.clear_marks();
            context.say("marks cleared", Tone::Done);
        } else if !context.arrangement().filter.is_empty() {
            self.set_filter(String::new(), context);
            context.say("filter cleared", Tone::Done);
        } else {
            return false;
        }
        true
    }

    fn needs(&self, context: &Context) -> Needs {
        let selected = context.listing.selected().filter(|_| self.has_preview(context));
        Needs { previews: selected.cloned().into_iter().collect(), ..Needs::default() }
    }

    fn shows_alerts(&self) -> bool {
        true
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }

    fn settle(&mut self, geometry: &Geometry) {
        match self.panel {
            Panel::Sources => self.offset = geometry.first,
            Panel::Workers => self.scroll = geometry.first,
            Panel::Events => {}
        }
    }
}

impl State {
    fn step(&mut self, by: isize, context: &mut Context) -> Vec<Effect> {
        match self.panel {
            Panel::Sources => return context.step_selection(by),
            Panel::Events => self.step_event(by, context),
            Panel::Workers => {
                self.scroll = self.scroll.saturating_add_signed(by).min(context.shown().workers.len());
            }
        }
        Vec::new()
    }

    fn enter(&mut self, context: &mut Context) -> Vec<Effect> {
        match self.panel {
            Panel::Workers => vec![Go::Workers.into()],
            Panel::Events => self.open_event(context),
            Panel::Sources if context.selected().is_some() => vec![Go::Source.into()],
            Panel::Sources => {
                let why = context.why_empty();
                context.refuse(why)
            }
        }
    }

    fn next_panel(&mut self, steps: usize) -> Vec<Effect> {
        let now = PANELS.iter().position(|panel| *panel == self.panel).unwrap_or(0);
        self.panel = PANELS[(now + steps) % PANELS.len()];
        (self.scroll, self.event) = (0, None);
        Vec::new()
    }

    /// The strip of the chosen event; for what is no crossing, the source, or what led to an alert.
    fn open_event(&mut self, context: &mut Context) -> Vec<Effect> {
        let events = Arc::clone(&context.shown().events);
        let Some(event) =
            self.chosen_event(context).or(events.len().checked_sub(1)).map(|at| Arc::clone(&events[at]))
        else {
            return context.refuse("nothing has happened yet");
        };
        match &event.kind {
            EventKind::Crossing { .. } | EventKind::Suppressed { .. } => {
                vec![Go::Crossings(Box::new(Crossings::of_events("events".into(), &events, &event))).into()]
            }
            EventKind::Threshold { .. } => {
                let at = Some(millis(event.wall));
                vec![Go::Crossings(Box::new(opening::of_last_day(context, event.source.clone(), at))).into()]
            }
            _ if context.source(&event.source).is_some() => {
                let shown = Arc::clone(context.shown());
                context.listing.select(event.source.clone(), &shown);
                vec![Go::Source.into()]
            }
            _ => context.refuse(format!("'{}' is gone", event.source)),
        }
    }
}

fn sort(key: SortKey, reversed: bool, context: &mut Context) -> Vec<Effect> {
    context.listing.sort(key, reversed);
    context.rearrange();
    let how = if reversed { ", reversed" } else { "" };
    context.say(format!("sorted by {}{how}", key.name()), Tone::Done);
    Vec::new()
}
