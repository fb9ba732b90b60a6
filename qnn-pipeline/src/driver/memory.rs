//! How much memory may be used, as far as the operating system tells.

use std::fs;
use std::path::Path;

/// Memory that new processes can use without swapping, bytes; `None` where the system does not say.
pub(super) fn available() -> Option<u64> {
    let machine = meminfo(&fs::read_to_string("/proc/meminfo").ok()?)?;
    Some(cgroup().map_or(machine, |group| group.min(machine)))
}

fn meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// What the limits of this process's control group (a container) leave.
fn cgroup() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    let number = |file: &Path| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    // Every group above limits as well; one without a limit says "max", which is no number.
    Path::new(path)
        .ancestors()
        .filter_map(|group| {
            let folder = root.join(group);
            let limit = number(&folder.join("memory.max"))?;
            Some(limit.saturating_sub(number(&folder.join("memory.current")).unwrap_or(0)))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_read_in_bytes() {
        let text = "MemTotal:       16000000 kB\nMemAvailable:    8000 kB\nBuffers: 1 kB\n";
        assert_eq!(meminfo(text), Some(8000 * 1024));
        assert_eq!(meminfo("MemTotal: 1 kB"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_has_memory() {
        assert!(available().unwrap() > 1 << 20);
    }
}
