//! Opens a source once, reads its first frame and closes it, for `check --probe` and for the dialog that adds
//! a source.

use std::fmt;

use super::{Frame, Interrupt, Opener, SourceError, StreamInfo};
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
