//! Settings that are saved from afar change the file and what runs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::server::{Server, camera, config, until};

const PASSWORD: &str = "s3ttingsW0rd";

fn question(source: &str, before: &Value, change: &Value) -> Value {
    let mut after = before.clone();
    after.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({ "ask": "save_settings", "source": source, "before": before, "after": after })
}

#[test]
fn settings_saved_from_afar_are_in_the_file_and_in_effect_and_who_did_it_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    let cameras = [camera("door"), json!({ "camera_id": "far", "source": "rtsp://127.0.0.1:9/x" })];
    let mut server = Server::start(dir.path(), &config(dir.path(), &cameras, true));
    let shown = |key: &str| server.get("/api/v1/sources/door").json()[key].clone();
    let file = || serde_json::from_slice::<Value>(&fs::read(dir.path().join("cams.json")).unwrap()).unwrap();
    let before = json!({ "alias": "", "location": null, "threshold": null, "zone_limits": {}, "enabled": true, "detect_fps": null });
    until("people", || (shown("total_in").as_u64()? > 0).then_some(()));
    let counted = shown("total_in").as_u64().unwrap();

    // Without a token nobody saves anything.
    let named = question("door", &before, &json!({ "alias": "Front", "location": "Hall", "threshold": 40 }));
    assert_eq!(server.over_tcp("POST", "/api/v1/ask", &[], Some(&named)).status, 401);
    assert!(file()["cameras"][0].get("alias").is_none());

    let answer = server.as_alice("POST", "/api/v1/ask", Some(&named));
    assert!(answer.status == 200 && answer.text().contains("saved to 'cams.json'"), "{}", answer.text());
    let entry = file()["cameras"][0].clone();
    assert_eq!(
        [&entry["alias"], &entry["location"], &entry["threshold"]],
        [&json!("Front"), &json!("Hall"), &json!(40)]
    );
    assert_eq!(
        [shown("alias"), shown("location"), shown("threshold")],
        [json!("Front"), json!("Hall"), json!(40)]
    );
    assert!(shown("total_in").as_u64().unwrap() >= counted && shown("reconnects") == 0, "it goes on");

    let off = question("far", &before, &json!({ "enabled": false }));
    assert_eq!(server.post("/api/v1/ask", &off).status, 200);
    assert_eq!(server.get("/api/v1/sources/far/config").json()["enabled"], json!(false));

    let login = question("far", &before, &json!({ "login": format!("admin:{PASSWORD}") }));
    let answer = server.post("/api/v1/ask", &login);
    assert!(answer.status == 200 && answer.text().contains("its login to"), "{}", answer.text());
    let path = dir.path().join(file()["cameras"][1]["credentials"]["file"].as_str().unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("admin:{PASSWORD}\n"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let refused = question("door", &before, &json!({ "login": format!("admin:{PASSWORD}") }));
    let answer = server.post("/api/v1/ask", &refused);
    assert!(answer.status == 409 && !answer.text().contains(PASSWORD), "{}", answer.text());

    let actions = until("the actions", || {
        let actions = server.get("/api/v1/actions").json();
        (actions.as_array()?.len() >= 3).then_some(actions)
    });
    let done: Vec<_> = actions
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            ["what", "source", "detail", "from"].map(|key| it[key].as_str().unwrap_or_default().to_owned())
        })
        .collect();
    assert_eq!(done[0], ["settings", "door", "alias, location, threshold", "http"]);
    assert_eq!(done[1], ["settings", "far", "enabled", "socket"]);
    assert_eq!(done[2], ["settings", "far", "credentials", "socket"]);
    assert_eq!(actions[0]["who"], json!("alice"));
    server.stop();
    for place in ["stderr", "cams.json", "out/logs/parallel_counter.log"] {
        let text = fs::read_to_string(dir.path().join(place)).unwrap();
        assert!(!text.contains(PASSWORD), "{place}: {text}");
    }
}

#[test]
fn an_older_dashboard_that_knows_of_no_ignored_regions_removes_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut door = camera("door");
    let region = json!([[[0.0, 0.0], [0.25, 0.0], [0.25, 0.5]]]);
    door["ignore"] = region.clone();
    let mut server = Server::start(dir.path(), &config(dir.path(), &[door.clone()], false));
    let saved = || {
        let file = fs::read(dir.path().join("cams.json")).unwrap();
        serde_json::from_slice::<Value>(&file).unwrap()["cameras"][0].clone()
    };
    let runs = || server.get("/api/v1/sources/door/config").json()["ignore"].clone();
    let lines = json!([{ "name": "other", "a": [0, 0.25], "b": [1, 0.25], "anchor": "foot" }]);
    let mut shapes = json!({ "lines": lines, "zones": [] });
    let draw = |shapes: &Value| {
        let order = json!({ "do": "lines", "source": "door", "shapes": shapes });
        assert_eq!(server.post("/api/v1/control", &order).status, 200);
        let question = json!({ "ask": "save_lines", "source": "door", "shapes": shapes });
        let answer = server.post("/api/v1/ask", &question);
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    draw(&shapes);
    assert_eq!((saved()["lines"][0]["name"].clone(), runs()), (json!("other"), region.clone()));
    assert_eq!(saved()["ignore"].to_string().replace(".0", ""), region.to_string().replace(".0", ""));
    // Nor those that were written into the file and do not run yet.
    let by_hand = json!([[[0.5, 0.5], [0.75, 0.5], [0.75, 1.0]]]);
    let path = dir.path().join("cams.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    file["cameras"][0]["ignore"] = by_hand.clone();
    fs::write(&path, file.to_string()).unwrap();
    draw(&shapes);
    assert_eq!(saved()["ignore"].to_string().replace(".0", ""), by_hand.to_string().replace(".0", ""));
    shapes["ignore"] = json!([]);
    draw(&shapes);
    assert_eq!((saved()["ignore"].clone(), runs()), (json!([]), json!([])));
    server.stop();
}
