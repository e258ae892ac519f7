//! What the process costs: CPU and memory, read from `/proc`.

pub mod histogram;
pub mod stages;

use std::time::Instant;

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
}
