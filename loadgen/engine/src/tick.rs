//! What a worker's thread uses, looked at ten times a second or more; and how late it comes to look.

use rustix::time::{ClockId, clock_gettime};

/// How often a worker looks at the clock.
pub(crate) const TICK_US: u64 = 10_000;

/// What a thread had used at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The moment, µs since the run's origin.
    pub(crate) at_us: u64,
    /// Processor time, µs.
    pub(crate) cpu_us: u64,
}

impl Usage {
    /// Of the calling thread.
    pub(crate) fn of_thread(now_us: u64) -> Self {
        Self { at_us: now_us, cpu_us: cpu_us(ClockId::ThreadCPUTime) }
    }

    /// Of the whole process.
    pub(crate) fn of_process(now_us: u64) -> Self {
        Self { at_us: now_us, cpu_us: cpu_us(ClockId::ProcessCPUTime) }
    }

    /// The share of one processor used since an earlier moment.
    pub(crate) fn share_since(&self, earlier: &Self) -> f64 {
        let took_us = self.at_us.saturating_sub(earlier.at_us).max(1);
        self.cpu_us.saturating_sub(earlier.cpu_us) as f64 / took_us as f64
    }
}

fn cpu_us(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec.cast_unsigned() * 1_000_000 + time.tv_nsec.cast_unsigned() / 1_000
}
