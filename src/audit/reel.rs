//! The pictures of an audit: the last half minute, and for good those around each tap and each count.
//!
//! The thread that reads the source puts them in, and waits where it is too far ahead of the person who audits; a camera is
//! never held up. Pictures are kept as JPEG: half a minute is some ten megabytes.

use std::{collections::VecDeque, sync::Arc};

use opencv::{
    core::{Mat, MatTraitConst as _, MatTraitConstManual as _, Vector},
    imgcodecs, imgproc,
};
use parking_lot::{Condvar, Mutex};

use crate::{
    model::Preview,
    source::{Frame, stretch::FrameObserver},
};

/// Seconds between two pictures: what a person needs to see somebody walk.
const INTERVAL: f64 = 1.0 / 12.0;

/// Seconds that a clip is read ahead of what is shown: enough for a tenth of a second at the highest speed, and for a
/// detector that now and then takes longer.
const AHEAD: f64 = 6.0;

/// Seconds behind what is shown that pictures are all kept.
pub const BACK: f64 = 30.0;

/// Seconds that a person may be behind a camera before pictures go that they have not seen.
const BEHIND: f64 = 120.0;

/// Seconds before and after a tap or count of which pictures are kept for good.
pub const AROUND: f64 = 1.5;

/// Least seconds between two pictures that are kept for good.
const KEPT_INTERVAL: f64 = 0.2;

/// Bytes of pictures that are kept for good; the oldest go first.
const KEPT_BYTES: usize = 256 << 20;

/// Largest width and height in pixels of a picture: what a terminal is given at most.
const LARGEST: (u32, u32) = (640, 480);

/// Quality of the JPEGs, of 100.
const QUALITY: i32 = 80;

/// One picture.
#[derive(Clone)]
struct ReelFrame {
    time: f64,
    jpeg: Arc<[u8]>,
}

#[derive(Default)]
struct Film {
    /// By time.
    recent: VecDeque<ReelFrame>,
    /// By time, around the marks.
    kept: VecDeque<ReelFrame>,
    kept_bytes: usize,
    /// By time: when something was tapped or counted.
    marks: Vec<f64>,
    /// Time of the first frame.
    first: Option<f64>,
    /// Time of the frame read last; `None` before the first.
    read: Option<f64>,
    /// Time of what is shown.
    shown: f64,
    live: bool,
    closed: bool,
}

/// The pictures of an audit. Shared by the thread that reads and the one that shows.
#[derive(Default)]
pub struct Reel {
    film: Mutex<Film>,
    moved: Condvar,
}

impl Reel {
    /// Seconds on the source's clock of the oldest picture of which all later ones are there, and of the frame read last;
    /// `None` before the first.
    #[must_use]
    pub fn span(&self) -> Option<(f64, f64)> {
        let film = self.film.lock();
        Some((film.recent.front()?.time, film.read?))
    }

    /// Seconds of the first and of the last frame that was read; `None` before the first.
    #[must_use]
    pub fn read(&self) -> Option<(f64, f64)> {
        let film = self.film.lock();
        film.first.zip(film.read)
    }

    /// The time of the picture that is shown at `time`: the last one that is not later, or else the first one.
    #[must_use]
    pub fn shown_at(&self, time: f64) -> Option<f64> {
        let film = self.film.lock();
        let later = film.recent.partition_point(|shot| shot.time <= time);
        film.recent.get(later.saturating_sub(1)).map(|shot| shot.time)
    }

    /// The times of the pictures around `time`, the earliest first.
    #[must_use]
    pub fn around(&self, time: f64) -> Vec<f64> {
        let film = self.film.lock();
        let is_near = |shot: &&ReelFrame| (shot.time - time).abs() <= AROUND;
        film.kept.iter().chain(&film.recent).filter(is_near).map(|shot| shot.time).collect()
    }

    /// The picture of exactly this time, kept or recent.
    #[must_use]
    pub fn exactly(&self, time: f64) -> Option<Preview> {
        let shot = {
            let film = self.film.lock();
            film.kept.iter().chain(&film.recent).find(|shot| shot.time == time)?.clone()
        };
        decoded(&shot)
    }

