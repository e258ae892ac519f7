//! How large a frame the detector needs. Pure: heights of people and time in, a size out.
//!
//! A network's cost grows with the area of its input. Where everybody who was seen for a while is large, a
//! smaller frame shows them as well; now and then, and where something unknown moves, smaller people are searched for in
//! the whole frame. Where most are small, larger frames are asked for.

use super::CadenceParams;
use crate::track::Track;

/// Heights are told apart by an eighth of an octave, from a 64th of the frame's height on.
const BINS: usize = 48;
const BINS_PER_OCTAVE: f32 = 8.0;

/// Learns how small people get in one source.
#[derive(Debug)]
pub struct InputSize {
    params: CadenceParams,
    /// Sightings by height.
    seen: [f32; BINS],
    /// Height of the smallest person in the frame now, in frame heights.
    smallest_now: f32,
    time: f64,
    last_whole: f64,
}

impl InputSize {
    /// Before anybody was seen.
    #[must_use]
    pub fn new(params: CadenceParams) -> Self {
        Self {
            params,
            seen: [0.0; BINS],
            smallest_now: f32::INFINITY,
            time: 0.0,
            last_whole: f64::NEG_INFINITY,
        }
    }

    /// The (width, height) in pixels to which a frame of `size` is reduced for the detection run at `time`, where it is not
    /// the whole frame's turn. `searching`: something unknown moves.
    pub fn reduced(&mut self, time: f64, size: (u32, u32), searching: bool) -> Option<(u32, u32)> {
        let patience = if searching { self.params.input_whole_searching } else { self.params.input_whole };
        if time - self.last_whole >= patience {
            self.last_whole = time;
            return None;
        }
        let smallest = self
            .height_exceeded_by(1.0 - self.params.input_outliers)
            .map(|usual| usual.min(self.smallest_now));
        let width = smallest.map_or(size.0, |smallest| {
            let scale = (self.params.input_person / (smallest * size.1 as f32)).max(self.params.input_least);
            ((scale * size.0 as f32).ceil().max(1.0) as u32).next_multiple_of(self.params.input_stride)
        });
        if width >= size.0 {
            return Some(size);
        }
        let height = (u64::from(width) * u64::from(size.1) / u64::from(size.0.max(1))).max(1);
        Some((width, height as u32))
    }

    /// Height, in frame heights, that half of those seen exceed; `None` before enough were seen.
    #[must_use]
    pub fn usual(&self) -> Option<f32> {
        self.height_exceeded_by(0.5)
    }

    /// These tracks were alive at `time`.
    pub fn learn(&mut self, time: f64, tracks: &[Track]) {
        let keep = (-(time - self.time).max(0.0) / self.params.input_memory).exp() as f32;
        self.time = time;
        self.seen.iter_mut().for_each(|weight| *weight *= keep);
        self.smallest_now = f32::INFINITY;
        for track in tracks.iter().filter(|track| track.confirmed) {
            self.smallest_now = self.smallest_now.min(track.bbox.h);
            if track.seen {
                self.seen[bin(track.bbox.h)] += 1.0;
            }
        }
    }

    /// The height, in frame heights, that this share of those seen exceeded; `None` before enough were seen.
    fn height_exceeded_by(&self, share: f32) -> Option<f32> {
        let total: f32 = self.seen.iter().sum();
        let mut below = 0.0;
        let first = self.seen.iter().position(|weight| {
            below += weight;
            below > (1.0 - share) * total
        });
        first
            .filter(|_| total >= self.params.input_sightings)
            .map(|bin| (bin as f32 / BINS_PER_OCTAVE - 6.0).exp2())
    }
}

fn bin(height: f32) -> usize {
    ((height.max(1e-6).log2() + 6.0) * BINS_PER_OCTAVE).clamp(0.0, BINS as f32 - 1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::BBox;

    const PICTURE: (u32, u32) = (416, 234);

    fn track(height: f32) -> Track {
        let bbox = BBox::new(0.5, 0.2, height / 3.0, height);
        Track { id: 1, bbox, score: 0.9, confirmed: true, seen: true, from_flow: false }
    }

    /// Ten seconds of people of these heights.
    fn learned(heights: &[f32]) -> InputSize {
        let tracks: Vec<_> = heights.iter().map(|height| track(*height)).collect();
        let mut input_scale = InputSize::new(CadenceParams::DEFAULT);
        for i in 0..50 {
            input_scale.learn(f64::from(i) / 5.0, &tracks);
        }
        input_scale
    }

    /// The size of the look that is not a whole one.
    fn size(heights: &[f32]) -> Option<(u32, u32)> {
        let mut input_scale = learned(heights);
        input_scale.reduced(10.0, PICTURE, false);
        input_scale.reduced(10.2, PICTURE, false)
    }

    #[test]
    fn large_people_need_few_pixels_and_small_ones_all() {
        assert_eq!(size(&[0.85]), Some((192, 108)));
        assert_eq!(size(&[0.85, 0.5]), Some((288, 162)));
        assert_eq!(size(&[0.85, 0.2]), Some(PICTURE));
        assert_eq!(size(&[]), Some(PICTURE));
    }

    #[test]
    fn the_usual_height_is_that_of_most() {
        let usual = learned(&[0.2, 0.21, 0.04]).usual().unwrap();
        assert!((0.18..0.22).contains(&usual), "{usual}");
        assert_eq!(InputSize::new(CadenceParams::DEFAULT).usual(), None, "nobody was seen");
    }

    #[test]
    fn the_full_frame_is_detected_again_and_again() {
        let whole = |searching: bool| {
            let mut input_scale = learned(&[0.85]);
            (0..60)
                .filter(|i| input_scale.reduced(10.0 + f64::from(*i) / 5.0, PICTURE, searching).is_none())
                .count()
        };
        assert_eq!((whole(false), whole(true)), (4, 6), "in 12 s");
    }

    #[test]
    fn somebody_small_gets_every_pixel_while_they_are_there() {
        let mut input_scale = learned(&[0.85]);
        input_scale.reduced(10.0, PICTURE, false);
        assert_eq!(input_scale.reduced(10.2, PICTURE, false), Some((192, 108)));
        input_scale.learn(10.4, &[track(0.85), track(0.1)]);
        assert_eq!(input_scale.reduced(10.6, PICTURE, false), Some(PICTURE));
        input_scale.learn(10.8, &[track(0.85)]);
        assert_eq!(input_scale.reduced(11.0, PICTURE, false), Some((192, 108)), "one sighting of many");
    }

    #[test]
    fn who_comes_often_is_remembered_and_forgotten_after_minutes() {
        let mut input_scale = learned(&[0.85, 0.15]);
        let mut later = |time: f64| {
            input_scale.learn(time, &[track(0.85)]);
            input_scale.reduced(time, PICTURE, false);
            input_scale.reduced(time + 0.2, PICTURE, false)
        };
        assert_eq!(later(20.0), Some(PICTURE));
        for i in 0..600 {
            later(30.0 + f64::from(i));
        }
        assert_eq!(later(640.0), Some((192, 108)));
    }
}
