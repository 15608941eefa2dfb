//! The saves folder and who works in it: the part of the two protocols that chance decides.

use super::key_hash::ByKey;
use super::keys::Keys;
use super::parameters::{Parameters, Protocol, nanoseconds};
use super::random::Draws;
use std::collections::{HashMap, HashSet, VecDeque};

/// What came of a `generate-key`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Handed {
    /// The key, or none: 503.
    pub(super) key: Option<u32>,
    /// Keys tried.
    pub(super) attempts: u32,
    /// Whether somebody works on that key already.
    pub(super) is_shared: bool,
    /// The chance that this would be so, where a key was found.
    pub(super) shared_chance: f64,
}

/// Keys in use, and why.
pub(super) struct Folder {
    protocol: Protocol,
    keys: Keys,
    /// How many users work on a key, from when it was handed out until their session ends. Touched twice a session, so
    /// that the hash map costs nothing to speak of; its order is never looked at.
    holders: HashMap<u32, u32, ByKey>,
    /// Keys that more than one has worked on, as long as anybody does.
    contested: HashSet<u32, ByKey>,
    /// How many keys somebody works on that are not in the folder, and so can be handed out once more.
    exposed: u64,
    /// Keys that are reserved and not instantiated, and when that ends.
    reserved: HashMap<u32, u64, ByKey>,
    /// All reservations in the order of their ends, which is that of their beginnings; some have been instantiated.
    reservations: VecDeque<(u64, u32)>,
}

