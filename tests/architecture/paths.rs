//! What a file names, read out of its code.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// All of them.
    pub found: BTreeSet<String>,
    /// Those that the code itself goes by, rather than pass them on to others (`pub use`).
    pub used: BTreeSet<String>,
    /// What each name that came by a `use` means, and whether that is passed on.
    pub names: BTreeMap<String, (String, bool)>,
    /// Every word of the code beside its `use`s.
    pub words: BTreeSet<String>,
    /// Every method that is called.
    pub methods: BTreeSet<String>,
}

impl Paths {
    pub fn of(file: &Path) -> BTreeSet<String> {
        Self::read(file).found
    }

    pub fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut paths = Self::in_module(module_of(file));
        paths.visit_file(&tree);
        paths
    }

    pub fn of_code(module: &str, code: &str) -> Self {
        Self::of_file(module, &syn::parse_file(code).unwrap())
    }

    pub fn of_file(module: &str, file: &syn::File) -> Self {
        let mut paths = Self::in_module(module.split("::").map(String::from).collect());
        paths.visit_file(file);
        paths
    }

    fn in_module(module: Vec<String>) -> Self {
        Self {
            module,
            found: BTreeSet::new(),
            used: BTreeSet::new(),
            names: BTreeMap::new(),
            words: BTreeSet::new(),
            methods: BTreeSet::new(),
        }
    }

    /// Every path, with the name that it begins with spelled out where that came by a `use`.
    pub fn full(&self) -> impl Iterator<Item = String> {
        self.found.iter().map(|path| {
            let (first, rest) = path.split_once("::").unwrap_or((path, ""));
            match self.names.get(first) {
                Some((meant, _)) if !rest.is_empty() => format!("{meant}::{rest}"),
                _ => path.clone(),
            }
        })
    }

    fn absolute(&self, segments: &[String]) -> String {
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
        module.join("::")
    }

    fn add(&mut self, segments: &[String]) {
        let path = self.absolute(segments);
        self.found.insert(path.clone());
        self.used.insert(path);
    }

    fn add_name(&mut self, segments: &[String], name: Option<&syn::Ident>, is_passed_on: bool) {
        let path = self.absolute(segments);
        self.found.insert(path.clone());
        if !is_passed_on {
            self.used.insert(path.clone());
        }
        if let Some(name) = name.map(ToString::to_string).or_else(|| segments.last().cloned()) {
            self.names.insert(name, (path, is_passed_on));
        }
    }

    fn add_use(&mut self, before: &[String], tree: &syn::UseTree, is_passed_on: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_use(&with(&path.ident), &path.tree, is_passed_on),
            syn::UseTree::Name(name) if name.ident == "self" => self.add_name(before, None, is_passed_on),
            syn::UseTree::Name(name) => self.add_name(&with(&name.ident), Some(&name.ident), is_passed_on),
            syn::UseTree::Rename(rename) => {
                self.add_name(&with(&rename.ident), Some(&rename.rename), is_passed_on);
            }
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_use(before, tree, is_passed_on));
            }
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
                    self.words.insert(name.to_string());
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
        if let syn::Item::Mod(module) = item {
            // That there is a module is no use of what it defines.
            self.module.push(module.ident.to_string());
            module.content.iter().flat_map(|(_, items)| items).for_each(|item| self.visit_item(item));
            self.module.pop();
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_use(&[], &item.tree, !matches!(item.vis, syn::Visibility::Inherited));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.methods.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_ident(&mut self, word: &'ast proc_macro2::Ident) {
        self.words.insert(word.to_string());
    }

    /// Who may see something is no use of it.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

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
    Paths::of_code("crate::count::rule", code).found
}
