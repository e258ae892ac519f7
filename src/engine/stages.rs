//! Stages of the engine by themselves, for measuring.

use opencv::core::Mat;

use crate::{
    cadence::{flow::OpticalFlow, gate::MotionGate},
    geometry::BBox,
    source::picture::Picture,
};

/// Finding out where something moves.
#[derive(Default)]
pub struct Watch(MotionGate);

impl Watch {
    /// Whether anything moves in the picture at `time` seconds, compared with those before.
    pub fn moves(&mut self, picture: &Picture, time: f64) -> bool {
        self.0.observe(picture, time).any()
    }
}

/// Following people from picture to picture.
#[derive(Default)]
pub struct Chase(OpticalFlow);

impl Chase {
    /// How many of `boxes` (frame heights) of the picture before are found in this one (8-bit grey).
    pub fn found(&mut self, grey: &Mat, boxes: &[BBox]) -> usize {
        self.0.follow(grey, boxes).iter().flatten().count()
    }
}
