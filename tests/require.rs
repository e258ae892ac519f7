//! What is skipped on a machine that lacks something fails where that is required.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

#[path = "support/require.rs"]
mod require;

use std::process::Command;

use require::is_required;
use syn::visit::{self, Visit};

#[test]
fn a_list_requires_what_it_names() {
    assert_eq!(is_required("", "rtsp"), Ok(false));
    assert_eq!(is_required("ffmpeg", "rtsp"), Ok(false));
    assert_eq!(is_required("ffmpeg, rtsp", "rtsp"), Ok(true));
    assert_eq!(is_required("all", "rtsp"), Ok(true));
}

#[test]
fn what_nothing_can_require_is_refused_on_either_side() {
    assert!(
        is_required("rstp", "rtsp").unwrap_err().starts_with("'rstp' is nothing that a test can require")
    );
    assert!(is_required("rtsp", "rstp").is_err());
}

/// This program again, running [`skips`] with `list`.
fn skips_with(list: &str) -> (bool, String) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "skips", "--nocapture"])
        .env("PCOUNT_REQUIRE", list)
        .output()
        .unwrap();
    let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(said.contains("running 1 test"), "{said}");
    (run.status.success(), said)
}

#[test]
fn a_skip_is_said_and_fails_where_it_is_required() {
    let (passed, said) = skips_with("ffmpeg");
    assert!(passed && said.contains("skipped for lack of 'rtsp': it is not here"), "{said}");
    let (passed, said) = skips_with("ffmpeg,rtsp");
    assert!(!passed && said.contains("'rtsp' is required (PCOUNT_REQUIRE), but it is not here"), "{said}");
}

#[test]
#[ignore = "runs inside the test above"]
fn skips() {
    require::skip("rtsp", "it is not here");
}

/// A test that returns early must have said so through `skip`, or it passes for ever where something is missing.
#[test]
fn no_test_is_skipped_in_another_way() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        rust_files(&root.join(folder), &mut files);
    }
    let (mut tests, mut found) = (0, Vec::new());
    for file in files {
        let mut returns = Returns::default();
        returns.visit_file(&syn::parse_file(&std::fs::read_to_string(&file).unwrap()).unwrap());
        tests += returns.tests;
        found.extend(returns.found.into_iter().map(|name| format!("{}: {name}", file.display())));
    }
    assert!(tests > 500, "{tests} tests were checked");
    // It runs itself again, with another environment.
    found.retain(|test| {
        !test.ends_with(": cameras_come_back_as_often_as_their_server_and_nobody_else_notices")
    });
    assert!(found.is_empty(), "these return without tests/support/require.rs: {found:#?}");
}

#[test]
fn an_early_return_is_seen() {
    let seen = |body: &str| {
        let mut returns = Returns::default();
        returns.visit_file(&syn::parse_file(&format!("#[test] fn test() {{ {body} }}")).unwrap());
        returns.found.len()
    };
    assert_eq!(seen("if missing() { return; }"), 1);
    assert_eq!(seen("let Ok(x) = x() else { return };"), 1);
    assert_eq!(seen("match x() { Err(_) => return, Ok(_) => {} }"), 1);
    assert_eq!(seen("let Some(x) = RtspServer::start(&[]) else { return };"), 0);
    assert_eq!(seen("if missing() { return require::skip(\"rtsp\", \"it is not here\"); }"), 0);
    assert_eq!(seen("thread::spawn(|| { if over() { return; } });"), 0);
}

/// What gives nothing only after it has called `skip`.
const SKIPPING: [&str; 14] = [
    "RtspServer",
    "Mounted",
    "in_namespace",
    "library",
    "shared",
    "while_running",
    "promtool",
    "Prometheus",
    "Nats",
    "Network",
    "Configured",
    "by_the_example",
    "cluster",
    "fleet",
];

/// Tests that return without a word.
#[derive(Default)]
struct Returns {
    in_test: Option<String>,
    tests: usize,
    found: Vec<String>,
}

impl<'ast> Visit<'ast> for Returns {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let is_test = function.attrs.iter().any(|attribute| attribute.path().is_ident("test"));
        self.tests += usize::from(is_test);
        let outer = std::mem::replace(&mut self.in_test, is_test.then(|| function.sig.ident.to_string()));
        visit::visit_item_fn(self, function);
        self.in_test = outer;
    }

    // It returns from itself.
    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_local(&mut self, local: &'ast syn::Local) {
        let mut names = Names::default();
        if let Some(init) = &local.init {
            names.visit_expr(&init.expr);
        }
        if !SKIPPING.iter().any(|name| names.0.iter().any(|found| found == name)) {
            visit::visit_local(self, local);
        }
    }

    fn visit_expr_return(&mut self, expression: &'ast syn::ExprReturn) {
        if let (Some(test), None) = (&self.in_test, &expression.expr) {
            self.found.push(test.clone());
        }
    }
}

#[derive(Default)]
struct Names(Vec<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        self.0.push(segment.ident.to_string());
    }
}

fn rust_files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}
