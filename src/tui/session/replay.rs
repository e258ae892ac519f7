//! What the line editor's lines would have counted, worked out beside the screens.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Session,
    work::{Answer, Replaying},
};
use crate::{
    count::replay::Paths,
    geometry::Anchor,
    host::Drawn,
    tui::{
        screen::Needs,
        screens::lines::editor::{Replayed, warn},
    },
};

/// How often the tracks behind the line editor are fetched.
const REPLAY_EVERY: Duration = Duration::from_secs(5);

impl Session {
    /// Works out what the edited lines would have counted, when they or the tracks have changed.
    pub(super) fn replay(&mut self, needs: &Needs, now: Instant) {
        let Some(editor) = self.ui.screens.lines.editor.as_ref().filter(|_| needs.paths) else {
            self.replay = Replaying { running: self.replay.running, ..Replaying::default() };
            return;
        };
        let id = editor.source.clone();
        if self.replay.due.is_none_or(|due| due <= now) {
            self.replay.paths = self.engine.paths(&id).map(|paths| (id.clone(), Arc::new(paths)));
            // Those of an engine in another process are on their way.
            self.replay.due = self.replay.paths.is_some().then(|| now + REPLAY_EVERY);
        }
        let Some((_, paths)) = self.replay.paths.as_ref().filter(|(of, _)| *of == id) else { return };
        let now = (editor.drawn().clone(), paths.newest());
        if self.replay.running || self.replay.begun.as_ref() == Some(&now) {
            return;
        }
        let Some(config) = self.engine.source_config(&id) else { return };
        let (paths, drawn, runs) = (Arc::clone(paths), editor.drawn().clone(), editor.as_it_runs().clone());
        self.replay.running = true;
        self.replay.begun = Some(now);
        let anchor = editor.anchor();
        self.in_background("tui-replay", move |_| {
            let of = |drawn: &Drawn| {
                let mut config = (*config).clone();
                config.set_drawn(drawn.clone());
                paths.replay(&config)
            };
            let (with, as_it_runs) = (of(&drawn), of(&runs));
            let walked = Arc::new(walked(&paths, anchor));
            let heights = warn::heights(&paths, &drawn);
            Answer::Replayed(id, Box::new(Replayed { drawn, with, as_it_runs, walked, heights }))
        });
    }
}

/// Where people were seen, in 0..1, each place of a fine grid once.
fn walked(paths: &Paths, anchor: Anchor) -> Vec<(f32, f32)> {
    const GRID: f32 = 160.0;
    let aspect = paths.aspect().max(0.01);
    let cells: BTreeSet<(i32, i32)> =
        paths.places(anchor).map(|at| ((at.x / aspect * GRID) as i32, (at.y * GRID) as i32)).collect();
    cells.into_iter().map(|(x, y)| ((x as f32 + 0.5) / GRID, (y as f32 + 0.5) / GRID)).collect()
}
