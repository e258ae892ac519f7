//! The machine: what of it matters for counting, and how much of it this process may use.

use std::{fs, path::Path, time::Duration};

use super::{finding::Finding, site::Site};
use crate::{
    config::SourceSpec,
    detect, ledger,
    metrics::{self, machine::Memory},
    native::{ffmpeg, time},
};

/// Less memory than this, in bytes, is tight for a detector and a few decoders.
const TIGHT: u64 = 512 << 20;

/// Files that the program has open without sources: logs, ledger, pipes, sockets.
const OWN_FILES: u64 = 100;

/// Files and sockets that one source may have open: its log, the connection, and the relay between camera and FFmpeg.
const SOURCE_FILES: u64 = 8;

/// A file that is newer than now by more than this tells that the clock is wrong.
const AHEAD: Duration = Duration::from_mins(2);

/// Version and system.
pub fn program(_: &Site) -> Vec<Finding> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.map(|name| format!("{}, ", name.trim_matches('"'))).unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    vec![Finding::ok(format!(
        "pcount-tui {} on {name}Linux {}, {}",
        env!("CARGO_PKG_VERSION"),
        kernel.trim(),
        std::env::consts::ARCH,
    ))]
}

/// Libraries that are part of the program or linked to it.
pub fn libraries(_: &Site) -> Vec<Finding> {
    vec![Finding::ok(format!(
        "OpenCV {}, FFmpeg {}, SQLite {}",
        detect::opencv_version(),
        ffmpeg::version(),
        ledger::examine::sqlite_version()
    ))]
}

/// Instructions of the processor that detectors use.
pub fn instructions(_: &Site) -> Vec<Finding> {
    vec![judged(&instruction_sets())]
}

/// Name of each set that matters, and whether the processor has it.
fn instruction_sets() -> Vec<(&'static str, bool)> {
    #[cfg(target_arch = "x86_64")]
    let sets = vec![
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("AVX-512", is_x86_feature_detected!("avx512f")),
        ("VNNI", is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni")),
    ];
    #[cfg(target_arch = "aarch64")]
    let sets = vec![
        ("NEON", std::arch::is_aarch64_feature_detected!("neon")),
        ("dot products", std::arch::is_aarch64_feature_detected!("dotprod")),
    ];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let sets = Vec::new();
    sets
}

fn judged(sets: &[(&'static str, bool)]) -> Finding {
    let named = |wanted: bool| {
        let names = sets.iter().filter(|(_, has)| *has == wanted).map(|(name, _)| *name);
        names.collect::<Vec<_>>().join(", ")
    };
    let (has, lacks) = (named(true), named(false));
    let lacking = if lacks.is_empty() { String::new() } else { format!("; not {lacks}") };
    if sets.contains(&("AVX2", false)) {
        return Finding::warn(
            "the processor has no AVX2, without which detection is slow",
            "in a virtual machine pass the processor of the host through; elsewhere plan for few cameras, and \
             measure with 'pcount-tui bench'",
        );
    }
    if has.is_empty() {
        return Finding::ok("none that detectors are known to use");
    }
    Finding::ok(format!("{has}{lacking}"))
}

/// Cores that this process may use.
pub fn cores(site: &Site) -> Vec<Finding> {
    let Ok(usable) = std::thread::available_parallelism() else {
        return vec![Finding::advice("the system does not tell how many cores this process may use")];
    };
    let settings = &site.config.parallel;
    let online = fs::read_to_string("/sys/devices/system/cpu/online").ok().and_then(|list| cores_of(&list));
    let of = online.filter(|online| *online > usable.get());
    let of = of.map(|online| format!(" of {online}")).unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty());
    let load = load.map(|load| format!("; load {load}")).unwrap_or_default();
    vec![Finding::ok(format!(
        "{usable}{of} may be used, for {} workers (at most {}){load}",
        settings.worker_count, settings.max_workers
    ))]
}

/// How many cores a list such as `0-3,8` names.
fn cores_of(list: &str) -> Option<usize> {
    list.trim()
        .split(',')
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            (last + 1).checked_sub(first)
        })
        .sum()
}

/// Memory that this process may use.
pub fn memory(site: &Site) -> Vec<Finding> {
    let Some(memory) = Memory::read() else {
        return vec![Finding::advice("the system does not tell how much memory there is")];
    };
    vec![judged_memory(memory, site.config.parallel.memory_limit)]
}

fn judged_memory(memory: Memory, limit: Option<u64>) -> Finding {
    let bound = memory
        .limit
        .map(|limit| format!("; this process may hold {} (control group)", size(limit)))
        .unwrap_or_default();
    let sentence = format!("{} of {} available{bound}", size(memory.available), size(memory.total));
    if let Some(limit) = limit.filter(|limit| *limit > memory.most()) {
        return Finding::warn(
            format!("{sentence}, less than 'memory_limit' ({})", size(limit)),
            "set 'memory_limit' below what the process may hold: beyond that the system kills it",
        );
    }
    if memory.available.min(memory.most()) < TIGHT {
        return Finding::warn(
            format!("{sentence}: tight"),
            "end other programs, raise the limit, or set 'memory_limit' so that cameras are closed before the \
             system kills the program",
        );
    }
    Finding::ok(sentence)
}

