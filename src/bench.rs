//! `pcount-tui bench`: how many cameras this machine can watch.
//!
//! N copies of one file are played as live cameras at the file's own frame rate, or flat out. Afterwards the
//! same file is decoded alone, in the same process, to say how far above that floor the whole program is.
//! [`report`] does this several times over and says what one machine is able to do, for others to read.

mod load;
mod looped;
mod machine;
pub mod report;

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;

use looped::LoopOpener;

use crate::{
    config::{DetectorChoice, ParallelConfig, SourceConfig, SourceSpec},
    engine::{Engine, EngineApi, EngineError, EngineOptions},
    metrics::{
        self,
        stages::{self, STAGES, Stage, timed},
    },
    model::SourceKind,
    progress::{Progress, Unit},
    source::{Interrupt, Opener as _, SourceError, SystemOpener},
};

/// Before measuring, once every stream has shown a frame: the first windows of the rates fill.
const WARM_UP: Duration = Duration::from_secs(3);

/// Streams that take longer than this to show one are measured as they are.
const START: Duration = Duration::from_mins(1);

/// Decoding alone is measured for about this much CPU time before and after.
const WHOLE: Decoding = Decoding { cpu: 1.0, longest: None };

const MIB: f64 = 1024.0 * 1024.0;

/// How long decoding alone is measured.
struct Decoding {
    /// CPU seconds that are enough.
    cpu: f64,
    /// A pass ends after this long; `None` has it go to the end of the file.
    longest: Option<Duration>,
}

/// The user who ends it does not wait longer than this for the streams.
const SOON: Duration = Duration::from_millis(300);

/// The screen is drawn this often, as the dashboard does.
const DRAW_INTERVAL: Duration = Duration::from_millis(250);

/// Draws a front end for an engine at every call and gives the bytes written so far.
pub type Screen = dyn FnMut() -> u64;

/// What to measure.
pub struct BenchOptions {
    /// What every stream plays, from its start again at its end.
    pub source: SourceSpec,
    /// Copies of it.
    pub streams: usize,
    /// As live cameras at the file's frame rate; else as fast as possible, no frame lost.
    pub realtime: bool,
    /// Whether live cameras may sleep.
    pub sleep: bool,
    /// How long to measure, after the warm-up.
    pub duration: Duration,
    /// Detector.
    pub detector: DetectorChoice,
    /// Settings of the pool and the models' folder.
    pub settings: ParallelConfig,
    /// One JSON object instead of a table.
    pub json: bool,
    /// Makes the front end that is drawn meanwhile.
    pub screen: Box<dyn Fn(Arc<dyn EngineApi>) -> Box<Screen>>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The file does not play.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A stream failed while it was measured.
    #[error("stream '{0}' failed: {1}")]
    Stream(String, String),
    /// The system refuses a thread.
    #[error("the system refuses a thread: {0}; allow the program more processes (ulimit -u, TasksMax)")]
    Thread(std::io::Error),
    /// The result cannot be written.
    #[error("cannot write the result: {0}")]
    Output(#[from] std::io::Error),
}

/// What was measured. Keys are a contract with other programs.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    /// Copies.
    pub streams: usize,
    /// Detector and engine.
    pub detector: String,
    /// Seconds measured.
    pub seconds: f64,
    /// Whether the user ended it before the time it was to take.
    pub cut_short: bool,
    /// Frames handled per second by the slowest stream.
    pub fps_min: f64,
    /// And by the one in the middle.
    pub fps_median: f64,
    /// And by the fastest.
    pub fps_max: f64,
    /// Detections per second of the stream in the middle.
    pub detect_fps_median: f64,
    /// Frames replaced by newer ones before a worker saw them.
    pub dropped: u64,
    /// Time from decoder to counts: half of the frames are not older.
    pub frame_age_p50_ms: f64,
    /// 99 of 100 frames are not older.
    pub frame_age_p99_ms: f64,
    /// CPU of the whole process.
    pub cpu_seconds: f64,
    /// CPU of the whole process over frames handled.
    pub cpu_ms_per_frame: f64,
    /// CPU of decoding one frame to BGR and nothing else, in the same process.
    pub decode_cpu_ms_per_frame: f64,
    /// CPU of decoding one frame without converting it.
    pub decode_only_cpu_ms_per_frame: f64,
    /// CPU a frame, divided by that of decoding it to BGR.
    pub cpu_over_decode: f64,
    /// Highest resident memory.
    pub peak_rss_mib: f64,
    /// Bytes that the dashboard sends to a terminal of 120x40.
    pub screen_bytes_per_second: f64,
    /// CPU milliseconds per frame handled, by stage.
    pub stages: Vec<StageCost>,
}

