//! The configuration: every problem and every warning.

use super::{finding::Finding, site::Site};
use crate::{config::Problem, tui::keymap::Keymap};

/// Problems that are listed; a file that is no configuration has very many.
const MOST: usize = 20;

/// Whether it is valid, and what it warns of.
pub fn configuration(site: &Site) -> Vec<Finding> {
    let Site { options, config, problems, veil, .. } = site;
    let mut findings = Vec::new();
    if let Some(errors) = problems {
        findings.extend(errors.problems.iter().take(MOST).map(|problem| told(site, problem)));
        if errors.problems.len() > MOST {
            findings.push(Finding::fail(
                format!("{} more problems", errors.problems.len() - MOST),
                "'pcount-tui check --config FILE' lists them all",
            ));
        }
        return findings;
    }
    let (total, disabled) =
        (config.sources.len(), config.sources.iter().filter(|source| !source.enabled).count());
    findings.push(match &options.config {
        None => Finding::ok("none named; with --config FILE it is checked as well"),
        Some(_) => Finding::ok(format!("valid: {total} sources, {disabled} disabled")),
    });
    let file = options.config.as_ref().map(|file| format!("{}:", file.display())).unwrap_or_default();
    let without_file =
        |warning: &str| warning.strip_prefix(&*file).unwrap_or(warning).trim_start().to_owned();
    let warnings = config.warnings.iter().map(|warning| veil.said(&without_file(warning)));
    findings.extend(warnings.map(Finding::advice));
    let keys = Keymap::new(&config.tui.keys).1;
    findings.extend(keys.iter().map(|problem| Finding::advice(veil.said(problem))));
    findings
}

fn told(site: &Site, problem: &Problem) -> Finding {
    let mut place = Vec::new();
    if let Some((line, column)) = problem.place {
        place.push(format!("line {line}, column {column}"));
    }
    if !problem.path.is_empty() {
        place.push(site.veil.place(&problem.path));
    }
    place.push(site.veil.said(&problem.message));
    Finding::problem(place.join(": "))
}
