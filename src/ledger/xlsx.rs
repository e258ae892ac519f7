//! A report as a workbook for spreadsheets: numbers as numbers, times as times, one sheet for each kind of row.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{
    local_time::LocalTime,
    report::{Gap, Report, SourceReport, Step},
    text::{clock_change, drift, interval, minutes, seconds},
};
use crate::{
    logging::line::clean,
    model::{CorrectionReason, Drift},
};

/// How wide a note is, in characters.
const NOTE: f64 = 110.0;

/// How wide a time is.
const TIME: f64 = 18.0;

/// How wide a number is at least: with its separators, sign and bold.
const NUMBER: f64 = 12.0;

/// The workbook of `report`, in which sources have the names that `name` gives them; `notices` are what there is to know before
/// the counts are used.
///
/// # Errors
/// In words, where a spreadsheet cannot hold it.
pub fn workbook(
    report: &Report,
    name: &dyn Fn(&str) -> String,
    notices: &[String],
) -> Result<Vec<u8>, String> {
    Book { report, name, looks: Looks::new(report.by) }.write(notices).map_err(|error| error.to_string())
}

/// How cells are shown.
struct Looks {
    heading: Format,
    number_heading: Format,
    number: Format,
    net: Format,
    /// Of a row of the report: a day, or a time.
    step: Format,
    time: Format,
    share: Format,
    total: Format,
    total_net: Format,
    note: Format,
}

impl Looks {
    fn new(by: Step) -> Self {
        const MINUTE: &str = "yyyy-mm-dd hh:mm";
        const NET: &str = "+#,##0;-#,##0;0";
        let heading = Format::new().set_bold().set_border_bottom(FormatBorder::Thin);
        let number = Format::new().set_num_format("#,##0");
        let time = Format::new().set_align(FormatAlign::Left);
        let total = number.clone().set_bold().set_border_top(FormatBorder::Thin);
        Self {
            number_heading: heading.clone().set_align(FormatAlign::Right),
            heading,
            net: Format::new().set_num_format(NET),
            step: time.clone().set_num_format(if by == Step::Day { "yyyy-mm-dd" } else { MINUTE }),
            time: time.set_num_format(MINUTE),
            share: Format::new().set_num_format("0.0%"),
            total_net: total.clone().set_num_format(NET),
            number,
            total,
            note: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        }
    }
}

/// What is written.
struct Book<'a> {
    report: &'a Report,
    name: &'a dyn Fn(&str) -> String,
    looks: Looks,
}

type Written = Result<(), XlsxError>;

