//! What a server process believes about the keys, and when it must read the folder again. Pure.
//!
//! Others free keys without notice: an archiver moves documents away, a second process deletes. So the folder must be
//! read again once the last scan is old and many keys were picked since. One request scans; the others go on.

use crate::keys::{Draw, FreeKeys, Key, KeySpace};
use crate::protocol::{Look, Pick};

/// How long a server may go on without reading the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Freshness {
    /// Keys picked since a scan was last due. Every key that is handed out was picked, so at most this many were handed
    /// out.
    pub picks: u64,
    /// Age of the last scan, milliseconds.
    pub age_ms: u64,
}

/// 1,000 keys, 2 % of the space: users do not notice that few stale picks. 1 s: a scan of 46,656 names takes some 30 ms
/// of one thread, which is 3 % of one processor under the heaviest demand.
pub const FRESHNESS: Freshness = Freshness { picks: 1_000, age_ms: 1_000 };

/// If a folder is so large that a scan takes longer than 100 ms, scans take at most one part in this many of the time.
const LEAST_TIME_BETWEEN_LOOKS: u64 = 10;

/// Most changes kept during a scan: many times what a server does in that time. A scan that failed never ends, so
/// without a limit they would be kept for ever. A change that is lost costs an attempt, or a key until the next scan.
const MOST_CHANGES: usize = 1 << 16;

/// The keys that a server process believes free.
#[derive(Debug)]
pub struct KeyHint {
    freshness: Freshness,
    free: FreeKeys,
    last_look: Option<Look>,
    /// How long the last scan took.
    look_took_ms: u64,
    /// When the last scan began, or was due.
    since_ms: u64,
    /// Picks since a scan was last due.
    picks: u64,
    /// Keys reported as free or taken, in order, since a scan became due that has not ended: it may have read their
    /// names before.
    meanwhile: Option<Vec<(Key, bool)>>,
}

impl KeyHint {
    /// A hint that believes every key free.
    #[must_use]
    pub fn new(space: KeySpace, freshness: Freshness) -> Self {
        let free = FreeKeys::all(space);
        Self { freshness, free, last_look: None, look_took_ms: 0, since_ms: 0, picks: 0, meanwhile: None }
    }

    /// See [`crate::protocol::Hint::pick`].
    pub fn pick(&mut self, now_ms: impl Fn() -> u64, draw: &mut Draw<'_>) -> Pick {
        if self.free.free() > 0 && self.is_due(&now_ms) {
            (self.picks, self.since_ms) = (0, now_ms());
            self.meanwhile = Some(Vec::new());
            return Pick::LookDue;
        }
        let Some(key) = self.free.pick(draw) else { return Pick::NoneFree(self.last_look) };
        self.picks += 1;
        Pick::Try(key)
    }

    fn is_due(&self, now_ms: impl Fn() -> u64) -> bool {
        if self.picks < self.freshness.picks || self.free.is_without_memory() {
            return false;
        }
        let least_age_ms = self.freshness.age_ms.max(self.look_took_ms.saturating_mul(LEAST_TIME_BETWEEN_LOOKS));
        // If the clock was set back, the age is unknown, and that must not delay the scan.
        now_ms().abs_diff(self.since_ms) >= least_age_ms
    }

    /// See [`crate::protocol::Hint::taken`].
    pub fn taken(&mut self, key: Key) {
        self.note(key, false);
    }

    /// See [`crate::protocol::Hint::freed`].
    pub fn freed(&mut self, key: Key) {
        self.note(key, true);
    }

    fn note(&mut self, key: Key, free: bool) {
        self.free.set(key, free);
        if let Some(meanwhile) = self.meanwhile.as_mut().filter(|meanwhile| meanwhile.len() < MOST_CHANGES) {
            meanwhile.push((key, free));
        }
    }

