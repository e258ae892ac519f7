//! `pcount-tui bench --report`: what this machine is and what it can do, measured several times, to compare and to send.
//!
//! First the cores are watched while the program does nothing: what others do with them tells whether the rest can be relied
//! upon. Then the streams are played as fast as possible, several times, for the CPU that each part costs; then as live
//! cameras, more or fewer of them, until it is known how many this machine carries.

mod text;

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{
    BenchError, BenchOptions, DRAW_INTERVAL, Decoding, MIB, Pace, Run, decode_alone,
    load::{Others, Work},
    machine::{Machine, machine, numbers},
    middle, millis, play,
};
use crate::{
    config::{DemoSpec, DetectorChoice, SourceConfig, SourceSpec},
    metrics::stages::Stage,
    model::SourceKind,
    native::ffmpeg,
    progress::{Progress, Unit},
    source::{Interrupt, Opener as _, StreamInfo, SystemOpener},
};

/// Name of the form.
pub const FORM: &str = "pcount-bench";

/// Version of the form: higher when a key is renamed, removed or means something else.
pub const VERSION: u32 = 1;

/// Share of the cores that other programs may have on a machine that is called quiet, and other virtual machines.
const QUIET: Others = Others { programs: 0.05, stolen: 0.02 };

/// Share of the source's frame rate that the slowest stream must reach where the machine carries them.
const CARRIED: f64 = 0.95;

/// Most streams that are tried.
const MOST: usize = 1024;

/// What is measured, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The word in the report.
    name: &'static str,
    idle: Duration,
    warm_up: Duration,
    rounds: usize,
    round: Duration,
    decoding: f64,
    /// Numbers of live streams that are tried.
    steps: usize,
    step: Duration,
    /// Repetitions of the number that is found.
    repeats: usize,
}

impl Plan {
    /// About two minutes.
    pub const FULL: Self = Self {
        name: "full",
        idle: Duration::from_secs(5),
        warm_up: Duration::from_secs(2),
        rounds: 5,
        round: Duration::from_secs(5),
        decoding: 0.5,
        steps: 5,
        step: Duration::from_secs(6),
        repeats: 2,
    };

    /// About half a minute: for a first impression.
    pub const QUICK: Self = Self {
        name: "quick",
        idle: Duration::from_secs(2),
        warm_up: Duration::from_secs(1),
        rounds: 3,
        round: Duration::from_secs(2),
        decoding: 0.2,
        steps: 3,
        step: Duration::from_secs(3),
        repeats: 0,
    };

    fn length(&self) -> Duration {
        let steps = self.steps + self.repeats;
        let runs = u32::try_from(self.rounds + steps).unwrap_or(u32::MAX);
        self.idle
            + self.warm_up * runs
            + self.round * u32::try_from(self.rounds).unwrap_or(u32::MAX)
            + self.step * u32::try_from(steps).unwrap_or(u32::MAX)
    }
}

/// The report. Its keys are a contract with other programs.
#[derive(Debug, Clone, Serialize)]
pub struct MachineReport {
    /// Always [`FORM`].
    pub form: &'static str,
    /// [`VERSION`].
    pub version: u32,
    /// `full` or `quick`.
    pub plan: &'static str,
    /// Whether the machine did nothing else, before and meanwhile. Where it is false, the figures are not to be compared.
    pub quiet: bool,
    /// Percent of the cores that others had.
    pub load: Load,
    /// The program.
    pub program: Program,
    /// The machine.
    pub machine: Machine,
    /// Libraries.
    pub libraries: Libraries,
    /// Detector.
    pub detector: Detector,
    /// What was played.
    pub source: Source,
    /// What the parts cost.
    pub costs: Costs,
    /// Live streams.
    pub capacity: Capacity,
}

