//! What a key may hold: each kind reads a field with its messages, and describes itself for the JSON Schema.

use std::{marker::PhantomData, ops::RangeInclusive, path::PathBuf, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    key::{Described, Keys},
    section::{Field, Kind, Section},
    shapes::{DurationText, PointFile, SizeText},
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
pub(super) struct Shape<T>(PhantomData<fn() -> T>);

impl<K> Group<K> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Shape<T> {
    pub const fn new() -> Self {
        Self(PhantomData)
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
}

impl<T: Copy + TryInto<i64>> Whole<T> {
    fn bounds(&self) -> (i64, i64) {
        let (least, most) = ((*self.0.start()).try_into(), (*self.0.end()).try_into());
        (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX))
    }
}

impl<T: Copy + TryInto<i64> + TryFrom<i64>> Kind for Whole<T> {
    type Value<'a> = T;

    fn read<'a>(&self, field: &Field<'a>) -> Option<T> {
        let (least, most) = self.bounds();
        field.integer(least..=most)?.try_into().ok()
    }
}

impl Described for Number {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": self.0.start(), "maximum": self.0.end() })
    }
}

impl Kind for Number {
    type Value<'a> = f64;

    fn read<'a>(&self, field: &Field<'a>) -> Option<f64> {
        field.number(self.0.clone())
    }
}

impl Described for Truth {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

impl Kind for Truth {
    type Value<'a> = bool;

    fn read<'a>(&self, field: &Field<'a>) -> Option<bool> {
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
}

impl<T: JsonSchema + PartialEq + Copy> Kind for Words<T> {
    type Value<'a> = T;

    fn read<'a>(&self, field: &Field<'a>) -> Option<T> {
        field.choice(self.0)
    }
}

impl Described for Span {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<DurationText>()
    }
}

impl Kind for Span {
    type Value<'a> = Duration;

    fn read<'a>(&self, field: &Field<'a>) -> Option<Duration> {
        field.duration(self.0.clone())
    }
}

impl Described for Size {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<SizeText>()
    }
}

impl Kind for Size {
    type Value<'a> = u64;

    fn read<'a>(&self, field: &Field<'a>) -> Option<u64> {
        field.size(self.0.clone())
    }
}

impl Described for Label {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": self.0 })
    }
}

impl Kind for Label {
    type Value<'a> = String;

    fn read<'a>(&self, field: &Field<'a>) -> Option<String> {
        field.label(self.0)
    }
}

impl Described for Text {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl Described for PathText {
    fn schema(&self, _: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl Kind for PathText {
    type Value<'a> = PathBuf;

    fn read<'a>(&self, field: &Field<'a>) -> Option<PathBuf> {
        field.path()
    }
}

impl Described for Existing {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        PathText.schema(generator)
    }
}

impl Kind for Existing {
    type Value<'a> = PathBuf;

    /// Its absence is a warning, for it may come later.
    fn read<'a>(&self, field: &Field<'a>) -> Option<PathBuf> {
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
}

impl Kind for Point {
    type Value<'a> = [f32; 2];

    fn read<'a>(&self, field: &Field<'a>) -> Option<[f32; 2]> {
        field.point()
    }
}

impl<K: JsonSchema> Described for Group<K> {
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<K>()
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
}
