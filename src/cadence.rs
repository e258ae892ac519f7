//! When, where and at which size a detector runs on the frames of one source.

pub mod flow;
pub mod gate;
pub mod input_size;
pub mod motion;
pub mod rate;
pub mod region;
pub mod steady;