/// Percent of the cores that others had; `null` where the system does not tell.
#[derive(Debug, Clone, Serialize)]
pub struct Load {
    /// Other programs, before anything was measured.
    pub programs_before: Option<f64>,
    /// Other programs, meanwhile.
    pub programs_during: Option<f64>,
    /// Other virtual machines, before.
    pub stolen_before: Option<f64>,
    /// Other virtual machines, meanwhile.
    pub stolen_during: Option<f64>,
    /// Up to this the machine is quiet: other programs.
    pub programs_limit: f64,
    /// And other virtual machines.
    pub stolen_limit: f64,
}

/// The program.
#[derive(Debug, Clone, Serialize)]
pub struct Program {
    /// Version.
    pub version: &'static str,
    /// `release` or `debug`; the latter is slower.
    pub build: &'static str,
}

/// Versions of libraries that are loaded.
#[derive(Debug, Clone, Serialize)]
pub struct Libraries {
    /// OpenCV.
    pub opencv: String,
    /// FFmpeg.
    pub ffmpeg: String,
}

/// What finds people.
#[derive(Debug, Clone, Serialize)]
pub struct Detector {
    /// Its name; `own model` for a file that the user names.
    pub name: String,
    /// What runs it, with its version.
    pub engine: String,
}

/// What was played, without its name.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// `file`, or `demo` for a scene that the program draws; drawing costs CPU, and nothing is decoded.
    pub kind: &'static str,
    /// Name of the demo scene.
    pub scene: Option<&'static str>,
    /// Codec.
    pub codec: Option<String>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second.
    pub fps: f64,
}

/// A figure from several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// The one in the middle.
    pub median: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

/// What the parts cost, with all cores at work.
#[derive(Debug, Clone, Serialize)]
pub struct Costs {
    /// Rounds.
    pub rounds: usize,
    /// Streams in each, as fast as possible.
    pub streams: usize,
    /// CPU milliseconds of the whole program per frame handled.
    pub cpu_ms_per_frame: Figure,
    /// Of decoding a frame, alone and without conversion; `null` for a demo scene.
    pub decode_cpu_ms_per_frame: Option<Figure>,
    /// CPU milliseconds of one detection run, with what prepares its input; `null` where none was made.
    pub cpu_ms_per_detection: Option<Figure>,
    /// Detection runs per frame.
    pub detections_per_frame: Figure,
    /// Frames per second of all streams together.
    pub frames_per_second: Figure,
}

/// How many live cameras the machine carries.
#[derive(Debug, Clone, Serialize)]
pub struct Capacity {
    /// Most streams of which the slowest reached the required share of its frame rate, each time that they were tried; 0 where
    /// none of the tries was carried.
    pub streams: usize,
    /// That share, in percent.
    pub required_percent: f64,
    /// Each try, in the order in which they were made.
    pub tries: Vec<Try>,
}

/// One number of live streams.
#[derive(Debug, Clone, Serialize)]
pub struct Try {
    /// How many.
    pub streams: usize,
    /// Whether the slowest reached the required share.
    pub carried: bool,
    /// Frames per second of the slowest stream.
    pub fps_min: f64,
    /// And of the one in the middle.
    pub fps_median: f64,
    /// Detection runs per second of the stream in the middle.
    pub detect_fps_median: f64,
    /// 99 of 100 frames are counted within this.
    pub frame_age_p99_ms: f64,
    /// Cores at work for it.
    pub cpu_cores: f64,
    /// Resident memory at the end.
    pub memory_mib: f64,
}

/// Measures; `None` when `progress` asks for the end meanwhile. `options` say with which detector, workers and source; their
/// streams are those of the rounds.
///
/// # Errors
/// When the source does not play or the engine does not start.
pub fn run(
    options: &BenchOptions,
    plan: &Plan,
    progress: &Progress,
) -> Result<Option<MachineReport>, BenchError> {
    let source = source(&options.source)?;
    let since = Instant::now();
    progress.begin(Some(millis(plan.length())), Unit::Milliseconds);
    let report = measure(options, plan, source, since, progress);
    progress.end();
    report
}

