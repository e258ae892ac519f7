//! What changes the engine: pause, restart, add, remove, workers; and leaving.

use std::sync::Arc;

use super::{Effect, Screen, Tone, UiState};
use crate::{
    engine::Control,
    host::ConfigPlace,
    logging::Level,
    model::{SourceId, SourceKind, SourceSnapshot, SourceState},
    tui::{
        Exit,
        dialogs::{Dialog, confirm::Further},
        format::{self, signed},
        text::clean,
        widgets::chart,
    },
};

impl UiState {
    pub(super) fn pause(&mut self) -> Vec<Effect> {
        let Some(targets) = self.targets_or_reason() else { return Vec::new() };
        let ids = |of: &dyn Fn(&SourceState) -> bool| -> Vec<SourceId> {
            targets.iter().filter(|source| of(&source.state)).map(|source| source.id.clone()).collect()
        };
        let active = ids(&|state| *state != SourceState::Paused && !state.is_over());
        let paused = ids(&|state| *state == SourceState::Paused);
        if !active.is_empty() {
            self.say(format!("pausing {}", names(&targets, &active)), Tone::Done);
            active.into_iter().map(|id| Effect::Control(Control::pause(id))).collect()
        } else if !paused.is_empty() {
            self.say(format!("resuming {}", names(&targets, &paused)), Tone::Done);
            paused.into_iter().map(|id| Effect::Control(Control::resume(id))).collect()
        } else {
            let word = targets[0].state.word().to_lowercase();
            self.refuse(format!(
                "nothing to pause: '{}' is {word}; 'r' starts it again",
                clean(&targets[0].name())
            ))
        }
    }

    pub(super) fn pause_all(&mut self) -> Vec<Effect> {
        let states = || self.snapshot.sources.iter().map(|source| &source.state);
        if states().any(|state| *state != SourceState::Paused && !state.is_over()) {
            self.say("pausing all sources", Tone::Done);
            vec![Effect::Control(Control::PauseAll(true))]
        } else if states().any(|state| *state == SourceState::Paused) {
            self.say("resuming all sources", Tone::Done);
            vec![Effect::Control(Control::PauseAll(false))]
        } else {
            self.refuse("nothing to pause: no source is running")
        }
    }

    pub(super) fn restart(&mut self) -> Vec<Effect> {
        let Some(targets) = self.targets_or_reason() else { return Vec::new() };
        let ids: Vec<SourceId> = targets.iter().map(|source| source.id.clone()).collect();
        self.say(format!("opening {} again", names(&targets, &ids)), Tone::Done);
        ids.into_iter().map(|id| Effect::Control(Control::restart(id))).collect()
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
        let effects =
            targets.iter().map(|source| Effect::Control(Control::reset_counts(source.id.clone()))).collect();
        self.dialog =
            Some(Dialog::confirm("Set these counts to zero?", lines, "counts set to zero", effects));
        Vec::new()
    }

    pub(super) fn remove(&mut self) -> Vec<Effect> {
        let Some(targets) = self.targets_or_reason() else { return Vec::new() };
        let lines = targets
            .iter()
            .map(|source| format!("{}, {}", clean(&source.name()), source.state.word().to_lowercase()))
            .chain([String::new(), "What was counted stays in the results.".into()]);
        let mut lines: Vec<String> = lines.collect();
        let ids: Vec<SourceId> = targets.iter().map(|source| source.id.clone()).collect();
        let here: Vec<Effect> = ids.iter().map(|id| Effect::Control(Control::Remove(id.clone()))).collect();
        let further = match &self.config_place {
            ConfigPlace::File(file) => {
                lines.push(format!(
                    "What is removed here only comes back with the next start, out of '{file}'."
                ));
                Some(Further {
                    key: 'f',
                    plain: "remove here".into(),
                    what: "remove from the file, too".into(),
                    done: format!("removed; writing '{file}'"),
                    effects: here.iter().cloned().chain([Effect::RemoveFromFile(ids)]).collect(),
                })
            }
            ConfigPlace::CouldBe(_) | ConfigPlace::Nowhere => None,
        };
        self.dialog = Some(Dialog::remove(lines, here, further));
        Vec::new()
    }

