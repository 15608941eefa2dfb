//! Closed forms of the specification's key generation: a hundred uniform tries without reservation.
//!
//! *Fill* is used keys / all keys, between 0 and 1, and taken not to change during a request.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// Keys of three characters: 36³.
pub const THREE_CHARACTER_KEYS: usize = 46_656;

/// Tries of one request.
pub const MAX_ATTEMPTS: i32 = 100;

/// The chance that a request finds no key at a fill between 0 and 1: every try meets a used one.
#[must_use]
pub fn exhaustion_chance(fill: f64) -> f64 {
    fill.powi(MAX_ATTEMPTS)
}

/// Mean number of tries of a request at a fill below 1, a request that fails counting all its tries:
/// the sum of fill^i for i below 100.
#[must_use]
pub fn mean_attempts(fill: f64) -> f64 {
    if fill >= 1.0 { f64::from(MAX_ATTEMPTS) } else { (1.0 - exhaustion_chance(fill)) / (1.0 - fill) }
}

/// The chance that `users` keys drawn at once, without reservation, from `free` keys are not all different.
#[must_use]
pub fn birthday_collision(users: usize, free: usize) -> f64 {
    // By logarithms, so that a chance far below 10⁻¹⁶ is not lost beside 1.
    let log_of_different: f64 = (0..users).map(|taken| (-(taken as f64 / free as f64).min(1.0)).ln_1p()).sum();
    -log_of_different.exp_m1()
}

/// How many trials without a collision exclude, at the given confidence, that each collides with `chance`.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of trials, rounded up")]
pub fn trials_to_exclude(chance: f64, confidence: f64) -> u64 {
    ((1.0 - confidence).ln() / (1.0 - chance).ln()).ceil() as u64
}

/// Relative error that comparing two chances forgives, as rounding is: `1 − 0.9` is not 0.1 to the last bit.
const ROUNDING: f64 = 1e-12;

/// All keys of one length over one alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySpace {
    /// Characters to choose from at each place.
    pub alphabet: u32,
    /// Characters in a key.
    pub length: u32,
}

impl KeySpace {
    /// The specification's: three of `A-Z0-9`.
    pub const SPECIFIED: Self = Self { alphabet: 36, length: 3 };

    /// How many keys there are; exact up to 2⁵³, then to 16 digits.
    #[must_use]
    pub fn size(self) -> f64 {
        f64::from(self.alphabet).powi(self.length.cast_signed())
    }

    /// How many keys there are, to be counted; `None` beyond a `u64`.
    #[must_use]
    pub fn count(self) -> Option<u64> {
        u64::from(self.alphabet).checked_pow(self.length)
    }

    /// The fill with so many keys used; never above 1.
    #[must_use]
    pub fn fill(self, used: f64) -> f64 {
        (used / self.size()).min(1.0)
    }
}

/// How many tries a request makes by the documented protocol: each meets a used key with a chance of `fill`, and the
/// hundredth is the last. A request that fails counts its hundred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attempts {
    fill: f64,
}

impl Attempts {
    /// At a fill, which is brought between 0 and 1.
    #[must_use]
    pub fn at(fill: f64) -> Self {
        Self { fill: fill.clamp(0.0, 1.0) }
    }

    /// The fill.
    #[must_use]
    pub fn fill(self) -> f64 {
        self.fill
    }

    /// The chance that a request makes more than `n` tries.
    fn chance_of_more(self, n: i32) -> f64 {
        if n >= MAX_ATTEMPTS { 0.0 } else { self.fill.powi(n) }
    }

    /// The chance that a request makes exactly `n` tries, found or not.
    #[must_use]
    pub fn chance_of(self, n: i32) -> f64 {
        if n < 1 { 0.0 } else { self.chance_of_more(n - 1) - self.chance_of_more(n) }
    }

    /// The chance that a request finds nothing and is answered 503.
    #[must_use]
    pub fn exhaustion(self) -> f64 {
        exhaustion_chance(self.fill)
    }

    /// Mean number of tries.
    #[must_use]
    pub fn mean(self) -> f64 {
        mean_attempts(self.fill)
    }

    /// Variance of the number of tries: the sum of (2i + 1) fill^i for i below 100, less the squared mean.
    #[must_use]
    pub fn variance(self) -> f64 {
        let mean_square: f64 = (0..MAX_ATTEMPTS).map(|i| f64::from(2 * i + 1) * self.chance_of_more(i)).sum();
        (mean_square - self.mean().powi(2)).max(0.0)
    }

