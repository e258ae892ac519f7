//! Values that may be written in more than one way, as the JSON Schema describes them. The validator has its own way to
//! read each.
#![allow(dead_code, reason = "these types are never made: only their schema is used")]

use schemars::JsonSchema;

use super::ModelFormat;

/// Address or device number.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum CameraSource {
    /// Number of `/dev/videoN`.
    Device(u32),
    /// Anything else.
    Text(String),
}

/// A point [x, y] in 0..1 of width and height.
#[derive(JsonSchema)]
pub(super) struct PointFile(#[schemars(inner(range(min = 0, max = 1)))] pub [f32; 2]);

/// Detectors that need no file.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum DetectorName {
    /// The configured or found model, else the embedded one, else motion.
    Auto,
    /// The embedded model.
    Builtin,
    /// Background subtraction.
    Motion,
}

/// Layouts of model files, and the model that needs none.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum FormatName {
    /// The embedded model.
    Embedded(EmbeddedName),
    /// A model file.
    File(ModelFormat),
}

/// The embedded model.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum EmbeddedName {
    /// The embedded model.
    Builtin,
}

/// One key, or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum KeysFile {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// Opening hours.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum ScheduleFile {
    /// Days and times, several separated by `;`, or `always`.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// A duration such as `30s`, `1m 30s`, `2h` or `7d`.
#[derive(JsonSchema)]
#[schemars(example = "30s")]
pub(super) struct DurationText(String);

/// A number of bytes, or text with a unit, such as `10MiB`.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum SizeText {
    /// Bytes.
    Bytes(u64),
    /// With a unit: kB, MB, GB or KiB, MiB, GiB.
    Text(String),
}
