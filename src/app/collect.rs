//! `collect`: what all nodes of a fleet have counted, in one ledger of the usual form.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::json;

use super::{
    configuration,
    failure::{DONE, Failure, NO_THREAD},
    fleet,
    long::LongWork,
    say::complain,
};
use crate::{
    cli::CollectArgs,
    clock::{Clock, SystemClock},
    config::Config,
    engine::areas::Areas,
    fleet::{Batch, Collector, FleetError},
    ledger::{
        self, LedgerError,
        fleet::collected::{CollectedLedger, Stored},
    },
    model::{Event, SourceId},
    native::disk::Disk,
    outputs::webhooks::{LedgerProgress, WebhookOptions, Webhooks},
};

/// How often it looks whether something has come.
const POLL: Duration = Duration::from_millis(300);

/// A server or a disk that refuses is left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// How often it says how far it is, where something was stored.
const SAID: Duration = Duration::from_secs(5);

/// Collects until it is told to stop, or with `--once` until nothing is left.
pub fn run(args: &CollectArgs) -> Result<u8, Failure> {
    if args.output.is_none() && args.server.config.is_none() {
        return Err(Failure::Usage(
            "no folder is named for what is collected; give one with --output DIR".into(),
        ));
    }
    let (server, _) = fleet::server(&args.server)?;
    let config = configuration::of_results(args.server.config.as_deref(), args.output.as_deref())?;
    let work = LongWork::begin(false)?;
    let disk = Disk::start("disk-collect").context(NO_THREAD)?;
    let path = config.parallel.result_output.join(ledger::FILE_NAME);
    let ledger = disk.run(|| CollectedLedger::open(&path, &SystemClock))?;
    if let Some(notice) = ledger.notice() {
        complain(notice);
    }
    let collector = Collector::connect(&server, ledger.name(), !args.once)?;
    let progress = Arc::new(Progress::default());
    let webhooks = webhooks(&config, Arc::clone(&progress)).context(NO_THREAD)?;
    let areas =
        Areas::new(Arc::new(SystemClock), config.parallel.timezone.clone(), Vec::new(), Arc::default());
    let mut run = Run {
        args,
        config,
        work: &work,
        disk,
        ledger,
        collector,
        progress,
        areas,
        tally: Tally { said: Some(Instant::now()), ..Tally::default() },
        said: None,
    };
    let done = run.collect();
    let Run { disk, ledger, .. } = run;
    disk.run(move || ledger.close(SystemClock.wall()));
    drop(webhooks);
    done?;
    Ok(work.end(DONE))
}

/// How far the collected ledger is, for webhooks.
#[derive(Default)]
struct Progress(AtomicU64);

impl LedgerProgress for Progress {
    fn sync(&self, _timeout: Duration) -> bool {
        // The session begins before anybody is told.
        true
    }

    fn durable(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn webhooks(config: &Config, ledger: Arc<Progress>) -> io::Result<Webhooks> {
    let names: BTreeMap<SourceId, (String, Option<String>)> = config
        .sources
        .iter()
        .map(|source| (source.id.clone(), (source.alias.clone(), source.location.clone())))
        .collect();
    let options = WebhookOptions {
        ledger,
        path: config.parallel.result_output.join(ledger::FILE_NAME),
        labels: Arc::new(move |source: &SourceId| names.get(source).cloned()),
        webhooks: config
            .parallel
            .webhooks
            .iter()
            .map(|webhook| (webhook.name.clone(), webhook.events.clone()))
            .collect(),
        clock: Arc::new(SystemClock),
    };
    Webhooks::start(&config.parallel.webhooks, &options)
}

/// What came so far.
#[derive(Debug, Default)]
struct Tally {
    counted: u64,
    uncounted: u64,
    repeated: u64,
    revised: u64,
    /// Nodes whose times are corrected, with the difference in milliseconds.
    corrected: BTreeMap<String, i64>,
    /// When it was said last, and whether something has come since.
    said: Option<Instant>,
    has_more: bool,
}

/// A run of it.
struct Run<'a> {
    args: &'a CollectArgs,
    config: Config,
    work: &'a LongWork,
    disk: Disk,
    ledger: CollectedLedger,
    collector: Collector,
    progress: Arc<Progress>,
    areas: Areas,
    tally: Tally,
    /// What was said to be wrong.
    said: Option<String>,
}

impl Run<'_> {
    fn collect(&mut self) -> Result<(), Failure> {
        self.set_areas()?;
        while !self.work.progress.is_stopped() {
            match self.step() {
                Ok(true) => {}
                Ok(false) if self.args.once => break,
                Ok(false) => sleep(POLL),
                // What is not understood stays so until something is done about it.
                Err(refused @ FleetError::Stream(_)) => return Err(refused.into()),
                Err(error) if self.args.once => return Err(error.into()),
                Err(error) => {
                    self.complain(error.to_string());
                    sleep(PAUSE);
                }
            }
        }
        self.say()
    }

