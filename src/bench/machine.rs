//! What the machine is, as far as it says how fast it is. Nothing that tells whose it is: no names of hosts, users or
//! files, no addresses, no serial numbers.

use std::fs;

use serde::Serialize;

/// Longest text that is taken over from the system.
const LONGEST: usize = 80;

/// Instruction sets that OpenCV, FFmpeg and ONNX Runtime choose their code by, as Linux names them.
const SETS: &[&str] = &[
    "ssse3",
    "sse4_1",
    "sse4_2",
    "avx",
    "f16c",
    "fma",
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "amx_tile",
    "amx_int8",
    "asimd",
    "asimdhp",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
];

/// The machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// Model of the CPU, as it names itself.
    pub cpu: String,
    /// Architecture, such as `x86_64`.
    pub architecture: &'static str,
    /// Cores that the process may use, within the limits of its group.
    pub cores: usize,
    /// Those of the instruction sets that matter here.
    pub instruction_sets: Vec<&'static str>,
    /// Whether it is a virtual machine, where that is told.
    #[serde(rename = "virtual")]
    pub is_virtual: bool,
    /// Memory of the machine.
    pub memory_gib: f64,
    /// Name and version of the distribution.
    pub os: String,
    /// Numbers of the version of Linux, without what a distribution or a user has added.
    pub kernel: String,
}

/// This machine.
pub fn machine() -> Machine {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    described(
        &read("/proc/cpuinfo"),
        &read("/proc/meminfo"),
        &read("/etc/os-release"),
        &read("/proc/sys/kernel/osrelease"),
        cores,
    )
}

fn described(cpu: &str, memory: &str, system: &str, kernel: &str, cores: usize) -> Machine {
    let of_cpu = |wanted: &str| {
        let mut pairs = cpu.lines().filter_map(|line| line.split_once(':'));
        pairs.find(|(key, _)| key.trim() == wanted).map(|(_, value)| value)
    };
    let model = of_cpu("model name").map(clean);
    // Arm gives numbers only.
    let part = of_cpu("CPU part").map(|part| format!("part {}", clean(part)));
    let flags: Vec<&str> =
        of_cpu("flags").or_else(|| of_cpu("Features")).unwrap_or_default().split_whitespace().collect();
    let kib: Option<f64> = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    let of_system = |key: &str| {
        let line = system.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(clean(line.trim().trim_matches(['"', '\''])))
    };
    let unknown = || "unknown".to_owned();
    let os = [of_system("ID").unwrap_or_else(unknown), of_system("VERSION_ID").unwrap_or_default()].join(" ");
    Machine {
        cpu: model.or(part).unwrap_or_else(unknown),
        architecture: std::env::consts::ARCH,
        cores,
        instruction_sets: SETS.iter().copied().filter(|set| flags.contains(set)).collect(),
        is_virtual: flags.contains(&"hypervisor"),
        memory_gib: (kib.unwrap_or(0.0) / 1024.0 / 1024.0 * 10.0).round() / 10.0,
        os: os.trim().to_owned(),
        kernel: numbers(kernel).unwrap_or_default(),
    }
}

/// The numbers at the start of a version, without what a builder has added: that may be a name or an address.
pub fn numbers(version: &str) -> Option<String> {
    // Arch writes `n7.1`.
    let version = version.trim().trim_start_matches('n');
    let numbers = version.split(|c: char| !c.is_ascii_digit() && c != '.').next()?.trim_matches('.');
    (!numbers.is_empty()).then(|| clean(numbers))
}

/// One line of printable characters, with single spaces.
fn clean(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_described_without_the_names_that_its_owner_gave() {
        let machine = described(
            "processor\t: 0\nmodel name\t: Some  CPU @ 2.00GHz\nflags\t\t: fpu avx2 hypervisor avx512f\nSerial\t: 77\n",
            "MemTotal:        8152068 kB\nMemFree: 1 kB\n",
            "PRETTY_NAME=\"Hall 3 of Example\"\nID=debian\nVERSION_ID=\"12\"\nHOME_URL=\"http://hall-3\"\n",
            "6.1.0-47-annas-laptop\n",
            2,
        );
        assert_eq!(machine.cpu, "Some CPU @ 2.00GHz");
        assert_eq!(machine.instruction_sets, ["avx2", "avx512f"]);
        assert!(machine.is_virtual);
        assert_eq!((machine.memory_gib, machine.cores), (7.8, 2));
        assert_eq!((machine.os.as_str(), machine.kernel.as_str()), ("debian 12", "6.1.0"));
    }

    #[test]
    fn a_machine_that_gives_numbers_or_nothing_is_described_all_the_same() {
        let arm = "CPU implementer\t: 0x41\nFeatures\t: fp asimd asimddp\nCPU part\t: 0xd0c\n";
        let machine = described(arm, "", "", "", 4);
        assert_eq!((machine.cpu.as_str(), machine.os.as_str()), ("part 0xd0c", "unknown"));
        assert_eq!(machine.instruction_sets, ["asimd", "asimddp"]);
        assert_eq!(described("", "", "", "", 1).cpu, "unknown");
    }

    #[test]
    fn a_version_is_told_without_what_its_builder_added() {
        assert_eq!(numbers("5.1.6-0+deb12u1").as_deref(), Some("5.1.6"));
        assert_eq!(numbers("7.0.2-static https://example.com/annas-build/").as_deref(), Some("7.0.2"));
        assert_eq!(numbers("n7.1").as_deref(), Some("7.1"));
        assert_eq!(numbers("annas-build"), None);
    }
}
