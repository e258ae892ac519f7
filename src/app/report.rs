//! `pcount-tui report`: history from the ledger, and how accurate it was where it was audited.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _},
    time::SystemTime,
};

use anyhow::Context as _;

use super::{
    configuration,
    failure::{DONE, Failure, NO_THREAD},
    long::LongWork,
    say::{complain, print},
};
use crate::{
    audit::{
        findings::{self, Tally},
        listing,
        saved::{self, Audited},
    },
    cli::ReportArgs,
    clock::SystemClock,
    config::{Config, ParallelConfig},
    ledger::{
        self, LedgerError,
        drift::drifts,
        html::{self, Page},
        local_time::LocalTime,
        render::{self, ReportFormat},
        report::{Audit, Query, Share, Step, parse_moment},
        xlsx,
    },
    model::name_of,
    native::disk::Disk,
    progress::{Progress, Unit},
};

/// Reads the ledger of a configuration, or of a folder, and prints the answer. A signal ends it with the sources that
/// have been read by then.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
    // What other programs read comes without the line, as with '--json' elsewhere.
    if args.format == ReportFormat::Xlsx && io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "a workbook is no text for a terminal; write it into a file, such as '--format xlsx > week.xlsx'"
                .into(),
        ));
    }
    let work = LongWork::begin(args.format == ReportFormat::Table)?;
    let result = on_disk(|| read(args, &work.progress));
    let code = work.end(DONE);
    result.map(|()| code)
}

fn read(args: &ReportArgs, progress: &Progress) -> Result<(), Failure> {
    let config = configuration::of_results(args.config.as_deref(), args.output.as_deref())?;
    let settings = &config.parallel;
    if args.audit {
        return audits(args, &config);
    }
    let usage = |error: LedgerError| Failure::Usage(error.to_string());
    let now = jiff::Timestamp::now();
    let moment = |text: &str| parse_moment(text, now, &settings.timezone).map_err(usage);
    let query = Query {
        since: moment(&args.since)?,
        until: args.until.as_deref().map_or(Ok(now), moment)?,
        by: args.by,
        timezone: settings.timezone.clone(),
        source: args.source.as_deref().map(Into::into),
    };
    let path = settings.result_output.join(ledger::FILE_NAME);
    let mut summed = (0, 0);
    ledger::sum_up(&path, &query, &SystemClock, &mut |done, of| {
        if summed.1 == 0 {
            complain(
                "this ledger is of an older version; its crossings are summed up once, which may take minutes",
            );
            progress.begin(Some(of), Unit::Each("crossings"));
            progress.name("summing up");
        }
        summed = (done, of);
        progress.set(done);
        tracing::debug!("{done} crossings summed up");
        !progress.is_stopped()
    });
    progress.end();
    if progress.is_stopped() {
        complain(&format!(
            "cut short: {} of {} crossings are summed up; the next 'report' continues from there",
            summed.0, summed.1
        ));
        return Ok(());
    }
    let mut sources = None;
    let answer = ledger::report::read_while(&path, &query, &SystemClock, &mut |done, of| {
        if sources.is_none() {
            progress.begin(Some(of as u64), Unit::Each("sources"));
            progress.name("reading the ledger");
        }
        progress.set(done as u64);
        sources = Some((done, of));
        !progress.is_stopped()
    });
    progress.end();
    let (mut report, notice) = answer.map_err(|error| match error {
        LedgerError::Question(_) => usage(error),
        _ => error.into(),
    })?;
    if let Some(notice) = &notice {
        complain(notice);
    }
    for area in &mut report.areas {
        let known = settings.areas.iter().find(|known| known.name == area.area);
        area.capacity = known.and_then(|known| known.capacity);
    }
    let folder = &settings.result_output;
    match saved::read(folder) {
        Ok(audits) => {
            for source in &mut report.sources {
                source.audit = saved::last(&audits, &source.camera_id).map(|last| audit(last, settings));
            }
        }
        Err(error) => complain(&format!("'{}': {error}; audits are left out", saved::path(folder).display())),
    }
    let is_cut = sources.is_some_and(|(done, of)| done < of);
    let mut before = None;
    if args.format == ReportFormat::Html && !is_cut {
        let query = html::earlier(&report, &query).map_err(usage)?;
        before = Some(ledger::report::read(&path, &query, &SystemClock)?.0);
    }
    let places = closed(&config);
    if !places.is_empty() && !is_cut {
        report.drifts = if query.by == Step::Day && query.source.is_none() {
            drifts(&report, &places)
        } else {
            let days = Query { by: Step::Day, source: None, ..query };
            drifts(&ledger::report::read(&path, &days, &SystemClock)?.0, &places)
        };
    }
    if args.format == ReportFormat::Table {
        // Programs go by the id.
        for source in &mut report.sources {
            source.camera_id = named(&config, &source.camera_id);
        }
    }
    let mut notices: Vec<String> = notice.into_iter().collect();
    if let Some((done, of)) = sources.filter(|_| is_cut) {
        notices.push(format!("cut short: {done} of {of} sources"));
    }
    let name = |id: &str| named(&config, id);
    let mut text = match args.format {
        ReportFormat::Table => render::table(&report),
        ReportFormat::Csv => render::csv(&report),
        ReportFormat::Json => render::json(&report),
        ReportFormat::Html => {
            let place = place(&config);
            let (before, place) = (before.as_ref(), place.as_deref());
            html::page(&Page { report: &report, before, place, name: &name, notices: &notices })
        }
        ReportFormat::Xlsx => {
            let book = xlsx::workbook(&report, &name, &notices).map_err(|problem| {
                anyhow::anyhow!(
                    "no spreadsheet can hold this report ({problem}); ask for less with '--since', '--by day' or \
                     '--source'"
                )
            })?;
            if let Some((done, of)) = sources.filter(|_| is_cut) {
                complain(&format!("cut short: {done} of {of} sources"));
            }
            return print(|out| out.write_all(&book)).map(drop);
        }
    };
    if let Some((done, of)) = sources.filter(|(done, of)| done < of) {
        let cut = format!("cut short: {done} of {of} sources");
        match args.format {
            ReportFormat::Table => {
                let _ = writeln!(text, "{cut}");
            }
            // Another program must not take it for the whole.
            ReportFormat::Json => {
                let mut whole: serde_json::Value = serde_json::from_str(&text)?;
                whole["cut_short"] = serde_json::json!({ "sources": done, "of": of });
                text = format!("{whole}\n");
            }
            ReportFormat::Csv | ReportFormat::Html | ReportFormat::Xlsx => {}
        }
        complain(&cut);
    }
    print(|out| out.write_all(text.as_bytes())).map(drop)
}

