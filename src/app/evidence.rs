//! `pcount-tui evidence`: strips of snapshots of crossings, listed, shown and deleted.

use std::path::Path;

use anyhow::Context as _;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{
    configuration,
    failure::{DONE, Failure, NO_THREAD},
    say::{complain, print},
};
use crate::{
    cli::{EvidenceArgs, EvidenceCommand, EvidenceDelete, EvidenceList, EvidenceShow, Judged},
    clock::SystemClock,
    config::Config,
    evidence::{self, Query, Reader, StoredStrip, Stretch},
    files,
    ledger::{self, Deletion, LedgerError, report::parse_moment},
    model::{Reason, SourceId},
    native::{disk::Disk, process},
};

/// Does what `args` ask for, on the strips of a configuration or of a folder.
pub fn run(args: &EvidenceArgs) -> Result<u8, Failure> {
    let config = configuration::of_results(args.config.as_deref(), args.output.as_deref())?;
    let work = || match &args.command {
        EvidenceCommand::List(list) => self::list(list, &config),
        EvidenceCommand::Show(show) => self::show(show, &config),
        EvidenceCommand::Delete(delete) => self::delete(delete, &config),
    };
    // Where a disk that does not answer keeps no signal from ending the program.
    Disk::start("disk-work").context(NO_THREAD)?.run(work)
}

/// A moment as it is written on the command line, in milliseconds since the Unix epoch.
fn moment(text: &str, config: &Config) -> Result<i64, Failure> {
    let moment = parse_moment(text, Timestamp::now(), &config.parallel.timezone);
    moment.map(Timestamp::as_millisecond).map_err(|error: LedgerError| Failure::Usage(error.to_string()))
}

/// One strip, for other programs.
#[derive(Serialize)]
struct StripRow<'a> {
    key: String,
    timestamp: String,
    camera_id: &'a str,
    line: &'a str,
    direction: &'a str,
    reason: Option<&'static str>,
    confidence: Option<f32>,
    track_id: u64,
    time: f64,
    blurred: bool,
    bytes: u64,
}

fn list(args: &EvidenceList, config: &Config) -> Result<u8, Failure> {
    let query = Query {
        source: args.camera.as_deref().map(Into::into),
        line: None,
        since: moment(&args.since, config)?,
        until: args.until.as_deref().map_or(Ok(i64::MAX), |until| moment(until, config))?,
        direction: args.direction.map(Into::into),
        reason: match args.judged {
            Some(Judged::Counted) => Some(None),
            Some(Judged::Reason(reason)) => Some(Some(reason)),
            Some(Judged::Suppressed) | None => None,
        },
        limit: args.limit,
        suppressed: args.judged == Some(Judged::Suppressed),
    };
    let output = &config.parallel.result_output;
    let found = Reader::new(output).list(&query)?;
    if found.is_empty() && !args.json {
        complain(&format!(
            "no snapshots of crossings match, in '{}'",
            output.join(evidence::FOLDER).display()
        ));
    }
    let timezone = &config.parallel.timezone;
    if !args.json {
        tell_deletions(&query, &output.join(ledger::FILE_NAME), timezone);
    }
    print(|out| {
        for entry in &found {
            if args.json {
                serde_json::to_writer(&mut *out, &row(entry, timezone))?;
                writeln!(out)?;
            } else {
                writeln!(out, "{}", text(entry, timezone))?;
            }
        }
        Ok(())
    })
}

/// Says what is missing because somebody has deleted it, as far as a ledger tells.
fn tell_deletions(query: &Query, ledger: &Path, timezone: &TimeZone) {
    let deletions = ledger::Reader::open(ledger).and_then(|ledger| ledger.deletions()).unwrap_or_default();
    let is_asked = |deletion: &&Deletion| {
        let of_source = |source: &SourceId| deletion.source.as_ref().is_none_or(|deleted| deleted == source);
        deletion.from < query.until
            && deletion.to > query.since
            && query.source.as_ref().is_none_or(of_source)
    };
    for Deletion { wall, from, to, source, strips, who } in deletions.iter().filter(is_asked) {
        let stamp = |wall: i64| stamp(wall, timezone, "%Y-%m-%d %H:%M:%S");
        let whose = source.as_ref().map_or(String::new(), |source| format!(" of '{source}'"));
        complain(&format!(
            "{strips} strips{whose} from {} to {} were deleted on {} by {who}",
            stamp(*from),
            stamp(*to),
            stamp(*wall)
        ));
    }
}