    /// The fewest tries that a share `q` of requests does not exceed (0.99 for p99).
    #[must_use]
    pub fn percentile(self, q: f64) -> i32 {
        let beyond = (1.0 - q) * (1.0 + ROUNDING);
        (1..MAX_ATTEMPTS).find(|&n| self.chance_of_more(n) <= beyond).unwrap_or(MAX_ATTEMPTS)
    }

    /// How many requests make their mean number of tries known within a relative error (0.03, say) at a confidence.
    /// By the normal approximation, which a few hundred requests justify; at least one.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests, rounded up")]
    pub fn requests_for(self, relative_error: f64, confidence: f64) -> u64 {
        let half_width = relative_error * self.mean();
        let requests = (two_sided_z(confidence) / half_width).powi(2) * self.variance();
        requests.ceil().max(1.0) as u64
    }
}

/// How many standard errors a normal estimate keeps within at a confidence, on both sides.
fn two_sided_z(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(f64::midpoint(1.0, confidence))
}

/// The fill above which requests make more than `mean` tries on average. `None` where none does: a mean below 1 or
/// from 100 on.
#[must_use]
pub fn fill_at_mean(mean: f64) -> Option<f64> {
    // The mean grows with fill and each halving gains a bit: 53 leave nothing to gain.
    const HALVINGS: u32 = 53;
    if !(1.0..f64::from(MAX_ATTEMPTS)).contains(&mean) {
        return None;
    }
    let (low, high) = (0..HALVINGS).fold((0.0, 1.0), |(low, high), _| {
        let middle = f64::midpoint(low, high);
        if mean_attempts(middle) > mean { (low, middle) } else { (middle, high) }
    });
    Some(f64::midpoint(low, high))
}

