//! The command line: types only, from which help, completions and the manual page are made.
//!
//! Options that also have an environment variable (`PCOUNT_WORKERS` and others) win over it; both win over
//! the configuration file.

mod collect;
mod config;
mod counting;
mod ctl;
mod dashboard;
mod doctor;
mod evidence;
mod fleet;
mod serve;
mod tracker;

use std::{
    ffi::OsString,
    io,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind,
    parser::ValueSource,
};

pub use collect::CollectArgs;
pub use config::{ConfigArgs, ConfigCommand};
pub use counting::{CountingArgs, DetectionArgs};
use counting::{duration, whole, workers};
pub use ctl::{AreaWord, AttachArgs, CtlArgs, CtlCommand, EngineArgs, OfFleet, Sources, WebhookWord};
pub use dashboard::DashboardArgs;
pub use doctor::DoctorArgs;
pub use evidence::{EvidenceArgs, EvidenceCommand, EvidenceDelete, EvidenceList, EvidenceShow, Judged};
pub use fleet::{FleetArgs, FleetCommand, ServerArgs};
pub use serve::ServeArgs;
use tracker::Tracker;

use crate::audit::playback::FASTEST;
use crate::config::{DetectorChoice, parse_duration};
use crate::engine::pipeline::Setting;
use crate::ledger::{render::ReportFormat, report::Step};
use crate::tui::{graphics::GraphicsChoice, theme::ColorChoice};

/// Counts people crossing lines in many cameras and videos at once, live in the terminal.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "pcount-tui",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        pcount-tui demo:lobby demo:street               try it without a camera\n  \
        pcount-tui --config cams.json                   the dashboard on a configuration\n  \
        pcount-tui video.mp4 rtsp://cam.lan/stream      the dashboard on sources named directly\n  \
        pcount-tui --config cams.json --headless --json one JSON object a line, for other programs\n  \
        pcount-tui serve --config cams.json             as a service, until it is stopped\n  \
        pcount-tui attach --config cams.json            the dashboard on that service; q detaches\n  \
        pcount-tui ctl --config cams.json status        ask that service from a script\n  \
        pcount-tui check --config cams.json --probe     check everything and open every camera\n  \
        pcount-tui doctor --config cams.json            what works here, what does not, and what helps\n\n\
        Exit codes: 0 done, 1 failure while running or something was not saved,\n\
        2 wrong usage or configuration, 69 no source could be used,\n\
        130 and 143 shut down cleanly by SIGINT and SIGTERM."
)]
pub struct Cli {
    /// Counting itself, when no subcommand is given.
    #[command(flatten)]
    pub run: RunArgs,
    /// What to do instead.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Parses `args` (the first is the program's name) and checks what clap cannot.
    ///
    /// # Errors
    /// Wrong usage, or a request for help or version: [`clap::Error::exit`] handles each.
    pub fn try_parse_args<I, T>(args: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let mut command = Self::command();
        let mut matches = command.try_get_matches_from_mut(args)?;
        check_environment(&matches, &mut command)?;
        let cli = Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
        if cli.command.is_none() && cli.run.config.is_none() && cli.run.sources.is_empty() {
            return Err(Self::command().error(
                ErrorKind::MissingRequiredArgument,
                "nothing to count: name a configuration with --config FILE, or sources such as video.mp4, \
                 rtsp://HOST/PATH or demo:lobby",
            ));
        }
        Ok(cli)
    }
}

/// Refuses a model file that the environment names relative to the working folder: a command line is written
/// where its user stands, a variable holds wherever the program is started.
fn check_environment(matches: &ArgMatches, command: &mut clap::Command) -> Result<(), clap::Error> {
    let matches = matches.subcommand().map_or(matches, |(_, below)| below);
    if !matches.ids().any(|id| id == "detector")
        || matches.value_source("detector") != Some(ValueSource::EnvVariable)
    {
        return Ok(());
    }
    match matches.get_one("detector") {
        Some(DetectorChoice::Model(model))
            if std::iter::once(&model.model).chain(&model.prototxt).any(|path| path.is_relative()) =>
        {
            Err(command.error(
                ErrorKind::ValueValidation,
                "PCOUNT_DETECTOR names a model file relative to the working folder; write its absolute path",
            ))
        }
        _ => Ok(()),
    }
}

