//! What changes the engine: pause, restart, add, remove, workers; and leaving.

use std::sync::Arc;

use super::Shell;
use crate::{
    engine::Control,
    host::ConfigPlace,
    model::{SourceId, SourceKind, SourceSnapshot, SourceState},
    tui::{
        context::Tone,
        effect::{Effect, Exit, Further, Go, HostWork, Question, TerminalWork},
        format::{self, signed},
        screen_id::ScreenId,
        screens::{crossings::opening, lines::editor::Editor},
        text::clean,
    },
};

/// Whether there is something to pause.
fn is_active(state: &SourceState) -> bool {
    !matches!(state, SourceState::Paused | SourceState::Closed { .. }) && !state.is_over()
}

impl Shell {
    pub(super) fn pause(&mut self) -> Vec<Effect> {
        let Some(targets) = self.targets_or_reason() else { return Vec::new() };
        let ids = |of: &dyn Fn(&SourceState) -> bool| -> Vec<SourceId> {
            targets.iter().filter(|source| of(&source.state)).map(|source| source.id.clone()).collect()
        };
        let active = ids(&is_active);
        let paused = ids(&|state| *state == SourceState::Paused);
        if !active.is_empty() {
            self.context.say(format!("pausing {}", names(&targets, &active)), Tone::Done);
            Self::each(active, Control::pause)
        } else if !paused.is_empty() {
            self.context.say(format!("resuming {}", names(&targets, &paused)), Tone::Done);
            Self::each(paused, Control::resume)
        } else {
            if let SourceState::Closed { .. } = targets[0].state {
                let name = clean(&targets[0].name());
                return self.context.refuse(format!("nothing to pause: '{name}' is closed by its schedule"));
            }
            let word = targets[0].state.word().to_lowercase();
            self.context.refuse(format!(
                "nothing to pause: '{}' is {word}; 'r' starts it again",
                clean(&targets[0].name())
            ))
        }
    }

    pub(super) fn pause_all(&mut self) -> Vec<Effect> {
        let states = || self.context.view.latest().sources.iter().map(|source| &source.state);
        if states().any(is_active) {
            self.context.say("pausing all sources", Tone::Done);
            vec![Control::PauseAll(true).into()]
        } else if states().any(|state| *state == SourceState::Paused) {
            self.context.say("resuming all sources", Tone::Done);
            vec![Control::PauseAll(false).into()]
        } else {
            self.context.refuse("nothing to pause: no source is running")
        }
    }

    pub(super) fn restart(&mut self) -> Vec<Effect> {
        let Some(targets) = self.targets_or_reason() else { return Vec::new() };
        let ids: Vec<SourceId> = targets.iter().map(|source| source.id.clone()).collect();
        self.context.say(format!("restarting {}", names(&targets, &ids)), Tone::Done);
        Self::each(ids, Control::restart)
    }

    pub(super) fn reset(&mut self) -> Vec<Effect> {
        let Some(targets) = self.targets_or_reason() else { return Vec::new() };
        let lines = targets
            .iter()
            .map(|source| {
                format!(
                    "{}: in {}, out {}, current {}",
                    clean(&source.name()),
                    format::count(source.total_in),
                    format::count(source.total_out),
                    signed(source.current())
                )
            })
            .collect();
        let effects = Self::each(targets.iter().map(|source| source.id.clone()), Control::reset_counts);
        vec![
            Go::Ask(Question {
                title: "Set these counts to zero?".into(),
                lines,
                done: "counts set to zero".into(),
                effects,
                ..Question::default()
            })
            .into(),
        ]
    }

    pub(super) fn remove(&mut self) -> Vec<Effect> {
        let Some(targets) = self.targets_or_reason() else { return Vec::new() };
        let lines = targets
            .iter()
            .map(|source| format!("{}, {}", clean(&source.name()), source.state.word().to_lowercase()))
            .chain([String::new(), "What was counted stays in the results.".into()]);
        let mut lines: Vec<String> = lines.collect();
        let ids: Vec<SourceId> = targets.iter().map(|source| source.id.clone()).collect();
        let here = Self::each(ids.iter().cloned(), Control::Remove);
        let further = match &self.context.config.place {
            ConfigPlace::File(file) => {
                lines.push(format!(
                    "What is removed here only comes back with the next start, out of '{file}'."
                ));
                Some(Further {
                    key: 'f',
                    plain: "remove here".into(),
                    what: "remove from the file, too".into(),
                    done: format!("removed; writing '{file}'"),
                    effects: here.iter().cloned().chain([HostWork::RemoveFromFile(ids).into()]).collect(),
                })
            }
            ConfigPlace::CouldBe(_) | ConfigPlace::Fleet | ConfigPlace::Nowhere => None,
        };
        vec![
            Go::Ask(Question {
                title: "Stop and remove from the list?".into(),
                lines,
                done: if further.is_some() { "removed here" } else { "removed" }.into(),
                effects: here,
                further,
                is_quit: false,
            })
            .into(),
        ]
    }