    /// Times of the pictures next to `time`, before and after it.
    #[must_use]
    pub fn neighbors(&self, time: f64) -> (Option<f64>, Option<f64>) {
        let film = self.film.lock();
        let before = film.recent.partition_point(|shot| shot.time < time).checked_sub(1);
        let after = film.recent.partition_point(|shot| shot.time <= time);
        let at = |index: usize| film.recent.get(index).map(|shot| shot.time);
        (before.and_then(at), at(after))
    }

    /// The person is at `time` now: older frames are dropped, and a clip is read further.
    pub fn show(&self, time: f64) {
        let mut film = self.film.lock();
        film.shown = time;
        film.trim();
        drop(film);
        self.moved.notify_all();
    }

    /// Something was tapped or counted at `time`: its pictures are kept for good.
    pub fn mark(&self, time: f64) {
        let mut film = self.film.lock();
        let at = film.marks.partition_point(|mark| *mark <= time);
        film.marks.insert(at, time);
    }

    /// The source is to end with the frame read last; a camera runs on and is no longer shown.
    pub fn close(&self) {
        self.film.lock().closed = true;
        self.moved.notify_all();
    }
}

impl Film {
    fn trim(&mut self) {
        let least = match (self.live, self.read) {
            (true, Some(read)) => self.shown.max(read - BEHIND),
            _ => self.shown,
        };
        // What was read last stays: there is always something to show.
        while self.recent.len() > 1
            && self.recent.front().is_some_and(|shot| shot.time < least - BACK)
            && let Some(first) = self.recent.pop_front()
        {
            self.keep(first);
        }
    }

    fn keep(&mut self, shot: ReelFrame) {
        let later = self.marks.partition_point(|mark| *mark < shot.time - AROUND);
        let is_near = self.marks.get(later).is_some_and(|mark| *mark <= shot.time + AROUND);
        let is_dense = self.kept.back().is_some_and(|last| shot.time - last.time < KEPT_INTERVAL - 1e-6);
        if !is_near || is_dense {
            return;
        }
        self.kept_bytes += shot.jpeg.len();
        self.kept.push_back(shot);
        while self.kept_bytes > KEPT_BYTES
            && let Some(oldest) = self.kept.pop_front()
        {
            self.kept_bytes -= oldest.jpeg.len();
        }
    }
}

impl FrameObserver for Reel {
    fn go_on(&self, time: f64, live: bool) -> bool {
        let mut film = self.film.lock();
        film.live = live;
        while !live && !film.closed && film.read.is_some() && time > film.shown + AHEAD {
            self.moved.wait(&mut film);
        }
        live || !film.closed
    }

    fn wants(&self, time: f64) -> bool {
        let mut film = self.film.lock();
        // The first picture is where a person begins to look.
        if film.read.is_none() {
            film.shown = time;
            film.first = Some(time);
        }
        film.read = Some(time);
        let last = film.recent.back().map(|shot| shot.time);
        // A camera that was opened again may restart its clock.
        if last.is_some_and(|last| time < last) {
            film.recent.clear();
            film.shown = time;
        }
        last.is_none_or(|last| !(last..last + INTERVAL - 1e-6).contains(&time))
    }

    fn see(&self, frame: &Frame) {
        // A picture that cannot be made is passed over: the next one is as good.
        let Ok(jpeg) = encoded(frame) else { return };
        let mut film = self.film.lock();
        film.recent.push_back(ReelFrame { time: frame.time, jpeg });
        if film.live {
            film.trim();
        }
    }
}

fn encoded(frame: &Frame) -> opencv::Result<Arc<[u8]>> {
    let (width, height) = frame.stream_size;
    let scale =
        (LARGEST.0 as f32 / width.max(1) as f32).min(LARGEST.1 as f32 / height.max(1) as f32).min(1.0);
    let size = [width, height].map(|side| ((side as f32 * scale).round() as u32).max(1));
    let bgr = frame.picture.bgr_at((size[0], size[1]))?;
    let mut jpeg = Vector::<u8>::new();
    let quality = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, QUALITY]);
    imgcodecs::imencode(".jpg", &bgr, &mut jpeg, &quality)?;
    Ok(jpeg.as_slice().into())
}

fn decoded(shot: &ReelFrame) -> Option<Preview> {
    let (size, rgb) = rgb_of(&shot.jpeg).ok()?;
    let since = std::time::Duration::try_from_secs_f64(shot.time.max(0.0)).unwrap_or_default();
    Some(Preview { size, rgb, tracks: Vec::new(), taken: crate::model::Moment::new(since) })
}

