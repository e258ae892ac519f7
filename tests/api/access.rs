//! Who may ask what over TCP, and what is noted of who did.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::server::{LONG, Server, TOKEN, camera, command, config, ending, until};

const WRONG: &str = "Wr0ng-0123456789-token";

fn pause() -> Value {
    json!({ "do": "pause", "source": "door" })
}

#[test]
fn without_a_token_programs_of_this_machine_may_look_and_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = config(dir.path(), &[camera("door")], true);
    settings["parallel_config"]["areas"] = json!([{ "name": "hall", "lines": ["door/*"] }]);
    let server = Server::start(dir.path(), &settings);
    let get = |headers: &[(&str, &str)]| server.over_tcp("GET", "/api/v1/snapshot", headers, None);
    assert_eq!(get(&[]).status, 200);
    for (host, status) in [
        ("127.0.0.1:9178", 200),
        ("[::1]:1", 200),
        ("localhost", 200),
        ("cams.example", 403),
        ("127.0.0.1.example", 403),
        ("", 403),
    ] {
        assert_eq!(get(&[("Host", host)]).status, status, "{host}");
    }
    for page in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let refused = get(&[page]);
        assert_eq!(refused.status, 403, "{page:?}");
        assert!(refused.error().contains("not for web pages"), "{refused:?}");
    }
    // Opened by hand.
    assert_eq!(get(&[("Sec-Fetch-Site", "none")]).status, 200);
    // The address in the request line is the one that is meant (RFC 9112, 3.2.2).
    assert_eq!(server.over_tcp("GET", "http://evil.example/healthz", &[], None).status, 403);
    assert_eq!(server.over_tcp("GET", "http://localhost:9178/healthz", &[], None).status, 200);
    for (path, body) in [
        ("/api/v1/control", Some(pause())),
        ("/api/v1/control", Some(json!({ "do": "area", "area": "hall", "inside": 12 }))),
        ("/api/v1/ask", Some(json!({ "ask": "place" }))),
        ("/api/v1/reload", None),
        ("/api/v1/stop", None),
        ("/nothing", None),
    ] {
        let refused = server.over_tcp("POST", path, &[], body.as_ref());
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.headers["www-authenticate"], "Bearer");
        assert!(refused.error().contains("Authorization: Bearer TOKEN"), "{refused:?}");
    }
    assert_eq!(server.as_alice("POST", "/api/v1/control", Some(&pause())).status, 200);
    let inside = || server.get("/api/v1/snapshot").json()["areas"][0]["inside"].as_i64();
    assert_ne!(inside(), Some(112), "nothing was corrected");
    let correct = json!({ "do": "area", "area": "hall", "inside": 112 });
    assert_eq!(server.as_alice("POST", "/api/v1/control", Some(&correct)).status, 200);
    until("the correction", || inside().filter(|inside| *inside > 90));
    // With a token it does not matter from where.
    let headers = [("Authorization", &*format!("Bearer {TOKEN}")), ("Host", "cams.example")];
    assert_eq!(server.over_tcp("GET", "/api/v1/snapshot", &headers, None).status, 200);
}

#[test]
fn a_wrong_token_is_answered_slowly_and_a_right_one_at_once_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], true));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let wrong = |text: &'static str| server.over_tcp("GET", "/healthz", &[("Authorization", text)], None);
        let guesses = [
            format!("Bearer {WRONG}"),
            format!("Bearer {}", &TOKEN[..TOKEN.len() - 1]),
            format!("Basic {TOKEN}"),
            TOKEN.to_owned(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            format!("Bearer {TOKEN} {TOKEN}"),
            "Bearer \u{fc}".to_owned(),
        ];
        let wrong: Vec<_> = guesses
            .map(|guess| scope.spawn(move || wrong(Box::leak(guess.into_boxed_str()))))
            .into_iter()
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        for _ in 0..5 {
            assert_eq!(server.as_alice("GET", "/healthz", None).status, 200);
        }
        let among_them = begun.elapsed();
        let count = wrong.len() as u32;
        for guess in wrong {
            let refused = guess.join().unwrap();
            assert_eq!((refused.status, &*refused.error()), (401, "this token is unknown"));
        }
        assert!(begun.elapsed() >= Duration::from_millis(500) * count, "{:?}", begun.elapsed());
        assert!(among_them < begun.elapsed(), "the right ones waited for the wrong ones");
    });
    // Neither is written or shown.
    let said = server.said();
    assert!(said.contains("A wrong token was sent to the API by 127.0.0.1"), "{said}");
    let shown = [
        said,
        fs::read_to_string(dir.path().join("out/status.json")).unwrap(),
        server.get("/api/v1/logs").text(),
        server.get("/api/v1/snapshot").text(),
        server.get("/api/v1/actions").text(),
        fs::read_to_string(format!("/proc/{}/cmdline", server.child.id())).unwrap(),
        fs::read_to_string(format!("/proc/{}/environ", server.child.id())).unwrap(),
        fs::read_to_string(dir.path().join("out/logs/parallel_counter.log")).unwrap(),
    ];
    for text in shown {
        assert!(!text.contains(TOKEN) && !text.contains(WRONG), "{text}");
    }
}

