//! Names and labels, which dashboards and alert rules of others rely on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    page::Page,
    prometheus::promtool,
    server::{Server, camera, config, until},
};

/// Every name with its type and its labels. They do not change.
const CONTRACT: &[(&str, &str, &[&str])] = &[
    ("pcount_build_info", "gauge", &["detector", "engine", "version"]),
    ("pcount_crossings_suppressed_total", "counter", &["camera", "line", "reason"]),
    ("pcount_crossings_total", "counter", &["camera", "direction", "line"]),
    ("pcount_detection_duration_seconds", "histogram", &[]),
    ("pcount_detection_runs_total", "counter", &["camera"]),
    ("pcount_detections_total", "counter", &["camera"]),
    ("pcount_events_lost_total", "counter", &[]),
    ("pcount_frame_age_seconds", "histogram", &[]),
    ("pcount_frames_dropped_total", "counter", &["camera"]),
    ("pcount_frames_total", "counter", &["camera"]),
    ("pcount_ledger_pending_events", "gauge", &[]),
    ("pcount_ledger_writable", "gauge", &[]),
    ("pcount_log_lines_lost_total", "counter", &[]),
    ("pcount_occupancy", "gauge", &["area"]),
    ("pcount_queue_depth", "gauge", &[]),
    ("pcount_source_last_frame_timestamp_seconds", "gauge", &["camera"]),
    ("pcount_source_reconnects_total", "counter", &["camera"]),
    ("pcount_source_state", "gauge", &["camera", "state"]),
    ("pcount_source_up", "gauge", &["camera"]),
    ("pcount_throttled", "gauge", &["camera"]),
    ("pcount_webhook_deliveries_total", "counter", &["result", "webhook"]),
    ("pcount_webhook_pending", "gauge", &["webhook"]),
    ("pcount_worker_busy_seconds_total", "counter", &["worker"]),
    ("pcount_zone_occupancy", "gauge", &["camera", "zone"]),
    ("process_cpu_seconds_total", "counter", &[]),
    ("process_max_fds", "gauge", &[]),
    ("process_open_fds", "gauge", &[]),
    ("process_resident_memory_bytes", "gauge", &[]),
    ("process_start_time_seconds", "gauge", &[]),
];

pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// A camera with a zone, whose names need to be quoted.
fn odd_camera() -> Value {
    let mut camera = camera("the {gate}, 1");
    camera["zones"] = json!([{ "name": "the \"lobby\" \\ 1", "points": [[0, 0], [1, 0], [1, 1], [0, 1]] }]);
    camera
}

#[test]
fn the_page_has_the_names_and_labels_of_the_contract_and_promtool_finds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cameras = [
        odd_camera(),
        json!({ "camera_id": "broken", "source": "rtsp://admin:hunter2@127.0.0.1:9/stream?key=s3cret" }),
    ];
    let odd = "the {gate}, 1";
    let mut settings = config(dir.path(), &cameras, false);
    settings["parallel_config"]["areas"] = json!([{ "name": "hall", "lines": [format!("{odd}/*")] }]);
    settings["parallel_config"]["webhooks"] =
        json!([{ "url": "http://127.0.0.1:9/", "secret_file": "none" }]);
    let server = Server::start(dir.path(), &settings);
    let page = until("a frame and a failure", || {
        let page = Page::of(&server);
        let frames = page.get("pcount_frames_total", &[("camera", odd)])?;
        let state = page.get("pcount_source_state", &[("camera", "broken"), ("state", "Retrying")])?;
        (frames > 0.0 && state == 1.0).then_some(page)
    });
    let names: BTreeMap<&str, BTreeSet<&str>> = page.names();
    let mut found = Vec::new();
    for (family, kind) in &page.types {
        let series = if kind == "histogram" { format!("{family}_count") } else { family.clone() };
        let labels = names[&*series].iter().map(|label| (*label).to_owned()).collect();
        found.push((family.clone(), kind.clone(), labels));
    }
    let wanted: Vec<(String, String, Vec<String>)> = CONTRACT
        .iter()
        .map(|(name, kind, labels)| {
            ((*name).into(), (*kind).into(), labels.iter().map(|label| (*label).into()).collect())
        })
        .collect();
    assert_eq!(found, wanted);

    let up = |camera| page.get("pcount_source_up", &[("camera", camera)]);
    assert_eq!((up(odd), up("broken")), (Some(1.0), Some(0.0)));
    assert_eq!(page.sum("pcount_source_state", ("camera", odd)), 1.0, "one state at a time");
    assert!(page.get("pcount_zone_occupancy", &[("camera", odd), ("zone", "the \"lobby\" \\ 1")]).is_some());
    assert!(page.get("pcount_occupancy", &[("area", "hall")]).is_some());
    assert_eq!(page.get("pcount_ledger_writable", &[]), Some(1.0));
    // Before anything was counted there, so that the first crossing is an increase.
    assert!(
        page.get("pcount_crossings_total", &[("camera", odd), ("line", "door"), ("direction", "out")])
            .is_some()
    );
    assert!(page.get("process_resident_memory_bytes", &[]).unwrap() > 1e6);
    for secret in ["admin", "hunter2", "127.0.0.1", "s3cret", "rtsp"] {
        assert!(!page.text.contains(secret), "{secret}: {}", page.text);
    }

    let Some(mut promtool) = promtool() else { return };
    let mut child = promtool
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(page.text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && said(&output).is_empty(), "{}", said(&output));
}