fn measure(
    options: &BenchOptions,
    plan: &Plan,
    source: Source,
    since: Instant,
    progress: &Progress,
) -> Result<Option<MachineReport>, BenchError> {
    progress.name("what other programs do");
    let start = Work::now();
    while since.elapsed() < plan.idle && !progress.is_stopped() {
        std::thread::sleep(DRAW_INTERVAL.min(plan.idle.saturating_sub(since.elapsed())));
        progress.set(millis(since.elapsed()));
    }
    let begin = Work::now();

    let (mut rounds, mut decode) = (Vec::new(), Vec::new());
    let decoding = Decoding { cpu: plan.decoding, longest: Some(plan.round) };
    let pace = Pace {
        streams: options.streams,
        realtime: false,
        warm_up: plan.warm_up,
        duration: plan.round,
        since: Some(since),
    };
    for round in 1..=plan.rounds {
        progress.name(&format!("round {round} of {}", plan.rounds));
        if source.kind == "file" {
            let Some((cpu, frames)) = decode_alone(options, false, &decoding, progress)? else {
                return Ok(None);
            };
            decode.push(cpu * 1e3 / frames as f64);
        }
        let Some(run) = whole(play(options, &pace, progress)?) else { return Ok(None) };
        rounds.push(run);
    }
    let Some(costs) = costs(options.streams, &rounds, &decode) else { return Ok(None) };

    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let guess = cores as f64 * 1e3 / (costs.cpu_ms_per_frame.median * source.fps).max(0.001) * 0.9;
    let live = |streams: usize| -> Result<Option<Try>, BenchError> {
        progress.name(&format!("{streams} live streams"));
        let pace = Pace { streams, realtime: true, duration: plan.step, ..pace };
        Ok(whole(play(options, &pace, progress)?).map(|run| tried(streams, source.fps, &run)))
    };
    let mut tries = Vec::new();
    let mut wanted = Some((guess as usize).clamp(1, MOST));
    while let (Some(streams), true) = (wanted, tries.len() < plan.steps) {
        let Some(made) = live(streams)? else { return Ok(None) };
        tries.push(made);
        wanted = next(&tries);
    }
    for _ in 0..plan.repeats {
        let found = carried(&tries);
        if found > 0 {
            let Some(made) = live(found)? else { return Ok(None) };
            tries.push(made);
        }
    }

    let end = Work::now();
    let others = |from: Option<Work>, to: Option<Work>| Some(to?.since(&from?));
    let (before, during) = (others(start, begin), others(begin, end));
    let (name, engine) = rounds.into_iter().next().map(|run| run.model).unwrap_or_default();
    let is_own = matches!(options.detector, DetectorChoice::Model(_));
    Ok(Some(MachineReport {
        form: FORM,
        version: VERSION,
        plan: plan.name,
        quiet: is_quiet(before) && is_quiet(during),
        load: Load {
            programs_before: before.map(|others| percent(others.programs)),
            programs_during: during.map(|others| percent(others.programs)),
            stolen_before: before.map(|others| percent(others.stolen)),
            stolen_during: during.map(|others| percent(others.stolen)),
            programs_limit: percent(QUIET.programs),
            stolen_limit: percent(QUIET.stolen),
        },
        program: Program {
            version: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
        },
        machine: machine(),
        libraries: Libraries {
            opencv: version(&opencv::core::get_version_string().unwrap_or_default()),
            ffmpeg: version(&ffmpeg::version()),
        },
        // The name of a file of the user's may tell of them.
        detector: Detector { name: if is_own { "own model".into() } else { name }, engine },
        source,
        costs,
        capacity: Capacity { streams: carried(&tries), required_percent: percent(CARRIED), tries },
    }))
}

/// Without one that was cut short.
fn whole(run: Option<Run>) -> Option<Run> {
    run.filter(|run| !run.cut_short)
}

fn is_quiet(others: Option<Others>) -> bool {
    others.is_some_and(|others| others.programs <= QUIET.programs && others.stolen <= QUIET.stolen)
}

fn version(written: &str) -> String {
    numbers(written).unwrap_or_else(|| "unknown".into())
}

fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// What `spec` plays, without its name.
fn source(spec: &SourceSpec) -> Result<Source, BenchError> {
    let config = SourceConfig::new("report", SourceKind::Video, spec.clone());
    let stream = SystemOpener::default().open(&config, &Interrupt::default())?;
    Ok(described(spec, &stream.info(), stream.codec()))
}

fn described(spec: &SourceSpec, info: &StreamInfo, codec: Option<String>) -> Source {
    let scene = match spec {
        SourceSpec::Demo(written) => written.parse::<DemoSpec>().ok().map(|demo| demo.scene.name()),
        _ => None,
    };
    Source {
        kind: if scene.is_some() { "demo" } else { "file" },
        codec: codec.filter(|_| scene.is_none()),
        scene,
        width: info.size.0,
        height: info.size.1,
        fps: rounded(info.fps.unwrap_or(25.0)),
    }
}

impl Figure {
    fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().map(rounded).collect();
        values.sort_by(f64::total_cmp);
        Some(Self { median: middle(&values), min: *values.first()?, max: *values.last()? })
    }
}

fn costs(streams: usize, rounds: &[Run], decode: &[f64]) -> Option<Costs> {
    let of = |run: &Run, stage: Stage| {
        let (_, seconds, calls) = run.stages.iter().find(|(known, ..)| *known == stage)?;
        Some((*seconds, *calls))
    };
    let detections = |run: &Run| of(run, Stage::Inference).map_or(0, |(_, calls)| calls);
    let per_detection = |run: &Run| {
        let (inference, calls) = of(run, Stage::Inference).filter(|(_, calls)| *calls > 0)?;
        let (prepared, _) = of(run, Stage::Preprocess).unwrap_or_default();
        Some((inference + prepared) * 1e3 / calls as f64)
    };
    Some(Costs {
        rounds: rounds.len(),
        streams,
        cpu_ms_per_frame: Figure::of(rounds.iter().map(Run::cpu_ms_per_frame))?,
        decode_cpu_ms_per_frame: Figure::of(decode.iter().copied()),
        cpu_ms_per_detection: Figure::of(rounds.iter().filter_map(per_detection)),
        detections_per_frame: Figure::of(
            rounds.iter().map(|run| detections(run) as f64 / run.frames as f64),
        )?,
        frames_per_second: Figure::of(rounds.iter().map(|run| run.frames as f64 / run.seconds))?,
    })
}

fn tried(streams: usize, fps: f64, run: &Run) -> Try {
    let slowest = run.rates.first().copied().unwrap_or(0.0);
    Try {
        streams,
        carried: slowest >= fps * CARRIED,
        fps_min: rounded(slowest),
        fps_median: rounded(middle(&run.rates)),
        detect_fps_median: rounded(run.detect_rate),
        frame_age_p99_ms: rounded(run.frame_age.1.as_secs_f64() * 1e3),
        cpu_cores: rounded(run.cpu / run.seconds),
        memory_mib: (run.resident as f64 / MIB).round(),
    }
}

/// The most streams that were carried each time, with no failure at as many or fewer.
fn carried(tries: &[Try]) -> usize {
    let failed = tries.iter().filter(|made| !made.carried).map(|made| made.streams).min();
    let good = tries.iter().filter(|made| made.carried).map(|made| made.streams);
    good.filter(|streams| failed.is_none_or(|failed| *streams < failed)).max().unwrap_or(0)
}

/// How many streams to try next; `None` when it is known to a tenth how many are carried.
fn next(tries: &[Try]) -> Option<usize> {
    let good = carried(tries);
    match tries.iter().filter(|made| !made.carried).map(|made| made.streams).min() {
        None if good >= MOST => None,
        None => Some((good + good / 3 + 1).min(MOST)),
        Some(bad) if bad <= good + 1 + good / 10 => None,
        Some(bad) => Some(good + (bad - good) / 2),
    }
}

#[cfg(test)]
mod tests;