impl Folder {
    /// As it is at the start.
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self {
            protocol: parameters.protocol,
            keys: Keys::new(parameters.keys.count().unwrap_or(0), parameters.initial.documents),
            holders: HashMap::default(),
            contested: HashSet::default(),
            exposed: 0,
            reserved: HashMap::default(),
            reservations: VecDeque::new(),
        }
    }

    /// Keys in the folder, the reserved ones included.
    pub(super) fn used(&self) -> u64 {
        self.keys.used()
    }

    /// `generate-key`, by the protocol.
    pub(super) fn hand_out(&mut self, now_ns: u64, draws: &mut Draws) -> Handed {
        // Either protocol, where it finds a key, has drawn it from the free ones.
        let shared_chance = self.exposed as f64 / self.keys.free().max(1) as f64;
        let (key, attempts) = match self.protocol {
            Protocol::Documented { max_attempts } => self.search(max_attempts, draws),
            Protocol::Hardened { .. } => self.find(draws),
        };
        let Some(key) = key else { return Handed { key, attempts, is_shared: false, shared_chance: 0.0 } };
        let is_shared = self.change(key, |folder| {
            if let Protocol::Hardened { reservation_ttl_s } = folder.protocol {
                folder.reserve(key, now_ns + nanoseconds(reservation_ttl_s));
            }
            folder.hold(key)
        });
        Handed { key: Some(key), attempts, is_shared, shared_chance }
    }

    /// Draws from all keys, until one is not in the folder.
    fn search(&self, max_attempts: u32, draws: &mut Draws) -> (Option<u32>, u32) {
        for attempts in 1..=max_attempts {
            let key = self.keys.draw(draws);
            if !self.keys.contains(key) {
                return (Some(key), attempts);
            }
        }
        (None, max_attempts)
    }

    /// A free key, which the hint knows; that there is none takes no attempt.
    fn find(&self, draws: &mut Draws) -> (Option<u32>, u32) {
        let key = self.keys.draw_free(draws);
        (key, u32::from(key.is_some()))
    }

    /// Puts the key into the folder, for nobody else to find.
    fn reserve(&mut self, key: u32, ends_ns: u64) {
        self.keys.insert(key);
        self.reserved.insert(key, ends_ns);
        self.reservations.push_back((ends_ns, key));
    }

    /// One more works on the key; answers whether somebody did already.
    fn hold(&mut self, key: u32) -> bool {
        let holders = self.holders.entry(key).or_insert(0);
        *holders += 1;
        let is_shared = *holders > 1;
        if is_shared {
            self.contested.insert(key);
        }
        is_shared
    }

    /// One less works on the key, whose session was abandoned.
    pub(super) fn release(&mut self, key: u32) {
        self.change(key, |folder| folder.let_go(key));
    }

    fn let_go(&mut self, key: u32) {
        if let Some(holders) = self.holders.get_mut(&key) {
            *holders -= 1;
            if *holders == 0 {
                self.holders.remove(&key);
                self.contested.remove(&key);
            }
        }
    }

    /// `instantiate`: the document is there, whether it was or not.
    pub(super) fn instantiate(&mut self, key: u32) {
        self.change(key, |folder| folder.keys.insert(key));
        self.reserved.remove(&key);
    }

    /// `save`: the document is there, whether it was or not. Only where somebody else worked on the key can it have been
    /// deleted; the other keys need no look, of which each is a miss of the processor's cache.
    pub(super) fn save(&mut self, key: u32) {
        if !self.contested.is_empty() && self.contested.contains(&key) {
            self.instantiate(key);
        }
    }

    /// `delete`: the document is gone, and who asked for that works on it no longer.
    pub(super) fn delete(&mut self, key: u32) {
        self.change(key, |folder| {
            folder.keys.remove(key);
            folder.let_go(key);
        });
        self.reserved.remove(&key);
    }

    /// Archives a document, unless somebody works on it: one who shared the key, and whose saves keep it young.
    pub(super) fn archive(&mut self, key: u32) {
        if !self.holders.contains_key(&key) {
            self.keys.remove(key);
        }
    }

    /// Changes something about a key, and keeps count of the keys exposed.
    fn change<R>(&mut self, key: u32, change: impl FnOnce(&mut Self) -> R) -> R {
        let is_exposed = |folder: &Self| u64::from(folder.holders.contains_key(&key) && !folder.keys.contains(key));
        let before = is_exposed(self);
        let changed = change(self);
        self.exposed = self.exposed + is_exposed(self) - before;
        changed
    }

    /// Gives back the keys whose reservations have ended by now; answers how many.
    pub(super) fn end_reservations(&mut self, now_ns: u64) -> u64 {
        let mut given_back = 0;
        while let Some(&(ends_ns, key)) = self.reservations.front() {
            let is_reserved = self.reserved.get(&key) == Some(&ends_ns);
            if is_reserved && ends_ns > now_ns {
                break;
            }
            if is_reserved {
                self.change(key, |folder| folder.keys.remove(key));
                self.reserved.remove(&key);
                given_back += 1;
            }
            self.reservations.pop_front();
        }
        given_back
    }

    /// When the oldest reservation ends.
    pub(super) fn next_reservation_end_ns(&self) -> Option<u64> {
        self.reservations.front().map(|reservation| reservation.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parameters::Initial;
    use super::super::{Calibration, Distribution};
    use super::*;
    use crate::keys::KeySpace;

    const SECOND_NS: u64 = 1_000_000_000;
    const DOCUMENTED: Protocol = Protocol::Documented { max_attempts: 100 };
    const HARDENED: Protocol = Protocol::Hardened { reservation_ttl_s: 2.0 };

    /// A folder in which one key alone is free.
    fn one_free(protocol: Protocol) -> (Folder, Draws) {
        let none = || Distribution::Fixed(0.0);
        let calibration = Calibration {
            cores: 1,
            generate_key_us: none(),
            attempt_us: 0.0,
            instantiate_us: none(),
            restore_us: none(),
            save_us: none(),
            delete_us: none(),
            window_s: none(),
            lock_shares: 0,
        };
        let mut parameters = calibration.parameters(KeySpace { alphabet: 4, length: 1 }, protocol, 2);
        parameters.initial = Initial { documents: 3, ages: false };
        (Folder::new(&parameters), Draws::of(1))
    }

    #[test]
    fn a_documented_key_is_handed_out_again_until_it_is_instantiated() {
        let (mut folder, mut draws) = one_free(DOCUMENTED);
        let first = folder.hand_out(0, &mut draws);
        assert_eq!((first.key, first.is_shared, first.shared_chance > 0.0), (Some(3), false, false));
        let second = folder.hand_out(0, &mut draws);
        assert_eq!((second.key, second.is_shared, second.shared_chance > 0.99), (Some(3), true, true));
        folder.instantiate(3);
        assert_eq!(folder.hand_out(0, &mut draws).key, None);
    }

    #[test]
    fn a_save_brings_back_the_document_that_another_deleted() {
        let (mut folder, mut draws) = one_free(DOCUMENTED);
        (0..2).for_each(|_| _ = folder.hand_out(0, &mut draws));
        folder.instantiate(3);
        folder.delete(3);
        assert_eq!((folder.used(), folder.exposed), (3, 1), "one of the two works on");
        folder.save(3);
        assert_eq!((folder.used(), folder.exposed), (4, 0));
        folder.archive(3);
        assert_eq!(folder.used(), 4, "somebody works on it");
        folder.release(3);
        folder.archive(3);
        assert_eq!((folder.used(), folder.contested.len(), folder.holders.len()), (3, 0, 0));
    }

    #[test]
    fn a_reservation_ends_in_time_unless_it_was_instantiated() {
        let (mut folder, mut draws) = one_free(HARDENED);
        assert_eq!(folder.hand_out(0, &mut draws).key, Some(3));
        assert_eq!(folder.hand_out(SECOND_NS, &mut draws).key, None, "it is reserved");
        assert_eq!(folder.next_reservation_end_ns(), Some(2 * SECOND_NS));
        assert_eq!((folder.end_reservations(2 * SECOND_NS - 1), folder.used()), (0, 4));
        assert_eq!((folder.end_reservations(2 * SECOND_NS), folder.used(), folder.exposed), (1, 3, 1));
        let second = folder.hand_out(3 * SECOND_NS, &mut draws);
        assert_eq!((second.key, second.is_shared), (Some(3), true), "the first is late");
        folder.instantiate(3);
        assert_eq!((folder.end_reservations(5 * SECOND_NS), folder.used()), (0, 4), "it is a document");
    }

    #[test]
    fn every_attempt_can_be_the_one_that_finds_the_key() {
        let (mut folder, mut draws) = one_free(Protocol::Documented { max_attempts: 3 });
        folder.instantiate(3);
        assert_eq!((0..50).map(|_| folder.hand_out(0, &mut draws).attempts).max(), Some(3));
        folder.keys.remove(3);
        let handed: Vec<Handed> = (0..200).map(|_| folder.hand_out(0, &mut draws)).collect();
        let found_by = |attempts: u32| handed.iter().any(|one| one.key.is_some() && one.attempts == attempts);
        assert!((1..=3).all(found_by));
    }
}
