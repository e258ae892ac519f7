//! The program around an engine in another process.

use std::{sync::Arc, time::Duration};

use super::{
    ClientError, Remote,
    paths::{from_here, written_from_here},
    views::View,
};
use crate::{
    config::{
        SourceConfig,
        edit::{KeepLogin, entry_of, shapes_of},
    },
    evidence::Facts,
    host::{
        ConfigPlace, Drawn, Host, ProbedSource, Settings,
        crossings::{self, CrossingDetails, NewJudgment},
        history::ReportQuery,
    },
    ledger::{
        chart::{Column, Width},
        report::Report,
    },
    logging::RecentLogs,
    model::{Judgment, SourceId},
    protocol::{
        Reloaded,
        ask::{Answer, Question},
    },
};

/// What is asked may wait for a disk, or for a camera to open.
const PATIENCE: Duration = Duration::from_secs(90);

/// What is said of an answer to another question.
const STRANGE: &str = "the engine's answer does not fit the question";

impl Remote {
    /// Asks, and takes the kind of answer that `of` knows.
    fn asked<T>(&self, question: &Question, of: impl FnOnce(Answer) -> Option<T>) -> Result<T, String> {
        let answer = self.client.post("/ask", Some(question), PATIENCE).map_err(|error| error.to_string())?;
        of(answer).ok_or_else(|| STRANGE.to_owned())
    }

    fn said(&self, question: &Question) -> Result<String, String> {
        self.asked(question, |answer| if let Answer::Said(said) = answer { Some(said) } else { None })
    }

    fn reloaded(&self, dry_run: bool) -> Result<Reloaded, String> {
        let path = format!("/reload?dry_run={dry_run}");
        self.client.post(&path, None::<&()>, PATIENCE).map_err(|error: ClientError| error.to_string())
    }
}

impl Host for Remote {
    fn export(&self) -> Result<String, String> {
        self.said(&Question::Export {})
    }

    fn probe(&self, source: &SourceConfig) -> Result<ProbedSource, String> {
        let source = &from_here(source);
        let probed = |answer| if let Answer::Probed(probed) = answer { Some(probed.found()) } else { None };
        self.asked(&Question::Probe { entry: entry_of(source) }, probed)
    }

    fn config_place(&self) -> ConfigPlace {
        let place = |known: &super::views::ViewCache| known.place.as_ref().map(|place| place.place.clone());
        self.views.ask(View::Place, place).unwrap_or(ConfigPlace::Nowhere)
    }

    fn refresh_config(&self) {
        // What cannot be asked now is asked again with the next dialog.
        drop(self.views.look());
    }

    fn taken_ids(&self) -> Vec<String> {
        self.views.known(|known| known.place.as_ref().map(|place| place.ids.clone()).unwrap_or_default())
    }

    fn saved_sources(&self) -> Vec<SourceConfig> {
        self.views.known(|known| known.place.as_ref().map(|place| place.sources.clone()).unwrap_or_default())
    }

    fn hide_secrets(&self, source: &SourceConfig) {
        source.source.teach(crate::config::known());
    }

    fn save_lines(&self, source: &SourceId, drawn: &Drawn, before: Option<&Drawn>) -> Result<String, String> {
        let shapes = |drawn: &Drawn| shapes_of(&drawn.lines, &drawn.zones, Some(&drawn.ignore));
        // Engines of before know no such field.
        let before = before.filter(|_| self.config_place() == ConfigPlace::Fleet).map(shapes);
        self.said(&Question::SaveLines { source: source.clone(), shapes: shapes(drawn), before })
    }

    fn save_source(&self, source: &SourceConfig, written: &str, keep: KeepLogin) -> Result<String, String> {
        let (entry, written) = (entry_of(&from_here(source)), written_from_here(source, written));
        self.said(&Question::SaveSource { entry, written, keep })
    }

    fn save_settings(
        &self,
        source: &SourceId,
        before: &Settings,
        after: &Settings,
    ) -> Result<String, String> {
        after.credentials().iter().for_each(|login| crate::config::known().learn_login(login));
        let (before, after) = (Box::new(before.clone()), Box::new(after.clone()));
        let said = self.said(&Question::SaveSettings { source: source.clone(), before, after })?;
        // The next change begins with what is in effect now.
        self.views.lines_answered(source);
        Ok(said)
    }

    fn remove_sources(&self, ids: &[SourceId]) -> Result<String, String> {
        self.said(&Question::RemoveSources { ids: ids.to_vec() })
    }

    fn write_config(&self, _: &[Arc<SourceConfig>]) -> Result<String, String> {
        let said = self.said(&Question::WriteConfig {})?;
        drop(self.views.look());
        Ok(said)
    }

    fn reload_shown(&self) -> Result<Vec<String>, String> {
        let changes = self.reloaded(true)?.changes;
        self.views.known(|known| known.shown = Some(changes.clone()));
        Ok(changes)
    }

    fn file_changes(&self) -> Result<Vec<String>, String> {
        Ok(self.reloaded(true)?.changes)
    }

    fn reload(&self) -> Result<String, String> {
        // Only what was shown is taken over: the file may have changed again.
        let now = self.reloaded(true)?.changes;
        if self.views.known(|known| known.shown.take()).is_none_or(|shown| shown != now) {
            return Err(
                "the configuration file has changed since its changes were shown; reload again".into()
            );
        }
        Ok(self.reloaded(false)?.said.unwrap_or_default())
    }

    fn report(&self, asked: &ReportQuery) -> Result<Report, String> {
        let report = |answer| if let Answer::Report(report) = answer { Some((*report).into()) } else { None };
        self.asked(&Question::Report(asked.clone()), report)
    }

    fn write_report(&self, asked: &ReportQuery) -> Result<String, String> {
        self.said(&Question::WriteReport(asked.clone()))
    }

    fn chart(&self, source: &SourceId, width: Width, count: usize) -> Result<Option<Vec<Column>>, String> {
        let chart = |answer| if let Answer::Chart(columns) = answer { Some(columns) } else { None };
        self.asked(&Question::Chart { source: source.clone(), width, count }, chart)
    }

    fn crossings(&self, asked: &crossings::CrossingsQuery) -> Result<crossings::CrossingsAnswer, String> {
        let found = |answer| if let Answer::Crossings(found) = answer { Some(*found) } else { None };
        self.asked(&Question::Crossings(asked.clone()), found)
    }

    fn crossing(&self, facts: &Facts) -> Result<CrossingDetails, String> {
        let known = |answer| if let Answer::Crossing(known) = answer { Some(known) } else { None };
        self.asked(&Question::Crossing(facts.clone()), known)?.known()
    }

    fn judge(&self, said: &NewJudgment) -> Result<Judgment, String> {
        let judged = |answer| if let Answer::Judged(judgment) = answer { Some(*judgment) } else { None };
        self.asked(&Question::Judge(said.clone()), judged)
    }

    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        self.views.ask(View::Logs, |_| ());
        Some(Arc::clone(&self.logs))
    }
}
