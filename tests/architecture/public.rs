//! What a user of the library would have to build against: none of it is another library's business.

use std::{collections::BTreeSet, fs, path::Path};

use syn::visit::Visit as _;

use super::paths::{Paths, files_of, is_in};

/// Libraries whose types must not be seen from outside.
const HIDDEN: &[&str] = &["opencv", "clap", "rayon"];

/// The rooms that `src/lib.rs` shows, unless it hides them from the documentation.
fn public_rooms() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let items = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap().items;
    let rooms = items.iter().filter_map(|item| match item {
        syn::Item::Mod(room) if is_public(&room.vis) && room.content.is_none() => {
            Some(room.ident.to_string())
        }
        _ => None,
    });
    rooms.collect()
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

/// Names that a file shows: what it defines, and what it passes on. With the public modules in it.
fn shown(items: &[syn::Item]) -> (BTreeSet<String>, BTreeSet<String>) {
    fn add_use(tree: &syn::UseTree, names: &mut BTreeSet<String>) {
        match tree {
            syn::UseTree::Path(path) => add_use(&path.tree, names),
            syn::UseTree::Name(name) => drop(names.insert(name.ident.to_string())),
            syn::UseTree::Rename(rename) => drop(names.insert(rename.ident.to_string())),
            syn::UseTree::Glob(_) => drop(names.insert("*".into())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| add_use(tree, names)),
        }
    }
    let (mut names, mut modules) = (BTreeSet::new(), BTreeSet::new());
    for item in items {
        let (visibility, name) = match item {
            syn::Item::Const(item) => (&item.vis, &item.ident),
            syn::Item::Enum(item) => (&item.vis, &item.ident),
            syn::Item::Fn(item) => (&item.vis, &item.sig.ident),
            syn::Item::Struct(item) => (&item.vis, &item.ident),
            syn::Item::Trait(item) => (&item.vis, &item.ident),
            syn::Item::Type(item) => (&item.vis, &item.ident),
            syn::Item::Mod(item) if is_public(&item.vis) => {
                modules.insert(item.ident.to_string());
                continue;
            }
            syn::Item::Use(item) if is_public(&item.vis) => {
                add_use(&item.tree, &mut names);
                continue;
            }
            _ => continue,
        };
        if is_public(visibility) {
            names.insert(name.to_string());
        }
    }
    (names, modules)
}

/// What can be seen from outside of `items`, as code without bodies and private fields, where `is_shown` says of a name that
/// it is.
fn seen(items: &[syn::Item], is_shown: &dyn Fn(&str) -> bool) -> Vec<syn::Item> {
    let none: syn::Block = syn::parse_quote!({});
    let is_named = |name: &syn::Ident| is_shown(&name.to_string());
    let mut found = Vec::new();
    for item in items {
        let mut item = item.clone();
        let is_seen = match &mut item {
            syn::Item::Use(_) => true,
            syn::Item::Const(item) => is_public(&item.vis) && is_named(&item.ident),
            syn::Item::Type(item) => is_public(&item.vis) && is_named(&item.ident),
            syn::Item::Enum(item) => is_named(&item.ident),
            syn::Item::Fn(item) => {
                *item.block = none.clone();
                is_public(&item.vis) && is_named(&item.sig.ident)
            }
            syn::Item::Struct(item) => {
                let private = |field: &syn::Field| !is_public(&field.vis);
                for field in item.fields.iter_mut().filter(|field| private(field)) {
                    field.ty = syn::parse_quote!(());
                }
                is_named(&item.ident)
            }
            syn::Item::Trait(item) => {
                for part in &mut item.items {
                    if let syn::TraitItem::Fn(function) = part {
                        function.default = function.default.as_ref().map(|_| none.clone());
                    }
                }
                is_public(&item.vis) && is_named(&item.ident)
            }
            syn::Item::Impl(item) => {
                let is_trait = item.trait_.is_some();
                item.items.retain(|part| match part {
                    syn::ImplItem::Fn(function) => is_trait || is_public(&function.vis),
                    syn::ImplItem::Const(constant) => is_trait || is_public(&constant.vis),
                    _ => true,
                });
                for part in &mut item.items {
                    if let syn::ImplItem::Fn(function) = part {
                        function.block = none.clone();
                    }
                }
                matches!(&*item.self_ty, syn::Type::Path(own)
                    if own.path.segments.last().is_some_and(|last| is_named(&last.ident)))
            }
            _ => false,
        };
        if is_seen {
            found.push(item);
        }
    }
    found
}

