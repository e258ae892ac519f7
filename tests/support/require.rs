//! What a test needs and a machine may lack. `PCOUNT_REQUIRE=rtsp,ffmpeg` (or `all`) makes it a failure to lack it.
#![allow(dead_code, reason = "each test binary uses its part")]

/// Everything that a test may miss, and who has it.
pub const KINDS: [(&str, &str); 17] = [
    ("rtsp", "GStreamer's RTSP server for Python, with x264 (scripts/setup --tests)"),
    ("ffmpeg", "the programs ffmpeg and ffprobe (scripts/setup --tests)"),
    ("onnxruntime", "the library ONNX Runtime (scripts/setup)"),
    ("python", "Python 3 with its SQLite (scripts/setup --tests)"),
    ("schemathesis", "the tool that checks the API against its document (scripts/setup --tests)"),
    ("prometheus", "Prometheus with promtool (scripts/setup --tests)"),
    ("nats", "the NATS server with JetStream (scripts/setup --tests)"),
    ("network", "root that may make network namespaces with interfaces of their own"),
    ("mosquitto", "the broker Mosquitto with its clients (scripts/setup --tests)"),
    ("compiler", "a C compiler (scripts/setup)"),
    ("root", "the rights of root, such as to give files to others"),
    ("mount", "a mount namespace in which file systems can be mounted"),
    ("mount-as-root", "root that may mount file systems without a namespace of its own"),
    ("freeze", "a file system of its own that can be frozen (fsfreeze)"),
    ("acl", "a file system that keeps access control lists"),
    ("footage", "clips whose crossings are known, in ../shared or PCOUNT_SHARED"),
    ("published-models", "published detectors, in ../shared or PCOUNT_SHARED"),
];

/// Says that a test is skipped for lack of `kind`, or fails it where that is required. The test returns afterwards.
#[track_caller]
pub fn skip(kind: &str, why: &str) {
    let list = std::env::var("PCOUNT_REQUIRE").unwrap_or_default();
    match is_required(&list, kind) {
        Ok(true) => panic!("'{kind}' is required (PCOUNT_REQUIRE), but {why}"),
        Ok(false) => println!("skipped for lack of '{kind}': {why}"),
        Err(unknown) => panic!("{unknown}"),
    }
}

/// Whether `list`, the value of `PCOUNT_REQUIRE`, names `kind`.
///
/// # Errors
/// When one of the two is no kind: a slip of the pen must not make a test pass.
pub fn is_required(list: &str, kind: &str) -> Result<bool, String> {
    let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    for name in names.iter().filter(|name| **name != "all").chain([&kind]) {
        if !KINDS.iter().any(|(known, _)| known == name) {
            let known: Vec<_> = KINDS.iter().map(|(known, _)| *known).collect();
            return Err(format!(
                "'{name}' is nothing that a test can require; known are {}",
                known.join(", ")
            ));
        }
    }
    Ok(names.contains(&"all") || names.contains(&kind))
}
