//! What is declared of a key of the configuration file.

use schemars::{Schema, SchemaGenerator};

/// A key of one kind of object.
pub(super) struct Key<K> {
    /// As it is written.
    pub name: &'static str,
    /// What to do where it is missing and must not be.
    pub fix: Option<&'static str>,
    /// What it may hold.
    pub kind: K,
}

/// A kind of object of the file: its keys.
pub(super) trait Keys {
    /// Its name in the schema.
    const DEFINITION: &'static str;

    /// What it is.
    fn about() -> &'static str;

    /// The names of its keys.
    fn names() -> Vec<&'static str>;

    /// What a user is told of its keys.
    fn rows() -> Vec<KeyRow>;
}

/// What a user is told of one key.
pub(super) struct KeyRow {
    pub name: &'static str,
    pub meaning: &'static str,
    /// In the words of the documentation.
    pub default: Option<String>,
    pub is_required: bool,
    pub kind: &'static (dyn Described + Sync),
}

/// What the schema and the documentation say of a kind.
pub(super) trait Described {
    /// The schema of a value of this kind.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;

    /// Type and range in the words of the documentation, such as "whole number, 1 to 256".
    fn words(&self) -> String;
}
