//! Cameras and videos.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read as _,
    path::PathBuf,
};

use super::{detector::detector, evidence::evidence, schedule::schedule};
use crate::{
    config::{
        Address, Cadence, RetryConfig, Schedule, SourceConfig, SourceSpec, TlsConfig, defaults,
        json::TextPosition,
        keys::{CAMERA, CameraKeys, RETRY, SOURCE, TLS, TlsKeys, VIDEO, VideoKeys},
        limits::{ID_LENGTH, LABEL_LENGTH, check_id},
        section::{Field, Kind as _, Section},
        source_spec::{self, Named},
        text,
    },
    model::SourceKind,
};

mod credentials;
mod shapes;

pub(super) use credentials::given as login;
pub(crate) use credentials::readable_by_all;
pub(in crate::config) use credentials::writable_by;

/// What certificates in PEM form begin with.
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Bytes of a file of certificates that are read; the system's has 250 kB.
const MOST_PEM: u64 = 4 << 20;

/// One entry of the file, before folders and patterns become several sources.
struct SourceEntry {
    config: SourceConfig,
    files: Option<Vec<PathBuf>>,
}

/// All sources of the file. Cameras that name no hours have these.
pub(super) fn read(
    (cameras, videos): (Option<Field<'_>>, Option<Field<'_>>),
    hours: Option<&Schedule>,
) -> Vec<SourceConfig> {
    let mut ids: BTreeMap<String, (String, TextPosition)> = BTreeMap::new();
    let mut entries = Vec::new();
    for (list, kind) in [(&cameras, SourceKind::Camera), (&videos, SourceKind::Video)] {
        for item in list.as_ref().and_then(Field::items).unwrap_or_default() {
            entries.extend(entry(&item, kind, hours, &mut ids));
        }
    }
    expand(entries, ids.into_keys().collect())
}

/// Makes one source of each entry, or one of each file of a folder or pattern.
fn expand(entries: Vec<SourceEntry>, mut taken: BTreeSet<String>) -> Vec<SourceConfig> {
    let mut sources = Vec::new();
    for SourceEntry { config, files } in entries {
        let Some(files) = files else {
            sources.push(config);
            continue;
        };
        for file in files {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let id = source_spec::unused(&format!("{}_{}", config.id, source_spec::slug(&stem)), &taken);
            taken.insert(id.clone());
            sources.push(SourceConfig {
                id: id.into(),
                alias: alias(&config.alias, &stem),
                source: SourceSpec::File(file),
                ..config.clone()
            });
        }
    }
    sources
}

/// The name of one file of a folder, no longer than any other.
fn alias(folder: &str, stem: &str) -> String {
    let whole = text::printable(&format!("{folder} {stem}"));
    if whole.chars().count() <= LABEL_LENGTH {
        return whole;
    }
    whole.chars().take(LABEL_LENGTH - 1).chain(['…']).collect()
}

fn entry(
    item: &Field<'_>,
    kind: SourceKind,
    hours: Option<&Schedule>,
    ids: &mut BTreeMap<String, (String, TextPosition)>,
) -> Option<SourceEntry> {
    let (section, id_field, source_field) = match kind {
        SourceKind::Camera => {
            let section = item.section::<CameraKeys>()?;
            let (id, source) = (section.required(&CAMERA.camera_id), section.required(&CAMERA.source));
            (section, id, source)
        }
        SourceKind::Video => {
            let section = item.section::<VideoKeys>()?;
            let (id, path) = (section.required(&VIDEO.video_id), section.required(&VIDEO.path));
            (section, id, path)
        }
    };
    let id = id_field.and_then(|field| unique_id(&field, ids));
    let named = source_field.as_ref().and_then(|field| what(field, kind));
    let (spec, files) = match named {
        Some(Named::One(spec)) => (Some(spec), None),
        Some(Named::Several(found)) => (Some(SourceSpec::File(PathBuf::new())), Some(found.files)),
        None => (None, None),
    };
    let spec = credentials::read(&section, source_field.as_ref(), spec);
    let mut config = SourceConfig::new(
        id.clone().unwrap_or_default(),
        kind,
        spec.clone().unwrap_or_else(|| SourceSpec::File(PathBuf::new())),
    );
    settings(&section, &mut config);
    config.schedule = own_hours(&section, kind, hours);
    (id.is_some() && spec.is_some()).then_some(SourceEntry { config, files })
}

