//! `pcount-tui audit export`: crossings that were judged wrong, as pictures to teach a detector with.

use anyhow::Context as _;
use jiff::Timestamp;

use super::{
    configuration,
    failure::{DONE, Failure, NO_THREAD},
    say::{complain, print},
};
use crate::{
    audit::export::{Exported, LABELS, export},
    cli::AuditExport,
    config::Config,
    evidence::Reader,
    ledger::{self, FILE_NAME, LedgerError, report::parse_moment},
    model::Judgment,
    native::disk::Disk,
};

/// Writes what `args` ask for and says how much it is.
pub fn run(args: &AuditExport) -> Result<u8, Failure> {
    let config = configuration::of_results(args.config.as_deref(), args.output.as_deref())?;
    // Where a disk that does not answer keeps no signal from ending the program.
    Disk::start("disk-work").context(NO_THREAD)?.run(|| write(args, &config))
}

fn write(args: &AuditExport, config: &Config) -> Result<u8, Failure> {
    let moment = |text: &str| {
        let moment = parse_moment(text, Timestamp::now(), &config.parallel.timezone);
        moment.map(Timestamp::as_millisecond).map_err(|error: LedgerError| Failure::Usage(error.to_string()))
    };
    let since = moment(&args.since)?;
    let until = args.until.as_deref().map_or(Ok(i64::MAX), moment)?;
    let output = &config.parallel.result_output;
    let ledger = ledger::Reader::open(&output.join(FILE_NAME)).map_err(anyhow::Error::from)?;
    let judgments = ledger.judgments(since, until).map_err(anyhow::Error::from)?;
    let is_meant =
        |judgment: &Judgment| args.camera.as_deref().is_none_or(|camera| *judgment.crossed.source == *camera);
    let judgments: Vec<Judgment> = judgments.into_iter().filter(is_meant).collect();
    if judgments.is_empty() {
        complain("no crossing of that time was judged; judge them on the dashboard with 'i' and 'J'");
    }
    let done = export(&Reader::new(output), &judgments, &args.out).map_err(anyhow::Error::from)?;
    let Exported { pictures, crossings, gone, blurred } = done;
    if gone > 0 {
        complain(&format!("{gone} more were judged wrong, and their snapshots have been deleted"));
    }
    if blurred > 0 {
        complain(&format!(
            "heads are blurred in the snapshots of {blurred}: a detector would learn people without faces; \
             for training, record evidence with \"blur\": false where that is allowed"
        ));
    }
    print(|out| {
        let labels = args.out.join(LABELS);
        writeln!(
            out,
            "{pictures} snapshots of {crossings} crossings judged wrong, boxes in '{}'",
            labels.display()
        )
    })?;
    Ok(DONE)
}
