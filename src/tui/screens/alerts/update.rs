//! What keys do on the screen of alerts.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{
    draw,
    state::{Row, State},
};
use crate::{
    evidence::millis,
    model::{EventKind, SourceId},
    tui::{
        action::Action,
        alerts::AlertKind,
        canvas::Canvas,
        context::{Context, Tone},
        drawn::Geometry,
        effect::{Effect, Go},
        screen::{Hint, Screen},
        screens::crossings::opening,
    },
};

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::Enter, "its source"),
            (Action::Crossings, ""),
            (Action::Logs, "its log"),
            (Action::Restart, ""),
            (Action::Pause, ""),
            (Action::Down, ""),
            (Action::Up, ""),
        ]
    }

    fn subject(&self, context: &Context) -> Result<SourceId, String> {
        match self.row(context) {
            Some(row) => Ok(row.key().source.clone()),
            None => Err("nothing is wrong, and nothing was; 'q' goes back".into()),
        }
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let page = context.geometry.page.max(1) as isize;
        match action {
            Action::Up => self.step(-1, context),
            Action::Down => self.step(1, context),
            Action::Top => self.step(isize::MIN, context),
            Action::Bottom => self.step(isize::MAX, context),
            Action::PageUp => self.step(-page, context),
            Action::PageDown => self.step(page, context),
            Action::Enter => return Some(self.open(context)),
            Action::Crossings => return self.crossings(context),
            Action::Acknowledge => return Some(self.acknowledge(context)),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn shows_alerts(&self) -> bool {
        true
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }

    fn settle(&mut self, geometry: &Geometry) {
        self.first = geometry.first;
    }
}

impl State {
    fn step(&mut self, by: isize, context: &Context) {
        let last = Self::rows(context).len().saturating_sub(1);
        self.chosen = self.chosen.min(last).saturating_add_signed(by).min(last);
    }

    /// The source of the chosen alert.
    fn open(&self, context: &mut Context) -> Vec<Effect> {
        let id = match self.subject(context) {
            Ok(id) => id,
            Err(reason) => return context.refuse(reason),
        };
        if context.source(&id).is_none() {
            return context.refuse(format!("'{id}' is gone"));
        }
        let shown = Arc::clone(context.shown());
        context.listing.select(id, &shown);
        vec![Go::Source.into()]
    }

    /// The crossings behind the chosen alert: of a limit up to the one that reached it, else the last of the source.
    fn crossings(&self, context: &mut Context) -> Option<Vec<Effect>> {
        let key = self.row(context)?.key().clone();
        let raised = context.shown().events.iter().rev().find(|event| {
            event.source == key.source && matches!(event.kind, EventKind::Threshold { over: true, .. })
        });
        let at = raised.filter(|_| key.kind == AlertKind::Limit).map(|event| millis(event.wall));
        Some(vec![Go::Crossings(Box::new(opening::of_last_day(context, key.source, at))).into()])
    }

    fn acknowledge(&self, context: &mut Context) -> Vec<Effect> {
        let key = match self.row(context) {
            Some(Row::Standing(key)) => key.clone(),
            Some(Row::Past(_)) => {
                return context.refuse("this alert is over; nothing is left to acknowledge");
            }
            None => return context.refuse("no alerts to acknowledge"),
        };
        if context.alerts.standing().iter().any(|alert| alert.key == key && alert.acknowledged) {
            return context.refuse("it is acknowledged already");
        }
        let name = context.name_of(&key.source);
        let told = context.acknowledge(&[key]);
        context.say(format!("'{name}' acknowledged; it comes back if it happens again"), Tone::Done);
        told.into_iter().map(Effect::from).collect()
    }
}
