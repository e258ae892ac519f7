//! Tracks as written to files, once they are complete.

use std::collections::BTreeMap;

use super::{
    mot::{MotBox, Rows},
    play::{Clip, Log, file_id},
};
use crate::{geometry::BBox, model::TrackId};

/// Longest gap, in seconds, that is filled between two sightings of one track.
pub const FILL: f64 = 1.2;

/// The sightings of all tracks that were ever confirmed, from their first on, with gaps up to [`FILL`]
/// filled by straight lines; pixels.
///
/// A live counter confirms and finds again with delay; a file is written afterwards and may say what was
/// known in the end. All clips are treated alike.
#[must_use]
pub fn rows(log: &Log, clip: &Clip) -> Rows {
    let mut sightings: BTreeMap<TrackId, Vec<(u32, BBox, f32)>> = BTreeMap::new();
    let mut confirmed = std::collections::BTreeSet::new();
    for (frame, update) in &log.updates {
        for track in &update.tracks {
            if track.confirmed {
                confirmed.insert(track.id);
            }
            if track.seen {
                sightings.entry(track.id).or_default().push((*frame, track.bbox, track.score));
            }
        }
    }
    let mut rows = Rows::new();
    for (id, seen) in sightings.into_iter().filter(|(id, _)| confirmed.contains(id)) {
        let mut last: Option<(u32, BBox)> = None;
        for (frame, bbox, score) in seen {
            let mut put = |frame: u32, bbox: &BBox| {
                let row =
                    MotBox { id: file_id(id), bbox: clip.pixels(bbox), confidence: score, moving: -1.0 };
                rows.entry(frame).or_default().push(row);
            };
            if let Some((before, from)) = last.filter(|(f, _)| f64::from(frame - f) <= FILL * clip.fps) {
                for between in before + 1..frame {
                    let share = (between - before) as f32 / (frame - before) as f32;
                    put(between, &blend(&from, &bbox, share));
                }
            }
            put(frame, &bbox);
            last = Some((frame, bbox));
        }
    }
    rows
}

fn blend(from: &BBox, to: &BBox, share: f32) -> BBox {
    let mix = |a: f32, b: f32| a + (b - a) * share;
    BBox::new(mix(from.x, to.x), mix(from.y, to.y), mix(from.w, to.w), mix(from.h, to.h))
}