/// Counting, on the dashboard or without a terminal.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Sources to count in: video files, folders, patterns, rtsp:// and http:// addresses, device numbers, demo:NAME
    #[arg(value_name = "SOURCE", conflicts_with = "config")]
    pub sources: Vec<OsString>,
    /// Configuration file (JSON); - is the standard input
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to count.
    #[command(flatten)]
    pub counting: CountingArgs,
    /// Run without a terminal and print the dashboard as text
    #[arg(long, help_heading = "Without a terminal")]
    pub headless: bool,
    /// Print one JSON object a line (implies --headless)
    #[arg(long, help_heading = "Without a terminal", conflicts_with = "format")]
    pub json: bool,
    /// Print the state when every source delivers frames, then stop; prints the state of an engine that is already running (implies --headless)
    #[arg(long, help_heading = "Without a terminal")]
    pub once: bool,
    /// Form of the line that --once prints; {in} {out} {current} {net} {fps} {alias} {status} {sources} {running} {alerts} are replaced
    #[arg(long, value_name = "TEXT", help_heading = "Without a terminal", requires = "once")]
    pub format: Option<String>,
    /// Stop after this long, such as 30s or 10m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Appearance and behavior of the dashboard.
    #[command(flatten)]
    pub dashboard: DashboardArgs,
}

impl RunArgs {
    /// Whether no terminal is needed.
    #[must_use]
    pub fn is_headless(&self) -> bool {
        self.headless || self.json || self.once
    }
}

/// What to do instead of counting.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Count as a service without a terminal, until it is stopped
    Serve(ServeArgs),
    /// The dashboard on a running engine, in another terminal or as a service
    Attach(AttachArgs),
    /// Ask or control a running engine from a script
    Ctl(CtlArgs),
    /// Look after a fleet: what it counts, and which node counts it
    Fleet(FleetArgs),
    /// Collect what all nodes of a fleet have counted into one ledger
    Collect(CollectArgs),
    /// Check a configuration: every problem at once, with line, column and path
    Check(CheckArgs),
    /// Bring a configuration of an earlier version up to date
    Config(ConfigArgs),
    /// Examine this machine and a configuration: what works, and what helps
    Doctor(DoctorArgs),
    /// Watch a source, tap a key for every crossing, and see how accurate the counts are
    Audit(AuditArgs),
    /// Measure counting or tracking against the truth
    Eval(EvalArgs),
    /// Measure how many streams this machine can process
    Bench(BenchArgs),
    /// List detectors, verify and fetch model files
    Models(ModelsArgs),
    /// History of counts from the ledger
    Report(ReportArgs),
    /// Snapshots of crossings: list, show, delete
    Evidence(EvidenceArgs),
    /// Print the JSON Schema of the configuration
    Schema,
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Write a page for each command into this folder instead
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Configuration file (JSON); - is the standard input
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// Also open each source and print its stream
    #[arg(long)]
    pub probe: bool,
    /// Save the certificates of cameras whose certificate is not trusted, to be named in their 'tls.ca'
    #[arg(long, value_name = "DIR", requires = "probe")]
    pub certificates: Option<PathBuf>,
}

/// `audit`.
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Keys: i in, o out (or the arrows that point over the line), space pause, b ten seconds back, \
                        u takes back the last tap, x changes its direction, Tab the next line, + - speed, q the end and the \
                        result. Every frame of a clip is counted, whatever the speed; what the program counts stays hidden \
                        until the end. Then each tap belongs to at most one count of its line and direction within the \
                        tolerance."
)]
pub struct AuditArgs {
    /// Video, camera or demo:NAME to watch; with --config the id of one of its sources, or what that opens
    #[arg(value_name = "SOURCE", required = true)]
    pub source: Option<OsString>,
    /// What to do instead of watching.
    #[command(subcommand)]
    pub command: Option<AuditCommand>,
    /// Configuration file (JSON) in which the source and its lines are
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Watch only this line; all lines of the source when not given
    #[arg(long, value_name = "NAME")]
    pub line: Option<String>,
    /// Speed at which it is shown: 1x to 16x
    #[arg(long, value_name = "SPEED", default_value = "1x", value_parser = speed)]
    pub speed: u32,
    /// How far a tap and a count may lie apart on the source's clock to be the same crossing: 0.1s to 1m; 2s unless told
    #[arg(long, value_name = "TIME", value_parser = tolerance)]
    pub tolerance: Option<Duration>,
    /// Begin a clip here, such as 1m 30s; people in the frame at that moment are new tracks
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub from: Option<Duration>,
    /// End a clip here
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub to: Option<Duration>,
    /// Save the taps to this file, which eval reads
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Continue an earlier audit of a clip, whose taps are in this file; they are saved there again unless --save names another
    #[arg(long, value_name = "FILE")]
    pub taps: Option<PathBuf>,
    /// Which detector, and what runs it.
    #[command(flatten)]
    pub detection: DetectionArgs,
    /// Colors: auto, never, 16, 256 or true
    #[arg(long, value_name = "WHICH", default_value = "auto", value_parser = ColorChoice::parse_cli)]
    pub color: ColorChoice,
    /// Graphics protocol of previews: auto, none (half blocks), kitty, iterm2 or sixel
    #[arg(long, value_name = "WHICH", default_value = "auto", value_parser = GraphicsChoice::parse_cli)]
    pub graphics: GraphicsChoice,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
}

