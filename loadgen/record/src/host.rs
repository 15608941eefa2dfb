//! The machine that a run ran on.

use serde::{Deserialize, Serialize};

/// What a figure needs to be read by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system and version.
    pub os: String,
    /// Processors that the harness may use.
    pub cpus: usize,
    /// Memory; 0 where it is not known.
    pub memory_mb: u64,
}

impl Host {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let name = rustix::system::uname();
        let os = format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy());
        let memory_mb = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory_mb(&text)).unwrap_or(0);
        Self { os, cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get), memory_mb }
    }
}

fn memory_mb(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1_024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_is_read_from_the_kernels_table() {
        assert_eq!(super::memory_mb("MemTotal:       24684084 kB\nMemFree: 1 kB\n"), Some(24_105));
        assert_eq!(super::memory_mb("nothing"), None);
    }
}
