//! The model of files and the hint of free keys under shuttle: every system call, and every call of a hint, is one
//! step of the schedule.

use crate::model_fs::{StepsUnder, Turns};
use server::fs::memory::{Call, Called, FileId, Kernel, LockKind};
use server::hint::Freshness;
use server::keys::{Key, KeySpace};
use server::outside::SharedHint;
use server::protocol::{Hint, Look, Pick, World};
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A saves folder in a shuttle model, as a file system.
pub type ShuttleFs = Called<ShuttleSteps>;

/// Makes each call as one step of shuttle. It can only be made and used inside a shuttle model.
pub type ShuttleSteps = StepsUnder<Shuttle>;

/// Something that every use of is a step.
///
/// Not shuttle's own mutex: to give that back is a scheduling point as well, at which it is still held, and everybody
/// else's attempt to get it is another. A hundred users would make a hundred steps of waiting for each system call. So
/// the count of steps is what is scheduled, and a mutex of the standard library, which no step ends in, all that it
/// takes beside it.
#[derive(Debug)]
struct InTurn<T> {
    steps: AtomicUsize,
    shared: T,
}

impl<T> InTurn<T> {
    fn new(shared: T) -> Self {
        Self { steps: AtomicUsize::new(0), shared }
    }

    /// Begins a step, which others can come before.
    fn step(&self) -> &T {
        self.steps.fetch_add(1, Ordering::SeqCst);
        &self.shared
    }
}

/// Turns under shuttle.
#[derive(Debug)]
pub struct Shuttle {
    kernel: InTurn<Mutex<Kernel>>,
    waiting: Mutex<Vec<Waiting>>,
}

/// A thread that waits for a lock.
#[derive(Debug)]
struct Waiting {
    file: FileId,
    kind: LockKind,
    wake: Sender<()>,
}

impl Shuttle {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns for Shuttle {
    type Turn<'a> = MutexGuard<'a, Kernel>;

    fn new(kernel: Kernel) -> Self {
        Self { kernel: InTurn::new(Mutex::new(kernel)), waiting: Mutex::default() }
    }

    fn take(&self) -> MutexGuard<'_, Kernel> {
        self.kernel.step().lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&'a self, turn: MutexGuard<'a, Kernel>, call: &Call) -> MutexGuard<'a, Kernel> {
        let Call::Lock { file, kind } = *call else { unreachable!("{call} waits for nothing") };
        let (wake, woken) = channel();
        self.waiting().push(Waiting { file, kind, wake });
        drop(turn);
        // It is only dropped to be sent on: a thread that nobody wakes waits on, and shuttle finds the deadlock.
        let _ = woken.recv();
        self.take()
    }

    fn end_releasing(&self, turn: MutexGuard<'_, Kernel>) {
        let (ready, waiting): (Vec<Waiting>, _) =
            self.waiting().drain(..).partition(|one| turn.can_lock(one.file, one.kind));
        *self.waiting() = waiting;
        drop(turn);
        for one in ready {
            // Whoever waits still listens.
            let _ = one.wake.send(());
        }
    }
}

/// A server process's hint of free keys in a shuttle model: the server's own, each call of it a step.
#[derive(Debug)]
pub struct ShuttleHint(InTurn<SharedHint>);

impl ShuttleHint {
    /// A hint that believes every key free.
    #[must_use]
    pub fn new(space: KeySpace) -> Self {
        Self(InTurn::new(SharedHint::new(space)))
    }

    /// The same, with limits of its own on how old it may be.
    #[must_use]
    pub fn with_freshness(space: KeySpace, freshness: Freshness) -> Self {
        Self(InTurn::new(SharedHint::with_freshness(space, freshness)))
    }
}

impl Hint for ShuttleHint {
    async fn pick<W: World>(&self, world: &W) -> Pick {
        self.0.step().pick(world).await
    }

    async fn taken(&self, key: Key) {
        self.0.step().taken(key).await;
    }

    async fn freed(&self, key: Key) {
        self.0.step().freed(key).await;
    }

    async fn looked<W: World>(&self, world: &W, used: &[Key], look: Look) -> Option<Key> {
        self.0.step().looked(world, used, look).await
    }
}