    pub(super) fn workers(&mut self, by: isize) -> Vec<Effect> {
        match self.screen() {
            Screen::Overview | Screen::Workers => {}
            Screen::Detail => {
                match chart::stepped(self.chart, by) {
                    Some(width) => self.chart = width,
                    None if by > 0 => self.say("a day is the widest column", Tone::Refused),
                    None => self.say("a minute is the narrowest column", Tone::Refused),
                }
                return Vec::new();
            }
            Screen::Report => return self.change_scale(by),
            Screen::Crossings => return self.zoom_strip(by > 0),
            Screen::Logs(_) => return self.change_log_level(by),
            _ => return self.refuse("the number of workers is changed on the overview; 'W' shows them"),
        }
        let most = self.snapshot.max_workers;
        let now = self.pending_workers.unwrap_or(self.snapshot.worker_count);
        let next = now.saturating_add_signed(by).clamp(1, most.max(1));
        if next == now {
            return self.refuse(if by > 0 {
                format!("all {most} workers are on; 'max_workers' in the configuration allows no more")
            } else {
                "the last worker stays; 'P' pauses everything".into()
            });
        }
        self.pending_workers = Some(next);
        self.say(format!("{next} of {most} workers"), Tone::Done);
        vec![Effect::Control(Control::SetWorkers(next))]
    }

    fn change_log_level(&mut self, by: isize) -> Vec<Effect> {
        const LEVELS: [Level; 4] = [Level::Error, Level::Warn, Level::Info, Level::Debug];
        let now = LEVELS.iter().position(|level| *level == self.log_level).unwrap_or(LEVELS.len() - 1);
        match now.checked_add_signed(by).and_then(|next| LEVELS.get(next)) {
            Some(level) => {
                self.log_level = *level;
                self.scroll = 0;
                self.say(format!("shown: {} and worse", level.word()), Tone::Done);
            }
            None if by > 0 => self.say("everything is shown", Tone::Refused),
            None => self.say("only errors are shown", Tone::Refused),
        }
        Vec::new()
    }

    pub(super) fn acknowledge(&mut self) -> Vec<Effect> {
        let unseen: Vec<_> =
            self.alerts.iter().filter(|alert| !alert.acknowledged).map(|alert| alert.key.clone()).collect();
        if unseen.is_empty() {
            return self.refuse("no alerts to acknowledge");
        }
        self.say(
            format!("{} acknowledged; they come back if they happen anew", plural(unseen.len(), "alert")),
            Tone::Done,
        );
        self.acknowledged.extend(unseen);
        self.rearrange();
        Vec::new()
    }

    pub(super) fn copy(&mut self) -> Vec<Effect> {
        match self.screen() {
            Screen::Report => return self.copy_history(),
            Screen::Logs(_) => return self.copy_log(),
            _ => {}
        }
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
        vec![Effect::Copy(text.trim_end().to_string())]
    }

    /// The lines of the log that are on the screen, as they stand in the file.
    fn copy_log(&mut self) -> Vec<Effect> {
        let end = self.extras.log.len().saturating_sub(self.scroll);
        let shown = &self.extras.log[end.saturating_sub(self.page)..end];
        if shown.is_empty() {
            return self.refuse("there are no lines to copy");
        }
        let text: String = shown.iter().map(|line| format!("{}\n", line.text)).collect();
        vec![Effect::Copy(text)]
    }

    pub(super) fn quit(&mut self) -> Vec<Effect> {
        if self.close() {
            return Vec::new();
        }
        if self.is_attached() {
            return vec![Effect::Quit(Exit::Quit)];
        }
        let is_live = |source: &SourceSnapshot| {
            source.kind == SourceKind::Camera
                && source.state != SourceState::Paused
                && !source.state.is_over()
        };
        let cameras = self.snapshot.sources.iter().filter(|source| is_live(source)).count();
        let mut unfinished = Vec::new();
        if cameras > 0 {
            unfinished.push(plural(cameras, "camera"));
        }
        let videos = self
            .snapshot
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
        let quit = vec![Effect::Quit(Exit::Quit)];
        if unfinished.is_empty() {
            return quit;
        }
        self.dialog = Some(Dialog::quit(unfinished, quit));
        Vec::new()
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
