//! The dashboard as plain text.
//!
//! A source is called by its place in the list and its alias, `Camera 03 (Video Test)`: the third source,
//! whether it is a camera or a video. Below its counts stand its lines, when it has several, why they cannot be relied
//! upon, where they cannot, and its last error, when it has one.

use std::{cmp::Ordering, fmt::Write};

use crate::{
    model::{Drift, EngineSnapshot, Total},
    outputs::status::{SourceStatus, Status},
};

const DOUBLE: &str = "=========================================";
const SINGLE: &str = "-----------------------------------------";

/// The whole dashboard, ending with a line feed.
#[must_use]
pub fn dashboard(status: &Status) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{DOUBLE}\nParallel People Counting System\n{DOUBLE}");
    let _ = writeln!(
        text,
        "Workers: {}/{} active | Queue: {} pending\n{SINGLE}",
        status.active_workers, status.worker_count, status.queue_pending
    );
    for (index, source) in status.sources.iter().enumerate() {
        block(&mut text, index + 1, source);
        text.push('\n');
    }
    for area in &status.areas {
        let _ = writeln!(text, "Area {}: Inside: {}", plain(&area.name), area.of_capacity());
        let since = if area.corrected.is_some() { "since the last correction" } else { "in all" };
        let _ = writeln!(text, "  In: {} | Out: {} ({since})", area.total_in, area.total_out);
        let _ = writeln!(text, "  Drift: {}", Drift::words(area.drift.as_ref()));
        if area.is_over {
            let _ = writeln!(text, "  Over threshold: {}", area.cause());
        }
        text.push('\n');
    }
    let Total { total_in, total_out, net } = status.total();
    let _ = writeln!(text, "{DOUBLE}\nTotal: In: {total_in} | Out: {total_out} | Net: {net:+}\n{DOUBLE}");
    text
}

fn block(text: &mut String, number: usize, source: &SourceStatus) {
    let limit = source.threshold.map(|limit| (source.current().cmp(&limit), limit));
    let _ = writeln!(text, "Camera {number:02} ({}):", plain(&source.alias));
    let _ = writeln!(text, "  Status: {} | FPS: {:.1}", source.status.word(), source.fps);
    let _ =
        write!(text, "  In: {} | Out: {} | Current: {}", source.total_in, source.total_out, source.current());
    let _ = match limit {
        Some((Ordering::Equal, limit)) => writeln!(text, " | At limit: {limit}"),
        Some((Ordering::Greater, limit)) => writeln!(text, " | Over limit: {limit}"),
        _ => writeln!(text),
    };
    if source.lines.len() > 1 {
        for (name, total_in, total_out) in &source.lines {
            let _ = writeln!(text, "  Line {}: In: {total_in} | Out: {total_out}", plain(name));
        }
    }
    if let Some(doubt) = source.doubt {
        let _ = writeln!(text, "  Not to be relied upon: {}; {}", doubt.words(), doubt.expected());
    }
    if let Some(error) = &source.last_error {
        let _ = writeln!(text, "  Error: {}", plain(error));
    }
    if let Some(flapping) = &source.flapping {
        let _ = writeln!(text, "  Note: {flapping}");
    }
}

/// Text of the user's or a library's that may hold anything: here it stays on its line.
fn plain(text: &str) -> String {
    crate::logging::line::clean(text)
}

