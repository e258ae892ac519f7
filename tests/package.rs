//! What `cargo publish` would send: everything that a build needs, nothing that serves a checkout alone, and not more than the
//! registry takes. And the names that stand for FFmpeg where the documentation is built without it.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

/// The registry takes 10 MiB. Models are most of it and hardly compress: a release finds out before the upload does.
const LARGEST: u64 = 9 << 20;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo_package(more: &[&str]) -> String {
    let run = Command::new(env!("CARGO"))
        .args(["package", "--allow-dirty", "--offline", "--locked"])
        .args(more)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

fn packaged() -> BTreeSet<String> {
    cargo_package(&["--list"]).lines().map(|line| line.replace('\\', "/")).collect()
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

/// Without `..`, from the folder of the project.
fn name_of(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for component in path.strip_prefix(root()).unwrap().components() {
        match component {
            Component::ParentDir => _ = parts.pop(),
            part => parts.push(part.as_os_str().to_str().unwrap()),
        }
    }
    parts.join("/")
}

/// Files that the code of `path` has compiled into the program.
fn embedded(path: &Path) -> Vec<String> {
    let code = fs::read_to_string(path).unwrap();
    let quoted = ["include_bytes!(\"", "include_str!(\""].map(|macro_call| {
        let calls = code.split(macro_call).skip(1);
        calls.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    });
    quoted.concat().iter().map(|file| name_of(&path.parent().unwrap().join(file))).collect()
}

#[test]
fn the_package_holds_all_that_a_build_reads() {
    let packaged = packaged();
    let sources = files_under(&root().join("src"));
    let code = sources.iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let embedded: Vec<String> = code.flat_map(|path| embedded(path)).collect();
    assert!(embedded.contains(&"models/person.onnx".to_owned()), "{embedded:?}");
    let named = ["Cargo.toml", "Cargo.lock", "build.rs", "LICENSE", "README.md"].map(str::to_owned);
    let needed = sources.iter().map(|path| name_of(path)).chain(embedded).chain(named);
    let missing: BTreeSet<String> = needed.filter(|name| !packaged.contains(name)).collect();
    assert!(missing.is_empty(), "`include` in Cargo.toml leaves out: {missing:?}");
}

#[test]
fn the_package_holds_nothing_that_serves_a_checkout_alone() {
    let rooms = ["src/", "docs/", "models/", "examples/", "benches/"];
    let unwanted = |name: &&String| {
        let kind = Path::new(name).extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        (name.contains('/') && !rooms.iter().any(|room| name.starts_with(room)))
            || ["docs/notes/", "models/train/"].iter().any(|folder| name.starts_with(folder))
            || ["snap", "png", "cast", "new", "sh", "py"].contains(&kind)
            || (kind == "onnx" && !name.starts_with("models/person"))
    };
    let packaged = packaged();
    let unwanted: Vec<&String> = packaged.iter().filter(unwanted).collect();
    assert!(unwanted.is_empty(), "`include` in Cargo.toml takes in: {unwanted:?}");
}

#[test]
fn the_package_is_within_what_the_registry_takes() {
    let folder = tempfile::tempdir().unwrap();
    cargo_package(&["--no-verify", "--target-dir", folder.path().to_str().unwrap()]);
    let file = folder.path().join(concat!("package/pcount-tui-", env!("CARGO_PKG_VERSION"), ".crate"));
    let size = file.metadata().unwrap().len();
    assert!(size < LARGEST, "{size} bytes, of at most {LARGEST}");
}

/// Names that a file shows other rooms.
fn shown(file: &str) -> BTreeSet<String> {
    fn leaves(tree: &syn::UseTree, names: &mut BTreeSet<String>) {
        match tree {
            syn::UseTree::Path(path) => leaves(&path.tree, names),
            syn::UseTree::Name(name) => _ = names.insert(name.ident.to_string()),
            syn::UseTree::Rename(name) => _ = names.insert(name.rename.to_string()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
            syn::UseTree::Glob(_) => panic!("a glob hides what it shows"),
        }
    }
    let is_shown = |visibility: &syn::Visibility| !matches!(visibility, syn::Visibility::Inherited);
    let mut names = BTreeSet::new();
    for item in syn::parse_file(&fs::read_to_string(root().join(file)).unwrap()).unwrap().items {
        match &item {
            syn::Item::Use(item) if is_shown(&item.vis) => leaves(&item.tree, &mut names),
            syn::Item::Const(item) if is_shown(&item.vis) => _ = names.insert(item.ident.to_string()),
            syn::Item::Fn(item) if is_shown(&item.vis) => _ = names.insert(item.sig.ident.to_string()),
            syn::Item::Struct(item) if is_shown(&item.vis) => _ = names.insert(item.ident.to_string()),
            syn::Item::Enum(item) if is_shown(&item.vis) => _ = names.insert(item.ident.to_string()),
            _ => {}
        }
    }
    names
}

#[test]
fn the_documentation_finds_every_name_of_ffmpeg_where_ffmpeg_is_missing() {
    let names = shown("src/native/ffmpeg.rs");
    assert!(names.len() > 10, "{names:?}");
    assert_eq!(
        shown("src/native/ffmpeg_names.rs"),
        names,
        "src/native/ffmpeg_names.rs lacks a name, or has one too many"
    );
}
