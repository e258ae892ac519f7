//! The dashboard on an engine that runs already.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;

use super::{
    configuration, dashboard,
    failure::{DONE, Failure, NO_THREAD, SIGNAL},
    native,
    say::{complain, print},
    signals::StopSignal,
};
use crate::{
    api,
    cli::{AttachArgs, EngineArgs, OfFleet, RunArgs},
    config::{Config, Overrides, is_stream},
    engine::EngineApi as _,
    fleet::Server,
    headless,
    native::leave,
    outputs::status::Status,
    protocol::socket,
    remote::{Client, ClientError, FleetServer, Remote},
    tui::{self, Exit, TuiOptions},
};

/// A state that is asked for comes within this time, or the one in the file will do.
const PATIENCE: Duration = Duration::from_secs(3);

/// `attach`.
pub fn run(args: &AttachArgs) -> Result<u8, Failure> {
    let (config, client) = client(&args.engine, true)?;
    let back = format!("pcount-tui attach{}", named(&args.engine));
    show(dashboard::options(&args.dashboard, &config), client, &back)
}

/// The dashboard beside the engine behind `socket`, which counts into the folder of `config`.
pub fn beside(args: &RunArgs, config: &Config, socket: &Path) -> Result<u8, Failure> {
    let output = &config.parallel.result_output;
    // What came through a pipe cannot be read again.
    let file = args.config.clone().filter(|file| !is_stream(file));
    let engine = match file {
        Some(_) => EngineArgs { config: file, output: args.counting.output.clone(), ..EngineArgs::default() },
        None => EngineArgs { output: Some(output.clone()), ..EngineArgs::default() },
    };
    let greeting = format!("an engine is already running for '{}'; this is its dashboard", output.display());
    let options = TuiOptions { greeting: Some(greeting), ..dashboard::options(&args.dashboard, config) };
    show(options, Client::new(socket)?, &format!("pcount-tui attach{}", named(&engine)))
}

/// What is said to one who would count into `output` beside the engine that does.
pub fn taken(output: &Path) -> String {
    let option = option("output", Some(output));
    let output = output.display();
    format!(
        "an engine is already running for '{output}'; show it with 'pcount-tui attach{option}', stop it \
         with 'pcount-tui ctl{option} stop', or give another folder with --output"
    )
}

/// The state of the engine behind `socket`.
///
/// # Errors
/// Why it is not known.
pub fn status(socket: &Path) -> Result<Status, ClientError> {
    Ok(Status::from(&Client::new(socket)?.snapshot(0, PATIENCE)?))
}

/// The configuration that `args` name, and who asks the engine, the node or the fleet that they mean. With `stays` a connection that
/// breaks is made again.
///
/// # Errors
/// When the configuration cannot be read, or nobody listens.
pub fn client(args: &EngineArgs, stays: bool) -> Result<(Config, Client), Failure> {
    let OfFleet { nats, node, credentials, ca } = args.fleet.clone();
    let Some(url) = nats else {
        let (config, socket) = engine(args)?;
        return Ok((config, Client::new(&socket)?));
    };
    let overrides = Overrides::default();
    let config = match &args.config {
        Some(path) => configuration::load(path, &overrides)?,
        None => Config::from_sources::<&str>(&[], &overrides).map_err(|errors| Failure::config(&errors))?,
    };
    let server = FleetServer::connect(Server { url, credentials, ca }, stays)?;
    let client = node.map_or_else(|| server.all(), |node| server.node(&node));
    Ok((config, client))
}

/// The configuration that `args` name, and where the engine listens that was started with it.
///
/// # Errors
/// When the configuration cannot be read, or nobody listens.
pub fn engine(args: &EngineArgs) -> Result<(Config, PathBuf), Failure> {
    let overrides = Overrides { output: args.output.clone(), ..Overrides::default() };
    let config = match &args.config {
        Some(path) => match configuration::load(path, &overrides) {
            Ok(config) => config,
            Err(problems) => return running_by(path, &overrides).ok_or(problems),
        },
        None => Config::from_sources::<&str>(&[], &overrides).map_err(|errors| Failure::config(&errors))?,
    };
    if let Some(socket) = &args.socket {
        return Ok((config, socket.clone()));
    }
    let output = &config.parallel.result_output;
    let found = api::find(output).ok_or_else(|| {
        let places = socket::places(output).unwrap_or_default();
        let places: Vec<String> = places.iter().map(|place| format!("'{}'", place.display())).collect();
        let output = output.display();
        anyhow::anyhow!(
            "no engine answers for '{output}' (at {}); start one with 'pcount-tui serve --config FILE', or name its folder with --output",
            places.join(" or ")
        )
    })?;
    Ok((config, found))
}

/// The engine that was started with the file at `path`, in which something is wrong by now.
fn running_by(path: &Path, overrides: &Overrides) -> Option<(Config, PathBuf)> {
    let config = Config::in_spite_of_problems(path, overrides)?;
    let socket = api::find(&config.parallel.result_output)?;
    Some((config, socket))
}

/// The options by which the same engine is found again, as a shell reads them.
fn named(args: &EngineArgs) -> String {
    let EngineArgs { config, output, socket, fleet: OfFleet { nats, node, credentials, ca } } = args;
    let (nats, node) =
        (nats.as_ref().map(|url| PathBuf::from(url.to_string())), node.as_ref().map(PathBuf::from));
    // The folder is of an engine on this machine, also where the environment names it.
    let output = output.as_ref().filter(|_| nats.is_none());
    let options = [
        ("config", config.as_ref()),
        ("output", output),
        ("socket", socket.as_ref()),
        ("nats", nats.as_ref()),
        ("node", node.as_ref()),
        ("credentials", credentials.as_ref()),
        ("ca", ca.as_ref()),
    ];
    options.map(|(name, path)| option(name, path.map(PathBuf::as_path))).concat()
}

fn option(name: &str, path: Option<&Path>) -> String {
    let Some(path) = path else { return String::new() };
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if path.chars().all(is_plain) {
        format!(" --{name} {path}")
    } else {
        format!(" --{name} '{}'", path.replace('\'', r"'\''"))
    }
}

/// Shows the dashboard until the user detaches; `back` is how to come back.
fn show(options: TuiOptions, client: Client, back: &str) -> Result<u8, Failure> {
    let stop = StopSignal::listen().context(NO_THREAD)?;
    native::take_over(&crate::progress::Progress::hidden());
    let remote = Arc::new(Remote::attach(client)?);
    let options = TuiOptions {
        // What decoders of pictures print must not reach the screen.
        native_log: Some("/dev/null".into()),
        stop: Arc::clone(&stop.number),
        is_attached: true,
        ..options
    };
    let exit =
        tui::run(
            Arc::clone(&remote) as _,
            Arc::clone(&remote) as _,
            &options,
            || Ok::<_, tui::TuiError>(()),
        )?;
    let code = match exit {
        Exit::Signal(signal) => u8::try_from(signal).map_or(SIGNAL, |signal| SIGNAL.saturating_add(signal)),
        Exit::Quit => DONE,
        Exit::QuitKeepTable => {
            let snapshot = remote.snapshot();
            print(|out| out.write_all(headless::text::dashboard(&Status::from(&snapshot)).as_bytes()))?
        }
    };
    let goes_on = match remote.age() {
        None => "the engine continues to count".into(),
        Some(age) => format!("the engine has not answered for {} s", age.as_secs()),
    };
    complain(&format!("detached; {goes_on}; attach again with: {back}"));
    native::finish();
    // A picture may be read at this moment: native code does not bear that the process is torn down around it.
    leave::now(code)
}
