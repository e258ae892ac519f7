//! What keys do on the snapshots of crossings.

use ratatui::layout::Rect;

use super::{draw, state::State};
use crate::{
    host::crossings::{CrossingsAnswer, CrossingsQuery, MOST},
    model::{Judgment, SourceId, Verdict},
    tui::{
        action::Action,
        canvas::Canvas,
        context::{Context, Tone},
        drawn::Geometry,
        effect::{Effect, Go, HostWork},
        screen::{Hint, Needs, Screen},
    },
};

/// What is said where there are no pictures to turn over.
const NO_PICTURES: &str = "there are no snapshots of it here";

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::JudgeRight, ""),
            (Action::JudgeWrong, ""),
            (Action::JudgeBoth, ""),
            (Action::Down, "next"),
            (Action::Right, "next snapshot"),
            (Action::OnePicture, "one or all"),
            (Action::Nearer, ""),
            (Action::Up, "previous"),
        ]
    }

    fn subject(&self, _context: &Context) -> Result<SourceId, String> {
        match self.list.chosen() {
            Some(facts) => Ok(facts.source.clone()),
            None => Err("there is no crossing here; 'q' goes back".into()),
        }
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let page = context.geometry.page.max(1) as isize;
        Some(match action {
            Action::Up => self.step_crossing(-1, context),
            Action::Down => self.step_crossing(1, context),
            Action::Top => self.step_crossing(isize::MIN, context),
            Action::Bottom => self.step_crossing(isize::MAX, context),
            Action::PageUp => self.step_crossing(-page, context),
            Action::PageDown => self.step_crossing(page, context),
            Action::Left => self.step_picture(-1, context),
            Action::Right => self.step_picture(1, context),
            Action::OnePicture => self.turn_strip(context),
            Action::Nearer => self.zoom_strip(true, context),
            Action::Farther => self.zoom_strip(false, context),
            Action::JudgeRight => self.judge(Verdict::Right, context),
            Action::JudgeWrong => self.judge(Verdict::Wrong, context),
            Action::JudgeBoth => self.judge(Verdict::OtherWay, context),
            // The key that opens a screen closes it again.
            Action::Crossings => vec![Go::Back.into()],
            Action::Sample if self.list.sample.is_some() => vec![Go::Back.into()],
            _ => return None,
        })
    }

    fn needs(&self, _context: &Context) -> Needs {
        Needs { crossing: true, ..Needs::default() }
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }
}

impl State {
    /// Whether the chosen picture has the whole room: where the terminal has no pixels and five would be too small.
    pub(super) fn is_alone(&self, context: &Context) -> bool {
        self.alone.unwrap_or(!context.has_pixels && context.size.0 < draw::SIDE_BY_SIDE)
    }

    /// Takes the crossings that were asked for.
    pub fn found(
        &mut self,
        asked: &CrossingsQuery,
        found: Result<CrossingsAnswer, String>,
        context: &mut Context,
    ) {
        self.list.found(asked, found);
        if self.list.place().1 >= MOST && self.list.sample.is_none() {
            context.say(format!("there are more: these are the newest {MOST}"), Tone::Done);
        }
        context.touch();
    }

    /// Says of the crossing on the screen whether the program is right.
    fn judge(&mut self, verdict: Verdict, context: &mut Context) -> Vec<Effect> {
        if self.judging {
            // A key that is held down means one judgment.
            return context.refuse("the last judgment is still being saved");
        }
        let Some(said) = self.list.said(verdict) else {
            return context.refuse("there is nothing to judge");
        };
        // Only what was seen is part of a sample.
        if self.list.sample.is_some() && !self.has_strip() {
            return context.refuse("its snapshots are not there yet; a sample is judged by what they show");
        }
        self.judging = true;
        vec![HostWork::Judge(said).into()]
    }

    /// Takes what became of a judgment.
    pub fn judged(&mut self, result: Result<Judgment, String>, context: &mut Context) {
        self.judging = false;
        match result {
            Ok(judgment) => {
                self.list.judged(&judgment);
                context.say(format!("saved in the ledger: {}", judgment.verdict.word()), Tone::Done);
            }
            Err(problem) => context.say(problem, Tone::Refused),
        }
    }

    /// Moves from crossing to crossing.
    fn step_crossing(&mut self, by: isize, context: &mut Context) -> Vec<Effect> {
        if !self.list.step(by) && self.list.chosen().is_some() {
            return context.refuse(if by < 0 {
                "this is the first of them"
            } else {
                "this is the last of them"
            });
        }
        Vec::new()
    }

    /// Moves from picture to picture.
    fn step_picture(&mut self, by: isize, context: &mut Context) -> Vec<Effect> {
        if !self.list.step_picture(by) {
            return context.refuse("there is no further snapshot this way");
        }
        Vec::new()
    }

    /// One picture alone, or all side by side.
    fn turn_strip(&mut self, context: &mut Context) -> Vec<Effect> {
        if !self.has_strip() {
            return context.refuse(NO_PICTURES);
        }
        self.alone = Some(!self.is_alone(context));
        Vec::new()
    }

    /// The person alone, or all around them.
    fn zoom_strip(&mut self, near: bool, context: &mut Context) -> Vec<Effect> {
        if !self.has_strip() {
            return context.refuse(NO_PICTURES);
        }
        if self.near == near {
            return context.refuse(if near {
                "nearer only pixels get larger"
            } else {
                "this is all that is recorded"
            });
        }
        self.near = near;
        Vec::new()
    }

    /// Whether the crossing on the screen has pictures.
    fn has_strip(&self) -> bool {
        self.list.read().is_some_and(|read| read.as_ref().is_ok_and(|known| known.strip.is_some()))
    }
}
