//! Which keys the users of a run hold, all workers together: so that one handed out twice is noticed at once, and what
//! was written can be taken back at the end. Touched when a key is handed out or ended, and by nothing else.

use crate::client::ledger::{Ledger, Ownership};
use stats::keys::THREE_CHARACTER_KEYS;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Parts with a lock each, so that workers seldom meet.
const PARTS: usize = 64;

/// Half of all keys. While fewer can be in use, a server that tries 100 random keys finds none free with a chance below
/// 2⁻¹⁰⁰, so one that reports this is wrong.
const HALF: usize = THREE_CHARACTER_KEYS / 2;

/// Nine tenths of all keys. While fewer are in use, 100 random attempts find none free in 3 of 100,000 requests at most.
const NEARLY_ALL: usize = THREE_CHARACTER_KEYS / 10 * 9;

/// What is under a key that a user of the run holds, or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It was handed out, and nothing written.
    Handed,
    /// A document of ours.
    Written,
    /// An operation had no clear response: there may be a document of ours or, once the key is free again, another
    /// user's.
    Unsure,
}

impl Hold {
    /// Enters a key in a ledger after a run, so that what is under it is cleaned up.
    pub fn enter(self, key: &str, ledger: &Ledger) {
        match self {
            Self::Handed => drop(ledger.own(key, Ownership::Handed)),
            Self::Written => drop(ledger.own(key, Ownership::Written)),
            Self::Unsure => ledger.note_open_write(key),
        }
    }
}

/// What is known about a key when it is handed to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handing {
    /// No other user has it.
    Own,
    /// An operation of an earlier holder had no clear response, and may still take effect: nothing found under the key
    /// accuses anybody.
    Unsettled,
    /// Another user holds it.
    Duplicate,
}

/// The keys that users of a run hold or held.
#[derive(Debug)]
pub(crate) struct Keys {
    hasher: RandomState,
    parts: Vec<Mutex<Part>>,
    /// Most keys that can be in use at the target; [`usize::MAX`] if others may use some.
    most_in_use: AtomicUsize,
    /// Keys that were in use before, if that is known.
    used_before: usize,
}

#[derive(Debug, Default)]
struct Part {
    entries: HashMap<String, Entry>,
    /// All keys ever handed out; no longer extended once half of all keys may be in use.
    ever_handed: HashSet<String>,
}

/// What is known about a key.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Who certainly holds it; `None` if it may be free.
    holder: Option<u32>,
    hold: Hold,
    /// An operation under it had no clear response. That may take effect at any later time, so this stays set.
    is_unsettled: bool,
}

impl Keys {
    /// No keys are held yet. `in_use` is the number of keys in use at the target; `None` if others may use some.
    pub(crate) fn new(in_use: Option<usize>) -> Self {
        let most_in_use = AtomicUsize::new(in_use.unwrap_or(usize::MAX));
        let parts = (0..PARTS).map(|_| Mutex::default()).collect();
        Self { hasher: RandomState::new(), parts, most_in_use, used_before: in_use.unwrap_or(0) }
    }

    /// Whether so few keys are free that 100 attempts may well find none.
    pub(crate) fn are_nearly_exhausted(&self) -> bool {
        let held: usize = self.parts.iter().map(|part| lock(part).entries.len()).sum();
        self.used_before + held >= NEARLY_ALL
    }

    /// Whether so many keys are free that 100 attempts must find one.
    pub(crate) fn are_mostly_free(&self) -> bool {
        self.most_in_use.load(Ordering::Relaxed) < HALF
    }

    /// Most keys that can be in use at the target, if that is known and less than half of all.
    pub(crate) fn most_in_use(&self) -> Option<usize> {
        Some(self.most_in_use.load(Ordering::Relaxed)).filter(|most| *most < HALF)
    }

