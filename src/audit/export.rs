//! Crossings that somebody judged wrong, as pictures with boxes in the form that `models/train` reads: a folder of pictures
//! and `labels.jsonl`, a line a picture.
//!
//! Nobody has checked each box: they are what the program thought. So the person of a crossing that was counted for
//! nothing, who may be no person at all, is neither a person nor background there (`ignore`); somebody who was there all
//! the same, and all others, are people (`boxes`). Inspect them before training with them.

use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::sample::crossed;
use crate::{
    evidence::{EvidenceError, Facts, Marks, Reader, StoredStrip, StripImage},
    files,
    model::{Judgment, Reason, TrackId, Verdict},
};

/// Name of the file of labels.
pub const LABELS: &str = "labels.jsonl";

/// Why nothing could be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The strips.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The folder that is written.
    #[error("cannot write to '{path}': {error}", path = path.display())]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// Pictures.
    pub pictures: usize,
    /// Crossings that they show.
    pub crossings: usize,
    /// Crossings judged wrong of which there are no pictures any more, or none that can be used.
    pub gone: usize,
    /// Crossings in whose pictures heads are blurred.
    pub blurred: usize,
}

/// A line of `labels.jsonl`. Boxes are left, top, width, height in pixels.
#[derive(Debug, Serialize)]
struct Label<'a> {
    image: String,
    split: &'static str,
    width: u32,
    height: u32,
    source: &'a str,
    scene: &'a str,
    boxes: Vec<[f32; 4]>,
    ignore: Vec<[f32; 4]>,
    line: &'a str,
    direction: &'static str,
    reason: Option<&'static str>,
    verdict: &'static str,
    blurred: bool,
}

/// Writes the pictures of those `judgments` (in the order in which they were made) that stand and are not
/// [`Verdict::Right`] into the `folder`, which is made, and their labels. Pictures of an earlier export stay; labels are those
/// of this one. Blocks for the disk.
///
/// # Errors
/// When strips cannot be read or the folder cannot be written.
pub fn export(reader: &Reader, judgments: &[Judgment], folder: &Path) -> Result<Exported, ExportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| ExportError::Write { path, error }
    };
    files::make_private_folder(folder).map_err(failed(folder))?;
    let (mut done, mut labels) = (Exported::default(), String::new());
    for (number, judgment) in judgments.iter().enumerate() {
        let is_last = !judgments[number + 1..].iter().any(|later| later.crossed == judgment.crossed);
        if judgment.verdict == Verdict::Right || !is_last {
            continue;
        }
        let Some((entry, picture, marks)) = found(reader, judgment)? else {
            done.gone += 1;
            continue;
        };
        let (Ok(jpegs), Ok(pixels)) = (picture.each(), picture.pixels()) else {
            done.gone += 1;
            continue;
        };
        done.crossings += 1;
        done.blurred += usize::from(entry.blurred);
        for (at, (jpeg, pixels)) in jpegs.iter().zip(&pixels).enumerate() {
            let label = label(&entry, judgment.verdict, &marks, at, pixels.size);
            let path = folder.join(&label.image);
            files::replace(&path, jpeg, files::PRIVATE).map_err(failed(&path))?;
            let line = serde_json::to_string(&label).map_err(|error| failed(&path)(error.into()))?;
            // Writing to a String cannot fail.
            let _ = writeln!(labels, "{line}");
            done.pictures += 1;
        }
    }
    let path = folder.join(LABELS);
    files::replace(&path, labels.as_bytes(), files::PRIVATE).map_err(failed(&path))?;
    Ok(done)
}

/// The strip of a judged crossing, with its marks: without them it has strokes in its pictures and teaches nothing.
fn found(
    reader: &Reader,
    judgment: &Judgment,
) -> Result<Option<(StoredStrip, StripImage, Marks)>, EvidenceError> {
    let crossed = &judgment.crossed;
    let Some(entry) = reader.find(&crossed.source, &crossed.line, crossed.track, crossed.wall)? else {
        return Ok(None);
    };
    debug_assert_eq!(self::crossed(&entry.facts), *crossed);
    let Some(picture) = reader.picture(entry.key)? else { return Ok(None) };
    let marks = picture.marks.clone();
    Ok(marks.map(|marks| (entry, picture, marks)))
}

fn label<'a>(
    entry: &'a StoredStrip,
    verdict: Verdict,
    marks: &Marks,
    at: usize,
    (width, height): (u32, u32),
) -> Label<'a> {
    let Facts { source, line, direction, reason, track, .. } = &entry.facts;
    let doubted = verdict == Verdict::Wrong && reason.is_none();
    let people = marks.pictures.get(at).map_or(&[][..], |picture| &picture.people);
    let boxes = |of: &dyn Fn(TrackId) -> bool| {
        let chosen = people.iter().filter(|(id, _)| of(*id));
        chosen.filter_map(|(_, body)| in_pixels(body, (width as f32, height as f32))).collect()
    };
    Label {
        image: format!("{}-{}.jpg", entry.key, at + 1),
        split: "train",
        width,
        height,
        source,
        scene: source,
        boxes: boxes(&|id| !(doubted && id == *track)),
        ignore: boxes(&|id| doubted && id == *track),
        line,
        direction: direction.word(),
        reason: reason.map(Reason::word),
        verdict: verdict.word(),
        blurred: entry.blurred,
    }
}

/// A box in pixels, cut where the picture ends; `None` where less than a pixel is left.
fn in_pixels([x, y, w, h]: &[f32; 4], (width, height): (f32, f32)) -> Option<[f32; 4]> {
    let cut = |from: f32, length: f32, most: f32| {
        let (from, to) = ((from * most).clamp(0.0, most), ((from + length) * most).clamp(0.0, most));
        let tenths = |value: f32| (value * 10.0).round() / 10.0;
        (tenths(from), tenths(to - from))
    };
    let ((left, wide), (top, high)) = (cut(*x, *w, width), cut(*y, *h, height));
    (wide >= 1.0 && high >= 1.0).then_some([left, top, wide, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_end_where_the_picture_does() {
        let size = (160.0, 160.0);
        assert_eq!(in_pixels(&[0.25, 0.5, 0.25, 0.75], size), Some([40.0, 80.0, 40.0, 80.0]));
        assert_eq!(in_pixels(&[-0.5, 0.1, 0.6, 0.2], size), Some([0.0, 16.0, 16.0, 32.0]));
        assert_eq!(in_pixels(&[1.0, 0.1, 0.6, 0.2], size), None);
        assert_eq!(in_pixels(&[f32::NAN, 0.1, 0.6, 0.2], size), None);
    }
}
