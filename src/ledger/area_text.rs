//! What a report says of areas, in words.

use std::fmt::Write;

use super::{
    report::{
        Step,
        areas::{AreaReport, AreaRow, CorrectionReport},
    },
    text::minutes,
};
use crate::{
    logging::line::clean,
    model::{CorrectionReason, Drift},
};

impl AreaReport {
    /// The highest number and the capacity in words: `37 of 120, 2024-05-01 10:00`.
    pub(super) fn highest_words(&self) -> String {
        let Some(highest) = &self.highest else { return "not known".to_owned() };
        let of = self.capacity.map_or(String::new(), |capacity| format!(" of {capacity}"));
        format!("{}{of}, {}", highest.inside, minutes(&highest.time))
    }
}

impl CorrectionReport {
    /// In words: `2024-05-01 04:01: 3 to 0, quiet hour`.
    pub(super) fn words(&self) -> String {
        let why = match self.reason {
            CorrectionReason::Reset => "quiet hour".to_owned(),
            CorrectionReason::Person if self.who.is_empty() => "by a person".to_owned(),
            CorrectionReason::Person => format!("by {}", clean(&self.who)),
        };
        format!("{}: {} to {}, {why}", minutes(&self.time), self.before, self.after)
    }
}

impl AreaRow {
    /// When it begins: `2024-05-01` for a day, else with the time.
    pub(super) fn start_words(&self, by: Step) -> String {
        if by == Step::Day { self.start.shown("%Y-%m-%d") } else { minutes(&self.start) }
    }
}

/// The areas as text for reading, with rows of `by`.
pub fn text(areas: &[AreaReport], by: Step) -> String {
    let mut text = String::new();
    for area in areas {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\narea {}", clean(&area.area));
        let _ = writeln!(text, "  {} in, {} out", area.total_in, area.total_out);
        let _ = writeln!(text, "  highest number inside: {}", area.highest_words());
        let _ = writeln!(text, "  drift: {}", Drift::words(area.drift.as_ref()));
        if !area.rows.is_empty() {
            let _ = writeln!(text, "  {:<16} {:>7} {:>7} {:>8}", "from", "in", "out", "highest");
        }
        for row in &area.rows {
            let (start, AreaRow { total_in, total_out, highest, .. }) = (row.start_words(by), row);
            let _ = writeln!(text, "  {start:<16} {total_in:>7} {total_out:>7} {highest:>8}");
        }
        for correction in &area.corrections {
            let _ = writeln!(text, "  corrected {}", correction.words());
        }
    }
    text
}
