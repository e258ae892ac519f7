//! What keys do on the screen of one source.

use super::{
    draw,
    panes::{self, Pane},
    state::State,
};
use crate::{
    logging::Level,
    model::{SourceId, SourceSnapshot},
    tui::{
        action::Action,
        canvas::Canvas,
        context::{Context, Tone},
        drawn::Geometry,
        effect::{Effect, Go},
        screen::{Hint, LogNeed, Needs, Screen},
        screens::{
            crossings::{
                opening,
                state::{Crossings, facts_of},
            },
            logs::state::LogTarget,
        },
        widgets::chart,
    },
};
use ratatui::layout::Rect;

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::NextPanel, "next pane"),
            (Action::Down, "next source"),
            (Action::Up, "previous"),
            (Action::Maximize, ""),
            (Action::WiderColumns, ""),
            (Action::NarrowerColumns, ""),
            (Action::Preview, ""),
            (Action::Crossings, ""),
            (Action::EditLines, ""),
            (Action::EditSource, ""),
            (Action::Pause, ""),
            (Action::Restart, ""),
            (Action::PageDown, "scroll"),
            (Action::Logs, ""),
            (Action::Reset, ""),
            (Action::Copy, ""),
        ]
    }

    fn subject(&self, context: &Context) -> Result<SourceId, String> {
        context.listing.selected().cloned().ok_or_else(|| context.why_empty())
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let page = context.geometry.page.max(1) as isize;
        match action {
            // The next source is one key away; page keys and the ends move in the chosen pane.
            Action::Up | Action::Down => {
                self.scroll = 0;
                return Some(context.step_selection(if action == Action::Up { -1 } else { 1 }));
            }
            Action::Top => self.scroll_by(isize::MIN),
            Action::Bottom => self.scroll_by(isize::MAX),
            Action::PageUp => self.scroll_by(-page),
            Action::PageDown => self.scroll_by(page),
            Action::Left | Action::PreviousPanel => self.step_pane(-1),
            Action::Right | Action::NextPanel => self.step_pane(1),
            Action::Pane(number) => match usize::from(number).checked_sub(1).and_then(|at| Pane::ALL.get(at))
            {
                Some(pane) if *pane == self.pane => {
                    return Some(
                        context.refuse(format!("'{}' is chosen already; it shows in bold", pane.name())),
                    );
                }
                Some(pane) => self.show(*pane),
                None => return Some(context.refuse(format!("this screen has {} panes", Pane::ALL.len()))),
            },
            Action::Maximize => {
                self.maximized = !self.maximized;
                let words = if self.maximized { "has all the room" } else { "is one of all panes again" };
                context.say(format!("'{}' {words}", self.pane.name()), Tone::Done);
            }
            Action::Preview => {
                self.preview = !self.preview;
                if self.preview {
                    self.show(Pane::Preview);
                } else if self.pane == Pane::Preview {
                    self.show(Pane::Counts);
                }
            }
            Action::WiderColumns => self.change_columns(1, context),
            Action::NarrowerColumns => self.change_columns(-1, context),
            Action::Enter | Action::Crossings if self.pane == Pane::Events => {
                return self.open_events(context);
            }
            Action::Enter => {
                return Some(match self.subject(context) {
                    Ok(id) => vec![Go::Logs(LogTarget::Source(id)).into()],
                    Err(reason) => context.refuse(reason),
                });
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn needs(&self, context: &Context) -> Needs {
        let Some(id) = context.listing.selected() else { return Needs::default() };
        let (width, height) = context.size;
        let area = Rect::new(0, 1, width, height.saturating_sub(2));
        let shows =
            self.preview && panes::shows_preview(area, (width, height.saturating_sub(1)), self.wanted(0, 0));
        Needs {
            previews: shows.then(|| id.clone()).into_iter().collect(),
            log: Some(LogNeed {
                target: LogTarget::Source(id.clone()),
                level: Level::Debug,
                filter: String::new(),
            }),
            detail: Some((id.clone(), self.chart_width)),
            ..Needs::default()
        }
    }

    fn is_about<'a>(&self, context: &'a Context) -> Option<&'a SourceSnapshot> {
        context.selected().map(|source| &**source)
    }

    fn close(&mut self) {
        self.scroll = 0;
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }

    fn settle(&mut self, geometry: &Geometry) {
        self.scroll = geometry.first;
    }
}

impl State {
    /// What room has to be found for, with so many lines of counts and of the configuration.
    pub(super) fn wanted(&self, counts: u16, config: u16) -> panes::Wanted {
        panes::Wanted { chosen: self.pane, maximized: self.maximized, preview: self.preview, counts, config }
    }

    fn scroll_by(&mut self, by: isize) {
        let by = if self.pane.is_read_from_its_end() { by.saturating_neg() } else { by };
        self.scroll = self.scroll.saturating_add_signed(by);
    }

    fn change_columns(&mut self, by: isize, context: &mut Context) {
        match chart::stepped(self.chart_width, by) {
            Some(width) => self.chart_width = width,
            None if by > 0 => context.say("a day is the widest column", Tone::Refused),
            None => context.say("a minute is the narrowest column", Tone::Refused),
        }
    }

    /// The crossings among the events of the source, from the one at the lower end of the pane.
    fn open_events(&mut self, context: &Context) -> Option<Vec<Effect>> {
        let source = context.listing.selected()?;
        let events = self.events_of(source);
        let end = events.len().saturating_sub(self.scroll);
        let newest = events[..end].iter().rev().find(|event| facts_of(event).is_some());
        let crossings = match newest {
            Some(newest) => {
                Crossings::of_events(format!("events of {}", context.name_of(source)), events, newest)
            }
            None => opening::of_last_day(context, source.clone(), None),
        };
        Some(vec![Go::Crossings(Box::new(crossings)).into()])
    }
}
