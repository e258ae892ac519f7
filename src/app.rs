//! Putting the program together: arguments, configuration, logs, engine, front end, and the clean shutdown.

mod acting;
mod actions;
mod arguments;
mod attach;
mod audit;
mod audit_export;
mod bench;
mod bench_screen;
mod check;
mod collect;
mod configuration;
mod counting;
mod ctl;
mod dashboard;
mod doctor;
mod ending;
mod evidence;
mod failure;
mod fleet;
mod history;
mod judging;
mod long;
mod migrate;
mod models;
mod monitor;
mod native;
mod notices;
mod outputs;
mod program;
mod reload;
mod report;
mod save;
mod say;
mod serve;
mod serving;
mod signals;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context as _;

use crate::{
    cli::{self, Cli, Command, EvalArgs},
    config::{self, ModelFolders},
    engine::pipeline::Params,
    eval::{self, EvalError, EvalOptions, Plan},
    native::{
        leave,
        process::{limit_heaps, set_variable},
    },
    trust::search::{self, Repair},
};
use failure::{DONE, FAILED, Failure, PANICKED, USAGE};
use long::LongWork;
use say::{complain, complain_of_refused, print};

/// The whole program. Gives the exit code: 0 done, 1 runtime failure, 2 wrong usage or configuration, 69 no
/// source could be used, 128 + n ended by signal n.
#[must_use]
pub fn run() -> ExitCode {
    leave::remember_streams();
    // A panic was reported by its hook; the report is still on its way through the filter.
    let code = std::panic::catch_unwind(run_command).unwrap_or(ExitCode::from(PANICKED));
    native::finish();
    code
}

/// ONNX Runtime 1.32 writes a number for the device and a database into the user's cache folder when it is loaded, whatever it is told
/// of telemetry afterwards. Goes when a release asks first.
fn forbid_telemetry() {
    set_variable("ORT_DISABLE_TELEMETRY", Some("1".as_ref()));
}

/// Takes places out of the environment in which others could put code to be loaded, and says so.
fn repair_environment() {
    for Repair { name, value, says } in search::repair(|name| std::env::var_os(name)) {
        complain(&format!("warning: {says}"));
        set_variable(name, value.as_deref());
    }
}

fn write_man_pages(dir: &Path) -> Result<u8, Failure> {
    cli::man_pages(dir)
        .with_context(|| format!("the manual pages cannot be written to '{}'", dir.display()))?;
    Ok(DONE)
}

fn run_command() -> ExitCode {
    let arguments = arguments::read();
    repair_environment();
    forbid_telemetry();
    limit_heaps();
    let cli = match Cli::try_parse_args(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // With what it says in colors, and the help on the standard output, where there is nothing to hide.
            let said = error.to_string();
            let redacted = config::redact(&said);
            if redacted == said {
                error.exit();
            }
            let _ = write!(io::stderr(), "{redacted}");
            return ExitCode::from(USAGE);
        }
    };
    let result = match cli.command {
        None => monitor::run(&cli.run),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Attach(args)) => attach::run(&args),
        Some(Command::Ctl(args)) => ctl::run(&args),
        Some(Command::Fleet(args)) => fleet::run(&args),
        Some(Command::Collect(args)) => collect::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Config(args)) => migrate::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Audit(args)) => audit::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Eval(args)) => run_eval(args),
        Some(Command::Report(args)) => report::run(&args),
        Some(Command::Evidence(args)) => evidence::run(&args),
        Some(Command::Schema) => print(|out| {
            serde_json::to_writer_pretty(&mut *out, &config::schema())?;
            writeln!(out)
        }),
        Some(Command::Completions { shell }) => print(|out| cli::completions(shell, out)),
        Some(Command::Man { dir: None }) => print(cli::man),
        Some(Command::Man { dir: Some(dir) }) => write_man_pages(&dir),
        Some(Command::Models(args)) => models::run(&args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(Failure::Usage(problem)) => {
            complain(&problem);
            ExitCode::from(USAGE)
        }
        // The reader that closed the pipe has read enough.
        Err(Failure::Runtime(error)) if is_broken_pipe(&error) => ExitCode::from(DONE),
        Err(Failure::Runtime(error)) => {
            complain(&format!("{error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn run_eval(args: EvalArgs) -> Result<u8, Failure> {
    if args.constants {
        return print(|out| eval::list_constants(args.json, out));
    }
    let mut params = Params::default();
    for setting in &args.set {
        setting.apply(&mut params).map_err(Failure::Usage)?;
    }
    let work = LongWork::begin(!args.json)?;
    native::take_over(&work.progress);
    let options = EvalOptions {
        detector: args.detection.choice(),
        engine: args.detection.engine.unwrap_or_default(),
        dirs: args.dirs,
        mot: args.mot,
        models: ModelFolders::default(),
        tracker: args.tracker.into(),
        json: args.json,
        tracks: args.tracks,
        params,
        plan: Plan {
            start_offset: u32::try_from(args.start_offset).unwrap_or(u32::MAX),
            every: args.every.map_or(1, std::num::NonZero::get),
            detect_fps: args.detect_fps,
        },
        adaptive: args.adaptive,
        record: args.record,
        replay: args.replay,
    };
    complain_of_refused(&options.models);
    let result = eval::run(&options, &work.progress, &mut io::stdout().lock());
    let code = work.end(DONE);
    match result {
        Ok(()) => Ok(code),
        Err(error @ (EvalError::Missing { .. } | EvalError::Content { .. } | EvalError::Truth(_))) => {
            Err(Failure::Usage(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}