/// Hidden libraries that the public side of `code` names. A `use` alone shows nothing, unless it passes something on.
fn hidden_in(module: &str, code: &syn::File, is_shown: &dyn Fn(&str) -> bool) -> Vec<String> {
    let file = syn::File { shebang: None, attrs: Vec::new(), items: seen(&code.items, is_shown) };
    let paths = Paths::of_file(module, &file);
    let mut words = Words::default();
    file.items
        .iter()
        .filter(|item| !matches!(item, syn::Item::Use(_)))
        .for_each(|item| words.visit_item(item));
    let hidden = |path: &str| HIDDEN.iter().any(|library| is_in(path, library));
    let by_name = paths
        .names
        .iter()
        .filter(|(name, (path, is_passed_on))| hidden(path) && (*is_passed_on || words.0.contains(*name)));
    let by_name = by_name.map(|(_, (path, _))| path.clone());
    let by_path = HIDDEN.iter().filter(|library| words.0.contains(**library)).map(ToString::to_string);
    by_name.chain(by_path).collect()
}

/// Every word of some code.
#[derive(Default)]
struct Words(BTreeSet<String>);

impl<'ast> syn::visit::Visit<'ast> for Words {
    fn visit_ident(&mut self, word: &'ast proc_macro2::Ident) {
        self.0.insert(word.to_string());
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        // What is derived is seen from outside too.
        let text = list.tokens.to_string();
        self.0.extend(text.split(|c: char| !c.is_alphanumeric() && c != '_').map(String::from));
    }
}

#[test]
fn no_other_library_is_part_of_the_public_interface() {
    let rooms = public_rooms();
    assert!(rooms.len() > 4, "{rooms:?}");
    let mut broken = Vec::new();
    for room in rooms {
        let read = |path: &Path| syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut names, modules) = shown(&read(&src.join(format!("{room}.rs"))).items);
        for module in modules {
            names.extend(shown(&read(&src.join(format!("{room}/{module}.rs"))).items).0);
        }
        for file in files_of(&room) {
            let module = super::paths::module_of(&file).join("::");
            let found = hidden_in(&module, &read(&file), &|name| names.contains(name));
            broken.extend(found.iter().map(|path| format!("{} shows '{path}'", file.display())));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The test of the test above.
#[test]
fn what_is_seen_from_outside_is_told_from_what_is_not() {
    let hidden = |code: &str| !hidden_in("crate::a", &syn::parse_file(code).unwrap(), &|_| true).is_empty();
    for code in [
        "pub fn f(mat: &opencv::core::Mat) {}",
        "use opencv::core::Mat; pub fn f() -> Mat { todo!() }",
        "use opencv::core::{self, Mat as Picture}; pub struct A { pub picture: Picture }",
        "pub enum Error { Pool(rayon::ThreadPoolBuildError) }",
        "#[derive(Debug, clap::ValueEnum)] pub enum A { B }",
        "use clap::ValueEnum; #[derive(ValueEnum)] pub enum A { B }",
        "impl From<opencv::Error> for A { fn from(_: opencv::Error) -> Self { A } }",
        "pub trait T { fn f(&self, _: &opencv::core::Mat); }",
        "impl A { pub fn f(&self) -> opencv::core::Mat { todo!() } }",
        "pub use opencv::core::Mat;",
        "pub type A = rayon::ThreadPool;",
    ] {
        assert!(hidden(code), "{code}");
    }
    for code in [
        "use opencv::core::Mat; fn f() -> Mat { todo!() }",
        "pub fn f() { let _ = opencv::core::set_num_threads(1); }",
        "pub struct A { pool: rayon::ThreadPool }",
        "use rayon::ThreadPool; impl A { fn f(&self) -> &ThreadPool { &self.0 } }",
        "pub trait T { fn f(&self) { rayon::join(|| (), || ()); } }",
    ] {
        assert!(!hidden(code), "{code}");
    }
}
