//! The counting rule of the original program (mode `centroid`), for comparison.
//!
//! Generalised from "half the height" to any line: the original's `y` is the signed depth. Once per track
//! and line for life, no segment ends, no dead band: its defects are kept on purpose.

use std::collections::HashMap;

use super::{CountEvent, Counter, Crossing, ZoneStatus, line::Line};
use crate::{
    geometry::Anchor,
    model::{Direction, LineConfig, TrackId},
    track::TrackUpdate,
};

/// Sum and number of all earlier depths of a track, and whether it was counted.
#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    sum: f64,
    count: u64,
    counted: bool,
}

/// Compares each depth with the mean of all earlier ones.
#[derive(Debug)]
pub struct CentroidCounter {
    lines: Vec<(Line, Anchor)>,
    memory: HashMap<TrackId, Vec<Memory>>,
}

impl CentroidCounter {
    /// A counter for a frame of this `aspect`.
    #[must_use]
    pub fn new(lines: &[LineConfig], aspect: f32) -> Self {
        let lines = lines.iter().map(|line| (Line::new(line, aspect), line.anchor)).collect();
        Self { lines, memory: HashMap::new() }
    }
}

impl Counter for CentroidCounter {
    fn update(&mut self, time: f64, update: &TrackUpdate) -> Vec<CountEvent> {
        let mut events = Vec::new();
        for track in &update.tracks {
            let states =
                self.memory.entry(track.id).or_insert_with(|| vec![Memory::default(); self.lines.len()]);
            for (number, ((line, anchor), state)) in self.lines.iter().zip(states).enumerate() {
                let at = match anchor {
                    Anchor::Foot => track.bbox.foot(),
                    Anchor::Center => track.bbox.center(),
                    Anchor::Head => track.bbox.head(),
                };
                let depth = f64::from(line.depth(at));
                if state.count > 0 && !state.counted {
                    let moved = depth - state.sum / state.count as f64;
                    let direction = match (moved, depth) {
                        (moved, depth) if moved < 0.0 && depth < 0.0 => Some(Direction::Out),
                        (moved, depth) if moved > 0.0 && depth > 0.0 => Some(Direction::In),
                        _ => None,
                    };
                    if let Some(direction) = direction {
                        state.counted = true;
                        events.push(CountEvent::Crossing(Crossing {
                            line: number,
                            direction,
                            track: track.id,
                            time,
                            at,
                            score: track.score,
                        }));
                    }
                }
                state.sum += depth;
                state.count += 1;
            }
        }
        for track in &update.ended {
            self.memory.remove(&track.id);
        }
        events
    }

    fn zones(&self) -> Vec<ZoneStatus> {
        Vec::new()
    }
}
