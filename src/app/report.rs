//! `pcount-tui report`: past counts out of the ledger.

use std::ffi::OsString;

use super::{Failure, complain, configuration, print};
use crate::{
    cli::ReportArgs,
    config::{Config, Overrides},
    ledger::{
        self, LedgerError,
        render::{ReportFormat, render},
        report::{Query, parse_moment},
    },
    store::name_of,
};

/// Reads the ledger of a configuration, or of a folder, and prints the answer.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
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
    let mut said = false;
    ledger::sum_up(&path, &query, &mut |crossings| {
        if !std::mem::replace(&mut said, true) {
            complain(
                "this ledger is of an older version; its crossings are summed up once, which takes a while",
            );
        }
        tracing::debug!("{crossings} crossings summed up");
    });
    let (mut report, notice) = ledger::report::read(&path, &query).map_err(|error| match error {
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
    print(|out| out.write_all(render(&report, args.format).as_bytes()))
}
