//! Results for other programs: records with stable names, CSV, JSON lines.

pub mod records;
