//! From the tree of a configuration file to a [`Config`], with every problem reported.

use std::{collections::BTreeMap, time::Duration};

use super::{
    BuiltinConfig, Config, DetectorChoice, EngineChoice, Hwaccel, LogLevel, ModelConfig, ModelFolders,
    ModelFormat, ParallelConfig, Strategy, Theme, TuiConfig, defaults,
    detector::{INPUT_SIDES, INPUT_STEP},
    json::Node,
    section::{Field, Report, Section},
};

mod sources;

pub(super) use sources::{readable_by_all, writable_by};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a whole document. Where something is wrong the report says so and a default takes its place.
pub(super) fn document(report: &Report<'_>, root: &Node) -> Config {
    let root = Field::root(report, root);
    let mut config = Config::default();
    let Some(section) = root.section("ConfigFile") else { return config };
    if let Some(field) = section.field("$schema") {
        field.raw_text();
    }
    config.parallel =
        parallel(report, section.field("parallel_config").and_then(|f| f.section("ParallelFile")));
    config.sources = sources::read(report, section.field("cameras"), section.field("videos"));
    if let Some(field) = section.field("tui") {
        config.tui = tui(&field);
    }
    section.finish();
    config
}

fn parallel(report: &Report<'_>, section: Option<Section<'_>>) -> ParallelConfig {
    let mut config = ParallelConfig::default();
    config.result_output = report.base.join(&config.result_output);
    config.models = ModelFolders::Usual(Some(report.base.join(defaults::MODELS)));
    config.log_dir = config.result_output.join(defaults::LOG_DIR);
    let Some(section) = section else { return config };
    workers(&section, &mut config);
    if let Some(path) = section.field("result_output").and_then(|f| f.path()) {
        config.log_dir = path.join(defaults::LOG_DIR);
        config.result_output = path;
    }
    if let Some(level) = section.field("log_level").and_then(|f| f.choice(&LogLevel::NAMES)) {
        config.log_level = level;
    }
    if let Some(strategy) = section.field("strategy").and_then(|f| f.choice(&Strategy::NAMES)) {
        config.strategy = strategy;
    }
    if let Some(choice) = section.field("detector").and_then(|f| detector(&f)) {
        config.detector = choice;
    }
    if let Some(engine) = section.field("engine").and_then(|f| f.choice(&EngineChoice::NAMES)) {
        config.engine = engine;
    }
    if let Some(hwaccel) = section.field("hwaccel").and_then(|f| f.choice(&Hwaccel::NAMES)) {
        config.hwaccel = hwaccel;
    }
    if let Some(path) = section.field("models").and_then(|f| f.path()) {
        config.models = ModelFolders::Named(path);
    }
    if let Some(path) = section.field("log_dir").and_then(|f| f.path()) {
        config.log_dir = path;
    }
    if let Some(size) = section.field("max_log_size").and_then(|f| f.size(64 << 10..=1 << 40)) {
        config.max_log_size = size;
    }
    if let Some(files) = section.field("max_log_files").and_then(|f| f.integer(0..=1000)) {
        config.max_log_files = files as usize;
    }
    if let Some(history) = section.field("history").and_then(|f| f.duration(60 * SECOND..=31 * DAY)) {
        config.history = history;
    }
    if let Some(open) = section.field("max_open_sources").and_then(|f| f.integer(1..=1024)) {
        config.max_open_sources = open as usize;
    }
    if let Some(zone) = section.field("timezone").and_then(|f| timezone(&f)) {
        config.timezone = zone;
    }
    config.memory_limit = section.field("memory_limit").and_then(|f| f.size(64 << 20..=1 << 44));
    if let Some(ledger) = section.field("ledger").and_then(|f| f.boolean()) {
        config.ledger = ledger;
    }
    config.ledger_retention = section.field("ledger_retention").and_then(|f| f.duration(DAY..=36_500 * DAY));
    section.finish();
    config
}

/// `worker_count` and `max_workers`: whichever is not written gives way to the one that is.
fn workers(section: &Section<'_>, config: &mut ParallelConfig) {
    let range = 1..=defaults::WORKERS_LIMIT as i64;
    let count_field = section.field("worker_count");
    let max_field = section.field("max_workers");
    let count = count_field.as_ref().and_then(|f| f.integer(range.clone())).map(|n| n as usize);
    let max = max_field.as_ref().and_then(|f| f.integer(range)).map(|n| n as usize);
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
    let near = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase()), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .map_or_else(
            || "write one such as Europe/Berlin, or UTC".to_owned(),
            |(_, near)| format!("did you mean '{near}'?"),
        );
    field.problem(&format!("'{}' is no time zone that this machine knows; {near}", field.quoted(&name)));
    None
}

