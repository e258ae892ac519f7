//! `fleet`: what a fleet counts, and which node counts it; and the node that `serve` is.

use std::{
    collections::BTreeMap,
    io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::{
    configuration,
    failure::{DONE, Failure},
    outputs::Written,
    say::{complain, print},
};
use crate::{
    api::{Door, DoorRequest, UserAndOrigin},
    cli::{FleetArgs, FleetCommand, ServeArgs, ServerArgs},
    config::{Config, FleetConfig, FleetEntry, Overrides, fleet_sources},
    engine::Engine,
    fleet::{
        ApiAnswer, FleetError, FleetKey, HandedOver, HeldSource, KnownNode, Node, NodeLedger, NodeOptions,
        NodeRecord, Operator, Plan, Question, Removed, Server, Service, SourceRow, make_key, make_user,
        write_secret,
    },
    ledger,
    model::SourceKind,
};

/// A node that was not heard of for this long is said to be away.
const AWAY: i64 = 10_000;

/// Leaving the fleet takes at most this long; the end of the program has no more time.
pub(super) const LEAVING: Duration = Duration::from_millis(600);

/// `fleet`. Exit code 1 with the reason where something is refused.
pub fn run(args: &FleetArgs) -> Result<u8, Failure> {
    match &args.command {
        FleetCommand::User { file } => {
            let public = make_user(file).map_err(FleetError::Refused)?;
            return done(args.json, &public, &json!({ "user": public }));
        }
        FleetCommand::Key { file } => {
            make_key(file).map_err(FleetError::Refused)?;
            let text = format!("{}: a key; copy it to every node", file.display());
            return done(args.json, &text, &json!({ "key_file": file }));
        }
        _ => {}
    }
    let (server, key_file) = server(&args.server)?;
    match &args.command {
        // Above: they need no server.
        FleetCommand::User { .. } | FleetCommand::Key { .. } => Ok(DONE),
        FleetCommand::Apply { file, dry_run } => {
            let wanted = fleet_sources(file).map_err(|errors| Failure::config(&errors))?;
            let key = fleet_key(key_file.as_deref())?;
            let operator = Operator::connect(server)?.with_key(key);
            let plan = operator.plan(&wanted)?;
            // First what will be done, so that it is known also where it ends half-way.
            show_plan(&plan, *dry_run, args.json)?;
            if !dry_run {
                operator.apply(&wanted, &plan)?;
                for stream in operator.replicate() {
                    complain(&format!("the stream {stream} is kept by three servers now"));
                }
            }
            Ok(DONE)
        }
        FleetCommand::Export { file } => {
            let sources = Operator::connect(server)?.with_key(fleet_key(key_file.as_deref())?).export()?;
            let count = sources.len();
            write_secret(file, &text_of(sources)?).map_err(FleetError::Refused)?;
            let text = format!(
                "{}: {count} {} as the fleet has them now; 'fleet apply' takes it",
                file.display(),
                if count == 1 { "source" } else { "sources" }
            );
            done(args.json, &text, &json!({ "file": file, "sources": count }))
        }
        FleetCommand::Status => {
            let rows = Operator::connect(server)?.status()?;
            if args.json { json_line(&rows) } else { show_status(&rows) }
        }
        FleetCommand::Nodes => {
            let nodes = Operator::connect(server)?.nodes()?;
            if args.json { json_line(&nodes) } else { show_nodes(&nodes) }
        }
        FleetCommand::Drain { node, undo: true } => {
            Operator::connect(server)?.undo_drain(node)?;
            done(
                args.json,
                &format!("{node}: takes sources again"),
                &json!({ "node": node, "draining": false }),
            )
        }
        FleetCommand::Drain { node, undo: false } => {
            let operator = Operator::connect(server)?;
            // What goes on is for people; with JSON the standard output has the outcome alone.
            let mut say = |text: &str| {
                if args.json {
                    complain(text);
                } else {
                    let _ = writeln!(io::stdout(), "{text}");
                }
            };
            let handed_over = operator.drain(node, &mut say)?;
            let text = format!("{node}: has no sources of the fleet any more; it may be stopped");
            done(args.json, &text, &json!({ "node": node, "draining": true, "handed_over": handed_over }))
        }
        FleetCommand::Remove { id } => {
            let removed = Operator::connect(server)?.remove(id)?;
            let Removed { node, has_ended, .. } = &removed;
            let text = match node {
                None => format!("{id}: removed; no node had it"),
                Some(node) if *has_ended => format!("{id}: removed; '{node}' counts it no more"),
                Some(node) => {
                    format!("{id}: removed; '{node}' does not answer and gives it up when its lease runs out")
                }
            };
            done(args.json, &text, &removed)
        }
    }
}

/// A file of these sources, as `fleet apply` reads it.
fn text_of(sources: Vec<(SourceKind, FleetEntry)>) -> Result<String, FleetError> {
    let mut lists: BTreeMap<&str, Vec<FleetEntry>> = BTreeMap::from([("cameras", Vec::new())]);
    for (kind, entry) in sources {
        let list = match kind {
            SourceKind::Camera => "cameras",
            SourceKind::Video => "videos",
        };
        lists.entry(list).or_default().push(entry);
    }
    let text =
        serde_json::to_string_pretty(&lists).map_err(|error| FleetError::Refused(error.to_string()))?;
    Ok(text + "\n")
}

/// The server that `args` name, and the file with the key of the fleet, with what the configuration says where they do not.
pub(super) fn server(args: &ServerArgs) -> Result<(Server, Option<PathBuf>), Failure> {
    let config =
        args.config.as_deref().map(|path| configuration::load(path, &Overrides::default())).transpose()?;
    let fleet = config.and_then(|config| config.parallel.fleet);
    let Some(url) = args.nats.clone().or_else(|| fleet.as_ref().map(|fleet| fleet.url.clone())) else {
        return Err(Failure::Usage(
            "no server is named; give its address with --nats nats://HOST:4222, or a configuration with 'fleet' by --config".into(),
        ));
    };
    let (credentials, ca, key) =
        fleet.map_or((None, None, None), |fleet| (fleet.credentials, fleet.ca, fleet.key_file));
    let server =
        Server { url, credentials: args.credentials.clone().or(credentials), ca: args.ca.clone().or(ca) };
    Ok((server, args.key_file.clone().or(key)))
}

fn fleet_key(file: Option<&Path>) -> Result<Option<FleetKey>, FleetError> {
    file.map(FleetKey::read).transpose().map_err(FleetError::Refused)
}

/// The node that `serve` is, where it is one. Waits a few seconds for the server.
///
/// # Errors
/// When it is refused.
pub(super) fn join(
    args: &ServeArgs,
    config: &Config,
    engine: &Engine,
    written: &Written,
    door: Door,
) -> Result<Option<Node>, Failure> {
    let FleetConfig { url, node, site, credentials, ca, key_file, room, count_while_refused } = match (
        &args.nats,
        config.parallel.fleet.clone(),
    ) {
        (None, None) => {
            if args.node.is_some() || args.site.is_some() {
                return Err(Failure::Usage(
                    "--node and --site name a node of a fleet; name its server, too, with --nats nats://HOST:4222".into(),
                ));
            }
            return Ok(None);
        }
        (Some(url), None) => FleetConfig {
            url: url.clone(),
            node: None,
            site: None,
            credentials: None,
            ca: None,
            key_file: None,
            room: None,
            count_while_refused: false,
        },
        (named, Some(fleet)) => FleetConfig { url: named.clone().unwrap_or(fleet.url), ..fleet },
    };
    let folder = config.path.as_deref().and_then(|path| path.parent().map(PathBuf::from)).unwrap_or_default();
    // Of the file, so that a source means the same wherever the program was started.
    let base = std::path::absolute(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder })?;
    let options = NodeOptions {
        server: Server { url, credentials, ca },
        node: args.node.clone().or(node),
        site: args.site.clone().or(site),
        room,
        key: fleet_key(key_file.as_deref())?.map(Arc::new),
        count_while_refused,
        base,
        ledger: node_ledger(config, written),
        service: Some(service(door)),
    };
    Ok(Some(Node::start(options, Arc::new(engine.clone()))?))
}

