//! The findings as a page for people, or for scripts.

use std::fmt::Write as _;

use serde::Serialize;

use super::finding::{Finding, Status};

/// Columns before the sentence: status and check.
const INDENT: usize = 22;

/// Columns of the status with what surrounds it.
const STATUS: usize = 8;

/// A page is not drawn narrower, nor wider.
const WIDTHS: (usize, usize) = (48, 100);

/// From so many subjects on without a problem a check names them in one entry.
const MANY: usize = 7;

/// How a page is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Drawing {
    /// Columns.
    pub width: usize,
    /// Whether it has colors.
    pub colors: bool,
}

/// How many findings there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// As they should be.
    pub ok: usize,
    /// Worth knowing.
    pub warn: usize,
    /// Do not work.
    pub fail: usize,
}

impl Totals {
    /// Counts another finding.
    pub fn count(&mut self, finding: &Finding) {
        match finding.status {
            Status::Ok => self.ok += 1,
            Status::Warn => self.warn += 1,
            Status::Fail => self.fail += 1,
        }
    }
}

impl Drawing {
    /// The findings of one check.
    #[must_use]
    pub fn findings(&self, findings: &[Finding]) -> String {
        let mut out = String::new();
        let is_quiet = |finding: &&Finding| finding.status == Status::Ok && finding.subject.is_some();
        let quiet: Vec<&Finding> = findings.iter().filter(is_quiet).collect();
        if quiet.len() >= MANY {
            let names: Vec<&str> = quiet.iter().filter_map(|finding| finding.subject.as_deref()).collect();
            let sentence = format!("{} without a problem: {}", names.len(), names.join(", "));
            self.entry(&mut out, Status::Ok, quiet[0].check, &sentence, None);
        }
        let others = findings.iter().filter(|finding| quiet.len() < MANY || !is_quiet(finding));
        for finding in others {
            let sentence = match &finding.subject {
                Some(subject) => format!("{subject}: {}", finding.sentence),
                None => finding.sentence.clone(),
            };
            self.entry(&mut out, finding.status, finding.check, &sentence, finding.fix.as_deref());
        }
        out
    }

    /// The end of the page.
    #[must_use]
    pub fn summary(&self, totals: &Totals) -> String {
        let Totals { ok, warn, fail } = totals;
        let verdict = match (fail, warn) {
            (0, 0) => "Nothing stands in the way of counting.",
            (0, _) => "Nothing fails; what is marked 'warn' may.",
            _ => "What is marked 'fail' does not work until it is fixed.",
        };
        let counts = format!("{ok} ok, {warn} warn, {fail} fail. {verdict}");
        let mut out = String::from("\n");
        for line in wrapped(&counts, self.columns()) {
            let _ = writeln!(out, "{line}");
        }
        out
    }

    fn columns(&self) -> usize {
        self.width.clamp(WIDTHS.0, WIDTHS.1)
    }

    fn entry(&self, out: &mut String, status: Status, check: &str, sentence: &str, fix: Option<&str>) {
        let columns = self.columns() - INDENT;
        let head = format!("{:STATUS$}{check:<width$}", "", width = INDENT - STATUS);
        let mut lines = wrapped(sentence, columns).into_iter();
        let first = lines.next().unwrap_or_default();
        let word = self.colored(status);
        let _ =
            writeln!(out, "{}", format!("  {word}{}{first}", &head[2 + status.word().len()..]).trim_end());
        let fix = fix.map(|fix| wrapped(&format!("fix: {fix}"), columns)).unwrap_or_default();
        for line in lines.chain(fix) {
            let _ = writeln!(out, "{:INDENT$}{line}", "");
        }
    }

    fn colored(&self, status: Status) -> String {
        let word = status.word();
        let color = match status {
            Status::Ok => 32,
            Status::Warn => 33,
            Status::Fail => 31,
        };
        if self.colors { format!("\x1b[1;{color}m{word}\x1b[0m") } else { word.to_owned() }
    }
}

/// `text` in lines of at most `columns`, broken at blanks.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(check: &'static str, finding: Finding) -> Finding {
        Finding { check, ..finding }
    }

    #[test]
    fn a_finding_is_a_paragraph_and_its_fix_another() {
        let drawing = Drawing { width: 60, colors: false };
        let page = drawing.findings(&[
            of("clock", Finding::ok("synchronized")),
            of("ledger", Finding::fail("damaged, and more than one line has room for", "copy it first")),
        ]);
        assert_eq!(
            page,
            "  ok    clock         synchronized\n  \
               fail  ledger        damaged, and more than one line has\n                      room for\n\
               \x20                     fix: copy it first\n"
        );
        assert!(
            Drawing { colors: true, ..drawing }
                .findings(&[of("a", Finding::ok("b"))])
                .contains("\x1b[1;32mok\x1b[0m ")
        );
    }

    #[test]
    fn many_sources_that_work_are_one_entry() {
        let drawing = Drawing { width: 80, colors: false };
        let mut findings: Vec<Finding> =
            (0..20).map(|n| of("sources", Finding::ok("sends frames").about(format!("c{n}")))).collect();
        findings.push(of("sources", Finding::fail("Retrying", "check it").about("gate")));
        let page = drawing.findings(&findings);
        assert!(page.contains("20 without a problem: c0, c1,") && page.contains("gate: Retrying"), "{page}");
        assert_eq!(page.matches(" ok ").count(), 1);
        assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    }

    #[test]
    fn the_page_ends_with_what_it_comes_to() {
        let mut totals = Totals::default();
        for finding in [Finding::ok("a"), Finding::advice("b"), Finding::problem("c")] {
            totals.count(&finding);
        }
        let drawing = Drawing { width: 80, colors: false };
        assert_eq!(
            drawing.summary(&totals),
            "\n1 ok, 1 warn, 1 fail. What is marked 'fail' does not work until it is fixed.\n"
        );
        assert!(drawing.summary(&Totals { ok: 3, warn: 0, fail: 0 }).contains("Nothing stands in the way"));
    }
}
