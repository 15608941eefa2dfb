//! Attempts (keys tried) of a key request: what they should be, and what a sample of them says.

use std::iter::successors;
use std::ops::RangeInclusive;

/// The specification's limit: `$maxAttempts = 100`.
pub const MAX_ATTEMPTS: u32 = 100;

/// Half the width of a normal distribution's central 99 %, in standard deviations.
pub const Z_99: f64 = 2.575_829;

/// The same for 99.9 %.
pub const Z_99_9: f64 = 3.290_527;

/// Mean attempts of the documented protocol with `used_keys` of `all_keys` in use; a request that fails counts with
/// its 100.
///
/// With f = used / all, the nth attempt is made if n - 1 draws hit a key in use: 1 + f + f² + … + f⁹⁹, which is
/// (1 - f¹⁰⁰) / (1 - f), and 100 where every key is in use. It is added up here, as that needs no exception.
#[must_use]
pub fn expected_documented(used_keys: u64, all_keys: u64) -> f64 {
    let fill = used_keys as f64 / all_keys as f64;
    successors(Some(1.0), |term| Some(term * fill)).take(MAX_ATTEMPTS as usize).sum()
}

/// Mean attempts of the hardened protocol, at any fill but the full one: it knows which keys are free, and with
/// one server on the folder it knows it exactly.
pub const EXPECTED_HARDENED: f64 = 1.0;

/// The mean of a sample, and how far to trust it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Mean attempts a request.
    pub mean: f64,
    /// Standard deviation of that mean.
    pub standard_error: f64,
}

impl Sample {
    /// The mean of the attempts of so many requests, of which there must be two at least.
    #[must_use]
    pub fn of(attempts: &[u32]) -> Self {
        let count = attempts.len() as f64;
        let mean = attempts.iter().map(|&n| f64::from(n)).sum::<f64>() / count;
        let variance = attempts.iter().map(|&n| (f64::from(n) - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, standard_error: (variance / count).sqrt() }
    }

    /// Where the true mean lies, with the confidence of `z` ([`Z_99`], say). The mean of thousands of requests is
    /// as good as normally distributed, though the attempts of one are far from it; not where next to no request
    /// tried a second key, so where a handful of keys are in use.
    #[must_use]
    pub fn interval(&self, z: f64) -> RangeInclusive<f64> {
        let half_width = z * self.standard_error;
        self.mean - half_width..=self.mean + half_width
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    const ALL_KEYS: u64 = 46_656;

    /// Draws keys until one is free or the limit is reached, as the documented protocol does.
    fn simulate(used_keys: u64, requests: usize) -> Sample {
        let mut random = StdRng::seed_from_u64(used_keys);
        let mut request = || {
            let first_free = (1..=MAX_ATTEMPTS).find(|_| random.random_range(0..ALL_KEYS) >= used_keys);
            first_free.unwrap_or(MAX_ATTEMPTS)
        };
        let attempts: Vec<u32> = (0..requests).map(|_| request()).collect();
        Sample::of(&attempts)
    }

    #[test]
    fn the_closed_form_agrees_with_a_simulation_at_every_fill() {
        for used_keys in [0, 1_000, 10_000, 23_328, 45_000, 46_600, ALL_KEYS - 1, ALL_KEYS] {
            let (sample, expected) = (simulate(used_keys, 50_000), expected_documented(used_keys, ALL_KEYS));
            assert!(sample.interval(Z_99_9).contains(&expected), "{used_keys}: {sample:?}, expected {expected}");
        }
    }

    #[test]
    fn a_form_that_forgets_the_limit_is_caught_at_the_sample_size_of_the_benchmark() {
        let without_limit = 1.0 / (1.0 - 45_000.0 / ALL_KEYS as f64);
        assert!(!simulate(45_000, 20_000).interval(Z_99_9).contains(&without_limit));
    }

    #[test]
    fn attempts_are_one_when_empty_two_at_half_fill_and_a_hundred_when_full() {
        let expected = [0, 23_328, ALL_KEYS].map(|used_keys| expected_documented(used_keys, ALL_KEYS));
        let close = expected.iter().zip([1.0, 2.0, 100.0]).all(|(expected, known)| (expected - known).abs() < 1e-9);
        assert!(close, "{expected:?}");
    }

    #[test]
    fn a_sample_has_the_textbook_mean_and_error() {
        let sample = Sample::of(&[1, 2, 3, 4]);
        assert!((sample.mean - 2.5).abs() < 1e-12);
        // The variance is 5/3, and that of the mean a quarter of it.
        assert!((sample.standard_error - (5.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        assert_eq!(Sample::of(&[1, 1, 1]).interval(Z_99_9), 1.0..=1.0);
    }
}
