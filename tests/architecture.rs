//! Who may know whom: the engine knows no terminal, the terminal no OpenCV, and what only computes knows
//! neither pictures nor threads.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use syn::visit::{self, Visit};

/// What only computes: boxes, times and numbers in and out.
const PURE: &[&str] = &["ratatui::", "crossterm::", "opencv::", "crate::source", "std::thread", "rayon::"];

/// Room (file or folder under `src`, without `.rs`), and words that its code must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("bench", &["ratatui::", "crossterm::", "crate::tui"]),
    (
        "cadence",
        &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::eval", "std::thread", "std::fs"],
    ),
    ("cadence/input_size", PURE),
    ("cadence/motion", PURE),
    ("cadence/params", PURE),
    ("cadence/rate", PURE),
    ("cadence/region", PURE),
    ("cadence/steady", PURE),
    ("clock", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    ("config", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine", "std::thread"]),
    (
        "config",
        &["crate::count", "crate::detect", "crate::ledger", "crate::source", "crate::store", "crate::track"],
    ),
    ("constants", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread", "std::fs"]),
    ("count", PURE),
    ("count", &["crate::cadence", "crate::tui", "crate::engine", "std::fs"]),
    ("detect", &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::count", "crate::track"]),
    ("detect", &["crate::cadence"]),
    (
        "engine",
        &["ratatui::", "crossterm::", "crate::tui", "crate::headless", "crate::outputs", "crate::ledger"],
    ),
    ("files", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread"]),
    ("geometry", &["ratatui::", "crossterm::", "opencv::", "crate::"]),
    ("headless", &["ratatui::", "crossterm::", "opencv::", "crate::tui"]),
    ("ledger", &["ratatui::", "crossterm::", "opencv::", "crate::tui"]),
    ("ledger", &["crate::outputs", "crate::engine", "crate::headless"]),
    ("logging", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    ("metrics", &["ratatui::", "crossterm::", "opencv::", "crate::"]),
    ("model", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread", "std::fs"]),
    ("native", &["ratatui::", "crossterm::", "crate::"]),
    ("outputs", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::headless"]),
    ("progress", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine", "std::thread"]),
    ("source", &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::track", "crate::ledger"]),
    ("source", &["crate::cadence", "crate::count", "crate::store"]),
    ("store", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    ("store", &["crate::outputs", "crate::ledger", "crate::headless"]),
    ("store", &["crate::config", "crate::count", "crate::source", "crate::track"]),
    ("track", PURE),
    ("track", &["crate::cadence", "crate::count", "crate::tui", "crate::engine", "std::fs"]),
    ("trust", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread"]),
    ("tui", &["opencv::", "crate::ledger::Ledger", "crate::detect::load"]),
];

/// What a room may name all the same: the vocabulary is words about points and boxes too.
const ALLOWED: &[(&str, &str)] = &[("model", "crate::geometry")];

fn rust_files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            rust_files(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_owned());
    }
}

/// Every path that the code of a file names, from its crate on: `use` trees taken apart, `self` and `super` resolved,
/// `a::b` wherever it stands, macros included. Code that is only built for tests is left out.
struct Paths {
    module: Vec<String>,
    found: BTreeSet<String>,
}

impl Paths {
    fn of(file: &Path) -> BTreeSet<String> {
        let text = fs::read_to_string(file).unwrap();
        let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut paths = Self { module: module_of(file), found: BTreeSet::new() };
        paths.visit_file(&tree);
        paths.found
    }

    fn add(&mut self, segments: &[String]) {
        let mut module = self.module.clone();
        let mut rest = segments;
        loop {
            match rest.first().map(String::as_str) {
                Some("crate") => module = vec!["crate".into()],
                Some("self") => {}
                Some("super") => drop(module.pop()),
                _ if rest.len() < segments.len() => break,
                _ => {
                    module.clear();
                    break;
                }
            }
            rest = &rest[1..];
        }
        module.extend_from_slice(rest);
        self.found.insert(module.join("::"));
    }

    fn add_use(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_use(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.add(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_use(before, tree)),
        }
    }

    /// The tokens of a macro are no syntax tree: `a::b::c` is looked for in them.
    fn add_tokens(&mut self, tokens: proc_macro2::TokenStream) {
        use proc_macro2::TokenTree;
        let mut segments: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.add_found(&mut segments);
                    }
                    segments.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.add_found(&mut segments);
                    self.add_tokens(group.stream());
                    colons = 0;
                }
                _ => {
                    self.add_found(&mut segments);
                    colons = 0;
                }
            }
        }
        self.add_found(&mut segments);
    }

    fn add_found(&mut self, segments: &mut Vec<String>) {
        let segments = std::mem::take(segments);
        if segments.len() > 1 {
            self.add(&segments);
        }
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Const(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if is_for_tests(attributes) {
            return;
        }
        if let syn::Item::Mod(module) = item
            && module.content.is_some()
        {
            self.module.push(module.ident.to_string());
            visit::visit_item(self, item);
            self.module.pop();
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_use(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.add(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        self.add_tokens(invoked.tokens.clone());
        visit::visit_macro(self, invoked);
    }
}

/// `src/tui/app/keys.rs` is `crate::tui::app::keys`.
fn module_of(file: &Path) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let parts = file.strip_prefix(&src).unwrap_or(file).with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    let mut module: Vec<String> = std::iter::once("crate".to_owned()).chain(parts).collect();
    module.retain(|part| part != "lib");
    module
}

/// Whether `path` is `room` or in it; a room is given with or without `::` at its end.
fn is_in(path: &str, room: &str) -> bool {
    let room = room.trim_end_matches("::");
    path.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn files_of(room: &str) -> Vec<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for path in [src.join(format!("{room}.rs")), src.join(room)] {
        if path.exists() {
            rust_files(&path, &mut files);
        }
    }
    files.retain(|file| !file.ends_with("tests.rs") && !file.iter().any(|part| part == "tests"));
    files
}

#[test]
fn no_room_knows_what_it_must_not() {
    let mut broken = Vec::new();
    for (room, words) in FORBIDDEN {
        let files = files_of(room);
        assert!(!files.is_empty(), "there is no room '{room}'; has it been renamed?");
        for file in files {
            let own = format!("crate::{room}");
            for path in Paths::of(&file).iter().filter(|path| !is_in(path, &own)) {
                if ALLOWED.iter().any(|(allowed, word)| allowed == room && is_in(path, word)) {
                    continue;
                }
                let forbidden = words.iter().filter(|word| is_in(path, word));
                broken.extend(forbidden.map(|word| format!("{} names '{path}' of '{word}'", file.display())));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The rooms, each with those that it names. What only puts the program together is none.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let name = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_string_lossy().into_owned();
    let mut rooms: BTreeSet<String> = fs::read_dir(src).unwrap().map(|entry| name(entry.unwrap())).collect();
    rooms.retain(|room| !["lib", "main"].contains(&&**room));
    let named = |room: &String| {
        let paths: BTreeSet<String> = files_of(room).iter().flat_map(|file| Paths::of(file)).collect();
        let is_named = |other: &&String| paths.iter().any(|path| is_in(path, &format!("crate::{other}")));
        rooms.iter().filter(|other| *other != room).filter(is_named).cloned().collect()
    };
    rooms.iter().map(|room| (room.clone(), named(room))).collect()
}

/// The floor that each room stands on: above all that it names; 0 is the ground.
fn floors(arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, usize> {
    let mut floors: BTreeMap<String, usize> = BTreeMap::new();
    while floors.len() < arrows.len() {
        let ready =
            arrows.iter().filter(|(room, _)| !floors.contains_key(*room)).find_map(|(room, others)| {
                let below: Option<Vec<usize>> =
                    others.iter().map(|other| floors.get(other).copied()).collect();
                Some((room.clone(), below?.into_iter().max().map_or(0, |floor| floor + 1)))
            });
        let (room, floor) = ready.unwrap_or_else(|| {
            let is_left = |room: &&String| !floors.contains_key(*room);
            let left = arrows.iter().filter(|(room, _)| is_left(room)).map(|(room, others)| {
                let others: Vec<_> = others.iter().filter(is_left).map(String::as_str).collect();
                format!("{room} names {}", others.join(", "))
            });
            panic!("there is a circle: {}", left.collect::<Vec<_>>().join("; "))
        });
        floors.insert(room, floor);
    }
    floors
}

/// The arrows that no longer way says as well.
fn direct(arrows: &BTreeMap<String, BTreeSet<String>>, room: &str) -> Vec<String> {
    let reaches = |from: &String, to: &String| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(room) = left.pop() {
            if seen.insert(room) {
                left.extend(&arrows[room]);
            }
        }
        seen.contains(to)
    };
    let others = &arrows[room];
    let is_direct = |to: &&String| others.iter().all(|by| by == *to || !reaches(by, to));
    others.iter().filter(is_direct).cloned().collect()
}

/// `docs/architecture.md`.
fn page() -> String {
    let arrows = arrows();
    let floors = floors(&arrows);
    let mut page = String::from(
        "# Rooms\n\nWhat is under `src/`, and who names whom: each room stands above all that it uses, so there is no circle. \
         This page is written by\n`PCOUNT_ACCEPT=1 cargo test --test architecture` out of what the code names; a test fails \
         when it is not up to date. What the rooms are for is\nsaid in `src/lib.rs`.\n\n## The picture\n\
         Arrows that a longer way says as well are left out.\n\n```mermaid\nflowchart TD\n",
    );
    for room in arrows.keys() {
        for other in direct(&arrows, room) {
            writeln!(page, "  {room} --> {other}").unwrap();
        }
    }
    page.push_str("```\n\n## Floors, from the roof down\n| floor | room | names |\n| --- | --- | --- |\n");
    for floor in (0..=floors.values().copied().max().unwrap_or(0)).rev() {
        for (room, _) in floors.iter().filter(|(_, of_room)| **of_room == floor) {
            let others: Vec<_> = arrows[room].iter().map(|other| format!("`{other}`")).collect();
            writeln!(page, "| {floor} | `{room}` | {} |", others.join(", ")).unwrap();
        }
    }
    page
}

#[test]
fn no_arrow_between_rooms_leads_upwards_and_the_page_shows_them_all() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = page();
    if std::env::var_os("PCOUNT_ACCEPT").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(kept == page, "docs/architecture.md shows other rooms; PCOUNT_ACCEPT=1 writes it anew:\n{page}");
}

#[test]
#[should_panic(expected = "there is a circle: a names b; b names a")]
fn a_circle_is_found() {
    let of = |others: &[&str]| others.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let arrows = [("a", of(&["b"])), ("b", of(&["a", "c"])), ("c", of(&[]))];
    floors(&arrows.map(|(room, others)| (room.to_owned(), others)).into());
}

#[test]
fn every_room_has_its_rule() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let free = ["app", "cli", "eval", "lib", "main"];
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_string_lossy().into_owned();
        let ruled = FORBIDDEN.iter().any(|(known, _)| *known == room) || free.contains(&&*room);
        assert!(ruled, "say in this test what the room '{room}' must not know");
    }
}

#[test]
fn unsafe_code_stays_in_its_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    for file in files.iter().filter(|file| !file.starts_with(src.join("native"))) {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("unsafe_code"), "{} allows unsafe code", file.display());
    }
}

/// What cannot be handed to another process: names of types that mean nothing there, and text that is built in.
#[derive(Default)]
struct Bound {
    found: BTreeSet<String>,
    in_field: bool,
}

impl Bound {
    fn of(code: &str) -> BTreeSet<String> {
        let mut bound = Self::default();
        bound.visit_file(&syn::parse_file(code).unwrap());
        bound.found
    }
}

impl<'ast> Visit<'ast> for Bound {
    fn visit_ident(&mut self, name: &'ast proc_macro2::Ident) {
        if name == "Instant" || name == "thread" {
            self.found.insert(name.to_string());
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.in_field = true;
        visit::visit_field(self, field);
        self.in_field = false;
    }

    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        if self.in_field {
            self.found.insert("a reference in a field".into());
        }
        visit::visit_type_reference(self, reference);
    }
}

#[test]
fn the_vocabulary_means_the_same_in_every_process() {
    for file in files_of("model") {
        // Counts of copies are for tests only.
        if file.ends_with("copies.rs") {
            continue;
        }
        let found = Bound::of(&fs::read_to_string(&file).unwrap());
        assert!(found.is_empty(), "{} holds {found:?}", file.display());
    }
    for (code, what) in [
        ("use std::time::{Duration, Instant};", "Instant"),
        ("struct A(std::time::Instant);", "Instant"),
        ("use std::thread;", "thread"),
        ("enum A { B { state: &'static str } }", "a reference in a field"),
        ("struct A { words: Option<Vec<&'static str>> }", "a reference in a field"),
    ] {
        assert!(Bound::of(code).contains(what), "{code}");
    }
    assert_eq!(Bound::of("impl A { fn word(&self) -> &'static str { \"a\" } }"), BTreeSet::new());
}

/// The test of the tests above: each of these must be seen.
#[test]
fn no_way_of_naming_a_room_is_overlooked() {
    for (code, path) in [
        ("use crate::tui::app;", "crate::tui::app"),
        ("use crate::{config, tui::{self, app as screens}};", "crate::tui::app"),
        ("use crate::{config, tui};", "crate::tui"),
        ("use crate::tui::*;", "crate::tui"),
        ("use super::super::tui::app;", "crate::tui::app"),
        ("#[cfg(test)]\nmod tests {}\nfn f() { crate::tui::run(); }", "crate::tui::run"),
        ("fn f() -> ratatui::Frame { todo!() }", "ratatui::Frame"),
        ("fn f() { println!(\"{}\", crate::tui::name()); }", "crate::tui::name"),
        ("macro_rules! m { () => { crate::tui::name() } }", "crate::tui::name"),
        ("mod inner { use super::super::super::tui::app; }", "crate::tui::app"),
        ("fn f() { super::super::tui::run() }", "crate::tui::run"),
    ] {
        assert!(seen(code).contains(path), "{code}: {:?}", seen(code));
    }
    let tests_only = "#[cfg(test)]\nmod tests { use crate::tui::app; }\n#[cfg(test)]\nuse crate::tui;";
    assert_eq!(seen(tests_only), BTreeSet::new());
}

/// The paths in `code` as it would stand in `src/count/rule.rs`.
fn seen(code: &str) -> BTreeSet<String> {
    let module = ["crate", "count", "rule"].map(String::from).to_vec();
    let mut paths = Paths { module, found: BTreeSet::new() };
    paths.visit_file(&syn::parse_file(code).unwrap());
    paths.found
}
