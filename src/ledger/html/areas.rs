//! The areas of a report, and what each counted by its step, as a table that opens.

use maud::{Markup, html};

use super::{
    super::{
        report::{
            Report, Step,
            areas::{AreaReport, CorrectionReport},
        },
        text::minutes,
    },
    number::{count, grouped},
};
use crate::{logging::line::clean, model::Drift};

/// Corrections that are shown without being asked for.
const FEW: usize = 3;

/// All of them.
pub fn by_area(report: &Report) -> Markup {
    html! {
        @if !report.areas.is_empty() {
            section {
                h2 { "By area" }
                div.scroll {
                    table.numbers.areas {
                        thead { tr {
                            th scope="col" { "Area" } th scope="col" { "In" } th scope="col" { "Out" }
                            th scope="col" { "Highest inside" }
                        } }
                        @for area in &report.areas {
                            tbody {
                                tr data-area=(area.area) {
                                    th scope="rowgroup" { bdi { (clean(&area.area)) } }
                                    td { (count(area.total_in)) } td { (count(area.total_out)) }
                                    td { (highest(area)) }
                                }
                                tr.notes { td colspan="4" {
                                    @if !area.rows.is_empty() { (steps(area, report.by)) }
                                    p { "Drift: " (Drift::words(area.drift.as_ref())) "." }
                                    (corrections(&area.corrections))
                                } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The highest number with the capacity, and below it when that was.
fn highest(area: &AreaReport) -> Markup {
    let of = area.capacity.map(|capacity| format!(" of {}", grouped(capacity)));
    html! {
        @match &area.highest {
            Some(highest) => {
                (highest.inside) (of.unwrap_or_default())
                small { (minutes(&highest.time)) }
            }
            None => "not known",
        }
    }
}

/// A few as they are, and many to open: with a quiet hour there is one for each day.
fn corrections(all: &[CorrectionReport]) -> Markup {
    let said = |correction: &CorrectionReport| format!("Corrected {}.", correction.words());
    html! {
        @if all.len() <= FEW {
            @for correction in all { p { (said(correction)) } }
        } @else {
            details {
                summary { "Corrected " (all.len()) " times" }
                ul { @for correction in all { li { (correction.words()) } } }
            }
        }
    }
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Quarter => "quarter of an hour",
        Step::Hour => "hour",
        Step::Day => "day",
    }
}

/// The rows of `area`.
fn steps(area: &AreaReport, by: Step) -> Markup {
    html! {
        details {
            summary { "In, out and highest number inside by " (step_name(by)) }
            table.numbers {
                thead { tr {
                    th scope="col" { "From" } th scope="col" { "In" } th scope="col" { "Out" }
                    th scope="col" { "Highest inside" }
                } }
                tbody {
                    @for row in &area.rows {
                        tr {
                            th scope="row" { (row.start_words(by)) }
                            td { (count(row.total_in)) } td { (count(row.total_out)) } td { (row.highest) }
                        }
                    }
                }
            }
        }
    }
}
