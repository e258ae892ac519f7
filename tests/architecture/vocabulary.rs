//! What the vocabulary must not hold.

use std::{collections::BTreeSet, fs};

use syn::visit::{self, Visit};

use super::paths::files_of;

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
