//! When the harness itself was held up, so that a pause of the machine is not taken for the server's.

use engine::client::Exchange;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often the watch looks at the clock.
const TICK: Duration = Duration::from_millis(2);

/// A tick that comes later than this was held up: the timer's own grain is 1 ms.
const LATE: Duration = Duration::from_millis(10);

/// Watches from its making until it is dropped.
#[derive(Debug)]
pub struct StallWatch {
    stalls: Arc<Mutex<Vec<Stall>>>,
    watching: JoinHandle<()>,
}

/// A time in which the harness did not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// Begin, µs since the start of the run.
    pub from_us: u64,
    /// End, µs since the start of the run.
    pub to_us: u64,
}

impl StallWatch {
    /// Starts to watch; times are counted from `origin`.
    #[must_use]
    pub fn start(origin: Instant) -> Self {
        let stalls: Arc<Mutex<Vec<Stall>>> = Arc::default();
        let seen = Arc::clone(&stalls);
        let watching = tokio::spawn(async move {
            loop {
                let slept = Instant::now();
                tokio::time::sleep(TICK).await;
                if slept.elapsed() > TICK + LATE {
                    let us = |time: Instant| u64::try_from((time - origin).as_micros()).unwrap_or(u64::MAX);
                    super::lock(&seen).push(Stall { from_us: us(slept), to_us: us(Instant::now()) });
                }
            }
        });
        Self { stalls, watching }
    }

    /// The stalls until now.
    #[must_use]
    pub fn stalls(&self) -> Vec<Stall> {
        super::lock(&self.stalls).clone()
    }
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

/// Whether an exchange says something of the server's speed: none of it fell into a stall of the harness.
#[must_use]
pub fn is_undisturbed(exchange: &Exchange, stalls: &[Stall]) -> bool {
    !stalls.iter().any(|stall| stall.from_us <= exchange.to_us && exchange.from_us <= stall.to_us)
}
