//! The metrics by name. Names and labels are a contract with dashboards and alert rules (`docs/metrics.md`): they do not change.

use std::{fmt, time::SystemTime};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet},
    metrics::{MetricType, TypedMetric, counter::ConstCounter, gauge::ConstGauge},
};

use super::super::{LedgerState, Served};
use crate::{
    engine::{Durations, Metrics, SourceMetrics},
    metrics::{self, buckets::BOUNDS},
    model::{Direction, EngineSnapshot, Reason, SourceSnapshot, StateKind},
    protocol::WebhookStatus,
};

/// Everything that is told, as of one moment.
#[derive(Debug)]
pub struct Gathered {
    snapshot: EngineSnapshot,
    metrics: Metrics,
    ledger: Option<LedgerState>,
    webhooks: Vec<WebhookStatus>,
}

/// Labels with the values of one series.
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

impl Gathered {
    /// As of now.
    pub fn now(served: &dyn Served) -> Self {
        let engine = served.engine();
        Self {
            snapshot: engine.snapshot(),
            metrics: engine.metrics(),
            ledger: served.ledger(),
            webhooks: served.webhooks(),
        }
    }

    /// Sources that are there, with what was counted of them. A source that was removed has no series until it comes back.
    fn sources(&self) -> impl Iterator<Item = (&str, &SourceSnapshot, &SourceMetrics)> {
        self.snapshot.sources.iter().filter_map(|source| {
            let counted = self.metrics.sources.get(&source.id)?;
            Some((&*source.id, &**source, counted))
        })
    }

    fn write_counts(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let crossings = self.sources().flat_map(|(camera, source, counted)| {
            let both = |line| [Direction::In, Direction::Out].map(|direction| (line, direction));
            lines(source, counted).into_iter().flat_map(both).map(move |(line, direction)| {
                let count = counted.crossings.get(&(line.to_owned(), direction)).copied();
                let labels = [("camera", camera), ("line", line), ("direction", direction.word())];
                (labels, counter(count.unwrap_or(0)))
            })
        });
        family(encoder, "pcount_crossings", "Crossings counted.", crossings)?;
        let suppressed = self.sources().flat_map(|(camera, source, counted)| {
            let each = |line| Reason::ALL.map(|reason| (line, reason));
            lines(source, counted).into_iter().flat_map(each).map(move |(line, reason)| {
                let count = counted.suppressed.get(&(line.to_owned(), reason)).copied();
                let labels = [("camera", camera), ("line", line), ("reason", reason.word())];
                (labels, counter(count.unwrap_or(0)))
            })
        });
        let help = "Crossings that were seen and not counted.";
        family(encoder, "pcount_crossings_suppressed", help, suppressed)?;
        let zones = self.sources().flat_map(|(camera, source, _)| {
            source
                .zones
                .iter()
                .map(move |zone| ([("camera", camera), ("zone", &*zone.name)], gauge(zone.occupancy)))
        });
        family(encoder, "pcount_zone_occupancy", "People in the zone now.", zones)?;
        let areas = self.snapshot.areas.iter();
        let areas = areas.map(|area| ([("area", &*area.name)], gauge(area.inside)));
        let help = "People inside the area, as counted: below zero where entries were missed.";
        family(encoder, "pcount_occupancy", help, areas)
    }

    fn write_sources(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let is_up = |source: &SourceSnapshot| source.state.kind() == StateKind::Running;
        let up = self.of_each(|source, _| gauge(u64::from(is_up(source))));
        family(encoder, "pcount_source_up", "Whether frames are coming.", up)?;
        let states = self.sources().flat_map(|(camera, source, _)| {
            StateKind::ALL.map(|state| {
                let is_it = u64::from(source.state.kind() == state);
                ([("camera", camera), ("state", state.word())], gauge(is_it))
            })
        });
        family(
            encoder,
            "pcount_source_state",
            "1 for the state that the source is in, 0 for the others.",
            states,
        )?;
        let reconnects = self.of_each(|_, counted| counter(counted.reconnects));
        family(encoder, "pcount_source_reconnects", "Times the source reconnected.", reconnects)?;
        let last = self.sources().filter_map(|(camera, _, counted)| {
            Some(([("camera", camera)], gauge(seconds(counted.last_frame?))))
        });
        let help = "When the last frame was handled, in seconds since the Unix epoch.";
        family(encoder, "pcount_source_last_frame_timestamp_seconds", help, last)?;
        let is_throttled = |source: &SourceSnapshot| u64::from(source.throttled().is_some());
        let throttled = self.of_each(|source, _| gauge(is_throttled(source)));
        let help = "Whether overload takes detection runs or frames from the source.";
        family(encoder, "pcount_throttled", help, throttled)
    }

