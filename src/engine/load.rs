//! What is done when there is too much to do: rarer detections, fewer frames, sources closed for want of memory.

pub mod memory;
pub mod throttle;
