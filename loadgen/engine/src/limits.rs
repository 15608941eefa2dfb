//! What the system must allow a process that holds thousands of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::disable_transparent_huge_pages;
use std::fs;

/// Open files besides the users' connections: logs, the run's files, timers, and up to 64 connections of those who watch.
const OTHER_FILES: u64 = 200;

/// From so many users on, what each takes counts more than how fast it is.
pub(crate) const MANY_USERS: u32 = 1_000;

/// Prepares this process for so many users, each with a connection of its own.
///
/// # Errors
/// A sentence that says what the system allows, and what to do.
pub fn make_room(users: u32) -> Result<(), String> {
    if users >= MANY_USERS {
        // The allocator asks for huge pages, of which thousands of small buffers fill a part each: a third more memory.
        // Where they cannot be done without, it is only that.
        let _ = disable_transparent_huge_pages(true);
    }
    allow_connections(users)
}

/// Raises the limit of open files so that so many users can each have a connection. Processes that are started later
/// inherit it.
///
/// # Errors
/// A sentence that says what the system allows, and what to do.
fn allow_connections(users: u32) -> Result<(), String> {
    let needed = u64::from(users) + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        let allowed = limit.maximum.unwrap_or_default();
        return Err(format!(
            "{users} users, each with its own connection, need {needed} open files, and this system allows {allowed}: \
             raise the hard limit (ulimit -Hn {needed}), or take fewer --users"
        ));
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .map_err(|error| format!("cannot raise the limit of open files to {needed}: {error}"))
}

/// Memory of this process, bytes: now, and at most until now. Zero where the system does not tell.
pub(crate) fn memory_bytes() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    let bytes = |name| line(name).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() * 1_024;
    (bytes("VmRSS:"), bytes("VmHWM:"))
}
