//! What a key may hold: each kind reads a field with its messages, and describes itself for the JSON Schema.

use std::{marker::PhantomData, ops::RangeInclusive, path::PathBuf, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    key::{Described, Keys},
    section::{Field, Kind, Section},
    shapes::{DurationText, PointFile, SizeText},
    text,
};

/// A whole number within a range.
pub(super) struct Whole<T>(pub RangeInclusive<T>);

/// A number within a range.
pub(super) struct Number(pub RangeInclusive<f64>);

/// `true` or `false`.
pub(super) struct Truth;

/// One of these words. Another word for the same comes behind the usual one.
pub(super) struct Words<T: 'static>(pub &'static [(&'static str, T)]);

/// A duration within a range.
pub(super) struct Span(pub RangeInclusive<Duration>);

/// A number of bytes within a range.
pub(super) struct Size(pub RangeInclusive<u64>);

/// Text that will be shown, of at most so many characters.
pub(super) struct Label(pub usize);

/// Any text.
pub(super) struct Text;

/// A path.
pub(super) struct PathText;

/// The path of a file that should be there by now.
pub(super) struct Existing;

/// A point [x, y] in 0..1 of width and height.
pub(super) struct Point;

/// An object with the keys of `K`.
pub(super) struct Group<K>(PhantomData<fn() -> K>);

/// A list of one kind.
pub(super) struct List<K> {
    /// Least length.
    pub least: usize,
    pub items: K,
}

/// What the validator reads in a way of its own; the schema is that of `T`.
pub(super) struct Shape<T> {
    schema: PhantomData<fn() -> T>,
    /// See [`Described::words`].
    words: &'static str,
}

impl<K> Group<K> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Shape<T> {
    /// `words`: see [`Described::words`].
    pub const fn new(words: &'static str) -> Self {
        Self { schema: PhantomData, words }
    }
}

impl<K> List<K> {
    pub const fn of(items: K) -> Self {
        Self { least: 0, items }
    }
}

impl<T: Copy + TryInto<i64>> Described for Whole<T> {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        let (least, most) = self.bounds();
        json_schema!({ "type": "integer", "minimum": least, "maximum": most })
    }

    fn words(&self) -> String {
        let (least, most) = self.bounds();
        format!("whole number, {least} to {most}")
    }
}

impl<T: Copy + TryInto<i64>> Whole<T> {
    fn bounds(&self) -> (i64, i64) {
        let (least, most) = ((*self.0.start()).try_into(), (*self.0.end()).try_into());
        (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX))
    }
}

impl<T: Copy + TryInto<i64> + TryFrom<i64>> Kind for Whole<T> {
    type Value<'a> = T;

    fn read(&self, field: &Field<'_>) -> Option<T> {
        let (least, most) = self.bounds();
        field.integer(least..=most)?.try_into().ok()
    }
}

impl Described for Number {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": self.0.start(), "maximum": self.0.end() })
    }

    fn words(&self) -> String {
        format!("number, {} to {}", self.0.start(), self.0.end())
    }
}

impl Kind for Number {
    type Value<'a> = f64;

    fn read(&self, field: &Field<'_>) -> Option<f64> {
        field.number(self.0.clone())
    }
}

impl Described for Truth {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }

    fn words(&self) -> String {
        "`true` or `false`".into()
    }
}

impl Kind for Truth {
    type Value<'a> = bool;

    fn read(&self, field: &Field<'_>) -> Option<bool> {
        field.boolean()
    }
}