/// The ledger out of which the fleet is told what was counted.
fn node_ledger(config: &Config, written: &Written) -> Option<NodeLedger> {
    let Some(ledger) = &written.ledger else {
        tracing::error!(
            "Fleet: what is counted is sent out of the ledger, and 'ledger' is false; set it to true, or nobody collects it"
        );
        return None;
    };
    let (path, clock) =
        (config.parallel.result_output.join(ledger::FILE_NAME), Arc::clone(&written.server_clock));
    let ledger = Arc::clone(ledger);
    Some(NodeLedger { path, durable: Arc::new(move || ledger.durable()), clock })
}

/// The API as a node serves it: the same router as for the socket, on the thread of the API.
fn service(door: Door) -> Arc<Service> {
    Arc::new(move |question: Question| {
        let door = door.clone();
        let Question { method, path, user, may_order, body } = question;
        let who = UserAndOrigin { name: user, from: "nats" };
        Box::pin(async move {
            let answer = door.ask(DoorRequest { method, path, who, may_order, body }).await;
            ApiAnswer { status: answer.status, body: answer.body }
        })
    })
}

fn json_line(value: &impl Serialize) -> Result<u8, Failure> {
    print(|out| {
        serde_json::to_writer(&mut *out, value)?;
        writeln!(out)
    })
}

fn done(is_json: bool, text: &str, value: &impl Serialize) -> Result<u8, Failure> {
    if is_json { json_line(value) } else { print(|out| writeln!(out, "{text}")) }
}