    /// Notes that a key may have been handed out that nobody knows of.
    pub(crate) fn may_have_handed(&self) {
        if self.are_mostly_free() {
            self.most_in_use.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that a key was handed to a user.
    pub(crate) fn hand(&self, key: &str, user: u32) -> Handing {
        let mut part = self.part(key);
        if self.are_mostly_free() && part.ever_handed.insert(key.to_owned()) {
            self.most_in_use.fetch_add(1, Ordering::Relaxed);
        }
        let Some(entry) = part.entries.get_mut(key) else {
            part.entries.insert(key.to_owned(), Entry { holder: Some(user), hold: Hold::Handed, is_unsettled: false });
            return Handing::Own;
        };
        if entry.holder.is_some_and(|holder| holder != user) {
            return Handing::Duplicate;
        }
        entry.holder = Some(user);
        if entry.is_unsettled {
            return Handing::Unsettled;
        }
        entry.hold = Hold::Handed;
        Handing::Own
    }

    /// Notes that a user's document is under its key.
    pub(crate) fn written(&self, key: &str, user: u32) {
        self.keep(key, user, Hold::Written);
    }

    /// Notes that a user still holds a key.
    pub(crate) fn keep(&self, key: &str, user: u32, hold: Hold) {
        self.change(key, |entry| {
            if !entry.is_unsettled {
                *entry = Entry { holder: entry.holder.or(Some(user)), hold, is_unsettled: false };
            }
        });
    }

    /// Notes that a write under a key had no clear response.
    pub(crate) fn unsettle(&self, key: &str) {
        self.change(key, |entry| *entry = Entry { hold: Hold::Unsure, is_unsettled: true, ..*entry });
    }

    /// Notes that, after an operation without a clear response, a user may have lost its key: from now on it may be
    /// handed to anybody.
    pub(crate) fn may_be_free(&self, key: &str, user: u32) {
        self.unsettle(key);
        self.release(key, user);
    }

    /// Notes that its user is about to end a key, or has given it up.
    pub(crate) fn release(&self, key: &str, user: u32) {
        let mut part = self.part(key);
        if let Some(entry) = part.entries.get_mut(key).filter(|entry| entry.holder == Some(user)) {
            if entry.is_unsettled {
                entry.holder = None;
            } else {
                part.entries.remove(key);
            }
        }
    }

    /// All keys that are held, or that may still have a document of ours.
    pub(crate) fn held(&self) -> Vec<(String, Hold)> {
        let part = |part: &Mutex<Part>| -> Vec<(String, Hold)> {
            lock(part).entries.iter().map(|(key, entry)| (key.clone(), entry.hold)).collect()
        };
        self.parts.iter().flat_map(part).collect()
    }

    /// Changes what is known about a key, even if nobody is known to hold it.
    fn change(&self, key: &str, change: impl FnOnce(&mut Entry)) {
        let mut part = self.part(key);
        if let Some(entry) = part.entries.get_mut(key) {
            return change(entry);
        }
        let mut entry = Entry { holder: None, hold: Hold::Unsure, is_unsettled: false };
        change(&mut entry);
        part.entries.insert(key.to_owned(), entry);
    }

    fn part(&self, key: &str) -> MutexGuard<'_, Part> {
        let hash = self.hasher.hash_one(key);
        lock(&self.parts[usize::try_from(hash % PARTS as u64).unwrap_or_default()])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is a single call on a map or a set, so a panic leaves no half-made one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_handed_to_one_user_at_a_time() {
        let keys = Keys::new(None);
        assert_eq!([keys.hand("A4K", 1), keys.hand("A4K", 1)], [Handing::Own; 2]);
        assert_eq!(keys.hand("A4K", 2), Handing::Duplicate);
        keys.release("A4K", 2);
        assert_eq!(keys.hand("A4K", 2), Handing::Duplicate, "only its holder can give it up");
        keys.written("A4K", 1);
        assert_eq!(keys.held(), [("A4K".to_owned(), Hold::Written)]);
        keys.release("A4K", 1);
        assert_eq!((keys.held(), keys.hand("A4K", 2)), (vec![], Handing::Own));
    }

    /// Regression: a run kept the keys of sessions whose delete had no clear response. The server had done those
    /// deletes, and when it handed the keys out again, the run reported 272 duplicate keys.
    #[test]
    fn a_key_that_may_be_free_is_anybodys_and_stays_unsettled() {
        let keys = Keys::new(None);
        keys.hand("A4K", 1);
        keys.written("A4K", 1);
        keys.may_be_free("A4K", 1);
        assert_eq!(keys.held(), [("A4K".to_owned(), Hold::Unsure)], "a document of ours may still be there");
        assert_eq!([keys.hand("A4K", 2), keys.hand("A4K", 3)], [Handing::Unsettled, Handing::Duplicate]);
        keys.written("A4K", 2);
        assert_eq!(keys.held(), [("A4K".to_owned(), Hold::Unsure)], "the first user's delete may end this one too");
        keys.release("A4K", 2);
        assert_eq!(keys.hand("A4K", 3), Handing::Unsettled);
    }

    #[test]
    fn a_write_that_may_come_late_leaves_the_key_with_its_user_until_that_ends_it() {
        let keys = Keys::new(None);
        keys.hand("A4K", 1);
        keys.unsettle("A4K");
        assert_eq!(keys.hand("A4K", 2), Handing::Duplicate);
        keys.release("A4K", 1);
        assert_eq!((keys.hand("A4K", 2), keys.held()), (Handing::Unsettled, vec![("A4K".to_owned(), Hold::Unsure)]));
    }

    #[test]
    fn keys_are_mostly_free_until_half_of_them_may_have_been_handed_out() {
        let keys = Keys::new(Some(HALF - 3));
        for key in ["A4K", "A4K", "B4K"] {
            keys.hand(key, 1);
            keys.release(key, 1);
            assert!(keys.are_mostly_free(), "an ended key counts once more only when it is another");
        }
        assert_eq!(keys.most_in_use(), Some(HALF - 1));
        keys.may_have_handed();
        assert!(!keys.are_mostly_free() && keys.most_in_use().is_none());
        assert!(!Keys::new(None).are_mostly_free(), "others may use them");
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
