//! What a dashboard asks of the program around the engine (see [`Host`](crate::host::Host)), as one tagged JSON object, and
//! the answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    image::{KnownCrossing, Probed},
    order::ConfigEntry,
};
use crate::{
    config::edit::KeepLogin,
    evidence::Facts,
    host::{ConfigPlace, Settings, crossings, history},
    ledger::{
        chart::{Column, Width},
        report::Report,
    },
    model::{Judgment, SourceId},
};

/// A question: `{"ask": "chart", "source": "gate", "width": "minute", "count": 60}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
// Braces without fields: serde passes over what it does not know beside a variant that has none.
pub enum Question {
    /// Write all results that are not written yet.
    Export {},
    /// Open a source, and say what comes.
    Probe {
        /// The source.
        entry: ConfigEntry,
    },
    /// Where sources and lines are kept, and what is there.
    Place {},
    /// Write the lines, zones and ignored regions of a source into the configuration file, or into the sources of the fleet.
    SaveLines {
        /// The source.
        source: SourceId,
        /// `lines`, `zones` and `ignore`, as an entry of the configuration file holds them; without `ignore` the ignored regions of
        /// the file stay.
        shapes: ConfigEntry,
        /// The same as the user saw it; for a fleet, in which another user may have changed it meanwhile. One engine passes over it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<ConfigEntry>,
    },
    /// Write a source into the configuration file.
    SaveSource {
        /// The source.
        entry: ConfigEntry,
        /// As the user wrote it.
        written: String,
        /// Where its login goes.
        keep: KeepLogin,
    },
    /// Write what differs between `before` and `after` of a source's settings into the configuration file, and have it take
    /// effect.
    SaveSettings {
        /// The source.
        source: SourceId,
        /// Its settings as they were.
        before: Box<Settings>,
        /// Its settings as they are to be.
        after: Box<Settings>,
    },
    /// Remove sources from the configuration file.
    RemoveSources {
        /// Their ids.
        ids: Vec<SourceId>,
    },
    /// Write a configuration file of what runs, or what could not be saved to the one there is.
    WriteConfig {},
    /// What was counted on some days.
    Report(history::ReportQuery),
    /// Write that into files.
    WriteReport(history::ReportQuery),
    /// The last columns of a chart.
    Chart {
        /// Of which source.
        source: SourceId,
        /// Time of a column.
        width: Width,
        /// How many.
        count: usize,
    },
    /// Which crossings have pictures.
    Crossings(crossings::CrossingsQuery),
    /// What is known of a crossing.
    Crossing(Facts),
    /// Note what a person says of a crossing.
    Judge(crossings::NewJudgment),
}

impl Question {
    /// Whether it changes nothing, opens nothing and writes nothing.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::Place {} | Self::Report(_) | Self::Chart { .. } | Self::Crossings(_) | Self::Crossing(_)
        )
    }
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", content = "of", rename_all = "snake_case")]
pub enum Answer {
    /// What was done.
    Said(String),
    /// What a source sends.
    Probed(Box<Probed>),
    /// Where sources and lines are kept.
    Place(ConfigState),
    /// What was counted.
    Report(Box<WholeReport>),
    /// Columns, oldest first; none where history are not kept.
    Chart(Option<Vec<Column>>),
    /// Crossings that have pictures.
    Crossings(Box<crossings::CrossingsAnswer>),
    /// What is known of one.
    Crossing(Box<KnownCrossing>),
    /// What was noted.
    Judged(Box<Judgment>),
}

/// Where sources and lines are kept, and what is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigState {
    /// The file.
    pub place: ConfigPlace,
    /// Ids that a new source must not have, beside those that run.
    pub ids: Vec<String>,
    /// Sources that stand in it, without their secrets.
    pub sources: Vec<crate::config::SourceConfig>,
}

/// A report with what its JSON form leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WholeReport {
    report: Report,
    /// In and out of each row of each line of each source.
    rows: Vec<Vec<Vec<(u64, u64)>>>,
}

impl From<Report> for WholeReport {
    fn from(report: Report) -> Self {
        let of = |source: &crate::ledger::report::SourceReport| {
            source.lines.iter().map(|line| line.rows.clone()).collect()
        };
        Self { rows: report.sources.iter().map(of).collect(), report }
    }
}

impl From<WholeReport> for Report {
    fn from(WholeReport { mut report, rows }: WholeReport) -> Self {
        for (source, rows) in report.sources.iter_mut().zip(rows) {
            for (line, rows) in source.lines.iter_mut().zip(rows) {
                line.rows = rows;
            }
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        ledger::report::{LineReport, SourceReport, Step},
        model::Total,
    };

    #[test]
    fn the_example_of_a_question_is_one() {
        let text = r#"{"ask": "chart", "source": "gate", "width": "minute", "count": 60}"#;
        let question = Question::Chart { source: "gate".into(), width: Width::Minute, count: 60 };
        assert_eq!(serde_json::from_str::<Question>(text).unwrap(), question);
    }

    #[test]
    fn a_report_comes_back_equal_with_the_rows_of_its_lines() {
        let moment = |text: &str| text.parse::<Timestamp>().unwrap().to_zoned(jiff::tz::TimeZone::UTC).into();
        let line = LineReport { line: "door".into(), total_in: 2, total_out: 1, rows: vec![(2, 1), (0, 0)] };
        let source = SourceReport {
            camera_id: "gate".into(),
            total_in: 2,
            total_out: 1,
            net: 1,
            lines: vec![line],
            doubt: None,
            audit: None,
            occupancy: 1,
            peak_hour: None,
            coverage: 0.5,
            closed: 0.0,
            closed_times: Vec::new(),
            gaps: Vec::new(),
            rows: Vec::new(),
        };
        let report = Report {
            since: moment("2026-03-14T00:00:00Z"),
            until: moment("2026-03-14T02:00:00Z"),
            by: Step::Hour,
            sources: vec![source],
            total: Total { total_in: 2, total_out: 1, net: 1 },
            peak_hour: None,
            areas: Vec::new(),
            drifts: Vec::new(),
            clock_changes: Vec::new(),
        };
        let json = serde_json::to_string(&WholeReport::from(report.clone())).unwrap();
        let back: Report = serde_json::from_str::<WholeReport>(&json).unwrap().into();
        assert_eq!(format!("{back:?}").replace("[+00:00]", "[UTC]"), format!("{report:?}"));
    }
}
