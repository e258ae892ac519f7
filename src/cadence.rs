//! When, where and at which size a detector runs on the frames of one source.
//!
//! A [`Chooser`] is asked with every frame and told of every detection run. It puts together what each knows for itself:
//! the motion gate (`gate`, `motion`), optical flow (`flow`), the rate (`rate`; `steady` for detectors that need all
//! frames), regions of interest (`region`) and the size of the detector's input (`input_size`). Only the gate and optical
//! flow see frames; the rest is pure. All constants are in [`CadenceParams`].

mod chooser;
pub mod flow;
pub mod gate;
pub mod input_size;
mod low_confidence;
pub mod motion;
mod params;
pub mod payoff;
pub mod rate;
pub mod region;
pub mod steady;

pub use chooser::{Choice, Chooser, Conditions, Mode, View};
pub use params::CadenceParams;