#[test]
fn the_manual_names_what_there_is() {
    let manual = read("docs/metrics.md");
    let rows = manual.lines().filter(|line| line.starts_with("| `p"));
    let cells: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    let words =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut named: Vec<String> = cells.iter().flat_map(|row| words(row[1])).collect();
    named.sort();
    let wanted: Vec<&str> = CONTRACT.iter().map(|(name, ..)| *name).collect();
    assert_eq!(named, wanted);
    for row in cells {
        for name in words(row[1]) {
            let (_, kind, labels) = CONTRACT.iter().find(|(known, ..)| *known == name).unwrap();
            assert!(labels.iter().all(|label| row[2].contains(&format!("`{label}`"))), "{row:?}");
            assert_eq!(row[2] == "histogram", *kind == "histogram", "{row:?}");
        }
    }
}

/// Expressions of the dashboard.
pub fn expressions() -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(text) if ["expr", "definition"].contains(&&**key) => {
                            found.push(text.clone());
                        }
                        value => collect(value, found),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&serde_json::from_str(&read("docs/grafana/pcount.json")).unwrap(), &mut found);
    found
}

/// Names of metrics of the program in `text`.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("pcount_") || word.starts_with("process_")).collect()
}

#[test]
fn dashboard_and_rules_use_only_what_there_is_and_the_dashboard_shows_all_of_it() {
    let series: BTreeSet<String> = CONTRACT
        .iter()
        .flat_map(|(name, kind, _)| match *kind {
            "histogram" => ["_bucket", "_count", "_sum"].map(|end| format!("{name}{end}")).to_vec(),
            _ => vec![(*name).to_owned()],
        })
        .collect();
    let (shown, rules) = (expressions().join("\n"), read("docs/prometheus/alerts.yml"));
    for (what, text) in [("dashboard", &shown), ("rules", &rules)] {
        let named = metrics_in(text);
        assert!(named.len() > 4, "{what}: {named:?}");
        let unknown: Vec<_> = named.iter().filter(|name| !series.contains(**name)).collect();
        assert!(unknown.is_empty(), "{what}: {unknown:?}");
    }
    let named = metrics_in(&shown);
    let missing: Vec<_> = series.iter().filter(|name| !named.contains(&***name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn alert_rules_are_valid_and_raise_what_they_should_and_nothing_else() {
    for arguments in [
        ["check", "rules", "docs/prometheus/alerts.yml"],
        ["test", "rules", "tests/metrics/alerts_test.yml"],
        ["test", "rules", "tests/metrics/days_test.yml"],
    ] {
        let Some(mut promtool) = promtool() else { return };
        let output = promtool.args(arguments).current_dir(path("")).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
}
