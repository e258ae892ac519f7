//! The names of [`super::ffmpeg`] without FFmpeg, for the host of the documentation. `tests/package.rs` compares the two.

#![allow(missing_docs, reason = "no page shows them")]

pub const EAGAIN: i32 = 0;
pub const ENOMEM: i32 = 0;
pub const MOST_PIXELS: u64 = 0;

pub struct Converter;
pub struct DecodedFrame;
pub struct Decoder;
pub struct Depth;
pub struct Error;
pub struct Heard;
pub struct Input;
pub struct Jpeg;
pub struct Orientation;
pub struct Packet;
pub struct VideoStream;

pub fn can_capture() {}
pub fn hear() {}
pub(crate) fn prepare() {}
pub fn version() {}
