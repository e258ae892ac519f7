//! How large a picture the detector needs. Pure: heights of people and time in, a size out.
//!
//! A network's cost grows with the area of its input. Where everybody who was seen for a while is large, a
//! smaller picture shows them as well; now and then, and where something unknown moves, the whole picture is
//! looked at for smaller people.

use crate::track::Track;

/// Height in pixels, in the network's input, that the smallest person should keep. RTMDet-nano finds 94 % of
/// people at 43 pixels and 84 % at 30, so somebody of half the smallest known height is still seen.
const PERSON: f32 = 60.0;

/// Smallest share of the picture's width that is ever used.
const LEAST: f32 = 0.4;

/// Sides of the input are multiples of this; other widths would only add border.
const STRIDE: u32 = 32;

/// Sightings of people before the size is trusted to be known.
const SIGHTINGS: u32 = 20;

/// Seconds for which the smallest height is remembered at least; at most twice as long.
const MEMORY: f64 = 30.0;

/// The whole picture is looked at this often, in seconds, and where something unknown moves.
const WHOLE: (f64, f64) = (3.0, 1.0);

/// Learns how small people get in one source.
#[derive(Debug)]
pub struct Zoom {
    /// Smallest heights (frame heights) in this span of memory and the one before.
    smallest: [f32; 2],
    span_begun: f64,
    sightings: u32,
    last_whole: f64,
}

impl Default for Zoom {
    fn default() -> Self {
        Self {
            smallest: [f32::INFINITY; 2],
            span_begun: f64::NEG_INFINITY,
            sightings: 0,
            last_whole: f64::NEG_INFINITY,
        }
    }
}

impl Zoom {
    /// The (width, height) in pixels to which a picture of `size` is reduced for the look at `time`; `None` for
    /// the whole picture. `searching`: something unknown moves.
    pub fn reduced(&mut self, time: f64, size: (u32, u32), searching: bool) -> Option<(u32, u32)> {
        let smallest = self.smallest[0].min(self.smallest[1]);
        let patience = if searching { WHOLE.1 } else { WHOLE.0 };
        let known = self.sightings >= SIGHTINGS && smallest.is_finite();
        let scale = (PERSON / (smallest * size.1 as f32)).max(LEAST);
        let width = (scale * size.0 as f32).ceil().max(1.0) as u32;
        let width = width.next_multiple_of(STRIDE);
        if !known || width >= size.0 || time - self.last_whole >= patience {
            self.last_whole = time;
            return None;
        }
        let height = (u64::from(width) * u64::from(size.1) / u64::from(size.0.max(1))).max(1);
        Some((width, height as u32))
    }

    /// These tracks were alive at `time`.
    pub fn learn(&mut self, time: f64, tracks: &[Track]) {
        if time - self.span_begun >= MEMORY {
            self.smallest = [f32::INFINITY, self.smallest[0]];
            self.span_begun = time;
        }
        // Not only those believed in: a small newcomer must not have to be believed at half his size first.
        for track in tracks.iter().filter(|track| track.seen) {
            self.sightings = self.sightings.saturating_add(u32::from(track.confirmed));
            self.smallest[0] = self.smallest[0].min(track.bbox.h);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::BBox;

    const PICTURE: (u32, u32) = (416, 234);

    fn track(height: f32) -> Track {
        let bbox = BBox::new(0.5, 0.2, height / 3.0, height);
        Track { id: 1, bbox, score: 0.9, confirmed: true, seen: true }
    }

    /// After ten seconds of people of these heights, the size of the look that is not a whole one.
    fn size(heights: &[f32]) -> Option<(u32, u32)> {
        let tracks: Vec<_> = heights.iter().map(|height| track(*height)).collect();
        let mut zoom = Zoom::default();
        for i in 0..50 {
            zoom.learn(f64::from(i) / 5.0, &tracks);
        }
        zoom.reduced(10.0, PICTURE, false);
        zoom.reduced(10.2, PICTURE, false)
    }

    #[test]
    fn large_people_need_few_pixels_and_small_ones_all() {
        assert_eq!(size(&[0.85]), Some((192, 108)));
        assert_eq!(size(&[0.85, 0.4]), Some((288, 162)));
        assert_eq!(size(&[0.85, 0.2]), None);
        assert_eq!(size(&[]), None);
    }

    #[test]
    fn the_whole_picture_is_looked_at_again_and_again() {
        let mut zoom = Zoom::default();
        for i in 0..50 {
            zoom.learn(f64::from(i) / 5.0, &[track(0.85)]);
        }
        let mut whole = |searching: bool| {
            (0..60).filter(|i| zoom.reduced(10.0 + f64::from(*i) / 5.0, PICTURE, searching).is_none()).count()
        };
        assert_eq!(whole(false), 4, "in 12 s");
        let mut zoom = Zoom { sightings: SIGHTINGS, smallest: [0.85; 2], ..Zoom::default() };
        let searched = (0..60).filter(|i| zoom.reduced(f64::from(*i) / 5.0, PICTURE, true).is_none()).count();
        assert_eq!(searched, 12, "in 12 s");
    }

    #[test]
    fn somebody_small_is_heeded_at_once_and_remembered() {
        let mut zoom = Zoom { sightings: SIGHTINGS, last_whole: 0.0, ..Zoom::default() };
        zoom.learn(0.0, &[track(0.85)]);
        assert!(zoom.reduced(0.5, PICTURE, false).is_some());
        zoom.learn(0.6, &[track(0.1)]);
        assert!(zoom.reduced(0.8, PICTURE, false).is_none());
        zoom.learn(31.0, &[track(0.85)]);
        assert!(zoom.reduced(31.5, PICTURE, false).is_none(), "he may come back");
        zoom.learn(62.0, &[track(0.85)]);
        zoom.reduced(62.0, PICTURE, false);
        assert!(zoom.reduced(62.5, PICTURE, false).is_some(), "he is gone");
    }
}
