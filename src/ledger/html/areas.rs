//! What an area counted by the step of the report, as a table that opens.

use maud::{Markup, html};

use super::{
    super::report::{Step, areas::AreaReport},
    number::count,
};

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Quarter => "quarter of an hour",
        Step::Hour => "hour",
        Step::Day => "day",
    }
}

/// The rows of `area`.
pub fn steps(area: &AreaReport, by: Step) -> Markup {
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
