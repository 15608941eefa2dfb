//! The clock of a worker, and waiting until a moment on it.

use rustix::io::{Errno, read};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::cell::RefCell;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Instant;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A clock that counts µs since the run's origin, and wakes whoever waits for a moment.
pub(crate) trait Time: Clone + 'static {
    /// Now.
    fn now_us(&self) -> u64;

    /// Ready at that moment, at once if it has passed, and when the waiting is called off.
    fn until(&self, at_us: u64) -> impl Future<Output = ()>;

    /// Calls off all waiting, now and from now on.
    fn call_off(&self);
}

/// The system's monotonic clock. The runtime's own timers have a grain of a millisecond, many times what a request
/// takes: a timer of the kernel's is exact to some tens of microseconds.
#[derive(Clone)]
pub(crate) struct RealTime(Rc<Inner>);

struct Inner {
    origin: Instant,
    timer: AsyncFd<OwnedFd>,
    waiting: RefCell<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// Who waits; the earliest on top.
    heap: BinaryHeap<Sleeper>,
    /// When the timer goes off.
    armed_us: Option<u64>,
    is_called_off: bool,
}

struct Sleeper {
    at_us: u64,
    waker: Waker,
}

impl RealTime {
    /// A clock for the runtime that this is called in.
    ///
    /// # Errors
    /// Where the system gives no timer.
    pub(crate) fn new(origin: Instant) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        let timer = registered(timer)?;
        Ok(Self(Rc::new(Inner { origin, timer, waiting: RefCell::default() })))
    }

    /// Wakes whoever's moment has come, for as long as it is polled: every runtime with such a clock has one task do it.
    pub(crate) async fn drive(self) {
        let mut expirations = [0; 8];
        loop {
            let Ok(mut ready) = self.0.timer.readable().await else { return };
            match read(self.0.timer.get_ref(), &mut expirations) {
                Ok(_) | Err(Errno::INTR) => {}
                // It was armed anew meanwhile.
                Err(_) => ready.clear_ready(),
            }
            drop(ready);
            self.wake_due();
        }
    }

    fn wake_due(&self) {
        let mut waiting = self.0.waiting.borrow_mut();
        waiting.armed_us = None;
        let now_us = self.now_us();
        while waiting.heap.peek().is_some_and(|sleeper| sleeper.at_us <= now_us) {
            if let Some(sleeper) = waiting.heap.pop() {
                sleeper.waker.wake();
            }
        }
        let next_us = waiting.heap.peek().map(|sleeper| sleeper.at_us);
        drop(waiting);
        if let Some(at_us) = next_us {
            self.arm(at_us);
        }
    }

    /// Sets the timer, unless it goes off earlier anyway.
    fn arm(&self, at_us: u64) {
        let mut waiting = self.0.waiting.borrow_mut();
        if waiting.armed_us.is_some_and(|armed_us| armed_us <= at_us) {
            return;
        }
        waiting.armed_us = Some(at_us);
        // No time at all would disarm it.
        let in_us = at_us.saturating_sub(self.now_us()).max(1);
        let it_value =
            Timespec { tv_sec: (in_us / 1_000_000).cast_signed(), tv_nsec: (in_us % 1_000_000 * 1_000).cast_signed() };
        let spec = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        // The arguments are valid, and then it cannot fail.
        let _ = timerfd_settime(&self.0.timer, TimerfdTimerFlags::empty(), &spec);
    }
}

#[allow(unsafe_code, reason = "tokio has no safe way to wait for a timer of the kernel's")]
fn registered(timer: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` stays open, and the same, until it is dropped; it is moved in here, lent out shared only, and
    // never taken out or replaced.
    Ok(unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?)
}

impl Time for RealTime {
    fn now_us(&self) -> u64 {
        u64::try_from(self.0.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    async fn until(&self, at_us: u64) {
        let mut is_registered = false;
        poll_fn(|context| {
            if self.now_us() >= at_us || self.0.waiting.borrow().is_called_off {
                return Poll::Ready(());
            }
            if !is_registered {
                is_registered = true;
                self.0.waiting.borrow_mut().heap.push(Sleeper { at_us, waker: context.waker().clone() });
                self.arm(at_us);
            }
            Poll::Pending
        })
        .await;
    }

    fn call_off(&self) {
        let mut waiting = self.0.waiting.borrow_mut();
        waiting.is_called_off = true;
        waiting.heap.drain().for_each(|sleeper| sleeper.waker.wake());
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.at_us == other.at_us
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    /// The earliest is the greatest: it is on top of a heap.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at_us.cmp(&self.at_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::spawn_local;

    /// Runs on a runtime with a clock of its own.
    fn with_clock<F: Future<Output = ()>>(test: impl FnOnce(RealTime) -> F) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(<_>::default());
        runtime.expect("a runtime").block_on(async {
            let time = RealTime::new(Instant::now()).expect("a timer");
            spawn_local(time.clone().drive());
            test(time).await;
        });
    }

    #[test]
    fn whoever_waits_is_woken_at_its_moment_and_the_earliest_first() {
        with_clock(|time| async move {
            let order: Rc<RefCell<Vec<u64>>> = Rc::default();
            let now_us = time.now_us();
            let waiting = [30_000, 10_000, 20_000, 0].map(|in_us| {
                let (time, order) = (time.clone(), Rc::clone(&order));
                spawn_local(async move {
                    time.until(now_us + in_us).await;
                    assert!(time.now_us() >= now_us + in_us, "not before");
                    order.borrow_mut().push(in_us);
                })
            });
            for one in waiting {
                one.await.expect("is woken");
            }
            assert_eq!(*order.borrow(), [0, 10_000, 20_000, 30_000]);
        });
    }

    #[test]
    fn waiting_that_is_called_off_ends_and_none_begins_any_more() {
        with_clock(|time| async move {
            let never = spawn_local({
                let time = time.clone();
                async move { time.until(u64::MAX / 2).await }
            });
            tokio::task::yield_now().await;
            time.call_off();
            never.await.expect("is woken");
            time.until(u64::MAX / 2).await;
        });
    }
}
