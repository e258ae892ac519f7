//! From the tree of a configuration file to a [`Config`], with every problem reported.

use std::collections::BTreeMap;

use super::{
    Config, ModelFolders, ParallelConfig, TuiConfig, defaults,
    json::Node,
    keys::{FILE, FileKeys, PARALLEL, TUI},
    nearest,
    section::{Diagnostics, Field, Section},
};

mod areas;
mod detector;
mod evidence;
mod fleet;
mod http;
mod mqtt;
mod schedule;
mod sources;
mod webhooks;

use areas::areas;
use detector::detector;
use evidence::evidence;
use fleet::fleet;
use http::http;
use mqtt::mqtt;
use schedule::schedule;
pub(crate) use sources::readable_by_all;
pub(super) use sources::writable_by;
use webhooks::webhooks;

/// Reads a whole document. Where something is wrong the report says so and a default takes its place.
pub(super) fn document(report: &Diagnostics<'_>, root: &Node) -> Config {
    let root = Field::root(report, root);
    let mut config = Config::default();
    let Some(section) = root.section::<FileKeys>() else { return config };
    if let Some(field) = section.field(&FILE.schema) {
        field.raw_text();
    }
    let program = section.read(&FILE.parallel_config);
    config.parallel = parallel(report, program.as_ref());
    let lists = (section.field(&FILE.cameras), section.field(&FILE.videos));
    let names_sources = lists.0.is_some() || lists.1.is_some();
    config.sources = sources::read(lists, config.parallel.schedule.as_ref());
    // A node of a fleet gets its sources there.
    if !names_sources && config.parallel.fleet.is_none() {
        report.warning(None, "", "names no source; add one under 'cameras' or 'videos'");
    }
    // After the sources, whose lines they name.
    if let Some(field) = program.as_ref().and_then(|section| section.field(&PARALLEL.areas)) {
        config.parallel.areas = areas(&field, &config.sources);
    }
    if let Some(section) = section.read(&FILE.tui) {
        config.tui = tui(&section);
    }
    config
}

fn parallel(report: &Diagnostics<'_>, section: Option<&Section<'_>>) -> ParallelConfig {
    let mut config = ParallelConfig::default();
    config.result_output = report.base.join(&config.result_output);
    config.models = ModelFolders::Usual(Some(report.base.join(defaults::MODELS)));
    if let Some(section) = section {
        section.set(&PARALLEL.result_output, &mut config.result_output);
    }
    config.log_dir = config.result_output.join(defaults::LOG_DIR);
    let Some(section) = section else { return config };
    workers(section, &mut config);
    section.set(&PARALLEL.log_level, &mut config.log_level);
    section.set(&PARALLEL.strategy, &mut config.strategy);
    if let Some(choice) = section.field(&PARALLEL.detector).and_then(|f| detector(&f)) {
        config.detector = choice;
    }
    section.set(&PARALLEL.engine, &mut config.engine);
    section.set(&PARALLEL.hwaccel, &mut config.hwaccel);
    if let Some(path) = section.read(&PARALLEL.models) {
        config.models = ModelFolders::Named(path);
    }
    section.set(&PARALLEL.log_dir, &mut config.log_dir);
    section.set(&PARALLEL.max_log_size, &mut config.max_log_size);
    section.set(&PARALLEL.max_log_files, &mut config.max_log_files);
    section.set(&PARALLEL.history, &mut config.history);
    section.set(&PARALLEL.max_open_sources, &mut config.max_open_sources);
    if let Some(zone) = section.field(&PARALLEL.timezone).and_then(|f| timezone(&f)) {
        config.timezone = zone;
    }
    config.schedule = section.field(&PARALLEL.schedule).and_then(|f| schedule(&f)).flatten();
    config.memory_limit = section.read(&PARALLEL.memory_limit);
    section.set(&PARALLEL.ledger, &mut config.ledger);
    config.ledger_retention = section.read(&PARALLEL.ledger_retention);
    section.set(&PARALLEL.reload, &mut config.reload);
    config.http = section.field(&PARALLEL.http).and_then(|f| http(&f));
    config.fleet = section.field(&PARALLEL.fleet).and_then(|f| fleet(&f));
    config.mqtt = section.field(&PARALLEL.mqtt).and_then(|f| mqtt(&f));
    if let Some(field) = section.field(&PARALLEL.webhooks) {
        config.webhooks = webhooks(&field);
    }
    config.evidence =
        section.field(&PARALLEL.evidence).and_then(|f| evidence(&f)).and_then(|e| e.resolve(None));
    config
}

/// `worker_count` and `max_workers`: whichever is not written gives way to the one that is.
fn workers(section: &Section<'_>, config: &mut ParallelConfig) {
    let count = section.read(&PARALLEL.worker_count);
    let max = section.read(&PARALLEL.max_workers);
    let count_field = section.field(&PARALLEL.worker_count);
    match (count, max, count_field) {
        (Some(count), Some(max), Some(field)) if count > max => field.problem(&format!(
            "worker_count '{count}' is above max_workers '{max}'; lower the one or raise the other"
        )),
        _ => {}
    }
    config.max_workers = max.unwrap_or(defaults::MAX_WORKERS.max(count.unwrap_or(0)));
    config.worker_count = count.unwrap_or(defaults::WORKER_COUNT.min(config.max_workers));
}

fn timezone(field: &Field<'_>) -> Option<jiff::tz::TimeZone> {
    let name = field.text()?;
    if name.eq_ignore_ascii_case("system") {
        return Some(jiff::tz::TimeZone::system());
    }
    if let Ok(zone) = jiff::tz::TimeZone::get(&name) {
        return Some(zone);
    }
    let database = jiff::tz::db();
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = nearest(&name, &names).map_or_else(
        || "write one such as Europe/Berlin, or UTC".to_owned(),
        |near| format!("did you mean '{near}'?"),
    );
    field.problem(&format!("'{}' is no time zone that this machine knows; {near}", field.quoted(&name)));
    None
}

fn tui(section: &Section<'_>) -> TuiConfig {
    let mut config = TuiConfig::default();
    section.set(&TUI.theme, &mut config.theme);
    section.set(&TUI.bell, &mut config.bell);
    let entries = section.field(&TUI.keys).and_then(|f| f.entries()).unwrap_or_default();
    config.keys = entries
        .into_iter()
        .filter_map(|(action, field)| {
            let keys = if field.is_text() {
                vec![field.label(20)?]
            } else {
                field.items()?.iter().filter_map(|item| item.label(20)).collect()
            };
            Some((action.to_owned(), keys))
        })
        .collect::<BTreeMap<_, _>>();
    config
}
