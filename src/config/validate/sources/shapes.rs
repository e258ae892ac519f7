//! What is drawn in the frame of a source: lines, zones, ignored regions; and how tall people are.

use std::collections::BTreeSet;

use crate::{
    config::{
        SourceConfig,
        key::Key,
        keys::{LINE, LineKeys, SOURCE, ZONE, ZoneKeys},
        kinds::Label,
        section::{Field, Section},
    },
    geometry::Anchor,
    model::{LineConfig, Polygon, ZoneConfig},
};

/// Shortest line, in 0..1 of the picture: at 640 pixels, six.
const SHORTEST_LINE: f32 = 0.01;

/// Reads them into `config`.
pub(super) fn read(section: &Section<'_>, config: &mut SourceConfig) {
    if let Some(lines) = section.read(&SOURCE.lines).filter(|items| !items.is_empty()) {
        config.lines = named(&lines, "line", line, |line| &line.name);
    }
    if let Some(zones) = section.read(&SOURCE.zones) {
        config.zones = named(&zones, "zone", zone, |zone| &zone.name);
    }
    if let Some(field) = section.field(&SOURCE.ignore) {
        config.ignore = regions(&field).unwrap_or_default();
    }
    heights(section, config);
}

/// The ignored regions.
fn regions(field: &Field<'_>) -> Option<Vec<Polygon>> {
    let regions = field.items()?;
    let is_point = |item: &Field<'_>| item.is_list() && item.items().iter().flatten().any(Field::is_number);
    if regions.iter().any(is_point) {
        field.problem(
            "is one polygon, not a list of polygons; put brackets round it: [[[x, y], [x, y], [x, y]]]",
        );
        return None;
    }
    Some(regions.iter().filter_map(polygon).collect())
}

fn heights(section: &Section<'_>, config: &mut SourceConfig) {
    let [least, most] = [&SOURCE.min_height, &SOURCE.max_height].map(|key| section.read(key));
    if let (Some(most), Some(field)) = (most, section.field(&SOURCE.max_height))
        && most <= least.unwrap_or(0.0)
    {
        let than = least.map(|least| format!(" is not more than min_height {least} and"));
        let than = than.unwrap_or_default();
        field.problem(&format!("{most}{than} leaves nobody to be seen; raise it or remove it"));
    }
    [config.min_height, config.max_height] = [least, most].map(|share| share.map(|share| share as f32));
}

/// Reads lines or zones, giving names to those without and reporting names used twice.
fn named<T>(
    items: &[Field<'_>],
    word: &str,
    read: impl Fn(&Field<'_>, &str) -> Option<T>,
    name: impl Fn(&T) -> &str,
) -> Vec<T> {
    let mut names = BTreeSet::new();
    let mut out = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(one) = read(item, &format!("{word}_{}", index + 1)) else { continue };
        if !names.insert(name(&one).to_owned()) {
            item.problem(&format!("the name '{}' is used twice in this source; choose another", name(&one)));
        }
        out.push(one);
    }
    out
}

fn line(item: &Field<'_>, default_name: &str) -> Option<LineConfig> {
    let section = item.section::<LineKeys>()?;
    let name = name(&section, &LINE.name, default_name);
    let a = section.read(&LINE.a);
    let b = section.read(&LINE.b);
    let anchor = section.read(&LINE.anchor).unwrap_or(Anchor::Center);
    if let (Some(a), Some(b)) = (a, b)
        && (a[0] - b[0]).hypot(a[1] - b[1]) < SHORTEST_LINE
    {
        section
            .problem("a and b are nearly the same point; a line that short cannot be crossed, move one end");
    }
    Some(LineConfig { name: name?, a: a?, b: b?, anchor })
}

fn zone(item: &Field<'_>, default_name: &str) -> Option<ZoneConfig> {
    let section = item.section::<ZoneKeys>()?;
    let name = name(&section, &ZONE.name, default_name);
    let points = section.required(&ZONE.points).and_then(|field| polygon(&field));
    let anchor = section.read(&ZONE.anchor).unwrap_or(Anchor::Foot);
    let threshold = section.read(&ZONE.threshold);
    Some(ZoneConfig { name: name?, points: points?, anchor, threshold })
}

/// The corners of an area.
fn polygon(field: &Field<'_>) -> Option<Polygon> {
    let items = field.items()?;
    let read: Vec<_> = items.iter().map(Field::point).collect();
    let points = read.into_iter().collect::<Option<Polygon>>()?;
    if points.len() < 3 {
        field.problem(&format!("{} corners make no area; give at least three", points.len()));
    } else if area(&points) < SHORTEST_LINE * SHORTEST_LINE {
        field.problem("these corners enclose no area; move them apart");
    }
    Some(points)
}

/// The name of a line or zone.
fn name(section: &Section<'_>, key: &Key<Label>, default: &str) -> Option<String> {
    if section.field(key).is_none() { Some(default.to_owned()) } else { section.read(key) }
}

/// Area of a polygon (shoelace formula).
fn area(points: &[[f32; 2]]) -> f32 {
    let next = points.iter().cycle().skip(1);
    points.iter().zip(next).map(|(p, q)| p[0] * q[1] - q[0] * p[1]).sum::<f32>().abs() / 2.0
}
