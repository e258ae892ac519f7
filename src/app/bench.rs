//! `pcount-tui bench`, and its report to send.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
};

use anyhow::Context as _;

use super::{
    bench_screen,
    failure::{DONE, Failure},
    long::LongWork,
    native,
    say::{complain, complain_of_refused},
};
use crate::{
    bench::{
        self, BenchOptions,
        report::{self, Plan},
    },
    cli::BenchArgs,
    config::{self, ParallelConfig, SourceConfig, SourceSpec},
    files::{self, Draft},
};

/// What a report plays where no source is named.
const DEMO: &str = "demo:street";

/// Where a report without a file goes.
const NO_FILE: &str = "-";

/// Bytes of a report that name its form.
const BEGIN: u64 = 64;

/// Measures and prints.
pub fn run(args: &BenchArgs) -> Result<u8, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = args.workers.unwrap_or(cores);
    let named = args.source.as_deref().unwrap_or(DEMO.as_ref());
    let source = SourceConfig::from_source_string(named, &BTreeSet::new()).map_err(Failure::Usage)?.source;
    source.teach(config::known());
    let options = BenchOptions {
        source,
        // More than workers in a report: none of them waits for a stream.
        streams: if args.report.is_some() { workers * 2 } else { args.streams },
        realtime: args.realtime,
        sleep: !args.no_sleep,
        duration: args.duration,
        detector: args.detection.choice(),
        settings: ParallelConfig {
            worker_count: workers,
            max_workers: workers,
            engine: args.detection.engine.unwrap_or_default(),
            ..ParallelConfig::default()
        },
        json: args.json,
        screen: Box::new(bench_screen::screen),
    };
    if let Some(file) = &args.report {
        return send(&options, file, if args.quick { &Plan::QUICK } else { &Plan::FULL });
    }
    let work = LongWork::begin(!args.json)?;
    native::take_over(&work.progress);
    complain_of_refused(&options.settings.models);
    let result = bench::run(&options, &work.progress, &mut io::stdout().lock());
    let code = work.end(DONE);
    if result?.is_none() {
        complain("cut short before anything was measured");
    }
    Ok(code)
}

/// The text on the standard output, and the JSON in `file` or below it; the JSON alone with `--json`.
fn send(options: &BenchOptions, file: &Path, plan: &Plan) -> Result<u8, Failure> {
    if !matches!(options.source, SourceSpec::File(_) | SourceSpec::Demo(_)) {
        return Err(Failure::Usage(format!(
            "'{}' is no file and no demo scene, and a report plays a source again and again; name a recording of it",
            options.source
        )));
    }
    if file != Path::new(NO_FILE) && is_other(file) {
        return Err(Failure::Usage(format!(
            "'{}' is there and is no report of a machine; name another file, and what is to be played with --source",
            file.display()
        )));
    }
    // A file that cannot be written is known before two minutes have passed.
    let draft = (file != Path::new(NO_FILE)).then(|| Draft::new(file, files::SHARED)).transpose();
    let draft = draft.map_err(|error| {
        Failure::Usage(format!(
            "the report cannot be written to '{}': {error}; name another file",
            file.display()
        ))
    })?;
    let work = LongWork::begin(!options.json)?;
    native::take_over(&work.progress);
    complain_of_refused(&options.settings.models);
    let result = report::run(options, plan, &work.progress);
    let code = work.end(DONE);
    let Some(report) = result? else {
        complain("cut short: there is no report");
        return Ok(code);
    };
    let json = serde_json::to_string_pretty(&report).context("the report cannot be written")?;
    let mut out = io::stdout().lock();
    if !options.json {
        write!(out, "{}", report.text()).context("cannot write the result")?;
    }
    match draft {
        Some(mut draft) => {
            let written = writeln!(draft, "{json}").and_then(|()| draft.keep());
            written.with_context(|| format!("the report cannot be written to '{}'", file.display()))?;
        }
        None => writeln!(out, "{json}").context("cannot write the result")?,
    }
    Ok(code)
}

/// Whether `file` holds something other than a report, such as the recording that was meant as the source.
fn is_other(file: &Path) -> bool {
    // Opening a pipe would wait for its other end; the draft refuses it.
    if !file.is_file() {
        return false;
    }
    let mut begin = Vec::new();
    let read = File::open(file).and_then(|open| open.take(BEGIN).read_to_end(&mut begin));
    let begin = String::from_utf8_lossy(&begin);
    read.is_ok() && !begin.is_empty() && !begin.contains(report::FORM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_the_place_of_a_report_and_of_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        assert!(is_other(&file("clip.mp4", "\0\0\0 ftypisom")));
        assert!(is_other(&file("cams.json", "{ \"cameras\": [] }")));
        assert!(!is_other(&file("machine.json", "{\n  \"form\": \"pcount-bench\",\n")));
        assert!(!is_other(&file("empty.json", "")) && !is_other(&folder.path().join("new.json")));
    }
}
