//! The API against its own document, by a tool that makes requests of it (schemathesis).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path, process::Command};

use crate::{
    require,
    server::{Server, TOKEN, camera, config},
};

#[test]
fn the_api_answers_as_its_document_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tool = root.join(".cache/schemathesis/lib/bin/schemathesis");
    if !tool.exists() {
        return require::skip("schemathesis", "scripts/setup --tests has not installed it");
    }
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], true));
    let most = std::env::var("PCOUNT_EXAMPLES").unwrap_or_else(|_| "5".into());
    let run = Command::new(tool)
        .arg("--config-file")
        .arg(root.join("tests/api/schemathesis.toml"))
        .arg("run")
        .arg(format!("http://127.0.0.1:{}/api/v1/openapi.json", server.port.unwrap()))
        .args(["--max-examples", &most, "--seed", "1", "--no-color"])
        .env("PCOUNT_TOKEN", TOKEN)
        .env("PYTHONPATH", root.join(".cache/schemathesis/lib"))
        // It leaves what it has learned.
        .current_dir(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    if let Ok(path) = std::env::var("PCOUNT_CONFORMANCE_REPORT") {
        fs::write(path, &said).unwrap();
    }
    assert!(run.status.success(), "{said}");
    let cases = said.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse::<u32>().ok());
    println!("{cases:?} requests");
    assert!(cases.is_some_and(|cases| cases > 300), "{said}");
    assert!(!server.said().contains("panic"), "{}", server.said());
    assert_eq!(server.get("/healthz").status, 200);
}