/// A detector: a name, or an object that describes a model file or how the embedded model is run.
fn detector(field: &Field<'_>) -> Option<DetectorChoice> {
    if field.is_text() {
        let written = field.raw_text().unwrap_or_default();
        if let Some((format, _)) = written.split_once(':')
            && ModelFormat::NAMES.iter().any(|(name, _)| *name == format)
        {
            let written = field.quoted(written);
            field.problem(&format!(
                "'{written}' is the form of the command line; write {{\"format\": \"{format}\", \"model\": PATH}}"
            ));
            return None;
        }
        return field
            .choice(&[("auto", Name::Auto), ("builtin", Name::Builtin), ("motion", Name::Motion)])
            .map(|name| match name {
                Name::Auto => DetectorChoice::Auto,
                Name::Builtin => DetectorChoice::Builtin(BuiltinConfig::default()),
                Name::Motion => DetectorChoice::Motion,
            });
    }
    let section = field.section("ModelFile")?;
    let format_field = section.required(
        "format",
        "say how the model is laid out: pcount, rtmdet, yolox, ssd-prior or caffe-ssd; or builtin",
    );
    let format = format_field.and_then(|field| {
        let files = ModelFormat::NAMES.map(|(name, format)| (name, Format::File(format)));
        field.choice(&[&files[..], &[("builtin", Format::Embedded)]].concat())
    });
    let format = match format {
        Some(Format::Embedded) => return Some(embedded(section)),
        Some(Format::File(format)) => Some(format),
        None => None,
    };
    let model = section.required("model", "name the file with the weights").and_then(|f| existing_path(&f));
    let prototxt_field = section.field("prototxt");
    let prototxt = prototxt_field.as_ref().and_then(existing_path);
    match (format, &prototxt_field) {
        (Some(ModelFormat::CaffeSsd), None) => {
            section
                .problem("'prototxt' is missing; caffe-ssd needs the network description beside the weights");
        }
        (Some(ModelFormat::CaffeSsd) | None, _) | (_, None) => {}
        (Some(_), Some(field)) => field.problem("belongs to the format caffe-ssd only; remove it"),
    }
    let BuiltinConfig { input, confidence, engine } = run(&section, format);
    section.finish();
    Some(DetectorChoice::Model(ModelConfig {
        format: format?,
        model: model?,
        prototxt,
        input,
        confidence,
        engine,
    }))
}

/// The embedded model with settings of its own.
fn embedded(section: Section<'_>) -> DetectorChoice {
    for key in ["model", "prototxt"] {
        if let Some(field) = section.field(key) {
            field.problem(
                "belongs to formats of files; 'builtin' has its weights inside the program; remove it",
            );
        }
    }
    let config = run(&section, Some(ModelFormat::Pcount));
    section.finish();
    DetectorChoice::Builtin(config)
}

/// How a network is run.
fn run(section: &Section<'_>, format: Option<ModelFormat>) -> BuiltinConfig {
    BuiltinConfig {
        input: section.field("input").and_then(|f| input_size(&f, format)),
        confidence: section.field("confidence").and_then(|f| f.number(0.01..=1.0)).map(|score| score as f32),
        engine: section.field("engine").and_then(|f| f.choice(&EngineChoice::NAMES)).unwrap_or_default(),
    }
}

#[derive(Clone, Copy)]
enum Format {
    File(ModelFormat),
    Embedded,
}

#[derive(Clone, Copy)]
enum Name {
    Auto,
    Builtin,
    Motion,
}

fn input_size(field: &Field<'_>, format: Option<ModelFormat>) -> Option<(u32, u32)> {
    let items = field.items()?;
    let [width, height] = items.as_slice() else {
        field.problem("expected [width, height] in pixels, such as [320, 192]");
        return None;
    };
    let side = |item: &Field<'_>| {
        let (least, most) = (i64::from(*INPUT_SIDES.start()), i64::from(*INPUT_SIDES.end()));
        let side = item.integer(least..=most)? as u32;
        if matches!(format, Some(ModelFormat::Pcount | ModelFormat::Rtmdet | ModelFormat::Yolox))
            && !side.is_multiple_of(INPUT_STEP)
        {
            let near = (side + INPUT_STEP / 2) / INPUT_STEP * INPUT_STEP;
            item.problem(&format!(
                "'{side}' is not a multiple of {INPUT_STEP}, which this format needs; '{near}' is the nearest"
            ));
            return None;
        }
        Some(side)
    };
    let (width, height) = (side(width), side(height));
    Some((width?, height?))
}

/// A path whose file should be there by now; its absence is a warning.
fn existing_path(field: &Field<'_>) -> Option<std::path::PathBuf> {
    let path = field.path()?;
    if !path.exists() {
        field.warning(&format!("'{}' is not there; put the file there or name another", path.display()));
    }
    Some(path)
}

fn tui(field: &Field<'_>) -> TuiConfig {
    let mut config = TuiConfig::default();
    let Some(section) = field.section("TuiFile") else { return config };
    if let Some(theme) = section.field("theme").and_then(|f| f.choice(&Theme::NAMES)) {
        config.theme = theme;
    }
    let entries = section.field("keys").and_then(|f| f.entries()).unwrap_or_default();
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
    section.finish();
    config
}