impl Book<'_> {
    fn write(&self, notices: &[String]) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_properties(&DocProperties::new().set_title("People counted").set_author("pcount-tui"));
        self.totals(workbook.add_worksheet())?;
        self.counts(workbook.add_worksheet())?;
        if !self.report.areas.is_empty() {
            self.areas(workbook.add_worksheet())?;
            self.corrections(workbook.add_worksheet())?;
        }
        self.notes(workbook.add_worksheet(), notices)?;
        workbook.save_to_buffer()
    }

    /// Begins a sheet with `texts` columns of text or times before those of numbers; its headings stay in view.
    fn begin(&self, sheet: &mut Worksheet, name: &str, headings: &[&str], texts: usize) -> Written {
        sheet.set_name(name)?.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
        sheet.set_landscape().set_print_fit_to_pages(1, 0);
        for (column, heading) in headings.iter().enumerate() {
            let look = if column < texts { &self.looks.heading } else { &self.looks.number_heading };
            sheet.write_string_with_format(0, u16::try_from(column).unwrap_or(u16::MAX), *heading, look)?;
        }
        Ok(())
    }

    /// Makes the columns wide enough. What is known of numbers and times is their look, not their digits.
    fn fit(sheet: &mut Worksheet, headings: &[&str], texts: usize, time: Option<u16>) -> Written {
        sheet.autofit();
        for (column, heading) in (0..).zip(headings).skip(texts) {
            sheet.set_column_width(column, NUMBER.max(heading.len() as f64 + 2.0))?;
        }
        if let Some(column) = time {
            sheet.set_column_width(column, TIME)?;
        }
        Ok(())
    }

    fn totals(&self, sheet: &mut Worksheet) -> Written {
        let (report, looks) = (self.report, &self.looks);
        let has_closed = report.sources.iter().any(|source| source.closed > 0.0);
        let headings = ["Source", "Line", "In", "Out", "Net", "Watched", "Closed"];
        let headings = &headings[..if has_closed { 7 } else { 6 }];
        self.begin(sheet, "Totals", headings, 2)?;
        let mut row = 1;
        for source in &report.sources {
            let name = self.named(source);
            sheet.write_string(row, 0, &name)?.write_string(row, 1, "all")?;
            sheet.write_number_with_format(row, 2, source.total_in as f64, &looks.number)?;
            sheet.write_number_with_format(row, 3, source.total_out as f64, &looks.number)?;
            sheet.write_number_with_format(row, 4, source.net as f64, &looks.net)?;
            sheet.write_number_with_format(row, 5, source.coverage, &looks.share)?;
            if has_closed {
                sheet.write_number_with_format(row, 6, source.closed, &looks.share)?;
            }
            row += 1;
            for line in source.lines.iter().filter(|_| source.lines.len() > 1) {
                let net = line.total_in as f64 - line.total_out as f64;
                sheet.write_string(row, 0, &name)?.write_string(row, 1, clean(&line.line))?;
                sheet.write_number_with_format(row, 2, line.total_in as f64, &looks.number)?;
                sheet.write_number_with_format(row, 3, line.total_out as f64, &looks.number)?;
                sheet.write_number_with_format(row, 4, net, &looks.net)?;
                row += 1;
            }
        }
        let total = &report.total;
        sheet.write_string_with_format(row, 0, "All sources", &looks.total)?;
        sheet.write_string_with_format(row, 1, "all", &looks.total)?;
        sheet.write_number_with_format(row, 2, total.total_in as f64, &looks.total)?;
        sheet.write_number_with_format(row, 3, total.total_out as f64, &looks.total)?;
        sheet.write_number_with_format(row, 4, total.net as f64, &looks.total_net)?;
        Self::fit(sheet, headings, 2, None)
    }

    fn counts(&self, sheet: &mut Worksheet) -> Written {
        let looks = &self.looks;
        let headings = ["Source", "From", "In", "Out", "Net", "Occupancy", "Peak", "Watched", "Closed"];
        self.begin(sheet, "Counts", &headings, 2)?;
        let mut row = 1;
        for source in &self.report.sources {
            let name = self.named(source);
            for counts in &source.rows {
                sheet.write_string(row, 0, &name)?;
                sheet.write_datetime_with_format(row, 1, moment(&counts.start)?, &looks.step)?;
                sheet.write_number_with_format(row, 8, counts.closed, &looks.share)?;
                // Empty where nobody was to be counted: a 0 would go into averages.
                if !counts.is_closed() {
                    sheet.write_number_with_format(row, 2, counts.total_in as f64, &looks.number)?;
                    sheet.write_number_with_format(row, 3, counts.total_out as f64, &looks.number)?;
                    sheet.write_number_with_format(row, 4, counts.net as f64, &looks.net)?;
                    sheet.write_number_with_format(row, 5, counts.occupancy as f64, &looks.number)?;
                    sheet.write_number_with_format(row, 6, counts.peak_occupancy as f64, &looks.number)?;
                    sheet.write_number_with_format(row, 7, counts.coverage, &looks.share)?;
                }
                row += 1;
            }
        }
        if row > 1 {
            sheet.autofilter(0, 0, row - 1, 8)?;
        }
        Self::fit(sheet, &headings, 2, Some(1))
    }

    fn areas(&self, sheet: &mut Worksheet) -> Written {
        let looks = &self.looks;
        let headings = ["Area", "From", "In", "Out", "Highest inside", "Capacity"];
        self.begin(sheet, "Areas", &headings, 2)?;
        let mut row = 1;
        for area in &self.report.areas {
            for counts in &area.rows {
                sheet.write_string(row, 0, clean(&area.area))?;
                sheet.write_datetime_with_format(row, 1, moment(&counts.start)?, &looks.step)?;
                sheet.write_number_with_format(row, 2, counts.total_in as f64, &looks.number)?;
                sheet.write_number_with_format(row, 3, counts.total_out as f64, &looks.number)?;
                sheet.write_number_with_format(row, 4, counts.highest as f64, &looks.number)?;
                if let Some(capacity) = area.capacity {
                    sheet.write_number_with_format(row, 5, capacity as f64, &looks.number)?;
                }
                row += 1;
            }
        }
        if row > 1 {
            sheet.autofilter(0, 0, row - 1, 5)?;
        }
        Self::fit(sheet, &headings, 2, Some(1))
    }

    fn corrections(&self, sheet: &mut Worksheet) -> Written {
        let looks = &self.looks;
        let headings = ["Area", "Time", "Reason", "User", "Before", "After"];
        self.begin(sheet, "Corrections", &headings, 4)?;
        let mut row = 1;
        for area in &self.report.areas {
            for correction in &area.corrections {
                sheet.write_string(row, 0, clean(&area.area))?;
                sheet.write_datetime_with_format(row, 1, moment(&correction.time)?, &looks.time)?;
                let reason = match correction.reason {
                    CorrectionReason::Reset => "quiet hour",
                    CorrectionReason::Person => "a person",
                };
                sheet.write_string(row, 2, reason)?;
                sheet.write_string(row, 3, clean(&correction.who))?;
                sheet.write_number_with_format(row, 4, correction.before as f64, &looks.number)?;
                sheet.write_number_with_format(row, 5, correction.after as f64, &looks.number)?;
                row += 1;
            }
        }
        Self::fit(sheet, &headings, 4, Some(1))
    }

    /// What there is to know of the counts, as the page and the table say it.
    fn notes(&self, sheet: &mut Worksheet, notices: &[String]) -> Written {
        let report = self.report;
        let mut notes = vec![
            ("Time".to_owned(), format!("{} to {}", minutes(&report.since), minutes(&report.until))),
            (
                "Time zone".to_owned(),
                format!("{}; times are those of the clock on the wall there", report.since.zone()),
            ),
        ];
        let all = || String::new();
        notes.extend(notices.iter().map(|notice| (all(), clean(notice))));
        for source in &report.sources {
            notes.extend(self.about(source).into_iter().map(|note| (self.named(source), note)));
        }
        for area in &report.areas {
            let drift = format!("drift: {}", Drift::words(area.drift.as_ref()));
            notes.push((clean(&area.area), drift));
        }
        notes.extend(report.drifts.iter().map(drift).map(|note| (all(), note)));
        notes.extend(report.clock_changes.iter().map(clock_change).map(|note| (all(), note)));
        self.begin(sheet, "Notes", &["About", "Note"], 2)?;
        for (row, (about, note)) in (1..).zip(&notes) {
            sheet.write_string_with_format(row, 0, about, &self.looks.note)?;
            sheet.write_string_with_format(row, 1, note, &self.looks.note)?;
        }
        sheet.autofit();
        sheet.set_column_width(1, NOTE)?;
        Ok(())
    }

    fn about(&self, source: &SourceReport) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(doubt) = source.doubt {
            notes.push(format!("not to be relied upon: {}; {}", doubt.words(), doubt.expected()));
        }
        let is_audited = self.report.sources.iter().any(|source| source.audit.is_some());
        match &source.audit {
            Some(audit) => notes.push(format!(
                "audited {}: recall {}, precision {}",
                minutes(&audit.time),
                interval(audit.recall),
                interval(audit.precision)
            )),
            None if is_audited => notes.push("never audited".to_owned()),
            None => {}
        }
        let gap = |gap: &Gap| format!("not watching from {} to {}", seconds(&gap.from), seconds(&gap.to));
        notes.extend(source.gaps.iter().map(gap));
        notes
    }

    fn named(&self, source: &SourceReport) -> String {
        clean(&(self.name)(&source.camera_id))
    }
}

/// The time as the clock on the wall shows it, because a spreadsheet knows no time zones.
fn moment(time: &LocalTime) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::parse_from_str(&time.shown("%Y-%m-%dT%H:%M:%S"))
}
