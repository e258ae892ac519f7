//! `pcount-tui report`: past counts out of the ledger.

use std::ffi::OsString;

use super::{Failure, configuration, print};
use crate::{
    cli::ReportArgs,
    config::{Config, Overrides},
    ledger::{
        self, LedgerError, Reader,
        render::render,
        report::{Query, parse_moment},
    },
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
    let settings = config.parallel;
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
    let reader = Reader::open(&settings.result_output.join(ledger::FILE_NAME))?;
    let report = ledger::report::report(&reader, &query).map_err(|error| match error {
        LedgerError::Question(_) => usage(error),
        _ => error.into(),
    })?;
    print(|out| out.write_all(render(&report, args.format).as_bytes()))
}