    /// Takes over the result of a scan that ends now.
    pub fn looked(&mut self, found_free: FreeKeys, look: Look, now_ms: u64) {
        self.free = found_free;
        for (key, free) in self.meanwhile.take().unwrap_or_default() {
            self.free.set(key, free);
        }
        (self.last_look, self.since_ms) = (Some(look), look.at_ms);
        self.look_took_ms = now_ms.saturating_sub(look.at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Freshness = Freshness { picks: 3, age_ms: 1_000 };
    const START_MS: u64 = 1_700_000_000_000;

    fn three() -> KeySpace {
        KeySpace::new(3).expect("three is in range")
    }

    /// A hint that has just scanned a folder in which only the first keys are free.
    fn with_free(free: u64, took_ms: u64) -> KeyHint {
        let mut hint = KeyHint::new(three(), LIMITS);
        look(&mut hint, free, START_MS, took_ms);
        hint
    }

    fn look(hint: &mut KeyHint, free: u64, at_ms: u64, took_ms: u64) {
        let found_free = FreeKeys::without(three(), (free..three().size()).map(|place| three().at(place)));
        hint.looked(found_free, Look { folder_modified_ns: 0, at_ms }, at_ms + took_ms);
    }

    /// Each draw is the lowest number, so the first free key is picked.
    fn pick(hint: &mut KeyHint, after_ms: u64) -> Pick {
        hint.pick(|| START_MS + after_ms, &mut |_| 0)
    }

    #[test]
    fn a_look_is_due_after_both_a_number_of_keys_and_a_time_and_for_one_request_alone() {
        let first = Pick::Try(three().at(0));
        let mut hint = with_free(10, 30);
        assert_eq!([pick(&mut hint, 5_000), pick(&mut hint, 5_000)], [first; 2], "few keys");
        assert_eq!([pick(&mut hint, 999), pick(&mut hint, 999)], [first; 2], "little time");
        assert_eq!([pick(&mut hint, 1_000), pick(&mut hint, 1_000)], [Pick::LookDue, first]);
        look(&mut hint, 10, START_MS + 1_000, 30);
        assert_eq!([1_010, 1_020, 1_999, 2_000].map(|now| pick(&mut hint, now)), [first, first, first, Pick::LookDue]);
    }

    #[test]
    fn the_age_of_a_look_counts_from_its_beginning_and_a_look_for_another_reason_counts_too() {
        let mut hint = with_free(10, 30);
        let _ = [(); 3].map(|()| pick(&mut hint, 0));
        look(&mut hint, 10, START_MS + 900, 30);
        assert_ne!(pick(&mut hint, 1_899), Pick::LookDue);
        assert_eq!(pick(&mut hint, 1_900), Pick::LookDue);
    }

    /// The scan had already read the names when two keys were handed out and a session ended.
    #[test]
    fn what_is_reported_while_a_due_look_is_taken_is_not_forgotten_by_it() {
        let mut hint = with_free(2, 30);
        let _ = [(); 3].map(|()| pick(&mut hint, 0));
        assert_eq!(pick(&mut hint, 1_000), Pick::LookDue);
        hint.taken(three().at(0));
        hint.taken(three().at(1));
        hint.freed(three().at(7));
        look(&mut hint, 2, START_MS + 1_000, 30);
        assert_eq!(pick(&mut hint, 1_100), Pick::Try(three().at(7)));
        look(&mut hint, 2, START_MS + 1_200, 30);
        assert_eq!(pick(&mut hint, 1_300), Pick::Try(three().at(0)), "the next look knows better");
    }

    #[test]
    fn slow_looks_come_less_often() {
        let mut hint = with_free(10, 600);
        let _ = [(); 3].map(|()| pick(&mut hint, 0));
        assert_ne!(pick(&mut hint, 5_999), Pick::LookDue);
        assert_eq!(pick(&mut hint, 6_000), Pick::LookDue);
    }

    #[test]
    fn no_look_is_due_without_a_free_key_or_where_a_look_would_teach_nothing() {
        let mut full = with_free(0, 30);
        let last_look = Look { folder_modified_ns: 0, at_ms: START_MS };
        assert!((0..9).all(|_| pick(&mut full, 9_000) == Pick::NoneFree(Some(last_look))));
        let mut vast = KeyHint::new(KeySpace::new(8).expect("in range"), LIMITS);
        assert!((0..9).all(|_| pick(&mut vast, 9_000) != Pick::LookDue));
    }

    #[test]
    fn a_look_that_never_ends_does_not_keep_changes_without_limit() {
        let mut hint = with_free(2, 30);
        let _ = [(); 3].map(|()| pick(&mut hint, 0));
        assert_eq!(pick(&mut hint, 1_000), Pick::LookDue);
        (0..MOST_CHANGES + 10).for_each(|_| hint.freed(three().at(7)));
        assert_eq!(hint.meanwhile.as_ref().map(Vec::len), Some(MOST_CHANGES));
    }
}
