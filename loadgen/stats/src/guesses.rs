//! How many guesses it takes to hit a session, where a key is all that it takes to open one (claim O5).
//!
//! Without replacement: a list of all keys in a random order, none tried twice. With replacement: a fresh random key
//! each time, as who guesses from many places without a common list does.

use super::keys::KeySpace;

/// The expected number of guesses that claim O5 asks for: 2⁴⁰.
pub const SECRET_ENOUGH: f64 = 1_099_511_627_776.0;

/// Longest key that a search for a length comes to. Beyond it a key is longer than a file name may be.
pub const LONGEST_KEY: u32 = 250;

/// Expected guesses until the first hit on one of `sessions` sessions, no key guessed twice: (K + 1) / (S + 1).
#[must_use]
pub fn expected_without_replacement(space: KeySpace, sessions: u64) -> f64 {
    (space.size() + 1.0) / (sessions as f64 + 1.0)
}

/// Expected guesses until the first hit on one of `sessions` sessions, each guess fresh: K / S; infinite of none.
#[must_use]
pub fn expected_with_replacement(space: KeySpace, sessions: u64) -> f64 {
    space.size() / sessions as f64
}

/// The chance that one of so many guesses hits one of `sessions` sessions, no key guessed twice. Takes as many steps
/// as the smaller of the two numbers.
#[must_use]
pub fn hit_without_replacement(space: KeySpace, sessions: u64, guesses: u64) -> f64 {
    // To miss, the guesses must all lie outside the sessions: the same as the sessions all outside the guesses.
    let (few, many) = (sessions.min(guesses), sessions.max(guesses) as f64);
    if few as f64 + many > space.size() {
        return if few == 0 { 0.0 } else { 1.0 };
    }
    let log_of_missing: f64 = (0..few).map(|i| (-many / (space.size() - i as f64)).ln_1p()).sum();
    -log_of_missing.exp_m1()
}

/// The chance that one of so many guesses hits one of `sessions` sessions, each guess fresh.
#[must_use]
pub fn hit_with_replacement(space: KeySpace, sessions: u64, guesses: u64) -> f64 {
    if guesses == 0 {
        return 0.0;
    }
    let share = (sessions as f64 / space.size()).min(1.0);
    -(guesses as f64 * (-share).ln_1p()).exp_m1()
}

/// Expected time, in seconds, until the first hit at so many guesses a second, no key guessed twice.
#[must_use]
pub fn expected_time_s(space: KeySpace, sessions: u64, guesses_per_s: f64) -> f64 {
    expected_without_replacement(space, sessions) / guesses_per_s
}

/// The shortest key of which at least `expected` guesses are needed for a first hit, no key guessed twice.
/// `None` where even [`LONGEST_KEY`] characters do not suffice.
#[must_use]
pub fn length_for_expected(alphabet: u32, sessions: u64, expected: f64) -> Option<u32> {
    shortest(alphabet, sessions, |space| expected_without_replacement(space, sessions) >= expected)
}

/// The shortest key of which so many guesses hit one of `sessions` sessions with at most the chance `risk`, no key
/// guessed twice. `None` where even [`LONGEST_KEY`] characters do not suffice.
#[must_use]
pub fn length_for_risk(alphabet: u32, sessions: u64, guesses: u64, risk: f64) -> Option<u32> {
    shortest(alphabet, sessions, |space| hit_without_replacement(space, sessions, guesses) <= risk)
}