#[test]
fn a_file_of_tokens_that_others_can_read_is_refused_in_a_sentence_without_them() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &[camera("door")], true);
    let tokens = dir.path().join("tokens");
    for (mode, text, wanted) in [
        (0o644, format!("alice:{TOKEN}\n"), "can be read by others; run chmod 600"),
        (0o600, "alice:sh0rt\n".to_owned(), "has a token in line 1 that is too short"),
        (0o600, "# nobody\n".to_owned(), "holds no token"),
    ] {
        fs::write(&tokens, text).unwrap();
        fs::set_permissions(&tokens, fs::Permissions::from_mode(mode)).unwrap();
        let (ended, said) = ending(dir.path(), &mut command(dir.path(), &config));
        assert!(!ended.success() && said.contains(wanted), "{said}");
        assert!(!said.contains(TOKEN) && !said.contains("sh0rt"), "{said}");
    }
}

#[test]
fn an_address_that_others_can_reach_needs_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &[camera("door")], false);
    let check = |config: &Value| {
        fs::write(dir.path().join("cams.json"), config.to_string()).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
            .args(["check", "--config", "cams.json"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    for address in ["0.0.0.0:9178", "[::]:9178", "192.0.2.7:9178"] {
        config["parallel_config"]["http"]["listen"] = json!(address);
        let (is_right, said) = check(&config);
        assert!(!is_right && said.contains(&format!("other machines can reach '{address}'")), "{said}");
        assert!(said.contains("token_file"), "{said}");
    }
    config["parallel_config"]["http"]["listen"] = json!("127.0.0.1:9178");
    assert!(check(&config).0);
}

#[test]
fn where_others_can_reach_it_nothing_is_shown_without_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &[camera("door")], true);
    config["parallel_config"]["http"]["listen"] = json!("0.0.0.0:0");
    let server = Server::start(dir.path(), &config);
    for path in ["/healthz", "/readyz", "/api/v1/snapshot", "/api/v1/openapi.json", "/nothing"] {
        let refused = server.over_tcp("GET", path, &[], None);
        assert!(refused.status == 401 && refused.error().contains("a token is needed"), "{refused:?}");
        assert_ne!(server.as_alice("GET", path, None).status, 401);
    }
}

#[test]
fn who_did_what_is_noted_with_the_name_of_the_user_or_of_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], true));
    let resume = json!({ "do": "resume", "source": "door" });
    assert_eq!(server.post("/api/v1/control", &pause()).status, 200);
    assert_eq!(server.as_alice("POST", "/api/v1/control", Some(&resume)).status, 200);
    let me = Command::new("id").arg("-un").output().unwrap().stdout;
    let me = String::from_utf8(me).unwrap().trim().to_owned();
    let begun = Instant::now();
    let done = until("the actions", || {
        let actions = server.get("/api/v1/actions").json();
        (actions.as_array().unwrap().len() >= 2 || begun.elapsed() > LONG).then_some(actions)
    });
    let done: Vec<_> = done
        .as_array()
        .unwrap()
        .iter()
        .map(|it| ["who", "from", "what"].map(|key| it[key].as_str().unwrap_or_default().to_owned()))
        .collect();
    assert_eq!(done[0][..2], [me, "socket".to_owned()], "{done:?}");
    assert_eq!(done[1][..2], ["alice", "http"], "{done:?}");
    assert!(done[0][2].contains("pause") && done[1][2].contains("resume"), "{done:?}");
}
