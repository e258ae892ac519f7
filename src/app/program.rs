//! The program around the engine, as front ends ask it: results, history, the configuration file.

use std::{io, sync::Arc, time::Duration};

use super::{
    acting::Acting,
    counting::RunServices,
    failure::NO_THREAD,
    history::Past,
    reload::{Reloader, put_in_effect},
    save::ConfigSaver,
};
use crate::{
    config::{self, Config, Overrides, SourceConfig, edit::KeepLogin},
    engine::{Engine, EngineApi as _, preview},
    evidence::Facts,
    host::{
        ConfigPlace, Drawn, Host, ProbedSource, Settings,
        crossings::{self, CrossingDetails, NewJudgment},
        history::ReportQuery,
    },
    ledger::{
        chart::{Column, Width},
        report::{Query, Report},
    },
    logging::RecentLogs,
    model::{Action, Judgment, SourceId},
    native::disk::Disk,
    outputs::{Running, ledger::Ledger},
    source::{SystemOpener, probe_source},
};

/// An export that is asked for waits this long for the disk.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the screens may ask of this program.
pub(super) struct ProgramHost {
    csv: Arc<Running>,
    past: Option<Past>,
    recent: Arc<RecentLogs>,
    saver: ConfigSaver,
    reloader: Option<Arc<Reloader>>,
    engine: Engine,
    results: String,
    acting: Arc<Acting>,
}

impl ProgramHost {
    /// The program around `engine`, as a person uses it by `acting`. With `reload: auto` it follows the file for as long as it
    /// is held.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        config: &Config,
        overrides: Overrides,
        engine: &Engine,
        parts: &RunServices,
        acting: &Arc<Acting>,
    ) -> io::Result<Self> {
        let (output, timezone) = (&config.parallel.result_output, &config.parallel.timezone);
        let past = |ledger: &Arc<Ledger>| Past::new(Arc::clone(ledger), output.clone(), timezone.clone());
        Ok(Self {
            csv: Arc::clone(&parts.written.csv),
            past: parts.written.ledger.as_ref().map(past),
            recent: parts.logs.recent(),
            saver: ConfigSaver::new(config.path.clone(), config.piped.clone()),
            reloader: Reloader::start(config, overrides, engine, &parts.logs)?,
            engine: engine.clone(),
            results: output.display().to_string(),
            acting: Arc::clone(acting),
        })
    }

    /// Follows the configuration file; `None` where there is none that can be read again.
    pub fn follower(&self) -> Option<&Arc<Reloader>> {
        self.reloader.as_ref()
    }

    /// An answer out of the ledger.
    ///
    /// # Errors
    /// Why there is none.
    pub fn query(&self, query: &Query) -> Result<Report, String> {
        on_disk(|| self.past()?.query(query, EXPORT_TIMEOUT))
    }

    /// What people did, see [`Reader::actions`](crate::ledger::Reader::actions).
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn actions(&self, since: i64, until: i64, limit: usize) -> Result<Vec<Action>, String> {
        on_disk(|| self.past()?.actions(since, until, limit))
    }

    /// [`Host::save_settings`] on behalf of `acting`.
    ///
    /// # Errors
    /// Why the file is as it was.
    pub fn save_settings_by(
        &self,
        acting: &Acting,
        source: &SourceId,
        before: &Settings,
        after: &Settings,
    ) -> Result<String, String> {
        after.credentials().iter().for_each(|login| config::known().learn_login(login));
        // A reload by itself must not meet a source that is half changed.
        let _turn = self.reloader.as_ref().map(|reloader| reloader.turn());
        let said = on_disk(|| self.saver.save_settings(source, before, after))?;
        acting.note_of(source, Action::SETTINGS, Some(after.changed(before).join(", ")));
        let Some(runs) = self.engine.source_config(source) else { return Ok(said) };
        // What runs keeps what was changed in this run and never saved, its lines for example.
        Ok(match put_in_effect(&self.engine, &after.applied(before, &runs)) {
            Ok(()) => said,
            Err(problem) => format!("{said}; not in effect: {problem}"),
        })
    }

    fn reloader(&self) -> Result<&Reloader, String> {
        let none = "there is no configuration file to reload";
        self.reloader.as_deref().ok_or_else(|| none.to_owned())
    }

    fn past(&self) -> Result<&Past, String> {
        self.past.as_ref().ok_or_else(|| {
            "there is no history: 'ledger' is false in the configuration; set it to true".into()
        })
    }
}