/// `audit ...`.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Write the crossings that were judged wrong as images with boxes, to train a detector with (models/train)
    Export(AuditExport),
}

/// `audit export`.
#[derive(Debug, Clone, Args)]
pub struct AuditExport {
    /// Configuration that names the output folder with the snapshots and judgments
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Output folder with the snapshots and judgments
    #[arg(short, long, value_name = "DIR", env = "PCOUNT_OUTPUT", hide_env_values = true)]
    pub output: Option<PathBuf>,
    /// Crossings from when on: how long ago (24h, 7d), a day (2024-01-15) or a moment (2024-01-15T10:00:00Z)
    #[arg(long, value_name = "TIME", default_value = "30d")]
    pub since: String,
    /// Until when, in the same forms; now unless told
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only of this camera or video
    #[arg(long, value_name = "ID")]
    pub camera: Option<String>,
    /// Folder to write to, which is created; only you can read the images (mode 0600)
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// `eval`.
#[derive(Debug, Clone, Args)]
pub struct EvalArgs {
    /// Folders with scene.json and its video, files that audit --save wrote, or with --mot folders with det/det.txt and seqinfo.ini
    #[arg(value_name = "DIR", required_unless_present = "constants")]
    pub dirs: Vec<PathBuf>,
    /// Run the tracker alone on MOT detections; prints HOTA, IDF1 and MOTA where there is gt/gt.txt
    #[arg(long)]
    pub mot: bool,
    /// Which detector, and what runs it.
    #[command(flatten)]
    pub detection: DetectionArgs,
    /// Tracker and counting rule
    #[arg(long, value_name = "TRACKER", value_enum, default_value_t = Tracker::Motion)]
    pub tracker: Tracker,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Write tracks in MOT form to OUT/SCENE.txt
    #[arg(long, value_name = "OUT")]
    pub tracks: Option<PathBuf>,
    /// Leave out the first K frames
    #[arg(long, value_name = "K", default_value_t = 0, conflicts_with = "mot")]
    pub start_offset: u64,
    /// Detect on every N-th frame only
    #[arg(long, value_name = "N", conflicts_with = "mot")]
    pub every: Option<NonZeroU32>,
    /// Detect at most R times per second of video
    #[arg(long, value_name = "R", conflicts_with_all = ["every", "mot"], value_parser = rate)]
    pub detect_fps: Option<f64>,
    /// Detect at the adaptive rate of the running program, resting where nothing moves
    #[arg(long = "by-need", conflicts_with_all = ["every", "detect_fps", "mot", "record", "replay", "tracks"])]
    pub adaptive: bool,
    /// Keep the detections in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["replay", "mot"])]
    pub record: Option<PathBuf>,
    /// Use the detections of this folder instead of detecting
    #[arg(long, value_name = "DIR", conflicts_with = "mot")]
    pub replay: Option<PathBuf>,
    /// Give a constant of tracking, counting or the cadence another value, such as band=0.2; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = Setting::parse)]
    pub set: Vec<Setting>,
    /// List the constants that --set changes, with default, range, unit and meaning, and stop
    #[arg(long)]
    pub constants: bool,
}

/// `bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// Video file or demo scene, of which every stream is a copy; with --report demo:street when not given
    #[arg(long, value_name = "SOURCE", required_unless_present = "report")]
    pub source: Option<OsString>,
    /// Measure in about two minutes what this machine can do: a text, and JSON into FILE, without names of hosts, users and files
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        default_missing_value = "-",
        conflicts_with_all = ["streams", "realtime", "duration"]
    )]
    pub report: Option<PathBuf>,
    /// With --report: in half a minute, for a first impression
    #[arg(long, requires = "report")]
    pub quick: bool,
    /// How many streams
    #[arg(long, value_name = "N", default_value = "4", value_parser = streams)]
    pub streams: usize,
    /// Play each stream at its own frame rate, as cameras do; else as fast as possible
    #[arg(long)]
    pub realtime: bool,
    /// Decode every frame, also while nobody is there and nothing moves
    #[arg(long)]
    pub no_sleep: bool,
    /// How long to measure
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration)]
    pub duration: Duration,
    /// Workers; as many as cores when not given
    #[arg(short, long, value_name = "N", value_parser = workers)]
    pub workers: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which detector, and what runs it.
    #[command(flatten)]
    pub detection: DetectionArgs,
}

