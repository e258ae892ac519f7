//! What dashboards ask of the program around the engine.

use super::{Served, UserAndOrigin};
use crate::{
    config::{self, SourceConfig},
    engine::commands::SetLines,
    host::Drawn,
    protocol::{
        ask::{Answer, ConfigState, Question},
        image::{KnownCrossing, Probed},
        order::{ConfigEntry, lines_of},
    },
};

/// Most columns of a chart, as the ledger gives.
const MOST_COLUMNS: usize = 1_000;

/// The answer to `question` of `who`. May take as long as a disk or a camera does.
///
/// # Errors
/// Why there is none, in a sentence.
pub fn answer(served: &dyn Served, question: Question, who: &UserAndOrigin) -> Result<Answer, String> {
    let host = served.host();
    match question {
        Question::Export {} => host.export().map(Answer::Said),
        Question::Probe { entry } => {
            let source = source_of(&entry)?;
            host.hide_secrets(&source);
            host.probe(&source).map(|found| Answer::Probed(Box::new(Probed::of(found))))
        }
        Question::Place {} => {
            host.refresh_config();
            let (ids, sources) = (host.taken_ids(), host.saved_sources());
            Ok(Answer::Place(ConfigState { place: host.config_place(), ids, sources }))
        }
        Question::SaveLines { source, shapes, before: _ } => {
            let SetLines { lines, zones, ignore } = lines_of(shapes)?;
            // Who says nothing of ignored regions leaves those of the file alone.
            let as_saved = || {
                host.refresh_config();
                host.saved_sources().into_iter().find(|saved| saved.id == source).map(|saved| saved.ignore)
            };
            let ignore = ignore.or_else(as_saved).unwrap_or_default();
            host.save_lines(&source, &Drawn { lines, zones, ignore }, None).map(Answer::Said)
        }
        Question::SaveSource { entry, written, keep } => {
            let source = source_of(&entry)?;
            host.hide_secrets(&source);
            host.save_source(&source, &written, keep).map(Answer::Said)
        }
        Question::SaveSettings { source, before, after } => {
            // Whatever becomes of it.
            after.credentials().iter().for_each(|login| config::known().learn_login(login));
            served.save_settings(&source, &before, &after, who).map(Answer::Said)
        }
        Question::RemoveSources { ids } => host.remove_sources(&ids).map(Answer::Said),
        Question::WriteConfig {} => {
            let engine = served.engine();
            let sources = engine.snapshot().sources;
            let sources: Vec<_> =
                sources.iter().filter_map(|source| engine.source_config(&source.id)).collect();
            host.write_config(&sources).map(Answer::Said)
        }
        Question::Report(asked) => host.report(&asked).map(|report| Answer::Report(Box::new(report.into()))),
        Question::WriteReport(asked) => host.write_report(&asked).map(Answer::Said),
        Question::Chart { source, width, count } => {
            let count = count.clamp(1, MOST_COLUMNS);
            host.chart(&source, width, count).map(Answer::Chart)
        }
        Question::Crossings(asked) => host.crossings(&asked).map(|found| Answer::Crossings(Box::new(found))),
        Question::Crossing(facts) => {
            let known = host.crossing(&facts).and_then(KnownCrossing::of)?;
            Ok(Answer::Crossing(Box::new(known)))
        }
        Question::Judge(mut said) => {
            said.who = Some(who.name.clone());
            host.judge(&said).map(|judgment| Answer::Judged(Box::new(judgment)))
        }
    }
}

fn source_of(entry: &ConfigEntry) -> Result<SourceConfig, String> {
    SourceConfig::from_entry(entry)
}