/// The name that people know the source `id` by.
fn named(config: &Config, id: &str) -> String {
    let known = config.sources.iter().find(|known| *known.id == *id);
    known.map_or_else(|| id.to_owned(), |known| name_of(&known.alias, &known.id))
}

/// Where all sources are, where that is one place.
fn place(config: &Config) -> Option<String> {
    let mut places = config.sources.iter().map(|source| source.location.clone());
    let first = places.next()??;
    places.all(|place| place.as_ref() == Some(&first)).then_some(first)
}

/// Prints the audits of the sources.
fn audits(args: &ReportArgs, config: &Config) -> Result<(), Failure> {
    let refused = match args.format {
        ReportFormat::Html => Some("html"),
        ReportFormat::Xlsx => Some("xlsx"),
        ReportFormat::Table | ReportFormat::Csv | ReportFormat::Json => None,
    };
    if let Some(word) = refused {
        return Err(Failure::Usage(format!(
            "'--format {word}' is for counts, not for '--audit'; write '--format table', 'csv' or 'json'"
        )));
    }
    let settings = &config.parallel;
    let folder = &settings.result_output;
    let audits =
        saved::read(folder).with_context(|| format!("'{}' cannot be read", saved::path(folder).display()))?;
    let known: Vec<String> = config.sources.iter().map(|source| source.id.to_string()).collect();
    let mut rows = saved::by_source(&audits, &known);
    if let Some(source) = &args.source {
        rows.retain(|(name, _)| name == source);
        if rows.is_empty() {
            return Err(Failure::Usage(format!(
                "there is no source '{source}', neither configured nor audited"
            )));
        }
    }
    let shown = |time, format: &str| local(time, settings).shown(format);
    let text = match args.format {
        ReportFormat::Table => listing::table(&rows, &|time| shown(time, "%Y-%m-%d %H:%M")),
        ReportFormat::Csv => listing::csv(&rows, &|time| local(time, settings).to_string()),
        // Refused above.
        ReportFormat::Json | ReportFormat::Html | ReportFormat::Xlsx => {
            listing::json(&rows, &|time| local(time, settings).to_string())
        }
    };
    if rows.is_empty() {
        complain("no audit is known in this folder; 'pcount-tui audit SOURCE --config FILE' makes one");
    }
    print(|out| out.write_all(text.as_bytes())).map(drop)
}

fn local(time: SystemTime, settings: &ParallelConfig) -> LocalTime {
    let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    LocalTime::from(time.to_zoned(settings.timezone.clone()))
}

/// An audit as reports say it.
fn audit(audited: &Audited, settings: &ParallelConfig) -> Audit {
    let Audited { time, watched, tally, .. } = audited;
    let Tally { right, missed, wrong } = *tally;
    let share = |share: Option<findings::Proportion>| {
        share.map(|findings::Proportion { value, interval: (low, high) }| Share { value, low, high })
    };
    let (recall, precision) = (share(tally.recall()), share(tally.precision()));
    Audit { time: local(*time, settings), watched: *watched, right, missed, wrong, recall, precision }
}

/// The closed places of a configuration, each with the ids of its sources.
fn closed(config: &Config) -> Vec<(String, Vec<String>)> {
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    for source in config.sources.iter().filter(|source| source.closed) {
        let (id, place) = (source.id.to_string(), source.location.clone());
        let name = place.clone().unwrap_or_else(|| name_of(&source.alias, &source.id));
        match places.iter_mut().find(|(known, _)| place.is_some() && *known == name) {
            Some((_, ids)) => ids.push(id),
            None => places.push((name, vec![id])),
        }
    }
    places
}

/// Runs `work`, which reads or writes files, where a disk that does not answer keeps no signal from ending the program.
fn on_disk<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    Disk::start("disk-work").context(NO_THREAD)?.run(work)
}
