use super::*;
use crate::{
    config::{DetectorChoice, EngineChoice, ModelFolders, TrackerChoice},
    engine::pipeline::{Params, Setting},
};

/// Crossings counted of somebody who walks over a line and on, with these constants.
fn counted(settings: &[&str]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let scene = folder.path().join("scene");
    std::fs::create_dir(&scene).unwrap();
    let text = r#"{"name": "walk", "fps": 25, "frames": 75, "width": 160, "height": 120,
        "lines": [{"name": "door", "a": [0, 0.5], "b": [1, 0.5], "true_in": 1, "true_out": 0}]}"#;
    std::fs::write(scene.join("scene.json"), text).unwrap();
    // 24 pixels tall, 24 pixels a second.
    let row = |frame: u32| format!("{frame},-1,70,{},8,24,0.9\n", 10.0 + f64::from(frame) * 0.96);
    std::fs::write(folder.path().join("walk.txt"), (1..=75).map(row).collect::<String>()).unwrap();
    let mut params = Params::default();
    for setting in settings {
        Setting::parse(setting).unwrap().apply(&mut params).unwrap();
    }
    let options = EvalOptions {
        dirs: vec![scene],
        mot: false,
        detector: DetectorChoice::default(),
        engine: EngineChoice::default(),
        models: ModelFolders::default(),
        tracker: TrackerChoice::Motion,
        json: true,
        tracks: None,
        params,
        plan: Plan::default(),
        adaptive: false,
        record: None,
        replay: Some(folder.path().to_owned()),
    };
    let mut out = Vec::new();
    run(&options, &Progress::hidden(), &mut out).unwrap();
    let line: serde_json::Value = serde_json::from_slice(out.split(|c| *c == b'\n').next().unwrap()).unwrap();
    line["in"].as_u64().unwrap() + line["out"].as_u64().unwrap()
}

#[test]
fn constants_that_are_set_reach_the_tracker_and_the_counting_rule() {
    assert_eq!(counted(&[]), 1);
    assert_eq!(counted(&["band=10", "deep=1000"]), 0, "nobody leaves the dead band");
    assert_eq!(counted(&["confirm=60"]), 0, "no track is confirmed");
    assert_eq!(counted(&["confirm=60", "confirm=0.3"]), 1, "the last one holds");
}

#[test]
fn every_constant_is_listed_on_a_line_of_its_own() {
    let (mut table, mut lines) = (Vec::new(), Vec::new());
    list_constants(false, &mut table).unwrap();
    list_constants(true, &mut lines).unwrap();
    let (table, lines) = (String::from_utf8(table).unwrap(), String::from_utf8(lines).unwrap());
    assert_eq!(table.lines().count(), 1 + Params::list().len());
    let band = table.lines().find(|line| line.contains(" band ")).unwrap();
    assert!(["count", "0.15", "0..10", "body heights", "dead band"].iter().all(|part| band.contains(part)));
    for (line, (room, constant)) in lines.lines().zip(Params::list()) {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&record["room"], &record["name"]), (&room.into(), &constant.name.into()));
        assert!(record["default"].is_number(), "{line}");
    }
}
