//! `docs/architecture.md` is written by hand. It names every room and every thread.

use std::{collections::BTreeSet, fs, path::Path};

use super::paths::rust_files;

/// How the code names a thread: what comes before the name.
const NAMING: [&str; 2] = ["Builder::new().name(\"", ".thread_name(\""];

/// Names of the threads that `code` starts, where they are written out.
fn threads(code: &str) -> BTreeSet<String> {
    let code: String = code.split_whitespace().collect();
    let after = |naming: &str| {
        let names = code.split(naming).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
        names.collect::<Vec<_>>()
    };
    NAMING.iter().flat_map(|naming| after(naming)).collect()
}

#[test]
fn the_page_names_every_room_and_every_thread() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    let mut wanted: BTreeSet<String> =
        files.iter().flat_map(|file| threads(&fs::read_to_string(file).unwrap())).collect();
    assert!(wanted.len() > 15, "how are threads named now? {wanted:?}");
    for entry in fs::read_dir(root.join("src")).unwrap() {
        wanted.insert(entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
    }
    wanted.retain(|name| !["lib", "main"].contains(&&**name));
    let missing: Vec<_> = wanted.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/architecture.md does not name {missing:?}");
}

#[test]
fn names_of_threads_are_found_across_lines() {
    let code = "thread::Builder::new()\n    .name(\"relay\".into())\n    .spawn(x); ThreadPoolBuilder::new().name(name)";
    assert_eq!(threads(code), BTreeSet::from(["relay".to_owned()]));
}
