use super::*;
use crate::config::BuiltinConfig;
use crate::config::{ModelFolders, ParallelConfig};

fn no_env(_: &str) -> Option<String> {
    None
}

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    Config::parse(text.as_bytes(), "cams.json", Path::new("/etc/pc"), &no_env)
}

fn problems(text: &str) -> Vec<String> {
    parse(text).unwrap_err().problems.iter().map(ToString::to_string).collect()
}

/// One of everything, so that the validator reads each kind of object.
const EVERYTHING: &str = r#"{ "$schema": "x", "parallel_config": { "http": { "listen": "127.0.0.1:1" },
    "areas": [{ "name": "hall", "lines": ["c/*"] }], "fleet": { "url": "nats://h" }, "mqtt": { "url": "mqtt://h" },
    "webhooks": [{ "url": "https://h/1", "secret_file": "s" }] }, "tui": {},
    "cameras": [{ "camera_id": "c", "source": "rtsps://h/1", "credentials": {"user": "u", "password": "p"},
        "retry": {}, "tls": {}, "evidence": {}, "lines": [{"a": [0, 0], "b": [1, 1]}],
        "zones": [{"points": [[0, 0], [1, 0], [1, 1]]}],
        "detector": {"format": "yolox", "model": "m"} }],
    "videos": [{ "video_id": "v", "path": "demo:lobby" }] }"#;

#[test]
fn every_key_of_the_schema_is_read() {
    let schema = super::super::schema();
    let mut whole: serde_json::Value = serde_json::from_str(EVERYTHING).unwrap();
    assert!(parse(&whole.to_string()).is_ok());
    let mut compared = 0;
    for (definition, place) in [
        ("", ""),
        ("ParallelFile", "/parallel_config"),
        ("HttpFile", "/parallel_config/http"),
        ("FleetFile", "/parallel_config/fleet"),
        ("AreaFile", "/parallel_config/areas/0"),
        ("MqttFile", "/parallel_config/mqtt"),
        ("WebhookFile", "/parallel_config/webhooks/0"),
        ("CameraFile", "/cameras/0"),
        ("CredentialsFile", "/cameras/0/credentials"),
        ("RetryFile", "/cameras/0/retry"),
        ("TlsFile", "/cameras/0/tls"),
        ("EvidenceSettingsFile", "/cameras/0/evidence"),
        ("LineFile", "/cameras/0/lines/0"),
        ("ZoneFile", "/cameras/0/zones/0"),
        ("ModelFile", "/cameras/0/detector"),
        ("VideoFile", "/videos/0"),
        ("TuiFile", "/tui"),
    ] {
        let object = if definition.is_empty() { &schema } else { &schema["$defs"][definition] };
        for key in object["properties"].as_object().unwrap().keys() {
            let before = whole.clone();
            // No key may hold that.
            whole.pointer_mut(place).unwrap()[key] = serde_json::json!([[[]]]);
            assert!(parse(&whole.to_string()).is_err(), "{place}/{key} is not read");
            whole = before;
            compared += 1;
        }
    }
    let objects = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    let declared: usize = objects.filter_map(|object| Some(object["properties"].as_object()?.len())).sum();
    assert_eq!(compared, declared, "every kind of object is in the list above");
}

#[test]
fn the_smallest_file_has_every_default() {
    let config = parse("{}").unwrap();
    let mut expected = ParallelConfig::default();
    for path in [&mut expected.result_output, &mut expected.log_dir] {
        *path = Path::new("/etc/pc").join(&path);
    }
    expected.models = ModelFolders::Usual(Some("/etc/pc/models".into()));
    assert_eq!(config.parallel, expected);
    assert!(config.sources.is_empty());
}

#[test]
fn overrides_stand_above_the_file() {
    let text = r#"{ "parallel_config": {"worker_count": 2, "max_workers": 3, "log_level": "error",
        "detector": {"format": "yolox", "model": "/m.onnx"}},
        "videos": [{"video_id": "v", "path": "/v.mp4", "detector": "motion"}] }"#;
    let config = parse(text)
        .unwrap()
        .apply(&Overrides {
            workers: Some(5),
            output: Some("here".into()),
            engine: Some(EngineChoice::OpenCv),
            ..Overrides::default()
        })
        .unwrap();
    assert_eq!((config.parallel.worker_count, config.parallel.max_workers), (5, 5));
    assert_eq!(config.parallel.log_dir, Path::new("here/logs"));
    assert_eq!(config.parallel.log_level, LogLevel::Error);
    let DetectorChoice::Model(model) = &config.parallel.detector else { panic!() };
    assert_eq!(model.engine, EngineChoice::OpenCv);
    let config = config
        .apply(&Overrides {
            detector: Some(DetectorChoice::Builtin(BuiltinConfig::default())),
            ..Overrides::default()
        })
        .unwrap();
    assert_eq!(config.parallel.detector, DetectorChoice::Builtin(BuiltinConfig::default()));
    assert_eq!(config.sources[0].detector, None);
}

