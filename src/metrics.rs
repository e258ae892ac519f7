//! What the process costs: CPU and memory, read from `/proc`.

pub mod buckets;
pub mod histogram;
pub mod machine;
pub mod stages;

use std::{sync::OnceLock, time::Instant};

/// CPU and memory of the process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Process {
    /// CPU over the last interval, in cores (1.0 = one core busy).
    pub cpu: f32,
    /// Resident memory, in bytes.
    pub rss: u64,
}

/// Measures the process between calls of [`Self::sample`].
#[derive(Debug, Default)]
pub struct ProcessMeter {
    last: Option<(Instant, f64)>,
    latest: Process,
}

impl ProcessMeter {
    /// Takes a measurement.
    pub fn sample(&mut self) {
        let (now, cpu) = (Instant::now(), cpu_seconds());
        if let Some((before, cpu_before)) = self.last {
            let wall = now.saturating_duration_since(before).as_secs_f64();
            if wall > 0.0 {
                self.latest.cpu = ((cpu - cpu_before) / wall) as f32;
            }
        }
        self.last = Some((now, cpu));
        self.latest.rss = resident_bytes();
    }

    /// The latest measurement; zeros before the second call of [`Self::sample`].
    #[must_use]
    pub fn latest(&self) -> Process {
        self.latest
    }
}

/// CPU seconds the process has used so far, user and system, all threads.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Resident memory of the process, in bytes; 0 where `/proc` cannot be read.
#[must_use]
pub fn resident_bytes() -> u64 {
    status_kib("VmRSS:") * 1024
}

/// Highest resident memory the process ever had, in bytes; 0 where `/proc` cannot be read.
#[must_use]
pub fn peak_resident_bytes() -> u64 {
    status_kib("VmHWM:") * 1024
}

/// Files, sockets and pipes that the process has open; 0 where `/proc` cannot be read.
#[must_use]
pub fn open_files() -> u64 {
    // Without the one that lists them.
    std::fs::read_dir("/proc/self/fd").map_or(0, |list| list.count().saturating_sub(1) as u64)
}

/// How many it may have open; `None` where there is no limit.
#[must_use]
pub fn most_open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// When the process started, in seconds since the Unix epoch; `None` where `/proc` cannot be read. The same at each call.
#[must_use]
pub fn start_seconds() -> Option<f64> {
    static START: OnceLock<Option<f64>> = OnceLock::new();
    *START.get_or_init(|| {
        let own = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name, which may hold anything; the start is the 22nd field of all.
        let ticks: f64 = own.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
        let system = std::fs::read_to_string("/proc/stat").ok()?;
        let boot: f64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(boot + ticks / rustix::param::clock_ticks_per_second() as f64)
    })
}

fn status_kib(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_shows_as_cpu_and_memory_is_never_nothing() {
        let mut meter = ProcessMeter::default();
        meter.sample();
        let begun = cpu_seconds();
        while cpu_seconds() - begun < 0.02 {
            std::hint::black_box(0);
        }
        meter.sample();
        assert!(meter.latest().cpu > 0.0);
        assert!(meter.latest().rss > 1024 * 1024);
        assert!(peak_resident_bytes() >= meter.latest().rss / 2);
    }

    #[test]
    fn the_process_has_started_lately_and_has_files_open_within_its_limit() {
        let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let age = now.as_secs_f64() - start_seconds().unwrap();
        // The boot time of the system is known to a second.
        assert!((-2.0..86_400.0).contains(&age), "{age}");
        assert!(open_files() >= 3 && most_open_files().is_none_or(|most| open_files() <= most));
    }
}
