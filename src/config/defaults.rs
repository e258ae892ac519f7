//! One constant for each default. Writing a default into the file changes nothing.

use std::time::Duration;

/// Workers at start.
pub const WORKER_COUNT: usize = 4;

/// Upper bound of the pool.
pub const MAX_WORKERS: usize = 8;

/// Most workers that may be configured: far above any machine, below what a typing error gives.
pub const WORKERS_LIMIT: usize = 256;

/// Folder for CSV files and the ledger, relative to the configuration file.
pub const RESULT_OUTPUT: &str = "parallel/results/";

/// Folder of the log files, inside `result_output`.
pub const LOG_DIR: &str = "logs";

/// Folder searched for model files first, beside the configuration file.
pub const MODELS: &str = "models";

/// Size at which a log file is rotated: 10 MiB, about 100,000 lines.
pub const MAX_LOG_SIZE: u64 = 10 * 1024 * 1024;

/// Rotated files kept for each log.
pub const MAX_LOG_FILES: usize = 5;

/// How long the history charts reach back: a day.
pub const HISTORY: Duration = Duration::from_hours(24);

/// Files open at the same time. A decoder of 1080p holds some 30 MB.
pub const MAX_OPEN_SOURCES: usize = 16;

/// A camera that sends nothing for this long is reconnected.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// An attempt to open a source is given up after this long.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Attempts in a row before a source is marked failed. With the delays below: three quarters of
/// an hour, longer than a switch or a camera takes to come back.
pub const RETRY_MAX_ATTEMPTS: u32 = 100;

/// Delay before the first new attempt; doubles with each one that fails.
pub const RETRY_INITIAL: Duration = Duration::from_secs(1);

/// Longest delay between two attempts.
pub const RETRY_MAX: Duration = Duration::from_secs(30);

/// How long strips of snapshots of crossings are kept, where any are: a week, in which a count is usually asked about.
pub const EVIDENCE_KEEP: Duration = Duration::from_hours(168);

/// Most bytes of such strips: some 50,000 of them.
pub const EVIDENCE_SIZE: u64 = 2 << 30;

/// Whether heads are blurred in them. A user who needs faces has to say so.
pub const EVIDENCE_BLUR: bool = true;

/// Walkers of a demo scene at the same time.
pub const DEMO_PEOPLE: u32 = 6;

/// Seed of a demo scene.
pub const DEMO_SEED: u64 = 1;

/// Length of a demo scene played as a video.
pub const DEMO_SECONDS: f64 = 60.0;

/// Frames per second of a demo scene.
pub const DEMO_FPS: f64 = 25.0;

/// Width and height of a demo scene's pictures, in pixels.
pub const DEMO_SIZE: (u32, u32) = (640, 360);

/// What a webhook is called.
pub const WEBHOOK: &str = "webhook";

/// What MQTT topics begin with.
pub const MQTT_PREFIX: &str = "pcount";
