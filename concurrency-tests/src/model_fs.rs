//! The model of files under a model checker: every system call is one step of the search.

use loom::sync::{Condvar, Mutex, MutexGuard};
use server::fs::memory::{Call, Called, Calls, FileId, Kernel, Outcome};
use std::ops::DerefMut;
use std::sync::{Arc, PoisonError};

/// A saves folder in a loom model, as a file system.
pub type ModelFs = Called<Steps>;

/// Makes each call as one step of loom.
///
/// It can only be made and used inside [`crate::explore()`].
pub type Steps = StepsUnder<Loom>;

/// A kernel that the threads of a model checker come to one at a time.
pub trait Turns: Send + Sync + 'static {
    /// A turn: whoever has it has the kernel to itself.
    type Turn<'a>: DerefMut<Target = Kernel>;

    /// A kernel that nobody is at.
    fn new(kernel: Kernel) -> Self;
    /// Takes a turn: a step of the search, which others can come before.
    fn take(&self) -> Self::Turn<'_>;
    /// Ends a turn in which `call` had to wait for a lock, and takes another once it may be had.
    fn wait<'a>(&'a self, turn: Self::Turn<'a>, call: &Call) -> Self::Turn<'a>;
    /// Ends a turn in which a lock may have been released.
    fn end_releasing(&self, turn: Self::Turn<'_>);
}

/// Makes each call as one step of a model checker. Clones share the folder, as server processes do.
///
/// No method is ever pending: a lock that is held elsewhere blocks the model's thread, and a thread that nothing can
/// wake is found by the checker as a deadlock.
#[derive(Debug)]
pub struct StepsUnder<T>(
    // Not the checker's: who drops it last is of no interest, and would only multiply the interleavings.
    Arc<Shared<T>>,
);

#[derive(Debug)]
struct Shared<T> {
    turns: T,
    can_exchange: bool,
}

/// All files of a model belong to one owner: it has one kernel, and nobody is killed in it.
const OWNER: u16 = 0;

impl<T: Turns> StepsUnder<T> {
    /// A folder as it is when the scenario begins.
    #[must_use]
    pub fn new(folder: Kernel) -> Self {
        Self::with(folder, true)
    }

    /// The same on a file system that cannot exchange two names.
    #[must_use]
    pub fn without_exchange(folder: Kernel) -> Self {
        Self::with(folder, false)
    }

    fn with(folder: Kernel, can_exchange: bool) -> Self {
        Self(Arc::new(Shared { turns: T::new(folder), can_exchange }))
    }

    /// One step: the calling thread has the kernel to itself.
    #[must_use]
    pub fn kernel(&self) -> T::Turn<'_> {
        self.0.turns.take()
    }
}

impl<T> Clone for StepsUnder<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Turns> Calls for StepsUnder<T> {
    async fn call(&self, call: Call) -> Outcome {
        let mut turn = self.kernel();
        loop {
            match turn.call(OWNER, &call) {
                Some(outcome) => {
                    if matches!(call, Call::Unlock { .. }) {
                        self.0.turns.end_releasing(turn);
                    }
                    return outcome;
                }
                // Whoever is woken finds the lock taken again, perhaps: flock promises no order among those who wait.
                None => turn = self.0.turns.wait(turn, &call),
            }
        }
    }

    fn close(&self, file: FileId) {
        // A check that failed in a step left the mutex poisoned: to lock it again would be a panic in a panic,
        // which ends the process without saying what the check had to say.
        if std::thread::panicking() {
            return;
        }
        let mut turn = self.kernel();
        let held_a_lock = turn.holds_lock(file);
        turn.call(OWNER, &Call::Close { file });
        if held_a_lock {
            self.0.turns.end_releasing(turn);
        }
    }

    fn can_exchange(&self) -> bool {
        self.0.can_exchange
    }
}

/// Turns under loom. There is one mutex for everything and nothing atomic beside it, so that the interleavings that
/// loom tries are exactly the orders in which the threads' system calls can come.
#[derive(Debug)]
pub struct Loom {
    kernel: Mutex<Kernel>,
    lock_released: Condvar,
}

impl Turns for Loom {
    type Turn<'a> = MutexGuard<'a, Kernel>;

    fn new(kernel: Kernel) -> Self {
        Self { kernel: Mutex::new(kernel), lock_released: Condvar::new() }
    }

    fn take(&self) -> MutexGuard<'_, Kernel> {
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&'a self, turn: MutexGuard<'a, Kernel>, _: &Call) -> MutexGuard<'a, Kernel> {
        self.lock_released.wait(turn).unwrap_or_else(PoisonError::into_inner)
    }

    fn end_releasing(&self, turn: MutexGuard<'_, Kernel>) {
        // Within the turn, so that waking is no step of its own.
        self.lock_released.notify_all();
        drop(turn);
    }
}