    /// Stores what has come; whether there may be more at once.
    fn step(&mut self) -> Result<bool, FleetError> {
        let batch = self.collector.next()?;
        if batch.messages.is_empty() {
            self.said = None;
            let events = self.areas.tick();
            self.note_areas(&events);
            let left = self.collector.left()?;
            let is_due = self.tally.said.is_none_or(|said| said.elapsed() >= SAID);
            if self.tally.has_more && (is_due || left.is_nothing() && !self.args.once) {
                let _ = self.say();
            }
            // What was given to a run that was killed comes again after a moment.
            if self.args.once && !left.is_nothing() {
                sleep(POLL);
            }
            return Ok(self.args.once && !left.is_nothing());
        }
        self.store(batch);
        if self.tally.said.is_none_or(|said| said.elapsed() >= SAID) {
            let _ = self.say();
        }
        Ok(true)
    }

    /// Stores a batch, and tells the server when that is done. What is not stored when the end is asked for comes again.
    fn store(&mut self, batch: Batch) {
        let stored = loop {
            let (ledger, messages) = (&mut self.ledger, &batch.messages);
            match self.disk.run(|| ledger.store(messages, SystemClock.wall())) {
                Ok(stored) => break stored,
                Err(error) => self.complain(error.to_string()),
            }
            sleep(PAUSE);
            if self.work.progress.is_stopped() {
                return;
            }
        };
        self.collector.confirm(batch);
        self.progress.0.fetch_add(1, Ordering::SeqCst);
        let Stored { crossings, uncounted, repeated, revised, corrected } = stored;
        self.tally.counted += crossings.len() as u64;
        self.tally.uncounted += uncounted;
        self.tally.repeated += repeated;
        self.tally.revised += revised;
        self.tally.has_more = true;
        for (node, offset) in corrected {
            let before = self.tally.corrected.insert(node.clone(), offset);
            if before.is_none_or(|before| (before - offset).abs() > 1_000) {
                let (seconds, word) = (offset.abs() / 1_000, if offset > 0 { "behind" } else { "ahead of" });
                complain(&format!(
                    "the clock of node '{node}' is {seconds} s {word} the server's; its times are corrected by that, set its clock"
                ));
            }
        }
        if revised > 0 {
            if let Err(error) = self.set_areas() {
                self.complain(error.to_string());
            }
            return;
        }
        let events: Vec<Event> = crossings.iter().flat_map(|crossing| self.areas.event(crossing)).collect();
        self.note_areas(&events);
    }

    /// Begins to count areas, from what the ledger knows of them.
    fn set_areas(&mut self) -> Result<(), LedgerError> {
        let ledger = &mut self.ledger;
        let records = self.disk.run(|| ledger.areas())?;
        let zone = self.config.parallel.timezone.clone();
        self.areas = Areas::new(Arc::new(SystemClock), zone, records, Arc::default());
        let events = self.areas.set(self.config.parallel.areas.clone());
        let ledger = &mut self.ledger;
        self.disk.run(|| ledger.note_areas(&events))
    }

    fn note_areas(&mut self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let ledger = &mut self.ledger;
        if let Err(error) = self.disk.run(|| ledger.note_areas(events)) {
            self.complain(error.to_string());
        }
    }

    fn complain(&mut self, problem: String) {
        if self.said.as_ref() != Some(&problem) {
            complain(&format!("{problem}; trying again"));
        }
        self.said = Some(problem);
    }

    /// Says how far it is.
    fn say(&mut self) -> Result<(), Failure> {
        let left = self.collector.left().ok();
        let Tally { counted, uncounted, repeated, revised, corrected, .. } = &self.tally;
        let mut out = io::stdout().lock();
        if self.args.json {
            let left = left.map(|left| left.waiting + left.open as u64);
            let line = json!({
                "counted": counted, "uncounted": uncounted, "repeated": repeated, "revised": revised,
                "corrected_ms": corrected, "left": left,
            });
            writeln!(out, "{line}")?;
        } else {
            let left = left.map_or_else(
                || "the server does not say what is left".into(),
                |left| match left.waiting + left.open as u64 {
                    0 => "nothing is left".to_owned(),
                    left => format!("{left} messages are left"),
                },
            );
            let mut more = String::new();
            if *uncounted > 0 {
                more = format!(", {uncounted} not counted because another node had the source by then");
            }
            writeln!(out, "{counted} crossings collected{more}; {left}")?;
        }
        out.flush()?;
        (self.tally.said, self.tally.has_more) = (Some(Instant::now()), false);
        Ok(())
    }
}
