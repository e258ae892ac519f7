//! A report as text, CSV or JSON.

use std::fmt::Write;

use super::{
    area_text,
    report::{PeriodCounts, Report, Step},
    text::{clock_change, drift, interval, minutes, percent, seconds},
};
use crate::files::text_cell;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ReportFormat {
    /// For reading.
    #[default]
    Table,
    /// One row for each source and time.
    Csv,
    /// One object.
    Json,
    /// One page for browsers and mail, with a chart, compared with the week before.
    Html,
    /// A workbook for spreadsheets; write it into a file.
    Xlsx,
}

/// `report` as one JSON object, ending with a line feed.
#[must_use]
pub fn json(report: &Report) -> String {
    // A report holds nothing that JSON could refuse.
    serde_json::to_string(report).unwrap_or_default() + "\n"
}

/// `report` for reading, ending with a line feed.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{} .. {}", minutes(&report.since), minutes(&report.until));
    // Where nobody audits at all it is nothing to be told of each source.
    let is_audited = report.sources.iter().any(|source| source.audit.is_some());
    for source in &report.sources {
        let _ = writeln!(text, "\n{}", crate::logging::line::clean(&source.camera_id));
        if let Some(doubt) = source.doubt {
            let _ = writeln!(text, "  not to be relied upon: {}; {}", doubt.words(), doubt.expected());
        }
        if source.audit.is_none() && is_audited {
            let _ = writeln!(text, "  never audited");
        }
        if let Some(audit) = &source.audit {
            let _ = writeln!(
                text,
                "  audited {}: recall {}, precision {}",
                minutes(&audit.time),
                interval(audit.recall),
                interval(audit.precision)
            );
        }
        let _ = writeln!(
            text,
            "  {:<16} {:>7} {:>7} {:>7} {:>9} {:>6} {:>8}",
            "from", "in", "out", "net", "occupancy", "peak", "watched"
        );
        for row in &source.rows {
            let start =
                if report.by == Step::Day { row.start.shown("%Y-%m-%d") } else { minutes(&row.start) };
            if row.is_closed() {
                let _ = writeln!(text, "  {start:<16} {:>7}", "closed");
                continue;
            }
            let _ = writeln!(
                text,
                "  {:<16} {:>7} {:>7} {:>+7} {:>9} {:>6} {:>8}",
                start,
                row.total_in,
                row.total_out,
                row.net,
                row.occupancy,
                row.peak_occupancy,
                percent(row.coverage)
            );
        }
        let _ = writeln!(
            text,
            "  {:<16} {:>7} {:>7} {:>+7} {:>9} {:>6} {:>8}",
            "total",
            source.total_in,
            source.total_out,
            source.net,
            source.occupancy,
            "",
            percent(source.coverage)
        );
        if source.closed > 0.0 {
            let closed = percent(source.closed);
            let _ =
                writeln!(text, "  closed {closed} of the time by its opening hours; watched is of the rest");
        }
        for line in source.lines.iter().filter(|_| source.lines.len() > 1) {
            let name = crate::logging::line::clean(&line.line);
            let _ = writeln!(text, "  line '{name}': {} in, {} out", line.total_in, line.total_out);
        }
        if let Some(peak) = &source.peak_hour {
            let _ = writeln!(
                text,
                "  busiest hour: {} ({} in, {} out)",
                minutes(&peak.start),
                peak.total_in,
                peak.total_out
            );
        }
        for gap in &source.gaps {
            let _ = writeln!(text, "  not watching from {} to {}", seconds(&gap.from), seconds(&gap.to));
        }
    }
    text.push_str(&area_text::text(&report.areas, report.by));
    for remark in report.drifts.iter().map(drift).chain(report.clock_changes.iter().map(clock_change)) {
        let _ = writeln!(text, "\n{remark}");
    }
    let total = &report.total;
    let _ =
        writeln!(text, "\nTotal: In: {} | Out: {} | Net: {:+}", total.total_in, total.total_out, total.net);
    let doubtful = report.sources.iter().filter(|source| source.doubt.is_some());
    let doubtful: Vec<_> = doubtful.map(|source| crate::logging::line::clean(&source.camera_id)).collect();
    if !doubtful.is_empty() {
        let _ = writeln!(text, "Not to be relied upon in it: {}", doubtful.join(", "));
    }
    text
}

/// `report` with one row for each source and time, ending with a line feed.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = [
        "camera_id",
        "start",
        "end",
        "in",
        "out",
        "net",
        "occupancy",
        "peak_occupancy",
        "coverage",
        "closed",
    ];
    // Writing to memory cannot fail.
    let _ = writer.write_record(header);
    for source in &report.sources {
        for PeriodCounts {
            start,
            end,
            total_in,
            total_out,
            net,
            occupancy,
            peak_occupancy,
            coverage,
            closed,
        } in &source.rows
        {
            let _ = writer.write_record([
                text_cell(&source.camera_id),
                start.to_string(),
                end.to_string(),
                total_in.to_string(),
                total_out.to_string(),
                net.to_string(),
                occupancy.to_string(),
                peak_occupancy.to_string(),
                format!("{coverage:.4}"),
                format!("{closed:.4}"),
            ]);
        }
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
