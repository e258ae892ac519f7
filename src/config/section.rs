//! Reading the tree of a configuration: typed access that reports what is wrong and goes on.
//!
//! A [`Section`] hands out [`Field`]s by the declaration of their key ([`Key`]), which knows what they may hold.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    env,
    json::{Member, Node, TextPosition, Value},
    key::{Described, Key, Keys},
    limits,
    problem::Problem,
    secret::{Address, LearnedSecrets, redact_unknown},
    text,
    tree_secrets::{is_key, is_secret},
};

/// Collects problems and warnings, and knows what the text cannot say itself.
pub(super) struct Diagnostics<'a> {
    /// The file as the user named it.
    pub file: &'a str,
    /// Folder that paths are relative to.
    pub base: &'a Path,
    /// Looks up an environment variable.
    pub env: env::Lookup<'a>,
    problems: RefCell<Vec<(Option<TextPosition>, Problem)>>,
    warnings: RefCell<Vec<(Option<TextPosition>, Problem)>>,
    secret: Cell<bool>,
    /// No message shows these.
    pub known: LearnedSecrets,
}

impl<'a> Diagnostics<'a> {
    pub fn new(file: &'a str, base: &'a Path, env: env::Lookup<'a>) -> Self {
        Self {
            file,
            base,
            env,
            problems: RefCell::default(),
            warnings: RefCell::default(),
            secret: Cell::new(false),
            known: LearnedSecrets::default(),
        }
    }

    pub fn problem(&self, place: Option<TextPosition>, path: &str, message: &str) {
        let problem = Problem::new(self.file, place, path, &self.known.clean(message));
        self.problems.borrow_mut().push((place, problem));
    }

    /// A problem that may heal without a change of the configuration.
    pub fn passing_problem(&self, place: Option<TextPosition>, path: &str, message: &str) {
        let problem = Problem::new(self.file, place, path, message).that_may_heal();
        self.problems.borrow_mut().push((place, problem));
    }

    pub fn warning(&self, place: Option<TextPosition>, path: &str, message: &str) {
        let problem = Problem::new(self.file, place, path, &self.known.clean(message));
        self.warnings.borrow_mut().push((place, problem));
    }

    /// Notes that the file itself holds a password.
    pub fn holds_secret(&self) {
        self.secret.set(true);
    }

    /// Whether the file itself holds a password.
    pub fn has_secret(&self) -> bool {
        self.secret.get()
    }

    /// Problems and warnings, each in the order of the text.
    pub fn finish(self) -> (Vec<Problem>, Vec<Problem>) {
        let sorted = |list: RefCell<Vec<(Option<TextPosition>, Problem)>>| {
            let mut list = list.into_inner();
            list.sort_by_key(|(place, _)| *place);
            list.into_iter().map(|(_, problem)| problem).collect()
        };
        (sorted(self.problems), sorted(self.warnings))
    }
}

/// An object of the configuration.
pub(super) struct Section<'a> {
    report: &'a Diagnostics<'a>,
    known: Vec<&'static str>,
    path: String,
    place: TextPosition,
    members: &'a [Member],
}

impl<'a> Section<'a> {
    /// What stands at `key`; `None` when it is absent or null.
    pub fn field<K>(&self, key: &Key<K>) -> Option<Field<'a>> {
        debug_assert!(self.known.contains(&key.name), "'{}' is declared for another object", key.name);
        let member = self.members.iter().find(|member| member.key == key.name)?;
        let field = Field { report: self.report, path: join(&self.path, key.name), node: &member.node };
        (member.node.value != Value::Null).then_some(field)
    }

    /// What stands at `key`, whose absence is a problem.
    pub fn required<K>(&self, key: &Key<K>) -> Option<Field<'a>> {
        let field = self.field(key);
        if let (None, Some(fix)) = (&field, key.fix) {
            self.problem(&format!("'{}' is missing; {fix}", key.name));
        }
        field
    }

    /// The value at `key`, if there is one that is right. The absence of a required one is a problem.
    pub fn read<K: Kind>(&self, key: &Key<K>) -> Option<K::Value<'a>> {
        key.kind.read(&self.required(key)?)
    }

    /// Puts the value at `key` into `place`, if there is one that is right.
    pub fn set<K: Kind>(&self, key: &Key<K>, place: &mut K::Value<'a>) {
        if let Some(value) = self.read(key) {
            *place = value;
        }
    }

    /// Reports a problem of the section as a whole.
    pub fn problem(&self, message: &str) {
        self.report.problem(Some(self.place), &self.path, message);
    }

    /// Reports keys that are not declared, and keys that stand there twice.
    fn check_keys(&self) {
        let known = &self.known;
        let mut seen: BTreeMap<&str, TextPosition> = BTreeMap::new();
        for member in self.members {
            let near = text::nearest(&member.key, known);
            let is_known = known.contains(&member.key.as_str());
            // A key that is none may be a password in the wrong place.
            let is_shown = is_known || is_key(&member.key) && (near.is_some() || !is_secret(&self.path));
            let path = if is_shown { join(&self.path, &member.key) } else { self.path.clone() };
            let key = if is_shown { format!(" '{}'", member.key) } else { String::new() };
            if let Some(first) = seen.get(member.key.as_str()) {
                let message =
                    format!("the key{key} stands here twice, first at line {}; remove one", first.line);
                self.report.problem(Some(member.place), &path, &message);
                continue;
            }
            seen.insert(&member.key, member.place);
            if !is_known {
                let message = match near {
                    Some(near) => format!("unknown key{key}; did you mean '{near}'?"),
                    None => format!("unknown key{key}; known here are {}", known.join(", ")),
                };
                self.report.problem(Some(member.place), &path, &message);
            }
        }
    }
}

