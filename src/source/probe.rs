//! Opens a source once, reads its first frame and closes it, for `check --probe`, for `doctor` and for the dialog that adds
//! a source.

use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crossbeam_channel::{Receiver, unbounded};

use super::{Frame, Interrupt, Opener, SourceError, StreamInfo, system::SystemOpener};
use crate::config::SourceConfig;

/// What was found behind a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Size, rate and length; the size is that of the first frame.
    pub info: StreamInfo,
    /// Codec, such as `h264`, when the source tells it.
    pub codec: Option<String>,
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = self.info.size;
        write!(f, "{width}x{height}")?;
        match self.info.fps {
            Some(fps) => write!(f, ", {} fps", (fps * 100.0).round() / 100.0)?,
            None => write!(f, ", fps unknown")?,
        }
        if let Some(codec) = &self.codec {
            write!(f, ", {codec}")?;
        }
        if let Some(frames) = self.info.frames {
            write!(f, ", {frames} frames")?;
        }
        Ok(())
    }
}

/// Opens `source` with `opener` and decodes its first frame, which is given as well. Blocks up to the
/// timeouts.
///
/// # Errors
/// When it cannot be opened or gives no frame, as the program would say it.
pub fn probe_source(source: &SourceConfig, opener: &dyn Opener) -> Result<(Probe, Frame), SourceError> {
    let mut opened = opener.open(source, &Interrupt::default())?;
    if !opened.grab()? {
        return Err(SourceError::Unsupported(format!("'{}' holds no frame", source.source)));
    }
    let frame = opened.retrieve(&|width, height| (width, height))?;
    let info = StreamInfo { size: frame.stream_size, ..opened.info() };
    Ok((Probe { info, codec: opened.codec() }, frame))
}

/// What `source` sends: [`probe_source`] with what the program opens sources by. A decoder that panics is an error.
///
/// # Errors
/// As [`probe_source`].
pub fn try_out(source: &SourceConfig) -> Result<Probe, SourceError> {
    catch_unwind(AssertUnwindSafe(|| probe_source(source, &SystemOpener::default())))
        .unwrap_or_else(|_| Err(SourceError::System("the decoder panicked".into())))
        .map(|(probe, _)| probe)
}

/// Begins to ask `find` about each of `sources`, `at_once` at a time; gives what it has found with the index of the source. Each one
/// that is open holds a decoder.
///
/// # Errors
/// When the system refuses every thread.
pub fn for_each<T: Send + 'static>(
    sources: &Arc<Vec<SourceConfig>>,
    at_once: usize,
    find: fn(&SourceConfig) -> T,
) -> io::Result<Receiver<(usize, T)>> {
    let (sender, results) = unbounded();
    let next = Arc::new(AtomicUsize::new(0));
    for number in 0..at_once.min(sources.len()) {
        let (sources, next, sender) = (Arc::clone(sources), Arc::clone(&next), sender.clone());
        let started = std::thread::Builder::new().name(format!("probe-{number}")).spawn(move || {
            while let Some((index, source)) = {
                let index = next.fetch_add(1, Ordering::SeqCst);
                sources.get(index).map(|source| (index, source))
            } {
                if sender.send((index, find(source))).is_err() {
                    return;
                }
            }
        });
        match started {
            Ok(_) => {}
            Err(error) if number == 0 => return Err(error),
            // It goes on with fewer.
            Err(_) => break,
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_reads_as_one_line() {
        let info =
            StreamInfo { size: (640, 480), fps: Some(30_000.0 / 1001.0), live: false, frames: Some(300) };
        let mut probe = Probe { info, codec: Some("h264".into()) };
        assert_eq!(probe.to_string(), "640x480, 29.97 fps, h264, 300 frames");
        probe.info.fps = None;
        probe.info.frames = None;
        probe.codec = None;
        assert_eq!(probe.to_string(), "640x480, fps unknown");
    }
}
