//! `pcount-tui report`: past counts out of the ledger.

use std::ffi::OsString;

use anyhow::Context as _;

use super::{
    configuration,
    failure::{DONE, Failure, NO_THREAD},
    long::LongWork,
    say::{complain, print},
};
use crate::{
    cli::ReportArgs,
    clock::SystemClock,
    config::{Config, Overrides},
    ledger::{
        self, LedgerError,
        render::{ReportFormat, render},
        report::{Query, parse_moment},
    },
    model::name_of,
    native::disk::Disk,
    progress::{Progress, Unit},
};

/// Reads the ledger of a configuration, or of a folder, and prints the answer. A signal ends it with the sources that
/// have been read by then.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
    // What other programs read comes without the line, as with '--json' elsewhere.
    let work = LongWork::begin(args.format == ReportFormat::Table)?;
    let result = on_disk(|| read(args, &work.progress));
    let code = work.end(DONE);
    result.map(|()| code)
}

fn read(args: &ReportArgs, progress: &Progress) -> Result<(), Failure> {
    let overrides = Overrides { output: args.output.clone(), ..Overrides::default() };
    let config = match &args.config {
        Some(path) => configuration::load(path, &overrides)?,
        None => {
            Config::from_sources::<OsString>(&[], &overrides).map_err(|errors| Failure::config(&errors))?
        }
    };
    configuration::warn(&config);
    let settings = &config.parallel;
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
                "this ledger is of an older version; its crossings are summed up once, which takes a while",
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
            "cut short: {} of {} crossings are summed up; 'report' goes on from there",
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
    if let Some(notice) = notice {
        complain(&notice);
    }
    if args.format == ReportFormat::Table {
        // Programs go by the id.
        for source in &mut report.sources {
            if let Some(known) = config.sources.iter().find(|known| *known.id == *source.camera_id) {
                source.camera_id = name_of(&known.alias, &known.id);
            }
        }
    }
    let mut text = render(&report, args.format);
    if let Some((done, of)) = sources.filter(|(done, of)| done < of) {
        let cut = format!("cut short: {done} of {of} sources");
        match args.format {
            ReportFormat::Table => text.push_str(&format!("{cut}\n")),
            // Another program must not take it for the whole.
            ReportFormat::Json => {
                let mut whole: serde_json::Value = serde_json::from_str(&text)?;
                whole["cut_short"] = serde_json::json!({ "sources": done, "of": of });
                text = format!("{whole}\n");
            }
            ReportFormat::Csv => {}
        }
        complain(&cut);
    }
    print(|out| out.write_all(text.as_bytes())).map(drop)
}

/// Runs `work`, which reads or writes files, where a disk that does not answer keeps no signal from ending the program.
fn on_disk<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    Disk::start("disk-work").context(NO_THREAD)?.run(work)
}