impl<T: JsonSchema + PartialEq> Described for Words<T> {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        let usual = generator.subschema_for::<T>();
        let is_other = |at: &usize| self.0[..*at].iter().any(|(_, choice)| *choice == self.0[*at].1);
        let others: Vec<&str> = (0..self.0.len()).filter(is_other).map(|at| self.0[at].0).collect();
        if others.is_empty() { usual } else { json_schema!({ "anyOf": [usual, { "enum": others }] }) }
    }

    fn words(&self) -> String {
        let is_usual = |at: &usize| !self.0[..*at].iter().any(|(_, choice)| *choice == self.0[*at].1);
        let usual: Vec<String> =
            (0..self.0.len()).filter(is_usual).map(|at| format!("`{}`", self.0[at].0)).collect();
        match usual.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl<T: JsonSchema + PartialEq + Copy> Kind for Words<T> {
    type Value<'a> = T;

    fn read(&self, field: &Field<'_>) -> Option<T> {
        field.choice(self.0)
    }
}

impl Described for Span {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<DurationText>()
    }

    fn words(&self) -> String {
        let [least, most] = [self.0.start(), self.0.end()].map(|end| text::shown_duration(*end));
        format!("duration, `{least}` to `{most}`")
    }
}

impl Kind for Span {
    type Value<'a> = Duration;

    fn read(&self, field: &Field<'_>) -> Option<Duration> {
        field.duration(self.0.clone())
    }
}

impl Described for Size {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<SizeText>()
    }

    fn words(&self) -> String {
        let [least, most] = [self.0.start(), self.0.end()].map(|end| text::shown_size(*end));
        format!("size, `{least}` to `{most}`")
    }
}

impl Kind for Size {
    type Value<'a> = u64;

    fn read(&self, field: &Field<'_>) -> Option<u64> {
        field.size(self.0.clone())
    }
}

impl Described for Label {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": self.0 })
    }

    fn words(&self) -> String {
        format!("text, at most {} characters", self.0)
    }
}

impl Kind for Label {
    type Value<'a> = String;

    fn read(&self, field: &Field<'_>) -> Option<String> {
        field.label(self.0)
    }
}

impl Described for Text {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }

    fn words(&self) -> String {
        "text".into()
    }
}

impl Described for PathText {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }

    fn words(&self) -> String {
        "path".into()
    }
}

impl Kind for PathText {
    type Value<'a> = PathBuf;

    fn read(&self, field: &Field<'_>) -> Option<PathBuf> {
        field.path()
    }
}

impl Described for Existing {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        PathText.schema(generator)
    }

    fn words(&self) -> String {
        "path of a file".into()
    }
}

impl Kind for Existing {
    type Value<'a> = PathBuf;

    /// Its absence is a warning, for it may come later.
    fn read(&self, field: &Field<'_>) -> Option<PathBuf> {
        let path = field.path()?;
        if !path.exists() {
            field.warning(&format!("'{}' is not there; put the file there or name another", path.display()));
        }
        Some(path)
    }
}

impl Described for Point {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<PointFile>()
    }

    fn words(&self) -> String {
        "point `[x, y]`, 0 to 1 each".into()
    }
}

impl Kind for Point {
    type Value<'a> = [f32; 2];

    fn read(&self, field: &Field<'_>) -> Option<[f32; 2]> {
        field.point()
    }
}

impl<K: JsonSchema> Described for Group<K> {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<K>()
    }

    fn words(&self) -> String {
        "object".into()
    }
}

impl<K: Keys + JsonSchema> Kind for Group<K> {
    type Value<'a> = Section<'a>;

    fn read<'a>(&self, field: &Field<'a>) -> Option<Section<'a>> {
        field.section::<K>()
    }
}

impl<K: Described> Described for List<K> {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({ "type": "array", "items": self.items.schema(generator) });
        if self.least > 0 {
            schema.insert("minItems".into(), self.least.into());
        }
        schema
    }

    fn words(&self) -> String {
        let one = self.items.words();
        let (first, rest) =
            one.split_once(' ').map_or((&*one, String::new()), |(first, rest)| (first, format!(" {rest}")));
        match self.least {
            0 => format!("list of {first}s{rest}"),
            least => format!("list of {least} or more {first}s{rest}"),
        }
    }
}

impl<K: Described> Kind for List<K> {
    type Value<'a> = Vec<Field<'a>>;

    fn read<'a>(&self, field: &Field<'a>) -> Option<Vec<Field<'a>>> {
        field.items()
    }
}

impl<T: JsonSchema> Described for Shape<T> {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }

    fn words(&self) -> String {
        self.words.into()
    }
}
