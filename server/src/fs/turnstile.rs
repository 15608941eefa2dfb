//! Waiting for a lock that somebody else holds, without blocking the runtime and in order of arrival.
//!
//! A blocking `flock` needs a thread, and cannot be called off. So at most one thread waits for a file at a
//! time: requests for the same file queue before a turnstile, and only the one at its head has a thread wait in
//! the kernel. A request whose deadline passes there leaves its thread behind, holding the turn; when that
//! thread gets the lock at last, it drops it, and the next in the queue comes on. However long another process
//! holds a file, it costs one thread.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// A file, whatever it is called: device and inode.
pub(super) type Identity = (u64, u64);

/// The queues of waiting requests by file; one is there only while somebody waits.
#[derive(Debug, Default)]
pub(super) struct Turnstiles(Mutex<HashMap<Identity, Arc<Turn<()>>>>);

impl Turnstiles {
    /// Whether somebody waits for the file: then a newcomer has to queue, or it could overtake for ever.
    pub(super) fn is_queued(&self, file: Identity) -> bool {
        self.queues().contains_key(&file)
    }

    /// Waits for the turn, then runs `wait_in_kernel` on a thread of its own until it returns or the deadline
    /// has passed (`None`: for ever).
    ///
    /// # Errors
    /// `TimedOut` at the deadline; otherwise what `wait_in_kernel` says.
    pub(super) async fn pass(
        self: &Arc<Self>,
        file: Identity,
        deadline: Option<Duration>,
        wait_in_kernel: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let place =
            Place { queue: Arc::clone(self.queues().entry(file).or_default()), file, turnstiles: Arc::clone(self) };
        let waiting = async move {
            let turn = Arc::clone(&place.queue).lock_owned().await;
            let held = (turn, place);
            tokio::task::spawn_blocking(move || {
                let outcome = wait_in_kernel();
                leave(held);
                outcome
            })
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the thread waiting for the lock was lost")))
        };
        match deadline {
            None => waiting.await,
            Some(deadline) => tokio::time::timeout(deadline, waiting)
                .await
                .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "the lock is held by somebody else"))),
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Identity, Arc<Turn<()>>>> {
        // Only insertions and removals happen under this lock, so a panic elsewhere leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives up the turn first and the place after it, so that the queue is only forgotten when nobody holds it.
fn leave((turn, place): (OwnedMutexGuard<()>, Place)) {
    drop(turn);
    drop(place);
}

/// A place in the queue of one file. The last one to leave takes the queue away.
struct Place {
    queue: Arc<Turn<()>>,
    file: Identity,
    turnstiles: Arc<Turnstiles>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.turnstiles.queues();
        // Two owners are left when nobody else waits: the map and this place. Others are counted under the
        // same lock that lets newcomers in, so none can be missed.
        if Arc::strong_count(&self.queue) == 2 {
            queues.remove(&self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const FILE: Identity = (1, 2);

    /// The queue goes with the last place in it. A thread gives up its turn first and its place after, so whoever had the
    /// next turn may be through before.
    async fn is_forgotten(turnstiles: &Turnstiles) {
        let all_have_left = async {
            while turnstiles.is_queued(FILE) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), all_have_left).await.expect("the queue is forgotten");
    }

    #[tokio::test]
    async fn requests_pass_in_order_of_arrival_and_the_queue_is_forgotten() {
        let turnstiles = Arc::new(Turnstiles::default());
        let (open, gate) = mpsc::channel::<()>();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut gate = Some(gate);
        let mut passing: Vec<_> = (0..4)
            .map(|n| {
                let (gate, order) = (gate.take(), Arc::clone(&order));
                let turnstiles = Arc::clone(&turnstiles);
                // Boxed and polled in order below, so that they arrive in order.
                Box::pin(async move {
                    turnstiles
                        .pass(FILE, None, move || {
                            if let Some(gate) = gate {
                                gate.recv().expect("the test opens the gate");
                            }
                            order.lock().expect("no panic").push(n);
                            Ok(())
                        })
                        .await
                })
            })
            .collect();
        for one in &mut passing {
            assert!(super::super::ready(one).is_err(), "all wait");
        }
        assert!(turnstiles.is_queued(FILE));
        open.send(()).expect("the first waits at the gate");
        for one in passing {
            one.await.expect("passes");
        }
        assert_eq!(*order.lock().expect("no panic"), [0, 1, 2, 3]);
        is_forgotten(&turnstiles).await;
    }

    #[tokio::test]
    async fn a_request_that_gave_up_leaves_its_turn_to_its_thread() {
        let turnstiles = Arc::new(Turnstiles::default());
        let (open, gate) = mpsc::channel::<()>();
        let wait_for_gate = move || gate.recv().map_err(|_| io::Error::other("the gate is gone"));
        {
            let mut given_up = Box::pin(turnstiles.pass(FILE, None, wait_for_gate));
            assert!(super::super::ready(&mut given_up).is_err(), "it waits at the gate");
        }
        assert!(turnstiles.is_queued(FILE), "its thread still waits in the kernel");
        let next = turnstiles.pass(FILE, Some(Duration::ZERO), || Ok(())).await;
        assert_eq!(next.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        drop(open);
        turnstiles.pass(FILE, None, || Ok(())).await.expect("passes once the thread is back");
        is_forgotten(&turnstiles).await;
    }
}
