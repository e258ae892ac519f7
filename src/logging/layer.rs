//! From tracing events to lines.

use std::{io::Write, sync::Arc};

use arc_swap::ArcSwap;
use jiff::{Timestamp, tz::TimeZone};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::{
    line::{self, Level},
    names,
    recent::{LogLine, RecentLogs},
    router,
    stderr::StandardError,
};
use crate::{
    clock::Clock,
    config::{LogLevel, redact},
    model::SourceId,
};

/// Target prefix of the program's own lines.
const OWN: &str = "pcount";

/// Least severe level of the program's own lines, which can be changed while it runs.
pub(super) struct Threshold(ArcSwap<LevelFilter>);

impl Threshold {
    pub(super) fn new(level: LogLevel) -> Self {
        Self(ArcSwap::from_pointee(filter(level)))
    }

    fn get(&self) -> LevelFilter {
        **self.0.load()
    }

    /// Changes it for everybody, also for lines that nobody wanted so far.
    pub(super) fn set(&self, level: LogLevel) {
        self.0.store(Arc::new(filter(level)));
        tracing::callsite::rebuild_interest_cache();
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    }
}

/// Makes lines of events. Made by [`super::build`].
pub struct LogLayer {
    level: Arc<Threshold>,
    timezone: TimeZone,
    clock: Arc<dyn Clock>,
    writer: Option<NonBlocking>,
    recent: Arc<RecentLogs>,
    printed: Option<StandardError>,
}

impl LogLayer {
    pub(super) fn new(
        level: Arc<Threshold>,
        timezone: TimeZone,
        clock: Arc<dyn Clock>,
        writer: Option<NonBlocking>,
        recent: Arc<RecentLogs>,
    ) -> Self {
        Self { level, timezone, clock, writer, recent, printed: None }
    }

    /// From now on with lines there as well.
    pub(super) fn printing(self, printed: Option<StandardError>) -> Self {
        Self { printed, ..self }
    }

    fn safe(text: &str) -> String {
        line::clean(&redact(text))
    }
}

/// What a line belongs to, as far as one event or span says.
#[derive(Debug, Clone, Default)]
struct Owner {
    worker: Option<u64>,
    camera: Option<String>,
}

/// Gathers the fields of an event.
#[derive(Default)]
struct Fields {
    owner: Owner,
    message: String,
    others: String,
}

impl Fields {
    fn text(&mut self, field: &Field, value: &dyn std::fmt::Display) {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            "camera" => {
                self.owner.camera = Some(value.to_string());
                Ok(())
            }
            "worker" => {
                self.owner.worker = value.to_string().parse().ok();
                Ok(())
            }
            name => write!(self.others, " {name}={value}"),
        };
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.text(field, &format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, &value);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let own = metadata.target().starts_with(OWN);
        let level = self.level.get();
        let limit = if own { level } else { level.min(LevelFilter::WARN) };
        *metadata.level() <= limit
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.get())
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields.owner);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut owner = fields.owner;
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Owner>() {
                owner.worker = owner.worker.or(outer.worker);
                owner.camera = owner.camera.or_else(|| outer.camera.clone());
            }
        }

        let now = Timestamp::try_from(self.clock.wall()).unwrap_or_default();
        let level = Level::from(*event.metadata().level());
        let camera = owner.camera.as_deref();
        let label = line::label(owner.worker, camera);
        let message = Self::safe(&format!("{}{}", fields.message, fields.others));
        let text = line::format(&now.to_zoned(self.timezone.clone()), &label, level, &message);
        if let Some(writer) = &self.writer {
            let record = router::encode(owner.worker, camera.map(names::camera_stem).as_deref(), &text);
            // A full queue is counted by the writer itself.
            let _ = writer.clone().write(record.as_bytes());
        }
        if let Some(printed) = &self.printed {
            printed.say(level, &label, &message, &text);
        }
        self.recent.push(LogLine {
            number: 0,
            wall: now.into(),
            level,
            label,
            camera: camera.map(SourceId::from),
            worker: owner.worker,
            message,
            text,
        });
    }
}