    pub(super) fn workers(&mut self, by: isize) -> Vec<Effect> {
        let most = self.context.view.latest().max_workers;
        let now = self.context.pending_workers.unwrap_or(self.context.view.latest().worker_count);
        let next = now.saturating_add_signed(by).clamp(1, most.max(1));
        if next == now {
            return self.context.refuse(if by > 0 {
                format!("all {most} workers are on; 'max_workers' in the configuration allows no more")
            } else {
                "the last worker stays; 'P' pauses everything".into()
            });
        }
        self.context.pending_workers = Some(next);
        self.context.say(format!("{next} of {most} workers"), Tone::Done);
        vec![Control::SetWorkers(next).into()]
    }

    pub(super) fn acknowledge(&mut self) -> Vec<Effect> {
        let open = self.context.alerts.standing().iter().filter(|alert| !alert.acknowledged);
        let open: Vec<_> = open.map(|alert| alert.key.clone()).collect();
        if open.is_empty() {
            return self.context.refuse("no alerts to acknowledge");
        }
        let told = self.context.acknowledge(&open);
        self.context.say(
            format!("{} acknowledged; they come back if they happen again", plural(open.len(), "alert")),
            Tone::Done,
        );
        told.into_iter().map(Effect::from).collect()
    }

    /// Opens the editor on the lines of the selected source.
    pub(super) fn edit_lines(&mut self) -> Vec<Effect> {
        let id = match self.subject() {
            Ok(id) => id,
            Err(reason) => return self.context.refuse(reason),
        };
        let Some(config) = self.context.config_of(&id) else {
            return self.context.refuse(format!("the configuration of '{id}' is not known yet; try again"));
        };
        vec![Go::Lines(Box::new(Editor::new(id, config.drawn()))).into()]
    }

    /// Crossings of the last day of the source that keys act on.
    pub(super) fn crossings(&mut self) -> Vec<Effect> {
        match self.subject() {
            Ok(source) => {
                vec![Go::Crossings(Box::new(opening::of_last_day(&self.context, source, None))).into()]
            }
            Err(reason) => self.context.refuse(reason),
        }
    }

    /// A random sample of today's crossings: of the chosen source on its screen, else of all.
    pub(super) fn sample(&mut self) -> Vec<Effect> {
        let source = (self.screen() == ScreenId::Source).then(|| self.subject().ok()).flatten();
        let today = self.context.clock().wall.date();
        vec![Go::Crossings(Box::new(opening::sample_of(&self.context, source, today))).into()]
    }

    pub(super) fn copy(&mut self) -> Vec<Effect> {
        let Some(source) = self.targets_or_reason().and_then(|mut targets| targets.pop()) else {
            return Vec::new();
        };
        let text = [
            source.id.to_string(),
            clean(&source.alias),
            source.state.word().to_string(),
            format!("FPS {}", format::fps(source.fps)),
            format!("in {}", source.total_in),
            format!("out {}", source.total_out),
            format!("current {}", source.current()),
            source.last_error.as_deref().map(clean).unwrap_or_default(),
        ]
        .join("\t");
        vec![TerminalWork::Copy(text.trim_end().to_string()).into()]
    }

    pub(super) fn quit(&mut self) -> Vec<Effect> {
        if self.close() {
            return Vec::new();
        }
        if self.context.is_attached() {
            return vec![TerminalWork::Quit(Exit::Quit).into()];
        }
        let is_live = |source: &SourceSnapshot| source.kind == SourceKind::Camera && is_active(&source.state);
        let cameras = self.context.view.latest().sources.iter().filter(|source| is_live(source)).count();
        let mut unfinished = Vec::new();
        if cameras > 0 {
            unfinished.push(plural(cameras, "camera"));
        }
        let videos = self
            .context
            .view
            .latest()
            .sources
            .iter()
            .filter(|source| source.kind == SourceKind::Video && !source.state.is_over());
        unfinished.extend(videos.map(|source| {
            let done = match source.frames_total {
                Some(total) if total > 0 => format::percent(source.frames as f32 / total as f32),
                _ => format!("{} frames", source.frames),
            };
            format!("{}, {done} done", clean(&source.name()))
        }));
        let quit = vec![TerminalWork::Quit(Exit::Quit).into()];
        if unfinished.is_empty() {
            return quit;
        }
        vec![
            Go::Ask(Question {
                title: "Quit? This is still being counted:".into(),
                lines: unfinished,
                effects: quit,
                is_quit: true,
                ..Question::default()
            })
            .into(),
        ]
    }
}

/// `'Main Entrance (camera_01)'`, or `3 sources`.
fn names(targets: &[Arc<SourceSnapshot>], ids: &[SourceId]) -> String {
    match ids {
        [only] => {
            let target = targets.iter().find(|source| source.id == *only);
            format!("'{}'", clean(&target.map_or_else(|| only.to_string(), |source| source.name())))
        }
        more => plural(more.len(), "source"),
    }
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