fn unique_id(field: &Field<'_>, ids: &mut BTreeMap<String, (String, TextPosition)>) -> Option<String> {
    let id = field.label(ID_LENGTH)?;
    if let Err(problem) = check_id(&id) {
        field.problem(&problem);
        return None;
    }
    if let Some((path, place)) = ids.get(&id) {
        field.problem(&format!(
            "the id '{id}' is taken by {path} at line {}; give each source an id of its own",
            place.line
        ));
        return None;
    }
    ids.insert(id.clone(), (field.path.clone(), field.place()));
    Some(id)
}

/// What the entry opens.
fn what(field: &Field<'_>, kind: SourceKind) -> Option<Named> {
    if kind == SourceKind::Camera && field.is_number() {
        let number = field.integer(0..=255)?;
        return Some(Named::One(SourceSpec::device(number as u32)));
    }
    let text = field.text()?;
    let report = field.report;
    Address(&text).teach(&report.known);
    let named = match source_spec::parse(&text, report.base, report.env) {
        Ok(named) => named,
        Err(problem) => {
            field.problem(&problem);
            return None;
        }
    };
    let text = Address(&text);
    match (&named, kind) {
        (Named::Several(_), SourceKind::Camera) => {
            field.problem(&format!("'{text}' names several videos; list it under 'videos'"));
            return None;
        }
        (Named::One(SourceSpec::Device(_)), SourceKind::Video) => {
            field.problem(&format!("'{text}' is a camera; list it under 'cameras'"));
            return None;
        }
        (Named::One(SourceSpec::Url { address, .. }), SourceKind::Video)
            if address.scheme().starts_with("rtsp") =>
        {
            field.problem(&format!("'{address}' is a camera; list it under 'cameras'"));
            return None;
        }
        (Named::Several(found), _) => {
            if found.files.is_empty() {
                field.warning(&format!("'{text}' holds no video, so it is not a source"));
            }
            found.remarks.iter().for_each(|remark| field.warning(remark));
        }
        (Named::One(SourceSpec::File(path)), _) if !path.exists() => {
            field.warning(&format!(
                "'{}' does not exist; its source delivers no frames until it does",
                Address(&path.to_string_lossy())
            ));
        }
        _ => {}
    }
    Some(named)
}

/// The keys that cameras and videos share.
fn settings(section: &Section<'_>, config: &mut SourceConfig) {
    section.set(&SOURCE.alias, &mut config.alias);
    config.location = section.read(&SOURCE.location);
    config.threshold = section.read(&SOURCE.threshold);
    section.set(&SOURCE.enabled, &mut config.enabled);
    shapes::read(section, config);
    if let Some(choice) = section.field(&SOURCE.detector).and_then(|f| detector(&f)) {
        config.detector = Some(choice);
    }
    section.set(&SOURCE.tracker, &mut config.tracker);
    config.cadence = cadence(section);
    section.set(&SOURCE.priority, &mut config.priority);
    if let Some(section) = section.read(&SOURCE.retry) {
        config.retry = retry(&section);
    }
    section.set(&SOURCE.stall_timeout, &mut config.stall_timeout);
    section.set(&SOURCE.open_timeout, &mut config.open_timeout);
    section.set(&SOURCE.transport, &mut config.transport);
    config.stream = section.read(&SOURCE.stream);
    config.hwaccel = section.read(&SOURCE.hwaccel);
    section.set(&SOURCE.sleep, &mut config.sleep);
    section.set(&SOURCE.closed, &mut config.closed);
    if let Some(choice) = section.field(&SOURCE.evidence).and_then(|f| evidence(&f)) {
        config.evidence = choice;
    }
    config.site = section.read(&SOURCE.site);
    if let Some(field) = section.field(&SOURCE.tls) {
        config.tls = tls(&field, &config.source);
    }
}

