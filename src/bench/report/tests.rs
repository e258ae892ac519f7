use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use serde_json::Value;

use super::*;
use crate::config::ParallelConfig;

const SHORT: Plan = Plan {
    name: "quick",
    idle: Duration::from_millis(100),
    warm_up: Duration::from_millis(50),
    rounds: 2,
    round: Duration::from_millis(250),
    decoding: 0.01,
    steps: 1,
    step: Duration::from_millis(300),
    repeats: 1,
};

fn options() -> BenchOptions {
    BenchOptions {
        source: SourceSpec::Demo("lobby?size=160x90&seconds=2".into()),
        streams: 2,
        realtime: false,
        sleep: true,
        duration: Duration::ZERO,
        detector: DetectorChoice::Motion,
        settings: ParallelConfig { worker_count: 2, max_workers: 2, ..ParallelConfig::default() },
        json: false,
        screen: Box::new(|_| Box::new(|| 0)),
    }
}

static REPORT: LazyLock<MachineReport> =
    LazyLock::new(|| run(&options(), &SHORT, &Progress::hidden()).unwrap().unwrap());

/// Paths of all keys, and all texts with theirs.
fn leaves(value: &Value, path: &str, keys: &mut BTreeSet<String>, texts: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(value, &path, keys, texts);
                keys.insert(path);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| leaves(value, path, keys, texts)),
        Value::String(text) => texts.push((path.to_owned(), text.clone())),
        _ => {}
    }
}

#[test]
fn a_report_has_the_form_of_its_page_and_tells_nothing_of_whose_the_machine_is() {
    let report = &*REPORT;
    let json = serde_json::to_value(report).unwrap();
    let (mut keys, mut texts) = (BTreeSet::new(), Vec::new());
    leaves(&json, "", &mut keys, &mut texts);

    // Each key is on the page, and the page has no other.
    let page = include_str!("../../../docs/performance.md");
    let table = page.split_once("## The report\n").unwrap().1.split("\n## ").next().unwrap();
    let listed: BTreeSet<String> = table
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
        .collect();
    let leaf = |key: &&String| !keys.iter().any(|other| other.starts_with(&format!("{key}.")));
    let mut measured: BTreeSet<String> = keys.iter().filter(leaf).cloned().collect();
    for figure in ["median", "min", "max"] {
        measured.retain(|key| !key.ends_with(&format!(".{figure}")));
    }
    let figures = ["cpu_ms_per_frame", "cpu_ms_per_detection", "detections_per_frame", "frames_per_second"];
    measured.extend(figures.map(|figure| format!("costs.{figure}")));
    assert_eq!(listed, measured);
    assert_eq!((&json["form"], &json["version"]), (&"pcount-bench".into(), &VERSION.into()));

    // No path, no address, no name of the host or the user: the CPU alone names itself as it likes.
    for (key, text) in texts.iter().filter(|(key, _)| key != "machine.cpu") {
        assert!(!text.contains(['/', '\\', '@', ':']), "{key}: {text}");
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let names = [host.trim().to_owned(), std::env::var("USER").unwrap_or_default()];
    for name in names.iter().filter(|name| name.len() > 3 && *name != &report.machine.os) {
        assert!(texts.iter().all(|(_, text)| text != name), "{name}");
    }

    // And it measured what it was told to.
    assert_eq!((report.costs.rounds, report.source.scene, report.source.kind), (2, Some("lobby"), "demo"));
    let frame = report.costs.cpu_ms_per_frame;
    assert!(0.0 < frame.min && frame.min <= frame.median && frame.median <= frame.max, "{frame:?}");
    assert!(report.costs.decode_cpu_ms_per_frame.is_none() && report.costs.frames_per_second.min > 0.0);
    assert!(!report.capacity.tries.is_empty() && report.machine.cores > 0);
    let text = report.text();
    assert!(text.contains("drawn instead of decoded") && text.contains("this machine carries "), "{text}");
}

#[test]
fn a_file_and_a_model_of_the_user_are_not_named() {
    let info = StreamInfo { size: (640, 360), fps: Some(25.0), live: false, frames: None };
    let spec = SourceSpec::File("/home/anna/annas door.mp4".into());
    let source = described(&spec, &info, Some("h264".into()));
    let json = serde_json::to_string(&source).unwrap();
    assert_eq!(json, r#"{"kind":"file","scene":null,"codec":"h264","width":640,"height":360,"fps":25.0}"#);
}

#[test]
fn a_machine_at_work_is_not_called_quiet_and_the_load_is_said() {
    let others = |programs, stolen| Some(Others { programs, stolen });
    assert!(is_quiet(others(0.05, 0.02)));
    assert!(!is_quiet(others(0.06, 0.0)) && !is_quiet(others(0.0, 0.03)) && !is_quiet(None));
    let mut report = REPORT.clone();
    report.quiet = false;
    report.load = Load { programs_before: Some(43.1), programs_during: Some(12.0), ..report.load };
    report.load = Load { stolen_before: Some(0.0), stolen_during: Some(7.0), ..report.load };
    let text = report.text();
    assert!(
        text.contains(
            "NOT QUIET, not to be compared: other programs took 43.1 % of the cores before and 12.0 %"
        ),
        "{text}"
    );
    report.capacity.streams = 0;
    for (fewest, carries) in [(6, "carries fewer than 6 of them"), (1, "carries 0 of them")] {
        report.capacity.tries = vec![made(12, false), made(fewest, false)];
        assert!(report.text().contains(carries), "{carries}");
    }
    report.load.programs_during = None;
    assert!(report.text().contains("NOT KNOWN TO BE QUIET"));
}

#[test]
fn an_end_that_is_asked_for_leaves_no_report() {
    let stopped = Progress::on_stderr(false, Arc::new(true.into()));
    assert!(run(&options(), &SHORT, &stopped).unwrap().is_none());
}

fn made(streams: usize, carried: bool) -> Try {
    Try {
        streams,
        carried,
        fps_min: 0.0,
        fps_median: 0.0,
        detect_fps_median: 0.0,
        frame_age_p99_ms: 0.0,
        cpu_cores: 0.0,
        memory_mib: 0.0,
    }
}

#[test]
fn the_number_of_cameras_is_closed_in_on_and_a_failed_repetition_takes_it_back() {
    // A machine that carries 13.
    let mut tries = vec![made(20, false)];
    while let Some(streams) = next(&tries) {
        tries.push(made(streams, streams <= 13));
    }
    assert!((12..=13).contains(&carried(&tries)) && tries.len() < 7, "{tries:?}");
    let found = carried(&tries);
    tries.push(made(found, false));
    assert!(carried(&tries) < found);

    assert_eq!(next(&[made(12, true)]), Some(17));
    assert_eq!(next(&[made(MOST, true)]), None);
    assert_eq!((next(&[made(1, false)]), carried(&[made(1, false)])), (None, 0));
}

#[test]
fn a_figure_is_the_middle_of_its_rounds_with_the_lowest_and_the_highest() {
    assert_eq!(Figure::of([3.0, 1.0, 2.0]), Some(Figure { median: 2.0, min: 1.0, max: 3.0 }));
    assert_eq!(Figure::of([]), None);
}
