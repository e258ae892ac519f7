//! A file or a scene that begins again at its end, as a camera that never ends.

use std::time::{Duration, Instant};

use crate::{
    config::SourceConfig,
    model::SourceKind,
    source::{Frame, FrameSource, Interrupt, Opener, SourceError, StreamInfo, SystemOpener},
};

/// Plays files without an end.
pub struct LoopOpener {
    /// At the file's own rate, as a live camera; else as fast as frames are taken.
    pub realtime: bool,
}

impl Opener for LoopOpener {
    fn open(
        &self,
        config: &SourceConfig,
        interrupt: &Interrupt,
    ) -> Result<Box<dyn FrameSource>, SourceError> {
        let file = SourceConfig { kind: SourceKind::Video, ..config.clone() };
        let inner = SystemOpener::default().open(&file, interrupt)?;
        let info = inner.info();
        let interval = Duration::from_secs_f64(1.0 / info.fps.unwrap_or(25.0));
        // Cameras do not tick in step: spread their first frames over one interval.
        let number = config.id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        let phase = interval.mul_f64((number % 97) as f64 / 97.0);
        let next = self.realtime.then(|| Instant::now() + phase);
        Ok(Box::new(Looped {
            file,
            inner: Some(inner),
            info,
            interval,
            next,
            begun: 0.0,
            last: 0.0,
            due_at: None,
        }))
    }
}

struct Looped {
    file: SourceConfig,
    /// `None` only between two passes: two open decoders would take twice the memory.
    inner: Option<Box<dyn FrameSource>>,
    info: StreamInfo,
    interval: Duration,
    /// When the next frame is due; `None` when frames come as fast as they are taken.
    next: Option<Instant>,
    /// Time on the source's clock at which this pass began.
    begun: f64,
    last: f64,
    /// When the frame grabbed last was due.
    due_at: Option<Instant>,
}

impl Looped {
    fn inner(&mut self) -> Result<&mut Box<dyn FrameSource>, SourceError> {
        self.inner.as_mut().ok_or_else(|| SourceError::Broken("the file could not be opened again".into()))
    }
}

impl FrameSource for Looped {
    fn info(&self) -> StreamInfo {
        StreamInfo { live: self.next.is_some(), frames: None, ..self.info.clone() }
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        if let Some(next) = &mut self.next {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        if !self.inner()?.grab()? {
            self.inner = None;
            self.inner = Some(SystemOpener::default().open(&self.file, &Interrupt::default())?);
            self.begun = self.last + self.interval.as_secs_f64();
            if !self.inner()?.grab()? {
                return Ok(false);
            }
        }
        let before = self.last;
        self.last = self.begun + self.inner()?.time();
        let step = Duration::try_from_secs_f64(self.last - before).unwrap_or(self.interval);
        let caught_up = !self.is_owed();
        if let Some(next) = &mut self.next
            && caught_up
        {
            let now = Instant::now();
            // It comes when it was taken, with all before it that were not decoded; a reader that cannot follow loses frames,
            // as it would with a camera, and is not let catch up.
            let due = *next + step.saturating_sub(self.interval);
            std::thread::sleep(due.saturating_duration_since(now));
            self.due_at = Some(due.min(Instant::now()));
            *next = (due + self.interval).max(now.checked_sub(self.interval).unwrap_or(now));
        }
        Ok(true)
    }

    fn is_owed(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.is_owed())
    }

    fn can_sleep(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.can_sleep())
    }

    fn sleep(&mut self, allowed: bool) {
        if let Some(inner) = &mut self.inner {
            inner.sleep(allowed);
        }
    }

    fn is_asleep(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.is_asleep())
    }

    fn wake(&mut self) {
        if let Some(inner) = &mut self.inner {
            inner.wake();
        }
    }

    fn stay_asleep(&mut self) -> u64 {
        self.inner.as_mut().map_or(0, |inner| inner.stay_asleep())
    }

    fn is_regular(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.is_regular())
    }

    fn due(&self) -> Option<Instant> {
        self.next
    }

    fn time(&self) -> f64 {
        self.last
    }

    fn retrieve(&mut self, working_size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        let frame = self.inner()?.retrieve(working_size)?;
        // A frame that was read ahead came when it was due.
        let captured = frame.captured.max(self.due_at.unwrap_or(frame.captured));
        Ok(Frame { time: self.last, last: false, captured, ..frame })
    }
}
