//! What all users of a run keep together: whether the target still answers, and which keys are ours.
//!
//! It is kept by [`super::User`] at every exchange, so that no experiment can forget to: a target is somebody's
//! server, and what was written there is to be cleaned up, and nothing else. The users of a load are too fast for that:
//! what they still hold is entered when the load has ended.

use contract::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::task::TaskTracker;

/// A target is suspected after so many exchanges running without an answer, and this long without one.
const SUSPECT_FAILURES: u32 = 3;
const SUSPECT_SILENCE: Duration = Duration::from_secs(3);

/// How a key came to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ownership {
    /// It was handed out to us; nothing was written under it.
    Handed,
    /// We wrote under it, or may have.
    Written,
}

/// Whether the target still responds, and which keys are ours.
#[derive(Debug)]
pub struct Ledger {
    state: Mutex<State>,
    /// What was begun, whether or not somebody still waits for it.
    under_way: TaskTracker,
}

#[derive(Debug)]
struct State {
    answered: Instant,
    failures: u32,
    /// Since the claim began.
    unclear: u32,
    last_failure: Option<Failure>,
    keys: BTreeMap<String, Ownership>,
    /// Keys under which we ever wrote, or may have.
    written: BTreeSet<String>,
    /// Keys under which a write had no answer, so that it may still take effect, even after the key was given back; and
    /// keys whose delete was refused or had no clear response.
    open_writes: BTreeSet<String>,
    /// Keys with a write or a delete that had no clear response: it may still take effect in the session of the key's
    /// next owner.
    unsettled: BTreeSet<String>,
}

impl Default for Ledger {
    fn default() -> Self {
        let state = State {
            answered: Instant::now(),
            failures: 0,
            unclear: 0,
            last_failure: None,
            keys: BTreeMap::new(),
            written: BTreeSet::new(),
            open_writes: BTreeSet::new(),
            unsettled: BTreeSet::new(),
        };
        Self { state: Mutex::new(state), under_way: TaskTracker::new() }
    }
}

impl Ledger {
    /// Exchanges and loads under way. What is dropped by who waits for it goes on here, and enters its keys when it ends.
    #[must_use]
    pub fn under_way(&self) -> &TaskTracker {
        &self.under_way
    }

    /// Waits, for so long at most, until nothing is under way any more.
    pub async fn settle(&self, at_most: Duration) {
        self.under_way.close();
        let _ = tokio::time::timeout(at_most, self.under_way.wait()).await;
    }

    /// Notes what came of an exchange.
    pub fn note_outcome(&self, failure: Option<&Failure>) {
        let mut state = self.state();
        match failure {
            None => {
                state.answered = Instant::now();
                state.failures = 0;
                state.last_failure = None;
            }
            Some(failure) => {
                state.failures += 1;
                state.unclear += 1;
                state.last_failure = Some(failure.clone());
            }
        }
    }

    /// Notes a response that does not say what was done.
    pub fn note_unclear(&self) {
        self.state().unclear += 1;
    }

    /// Resets the count of exchanges without a clear response.
    pub fn begin_claim(&self) {
        self.state().unclear = 0;
    }

    /// The number of this claim's exchanges without a clear response.
    #[must_use]
    pub fn unclear(&self) -> u32 {
        self.state().unclear
    }

    /// The last failure, where nothing has been answered for a suspiciously long time.
    #[must_use]
    pub fn suspicion(&self) -> Option<Failure> {
        let state = self.state();
        let silent = state.answered.elapsed() > SUSPECT_SILENCE && state.failures >= SUSPECT_FAILURES;
        state.last_failure.clone().filter(|_| silent)
    }

    /// The last failure, if nothing was answered since.
    #[must_use]
    pub fn last_failure(&self) -> Option<Failure> {
        self.state().last_failure.clone()
    }

    /// Notes a key as ours; false where it was so already, at least to this degree.
    pub fn own(&self, key: &str, how: Ownership) -> bool {
        let mut state = self.state();
        if how == Ownership::Written {
            state.written.insert(key.to_owned());
        }
        match state.keys.get_mut(key) {
            Some(before) if *before >= how => false,
            Some(before) => {
                *before = how;
                true
            }
            None => {
                state.keys.insert(key.to_owned(), how);
                true
            }
        }
    }

    /// How a key is ours.
    #[must_use]
    pub fn ownership(&self, key: &str) -> Option<Ownership> {
        self.state().keys.get(key).copied()
    }

    /// All keys that are ours.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.state().keys.keys().cloned().collect()
    }

    /// All keys under which we ever wrote, or may have.
    #[must_use]
    pub fn written(&self) -> Vec<String> {
        self.state().written.iter().cloned().collect()
    }

    /// Notes that a write under a key had no answer, or its delete no clear response: a document may be left there.
    pub fn note_open_write(&self, key: &str) {
        let mut state = self.state();
        state.open_writes.insert(key.to_owned());
        state.written.insert(key.to_owned());
    }

    /// The keys under which a document may be left, although they were given back.
    #[must_use]
    pub fn open_writes(&self) -> Vec<String> {
        self.state().open_writes.iter().cloned().collect()
    }

    /// Notes that a write or a delete under a key had no clear response.
    pub fn note_unsettled(&self, key: &str) {
        self.state().unsettled.insert(key.to_owned());
    }

    /// Keys with a write or a delete that had no clear response.
    #[must_use]
    pub fn unsettled(&self) -> BTreeSet<String> {
        let state = self.state();
        state.unsettled.union(&state.open_writes).cloned().collect()
    }

    /// Notes that keys are ours no longer.
    pub fn disown(&self, keys: &[String]) {
        let mut state = self.state();
        for key in keys {
            state.keys.remove(key);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole between any two statements that hold the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_written_once_it_was() {
        let ledger = Ledger::default();
        assert!(ledger.own("A4K", Ownership::Handed) && !ledger.own("A4K", Ownership::Handed));
        assert!(ledger.own("A4K", Ownership::Written) && !ledger.own("A4K", Ownership::Handed));
        assert_eq!(ledger.ownership("A4K"), Some(Ownership::Written));
        ledger.disown(&["A4K".to_owned()]);
        assert!(ledger.keys().is_empty());
    }

    #[test]
    fn a_target_that_just_answered_is_not_suspected() {
        let ledger = Ledger::default();
        ledger.note_outcome(None);
        (0..10).for_each(|_| ledger.note_outcome(Some(&Failure::TimedOut(Duration::from_secs(10)))));
        assert_eq!(ledger.suspicion(), None);
    }
}