/// Runs `work` where a disk that does not answer keeps nothing from ending the program.
fn on_disk<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    Disk::start("disk-screen").map_err(|error| format!("{NO_THREAD}: {error}"))?.run(work)
}

impl Host for ProgramHost {
    fn export(&self) -> Result<String, String> {
        if self.csv.sync(EXPORT_TIMEOUT) {
            Ok(format!("all results are written to '{}'", self.results))
        } else {
            Err(format!("the disk of '{}' is too slow; rows wait in memory", self.results))
        }
    }

    fn probe(&self, source: &SourceConfig) -> Result<ProbedSource, String> {
        source.source.teach(config::known());
        let (probe, frame) = probe_source(source, &SystemOpener::default())
            .map_err(|error| source.source.redact(&error.to_string()))?;
        Ok(ProbedSource { words: probe.to_string(), picture: preview::of_frame(&frame).map(Arc::new) })
    }

    fn config_place(&self) -> ConfigPlace {
        self.saver.place()
    }

    fn refresh_config(&self) {
        self.saver.look();
    }

    fn taken_ids(&self) -> Vec<String> {
        self.saver.ids()
    }

    fn saved_sources(&self) -> Vec<SourceConfig> {
        self.saver.known()
    }

    fn hide_secrets(&self, source: &SourceConfig) {
        source.source.teach(config::known());
    }

    fn save_lines(&self, source: &SourceId, drawn: &Drawn, _: Option<&Drawn>) -> Result<String, String> {
        on_disk(|| self.saver.save_lines(source, drawn))
    }

    fn save_source(&self, source: &SourceConfig, written: &str, keep: KeepLogin) -> Result<String, String> {
        on_disk(|| self.saver.save_source(source, written, keep))
    }

    fn save_settings(
        &self,
        source: &SourceId,
        before: &Settings,
        after: &Settings,
    ) -> Result<String, String> {
        self.save_settings_by(&self.acting, source, before, after)
    }

    fn remove_sources(&self, ids: &[SourceId]) -> Result<String, String> {
        on_disk(|| self.saver.remove(ids))
    }

    fn write_config(&self, sources: &[Arc<SourceConfig>]) -> Result<String, String> {
        on_disk(|| self.saver.write(sources))
    }

    fn report(&self, asked: &ReportQuery) -> Result<Report, String> {
        on_disk(|| self.past()?.report(asked, EXPORT_TIMEOUT))
    }

    fn write_report(&self, asked: &ReportQuery) -> Result<String, String> {
        on_disk(|| self.past()?.write(asked, EXPORT_TIMEOUT))
    }

    fn chart(&self, source: &SourceId, width: Width, count: usize) -> Result<Option<Vec<Column>>, String> {
        let Some(past) = &self.past else { return Ok(None) };
        on_disk(|| past.chart(source, width, count).map(Some))
    }

    fn reload_shown(&self) -> Result<Vec<String>, String> {
        let found = on_disk(|| self.reloader()?.difference());
        if let Err(problems) = &found {
            problems.lines().for_each(|problem| tracing::error!("Reload: {problem}"));
        }
        found.map(|found| found.sentences())
    }

    fn file_changes(&self) -> Result<Vec<String>, String> {
        match &self.reloader {
            // A file that would not load says something else than what runs.
            Some(reloader) => {
                on_disk(|| Ok(reloader.work_out_sentences().unwrap_or_else(|problem| vec![problem])))
            }
            None => Ok(Vec::new()),
        }
    }

    fn reload(&self) -> Result<String, String> {
        let reloader = self.reloader()?;
        let sentences = reloader.shown().ok_or("no reload waits to be confirmed; reload again")?;
        let done = reloader.apply();
        // Also where the engine refused some of it.
        self.acting.note(Action::RELOADED, Some(sentences.join("; ")));
        done
    }

    fn crossings(&self, asked: &crossings::CrossingsQuery) -> Result<crossings::CrossingsAnswer, String> {
        on_disk(|| self.past()?.crossings(asked))
    }

    fn crossing(&self, facts: &Facts) -> Result<CrossingDetails, String> {
        on_disk(|| self.past()?.crossing(facts))
    }

    fn judge(&self, said: &NewJudgment) -> Result<Judgment, String> {
        on_disk(|| self.past()?.judge(said))
    }

    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        Some(Arc::clone(&self.recent))
    }
}