/// What the validator makes of a field of this kind.
pub(super) trait Kind: Described {
    /// What is read.
    type Value<'a>;

    /// The value; what is wrong is reported.
    fn read<'a>(&self, field: &Field<'a>) -> Option<Self::Value<'a>>;
}

/// One value of the configuration and where it stands.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub report: &'a Diagnostics<'a>,
    pub path: String,
    node: &'a Node,
}

impl<'a> Field<'a> {
    /// The document itself.
    pub fn root(report: &'a Diagnostics<'a>, node: &'a Node) -> Self {
        Self { report, path: String::new(), node }
    }

    pub fn place(&self) -> TextPosition {
        self.node.place
    }

    pub fn problem(&self, message: &str) {
        self.report.problem(Some(self.node.place), &self.path, message);
    }

    /// A problem that may heal without a change of the configuration.
    pub fn passing_problem(&self, message: &str) {
        self.report.passing_problem(Some(self.node.place), &self.path, message);
    }

    pub fn warning(&self, message: &str) {
        self.report.warning(Some(self.node.place), &self.path, message);
    }

    pub fn is_text(&self) -> bool {
        matches!(self.node.value, Value::String(_))
    }

    pub fn is_number(&self) -> bool {
        matches!(self.node.value, Value::Number(_))
    }

    pub fn is_list(&self) -> bool {
        matches!(self.node.value, Value::Array(_))
    }

    pub fn is_truth(&self) -> bool {
        matches!(self.node.value, Value::Bool(_))
    }

    pub fn is_object(&self) -> bool {
        matches!(self.node.value, Value::Object(_))
    }

    /// Says what belongs here instead of what was found.
    pub fn expected<T>(&self, wanted: &str) -> Option<T> {
        let found = match &self.node.value {
            other @ (Value::String(_) | Value::Number(_)) if is_secret(&self.path) => other.kind().to_owned(),
            Value::String(text) if text.parse::<f64>().is_ok() && wanted.contains("number") => {
                format!("the text '{text}'; remove the quotes")
            }
            Value::String(text) => format!("the text '{}'", Address(text)),
            Value::Number(text) => format!("the number '{text}'"),
            Value::Bool(value) => format!("'{value}'"),
            other => other.kind().to_owned(),
        };
        self.problem(&format!("expected {wanted}, found {found}"));
        None
    }

