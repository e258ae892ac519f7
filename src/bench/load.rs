//! What else the cores do meanwhile: figures of a machine at work on something else say nothing of it.

use std::{fs, time::Instant};

use crate::metrics;

/// The cores that this process may use: their work since the system started, and what this process had of it.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    at: Instant,
    cores: f64,
    /// CPU seconds of all programs.
    busy: f64,
    /// CPU seconds that the host of a virtual machine gave to others.
    stolen: f64,
    own: f64,
}

/// Shares of the cores that were not this program's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Others {
    /// Of other programs, 0..=1.
    pub programs: f64,
    /// Of other virtual machines, 0..=1.
    pub stolen: f64,
}

impl Work {
    /// Until now; `None` where `/proc` does not tell.
    pub fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        let (cores, busy, stolen) =
            sum(&fs::read_to_string("/proc/stat").ok()?, &|core| is_listed(allowed, core))?;
        let hertz = rustix::param::clock_ticks_per_second() as f64;
        Some(Self {
            at: Instant::now(),
            cores: f64::from(cores),
            busy: busy as f64 / hertz,
            stolen: stolen as f64 / hertz,
            own: metrics::cpu_seconds(),
        })
    }

    /// What others had since `before`.
    pub fn since(&self, before: &Self) -> Others {
        let all = (self.at - before.at).as_secs_f64().max(0.001) * self.cores.max(1.0);
        let programs = (self.busy - before.busy) - (self.own - before.own);
        Others {
            programs: (programs / all).clamp(0.0, 1.0),
            stolen: ((self.stolen - before.stolen) / all).clamp(0.0, 1.0),
        }
    }
}

/// Number of the cores that `is_counted`, their busy ticks and their stolen ones, of the text of `/proc/stat`.
fn sum(stat: &str, is_counted: &dyn Fn(u32) -> bool) -> Option<(u32, u64, u64)> {
    let (mut cores, mut busy, mut stolen) = (0, 0, 0);
    for line in stat.lines() {
        let mut fields = line.split_ascii_whitespace();
        let number = fields.next().and_then(|name| name.strip_prefix("cpu")?.parse().ok());
        if !number.is_some_and(is_counted) {
            continue;
        }
        let ticks: Vec<u64> = fields.filter_map(|field| field.parse().ok()).collect();
        // user, nice, system, idle, waiting for disks, interrupts, soft interrupts, stolen
        let [user, nice, system, _, _, hard, soft, steal, ..] = ticks[..] else { return None };
        cores += 1;
        busy += user + nice + system + hard + soft;
        stolen += steal;
    }
    (cores > 0).then_some((cores, busy, stolen))
}

/// Whether `list`, such as `0-3,8`, names `core`.
fn is_listed(list: &str, core: u32) -> bool {
    list.trim().split(',').any(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.parse::<u32>(), last.parse::<u32>()) {
            (Ok(first), Ok(last)) => (first..=last).contains(&core),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  111 0 0 0 0 0 0 0 0 0\ncpu0 100 10 50 900 7 3 2 5 0 0\ncpu1 1 0 0 9 0 0 0 0 0 0\n\
                        cpu10 1000 0 0 9 0 0 0 0 0 0\nintr 5\n";

    #[test]
    fn only_the_cores_that_the_process_may_use_are_counted_and_waiting_is_no_work() {
        assert_eq!(sum(STAT, &|core| is_listed("\t0-1\n", core)), Some((2, 166, 5)));
        assert_eq!(sum(STAT, &|core| is_listed("10", core)), Some((1, 1000, 0)));
        assert_eq!(sum(STAT, &|core| is_listed("2-9", core)), None);
        assert_eq!(sum("cpu0 1 2\n", &|_| true), None);
    }

    #[test]
    fn what_the_program_does_itself_is_not_the_work_of_others() {
        let before = Work { at: Instant::now(), cores: 4.0, busy: 100.0, stolen: 10.0, own: 1.0 };
        let ten = std::time::Duration::from_secs(10);
        let after = Work { at: before.at + ten, busy: 130.0, stolen: 12.0, own: 21.0, ..before };
        assert_eq!(after.since(&before), Others { programs: 0.25, stolen: 0.05 });
        // Ticks of the system are coarser than the clock of the process.
        assert_eq!(Work { own: 40.0, ..after }.since(&before).programs, 0.0);
    }
}
