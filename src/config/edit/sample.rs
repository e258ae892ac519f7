//! A configuration as somebody may have written it, for the tests of its changes.

use crate::{
    geometry::Anchor,
    model::{Drawn, LineConfig},
};

/// Two cameras, with spaces and a name that a serializer would not leave as they are.
pub(super) const TEXT: &str = r#"{
    "parallel_config": {"worker_count": 2},
    "cameras": [
        {
            "camera_id": "one",   "alias": "Tür",
            "source": "rtsp://h/1"
        },
        { "camera_id": "two", "source": "rtsp://h/2", "lines": [ {"name": "x", "a": [0, 0], "b": [1, 1]} ], "threshold": 5 }
    ]
}
"#;

/// A line whose name needs escaping.
pub(super) fn door() -> LineConfig {
    LineConfig { name: "the \"door\"".into(), a: [0.1, 0.25], b: [0.9, 1.0], anchor: Anchor::Foot }
}

/// These lines alone.
pub(super) fn drawn(lines: &[LineConfig]) -> Drawn {
    Drawn { lines: lines.to_vec(), ..Drawn::default() }
}
