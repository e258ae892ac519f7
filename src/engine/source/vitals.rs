//! What the load of a source is shared out by.

use crate::engine::load::{memory::Holder, throttle::Load};

/// What decides who gets less under overload and who is closed for want of memory; as of the last tick of the source.
#[derive(Debug, Clone, Copy)]
pub struct Vitals {
    /// The last worker, from 1; 0 before the first.
    pub worker: usize,
    /// Of a live source that is open; frames since its beginning.
    pub load: Option<Load>,
    /// Of a source that holds memory, or was closed for want of it.
    pub holder: Option<Holder>,
}

impl Vitals {
    /// Those of a source that was never opened.
    pub const NONE: Self = Self { worker: 0, load: None, holder: None };
}
