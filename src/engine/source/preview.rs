//! Previews, made only while somebody watches.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use opencv::{core::Mat, core::MatTraitConst, core::MatTraitConstManual, imgproc};

use crate::{
    model::{Moment, Preview, ShownTrack},
    source::Frame,
    track::Track,
};

/// A new frame no sooner than this after the last.
const INTERVAL: Duration = Duration::from_millis(500);

/// Replaces the frame when it is old enough; the frame was `taken` then. A frame that cannot be converted changes nothing: the frame
/// is a convenience.
pub fn renew(preview: &ArcSwapOption<Preview>, frame: &Frame, tracks: &[Track], taken: Moment) {
    if preview.load().as_ref().is_some_and(|old| taken - old.taken < INTERVAL) {
        return;
    }
    if let Ok((size, rgb)) = to_rgb(frame) {
        let tracks = tracks.iter().map(shown).collect();
        preview.store(Some(Arc::new(Preview { size, rgb, tracks, taken })));
    }
}

/// The image of a frame, without tracks; `None` when it cannot be converted.
#[must_use]
pub fn of_frame(frame: &Frame) -> Option<Preview> {
    let (size, rgb) = to_rgb(frame).ok()?;
    Some(Preview { size, rgb, tracks: Vec::new(), taken: Moment::START })
}

fn shown(track: &Track) -> ShownTrack {
    let Track { id, bbox, confirmed, seen, .. } = *track;
    ShownTrack { id, bbox, confirmed, seen }
}

fn to_rgb(frame: &Frame) -> opencv::Result<((u32, u32), Vec<u8>)> {
    let mut rgb = Mat::default();
    imgproc::cvt_color_def(frame.picture.bgr()?, &mut rgb, imgproc::COLOR_BGR2RGB)?;
    let size = rgb.size()?;
    Ok(((size.width as u32, size.height as u32), rgb.data_bytes()?.to_vec()))
}
