//! What a file names, read out of its code.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use syn::visit::{self, Visit};

pub fn rust_files(path: &Path, found: &mut Vec<PathBuf>) {
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
pub struct Paths {
    module: Vec<String>,
    found: BTreeSet<String>,
}

impl Paths {
    pub fn of(file: &Path) -> BTreeSet<String> {
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
pub fn module_of(file: &Path) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let parts = file.strip_prefix(&src).unwrap_or(file).with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    let mut module: Vec<String> = std::iter::once("crate".to_owned()).chain(parts).collect();
    module.retain(|part| part != "lib");
    module
}

/// Whether `path` is `room` or in it; a room is given with or without `::` at its end.
pub fn is_in(path: &str, room: &str) -> bool {
    let room = room.trim_end_matches("::");
    path.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

pub fn files_of(room: &str) -> Vec<PathBuf> {
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
