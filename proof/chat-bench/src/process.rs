//! What the kernel says about a process (Linux only; elsewhere nothing is known).

use std::fs;
use std::time::Duration;

/// A process on this machine.
#[derive(Debug, Clone)]
pub struct Process(String);

impl Process {
    /// The process that calls this.
    pub fn this() -> Self {
        Self("self".to_owned())
    }

    /// The process with this id.
    pub fn with_id(id: u32) -> Self {
        Self(id.to_string())
    }

    /// Resident memory in bytes: `VmRSS` of proc(5). Socket buffers in the kernel are not part of it.
    pub fn resident_bytes(&self) -> Option<u64> {
        resident(&fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?)
    }

    /// Processor time so far, of all its threads.
    pub fn cpu(&self) -> Option<Duration> {
        let ticks = cpu_ticks(&fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?)?;
        Some(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
    }
}

/// Raises the soft limit of open files to the hard one; answers how many files may be open.
pub fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    now.unwrap_or(u64::MAX)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn cpu_ticks(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
    let (_, fields) = stat.rsplit_once(") ")?;
    // proc(5): utime and stime are fields 14 and 15; the first one here is field 3.
    let mut times = fields.split(' ').skip(14 - 3);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1234 kB\nRssAnon: 1 kB\n"), Some(1234 * 1024));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn processor_time_is_found_behind_an_awkward_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 900 0 0 0 31 11 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks(""), None);
    }

    #[test]
    fn an_absent_process_is_not_measured() {
        assert_eq!(Process::with_id(u32::MAX).resident_bytes(), None);
        assert_eq!(Process::with_id(u32::MAX).cpu(), None);
    }
}
