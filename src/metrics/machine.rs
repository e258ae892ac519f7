//! What the machine has, and how much of it this process may use.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where control groups are mounted.
const GROUPS: &str = "/sys/fs/cgroup";

/// Memory in bytes, as this process may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Of the machine.
    pub total: u64,
    /// Of it, what can be had without swapping.
    pub available: u64,
    /// The tightest limit of a control group that the process is in.
    pub limit: Option<u64>,
}

impl Memory {
    /// As it is now; `None` where `/proc` cannot be read.
    #[must_use]
    pub fn read() -> Option<Self> {
        let read = |path: &Path| fs::read_to_string(path).ok();
        Self::told(&read(Path::new("/proc/meminfo"))?, &read(Path::new("/proc/self/cgroup"))?, &read)
    }

    /// The most that this process may hold.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.limit.map_or(self.total, |limit| limit.min(self.total))
    }

    fn told(info: &str, groups: &str, read: &dyn Fn(&Path) -> Option<String>) -> Option<Self> {
        let kib = |key: &str| -> Option<u64> {
            let line = info.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        let total = kib("MemTotal:")? * 1024;
        let available = kib("MemAvailable:").map_or(total, |kib| kib * 1024);
        let limits = groups.lines().flat_map(files_of).filter_map(|file| read(&file)?.trim().parse().ok());
        // Where there is none, the first version tells a number beyond every machine.
        let limit = limits.min().filter(|limit| *limit < total);
        Some(Self { total, available, limit })
    }
}

/// The files that may hold a limit of the group in a line of `/proc/self/cgroup`, up to the root.
fn files_of(line: &str) -> Vec<PathBuf> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { return Vec::new() };
    let (root, file) = match controllers {
        "" => (PathBuf::from(GROUPS), "memory.max"),
        _ if controllers.split(',').any(|controller| controller == "memory") => {
            (Path::new(GROUPS).join("memory"), "memory.limit_in_bytes")
        }
        _ => return Vec::new(),
    };
    let group = Path::new(group.trim_start_matches('/'));
    group.ancestors().map(|group| root.join(group).join(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "MemTotal:  8000 kB\nMemFree: 1 kB\nMemAvailable:  5000 kB\n";

    fn limit(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
        let read = |path: &Path| {
            let found = files.iter().find(|(name, _)| path == Path::new(GROUPS).join(name))?;
            Some(found.1.to_owned())
        };
        let memory = Memory::told(INFO, groups, &read).unwrap();
        assert_eq!((memory.total, memory.available), (8_192_000, 5_120_000));
        assert_eq!(memory.most(), memory.limit.unwrap_or(memory.total));
        memory.limit
    }

    #[test]
    fn the_tightest_limit_on_the_way_to_the_root_counts() {
        let files = [("a/b/memory.max", "max\n"), ("a/memory.max", "4096000\n"), ("memory.max", "5000000\n")];
        assert_eq!(limit("0::/a/b\n", &files), Some(4_096_000));
        assert_eq!(limit("0::/\n", &files), Some(5_000_000));
        assert_eq!(limit("0::/c\n", &files[..2]), None);
    }

    #[test]
    fn groups_of_the_first_version_have_no_limit_where_theirs_is_beyond_the_machine() {
        let groups = "5:cpu,cpuacct:/x\n4:memory:/x\n0::/\n";
        let huge = "9223372036854771712";
        assert_eq!(limit(groups, &[("memory/x/memory.limit_in_bytes", huge)]), None);
        let files = [("memory/x/memory.limit_in_bytes", "2000"), ("cpu/x/memory.max", "1")];
        assert_eq!(limit(groups, &files), Some(2000));
    }
}
