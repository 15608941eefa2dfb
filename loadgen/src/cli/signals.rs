//! What ends a run before its time.

use crate::print::stderr;
use std::future::pending;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Code of a run that was ended the hard way, as a shell reports SIGINT.
const KILLED: i32 = 130;

/// A terminal that is closed sends SIGHUP more than once: within this time it counts as one.
const SAME_HANGUP: Duration = Duration::from_secs(1);

/// Ends the run cleanly at the first SIGINT, SIGTERM or SIGHUP, and at once at the second.
pub(super) async fn stop_on_signal(stop: CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Then a signal ends the process at once, as usual.
        return;
    };
    // Under nohup a hangup is ignored, and stays so.
    let mut hangup = if is_hangup_ignored() { None } else { signal(SignalKind::hangup()).ok() };
    let mut stopped: Option<Instant> = None;
    loop {
        let is_hangup = tokio::select! {
            _ = interrupt.recv() => false,
            _ = terminate.recv() => false,
            () = hung_up(&mut hangup) => true,
        };
        match stopped {
            None => {
                stderr!("stopping: writing the report, then cleaning up the target (interrupt again to stop at once)");
                stopped = Some(Instant::now());
                stop.cancel();
            }
            Some(at) if is_hangup && at.elapsed() < SAME_HANGUP => {}
            Some(_) => std::process::exit(KILLED),
        }
    }
}

async fn hung_up(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => pending().await,
    }
}

/// Whether the process was started with SIGHUP ignored.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is signal 1, SIGHUP.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
