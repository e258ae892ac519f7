//! Stages of the engine by themselves, for measuring.

use opencv::core::Mat;

use super::gate::Gate;

/// Finding out where something moves.
#[derive(Default)]
pub struct Watch(Gate);

impl Watch {
    /// Whether anything moves in the picture (8-bit BGR) at `time` seconds, compared with those before.
    pub fn moves(&mut self, image: &Mat, time: f64) -> bool {
        self.0.observe(image, time).any()
    }
}