fn stamp(wall: i64, timezone: &TimeZone, format: &str) -> String {
    let wall = Timestamp::from_millisecond(wall).unwrap_or_default();
    wall.to_zoned(timezone.clone()).strftime(format).to_string()
}

fn row<'a>(entry: &'a StoredStrip, timezone: &TimeZone) -> StripRow<'a> {
    let facts = &entry.facts;
    StripRow {
        key: entry.key.to_string(),
        timestamp: stamp(facts.wall, timezone, "%Y-%m-%dT%H:%M:%S%.3f%:z"),
        camera_id: &facts.source,
        line: &facts.line,
        direction: facts.direction.word(),
        reason: facts.reason.map(Reason::word),
        confidence: facts.confidence,
        track_id: facts.track,
        time: facts.time,
        blurred: entry.blurred,
        bytes: entry.bytes,
    }
}

fn text(entry: &StoredStrip, timezone: &TimeZone) -> String {
    let facts = &entry.facts;
    let judged =
        facts.reason.map_or_else(|| "counted".into(), |reason| format!("not counted: {}", reason.word()));
    let confidence = facts.confidence.map_or_else(|| "   -".into(), |score| format!("{score:.2}"));
    let line = format!(
        "{:<16} {} {:<16} {:<12} {:<3} #{:<6} {confidence} {judged}",
        entry.key.to_string(),
        stamp(facts.wall, timezone, "%Y-%m-%d %H:%M:%S"),
        facts.source,
        facts.line,
        facts.direction.word(),
        facts.track,
    );
    crate::logging::line::clean(&line)
}

fn show(args: &EvidenceShow, config: &Config) -> Result<u8, Failure> {
    let output = &config.parallel.result_output;
    let reader = Reader::new(output);
    let (Some(entry), Some(picture)) = (reader.entry(args.key)?, reader.picture(args.key)?) else {
        let folder = output.join(evidence::FOLDER);
        return Err(anyhow::anyhow!(
            "no strip '{}' in '{}'; it may have expired: 'evidence list' lists the strips",
            args.key,
            folder.display()
        )
        .into());
    };
    let jpeg = picture.drawn(&entry.facts).with_context(|| format!("strip '{}' is damaged", args.key))?;
    files::replace(&args.out, &jpeg, files::PRIVATE)
        .with_context(|| format!("cannot write '{}'", args.out.display()))?;
    Ok(DONE)
}

fn delete(args: &EvidenceDelete, config: &Config) -> Result<u8, Failure> {
    let stretch = Stretch {
        since: moment(&args.since, config)?,
        until: moment(&args.until, config)?,
        source: args.camera.as_deref().map(Into::into),
    };
    if stretch.since >= stretch.until {
        return Err(Failure::Usage(format!(
            "'--since {}' is not before '--until {}'; write the earlier one first",
            args.since, args.until
        )));
    }
    let output = &config.parallel.result_output;
    let deleted = evidence::delete(output, &stretch)?;
    let whose = args.camera.as_deref().map_or(String::new(), |camera| format!(" of '{camera}'"));
    let damaged = match deleted.damaged {
        0 => String::new(),
        files => format!(", and {files} damaged files of those days"),
    };
    print(|out| {
        let kib = deleted.bytes.div_ceil(1024);
        writeln!(out, "{} strips{whose} deleted, {kib} KiB of snapshots{damaged}", deleted.strips)
    })?;
    note(&stretch, deleted.strips, &output.join(ledger::FILE_NAME))
}

/// Notes the deletion in the ledger, so that what is missing has a reason.
fn note(stretch: &Stretch, strips: u64, ledger: &Path) -> Result<u8, Failure> {
    let Stretch { since, until, source } = stretch.clone();
    let wall = Timestamp::now().as_millisecond();
    let deletion = Deletion { wall, from: since, to: until, source, strips, who: process::user() };
    match ledger::note_deletion(ledger, &deletion, &SystemClock) {
        Err(LedgerError::Missing { .. }) => {
            complain("the deletion is not recorded: there is no ledger in the output folder");
            Ok(DONE)
        }
        Err(error) => {
            let said = "the strips are deleted, but the deletion could not be recorded; delete again to \
                 record it";
            Err(anyhow::Error::from(error).context(said).into())
        }
        Ok(()) => Ok(DONE),
    }
}