fn show_plan(plan: &Plan, is_dry: bool, is_json: bool) -> Result<u8, Failure> {
    if is_json {
        let changed: Vec<_> =
            plan.changed.iter().map(|change| json!({ "id": change.id, "keys": change.keys })).collect();
        return json_line(&json!({
            "removed": plan.removed, "changed": changed, "added": plan.added, "dry_run": is_dry,
        }));
    }
    print(|out| {
        for id in &plan.removed {
            writeln!(out, "remove: {id}")?;
        }
        for change in &plan.changed {
            writeln!(out, "change: {} ({})", change.id, change.keys.join(", "))?;
        }
        for id in &plan.added {
            writeln!(out, "add: {id}")?;
        }
        if plan.is_empty() {
            writeln!(out, "nothing changes: the fleet has these sources already")?;
        }
        if is_dry {
            writeln!(out, "nothing was done (--dry-run)")?;
        }
        Ok(())
    })
}

fn show_status(rows: &[SourceRow]) -> Result<u8, Failure> {
    let table = rows.iter().map(|row| {
        let held = row.held.as_ref();
        let state = match held {
            None => "no node has it".to_owned(),
            Some(held) if !held.is_counted => "waits for the node before".to_owned(),
            Some(held) => held.state.clone(),
        };
        vec![
            row.id.clone(),
            row.site.clone().unwrap_or_else(|| "-".into()),
            row.node.clone().unwrap_or_else(|| "-".into()),
            held.map_or_else(|| "-".into(), ago),
            held.map_or_else(|| "-".into(), |held| held.epoch.to_string()),
            state,
        ]
    });
    show_table(
        &["SOURCE", "SITE", "NODE", "SINCE", "EPOCH", "STATE"],
        &table.collect::<Vec<_>>(),
        "the fleet has no sources; 'fleet apply FILE' gives it some",
    )?;
    for row in rows {
        row.problem.iter().for_each(|problem| complain(&format!("{}: {problem}", row.id)));
    }
    Ok(DONE)
}

fn show_nodes(nodes: &[KnownNode]) -> Result<u8, Failure> {
    let table = nodes.iter().map(|node| {
        let record = &node.record;
        let state = match () {
            () if record.has_left => "left",
            () if !node.answers && node.silent_for > AWAY => "away",
            () if !node.answers => "no answer",
            () if record.is_draining => "draining",
            () if record.overload.is_some() => "throttled",
            () => "runs",
        };
        vec![
            record.node.clone(),
            record.site.clone().unwrap_or_else(|| "-".into()),
            state.to_owned(),
            record.version.clone(),
            record.detector.clone(),
            record.cores.to_string(),
            record.sources.len().to_string(),
            record.room.to_string(),
            if node.answers { "now".to_owned() } else { ago_by(node.silent_for) },
        ]
    });
    let heads = ["NODE", "SITE", "STATE", "VERSION", "DETECTOR", "CORES", "SOURCES", "ROOM", "LAST SEEN"];
    show_table(
        &heads,
        &table.collect::<Vec<_>>(),
        "the fleet has no nodes; start one with 'pcount-tui serve --config FILE --nats URL'",
    )?;
    for node in nodes.iter().filter(|node| node.answers) {
        said_of(&node.record).iter().for_each(|said| complain(&format!("{}: {said}", node.record.node)));
    }
    Ok(DONE)
}

/// What an operator should know of a node beside its row.
fn said_of(node: &NodeRecord) -> Vec<String> {
    let mut said: Vec<String> =
        node.problems.iter().map(|problem| format!("cannot count {problem}")).collect();
    if let Some(overload) = &node.overload {
        said.push(format!("has too much to do: {overload}"));
    }
    if let Some(HandedOver { id, reason, ago }) = &node.handed_over {
        let ago = ago_by(i64::try_from(*ago).unwrap_or(i64::MAX).saturating_mul(1_000));
        said.push(format!("handed {id} to another node {ago}: {reason}"));
    }
    said.extend(node.trouble.clone());
    said
}

/// How long ago the node got it, in words.
fn ago(held: &HeldSource) -> String {
    // Older versions do not say for how long, and the clock of the node may be wrong.
    let since = || Timestamp::now().as_millisecond().saturating_sub(held.since).max(0);
    ago_by(held.held_for.unwrap_or_else(since))
}

fn ago_by(milliseconds: i64) -> String {
    let passed = SignedDuration::from_secs(milliseconds / 1_000);
    format!("{passed:#} ago")
}

fn show_table(heads: &[&str], rows: &[Vec<String>], empty: &str) -> Result<u8, Failure> {
    if rows.is_empty() {
        return print(|out| writeln!(out, "{empty}"));
    }
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}", width = *width))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    print(|out| {
        writeln!(out, "{}", line(heads.to_vec()))?;
        for row in rows {
            writeln!(out, "{}", line(row.iter().map(String::as_str).collect()))?;
        }
        Ok(())
    })
}
