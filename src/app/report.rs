//! `pcount-tui report`: past counts out of the ledger.

use std::path::PathBuf;

use super::{Failure, complain, print};
use crate::{
    cli::ReportArgs,
    config::{Config, Overrides, ParallelConfig},
    ledger::{
        self,
        render::render,
        report::{Query, parse_moment},
    },
};

/// Reads the ledger of a configuration, or of a folder, and prints the answer.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
    let overrides = Overrides { output: args.output.clone(), ..Overrides::default() };
    let settings = match &args.config {
        Some(path) => {
            Config::load(path, &overrides).map_err(|errors| Failure::Usage(errors.to_string()))?.parallel
        }
        None => ParallelConfig {
            result_output: args
                .output
                .clone()
                .unwrap_or_else(|| PathBuf::from(crate::config::defaults::RESULT_OUTPUT)),
            ..ParallelConfig::default()
        },
    };
    let usage = |error: ledger::LedgerError| Failure::Usage(error.to_string());
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
    let (report, notice) = ledger::report::read(&path, &query).map_err(usage)?;
    if let Some(notice) = notice {
        complain(&notice);
    }
    print(|out| out.write_all(render(&report, args.format).as_bytes()))
}