/// Size and pixels of a picture.
type Rgb = ((u32, u32), Vec<u8>);

fn rgb_of(jpeg: &[u8]) -> opencv::Result<Rgb> {
    let bgr = imgcodecs::imdecode(&Vector::from_slice(jpeg), imgcodecs::IMREAD_COLOR)?;
    let mut rgb = Mat::default();
    imgproc::cvt_color_def(&bgr, &mut rgb, imgproc::COLOR_BGR2RGB)?;
    Ok(((rgb.cols() as u32, rgb.rows() as u32), rgb.data_bytes()?.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use opencv::core::{CV_8UC3, Scalar};

    use super::*;
    use crate::source::image::FrameImage;

    fn frame(time: f64) -> Frame {
        let gray = Scalar::all((time * 10.0) % 256.0);
        let image = Mat::new_rows_cols_with_default(48, 64, CV_8UC3, gray).unwrap();
        Frame {
            picture: FrameImage::ready(image),
            index: 0,
            time,
            captured: Instant::now(),
            stream_size: (64, 48),
            last: false,
        }
    }

    /// Reads frames at 10 a second, `live` or not, from `first` to `last` tenths of a second.
    fn read(reel: &Reel, live: bool, tenths: std::ops::RangeInclusive<u32>) {
        for tenth in tenths {
            let time = f64::from(tenth) / 10.0;
            assert!(reel.go_on(time - 0.1, live));
            if reel.wants(time) {
                reel.see(&frame(time));
            }
        }
    }

    #[test]
    fn the_picture_of_a_time_is_the_last_one_before_it() {
        let reel = Reel::default();
        assert!(reel.span().is_none() && reel.shown_at(1.0).is_none());
        read(&reel, false, 0..=30);
        assert_eq!(reel.span(), Some((0.0, 3.0)));
        assert_eq!(reel.shown_at(1.55), Some(1.5));
        let picture = reel.exactly(1.5).unwrap();
        assert_eq!(picture.size, (64, 48));
        assert!((i32::from(picture.rgb[0]) - 15).abs() <= 2, "{}", picture.rgb[0]);
        assert_eq!((reel.shown_at(-1.0), reel.read()), (Some(0.0), Some((0.0, 3.0))));
        assert_eq!(reel.neighbors(1.5), (Some(1.4), Some(1.6)));
        assert_eq!(reel.neighbors(0.0), (None, Some(0.1)));
    }

    #[test]
    fn only_what_lies_around_a_mark_is_kept_for_good() {
        let reel = Reel::default();
        reel.mark(10.0);
        for part in 0..20 {
            reel.show(f64::from(part) * 5.0);
            read(&reel, false, part * 50..=part * 50 + 49);
        }
        reel.show(99.0);
        assert!(reel.span().unwrap().0 >= 69.0 - 1e-9);
        let kept = reel.around(10.0);
        assert_eq!((kept.first(), kept.last()), (Some(&8.5), Some(&11.5)));
        assert!(kept.windows(2).all(|pair| pair[1] - pair[0] >= KEPT_INTERVAL - 1e-9), "{kept:?}");
        assert!(reel.exactly(kept[0]).is_some());
        assert!(reel.around(20.0).is_empty());
        assert!(!reel.around(98.0).is_empty());
    }

    #[test]
    fn a_clip_waits_for_the_person_and_a_camera_does_not() {
        let reel = Arc::new(Reel::default());
        read(&reel, true, 0..=2000);
        assert!(reel.span().unwrap().0 >= 200.0 - BEHIND - BACK - 0.2);
        let reel = Arc::new(Reel::default());
        read(&reel, false, 0..=60);
        let reader = {
            let reel = Arc::clone(&reel);
            std::thread::spawn(move || read(&reel, false, 61..=200))
        };
        let mut shown = 0.0;
        while !reader.is_finished() {
            assert!(reel.span().unwrap().1 <= shown + AHEAD + 0.2);
            shown += 0.5;
            reel.show(shown);
        }
        reader.join().unwrap();
        reel.close();
        assert!(!reel.go_on(1.0, false) && reel.go_on(1.0, true));
    }
}