/// The opening hours of a source: its own, else these; a video has none.
fn own_hours(section: &Section<'_>, kind: SourceKind, hours: Option<&Schedule>) -> Option<Schedule> {
    let field = section.field(&SOURCE.schedule);
    match (field, kind) {
        (Some(field), SourceKind::Video) => {
            field.problem("belongs to cameras only: a video is read from its start to its end; remove it");
            None
        }
        (_, SourceKind::Video) => None,
        (Some(field), SourceKind::Camera) => schedule(&field).unwrap_or_default(),
        (None, SourceKind::Camera) => hours.cloned(),
    }
}

fn tls(field: &Field<'_>, source: &SourceSpec) -> TlsConfig {
    let mut config = TlsConfig::default();
    let Some(section) = field.section::<TlsKeys>() else { return config };
    let ca = section.field(&TLS.ca);
    section.set(&TLS.verify, &mut config.verify);
    // An empty path stands for a source that could not be read, which has its own problem.
    if !matches!(source, SourceSpec::Url { .. }) && *source != SourceSpec::File(PathBuf::new()) {
        field.problem("belongs to rtsps:// and https:// sources only; remove it");
    }
    if let Some(ca) = ca {
        config.ca = certificates(&ca);
        if !config.verify {
            ca.problem("is not used while 'verify' is false; remove one of the two");
        }
    }
    if !config.verify {
        field.warning(
            "the certificate is not verified: anybody between here and the camera can read the password; \
             'check --probe --certificates DIR' saves the camera's certificate, to be named as 'ca'",
        );
    }
    config
}

/// A PEM file; its absence is a warning, for it may come later.
pub(super) fn certificates(field: &Field<'_>) -> Option<PathBuf> {
    let path = TLS.ca.kind.read(field)?;
    // A pipe could be read once only, and would hold up the start.
    if path.exists() && !path.is_file() {
        field.problem(&format!("'{}' is no file; name a file of certificates in PEM form", path.display()));
        return None;
    }
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|file| file.take(MOST_PEM).read_to_end(&mut bytes)) {
        Ok(_) if !bytes.windows(PEM.len()).any(|window| window == PEM) => field.problem(&format!(
            "'{}' holds no certificate in PEM form; it should begin with -----BEGIN CERTIFICATE-----",
            path.display()
        )),
        Err(error) if path.exists() => {
            field.warning(&format!(
                "'{}' cannot be read ({error}); give this user access to it",
                path.display()
            ));
        }
        _ => {}
    }
    Some(path)
}

fn cadence(section: &Section<'_>) -> Cadence {
    let skipped = section.read(&SOURCE.skip_frames);
    let per_second = section.read(&SOURCE.detect_fps);
    let (skip, rate) = (section.field(&SOURCE.skip_frames), section.field(&SOURCE.detect_fps));
    match (skip, rate) {
        (Some(_), Some(rate)) => {
            rate.problem("detect_fps and skip_frames exclude each other; remove one");
            Cadence::Auto
        }
        _ => match (skipped, per_second) {
            (Some(frames), _) => Cadence::SkipFrames(frames),
            (_, Some(rate)) => Cadence::DetectFps(rate),
            _ => Cadence::Auto,
        },
    }
}

fn retry(section: &Section<'_>) -> RetryConfig {
    let mut config = RetryConfig::default();
    section.set(&RETRY.max_attempts, &mut config.max_attempts);
    section.set(&RETRY.give_up, &mut config.give_up);
    let longest = section.read(&RETRY.max);
    let first = section.read(&RETRY.initial);
    let initial = section.field(&RETRY.initial);
    config.initial = first.unwrap_or(defaults::RETRY_INITIAL.min(longest.unwrap_or(defaults::RETRY_INITIAL)));
    config.max = longest.unwrap_or(defaults::RETRY_MAX.max(config.initial));
    if let (true, Some(field)) = (config.initial > config.max, initial) {
        field.problem(&format!(
            "the first delay '{}' is longer than the longest '{}'; lower it or raise 'max'",
            text::shown_duration(config.initial),
            text::shown_duration(config.max)
        ));
    }
    config
}