/// `models`.
#[derive(Debug, Clone, Args)]
pub struct ModelsArgs {
    /// Folder of the model files; where the program looks for them when not given
    #[arg(long, value_name = "DIR", global = true)]
    pub dir: Option<PathBuf>,
    /// What to do; lists when not given.
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
}

/// `models ...`.
#[derive(Debug, Clone, Subcommand)]
pub enum ModelsCommand {
    /// List the detectors and where their files belong
    List,
    /// Check the files against their known SHA-256
    Verify,
    /// Copy a model's files from a folder or server, verified before they are used
    Fetch {
        /// Which, as in the list
        name: String,
        /// Folder, or address (https://..) of a folder on a server
        #[arg(long, value_name = "SOURCE")]
        from: Option<String>,
    },
}

/// `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Configuration that names the output folder with the ledger
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Output folder with the ledger
    #[arg(short, long, value_name = "DIR", env = "PCOUNT_OUTPUT", hide_env_values = true)]
    pub output: Option<PathBuf>,
    /// From when: how long ago (24h, 7d), a day (2024-01-15) or a moment (2024-01-15T10:00:00Z)
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub since: String,
    /// Until when, in the same forms; now unless told
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Time that a row covers
    #[arg(long, value_name = "STEP", value_enum, default_value_t = Step::Hour)]
    pub by: Step,
    /// Form of the report
    #[arg(long, value_name = "FORM", value_enum, default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
    /// Only this source
    #[arg(long, value_name = "ID")]
    pub source: Option<String>,
    /// How accurate the counts were in every audit of each source, instead of counts
    #[arg(long, conflicts_with_all = ["until", "by"])]
    pub audit: bool,
}

/// Writes completions for `shell`.
///
/// # Errors
/// When `out` cannot be written.
pub fn completions(shell: clap_complete::Shell, out: &mut dyn io::Write) -> io::Result<()> {
    // The generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pcount-tui", &mut script);
    out.write_all(&script)
}

/// Writes the manual page (roff), subcommands included.
///
/// # Errors
/// When `out` cannot be written.
pub fn man(out: &mut dyn io::Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(out)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let page = clap_mangen::Man::new(subcommand.clone());
        writeln!(out, ".SH \"{}\"", subcommand.get_bin_name().unwrap_or_default().to_uppercase())?;
        page.render_description_section(out)?;
        page.render_options_section(out)?;
    }
    Ok(())
}

/// Writes a manual page for each command into `dir`, such as `pcount-tui-ctl-status.1`; the folder is made.
///
/// # Errors
/// When the folder or a page cannot be written.
pub fn man_pages(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(Cli::command(), dir)
}

fn speed(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('x').unwrap_or(text);
    let speed = number.parse().ok().filter(|speed| (1..=FASTEST).contains(speed));
    speed.ok_or_else(|| format!("give a whole number from 1x to {FASTEST}x"))
}

fn tolerance(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_millis(100)..=Duration::from_mins(1);
    let tolerance = parse_duration(text)?;
    if allowed.contains(&tolerance) { Ok(tolerance) } else { Err("give a time from 100ms to 1m".into()) }
}

fn streams(text: &str) -> Result<usize, String> {
    whole(text, 1024)
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate| (0.1..=1000.0).contains(rate))
        .ok_or_else(|| "give a number from 0.1 to 1000".to_owned())
}

#[cfg(test)]
mod tests;
