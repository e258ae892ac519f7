//! What sources share to work with: workers, open slots, models.

pub mod models;
pub mod scheduler;
pub mod slots;
