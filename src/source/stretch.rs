//! A stretch of a source, with an observer that sees each frame that is read and may delay the reading.

use std::{sync::Arc, time::Instant};

use super::{Frame, FrameSource, Interrupt, Opener, SourceError, StreamInfo, resume::StreamPosition};
use crate::config::SourceConfig;

/// From where to where a source is read, in seconds on its own clock. The frames from `from` to `to` are, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// What comes before is passed over.
    pub from: f64,
    /// Behind it, the source is over.
    pub to: f64,
}

impl Default for Stretch {
    /// Everything.
    fn default() -> Self {
        Self { from: f64::NEG_INFINITY, to: f64::INFINITY }
    }
}

/// Observes while a source is read. Called by the thread that reads.
pub trait FrameObserver: Send + Sync {
    /// Called before a frame is read that comes after the one at `time` seconds. May wait, where the source is not `live`.
    /// `false`: the source is to end here.
    fn go_on(&self, time: f64, live: bool) -> bool;

    /// Whether the frame at `time` is to be seen.
    fn wants(&self, time: f64) -> bool;

    /// Sees a frame that it wants.
    fn see(&self, frame: &Frame);
}

/// Opens what `inner` opens, a stretch of it.
pub struct Excerpt<O> {
    /// Opens the whole.
    pub inner: O,
    /// Which part.
    pub stretch: Stretch,
    /// The observer, if there is one.
    pub onlooker: Option<Arc<dyn FrameObserver>>,
}

impl<O: Opener> Opener for Excerpt<O> {
    fn open(
        &self,
        source: &SourceConfig,
        interrupt: &Interrupt,
    ) -> Result<Box<dyn FrameSource>, SourceError> {
        let inner = self.inner.open(source, interrupt)?;
        let (stretch, onlooker) = (self.stretch, self.onlooker.clone());
        Ok(Box::new(ExcerptSource { inner, stretch, onlooker, held: None }))
    }
}

/// An open stretch.
struct ExcerptSource {
    inner: Box<dyn FrameSource>,
    stretch: Stretch,
    onlooker: Option<Arc<dyn FrameObserver>>,
    /// The frame grabbed last, where it was taken for the onlooker: a decoder gives each frame once.
    held: Option<Frame>,
}

impl ExcerptSource {
    fn show(&mut self) -> Result<(), SourceError> {
        let Some(onlooker) = self.onlooker.as_ref().filter(|onlooker| onlooker.wants(self.inner.time()))
        else {
            return Ok(());
        };
        let frame = self.inner.retrieve(&|width, height| (width, height))?;
        onlooker.see(&frame);
        self.held = Some(frame);
        Ok(())
    }
}

impl FrameSource for ExcerptSource {
    fn info(&self) -> StreamInfo {
        self.inner.info()
    }

    fn codec(&self) -> Option<String> {
        self.inner.codec()
    }

    fn remark(&mut self) -> Option<String> {
        self.inner.remark()
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        self.held = None;
        let live = self.inner.info().live;
        loop {
            let may = self.onlooker.as_ref().is_none_or(|onlooker| onlooker.go_on(self.inner.time(), live));
            if !may || !self.inner.grab()? {
                return Ok(false);
            }
            if self.inner.time() >= self.stretch.from {
                break;
            }
        }
        if self.inner.time() > self.stretch.to {
            return Ok(false);
        }
        self.show()?;
        Ok(true)
    }

    fn due(&self) -> Option<Instant> {
        self.inner.due()
    }

    fn is_owed(&self) -> bool {
        self.inner.is_owed()
    }

    fn can_sleep(&self) -> bool {
        self.inner.can_sleep()
    }

    fn sleep(&mut self, allowed: bool) {
        self.inner.sleep(allowed);
    }

    fn is_asleep(&self) -> bool {
        self.inner.is_asleep()
    }

    fn wake(&mut self) {
        self.inner.wake();
    }

    fn stay_asleep(&mut self) -> u64 {
        self.inner.stay_asleep()
    }

    fn is_regular(&self) -> bool {
        self.inner.is_regular()
    }

    fn seen(&self) -> Option<StreamPosition> {
        self.inner.seen()
    }

    fn resume(&mut self, seen: StreamPosition) {
        self.inner.resume(seen);
    }

    fn time(&self) -> f64 {
        self.inner.time()
    }

    fn is_last(&self) -> bool {
        self.inner.is_last()
    }

    fn retrieve(&mut self, working_size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        let Some(frame) = self.held.take() else { return self.inner.retrieve(working_size) };
        let size = working_size(frame.stream_size.0, frame.stream_size.1);
        let picture = frame
            .picture
            .at(size)
            .map_err(|error| SourceError::Broken(format!("a frame cannot be resized: {}", error.message)))?;
        Ok(Frame { picture, ..frame })
    }
}

#[cfg(test)]
mod tests {
    use opencv::core::{MatTraitConst as _, MatTraitConstManual as _};
    use parking_lot::Mutex;

    use super::*;
    use crate::{config::SourceSpec, model::SourceKind, source::SystemOpener};

    /// Wants every second frame and ends the source at a time.
    struct Looker {
        seen: Mutex<Vec<f64>>,
        end: f64,
    }

    impl FrameObserver for Looker {
        fn go_on(&self, time: f64, _: bool) -> bool {
            time < self.end
        }

        fn wants(&self, time: f64) -> bool {
            ((time * 10.0).round() as u64).is_multiple_of(2)
        }

        fn see(&self, frame: &Frame) {
            self.seen.lock().push(frame.time);
        }
    }

    fn times(stretch: Stretch, onlooker: Option<Arc<dyn FrameObserver>>) -> Vec<(f64, Vec<u8>)> {
        let spec = SourceSpec::Demo("street?fps=10&seconds=3&size=96x64".into());
        let source = SourceConfig::new("demo", SourceKind::Video, spec);
        let opener = Excerpt { inner: SystemOpener::default(), stretch, onlooker };
        let mut open = opener.open(&source, &Interrupt::default()).unwrap();
        let mut found = Vec::new();
        while open.grab().unwrap() {
            let frame = open.retrieve(&|width, height| (width / 2, height / 2)).unwrap();
            let bgr = frame.picture.bgr().unwrap();
            assert_eq!((bgr.cols(), bgr.rows()), (48, 32));
            found.push((frame.time, bgr.data_bytes().unwrap().to_vec()));
        }
        found
    }

    #[test]
    fn both_ends_belong_to_the_stretch() {
        let whole = times(Stretch::default(), None);
        assert_eq!(whole.len(), 30);
        let part = times(Stretch { from: 0.5, to: 1.5 }, None);
        assert_eq!(part, whole[5..=15]);
    }

    #[test]
    fn an_onlooker_changes_no_frame_and_ends_the_source() {
        let whole = times(Stretch::default(), None);
        let looker = Arc::new(Looker { seen: Mutex::default(), end: 1.95 });
        let watched = times(Stretch::default(), Some(Arc::clone(&looker) as _));
        assert_eq!(watched, whole[..21]);
        let seen = looker.seen.lock();
        assert_eq!((seen.len(), seen[1]), (11, 0.2));
    }
}