/// What must change for the dashboard to be worth printing again: everything but the frame rates and what
/// changes with every frame.
pub(super) fn fingerprint(snapshot: &EngineSnapshot) -> String {
    let mut text = format!("{} ", snapshot.worker_count);
    for source in &snapshot.sources {
        let _ = write!(
            text,
            "{}:{}:{}:{}:{:?}:{:?}:{}|",
            source.id,
            source.state.word(),
            source.total_in,
            source.total_out,
            source.doubt(),
            source.last_error,
            source.short_sessions
        );
    }
    for area in snapshot.areas.iter() {
        let _ = write!(text, "{}:{}:{}:{:?}|", area.name, area.total_in, area.total_out, area.corrected);
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{
        Doubt, Learned, LineCounts, Moment, Scene, SourceSnapshot, SourceState, Strategy, WorkerSnapshot,
        ZoneCounts,
    };

    fn source(
        id: &str,
        alias: &str,
        state: SourceState,
        fps: f32,
        counts: (u64, u64),
    ) -> Arc<SourceSnapshot> {
        Arc::new(SourceSnapshot {
            alias: alias.to_owned(),
            state,
            fps,
            frames: 100,
            total_in: counts.0,
            total_out: counts.1,
            lines: vec![LineCounts { name: "line_1".into(), total_in: counts.0, total_out: counts.1 }],
            ..SourceSnapshot::new(id)
        })
    }

    fn dashboard(snapshot: &EngineSnapshot) -> String {
        super::dashboard(&Status::from(snapshot))
    }

    /// The state of the example in the specification.
    pub(crate) fn snapshot() -> EngineSnapshot {
        let busy = |number| WorkerSnapshot {
            number,
            enabled: true,
            source: Some("x".into()),
            frames: 1,
            busy: 0.5,
            ..WorkerSnapshot::default()
        };
        EngineSnapshot {
            sources: vec![
                source("camera_01", "Main Entrance", SourceState::Running, 25.3, (12, 8)),
                source("camera_02", "Side Exit", SourceState::Running, 23.1, (5, 7)),
                source("video_01", "Video Test", SourceState::Completed, 62.4, (3, 3)),
            ],
            workers: (1..=4).map(busy).collect(),
            worker_count: 4,
            max_workers: 8,
            queue_pending: 0,
            queue: Vec::new(),
            strategy: Strategy::Shared,
            detector: String::new(),
            problems: Vec::new(),
            notices: Vec::new(),
            acknowledged: Arc::default(),
            areas: Arc::default(),
            nodes: Arc::default(),
            events: Arc::default(),
            events_lost: 0,
            log_lines_lost: 0,
            cpu: 0.0,
            rss: 0,
            memory_limit: None,
            taken: Moment::START,
            generation: 0,
        }
    }

    #[test]
    fn is_the_example_of_the_specification() {
        let expected = "\
=========================================
Parallel People Counting System
=========================================
Workers: 4/4 active | Queue: 0 pending
-----------------------------------------
Camera 01 (Main Entrance):
  Status: Running | FPS: 25.3
  In: 12 | Out: 8 | Current: 4

Camera 02 (Side Exit):
  Status: Running | FPS: 23.1
  In: 5 | Out: 7 | Current: -2

Camera 03 (Video Test):
  Status: Completed | FPS: 62.4
  In: 3 | Out: 3 | Current: 0

=========================================
Total: In: 20 | Out: 18 | Net: +2
=========================================
";
        assert_eq!(dashboard(&snapshot()), expected);
    }

    #[test]
    fn shows_limits_lines_and_errors_each_on_a_line_of_its_own() {
        let mut shown = snapshot();
        let first = Arc::make_mut(&mut shown.sources[0]);
        first.threshold = Some(4);
        first.last_error = Some("no picture\n\u{1b}[2J".into());
        first.lines = vec![
            LineCounts { name: "door".into(), total_in: 10, total_out: 8 },
            LineCounts { name: "gate".into(), total_in: 2, total_out: 0 },
        ];
        first.fps = f32::NAN;
        let text = dashboard(&shown);
        assert!(
            text.contains(
                "Camera 01 (Main Entrance):
  Status: Running | FPS: 0.0
  In: 12 | Out: 8 | Current: 4 | At limit: 4
  Line door: In: 10 | Out: 8
  Line gate: In: 2 | Out: 0
  Error: no picture\\n\\u{1b}[2J

Camera 02"
            ),
            "{text}"
        );
    }

    #[test]
    fn counts_that_cannot_be_relied_upon_are_not_printed_as_if_they_could() {
        let mut shown = snapshot();
        let before = fingerprint(&shown);
        let (doubt, learned) = (Some(Doubt::Small), Learned::default());
        let scene = Scene { doubt, heights: None, scale: 1.0, learned };
        Arc::make_mut(&mut shown.sources[0]).scene = Some(scene);
        let text = dashboard(&shown);
        let note = "Current: 4\n  Not to be relied upon: people are too small; about 1 crossing in 3 is likely to be wrong\n";
        assert!(text.contains(note) && text.matches("relied").count() == 1, "{text}");
        assert_ne!(fingerprint(&shown), before, "it is printed again");
    }

    #[test]
    fn at_a_limit_is_not_over_it_and_a_zone_is_not_the_source() {
        let mut shown = snapshot();
        Arc::make_mut(&mut shown.sources[0]).threshold = Some(3);
        Arc::make_mut(&mut shown.sources[1]).threshold = Some(3);
        Arc::make_mut(&mut shown.sources[1]).zones =
            vec![ZoneCounts { name: "desk".into(), occupancy: 9, mean_dwell: 0.0, threshold: Some(1) }];
        let text = dashboard(&shown);
        assert!(text.contains("Current: 4 | Over limit: 3\n"), "{text}");
        assert!(text.contains("Current: -2\n"), "{text}");
    }

    #[test]
    fn workers_that_finish_while_they_are_turned_off_are_no_more_than_there_are() {
        let mut shown = snapshot();
        shown.worker_count = 1;
        assert!(dashboard(&shown).contains("Workers: 1/1 active"), "{}", dashboard(&shown));
    }

    #[test]
    fn an_empty_engine_and_a_negative_net_are_drawn() {
        let mut shown = snapshot();
        shown.sources.remove(0);
        assert!(dashboard(&shown).contains("Total: In: 8 | Out: 10 | Net: -2\n"));
        shown.sources.clear();
        assert!(dashboard(&shown).contains("Total: In: 0 | Out: 0 | Net: +0\n"));
    }
}
