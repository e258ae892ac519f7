//! Whether a source that was read is the one that was written.

use std::path::Path;

use crate::config::{LineConfig, SourceConfig, SourceSpec, ZoneConfig};

/// Coordinates are written in thousandths.
const ROUNDING: f32 = 0.000_6;

/// Whether both are the same thing to open, wherever a path is relative to.
pub(super) fn same_spec(one: &SourceSpec, other: &SourceSpec) -> bool {
    match (one, other) {
        (SourceSpec::File(one), SourceSpec::File(other))
        | (SourceSpec::Device(one), SourceSpec::Device(other)) => {
            let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            whole(one) == whole(other)
        }
        _ => one == other,
    }
}

pub(super) fn have_same_shapes(one: &SourceConfig, other: &SourceConfig) -> bool {
    same_lines(&one.lines, &other.lines) && same_zones(&one.zones, &other.zones)
}

/// Whether both are the same as they are written.
pub(super) fn same_lines(one: &[LineConfig], other: &[LineConfig]) -> bool {
    // An empty list stands for the default line.
    let default = [LineConfig::default()];
    let other = if other.is_empty() { &default[..] } else { other };
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            (&one.name, one.anchor) == (&other.name, other.anchor)
                && near(one.a, other.a)
                && near(one.b, other.b)
        })
}

pub(super) fn same_zones(one: &[ZoneConfig], other: &[ZoneConfig]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            (&one.name, one.anchor, one.threshold) == (&other.name, other.anchor, other.threshold)
                && one.points.len() == other.points.len()
                && one.points.iter().zip(&other.points).all(|(one, other)| near(*one, *other))
        })
}

fn near(one: [f32; 2], other: [f32; 2]) -> bool {
    (one[0] - other[0]).abs() <= ROUNDING && (one[1] - other[1]).abs() <= ROUNDING
}