    /// The object here, with the keys of `K`; other keys are reported.
    pub fn section<K: Keys>(&self) -> Option<Section<'a>> {
        let Value::Object(members) = &self.node.value else { return self.expected("an object {..}") };
        let (path, place) = (self.path.clone(), self.node.place);
        let section = Section { report: self.report, known: K::names(), path, place, members };
        section.check_keys();
        Some(section)
    }

    /// The object here whose keys are names given by the user, duplicates reported.
    pub fn entries(&self) -> Option<Vec<(&'a str, Field<'a>)>> {
        let Value::Object(members) = &self.node.value else { return self.expected("an object {..}") };
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for member in members {
            let field = Field {
                report: self.report,
                path: join(&self.path, &Address(&member.key).to_string()),
                node: &member.node,
            };
            if seen.insert(&member.key) {
                entries.push((member.key.as_str(), field));
            } else {
                self.report.problem(
                    Some(member.place),
                    &field.path,
                    &format!("the key '{}' stands here twice; remove one", Address(&member.key)),
                );
            }
        }
        Some(entries)
    }

    /// The items of the list here.
    pub fn items(&self) -> Option<Vec<Field<'a>>> {
        match &self.node.value {
            Value::Array(nodes) => Some(
                nodes
                    .iter()
                    .enumerate()
                    .map(|(index, node)| Field {
                        report: self.report,
                        path: format!("{}[{index}]", self.path),
                        node,
                    })
                    .collect(),
            ),
            _ => self.expected("a list [..]"),
        }
    }

    /// The text here as written, `${..}` not replaced.
    pub fn raw_text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::String(text) => Some(text),
            _ => self.expected("text in double quotes"),
        }
    }

    /// The text here with `${NAME}` replaced.
    pub fn text(&self) -> Option<String> {
        match env::expand(self.raw_text()?, self.report.env) {
            Ok(text) => Some(text),
            Err(problem) => {
                self.problem(&problem);
                None
            }
        }
    }

    /// Text that is not blank and holds no control characters, at most `limit` characters, without the password of
    /// an address in it: it will be shown.
    pub fn label(&self, limit: usize) -> Option<String> {
        let text = self.line(limit)?;
        let safe = if text.contains("://") { Address(&text).to_string() } else { text };
        Some(redact_unknown(&safe).into_owned())
    }

    /// Text that is not blank and holds no control characters, at most `limit` characters.
    pub fn line(&self, limit: usize) -> Option<String> {
        match limits::label(&self.text()?, limit) {
            Ok(text) => Some(text),
            Err(problem) => {
                self.problem(&problem);
                None
            }
        }
    }

    /// `text`, the expanded text of this field, for a message: as it was written where variables were in it.
    pub fn quoted(&self, text: &str) -> String {
        let written = match &self.node.value {
            Value::String(raw) if raw.contains("${") => raw,
            _ => text,
        };
        Address(written).to_string()
    }

    pub fn boolean(&self) -> Option<bool> {
        match self.node.value {
            Value::Bool(value) => Some(value),
            _ => self.expected("true or false"),
        }
    }

    /// A whole number within `range`.
    pub fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let wanted = if *range.start() == i64::MIN {
            "a whole number".to_owned()
        } else {
            format!("a whole number from {} to {}", range.start(), range.end())
        };
        let Value::Number(text) = &self.node.value else { return self.expected(&wanted) };
        let number = text.parse::<i64>().ok();
        number.filter(|number| range.contains(number)).or_else(|| self.expected(&wanted))
    }

    /// A number within `range`.
    pub fn number(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        let Value::Number(text) = &self.node.value else { return self.expected(&wanted) };
        text.parse().ok().filter(|number| range.contains(number)).or_else(|| self.expected(&wanted))
    }

    /// One of the words of `choices`; the case does not matter.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        if !self.is_text() {
            return self.expected(&text::listed(&names));
        }
        let word = self.text()?;
        let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(word.trim()));
        if found.is_none() {
            let near = text::nearest(&word, &names)
                .map(|near| format!("; did you mean '{near}'?"))
                .unwrap_or_default();
            let shown = self.quoted(&word);
            self.problem(&format!("'{shown}' is not one of {}{near}", text::listed(&names)));
        }
        found.map(|(_, value)| *value)
    }

    /// A duration within `range`.
    pub fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        if !self.is_text() {
            return self.expected("a duration in double quotes, such as \"30s\"");
        }
        let text = self.text()?;
        match text::parse_duration(&text) {
            Err(problem) => {
                self.problem(&problem.replace(&text, &self.quoted(&text)));
                None
            }
            Ok(duration) if !range.contains(&duration) => {
                self.problem(&format!(
                    "'{}' is out of range; give a duration from {} to {}",
                    text::shown_duration(duration),
                    text::shown_duration(*range.start()),
                    text::shown_duration(*range.end())
                ));
                None
            }
            Ok(duration) => Some(duration),
        }
    }

    /// A number of bytes within `range`, as a number or as text with a unit.
    pub fn size(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let written = match &self.node.value {
            Value::Number(text) => text.clone(),
            Value::String(_) => self.text()?,
            _ => return self.expected("a size such as \"10MiB\""),
        };
        let size = text::parse_size(&written);
        let written = self.quoted(&written);
        match size {
            None => self.problem(&format!("'{written}' is no size; write it as 10MiB, 2GB or in bytes")),
            Some(size) if !range.contains(&size) => self.problem(&format!(
                "'{written}' is out of range; give a size from {} to {}",
                text::shown_size(*range.start()),
                text::shown_size(*range.end())
            )),
            Some(_) => return size,
        }
        None
    }

    /// A path, made absolute or relative to where the program runs.
    pub fn path(&self) -> Option<PathBuf> {
        let text = self.text()?;
        if text.is_empty() || text.contains('\0') {
            self.problem(&format!("'{}' is no path; name a file or folder", text.escape_debug()));
            return None;
        }
        Some(env::resolve(&text, self.report.base, self.report.env))
    }

    /// A point [x, y] in 0..1 of width and height.
    pub fn point(&self) -> Option<[f32; 2]> {
        let items = match &self.node.value {
            Value::Array(items) if items.len() == 2 => self.items()?,
            _ => return self.expected("a point [x, y] with x and y from 0 to 1"),
        };
        let mut numbers = items.iter().map(|item| {
            let number = item.number(0.0..=1.0)?;
            Some(number as f32)
        });
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(x), Some(y)) => Some([x, y]),
            _ => None,
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