/// The shortest key that holds the sessions and suffices.
fn shortest(alphabet: u32, sessions: u64, suffices: impl Fn(KeySpace) -> bool) -> Option<u32> {
    (1..=LONGEST_KEY).find(|&length| {
        let space = KeySpace { alphabet, length };
        space.size() >= sessions as f64 && suffices(space)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::{assert_mean, assert_share, random};
    use rand::{RngExt, rngs::StdRng, seq::index};

    const SMALL: KeySpace = KeySpace { alphabet: 10, length: 3 };
    const RUNS: usize = 20_000;

    /// Guesses until the first hit on one of `sessions` random keys of a thousand, in a random order without
    /// repetition; all the sessions and the order are drawn anew.
    fn in_order(random: &mut StdRng, sessions: usize) -> f64 {
        let is_session: Vec<bool> = marked(random, sessions);
        let order = index::sample(random, 1_000, 1_000);
        order.iter().position(|key| is_session[key]).map_or(f64::NAN, |misses| misses as f64 + 1.0)
    }

    /// The same, each guess fresh.
    fn fresh(random: &mut StdRng, sessions: usize) -> f64 {
        let is_session = marked(random, sessions);
        let mut guesses = 1.0;
        while !is_session[random.random_range(0..1_000)] {
            guesses += 1.0;
        }
        guesses
    }

    fn marked(random: &mut StdRng, sessions: usize) -> Vec<bool> {
        let mut is_session = vec![false; 1_000];
        index::sample(random, 1_000, sessions).into_iter().for_each(|key| is_session[key] = true);
        is_session
    }

    #[test]
    fn guesses_without_repetition_hit_as_simulated() {
        let mut random = random(12);
        let guesses: Vec<f64> = (0..RUNS).map(|_| in_order(&mut random, 20)).collect();
        assert_mean(&guesses, expected_without_replacement(SMALL, 20));
        for limit in [1_u32, 10, 20, 50, 150] {
            let hits = guesses.iter().filter(|&&needed| needed <= f64::from(limit)).count();
            assert_share(hits, RUNS, hit_without_replacement(SMALL, 20, u64::from(limit)));
        }
    }

    #[test]
    fn fresh_guesses_hit_as_simulated() {
        let mut random = random(13);
        let guesses: Vec<f64> = (0..RUNS).map(|_| fresh(&mut random, 100)).collect();
        assert_mean(&guesses, expected_with_replacement(SMALL, 100));
        for limit in [1_u32, 5, 20, 50] {
            let hits = guesses.iter().filter(|&&needed| needed <= f64::from(limit)).count();
            assert_share(hits, RUNS, hit_with_replacement(SMALL, 100, u64::from(limit)));
        }
    }

    #[test]
    fn exact_values_are_met() {
        // One session of three keys is hit at the first, second or third guess alike: two on average.
        let three = KeySpace { alphabet: 3, length: 1 };
        assert!((expected_without_replacement(three, 1) - 2.0).abs() < 1e-12);
        assert!((hit_without_replacement(three, 1, 2) - 2.0 / 3.0).abs() < 1e-12);
        assert!((hit_with_replacement(three, 1, 2) - 5.0 / 9.0).abs() < 1e-12);
        assert!((expected_time_s(three, 1, 0.5) - 4.0).abs() < 1e-12);
        // Two of four keys: the first hit is guess 1, 2 or 3 with 3/6, 2/6, 1/6.
        let four = KeySpace { alphabet: 4, length: 1 };
        assert!((expected_with_replacement(four, 2) - 2.0).abs() < 1e-12);
        assert!((hit_without_replacement(four, 2, 1) - 0.5).abs() < 1e-12);
        assert!((hit_without_replacement(four, 2, 2) - 5.0 / 6.0).abs() < 1e-12);
        assert!((hit_without_replacement(four, 2, 3) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_guess_and_no_session_hit_nothing_and_a_full_space_is_hit_at_once() {
        for hit in [hit_without_replacement, hit_with_replacement] {
            assert!(hit(SMALL, 20, 0) < 1e-300 && hit(SMALL, 0, 2_000) < 1e-300);
            assert!((hit(SMALL, 1_000, 1) - 1.0).abs() < 1e-12);
            assert!(hit(KeySpace { alphabet: 36, length: 12 }, 1, 1) > 2.1e-19);
        }
    }

    #[test]
    fn three_characters_are_no_secret_and_ten_are_one_for_a_session() {
        assert!(expected_without_replacement(KeySpace::SPECIFIED, 1) < SECRET_ENOUGH);
        // 36⁷ / 2 < 2⁴⁰ < 36⁸ / 2; for 10,000 sessions 36¹⁰ is too little and 36¹¹ enough.
        assert_eq!(length_for_expected(36, 1, SECRET_ENOUGH), Some(8));
        assert_eq!(length_for_expected(36, 10_000, SECRET_ENOUGH), Some(11));
        assert_eq!(length_for_expected(1, 1, SECRET_ENOUGH), None);
    }

    #[test]
    fn the_length_found_meets_the_risk_and_one_less_does_not() {
        let (sessions, guesses, risk) = (10_000, 10 * 86_400, 1e-6);
        let length = length_for_risk(36, sessions, guesses, risk).unwrap();
        let hit = |length| hit_without_replacement(KeySpace { alphabet: 36, length }, sessions, guesses);
        assert!(hit(length) <= risk && hit(length - 1) > risk, "{length}");
        assert_eq!((length, length_for_risk(1, 1, 1, 0.5)), (11, None));
    }
}