/// Files that may be open at a time, against what the sources need.
pub fn files(site: &Site) -> Vec<Finding> {
    let enabled = site.config.sources.iter().filter(|source| source.enabled);
    let is_open_always =
        |source: &&crate::config::SourceConfig| matches!(source.source, SourceSpec::Url { .. });
    let cameras = enabled.clone().filter(is_open_always).count() as u64;
    let others = (enabled.count() as u64 - cameras).min(site.config.parallel.max_open_sources as u64);
    vec![judged_files(metrics::most_open_files(), cameras + others)]
}

fn judged_files(most: Option<u64>, sources: u64) -> Finding {
    let needed = OWN_FILES + SOURCE_FILES * sources;
    match most {
        None => Finding::ok("any number may be open"),
        Some(most) if most < needed => {
            let wanted = needed.next_power_of_two().max(4096);
            Finding::warn(
                format!("{most} may be open, and {sources} sources may need {needed}"),
                format!(
                    "raise the limit: 'ulimit -n {wanted}' in the shell, LimitNOFILE={wanted} in the unit"
                ),
            )
        }
        Some(most) => Finding::ok(format!("{most} may be open, {needed} may be needed")),
    }
}

/// Whether the clock can be right, and its zone.
pub fn clock(site: &Site) -> Vec<Finding> {
    let zone = &site.config.parallel.timezone;
    let zone = zone.iana_name().unwrap_or("a zone without a name");
    let mut findings = vec![match time::is_synchronized() {
        Some(true) => Finding::ok(format!("synchronized; days and hours are those of {zone}")),
        Some(false) => Finding::warn(
            format!("nothing keeps the clock right; days and hours are those of {zone}"),
            "run chrony or systemd-timesyncd: crossings are stored with the time of this clock",
        ),
        None => Finding::ok(format!(
            "the system does not tell whether it is synchronized; days and hours are those of {zone}"
        )),
    }];
    let file = site.options.config.as_deref().and_then(modified);
    let behind = file.and_then(|at| at.duration_since(site.options.clock.wall()).ok());
    findings.extend(behind.filter(|behind| *behind > AHEAD).map(|behind| {
        Finding::warn(
            format!("the clock is {} behind the time of the configuration file", span(behind)),
            "set the clock: crossings are stored with its time",
        )
    }));
    findings
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Bytes for people.
pub fn size(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1.0 {
        format!("{} KiB", bytes.div_ceil(1024))
    } else if mib < 1024.0 {
        format!("{mib:.0} MiB")
    } else {
        format!("{:.1} GiB", mib / 1024.0)
    }
}

/// A long time for people.
pub fn span(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes {
        0..60 => format!("{minutes} minutes"),
        60..2880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status;

    #[test]
    fn a_processor_without_avx2_is_worth_a_warning_and_one_without_vnni_is_not() {
        assert_eq!(judged(&[("AVX2", false), ("VNNI", false)]).status, Status::Warn);
        let usual = judged(&[("AVX2", true), ("AVX-512", false), ("VNNI", false)]);
        assert_eq!((usual.status, &*usual.sentence), (Status::Ok, "AVX2; not AVX-512, VNNI"));
        assert_eq!(judged(&[("NEON", true)]).sentence, "NEON");
    }

    #[test]
    fn a_limit_that_the_system_enforces_earlier_is_a_warning() {
        let memory = Memory { total: 8 << 30, available: 6 << 30, limit: Some(2 << 30) };
        assert_eq!(judged_memory(memory, Some(1 << 30)).status, Status::Ok);
        let over = judged_memory(memory, Some(4 << 30));
        assert_eq!(over.status, Status::Warn);
        assert!(
            over.sentence.contains("may hold 2.0 GiB") && over.sentence.contains("'memory_limit' (4.0 GiB)")
        );
        assert_eq!(judged_memory(Memory { available: 100 << 20, ..memory }, None).status, Status::Warn);
    }

    #[test]
    fn many_sources_need_more_files_than_a_shell_allows() {
        assert_eq!(judged_files(Some(1024), 64).status, Status::Ok);
        let few = judged_files(Some(1024), 500);
        assert_eq!(few.status, Status::Warn);
        assert!(few.fix.unwrap().contains("ulimit -n 8192"));
        assert_eq!(judged_files(None, 10_000).status, Status::Ok);
    }

    #[test]
    fn lists_of_cores_are_counted() {
        assert_eq!(cores_of("0-3,8\n"), Some(5));
        assert_eq!(cores_of("0"), Some(1));
        assert_eq!(cores_of("x"), None);
    }
}
