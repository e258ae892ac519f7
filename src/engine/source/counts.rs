//! The counts of a pipeline as they are shown.

use crate::{
    config::SourceConfig,
    count::ZoneStatus,
    engine::pipeline::Pipeline,
    model::{SourceSnapshot, SourceState, ZoneCounts},
};

/// RFC 3339 in local time, to the millisecond.
pub fn timestamp(wall: std::time::SystemTime) -> String {
    jiff::Zoned::try_from(wall)
        .map(|zoned| zoned.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string())
        .unwrap_or_default()
}

pub fn first_snapshot(config: &SourceConfig, pipeline: &Pipeline) -> SourceSnapshot {
    let mut snapshot = SourceSnapshot {
        alias: config.alias.clone(),
        location: config.location.clone(),
        kind: config.kind,
        source: config.source.to_string(),
        priority: config.priority,
        state: if config.enabled { SourceState::Queued } else { SourceState::Disabled },
        threshold: config.threshold,
        ..SourceSnapshot::new(config.id.clone())
    };
    snapshot.zones = zone_counts(config, &[]);
    show_counts(&mut snapshot, pipeline);
    snapshot
}

fn zone_counts(config: &SourceConfig, states: &[ZoneStatus]) -> Vec<ZoneCounts> {
    let state = |index: usize| states.get(index).copied().unwrap_or_default();
    config
        .zones
        .iter()
        .enumerate()
        .map(|(index, zone)| ZoneCounts {
            name: zone.name.clone(),
            occupancy: state(index).occupancy,
            mean_dwell: state(index).mean_dwell,
            threshold: zone.threshold,
        })
        .collect()
}

/// Copies the counts of the pipeline into what is shown.
pub fn show_counts(shown: &mut SourceSnapshot, pipeline: &Pipeline) {
    if shown.lines != pipeline.lines() {
        shown.lines = pipeline.lines().to_vec();
        shown.total_in = shown.lines.iter().map(|line| line.total_in).sum();
        shown.total_out = shown.lines.iter().map(|line| line.total_out).sum();
    }
    if shown.suppressed != *pipeline.suppressed() {
        shown.suppressed.clone_from(pipeline.suppressed());
    }
    shown.total_detections = pipeline.detections();
    shown.ignored = pipeline.ignored();
    if !(shown.zones.is_empty() && pipeline.source().zones.is_empty()) {
        shown.zones = zone_counts(pipeline.source(), &pipeline.zones());
    }
}