/// One row of the stage table.
#[derive(Debug, Clone, Serialize)]
pub struct StageCost {
    /// Stage.
    pub stage: &'static str,
    /// CPU milliseconds per frame handled.
    pub cpu_ms_per_frame: f64,
    /// Calls per frame handled.
    pub calls_per_frame: f64,
}

/// Measures and writes the result. When `progress` asks for the end, the time measured by then is the result; `None`
/// when that is none.
///
/// # Errors
/// When the file does not play or the engine does not start.
pub fn run(
    options: &BenchOptions,
    progress: &Progress,
    out: &mut dyn Write,
) -> Result<Option<BenchReport>, BenchError> {
    progress.begin(Some(millis(WARM_UP + options.duration)), Unit::Milliseconds);
    let report = measure(options, progress)?;
    progress.end();
    match &report {
        Some(report) if options.json => {
            serde_json::to_writer(&mut *out, report).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Some(report) => print(report, options, out)?,
        None => {}
    }
    Ok(report)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Counters at one moment.
struct Counters {
    at: Instant,
    cpu: f64,
    frames: Vec<u64>,
    stages: Vec<(f64, u64)>,
}

impl Counters {
    fn now(engine: &Engine) -> Self {
        Self {
            at: Instant::now(),
            cpu: metrics::cpu_seconds(),
            frames: engine.snapshot().sources.iter().map(|source| source.frames).collect(),
            stages: STAGES.iter().map(|stage| stages::spent(*stage)).collect(),
        }
    }
}

fn measure(options: &BenchOptions, progress: &Progress) -> Result<Option<BenchReport>, BenchError> {
    let alone = |convert| decode_alone(options, convert, &WHOLE, progress);
    progress.name("decoding alone");
    let Some(before) = alone(true)? else { return Ok(None) };
    let Some(unconverted) = alone(false)? else { return Ok(None) };
    let pace = Pace {
        streams: options.streams,
        realtime: options.realtime,
        warm_up: WARM_UP,
        duration: options.duration,
        since: None,
    };
    let Some(run) = play(options, &pace, progress)? else { return Ok(None) };
    progress.name("decoding alone");
    // Without the second half the first has to do.
    let after = alone(true)?.unwrap_or((0.0, 0));
    let decode = (before.0 + after.0) * 1e3 / (before.1 + after.1) as f64;
    let per_frame = run.cpu_ms_per_frame();
    let stages = run.stages.iter().map(|(stage, seconds, calls)| StageCost {
        stage: stage.name(),
        cpu_ms_per_frame: seconds * 1e3 / run.frames as f64,
        calls_per_frame: *calls as f64 / run.frames as f64,
    });
    Ok(Some(BenchReport {
        streams: options.streams,
        stages: stages.collect(),
        detector: run.detector,
        seconds: run.seconds,
        cut_short: run.cut_short,
        fps_min: run.rates.first().copied().unwrap_or(0.0),
        fps_median: middle(&run.rates),
        fps_max: run.rates.last().copied().unwrap_or(0.0),
        detect_fps_median: run.detect_rate,
        dropped: run.dropped,
        frame_age_p50_ms: run.frame_age.0.as_secs_f64() * 1e3,
        frame_age_p99_ms: run.frame_age.1.as_secs_f64() * 1e3,
        cpu_seconds: run.cpu,
        cpu_ms_per_frame: per_frame,
        decode_cpu_ms_per_frame: decode,
        decode_only_cpu_ms_per_frame: unconverted.0 * 1e3 / unconverted.1 as f64,
        cpu_over_decode: per_frame / decode,
        peak_rss_mib: metrics::peak_resident_bytes() as f64 / MIB,
        screen_bytes_per_second: run.screen_bytes as f64 / run.seconds,
    }))
}

/// How streams are played once.
struct Pace {
    streams: usize,
    realtime: bool,
    warm_up: Duration,
    duration: Duration,
    /// When the work began of which this is a part; `None` where it is all.
    since: Option<Instant>,
}

/// What one play measured.
struct Run {
    detector: String,
    /// Name of the model that was loaded, and what ran it.
    model: (String, String),
    seconds: f64,
    cut_short: bool,
    /// Frames of all streams, at least 1.
    frames: u64,
    /// Frames per second of each stream, the slowest first.
    rates: Vec<f64>,
    /// Detections per second of the stream in the middle.
    detect_rate: f64,
    dropped: u64,
    /// Half of the frames are not older, and 99 of 100.
    frame_age: (Duration, Duration),
    /// CPU seconds of the process.
    cpu: f64,
    /// Resident bytes at the end.
    resident: u64,
    screen_bytes: u64,
    /// CPU seconds and calls.
    stages: Vec<(Stage, f64, u64)>,
}

impl Run {
    fn cpu_ms_per_frame(&self) -> f64 {
        self.cpu * 1e3 / self.frames as f64
    }
}

/// Plays the streams for a while; `None` when `progress` asks for the end before anything was measured.
fn play(options: &BenchOptions, pace: &Pace, progress: &Progress) -> Result<Option<Run>, BenchError> {
    let settings = ParallelConfig { detector: options.detector.clone(), ..options.settings.clone() };
    let max_open = pace.streams.max(1);
    let mut engine_options = EngineOptions::new(ParallelConfig { max_open_sources: max_open, ..settings });
    engine_options.world.opener = Arc::new(LoopOpener { realtime: pace.realtime });
    let engine = Engine::new(engine_options)?;
    for number in 1..=pace.streams {
        let kind = if pace.realtime { SourceKind::Camera } else { SourceKind::Video };
        let spec = options.source.clone();
        let stream = SourceConfig::new(format!("stream_{number:02}"), kind, spec);
        engine.add_source(SourceConfig { sleep: options.sleep, ..stream })?;
    }
    engine.start()?;
    let mut screen = (options.screen)(Arc::new(engine.clone()));
    let all_begun = || engine.snapshot().sources.iter().all(|source| source.frames > 0);
    if pace.since.is_none() {
        progress.name("opening the streams");
    }
    watch(&engine, START, &mut screen, || all_begun() || progress.is_stopped())?;
    let ticking = |name: &str, begun: Instant, before: Duration| {
        if let Some(since) = pace.since {
            progress.set(millis(since.elapsed()));
        } else {
            progress.name(name);
            progress.set(millis(before + begun.elapsed()));
        }
        progress.is_stopped()
    };
    let warming = Instant::now();
    watch(&engine, pace.warm_up, &mut screen, || ticking("warming up", warming, Duration::ZERO))?;
    if progress.is_stopped() {
        engine.stop(SOON);
        return Ok(None);
    }
    let bytes_before = screen();
    engine.frame_age().clear();
    let dropped_before: u64 = engine.snapshot().sources.iter().map(|source| source.dropped).sum();
    let begin = Counters::now(&engine);
    watch(&engine, pace.duration, &mut screen, || {
        let frames = engine.snapshot().sources.iter().map(|source| source.frames).sum::<u64>();
        let rate = frames.saturating_sub(begin.frames.iter().sum()) as f64;
        let rate = rate / begin.at.elapsed().as_secs_f64().max(0.001);
        ticking(&format!("measuring, {rate:.0} frames/s"), begin.at, pace.warm_up)
    })?;
    let end = Counters::now(&engine);
    let cut_short = progress.is_stopped();
    let screen_bytes = screen() - bytes_before;
    let (snapshot, known) = (engine.snapshot(), engine.metrics());
    let frame_age = (engine.frame_age().quantile(0.5), engine.frame_age().quantile(0.99));
    let resident = metrics::resident_bytes();
    engine.stop(if cut_short { SOON } else { Duration::from_secs(5) });

    let seconds = (end.at - begin.at).as_secs_f64();
    let frames: Vec<u64> = end.frames.iter().zip(&begin.frames).map(|(end, begin)| end - begin).collect();
    let mut rates: Vec<f64> = frames.iter().map(|frames| *frames as f64 / seconds).collect();
    rates.sort_by(f64::total_cmp);
    let mut detect_rates: Vec<f64> =
        snapshot.sources.iter().map(|source| f64::from(source.detect_fps)).collect();
    detect_rates.sort_by(f64::total_cmp);
    let stages = STAGES.iter().zip(begin.stages.iter().zip(&end.stages));
    let first = |names: &[String]| names.first().cloned().unwrap_or_default();
    Ok(Some(Run {
        model: (first(&known.detectors), first(&known.engines)),
        dropped: snapshot.sources.iter().map(|source| source.dropped).sum::<u64>() - dropped_before,
        detector: snapshot.detector,
        seconds,
        cut_short,
        frames: frames.iter().sum::<u64>().max(1),
        rates,
        detect_rate: middle(&detect_rates),
        frame_age,
        cpu: end.cpu - begin.cpu,
        resident,
        screen_bytes,
        stages: stages.map(|(stage, (begin, end))| (*stage, end.0 - begin.0, end.1 - begin.1)).collect(),
    }))
}

fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Draws the screen until `is_enough` or `duration` is over or a stream has failed.
fn watch(
    engine: &Engine,
    duration: Duration,
    screen: &mut Screen,
    is_enough: impl Fn() -> bool,
) -> Result<(), BenchError> {
    let end = Instant::now() + duration;
    while Instant::now() < end && !is_enough() {
        std::thread::sleep(DRAW_INTERVAL.min(end.saturating_duration_since(Instant::now())));
        timed(Stage::Draw, &mut *screen);
        if let Some(failed) = engine.snapshot().sources.iter().find(|source| source.state.is_over()) {
            let error = failed.last_error.clone().unwrap_or_default();
            return Err(BenchError::Stream(failed.id.to_string(), error));
        }
    }
    Ok(())
}

/// CPU seconds and frames of reading and decoding the source, of converting it at its full size where `convert` says so, and of nothing
/// else, in a thread for each worker at once, so that cores and caches are as busy as in the program; `None` when `progress` asks for the
/// end meanwhile.
fn decode_alone(
    options: &BenchOptions,
    convert: bool,
    decoding: &Decoding,
    progress: &Progress,
) -> Result<Option<(f64, u64)>, BenchError> {
    let spec = &options.source;
    let threads = options.streams.clamp(1, options.settings.max_workers.max(1));
    let config = SourceConfig::new("decode", SourceKind::Video, spec.clone());
    let pass = || -> Result<u64, SourceError> {
        let mut stream = SystemOpener::default().open(&config, &Interrupt::default())?;
        let mut frames = 0;
        let begun = Instant::now();
        let is_enough = || decoding.longest.is_some_and(|longest| begun.elapsed() >= longest);
        while !is_enough() && !progress.is_stopped() && stream.grab()? {
            let frame = stream.retrieve(&|width, height| (width, height))?;
            if convert {
                frame.picture.bgr().map_err(|error| SourceError::Broken(error.message))?;
            }
            frames += 1;
        }
        if frames == 0 && !progress.is_stopped() {
            Err(SourceError::Unsupported(format!("'{spec}' holds no frame")))
        } else {
            Ok(frames)
        }
    };
    let (mut frames, mut spent) = (0, 0.0);
    // Whole passes, so that easy and hard parts of the file count as they do in the program.
    while spent < decoding.cpu {
        let before = metrics::cpu_seconds();
        frames += std::thread::scope(|scope| {
            let start = |_| std::thread::Builder::new().name("decode".into()).spawn_scoped(scope, pass);
            let passes: Vec<_> =
                (0..threads).map(start).collect::<Result<_, _>>().map_err(BenchError::Thread)?;
            let frames = passes.into_iter().map(|pass| pass.join().unwrap_or(Ok(0))).sum::<Result<u64, _>>();
            Ok::<_, BenchError>(frames?)
        })?;
        if progress.is_stopped() {
            return Ok(None);
        }
        spent += metrics::cpu_seconds() - before;
    }
    Ok(Some((spent, frames)))
}

fn print(report: &BenchReport, options: &BenchOptions, out: &mut dyn Write) -> std::io::Result<()> {
    let pace = if options.realtime { "at its own rate" } else { "as fast as possible" };
    writeln!(out, "{} streams of '{}' {pace}, {}", report.streams, options.source, report.detector)?;
    if report.cut_short {
        let asked = options.duration.as_secs_f64();
        writeln!(out, "  cut short            after {:.1} of {asked:.1} s", report.seconds)?;
    }
    writeln!(
        out,
        "  fps per stream       min {:.1}  median {:.1}  max {:.1}",
        report.fps_min, report.fps_median, report.fps_max
    )?;
    writeln!(out, "  detections a second  {:.1} (median stream)", report.detect_fps_median)?;
    writeln!(out, "  frames dropped       {}", report.dropped)?;
    writeln!(
        out,
        "  frame age            p50 {:.0} ms  p99 {:.0} ms",
        report.frame_age_p50_ms, report.frame_age_p99_ms
    )?;
    writeln!(
        out,
        "  CPU                  {:.2} s in {:.1} s, {:.2} ms a frame",
        report.cpu_seconds, report.seconds, report.cpu_ms_per_frame
    )?;
    writeln!(
        out,
        "  decoding alone       {:.2} ms a frame ({:.2} without conversion), so the whole costs {:.2} times that",
        report.decode_cpu_ms_per_frame, report.decode_only_cpu_ms_per_frame, report.cpu_over_decode
    )?;
    writeln!(out, "  peak memory          {:.0} MiB", report.peak_rss_mib)?;
    writeln!(out, "  dashboard            {:.0} bytes a second", report.screen_bytes_per_second)?;
    writeln!(out, "  stage        CPU ms a frame   calls a frame")?;
    for stage in &report.stages {
        writeln!(
            out,
            "  {:<12} {:>14.3} {:>15.2}",
            stage.stage, stage.cpu_ms_per_frame, stage.calls_per_frame
        )?;
    }
    let known: f64 = report.stages.iter().map(|stage| stage.cpu_ms_per_frame).sum();
    writeln!(
        out,
        "  {:<12} {:>14.3}   FFmpeg's own threads, queues",
        "the rest",
        report.cpu_ms_per_frame - known
    )
}