/// The fill above which more than a share `chance` of requests finds no key (0.01: the specification's "exhaustion
/// point").
#[must_use]
pub fn fill_at_exhaustion(chance: f64) -> f64 {
    chance.clamp(0.0, 1.0).powf(1.0 / f64::from(MAX_ATTEMPTS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::{STANDARD_ERRORS, assert_mean, assert_share, random};
    use rand::{RngExt, rngs::StdRng};

    #[test]
    fn the_closed_forms_give_the_figures_of_the_claims() {
        let fill = |used: f64| used / THREE_CHARACTER_KEYS as f64;
        assert!((exhaustion_chance(fill(44_556.0)) - 0.01).abs() < 1e-4);
        assert!((exhaustion_chance(fill(45_000.0)) - 0.027).abs() < 5e-4);
        assert!((exhaustion_chance(fill(46_334.0)) - 0.5).abs() < 2e-3);
        assert!((mean_attempts(fill(23_328.0)) - 2.0).abs() < 1e-9);
        assert!((mean_attempts(1.0) - 100.0).abs() < 1e-9);
        assert!((birthday_collision(100, THREE_CHARACTER_KEYS) - 0.1007).abs() < 1e-4);
        assert!((birthday_collision(10, THREE_CHARACTER_KEYS) - 0.000_96).abs() < 1e-5);
        assert!((birthday_collision(100, THREE_CHARACTER_KEYS - 10_000) - 0.126).abs() < 1e-3);
    }

    #[test]
    fn forty_four_trials_exclude_the_birthday_rate_of_a_hundred() {
        assert_eq!(trials_to_exclude(birthday_collision(100, THREE_CHARACTER_KEYS), 0.99), 44);
    }

    #[test]
    fn the_space_of_the_specification_has_its_46_656_keys() {
        assert!((KeySpace::SPECIFIED.size() - THREE_CHARACTER_KEYS as f64).abs() < 0.5);
        assert!((KeySpace { alphabet: 36, length: 10 }.size() / 3_656_158_440_062_976.0 - 1.0).abs() < 1e-15);
        assert!((KeySpace::SPECIFIED.fill(23_328.0) - 0.5).abs() < 1e-12);
        assert!((KeySpace::SPECIFIED.fill(1e9) - 1.0).abs() < 1e-12);
    }

    /// The tries of requests, one at a time, on a folder where every key but a share is used.
    fn simulated(fill: f64, requests: usize) -> Vec<f64> {
        let mut random = random(3);
        let tries = |random: &mut StdRng| (1..MAX_ATTEMPTS).find(|_| random.random::<f64>() >= fill);
        (0..requests).map(|_| f64::from(tries(&mut random).unwrap_or(MAX_ATTEMPTS))).collect()
    }

    #[test]
    fn tries_have_the_mean_and_variance_of_a_simulation() {
        for fill in [0.1, 0.5, 0.9, 0.965, 0.99, 0.999] {
            let (tries, attempts) = (simulated(fill, 20_000), Attempts::at(fill));
            assert_mean(&tries, attempts.mean());
            let squares: Vec<f64> = tries.iter().map(|n| (n - attempts.mean()).powi(2)).collect();
            assert_mean(&squares, attempts.variance());
        }
    }

    #[test]
    fn each_number_of_tries_is_as_frequent_as_its_chance() {
        let (tries, attempts) = (simulated(0.97, 20_000), Attempts::at(0.97));
        for n in [1, 2, 10, 50, 99, 100] {
            let hits = tries.iter().filter(|&&seen| (seen - f64::from(n)).abs() < 0.5).count();
            assert_share(hits, tries.len(), attempts.chance_of(n));
        }
        let total: f64 = (0..=MAX_ATTEMPTS + 1).map(|n| attempts.chance_of(n)).sum();
        assert!((total - 1.0).abs() < 1e-12, "{total}");
    }

    #[test]
    fn a_full_folder_costs_all_its_attempts() {
        let full = Attempts::at(1.0);
        assert!((full.mean() - 100.0).abs() < 1e-9 && full.variance() < 1e-9 && full.exhaustion() > 1.0 - 1e-9);
        assert_eq!((full.percentile(0.01), full.percentile(0.99)), (100, 100));
        assert_eq!((Attempts::at(0.0).percentile(1.0), Attempts::at(0.0).requests_for(0.01, 0.99)), (1, 1));
    }

    #[test]
    fn percentiles_are_those_of_a_simulation() {
        for (fill, q) in [(0.5, 0.99), (0.9, 0.5), (0.965, 0.9), (0.99, 0.3)] {
            let (tries, n) = (simulated(fill, 20_000), Attempts::at(fill).percentile(q));
            let share = |limit: i32| tries.iter().filter(|&&seen| seen <= f64::from(limit)).count() as f64 / 20_000.0;
            let allowed = STANDARD_ERRORS * (q * (1.0 - q) / 20_000.0).sqrt();
            assert!(share(n) >= q - allowed && share(n - 1) <= q + allowed, "{fill} {q} {n}");
        }
        // Exact: of tries at half fill, 3 in 4 take two at most; at a tenth, 9 in 10 take one.
        assert_eq!((Attempts::at(0.5).percentile(0.75), Attempts::at(0.5).percentile(0.76)), (2, 3));
        assert_eq!((Attempts::at(0.1).percentile(0.9), Attempts::at(0.5).percentile(1.0)), (1, 100));
    }

    #[test]
    fn the_fills_at_which_limits_are_passed_are_those_of_the_claims() {
        let used = |fill: f64| fill * THREE_CHARACTER_KEYS as f64;
        assert!((used(fill_at_exhaustion(0.01)) - 44_556.0).abs() < 1.0);
        assert!((used(fill_at_exhaustion(0.5)) - 46_334.0).abs() < 1.0);
        assert!((used(fill_at_mean(2.0).unwrap()) - 23_328.0).abs() < 1e-6);
        assert_eq!((fill_at_mean(0.9), fill_at_mean(100.0)), (None, None));
        for fill in [0.2, 0.9, 0.99, 0.999] {
            assert!((fill_at_mean(mean_attempts(fill)).unwrap() - fill).abs() < 1e-9);
            assert!((fill_at_exhaustion(exhaustion_chance(fill)) - fill).abs() < 1e-9);
        }
    }

    #[test]
    fn so_many_requests_make_the_mean_known_within_the_error() {
        let attempts = Attempts::at(0.9);
        let requests = usize::try_from(attempts.requests_for(0.1, 0.95)).unwrap();
        let means: Vec<f64> = simulated(0.9, 4_000 * requests)
            .chunks(requests)
            .map(|run| run.iter().sum::<f64>() / requests as f64)
            .collect();
        let within = means.iter().filter(|&&mean| (mean / attempts.mean() - 1.0).abs() <= 0.1).count();
        assert_share(within, means.len(), 0.95);
    }

    #[test]
    fn keys_drawn_at_once_collide_as_often_as_simulated() {
        let mut random = random(4);
        let collides = |random: &mut StdRng| {
            let mut seen = vec![false; 1_000];
            (0..40).any(|_| std::mem::replace(&mut seen[random.random_range(0..1_000)], true))
        };
        let hits = (0..10_000).filter(|_| collides(&mut random)).count();
        assert_share(hits, 10_000, birthday_collision(40, 1_000));
        assert!((birthday_collision(1_002, 1_000) - 1.0).abs() < 1e-12 && birthday_collision(1, 1_000) < 1e-300);
        // Two of 10¹⁸ keys.
        assert!((birthday_collision(2, 1_000_000_000_000_000_000) * 1e18 - 1.0).abs() < 1e-9);
    }
}
