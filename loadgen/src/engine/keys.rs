//! Which keys the users of a run hold, all workers together: so that one handed out twice is noticed at once, and what
//! was written can be taken back at the end. Touched when a key is handed out or ended, and by nothing else.

use crate::client::ledger::{Ledger, Ownership};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Parts with a lock each, so that workers seldom meet.
const PARTS: usize = 64;

/// What is under a key that a user of the run holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It was handed out, and nothing written.
    Handed,
    /// A document of ours.
    Written,
    /// A write had no clear answer: there may be a document of ours, or, once the key is free again, another's.
    Unsure,
}

impl Hold {
    /// Enters a key that is still held when a run is over in a ledger, so that what is under it is taken back.
    pub fn enter(self, key: &str, ledger: &Ledger) {
        match self {
            Self::Handed => drop(ledger.own(key, Ownership::Handed)),
            Self::Written => drop(ledger.own(key, Ownership::Written)),
            Self::Unsure => ledger.note_open_write(key),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Keys {
    hasher: RandomState,
    parts: Vec<Mutex<HashMap<String, (u32, Hold)>>>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), parts: (0..PARTS).map(|_| Mutex::default()).collect() }
    }

    /// Notes that a key was handed to a user; false where another user holds it.
    pub(crate) fn hand(&self, key: &str, user: u32) -> bool {
        let mut part = self.part(key);
        if part.get(key).is_some_and(|(holder, _)| *holder != user) {
            return false;
        }
        part.insert(key.to_owned(), (user, Hold::Handed));
        true
    }

    /// Notes what is under a key, whoever holds it.
    pub(crate) fn note(&self, key: &str, user: u32, hold: Hold) {
        self.part(key).entry(key.to_owned()).or_insert((user, hold)).1 = hold;
    }

    /// Notes that its user is about to end a key, or has given it up.
    pub(crate) fn release(&self, key: &str, user: u32) {
        let mut part = self.part(key);
        if part.get(key).is_some_and(|(holder, _)| *holder == user) {
            part.remove(key);
        }
    }

    /// All keys that are held.
    pub(crate) fn held(&self) -> Vec<(String, Hold)> {
        let part = |part: &Mutex<HashMap<String, (u32, Hold)>>| -> Vec<(String, Hold)> {
            lock(part).iter().map(|(key, (_, hold))| (key.clone(), *hold)).collect()
        };
        self.parts.iter().flat_map(part).collect()
    }

    fn part(&self, key: &str) -> MutexGuard<'_, HashMap<String, (u32, Hold)>> {
        let hash = self.hasher.hash_one(key);
        lock(&self.parts[usize::try_from(hash % PARTS as u64).unwrap_or_default()])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one call on the map.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_handed_to_one_user_at_a_time() {
        let keys = Keys::new();
        assert!(keys.hand("A4K", 1) && keys.hand("A4K", 1));
        assert!(!keys.hand("A4K", 2));
        keys.release("A4K", 2);
        assert!(!keys.hand("A4K", 2), "only its holder can give it up");
        keys.note("A4K", 1, Hold::Written);
        assert_eq!(keys.held(), [("A4K".to_owned(), Hold::Written)]);
        keys.release("A4K", 1);
        assert!(keys.hand("A4K", 2));
    }

    #[test]
    fn what_is_under_a_key_decides_how_it_is_taken_back() {
        let ledger = Ledger::default();
        for (key, hold) in [("A4K", Hold::Handed), ("B4K", Hold::Written), ("C4K", Hold::Unsure)] {
            hold.enter(key, &ledger);
        }
        let owned = ["A4K", "B4K", "C4K"].map(|key| ledger.ownership(key));
        assert_eq!(owned, [Some(Ownership::Handed), Some(Ownership::Written), None]);
        assert_eq!(ledger.open_writes(), ["C4K"]);
    }
}