    fn write_work(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let frames = self.of_each(|_, counted| counter(counted.frames));
        family(encoder, "pcount_frames", "Frames handled: processed, or skipped on purpose.", frames)?;
        let dropped = self.of_each(|_, counted| counter(counted.dropped));
        let help = "Frames replaced by newer ones before a worker was free.";
        family(encoder, "pcount_frames_dropped", help, dropped)?;
        let detections = self.of_each(|_, counted| counter(counted.detections));
        family(encoder, "pcount_detections", "People found, summed over all frames.", detections)?;
        let runs = self.of_each(|_, counted| counter(counted.detection_runs));
        family(encoder, "pcount_detection_runs", "Frames with a detection run.", runs)?;
        let help = "Time that detection took in a frame.";
        histogram(encoder, "pcount_detection_duration_seconds", help, &self.metrics.detection)?;
        let help = "Time from the decoder to the counts, of each frame that was processed.";
        histogram(encoder, "pcount_frame_age_seconds", help, &self.metrics.frame_age)?;
        let numbers: Vec<String> =
            (1..=self.metrics.workers_busy.len()).map(|number| number.to_string()).collect();
        let busy = numbers.iter().zip(&self.metrics.workers_busy);
        let busy = busy.map(|(worker, busy)| ([("worker", &**worker)], counter(busy.as_secs_f64())));
        family(encoder, "pcount_worker_busy_seconds", "Time that the worker has spent working.", busy)?;
        let queue = [([], gauge(self.snapshot.queue_pending as u64))];
        family(
            encoder,
            "pcount_queue_depth",
            "Tasks that wait for a worker, and files not opened yet.",
            queue,
        )
    }

    fn write_records(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let pending = self.ledger.map(|ledger| ([], gauge(ledger.pending)));
        family(encoder, "pcount_ledger_pending_events", "Events that are not in the ledger yet.", pending)?;
        let writable = self.ledger.map(|ledger| ([], gauge(u64::from(ledger.is_writable))));
        family(encoder, "pcount_ledger_writable", "Whether the ledger can be written.", writable)?;
        let hooks = || self.webhooks.iter();
        let pending = hooks().map(|hook| ([("webhook", &*hook.name)], gauge(hook.pending)));
        family(encoder, "pcount_webhook_pending", "Events that the webhook has not been told.", pending)?;
        let deliveries = hooks().flat_map(|hook| {
            [("accepted", hook.accepted), ("failed", hook.failed)]
                .map(|(result, count)| ([("webhook", &*hook.name), ("result", result)], counter(count)))
        });
        family(
            encoder,
            "pcount_webhook_deliveries",
            "Attempts to tell the webhook of an event.",
            deliveries,
        )?;
        let lost = [([], counter(self.snapshot.events_lost))];
        family(encoder, "pcount_events_lost", "Events that were lost before they were written.", lost)?;
        let lost = [([], counter(self.snapshot.log_lines_lost))];
        family(encoder, "pcount_log_lines_lost", "Log lines that were lost before they were written.", lost)?;
        let (detector, on) = (self.metrics.detectors.join(", "), self.metrics.engines.join(", "));
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("detector", &detector), ("engine", &on)];
        family(
            encoder,
            "pcount_build_info",
            "Version, and the detectors in use with their engines.",
            [(labels, gauge(1))],
        )
    }

    /// What every exporter tells of its process, under the usual names.
    fn write_process(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let cpu = [([], counter(metrics::cpu_seconds()))];
        family(encoder, "process_cpu_seconds", "CPU time used, user and system, in seconds.", cpu)?;
        let resident = [([], gauge(metrics::resident_bytes()))];
        family(encoder, "process_resident_memory_bytes", "Resident memory, in bytes.", resident)?;
        let open = [([], gauge(metrics::open_files()))];
        family(encoder, "process_open_fds", "Open file descriptors.", open)?;
        let most = metrics::most_open_files().map(|most| ([], gauge(most)));
        family(encoder, "process_max_fds", "Most file descriptors that may be open.", most)?;
        let start = metrics::start_seconds().map(|start| ([], gauge(start)));
        let help = "When the process started, in seconds since the Unix epoch.";
        family(encoder, "process_start_time_seconds", help, start)
    }

    /// A series for each source, by its id alone.
    fn of_each<M>(
        &self,
        value: impl Fn(&SourceSnapshot, &SourceMetrics) -> M,
    ) -> impl Iterator<Item = (Labels<'_, 1>, M)> {
        self.sources().map(move |(camera, source, counted)| ([("camera", camera)], value(source, counted)))
    }
}

impl Collector for Gathered {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.write_counts(&mut encoder)?;
        self.write_sources(&mut encoder)?;
        self.write_work(&mut encoder)?;
        self.write_records(&mut encoder)?;
        Self::write_process(&mut encoder)
    }
}

/// Names of the lines of a source: those that it has, from the first moment on, and those that something was counted at.
fn lines<'a>(source: &'a SourceSnapshot, counted: &'a SourceMetrics) -> Vec<&'a str> {
    let mut names: Vec<&str> = source.lines.iter().map(|line| &*line.name).collect();
    let crossed = counted.crossings.keys().map(|(line, _)| &**line);
    for name in crossed.chain(counted.suppressed.keys().map(|(line, _)| &**line)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn counter<N>(value: N) -> ConstCounter<N> {
    ConstCounter::new(value)
}

fn gauge<N>(value: N) -> ConstGauge<N> {
    ConstGauge::new(value)
}

fn seconds(wall: SystemTime) -> f64 {
    wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Writes a family, unless it has no series. The name of a counter gets its `_total` here.
fn family<'a, const N: usize, M: EncodeMetric + TypedMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = (Labels<'a, N>, M)>,
) -> fmt::Result {
    let mut series = series.into_iter().peekable();
    if series.peek().is_none() {
        return Ok(());
    }
    let mut family = encoder.encode_descriptor(name, help, None, M::TYPE)?;
    for (labels, value) in series {
        value.encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn histogram(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    durations: &Durations,
) -> fmt::Result {
    let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(durations.counts.iter().copied()).collect();
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    family.encode_histogram::<NoLabelSet>(durations.seconds, durations.count(), &buckets, None)
}