#[test]
fn variables_come_from_the_environment() {
    let text = r#"{"cameras": [{"camera_id": "a", "source": "rtsp://u:${PW}@${HOST}/1"},
        {"camera_id": "b", "source": "rtsp://h/1", "credentials": {"env": "LOGIN"}}]}"#;
    let env = |name: &str| match name {
        "PW" => Some("p@ss".to_owned()),
        "HOST" => Some("cam".to_owned()),
        "LOGIN" => Some("admin:a:b".to_owned()),
        _ => None,
    };
    let parsed = Config::parse(text.as_bytes(), "c", Path::new(""), &env).unwrap();
    let urls: Vec<_> = parsed.sources.iter().map(|s| s.source.opening_url().unwrap().to_string()).collect();
    assert_eq!(urls, ["rtsp://u:p%40ss@cam/1", "rtsp://admin:a%3Ab@h/1"]);
    assert!(!parsed.holds_secret, "the file itself holds no password");
    assert_eq!(
        problems(text)[0],
        "cams.json:1:43: cameras[0].source: the environment variable 'PW' is not set; set it or replace '${PW}'"
    );
}

#[test]
fn a_password_in_the_file_is_noticed() {
    for (text, wanted) in [
        (r#"{"cameras": [{"camera_id": "a", "source": "rtsp://u:p@h/1"}]}"#, true),
        (r#"{"cameras": [{"camera_id": "a", "source": "http://h/1?pwd=geheim"}]}"#, true),
        (
            r#"{"cameras": [{"camera_id": "a", "source": "rtsp://h/1", "credentials": {"user": "u", "password": "p"}}]}"#,
            true,
        ),
        (r#"{"cameras": [{"camera_id": "a", "source": "rtsp://u@h/1"}]}"#, false),
        ("{} // \"source\": \"rtsp://u:p@h/1\"", true),
        ("{ /* \"credentials\":\n { \"user\": \"u\", \"password\": \"p\" } */ }", true),
        ("{} // \"source\": \"rtsp://u:${PW}@h/1\", see https://h/1", false),
        (r#"{"cameras": [{"camera_id": "a", "source": "rtsp://h/1"}]}"#, false),
    ] {
        let parsed = Config::parse(text.as_bytes(), "c", Path::new(""), &no_env).unwrap();
        assert_eq!(parsed.holds_secret, wanted, "{text}");
    }
}

#[test]
fn sources_named_directly_get_ids_and_kinds() {
    let names = [
        "a.mp4",
        "b/a.mp4",
        "rtsp://u:p@cam/1",
        "http://h/v.mp4",
        "http://h/mjpg",
        "0",
        "demo:lobby?seconds=9",
    ];
    let config = Config::from_sources(&names.map(str::to_owned), &Overrides::default()).unwrap();
    let got: Vec<_> = config.sources.iter().map(|source| (&*source.id, source.kind.word())).collect();
    assert_eq!(
        got,
        [
            ("a", "video"),
            ("a_2", "video"),
            ("cam", "camera"),
            ("h", "video"),
            ("h_2", "camera"),
            ("video0", "camera"),
            ("demo_lobby", "video"),
        ]
    );
    let errors = Config::from_sources(&["rstp://h/1", "demo:x"], &Overrides::default()).unwrap_err();
    assert_eq!(errors.problems.len(), 2);
    assert!(errors.to_string().starts_with("command line: 'rstp://'"), "{errors}");
}

#[test]
fn the_schema_and_the_dashboard_know_the_limits_of_the_file() {
    let schema = super::super::schema();
    let most = |kind: &str, key: &str| schema["$defs"][kind]["properties"][key]["maxLength"].as_u64();
    for (kind, key, limit) in [
        ("CameraFile", "camera_id", super::super::ID_LENGTH),
        ("VideoFile", "video_id", super::super::ID_LENGTH),
        ("CameraFile", "alias", super::super::LABEL_LENGTH),
        ("VideoFile", "location", super::super::LABEL_LENGTH),
        ("LineFile", "name", super::super::LABEL_LENGTH),
        ("ZoneFile", "name", super::super::LABEL_LENGTH),
    ] {
        assert_eq!(most(kind, key), Some(limit as u64), "{kind}.{key}");
        let entry = |length: usize| {
            let text = "a".repeat(length);
            let line = r#"{"name": "LINE", "a": [0, 0], "b": [1, 1]}"#;
            let zone = r#"{"name": "ZONE", "points": [[0, 0], [1, 0], [1, 1]]}"#;
            let entry = format!(
                r#"{{"cameras": [{{"camera_id": "CAMERA", "source": "rtsp://h/1", "alias": "ALIAS", "lines": [{line}], "zones": [{zone}]}}],
                "videos": [{{"video_id": "VIDEO", "path": "demo:lobby", "location": "PLACE"}}]}}"#
            );
            let word = match (kind, key) {
                ("LineFile", _) => "LINE",
                ("ZoneFile", _) => "ZONE",
                (_, "camera_id") => "CAMERA",
                (_, "video_id") => "VIDEO",
                (_, "alias") => "ALIAS",
                _ => "PLACE",
            };
            parse(&entry.replace(word, &text))
        };
        assert!(entry(limit).is_ok() && entry(limit + 1).is_err(), "{kind}.{key}");
    }
}

#[test]
fn a_file_in_another_encoding_is_named_as_such() {
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = Config::from_bytes(&utf16, Path::new("c.json"), &Overrides::default()).unwrap_err();
    assert_eq!(refused.to_string(), "c.json:1:1: this is UTF-16; save the file as UTF-8");
    assert!(Config::from_bytes(b"\xEF\xBB\xBF{}\r\n", Path::new("c.json"), &Overrides::default()).is_ok());
}
