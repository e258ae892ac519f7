//! No circle inside a room: which file names which, down to the one in which a name is defined.
//!
//! A file names another when its code goes by something that is defined there. A name that was passed on (`pub use`) is
//! followed to its file, so that passing on neither makes an arrow nor hides one: a parent may pass on what its
//! children define, and they may go by what it defines as long as it does not go by them. Methods are not seen: an
//! `impl` may be spread over the children of the file that defines the type.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::paths::{Paths, files_of, module_of, rust_files};

/// What each file of the program, by its module, goes by.
struct Files(BTreeMap<String, Paths>);

impl Files {
    fn of(files: &[PathBuf]) -> Self {
        Self(files.iter().map(|file| (module_of(file).join("::"), Paths::read(file))).collect())
    }

    /// The file that defines what `path` means.
    fn defining(&self, path: &str) -> Option<&str> {
        let mut path = path.to_owned();
        // Names that were passed on many times would be a circle themselves.
        for _ in 0..10 {
            let (file, paths) = self.holding(&path)?;
            let rest = path.strip_prefix(file)?.trim_start_matches("::");
            let (first, more) = rest.split_once("::").unwrap_or((rest, ""));
            match paths.names.get(first).map(|(meant, _)| self.absolute(file, meant)) {
                Some(meant) if meant != path => {
                    path = format!("{meant}::{more}").trim_end_matches(':').into();
                }
                _ => return Some(file),
            }
        }
        None
    }

    /// The file with the longest name that begins `path`.
    fn holding(&self, path: &str) -> Option<(&str, &Paths)> {
        let mut module = path;
        loop {
            if let Some((file, paths)) = self.0.get_key_value(module) {
                return Some((file, paths));
            }
            module = module.rsplit_once("::")?.0;
        }
    }

    /// `path` as `file` writes it: it may begin with a child of the file.
    fn absolute(&self, file: &str, path: &str) -> String {
        let child = format!("{file}::{}", path.split("::").next().unwrap_or_default());
        if self.0.contains_key(&child) { format!("{file}::{path}") } else { path.to_owned() }
    }

    /// The other files that `file` goes by.
    fn named_by(&self, file: &str) -> BTreeSet<&str> {
        let paths = &self.0[file];
        let passed_on_and_used = paths
            .names
            .iter()
            .filter(|(name, (_, is_passed_on))| *is_passed_on && paths.words.contains(*name))
            .map(|(_, (path, _))| path);
        let named = paths.used.iter().chain(passed_on_and_used).map(|path| self.absolute(file, path));
        named.filter_map(|path| self.defining(&path)).filter(|other| *other != file).collect()
    }

    /// Files that name each other, directly or through others, as sentences.
    fn circles(&self) -> Vec<String> {
        let arrows: BTreeMap<&str, BTreeSet<&str>> =
            self.0.keys().map(|file| (file.as_str(), self.named_by(file))).collect();
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            arrows.keys().map(|file| (*file, reached(&arrows, file))).collect();
        let in_one = |one: &str, other: &str| reached[one].contains(other) && reached[other].contains(one);
        let in_circle = arrows.keys().filter(|file| in_one(file, file));
        in_circle
            .map(|file| {
                let others: Vec<&str> =
                    arrows[file].iter().filter(|other| in_one(file, other)).copied().collect();
                format!("{file} names {}", others.join(", "))
            })
            .collect()
    }
}

/// All that is named from `file` on.
fn reached<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut left: Vec<&str> = arrows[file].iter().copied().collect();
    while let Some(file) = left.pop() {
        if found.insert(file) {
            left.extend(arrows.get(file).into_iter().flatten());
        }
    }
    found
}

/// The circles in all rooms.
fn circles() -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let rooms: BTreeSet<String> = files.iter().filter_map(|file| module_of(file).get(1).cloned()).collect();
    rooms.into_iter().flat_map(|room| Files::of(&files_of(&room)).circles()).collect()
}

#[test]
fn no_file_names_another_in_a_circle() {
    let found = circles();
    assert!(found.is_empty(), "move what both need to a file of its own:\n{}", found.join("\n"));
}

/// The test of the test above.
#[test]
fn circles_are_found_through_names_that_were_passed_on() {
    let circles = |code: &[(&str, &str)]| {
        let file = |(name, code): &(&str, &str)| ((*name).to_owned(), Paths::of_code(name, code));
        Files(code.iter().map(file).collect()).circles()
    };
    let child = ("crate::a::b", "use super::Shared;\npub struct Own(Shared);");
    let facade = ("crate::a", "mod b;\npub use b::Own;\npub struct Shared;");
    assert_eq!(circles(&[facade, child]), Vec::<String>::new(), "it only passes on");
    let both = ["crate::a names crate::a::b", "crate::a::b names crate::a"];
    for user in [
        "mod b;\npub use b::Own;\npub struct Shared;\nfn f() -> Own { todo!() }",
        "mod b;\nuse b::Own as Other;\npub struct Shared;",
        "mod b;\npub struct Shared;\nfn f() { b::Own::new() }",
        "mod b;\npub struct Shared;\nfn f() { println!(\"{}\", b::own()) }",
        "mod b;\npub(crate) use b::Own as Other;\npub struct Shared;\nstruct Of(Other);",
    ] {
        assert_eq!(circles(&[("crate::a", user), child]), both, "{user}");
    }
    let c = ("crate::a::c", "use super::{Own, b};\npub struct Third;");
    let passing = ("crate::a", "mod b;\nmod c;\npub use {b::Own, c::Third};");
    let b = ("crate::a::b", "use super::Third;\npub struct Own;");
    let siblings = ["crate::a::b names crate::a::c", "crate::a::c names crate::a::b"];
    assert_eq!(circles(&[passing, b, c]), siblings);
    let tests_only = ("crate::a::b", "pub struct Own;\n#[cfg(test)]\nmod tests { use super::super::Third; }");
    assert_eq!(circles(&[passing, tests_only, c]), Vec::<String>::new());
}
