//! Configurations of single sources for tests.

use std::time::Duration;

use pcount::{
    config::{SourceConfig, SourceSpec},
    model::SourceKind,
};

/// A source with defaults and a short read timeout.
pub fn source(kind: SourceKind, spec: SourceSpec) -> SourceConfig {
    SourceConfig { stall_timeout: Duration::from_secs(2), ..SourceConfig::new("test", kind, spec) }
}
