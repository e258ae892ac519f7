//! Keys with the names of an earlier version.

use std::cell::RefCell;

use super::{
    ConfigFile, EditError, Saved,
    members::changed,
    splice::{indent, replaced},
    text::{Syntax, tree},
};
use crate::config::json::{Member, Node, Value};

/// A key whose name of before has one or several names now.
pub type Renamed = (&'static str, &'static [&'static str]);

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The line in which it stands, from 1, before the change.
    pub line: usize,
    /// As it was written.
    pub old: &'static str,
    /// What stands there now; empty where the file had all of these already.
    pub new: Vec<&'static str>,
}

impl ConfigFile {
    /// What [`Self::rename_keys`] would do.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn keys_to_rename(&self, at: &[&str], names: &[Renamed]) -> Result<Vec<Rename>, EditError> {
        let text =
            std::fs::read_to_string(&self.path).map_err(|problem| Self::failed(&self.path, problem))?;
        Ok(self.edited(with_new_names(&text, at, names))?.1)
    }

    /// Gives the keys of the object at `at` their names of today, every other byte as it was. `None` where there is nothing to do:
    /// the file is then not touched.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written; it is then unchanged.
    pub fn rename_keys(
        &self,
        at: &[&str],
        names: &[Renamed],
    ) -> Result<Option<(Saved, Vec<Rename>)>, EditError> {
        if self.keys_to_rename(at, names)?.is_empty() {
            return Ok(None);
        }
        let done = RefCell::default();
        let original = self.change(
            |old| {
                let (text, renames) = self.edited(with_new_names(old, at, names))?;
                done.replace(renames);
                Ok(text)
            },
            |_| Ok(()),
            |_| Ok(()),
        )?;
        Ok(Some((Saved { original, login: None, is_exposed: false }, done.into_inner())))
    }
}

/// `text` with the names of today, and what became of each that was there. Where the file has one of today's names already, that
/// one stands.
fn with_new_names(text: &str, at: &[&str], names: &[Renamed]) -> Result<(String, Vec<Rename>), Syntax> {
    let mut renames = Vec::new();
    let mut text = text.to_owned();
    let first = tree(&text)?;
    loop {
        let root = tree(&text)?;
        let Some((object, members)) = object_at(&root, at) else { break };
        let Some((at_key, (old, all))) = members
            .iter()
            .enumerate()
            .find_map(|(at, member)| Some((at, names.iter().find(|(old, _)| *old == member.key)?)))
        else {
            break;
        };
        let is_there = |name: &&str| members.iter().any(|member| member.key == **name);
        let new: Vec<&str> = all.iter().copied().filter(|name| !is_there(name)).collect();
        let member = &members[at_key];
        let line = object_at(&first, at)
            .and_then(|(_, members)| members.iter().find(|member| member.key == *old))
            .map_or(member.place.line, |member| member.place.line);
        renames.push(Rename { line, old, new: new.clone() });
        text = if new.is_empty() {
            changed(&text, object, old, None)
        } else {
            let value = &text[member.node.span.clone()];
            let between = match indent(&text, member.start) {
                Some(indent) => format!(",\n{indent}"),
                None => ", ".to_owned(),
            };
            let written: Vec<String> = new.iter().map(|name| format!("\"{name}\": {value}")).collect();
            replaced(&text, member.start..member.node.span.end, &written.join(&between))
        };
    }
    Ok((text, renames))
}

/// The object that these keys lead to, and its members.
fn object_at<'a>(root: &'a Node, at: &[&str]) -> Option<(&'a Node, &'a [Member])> {
    let Value::Object(members) = &root.value else { return None };
    match at {
        [] => Some((root, members)),
        [first, rest @ ..] => object_at(&members.iter().find(|member| member.key == *first)?.node, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[Renamed] = &[("report", &["history"]), ("more", &["more-workers", "wider"])];

    fn renamed(text: &str) -> (String, Vec<Rename>) {
        with_new_names(text, &["tui", "keys"], NAMES).unwrap()
    }

    #[test]
    fn a_name_of_before_becomes_those_of_today_and_every_other_byte_stays() {
        let text = "{ // mine\n  \"tui\": {\n    \"keys\": {\n      \"more\": [\"a\"], // often\n      \"quit\": [\"x\"],\n      \
                    \"report\": [\"r\"]\n    }\n  }\n}\n";
        let (done, renames) = renamed(text);
        let wanted = "{ // mine\n  \"tui\": {\n    \"keys\": {\n      \"more-workers\": [\"a\"],\n      \"wider\": [\"a\"], // often\n      \
                      \"quit\": [\"x\"],\n      \"history\": [\"r\"]\n    }\n  }\n}\n";
        assert_eq!(done, wanted);
        let rename = |line, old, new: &[&'static str]| Rename { line, old, new: new.to_vec() };
        assert_eq!(
            renames,
            [rename(4, "more", &["more-workers", "wider"]), rename(6, "report", &["history"])]
        );
        assert_eq!(renamed(&done), (done.clone(), Vec::new()), "a second time nothing is left to do");
    }

    #[test]
    fn what_has_its_name_of_today_already_stands() {
        let (done, renames) = renamed(
            r#"{"tui": {"keys": {"history": ["h"], "report": ["r"], "wider": ["w"], "more": ["m"]}}}"#,
        );
        assert_eq!(done, r#"{"tui": {"keys": {"history": ["h"], "wider": ["w"], "more-workers": ["m"]}}}"#);
        assert_eq!(renames[0].new, Vec::<&str>::new());
        assert_eq!(renames[1].new, ["more-workers"]);
    }

    #[test]
    fn elsewhere_a_word_is_not_a_name() {
        for text in [r#"{"report": 1, "tui": {"more": 2}}"#, "{}", r#"{"tui": {"keys": []}}"#, "[]"] {
            assert_eq!(renamed(text), (text.to_owned(), Vec::new()));
        }
    }
}
